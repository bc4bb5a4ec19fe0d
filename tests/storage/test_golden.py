"""What released versions wrote is still read, and the size that was promised is kept."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from pulse_widgets.series.columns import SeriesKey
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.reader import open_stored
from tests.storage.bench import START_US, Bench, expected, same, tidy
from tests.storage.golden import DATA, write

NAMES = ["recording-1.0.pulse", "recording-1.0-finished.pulse.parquet"]


@pytest.mark.parametrize("name", NAMES)
def test_recordings_of_version_1_0_are_read(name, tmp_path):
    path = tmp_path / name
    if (DATA / name).is_dir():
        shutil.copytree(DATA / name, path)
        for lock in path.rglob("lock"):
            os.utime(lock, (0, 0))
    else:
        shutil.copy(DATA / name, path)
    stored = open_stored(path)
    assert same(tidy(stored), expected(write(tmp_path / "now.pulse").rows))
    assert stored.run.about["title"] == "golden"
    assert stored.problems == ()
    info = stored.catalog.infos[SeriesKey("h0", "host", "cpu.user.total")]
    assert (info.unit, info.kind) == ("s", "counter")
    power = stored.catalog.infos[SeriesKey("h0", "gpu:0", "gpu.power")]
    assert power.labels == {"uuid": "GPU-golden"}
    assert stored.catalog.entities["h0"]["gpu:0"] == {"name": "Golden GPU"}


def test_the_overview_of_version_1_0_is_read():
    stored = open_stored(DATA / NAMES[1])
    blocks = stored.levels(SeriesKey("h0", "gpu:0", "gpu.power"))[64]
    # A reading is missing at row 100, and is a block of its own.
    assert blocks.rows.tolist() == [64, 36, 1, 64, 35]
    assert blocks.count.tolist() == [64, 36, 0, 64, 35]
    assert blocks.last[-1] == 597 / 4


def machine(directory, seconds: int) -> int:
    """Record 100 system series at 10 Hz: bytes, watts, fractions, degrees, counters."""
    bench, rnd = Bench(directory), np.random.default_rng(0)
    for k in range(100):
        kind = "counter" if k % 5 == 4 else "gauge"
        bench.series(f"gpu:{k // 5}", f"m{k % 5}", kind=kind)
    ids = np.arange(100, dtype=np.int32)
    level, count = rnd.uniform(0, 1, 100), np.zeros(100)
    for tick in range(10 * seconds):
        level = np.clip(level + rnd.normal(size=100) * 0.05, 0, 1)
        count += rnd.integers(0, 10_000, 100)
        values = np.choose(
            ids % 5,
            [
                np.round(level * 2**22) * 4096,
                np.round(level * 30_000) / 100,
                np.round(level * 100) / 100,
                np.round(40 + 20 * level),
                count,
            ],
        )
        late_us = int(rnd.integers(0, 3)) * 1000
        times = np.full(100, START_US + 100_000 * tick + late_us)
        bench.writer.append(Rows.of(ids, times, values))
        bench.now += 0.1
        bench.writer.beat()
    bench.writer.close()
    return compact(directory).stat().st_size


def test_five_seconds_take_less_than_100_kb(tmp_path):
    assert 10_000 < machine(tmp_path / "a.pulse", 5) < 100_000


@pytest.mark.slow
def test_an_hour_of_100_series_at_10_hz_takes_at_most_5_bytes_a_sample(tmp_path):
    size = machine(tmp_path / "a.pulse", 3600) / 3_600_000
    print(f"{size:.2f} B a sample")
    assert 0.5 < size <= 5

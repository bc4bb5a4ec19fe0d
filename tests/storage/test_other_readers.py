"""What pandas, polars, DuckDB, fastparquet and hyparquet say of a recording is what was written.

Each version runs in an environment of its own and knows nothing of pulse_widgets.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pulse_widgets.series.columns import LOGGED_NAN
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.compact import compact
from tests.storage.bench import START_US, Bench
from tests.storage.other_readers.ask import bits, digest, numbers, payload, steps
from tests.storage.other_readers.environments import READERS, asked

DOCS = Path(__file__).parents[2] / "docs"
HERE = [r for r in READERS if sys.version_info[:2] <= r.newest_python]
HOUR = 3_600_000_000


class Written:
    """A recording, and the answers that are right for it."""

    def __init__(self, directory) -> None:
        self.bench = Bench(directory)
        self.answers: dict[str, dict[str, object]] = {}
        self._random = np.random.default_rng(1)

    def add(self, entity, metric, time, value, *, step=None, text=None, data=None, kind="gauge"):
        """Write one series; a step, text or payload that is None is not there."""
        count = len(time)
        series = self.bench.series(entity, metric, kind=kind)
        given = [NO_STEP] * count if step is None else [NO_STEP if s is None else s for s in step]
        texts = None if text is None else [t or "" for t in text]
        blobs = None if data is None else [d or b"" for d in data]
        for first in range(0, count, 20_000):
            part = slice(first, first + 20_000)
            columns = (time[part], value[part], given[part])
            payloads = (None if c is None else c[part] for c in (texts, blobs))
            rows = Rows.of(np.full(len(time[part]), series), *columns, *payloads)
            self.bench.writer.append(rows)
            self.bench.now += 0.1
            self.bench.writer.beat()
        self.answers[f"h0|{entity}|{metric}"] = _right(time, value, given, texts, blobs)

    def finish(self) -> Path:
        self.bench.writer.close()
        return compact(self.bench.directory)

    def clock(self, count, every_us=100_000):
        late = self._random.integers(0, every_us // 10, count)
        return START_US + every_us * np.arange(count) + late


def _right(time, value, step, texts, blobs):
    marked = np.asarray(value, np.float64).view(np.int64) & 1 == 1
    there = [v for v, logged in zip(value, marked, strict=True) if logged or not math.isnan(v)]
    real = [v for v in there if math.isfinite(v)]
    return {
        "rows": len(time),
        "first": int(min(time)),
        "last": int(max(time)),
        "mean": sum(real) / len(real) if real else None,
        "real": digest(bits([v for v in there if not math.isnan(v)])),
        **numbers(there),
        **steps([s for s in step if s != NO_STEP]),
        **payload([t for t in texts or () if t], [d for d in blobs or () if d]),
    }


def mixed(directory) -> Written:
    """A bit of everything: long and short series, steps with and without, text, payloads."""
    made, random = Written(directory), np.random.default_rng(2)
    count = 150_000
    loss = random.normal(size=count)
    loss[30_000:50_000] = np.nan  # pages without any value
    loss[random.integers(0, count, 200)] = np.nan
    step = [None if k < 20_000 or k % 1000 == 1 else k for k in range(count)]
    made.add("user", "train/loss", made.clock(count), loss, step=step)
    power = np.round(random.uniform(50, 400, 40_000), 2)
    made.add("gpu:0", "gpu.power", made.clock(40_000), power)
    wide = [-1, 0, None, 2**53 + 1, -(2**53) - 1, 2**62, -(2**62), 7] * 20
    made.add("user", "steps", made.clock(160, HOUR), np.arange(160.0), step=wide)
    kinds = [LOGGED_NAN, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1e300, math.nan, 1.5]
    made.add("user", "odd", made.clock(180), np.array(kinds * 20))
    made.add("user", "nothing", made.clock(50), np.full(50, np.nan))
    for number in range(300):  # these share row groups, and each starts at the same time
        some = np.round(random.uniform(size=90), 2)
        some[random.integers(0, 90, 9)] = np.nan
        own = [k if number % 3 else None for k in range(90)]
        made.add(f"cpu:{number}", "cpu.utilization", made.clock(90, 60_000_000), some, step=own)
    lines = [f"step {k} of é 漢字 \U0001f600" if k % 7 else None for k in range(10_000)]
    lines[100:3000] = ["the same line"] * 2900
    lines[5:8] = ["x" * 1_000_000, "é" * 300_000, "a\x00b"]
    made.add("kernel", "log", made.clock(10_000), np.full(10_000, np.nan), text=lines, kind="text")
    blobs = [random.bytes(int(n)) if n else None for n in random.integers(0, 40_000, 40)]
    blobs[7] = random.bytes(2_000_000)
    media = {"step": range(40), "text": ['{"mime": "image/png"}'] * 40, "data": blobs}
    made.add("user", "sample", made.clock(40), np.full(40, np.nan), **media, kind="media")
    return made


def noise(directory) -> Written:
    """Only numbers that do not pack, as a file whose values are stored otherwise."""
    made, random = Written(directory), np.random.default_rng(3)
    for number in range(4):
        loss = random.normal(size=20_000)
        loss[10_000:19_000:3] = np.nan
        made.add("user", f"loss/{number}", made.clock(20_000), loss, step=range(20_000))
    return made


@pytest.fixture(scope="module", params=[mixed, noise], ids=lambda make: make.__name__)
def written(request, tmp_path_factory):
    made = request.param(tmp_path_factory.mktemp("other") / "run.pulse")
    return made.finish(), made.answers


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("reader", HERE, ids=lambda r: r.name.replace(" ", "-"))
def test_another_reader_gives_the_right_answers(reader, written):
    path, right = written
    done = subprocess.run(
        [*asked(reader), str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    if reader.refuses in encodings(path):
        assert "NotImplementedError" in done.stderr  # said, not misread
        return
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert sorted(told) == sorted(right)
    for key, answers in told.items():
        wrong = {
            name: (said, right[key][name])
            for name, said in answers.items()
            if not _equal(said, right[key][name])
        }
        assert wrong == {}, key
        assert len(answers) == (8 if reader.not_right else 16)


def encodings(path) -> set[str]:
    about = pq.ParquetFile(path).metadata
    names = [about.schema.column(place).name for place in range(about.num_columns)]
    return {*about.row_group(0).column(names.index("value")).encodings}


@pytest.mark.slow
def test_the_two_recordings_store_their_values_in_two_ways(tmp_path):
    assert encodings(mixed(tmp_path / "a.pulse").finish()) != encodings(
        noise(tmp_path / "b.pulse").finish()
    )


def _equal(said, right) -> bool:
    if isinstance(right, float) and isinstance(said, float):
        return math.isclose(said, right, rel_tol=1e-9, abs_tol=1e-9)
    # pandas gives NaN as the mean of nothing.
    return said == right or (right is None and math.isnan(said))


def test_the_page_names_the_versions_that_are_tested():
    pages = "".join(page.read_text() for page in DOCS.glob("recording-format*.md"))
    table = pages.partition("Readers that are tested")[2]
    for reader in READERS:
        line = next(line for line in table.splitlines() if line.startswith(f"| {reader.name} |"))
        right = line.split("|")[2]
        assert [c for c in ("time", "step") if f"`{c}`" not in right] == list(reader.not_right)

"""A summary from the overview is the summary from the rows."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.library.recording import Recording
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.reader import Stored
from pulse_widgets.storage.segment import ParquetSegment
from tests.storage.bench import START_US, Bench, noise

SECOND = 1_000_000
LOGGED = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
NAMES = {"gauge": "loss", "counter": "tokens.total", "state": "phase"}

level = st.one_of(st.sampled_from([0.0, 1.0, 700.0, -2.5, 0.1, 1e300, 85e9]), st.floats(-1e6, 1e6))
odd = st.one_of(
    st.none(), st.none(), st.sampled_from([math.nan, LOGGED, math.inf, -math.inf, -1e9])
)
stretches = st.lists(
    st.tuples(
        st.sampled_from([SECOND, SECOND, 100_000, 0, 3600 * SECOND]),
        st.integers(1, 300),
        level,
        st.sampled_from(["same", "same", "noise"]),
        odd,
    ),
    min_size=1,
    max_size=4,
)
series = st.tuples(st.sampled_from([*NAMES]), st.sampled_from(["user", "gpu:0"]), stretches)


def rows_of(kind, stretches) -> tuple[np.ndarray, np.ndarray]:
    """Times and values; those of a counter grow, or stand still."""
    times, values, now, at = [], [], START_US, 0.0
    for spacing, count, level, shape, between in stretches:
        more = np.abs(noise(count)) if shape == "noise" else np.zeros(count)
        own = at + np.cumsum(more) if kind == "counter" else level + more
        times += (now + spacing * np.arange(1, count + 1)).tolist()
        values += own.tolist()
        now, at = times[-1], float(own[-1])
        if between is not None:
            now += spacing
            times.append(now)
            values.append(between)
    return np.array(times), np.array(values)


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@pytest.fixture
def rows_read(monkeypatch):
    """The row groups of rows that are read."""
    read: list[int] = []
    real = ParquetSegment._group

    def counted(self, group, *rest):
        read.append(group)
        return real(self, group, *rest)

    monkeypatch.setattr(ParquetSegment, "_group", counted)
    return read


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(series, min_size=1, max_size=4))
def test_the_summary_is_the_same_from_the_overview_and_from_the_rows(drawn, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("s") / "run.pulse")
    for k, (kind, entity, stretches) in enumerate(drawn):
        number = bench.series(entity, f"s{k}.{NAMES[kind]}", kind=kind)
        times, values = rows_of(kind, stretches)
        bench.writer.append(Rows.of(np.full(len(times), number), times, values))
    bench.writer.close()
    path = compact(bench.directory)

    quick = Recording.open(path).summary()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stored, "level", lambda *_: None)
        right = Recording.open(path).summary()

    assert quick["metric"].tolist() == right["metric"].tolist()
    for name in ("count", "min", "max", "last", "total"):
        assert all(map(same, quick[name], right[name])), name
    assert quick["total_unit"].astype(object).equals(right["total_unit"].astype(object))
    size = np.fmax(np.abs(right["min"]), np.abs(right["max"])).tolist()
    for a, b, most in zip(quick["mean"], right["mean"], size, strict=True):
        assert same(a, b) or abs(a - b) <= 1e-12 * most


def record(bench, **shapes) -> Recording:
    """Record 5000 rows of each series, at one a second."""
    for name, values in shapes.items():
        kind = "counter" if name.startswith("counter") else "gauge"
        number = bench.series("gpu:0", f"{name}.total" if kind == "counter" else name, kind=kind)
        times = START_US + np.arange(len(values)) * SECOND
        bench.writer.append(Rows.of(np.full(len(values), number), times, values))
    bench.writer.close()
    return Recording.open(compact(bench.directory))


def holed(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[2000] = math.nan
    return values


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "run.pulse")
    yield made
    made.writer.close()


def test_what_never_changed_is_summed_up_without_reading_a_row(bench, rows_read):
    rec = record(
        bench,
        limit=np.full(20_000, 700.0),
        holed=holed(np.full(20_000, 3.0)),
        missing=np.full(40, math.nan),
        counter=np.full(20_000, 12.0),
    )
    rows_read.clear()

    table = rec.summary().set_index("metric")

    assert rows_read == []
    assert table.loc["limit"].tolist()[3:8] == [700.0, 700.0, 700.0, 700.0, 20_000]
    assert table.loc["holed"]["count"] == 19_999
    assert table.loc["missing"]["count"] == 0
    assert table.loc["counter"].tolist()[3:9] == [0.0, 0.0, 0.0, 0.0, 19_999, 0.0]


@pytest.mark.parametrize(
    "values",
    [
        np.append(np.full(19_999, 1.0), 1.0 + 1e-9),
        np.append(np.full(19_999, 1.0), math.inf),
        np.append(np.full(19_999, 1.0), LOGGED),
        np.full(20_000, 0.1),
    ],
    ids=["nearly the same", "an infinity", "a NaN that was logged", "no float32"],
)
def test_what_the_overview_rounds_or_leaves_out_is_summed_up_from_the_rows(
    bench, rows_read, values
):
    rec = record(bench, loss=values)
    rows_read.clear()

    line = rec.summary().iloc[0]

    known = values[~np.isnan(values)]
    assert rows_read == [0]
    assert (line["min"], line["max"], line["count"]) == (known.min(), known.max(), len(known))
    assert line["last"] == known[-1]


def test_a_part_of_a_recording_is_summed_up_from_its_rows(bench):
    rec = record(bench, limit=np.full(20_000, 700.0))

    assert rec.select(start=100, end=200).summary()["count"].tolist() == [100]


def test_a_power_without_a_counter_of_energy_is_integrated_over_its_rows(bench):
    number = bench.series("gpu:0", "gpu.power", unit="W")
    times = START_US + np.arange(101) * SECOND
    bench.writer.append(Rows.of(np.full(101, number), times, np.full(101, 50.0)))
    bench.writer.close()

    line = Recording.open(compact(bench.directory)).summary().iloc[0]

    assert (line["total"], line["total_unit"]) == (5000.0, "J")


def test_one_file_is_read_row_group_by_row_group(bench, rows_read):
    rec = record(bench, a=noise(20_000), b=noise(20_000), c=noise(300_000))
    rows_read.clear()
    seen = []

    for key, columns in merged(rec.stored.segments):
        seen.append((key.metric, len(columns), len(rows_read)))
        assert (columns.step == NO_STEP).all()

    # Of each series no more was read than the series itself, and the beginning of the next one.
    assert seen == [("a", 20_000, 2), ("b", 20_000, 3), ("c", 300_000, 5)]

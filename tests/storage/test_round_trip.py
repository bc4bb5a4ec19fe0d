"""Rows of any size go through journal, part, merge, finish and save, and come back the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_widgets.library.recording import Recording
from pulse_widgets.series.columns import LOGGED_NAN, Columns, Packed
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.writer import Writer
from tests.storage.bench import ANY_ROOM, START_US

STAGES = ("journal", "parts", "merged", "finished", "saved")


class Trip:
    """A recording, and every row it was given."""

    def __init__(self, directory) -> None:
        self.now = 0.0
        self.directory = directory
        self.registry = Registry()
        self.given: dict[int, list[Rows]] = {}
        self.writer = Writer(
            directory,
            self.registry,
            host_name="h",
            start_us=START_US,
            reserve=ANY_ROOM,
            now=lambda: self.now,
        )

    def series(self, metric: str, kind: str = "gauge") -> int:
        return self.registry.add("h0", "user", metric, kind=kind)

    def put(self, rows: Rows) -> None:
        self.writer.append(rows)
        for number in np.unique(rows.series):
            at = np.flatnonzero(rows.series == number)
            kept = (rows.series[at], rows.time[at], rows.step[at], rows.value[at])
            payload = (picked(column, at) for column in (rows.text, rows.data))
            self.given.setdefault(int(number), []).append(Rows(*kept, *payload))

    def part(self) -> None:
        self.now += 61
        self.writer.beat()
        self.writer._parts.wait(60)

    def wanted(self) -> dict[str, bytes]:
        found = {}
        for number, blocks in self.given.items():
            rows = Rows.concat(blocks)
            text = None if rows.text is None else Packed.of_texts(rows.text)
            data = None if rows.data is None else Packed.of(rows.data)
            columns = Columns(rows.time, rows.step, rows.value, text, data).in_order()
            found[self.registry[number].metric] = exact(columns)
        return found


def picked(column, at):
    return None if column is None else [column[k] for k in at]


def exact(columns: Columns) -> list[object]:
    """Every bit of columns, comparable: which NaN was logged, too."""
    value = columns.value.view(np.int64).copy()
    absent = np.isnan(columns.value)
    value[absent] &= 0x7FF8_0000_0000_0001
    text = [] if columns.text is None else columns.text.pieces()
    data = [] if columns.data is None else columns.data.pieces()
    return [
        columns.time.tobytes(),
        columns.step.tobytes(),
        value.tobytes(),
        text if any(text) else [],
        data if any(data) else [],
    ]


def held(stored) -> dict[str, list[object]]:
    assert stored.problems == ()
    return {key.metric: exact(stored.columns(key)) for key in stored.extents}


def check_every_stage(trip: Trip, *, merges: bool = False) -> None:
    """Close the recording, and compare each of its later forms with what was given."""
    wanted = trip.wanted()
    assert held(open_stored(trip.directory)) == wanted
    trip.part()
    assert held(open_stored(trip.directory)) == wanted
    if merges:
        assert any(p.name.count("-") == 2 for p in trip.writer.folder.glob("part-*"))
    assert trip.writer.problem == ""
    trip.writer.close()
    saved = Recording.open(trip.directory).save(trip.directory.with_name("saved"))
    finished = compact(trip.directory)
    assert held(open_stored(finished)) == wanted
    assert held(open_stored(saved)) == wanted


def numbers(series: int, values, first: int = 0) -> Rows:
    count = len(values)
    times = START_US + 1000 * (first + np.arange(count))
    return Rows.of(np.full(count, series), times, values, first + np.arange(count))


def one_nan(trip: Trip) -> None:
    values = np.random.default_rng(0).normal(size=200_000)
    values[5] = LOGGED_NAN
    trip.put(numbers(trip.series("loss"), values))


def one_missing(trip: Trip) -> None:
    values = np.random.default_rng(0).normal(size=140_000)
    values[70_000] = np.nan
    values[80_000] = math.inf
    trip.put(numbers(trip.series("loss"), values))


def large_texts(trip: Trip) -> None:
    for k in range(9):
        trip.put(
            Rows.of([trip.series("log", "text")], [START_US + k], [np.nan], text=["y" * 10**6])
        )
    trip.put(numbers(trip.series("loss"), np.ones(30_000)))


def large_payload(trip: Trip) -> None:
    for k, size in enumerate((2 << 20, 0, 3, 5 << 20)):
        blob = np.random.default_rng(k).bytes(size)
        trip.put(
            Rows.of(
                [trip.series("sample", "media")],
                [START_US + k],
                [np.nan],
                text=['{"mime": "image/png"}'],
                data=[blob],
            )
        )


def a_text_in_the_middle_of_numbers(trip: Trip) -> None:
    series = trip.series("state", "state")
    count = 300_000
    texts = [""] * count
    texts[150_001] = "warming up \u6f22\u5b57"
    rows = numbers(series, np.arange(count) % 7.0)
    trip.put(Rows(rows.series, rows.time, rows.step, rows.value, texts))


def many_short_series_with_text(trip: Trip) -> None:
    for k in range(300):
        texts = [f"line {k} of {j}" if j % 3 else "" for j in range(100)]
        rows = numbers(trip.series(f"log/{k}", "text"), np.full(100, np.nan))
        trip.put(Rows(rows.series, rows.time, rows.step, rows.value, texts))


@pytest.mark.parametrize(
    "case",
    [
        one_nan,
        one_missing,
        large_texts,
        large_payload,
        a_text_in_the_middle_of_numbers,
        many_short_series_with_text,
    ],
)
def test_rows_of_any_size_come_back_as_they_were(case, tmp_path):
    trip = Trip(tmp_path / "a.pulse")
    case(trip)
    check_every_stage(trip)


def test_forty_parts_of_which_some_have_text_are_merged_and_come_back(tmp_path):
    trip = Trip(tmp_path / "a.pulse")
    series = trip.series("loss")
    for k in range(40):
        rows = numbers(series, np.arange(5_000.0), 5_000 * k)
        rows.value[3] = LOGGED_NAN if k % 2 else np.nan
        texts = ["word" if j == 3 else "" for j in range(5_000)] if k % 3 else None
        trip.put(Rows(rows.series, rows.time, rows.step, rows.value, texts))
        trip.part()
    check_every_stage(trip, merges=True)


value = st.one_of(
    st.floats(allow_nan=False), st.just(math.nan), st.just(LOGGED_NAN), st.integers(0, 5).map(float)
)
row = st.tuples(
    st.integers(0, 3),
    st.integers(START_US - 10**6, START_US + 10**6),
    st.one_of(st.just(NO_STEP), st.integers(-(2**62), 2**62)),
    value,
    st.one_of(st.just(""), st.text(alphabet=st.characters(codec="utf-8"), max_size=40)),
    st.one_of(st.just(b""), st.binary(max_size=40)),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=st.lists(st.one_of(st.lists(row, min_size=1, max_size=40), st.none()), max_size=8))
def test_any_rows_come_back_as_they_were(script, tmp_path_factory):
    trip = Trip(tmp_path_factory.mktemp("r") / "a.pulse")
    for number in range(4):
        trip.series(f"m{number}", "text" if number == 3 else "gauge")
    for step in script:
        if step is None:
            trip.part()
            continue
        ids, times, steps, values, texts, blobs = map(list, zip(*step, strict=True))
        trip.put(Rows.of(ids, times, values, steps, texts, blobs))
    if trip.given:
        check_every_stage(trip)

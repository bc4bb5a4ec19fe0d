"""Columns of values that are logged at once, and their place among single calls."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors import batches, user, waiting
from pulse_widgets.collectors.batches import column, microseconds, steps_of
from pulse_widgets.errors import ArgumentError
from pulse_widgets.series.columns import missing
from pulse_widgets.series.rows import NO_STEP
from tests.collectors.test_user import Logged, ended

__all__ = ["ended"]


class Tensor:
    """What a tensor on a device is: numpy cannot read it before it was copied."""

    def __init__(self, values, *, narrow=False):
        self.values = np.asarray(values, np.float32)
        self.narrow = narrow
        self.there = True

    def detach(self):
        return self

    def cpu(self):
        copy = Tensor(self.values.copy(), narrow=self.narrow)
        copy.there = False
        return copy

    def float(self):
        return Tensor(self.values).cpu()

    def __array__(self, dtype=None, copy=None):
        if self.there or self.narrow:
            raise TypeError("not for numpy")
        return self.values


def of_series(logged):
    """Return the steps and values of each series, in the order in which they came."""
    found = {}
    for name, step, value in logged.rows()[0]:
        found.setdefault(name, []).append((step, value))
    return found


def test_each_row_is_what_a_call_would_have_recorded():
    logged = Logged()

    assert logged.user.log_batch({"train": {"loss": [3.0, 2.0]}, "lr": np.float32([0.1, 0.2])})
    assert logged.user.log_batch({"lr": (1, True)}, np.array([7, 5]))

    assert of_series(logged) == {
        "train/loss": [(NO_STEP, 3.0), (NO_STEP, 2.0)],
        "lr": [
            (NO_STEP, float(np.float32(0.1))),
            (NO_STEP, float(np.float32(0.2))),
            (7, 1.0),
            (5, 1.0),
        ],
    }


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("given_", "values", "absent"),
    [
        ([1.0, None, NAN, INF], [1.0, NAN, NAN, INF], [1]),
        (np.array([1.0, NAN, -INF]), [1.0, NAN, -INF], []),
        (np.ma.array([1.0, 2.0, NAN], mask=[0, 1, 0]), [1.0, NAN, NAN], [1]),
        (np.ma.array([1, 2], mask=[1, 0]), [NAN, 2.0], [0]),
        (np.array([1.0, None], object), [1.0, NAN], [1]),
        (np.array([2**62, -1]), [2.0**62, -1.0], []),
        ([10**400, -(10**400), 2], [INF, -INF, 2.0], []),
        (np.array([True, False]), [1.0, 0.0], []),
        (np.float16([0.5]), [0.5], []),
        (pd.Series([1.0, 2.0], index=[5, 6]), [1.0, 2.0], []),
        (np.arange(6.0)[::2], [0.0, 2.0, 4.0], []),
        (Tensor([0.1, NAN]), [float(np.float32(0.1)), NAN], []),
        (Tensor([0.5, 2.0], narrow=True), [0.5, 2.0], []),
        ([np.float32(0.1), np.ma.masked], [float(np.float32(0.1)), NAN], [1]),
        ([], [], []),
    ],
    ids=lambda given_: str(given_)[:40],
)
def test_a_column_is_stored_exactly_and_what_is_missing_stays_missing(given_, values, absent):
    value = column(given_)

    np.testing.assert_array_equal(value, values)
    assert np.flatnonzero(missing(value)).tolist() == absent


def test_a_column_changed_after_the_call_changes_nothing():
    logged, values, steps = Logged(), np.array([1.0, 2.0]), np.array([1, 2])
    given_ = steps_of(steps)
    logged.user.log_batch({"a": values}, given_)

    values[:] = steps[:] = 9

    assert of_series(logged) == {"a": [(1, 1.0), (2, 2.0)]}


@pytest.mark.parametrize(
    "bad",
    ["text", ["1", "2"], np.zeros((2, 2)), 3.0, np.array(["a", "b"]), [1j, 2j], {1.0, 2.0}, None],
    ids=str,
)
@pytest.mark.filterwarnings("error")
def test_a_column_that_is_no_row_of_numbers_is_left_out_said_once_and_counted(bad):
    logged = Logged()

    with pytest.warns(RuntimeWarning, match="'bad' .*, not one row of numbers") as warned:
        logged.user.log_batch({"good": [1.0, 2.0], "bad": bad})
    logged.user.log_batch({"good": [1.0, 2.0], "bad": bad})
    found, rows = logged.rows()

    assert [value for name, _, value in found if name == "good"] == [1.0, 2.0] * 2
    assert len(warned) == 1
    assert logged.user.left_out == 2
    assert "'bad'" in json.loads(next(text for text in rows.text if text))["message"]


@pytest.mark.parametrize(
    ("data", "steps", "times", "words"),
    [
        ({"a": [1.0], "b": [1.0, 2.0]}, None, None, "'a' has 1, 'b' has 2"),
        ({"a": [1.0]}, [1, 2], None, "'a' has 1, 'steps' has 2"),
        ({"a": [1.0]}, None, [1, 2], "'a' has 1, 'times' has 2"),
        ([1.0], None, None, "not list"),
        ({3: [1.0]}, None, None, "cannot be the name"),
        ({"a": {"b": [1.0]}, "a/b": [1.0]}, None, None, "stands for two values"),
    ],
)
def test_what_is_wrong_with_a_batch_raises_and_nothing_of_it_is_recorded(data, steps, times, words):
    logged = Logged()

    with pytest.raises(ArgumentError, match=words) as caught:
        logged.user.log_batch(
            data, *(None if one is None else np.array(one) for one in (steps, times))
        )

    assert caught.value.remedy
    assert logged.rows()[0] == []


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        (None, None),
        (range(3), [0, 1, 2]),
        ([5.0, 5.0, 3.0], [5, 5, 3]),
        (np.uint64([1, 2**63 - 1]), [1, 2**63 - 1]),
        ([], []),
    ],
    ids=str,
)
def test_whole_numbers_are_steps(steps, kept):
    found = steps_of(steps)

    assert (found if found is None else found.tolist()) == kept


@pytest.mark.parametrize(
    "steps",
    [
        [1.5],
        [True, False],
        ["1"],
        [[1], [2]],
        [2**63],
        np.uint64([2**63]),
        [NAN],
        3,
        "12",
        [None],
        np.ma.array([1, 2], mask=[0, 1]),
    ],
    ids=str,
)
def test_steps_that_are_no_whole_numbers_are_refused(steps):
    with pytest.raises(ArgumentError, match="not whole numbers"):
        steps_of(steps)


@pytest.mark.parametrize(
    "times",
    [
        [1_750_000_000.25, 1_750_000_001.0],
        np.array(["2025-06-15T15:06:40.250", "2025-06-15T15:06:41"], "datetime64[ms]"),
        pd.DatetimeIndex(["2025-06-15T15:06:40.250", "2025-06-15T15:06:41.000"]),
        pd.Series(pd.to_datetime([1_750_000_000.25, 1_750_000_001], unit="s", utc=True)),
    ],
    ids=["seconds", "numpy", "pandas", "with a zone"],
)
def test_times_are_taken_to_the_microsecond(times):
    assert microseconds(times).tolist() == [1_750_000_000_250_000, 1_750_000_001_000_000]


@pytest.mark.parametrize("times", [["now"], 3.0, [[1.0]], [None], "x", [True]], ids=str)
def test_what_are_no_times_is_refused(times):
    with pytest.raises(ArgumentError, match="not one row of times"):
        microseconds(times)


NAMES = ("a", "b", "c")
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.sets(st.sampled_from(NAMES), min_size=1), st.booleans()),
        st.tuples(st.just("batch"), st.sets(st.sampled_from(NAMES), min_size=1), st.integers(0, 9)),
        st.tuples(st.just("drain"), st.none(), st.none()),
    ),
    max_size=40,
)


@given(CALLS, st.sampled_from([4, 9, 30, 10_000]), st.sampled_from([3, 10_000]))
def test_rows_of_a_series_come_in_the_order_of_the_calls_whatever_their_names(calls, part, piece):
    expected, number = {name: [] for name in NAMES}, 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "PART_ITEMS", part)
        patch.setattr(batches, "PIECE_SAMPLES", piece)
        logged = Logged()
        # One time for all: nothing but the order of arrival tells the rows apart.
        at_us = logged.user._clock.now_us()
        for what, names, more in calls:
            if what == "drain":
                logged.user.drain(logged.log)
                continue
            rows = 1 if what == "call" else more
            values = [float(number + row) for row in range(rows)]
            number += rows
            for name in names:
                expected[name] += values
            if what == "call":
                logged.user.log(
                    dict.fromkeys(sorted(names), values[0]), None, at_us if more else None
                )
            else:
                logged.user.log_batch(dict.fromkeys(sorted(names), values))
        found = of_series(logged)

    assert {name: [v for _, v in found.get(name, [])] for name in NAMES} == expected


def test_many_small_batches_become_rows_together():
    logged = Logged()
    for number in range(1000):
        logged.user.log_batch({"a": [float(number)]})
        logged.user.log({"b": float(number)}, None)

    # A kill loses what waits: were each batch a part of its own, the newest would wait long.
    parts = 1
    while logged.user.drain(logged.log):
        parts += 1

    assert parts <= 3
    found = {name: [value for _, value in rows] for name, rows in of_series(logged).items()}
    assert found == {name: [float(n) for n in range(1000)] for name in "ab"}


def test_batches_wait_for_room_and_lose_nothing(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_BYTES", 20_000)
    monkeypatch.setattr(batches, "PIECE_SAMPLES", 100)
    waits = []

    def relieve():
        waits.append(bytes_of(logged))
        if len(waits) % 3 == 0:
            logged.drain()

    logged = Logged(relieve=relieve)
    logged.user.log_batch({"a": np.arange(5_000.0), "b": np.arange(5_000.0)})

    assert waits
    assert max(waits) <= 20_000
    assert {n: [v for _, v in rows] for n, rows in of_series(logged).items()} == {
        "a": list(range(5_000)),
        "b": list(range(5_000)),
    }
    assert logged.user.left_out == 0


def bytes_of(logged):
    return sum(batch.rows.nbytes for batch in logged.user._waiting.batches)


@pytest.mark.filterwarnings("ignore:pw.log:RuntimeWarning")
def test_what_a_disk_that_hangs_leaves_no_room_for_is_counted(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_BYTES", 20_000)
    monkeypatch.setattr(user, "PATIENCE_S", 0.0)
    monkeypatch.setattr(batches, "PIECE_SAMPLES", 100)
    logged = Logged(relieve=lambda: None)

    assert logged.user.log_batch({"a": np.arange(5_000.0)})
    held = bytes_of(logged)
    taken = sum(name == "a" for name, *_ in logged.rows()[0])

    assert 0 < held <= 20_000
    assert taken + logged.user.left_out == 5_000
    assert 0 < taken < 5_000


def test_after_the_end_no_batch_is_taken():
    logged = Logged()
    logged.user.close()

    assert not logged.user.log_batch({"a": [1.0]})
    assert logged.rows()[0] == []

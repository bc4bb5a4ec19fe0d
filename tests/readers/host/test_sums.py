from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.readers.host.sums import DeviceSums

T = 10**12


def _sums(passes):
    total = DeviceSums(1)
    return [total.take({name: (count,) for name, count in each.items()})[0] for each in passes]


@pytest.mark.parametrize(
    ("first", "then", "added"),
    [
        pytest.param({"a": 100}, {"a": 130}, 30, id="traffic"),
        pytest.param({"bond0": 10 * T}, {"bond0": 5 * T + 1000}, 0, id="a bond loses a card"),
        pytest.param({"eth0": 5}, {"eth0": 5, "eth1": 9 * T}, 0, id="a card with a history"),
        pytest.param({"sda": 5000}, {"sda": 4990}, 0, id="a step back"),
        pytest.param({"eth0": 9 * T}, {"eth0": 3}, 0, id="a driver is loaded again"),
        pytest.param({"eth0": 2**32 - 10}, {"eth0": 20}, 0, id="perhaps an overflow"),
        pytest.param({"sda": 7, "sdb": 9 * T}, {"sda": 8}, 1, id="a disk goes"),
        pytest.param({}, {"sda": 9 * T}, 0, id="the first device"),
    ],
)
def test_only_what_was_seen_to_pass_is_added(first, then, added):
    before, after = _sums([first, then])

    assert before == sum(first.values())
    assert after - before == added


def test_a_late_device_counts_from_its_first_reading_on():
    assert _sums([{"a": 1}, {"a": 1, "b": 50}, {"a": 1, "b": 70}]) == [1, 1, 21]


def test_a_device_that_comes_back_may_be_another_one():
    assert _sums([{"a": 10}, {}, {"a": 500}, {"a": 501}]) == [10, 10, 10, 11]


def test_a_counter_that_fell_goes_on_from_where_it_is():
    assert _sums([{"a": 100}, {"a": 40}, {"a": 60}]) == [100, 100, 120]


def test_one_counter_that_falls_takes_none_of_the_others_away():
    total = DeviceSums(2)
    total.take({"a": (10, 10)})

    assert total.take({"a": (15, 5)}) == [15, 10]


# A history of three devices: each step is what happens to each between two readings.
GONE = st.just(("gone", 0))
STEP = st.tuples(st.sampled_from(["traffic", "traffic", "traffic", "reset"]), st.integers(0, 1000))
HISTORY = st.lists(st.tuples(*[STEP | GONE] * 3), min_size=1, max_size=12)
BEGIN = st.tuples(*[st.integers(0, 10**6)] * 3)


@given(HISTORY, st.lists(BEGIN, min_size=12, max_size=12))
def test_a_sum_never_falls_and_never_says_more_than_what_passed(history, begins):
    there, passed, readings, limits = {}, 0, [], []
    for n, (steps, begin) in enumerate(zip(history, begins, strict=False)):
        for name, (event, traffic) in zip("abc", steps, strict=True):
            if event == "gone":
                there.pop(name, None)
            elif name not in there:
                # What it counted before counts where nothing else can have counted it.
                there[name] = begin["abc".index(name)]
                passed += there[name] if n == 0 else 0
            else:
                there[name] = (0 if event == "reset" else there[name]) + traffic
                passed += traffic
        readings.append(dict(there))
        limits.append(passed)

    sums = _sums(readings)

    assert sums == sorted(sums)
    assert all(total <= limit for total, limit in zip(sums, limits, strict=True))
    if not any(event in {"gone", "reset"} for steps in history for event, _ in steps):
        assert sums == limits

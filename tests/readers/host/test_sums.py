from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.readers.host.sums import DeviceSums

T = 10**12


def _sums(*passes, field="disk.read.total", every=1e6):
    """Return the sums of one counter, look by look, and what was told at each."""
    told = []
    total = DeviceSums([field], lambda what, why: told[-1].append((what, why)))
    sums = []
    for n, each in enumerate(passes):
        told.append([])
        sums.append(total.take({name: (count,) for name, count in each.items()}, n * every)[0])
    return sums, told


@pytest.mark.parametrize(
    ("first", "then", "added"),
    [
        pytest.param({"a": 100}, {"a": 130}, 30, id="traffic"),
        pytest.param({"eth0": 5}, {"eth0": 5, "eth1": 9 * T}, 0, id="a card with a history"),
        pytest.param({"sda": 7, "sdb": 9 * T}, {"sda": 8}, 1, id="a disk goes"),
        pytest.param({}, {"sda": 9 * T}, 0, id="the first device"),
    ],
)
def test_only_what_was_seen_to_pass_is_added(first, then, added):
    (before, after), told = _sums(first, then)

    assert before == sum(first.values())
    assert after - before == added
    assert told == [[], []]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param({"bond0": 10 * T}, {"bond0": 5 * T + 1000}, id="a bond loses a card"),
        pytest.param({"sda": 5000}, {"sda": 4990}, id="a step back"),
        pytest.param({"eth0": 9 * T}, {"eth0": 3}, id="a driver is loaded again"),
        pytest.param({"eth0": 2**32 - 10}, {"eth0": 20}, id="perhaps an overflow"),
        pytest.param({"eth0": 10}, {"eth0": 2**64 - 10}, id="all bits set"),
        pytest.param({"eth0": 10}, {"eth0": 2**61}, id="a jump"),
    ],
)
@pytest.mark.parametrize("others", [{}, {"b": 7}])
def test_what_passed_is_not_known_when_a_counter_fell_or_jumped(first, then, others):
    (name,) = first
    sums, told = _sums({**first, **others}, {**then, **others}, every=1.0)

    assert sums == [sum(first.values()) + sum(others.values()), None]
    ((what, why),) = told[1]
    assert what == "host disk.read.total"
    assert name in why


def test_the_sum_goes_on_from_where_it_was_after_a_glitch():
    sums, told = _sums(*({"a": count, "b": 1} for count in (10, 2**64 - 5, 40, 45, 50)))

    assert sums == [11, None, None, 16, 21]
    assert [len(each) for each in told] == [0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("field", "most", "rise"),
    [("net.received.total", 2**62, 1e13), ("net.dropped.total", 1e18, 1e9)],
)
def test_an_increase_can_be_as_large_as_devices_are_fast(field, most, rise):
    slow, fast = int(rise * 10), int(rise * 1000)

    assert _sums({"a": 0}, {"a": slow}, field=field, every=10.0)[0] == [0, slow]
    assert _sums({"a": 0}, {"a": fast}, field=field, every=10.0)[0] == [0, None]
    assert _sums({"a": 0}, {"a": fast}, field=field, every=1000.0)[0] == [0, fast]
    assert _sums({"a": 0}, {"a": int(most * 1.01)}, field=field, every=1e12)[0] == [0, None]


def test_a_counter_that_is_never_right_is_left_out_alone():
    looks = [{"a": 2**64 - 1 - n, "b": n} for n in range(4)]

    sums, told = _sums(*looks)

    assert sums == [0, 1, 2, 3]
    assert [[what for what, _ in each] for each in told] == [["host disk.read.total"]] * 4


def test_without_a_counter_that_is_right_there_is_no_sum():
    assert _sums({"a": 2**64 - 1}, {"a": 2**64 - 1}, {"a": 7}, {"a": 8})[0] == [None] * 3 + [1]


def test_a_late_device_counts_from_its_first_reading_on():
    assert _sums({"a": 1}, {"a": 1, "b": 50}, {"a": 1, "b": 70})[0] == [1, 1, 21]


def test_a_device_that_comes_back_may_be_another_one():
    assert _sums({"a": 10}, {}, {"a": 500}, {"a": 501})[0] == [10, 10, 10, 11]


def test_a_counter_that_fell_goes_on_from_where_it_is():
    assert _sums({"a": 100}, {"a": 40}, {"a": 60})[0] == [100, None, 120]


def test_one_counter_that_falls_takes_none_of_the_others_away():
    total = DeviceSums(["disk.read.total", "disk.write.total"], lambda *_: None)
    total.take({"a": (10, 10)}, 0.0)

    assert total.take({"a": (15, 5)}, 1.0) == [15, None]
    assert total.take({"a": (16, 6)}, 2.0) == [16, 11]


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

    sums, _ = _sums(*readings)

    known = [total for total in sums if total is not None]
    assert known == sorted(known)
    assert all(t is None or t <= limit for t, limit in zip(sums, limits, strict=True))
    if not any(event in {"gone", "reset"} for steps in history for event, _ in steps):
        assert sums == limits

"""CPU time by the kernel's numbers of cores that come, go and step back."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.readers.host.cores import CoreSeconds, CpuMeter, cores_of
from pulse_widgets.readers.host.odd import Odd
from pulse_widgets.readers.host.protocol import CpuTimes

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

TIMES = st.floats(0, 1e6)
CORES = st.dictionaries(
    st.integers(0, 4), st.builds(CpuTimes, TIMES, TIMES, TIMES, TIMES, TIMES), min_size=1
)


def core(user=0.0, idle=0.0, iowait=0.0):
    return CpuTimes(user, 0.0, idle, iowait, 0.0)


def read(text):
    odd = Odd()
    cores = odd.asked("stat", lambda: cores_of(text.encode(), odd))
    return {n: round(times.user * TICKS) for n, times in cores.items()}, odd.told


# One look at the file --------------------------------------------------------------------


def test_cores_keep_the_numbers_of_the_kernel():
    cores, told = read(
        "cpu  9 0 0 0 0 0 0 0\ncpu0 1 0 0 0 0 0 0 0\ncpu12 8 0 0 0 0 0 0 0\nintr 1\n"
    )

    assert cores == {0: 1, 12: 8}
    assert told == {}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("cpu1 2 0 0", "words"),
        ("cpu1", "words"),
        ("cpu1 2 0 <unknown> 0 0 0 0 0", "<unknown>"),
        ("cpu1 -2 0 0 0 0 0 0 0", "-2"),
        ("cpu1 2 0 0 0 0 0 0 " + "9" * 5000, "9..."),
        ("cpu1 2 0 0 0 0 0 0 18446744073709551616", "18446744073709551616"),
        ("cpu1 2 0 0 0 0 0 0 1_0", "1_0"),
    ],
)
def test_a_line_that_is_odd_is_left_out_and_told(line, why):
    rest = " 0 0 0 0 0 0 0 0 0"
    cores, told = read(f"cpu  9{rest}\ncpu0 1{rest}\n{line}\ncpu2 3{rest}\nintr 1\n")

    assert cores == {0: 1, 2: 3}
    assert list(told) == ["cpu:1 cpu.utilization"]
    assert why in told["cpu:1 cpu.utilization"]


@pytest.mark.parametrize("words", [4, 7])
def test_old_kernels_have_fewer_numbers_on_all_lines(words):
    rest = " 0" * (words - 1)

    assert read(f"cpu  9{rest}\ncpu0 4{rest}\ncpu1 5{rest}\n") == ({0: 4, 1: 5}, {})


@pytest.mark.parametrize("first", ["", "cpx 1\n", "cpu  garbage\n", "\n"])
def test_the_line_of_the_sum_does_not_matter(first):
    assert read(f"{first}cpu0 4 0 0 0 0 0 0 0\nintr 5\n")[0] == {0: 4}


@pytest.mark.parametrize("text", ["", "intr 5\n", "cpu  1 2 3 4 5 6 7 8\n", "cpu0 one\n"])
def test_no_core_at_all_is_an_error(text):
    with pytest.raises(ValueError, match="no line of a core"):
        read(text)


# Shares of time --------------------------------------------------------------------------


@given(CORES, CORES)
def test_a_share_of_time_is_between_nothing_and_all_or_unknown(first, second):
    meter = CpuMeter()
    assert meter.utilization(first) == (None, {})

    whole, cores = meter.utilization(second)

    for share in (whole, *cores.values()):
        assert share is None or 0 <= share <= 1
    assert cores.keys() == first.keys() & second.keys()


def test_time_spent_waiting_for_disks_is_not_busy():
    meter = CpuMeter()
    meter.utilization({0: CpuTimes(10, 10, 10, 10, 10)})

    assert meter.utilization({0: CpuTimes(11, 10, 11, 12, 10)}) == (0.25, {0: 0.25})


def test_no_time_has_no_share():
    meter = CpuMeter()
    meter.utilization({0: CpuTimes(1, 1, 1)})

    assert meter.utilization({0: CpuTimes(1, 1, 1)}) == (None, {0: None})


def test_cores_are_compared_with_themselves_when_one_goes():
    meter = CpuMeter()
    meter.utilization({0: core(1, 9), 1: core(1, 9), 3: core(1, 9)})

    assert meter.utilization({0: core(2, 18), 3: core(11, 9)}) == (0.55, {0: 0.1, 3: 1.0})


def test_a_core_that_begins_again_is_not_in_the_share_of_all():
    meter = CpuMeter()
    meter.utilization({0: core(10, 90), 1: core(500, 500)})

    assert meter.utilization({0: core(11, 99), 1: core(0, 1)}) == (0.1, {0: 0.1, 1: None})


def test_a_core_whose_idle_time_is_corrected_by_a_tick_is_still_busy():
    meter = CpuMeter()
    meter.utilization({0: core(10, 90.0)})

    assert meter.utilization({0: core(11, 89.99)}) == (1.0, {0: 1.0})


def test_a_core_whose_idle_time_begins_again_has_no_share():
    meter = CpuMeter()
    meter.utilization({0: core(10, 90.0)})

    assert meter.utilization({0: core(11, 1.0)}) == (None, {0: None})


# Seconds of the mean core ----------------------------------------------------------------


def users(*looks):
    seconds = CoreSeconds()
    return [seconds.take({n: core(user) for n, user in look.items()})[0] for look in looks]


def test_the_first_look_is_the_mean_of_the_cores():
    assert users({0: 10, 1: 30}) == [20]


def test_an_idle_core_that_goes_brings_no_jump():
    assert users({0: 1000, 1: 1000, 2: 0}, {0: 1001, 1: 1001}) == [2000 / 3, 2000 / 3 + 1]


def test_a_core_that_comes_back_counts_from_where_it_is():
    assert users({0: 10, 1: 1000}, {0: 11}, {0: 12, 1: 1000}, {0: 13, 1: 1003}) == [
        505, 506, 507, 509,
    ]  # fmt: skip


def test_a_core_that_begins_again_stands_still_and_then_counts():
    looks = [{0: user} for user in (1000, 1, 2, 3, 4, 5)]

    assert users(*looks) == [1000, 1000, 1000, 1000, 1001, 1002]


def test_a_step_back_is_not_counted_twice():
    assert users({0: 10.0}, {0: 9.5}, {0: 10.0}, {0: 10.5}) == [10, 10, 10, 10.5]


def test_without_a_core_of_before_the_seconds_stand_still():
    assert users({0: 10}, {1: 500}, {1: 501}) == [10, 10, 11]


@given(st.lists(CORES, min_size=1, max_size=6))
@settings(max_examples=60)
def test_seconds_never_fall(looks):
    seconds = CoreSeconds()

    taken = [list(seconds.take(cores)) for cores in looks]

    for field in range(5):
        column = [values[field] for values in taken]
        assert column == sorted(column)


STEPS = st.lists(
    st.dictionaries(st.integers(0, 3), st.integers(0, 100), min_size=1), min_size=1, max_size=8
)


@given(STEPS)
@settings(max_examples=60)
def test_seconds_rise_by_the_mean_of_the_cores_of_both_looks(steps):
    level, looks = dict.fromkeys(range(4), 1000), []
    for step in steps:
        for n, rise in step.items():
            level[n] += rise
        looks.append({n: level[n] for n in step})

    taken = users(*looks)

    for before, after, was, now in zip(looks, looks[1:], taken, taken[1:], strict=False):
        common = before.keys() & after.keys()
        risen = sum(after[n] - before[n] for n in common)
        assert now - was == pytest.approx(risen / len(common) if common else 0, abs=1e-6)

"""CPU time by the kernel's numbers of cores that come, go and step back."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.readers.host.cores import CoreSeconds, CpuMeter, cores_of
from pulse_widgets.readers.host.omissions import Omissions
from pulse_widgets.readers.host.protocol import CpuTimes

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

TIMES = st.floats(0, 1e6)
CORES = st.dictionaries(
    st.integers(0, 4), st.builds(CpuTimes, TIMES, TIMES, TIMES, TIMES, TIMES), min_size=1
)


LONG = 1e9
"""Seconds from one look to the next: enough for anything that a test counts."""


def core(user=0.0, idle=0.0, iowait=0.0, steal=0.0):
    return CpuTimes(user, 0.0, idle, iowait, steal)


def shares(*looks, every=LONG):
    """Return what each look says: the share of all cores, and that of each."""
    meter = CpuMeter()
    return [meter.utilization(cores, n * every) for n, cores in enumerate(looks)]


def read(text):
    omissions = Omissions()
    cores = omissions.asked("stat", lambda: cores_of(text.encode(), omissions))
    return {n: round(times.user * TICKS) for n, times in cores.items()}, omissions.reasons


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
    nothing, (whole, cores) = shares(first, second)

    assert nothing == (None, {})
    for share in (whole, *cores.values()):
        assert share is None or 0 <= share <= 1
    assert cores.keys() == first.keys() & second.keys()


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        pytest.param(
            {0: CpuTimes(10, 10, 10, 10, 10)},
            {0: CpuTimes(11, 10, 11, 12, 10)},
            (0.25, {0: 0.25}),
            id="waiting for disks is not busy",
        ),
        pytest.param({0: core(1, 1)}, {0: core(1, 1)}, (None, {0: None}), id="no time"),
        pytest.param(
            {0: core(1, 9), 1: core(1, 9), 3: core(1, 9)},
            {0: core(2, 18), 3: core(11, 9)},
            (0.55, {0: 0.1, 3: 1.0}),
            id="a core goes",
        ),
        pytest.param(
            {0: core(10, 90), 1: core(500, 500)},
            {0: core(11, 99), 1: core(0, 1)},
            (0.1, {0: 0.1, 1: None}),
            id="a core begins again",
        ),
        pytest.param(
            {0: core(10, 90.0)}, {0: core(11, 89.99)}, (1.0, {0: 1.0}), id="idle time is corrected"
        ),
        pytest.param(
            {0: core(10, 90.0)}, {0: core(11, 1.0)}, (None, {0: None}), id="idle time begins again"
        ),
    ],
)
def test_shares_are_of_the_time_that_each_core_counted(first, then, expected):
    assert shares(first, then)[1] == expected


@pytest.mark.parametrize("field", CpuTimes._fields)
@pytest.mark.parametrize("jump", [50.0, 1e6, 1844674407370955 / 100])
def test_a_core_has_no_share_when_it_counted_more_than_the_time_that_passed(field, jump):
    looks = [{0: core(0.5 * n, 0.5 * n), 1: core(0.5 * n, 0.5 * n)} for n in range(5)]
    looks[2][0] = looks[2][0]._replace(**{field: jump})

    found = shares(*looks, every=1.0)

    fine, one_left_out = (0.5, {0: 0.5, 1: 0.5}), (0.5, {0: None, 1: 0.5})
    assert found == [(None, {}), fine, one_left_out, one_left_out, fine]


# Seconds of the mean core ----------------------------------------------------------------


def seconds_of(*looks, every=LONG):
    seconds = CoreSeconds()
    return [seconds.take(cores, n * every) for n, cores in enumerate(looks)]


def users(*looks, every=LONG):
    taken = seconds_of(*({n: core(u) for n, u in look.items()} for look in looks), every=every)
    return [each if each is None else each[0] for each in taken]


def test_the_first_look_is_the_mean_of_the_cores():
    assert users({0: 10, 1: 30}) == [20]


def test_an_idle_core_that_goes_brings_no_jump():
    assert users({0: 1000, 1: 1000, 2: 0}, {0: 1001, 1: 1001}) == [2000 / 3, 2000 / 3 + 1]


def test_a_core_that_comes_back_counts_from_where_it_is():
    assert users({0: 10, 1: 1000}, {0: 11}, {0: 12, 1: 1000}, {0: 13, 1: 1003}) == [
        505, 506, 507, 509,
    ]  # fmt: skip


def test_a_core_that_begins_again_is_left_out_and_then_counts():
    looks = [{0: user} for user in (1000, 1, 2, 3)]

    assert users(*looks) == [1000, None, 1001, 1002]


def test_a_core_that_begins_again_takes_nothing_from_the_mean_of_the_others():
    assert users({0: 1000, 1: 0}, {0: 1, 1: 4}) == [500, 504]


def test_a_core_that_stands_a_little_lower_stands_still_and_then_counts():
    looks = [{0: user} for user in (10.0, 9.5, 9.6, 9.7, 9.8)]

    assert users(*looks) == pytest.approx([10, 10, 10, 10, 10.1])


@pytest.mark.parametrize("field", range(5))
@pytest.mark.parametrize("jump", [50.0, 1e6, 1844674407370955 / 100])
def test_no_core_counts_more_than_the_time_that_passed(field, jump):
    plain = [{0: CpuTimes(*[0.1 * n] * 5), 1: CpuTimes(*[0.1 * n] * 5)} for n in range(6)]
    odd = [dict(look) for look in plain]
    odd[2][0] = CpuTimes(*(jump if k == field else v for k, v in enumerate(odd[2][0])))
    alone = [{0: look[0]} for look in odd]

    expected = [pytest.approx(each) for each in seconds_of(*plain, every=1.0)]
    assert seconds_of(*odd, every=1.0) == expected
    found = seconds_of(*alone, every=1.0)
    assert [each is None for each in found] == [False, False, True, True, False, False]
    assert found[-1][field] == pytest.approx(0.3)


def test_a_core_that_cannot_be_so_old_is_not_in_the_first_mean():
    assert users({0: 1e13, 1: 10}, {0: 1e13, 1: 11}, every=1.0) == [10, 10.5]
    assert users({0: 1e13}, {0: 3}, every=1.0) == [None, 3]


def test_a_long_pause_is_time_that_passed():
    assert users({0: 0}, {0: 7000}, every=7200.0) == [0, 7000]


def test_a_step_back_is_not_counted_twice():
    assert users({0: 10.0}, {0: 9.5}, {0: 10.0}, {0: 10.5}) == [10, 10, 10, 10.5]


def test_without_a_core_of_before_the_seconds_are_not_known():
    assert users({0: 10}, {1: 500}, {1: 501}) == [10, None, 11]


@given(st.lists(CORES, min_size=1, max_size=6))
@settings(max_examples=60)
def test_seconds_never_fall(looks):
    taken = [each for each in seconds_of(*looks) if each is not None]

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

    taken, last = users(*looks), 0.0
    for k, value in enumerate(taken):
        # One that is not known leaves the sum where it was.
        taken[k] = last = last if value is None else value

    for before, after, was, now in zip(looks, looks[1:], taken, taken[1:], strict=False):
        common = before.keys() & after.keys()
        risen = sum(after[n] - before[n] for n in common)
        assert now - was == pytest.approx(risen / len(common) if common else 0, abs=1e-6)

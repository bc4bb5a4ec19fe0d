"""A run of rows ends at a missing reading and at a silence, and nowhere else."""

from __future__ import annotations

import math
import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.series.columns import missing
from pulse_widgets.series.gaps import gaps_of, is_sampled, silences

SECOND = 1_000_000
LOGGED = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]


def silent(spacings, absent=()) -> list[int]:
    """Rows before which there is a silence; times are given by their spacings in seconds."""
    time = np.cumsum([0, *(round(s * SECOND) for s in spacings)])
    gone = np.zeros(len(time), np.bool_)
    gone[list(absent)] = True
    return silences(time, gone).tolist()


@pytest.mark.parametrize(
    ("spacings", "expected"),
    [
        ([1.0] * 20, []),
        ([1.0] * 10 + [60.0] + [1.0] * 10, [11]),
        ([1.0] * 10 + [8.0] + [1.0] * 10, []),
        ([1.0] * 10 + [8.000001] + [1.0] * 10, [11]),
        # Below a second nothing is a silence, however fast the series is.
        ([0.01] * 10 + [1.0] + [0.01] * 10, []),
        ([0.01] * 10 + [1.000001] + [0.01] * 10, [11]),
        # At the ends there are neighbours on one side only.
        ([60.0] + [1.0] * 20, [1]),
        ([1.0] * 20 + [60.0], [21]),
        # Too few rows to say what is usual.
        ([1.0] * 13 + [60.0], []),
        ([1.0] * 14 + [60.0], [15]),
        # From some moment on it is read more rarely: that is no row of silences.
        ([0.1] * 1000 + [60.0] * 12, []),
        ([60.0] * 12 + [0.1] * 1000 + [60.0] * 12, []),
        # Groups of rows with pauses between them, as often as that, are how the series comes.
        (([0.1] * 9 + [60.0]) * 20, []),
        # Two outages beside each other, with one reading between.
        ([1.0] * 40 + [60.0, 60.0] + [1.0] * 40, [41, 42]),
    ],
)
def test_a_silence_is_long_beside_all_spacings_and_beside_its_neighbours(spacings, expected):
    assert silent(spacings) == expected


def test_the_time_after_a_missing_reading_is_a_gap_already():
    spacings = [1.0] * 10 + [3600.0] + [1.0] * 10

    assert silent(spacings, absent=[10]) == []
    # Before a missing reading there may be a silence all the same.
    assert silent(spacings, absent=[11]) == [11]


def by_the_page(time: list[int], absent: list[bool]) -> list[int]:
    """The rule as the format's page has it, word by word."""
    spacings = [(b - a, row) for row, (a, b) in enumerate(pairwise(time), 1)]
    spacings = [(s, row) for s, row in spacings if not absent[row - 1]]
    m = len(spacings)
    if m < 15:
        return []
    lengths = [s for s, _ in spacings]
    usual = sorted(lengths)[95 * (m - 1) // 100]

    def middle(some):
        return sorted(some)[(len(some) - 1) // 2] if some else 0

    return [
        row
        for place, (s, row) in enumerate(spacings)
        if s > 1_000_000
        and s > 8 * usual
        and s > 8 * middle(lengths[max(place - 8, 0) : place])
        and s > 8 * middle(lengths[place + 1 : place + 9])
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 90_000, 100_000, 10**6, 2 * 10**6, 9 * 10**6, 10**10]),
            st.integers(1, 40),
            st.sampled_from([False, False, False, True]),
        ),
        max_size=20,
    )
)
def test_silences_are_those_of_the_written_rule(script):
    time, absent = [0], [False]
    for spacing, times, gone in script:
        for _ in range(times):
            time.append(time[-1] + spacing)
            absent.append(False)
        absent[-1] = gone

    found = silences(np.array(time), np.array(absent))

    assert found.tolist() == by_the_page(time, absent)


def test_many_long_spacings_are_looked_at_in_parts():
    # More than are taken at once, one in 40 rows, so that each is a silence.
    spacings = np.ones(40 * 70_000, np.int64)
    spacings[::40] = 100 * SECOND
    time = np.cumsum(np.append(0, spacings))

    found = silences(time, np.zeros(len(time), np.bool_))

    assert found.tolist() == (np.arange(70_000) * 40 + 1).tolist()


def test_a_logged_nan_is_a_value_and_any_other_nan_is_missing():
    value = np.array([1.0, math.nan, LOGGED, math.inf, -math.nan])

    assert missing(value).tolist() == [False, True, False, False, True]
    assert not missing(np.zeros(0)).any()


@pytest.mark.parametrize(
    ("kind", "entity", "expected"),
    [
        ("gauge", "gpu:0", True),
        ("counter", "host", True),
        ("gauge", "user", False),
        ("counter", "user", False),
        ("state", "gpu:0", False),
        ("span", "cell:1", False),
    ],
)
def test_only_what_is_read_at_a_rate_has_silences(kind, entity, expected):
    time = np.cumsum([0] + [SECOND] * 20 + [3600 * SECOND] + [SECOND] * 20)

    gaps = gaps_of(time, np.ones(len(time)), kind, entity)

    assert is_sampled(kind, entity) == expected
    assert gaps.silent.tolist() == ([21] if expected else [])


def test_a_word_in_the_place_of_a_number_is_not_missing():
    value = np.array([math.nan, math.nan, 1.0])

    gaps = gaps_of(np.arange(3), value, "state", "host", np.array([True, False, False]))

    assert gaps.absent.tolist() == [False, True, False]

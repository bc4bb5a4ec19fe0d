"""Envelopes of rows on edges, whichever way they are made, are those of a slow loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.insight.resample import envelope_of_blocks, envelope_of_rows
from pulse_widgets.series.envelopes import (
    cut_at,
    extremes_of,
    joined,
    mean_of,
    places_in,
    single_rows,
    spread,
    sums_of,
    widen,
)

numbers = st.one_of(
    st.floats(-1e9, 1e9), st.integers(-3, 3).map(float), st.sampled_from([math.nan, math.inf, -math.inf])
)  # fmt: skip
rows = st.lists(st.tuples(st.integers(0, 300), numbers), max_size=60).map(
    lambda rows: sorted(rows, key=lambda row: row[0])
)
edges = st.lists(st.integers(-20, 320), min_size=2, max_size=20, unique=True).map(sorted)


def split(rows):
    time = np.array([t for t, _ in rows], np.int64)
    return time, np.array([v for _, v in rows], np.float64)


def stretch_of(edges, time) -> int:
    """The stretch in which a time lies, the slow way."""
    return min(sum(time >= edge for edge in edges[1:-1]), len(edges) - 2)


@given(rows, edges, st.floats(0, 0.9))
def test_rows_cut_at_edges_are_those_between_them(rows, edges, shift):
    time, _ = split(rows)
    exact = np.array(edges) + shift

    bounds = cut_at(exact, time)

    assert (bounds[0], bounds[-1]) == (0, len(time))
    for place in range(len(edges) - 1):
        inside = time[bounds[place] : bounds[place + 1]].tolist()
        assert inside == [t for t in time.tolist() if stretch_of(exact, t) == place]
    assert [stretch_of(exact, t) for t in time] == places_in(exact[:-1], time).tolist()


@given(rows, edges)
def test_extremes_and_sums_of_blocks_are_those_of_a_loop_over_them(rows, edges):
    time, value = split(rows)
    first = cut_at(np.array(edges), time)[:-1]

    low, high = extremes_of(value, first)
    finite = np.isfinite(value)
    total, count = sums_of(value, first, finite)

    for place in range(len(first)):
        inside = [v for t, v in rows if stretch_of(edges, t) == place and not math.isnan(v)]
        known = [v for v in inside if math.isfinite(v)]
        assert low[place] == min(inside, default=math.inf)
        assert high[place] == max(inside, default=-math.inf)
        assert count[place] == len(known)
        assert total[place] == pytest.approx(math.fsum(known), abs=1e-3)
    only_finite = extremes_of(value, first, finite)
    assert (only_finite[0] >= low).all() and (only_finite[1] <= high).all()


@given(rows, edges, st.randoms())
def test_rows_in_any_order_come_to_the_same_as_rows_in_order(rows, edges, random):
    time, value = split(rows)
    right = extremes_of(value, cut_at(np.array(edges), time)[:-1])
    random.shuffle(rows)
    time, value = split(rows)
    low, high = np.full(len(edges) - 1, np.inf), np.full(len(edges) - 1, -np.inf)

    nothing = widen(low, high, places_in(edges[:-1], time), value)

    assert (low.tolist(), high.tolist()) == (right[0].tolist(), right[1].tolist())
    assert nothing.tolist() == np.isnan(value).tolist()


def test_extremes_are_taken_along_the_last_axis_of_several_series():
    value = np.array([[1.0, 5.0, math.nan, 2.0], [math.nan, math.nan, 7.0, 6.0]])

    low, high = extremes_of(value, np.array([0, 2]))

    assert low.tolist() == [[1.0, 2.0], [math.inf, 6.0]]
    assert high.tolist() == [[5.0, 2.0], [-math.inf, 7.0]]


@given(rows.filter(len), edges, st.data())
def test_envelopes_of_envelopes_enclose_what_those_of_the_rows_do(rows, edges, data):
    fine = single_rows(*split(rows))
    more = data.draw(st.sets(st.integers(1, len(rows)), max_size=5)) - {len(rows)}
    coarse = joined(fine, np.array([0, *sorted(more)]))

    assert coarse.rows.sum() == len(rows)
    assert coarse.count.sum() == fine.count.sum()
    drawn = []
    for each in (fine, coarse):
        low, high = np.full(len(edges) - 1, np.inf), np.full(len(edges) - 1, -np.inf)
        total, weight = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
        spread(each.take(each.count > 0), np.array(edges[:-1]), (low, high), (total, weight))
        drawn.append((low, high))
        assert (weight > 0).tolist() == (low <= high).tolist()
        assert weight.sum() == pytest.approx(each.count.sum())
        assert total.sum() == pytest.approx(each.total.sum(), abs=1e-3)
        mean = mean_of(total, weight, low, high)
        assert ((low <= mean) & (mean <= high))[weight > 0].all()
    assert (drawn[1][0] <= drawn[0][0]).all() and (drawn[1][1] >= drawn[0][1]).all()


def test_a_block_counts_in_each_interval_by_its_share_of_time():
    block = joined(single_rows(np.arange(11), np.arange(11.0)), np.array([0]))
    low, high, total, weight = np.full(2, np.inf), np.full(2, -np.inf), np.zeros(2), np.zeros(2)

    spread(block, np.array([0, 8]), (low, high), (total, weight))

    assert weight.tolist() == pytest.approx([11 * 9 / 12, 11 * 3 / 12])
    assert total.tolist() == pytest.approx([55 * 9 / 12, 55 * 3 / 12])


@pytest.mark.parametrize("value", [1e308, -1e308])
def test_a_mean_lies_between_the_values_where_their_sum_is_too_large_a_number(value):
    block = joined(single_rows(np.arange(3), np.array([value, value, value / 2])), np.array([0]))
    assert abs(value / 2) <= abs(block.mean[0]) <= abs(value)
    opposite = np.array([np.nan])
    assert mean_of(opposite, np.array([2]), np.array([-1e308]), np.array([1e308])).tolist() == [0]


@given(rows.filter(len), st.integers(1, 12))
def test_even_stretches_are_the_same_of_rows_and_of_blocks_of_one_row(rows, points):
    time, value = split(rows)

    by_rows = envelope_of_rows(time, value, points)
    by_blocks = envelope_of_blocks(int(time[0]), int(time[-1]), points, single_rows(time, value))

    for name in ("time", "min", "max", "count"):
        assert repr(getattr(by_rows, name).tolist()) == repr(getattr(by_blocks, name).tolist())
    assert by_rows.mean.tolist() == pytest.approx(by_blocks.mean.tolist(), abs=1e-3, nan_ok=True)
    assert len(envelope_of_rows(time[:0], value[:0], points).time) == 0

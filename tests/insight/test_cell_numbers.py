"""The numbers of cells, held against a slow reading of the same rules."""

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.insight import cells
from pulse_widgets.insight.cells import Stretches, Why
from pulse_widgets.series.columns import Columns
from pulse_widgets.series.rows import NO_STEP

S = 1_000_000


def columns(time, value):
    return Columns(
        np.array(time, np.int64), np.full(len(time), NO_STEP), np.array(value, np.float64)
    )


def stretches(pairs):
    return Stretches(
        np.array([a for a, _ in pairs], np.int64), np.array([b for _, b in pairs], np.int64)
    )


times = st.lists(st.integers(0, 20 * S), min_size=1, max_size=14, unique=True).map(sorted)
values = st.one_of(st.just(math.nan), st.floats(0, 100))
pairs = st.lists(
    st.tuples(st.integers(-4 * S, 24 * S), st.integers(0, 8 * S)).map(lambda p: (p[0], sum(p))),
    min_size=1,
    max_size=6,
)


@st.composite
def gauges(draw):
    time = draw(times)
    return columns(time, [draw(values) for _ in time])


@st.composite
def counters(draw):
    time = draw(times)
    steps = draw(
        st.lists(
            st.one_of(st.just(0.0), st.floats(0, 10), st.just(-5.0)),
            min_size=len(time),
            max_size=len(time),
        )
    )
    value = np.cumsum(steps) + 100
    value[[draw(st.integers(0, 9)) == 0 for _ in time]] = np.nan
    return columns(time, value)


def hold_of(time):
    return 1.5 * statistics.median(b - a for a, b in pairwise(time)) / 1e6 if len(time) > 1 else 0.0


def pieces(time, value):
    """Yield begin, end and the values there of each stretch in which a gauge is known."""
    hold = round(hold_of(time) * 1e6)
    if math.isfinite(value[0]):
        yield time[0] - hold, time[0], value[0], value[0]
    for a, b, x, y in zip(time, time[1:], value, value[1:], strict=False):
        if math.isfinite(x):
            yield a, b, x, y if math.isfinite(y) else x
    if math.isfinite(value[-1]):
        yield time[-1], time[-1] + hold, value[-1], value[-1]


def slow_integral(time, value, start, end):
    area = known = 0.0
    for a, b, x, y in pieces(time, value):
        low, high = max(a, start), min(b, end)
        if high > low:
            at = [x + (y - x) * (t - a) / (b - a) for t in (low, high)]
            area += sum(at) / 2 * (high - low) / 1e6
            known += (high - low) / 1e6
    return area, known


def slow_nearest(time, at):
    return min(range(len(time)), key=lambda row: (abs(time[row] - at), -row))


def slow_short(time, start, end):
    first, last = slow_nearest(time, start), slow_nearest(time, end)
    return last == first or end - start < 0.9 * (time[last] - time[first]) / (last - first)


@given(gauges(), pairs)
def test_the_mean_of_a_gauge_times_the_seconds_is_that_of_the_lines_between_readings(gauge, cells_):
    answer = cells.averaged(gauge, "gauge", "gpu:0", stretches(cells_))

    time, value = gauge.time.tolist(), gauge.value.tolist()
    for (start, end), got, why in zip(cells_, answer.value, answer.why, strict=True):
        area, known = slow_integral(time, value, start, end)
        seconds = (end - start) / 1e6
        if abs(known - 0.99 * seconds) < 1e-5:
            continue  # rounding decides
        if known < 0.99 * seconds:
            assert why == Why.NOT_COVERED
        elif slow_short(time, start, end):
            assert why == Why.TOO_SHORT
        else:
            assert why == Why.KNOWN
            assert got == pytest.approx(area / known * seconds, rel=1e-6, abs=1e-6)
        assert math.isnan(got) == (why != Why.KNOWN)


@given(gauges(), pairs)
def test_the_error_of_a_mean_holds_while_the_value_stays_between_two_readings(gauge, cells_):
    answer = cells.averaged(gauge, "gauge", "gpu:0", stretches(cells_))

    time, value = gauge.time.tolist(), gauge.value.tolist()
    low = [(a, b, min(x, y), min(x, y)) for a, b, x, y in pieces(time, value)]
    for (start, end), got, error in zip(cells_, answer.value, answer.error, strict=True):
        if math.isnan(got):
            continue
        least = sum(x * max(0, min(b, end) - max(a, start)) / 1e6 for a, b, x, _ in low)
        _, known = slow_integral(time, value, start, end)
        assert got - error <= least / known * (end - start) / 1e6 + 1e-6


def at_once(time, start):
    """Return a reading that was asked for at the start, where no other is as near before it."""
    near = [t for t in time if start - 20_000 <= t <= start]
    return next((t for t in time if start < t <= start + 20_000 and not near), None)


@given(gauges(), pairs)
def test_a_peak_is_the_greatest_reading_inside_or_just_before(gauge, cells_):
    answer = cells.peak(gauge, "gauge", "gpu:0", stretches(cells_))

    time, value = gauge.time.tolist(), gauge.value.tolist()
    for (start, end), got, why in zip(cells_, answer.value, answer.why, strict=True):
        if why != Why.KNOWN:
            assert math.isnan(got)
            continue
        rows = list(zip(time, value, strict=True))
        inside = [v for t, v in rows if start < t < end]
        # Of those after its end only the next: a later one is of what ran after it.
        inside += [v for t, v in rows if t >= max(end, start + 1) and t <= end + 100_000][:1]
        before = [v for t, v in rows if t <= start][-1:] if not at_once(time, start) else []
        assert got == max(v for v in inside + before if math.isfinite(v))
        assert inside


@given(gauges(), pairs)
def test_what_is_left_is_the_reading_after_less_the_one_before(gauge, cells_):
    answer = cells.left(gauge, stretches(cells_))

    there = [
        (t, v)
        for t, v in zip(gauge.time.tolist(), gauge.value.tolist(), strict=True)
        if math.isfinite(v)
    ]
    for (start, end), got, why in zip(cells_, answer.value, answer.why, strict=True):
        late = at_once([t for t, _ in there], start)
        before = [(t, v) for t, v in there if t <= (late or start)][-1:]
        after = [(t, v) for t, v in there if t >= end][:1]
        if why == Why.KNOWN:
            assert got == after[0][1] - before[0][1]
        elif why == Why.NOT_COVERED and before and after:
            hold = hold_of([t for t, _ in there]) * 1e6
            assert start - before[0][0] > hold - 1 or after[0][0] - end > hold - 1


def test_of_cells_one_after_the_other_each_has_what_it_left_itself():
    # Each ends at once before the next begins; a reading comes a moment later.
    time = [0, 1 * S, 1 * S + 3_000, 1_500_000, 2 * S, 2 * S + 2_000, 2_900_000, 3 * S]
    used = columns(time, [1.0, 9.0, 9.0, 30.0, 30.0, 12.0, 12.0, 40.0])
    ran = stretches([(10_000, 1 * S + 1_000), (1 * S + 2_000, 2 * S), (2 * S + 1_000, 2_850_000)])

    assert cells.left(used, ran).value.tolist() == [8.0, 21.0, -18.0]
    assert cells.peak(used, "gauge", "gpu:0", ran).value.tolist() == [9.0, 30.0, 30.0]


@given(counters(), pairs)
def test_the_growth_of_a_counter_is_that_of_the_lines_between_readings(counter, cells_):
    answer = cells.grown(counter, stretches(cells_))

    there = [
        (t, v)
        for t, v in zip(counter.time.tolist(), counter.value.tolist(), strict=True)
        if math.isfinite(v)
    ]
    for (start, end), got, error, why in zip(
        cells_, answer.value, answer.error, answer.why, strict=True
    ):
        if why != Why.KNOWN:
            assert math.isnan(got)
            assert math.isnan(error)
            continue
        assert got == pytest.approx(slow_count(there, end) - slow_count(there, start), abs=1e-6)
        assert error >= 0
        assert error < got or error == 0
        # No fall lies in any spacing that the cell touches.
        touched = [(a, b) for a, b in pairwise(there) if b[0] > start and a[0] <= end]
        assert all(b[1] >= a[1] for a, b in touched)


def slow_count(there, at):
    spacings = list(pairwise(there))
    (a, x), (b, y) = next((one for one in spacings if at < one[1][0]), spacings[-1])
    return x + max(0.0, y - x) * (at - a) / (b - a)


@given(st.lists(st.integers(1, 20), min_size=3, max_size=12), st.data())
def test_a_counter_that_grows_evenly_is_told_exactly(spacings, data):
    time = [S * t for t in np.cumsum(spacings).tolist()]
    counter = columns(time, [300.0 * t / S for t in time])
    start = data.draw(st.integers(time[0], time[-1]))
    end = data.draw(st.integers(start, time[-1]))
    answer = cells.grown(counter, stretches([(start, end)]))

    if answer.why[0] == Why.KNOWN:
        assert answer.value[0] == pytest.approx(300.0 * (end - start) / S, rel=1e-9, abs=1e-3)
    # With a reading at each end there is nothing to be unsure of.
    exact = cells.grown(counter, stretches([(time[0], time[-1])]))
    assert (exact.error[0], exact.why[0]) == (0.0, Why.KNOWN)


def test_a_cell_between_two_readings_says_what_holds():
    second = columns([0, S, 2 * S, 3 * S], [0.0, 100.0, 200.0, 300.0])
    short = stretches([(1_200_000, 1_500_000), (1_100_000, 1_900_000), (900_000, 2_100_000)])

    grown = cells.grown(second, short)
    # The first could be anything up to 100; of the others most lies between two readings.
    assert grown.why.tolist() == [Why.TOO_SHORT, Why.KNOWN, Why.KNOWN]
    assert grown.value[1:] == pytest.approx([80.0, 120.0])
    assert grown.error[1:] == pytest.approx([20.0, 20.0])
    assert cells.averaged(second, "gauge", "gpu:0", short).why.tolist() == [
        Why.TOO_SHORT,
        Why.TOO_SHORT,
        Why.KNOWN,
    ]


def test_a_counter_that_stood_still_grew_by_nothing_for_sure():
    still = columns([0, S, 2 * S], [7.0, 7.0, 7.0])
    answer = cells.grown(still, stretches([(1_200_000, 1_300_000)]))

    assert (answer.value[0], answer.error[0], answer.why[0]) == (0.0, 0.0, Why.KNOWN)


def test_what_nobody_read_is_not_known_and_never_zero():
    nothing, one = Columns.empty(), columns([S], [5.0])
    cell = stretches([(0, 2 * S)])
    for answer in (
        cells.averaged(nothing, "gauge", "gpu:0", cell),
        cells.averaged(one, "gauge", "gpu:0", cell),
        cells.peak(nothing, "gauge", "gpu:0", cell),
        cells.left(nothing, cell),
        cells.left(one, cell),
        cells.grown(nothing, cell),
        cells.grown(one, cell),
        cells.averaged(columns([0, S, 2 * S], [math.nan] * 3), "gauge", "gpu:0", cell),
    ):
        assert math.isnan(answer.value[0])
        assert answer.why[0] == Why.NOT_COVERED


def test_a_silence_in_the_readings_is_not_covered_but_a_counter_counts_across_it():
    time = [S * t for t in [*range(20), *range(60, 80)]]
    cell = stretches([(5 * S, 70 * S), (61 * S, 70 * S)])
    gauge = cells.averaged(columns(time, [1.0] * 40), "gauge", "gpu:0", cell)
    counter = cells.grown(columns(time, [float(t) for t in time]), cell)

    assert gauge.why.tolist() == [Why.NOT_COVERED, Why.KNOWN]
    assert counter.value.tolist() == [65.0 * S, 9.0 * S]


def test_a_short_gap_in_a_long_cell_does_not_hide_all_of_it():
    time = [S * t for t in range(2000) if not 500 <= t < 509]
    answer = cells.averaged(
        columns(time, [0.5] * len(time)), "gauge", "gpu:0", stretches([(0, 1999 * S)])
    )

    assert answer.value[0] == pytest.approx(999.5)


@given(st.lists(gauges(), min_size=1, max_size=4))
def test_a_sum_of_gauges_is_known_where_all_are(several):
    whole = cells.together(several)

    grid = max(several, key=len)
    assert whole.time.tolist() == grid.time.tolist()
    for time, value in zip(whole.time.tolist(), whole.value.tolist(), strict=True):
        near = [one.value[slow_nearest(one.time.tolist(), time)] for one in several]
        far = any(
            abs(one.time[slow_nearest(one.time.tolist(), time)] - time)
            > hold_of(one.time.tolist()) * 1e6
            for one in several
        )
        ties = any(len(set(np.abs(one.time - time).tolist())) < len(one) for one in several)
        if far or not all(map(math.isfinite, near)):
            assert math.isnan(value) or ties
        elif not ties:
            assert value == pytest.approx(sum(near))


@given(pairs)
def test_cells_overlap_that_share_time(cells_):
    found = cells.overlaps(stretches(cells_))

    for one, (a, b) in enumerate(cells_):
        others = [
            other
            for other, (c, d) in enumerate(cells_)
            if other != one and a < b and c < d and a < d and c < b
        ]
        assert found[one] == others


def test_of_very_many_that_overlap_some_are_named():
    found = cells.overlaps(stretches([(0, 1000)] * 5000))

    assert {len(one) for one in found} == {cells.OVERLAPS_MOST}


@given(gauges(), pairs, st.integers(0, 5))
def test_cells_are_answered_together_as_each_alone(gauge, cells_, at):
    at %= len(cells_)
    for ask in (
        lambda some: cells.averaged(gauge, "gauge", "gpu:0", some),
        lambda some: cells.peak(gauge, "gauge", "gpu:0", some),
        lambda some: cells.left(gauge, some),
        lambda some: cells.grown(gauge, some),
    ):
        together, alone = ask(stretches(cells_)), ask(stretches([cells_[at]]))
        assert together.why[at] == alone.why[0]
        np.testing.assert_array_equal(together.value[at], alone.value[0])


@pytest.mark.parametrize("stale", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("interval", [0.2, 1.0, 5.0])
def test_the_truth_lies_within_the_error_of_an_energy(interval, edges, stale):
    """Cells right after one another, each with a draw of its own, and a driver that is late."""
    draw = np.random.default_rng(7)
    length = draw.uniform(0.05, 6.0, 150)
    begin = 10 + np.concatenate([[0.0], np.cumsum(length[:-1] + 0.003)])
    bounds = np.stack([begin, begin + length], axis=1).ravel()
    watts = np.stack([draw.choice([100.0, 400.0, 700.0], 150), np.full(150, 80.0)], axis=1).ravel()
    times = np.concatenate([[0.0], bounds, [bounds[-1] + 20]])
    joules = np.concatenate([[0.0], np.cumsum(np.diff(times) * np.append(80.0, watts))])

    read = np.arange(0.0, times[-1], interval)
    if edges:
        read = np.unique(np.concatenate([read, bounds + 0.004]))
    told = np.floor(read / stale) * stale if stale else read
    counter = columns(np.round(read * S).tolist(), np.interp(told, times, joules).tolist())
    asked = stretches(np.round(bounds * S).astype(int).reshape(-1, 2).tolist())
    got = cells.grown(counter, asked, 0.0, 0.1)

    true = np.interp(begin + length, times, joules) - np.interp(begin, times, joules)
    known = got.why == Why.KNOWN
    assert known.sum() > (20 if interval > 1 and not edges else 60)
    assert (np.abs(got.value - true)[known] <= got.error[known] + 0.1).mean() > 0.97
    if edges and not stale:
        assert np.median(got.error[known] / true[known]) < 0.2


def test_what_a_cell_left_is_not_read_in_the_cell_that_follows():
    memory = columns([0, 2 * S, 4 * S, 6 * S], [10.0, 10.0, 50.0, 50.0])
    cell = stretches([(1 * S, 3 * S)])

    def asked(following):
        found = cells.left(memory, Stretches(cell.start, cell.end, np.array([following], np.int64)))
        return found.value.tolist()

    assert asked(cells.NEVER) == [40.0]
    assert asked(5 * S) == [40.0]
    # Begun so late that the reading is still of what was before it.
    assert asked(4 * S - 10_000) == [40.0]
    assert math.isnan(asked(3 * S + 500_000)[0])

"""Envelopes hold every row where it is, in whatever order rows arrive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.series.history import History
from pulse_widgets.series.rows import NO_STEP, Rows

START_US = 1_760_000_000_000_000
DAY_US = 86_400_000_000

gaps = st.one_of(
    st.integers(0, 2_000_000),
    st.integers(0, 120_000_000),
    st.sampled_from([-60, -3600, 60, 3600]).map(lambda seconds: seconds * 1_000_000),
    st.sampled_from([-2 * DAY_US, -9000 * DAY_US, 3 * DAY_US, 9000 * DAY_US]),
)


@st.composite
def arrivals(draw):
    """Blocks of rows: a clock that mostly goes on, and rows that lie anywhere around it."""
    now, blocks = START_US, []
    for _ in range(draw(st.integers(1, 12))):
        count = draw(st.integers(1, 200))
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        pace = draw(st.sampled_from([0, 100_000, 1_000_000, 30_000_000, 600_000_000]))
        time = now + pace * np.arange(1, count + 1)
        far = random.random(count) < draw(st.sampled_from([0, 0.02, 0.5]))
        time[far] += draw(gaps)
        now = int(now + pace * count + max(draw(gaps), 0) % (4 * DAY_US))
        value = random.normal(size=count)
        value[random.random(count) < 0.05] = np.nan
        step = np.where(random.random(count) < 0.3, random.integers(0, 99, count), NO_STEP)
        blocks.append(
            (Rows.of(random.integers(0, 4, count), time, value, step), draw(st.booleans()))
        )
    return blocks


def check_every_row_is_where_it_was(history, rows):
    screen = history.screen()
    edges = np.round(screen.edges * 1e6).astype(np.int64)
    assert (np.diff(edges) > 0).all()
    bucket = np.searchsorted(edges, rows.time, "right") - 1
    assert bucket.min() >= 0
    assert bucket.max() < len(edges) - 1
    low = np.full(screen.low.shape, np.inf)
    high = np.full(screen.low.shape, -np.inf)
    line = np.searchsorted(screen.ids, rows.series)
    seen = ~np.isnan(rows.value)
    np.minimum.at(low, (line[seen], bucket[seen]), rows.value[seen])
    np.maximum.at(high, (line[seen], bucket[seen]), rows.value[seen])
    np.testing.assert_array_equal(screen.low, low)
    np.testing.assert_array_equal(screen.high, high)
    total, count = np.zeros(screen.low.shape), np.zeros(screen.low.shape)
    np.add.at(total, (line[seen], bucket[seen]), rows.value[seen])
    np.add.at(count, (line[seen], bucket[seen]), 1)
    np.testing.assert_array_equal(screen.weight, count)
    mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    np.testing.assert_allclose(screen.mean, mean, rtol=1e-12, atol=1e-9)
    held = count > 0
    assert ((low <= screen.mean) & (screen.mean <= high))[held].all()
    return screen


@settings(max_examples=60, deadline=None)
@given(arrivals(), st.sampled_from([0.1, 1.0]))
def test_each_bucket_has_extremes_and_mean_of_its_time_in_any_order_of_arrival(blocks, interval_s):
    history, taken = History(interval_s), []
    for rows, looked_at in blocks:
        history.add(rows)
        taken.append(rows)
        if looked_at:
            check_every_row_is_where_it_was(history, Rows.concat(taken))
    rows = Rows.concat(taken)

    screen = check_every_row_is_where_it_was(history, rows)

    for line, series in enumerate(screen.ids):
        mine = np.flatnonzero(rows.series == series)
        newest = mine[np.flatnonzero(rows.time[mine] == rows.time[mine].max())[-1]]
        np.testing.assert_array_equal(screen.last[line], rows.value[newest])
    stepped = np.unique(rows.series[rows.step != NO_STEP])
    assert screen.stepped.tolist() == stepped.tolist()
    assert screen.low.shape[1] <= 450


@settings(max_examples=60, deadline=None)
@given(arrivals(), st.sampled_from([0, 30_000, 45_000, 70_000]))
def test_fewer_bytes_make_wider_buckets_that_are_as_true(blocks, budget):
    history = History(1.0, budget_bytes=budget)
    for rows, _ in blocks:
        # Four series that are there all the time: none of them can be retired.
        time = np.full(4, rows.time[0])
        history.add(Rows.concat([Rows.of([0, 1, 2, 3], time, np.zeros(4)), rows]))
    every = [
        Rows.concat([Rows.of([0, 1, 2, 3], np.full(4, rows.time[0]), np.zeros(4)), rows])
        for rows, _ in blocks
    ]

    check_every_row_is_where_it_was(history, Rows.concat(every))


def tick(second, values, first=0):
    ids = np.arange(first, first + len(values))
    return Rows.of(ids, np.full(len(values), START_US + round(second * 1e6)), values)


@pytest.mark.parametrize("ahead_s", [20, 59, 3600])
def test_a_row_far_ahead_leaves_the_others_their_fine_buckets(ahead_s):
    with_it, without = History(0.1), History(0.1)
    for history in (with_it, without):
        for k in range(600):
            history.add(tick(k / 10, [0.5]))
        history.screen()
    with_it.add(tick(60 + ahead_s, [1.0], first=1))
    with_it.screen()
    for history in (with_it, without):
        for k in range(600, 700):
            history.add(tick(k / 10, [0.9]))
            if k % 10 == 0:
                history.screen()

    seen, right = with_it.screen(), without.screen()

    assert np.array_equal(seen.edges[: len(right.edges)], right.edges)
    np.testing.assert_array_equal(seen.low[0, : right.low.shape[1]], right.low[0])
    assert seen.high[1].max() == 1.0


def test_a_row_far_ahead_is_taken_in_when_its_time_has_come():
    history = History(1.0)
    history.add(tick(0, [0.0] * 5))
    history.add(tick(59, [7.0], first=9))
    for second in range(1, 400):
        history.add(tick(second, [0.0] * 5))
        history.screen()

    screen = history.screen()

    at = np.flatnonzero(screen.low[-1] <= screen.high[-1])
    assert len(at) == 1
    assert screen.edges[at[0]] <= START_US / 1e6 + 59 < screen.edges[at[0] + 1]
    assert screen.edges[-1] <= START_US / 1e6 + 401


def test_more_rows_far_ahead_than_may_wait_are_taken_in():
    history = History(1.0)
    history.add(tick(0, [0.0] * 100))
    rows = Rows.of(np.zeros(50_000), START_US + 60_000_000 + np.arange(50_000), np.ones(50_000))
    for first in range(0, 50_000, 1000):
        history.add(rows.cut(first, first + 1000))
        history.add(tick(1, [0.0] * 2000))

    check = history.screen()

    assert check.high[0].max() == 1.0
    assert history._pyramid.other_bytes < 2 << 20


@pytest.mark.parametrize("late_s", [5, 40, 300, 590])
def test_a_value_of_a_while_ago_is_in_the_bucket_of_its_time(late_s):
    history = History(1.0)
    for k in range(600):
        history.add(tick(k, [0.5]))
        if k % 5 == 0:
            history.screen()
    history.add(tick(600 - late_s, [42.0], first=1))

    screen = history.screen()

    at = np.flatnonzero(screen.low[1] <= screen.high[1])
    assert len(at) == 1
    assert screen.edges[at[0]] <= START_US / 1e6 + 600 - late_s < screen.edges[at[0] + 1]
    assert screen.last.tolist() == [0.5, 42.0]
    assert not screen.missing.any()


def test_a_late_missing_reading_is_seen_in_a_bucket_that_is_folded_already():
    history = History(1.0)
    history.add(tick(0, [1.0, 1.0]))
    for k in range(1, 3600):
        history.add(tick(k, [1.0]))
    history.screen()
    history.add(Rows.of([1], [START_US + 60_000_000], [np.nan]))

    screen = history.screen()

    assert screen.missing[1].sum() >= 1
    assert screen.edges[np.flatnonzero(screen.missing[1])[0]] >= START_US / 1e6

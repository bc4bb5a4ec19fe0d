"""A history keeps to its bytes, however many series there were."""

import numpy as np
import pytest

from pulse_widgets.series.history import History
from pulse_widgets.series.rows import Rows

START_US = 1_760_000_000_000_000
MIB = 1 << 20


def tick(second, ids, value=1.0):
    return Rows.of(ids, np.full(len(ids), START_US + second * 1_000_000), np.full(len(ids), value))


def seen(screen, series):
    line = screen.ids.tolist().index(series)
    return int((screen.low[line] <= screen.high[line]).sum())


@pytest.mark.parametrize("series", [100, 1000, 4000])
@pytest.mark.parametrize("seconds", [[0, 60, 600, 3600, 86_400], [*range(0, 400, 8)]])
def test_series_that_are_all_alive_stay_within_the_budget_with_wider_buckets(series, seconds):
    history, ids = History(1.0, budget_bytes=10 * MIB), np.arange(series)

    for second in seconds:
        history.add(tick(second, ids))
        screen = history.screen()
        assert history.nbytes <= 10 * MIB

    assert screen.ids.tolist() == ids.tolist()
    assert (screen.low <= screen.high).any(axis=1).all()
    assert (screen.high[screen.low <= screen.high] == 1.0).all()


def test_the_envelopes_of_series_that_ended_go_first_the_oldest_before_the_others():
    history, live = History(1.0, budget_bytes=2 * MIB), np.arange(10)
    for generation in range(300):
        processes = np.arange(20) + 10 + 20 * generation
        for second in range(10 * generation, 10 * generation + 10):
            history.add(tick(second, live))
            history.add(tick(second, processes, 5.0))
        history.add(tick(10 * generation + 10, processes, np.nan))
        screen = history.screen()
        assert history.nbytes <= 2 * MIB

    kept = screen.ids[screen.ids >= 10]
    assert screen.ids[:10].tolist() == live.tolist()
    assert min(seen(screen, series) for series in live) > 100
    # The newest of those that ended, without a hole.
    assert 0 < len(kept) < 20 * 300
    assert kept.tolist() == [*range(kept[0], 10 + 20 * 300)]


def test_a_series_that_was_retired_comes_back_with_what_is_new():
    history = History(1.0, budget_bytes=MIB)
    history.add(tick(0, [0], 3.0))
    history.add(tick(1, [0], np.nan))
    for second in range(2, 60):
        ids = np.arange(second * 100, second * 100 + 100)
        history.add(tick(second, ids))
        history.add(tick(second, ids, np.nan))
        history.screen()
    assert 0 not in history.screen().ids

    history.add(Rows.of([0], [START_US + 60_000_000], [7.0], [5]))
    screen = history.screen()

    line = screen.ids.tolist().index(0)
    assert (screen.low[line].min(), screen.high[line].max()) == (7.0, 7.0)
    assert screen.last[line] == 7.0
    assert screen.stepped.tolist() == [0]
    assert np.nanmax(screen.step) == 5.0


def test_nobody_who_is_heard_of_is_retired_for_those_that_fell_silent():
    history = History(1.0, budget_bytes=2 * MIB)
    history.add(tick(0, np.arange(100, 4000)))
    history.screen()
    for second in range(1, 200):
        history.add(tick(second, np.arange(100)))
        history.add(tick(second, [4000 + second]))
        history.screen()

    screen = history.screen()

    assert history.nbytes <= 2 * MIB
    assert set(range(100)) <= set(screen.ids.tolist())


def test_lines_that_stay_keep_their_values_and_steps_when_others_are_retired():
    history = History(1.0, budget_bytes=MIB)
    for second in range(300):
        live = np.array([1, 5, 9])
        time = np.full(3, START_US + second * 1_000_000)
        history.add(Rows.of(live, time, live * 1000.0 + second, live * 10 + second))
        history.add(tick(second, [second * 10 + 7, second * 10 + 8], np.nan))
        # One that came late, and one that is far ahead.
        history.add(Rows.of([5, 9], [START_US - 50_000_000, START_US + 900_000_000], [-1.0, 1e6]))
        history.screen()

    screen = history.screen([1, 5, 9])

    lines = [screen.ids.tolist().index(series) for series in (1, 5, 9)]
    assert 7 not in history.screen().ids
    assert screen.low[lines].min(axis=1).tolist() == [1000, -1.0, 9000]
    assert screen.high[lines].max(axis=1).tolist() == [1299, 5299, 1e6]
    assert np.nanmax(screen.step, axis=1).tolist() == [10 + 299, 50 + 299, 90 + 299]


def test_a_series_takes_no_more_memory_the_longer_a_session_lasts():
    history = History(1.0, budget_bytes=64 * MIB)
    held = []
    for day in range(40):
        for hour in range(24):
            history.add(tick(86_400 * day + 3600 * hour, np.arange(1000)))
            history.add(tick(86_400 * day + 3600 * hour + 1, np.arange(1000)))
        history.screen()
        history.release()
        held.append(history.nbytes)

    assert max(held) <= 1000 * 25_000
    assert len(history.screen().edges) > 100

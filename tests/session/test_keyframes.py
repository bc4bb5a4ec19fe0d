"""How often the past of a session is sent: rarely, where a page can ask for it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.session.sender import Keyframes, Snapshots


def sent(seconds, reachable, *, spent_s=0.0, tick_s=0.25):
    """Return when keyframes are sent; `reachable` says at which moments a page would be heard."""
    keyframes, moments = Keyframes(0.0), []
    for tick in range(1, int(seconds / tick_s) + 1):
        now = tick * tick_s
        if keyframes.due(now, reachable=reachable(now)):
            keyframes.sent(now, spent_s)
            moments.append(now)
    return moments


@pytest.mark.parametrize("idle", [False, True])
def test_a_young_session_sends_some_soon_whoever_can_ask(idle):
    assert sent(8, lambda _: idle) == [1, 2, 4, 8]


def test_a_page_that_is_heard_has_to_ask():
    assert sent(3600, lambda _: True) == [1, 2, 4, 8]


def test_in_a_cell_they_come_every_few_seconds():
    assert sent(60, lambda _: False) == [1, 2, 4, *range(8, 60, 5)]


def test_what_a_cell_brought_follows_once_after_it():
    assert sent(600, lambda now: not 100 <= now < 101) == [1, 2, 4, 8, 104.75]


def test_many_short_cells_need_no_more_than_a_long_one():
    many = sent(600, lambda now: now % 1 >= 0.5)
    assert many[:4] == [1, 2, 4, 8]
    assert all(5 <= b - a <= 6 for a, b in pairwise(many[3:]))


def test_a_pause_of_the_interpreter_in_one_makes_the_next_no_later():
    keyframes, moments = Keyframes(0.0), []
    for tick in range(1, 240):
        now = tick * 0.25
        if keyframes.due(now, reachable=False):
            keyframes.sent(now, 0.5 if len(moments) == 5 else 0.01)
            moments.append(now)
    assert moments == [1, 2, 4, *range(8, 60, 5)]


def test_a_dear_one_comes_more_rarely():
    assert sent(600, lambda _: False, spent_s=0.5) == [1, 2, 4, *range(8, 600, 250)]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 120)), min_size=1, max_size=12))
def test_nobody_waits_longer_than_the_pause_for_one_that_cannot_be_asked_for(spans):
    heard = [reachable for reachable, ticks in spans for _ in range(ticks)]
    moments = sent(len(heard) / 4, lambda now: heard[int(now * 4) - 1])

    known = 0.0
    for tick, reachable in enumerate(heard, 1):
        known = max(known, tick / 4 if reachable or tick / 4 in moments else 0.0)
        assert tick / 4 - known <= 5
    # Nothing is owed, or it comes yet, once the kernel reachable for long enough.
    last = max((t / 4 for t, reachable in enumerate(heard, 1) if not reachable), default=0.0)
    assert max(last, 8) + 5 >= len(heard) / 4 or any(m >= last for m in moments)
    after = [moment for moment in moments if moment > 8]
    assert all(b - a >= 5 for a, b in pairwise(after))
    begun = [0.0, *moments]
    for before, moment in pairwise(begun):
        # A cell ran since the one before.
        assert moment <= 8 or not all(heard[int(before * 4) : int(moment * 4)])


def kept(seconds, spent_s, tick_s=0.25):
    """Return when snapshots are kept."""
    snapshots, moments = Snapshots(0.0), []
    for tick in range(1, int(seconds / tick_s) + 1):
        if snapshots.due(tick * tick_s):
            snapshots.kept(tick * tick_s, spent_s)
            moments.append(tick * tick_s)
    return moments


def test_a_notebook_saved_at_any_moment_has_two_fifths_of_its_session_or_more():
    moments = kept(200, 0.005)
    assert moments == [0.25, 2, 5, 10, 20, 50, 80, 110, 140, 170, 200]
    for now in range(2, 200):
        assert max(moment for moment in moments if moment <= now) >= 0.4 * now


@pytest.mark.parametrize(
    ("spent_s", "moments"), [(0.1, [0.25, 2, 7, 12, 20, 50, 80]), (3.0, [0.25, 2, 32, 62])]
)
def test_the_first_snapshots_of_a_session_of_many_series_come_more_rarely(spent_s, moments):
    assert kept(90, spent_s) == moments

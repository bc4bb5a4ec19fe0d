"""The thread that sends the rows and keyframes of a session to its stream."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.loading import load
from pulse_widgets.series.detail import Detail, detail_of
from pulse_widgets.series.stream import Stream
from pulse_widgets.series.text_lines import newest_lines
from pulse_widgets.signals import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulse_widgets.series.header import Events
    from pulse_widgets.series.history import Screen
    from pulse_widgets.series.rows import Rows
    from pulse_widgets.series.stage import CatchUp
    from pulse_widgets.session.session import Session

__all__ = ["Keyframes", "LiveSender", "SessionProvider", "Snapshots", "redacted"]

LIVELY_TICK_S: Final = 0.1
"""Seconds between two frames once a view shows few charts, which are drawn more often."""

FIRST_S: Final = 1.0
"""Seconds until the first keyframe."""
KEYFRAME_S: Final = 5.0
"""Seconds between two keyframes while a page that misses something cannot ask for one."""
KEYFRAME_SHARE: Final = 0.002
"""Share of its time that the sender may spend on keyframes."""
COSTS_KEPT: Final = 3
"""Keyframes whose costs are remembered."""
WHOLE_ROWS: Final = 4000
"""A session of so few rows is sent whole to a page that begins, beside its envelopes."""
SNAPSHOTS_SOON_S: Final = (0.25, 2.0, 5.0, 10.0, 20.0)
"""Seconds until the first snapshots. The call that begins it all has returned by the first; a
notebook that is saved in the first minute keeps the newest of them."""
SNAPSHOT_S: Final = 30.0
"""Seconds between two snapshots, which a page takes as keyframes as well."""
SNAPSHOT_SHARE: Final = 0.02
"""Share of its time that the sender may spend on the first snapshots."""
STATE_S: Final = 2.0
AGAIN_S: Final = 1.0
"""Seconds until the next try after a pass that failed."""
SILENT_S: Final = 60.0
"""Without a view heard of for this long, and no cell running, nothing is sent."""

BUNDLE: Final = "pulse_widgets.exchange.bundle"

_logger = logging.getLogger("pulse_widgets")


def redacted(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return a keyframe's header without what should not leave the machine."""
    load(BUNDLE)
    from pulse_widgets.exchange.bundle import redact

    return redact(header)


class SessionProvider:
    """A running session as the provider of a stream."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.screen = session.stage.screen
        self.series = session.stage.series
        self.entities = session.entities
        self.events = session.stage.events
        self.lines = session.stage.lines

    def state(self) -> dict[str, Any]:
        """Return the state that views show."""
        return self.session.state()

    def detail(self, ids: Sequence[int], t0_s: float, t1_s: float, points: int) -> Detail:
        """Return the rows of some series between two Unix times, of many rows envelopes."""
        stage = self.session.stage
        rows, screen = detail_of(stage.rows(ids, t0_s, t1_s), points)
        return Detail(rows, screen, stage.odd(ids, t0_s, t1_s))


class Keyframes:
    """When the next keyframe of a session is due.

    A page asks for a keyframe when it opens and when it notices that a frame is missing. The
    kernel receives that only between two cells. So while a cell runs keyframes are sent unasked,
    and once more after it, because a notebook that is saved keeps the newest. They are also sent
    unasked at the beginning, while a page is still loading, and after a packet that failed.

    Parameters
    ----------
    now : float
        When the sending begins.
    """

    def __init__(self, now: float) -> None:
        self._begun = now
        self._next = now + FIRST_S
        self._pause = FIRST_S
        self._young = True
        self._heard = now
        self._owed = False
        self._spent: deque[float] = deque(maxlen=COSTS_KEPT)

    def due(self, now: float, *, reachable: bool) -> bool:
        """Return whether one is due; `reachable` says that a request of a page would arrive now."""
        if self._young:
            return now >= self._next
        self._owed = self._owed or not reachable
        if not self._owed:
            self._heard = now
            return False
        return now >= max(self._next, self._heard + self._pause)

    def sent(self, now: float, spent_s: float) -> None:
        """Note that a keyframe was sent, which took `spent_s`.

        With thousands of series a keyframe is expensive, and then comes more rarely. The cheapest
        of the last ones counts: a full garbage collection may fall into any of them.
        """
        self._spent.append(spent_s)
        age_s = now - self._begun
        self._owed, self._heard = False, now
        self._young = age_s < KEYFRAME_S
        self._pause = max(age_s, FIRST_S)
        if not self._young:
            self._pause = max(KEYFRAME_S, min(self._spent) / KEYFRAME_SHARE)
        self._next = now + self._pause

    def young(self, now: float) -> bool:
        """Return whether the session has just begun."""
        return now - self._begun < KEYFRAME_S


class Snapshots:
    """When the next keyframe is kept for pages that open later, and for notebooks that are saved.

    Parameters
    ----------
    now : float
        When the sending begins.
    """

    def __init__(self, now: float) -> None:
        self._begun = now
        self._next = now + SNAPSHOTS_SOON_S[0]

    def due(self, now: float) -> bool:
        """Return whether one is due."""
        return now >= self._next

    def kept(self, now: float, spent_s: float) -> None:
        """Note that one was kept, which took `spent_s`: the dear ones come no sooner than before.

        The second comes whatever the first took, as that has hardly a reading.
        """
        second = self._begun + SNAPSHOTS_SOON_S[1]
        if now < second:
            self._next = second
            return
        pause = spent_s / SNAPSHOT_SHARE
        soon = (self._begun + age for age in SNAPSHOTS_SOON_S)
        wanted = next((time for time in soon if time > now), now + SNAPSHOT_S)
        self._next = min(max(wanted, now + pause), now + SNAPSHOT_S)


class LiveSender:
    """Sends what a session shows to its stream, on one thread.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.provider = SessionProvider(session)
        self._heard = time.monotonic()
        self._known_series = 0
        self._labelled = 0
        self._change_key: tuple[object, ...] = ()
        self.ended = Flag()
        """Set when the last frame has been sent."""
        self._state_at = 0.0
        self._skipped = False
        self._dropped = 0
        self._asked = False
        """A page waits for a keyframe."""
        self._failures = 0
        """Messages that could not be sent before the last keyframe."""
        self._passing = threading.Lock()
        """Held while rows become frames, so that a keyframe made meanwhile holds those rows."""
        self._subscription = session.subscribe()
        self.stream = Stream(
            self.provider,
            redact=redacted,
            on_view=self._hear,
            on_hello=self._hello,
            on_lines=self._want_lines,
        )

    def start(self) -> None:
        """Begin to send."""
        start_thread("pulse-feed", self._run)

    def opening(self) -> bytes:
        """Return a keyframe of what was shown until now, without what should not leave the machine.

        Frames carry what is shown from then on; so this comes before `start`.
        """
        return self.stream.snapshot(self._session.stage.screen_after(self._subscription).screen)

    def introduce(self) -> None:
        """Keep a keyframe for the pages of a transport that joined while frames are being sent."""
        with self._passing:
            self.stream.keep(self._catch_up(time.monotonic()).screen)

    def enliven(self) -> None:
        """Send more often: some view shows a choice of metrics, and so few charts."""
        self._subscription.tick_s = LIVELY_TICK_S

    def _hear(self) -> None:
        self._heard = time.monotonic()

    def _want_lines(self, on: bool) -> None:  # noqa: FBT001  called back by a message
        self._subscription.lines = on

    def _hello(self) -> bool:
        """Leave the keyframe to the thread that sends the frames, as long as it sends."""
        self._asked = True
        self._subscription.arrived.ring()
        return not self.ended.is_set()

    def _run(self) -> None:
        failed = False
        while not self.ended.is_set():
            try:
                self._loop()
                self.ended.set()
            except Exception:
                # The top of the thread. It goes on; the next keyframe brings what was lost.
                if not failed:
                    _logger.exception("a pass of the feed failed")
                failed = True
                self.stream.failures += 1
                # The rows it took are now only in the history: the next pass must send a keyframe.
                self._skipped = self._asked = True
                if self._session.stage.finished:
                    self.ended.set()
                self.ended.wait(AGAIN_S)
        if self._asked:
            self._last_words()

    def _last_words(self) -> None:
        """Send the last keyframe to a page that asked when the end was not yet known, or failed."""
        try:
            self.stream.skip()
            screen = self.provider.screen()
            self.stream.publish_keyframe(screen)
            self.stream.keep(screen)
        except Exception:
            # The last packet: no later keyframe could bring a page what it lost.
            self.stream.failures += 1
            _logger.exception("the last picture of a session could not be sent")

    def _loop(self) -> None:
        subscription, stage = self._subscription, self._session.stage
        begun = time.monotonic()
        keyframes, snapshots = Keyframes(begun), Snapshots(begun)
        while not stage.finished:
            # The stage delivers at most once a tick, so no pause is needed here.
            subscription.arrived.wait(1.0)
            with self._passing:
                self._pass(time.monotonic(), keyframes, snapshots)
            subscription.cpu_s = time.thread_time()
            subscription.sent_bytes = self.stream.sent_bytes
        with self._passing:
            self.stream.keep(self._keyframe(time.monotonic(), whole=True))

    def _pass(self, now: float, keyframes: Keyframes, snapshots: Snapshots) -> None:
        """Send what waits, and a keyframe where one is due."""
        waiting = self._subscription.take()
        if self._unseen(now):
            self._skipped = True
            return
        missed = self._frame(now, *waiting)
        screen = None
        if missed or self._asked or keyframes.due(now, reachable=self._reachable()):
            # Not by the clock: waiting for the interpreter is no cost of ours.
            before = time.thread_time()
            screen = self._keyframe(now, whole=keyframes.young(now))
            keyframes.sent(now, time.thread_time() - before)
        if snapshots.due(now):
            before = time.thread_time()
            self.stream.keep(screen or self._catch_up(now).screen)
            snapshots.kept(now, time.thread_time() - before)

    def _unseen(self, now: float) -> bool:
        """Whether nobody looks. While a cell runs that is not known: a page cannot say it."""
        silent = now - self._heard > SILENT_S and self._session.cells.cell is None
        return silent or not self.stream.followed

    def _reachable(self) -> bool:
        """Whether a request of a page would arrive now, and no packet has failed."""
        cells = self._session.cells
        # Without the signals of IPython it is not known whether the kernel is busy.
        return cells.active and cells.cell is None and self.stream.failures == self._failures

    def _keyframe(self, now: float, *, whole: bool) -> Screen:
        """Send a keyframe; if `whole`, or on request, with every row if they are few.

        Returns its envelopes.
        """
        asked, self._asked = self._asked, False
        self._failures = self.stream.failures
        caught = self._catch_up(now, WHOLE_ROWS if whole or asked else 0)
        self.stream.publish_keyframe(caught.screen)
        self.stream.publish_whole(caught.whole)
        return caught.screen

    def _catch_up(self, now: float, whole: int = 0) -> CatchUp:
        """Return the past so far, after sending a frame of what was waiting."""
        caught = self._session.stage.screen_after(self._subscription, whole)
        self._frame(now, caught.rows, caught.events)
        return caught

    def _missed_something(self) -> bool:
        """Whether rows were shown that no frame carries: after a silence, or an overflow."""
        missed = self._skipped or self._subscription.dropped > self._dropped
        self._skipped, self._dropped = False, self._subscription.dropped
        return missed

    def _frame(self, now: float, rows: Rows, events: Events) -> bool:
        """Send one frame of what was waiting; return whether rows before it were missed."""
        missed = self._missed_something()
        if missed:
            self.stream.skip()
        news: dict[str, Any] = {}
        series = self._session.stage.series(self._known_series)
        if series:
            news["series"] = series
            self._known_series += len(series)
        labelled = self._session.labelled()
        if labelled != self._labelled:
            news["entities"] = self._session.entities()
            self._labelled = labelled
        shown = newest_lines(events.lines)
        news |= replace(events, lines=tuple(shown.lines)).plain()
        if shown.more:
            news["lines_left_out"] = len(events.lines) - len(shown.lines)
        if self._state_is_new(now):
            news["state"] = self.provider.state()
        if len(rows) or news:
            self.stream.publish_frame(rows, **news)
        return missed

    def _state_is_new(self, now: float) -> bool:
        key = self._session.change_key()
        if key == self._change_key and now - self._state_at < STATE_S:
            return False
        self._change_key = key
        self._state_at = now
        return True

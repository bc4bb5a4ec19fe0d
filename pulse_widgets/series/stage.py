"""Passes rows in display form to views: one history shared by all, one queue for each.

`Stage.subscribe` gives a view its queue; `Stage.screen` is the past for a view that comes late.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.catalog import kind_of
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.display_form import DisplayForm, display_series
from pulse_widgets.series.header import Events, newest
from pulse_widgets.series.history import History, Screen, find_rows
from pulse_widgets.series.odd import odd_between
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.text_lines import FoundLines, LineRing, lines_between
from pulse_widgets.signals import Alarm

if TYPE_CHECKING:
    from collections.abc import Collection

    from pulse_widgets.series.header import MomentWire, OddWire, SpanWire
    from pulse_widgets.series.registry import Registry

__all__ = ["CatchUp", "Stage", "Subscription"]

TICK_S: Final = 0.2
"""Seconds between two deliveries: a whole dashboard is drawn no more often."""
QUEUE_BYTES: Final = 32 << 20
EVENTS_KEPT: Final = 1000
_ENDLESS_US: Final = 2**62
ODD_BYTES: Final = 200
"""About what an odd value takes in memory."""


class Subscription:
    """Rows and events in display form, waiting for one consumer.

    Bounded: a consumer that does not keep up loses the oldest rows, which are counted. The next
    keyframe, made of the history, fills that gap.

    Attributes
    ----------
    arrived : Alarm
        Rung when something waits, or when the session has ended.
    dropped : int
        Rows lost because the queue was full.
    tick_s : float
        How often the consumer wants to hear, seconds; the consumer writes it.
    lines : bool
        Whether the consumer wants lines of text, too; the consumer writes it.
    cpu_s : float
        CPU seconds of the consumer's thread; the consumer writes it.
    sent_bytes : int
        Bytes the consumer sent; the consumer writes it.
    """

    def __init__(self) -> None:
        self.arrived = Alarm()
        self.dropped = 0
        self.tick_s = TICK_S
        self.lines = False
        self.cpu_s = 0.0
        self.sent_bytes = 0
        self._lock = threading.Lock()
        self._queue: deque[tuple[Rows, Events, int]] = deque()
        self._bytes = 0

    def push(self, rows: Rows, events: Events) -> None:
        """Add what was just shown."""
        wanted = events if self.lines else events.without_lines()
        size = rows.nbytes + sum(len(line.text) for line in wanted.lines)
        size += ODD_BYTES * len(wanted.odd)
        with self._lock:
            self._queue.append((rows, wanted, size))
            self._bytes += size
            while self._bytes > QUEUE_BYTES and len(self._queue) > 1:
                gone, _, freed = self._queue.popleft()
                self._bytes -= freed
                self.dropped += len(gone)
        self.arrived.ring()

    def take(self) -> tuple[Rows, Events]:
        """Return everything that waits."""
        with self._lock:
            waiting = list(self._queue)
            self._queue.clear()
            self._bytes = 0
        rows = Rows.concat([rows for rows, _, _ in waiting])
        return rows, Events.joined(events for _, events, _ in waiting)


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The past at one moment, and what a subscription had waiting then.

    Attributes
    ----------
    screen : Screen
        Envelopes of all rows that were shown until now, the waiting ones too.
    whole : Rows
        All those rows, where they are few; else none.
    rows, events
        What was waiting for the follower.
    """

    screen: Screen
    whole: Rows
    rows: Rows
    events: Events


class Stage:
    """A session in display form: its history and the subscriptions that follow it.

    Parameters
    ----------
    registry : Registry
    interval_s : float
        Seconds between readings; sets the finest scale of the history.
    """

    def __init__(self, registry: Registry, interval_s: float) -> None:
        self._registry = registry
        self._shown = DisplayForm(registry)
        self._history = History(interval_s)
        self._moments: deque[MomentWire] = deque(maxlen=EVENTS_KEPT)
        self._spans: dict[str, dict[tuple[object, ...], SpanWire]] = {}
        """By metric: many short spans in a cell do not push the cell out."""
        self._kept: dict[tuple[str, str, str], bool] = {}
        """Of which series moments and spans go into keyframes."""
        self._odd: deque[OddWire] = deque(maxlen=EVENTS_KEPT)
        self._lines = LineRing()
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._rate = (time.monotonic(), 0, 0.0)
        self.finished = False

    def subscribe(self) -> Subscription:
        """Return a queue of what is shown from now on."""
        subscription = Subscription()
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Show nothing more to a follower."""
        with self._lock:
            self._subscriptions = [one for one in self._subscriptions if one is not subscription]

    def past(self, follower: Subscription) -> tuple[Rows, Events, list[Rows]]:
        """Return what a follower has waiting, and every row that was shown until now."""
        with self._lock:
            return *follower.take(), self._history.blocks(0, _ENDLESS_US)

    def show(self, stored: Rows) -> None:
        """Take in rows as they are stored; called by one thread at a time."""
        lines = any(follower.lines for follower in self._subscriptions)
        rows, events = self._shown.take(stored, lines=lines)
        printed = self._shown.lines(stored)
        with self._lock:
            self._history.add(rows)
            if printed is not None:
                self._lines.add(printed)
            self._keep(events)
            # One lock for both: a row in the history is also in every queue, or was sent already.
            for follower in self._subscriptions:
                follower.push(rows, events)

    def _keep(self, events: Events) -> None:
        self._moments.extend(filter(self._in_keyframes, events.moments))
        self._odd.extend(events.odd)
        for span in filter(self._in_keyframes, events.spans):
            key = (span.host, span.entity, span.id, span.start)
            kept = self._spans.setdefault(span.metric, {})
            # A span that has just ended moves to the end: the oldest are dropped first.
            kept.pop(key, None)
            kept[key] = span
            if len(kept) > EVENTS_KEPT:
                del kept[next(iter(kept))]

    def _in_keyframes(self, one: MomentWire | SpanWire) -> bool:
        key = one.host, one.entity, one.metric
        kept = self._kept.get(key)
        if kept is None:
            number = self._registry.find(*key)
            if number is None:
                return False
            kept = kind_of(one.metric, self._registry[number].kind).in_keyframes
            self._kept[key] = kept
        return kept

    def finish(self) -> None:
        """Say to every follower that nothing more will come."""
        self.finished = True
        for follower in list(self._subscriptions):
            follower.arrived.ring()

    def release(self) -> None:
        """Free the rows that only zooming in needs; the envelopes stay."""
        with self._lock:
            self._history.release()

    def screen(self, ids: Collection[int] | None = None) -> Screen:
        """Return the envelopes of the whole past; see `History.screen`.

        Of all series, unless `ids` says which, those that are drawn: not events, not cells.
        """
        with self._lock:
            sketch = self._history.sketch(self._drawn() if ids is None else ids)
        return sketch.screen()

    def screen_after(self, follower: Subscription, whole: int = 0) -> CatchUp:
        """Return the screen together with what a follower had waiting.

        Parameters
        ----------
        follower : Subscription
        whole : int
            So many rows at most are returned beside their envelopes.
        """
        with self._lock:
            ids = self._drawn()
            rows, events = follower.take()
            sketch, blocks = self._history.sketch(ids), self._history.everything(whole)
        return CatchUp(sketch.screen(), find_rows(blocks, ids), rows, events)

    def _drawn(self) -> list[int]:
        return [info.id for info in self._registry.since(0) if kind_stored_as(info.kind).numeric]

    def rows(self, ids: Collection[int], t0_s: float, t1_s: float) -> Rows:
        """Return the rows between two Unix times, as far as they are kept whole."""
        t0_us, t1_us = int(t0_s * 1e6), int(t1_s * 1e6)
        with self._lock:
            blocks = self._history.blocks(t0_us, t1_us)
        # Blocks never change: looking through them must not hold up the thread that shows.
        return find_rows(blocks, ids, t0_us, t1_us)

    def lines(self, t0_s: float, t1_s: float, most: int) -> FoundLines:
        """Return the newest lines of text between two Unix times, as far as they are kept.

        Where older ones were let go, there are more of them; asking for those gives none.
        """
        with self._lock:
            blocks, gone_us = self._lines.blocks(), self._lines.gone_us
        return lines_between(Rows.concat(blocks), t0_s, t1_s, most, gone_us)

    def series(self, first: int = 0) -> list[dict[str, object]]:
        """Return the shown form of every series whose id is `first` or more."""
        return [display_series(info) for info in self._registry.since(first)]

    def events(self, count: int) -> Events:
        """Return the newest moments, spans and odd values, so many of each at most."""
        with self._lock:
            moments, odd = list(self._moments), list(self._odd)
            spans = [span for kept in self._spans.values() for span in kept.values()]
        return newest(moments, spans, count, odd)

    def odd(self, ids: Collection[int], t0_s: float, t1_s: float) -> tuple[OddWire, ...]:
        """Return the odd values between two Unix times; the session keeps the newest alone."""
        with self._lock:
            odd = list(self._odd)
        return odd_between(odd, ids, t0_s, t1_s)

    @property
    def tick_s(self) -> float:
        """The shortest interval that any subscription asks for, seconds."""
        return min((follower.tick_s for follower in self._subscriptions), default=TICK_S)

    @property
    def nbytes(self) -> int:
        """Bytes the history holds."""
        return self._history.nbytes + self._lines.nbytes

    def dropped(self) -> int:
        """Rows lost by followers that did not keep up."""
        return sum(follower.dropped for follower in self._subscriptions)

    def sender_cpu_s(self) -> float:
        """CPU seconds of the followers' threads."""
        return sum(follower.cpu_s for follower in self._subscriptions)

    def sent_bytes(self) -> int:
        """Bytes the followers sent so far."""
        return sum(follower.sent_bytes for follower in self._subscriptions)

    def sent_rate(self) -> float:
        """Bytes a second that the followers send, over the last few seconds."""
        since, before, rate = self._rate
        now, sent = time.monotonic(), self.sent_bytes()
        if now - since < 2:  # noqa: PLR2004
            return rate
        rate = max(0.0, (sent - before) / (now - since))
        self._rate = (now, sent, rate)
        return rate

"""The thread that looks at what is shown and says when an alert fires.

It begins with the first alert and ends with the last. A callback has a thread of its own, so
that one which hangs holds up nothing else.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.collectors.capture.secrets import masked_text
from pulse_widgets.errors import SessionEndedError
from pulse_widgets.insight.alerts.parser import parse
from pulse_widgets.insight.alerts.sentences import sentence
from pulse_widgets.series.state import AlertState
from pulse_widgets.session.alert import LOUDEST, Alert, AlertEvent, Caller, Entry, called_with
from pulse_widgets.session.alert_readings import Readings
from pulse_widgets.signals import Alarm, aside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.collectors.alerts import AlertRows
    from pulse_widgets.insight.alerts.subject import Change, Subject
    from pulse_widgets.insight.alerts.watch import Owner
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.header import Events
    from pulse_widgets.series.registry import Registry
    from pulse_widgets.series.rows import Rows
    from pulse_widgets.series.stage import Stage, Subscription

__all__ = ["Alerts"]

TICK_S: Final = 1.0
"""How often it is looked whether readings have grown old."""
STATES_MOST: Final = 100
"""Things of all alerts together that a page is told of; of more the quiet ones stay away."""
END_S: Final = 0.5

_logger = logging.getLogger("pulse_widgets")


class Alerts:
    """The alerts of a session.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    stage : Stage
        Shows what alerts look at.
    rows : AlertRows
        Takes what they say.
    interval_s : callable
        Seconds between two readings.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        stage: Stage,
        rows: AlertRows,
        interval_s: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._stage = stage
        self._rows = rows
        self._interval_s = interval_s
        self._entries: dict[str, Entry] = {}
        self._fresh: list[Entry] = []
        """Those that have not been told what was known before."""
        self._alarm = Alarm()
        # Only threads of ours take it: an interrupt cannot leave it locked.
        self._lock = threading.RLock()
        self._subscription: Subscription | None = None
        self._running = self._ended = False
        self._readings = Readings(registry, interval_s)
        self._numbers = 0
        self._looked = 0.0
        self._version = 0
        """Grows whenever a phase changes."""

    # What a user does -------------------------------------------------------------------

    def set(self, text: str, then: object = None) -> Alert:
        """Set an alert; one that has this condition already gets the new callback.

        Raises
        ------
        ArgumentError
        SessionEndedError
        """
        condition = parse(text)
        called = None if then is None else called_with(then)
        entry = Entry(text, condition)
        if called is not None:
            self._numbers += 1
            went = partial(self._went, entry)
            name = f"pulse-alert-{self._numbers}"
            entry.caller = Caller(name, called[0], went, takes_event=called[1])
        aside("pulse-alerts-set", partial(self._set, entry))
        return Alert(entry, self.cancel)

    def _set(self, entry: Entry) -> None:
        with self._lock:
            if self._ended:
                raise SessionEndedError(
                    "alert() came after the end of the session",
                    remedy="Start another session with pw.monitor().",
                )
            key = str(entry.watch.condition)
            before = self._entries.get(key)
            # A new mapping: other threads are reading the one there is.
            self._entries = {**self._entries, key: entry}
            if before is not None:
                # It goes on where the other was: what is true already does not fire again.
                before.end(cancelled=True)
                entry.watch = before.watch
                if before in self._fresh:
                    self._fresh.remove(before)
                    self._fresh.append(entry)
            else:
                self._fresh.append(entry)
            self._version += 1
            if not self._running:
                self._running = True
                start_thread("pulse-alerts", self._run)
            self._alarm.ring()

    def cancel(self, entry: Entry) -> None:
        """Take an alert away."""
        aside("pulse-alerts-set", partial(self._remove, entry))

    def _remove(self, entry: Entry) -> None:
        with self._lock:
            self._entries = {key: one for key, one in self._entries.items() if one is not entry}
            entry.end(cancelled=True)
            self._version += 1
            self._alarm.ring()

    # What a session asks ----------------------------------------------------------------

    def key(self) -> int:
        """Return a number that changes whenever an alert has another phase."""
        return self._version

    def states(self) -> tuple[AlertState, ...]:
        """Return how each does, thing by thing."""
        missed = 0 if self._subscription is None else self._subscription.dropped
        states = [state for one in self._entries.values() for state in _states(one, missed)]
        if len(states) <= STATES_MOST:
            return tuple(states)
        loud = sorted(range(len(states)), key=lambda place: LOUDEST.index(states[place].phase))
        return tuple(states[place] for place in sorted(loud[:STATES_MOST]))

    def last(self) -> bool:
        """Look at the last rows; called by the flusher. Return whether that says something."""
        if not self._lock.acquire(timeout=END_S):
            return False
        try:
            before = self._rows.waiting()
            if self._entries and not self._ended:
                self._pass()
            return self._rows.waiting() > before
        finally:
            self._lock.release()

    def stop(self) -> None:
        """End the threads; a callback that hangs is left alone."""
        self._ended = True
        for entry in self._entries.values():
            entry.end(cancelled=False)
        self._alarm.ring()

    # The thread -------------------------------------------------------------------------

    def _run(self) -> None:
        failed = False
        while not self._ended:
            try:
                with self._lock:
                    if not self._entries:
                        self._leave()
                        return
                    self._pass()
            except Exception:
                # The top of the thread. It goes on with the next rows.
                if not failed:
                    _logger.exception("a pass of the alerts failed")
                failed = True
            if self._subscription is not None:
                self._subscription.cpu_s = time.thread_time()
            self._alarm.wait(TICK_S)
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        """Follow nothing any more; the lock is held."""
        if self._subscription is not None:
            self._stage.unsubscribe(self._subscription)
        self._subscription = None
        self._running = False
        self._readings = Readings(self._registry, self._interval_s)

    def _pass(self) -> None:
        """Look at what has arrived; the lock is held."""
        if self._subscription is None:
            self._subscription = self._stage.subscribe()
            self._subscription.arrived = self._alarm
        fresh, self._fresh = self._fresh, []
        past: list[Rows] = []
        if fresh:
            rows, events, past = self._stage.past(self._subscription)
        else:
            rows, events = self._subscription.take()
        self._take(rows, events)
        if fresh:
            self._readings.begin(self._wanted(), past)
            self._resolve(list(self._entries.values()))
        if fresh or time.monotonic() - self._looked >= TICK_S:
            self._look_again()

    def _take(self, rows: Rows, events: Events) -> None:
        if not len(rows):
            return
        found = self._readings.learn(self._wanted())
        self._resolve([one for one in self._entries.values() if one.watch.metrics & found])
        if news := self._readings.news(rows, events):
            self._tell(lambda subject: subject.take(news))

    def _tell(self, look: Callable[[Subject], list[Change]]) -> None:
        """Say what follows from looking at each thing."""
        for entry in self._entries.values():
            for owner, subject in entry.watch.subjects.items():
                phase = subject.phase
                for change in look(subject):
                    self._say(entry, owner, change)
                self._version += subject.phase != phase

    def _wanted(self) -> frozenset[str]:
        return frozenset().union(*(entry.watch.metrics for entry in self._entries.values()))

    def _resolve(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        now = self._readings.now()
        for entry in entries:
            entry.watch.resolve(self._readings.known, now)
        self._version += 1

    def _look_again(self) -> None:
        """Look at what has grown old."""
        now = self._clock.now_us()
        for entry in self._entries.values():
            entry.waits_for = entry.watch.waits_for(self._readings.known)
        self._tell(lambda subject: subject.tick(now))
        self._looked = time.monotonic()

    # What is said -----------------------------------------------------------------------

    def _say(self, entry: Entry, owner: Owner, change: Change) -> None:
        host, entity = owner
        condition = entry.watch.condition
        said = sentence(condition, entity, change)
        metric = entry.watch.leaves[0].metric
        sides = {"value": _plain(change.value), "limit": _plain(change.limit)}
        facts = {
            "label": said,
            "phase": change.phase,
            "text": entry.text,
            "entity": entity,
            "metric": metric,
            **sides,
            "message": said,
        }
        self._rows.say(host, entity, change.time, facts)
        if change.phase == "firing" and entry.caller is not None:
            entry.caller.call(
                AlertEvent(
                    text=entry.text,
                    entity=entity,
                    host=host,
                    metric=metric,
                    value=change.value,
                    limit=change.limit,
                    time=change.time / 1e6,
                    phase=change.phase,
                    message=said,
                )
            )

    def _went(self, entry: Entry, event: AlertEvent, error: str) -> None:
        """Note how a call of a callback went; called by its thread."""
        # The words of an error may have a secret in them, and the state goes to pages.
        error = masked_text(error)
        owner = (event.host, event.entity)
        failed = {one: said for one, said in entry.failed.items() if one != owner}
        if error:
            failed[owner] = error
        if failed != entry.failed:
            entry.failed = failed
            self._version += 1
        if not error or self._ended:
            return
        said = f"The callback of an alert failed: {error}"
        facts = {
            "label": said,
            "phase": "failed",
            "text": event.text,
            "entity": event.entity,
            "metric": event.metric,
            "value": _plain(event.value),
            "limit": _plain(event.limit),
            "message": said,
        }
        self._rows.say(event.host, event.entity, self._clock.now_us(), facts)


def _states(entry: Entry, missed: int) -> list[AlertState]:
    """Return how an alert does, thing by thing."""
    subjects = entry.watch.subjects
    if not subjects:
        problem = entry.waits_for or "it waits for a first reading"
        return [AlertState(entry.text, "no data", "", "", None, None, problem)]
    states = []
    for (host, entity), subject in subjects.items():
        failed = entry.failed.get((host, entity), "")
        since = None if subject.since is None else subject.since / 1e6
        problems = [failed and f"the callback failed: {failed}"]
        if entry.caller is not None:
            problems.append(entry.caller.problem())
        if subject.untold:
            problems.append(f"it fired {subject.untold} times too often to be told each time")
        if subject.phase == "no data":
            problems.append(entry.waits_for or "a reading is missing")
        if entry.watch.left_out:
            problems.append(f"{entry.watch.left_out} more are not watched")
        if missed:
            problems.append(f"{missed} rows came too fast to be looked at")
        states.append(
            AlertState(
                entry.text,
                "failed" if failed else subject.phase,
                host,
                entity,
                _plain(subject.value),
                since,
                "; ".join(filter(None, problems)),
            )
        )
    return states


def _plain(value: float | None) -> float | None:
    """Return a number that JSON has."""
    return value if value is not None and math.isfinite(value) else None

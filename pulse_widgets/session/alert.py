"""One alert as its user holds it, and what its callback is given."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.collectors.capture.secrets import masked_text
from pulse_widgets.errors import ArgumentError, words_of
from pulse_widgets.insight.alerts.watch import Watch
from pulse_widgets.signals import Alarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.insight.alerts.tree import Condition
    from pulse_widgets.insight.alerts.watch import Owner
    from pulse_widgets.series.state import AlertPhase

__all__ = ["LOUDEST", "Alert", "AlertEvent", "Caller", "Entry", "called_with"]

QUEUE_MOST: Final = 256
"""Firings that wait for a callback which is still busy; more of them are counted."""
LOUDEST: Final[tuple[AlertPhase, ...]] = ("failed", "firing", "pending", "no data", "quiet")


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One firing of an alert, as its callback is given it.

    Attributes
    ----------
    text : str
        The condition, as it was written.
    entity : str
        Of what it became true, such as ``gpu:0`` or ``user``.
    host : str
        Of which machine; ``h0`` is this one.
    metric : str
        The first metric of the condition.
    value, limit : float or None
        The two sides of its first comparison, in base units.
    time : float
        When it had been true for long enough, Unix seconds.
    phase : str
        ``firing``.
    message : str
        All that in a sentence.
    """

    text: str
    entity: str
    host: str
    metric: str
    value: float | None
    limit: float | None
    time: float
    phase: str
    message: str


class Entry:
    """An alert that was set.

    Attributes
    ----------
    text : str
        The condition, as it was written.
    watch : Watch
    caller : Caller or None
        Calls the callback.
    failed : dict of Owner to str
        Of what the last call of the callback failed, and how.
    waits_for : str
        What it waits for; empty where nothing is missing.
    """

    def __init__(self, text: str, condition: Condition) -> None:
        self.text = text
        self.watch = Watch(condition)
        self.caller: Caller | None = None
        self.failed: dict[Owner, str] = {}
        self.waits_for = ""
        self._cancelled = False

    def phase(self) -> str:
        """Return the loudest phase of all the things that it is about."""
        if self._cancelled:
            return "cancelled"
        if self.failed:
            return "failed"
        phases = {subject.phase for subject in self.watch.subjects.values()}
        return next((phase for phase in LOUDEST if phase in phases), "no data")

    def end(self, *, cancelled: bool) -> None:
        """Call nothing any more."""
        self._cancelled = self._cancelled or cancelled
        if self.caller is not None:
            self.caller.end()


class Alert:
    """An alert that was set; it lasts until it is cancelled or the session ends.

    Made by `Monitor.alert`.

    Parameters
    ----------
    entry : Entry
    cancel : callable
        Takes the alert away.
    """

    def __init__(self, entry: Entry, cancel: Callable[[Entry], None]) -> None:
        self._entry = entry
        self._cancel = cancel

    @property
    def text(self) -> str:
        """The condition, as it was written."""
        return self._entry.text

    @property
    def phase(self) -> str:
        """How it does: the first of these that is true of one of the things it is about.

        ``failed`` (the callback raised an error), ``firing``, ``pending`` (true, but not for long
        enough), ``no data``, ``quiet``; after `cancel`, ``cancelled``.
        """
        return self._entry.phase()

    def cancel(self) -> None:
        """Take the alert away; what it has said stays in the recording. Twice is harmless."""
        self._cancel(self._entry)

    def __repr__(self) -> str:
        return f"<Alert {self.text!r}: {self.phase}>"


def called_with(then: object) -> tuple[Callable[..., object], bool]:
    """Return a callback, and whether it takes the event.

    Raises
    ------
    ArgumentError
        It cannot be called with one argument or none.
    """
    remedy = "Pass a function of one argument, or of none, such as then=lambda event: ..."
    if not callable(then):
        raise ArgumentError(f"then={then!r} is no function", remedy=remedy)
    if inspect.iscoroutinefunction(then):
        raise ArgumentError(
            f"then={then!r} is an async function, which a thread cannot await",
            remedy="Pass a plain function; it may hand work over with "
            "asyncio.run_coroutine_threadsafe().",
        )
    try:
        signature = inspect.signature(then)
    except (TypeError, ValueError):
        return then, True  # made in C: nobody can say what it takes
    for given in ((None,), ()):
        try:
            signature.bind(*given)
        except TypeError:
            continue
        return then, bool(given)
    raise ArgumentError(f"then={then!r} needs more than one argument", remedy=remedy)


class Caller:
    """Calls the callback of one alert, on a thread of its own.

    Parameters
    ----------
    name : str
        Of the thread.
    then : callable
    takes_event : bool
    went : callable
        Told how each call went: the event, and the words of the error or an empty text.
    """

    def __init__(
        self,
        name: str,
        then: Callable[..., object],
        went: Callable[[AlertEvent, str], None],
        *,
        takes_event: bool,
    ) -> None:
        self._name = name
        self._then = then
        self._takes_event = takes_event
        self._went = went
        # What the callback prints belongs to the cell that set the alert.
        self._context = contextvars.copy_context()
        self._queue: deque[AlertEvent] = deque()
        self._alarm = Alarm()
        self._thread: threading.Thread | None = None
        self._ended = False
        self.busy = False
        self.missed = 0
        """Firings that found too many waiting."""

    def call(self, event: AlertEvent) -> None:
        """Have it called; returns at once."""
        if len(self._queue) >= QUEUE_MOST:
            self.missed += 1
            return
        self._queue.append(event)
        if self._thread is None:
            self._thread = start_thread(self._name, self._run)
        self._alarm.ring()

    def end(self) -> None:
        """End the thread after what waits; one that hangs is left alone."""
        self._ended = True
        self._alarm.ring()

    def problem(self) -> str:
        """Return what is wrong with the callback, in a sentence; empty where nothing is."""
        waiting = len(self._queue) + self.missed
        if not self.busy or not waiting:
            return ""
        return f"the callback is still busy with an earlier firing; {waiting} more came meanwhile"

    def _run(self) -> None:
        while True:
            while self._queue:
                event = self._queue.popleft()
                self.busy = True
                self._went(event, self._call(event))
                self.busy = False
            if self._ended:
                return
            self._alarm.wait(threading.TIMEOUT_MAX)

    def _call(self, event: AlertEvent) -> str:
        given: tuple[Any, ...] = (event,) if self._takes_event else ()
        try:
            self._context.copy().run(self._then, *given)
        except BaseException as error:  # noqa: BLE001  whatever the user's code raises, exits too
            # An error of a request holds the address, and that may be a secret.
            return masked_text(words_of(error))
        return ""

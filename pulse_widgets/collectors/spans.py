"""Spans of the user's code: a row where one begins, and one of the same id where it ends."""

from __future__ import annotations

import itertools
import math
import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.queued import QueuedRows
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.metrics.kinds import SPAN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["OpenSpan", "SpanRows", "begin_in", "innermost"]

_innermost: ContextVar[OpenSpan | None] = ContextVar("pulse_widgets.span", default=None)
_numbers: Final = itertools.count(1)
_main: Final = threading.main_thread()


class OpenSpan:
    """A span that has begun.

    Attributes
    ----------
    parent : OpenSpan or None
        The one that it began in, on the same thread and in the same task.
    """

    __slots__ = ("_began_us", "_ended", "_id", "_rows", "parent")

    def __init__(self, rows: SpanRows, parent: OpenSpan | None, began_us: int) -> None:
        self.parent = parent
        self._rows = rows
        self._began_us = began_us
        self._ended = False
        # Other processes may write to the same recording, so a number alone is not enough.
        self._id = f"{next(_numbers)}@{began_us}"

    def end(self, error: BaseException | type[BaseException] | None = None) -> None:
        """End it; once the session is over, it stays without an end.

        Parameters
        ----------
        error : exception or its type, optional
            What ended it.
        """
        # Whoever began in it and outlives it sees that it is over.
        self._ended = True
        if _innermost.get() is self:
            _innermost.set(_running(self.parent))
        self._rows.end(self._id, self._began_us, error)

    def id_in(self, rows: SpanRows) -> str | None:
        """Return its id; None where it is no span of the session of `rows`."""
        return self._id if self._rows is rows else None

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended


def _running(span: OpenSpan | None) -> OpenSpan | None:
    """Return the innermost span, from this one outwards, that is not over."""
    while span is not None and span.ended:
        span = span.parent
    return span


def innermost() -> OpenSpan | None:
    """Return the span that new ones begin in, on this thread and in this task."""
    return _running(_innermost.get())


def begin_in(span: OpenSpan | None) -> None:
    """Have new spans, on this thread and in this task, begin in another one."""
    _innermost.set(span)


class SpanRows(QueuedRows):
    """Takes in what `pulse_widgets.span` and `pulse_widgets.traced` are told.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    arrived, relieve : callable
        As of `QueuedRows`.
    entity : str
        The process it is about.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what all of them are given, and how callers wait
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        arrived: Callable[[], None],
        relieve: Callable[[], None] = lambda: None,
        entity: str = Whose().kernel,
    ) -> None:
        super().__init__("spans", arrived, relieve)
        self.status.state = "ok"
        self._clock = clock
        self._registry = registry
        self._key = (host, entity, "span")
        self._series: int | None = None
        self._pid = os.getpid()
        self._closed = False

    def stop(self) -> None:
        """Take no more ends of spans."""
        self._closed = True

    def begin(self, name: str, facts: Mapping[str, object]) -> OpenSpan | None:
        """Begin a span inside the one that is open here; None once nothing is taken any more.

        Parameters
        ----------
        name : str
        facts : mapping
            What JSON has; told in the row at its start.
        """
        if self._closed:
            return None
        series = self._series
        if series is None:
            series = self._series = self._registry.add(*self._key, unit="s", kind=SPAN.stored)
        now_us = self._clock.now_us()
        parent = _running(_innermost.get())
        span = OpenSpan(self, parent, now_us)
        told: dict[str, object] = {"id": span.id_in(self), "name": name}
        if parent is not None and (above := parent.id_in(self)) is not None:
            told["parent"] = above
        thread = threading.current_thread()
        if thread is not _main:
            told["thread"] = thread.name
        if facts:
            told |= facts
        self.put((series, now_us, math.nan, told))
        # Last: where an interrupt cuts this off, nothing begins in a span that nobody ends.
        _innermost.set(span)
        return span

    def end(
        self, identity: str, began_us: int, error: BaseException | type[BaseException] | None
    ) -> None:
        """Write the row at the end of a span."""
        if self._closed or self._series is None or os.getpid() != self._pid:
            return
        now_us = self._clock.now_us()
        told: dict[str, object] = {"id": identity, "status": "ok"}
        if error is not None:
            told |= _status_of(error)
        self.put((self._series, now_us, (now_us - began_us) / 1e6, told))


def _status_of(error: BaseException | type[BaseException]) -> dict[str, object]:
    """Return how a span ended that an exception left."""
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, GeneratorExit):
        # Somebody had enough of what a generator gives.
        return {"status": "ok"}
    # Of asyncio, which need not be loaded.
    stopped = issubclass(kind, KeyboardInterrupt) or kind.__name__ == "CancelledError"
    return {"status": "interrupted" if stopped else "error", "error": kind.__name__}

"""The rows of notebook cells: a span for each, an event for each error, and the busy time."""

from __future__ import annotations

import math
import os
import threading
import time
from typing import TYPE_CHECKING

from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.collectors.capture.secrets import masked_text
from pulse_widgets.collectors.cell_errors import event_of_error
from pulse_widgets.collectors.cell_watch import watch
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.metrics.kinds import MOMENT, SPAN
from pulse_widgets.series.facts import row_of_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.collectors.cell_watch import Execution, Outcome
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["CellRows"]


class CellRows(RowCollector):
    """Listens to cells, and makes rows of them; does nothing outside IPython.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    arrived : callable
        Called when something waits to be drained.
    entity : str
        The process it is about.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        arrived: Callable[[], None],
        entity: str = Whose().kernel,
    ) -> None:
        super().__init__("cells", arrived)
        self.status.state = "off"
        self._registry = registry
        self._clock = clock
        self._host = host
        self._entity = entity
        self._pid = os.getpid()
        self._running: dict[Execution, tuple[str, float]] = {}
        """Id and begin of each cell that runs, in monotonic seconds."""
        self._busy_since: float | None = None
        self._busy_s = 0.0
        # A lock made in C and held briefly: an interrupt cannot leave it locked.
        self._busy_lock = threading.RLock()
        self.active = False
        """Whether there is a notebook to listen to."""
        self.at_edge: Callable[[], None] = lambda: None
        """Called when a cell begins, and when it ends; waits for nothing."""

    def start(self) -> None:
        """Listen for cells; one that runs now counts from now on."""
        self.active = watch.subscribe(self)
        self.status.state = "ok" if self.active else "off"

    def stop(self) -> None:
        """Stop listening; a cell that runs now has no end in the recording."""
        self.active = False
        self.status.state = "off"
        watch.unsubscribe(self)

    @property
    def cell(self) -> int | None:
        """Execution count of the running cell, of several the newest; None when none runs."""
        return next((run.count for run in reversed(tuple(self._running))), None)

    def busy_s(self) -> float:
        """Return the seconds during which any cell ran, since the start."""
        watch.look()
        with self._busy_lock:
            since = self._busy_since
            return self._busy_s + (time.monotonic() - since if since is not None else 0.0)

    # Told by the watch ------------------------------------------------------------------

    def began(self, run: Execution) -> None:
        """Begin the span of a cell."""
        if os.getpid() != self._pid:
            return
        now_us = self._clock.now_us()
        name = f"{run.count}@{now_us}"
        with self._busy_lock:
            began = time.monotonic()
            self._running[run] = (name, began)
            if self._busy_since is None:
                self._busy_since = began
        content = {"id": name, "count": run.count, "line": masked_text(run.line)}
        if run.cell_id:
            content["cell_id"] = run.cell_id
        self._span(now_us, math.nan, content)
        self.at_edge()

    def ended(self, run: Execution, outcome: Outcome) -> None:
        """End the span of a cell, and tell of what it raised."""
        if os.getpid() != self._pid or run not in self._running:
            return
        now_us = self._clock.now_us()
        # First: an interrupt of what follows must not leave the kernel busy for ever.
        name, began = self._leave(run)
        content = {"id": name, "status": outcome.status}
        error = outcome.error if outcome.status == "error" else None
        if error is not None:
            content["error"] = type(error).__name__
        self._span(now_us, time.monotonic() - began, content)
        self.at_edge()
        if error is not None:
            event = event_of_error(error, run.count, traced=outcome.compiled)
            series = self._registry.add(self._host, self._entity, "event", kind=MOMENT.stored)
            self.add(row_of_facts(series, now_us, event))

    def vanished(self, run: Execution) -> None:
        """Leave a cell without an end: when that was nobody knows."""
        if run in self._running:
            self._leave(run)

    def _leave(self, run: Execution) -> tuple[str, float]:
        with self._busy_lock:
            left = self._running.pop(run)
            if not self._running and self._busy_since is not None:
                self._busy_s += time.monotonic() - self._busy_since
                self._busy_since = None
        return left

    def _span(self, time_us: int, seconds: float, content: Mapping[str, object]) -> None:
        series = self._registry.add(self._host, self._entity, "cell", unit="s", kind=SPAN.stored)
        self.add(row_of_facts(series, time_us, content, seconds))

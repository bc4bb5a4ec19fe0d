"""A collector of the cells that are executed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.buffered.collector import Collector
from pulse_widgets.collectors.buffered.entry import Entry
from pulse_widgets.collectors.capture.secrets import masked
from pulse_widgets.collectors.cell_watch import watch

if TYPE_CHECKING:
    from pulse_widgets.collectors.cell_watch import Execution, Outcome

__all__ = ["CellCollector"]

MEASUREMENT: Final = "cell"


class CellCollector(Collector):
    """Takes in the cells that a notebook executes, an entry each, when it has ended.

    Each entry has the measurement ``cell``, the time at which the cell began, the tags ``cell``
    (its execution count) and ``cell_id`` (what the notebook calls it, where it says so), and the
    fields ``count``, ``line`` (the first line that does something, secrets masked), ``seconds``,
    ``status`` (``ok``, ``error`` or ``interrupted``) and ``error`` (the type of what it raised).
    A cell whose end nobody saw, such as the one that calls `stop`, is an entry without
    ``seconds`` and ``status``. The recording of a session that runs has all of this anyway.

    Outside of IPython there are no cells: nothing is taken in, and `problem` says so.

    Attributes
    ----------
    problem : str
        Why nothing is taken in; empty while it is.
    """

    DROP_THRESHOLD = None
    PATIENCE_S = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.problem = ""
        self._listener = _Listener(self)

    def start(self) -> None:
        """Take in the cells from now on, the one that runs included; twice is once."""
        heard = watch.subscribe(self._listener)
        self.problem = "" if heard else "This process is no IPython, so it executes no cells."

    def stop(self) -> None:
        """Take in the cells that run, without an end, and then nothing; twice is harmless."""
        watch.unsubscribe(self._listener)
        self._listener.leave_all()

    def collect(self, consumer: str = "default") -> list[Any]:
        """Return the entries that a consumer has not let go of, oldest first, and keep them."""
        watch.look()
        return super().collect(consumer)


class _Listener:
    """What the watch of cells tells for one collector."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._running: dict[Execution, float] = {}
        """When each cell that runs began, Unix seconds."""
        self._pid = os.getpid()

    def began(self, run: Execution) -> None:
        """Note when a cell began."""
        if os.getpid() != self._pid:
            self._pid, self._running = os.getpid(), {}
        self._running[run] = time.time() - (time.monotonic() - run.began_s)

    def ended(self, run: Execution, outcome: Outcome) -> None:
        """Make an entry of a cell."""
        fields: dict[str, Any] = {
            "seconds": time.monotonic() - run.began_s,
            "status": outcome.status,
        }
        if outcome.status == "error" and outcome.error is not None:
            fields["error"] = type(outcome.error).__name__
        self._leave(run, fields)

    def vanished(self, run: Execution) -> None:
        """Make an entry of a cell that ended unseen."""
        self._leave(run, {})

    def leave_all(self) -> None:
        """Make entries of the cells that run."""
        for run in tuple(self._running):
            self._leave(run, {})

    def _leave(self, run: Execution, end: dict[str, Any]) -> None:
        ts = self._running.pop(run, None)
        if ts is None or os.getpid() != self._pid:
            return
        tags = {"cell": str(run.count)}
        if run.cell_id:
            tags["cell_id"] = run.cell_id
        fields = {"count": run.count, "line": masked(run.line), **end}
        self._collector.add([Entry(MEASUREMENT, ts, fields, tags)])

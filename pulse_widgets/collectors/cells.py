"""Watches notebook cells: a span for each, and the share of time the kernel is busy."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.metrics.kinds import SPAN
from pulse_widgets.series.facts import row_of_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["CellRows"]

RUNS: Final = "run_code"
RUNS_IN: Final = "interactiveshell.py"
"""Where IPython runs the code of a cell."""


class CellRows(RowCollector):
    """Listens to the notebook's own signals; does nothing outside IPython.

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
        self._shell: Any = None
        self._began: float | None = None
        self._began_us = 0
        self._busy_s = 0.0
        self._ahead: int | None = 0
        """By how much the count is ahead of the number of a cell that runs; None: not seen yet."""
        self.cell: int | None = None
        """Execution count of the running cell; None when the kernel is idle."""

    def start(self) -> None:
        """Listen for cells; one that runs now counts from now on."""
        if "IPython" not in sys.modules:
            return  # a plain program; loading it would take longer than all else here
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is None or getattr(shell, "kernel", None) is None:
            return
        self._shell = shell
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)
        self.status.state = "ok"
        if _runs_a_cell():
            self._ahead = self._counted_ahead(begun=True)
            self._enter(shell.execution_count - self._ahead)
        else:
            self._ahead = None

    def stop(self) -> None:
        """Stop listening."""
        shell, self._shell = self._shell, None
        if shell is not None:
            self.status.state = "off"
            for event, hook in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
                # Gone already when somebody has reset the notebook's events.
                with contextlib.suppress(ValueError):
                    shell.events.unregister(event, hook)

    @property
    def active(self) -> bool:
        """Whether there is a notebook to listen to."""
        return self._shell is not None

    def busy_s(self) -> float:
        """Return the seconds during which a cell ran, since the start."""
        began = self._began
        return self._busy_s + (time.monotonic() - began if began is not None else 0.0)

    def _before(self, info: Any = None) -> None:
        if os.getpid() != self._pid or getattr(info, "silent", False):
            return
        source = getattr(info, "raw_cell", "") or ""
        ahead = self._counted_ahead(begun=False) if self._ahead is None else self._ahead
        if getattr(info, "store_history", True):
            self._ahead = ahead
        count = self._shell.execution_count - ahead
        self._enter(count, _telling_line(source)[:200])

    def _counted_ahead(self, *, begun: bool) -> int:
        """Newer versions of IPython count a cell before it runs, older ones after it.

        Its source is noted once it has `begun`, in both.
        """
        shell = self._shell
        ahead: int = shell.execution_count - len(shell.history_manager.input_hist_parsed)
        return min(max(ahead + begun, 0), 1)

    def _enter(self, count: int, line: str = "") -> None:
        self.cell = count
        self._began = time.monotonic()
        self._began_us = self._clock.now_us()
        self._span(math.nan, {"id": self._id(count), "count": count, "line": line})

    def _after(self, result: Any = None) -> None:
        if os.getpid() != self._pid or self._began is None or self.cell is None:
            return
        seconds = time.monotonic() - self._began
        self._busy_s += seconds
        self._began = None
        error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
        status = "error" if error is not None else "ok"
        content = {"id": self._id(self.cell), "status": status}
        if error is not None:
            content["error"] = type(error).__name__
        # First: an interrupt of what follows must not leave the kernel busy for ever.
        self.cell = None
        self._span(seconds, content)

    def _id(self, count: int) -> str:
        return f"{count}@{self._began_us}"

    def _span(self, seconds: float, content: Mapping[str, object]) -> None:
        series = self._registry.add(self._host, self._entity, "cell", unit="s", kind=SPAN.stored)
        self.add(row_of_facts(series, self._clock.now_us(), content, seconds))


def _runs_a_cell() -> bool:
    """Whether a cell runs now: it does where it calls us, and another thread sees it there."""
    if threading.current_thread() is threading.main_thread():
        return True
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001
    while frame is not None:
        code = frame.f_code
        if code.co_name == RUNS and code.co_filename.endswith(RUNS_IN):
            return True
        frame = frame.f_back
    return False


def _telling_line(source: str) -> str:
    """Return the first line that is neither empty nor a comment; of nothing else the first."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")

"""Watches what IPython executes, for as many listeners as there are.

The notebook's own signals tell of every cell. Executions are told apart by the object that IPython
makes for each of them, so that cells that overlap, as asynchronous ones and those of subshells do,
never mix. A cell that a magic runs inside another one is a part of that, and no execution of its
own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Protocol

from pulse_widgets.collectors.capture.secrets import masked
from pulse_widgets.ipython import shell_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["CellListener", "CellWatch", "Execution", "Outcome", "watch"]

RUNS: Final = "run_cell_async"
RUNS_IN: Final = "interactiveshell.py"
"""Where IPython runs a cell."""
EVENTS: Final = ("pre_run_cell", "post_run_cell")
LINE_LETTERS: Final = 200

_logger = logging.getLogger("pulse_widgets")
_numbers = count()


@dataclass(slots=True, eq=False)
class Execution:
    """A cell that runs.

    Attributes
    ----------
    number : int
        No other execution of this process has it.
    count : int
        Its execution count, the number in brackets before it.
    source : str
        As the user typed it.
    cell_id : str
        What the notebook calls the cell; empty where it does not say.
    began_s : float
        Monotonic seconds.
    thread : int
        Which thread runs it.
    task : asyncio.Task or None
        The one it runs in.
    info : object
        What IPython knows it by.
    """

    number: int
    count: int
    source: str
    cell_id: str
    began_s: float
    thread: int
    task: Any
    info: Any

    @property
    def line(self) -> str:
        """Its first line that does something, without what looks like a secret."""
        return masked(telling_line(self.source)[: 2 * LINE_LETTERS])[:LINE_LETTERS]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cell ended.

    Attributes
    ----------
    status : str
        ``ok``, ``error`` or ``interrupted``.
    error : BaseException or None
        What it raised.
    compiled : bool
        Whether it could be run at all.
    """

    status: str
    error: BaseException | None = None
    compiled: bool = True


class CellListener(Protocol):
    """What is told of cells, on the thread that runs them."""

    def began(self, run: Execution) -> None:
        """Take note of a cell that begins, or runs already."""

    def ended(self, run: Execution, outcome: Outcome) -> None:
        """Take note of its end."""

    def vanished(self, run: Execution) -> None:
        """Take note that it ended while nobody could hear it."""


class CellWatch:
    """Listens to the signals of the IPython of this process while somebody listens to it."""

    def __init__(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._listeners: tuple[CellListener, ...] = ()
        self._last: tuple[CellListener, ...] = ()
        self._running: dict[int, Execution] = {}
        self._shell: Any = None
        self._pid = os.getpid()
        self._ahead: int | None = None
        """By how much the count is ahead of the number of a cell that runs; None: not seen yet."""

    # Those who listen -------------------------------------------------------------------

    def subscribe(self, listener: CellListener, *, last: bool = False) -> bool:
        """Tell a listener of every cell from now on, and of those that run now.

        Parameters
        ----------
        listener : CellListener
        last : bool
            Tell it after all those that take note of what happened.

        Returns
        -------
        bool
            Whether there is an IPython to listen to; without one nothing is done.
        """
        if self._pid != os.getpid():
            self._begin_anew()
        shell = shell_here()
        if shell is None:
            return False
        if shell is not self._shell or not self._listeners:
            self._shell, self._running = shell, {}
            self._register()
            for info, number, thread in _running_now():
                self._note(info, number, thread)
        if listener not in self._listeners:
            self._last = (*self._last, *[listener] * last)
            early = [one for one in self._listeners if one not in self._last]
            self._listeners = (*early, *[listener] * (not last), *self._last)
            for run in self.running:
                listener.began(run)
        return True

    def unsubscribe(self, listener: CellListener) -> None:
        """Tell a listener of nothing any more."""
        self._last = tuple(one for one in self._last if one is not listener)
        self._listeners = tuple(one for one in self._listeners if one is not listener)
        if self._listeners or self._shell is None:
            return
        for event, hook in zip(EVENTS, (self._before, self._after), strict=True):
            # Gone already when somebody has reset the notebook's events.
            with contextlib.suppress(ValueError):
                self._shell.events.unregister(event, hook)

    @property
    def running(self) -> tuple[Execution, ...]:
        """The cells that run, in order of their start."""
        return tuple(self._running.values())

    def look(self) -> None:
        """Listen again where somebody has reset the notebook's events; called now and then."""
        if not self._listeners or self._pid != os.getpid() or self._listens():
            return
        self._register()
        alive = {id(info) for info, _, _ in _running_now()}
        for key, run in list(self._running.items()):
            waits = run.task is not None and not run.task.done()
            if key not in alive and not waits and self._running.pop(key, None) is not None:
                for one in self._listeners:
                    one.vanished(run)

    # The signals ------------------------------------------------------------------------

    def _listens(self) -> bool:
        callbacks = self._shell.events.callbacks
        return self._before in callbacks[EVENTS[0]] and self._after in callbacks[EVENTS[1]]

    def _register(self) -> None:
        self._shell.events.register(EVENTS[0], self._before)
        self._shell.events.register(EVENTS[1], self._after)

    def _before(self, info: Any = None) -> None:
        if os.getpid() != self._pid or info is None or info.silent:
            return
        frames = list(_frames_of_cells(sys._getframe()))  # noqa: SLF001
        if len(frames) > 1:
            return  # inside another cell
        number = _told_count(frames[0]) if frames else None
        run = self._note(info, number, threading.get_ident())
        _tell(self._listeners, lambda one: one.began(run))

    def _after(self, result: Any = None) -> None:
        if os.getpid() != self._pid or next(_frames_of_cells(sys._getframe()), None):  # noqa: SLF001
            return
        # Where it has no result, this is called while what ended it goes by.
        raised = sys.exc_info()[1] if result is None else None
        run = self._ended(result)
        if run is not None:
            outcome = _outcome(run, result, raised)
            _tell(self._listeners, lambda one: one.ended(run, outcome))

    def _note(self, info: Any, number: int | None, thread: int) -> Execution:
        """Take note of an execution that begins."""
        if number is None:
            number = self._guessed(info)
        task = _current_task() if thread == threading.get_ident() else None
        source, cell_id = info.raw_cell or "", getattr(info, "cell_id", None) or ""
        now = time.monotonic()
        run = Execution(next(_numbers), number, source, str(cell_id), now, thread, task, info)
        self._running[id(info)] = run
        return run

    def _guessed(self, info: Any) -> int:
        """Return the count of an execution that IPython does not tell.

        Newer versions of IPython count a cell before it runs, older ones after it. Its source is
        noted once it has begun, in both.
        """
        shell, ahead = self._shell, self._ahead
        if ahead is None:
            noted = len(shell.history_manager.input_hist_parsed) if shell.history_manager else 0
            ahead = min(max(shell.execution_count - noted, 0), 1)
        if info.store_history:
            self._ahead = ahead
        return int(shell.execution_count) - ahead

    def _ended(self, result: Any) -> Execution | None:
        """Return the execution that a result is of, which runs no more; None if there is none."""
        info = getattr(result, "info", None)
        run = self._running.pop(id(info), None)
        if run is not None:
            return run
        here = [one for one in self.running if one.thread == threading.get_ident()]
        if info is not None:
            # Where the runner itself fails, IPython tells of the same cell under another object.
            here = [one for one in here if one.source == info.raw_cell]
        over = [one for one in here if one.task is not None and one.task.done()]
        for one in reversed(over or here):
            return self._running.pop(id(one.info), None)
        return None


watch = CellWatch()
"""The watch of this process."""


def _tell(listeners: tuple[CellListener, ...], call: Callable[[CellListener], None]) -> None:
    """Tell each of them, whatever befalls the others; an interrupt goes on to the notebook."""
    if not listeners:
        return
    try:
        call(listeners[0])
    except Exception:
        # A listener may fail, the notebook may not.
        _logger.exception("a listener to cells failed")
    finally:
        _tell(listeners[1:], call)


def _outcome(run: Execution, result: Any, raised: BaseException | None) -> Outcome:
    before = getattr(result, "error_before_exec", None)
    error = before or getattr(result, "error_in_exec", None) or raised
    if error is None:
        # One without a result was cut off before it had any.
        return Outcome("interrupted" if result is None else "ok")
    cancelled = type(error).__name__ == "CancelledError" and run.task is not None
    if isinstance(error, KeyboardInterrupt) or (cancelled and run.task.cancelling()):
        return Outcome("interrupted", error)
    return Outcome("error", error, compiled=before is None)


def _frames_of_cells(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames in which IPython runs cells, the innermost first."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == RUNS and code.co_filename.endswith(RUNS_IN):
            yield frame
        frame = frame.f_back


def _current_task() -> Any:
    """Return the asynchronous task that runs on this thread; None where there is none."""
    asyncio = sys.modules.get("asyncio")  # a plain program does without
    if asyncio is None:
        return None
    with contextlib.suppress(RuntimeError):
        return asyncio.current_task()
    return None


def _told_count(frame: FrameType) -> int | None:
    """Return the execution count that IPython has given the cell; None where it tells none yet."""
    told = getattr(frame.f_locals.get("result"), "execution_count", None)
    return told if isinstance(told, int) else None


def _running_now() -> Iterator[tuple[Any, int | None, int]]:
    """Yield what IPython knows of each cell that runs now, its count and its thread."""
    for thread, top in sys._current_frames().items():  # noqa: SLF001
        # Of several the outermost is the user's.
        for frame in list(_frames_of_cells(top))[-1:]:
            info = frame.f_locals.get("info")
            if info is not None and not info.silent:
                yield info, _told_count(frame), thread


def telling_line(source: str) -> str:
    """Return the first line that is neither empty nor a comment; of nothing else the first.

    The line ``%%pulse`` says nothing of what a cell does.
    """
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    acts = (line for line in lines if not line.startswith("#") and line.split()[0] != "%%pulse")
    return next(acts, lines[0] if lines else "")

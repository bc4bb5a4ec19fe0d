"""The base of all collectors: keeps rows until they are drained, and reports a status."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.metrics.entities import in_short
from pulse_widgets.series.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.errors import PulseError
    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.series.rows import Rows

__all__ = ["STALL_S", "RowCollector", "SourceStatus", "after", "start_thread"]

KEPT_BYTES = 256 << 20
"""Bytes of rows that a collector keeps while nobody drains it, behind a disk that hangs say."""

CROWDED = "too much waited for the disk"
"""Why rows were given up that nobody drained."""

STALL_S = 2.0
"""A reading that takes longer than this is named as stalled."""

ABANDON_S = 30.0
"""A reading that takes longer than this is no longer waited for."""


@dataclass(slots=True)
class SourceStatus:
    """How a source fares, in words a user can act on.

    Attributes
    ----------
    name : str
    state : str
        ``starting``, ``ok``, ``absent`` (not on this machine), ``failed``, ``stalled``,
        ``abandoned`` or ``off``.
    problem, remedy : str
        What is wrong and what to try; empty when all is well.
    missing : dict of str to str
        What this source does not deliver here, and why.
    busy_since : float or None
        Monotonic seconds at which the reading now in progress began.
    cost_s : float
        CPU seconds of its thread so far.
    tick_s, late_s : float
        Duration of the newest pass, and how late it started.
    passes, missed : int
        Passes so far, and ticks that were skipped because the one before took too long.
    rejected : int
        Values that cannot be true, and so are missing.
    """

    name: str
    state: str = "starting"
    problem: str = ""
    remedy: str = ""
    missing: dict[str, str] = field(default_factory=dict)
    busy_since: float | None = None
    cost_s: float = 0.0
    tick_s: float = 0.0
    late_s: float = 0.0
    passes: int = 0
    missed: int = 0
    rejected: int = 0

    def fail(self, error: PulseError, state: str = "failed") -> None:
        """Take over the problem and the remedy of an error."""
        self.state, self.problem, self.remedy = state, error.problem, error.remedy

    def fare(self, records: Sequence[RawRecord], refused: PulseError | None) -> None:
        """Say how a pass went: by the errors of its records, else by what became no row."""
        errors = [record for record in records if record.error]
        if not errors:
            self.state = "ok"
            self.problem, self.remedy = (refused.problem, refused.remedy) if refused else ("", "")
            return
        every = len(errors) == len(records)
        self.state = "failed" if every else "ok"
        self.problem = _by_error(errors)
        others = "" if every else "Its other devices go on. "
        self.remedy = f"{others}See `dmesg` for the driver's messages."

    def judged(self) -> tuple[str, str, str]:
        """Return state, problem and remedy; a reading that takes too long counts as stalled."""
        since = self.busy_since
        hung = time.monotonic() - since if since is not None else 0.0
        if hung < STALL_S:
            return self.state, self.problem, self.remedy
        if hung < ABANDON_S:
            problem = f"{self.name} has not answered for {hung:.0f} s"
            remedy = "Other sources go on. If it stays, look for a hung driver in `dmesg`."
            return "stalled", problem, remedy
        problem = f"{self.name} did not answer within {ABANDON_S:.0f} s and is no longer read"
        remedy = (
            "Call pw.stop() and pw.monitor() to try again, or leave it out: "
            f'pw.monitor(sources="auto,-{self.name}").'
        )
        return "abandoned", problem, remedy


class RowCollector:
    """Base of everything that produces rows.

    It keeps what it is given until somebody drains it into a log; a session's flusher drains all
    of its collectors. Used alone, it is read like a queue: `collect` returns what waits,
    `truncate` lets go of what was delivered, and rows added in between survive.

    Parameters
    ----------
    name : str
    arrived : callable
        Called when something waits to be drained.
    """

    def __init__(self, name: str, arrived: Callable[[], None] = lambda: None) -> None:
        self.status = SourceStatus(name)
        self.lost: Counter[str] = Counter()
        """Rows, or values of `pw.log`, that were accepted and then given up, by the reason."""
        self._arrived = arrived
        self._kept = Log()
        self._cursor = self._kept.cursor()
        # A lock made in C and held briefly: an interrupt cannot leave it locked.
        self._kept_lock = threading.RLock()

    @property
    def name(self) -> str:
        """The name under which the source is selected and reported."""
        return self.status.name

    def start(self) -> None:
        """Begin to collect."""

    def stop(self) -> None:
        """End collecting; returns at once, and may be called twice."""

    @property
    def dropped(self) -> int:
        """How many rows, or values of `pw.log`, were given up."""
        return sum(self.lost.values())

    def missing(self, *, at_end: bool) -> list[str]:  # noqa: ARG002  for those that read late
        """Return what was accepted and is in no recording, and why, in sentences."""
        lost = list(self.lost.items())
        return [f"{self._counted(number)} lost: {why}." for why, number in lost if number]

    def late(self) -> int:
        """Return how many rows only wait to be drained."""
        return sum(map(len, self._cursor.peek()))

    def gets_on(self) -> int:
        """Return a number that changes whenever something late has become rows."""
        return 0

    def finish(self) -> bool:
        """Have ready what was accepted and is late; return whether more is to come."""
        return False

    def add(self, rows: Rows) -> None:
        """Accept rows, and wake the flusher."""
        self._keep(rows)
        self._arrived()

    def waiting(self) -> int:
        """Return how much waits to be drained, in whatever unit it is kept."""
        return len(self._kept)

    def drain(self, log: Log) -> bool:
        """Move waiting rows into `log`; return whether some of them still wait.

        Any thread may call it. Where much waits it takes a part of it: what was accepted first
        can be on the disk while the rest is still drained.
        """
        if len(self._kept):
            with self._kept_lock:
                moved = 0
                try:
                    for rows in self._cursor.peek():
                        log.append(rows)
                        moved += 1
                finally:
                    # Where one fails, each of them is still in one place, and in one alone.
                    self._cursor.move(moved)
        return False

    def collect(self) -> list[Rows]:
        """Return the blocks of rows that wait, and keep them."""
        return self._cursor.peek()

    def truncate(self, count: int) -> None:
        """Drop the first `count` blocks that `collect` returned."""
        with self._kept_lock:
            self._cursor.move(min(count, len(self._cursor.peek())))

    def _keep(self, rows: Rows) -> None:
        """Keep rows until they are drained; beyond a bound the oldest are dropped, counted."""
        self._kept.append(rows)
        if self._kept.nbytes > KEPT_BYTES:
            with self._kept_lock:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        left = self._kept.nbytes
        blocks = self._cursor.peek()
        gone = 0
        while left > KEPT_BYTES and gone < len(blocks) - 1:
            left -= blocks[gone].nbytes
            gone += 1
        self.lost[CROWDED] += sum(map(len, blocks[:gone]))
        self._cursor.move(gone)

    def _counted(self, number: int) -> str:
        """Return so many of what it is given, as the beginning of a sentence."""
        rows = "row" if number == 1 else "rows"
        return f"{number} {rows} of {self.name} {'was' if number == 1 else 'were'}"


def after(now_s: float, period_s: float, phase_s: float = 0.0) -> float:
    """Return the next moment on the grid that all threads share, in monotonic seconds.

    Threads that wake right after one another find the interpreter in the processor's caches;
    spread over the period, the same work costs several times as much. They are not to wake at
    the same moment either: each call of a driver and each file lets the other have the
    interpreter, from one core to the other and back. So each has a phase.
    """
    if math.isinf(period_s):
        return math.inf
    return (math.floor((now_s - phase_s) / period_s + 1e-6) + 1) * period_s + phase_s


def start_thread(name: str, target: Callable[[], None]) -> threading.Thread:
    """Start a daemon thread inside a copy of the caller's context.

    Without the context, sending to the front end from the thread fails in ipykernel 7.0.0
    (https://github.com/ipython/ipykernel/issues/1450).
    """
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(_calm, target), name=name, daemon=True)
    thread.start()
    return thread


def _calm(target: Callable[[], None]) -> None:
    # The user may have told numpy to raise on NaN; here a missing value is no error.
    with np.errstate(all="ignore"):
        target()


def _by_error(errors: Sequence[RawRecord]) -> str:
    alike: dict[str | None, list[str]] = {}
    for record in errors:
        alike.setdefault(record.error, []).append(record.entity_id)
    return "; ".join(f"{in_short(names)}: {why}" for why, names in alike.items()) + "."

"""The thread that writes what arrives to the disk and passes it on to the views.

It drains all collectors into the log, in order. Only this thread takes from the log, writes and
closes files, so an interrupt of a cell cannot leave them half done. It wakes just after readings
are due and when a collector rings, and sleeps between.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.base import after, start_thread
from pulse_widgets.signals import Alarm, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.collectors.base import RowCollector
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.stage import Stage
    from pulse_widgets.storage.recorder import Recorder

__all__ = ["Flusher"]

PHASE_S: Final = 0.01
"""How long after the samplers the flusher wakes."""
FLUSH_S: Final = 0.1
"""Seconds between two journal batches at least: with `SOON_S`, what a kill can cost at most."""
SOON_S: Final = 0.12
"""A reading wakes nobody when the next pass comes within so many seconds anyway."""
AGE_S: Final = 0.2
"""Readings that come more often than this are taken several at a time."""
IDLE_S: Final = 1.0
"""Seconds between two passes while nothing arrives, at most."""
RELIEF_S: Final = 0.5
"""How long a caller that is too far ahead waits for the flusher before it goes on."""
STOP_S: Final = 1.0
AGAIN_S: Final = 1.0
"""Seconds between two offers of what still waits for the disk after the end."""
LOADING_S: Final = 30.0
"""How long an end waits for what writes the recording to be loaded."""


class Flusher:
    """Takes what arrives in a log to the recording and to the stage.

    Parameters
    ----------
    log : Log
    collectors : callable returning sequence of RowCollector
        Those that are drained into the log in each pass.
    recorder : Recorder
        Follows the log.
    stage : Stage

    Attributes
    ----------
    cpu_s : float
        CPU seconds of the thread so far.
    interval_s : float
        How often readings come; whoever changes it rings.
    besides_s : float
        Monotonic seconds at which a pass is wanted besides.
    besides : callable
        Called then, on the flusher's thread, at the start of the pass; it may set another time.
    sealed : callable
        Called on the flusher's thread when the last row is on the disk and the files are closed.
    """

    def __init__(
        self,
        log: Log,
        collectors: Callable[[], Sequence[RowCollector]],
        recorder: Recorder,
        stage: Stage,
    ) -> None:
        self.cpu_s = 0.0
        self.interval_s = self.besides_s = math.inf
        self._log = log
        self._collectors = collectors
        self._recorder = recorder
        self._stage = stage
        self.besides: Callable[[], None] = lambda: None
        self.sealed: Callable[[], None] = lambda: None
        self._unseen = log.cursor()
        self._arrival = Alarm()
        self._pacing = Alarm()
        self._callers: deque[Flag] = deque()
        """Producers that wait for the next pass to end."""
        self._rung = False
        """Whether somebody has rung since the last pass began."""
        self._next = math.inf
        """When the next pass begins by itself; endless while one is under way."""
        self._next_show = 0.0
        self._started = self._alive = False
        self._ending = self._leaving = False
        self._flushed = Flag()
        """Up when the disk was asked to take the last row."""
        self._gone = Flag()
        """Up when nothing is left to be written, or it is lost."""

    def start(self) -> None:
        """Start the thread."""
        # Set first: if an interrupt came before this, `stop` would not wait for the thread.
        self._started = True
        try:
            start_thread("pulse-flusher", self._run)
        except Exception:
            self._started = False
            raise

    # Called by other threads ------------------------------------------------------------

    def ring(self) -> None:
        """Say that something has arrived."""
        if not self._rung:
            try:
                self._rung = True
                self._arrival.ring()
            except BaseException:
                # Interrupted: the next arrival rings instead.
                self._rung = False
                raise

    def read(self) -> None:
        """Say that readings have arrived; where they come often, a pass is due anyway."""
        if self._next - time.monotonic() > SOON_S:
            self.ring()

    def relieve(self) -> None:
        """Wait until what waits has been taken, but not for long."""
        taken = Flag()
        self._callers.append(taken)
        self._pacing.ring()
        self.ring()
        taken.wait(RELIEF_S)

    def settle(self) -> None:
        """Wait until what waits has been taken and shown, but not for long."""
        ends = time.monotonic() + RELIEF_S
        while self._alive and time.monotonic() < ends:
            self.relieve()
            if not self._waiting() and not self._unseen.peek():
                return

    def drain(self) -> bool:
        """Turn what waits in the collectors into rows in the log; return whether more is there.

        A part of it where it is much. One that fails costs no other its rows.
        """
        more = False
        for collector in self._collectors():
            try:
                more |= collector.drain(self._log)
            except Exception as error:  # noqa: BLE001  kept as a problem of the recording
                self._recorder.not_taken(collector.name, error)
            else:
                self._recorder.taken(collector.name)
        return more

    def finish(self) -> bool:
        """End it, and wait as long as it gets on; return whether the disk was asked to take all.

        A disk that takes nothing for a second hangs. Loading what writes takes its time on a
        slow disk, and is not to cost the whole recording of a short script. When this is
        interrupted, calling it again goes on.
        """
        self._ending = True
        self._pacing.ring()
        self._arrival.ring()
        seen, since = None, time.monotonic()
        while self._started and not self._flushed.wait(0.05):
            now, progress = time.monotonic(), self._progress()
            if progress != seen:
                seen, since = progress, now
            loading = self._alive and self._recorder.loading
            patience = LOADING_S if loading else STOP_S
            if now - since > patience:
                return False
        return True

    def leave(self, seconds: float) -> None:
        """Have it offer what still waits for the disk a last time; the process is ending."""
        self._leaving = True
        self._pacing.ring()
        if self._alive:
            self._gone.wait(seconds)

    # The thread -------------------------------------------------------------------------

    def _run(self) -> None:
        self._alive = True
        ending = False
        try:
            while not ending:
                # A pass that begins after `stop` takes the last rows that were accepted.
                ending = self._ending
                self._once(rest=not ending)
            if self._waiting():
                # The pass failed, short of memory say: what waits is not to be given up for that.
                self._once(rest=False)
            while self._finish_collectors():
                self._once(rest=False)
            if self._waiting():
                self._once(rest=False)
            self._recorder.close()
        except BaseException as error:  # noqa: BLE001  the end of the thread
            self._recorder.failed(error)
        finally:
            self._wait_for_the_disk()
            self._flushed.set()

    def _finish_collectors(self) -> bool:
        """Return whether more is to come of any of them."""
        more = False
        for collector in self._collectors():
            more |= collector.finish()
        return more

    def _progress(self) -> tuple[int, ...]:
        """Return what changes whenever something gets on: values are read, rows are written."""
        read = sum(collector.gets_on() for collector in self._collectors())
        return self._waiting(), read, *self._recorder.progress()

    def _waiting(self) -> int:
        return sum(collector.waiting() for collector in self._collectors())

    def _wait_for_the_disk(self) -> None:
        """Offer what waits until the disk has taken it, or the process ends."""
        try:
            while not self._recorder.sealed:
                self._flushed.set()
                if not self._leaving:
                    self._pacing.wait(AGAIN_S)
                self._recorder.close(last=self._leaving)
            if not self._leaving:
                self.sealed()
        except BaseException as error:  # noqa: BLE001  the end of the thread
            self._recorder.failed(error)
        finally:
            self._gone.set()

    def _once(self, *, rest: bool) -> None:
        # Rows that arrive from here on ring again; rows before are seen by this pass.
        self._rung, self._next = False, math.inf
        try:
            self._pass(time.monotonic())
        except BaseException as error:  # noqa: BLE001
            # The top of the thread. It goes on: without it, rows would pile up unwritten.
            self._recorder.failed(error)
        while self._callers:
            self._callers.popleft().set()
        self.cpu_s = time.thread_time()
        if rest:
            self._rest()

    def _pass(self, now: float) -> None:
        if now >= self.besides_s:
            self.besides_s = math.inf
            self.besides()
        # One collector at a time: the first rows are written while the rest is still drained.
        while self.drain():
            self._recorder.take()
        self._recorder.take()
        # The recording gets the rows of every pass; views are updated less often.
        now = time.monotonic()
        if now >= self._next_show or self._ending:
            fresh = self._unseen.take()
            if len(fresh):
                self._stage.show(fresh)
                self._next_show = now + self._stage.tick_s - FLUSH_S / 2

    def _rest(self) -> None:
        """Wait until the next pass is due."""
        now = time.monotonic()
        due = self._due(now)
        self._next = due
        if self._arrival.wait(due - now):
            # Wait a little for what else arrives now: two batches are `FLUSH_S` apart.
            now = time.monotonic()
            self._pacing.wait(min(due, after(now, FLUSH_S, PHASE_S)) - now)

    def _due(self, now: float) -> float:
        """Return when the next pass begins if nobody rings: after readings, and to show."""
        tick_s = self._stage.tick_s
        together = max(1, math.floor(min(AGE_S, tick_s) / self.interval_s + 1e-6))
        period_s = min(together * self.interval_s, IDLE_S)
        due = after(now, period_s, PHASE_S)
        if period_s > tick_s and self._unseen.peek():
            due = min(due, max(self._next_show, after(now, FLUSH_S, PHASE_S)))
        return min(due, self.besides_s)

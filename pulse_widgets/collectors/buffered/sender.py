"""Delivers what collectors hold, again and again until it arrives."""

from __future__ import annotations

import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.collectors.buffered.words import say
from pulse_widgets.signals import Alarm, Flag, start_shielded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.collectors.buffered.collector import Collector

__all__ = ["Sender"]

T = TypeVar("T")

INTERVAL_S: Final = 10.0
STOP_S: Final = 10.0
AGAIN_S: Final = 0.2
"""Seconds between two tries at the end."""


class Sender:
    """Hands the entries of some collectors to a function, in order, on a thread of its own.

    Entries whose delivery fails are handed over again with the next: each arrives once or more,
    and `Entry.seq` tells which came before. A collector or an entry that always fails holds up no
    other collector. A sender is started once; stopped, it stays so. In the child of a fork it
    does nothing: what its parent holds is the parent's to deliver.

    Parameters
    ----------
    collectors : sequence of Collector
        Started and stopped with the sender.
    send : callable taking a list of entries
        Raises where they did not arrive.
    interval : float
        Seconds between two deliveries.
    consumer : str
        The name under which it collects; two senders of one collector need two names.

    Attributes
    ----------
    failures : int
        Deliveries that failed, and collectors that could not be read.
    problem : str
        Why something did not arrive with the last `flush`; empty when all did.
    """

    def __init__(
        self,
        collectors: Sequence[Collector],
        send: Callable[[list[Any]], object],
        *,
        interval: float = INTERVAL_S,
        consumer: str = "default",
    ) -> None:
        self.failures = 0
        self.problem = ""
        self._collectors = list(collectors)
        self._send = send
        self._interval = interval
        self._consumer = consumer
        self._pid = os.getpid()
        # One delivery at a time: two would let go of what neither has sent. Made in C.
        self._sending = threading.RLock()
        self._wake = Alarm()
        self._ending = False
        self._refused = False
        """Whether entries waited that the last delivery did not bring over."""
        self._until = 0.0
        """Until when the end delivers, monotonic seconds."""
        self._started = False
        self._gone = Flag()
        self._told: set[int] = set()
        """Collectors of which it was said that they fail."""

    def start(self) -> None:
        """Start the collectors, and deliver from now on; twice is harmless."""
        if self._started or os.getpid() != self._pid:
            return
        self._started = True
        try:
            for collector in self._collectors:
                self._calmly(collector, collector.start)
        finally:
            # Whatever interrupts this, what is collected is delivered.
            start_thread("pulse-collector-sender", self._run)

    def stop(self, timeout: float = STOP_S) -> bool:
        """Stop the collectors and deliver what they hold; what fails is tried again till then.

        Returns
        -------
        bool
            Whether all of it arrived within `timeout` seconds. What did not is still held.
        """
        if not self._started or os.getpid() != self._pid:
            return not self._started
        ends = time.monotonic() + timeout
        try:
            # Each on a thread of its own: one that hangs keeps no other from stopping.
            stopped = [(each, Flag()) for each in self._collectors]
            for collector, flag in stopped:
                start_shielded("pulse-collector-stop", partial(self._stop, collector, flag))
            # The last delivery has its share of the time, too.
            for _, flag in stopped:
                flag.wait(ends - timeout / 2 - time.monotonic())
        finally:
            self._until, self._ending = ends, True
            self._wake.ring()
        return self._gone.wait(ends - time.monotonic()) and not self.problem

    def flush(self) -> bool:
        """Deliver what waits now, on the caller's thread; return whether all of it arrived."""
        if os.getpid() != self._pid:
            return False
        with self._sending:
            # Until it is known that all arrived: whatever ends this early is a problem.
            self.problem = "a delivery was cut off"
            self.problem = self._deliver()
            return not self.problem

    # Private ----------------------------------------------------------------------------

    def _deliver(self) -> str:
        """Deliver what waits; return why something did not arrive, empty when all did."""
        self._refused, unread, batches = False, "", []
        for collector in self._collectors:
            batch: list[Any] | None = self._calmly(
                collector, partial(collector.collect, self._consumer)
            )
            if batch is None:
                unread = f"{type(collector).__name__} could not be read"
                self.failures += 1
            elif batch:
                batches.append((collector, batch))
        if not batches:
            return unread
        problem = self._problem_of([entry for _, batch in batches for entry in batch])
        if not problem:
            for collector, batch in batches:
                self._let_go(collector, batch)
            return unread
        self._refused = True
        if len(batches) == 1:
            return problem
        # One of them may be what cannot be delivered.
        problem = ""
        for collector, batch in batches:
            failed = self._problem_of(batch)
            problem = problem or failed
            if not failed:
                self._let_go(collector, batch)
        self._refused = bool(problem)
        return problem or unread

    def _problem_of(self, entries: list[Any]) -> str:
        """Hand entries over; return why they did not arrive, empty when they did."""
        try:
            self._send(entries)
        except Exception as error:  # noqa: BLE001  whatever a delivery raises: it is tried again
            self.failures += 1
            return str(error) or type(error).__name__
        return ""

    def _let_go(self, collector: Collector, batch: list[Any]) -> None:
        self._calmly(collector, partial(collector.truncate, len(batch), self._consumer))

    def _calmly(self, collector: Collector, call: Callable[[], T]) -> T | None:
        """Call a method of a collector; what it raises is said once, and harms no other."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001  of a class of the user's
            if id(collector) not in self._told:
                self._told.add(id(collector))
                say("The collector %s failed", type(collector).__name__, error=error)
            return None

    def _stop(self, collector: Collector, flag: Flag) -> None:
        try:
            self._calmly(collector, collector.stop)
        finally:
            flag.set()

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._ending:
                self._flush_here()
                due = max(due + self._interval, time.monotonic())
                self._wake.wait(due - time.monotonic())
            self._flush_here()
            pause = min(AGAIN_S, self._interval)
            while self._refused and time.monotonic() + pause < self._until:
                time.sleep(pause)
                self._flush_here()
        finally:
            self._gone.set()

    def _flush_here(self) -> None:
        try:
            self.flush()
        except BaseException as error:  # noqa: BLE001  SystemExit, say: it ends no thread of ours
            self.failures += 1
            self.problem = str(error) or type(error).__name__

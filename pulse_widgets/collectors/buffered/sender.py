"""Delivers what collectors hold, again and again until it arrives."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.signals import Alarm, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.collectors.buffered.collector import Collector

__all__ = ["Sender"]

INTERVAL_S: Final = 10.0
STOP_S: Final = 10.0

_logger = logging.getLogger("pulse_widgets")


class Sender:
    """Hands the entries of some collectors to a function, in order, on a thread of its own.

    Entries whose delivery fails are handed over again with the next: each arrives once or more,
    and `Entry.seq` tells which came before. A collector or an entry that always fails holds up no
    other collector.

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
        Deliveries that failed.
    problem : str
        Why the last one did; empty when it did not.
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
        self._wake = Alarm()
        self._ending = False
        self._started = False
        self._gone = Flag()

    def start(self) -> None:
        """Start the collectors, and deliver from now on; twice is harmless."""
        if self._started:
            return
        self._started = True
        for collector in self._collectors:
            collector.start()
        start_thread("pulse-collector-sender", self._run)

    def stop(self, timeout: float = STOP_S) -> bool:
        """Stop the collectors and deliver what they hold.

        Returns
        -------
        bool
            Whether all of it arrived within `timeout` seconds. What did not is still held.
        """
        if not self._started:
            return True
        for collector in self._collectors:
            collector.stop()
        self._ending = True
        self._wake.ring()
        return self._gone.wait(timeout) and not self.problem

    def flush(self) -> bool:
        """Deliver what waits now, on the caller's thread; return whether all of it arrived."""
        batches = [(each, batch) for each in self._collectors if (batch := self._held(each))]
        self.problem = ""
        if not batches:
            return True
        if self._arrives([entry for _, batch in batches for entry in batch]):
            for collector, batch in batches:
                collector.truncate(len(batch), self._consumer)
            return True
        if len(batches) > 1:
            # One of them may be what cannot be delivered.
            problem = self.problem
            for collector, batch in batches:
                if self._arrives(batch):
                    collector.truncate(len(batch), self._consumer)
            self.problem = self.problem or problem
        return False

    def _held(self, collector: Collector) -> list[Any]:
        try:
            return collector.collect(self._consumer)
        except Exception:
            self.failures += 1
            _logger.exception("a collector could not be read")
            return []

    def _arrives(self, entries: list[Any]) -> bool:
        try:
            self._send(entries)
        except Exception as error:  # noqa: BLE001  whatever a delivery raises: it is tried again
            self.failures += 1
            self.problem = str(error) or type(error).__name__
            return False
        return True

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._ending:
                self.flush()
                due = max(due + self._interval, time.monotonic())
                self._wake.wait(due - time.monotonic())
            self.flush()
        finally:
            self._gone.set()

"""The CPU time that a session takes from the process it watches; shown, and kept in budget."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cost", "promised"]

PROMISED_CORES: Final = 0.01
"""CPU seconds a second that watching may cost with one reading a second."""
PROMISED_OFTEN_CORES: Final = 0.03
"""The same with readings that come more often."""
PROMISED_GPUS: Final = 8
"""For so many GPUs; more may cost more."""
READINGS: Final = 10
"""The cost shown is a mean over so many measurements: the costliest readings come every 5 s."""


def promised(interval_s: float, gpus: int) -> float:
    """Return how many cores watching may cost."""
    cores = PROMISED_CORES if interval_s >= 1 else PROMISED_OFTEN_CORES
    return cores * max(1.0, gpus / PROMISED_GPUS)


class Cost:
    """The CPU time of a session's threads.

    Parameters
    ----------
    reading : callable returning float
        CPU seconds so far of the threads that read.
    carrying : callable returning float
        The same of those that write and send what was read, and what the user logged.
    readings : callable returning int
        Rows of readings so far.
    rows : callable returning int
        Rows of readings and of the user so far.

    Attributes
    ----------
    cores : float or None
        What the session costs now; None until that is known.
    """

    def __init__(
        self,
        reading: Callable[[], float],
        carrying: Callable[[], float],
        readings: Callable[[], int],
        rows: Callable[[], int],
    ) -> None:
        self.cores: float | None = None
        self._reading, self._carrying = reading, carrying
        self._readings, self._rows = readings, rows
        self._seen: deque[tuple[float, float]] = deque(maxlen=READINGS)
        """Monotonic and CPU seconds, newest last."""
        self._before = (0.0, 0, 0)

    def cpu_s(self) -> float:
        """Return the CPU seconds of all threads so far."""
        return self._reading() + self._carrying()

    def look(self, now: float, cpu_s: float, *, settled: bool) -> None:
        """Bring `cores` up to date; what is spent until all is `settled` is no running cost."""
        if self._seen:
            before, spent = self._seen[0]
            self.cores = (cpu_s - spent) / (now - before)
        if settled:
            self._seen.append((now, cpu_s))

    def of_carrying_readings(self) -> float:
        """Return the CPU seconds, since this was asked last, of writing and sending readings.

        That is their share of the rows: what the user logs is not made cheaper by reading less.
        """
        now = (self._carrying(), self._readings(), self._rows())
        carrying, ours, rows = (b - a for a, b in zip(self._before, now, strict=True))
        self._before = now
        return carrying * (min(ours / rows, 1.0) if rows else 1.0)

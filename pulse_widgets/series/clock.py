"""The one clock of a session: wall time at its start plus time elapsed since.

It never runs back and keeps counting through a suspended machine. What the wall clock does
meanwhile (NTP steps, daylight-saving mistakes) is the `offset`.
"""

from __future__ import annotations

import time
from functools import partial

__all__ = ["Clock", "elapsed_ns"]

_TRIES = 5
_TOGETHER_NS = 20_000
"""Two clocks that were read within so long were read at once."""

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


elapsed_ns = time.monotonic_ns if _BOOTTIME is None else partial(time.clock_gettime_ns, _BOOTTIME)
"""The clock beneath, nanoseconds since some moment."""


class Clock:
    """Session time in microseconds since the epoch.

    Attributes
    ----------
    start_us : int
        Wall clock at the start, microseconds since the epoch.
    base_us : int
        `now_us()` is this plus the elapsed microseconds of the boot clock.
    """

    def __init__(self) -> None:
        self.start_us = time.time_ns() // 1000
        self.base_us = self.start_us - elapsed_ns() // 1000

    def now_us(self) -> int:
        """Return the session time, microseconds since the epoch."""
        return self.base_us + elapsed_ns() // 1000

    def since_monotonic_us(self) -> int:
        """Return the session time minus `time.monotonic`, microseconds.

        A thread may be held up between the reading of one clock and of the other. So they are
        read again then: what it was held up for would be an error of every time.
        """
        found: list[tuple[int, int]] = []
        while len(found) < _TRIES:
            before, now, after = time.monotonic_ns(), elapsed_ns(), time.monotonic_ns()
            found.append((after - before, now - before))
            if after - before <= _TOGETHER_NS:
                break
        return self.base_us + min(found)[1] // 1000

    def offset_us(self) -> int:
        """Return the wall clock minus the session time, microseconds."""
        return time.time_ns() // 1000 - self.now_us()

    def shift_us(self) -> int:
        """Return the offset in whole milliseconds, microseconds.

        Reading two clocks takes now more, now fewer microseconds. Times that the user gives are
        shifted by this: what has one time keeps one time, and mostly the very time that it has.
        """
        return round(self.offset_us() / 1000) * 1000

    def from_wall(self, wallclock_s: float) -> int:
        """Return the session time of a Unix time in seconds, microseconds."""
        return round(wallclock_s * 1e6) - self.shift_us()

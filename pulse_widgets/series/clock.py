"""The one clock of a session: wall time at its start plus time elapsed since.

It never runs back and keeps counting through a suspended machine. What the wall clock does
meanwhile (NTP steps, daylight-saving mistakes) is the `offset`.
"""

from __future__ import annotations

import time
from functools import partial

__all__ = ["Clock", "elapsed_ns"]

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

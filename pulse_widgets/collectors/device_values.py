"""Reads logged values that live on a device, such as tensors, on a thread of its own.

Reading one waits for the device. A device that hangs must hold up only its own values.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.signals import Alarm

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

__all__ = ["DeviceValues", "Entry"]

Entry = tuple[int, int | None, dict[str, Any]]
"""Microseconds since the epoch, step, and the values of one call."""
PATIENCE_S: Final = 0.5


class DeviceValues:
    """Entries that wait for a device.

    Parameters
    ----------
    read : callable taking an entry
        Turns it into rows and hands those on; called on this thread.
    """

    def __init__(self, read: Callable[[Entry], None]) -> None:
        self._read = read
        self._waiting: deque[Entry] = deque()
        self._wake = Alarm()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._put = self._done = 0
        """Values that were given here, and that were read; each is counted by one thread alone."""

    @property
    def values(self) -> int:
        """The values that are not rows yet: each holds memory of its device."""
        return self._put - self._done

    def __len__(self) -> int:
        """Return the entries that are not rows yet."""
        return len(self._waiting)

    def put(self, entry: Entry) -> None:
        """Have an entry read; called by one thread at a time."""
        self._waiting.append(entry)
        self._put += len(entry[2])
        if self._thread is None:
            self._thread = start_thread("pulse-values", self._run)
        self._wake.ring()

    def settle(self) -> bool:
        """Wait as long as the device gets on; return whether every entry was read."""
        left, since = len(self), time.monotonic()
        while left:
            time.sleep(0.005)
            now = time.monotonic()
            if len(self) != left:
                left, since = len(self), now
            elif now - since > PATIENCE_S:
                break
        return not left

    def end(self) -> None:
        """End the thread, at once unless the device holds it."""
        self._ending = True
        self._wake.ring()
        if self._thread is not None and not self._waiting:
            self._thread.join(0.5)

    def _run(self) -> None:
        while not self._ending:
            while self._waiting and not self._ending:
                self._read(self._waiting[0])
                # Removed only now: until here it counts as waiting.
                self._done += len(self._waiting.popleft()[2])
            self._wake.wait(60.0)

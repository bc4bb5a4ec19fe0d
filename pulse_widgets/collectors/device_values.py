"""Reads logged values that live on a device, such as tensors, on a thread of its own.

Reading one waits for the device. A device that hangs must hold up only its own values.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.collectors.calls import size_of
from pulse_widgets.signals import Alarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.collectors.calls import Entry

__all__ = ["DeviceValues"]

PATIENCE_S: Final = 0.5
"""How long a device may take for one value while its values are waited for."""
RETRY_S: Final = 0.1
"""Seconds before an entry is handed on again whose rows could not be made."""

_logger = logging.getLogger("pulse_widgets")


class DeviceValues:
    """Entries that wait for a device.

    Parameters
    ----------
    read : callable taking a name and a value, and returning a number or None
        Reads one value; called on this thread.
    hand_on : callable taking an entry
        Takes an entry whose values were read; called on this thread.
    """

    def __init__(
        self,
        read: Callable[[str, Any], float | None],
        hand_on: Callable[[Entry], None],
    ) -> None:
        self._read = read
        self._hand_on = hand_on
        self._waiting: deque[Entry] = deque()
        # An entry is handed on, or given up: never both.
        self._lock = threading.RLock()
        self._wake = Alarm()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._put = self._done = 0
        """Values that were given here, and that were dealt with."""
        self.size = 0
        """What the entries take that are not rows yet, see `size_of`."""
        self._numbers: dict[str, Any] = {}
        """What was read of the first entry: nothing is read twice."""
        self.read = 0
        """Values that were read so far."""
        self._seen = -1
        self._since = 0.0
        """When another value had been read, the last time somebody waited for that."""

    @property
    def values(self) -> int:
        """The values that are not rows yet: each holds memory of its device."""
        return self._put - self._done

    def __len__(self) -> int:
        """Return the entries that are not rows yet."""
        return len(self._waiting)

    def put(self, entry: Entry) -> bool:
        """Have an entry read; return False where nothing is read any more."""
        with self._lock:
            if self._ending:
                return False
            self._waiting.append(entry)
            self._put += len(entry[2])
            self.size += size_of(entry)
        if self._thread is None:
            self._thread = start_thread("pulse-values", self._run)
        self._wake.ring()
        return True

    def settle(self, seconds: float) -> bool:
        """Wait so long at most; return whether more is to come from a device that gets on."""
        ends = time.monotonic() + seconds
        while self._waiting:
            now = time.monotonic()
            if self.read != self._seen:
                self._seen, self._since = self.read, now
            elif now - self._since > PATIENCE_S:
                return False
            if now > ends:
                return True
            time.sleep(0.005)
        return False

    def end(self) -> tuple[int, int]:
        """End the thread, and give up what it has not read; return the calls and their values."""
        with self._lock:
            self._ending = True
            given_up = len(self._waiting), self.values
            self._waiting.clear()
            self._done = self._put
            self.size = 0
        self._wake.ring()
        if self._thread is not None and not given_up[0]:
            self._thread.join(0.5)
        return given_up

    def _run(self) -> None:
        while not self._ending:
            try:
                while self._waiting and not self._ending:
                    self._take(self._waiting[0])
            except Exception:
                # Out of memory, say. The entry still waits, and is handed on again.
                _logger.exception("values of a device could not be taken")
                time.sleep(RETRY_S)
            else:
                self._wake.wait(60.0)

    def _take(self, entry: Entry) -> None:
        time_us, step, values = entry
        for name, value in values.items():
            if name not in self._numbers:
                self._numbers[name] = self._read(name, value)
                self.read += 1
        with self._lock:
            if not self._ending:
                self._hand_on((time_us, step, self._numbers))
                # Removed only now: until here it counts as waiting.
                self._waiting.popleft()
                self._done += len(values)
                self.size -= size_of(entry)
        self._numbers = {}

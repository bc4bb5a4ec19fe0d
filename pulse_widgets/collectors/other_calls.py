"""Calls of `pulse_widgets.log` that wait one by one, such as those with values of a device."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.calls import is_ready, size_of
from pulse_widgets.collectors.device_values import DeviceValues
from pulse_widgets.collectors.logged_values import as_logged, number_of
from pulse_widgets.errors import words_of
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.collectors.calls import Entry
    from pulse_widgets.collectors.room import Room
    from pulse_widgets.series.log import Log

__all__ = ["OtherCalls"]

PART: Final = 2_000
"""So many calls are made rows at once."""


class OtherCalls:
    """Calls that wait one by one.

    Parameters
    ----------
    ids : mapping of str to int
        The series of each name.
    room : Room
    add : callable taking Rows
        Called with what was read from a device, on a thread that reads.
    tell : callable taking str
        Says in the recording that a value could not be read.
    give_up : callable taking int
        Called with the number of values that nobody reads any more.
    """

    def __init__(
        self,
        ids: Mapping[str, int],
        room: Room,
        add: Callable[[Rows], None],
        tell: Callable[[str], None],
        give_up: Callable[[int], None],
    ) -> None:
        self.devices = DeviceValues(self._read, lambda entry: add(self.rows_of([entry])))
        self.due = 0
        """So many of the calls, the oldest, are to become rows now."""
        self._ids = ids
        self._room = room
        self._tell = tell
        self._give_up = give_up
        self._waiting: deque[Entry] = deque()
        self._unreadable: set[str] = set()

    def __len__(self) -> int:
        """Return the number of calls that are not rows yet."""
        return len(self._waiting) + len(self.devices)

    def append(self, entry: Entry) -> None:
        """Add a call, in one step made in C."""
        self._waiting.append(entry)

    def take_back(self, entry: Entry) -> bool:
        """Remove a call again; False when it has gone on."""
        for place, waiting in enumerate(self._waiting.copy()):
            if waiting is entry:
                del self._waiting[place]
                return True
        return False

    def begin(self) -> None:
        """Have all that wait become rows now."""
        self.due = len(self._waiting)

    def values(self) -> int:
        """Return how many values wait that were not handed to who reads devices."""
        return sum(len(entry[2]) for entry in self._waiting.copy())

    def size(self) -> int:
        """Return what the calls take that were not handed on, see `size_of`."""
        return sum(map(size_of, self._waiting.copy()))

    def drain(self, log: Log) -> None:
        """Turn calls into rows, some of them, or hand them to who reads devices."""
        plain: list[Entry] = []
        try:
            while self.due and self._waiting and len(plain) < PART:
                entry = self._waiting.popleft()
                self.due -= 1
                self._room.free_other(size_of(entry))
                if is_ready(entry):
                    plain.append(entry)
                elif not self.devices.put(entry):
                    self._give_up(len(entry[2]))
            if plain:
                log.append(self.rows_of(plain))
        except BaseException:
            # Short of memory, say: they wait on, and the next pass takes them.
            self._waiting.extendleft(reversed(plain))
            raise
        if not self._waiting:
            self.due = 0

    def rows_of(self, entries: Sequence[Entry]) -> Rows:
        """Return calls as rows; it may have to wait for devices."""
        ids: list[int] = []
        times, steps, values = [], [], []
        for time_us, step, data in entries:
            for key, value in data.items():
                number = self._read(key, value)
                ids.append(self._ids[key])
                times.append(time_us)
                steps.append(step)
                values.append(as_logged(number))
        return Rows.of(ids, times, values, steps)

    def _read(self, key: str, value: Any) -> float | None:
        """Return the number of a value; None where there is none, or, said, none can be read."""
        if value is None:
            return None
        try:
            return number_of(value)
        except BaseException as error:  # noqa: BLE001  a device's own error, found only on reading
            if key not in self._unreadable:
                self._unreadable.add(key)
                self._tell(f"{key!r} could not be read: {words_of(error)}")
            return None

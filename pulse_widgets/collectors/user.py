"""The user's own metrics: accepted in a microsecond, turned into rows by another thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import CROWDED, RowCollector
from pulse_widgets.collectors.calls import Entry, is_ready, size_of
from pulse_widgets.collectors.device_values import DeviceValues
from pulse_widgets.collectors.logged_values import (
    PLAIN,
    STEP_LIMIT,
    NoNumberError,
    accepted,
    as_logged,
    describe,
    flatten,
    number_of,
    short,
    whole,
)
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.errors import PulseError, words_of
from pulse_widgets.metrics.kinds import MOMENT
from pulse_widgets.notices import warn
from pulse_widgets.series.facts import row_of_facts
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.registry import Registry

__all__ = ["UserCollector"]

QUEUE_VALUES: Final = 20_000
"""So many values may wait; about as many are written in a tenth of a second."""
PART_VALUES: Final = 10_000
QUEUE_BYTES: Final = 64 << 20
"""Behind a disk that hangs more values may wait, up to so many bytes; then they are left out."""

PATIENCE_S: Final = 10.0
"""How long callers wait for room in it, each a little, before values are left out."""
SILENT: Final = "their device did not answer"
SETTLE_S: Final = 0.1
"""How long values of a device are waited for before those that came are written."""


class UserCollector(RowCollector):
    """Takes in what `pulse_widgets.log` is given.

    A call copies the mapping and returns; `drain` turns what waits into rows. The queue is
    bounded: a caller that finds it full waits until it was drained, so nothing is dropped, and
    nothing that was accepted waits for long. Only where the disk takes nothing for so long that
    the queue would grow without end are values left out, counted and said.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    arrived : callable
        Called for the first of the values that wait to be drained.
    relieve : callable, optional
        Called by a producer that is too far ahead of the disk, and waits for the thread that
        drains. Without it the producer makes the rows itself, which an interrupt may tear.
    entity : str
        Whose metrics these are.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what all of them are given, and how callers wait
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        arrived: Callable[[], None] = lambda: None,
        relieve: Callable[[], None] | None = None,
        entity: str = Whose().user,
    ) -> None:
        super().__init__("user", arrived)
        self.status.state = "ok"
        self._registry = registry
        self._clock = clock
        self._host = host
        self._entity = entity
        self._queue: deque[Entry] = deque()
        self._devices = DeviceValues(self._read, self._from_device)
        self._drain_lock = threading.RLock()
        self._due = 0
        """Calls that waited when their draining began, and wait still."""
        self._most = QUEUE_VALUES
        """How many values may wait."""
        self._bytes = 0
        """Bytes that wait; counted only once nobody takes them, else 0."""
        self._unpressed = 0
        """Values that came since a caller waited last."""
        self._full_s: float | None = None
        """Since when there has been no room, monotonic seconds."""
        self._ids: dict[str, int] = {}
        self.pressed = 0
        """Calls that found the queue full and waited."""
        self._relieve = relieve
        self._told = False
        self._closed = False
        self._unreadable: set[str] = set()
        self.refused = 0
        """Values that were no numbers, or of one name too many."""
        self._left_out: set[str] = set()

    def log(self, data: Mapping[str, Any], step: int | None, time_us: int | None = None) -> bool:
        """Accept the values of one moment.

        Parameters
        ----------
        data : mapping of str to number
            May be nested; keys are joined with ``/``.
        step : int or None
        time_us : int or None
            Microseconds since the epoch; None is now.

        Returns
        -------
        bool
            False when the collector was closed meanwhile, and the values were not taken.

        Raises
        ------
        ArgumentError
            If something is wrong with the call itself: no mapping, a key that cannot be a name
            or stands for two values, a step that is no whole number. A value that is no number
            is left out, counted and said once; None and masked values are missing.
        """
        known = self._ids
        if type(data) is not dict:
            data = self._checked(data)
        for key, value in data.items():
            if key not in known or type(value) not in PLAIN:
                data = self._checked(data)
                break
        else:
            data = dict(data)
        if step is not None and (type(step) is not int or not -STEP_LIMIT < step < STEP_LIMIT):
            step = whole(step)
        if not data:
            return not self._closed
        entry = (self._clock.now_us() if time_us is None else time_us, step, data)
        self._queue.append(entry)
        if not self._told:
            self._announce()
        if self._closed:
            return not self._taken_back(entry)
        if len(self._queue) * len(data) >= self._most:
            self._press(entry)
        return True

    def _announce(self) -> None:
        try:
            self._told = True
            self._arrived()
        except BaseException:
            # Interrupted: the next call wakes the flusher instead.
            self._told = False
            raise

    def _press(self, entry: Entry) -> None:
        """Wait until what waits was taken; where nothing is, count the bytes of every call."""
        if self._has_room(entry):
            return
        size = size_of(entry)
        self._unpressed += len(entry[2])
        if self._bytes:
            self._bytes += size
        if not self._bytes or self._unpressed >= QUEUE_VALUES or self._is_worth_waiting():
            self.pressed += 1
            self._unpressed = 0
            (self._relieve or self.collect)()
            if self._has_room(entry):
                return
            # If the disk hangs, do not make every call wait.
            self._bytes = sum(map(size_of, [*self._queue, *self._devices.entries()]))
            self._most = 0
        full = not self._is_worth_waiting() and self._bytes > QUEUE_BYTES
        if full and self._taken_back(entry):
            self._bytes -= size
            self._give_up(entry)

    def _has_room(self, entry: Entry) -> bool:
        """Return whether a call need not wait; a device holds up only its own values."""
        if len(self._queue) * len(entry[2]) >= QUEUE_VALUES:
            return False
        return self._devices.values < QUEUE_VALUES or is_ready(entry)

    def _give_up(self, entry: Entry) -> None:
        """Leave the values of a call out, for which there is no room: counted, and said."""
        behind_device = not is_ready(entry) and self._devices.values >= QUEUE_VALUES
        why = "too much waited for their device" if behind_device else CROWDED
        with self._drain_lock:
            self.lost[why] += len(entry[2])
        if why not in self._left_out:
            self._left_out.add(why)
            self._say(f"pw.log() leaves values out: {why}. stop() tells how many")

    def _is_worth_waiting(self) -> bool:
        """Return whether there is no room, and that not for long."""
        if self._bytes <= QUEUE_BYTES:
            self._full_s = None
            return False
        if self._full_s is None:
            self._full_s = time.monotonic()
        return time.monotonic() - self._full_s < PATIENCE_S

    def __len__(self) -> int:
        """Return the number of calls that are not rows yet."""
        return len(self._queue) + len(self._devices)

    def waiting(self) -> int:
        """Return the calls that are not rows yet, and the blocks of rows."""
        return len(self) + super().waiting()

    def close(self) -> None:
        """Take nothing more; what was accepted becomes rows with the next `drain`."""
        self._closed = True

    def _taken_back(self, entry: tuple[int, int | None, dict[str, Any]]) -> bool:
        """Remove what came while the collector was closed; False when it became rows."""
        with self._drain_lock:
            for place, waiting in enumerate(self._queue):
                if waiting is entry:
                    del self._queue[place]
                    return True
        return False

    def drain(self, log: Log) -> bool:
        """Turn a part of what waits into rows in `log`; return whether there are more parts.

        They end with what waited when the first of them was taken: a cell that logs without
        rest does not keep the flusher here.
        """
        with self._drain_lock:
            # Rows that a caller made itself are older than those still waiting.
            super().drain(log)
            return self._make_rows(log)

    def collect(self) -> list[Rows]:
        """Return the blocks of rows that wait, and keep them."""
        while self._make_rows(self._kept):
            pass
        return super().collect()

    @property
    def left_out(self) -> int:
        """Values that are in no recording: no numbers, too many names, or given up."""
        return self.refused + self.dropped

    def late(self) -> int:
        """Return how many values only wait to be drained."""
        return super().late() + sum(len(entry[2]) for entry in self._queue.copy())

    def gets_on(self) -> int:
        """Return how many values were read from a device so far."""
        return self._devices.read

    def missing(self, *, at_end: bool) -> list[str]:
        """Return what was accepted and is in no recording, and why, in sentences."""
        said = super().missing(at_end=at_end)
        behind = self._devices.values
        if at_end and behind:
            said.append(f"{self._counted(behind)} not recorded: {SILENT} yet.")
        return said

    def finish(self) -> bool:
        """Wait a little for a device; return whether more is to come, as long as it gets on."""
        if self._devices.settle(SETTLE_S):
            return True
        calls, values = self._devices.end()
        if calls:
            self.lost[SILENT] += values
            self._tell(f"{calls} of your last calls were not recorded: their device did not answer")
        return False

    def _counted(self, number: int) -> str:
        return f"{number} value of pw.log was" if number == 1 else f"{number} values of pw.log were"

    def _make_rows(self, log: Log) -> bool:
        # Cleared before the queue is counted: a call after this line wakes the flusher again.
        self._told = False
        self._bytes = 0
        # Where a device is behind, each call is looked at: who logs more of it waits.
        self._most = QUEUE_VALUES if self._devices.values < QUEUE_VALUES else 0
        with self._drain_lock:
            if not self._due:
                self._due = len(self._queue)
            self._due -= self._make_part(log, self._due)
            return self._due > 0

    def _make_part(self, log: Log, calls: int) -> int:
        """Turn some of the calls that wait into rows; return how many of them are dealt with."""
        taken = values = 0
        plain: list[Entry] = []
        try:
            while taken < calls and values < PART_VALUES and self._queue:
                entry = self._queue.popleft()
                taken += 1
                if is_ready(entry):
                    plain.append(entry)
                    values += len(entry[2])
                elif not self._devices.put(entry):
                    self.lost[SILENT] += len(entry[2])
            log.append(self._rows_of(plain))
        except BaseException:
            # Short of memory, say: they wait on, and the next pass takes them.
            self._queue.extendleft(reversed(plain))
            raise
        return taken if self._queue else calls

    def _rows_of(self, entries: Sequence[Entry]) -> Rows:
        ids: list[int] = []
        times, steps, values = [], [], []
        known = self._ids
        for time_us, step, data in entries:
            for key, value in data.items():
                number = self._read(key, value)
                ids.append(known[key])
                times.append(time_us)
                steps.append(NO_STEP if step is None else step)
                values.append(as_logged(number))
        return Rows.of(ids, times, values, steps)

    def _from_device(self, entry: Entry) -> None:
        self.add(self._rows_of([entry]))

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

    def _tell(self, message: str) -> None:
        series = self._registry.add(self._host, "pulse/log", "event", kind=MOMENT.stored)
        facts = {"kind": "log", "message": message[:500]}
        self.add(row_of_facts(series, self._clock.now_us(), facts))

    def _checked(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the flat copy of a mapping, without the values that are no numbers.

        Raises
        ------
        ArgumentError
            What is wrong with the call itself: no mapping, or a key that cannot be a name.
        """
        flat: dict[str, Any] = {}
        flatten(data, "", flat)
        taken: dict[str, Any] = {}
        for key, value in flat.items():
            try:
                taken[key] = accepted(value)
                if key not in self._ids:
                    self._ids[key] = self._registry.add(self._host, self._entity, key, limited=True)
            except NoNumberError:
                taken.pop(key, None)
                self._leave_out(key, f"{short(key)} is {describe(value)}, not a number")
            except PulseError as error:
                # One of very many new names: what varies belongs into the value.
                taken.pop(key, None)
                self._leave_out("", f"{error.problem}. {error.remedy}")
        return taken

    def _leave_out(self, what: str, why: str) -> None:
        """Go on without a value: it is counted, and said once of each name."""
        self.refused += 1
        if what not in self._left_out:
            self._left_out.add(what)
            self._say(f"pw.log() left a value out: {why}")

    def _say(self, message: str) -> None:
        """Tell it in the recording, and to whoever sees no dashboard."""
        self._tell(message)
        warn(message)

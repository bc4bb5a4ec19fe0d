"""The user's own metrics: accepted in less than a microsecond, made rows by another thread."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import CROWDED, RowCollector
from pulse_widgets.collectors.calls import (
    ITEM_BYTES,
    READY,
    Batch,
    Entry,
    Flat,
    cut,
    in_order,
    is_ready,
    size_of,
)
from pulse_widgets.collectors.device_values import DeviceValues
from pulse_widgets.collectors.logged_values import (
    PLAIN,
    STEP_LIMIT,
    as_logged,
    number_of,
    whole,
)
from pulse_widgets.collectors.naming import Naming
from pulse_widgets.collectors.room import Room
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.errors import words_of
from pulse_widgets.metrics.kinds import MOMENT
from pulse_widgets.notices import warn
from pulse_widgets.series.clock import elapsed_ns
from pulse_widgets.series.facts import row_of_facts
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.registry import Registry

__all__ = ["UserCollector"]

QUEUE_ITEMS: Final = 100_000
"""So many numbers may wait, stamps and steps included; who finds more waits for the flusher."""
PART_ITEMS: Final = 100_000
PART_OTHERS: Final = 2_000
QUEUE_BYTES: Final = 64 << 20
"""Behind a disk that hangs more may wait, up to so many bytes; then values are left out."""
KEY_SETS: Final = 1_000
"""Calls with so many different sets of names have a queue for each; the rest share one."""

PATIENCE_S: Final = 10.0
"""How long callers wait for room in it, each a little, before values are left out."""
DEVICE_VALUES: Final = 20_000
"""So many values may wait for their device before callers wait, too."""
SILENT: Final = "their device did not answer"
SETTLE_S: Final = 0.1
"""How long values of a device are waited for before those that came are written."""


class UserCollector(RowCollector):
    """Takes in what `pulse_widgets.log` is given.

    A call puts its values into a list and returns; `drain` turns what waits into rows. What waits
    is bounded: a caller that finds it full waits until it was drained, so nothing is dropped, and
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

    Attributes
    ----------
    singles : dict of str to Flat
        Where the calls with one name alone wait.
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
        self.singles: dict[str, Flat] = {}
        self._flats: dict[tuple[str, ...], Flat] = {}
        self._timed: dict[tuple[str, ...], Flat] = {}
        """The same, for calls that say their time."""
        self._others: deque[Entry] = deque()
        """Calls with values of a device, or with one set of names too many."""
        self._batches: deque[Batch] = deque()
        self._room = Room(arrived)
        self._devices = DeviceValues(self._read, self._from_device)
        self._drain_lock = threading.RLock()
        self._due: list[Flat] = []
        """Those of which calls waited when their draining began, and wait still."""
        self._due_others = self._due_batches = 0
        self._naming = Naming(registry, host, entity, self._say)
        self.pressed = 0
        """Calls that found the queue full and waited."""
        self._relieve = relieve or self.collect
        self._unreadable: set[str] = set()
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
        if type(data) is dict:
            flat = (self._flats if time_us is None else self._timed).get(tuple(data))
            if flat is not None and PLAIN.issuperset(map(type, data.values())):
                return self._put(flat, data, _number_of_step(step), time_us)
        taken, number = self._naming.checked(data), _number_of_step(step)
        if not taken:
            return not self._room.closed
        if READY.issuperset(map(type, taken.values())):
            flat = self._flat_of(tuple(taken), timed=time_us is not None)
            if flat is not None:
                return self._put(flat, taken, number, time_us)
        now_us = self._clock.now_us() if time_us is None else time_us
        return self._put_other((now_us, number, taken))

    def _put(self, flat: Flat, data: Mapping[str, Any], step: int, time_us: int | None) -> bool:
        stamp = elapsed_ns()
        if time_us is None:
            flat.extend((stamp, step, *data.values()))
        else:
            since_ns = (time_us - self._clock.base_us) * 1000
            flat.extend((stamp, since_ns, step, *data.values()))
        return len(flat) <= flat.most or self.settle(flat, stamp)

    def settle(self, flat: Flat, stamp: int) -> bool:
        """Find room for a call that is in `flat` already; False where nothing is taken any more.

        Parameters
        ----------
        flat : Flat
        stamp : int
            The first item of the call, the very object.
        """
        if self._room.closed:
            return not self._taken_back(flat, stamp)
        if self._room.has(flat, QUEUE_ITEMS) or self._waits(
            lambda: self._room.has(flat, QUEUE_ITEMS)
        ):
            return True
        if not self._crowded(lambda limit: self._room.has(flat, limit)):
            return True
        if self._taken_back(flat, stamp):
            self._give_up(len(flat.ids), CROWDED)
        return True

    def _put_other(self, entry: Entry) -> bool:
        """Take in a call that no `Flat` takes."""
        self._others.append(entry)
        self._room.tell()
        if self._room.closed:
            return not self._other_taken_back(entry)
        of_device = not is_ready(entry)

        def fits(limit: int) -> bool:
            # A device holds up only its own values.
            waits = of_device and limit == QUEUE_ITEMS and self._devices.values >= DEVICE_VALUES
            return not waits and self._room.has_for(size_of(entry), limit)

        if fits(QUEUE_ITEMS) or self._waits(lambda: fits(QUEUE_ITEMS)) or not self._crowded(fits):
            return True
        if self._other_taken_back(entry):
            behind = of_device and self._devices.values >= DEVICE_VALUES
            self._give_up(len(entry[2]), "too much waited for their device" if behind else CROWDED)
        return True

    def _waits(self, fits: Callable[[], bool]) -> bool:
        """Wait until what waits was taken, if there is hope; return whether there is room then."""
        if not self._room.is_worth_waiting(PATIENCE_S):
            return False
        self.pressed += 1
        self._relieve()
        if fits():
            self._room.full(is_full=False)
            return True
        return False

    def _crowded(self, fits: Callable[[int], bool]) -> bool:
        """Return whether a call is to be left out: no bytes are left, and patience is at an end."""
        if fits(QUEUE_BYTES // ITEM_BYTES - self._devices.size):
            self._room.full(is_full=False)
            return False
        self._room.full(is_full=True)
        return not self._room.is_worth_waiting(PATIENCE_S)

    def _give_up(self, values: int, why: str) -> None:
        """Leave the values of a call out, for which there is no room: counted, and said."""
        with self._drain_lock:
            self.lost[why] += values
        if why not in self._left_out:
            self._left_out.add(why)
            self._say(f"pw.log() leaves values out: {why}. stop() tells how many")

    def __len__(self) -> int:
        """Return the number of calls that are not rows yet."""
        calls = sum(flat.calls() for flat in self._all())
        return calls + len(self._others) + len(self._batches) + len(self._devices)

    def _all(self) -> list[Flat]:
        return [*self._flats.copy().values(), *self._timed.copy().values()]

    def waiting(self) -> int:
        """Return the calls that are not rows yet, and the blocks of rows."""
        return len(self) + super().waiting()

    def close(self) -> None:
        """Take nothing more; what was accepted becomes rows with the next `drain`."""
        self._room.close(self._all())

    def _taken_back(self, flat: Flat, stamp: int) -> bool:
        """Remove a call again that there is no place for; False when it became rows."""
        with self._drain_lock:
            place = flat.find(stamp)
            if place >= 0:
                del flat[place : place + flat.width]
            return place >= 0

    def _other_taken_back(self, entry: Entry) -> bool:
        with self._drain_lock:
            for place, waiting in enumerate(self._others):
                if waiting is entry:
                    del self._others[place]
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
    def refused(self) -> int:
        """Values that were no numbers, or of one name too many."""
        return self._naming.refused

    @property
    def left_out(self) -> int:
        """Values that are in no recording: no numbers, too many names, or given up."""
        return self.refused + self.dropped

    def late(self) -> int:
        """Return how many values only wait to be drained."""
        plain = sum(flat.values() for flat in self._all())
        batches = sum(len(batch.rows) for batch in self._batches.copy())
        others = sum(len(entry[2]) for entry in self._others.copy())
        return super().late() + plain + batches + others

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
        with self._drain_lock:
            if not (self._due or self._due_others or self._due_batches):
                self._begin()
            self._make_part(log)
            self._make_others(log)
            return bool(self._due or self._due_others or self._due_batches)

    def _begin(self) -> None:
        """Say what is to be drained: what waits now."""
        flats = self._all()
        others = sum(map(size_of, self._others.copy()))
        others += sum(batch.rows.nbytes for batch in self._batches.copy()) // ITEM_BYTES
        # Before the queues are counted: who calls after this line wakes the flusher again.
        self._room.begin(flats, others)
        self._due_others, self._due_batches = len(self._others), len(self._batches)
        for flat in flats:
            flat.due = flat.calls()
        self._due = [flat for flat in flats if flat.due]

    def _make_part(self, log: Log) -> None:
        """Turn some of the calls that wait into rows: those before a batch, then the batch."""
        due = [(flat, min(flat.due, flat.calls())) for flat in self._due]
        if self._due_batches:
            until = self._batches[0].stamp
            due = [(flat, flat.calls_until(until, calls)) for flat, calls in due]
        taken = cut([(flat, calls) for flat, calls in due if calls], PART_ITEMS)
        if taken:
            log.append(self._rows_of(taken))
            for flat, calls in taken:
                flat.due -= calls
                self._room.free(flat, calls * flat.width)
        elif self._due_batches:
            rows = self._batches[0].rows
            log.append(rows)
            self._batches.popleft()
            self._due_batches -= 1
            self._room.free_other(rows.nbytes // ITEM_BYTES)
        # One that was taken back meanwhile is not waited for.
        self._due = [flat for flat in self._due if flat.due > 0 and flat]

    def _make_others(self, log: Log) -> None:
        """Turn other calls into rows, some of them, or hand them to who reads devices."""
        plain: list[Entry] = []
        try:
            while self._due_others and self._others and len(plain) < PART_OTHERS:
                entry = self._others.popleft()
                self._due_others -= 1
                self._room.free_other(size_of(entry))
                if is_ready(entry):
                    plain.append(entry)
                elif not self._devices.put(entry):
                    self.lost[SILENT] += len(entry[2])
            log.append(self._rows_of_others(plain))
        except BaseException:
            # Short of memory, say: they wait on, and the next pass takes them.
            self._others.extendleft(reversed(plain))
            raise
        if not self._others:
            self._due_others = 0

    def _rows_of(self, taken: Sequence[tuple[Flat, int]]) -> Rows:
        return in_order([flat.rows(calls, self._clock.base_us) for flat, calls in taken])

    def _rows_of_others(self, entries: Sequence[Entry]) -> Rows:
        ids: list[int] = []
        times, steps, values = [], [], []
        known = self._naming.ids
        for time_us, step, data in entries:
            for key, value in data.items():
                number = self._read(key, value)
                ids.append(known[key])
                times.append(time_us)
                steps.append(step)
                values.append(as_logged(number))
        return Rows.of(ids, times, values, steps)

    def _from_device(self, entry: Entry) -> None:
        self.add(self._rows_of_others([entry]))

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

    def _flat_of(self, names: tuple[str, ...], *, timed: bool) -> Flat | None:
        """Return where calls with these names wait; None if they have no queue of their own."""
        flats = self._timed if timed else self._flats
        with self._room.lock:
            if names not in flats and len(self._flats) + len(self._timed) < KEY_SETS:
                flats[names] = flat = Flat(
                    [self._naming.ids[name] for name in names], self.settle, timed=timed
                )
                if len(names) == 1 and not timed:
                    self.singles[names[0]] = flat
            return flats.get(names)

    def _say(self, message: str) -> None:
        """Tell it in the recording, and to whoever sees no dashboard."""
        self._tell(message)
        warn(message)


def _number_of_step(step: int | None) -> int:
    if step is None:
        return NO_STEP
    return step if type(step) is int and NO_STEP < step < STEP_LIMIT else whole(step)

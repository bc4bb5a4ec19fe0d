"""The user's own metrics: accepted in less than a microsecond, made rows by another thread."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import CROWDED, RowCollector
from pulse_widgets.collectors.batches import column, length_of, pieces
from pulse_widgets.collectors.calls import (
    ITEM_BYTES,
    READY,
    Batch,
    Entry,
    Flat,
    is_ready,
    size_of,
)
from pulse_widgets.collectors.logged_values import PLAIN, STEP_LIMIT, whole
from pulse_widgets.collectors.naming import Naming
from pulse_widgets.collectors.other_calls import OtherCalls
from pulse_widgets.collectors.room import Room
from pulse_widgets.collectors.waiting import Waiting
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.metrics.kinds import MOMENT
from pulse_widgets.notices import warn
from pulse_widgets.series.clock import elapsed_ns
from pulse_widgets.series.facts import row_of_facts
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.registry import Registry

__all__ = ["UserCollector"]

QUEUE_ITEMS: Final = 100_000
"""So many numbers may wait, stamps and steps included; who finds more waits for the flusher."""
QUEUE_BYTES: Final = 64 << 20
"""Behind a disk that hangs more may wait, up to so many bytes; then values are left out."""
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
        self._room = Room(arrived)
        self._drain_lock = threading.RLock()
        self._naming = Naming(registry, host, entity, self._say)
        self._waiting = Waiting(self._naming.ids, self._room, clock, self.settle)
        self.singles = self._waiting.singles
        self._others = OtherCalls(
            self._naming.ids, self._room, self.add, self._tell, self._not_read
        )
        self._devices = self._others.devices
        self.pressed = 0
        """Calls that found the queue full and waited."""
        self._relieve = relieve or self.collect
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
            flats = self._waiting.flats if time_us is None else self._waiting.timed
            flat = flats.get(tuple(data))
            if flat is not None and PLAIN.issuperset(map(type, data.values())):
                return self._put(flat, data, _number_of_step(step), time_us)
        taken, number = self._naming.checked(data), _number_of_step(step)
        if not taken:
            return not self._room.closed
        if READY.issuperset(map(type, taken.values())):
            flat = self._waiting.flat_of(tuple(taken), timed=time_us is not None)
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

    def log_batch(
        self,
        data: Mapping[str, Any],
        steps: NDArray[np.int64] | None = None,
        times_us: NDArray[np.int64] | None = None,
    ) -> bool:
        """Accept columns of values: what `log` does for each row, all at once.

        Parameters
        ----------
        data : mapping of str to (n,) numbers
            May be nested; see `batches.column`.
        steps : (n,) int64, or None
        times_us : (n,) int64, or None
            Microseconds since the epoch; None is now.

        Returns
        -------
        bool
            False when the collector was closed before, and nothing was taken.

        Raises
        ------
        ArgumentError
            If something is wrong with the call itself, as in `log`, or lengths differ. A column
            that is no row of numbers is left out, counted and said once.
        """
        taken = self._naming.checked(data, column, "one row of numbers")
        length = length_of(taken, {"steps": steps, "times": times_us})
        stamp = elapsed_ns()
        times = self._clock.now_us() if times_us is None else times_us
        by_series = {self._naming.ids[name]: value for name, value in taken.items()}
        for rows in pieces(by_series, steps, times, length if taken else 0):
            if not self._put_batch(Batch(stamp, rows)):
                return False
        return not self._room.closed

    def _put_batch(self, batch: Batch) -> bool:
        """Take in a part of a batch when there is room; False where nothing is taken any more."""
        fits = partial(self._room.has_for, batch.size())
        most = QUEUE_BYTES // ITEM_BYTES
        while not fits(most // 2 - self._devices.size):
            self._room.full(is_full=True)
            if not self._room.is_worth_waiting(PATIENCE_S):
                self._give_up(len(batch.rows), CROWDED)
                return True
            self.pressed += 1
            self._relieve()
        self._room.full(is_full=False)
        # Where it is closed now, the last of all drains may have been.
        with self._drain_lock:
            if self._room.closed:
                return False
            self._waiting.batches.append(batch)
        self._room.tell()
        return True

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
            return not self._take_back_other(entry)
        of_device = not is_ready(entry)

        def fits(limit: int) -> bool:
            # A device holds up only its own values.
            waits = of_device and limit == QUEUE_ITEMS and self._devices.values >= DEVICE_VALUES
            return not waits and self._room.has_for(size_of(entry), limit)

        if fits(QUEUE_ITEMS) or self._waits(lambda: fits(QUEUE_ITEMS)) or not self._crowded(fits):
            return True
        if self._take_back_other(entry):
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
        return len(self._waiting) + len(self._others)

    def waiting(self) -> int:
        """Return the calls that are not rows yet, and the blocks of rows."""
        return len(self) + super().waiting()

    def close(self) -> None:
        """Take nothing more; what was accepted becomes rows with the next `drain`."""
        self._room.close(self._waiting.all())

    def _taken_back(self, flat: Flat, stamp: int) -> bool:
        """Remove a call again that there is no place for; False when it became rows."""
        with self._drain_lock:
            place = flat.find(stamp)
            if place >= 0:
                del flat[place : place + flat.width]
            return place >= 0

    def _take_back_other(self, entry: Entry) -> bool:
        with self._drain_lock:
            return self._others.take_back(entry)

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
        return super().late() + self._waiting.values() + self._others.values()

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
            if not (self._waiting.due or self._others.due):
                self._waiting.begin(self._others.size())
                self._others.begin()
            self._waiting.drain(log)
            self._others.drain(log)
            return self._waiting.due or self._others.due > 0

    def _not_read(self, values: int) -> None:
        self.lost[SILENT] += values

    def _tell(self, message: str) -> None:
        series = self._registry.add(self._host, "pulse/log", "event", kind=MOMENT.stored)
        facts = {"kind": "log", "message": message[:500]}
        self.add(row_of_facts(series, self._clock.now_us(), facts))

    def _say(self, message: str) -> None:
        """Tell it in the recording, and to whoever sees no dashboard."""
        self._tell(message)
        warn(message)


def _number_of_step(step: int | None) -> int:
    if step is None:
        return NO_STEP
    return step if type(step) is int and NO_STEP < step < STEP_LIMIT else whole(step)

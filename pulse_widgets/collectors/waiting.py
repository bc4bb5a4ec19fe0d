"""What was logged and waits to become rows, and how it becomes rows: in the order it came."""

from __future__ import annotations

from collections import deque
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.collectors.calls import Batch, Flat, cut, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.collectors.room import Room
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.rows import Rows

__all__ = ["Waiting"]

PART_ITEMS: Final = 100_000
"""So many items are made rows at once."""
KEY_SETS: Final = 1_000
"""Calls with so many different sets of names have a list for each; no more of them get one."""


class Waiting:
    """The lists of calls, one a set of names, and the batches.

    Parameters
    ----------
    ids : mapping of str to int
        The series of each name.
    room : Room
    clock : Clock
    ask : callable taking a Flat and a stamp
        See `Flat`.

    Attributes
    ----------
    singles, flats : dict to Flat
        By the one name, and by the names of a call.
    timed : dict of tuple of str to Flat
        The same, for calls that say their time.
    batches : deque of Batch
    """

    def __init__(
        self,
        ids: Mapping[str, int],
        room: Room,
        clock: Clock,
        ask: Callable[[Flat, int], bool],
    ) -> None:
        self.singles: dict[str, Flat] = {}
        self.flats: dict[tuple[str, ...], Flat] = {}
        self.timed: dict[tuple[str, ...], Flat] = {}
        self.batches: deque[Batch] = deque()
        self._ids = ids
        self._room = room
        self._clock = clock
        self._ask = ask
        self._due: list[Flat] = []
        """Those of which calls waited when their draining began, and wait still."""
        self._due_batches = 0

    def flat_of(self, names: tuple[str, ...], *, timed: bool) -> Flat | None:
        """Return where calls with these names wait; None if they have no list of their own."""
        flats = self.timed if timed else self.flats
        with self._room.lock:
            if names not in flats and len(self.flats) + len(self.timed) < KEY_SETS:
                ids = [self._ids[name] for name in names]
                flats[names] = flat = Flat(ids, self._ask, timed=timed)
                if len(names) == 1 and not timed:
                    self.singles[names[0]] = flat
            return flats.get(names)

    def all(self) -> list[Flat]:
        """Return every list."""
        return [*self.flats.copy().values(), *self.timed.copy().values()]

    def __len__(self) -> int:
        """Return how many calls wait, and pieces of batches."""
        return sum(flat.calls() for flat in self.all()) + len(self.batches)

    def values(self) -> int:
        """Return how many values wait."""
        batches = sum(len(batch.rows) for batch in self.batches.copy())
        return batches + sum(flat.values() for flat in self.all())

    @property
    def due(self) -> bool:
        """Whether something waits still of what is being drained."""
        return bool(self._due or self._due_batches)

    def begin(self, others: int) -> None:
        """Say what is to be drained, namely what waits now; `others` is what else takes room."""
        flats = self.all()
        # Before anything is counted: who calls after this line wakes the flusher again.
        self._room.begin(flats, others + sum(map(Batch.size, self.batches.copy())))
        self._due_batches = len(self.batches)
        for flat in flats:
            flat.due = flat.calls()
        self._due = [flat for flat in flats if flat.due]

    def drain(self, log: Log) -> None:
        """Turn some of what is due into rows, calls and batches in the order in which they came."""
        batches = self._next_batches()
        due = [(flat, min(flat.due, flat.calls())) for flat in self._due]
        if len(batches) < self._due_batches:
            until = self.batches[len(batches)].stamp
            due = [(flat, flat.calls_until(until, calls)) for flat, calls in due]
        due = [(flat, calls) for flat, calls in due if calls]
        taken = cut(due, PART_ITEMS)
        counts = {id(flat): calls for flat, calls in taken}
        rest = [(flat, counts.get(id(flat), 0), calls) for flat, calls in due]
        left = [flat[first * flat.width] for flat, first, calls in rest if first < calls]
        if left:
            # What is left of the calls is older than these.
            batches = list(takewhile(lambda batch: batch.stamp < min(left), batches))
        if taken or batches:
            log.append(self.rows_of(taken, batches))
        for flat, calls in taken:
            flat.due -= calls
            self._room.free(flat, calls * flat.width)
        for _ in batches:
            self._due_batches -= 1
            self._room.free_other(self.batches.popleft().size())
        # One that was taken back meanwhile is not waited for.
        self._due = [flat for flat in self._due if flat.due > 0 and flat]

    def _next_batches(self) -> list[Batch]:
        """Return the first batches that are due, as many as are made rows at once."""
        chosen, size = list[Batch](), 0
        for batch in islice(self.batches, self._due_batches):
            size += batch.size()
            if chosen and size > PART_ITEMS:
                break
            chosen.append(batch)
        return chosen

    def rows_of(self, taken: Sequence[tuple[Flat, int]], batches: Sequence[Batch] = ()) -> Rows:
        """Return the first calls of lists, and batches, as rows."""
        parts = [flat.rows(calls, self._clock.base_us) for flat, calls in taken]
        parts += [(np.full(len(rows), stamp), rows) for stamp, rows in batches]
        return in_order(parts)

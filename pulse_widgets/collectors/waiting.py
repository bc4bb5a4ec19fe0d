"""What was logged and waits to become rows, and how it becomes rows: in the order it came."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

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
        """Turn some of what is due into rows: calls that came before a batch, then the batch."""
        due = [(flat, min(flat.due, flat.calls())) for flat in self._due]
        if self._due_batches:
            until = self.batches[0].stamp
            due = [(flat, flat.calls_until(until, calls)) for flat, calls in due]
        taken = cut([(flat, calls) for flat, calls in due if calls], PART_ITEMS)
        if taken:
            log.append(self.rows_of(taken))
            for flat, calls in taken:
                flat.due -= calls
                self._room.free(flat, calls * flat.width)
        elif self._due_batches:
            log.append(self.batches[0].rows)
            self._due_batches -= 1
            self._room.free_other(self.batches.popleft().size())
        # One that was taken back meanwhile is not waited for.
        self._due = [flat for flat in self._due if flat.due > 0 and flat]

    def rows_of(self, taken: Sequence[tuple[Flat, int]]) -> Rows:
        """Return the first calls of lists as rows."""
        return in_order([flat.rows(calls, self._clock.base_us) for flat, calls in taken])

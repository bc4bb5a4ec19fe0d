"""Calls of `pulse_widgets.log` while they wait to become rows."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from pulse_widgets.collectors.logged_values import PLAIN, floats
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "ITEM_BYTES",
    "READY",
    "Batch",
    "Entry",
    "Flat",
    "cut",
    "in_order",
    "is_ready",
    "size_of",
]

ITEM_BYTES: Final = 40
"""What a number takes in a list, about: its place, and the number itself."""
READY: Final = PLAIN | {type(None)}
"""What becomes a row without being read from anywhere."""

Entry = tuple[int, int, dict[str, Any]]
"""Microseconds since the epoch, step, and the values of a call of which some wait for a device."""


def is_ready(entry: Entry) -> bool:
    """Return whether a call becomes rows without anything being read from a device."""
    return READY.issuperset(map(type, entry[2].values()))


def size_of(entry: Entry) -> int:
    """Return how many items of a `Flat` take as much memory as an entry, about."""
    return 8 + 3 * len(entry[2])


class Flat(list[Any]):
    """Calls with the same names, one behind the other: stamp, step and values of each.

    No call has a container of its own: there is nothing for the garbage collector to walk. And
    `extend` takes a call in whole: it is one step made in C, which no interrupt tears.

    Parameters
    ----------
    ids : sequence of int
        The series of the values.
    ask : callable taking a Flat and a stamp
        Called by who finds more than `most` items, with the first item of the call; returns
        False where the call was not taken.
    timed : bool
        Whether the user gave the times: they stand between stamp and step.

    Attributes
    ----------
    width : int
        Items a call has.
    most : int
        A call that finds more items than that has to `ask` for room.
    due : int
        So many of the calls, the oldest, are to become rows now.
    """

    __slots__ = ("ask", "due", "ids", "lead", "most", "width")

    def __init__(
        self, ids: Sequence[int], ask: Callable[[Flat, int], bool], *, timed: bool = False
    ) -> None:
        super().__init__()
        self.ask = ask
        self.ids = np.array(ids, np.int32)
        self.lead = 3 if timed else 2
        self.width = self.lead + len(ids)
        self.most = self.due = 0

    def calls(self) -> int:
        """Return how many calls wait."""
        return len(self) // self.width

    def values(self) -> int:
        """Return how many values wait."""
        return self.calls() * len(self.ids)

    def calls_until(self, stamp: int, calls: int) -> int:
        """Return how many of the first `calls` were made until a moment."""
        return bisect_right(range(calls), stamp, key=lambda call: self[call * self.width])

    def rows(self, calls: int, base_us: int) -> tuple[NDArray[np.int64], Rows]:
        """Return the first calls as rows, and the stamp of each row.

        Parameters
        ----------
        calls : int
        base_us : int
            The session's time where the clock of the stamps is 0.
        """
        width, lead, names = self.width, self.lead, len(self.ids)
        part = self[: calls * width]
        value = np.empty((calls, names))
        if names <= calls:
            for name in range(names):
                value[:, name] = floats(part[lead + name :: width])
        else:
            for call in range(calls):
                value[call] = floats(part[call * width + lead : (call + 1) * width])
        stamp, time, step = (
            np.repeat(np.fromiter(part[place::width], np.int64, calls), names)
            for place in (0, lead - 2, lead - 1)
        )
        ids = np.tile(self.ids, calls)
        return stamp, Rows(ids, base_us + time // 1000, step, value.reshape(-1))

    def find(self, stamp: int) -> int:
        """Return where the call with this very stamp begins; -1 where it is gone."""
        for place in range(len(self) - self.width, -1, -self.width):
            if self[place] is stamp:
                return place
        return -1


class Batch(NamedTuple):
    """A part of what `pulse_widgets.log_batch` was given, and the moment of the call."""

    stamp: int
    rows: Rows

    def size(self) -> int:
        """Return how many items of a `Flat` take as much memory, about."""
        return self.rows.nbytes // ITEM_BYTES + 1


def cut(due: Sequence[tuple[Flat, int]], most: int) -> list[tuple[Flat, int]]:
    """Return how many calls of each are taken next: `most` items about, the oldest of all.

    Where two have a series in common, its rows are to come in the order of the calls.
    """
    items = sum(calls * flat.width for flat, calls in due)
    if items <= most:
        return list(due)
    until = min(flat[calls * most // items * flat.width] for flat, calls in due)
    taken = [(flat, max(flat.calls_until(until, calls), 0)) for flat, calls in due]
    return [(flat, calls) for flat, calls in taken if calls]


def in_order(parts: Sequence[tuple[NDArray[np.int64], Rows]]) -> Rows:
    """Return rows of several, each with its stamp, in the order in which they came."""
    rows = Rows.concat([rows for _, rows in parts])
    if len(parts) < 2:  # noqa: PLR2004
        return rows
    return rows.take(np.argsort(np.concatenate([stamp for stamp, _ in parts]), kind="stable"))

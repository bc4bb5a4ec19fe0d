"""Late rows that lie before the first row of a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.series.envelopes import even_edges
from pulse_widgets.series.grid import COLUMNS, Buckets, Grid, capacity, extended, joined
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Older", "Part", "at_most", "found_among", "nothing"]


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring buckets of a screen, from one grid: their edges and what is in them.

    Where they are too many, `first` tells which are to be put together: from each of these up to
    the next, the last being the last edge.
    """

    edges_us: NDArray[np.int64]
    buckets: Buckets
    first: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return how many buckets it is to have."""
        return len(self.edges_us if self.first is None else self.first) - 1

    def of_at_most(self, most: int) -> Part:
        """Return it as one that is to have fewer buckets."""
        return Part(self.edges_us, self.buckets, even_edges(self.edges_us, most))

    def joined(self) -> Part:
        """Return the part with as many buckets as it is to have."""
        if self.first is None:
            return self
        return Part(self.edges_us[self.first], joined(self.buckets, self.first[:-1]))


class Older:
    """Envelopes of late rows that lie before the first row, in one grid.

    Its buckets are as wide as it needs; few series have such rows, so it has slots of its own.
    """

    def __init__(self) -> None:
        self._grid: Grid | None = None
        self._own = np.zeros(0, np.int32)
        """Slot to the slot here, -1 where there is none."""
        self._count = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._own.nbytes + (self._grid.nbytes if self._grid else 0)

    def take(self, rows: Rows, end_us: int, width_us: int) -> None:
        """Take in rows that are sorted by time and all before `end_us`."""
        grid = self._grid
        if grid is None:
            head = (end_us - 1) // width_us
            grid = Grid(width_us, head, head)
        first_us = int(rows.time[0])
        while first_us // grid.width_us <= grid.head - COLUMNS:
            grid = grid.coarser()
        grid.first = min(grid.first, first_us // grid.width_us)
        self._grid = grid
        slots = rows.series
        self._own = extended(self._own, int(slots.max()) + 1, -1)
        fresh = np.unique(slots[self._own[slots] < 0])
        self._own[fresh] = np.arange(self._count, self._count + len(fresh))
        self._count += len(fresh)
        grid.grow(*[capacity(len(grid.low), self._count)] * 2)
        own, bucket = self._own[slots].astype(np.int64), rows.time // grid.width_us
        grid.put(own, bucket, rows.value, late=True)
        stepped = rows.step != NO_STEP
        grid.put_steps(own[stepped], bucket[stepped], rows.step[stepped], late=True)

    def keep(self, slots: NDArray[np.int64]) -> None:
        """Keep these slots, in this order, and drop the others."""
        if self._grid is None:
            return
        own = extended(self._own, int(slots.max(initial=-1)) + 1, -1)[slots]
        stay = own[own >= 0].astype(np.int64)
        own[own >= 0] = np.arange(len(stay))
        self._grid.keep(stay, stay)
        self._own, self._count = own, len(stay)

    def parts(
        self,
        slots: NDArray[np.int64],
        step_slots: NDArray[np.int64],
        step_slot: NDArray[np.int32],
        end_us: int,
    ) -> list[Part]:
        """Return the buckets of some slots and of their steps, if there are any."""
        grid = self._grid
        if grid is None:
            return []
        edges = np.arange(grid.first, grid.head + 2) * grid.width_us
        edges[-1] = end_us
        buckets = nothing(len(slots), len(step_slots), len(edges) - 1)
        here = np.flatnonzero(self._own >= 0)
        here, at = here[(found := found_among(here, slots))[0]], found[1]
        own = self._own[here].astype(np.int64)
        mine = grid.buckets(own, own, grid.first, grid.head + 1)
        for name in Buckets._fields[:-1]:
            getattr(buckets, name)[at] = getattr(mine, name)
        which, at = found_among(step_slot[here], step_slots)
        buckets.step[at] = mine.step[which]
        return [Part(edges, buckets)]


def at_most(parts: Sequence[Part], most: int) -> list[Part]:
    """Return parts of at most so many buckets in all; the oldest give up half of theirs first."""
    over = sum(map(len, parts)) - most
    made = []
    for part in parts:
        gone = min(max(over, 0), len(part) // 2)
        made.append(part.of_at_most(len(part) - gone) if gone else part)
        over -= gone
    return made


def nothing(slots: int, step_slots: int, columns: int) -> Buckets:
    """Return buckets without a row."""
    return Buckets(
        np.full((slots, columns), np.inf),
        np.full((slots, columns), -np.inf),
        np.zeros((slots, columns)),
        np.zeros((slots, columns), np.int32),
        np.zeros((slots, columns), np.bool_),
        np.full((step_slots, columns), np.nan),
    )


def found_among(
    numbers: NDArray[np.int32] | NDArray[np.int64], among: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which numbers are among some distinct ones, and where there."""
    if not len(among):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(among)
    at = order[np.searchsorted(among[order], numbers).clip(max=len(among) - 1)]
    which = np.flatnonzero(among[at] == numbers)
    return which, at[which]

"""The envelopes of a history in buckets of one width, from the first row until now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.envelopes import even_edges
from pulse_widgets.series.grid import COLUMNS, Grid
from pulse_widgets.series.older import Part
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIZE", "Whole"]

SIZE: Final = 7
"""It takes as much memory as so many other grids."""
SHOWN: Final = 256


class Whole:
    """One grid whose buckets become twice as wide when it is full.

    So a session of any length is in 224 buckets or more, as soon as it has so many of the finest.

    Parameters
    ----------
    width_us : int
        Of a bucket at first.
    first : int
        Number of the first bucket; no row comes before it.
    """

    def __init__(self, width_us: int, first: int) -> None:
        self._grid = Grid(width_us, first, first, SIZE * COLUMNS)

    @property
    def width_us(self) -> int:
        """Of a bucket."""
        return self._grid.width_us

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._grid.nbytes

    @property
    def end_us(self) -> int:
        """Where the newest bucket ends."""
        return (self._grid.head + 1) * self._grid.width_us

    def grow(self, slots: int, stepped: int) -> None:
        """Make room for so many series, and so many of them that have steps."""
        self._grid.grow(slots, stepped)

    def keep(self, slots: NDArray[np.int64], stepped: NDArray[np.int64]) -> None:
        """Keep these slots, in this order, and drop the others."""
        self._grid.keep(slots, stepped)

    def take(self, rows: Rows, step_slot: NDArray[np.int32]) -> None:
        """Take in rows that are sorted by time, their series being slots."""
        newest = int(rows.time[-1])
        while newest // self._grid.width_us - self._grid.first >= self._grid.columns:
            size = len(self._grid.low), len(self._grid.step)
            self._grid = self._grid.coarser(2)
            self._grid.grow(*size)
        grid = self._grid
        new = int(np.searchsorted(rows.time, grid.head * grid.width_us))
        grid.advance(newest // grid.width_us)
        for part, late in ((rows.cut(0, new), True), (rows.cut(new, len(rows)), False)):
            slots, bucket = part.series.astype(np.int64), part.time // grid.width_us
            grid.put(slots, bucket, part.value, late=late)
            stepped = part.step != NO_STEP
            step_slots = step_slot[slots[stepped]].astype(np.int64)
            grid.put_steps(step_slots, bucket[stepped], part.step[stepped], late=late)

    def part(self, slots: NDArray[np.int64], step_slots: NDArray[np.int64], end_us: int) -> Part:
        """Return the buckets before `end_us`, which is an edge."""
        grid = self._grid
        end = end_us // grid.width_us
        edges = np.arange(grid.first, end + 1) * grid.width_us
        buckets = grid.buckets(slots, step_slots, grid.first, end)
        return Part(edges, buckets, even_edges(edges, SHOWN) if len(edges) - 1 > SHOWN else None)

"""Envelopes of many series in buckets of one width: one level of the pyramid of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from pulse_widgets.series.envelopes import widen

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BUCKET_BYTES",
    "COLUMNS",
    "FOLD",
    "STEP_BYTES",
    "Buckets",
    "Grid",
    "capacity",
    "extended",
]

FOLD: Final = 4
"""So many buckets of a grid are one of the next coarser."""
COLUMNS: Final = 64
"""Columns a grid holds: those on screen, and those that are not folded yet."""
BUCKET_BYTES: Final = 8 + 8 + 1
STEP_BYTES: Final = 8
MORE_AT_MOST: Final = 1024
"""Slots beyond those needed, at most, when an array grows."""


class Buckets(NamedTuple):
    """Some columns of some slots; the fields are those of a `Grid`."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    lost: NDArray[np.bool_]
    step: NDArray[np.float64]


class Grid:
    """A ring of the newest columns, a slot for each series that is drawn.

    Parameters
    ----------
    width_us : int
        Of a bucket; buckets lie on the absolute grid of their width.
    head : int
        Number of the newest bucket (time // width).
    first : int
        Number of the oldest bucket that was ever in use.

    Attributes
    ----------
    low, high : (slots, COLUMNS) float64
        Smallest and largest value; infinite, low above high, where there is none.
    lost : (slots, COLUMNS) bool
        The last reading in the bucket was missing.
    step : (stepped slots, COLUMNS) float64
        The last step in the bucket, NaN where there is none; only of series that have steps.
    """

    def __init__(self, width_us: int, head: int, first: int) -> None:
        self.width_us = width_us
        self.head = head
        self.first = first
        self._clear()

    def _clear(self) -> None:
        self.low = np.full((0, COLUMNS), np.inf)
        self.high = np.full((0, COLUMNS), -np.inf)
        self.lost = np.zeros((0, COLUMNS), np.bool_)
        self.step = np.full((0, COLUMNS), np.nan)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.low.nbytes + self.high.nbytes + self.lost.nbytes + self.step.nbytes

    @property
    def full(self) -> bool:
        """Whether half of the columns are in use: it is time for a coarser grid."""
        return self.head - self.first >= COLUMNS // 2

    def grow(self, slots: int, stepped: int) -> None:
        """Make room for so many series, and so many of them that have steps."""
        self.low = _longer(self.low, slots, np.inf)
        self.high = _longer(self.high, slots, -np.inf)
        self.lost = _longer(self.lost, slots, 0)
        self.step = _longer(self.step, stepped, np.nan)

    def keep(self, slots: NDArray[np.int64], stepped: NDArray[np.int64]) -> None:
        """Keep these slots, in this order, and drop the others."""
        self.low = self.low[slots[slots < len(self.low)]]
        self.high = self.high[slots[slots < len(self.high)]]
        self.lost = self.lost[slots[slots < len(self.lost)]]
        self.step = self.step[stepped[stepped < len(self.step)]]

    def advance(self, bucket: int) -> None:
        """Make `bucket` the newest, with empty columns between."""
        if bucket <= self.head:
            return
        fresh = np.arange(max(self.head + 1, bucket - COLUMNS + 1), bucket + 1) % COLUMNS
        self.low[:, fresh] = np.inf
        self.high[:, fresh] = -np.inf
        self.lost[:, fresh] = False
        self.step[:, fresh] = np.nan
        self.head = bucket

    def put(
        self,
        slots: NDArray[np.int64],
        bucket: NDArray[np.int64],
        value: NDArray[np.float64],
        *,
        late: bool = False,
    ) -> None:
        """Add values to buckets that are held; the last value of a bucket says if it is missing.

        Of values that are `late` it is not known what came after them in their bucket: a missing
        one stays to be seen.
        """
        at = slots * COLUMNS + bucket % COLUMNS
        missing = widen(self.low.reshape(-1), self.high.reshape(-1), at, value)
        lost = self.lost.reshape(-1)
        if late:
            lost[at[missing]] = True
        else:
            lost[at] = missing

    def put_steps(
        self,
        step_slots: NDArray[np.int64],
        bucket: NDArray[np.int64],
        step: NDArray[np.int64],
        *,
        late: bool = False,
    ) -> None:
        """Take in the steps of values; of those that are `late`, the largest of a bucket stays."""
        at, steps = step_slots * COLUMNS + bucket % COLUMNS, self.step.reshape(-1)
        if late:
            np.fmax.at(steps, at, step.astype(float))
        else:
            steps[at] = step

    def buckets(
        self, slots: NDArray[np.int64], step_slots: NDArray[np.int64], start: int, end: int
    ) -> Buckets:
        """Return copies of the columns of the buckets from `start` to `end`, exclusive."""
        columns = np.arange(start, end) % COLUMNS
        at, step_at = (numbers[:, None] * COLUMNS + columns for numbers in (slots, step_slots))
        return Buckets(
            self.low.reshape(-1).take(at),
            self.high.reshape(-1).take(at),
            self.lost.reshape(-1).take(at),
            self.step.reshape(-1).take(step_at),
        )

    def fold(self, fine: Grid, done: int) -> None:
        """Fill the columns up to number `done` from groups of columns of a finer grid."""
        columns = np.arange(max(self.head + 1, (fine.head - COLUMNS + 1) // FOLD), done + 1)
        self.advance(done)
        self._fill(columns, fine.folded(columns))

    def _fill(self, columns: NDArray[np.int64], buckets: Buckets) -> None:
        target = columns % COLUMNS
        self.low[: len(buckets.low), target] = buckets.low
        self.high[: len(buckets.high), target] = buckets.high
        self.lost[: len(buckets.lost), target] = buckets.lost
        self.step[: len(buckets.step), target] = buckets.step

    def folded(self, columns: NDArray[np.int64]) -> Buckets:
        """Return these columns of the next coarser grid, as far as they are held here."""
        parts = columns[:, None] * FOLD + np.arange(FOLD)
        # The array is a ring: columns beyond the head hold older buckets, not newer ones.
        other = (parts > self.head) | (parts <= self.head - COLUMNS)
        parts = parts % COLUMNS
        low = np.where(other, np.inf, self.low[:, parts])
        high = np.where(other, -np.inf, self.high[:, parts])
        lost = self.lost[:, parts] & ~other
        last = np.zeros(lost.shape[:2], np.bool_)
        for part in range(FOLD):
            seen = (low[:, :, part] <= high[:, :, part]) | lost[:, :, part]
            last = np.where(seen, lost[:, :, part], last)
        step = np.where(other, np.nan, self.step[:, parts])
        return Buckets(low.min(axis=2), high.max(axis=2), last, np.fmax.reduce(step, axis=2))

    def coarser(self) -> Grid:
        """Return a grid of wider buckets with the content of this one, which is emptied."""
        made = Grid(self.width_us * FOLD, self.head // FOLD, self.first // FOLD)
        columns = np.arange(max(made.first, (self.head - COLUMNS) // FOLD), made.head + 1)
        buckets = self.folded(columns)
        # Free the old array before the new one is allocated.
        self._clear()
        made.grow(len(buckets.low), len(buckets.step))
        made._fill(columns, buckets)
        return made


def capacity(have: int, count: int) -> int:
    """Return the slots an array gets that has some and needs `count`: some more, when it grows."""
    return have if count <= have else max(count, have + min(have // 4, MORE_AT_MOST), 16)


def extended(values: NDArray[Any], count: int, fill: float) -> NDArray[Any]:
    """Return an array with room for `count` slots, and some more when it grows."""
    return _longer(values, capacity(len(values), count), fill)


def _longer(values: NDArray[Any], count: int, fill: float) -> NDArray[Any]:
    if count <= len(values):
        return values
    more = np.full((count, *values.shape[1:]), fill, values.dtype)
    more[: len(values)] = values
    return more

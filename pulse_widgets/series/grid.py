"""Envelopes of many series in buckets of one width: one level of the pyramid of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from pulse_widgets.series.envelopes import add_up, widen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    "joined",
]

FOLD: Final = 4
"""So many buckets of a grid are one of the next coarser."""
COLUMNS: Final = 64
"""Columns a grid holds: those on screen, and those that are not folded yet."""
BUCKET_BYTES: Final = 8 + 8 + 8 + 4 + 1
STEP_BYTES: Final = 8
MORE_AT_MOST: Final = 1024
"""Slots beyond those needed, at most, when an array grows."""


class Buckets(NamedTuple):
    """Some columns of some slots; the fields are those of a `Grid`."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    total: NDArray[np.float64]
    number: NDArray[np.int32]
    lost: NDArray[np.bool_]
    step: NDArray[np.float64]


_EMPTY: Final[Mapping[str, Any]] = {
    "low": np.float64(np.inf),
    "high": np.float64(-np.inf),
    "total": np.float64(0),
    "number": np.int32(0),
    "lost": np.bool_(0),
    "step": np.float64(np.nan),
}
"""What stands in a bucket without a row."""


def joined(buckets: Buckets, first: NDArray[np.int64]) -> Buckets:
    """Put the columns from each of `first` up to the next together, the last ones to the end."""
    seen = (buckets.low <= buckets.high) | buckets.lost
    newest = np.maximum.reduceat(np.where(seen, np.arange(seen.shape[1]), -1), first, axis=1)
    lost = np.take_along_axis(buckets.lost, newest.clip(0), axis=1) & (newest >= 0)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(buckets.total, first, axis=1)
    return Buckets(
        np.minimum.reduceat(buckets.low, first, axis=1),
        np.maximum.reduceat(buckets.high, first, axis=1),
        total,
        np.add.reduceat(buckets.number, first, axis=1),
        lost,
        np.fmax.reduceat(buckets.step, first, axis=1),
    )


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
    columns : int
        How many of the newest buckets are held.

    Attributes
    ----------
    low, high : (slots, columns) float64
        Smallest and largest value; infinite, low above high, where there is none.
    total : (slots, columns) float64
        Sum of the values.
    number : (slots, columns) int32
        How many values there are.
    lost : (slots, columns) bool
        The last reading in the bucket was missing.
    step : (stepped slots, columns) float64
        The last step in the bucket, NaN where there is none; only of series that have steps.
    """

    def __init__(self, width_us: int, head: int, first: int, columns: int = COLUMNS) -> None:
        self.width_us = width_us
        self.columns = columns
        self.head = head
        self.first = first
        self._clear()

    def _clear(self) -> None:
        none = (0, self.columns)
        self.low, self.high = np.full(none, np.inf), np.full(none, -np.inf)
        self.total, self.number = np.zeros(none), np.zeros(none, np.int32)
        self.lost, self.step = np.zeros(none, np.bool_), np.full(none, np.nan)

    @property
    def _fields(self) -> Iterator[tuple[str, NDArray[Any]]]:
        return ((name, getattr(self, name)) for name in Buckets._fields)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(field.nbytes for _, field in self._fields)

    @property
    def full(self) -> bool:
        """Whether half of the columns are in use: it is time for a coarser grid."""
        return self.head - self.first >= self.columns // 2

    def grow(self, slots: int, stepped: int) -> None:
        """Make room for so many series, and so many of them that have steps."""
        for name, field in self._fields:
            count = stepped if name == "step" else slots
            setattr(self, name, _longer(field, count, _EMPTY[name]))

    def keep(self, slots: NDArray[np.int64], stepped: NDArray[np.int64]) -> None:
        """Keep these slots, in this order, and drop the others."""
        for name, field in self._fields:
            stay = stepped if name == "step" else slots
            setattr(self, name, field[stay[stay < len(field)]])

    def advance(self, bucket: int) -> None:
        """Make `bucket` the newest, with empty columns between."""
        if bucket <= self.head:
            return
        fresh = np.arange(max(self.head + 1, bucket - self.columns + 1), bucket + 1) % self.columns
        for name, field in self._fields:
            field[:, fresh] = _EMPTY[name]
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
        at = slots * self.columns + bucket % self.columns
        missing = widen(self.low.reshape(-1), self.high.reshape(-1), at, value)
        add_up(self.total.reshape(-1), self.number.reshape(-1), at, value)
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
        at, steps = step_slots * self.columns + bucket % self.columns, self.step.reshape(-1)
        if late:
            np.fmax.at(steps, at, step.astype(float))
        else:
            steps[at] = step

    def buckets(
        self, slots: NDArray[np.int64], step_slots: NDArray[np.int64], start: int, end: int
    ) -> Buckets:
        """Return copies of the columns of the buckets from `start` to `end`, exclusive."""
        columns = np.arange(start, end) % self.columns
        at, step_at = (numbers[:, None] * self.columns + columns for numbers in (slots, step_slots))
        return Buckets(
            *(
                field.reshape(-1).take(step_at if name == "step" else at)
                for name, field in self._fields
            )
        )

    def fold(self, fine: Grid, done: int) -> None:
        """Fill the columns up to number `done` from groups of columns of a finer grid."""
        columns = np.arange(max(self.head + 1, (fine.head - self.columns + 1) // FOLD), done + 1)
        self.advance(done)
        self._fill(columns, fine.folded(columns))

    def _fill(self, columns: NDArray[np.int64], buckets: Buckets) -> None:
        target = columns % self.columns
        contents: tuple[NDArray[Any], ...] = buckets
        for (_, field), content in zip(self._fields, contents, strict=True):
            field[: len(content), target] = content

    def folded(self, columns: NDArray[np.int64], fold: int = FOLD) -> Buckets:
        """Return these columns of the next coarser grid, as far as they are held here."""
        parts = columns[:, None] * fold + np.arange(fold)
        # The array is a ring: columns beyond the head hold older buckets, not newer ones.
        other = (parts > self.head) | (parts <= self.head - self.columns)
        parts = parts % self.columns
        low = np.where(other, np.inf, self.low[:, parts])
        high = np.where(other, -np.inf, self.high[:, parts])
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.where(other, 0.0, self.total[:, parts]).sum(axis=2)
        number = np.where(other, 0, self.number[:, parts]).sum(axis=2, dtype=np.int32)
        lost = self.lost[:, parts] & ~other
        last = np.zeros(lost.shape[:2], np.bool_)
        for part in range(fold):
            seen = (low[:, :, part] <= high[:, :, part]) | lost[:, :, part]
            last = np.where(seen, lost[:, :, part], last)
        step = np.where(other, np.nan, self.step[:, parts])
        low, high = low.min(axis=2), high.max(axis=2)
        return Buckets(low, high, total, number, last, np.fmax.reduce(step, axis=2))

    def coarser(self, fold: int = FOLD) -> Grid:
        """Return a grid of wider buckets with the content of this one, which is emptied."""
        made = Grid(self.width_us * fold, self.head // fold, self.first // fold, self.columns)
        columns = np.arange(max(made.first, (self.head - self.columns) // fold), made.head + 1)
        buckets = self.folded(columns, fold)
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

"""Envelopes of many series in buckets of one width: one level of the pyramid of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "FOLD", "Grid", "extended"]

FOLD: Final = 4
"""So many buckets of a grid are one of the next coarser."""
COLUMNS: Final = 128
"""Columns a grid holds; twice what a picture takes, the rest waits for late rows."""


class Grid:
    """A ring of the newest columns, a line for each series that is drawn.

    Parameters
    ----------
    width_us : int
        Of a bucket; buckets lie on the absolute grid of their width.

    Attributes
    ----------
    head : int
        Number of the newest bucket (time // width), -1 before the first sample.
    first : int
        Number of the oldest bucket that was ever in use.
    low, high : (lines, COLUMNS) float64
        Smallest and largest value; infinite, low above high, where there is none.
    lost : (lines, COLUMNS) bool
        The last reading in the bucket was missing.
    step : (stepped lines, COLUMNS) float64
        The last step in the bucket, NaN where there is none; only of series that have steps.
    """

    def __init__(self, width_us: int) -> None:
        self.width_us = width_us
        self.head = -1
        self.first = 0
        self.low = np.full((0, COLUMNS), np.inf)
        self.high = np.full((0, COLUMNS), -np.inf)
        self.lost = np.zeros((0, COLUMNS), np.bool_)
        self.step = np.full((0, COLUMNS), np.nan)

    @property
    def end_us(self) -> int:
        """Where the newest bucket ends."""
        return (self.head + 1) * self.width_us

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.low.nbytes + self.high.nbytes + self.lost.nbytes + self.step.nbytes

    def grow(self, lines: int, stepped: int) -> None:
        """Make room for so many series, and so many of them that have steps."""
        self.low = extended(self.low, lines, np.inf)
        self.high = extended(self.high, lines, -np.inf)
        self.lost = extended(self.lost, lines, 0)
        self.step = extended(self.step, stepped, np.nan)

    def advance(self, bucket: int) -> None:
        """Make `bucket` the newest, with empty columns between."""
        if self.head < 0:
            self.head = self.first = bucket
            return
        if bucket <= self.head:
            return
        fresh = np.arange(max(self.head + 1, bucket - COLUMNS + 1), bucket + 1) % COLUMNS
        self.low[:, fresh] = np.inf
        self.high[:, fresh] = -np.inf
        self.lost[:, fresh] = False
        self.step[:, fresh] = np.nan
        self.head = bucket

    def held(self, bucket: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which buckets still have a column."""
        return (bucket > self.head - COLUMNS) & (bucket <= self.head)

    def put(
        self, lines: NDArray[np.int32], bucket: NDArray[np.int64], value: NDArray[np.float64]
    ) -> None:
        """Take in values whose buckets are held; the last of a bucket says if it is missing."""
        column, missing = bucket % COLUMNS, np.isnan(value)
        np.fmin.at(self.low, (lines, column), np.where(missing, np.inf, value))
        np.fmax.at(self.high, (lines, column), np.where(missing, -np.inf, value))
        self.lost[lines, column] = missing

    def fold(self, fine: Grid, done: int) -> None:
        """Fill the columns up to number `done` from groups of columns of a finer grid."""
        self.grow(len(fine.low), len(fine.step))
        columns = np.arange(max(self.head + 1, (fine.head - COLUMNS) // FOLD + 1), done + 1)
        self.advance(done)
        parts = columns[:, None] * FOLD + np.arange(FOLD)
        # A ring has no columns beyond its head: what stands there is older.
        beyond, parts, target = parts > fine.head, parts % COLUMNS, columns % COLUMNS
        low = np.where(beyond, np.inf, fine.low[:, parts])
        high = np.where(beyond, -np.inf, fine.high[:, parts])
        lost = fine.lost[:, parts] & ~beyond
        last = np.zeros(lost.shape[:2], np.bool_)
        for part in range(FOLD):
            seen = (low[:, :, part] <= high[:, :, part]) | lost[:, :, part]
            last = np.where(seen, lost[:, :, part], last)
        height = len(fine.low)
        self.low[:height, target] = low.min(axis=2)
        self.high[:height, target] = high.max(axis=2)
        self.lost[:height, target] = last
        step = np.where(beyond, np.nan, fine.step[:, parts])
        self.step[: len(fine.step), target] = np.fmax.reduce(step, axis=2)


def extended(values: NDArray[Any], count: int, fill: float) -> NDArray[Any]:
    """Return an array with room for `count` lines and, when it grows, some more."""
    if count <= len(values):
        return values
    room = max(count, len(values) + len(values) // 4, 16)
    more = np.full((room, *values.shape[1:]), fill, values.dtype)
    more[: len(values)] = values
    return more

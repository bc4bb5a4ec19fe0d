"""Envelopes: the minimum, maximum, sum and count of consecutive rows.

Everything drawn or summarised is made of these. Rows in order of time are cut into blocks, at
edges (`cut_at`) or by number (`blocks_of`), and each block is reduced (`extremes_of`, `sums_of`).
Rows in any other order come into the envelope of their bucket one by one (`widen`, `add_up`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pulse_widgets.series.columns import missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Envelopes",
    "add_up",
    "blocks_of",
    "cut_at",
    "even_edges",
    "extremes_of",
    "joined",
    "mean_of",
    "places_in",
    "single_rows",
    "spread",
    "sums_of",
    "widen",
]


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Blocks of rows, and the gaps between them, of one series in order of time.

    Attributes
    ----------
    rows : (m,) int64
        How many rows a block has: 1 for a missing reading, 0 for a silence.
    start, end : (m,) int64
        Times of the first and the last row, microseconds since the epoch. A gap ends where the
        next row is; a silence begins at the row before it.
    least, greatest, total : (m,) float64
        Of the finite values; NaN, NaN and 0 where there is none.
    count : (m,) int64
        How many finite values there are.
    last : (m,) float64
        The value of the last row, of a counter its reading; in a gap a NaN that means missing.
    """

    rows: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    total: NDArray[np.float64]
    count: NDArray[np.int64]
    last: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of blocks and gaps."""
        return len(self.start)

    @property
    def gap(self) -> NDArray[np.bool_]:
        """Which are gaps."""
        empty = (self.count == 0) & (self.rows <= 1)
        gap: NDArray[np.bool_] = empty & ((self.rows == 0) | missing(self.last))
        return gap

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of the finite values; NaN where there is none."""
        return mean_of(self.total, self.count, self.least, self.greatest)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Envelopes:
        """Return some of them."""
        return Envelopes(*(getattr(self, name)[chosen] for name in self.__slots__))


def mean_of(
    total: NDArray[np.float64],
    weight: NDArray[Any],
    least: NDArray[np.float64],
    greatest: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the mean of each envelope, which lies within it; NaN where it has no weight."""
    mean = np.full(total.shape, np.nan)
    there = weight > 0
    np.divide(total, weight, out=mean, where=there)
    # Sums of finite values may overflow, to infinity or, of both signs, to no number at all.
    lost = there & np.isnan(mean)
    if lost.any():
        mean[lost] = least[lost] / 2 + greatest[lost] / 2
    return np.clip(mean, least, greatest, out=mean, where=there)


# Blocks of rows in order ------------------------------------------------------------


def cut_at(edges: NDArray[Any], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where in `time` each stretch between two edges begins, and where the last one ends.

    Parameters
    ----------
    edges : (n + 1,) int64 or float64
        Microseconds. A row on an edge belongs to the stretch that begins there. Rows before the
        first edge belong to the first stretch, rows from the last one on to the last stretch.
    time : (m,) int64
        In order.

    Returns
    -------
    (n + 1,) int64
        From 0 to m.
    """
    bounds = np.empty(len(edges), np.int64)
    bounds[0], bounds[-1] = 0, len(time)
    bounds[1:-1] = np.searchsorted(time, np.ceil(edges[1:-1]).astype(np.int64))
    return bounds


def blocks_of(runs: NDArray[np.int64], rows: int, size: int) -> NDArray[np.int64]:
    """Return where blocks of `size` rows begin; each run begins with one."""
    lengths = np.diff(np.append(runs, rows))
    blocks = -(-lengths // size)
    before = np.cumsum(blocks) - blocks
    place = np.arange(int(blocks.sum())) - np.repeat(before, blocks)
    first: NDArray[np.int64] = np.repeat(runs, blocks) + place * size
    return first


def extremes_of(
    value: NDArray[np.float64],
    first: NDArray[np.int64],
    there: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return least and greatest value of each block of the last axis.

    Parameters
    ----------
    value : (..., n) float64
    first : (m,) int64
        Where each block begins, ascending; it ends where the next begins, the last one at n.
    there : (..., n) bool, optional
        Which are values; without it those that are not NaN.

    Returns
    -------
    low, high : (..., m) float64
        Infinity and minus infinity in a block without values.
    """
    there = ~np.isnan(value) if there is None else there
    low = high = value
    if not there.all():
        low, high = np.where(there, value, np.inf), np.where(there, value, -np.inf)
    filled = _filled(first, value.shape[-1])
    return (
        _reduced(np.minimum, low, first, filled, np.inf),
        _reduced(np.maximum, high, first, filled, -np.inf),
    )


def sums_of(
    value: NDArray[np.float64], first: NDArray[np.int64], there: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return sum and number of the values of each block; see `extremes_of`."""
    filled = _filled(first, len(value))
    with np.errstate(over="ignore", invalid="ignore"):
        if there.all():
            return _reduced(np.add, value, first, filled, 0.0), np.diff(first, append=len(value))
        total = _reduced(np.add, np.where(there, value, 0.0), first, filled, 0.0)
    return total, _reduced(np.add, there.astype(np.int64), first, filled, 0)


def _filled(first: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
    """Return which blocks have any rows."""
    filled = np.empty(len(first), np.bool_)
    filled[:-1] = first[:-1] < first[1:]
    filled[-1:] = first[-1:] < rows
    return filled


def _reduced(
    function: np.ufunc,
    value: NDArray[Any],
    first: NDArray[np.int64],
    filled: NDArray[np.bool_],
    nothing: float,
) -> NDArray[Any]:
    """Return `function` of each block; `nothing` for an empty block."""
    if filled.all():
        return np.asarray(function.reduceat(value, first, axis=-1))
    made = np.full((*value.shape[:-1], len(first)), nothing, value.dtype)
    # For an empty block `reduceat` returns the first value of the next block.
    if filled.any():
        made[..., filled] = function.reduceat(value, first[filled], axis=-1)
    return made


# Rows in any order ------------------------------------------------------------------


def widen(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    at: NDArray[np.int64] | tuple[NDArray[np.int64], ...],
    least: NDArray[np.float64],
    greatest: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Widen envelopes by the values, or the envelopes, that come into their places.

    Parameters
    ----------
    low, high : array of float64
        Changed in place; infinity and minus infinity where there was nothing yet.
    at : array of int, or a tuple of them
        Where in `low` and `high` each value belongs; a place may come several times.
    least, greatest : (n,) float64
        NaN is no value. Without `greatest` both are the same.

    Returns
    -------
    (n,) bool
        Which were no value.
    """
    nothing = np.isnan(least)
    greatest = least if greatest is None else greatest
    if nothing.any():
        greatest = np.where(nothing, -np.inf, greatest)
        least = np.where(nothing, np.inf, least)
    np.minimum.at(low, at, least)
    np.maximum.at(high, at, greatest)
    return nothing


def add_up(
    total: NDArray[np.float64],
    count: NDArray[Any],
    at: NDArray[np.int64] | tuple[NDArray[np.int64], ...],
    value: NDArray[np.float64],
) -> None:
    """Add the values that come into their places to sums and counts; as `widen`."""
    nothing = np.isnan(value)
    with np.errstate(over="ignore", invalid="ignore"):
        np.add.at(total, at, np.where(nothing, 0.0, value) if nothing.any() else value)
    np.add.at(count, at, (~nothing).astype(count.dtype))


def places_in(edges: NDArray[Any], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return in which interval each time lies; `edges` are where the intervals begin."""
    return np.clip(np.searchsorted(edges, time, "right") - 1, 0, len(edges) - 1)


def even_edges(edges: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Return which edges are those of at most so many stretches that last about equally long."""
    have = len(edges) - 1
    if have <= most:
        return np.arange(have + 1)
    wanted = edges[0] + (edges[-1] - edges[0]) * (np.arange(1, most) / most)
    above = np.searchsorted(edges, wanted).clip(1, have)
    nearest = above - (wanted - edges[above - 1] < edges[above] - wanted)
    return np.unique(np.concatenate(([0], nearest, [have])))


# Envelopes of envelopes -------------------------------------------------------------


def single_rows(time: NDArray[np.int64], value: NDArray[np.float64]) -> Envelopes:
    """Return every row as a block of its own."""
    finite = np.isfinite(value)
    known = np.where(finite, value, np.nan)
    ones = np.ones(len(time), np.int64)
    total = np.where(finite, value, 0.0)
    return Envelopes(ones, time, time, known, known, total, finite.astype(np.int64), value)


def joined(fine: Envelopes, first: NDArray[np.int64]) -> Envelopes:
    """Merge neighbouring envelopes; each new one begins with the old one at `first`."""
    last = np.append(first[1:], len(fine)) - 1
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(fine.total, first)
    # Sums of finite values may overflow, and infinity minus infinity is NaN.
    total[np.isnan(total)] = 0.0
    return Envelopes(
        np.add.reduceat(fine.rows, first),
        fine.start[first],
        fine.end[last],
        np.fmin.reduceat(fine.least, first),
        np.fmax.reduceat(fine.greatest, first),
        total,
        np.add.reduceat(fine.count, first),
        fine.last[last],
    )


def spread(
    envelopes: Envelopes,
    edges: NDArray[Any],
    into: tuple[NDArray[np.float64], NDArray[np.float64]],
    sums: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> None:
    """Add the extremes of envelopes to all intervals that each of them reaches.

    Its values are taken to lie evenly in time: each interval gets its share of their sum and of
    their number.

    Parameters
    ----------
    envelopes : Envelopes
        All with values.
    edges : (n,) int64 or float64
        Where the intervals begin, microseconds.
    into : pair of (n,) float64
        The least and the greatest value of each stretch so far.
    sums : pair of (n,) float64, optional
        Sum and number of the values of each stretch so far.
    """
    first, last = places_in(edges, envelopes.start), places_in(edges, envelopes.end)
    many = last - first + 1
    block = np.repeat(np.arange(len(envelopes)), many)
    place = np.arange(len(block)) - np.repeat(np.cumsum(many) - many - first, many)
    widen(*into, place, envelopes.least[block], envelopes.greatest[block])
    if sums is None:
        return
    start, end = envelopes.start[block], envelopes.end[block]
    since = np.where(place == first[block], start, np.asarray(edges)[place])
    until = np.where(place == last[block], end, np.append(edges[1:], np.inf)[place])
    # A row lasts a microsecond: one that lies on an edge has a share beyond it.
    share = (until - since + 1) / (end - start + many[block])
    with np.errstate(over="ignore", invalid="ignore"):
        np.add.at(sums[0], place, envelopes.total[block] * share)
    np.add.at(sums[1], place, envelopes.count[block] * share)

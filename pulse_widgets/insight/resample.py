"""Resamples one series: its envelope in intervals of equal length."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pulse_widgets.series.envelopes import (
    cut_at,
    extremes_of,
    places_in,
    spread,
    sums_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pulse_widgets.series.envelopes import Envelopes

__all__ = ["Envelope", "envelope_of_blocks", "envelope_of_rows"]


class Envelope(NamedTuple):
    """Minimum, maximum and mean of intervals of equal length.

    Attributes
    ----------
    time : (n,) datetime64[us]
        Where each interval begins, UTC.
    min, max, mean : (n,) float64
        Of the finite values; NaN where there is none.
    count : (n,) int64
        Finite values in the interval.
    """

    time: NDArray[np.datetime64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    mean: NDArray[np.float64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.count, which nobody asks of it


def envelope_of_blocks(start: int, end: int, points: int, blocks: Envelopes) -> Envelope:
    """Return the envelope of `points` intervals from `start` to `end`, the end inside.

    Parameters
    ----------
    start, end : int
        Microseconds.
    points : int
    blocks : Envelopes
        The extremes of a block stand in every interval that it reaches; its values are counted
        where it begins.
    """
    begins = _edges(start, end, points)[:-1]
    filled = blocks.take(blocks.count > 0)
    low, high = np.full(points, np.inf), np.full(points, -np.inf)
    spread(filled, begins, (low, high))
    count, total = np.zeros(points, np.int64), np.zeros(points)
    place = places_in(begins, filled.start)
    np.add.at(count, place, filled.count)
    with np.errstate(invalid="ignore", over="ignore"):
        np.add.at(total, place, filled.total)
    return _envelope(begins, (low, high), total, count)


def envelope_of_rows(time: NDArray[np.int64], value: NDArray[np.float64], points: int) -> Envelope:
    """Return the envelope of rows in `points` intervals from the first to the last of them.

    Parameters
    ----------
    time : (n,) int64
        Microseconds, in order.
    value : (n,) float64
        Those that are not finite are no values.
    points : int
        Without rows there are no intervals.
    """
    if not len(time):
        none = np.zeros(0)
        return _envelope(np.zeros(0, np.int64), (none, none), none, np.zeros(0, np.int64))
    edges = _edges(int(time[0]), int(time[-1]), points)
    first = cut_at(edges, time)[:-1]
    finite = np.isfinite(value)
    return _envelope(edges[:-1], extremes_of(value, first, finite), *sums_of(value, first, finite))


def _edges(start: int, end: int, points: int) -> NDArray[np.int64]:
    return start + (np.arange(points + 1) * ((end - start + 1) / points)).astype(np.int64)


def _envelope(
    begins: NDArray[np.int64],
    extremes: tuple[NDArray[np.float64], NDArray[np.float64]],
    total: NDArray[np.float64],
    count: NDArray[np.int64],
) -> Envelope:
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    # A block that reaches into a interval has its extremes there, though no value begins in it.
    known = extremes[0] <= extremes[1]
    low, high = (np.where(known, bound, np.nan) for bound in extremes)
    return Envelope(begins.view("datetime64[us]"), low, high, mean, count)

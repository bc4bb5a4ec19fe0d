"""One series as it is drawn: a line of means inside a band, broken where nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pulse_widgets.series.envelopes import cut_at, extremes_of, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Curve", "bucket_means", "curve_of"]


class Curve(NamedTuple):
    """The points of a line and its band; at a NaN the line breaks.

    Attributes
    ----------
    time : (n,) int64
        Microseconds since the epoch, in order.
    low, high, mean : (n,) float64
    """

    time: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]


def curve_of(
    time: NDArray[np.int64], value: NDArray[np.float64], silent: NDArray[np.int64], points: int
) -> Curve:
    """Return the curve of one series.

    Up to `points` values are points of their own. Of more, those of each of `points` even
    stretches of time become one point, with the least and the greatest of them as the band.

    Parameters
    ----------
    time : (n,) int64
        Microseconds, in order.
    value : (n,) float64
        From a value that is not finite to the next row nothing is known.
    silent : (k,) int64
        The rows before which there is a silence; see `pulse_widgets.series.gaps`.
    points : int
    """
    there = np.flatnonzero(np.isfinite(value))
    breaks = _breaks(time, value, silent)
    known, seen = time[there], value[there]
    if len(there) <= points:
        return _broken(Curve(known, seen, seen, seen), breaks)
    edges = np.linspace(known[0], known[-1] + 1, points + 1)
    first = cut_at(edges, known)[:-1]
    low, high = extremes_of(seen, first)
    total, count = sums_of(seen, first, np.ones(len(seen), np.bool_))
    filled = count > 0
    with np.errstate(invalid="ignore"):
        # A sum beyond what a float holds must not bring the mean out of the band.
        mean = np.clip(total[filled] / count[filled], low[filled], high[filled])
    middle = ((edges[:-1] + edges[1:]) / 2).astype(np.int64)[filled]
    # A break inside one stretch cannot be seen at this width.
    before = np.searchsorted(edges, known[np.searchsorted(known, breaks) - 1], "right")
    after = np.searchsorted(
        edges, known[np.clip(np.searchsorted(known, breaks), 0, len(known) - 1)], "right"
    )
    return _broken(Curve(middle, low[filled], high[filled], mean), breaks[before != after])


def bucket_means(
    time: NDArray[np.int64], value: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of the finite values in each stretch; NaN where there is none.

    Parameters
    ----------
    time : (n,) int64
        Microseconds, in order.
    value : (n,) float64
    edges : (m + 1,) float64
        Rows outside of them do not count.
    """
    inside = slice(*np.searchsorted(time, [edges[0], edges[-1]]).tolist())
    time, value = time[inside], value[inside]
    there = np.isfinite(value)
    total, count = sums_of(value, cut_at(edges, time)[:-1], there)
    means: NDArray[np.float64] = np.full(len(count), np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def _breaks(
    time: NDArray[np.int64], value: NDArray[np.float64], silent: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the moments from which nothing is known."""
    absent = time[~np.isfinite(value)]
    return np.unique(np.concatenate([absent, time[silent - 1] + 1]))


def _broken(curve: Curve, breaks: NDArray[np.int64]) -> Curve:
    """Put a NaN wherever nothing is known between two points."""
    places = np.searchsorted(curve.time, breaks)
    inner = (places > 0) & (places < len(curve.time))
    places, first = np.unique(places[inner], return_index=True)
    time = np.insert(curve.time, places, breaks[inner][first])
    columns = (np.insert(column, places, np.nan) for column in curve[1:])
    return Curve(time, *columns)

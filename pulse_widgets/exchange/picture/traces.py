"""What a screen knows of one line of a picture: one series, or several as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.exchange.picture.chart import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.history import Screen

__all__ = ["trace_of"]


def trace_of(screen: Screen, places: Sequence[int]) -> Trace:
    """Return the trace of some rows of a screen, of several their envelope."""
    rows = np.array(places, np.intp)
    seen = screen.low[rows] <= screen.high[rows]
    low = np.where(seen, screen.low[rows], np.inf).min(axis=0, initial=np.inf)
    high = np.where(seen, screen.high[rows], -np.inf).max(axis=0, initial=-np.inf)
    there = low <= high
    mean = _mean_of(screen, rows, seen)
    gap = ~there & _all_gone(seen, screen.missing[rows])
    at = np.flatnonzero(there)
    lost = bool(gap[at[-1] + 1 :].any()) if len(at) else bool(gap.any())
    segment = np.cumsum(gap, dtype=np.int64)[at]
    last = None
    if len(rows) == 1 and screen.last is not None and np.isfinite(screen.last[rows[0]]):
        last = float(screen.last[rows[0]])
    time = (screen.edges[:-1] + screen.edges[1:])[at] / 2
    width = np.diff(screen.edges)[at]
    return Trace(time, width, low[at], high[at], mean[at], segment, lost, last)


def _all_gone(seen: NDArray[np.bool_], missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the buckets in which no series has readings, because they are missing.

    A gap lasts until the next sample, also over buckets in which no reading was due. A series of
    several that is lost is no gap of those that go on.
    """
    told = seen | missing
    place = np.maximum.accumulate(np.where(told, np.arange(told.shape[1]), -1), axis=1)
    begun = place >= 0
    alive = np.take_along_axis(seen, np.maximum(place, 0), axis=1) & begun
    gone: NDArray[np.bool_] = np.logical_and(begun.any(axis=0), ~alive.any(axis=0))
    return gone


def _mean_of(
    screen: Screen, rows: NDArray[np.intp], seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the mean of the means of some series; NaN where one of them is not known."""
    low, high = screen.low[rows], screen.high[rows]
    known = np.where(np.isnan(screen.mean[rows]) & (low == high), low, screen.mean[rows])
    share = np.where(seen, known, 0.0) / np.maximum(seen.sum(axis=0), 1)
    mean: NDArray[np.float64] = share.sum(axis=0)
    return mean

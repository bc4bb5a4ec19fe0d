"""The detail of a recording: rows of one series between two times, as a page gets them.

A row whose value is NaN says that nothing is known from it to the next row. Wherever a range is
cut out of a recording, and whether it is answered from rows or from envelopes, its gaps are in it.
A logged infinity or NaN is such a row, too; `pulse_widgets.series.odd` tells it beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.metrics.catalog import rate_of
from pulse_widgets.series.gaps import gaps_of
from pulse_widgets.series.rates import rates_of
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns
    from pulse_widgets.series.registry import SeriesInfo

__all__ = ["is_rated", "shown", "silent_spans", "whole_rows"]


def is_rated(info: SeriesInfo) -> bool:
    """Return whether a series is drawn as its rate."""
    return rate_of(info.metric, info.kind, info.unit) is not None


def shown(info: SeriesInfo, columns: Columns, silent: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is drawn of each row; NaN where nothing is known.

    Parameters
    ----------
    info : SeriesInfo
    columns : Columns
        At least one row.
    silent : (k, 2) int64
        Begin and end of every silence of the series.
    """
    if not is_rated(info):
        return _finite(columns.value)
    rates = rates_of(columns)
    # A rate across a silence is true of neither side of it, so it is left out.
    after = silent[:, 1][silent[:, 1] <= columns.time[-1]]
    rates[np.searchsorted(columns.time, after)] = np.nan
    return _finite(rates)


def _finite(value: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = np.isfinite(value)
    return value if finite.all() else np.where(finite, value, np.nan)


def silent_spans(info: SeriesInfo, columns: Columns) -> NDArray[np.int64]:
    """Return begin and end of every silence in all rows of a series, one to a line."""
    silent = gaps_of(columns.time, columns.value, info.kind, info.entity).silent
    return np.stack([columns.time[silent - 1], columns.time[silent]], axis=1)


def whole_rows(
    info: SeriesInfo, columns: Columns, silent: NDArray[np.int64], start: int, end: int
) -> Rows:
    """Return the rows with start <= time < end.

    Parameters
    ----------
    info : SeriesInfo
        Its `id` is the number of the rows.
    columns : Columns
        These rows and at least the one before them, if there is one; not none at all.
    silent : (k, 2) int64
        Begin and end of every silence of the series.
    start, end : int
        Microseconds.
    """
    within = silent[(silent[:, 0] < end) & (silent[:, 1] > start)]
    value, rated = shown(info, columns, within), is_rated(info)
    time, step = columns.time, columns.step
    first, stop = np.searchsorted(time, [start, end]).tolist()
    breaks = np.maximum(within[:, 0] + 1, start)
    breaks = breaks[breaks < end]
    if _is_unknown(columns, value, first - 1, rated=rated):
        breaks = np.unique(np.append(breaks, start))
    # The first reading of a counter has no rate, which does not mean that it is missing.
    part = slice(max(first, int(rated)), max(stop, int(rated)))
    time, value, step = time[part], value[part], step[part]
    if len(breaks):
        places = np.searchsorted(time, breaks)
        time, value = np.insert(time, places, breaks), np.insert(value, places, np.nan)
        step = np.insert(step, places, NO_STEP)
    return Rows(np.full(len(time), info.id, np.int32), time, step, value)


def _is_unknown(columns: Columns, value: NDArray[np.float64], row: int, *, rated: bool) -> bool:
    """Return whether nothing is known after a row."""
    if row < 0:
        return False
    # The first reading of a counter has no rate: the reading itself says if it is missing.
    known = columns.value[row] if rated and row == 0 else value[row]
    return not np.isfinite(known)

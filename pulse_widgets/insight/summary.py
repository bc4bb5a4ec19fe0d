"""The summary of one series: its mean, extremes, last value and the like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.metrics.catalog import unit_of_rate
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.rates import shown_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns
    from pulse_widgets.series.envelopes import Envelopes

__all__ = ["Summary", "integral", "summary_of", "summary_of_blocks"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of one series; NaN where there is nothing to say.

    Attributes
    ----------
    metric, unit : str
        Of a counter, those of its rate.
    min, mean, max, last : float
        Of a counter, of its rate; its mean is the increase over the time in which it is known.
    count : int
        Values there are.
    total : float
        What a counter grew by; of a power without an energy counter, its integral.
    total_unit : str
    """

    metric: str
    unit: str
    min: float
    mean: float
    max: float
    last: float
    count: int
    total: float = math.nan
    total_unit: str = ""


def summary_of(
    metric: str, unit: str, kind: str, columns: Columns, rate: tuple[str, str] | None = None
) -> Summary:
    """Return the summary of a series as it is stored; a counter may have a rate of another name."""
    with np.errstate(invalid="ignore", over="ignore"):  # a user may log infinities
        return _summary(metric, unit, kind, columns, rate)


def _summary(
    metric: str, unit: str, kind: str, columns: Columns, rate: tuple[str, str] | None
) -> Summary:
    about, values = kind_stored_as(kind), shown_values(kind, columns)
    there = ~np.isnan(values)
    known = values if there.all() else values[there]
    if about.cumulative:
        return _of_counter(rate or (metric, unit_of_rate(unit)), unit, columns, known, there)
    if not len(known):
        return Summary(metric, unit, math.nan, math.nan, math.nan, math.nan, 0)
    mean = float(known.mean()) if about.averaged else math.nan
    return Summary(
        metric, unit, float(known.min()), mean, float(known.max()), float(known[-1]), len(known)
    )


def _of_counter(
    rate: tuple[str, str],
    unit: str,
    columns: Columns,
    rates: NDArray[np.float64],
    there: NDArray[np.bool_],
) -> Summary:
    name, rate_unit = rate
    readings = columns.value[~np.isnan(columns.value)]
    grown = np.diff(readings)
    # A counter that fell was reset; what it counted meanwhile is unknown and not guessed.
    total = float(grown[grown > 0].sum()) if len(readings) > 1 else math.nan
    if not len(rates):
        nothing = (math.nan, math.nan, math.nan, math.nan)
        return Summary(name, rate_unit, *nothing, 0, total, unit)
    seconds = np.diff(columns.time, prepend=columns.time[:1])[there] / 1e6
    mean = float((rates * seconds).sum() / seconds.sum())
    extremes = (float(rates.min()), mean, float(rates.max()), float(rates[-1]))
    return Summary(name, rate_unit, *extremes, len(rates), total, unit)


def summary_of_blocks(
    metric: str, unit: str, kind: str, blocks: Envelopes, rate: tuple[str, str] | None = None
) -> Summary | None:
    """Return the summary of a series from its envelopes; None where that needs the rows.

    Envelopes in a file are rounded outwards, so they are exact only where minimum and maximum are
    equal. That holds for a gauge with one value in each block, and for a counter that never
    changed.

    Parameters
    ----------
    metric, unit, kind : str
    blocks : Envelopes
        All blocks of one level, of a counter those of its rate.
    rate : (str, str), optional
        Name and unit of the rate of a counter.
    """
    values = blocks.take(~blocks.gap)
    if (values.least != values.greatest).any():
        return None
    if kind_stored_as(kind).cumulative:
        still = 0 < len(values) == len(blocks) and not values.least.any()
        # The first row has no rate. Any other row without a rate is beside a reset, or is one of
        # two rows at the same time.
        if not still or int((values.rows - values.count).sum()) != 1:
            return None
        name, rate_unit = rate or (metric, unit_of_rate(unit))
        return Summary(name, rate_unit, 0.0, 0.0, 0.0, 0.0, int(values.count.sum()), 0.0, unit)
    if (values.rows != values.count).any():
        return None  # infinities, which are values too, are not in an envelope
    count = int(values.count.sum())
    if not count:
        return Summary(metric, unit, math.nan, math.nan, math.nan, math.nan, 0)
    low, high, mean = float(values.least.min()), float(values.greatest.max()), math.nan
    if kind_stored_as(kind).averaged:
        mean = float(np.clip((values.least * (values.count / count)).sum(), low, high))
    return Summary(metric, unit, low, mean, high, float(values.last[-1]), count)


def integral(columns: Columns) -> float:
    """Return value times seconds, by trapezoids between values that are both there."""
    seconds = np.diff(columns.time) / 1e6
    with np.errstate(invalid="ignore", over="ignore"):
        areas = seconds * (columns.value[1:] + columns.value[:-1]) / 2
        there = ~np.isnan(areas)
        return float(areas[there].sum()) if there.any() else math.nan

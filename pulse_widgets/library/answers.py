"""What a recording answers, computed from columns: envelopes, sums, cells and events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from pulse_widgets.metrics.catalog import unit_of_rate
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.spans import Pairing, text_rows
from pulse_widgets.storage.cells import shown_values
from pulse_widgets.storage.schema import CELL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.storage.cells import Cells

__all__ = [
    "Envelope",
    "Line",
    "Span",
    "envelope",
    "event_of",
    "places_in",
    "spans",
    "spread",
    "summary_of",
]

CELLS_A_POINT: Final = 8
LEAST_ROWS: Final = CELL * CELLS_A_POINT
"""Rows a point from which the overview is worth reading."""


class Envelope(NamedTuple):
    """Least, greatest and mean of even stretches of time.

    Attributes
    ----------
    time : (n,) datetime64[us]
        Where each stretch begins, UTC.
    min, max, mean : (n,) float64
        Of the finite values; NaN where there is none.
    count : (n,) int64
        Finite values in the stretch.
    """

    time: NDArray[np.datetime64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    mean: NDArray[np.float64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.count, which nobody asks of it


def envelope(start: int, end: int, points: int, cells: Cells) -> Envelope:
    """Return the envelope of `points` stretches from `start` to `end`, the end inside.

    Parameters
    ----------
    start, end : int
        Microseconds.
    cells : Cells
        Blocks of rows, or single rows, in order of time. The extremes of a block stand in every
        stretch that it reaches; its values are counted where it begins.
    """
    edges = start + (np.arange(points) * ((end - start + 1) / points)).astype(np.int64)
    filled = cells.take(cells.count > 0)
    first, last = places_in(edges, filled.start), places_in(edges, filled.end)
    low, high = np.full(points, np.inf), np.full(points, -np.inf)
    spread(filled, first, last, (low, high))
    count = np.zeros(points, np.int64)
    np.add.at(count, first, filled.count)
    total = np.zeros(points)
    with np.errstate(invalid="ignore", over="ignore"):
        np.add.at(total, first, filled.total)
    mean = np.divide(total, count, out=np.full(points, np.nan), where=count > 0)
    nothing = low > high
    low[nothing] = high[nothing] = np.nan
    return Envelope(edges.view("datetime64[us]"), low, high, mean, count)


def places_in(edges: NDArray[Any], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return in which stretch each time lies; `edges` are where the stretches begin."""
    return np.clip(np.searchsorted(edges, time, "right") - 1, 0, len(edges) - 1)


def spread(
    cells: Cells,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    into: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Bring the extremes of cells into all stretches from `first` to `last` of each.

    Parameters
    ----------
    cells : Cells
        All with values.
    first, last : (m,) int64
    into : pair of (n,) float64
        The least and the greatest value of each stretch so far.
    """
    many = last - first + 1
    cell = np.repeat(np.arange(len(cells)), many)
    place = np.arange(len(cell)) - np.repeat(np.cumsum(many) - many - first, many)
    np.minimum.at(into[0], place, cells.least[cell])
    np.maximum.at(into[1], place, cells.greatest[cell])


@dataclass(frozen=True, slots=True)
class Line:
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
) -> Line:
    """Return the summary of a series as it is stored; a counter may have a rate of another name."""
    with np.errstate(invalid="ignore", over="ignore"):  # a user may log infinities
        return _summary(metric, unit, kind, columns, rate)


def _summary(
    metric: str, unit: str, kind: str, columns: Columns, rate: tuple[str, str] | None
) -> Line:
    about, values = kind_stored_as(kind), shown_values(kind, columns)
    there = ~np.isnan(values)
    known = values[there]
    if about.cumulative:
        return _of_counter(rate or (metric, unit_of_rate(unit)), unit, columns, known, there)
    if not len(known):
        return Line(metric, unit, math.nan, math.nan, math.nan, math.nan, 0)
    mean = float(known.mean()) if about.averaged else math.nan
    return Line(
        metric, unit, float(known.min()), mean, float(known.max()), float(known[-1]), len(known)
    )


def _of_counter(
    rate: tuple[str, str],
    unit: str,
    columns: Columns,
    rates: NDArray[np.float64],
    there: NDArray[np.bool_],
) -> Line:
    name, rate_unit = rate
    readings = columns.value[~np.isnan(columns.value)]
    grown = np.diff(readings)
    # A counter that fell was reset; what it counted meanwhile is unknown and not guessed.
    total = float(grown[grown > 0].sum()) if len(readings) > 1 else math.nan
    if not len(rates):
        nothing = (math.nan, math.nan, math.nan, math.nan)
        return Line(name, rate_unit, *nothing, 0, total, unit)
    seconds = np.diff(columns.time, prepend=columns.time[:1])[there] / 1e6
    mean = float((rates * seconds).sum() / seconds.sum())
    extremes = (float(rates.min()), mean, float(rates.max()), float(rates[-1]))
    return Line(name, rate_unit, *extremes, len(rates), total, unit)


def integral(columns: Columns) -> float:
    """Return value times seconds, by trapezoids between values that are both there."""
    seconds = np.diff(columns.time) / 1e6
    with np.errstate(invalid="ignore", over="ignore"):
        areas = seconds * (columns.value[1:] + columns.value[:-1]) / 2
        there = ~np.isnan(areas)
        return float(areas[there].sum()) if there.any() else math.nan


class Span(NamedTuple):
    """Something with a start and, unless it still runs, an end; times in microseconds."""

    key: SeriesKey
    start: int
    end: int | None
    seconds: float
    facts: Mapping[str, Any]


def spans(series: Iterable[tuple[SeriesKey, Columns]]) -> list[Span]:
    """Return the spans in order of their start, start and end row joined by their id."""
    found: list[Span] = []
    for key, columns in series:
        pairing = Pairing()
        told = [pairing.take(key, *row) for row in text_rows(columns)]
        ended = [one for one in told if one.end is not None]
        found += [
            Span(key, one.start, one.end, one.seconds, one.facts)
            for one in (*ended, *pairing.waiting())
        ]
    return sorted(found, key=lambda s: s.start)


def event_of(metric: str, text: str) -> dict[str, Any]:
    """Return what an event says: kind, message, remedy and the rest of its facts."""
    facts = facts_of(text) or {}
    message = facts.get("message") or facts.get("label") or facts.get("text") or ""
    return {
        "kind": str(facts.get("kind", metric)),
        "message": str(message or (text if not facts else "")),
        "remedy": str(facts.get("remedy", "")),
    }

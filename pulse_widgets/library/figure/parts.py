"""What a figure is made of: panels of lines, and what all kinds of figures share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.errors import ArgumentError
from pulse_widgets.exchange.picture.svg import COLORS
from pulse_widgets.exchange.picture.wishes import PREFERRED_CHARTS
from pulse_widgets.metrics.entities import owner_key
from pulse_widgets.metrics.headings import USER, heading_of, title_of
from pulse_widgets.metrics.units import axis_unit
from pulse_widgets.series.gaps import gaps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.exchange.picture.owners import Owners
    from pulse_widgets.library.selection import Chosen
    from pulse_widgets.series.columns import Columns
    from pulse_widgets.series.spans import Span

__all__ = ["Asked", "Held", "Line", "Panel", "panels_of", "stamps", "wanted"]

PANELS_MOST: Final = 40
PANELS_FIRST: Final = 12
"""Charts of a figure that nobody said the metrics of."""
PALETTE: Final = COLORS


@dataclass(frozen=True, slots=True)
class Held:
    """What a figure may draw of a recording.

    Attributes
    ----------
    title : str
    chosen : tuple of Chosen
        The series that are selected, with numbers.
    narrowed : bool
        Whether somebody selected them.
    rows : callable
        Yields some series, each with its rows as stored, counters too.
    owners : Owners
        What things are called.
    cells : list of Span
    marks : list of (int, str)
        Microseconds and label.
    start, end : int
        Microseconds, both inside.
    steps : (int, int) or None
        First and last step, both inside.
    """

    title: str
    chosen: tuple[Chosen, ...]
    narrowed: bool
    rows: Callable[[Sequence[Chosen]], Iterable[tuple[Chosen, Columns]]]
    owners: Owners
    cells: list[Span]
    marks: list[tuple[int, str]]
    start: int
    end: int
    steps: tuple[int, int] | None = None

    def inside(self, time: NDArray[np.int64], step: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows are selected."""
        found = (time >= self.start) & (time <= self.end)
        if self.steps is not None:
            found &= (step >= self.steps[0]) & (step <= self.steps[1])
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """How a figure is wanted: see `Recording.figure`."""

    by: str
    points: int


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one series as they are shown: of a counter the rate.

    Attributes
    ----------
    label, color : str
    time : (n,) int64
        Microseconds.
    value : (n,) float64
        NaN where nothing is known from that row to the next.
    silent : (k,) int64
        The rows before which there is a silence.
    """

    label: str
    color: str
    host: str
    entity: str
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    silent: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: lines of one metric.

    Attributes
    ----------
    title : str
    size : float
        What one of the axis' unit is in the unit of the values.
    suffix : str
        What stands after a number on the axis.
    """

    metric: str
    title: str
    size: float
    suffix: str
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        """The title with its unit."""
        unit = self.suffix.strip()
        return f"{self.title} ({unit})" if unit else self.title


def stamps(time: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return microseconds since the epoch as times that Plotly draws, UTC."""
    return time.view("datetime64[us]")


def wanted(held: Held, metrics: str | Sequence[str] | None) -> list[list[Chosen]]:
    """Return the series of each panel, one metric to a panel, in the order of the figure.

    Raises
    ------
    ArgumentError
        If there is nothing to draw, or too much.
    """
    groups: dict[str, list[Chosen]] = {}
    for one in held.chosen:
        shown = replace(one, rated=one.rate is not None)
        groups.setdefault(shown.metric, []).append(shown)
    if not groups:
        raise ArgumentError(
            "No series with numbers is selected",
            remedy="Look at the table `series` for what the recording holds.",
        )
    anything = metrics is None and not held.narrowed
    names = list(_first(groups) if anything else groups)
    if len(names) > PANELS_MOST:
        raise ArgumentError(
            f"{len(names)} metrics are too many for one figure",
            remedy=f"Name at most {PANELS_MOST} of them, as in figure(metrics=['gpu.*']).",
        )
    return [sorted(groups[name], key=_order) for name in names]


def _order(one: Chosen) -> Any:
    return owner_key(one.key.host, one.key.entity)


def _first(groups: dict[str, list[Chosen]]) -> Iterator[str]:
    """Yield what people look for first: their own metrics, then the GPUs, then the machine."""
    own = [name for name, (one, *_) in groups.items() if _heading(one) == USER]
    usual = [name for chart in PREFERRED_CHARTS for name in chart.metrics if name in groups]
    found = list(dict.fromkeys([*own, *usual])) or list(groups)
    yield from found[:PANELS_FIRST]


def _heading(one: Chosen) -> str:
    return heading_of(one.key.metric, one.key.entity, one.info.labels)


def panels_of(held: Held, groups: Sequence[Sequence[Chosen]]) -> list[Panel]:
    """Return the panels of some groups; every row group of the file is read once."""
    lines = _lines(held, [one for group in groups for one in group])
    return [_panel(group, [lines[one.key] for one in group if one.key in lines])
            for group in groups]  # fmt: skip


def _lines(held: Held, chosen: Sequence[Chosen]) -> dict[Any, Line]:
    places: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    for one in sorted(chosen, key=_order):
        owner = one.key.host, one.key.entity
        if owner not in places:
            # A thing has its colour in every chart, and so has the second of its sort.
            sort = one.key.entity.partition(":")[0]
            places[owner] = counts.get(sort, 0)
            counts[sort] = places[owner] + 1
    return {one.key: _line(held, one, columns, places[one.key.host, one.key.entity])
            for one, columns in held.rows(chosen)}  # fmt: skip


def _line(held: Held, one: Chosen, columns: Columns, place: int) -> Line:
    key, time = one.key, columns.time
    broken = np.zeros(len(time), np.bool_)
    broken[gaps_of(time, columns.value, one.info.kind, key.entity).silent] = True
    value = np.where(np.isfinite(shown := one.shown(columns).value), shown, np.nan)
    inside = held.inside(time, columns.step)
    if one.rated:
        # The first reading of a counter has no rate; across a silence there is none either.
        value[broken] = np.nan
        inside[:1] = False
    # A silence that begins before what is selected is none of it.
    silent = np.flatnonzero(broken[inside])
    return Line(
        held.owners.label(key.host, key.entity, one.info.labels),
        PALETTE[place % len(PALETTE)],
        key.host,
        key.entity,
        time[inside],
        value[inside],
        silent[silent > 0],
    )


def _panel(group: Sequence[Chosen], lines: Sequence[Line]) -> Panel:
    one = group[0]
    known = [np.nanmax(np.abs(line.value)) for line in lines if np.isfinite(line.value).any()]
    size, suffix = axis_unit(float(max(known, default=0.0)), one.unit)
    title = title_of(one.metric, one.key.entity, one.info.labels)
    return Panel(one.metric, title, size, suffix, tuple(lines))

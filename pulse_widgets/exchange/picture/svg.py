"""The charts of a saved output as one SVG text; ``js/core/still/svg.ts`` is its twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulse_widgets.exchange.picture.axis import time_ticks, value_range, value_ticks
from pulse_widgets.exchange.picture.curve import PX, Scale, band_of, shape_of
from pulse_widgets.exchange.picture.heat import heat_image, ramp_stops
from pulse_widgets.exchange.picture.story import NO_STORY, idle_path, mark_paths
from pulse_widgets.exchange.picture.text import clean, nearest, shorten, text_width
from pulse_widgets.metrics.units import MISSING, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulse_widgets.exchange.picture.alarms import Alarm
    from pulse_widgets.exchange.picture.chart import Chart, Line, Trace
    from pulse_widgets.exchange.picture.story import Story

__all__ = ["FONT", "WIDTH", "Heading", "draw", "last_text"]

WIDTH: Final = 960
"""Pixels across the whole picture."""

GAP: Final = 8
HEADER: Final = 54
LEFT, RIGHT, TOP, BOTTOM = 62, 10, 32, 10
PLOT: Final = 76
"""Height of a plot, and of the plots of a single row."""
TALL_PLOT: Final = 120
FLAT_ROWS: Final = 16
"""More rows of colours need a taller plot."""
AXIS: Final = 14
"""What the labels of time take, below the lowest chart of a column."""
LEGEND_COLUMNS: Final = 4
LEGEND_ROW: Final = 18
LONG: Final = 60
"""Characters of a title that stands alone."""
RAISED: Final = " ▲"
"""Stands behind a value that is alarming."""
MOST_BANDS: Final = 3
"""The bands of more lines would hide one another; then there is one from lowest to highest."""

# Those of the dashboard on light ground, and so each line has the colour it has there.
COLORS: Final = (
    "#0065b3", "#cc7c4f", "#004313", "#d62a7a", "#009ccc", "#a68805", "#1b2dad", "#4e323a",
)  # fmt: skip
INK, SOFT, GRID, EDGE, PAPER = "#1c2733", "#586674", "#e8ecf1", "#dfe5eb", "#f4f6f9"
WARN: Final = "#a8480a"
IDLE: Final = "#f1f3f7"
FONT: Final = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the charts.

    Attributes
    ----------
    title, subtitle : str
    note : str
        A warning beside the title; empty for none.
    alarms : tuple of Alarm
        What the legend says of the GPUs.
    """

    title: str
    subtitle: str
    note: str = ""
    alarms: tuple[Alarm, ...] = ()


def draw(
    charts: Sequence[Chart],
    heading: Heading,
    span: tuple[float, float],
    points: int,
    story: Story = NO_STORY,
) -> str:
    """Return the picture.

    Parameters
    ----------
    charts : sequence of Chart
    heading : Heading
    span : (float, float)
        Unix times of the left and right edge of every chart.
    points : int
        Columns a chart has at most.
    story : Story
        What is drawn behind every chart.
    """
    across = _columns(len(charts))
    rows = -(-len(charts) // across)
    width = (WIDTH - GAP * (across + 1)) // across
    most = max((len(chart.rows) for chart in charts), default=0)
    plot = PLOT if rows > 1 and most <= FLAT_ROWS else TALL_PLOT
    shared = _shared(charts)
    top = HEADER + (-(-len(shared) // LEGEND_COLUMNS) * LEGEND_ROW if shared else 0)
    height = top + rows * (TOP + plot + BOTTOM + GAP) + AXIS
    frame = _Frame(width, plot, span, points, heat=most > 0)
    cards = [
        _Card(chart, frame, shared, last=i + across >= len(charts)).draw(
            GAP + i % across * (width + GAP), top + i // across * (TOP + plot + BOTTOM + GAP)
        )
        for i, chart in enumerate(charts)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" font-size="11" fill="{SOFT}">'
        f"{frame.backdrop(story)}"
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="{PAPER}"/>'
        f"{_heading(heading, heat=most > 0)}{_legend(charts, shared, heading.alarms)}"
        f"{''.join(cards)}</svg>"
    )


def _columns(charts: int) -> int:
    return charts if charts in {1, 2} else 2 if charts == 4 else 3  # noqa: PLR2004


def _heading(heading: Heading, *, heat: bool) -> str:
    title = shorten(heading.title, LONG if len(heading.note) <= LONG // 2 else LONG // 2)
    note = clean(shorten(heading.note, LONG + LONG // 3))
    place = f'x="{WIDTH - 16}" y="24" text-anchor="end" fill="{WARN}" font-weight="600"'
    note = f"<text {place}>{note}</text>" if note else ""
    subtitle = heading.subtitle + (" · in rows of colours the first is at the top" if heat else "")
    return (
        f'<text x="16" y="25" font-size="16" font-weight="600" fill="{INK}">{clean(title)}</text>'
        f'<text x="16" y="43">{clean(shorten(subtitle, 150))}</text>{note}'
    )


# The legend of several charts ------------------------------------------------------------


def _shared(charts: Sequence[Chart]) -> tuple[str, ...]:
    """Return the names that the lines of several charts have; empty where there are none."""
    all_ = [_names(chart) for chart in charts]
    return next((names for names in all_ if len(names) > 1 and all_.count(names) > 1), ())


def _names(chart: Chart) -> tuple[str, ...]:
    """Return what the lines are called, where that is what they belong to."""
    names = tuple(line.label for line in chart.lines)
    return names if names == tuple(line.owner for line in chart.lines) else ()


def _legend(charts: Sequence[Chart], shared: Sequence[str], alarms: Sequence[Alarm]) -> str:
    """Return a key for each name, with the last values of its lines, chart by chart."""
    of = [chart for chart in charts if shared and _names(chart) == shared]
    room = (WIDTH - 32) // LEGEND_COLUMNS
    parts = []
    for place, name in enumerate(shared):
        lines = [chart.lines[place] for chart in of]
        x = 16 + place % LEGEND_COLUMNS * room
        y = HEADER + 8 + place // LEGEND_COLUMNS * LEGEND_ROW
        label = shorten(name, 20)
        wrong = {alarm.metric for alarm in alarms if alarm.owner == name}
        said = [last_text([line]) + (RAISED if line.metric in wrong else "") for line in lines]
        values = "lost" if "" in wrong else " · ".join(said)
        warning = f' fill="{WARN}"' if wrong else ""
        most = max(int((room - 24 - text_width(label)) / 5.2), 0)
        parts.append(
            f'<rect x="{x}" y="{y - 9}" width="10" height="10" rx="2" fill="{_color(lines[0])}"/>'
            f'<text x="{x + 15}" y="{y}"><tspan font-weight="600" fill="{INK}">{clean(label)}'
            f'</tspan> <tspan font-size="10"{warning}>{clean(shorten(values, most))}</tspan></text>'
        )
    return "".join(parts)


def last_text(lines: Sequence[Line]) -> str:
    """Return the last value of some lines of one unit, as the range they lie in."""
    ends = [line.trace.newest for line in lines if line.trace.newest]
    if not ends:
        return MISSING
    unit = lines[0].unit
    low = format_value(min(low for low, _ in ends), unit)
    high = format_value(max(high for _, high in ends), unit)
    return low if low == high else f"{low} to {high}"


# One chart -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all charts of a picture have in common."""

    width: int
    height: int
    span: tuple[float, float]
    points: int
    heat: bool
    """Whether there are rows of colours."""

    @property
    def plot(self) -> int:
        """Pixels across a plot."""
        return self.width - LEFT - RIGHT

    def scale(self, values: tuple[float, float] = (0.0, 1.0)) -> Scale:
        """Return the scale of a chart whose axis goes over some values."""
        return Scale(self.span, values, self.plot, self.height, min(self.points, self.plot))

    def times(self) -> list[tuple[float, str]]:
        """Return round moments with their texts."""
        return time_ticks(*self.span, 4 if self.plot < 400 else 8)  # noqa: PLR2004

    def backdrop(self, story: Story) -> str:
        """Return what lies behind every plot: what is idle, the grid of time, marks."""
        scale = self.scale()
        lines = "".join(f"M{scale.x(time)} 0v{self.height * PX}" for time, _ in self.times())
        marks, events = mark_paths(story, scale)
        parts = (
            _path(idle_path(story, scale), f'fill="{IDLE}"'),
            _path(lines, f'stroke="{GRID}" stroke-width="2"'),
            _path(marks, f'stroke="{SOFT}" stroke-width="2" stroke-dasharray="8 6"'),
            _path(events, f'stroke="{WARN}" stroke-width="2" stroke-dasharray="2 6"'),
        )
        # Where readings are missing a row of colours is hatched: its lowest colour is pale.
        missing = (
            f'<pattern id="m" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<path stroke="{SOFT}" d="M0 8L8 0"/></pattern>'
        )
        ramp = f'<linearGradient id="h" x2="0" y2="1">{ramp_stops()}</linearGradient>'
        colours = missing + ramp if self.heat else ""
        return f'<defs><g id="t">{"".join(parts)}</g>{colours}</defs>'


class _Card:
    """One chart with its title, legend and axes."""

    def __init__(self, chart: Chart, frame: _Frame, shared: tuple[str, ...], *, last: bool) -> None:
        self._chart = chart
        self._frame = frame
        self._named = bool(shared) and _names(chart) == shared
        self._last = last
        extents = [line.trace.extent for line in chart.lines if line.trace.extent]
        self._scale = frame.scale(
            value_range(
                min((low for low, _ in extents), default=0.0),
                max((high for _, high in extents), default=0.0),
                metric=chart.lines[0].metric,
                unit=chart.unit,
                limit=chart.limit,
            )
        )

    def draw(self, x: int, y: int) -> str:
        """Return the chart with its upper left corner at (x, y)."""
        body = self._nothing() if self._chart.empty else self._drawing()
        height = TOP + self._frame.height + BOTTOM + (AXIS if self._last else 0)
        return (
            f'<g transform="translate({x} {y})"><rect width="{self._frame.width}" '
            f'height="{height}" rx="6" fill="#fff" stroke="{EDGE}"/>{self._title()}{body}</g>'
        )

    def _title(self) -> str:
        """Return the title, what the lines are called, and the last value."""
        style = f'font-size="12" font-weight="600" fill="{INK}"'
        value = "" if self._chart.empty else shorten(last_text(self._chart.lines), 22)
        room = self._frame.width - 24 - text_width(value, bold=True)
        if value and not self._named and len(self._chart.lines) > 1:
            # What the lines are called matters more than where they ended.
            needed = 22 + text_width(self._chart.title, bold=True) + self._names_width()
            value, room = (value, room) if needed <= room else ("", self._frame.width - 24)
        text = shorten(self._chart.title, int(room / 7.5))
        names = "" if self._named else self._names(22 + text_width(text, bold=True), room)
        end = self._frame.width - 12
        right = f'<text x="{end}" y="19" text-anchor="end" {style}>{clean(value)}</text>'
        return f'<text x="12" y="19" {style}>{clean(text)}</text>{names}{right if value else ""}'

    def _names_width(self) -> float:
        _, names = _common(self._chart.lines)
        return sum(20 + text_width(shorten(name, 14)) for name in names)

    def _names(self, x: float, end: float) -> str:
        """Return what the lines are called, as far as there is room up to `end`."""
        lines = self._chart.lines
        if len(lines) == 1:
            return self._single_name(lines[0], x, end)
        _, names = _common(lines)
        parts = []
        for place, (line, name) in enumerate(zip(lines, names, strict=True)):
            short = shorten(name, 14)
            needed = 20 + text_width(short)
            if x + needed > end:
                parts.append(f'<text x="{nearest(x)}" y="19">+{len(lines) - place}</text>')
                break
            parts.append(
                f'<rect x="{nearest(x)}" y="10" width="9" height="9" rx="2" fill="{_color(line)}"/>'
                f'<text x="{nearest(x) + 13}" y="19">{clean(short)}</text>'
            )
            x += needed
        return "".join(parts)

    def _single_name(self, line: Line, x: float, end: float) -> str:
        name = "" if line.label in {"host", "kernel", "user"} else line.label
        short = shorten(name, max(int((end - x) / 6), 0))
        return f'<text x="{nearest(x)}" y="19">{clean(short)}</text>' if len(short) > 1 else ""

    def _nothing(self) -> str:
        x, y = self._frame.width // 2, TOP + self._frame.height // 2
        return f'<text x="{x}" y="{y}" text-anchor="middle">No reading</text>'

    def _drawing(self) -> str:
        # The grid and the curves share one group in half pixels with its origin in the plot.
        rows = [line.trace for line in self._chart.rows]
        drawn = self._heat(rows) if rows else f'<use href="#t"/>{self._grid()}{self._curves()}'
        return (
            f'{self._labels()}<g transform="translate({LEFT} {TOP}) scale({1 / PX})" fill="none" '
            f'stroke-linejoin="round" stroke-linecap="round">{drawn}</g>'
        )

    def _heat(self, rows: Sequence[Trace]) -> str:
        """Return a row of colours for each line, and what the colours mean beside the labels."""
        bar = f'<rect x="-10" width="6" height="{self._frame.height * PX}" fill="url(#h)"/>'
        hatched = f'<rect width="{self._scale.width * PX}" height="{self._frame.height * PX}"'
        return f'{bar}{hatched} fill="url(#m)"/>{heat_image(rows, self._scale)}'

    def _labels(self) -> str:
        parts = []
        # The bar that says what colours mean stands between the labels and the plot.
        right = LEFT - (10 if self._chart.rows else 6)
        for value in self._ticks():
            y = TOP + self._scale.y(value) / PX
            parts.append(
                f'<text x="{right}" y="{y + 3.5:g}" text-anchor="end" font-size="10">'
                f"{clean(shorten(format_value(value, self._chart.unit), 12))}</text>"
            )
        for time, text in self._frame.times() if self._last else ():
            x = LEFT + self._scale.x(time) / PX
            # A label at the edge leans inwards.
            right = self._frame.width - 4
            end = x + text_width(text) / 2 > right
            parts.append(
                f'<text x="{right if end else nearest(x)}" y="{TOP + self._frame.height + 16}" '
                f'text-anchor="{"end" if end else "middle"}" font-size="10">{clean(text)}</text>'
            )
        return "".join(parts)

    def _ticks(self) -> list[float]:
        return value_ticks(*self._scale.values, self._chart.unit, 4)

    def _grid(self) -> str:
        across = self._frame.plot * PX
        lines = "".join(f"M0 {self._scale.y(value)}h{across}" for value in self._ticks())
        drawn = f'<path stroke="{GRID}" stroke-width="2" d="{lines}"/>' if lines else ""
        limit = self._chart.limit
        if limit is not None and self._scale.values[0] <= limit <= self._scale.values[1]:
            drawn += (
                f'<path stroke="{SOFT}" stroke-width="2" stroke-dasharray="6 6" '
                f'd="M0 {self._scale.y(limit)}h{across}"/>'
            )
        return drawn

    def _curves(self) -> str:
        """Return the bands, and above them the lines."""
        lines, whole = self._chart.lines, self._chart.whole
        common = whole is not None and len(lines) > MOST_BANDS
        shapes = [
            (_color(line), shape_of(line.trace, self._scale, banded=not common)) for line in lines
        ]
        tint = f"{0.26 / len(lines) ** 0.5:.2f}"
        if whole is not None and common:
            below = _path(band_of(whole.trace, self._scale), f'fill="{SOFT}" fill-opacity="0.16"')
        else:
            below = "".join(
                _path(one.band, f'fill="{color}" fill-opacity="{tint}"') for color, one in shapes
            )
        above = "".join(
            _path(one.line, f'stroke="{color}" stroke-width="2.6"') for color, one in shapes
        )
        # No line hides what stands out.
        out = "".join(
            _path(one.spikes, f'stroke="{color}" stroke-width="2"')
            + _path(one.dots, f'stroke="{color}" stroke-width="7"')
            for color, one in shapes
        )
        return below + above + out


def _path(d: str, look: str) -> str:
    return f'<path {look} d="{d}"/>' if d else ""


def _color(line: Line) -> str:
    return COLORS[line.place % len(COLORS)]


def _common(lines: Iterable[Line]) -> tuple[str, list[str]]:
    """Return the word that all labels begin with, and the labels without it."""
    labels = [line.label for line in lines]
    words = {label.partition(" ")[0] for label in labels}
    rests = [label.partition(" ")[2] for label in labels]
    return (words.pop(), rests) if len(words) == 1 and all(rests) else ("", labels)

"""The charts of a saved output as one SVG text.

A line is drawn as what is known of it: the band from smallest to largest value of every
column. Where the two are the same the band is a thin line; a spike of one sample is as high
as it was; where readings were missing nothing is drawn.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.exchange.picture.axis import time_ticks, value_range, value_ticks
from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.exchange.picture.chart import Chart, Line, Trace

__all__ = ["WIDTH", "Heading", "clean", "draw", "shorten"]

WIDTH: Final = 960
"""Pixels across the whole picture."""

# Coordinates are whole numbers of half pixels, which keeps paths short.
PX: Final = 2
CARD: Final = 158
GAP: Final = 10
HEADER: Final = 56
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 46, 24

# Okabe and Ito's idea with the dashboard's hues: apart for colour-blind readers, 3:1 on white.
COLORS: Final = (
    "#0b62b5", "#d1570a", "#00886a", "#b0428c", "#2f93c9", "#8f6c00", "#6b4fc0", "#58626d",
)  # fmt: skip
INK, SOFT, GRID, EDGE, PAPER = "#1c2733", "#586674", "#e8ecf1", "#dfe5eb", "#f4f6f9"
WARN: Final = "#a8480a"

_NOT_XML: Final = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the charts.

    Attributes
    ----------
    title, subtitle : str
    note : str
        A warning beside the title; empty for none.
    """

    title: str
    subtitle: str
    note: str = ""


def clean(text: str) -> str:
    """Return a foreign text as markup that shows it and nothing else."""
    return html.escape(_TURNING.sub("", _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)))


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters, its end given up for an ellipsis."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def draw(charts: Sequence[Chart], heading: Heading, span: tuple[float, float], points: int) -> str:
    """Return the picture.

    Parameters
    ----------
    charts : sequence of Chart
    heading : Heading
    span : (float, float)
        Unix times of the left and right edge of every chart.
    points : int
        Columns a chart has at most.
    """
    across = _columns(len(charts))
    width = (WIDTH - GAP * (across + 1)) // across
    height = HEADER + -(-len(charts) // across) * (CARD + GAP)
    cards = [
        _Card(chart, width, span, points).draw(
            GAP + i % across * (width + GAP), HEADER + i // across * (CARD + GAP)
        )
        for i, chart in enumerate(charts)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="system-ui,-apple-system,Segoe UI,'
        f'Roboto,Helvetica,Arial,sans-serif" font-size="11" fill="{SOFT}">'
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="{PAPER}"/>'
        f"{_heading(heading)}{''.join(cards)}</svg>"
    )


def _columns(charts: int) -> int:
    return charts if charts in {1, 2} else 2 if charts == 4 else 3  # noqa: PLR2004


def _heading(heading: Heading) -> str:
    title = shorten(heading.title, 60)
    note = ""
    if heading.note:
        note = (
            f'<text x="{WIDTH - 16}" y="24" text-anchor="end" fill="{WARN}" font-weight="600">'
            f"{clean(shorten(heading.note, 60))}</text>"
        )
    return (
        f'<text x="16" y="25" font-size="16" font-weight="600" fill="{INK}">{clean(title)}</text>'
        f'<text x="16" y="43">{clean(shorten(heading.subtitle, 150))}</text>{note}'
    )


class _Card:
    """One chart with its title, legend and axes."""

    def __init__(self, chart: Chart, width: int, span: tuple[float, float], points: int) -> None:
        self._chart = chart
        self._width = width
        self._plot = width - LEFT - RIGHT
        self._height = CARD - TOP - BOTTOM
        self._span = span
        self._points = min(points, self._plot)
        # Many bands on top of each other would hide one another.
        self._tint = round(0.24 / len(chart.lines), 2)
        extents = [line.trace.extent for line in chart.lines if line.trace.extent]
        self._range = value_range(
            min((low for low, _ in extents), default=0.0),
            max((high for _, high in extents), default=0.0),
            metric=chart.lines[0].metric,
            unit=chart.unit,
            limit=chart.limit,
        )

    def draw(self, x: int, y: int) -> str:
        """Return the chart with its upper left corner at (x, y)."""
        body = self._nothing() if self._chart.empty else self._drawing()
        return (
            f'<g transform="translate({x} {y})"><rect width="{self._width}" height="{CARD}" '
            f'rx="6" fill="#fff" stroke="{EDGE}"/>{self._title()}{body}</g>'
        )

    def _title(self) -> str:
        style = f'y="19" font-size="12" font-weight="600" fill="{INK}"'
        last = shorten(self._last(), 18)
        text = shorten(self._chart.title, int((self._width - 24) / 7.5) - len(last))
        return (
            f'<text x="12" {style}>{clean(text)}</text>'
            f'<text x="{self._width - 12}" text-anchor="end" {style}>{clean(last)}</text>'
        )

    def _last(self) -> str:
        """Return the last value, where the chart has one."""
        line, *others = self._chart.lines
        if others or line.merged or line.trace.lost or not len(line.trace):
            return ""
        if line.trace.last is not None:
            return format_value(line.trace.last, line.unit)
        low, high = float(line.trace.low[-1]), float(line.trace.high[-1])
        text = format_value(high, line.unit)
        return text if format_value(low, line.unit) == text else ""

    def _nothing(self) -> str:
        x, y = self._width // 2, TOP + self._height // 2
        return f'<text x="{x}" y="{y}" text-anchor="middle">No reading</text>'

    def _drawing(self) -> str:
        # The grid and the curves share one group in half pixels with its origin in the plot.
        curves = "".join(self._curve(line) for line in self._chart.lines)
        return (
            f"{self._legend()}{self._labels()}"
            f'<g transform="translate({LEFT} {TOP}) scale({1 / PX})" fill="none" '
            f'stroke-linejoin="round" stroke-linecap="round">{self._grid()}{curves}</g>'
        )

    # Words ------------------------------------------------------------------------------

    def _legend(self) -> str:
        lines = self._chart.lines
        if len(lines) == 1:
            return self._single_legend(lines[0])
        prefix, names = _common(lines)
        room = self._width - 24
        x = 12.0
        parts = []
        if prefix:
            parts.append(f'<text x="12" y="36">{clean(prefix)}</text>')
            x += _text_width(prefix) + 8
        for place, (line, name) in enumerate(zip(lines, names, strict=True)):
            short = shorten(name, 18)
            needed = 13 + _text_width(short) + 10
            if x + needed > room and place < len(lines) - 1:
                parts.append(f'<text x="{x:.0f}" y="36">+{len(lines) - place} more</text>')
                break
            parts.append(
                f'<rect x="{x:.0f}" y="28" width="9" height="9" rx="2" fill="{_color(line)}"/>'
                f'<text x="{x + 13:.0f}" y="36">{clean(short)}</text>'
            )
            x += needed
        return "".join(parts)

    def _single_legend(self, line: Line) -> str:
        low, high = line.trace.extent or (float("nan"), float("nan"))
        unit = self._chart.unit
        words = f"{format_value(low, unit)} to {format_value(high, unit)}"
        if line.merged:
            words = f"{line.label}, lowest to highest: {words}"
        elif line.label not in {"host", "kernel", "user"}:
            words = f"{line.label}: {words}"
        return f'<text x="12" y="36">{clean(shorten(words, self._width // 6))}</text>'

    def _labels(self) -> str:
        parts = []
        for value in self._value_ticks():
            y = TOP + self._y(value) / PX
            parts.append(
                f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end" font-size="10">'
                f"{clean(shorten(format_value(value, self._chart.unit), 12))}</text>"
            )
        for time, text in time_ticks(*self._span, 4 if self._plot < 400 else 8):  # noqa: PLR2004
            x = LEFT + self._x(time) / PX
            if LEFT <= x <= self._width - RIGHT:
                # A label at the edge leans inwards.
                end = x + _text_width(text) / 2 > self._width - 4
                anchor = "end" if end else "middle"
                at = self._width - 4 if end else x
                parts.append(
                    f'<text x="{at:.0f}" y="{CARD - 8}" text-anchor="{anchor}" '
                    f'font-size="10">{clean(text)}</text>'
                )
        return "".join(parts)

    def _value_ticks(self) -> list[float]:
        return value_ticks(*self._range, self._chart.unit, 4)

    # Curves -----------------------------------------------------------------------------

    def _grid(self) -> str:
        across = self._plot * PX
        lines = "".join(f"M0 {self._y(value)}h{across}" for value in self._value_ticks())
        drawn = f'<path stroke="{GRID}" stroke-width="2" d="{lines}"/>' if lines else ""
        limit = self._chart.limit
        if limit is not None and self._range[0] <= limit <= self._range[1]:
            drawn += (
                f'<path stroke="{SOFT}" stroke-width="2" stroke-dasharray="6 6" '
                f'd="M0 {self._y(limit)}h{across}"/>'
            )
        return drawn

    def _curve(self, line: Line) -> str:
        kinds: dict[str, list[str]] = {"band": [], "thin": [], "dot": []}
        for x, top, bottom in self._segments(line.trace):
            kind = "band" if (top != bottom).any() else "thin" if len(x) > 1 else "dot"
            kinds[kind].append(_path(x, top, bottom))
        color = _color(line)
        tint = f'fill="{color}" fill-opacity="{self._tint}" '
        width = 2.4 if len(self._chart.lines) == 1 else 2
        looks = {
            "band": f'{tint}stroke-width="{width}"',
            "thin": 'stroke-width="3"',
            "dot": 'stroke-width="8"',
        }
        return "".join(
            f'<path stroke="{color}" {looks[kind]} d="{"".join(paths)}"/>'
            for kind, paths in kinds.items()
            if paths
        )

    def _segments(self, trace: Trace) -> Iterator[tuple[_Ints, _Ints, _Ints]]:
        """Yield x, top and bottom of each stretch without a gap, in half pixels."""
        if not len(trace):
            return
        start, end = self._span
        # The middle of the first bucket may lie before the session, that of the last after it.
        elapsed = np.clip(trace.time - start, 0.0, end - start)
        column = np.floor(elapsed / (end - start) * self._points)
        first = np.flatnonzero(
            np.diff(column, prepend=-1.0).astype(np.bool_)
            | np.diff(trace.segment, prepend=trace.segment[0]).astype(np.bool_)
        )
        counts = np.diff(np.append(first, len(trace)))
        time = np.add.reduceat(elapsed, first) / counts
        x = np.rint(time / (end - start) * self._plot * PX).astype(np.int64)
        top = self._heights(np.maximum.reduceat(trace.high, first))
        bottom = self._heights(np.minimum.reduceat(trace.low, first))
        segment = trace.segment[first]
        ends = np.flatnonzero(np.diff(segment)) + 1
        for part in np.split(np.arange(len(x)), ends):
            yield _without_middles(x[part], top[part], bottom[part])

    def _x(self, time: float) -> float:
        start, end = self._span
        return (time - start) / (end - start) * self._plot * PX

    def _y(self, value: float) -> int:
        return int(self._heights(np.array([value]))[0])

    def _heights(self, value: NDArray[np.float64]) -> _Ints:
        # Halves, because the difference of two numbers may be larger than the largest.
        bottom, top = self._range[0] / 2, self._range[1] / 2
        share = (value / 2 - bottom) / (top - bottom)
        return np.rint((1 - np.clip(share, 0, 1)) * self._height * PX).astype(np.int64)


if TYPE_CHECKING:
    _Ints = NDArray[np.int64]


def _without_middles(x: _Ints, top: _Ints, bottom: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """Drop the points of a level stretch that lie between two equal ones."""
    keep = np.ones(len(x), np.bool_)
    level = (np.diff(top) == 0) & (np.diff(bottom) == 0)
    keep[1:-1] = ~(level[:-1] & level[1:])
    return x[keep], top[keep], bottom[keep]


def _path(x: _Ints, top: _Ints, bottom: _Ints) -> str:
    """Return the outline of a band as relative steps; a thin band is a line."""
    if (top == bottom).all():
        return f"m{x[0]} {top[0]}h0" if len(x) == 1 else _steps(x, top)
    if len(x) == 1:
        return f"M{x[0]} {top[0]}V{bottom[0]}"
    return _steps(np.append(x, x[::-1]), np.append(top, bottom[::-1])) + "z"


def _steps(x: _Ints, y: _Ints) -> str:
    pairs = np.stack([np.diff(x), np.diff(y)], axis=1).ravel().tolist()
    steps = " ".join(map(str, pairs)).replace(" -", "-")
    return f"M{x[0]} {y[0]}l{steps}"


def _color(line: Line) -> str:
    return COLORS[line.place % len(COLORS)]


def _common(lines: Iterable[Line]) -> tuple[str, list[str]]:
    """Return the word that all labels begin with, and the labels without it."""
    labels = [line.label for line in lines]
    words = {label.partition(" ")[0] for label in labels}
    rests = [label.partition(" ")[2] for label in labels]
    if len(words) == 1 and all(rests):
        return words.pop(), rests
    return "", labels


def _text_width(text: str) -> float:
    return sum(7.5 if letter.isupper() else 6.0 for letter in text)

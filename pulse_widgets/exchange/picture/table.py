"""The table of a saved output: smallest, mean, largest and last known value of every line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.exchange.picture.text import clean, shorten
from pulse_widgets.metrics.units import MISSING, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulse_widgets.exchange.picture.chart import Line
    from pulse_widgets.exchange.picture.choice import Picked

__all__ = ["known_lines", "series_in", "table"]

HEADS: Final = ("Reading", "Of", "Min", "Mean", "Max", "Last known")


def known_lines(picked: Picked) -> list[Line]:
    """Return the lines to be listed.

    A series that has no reading yet is not; one whose reading is missing is.
    """
    return [line for line in picked.lines if len(line.trace) or line.trace.lost]


def series_in(lines: Iterable[Line]) -> int:
    """Return how many series some lines stand for."""
    return sum(len(line.ids) for line in lines)


def table(picked: Picked, most: int) -> str:
    """Return the table, with at most `most` rows."""
    known = known_lines(picked)
    columns = len(HEADS)
    rows = []
    heading = ""
    for line in sorted(known[:most], key=lambda line: picked.headings.index(line.heading)):
        if line.heading != heading:
            heading = line.heading
            said = clean(shorten(heading, 60))
            rows.append(f'<tr><th>{said}</th><td colspan="{columns - 1}"></td></tr>')
        rows.append(_row(line))
    left = series_in(known[most:])
    if left:
        rows.append(f'<tr><td colspan="{columns}">and {left} more series</td></tr>')
    waiting = series_in(picked.lines) - series_in(known)
    if waiting:
        said = f"{waiting} series without a reading so far"
        rows.append(f'<tr><td colspan="{columns}">{said}</td></tr>')
    head = "".join(f"<th>{name}</th>" for name in HEADS)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(line: Line) -> str:
    low, high = line.trace.extent or (None, None)
    cells = (
        shorten(line.title, 60),
        shorten(line.owner, 40),
        format_value(low, line.unit),
        format_value(line.trace.average, line.unit),
        format_value(high, line.unit),
        _last(line),
    )
    return f"<tr>{''.join(f'<td>{clean(cell)}</td>' for cell in cells)}</tr>"


def _last(line: Line) -> str:
    """Return the last known value: a range where only a range is known, a dash where none is."""
    if not len(line.trace):
        return MISSING
    newest = (line.trace.low[-1], line.trace.high[-1])
    if line.trace.last is not None:
        newest = (line.trace.last, line.trace.last)
    low, high = (format_value(float(side), line.unit) for side in newest)
    known = low if low == high else f"{low} to {high}"
    return f"{MISSING} ({known} before)" if line.trace.lost else known

"""The picture of a strip: the newest values, each with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.exchange.picture.svg import EDGE, FONT, INK, SOFT, WARN, WIDTH, last_text
from pulse_widgets.exchange.picture.table import known_lines
from pulse_widgets.exchange.picture.text import clean, shorten, text_width
from pulse_widgets.exchange.picture.wishes import LIMIT_OF

if TYPE_CHECKING:
    from pulse_widgets.exchange.picture.chart import Line
    from pulse_widgets.exchange.picture.choice import Picked

__all__ = ["figures_svg"]

MOST_FIGURES: Final = 40
FIGURE_COLUMNS: Final = 4
FIGURE_ROW: Final = 20
SILENT: Final = frozenset({*LIMIT_OF.values(), "cpu.count"})
"""Levels that give other values their meaning, and are none themselves."""


def figures_svg(picked: Picked, title: str, note: str) -> tuple[str, str]:
    """Return the picture, and the same in words; both are empty where there is no value."""
    figures = _figures([line for line in known_lines(picked) if line.metric not in SILENT])
    shown = figures[:MOST_FIGURES]
    if not shown:
        return "", ""
    left = len(figures) - len(shown)
    words = ", ".join(f"{name} {value}" for name, value in shown)
    words += f", and {left} more" if left else ""
    room = (WIDTH - 32) // FIGURE_COLUMNS
    height = 44 + -(-len(shown) // FIGURE_COLUMNS) * FIGURE_ROW
    parts = []
    for place, (name, value) in enumerate(shown):
        x = 16 + place % FIGURE_COLUMNS * room
        y = 48 + place // FIGURE_COLUMNS * FIGURE_ROW
        label = shorten(name, 24)
        most = max(int((room - 12 - text_width(label)) / 5.6), 0)
        parts.append(
            f'<text x="{x}" y="{y}">{clean(label)} <tspan font-weight="600" fill="{INK}">'
            f"{clean(shorten(value, most))}</tspan></text>"
        )
    more = f"{left} more" if left else ""
    said = " · ".join(filter(None, (more, note)))
    warning = f'<text x="{WIDTH - 16}" y="24" text-anchor="end" fill="{WARN}">{said}</text>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" font-size="11" fill="{SOFT}">'
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10" fill="#fff" '
        f'stroke="{EDGE}"/><text x="16" y="25" font-size="14" font-weight="600" fill="{INK}">'
        f"{clean(shorten(title, 60))}</text>{warning if said else ''}{''.join(parts)}</svg>"
    )
    return svg, words


def _figures(lines: list[Line]) -> list[tuple[str, str]]:
    """Return names with values: all values of a device together, of the rest each by its title."""
    found: dict[str, list[str]] = {}
    for line in lines:
        own = line.owner in {"host", "kernel", "user"}
        alone = own or not line.metric.startswith("gpu.")
        name = line.title if own else f"{line.owner} {line.title}" if alone else line.owner
        found.setdefault(name, []).append(last_text([line]))
    return [(name, " · ".join(values)) for name, values in found.items()]

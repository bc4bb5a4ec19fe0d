"""Cuts the text of an alert into words, numbers and signs."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final, NamedTuple, NoReturn

from pulse_widgets.errors import ArgumentError
from pulse_widgets.insight.alerts.tree import DOTTED, ENTITY, UNITS

__all__ = ["EXAMPLE", "KEYWORDS", "Part", "fail", "parts_of"]

PARTS_MOST: Final = 200
"""Words, numbers and signs of a condition."""
KEYWORDS: Final = ("and", "or", "not", "for", "on")
EXAMPLE: Final = 'mon.alert("gpu.memory.used > 0.95 * gpu.memory.total for 30s")'

_PART: Final = re.compile(
    rf"""(?P<space>\s+)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>{DOTTED.pattern})
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>>=|<=|==|!=|&&|\|\||[-+*/()<>,=!&|])
    """,
    re.VERBOSE | re.DOTALL,
)
_UNIT: Final = re.compile(r"\s*(%|°C|/s(?!\w)|[A-Za-zµ]+(?:/s)?)(?![\w.(])")
_ENTITY: Final = re.compile(rf"\s*({ENTITY.pattern})")


class Part(NamedTuple):
    """A word, number or sign, and where it stands."""

    sort: str
    text: str
    at: int
    suffix: str = ""


def parts_of(text: str) -> list[Part]:
    """Return a text cut into its parts, and its end as the last."""
    parts: list[Part] = []
    at = 0
    while at < len(text):
        entity = _ENTITY.match(text, at) if parts and parts[-1].text == "on" else None
        if entity and parts[-1].sort == "word":
            parts.append(Part("entity", entity[1], entity.start(1)))
            at = entity.end()
            continue
        found = _PART.match(text, at)
        if not found:
            quote = text[at] in "\"'"
            what = "This quote is not closed" if quote else f"{text[at]!r} means nothing here"
            fail(text, at, what, "Close it." if quote else f"Write it as {EXAMPLE}.")
        sort, end = str(found.lastgroup), found.end()
        if sort == "number" and (unit := _UNIT.match(text, end)) and unit[1] not in KEYWORDS:
            _require_unit(text, unit)
            parts.append(Part(sort, found[0], at, unit[1]))
            end = unit.end()
        elif sort != "space":
            parts.append(Part(sort, found[0], at))
        at = end
        if len(parts) > PARTS_MOST:
            fail(text, parts[-1].at, "The condition is too long from here", "Set several alerts.")
    return [*parts, Part("end", "", len(text))]


def _require_unit(text: str, unit: re.Match[str]) -> None:
    if unit[1] not in UNITS:
        # Elsewhere it is minutes, and no other unit is one letter away from what was meant.
        minutes = ["min"] if unit[1] == "m" else []
        near = minutes or get_close_matches(unit[1], UNITS, 1, 0.3) or ["GiB"]
        known = "%, B, kB, KiB, MiB, GiB, MB/s, W, J, Hz, MHz, ms, s, min, h, degC and cores"
        remedy = f"Is it {near[0]!r}? There are {known}. A metric without a dot is quoted."
        fail(text, unit.start(1), f"{unit[1]!r} is no unit", remedy)


def fail(text: str, at: int, problem: str, remedy: str) -> NoReturn:
    """Raise an error that shows the place."""
    line = "".join(" " if letter.isspace() else letter for letter in text)
    raise ArgumentError(f"{problem}:\n    {line}\n    {' ' * at}^", remedy=remedy)

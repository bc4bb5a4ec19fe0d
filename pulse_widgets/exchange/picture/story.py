"""What happened while a picture's readings were taken: marks, and when no cell ran.

What is idle is shaded, not what is busy: most of a session is busy. The twin of
``js/core/still/story.ts``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.exchange.picture.axis import clock
from pulse_widgets.exchange.picture.curve import PX
from pulse_widgets.exchange.picture.text import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulse_widgets.exchange.picture.curve import Scale

__all__ = ["NO_STORY", "Story", "idle_path", "mark_paths", "mark_sentence"]

CELL: Final = "cell"
MARK: Final = "mark"
LEAST_IDLE: Final = 4
"""Half pixels; what is shorter is no pause that one sees."""
LEAST_MARKS: Final = 24
"""Half pixels between two lines of marks; closer ones are one, or they would hide the curves."""
MOST_MARKS: Final = 12
"""Marks that are told in words; the newest ones."""


@dataclass(frozen=True, slots=True)
class Story:
    """Plain `MomentWire` and `SpanWire` records.

    Attributes
    ----------
    moments, spans : sequence of mapping
    """

    moments: Sequence[Mapping[str, Any]] = ()
    spans: Sequence[Mapping[str, Any]] = ()


NO_STORY: Final = Story()


def idle_path(story: Story, scale: Scale) -> str:
    """Return the stretches between cells, as a path to be filled.

    Nothing is said of the time before the first cell that is known.
    """
    start, end = scale.span
    cells = sorted(
        (float(one["start"]), end if one["end"] is None else float(one["end"]))
        for one in story.spans
        if one["metric"] == CELL
    )
    if not cells:
        return ""
    parts = []
    until = max(cells[0][0], start)
    for begin, stop in [*cells, (end, end)]:
        left, right = scale.x(until), scale.x(min(begin, end))
        if right - left >= LEAST_IDLE:
            parts.append(f"M{left} 0h{right - left}v{scale.height * PX}h{left - right}z")
        until = max(until, min(stop, end))
    return "".join(parts)


def mark_paths(story: Story, scale: Scale) -> tuple[str, str]:
    """Return the lines of the user's marks, and those of other events; close ones are one."""
    found: dict[bool, set[int]] = {True: set(), False: set()}
    start, end = scale.span
    for one in story.moments:
        if start <= one["time"] <= end:
            found[one["metric"] == MARK].add(scale.x(float(one["time"])))
    own, others = (
        "".join(f"M{x} 0v{scale.height * PX}" for x in _apart(found[sort]))
        for sort in (True, False)
    )
    return own, others


def _apart(places: set[int]) -> list[int]:
    """Return the places in order, without those that are close behind one that stays."""
    kept: list[int] = []
    for x in sorted(places):
        if not kept or x - kept[-1] >= LEAST_MARKS:
            kept.append(x)
    return kept


def mark_sentence(story: Story) -> str:
    """Return the newest marks with their moments; empty where there are none."""
    marks = sorted(
        (one for one in story.moments if one["metric"] == MARK), key=lambda one: float(one["time"])
    )
    if not marks:
        return ""
    told = [f"{clock(math.floor(one['time']), 1)} {_label(one)}" for one in marks[-MOST_MARKS:]]
    before = f"{len(marks) - len(told)} before, " if len(marks) > len(told) else ""
    count = f"{len(marks)} mark{'s' if len(marks) > 1 else ''}"
    return f"{count} (UTC): {before}{', '.join(told)}"


def _label(mark: Mapping[str, Any]) -> str:
    return shorten(str(mark["facts"].get("label") or MARK), 40)

"""The kinds of series (gauge, counter, span ...) and what follows from each.

This is the one place that lists kinds; all other code reads the fields of a `Kind`.
``js/core/vocabulary/catalog.gen.ts`` has the same records.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "COUNTER",
    "GAUGE",
    "KINDS",
    "MEDIA",
    "MOMENT",
    "OUTPUT",
    "SPAN",
    "STATE",
    "UNKNOWN",
    "Drawing",
    "Kind",
    "kind_stored_as",
]


class Drawing(StrEnum):
    """How rows are drawn."""

    LINE = "line"
    STEP = "step"
    """A level that holds until the next row."""
    MOMENT = "moment"
    """A mark at one time."""
    SPAN = "span"
    """A stretch from one time to another."""
    TEXT = "text"
    """A line of text."""
    MEDIA = "media"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the rows of a series are.

    Attributes
    ----------
    name : str
    help : str
        A sentence for the documentation.
    stored : str
        What a recording calls it. Several kinds may share a name there; the metric then says
        which of them it is, and the first of them is that of a metric outside the catalog.
    drawn_as : Drawing
    carries : tuple of {"value", "text", "data"}
        The columns in which a row says something.
    paired : bool
        A start row and an end row of one id belong together.
    sampled : bool
        Rows come at a rate, so a silence means that readings are missing.
    cumulative : bool
        It never decreases except on a reset, and is summed up by its rate.
    averaged : bool
        A mean of its values says something.
    facts : bool
        Its text is a JSON object with facts.
    private : bool
        It stays out of copies that leave the machine, unless asked for.
    in_keyframes : bool
        It is in keyframes, so a view that opens late gets it without asking.
    listed : bool
        Its rows are listed in `Recording.events`; what has a start and an end is one event.
    """

    name: str
    help: str
    stored: str
    drawn_as: Drawing
    carries: tuple[Literal["value", "text", "data"], ...]
    paired: bool = False
    sampled: bool = False
    cumulative: bool = False
    averaged: bool = False
    facts: bool = False
    private: bool = False
    in_keyframes: bool = False
    listed: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it has numbers to draw and to summarise."""
        return self.drawn_as is Drawing.LINE or self.drawn_as is Drawing.STEP

    @property
    def on_timeline(self) -> bool:
        """Whether its rows are events, which stand on the timeline."""
        return self.drawn_as is Drawing.MOMENT or self.drawn_as is Drawing.SPAN

    @property
    def takes_words(self) -> bool:
        """Whether a row may have a word in place of a number."""
        return "text" in self.carries


GAUGE: Final = Kind(
    name="gauge",
    help="A level at a moment.",
    stored="gauge",
    drawn_as=Drawing.LINE,
    carries=("value",),
    sampled=True,
    averaged=True,
    in_keyframes=True,
)
COUNTER: Final = Kind(
    name="counter",
    help="Never decreases, except on a reset.",
    stored="counter",
    drawn_as=Drawing.LINE,
    carries=("value",),
    sampled=True,
    cumulative=True,
    averaged=True,
    in_keyframes=True,
)
STATE: Final = Kind(
    name="state",
    help="A small number or a word, never averaged.",
    stored="state",
    drawn_as=Drawing.STEP,
    carries=("value", "text"),
    in_keyframes=True,
)
SPAN: Final = Kind(
    name="span",
    help="A start row and an end row, whose value is the seconds between.",
    stored="span",
    drawn_as=Drawing.SPAN,
    carries=("value", "text"),
    paired=True,
    facts=True,
    in_keyframes=True,
)
MOMENT: Final = Kind(
    name="moment",
    help="Something that happened, told as text.",
    stored="text",
    drawn_as=Drawing.MOMENT,
    carries=("text",),
    facts=True,
    in_keyframes=True,
    listed=True,
)
OUTPUT: Final = Kind(
    name="output",
    help="A line of text that was printed.",
    stored="text",
    drawn_as=Drawing.TEXT,
    carries=("text",),
    private=True,
)
MEDIA: Final = Kind(
    name="media",
    help="A picture, a sound or a video.",
    stored="media",
    drawn_as=Drawing.MEDIA,
    carries=("text", "data"),
    facts=True,
)
UNKNOWN: Final = Kind(
    name="unknown",
    help="What a newer version wrote; kept and not drawn.",
    stored="",
    drawn_as=Drawing.NONE,
    carries=("value", "text", "data"),
    facts=True,
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.name: kind for kind in (GAUGE, COUNTER, STATE, SPAN, MOMENT, OUTPUT, MEDIA)}
)
"""Every kind there is, by its name."""

_STORED: Final = {kind.stored: kind for kind in reversed(list(KINDS.values()))}


def kind_stored_as(stored: str) -> Kind:
    """Return the kind that a recording calls `stored`, `UNKNOWN` for that of a newer version.

    Where several have that name it is the first. `catalog.kind_of` tells them apart.
    """
    return _STORED.get(stored, UNKNOWN)

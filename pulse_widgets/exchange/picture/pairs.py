"""Which of the user's own metrics are one chart.

What is measured of several parts of the data or of a model is one chart: ``train/loss`` and
``val/loss`` are the lines "train" and "val" of "loss". The names tell which: there is no other
word of the user's about it. The twin of ``js/core/charts/user-panels.ts``, which has its words
from here; ``tests/data/figure/choice.json`` holds both to the same examples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulse_widgets.exchange.picture.wishes import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

__all__ = ["MANNERS", "OTHER_COLORS", "PARTS", "Group", "Measured", "Member", "paired"]

PARTS: Final[Mapping[str, int]] = {
    "train": 0,
    "training": 0,
    "val": 1,
    "valid": 1,
    "validation": 1,
    "dev": 1,
    "test": 2,
    "testing": 2,
    "eval": 3,
    "evaluation": 3,
    "holdout": 3,
}
"""Parts into which data is split, and the colour each has on every chart."""

OTHER_COLORS: Final = 4
"""The first colour of prefixes that are no part of the data."""

MANNERS: Final = (
    "all avg average chosen count delta epoch fps hist id index iter iteration last max mean med "
    "median min n norm num p1 p5 p10 p25 p50 p75 p90 p95 p99 q25 q50 q75 rate ratio rejected rms "
    "running scale size std step steps sum time total value values var variance x y z"
)
"""Leaves that say how something was measured and not what: ``reward/mean``, ``length/mean``."""

_MANNERS: Final = frozenset(MANNERS.split())
_FIRST: Final = re.compile(r"([^._-]+)([._-])(.+)")
_LAST: Final = re.compile(r"(.+)([._-])([^._-]+)")


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything of one metric.

    Attributes
    ----------
    metric : str
    alike : hashable
        Whose it is, its unit and its kind: metrics of one chart have the same.
    single : bool
        It is of one owner. Ranks and hosts are lines already.
    """

    metric: str
    alike: Hashable
    single: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A line of a chart: the place of its metric, what it is called, and its colour."""

    place: int
    label: str
    color: int


@dataclass(frozen=True, slots=True)
class Group:
    """A chart; its title is empty where it is of one metric."""

    title: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class _Named:
    """How a name says what is measured, and of which part; `style` is where the part stands."""

    prefix: str
    leaf: str
    style: str


def paired(measured: Sequence[Measured]) -> list[Group]:
    """Return the charts of some metrics, each in the place of its first."""
    named = [_parts_of(one.metric) if one.single else None for one in measured]
    keys = [
        (one.alike, name.style, name.leaf) if name else (one.alike, "", one.metric)
        for one, name in zip(measured, named, strict=True)
    ]
    _join_bare(measured, named, keys)
    found: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        own: Hashable = key if measured[place].single else place
        found.setdefault(own, []).append(place)
    charts = [
        part
        for places in found.values()
        # Too many to be told apart have a chart each.
        for part in ([places] if len(places) <= MOST_LINES else [[one] for one in places])
    ]
    colors = _prefix_colors(charts, named)
    alone = {one.metric for one in measured}
    return [
        _pair(places, measured, named, colors, alone)
        if len(places) > 1
        else Group("", (Member(places[0], "", 0),))
        for places in charts
    ]


def _parts_of(metric: str) -> _Named | None:
    """Return the parts of a name; None where it has but one, or its leaf says too little."""
    steps = metric.split("/")
    at = next((i for i, step in enumerate(steps) if step.lower() in PARTS), None)
    if len(steps) > 1 and at is not None:
        rest = "/".join(step for i, step in enumerate(steps) if i != at)
        return _Named(steps[at], rest, "a/*" if at == len(steps) - 1 else f"*{at}/a")
    leaf = steps[-1]
    if len(steps) > 1:
        if leaf.lower() in _MANNERS or not any(letter.isalpha() for letter in leaf):
            return None
        return _Named("/".join(steps[:-1]), leaf, "*0/a")
    return _words_of(metric)


def _words_of(metric: str) -> _Named | None:
    """``train_loss``, ``loss.val``: other marks part a name only beside a part of the data."""
    first = _FIRST.fullmatch(metric)
    if first and first[1].lower() in PARTS:
        return _Named(first[1], first[3], f"*{first[2]}a")
    last = _LAST.fullmatch(metric)
    if last and last[3].lower() in PARTS:
        return _Named(last[3], last[1], f"a{last[2]}*")
    return None


def _join_bare(
    measured: Sequence[Measured],
    named: Sequence[_Named | None],
    keys: list[tuple[Hashable, str, str]],
) -> None:
    """Join ``loss`` beside ``val_loss``: it is that of the training, which needs no word."""
    beside: dict[Hashable, tuple[tuple[Hashable, str, str], bool]] = {}
    for one, name, key in zip(measured, named, keys, strict=True):
        if name is None or name.prefix.lower() not in PARTS:
            continue
        bare = (one.alike, "", name.leaf)
        trained = beside.get(bare, (key, False))[1]
        beside[bare] = key, PARTS[name.prefix.lower()] == 0 or trained
    for place, one in enumerate(measured):
        pair = beside.get(keys[place])
        # A metric that is called as a part is called would be taken for that part.
        if pair and not pair[1] and one.metric.lower() not in PARTS:
            keys[place] = pair[0]


def _prefix_colors(charts: list[list[int]], named: Sequence[_Named | None]) -> dict[str, int]:
    """Return the colours of prefixes that are no part of the data, in the order they came."""
    colors: dict[str, int] = {}
    for places in charts:
        if len(places) > 1:
            prefixes = [name.prefix for place in places if (name := named[place]) is not None]
            for prefix in prefixes:
                if prefix and prefix.lower() not in PARTS and prefix not in colors:
                    colors[prefix] = OTHER_COLORS + len(colors)
    return colors


def _pair(
    places: list[int],
    measured: Sequence[Measured],
    named: Sequence[_Named | None],
    colors: Mapping[str, int],
    alone: set[str],
) -> Group:
    taken: set[int] = set()
    members = []
    for place in places:
        name = named[place]
        prefix = name.prefix if name else ""
        # Without a word for its part it is that of the training, and is called as it was logged.
        color = PARTS.get(prefix.lower(), colors.get(prefix, 0))
        while color in taken:
            color += 1
        taken.add(color)
        members.append(Member(place, prefix or measured[place].metric, color))
    members.sort(key=lambda member: member.color)
    leaf = next((name.leaf for place in places if (name := named[place]) is not None), "")
    bare = leaf in alone and all(measured[place].metric != leaf for place in places)
    words = ", ".join(member.label for member in members)
    return Group(f"{leaf} ({words})" if bare else leaf, tuple(members))

"""The records of a packet's header: series, entities, moments, spans and lines of text.

Host and entity together identify a thing, never one of them alone. The page's types,
``js/core/header.gen.ts``, are written from these classes by ``python -m
pulse_widgets.exchange.export``: the texts beside the fields are the comments there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003  types of fields are read
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NO_EVENTS",
    "ODD_MOST",
    "Doc",
    "EntityWire",
    "Events",
    "MomentWire",
    "OddWire",
    "SeriesWire",
    "SpanWire",
    "TextLineWire",
    "entity_records",
    "last_of_each",
    "newest",
    "plain",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Doc:
    """The comment of a field in TypeScript, and whether old saved outputs lack the field."""

    text: str
    later: bool = False


@dataclass(frozen=True, slots=True)
class SeriesWire:
    """One series, by the name people see: a counter of a rated metric arrives as its rate."""

    id: int
    host: str
    entity: str
    metric: str
    unit: str
    kind: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntityWire:
    """What is known of one thing of one machine; of the entity "host" its name is the machine's."""

    host: str
    entity: str
    labels: Mapping[str, str]


def plain(value: Any) -> Any:
    """Return a record as values that JSON has: dicts and lists of texts and numbers."""
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def entity_records(
    entities: Mapping[str, Mapping[str, Mapping[str, str]]], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return what is known of entities as a list of plain `EntityWire` records.

    Parameters
    ----------
    entities : mapping
        Host to entity to labels.
    names : mapping of str to str
        Host to what the machine is called, as far as that is known.
    """
    known = {
        (host, entity): labels for host, all_ in entities.items() for entity, labels in all_.items()
    }
    for host, name in names.items():
        known[host, "host"] = {"name": name, **known.get((host, "host"), {})}
    return [
        plain(EntityWire(host, entity, dict(labels))) for (host, entity), labels in known.items()
    ]


@dataclass(frozen=True, slots=True)
class MomentWire:
    """Something that happened at one moment."""

    time: Annotated[float, Doc("Unix seconds.")]
    host: str
    entity: str
    metric: str
    facts: Annotated[Mapping[str, Any], Doc("What its text says: a label, a message, ...")]


@dataclass(frozen=True, slots=True)
class SpanWire:
    """A span of time; it is sent again when it has ended, with the same id and start."""

    id: Annotated[str, Doc("With its start it tells it from others of its host, entity, metric.")]
    start: Annotated[float, Doc("Unix seconds.")]
    end: Annotated[float | None, Doc("Null: it has not ended.")]
    host: str
    entity: str
    metric: str
    facts: Annotated[Mapping[str, Any], Doc("What the texts of its start and its end say.")]


@dataclass(frozen=True, slots=True)
class TextLineWire:
    """A line of text that was printed, for pages that asked for such lines."""

    series: Annotated[int, Doc("The id of its series.")]
    time: Annotated[float, Doc("Unix seconds.")]
    text: str


@dataclass(frozen=True, slots=True)
class OddWire:
    """A value that the user logged and no axis has a place for; among the rows it is missing."""

    series: Annotated[int, Doc("The id of its series.")]
    time: Annotated[float, Doc("Unix seconds.")]
    step: int | None
    what: Annotated[str, Doc('"inf", "-inf" or "nan".')]


ODD_MOST: Final = 1000
"""So many odd values at most are in one packet, the newest of them; older ones leave no mark."""


@dataclass(frozen=True, slots=True)
class Events:
    """Moments, spans, lines of text and odd values: all that a frame has besides numbers.

    Attributes
    ----------
    moments, spans : tuple
        Oldest first.
    lines : tuple
        Lines of text, oldest first; empty unless somebody asked for them.
    odd : tuple
        Infinities and NaN that were logged, in order of arrival; see `ODD_MOST`.
    """

    moments: tuple[MomentWire, ...] = ()
    spans: tuple[SpanWire, ...] = ()
    lines: tuple[TextLineWire, ...] = ()
    odd: tuple[OddWire, ...] = ()

    def __len__(self) -> int:
        """Return how many things happened."""
        return len(self.moments) + len(self.spans) + len(self.lines) + len(self.odd)

    def plain(self) -> dict[str, list[dict[str, Any]]]:
        """Return what there is of each sort as plain values, under its key in a header."""
        return {one.name: plain(all_) for one in fields(self) if (all_ := getattr(self, one.name))}

    def without_lines(self) -> Events:
        """Return the same for those who did not ask for lines of text."""
        return replace(self, lines=()) if self.lines else self

    @classmethod
    def joined(cls, parts: Iterable[Events]) -> Events:
        """Return several as one, in the order given; of odd values the last `ODD_MOST`."""
        all_ = list(parts)
        return cls(
            tuple(one for part in all_ for one in part.moments),
            tuple(one for part in all_ for one in part.spans),
            tuple(one for part in all_ for one in part.lines),
            tuple(one for part in all_ for one in part.odd)[-ODD_MOST:],
        )


def newest(
    moments: Sequence[MomentWire],
    spans: Sequence[SpanWire],
    count: int,
    odd: Sequence[OddWire] = (),
) -> Events:
    """Return the last `count` of the moments, of the spans of each metric and of the odd values.

    Moments and odd values stay in their order; spans come in order of their start.
    """
    last = slice(len(moments) - min(count, len(moments)), None)
    kept = last_of_each(spans, count, lambda span: span.metric)
    return Events(
        tuple(moments[last]),
        tuple(sorted(kept, key=lambda span: span.start)),
        odd=tuple(odd[len(odd) - min(count, len(odd)) :]),
    )


def last_of_each(spans: Sequence[T], count: int, metric: Callable[[T], str]) -> list[T]:
    """Return the last `count` spans of each metric, in their order.

    However many short ones came and went in a cell, the cell stays.
    """
    left: Counter[str] = Counter()
    kept = []
    for span in reversed(spans):
        left[metric(span)] += 1
        if left[metric(span)] <= count:
            kept.append(span)
    return kept[::-1]


NO_EVENTS: Final = Events()
"""Nothing happened."""

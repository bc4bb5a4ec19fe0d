"""Pairs the start row and the end row of each span, live and in a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.header import SpanWire

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from pulse_widgets.series.columns import Columns
    from pulse_widgets.series.registry import SeriesInfo

__all__ = ["Pairing", "Span", "text_rows"]

OPEN_MOST: Final = 10_000
"""Spans that may be waiting for their end; of more the oldest is given up."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something with a start and, unless it still runs, an end.

    Attributes
    ----------
    name : str
        Its id; empty where its texts have none.
    start, end : int
        Microseconds; `end` is None while it runs.
    seconds : float
        As the end row says; NaN while it runs.
    facts : mapping
        What the texts of both rows say.
    """

    name: str
    start: int
    end: int | None
    seconds: float
    facts: Mapping[str, Any]

    def on_the_wire(self, info: SeriesInfo) -> SpanWire:
        """Return it as a page gets it."""
        facts = {key: fact for key, fact in self.facts.items() if key != "id"}
        name = self.name or str(self.start)
        end = None if self.end is None else self.end / 1e6
        return SpanWire(name, self.start / 1e6, end, info.host, info.entity, info.metric, facts)


class Pairing:
    """Joins rows to spans by their series and the ``id`` in their text."""

    def __init__(self) -> None:
        self._open: dict[tuple[Hashable, str], Span] = {}

    def take(self, series: Hashable, time: int, value: float, text: str) -> Span:
        """Return the span that a row begins, or that it ends.

        A start row has no value, an end row the seconds that passed. A start row that comes again
        tells nothing new. An end row whose start is not known tells by its seconds when that was.
        """
        facts = facts_of(text)
        if facts is None:
            facts = {"label": text} if text else {}
        name = str(facts.get("id", ""))
        key = (series, name)
        if math.isnan(value):
            if key in self._open:
                return self._open[key]
            if len(self._open) >= OPEN_MOST:
                del self._open[next(iter(self._open))]
            self._open[key] = Span(name, time, None, math.nan, facts)
            return self._open[key]
        begun = self._open.pop(key, None)
        if begun is None:
            passed = value if math.isfinite(value) else 0.0
            return Span(name, time - round(passed * 1e6), time, value, facts)
        return Span(name, begun.start, time, value, {**begun.facts, **facts})

    def waiting(self) -> list[Span]:
        """Return the spans whose end has not come."""
        return list(self._open.values())


def text_rows(columns: Columns) -> Iterator[tuple[int, float, str]]:
    """Yield time, value and text of each row of a series."""
    texts = columns.text.texts() if columns.text is not None else [""] * len(columns)
    yield from zip(columns.time.tolist(), columns.value.tolist(), texts, strict=True)

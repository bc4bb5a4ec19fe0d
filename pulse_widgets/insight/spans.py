"""Notebook cells and other things that have a start and an end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from pulse_widgets.series.facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulse_widgets.series.columns import Columns, SeriesKey

__all__ = ["Span", "spans"]


class Span(NamedTuple):
    """Something with a start and, unless it still runs, an end; times in microseconds."""

    key: SeriesKey
    start: int
    end: int | None
    seconds: float
    facts: Mapping[str, Any]


def spans(series: Iterable[tuple[SeriesKey, Columns]]) -> list[Span]:
    """Return the spans in order of their start, start and end row joined by their id."""
    found: list[Span] = []
    for key, columns in series:
        open_spans: dict[str, tuple[int, dict[str, Any]]] = {}
        for time, value, facts in _told(columns):
            name = str(facts.get("id", ""))
            if math.isnan(value) and name not in open_spans:
                open_spans[name] = (time, facts)
                continue
            start, began = open_spans.pop(name, (time - round(_number(value) * 1e6), {}))
            found.append(Span(key, start, time, value, {**began, **facts}))
        found += [Span(key, t, None, math.nan, facts) for t, facts in open_spans.values()]
    return sorted(found, key=lambda s: s.start)


def _told(columns: Columns) -> list[tuple[int, float, dict[str, Any]]]:
    texts: Sequence[str] = columns.text.texts() if columns.text is not None else [""] * len(columns)
    rows = zip(columns.time.tolist(), columns.value.tolist(), texts, strict=True)
    return [(time, value, facts_of(text) or {}) for time, value, text in rows]


def _number(value: float) -> float:
    return value if math.isfinite(value) else 0.0

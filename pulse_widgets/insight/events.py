"""Parses the text of events, marks and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.insight.spans import spans
from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.spans import text_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulse_widgets.metrics.kinds import Kind
    from pulse_widgets.series.columns import Columns, SeriesKey

__all__ = ["event_of", "events_in"]


def events_in(
    key: SeriesKey, columns: Columns, kind: Kind
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield time and facts of each event of a series.

    What has a start and an end is one event, at its start; the facts of both are its own.
    """
    if not kind.paired:
        for time, _, text in text_rows(columns):
            yield time, facts_of(text) or {"label": text}
        return
    for _, span in spans([(key, columns)]):
        yield span.start, span.facts


def event_of(metric: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what an event says: kind, message and remedy."""
    message = facts.get("message") or facts.get("label") or facts.get("text") or ""
    return {
        "kind": str(facts.get("kind", metric)),
        "message": str(message),
        "remedy": str(facts.get("remedy", "")),
    }

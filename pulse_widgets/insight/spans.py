"""Lists the spans of a recording: notebook cells and whatever else has a start and an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.series.spans import Pairing, Span, text_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulse_widgets.series.columns import Columns, SeriesKey

__all__ = ["spans"]


def spans(series: Iterable[tuple[SeriesKey, Columns]]) -> list[tuple[SeriesKey, Span]]:
    """Return the spans of some series in order of their start."""
    found: list[tuple[SeriesKey, Span]] = []
    for key, columns in series:
        pairing = Pairing()
        parts = [pairing.take(key, *row) for row in text_rows(columns)]
        ended = [one for one in parts if one.end is not None]
        found += [(key, one) for one in (*ended, *pairing.waiting())]
    return sorted(found, key=lambda pair: pair[1].start)

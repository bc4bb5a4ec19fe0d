"""Summaries of the series of a recording, from the overview of its file where that is exact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pulse_widgets.insight.resample import envelope_of_blocks, envelope_of_rows
from pulse_widgets.insight.summary import integral, summary_of, summary_of_blocks
from pulse_widgets.series.levels import BLOCK
from pulse_widgets.series.rates import rates_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pulse_widgets.insight.resample import Envelope
    from pulse_widgets.insight.summary import Summary
    from pulse_widgets.library.selection import Chosen, Window
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.storage.reader import Stored

__all__ = ["envelope_of", "summaries"]

BLOCKS_A_POINT: Final = 8
LEAST_ROWS: Final = BLOCK * BLOCKS_A_POINT
"""Rows a point from which the overview is worth reading."""


def summaries(
    stored: Stored,
    chosen: Sequence[Chosen],
    rows_of: Callable[[Sequence[Chosen]], Iterable[tuple[Chosen, Columns]]],
    *,
    whole: bool,
) -> list[tuple[Chosen, Summary]]:
    """Return the summary of each series that has rows.

    Parameters
    ----------
    stored : Stored
    chosen : sequence of Chosen
        With numbers.
    rows_of : callable
        Gives the rows of some series, counters as they are stored.
    whole : bool
        Whether all rows count. A part of them is not what the overview is of.
    """
    counted = {(c.key.host, c.key.entity) for c in chosen if c.key.metric == "gpu.energy"}

    def integrated(c: Chosen) -> bool:
        return c.key.metric == "gpu.power" and (c.key.host, c.key.entity) not in counted

    found: dict[SeriesKey, Summary] = {}
    if whole:
        for c in chosen:
            summary = None if integrated(c) else _from_overview(stored, c)
            if summary is not None:
                found[c.key] = summary
    for c, columns in rows_of([c for c in chosen if c.key not in found]):
        line = summary_of(c.key.metric, c.info.unit, c.info.kind, columns, c.rate)
        if integrated(c):
            line = replace(line, total=integral(columns), total_unit="J")
        found[c.key] = line
    return [(c, found[c.key]) for c in chosen if c.key in found]


def _from_overview(stored: Stored, c: Chosen) -> Summary | None:
    # If all values are equal, a coarser level gives the same answer with less to read.
    blocks = stored.level(c.key, 1)
    if blocks is None:
        return None
    return summary_of_blocks(c.key.metric, c.info.unit, c.info.kind, blocks, c.rate)


def envelope_of(stored: Stored, chosen: Chosen, window: Window, points: int) -> Envelope:
    """Return the envelope of one series inside a window in so many equal intervals."""
    extent = stored.extents[chosen.key]
    drawn = chosen.rated or not chosen.stored_kind.cumulative
    if drawn and window.whole and extent.rows >= points * LEAST_ROWS:
        blocks = stored.level(chosen.key, points * BLOCKS_A_POINT)
        if blocks is not None:
            return envelope_of_blocks(extent.start, extent.end, points, blocks)
    # Keep one row before the window: the rate of the first row inside needs it.
    start = None if chosen.rated else window.start
    columns = stored.columns(chosen.key, start, window.end, payload=False)
    if chosen.rated:
        columns = replace(columns, value=rates_of(columns, entity=chosen.key.entity))
    columns = window.cut(columns)
    return envelope_of_rows(columns.time, columns.value, points)

"""Gathers what a figure may draw of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.exchange.picture.owners import Owners
from pulse_widgets.insight.events import event_of, events_in
from pulse_widgets.insight.spans import spans
from pulse_widgets.library.figure.parts import Held
from pulse_widgets.library.selection import chosen_of
from pulse_widgets.series.header import entity_records
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.segment import Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulse_widgets.library.selection import Chosen, Window
    from pulse_widgets.series.columns import Columns
    from pulse_widgets.storage.reader import Stored

__all__ = ["held_of"]


CELL_ROWS: Final = 4000
"""Of a series of cells with more rows only those in sight are looked at, and no more than these: so
many cells are more than any figure draws."""


def held_of(
    stored: Stored,
    chosen: Sequence[Chosen],
    window: Window,
    extent: tuple[int, int],
    *,
    narrowed: bool,
) -> Held:
    """Return what a figure may draw.

    Parameters
    ----------
    stored : Stored
    chosen : sequence of Chosen
        The series that are selected.
    window : Window
        The stretch of them.
    extent : (int, int)
        When that begins and ends, microseconds, both inside.
    narrowed : bool
        Whether somebody selected them.
    """

    def rows(some: Sequence[Chosen], *, text: bool = False) -> Iterator[tuple[Chosen, Columns]]:
        # Of a rate the row before the window is needed, too.
        by_key = {one.key: one for one in some}
        want = Want(None, window.end, payload=text)
        for key, columns in merged(stored.segments, list(by_key), want):
            yield by_key[key], columns

    everything = chosen_of(stored)
    cells = [c for c in everything if c.key.metric == "cell" and c.stored_kind.paired]
    marks = [c for c in everything if c.key.metric == "mark"]
    names = {h: str(about["name"]) for h, about in stored.catalog.hosts.items() if "name" in about}
    hosts = dict.fromkeys(c.key.host for c in chosen)
    return Held(
        title=str(stored.run.about.get("title") or ""),
        chosen=tuple(c for c in chosen if c.numeric),
        narrowed=narrowed,
        rows=rows,
        owners=Owners(entity_records(stored.catalog.entities, names), hosts),
        cells=[
            span
            for _, span in spans(
                (c.key, _drawn(columns, extent)) for c, columns in rows(cells, text=True)
            )
        ],
        marks=[
            (time, event_of("mark", facts)["message"])
            for one, columns in rows(marks, text=True)
            for time, facts in events_in(one.key, columns, one.stored_kind)
        ],
        start=extent[0],
        end=extent[1] if window.end is None else min(extent[1], window.end - 1),
        steps=window.steps,
    )


def _drawn(columns: Columns, extent: tuple[int, int]) -> Columns:
    """Return the rows of cells that may be drawn."""
    if len(columns) <= CELL_ROWS:
        return columns
    first, end = np.searchsorted(columns.time, [extent[0], extent[1] + 1]).tolist()
    # The row before them may begin a cell that still runs.
    first = max(first - 1, 0)
    return columns.cut(first, min(end, first + CELL_ROWS))

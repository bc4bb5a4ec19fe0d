"""The recording of a running session as it is at this moment, last rows and all."""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.errors import RecordingError
from pulse_widgets.library.recording import Recording
from pulse_widgets.metrics.catalog import rate_of
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.unwritten import nothing_stored, with_unwritten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.series.header import SpanWire
    from pulse_widgets.session.session import Session

__all__ = ["cell_so_far", "read_now", "so_far"]

HANGS_S: Final = 0.5
"""How long a write that is under way is waited for."""
READING_S: Final = 0.3
"""How long readings are waited for that are taken for the asking."""
LOOK_S: Final = 0.002
SPANS_MOST: Final = 1 << 62
TOLD_OF: Final = ("gpu.", "process.")
"""What readings of cells are called."""


def cell_so_far(session: Session, which: int | str | None) -> CellReport:
    """Return the report of a cell, of None the one that has ended last.

    Raises
    ------
    ArgumentError
        If there is no such cell.
    """
    if session.running:
        read_now(session)
    book = so_far(session).book()
    return book.find(which)


def read_now(session: Session) -> None:
    """Have all sources read, and wait for that, but not for long."""
    ends = time.monotonic() + READING_S
    asked = []
    for sampler in session.samplers.values():
        if sampler.status.state == "ok":
            # One that is under way began before.
            under_way = sampler.status.busy_since is not None
            asked.append((sampler, sampler.status.passes + 1 + under_way))
            sampler.read_soon()
    for sampler, passes in asked:
        while sampler.status.passes < passes and time.monotonic() < ends:
            time.sleep(LOOK_S)


def so_far(session: Session) -> Recording:
    """Return everything that a session has taken until now.

    Where it does not record, what its views show is the recording, as far as that is kept.
    """
    session.settle()
    path, made = session.path, list[Recording]()
    if path is not None:
        # In its first moments nothing is written yet.
        with contextlib.suppress(RecordingError):
            session.recorder.unwritten(lambda _: made.append(_joined(session, path)), HANGS_S)
    return made[0] if made else _shown(session)


def _joined(session: Session, path: Path) -> Recording:
    """Return what is on the disk with what waits for it; no row is written meanwhile."""
    # The end of a cell may have come after the last pass of the flusher.
    session.cells.drain(session.log)
    stored = open_stored(Local(path))
    return Recording(with_unwritten(stored, session.recorder.held(), session.registry, ()))


def _shown(session: Session) -> Recording:
    """Return what the views show as a recording."""
    about = {"title": session.settings.title, "interval": session.interval_s}
    stored = nothing_stored(Path("session"), session.clock.start_us, about)
    stored.running = session.running
    rows = [one for one in (_counted(session), *_span_rows(session)) if len(one)]
    return Recording(with_unwritten(stored, rows, session.registry, ()))


def _counted(session: Session) -> Rows:
    """Return the rows that are kept whole; counters, which are shown as rates, count from 0."""
    told = [info for info in session.registry.since(0) if info.metric.startswith(TOLD_OF)]
    rows = session.stage.rows([info.id for info in told], 0.0, session.clock.now_us() / 1e6)
    value = rows.value.copy()
    for info in told:
        if rate_of(info.metric, info.kind, info.unit) is None:
            continue
        places = np.flatnonzero(rows.series == info.id)
        grown = value[places] * np.diff(rows.time[places], prepend=rows.time[places[:1]]) / 1e6
        # Where its growth is not known it falls: whoever reads on takes it to begin anew there.
        value[places] = np.cumsum(np.where(np.isnan(grown), -1.0, grown))
    return Rows(rows.series, rows.time, rows.step, value)


def _span_rows(session: Session) -> Iterator[Rows]:
    for span in session.stage.events(SPANS_MOST).spans:
        series = session.registry.find(span.host, span.entity, span.metric)
        if span.metric == "cell" and series is not None:
            yield _rows_of(span, series)


def _rows_of(span: SpanWire, series: int) -> Rows:
    """Return the start row of a span and, where it has ended, its end row."""
    text = json.dumps({"id": span.id, **span.facts})
    start = round(span.start * 1e6)
    if span.end is None:
        return Rows.of([series], [start], [math.nan], text=[text])
    end = round(span.end * 1e6)
    seconds = (end - start) / 1e6
    return Rows.of([series] * 2, [start, end], [math.nan, seconds], text=[text, text])

"""A recording as the source of a feed: the same pictures and the same detail as live."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.metrics.catalog import rate_of
from pulse_widgets.metrics.rates import rate
from pulse_widgets.series.history import Screen
from pulse_widgets.series.log import NO_STEP, Rows
from pulse_widgets.series.shown import TEXT_KINDS, event_of, shown_series
from pulse_widgets.storage.index import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.library.recording import Recording
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.log import SeriesInfo
    from pulse_widgets.storage.overview import Cells

__all__ = ["RecordingSource"]

BUCKETS: Final = 300
WHOLE_ROWS: Final = 200_000
"""A series with more rows is drawn from the recording's overview until it is zoomed into."""
BEFORE_US: Final = 60_000_000
TAIL_US: Final = 60_000_000
"""So much of the end of a long series is read for its newest value."""
"""How far before a range a counter is read, so that the first row in it has a rate."""


class RecordingSource:
    """Answers a feed from a recording.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._stored = recording._stored  # noqa: SLF001  the same package, one layer up
        self._keys: list[SeriesKey] = list(self._stored.extents)
        catalog = self._stored.catalog.infos
        self._infos: list[SeriesInfo] = [
            replace(catalog.get(key) or guess(key), id=number)
            for number, key in enumerate(self._keys)
        ]
        self._screen: Screen | None = None

    def series(self) -> list[dict[str, object]]:
        """Return every series in display form."""
        return [shown_series(info) for info in self._infos]

    def entities(self) -> dict[str, dict[str, str]]:
        """Return the labels of every entity of the first host."""
        merged: dict[str, dict[str, str]] = {}
        for named in self._stored.catalog.entities.values():
            for entity, labels in named.items():
                merged[entity] = {**labels, **merged.get(entity, {})}
        return merged

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the newest events, oldest first."""
        found: list[dict[str, Any]] = []
        for info, key in zip(self._infos, self._keys, strict=True):
            if info.kind in {"text", "span"} and not info.metric.startswith("log."):
                found.extend(_events(info, self._stored.columns(key)))
        found.sort(key=lambda event: event["time"])
        return found[-count:]

    def state(self) -> dict[str, Any]:
        """Return what a view says in words."""
        from pulse_widgets.widgets.feed import versions

        about = self._stored.run.about
        start, end = self._span()
        problems = self._stored.problems
        return {
            "phase": "replay",
            "title": str(about.get("title") or ""),
            "t0": start / 1e6,
            "t1": end / 1e6,
            "interval": float(about.get("interval") or 1.0),
            "simulated": bool(about.get("simulated")),
            "sources": [],
            "recording": {
                "path": str(self._recording.path),
                "bytes": self._bytes(),
                "problem": " ".join(problems) or None,
                "remedy": "What could be read is shown." if problems else None,
            },
            "cost": {"cores": None, "tick_s": None, "dropped": 0, "sent_bytes_s": 0, "slowed": ""},
            "kernel": {"busy": False, "cell": None},
            "versions": versions(),
        }

    def _bytes(self) -> int:
        try:
            return self._stored.nbytes
        except FileNotFoundError:
            # The directory has become a file since it was opened.
            return self._recording.path.stat().st_size

    def screen(self) -> Screen:
        """Return envelopes of the whole recording in equal buckets."""
        if self._screen is None:
            self._screen = self._draw()
        return self._screen

    def rows(self, ids: Sequence[int], t0_s: float, t1_s: float) -> Rows:
        """Return the rows of some series between two Unix times.

        A series with very many rows there is answered from the overview: of each cell its
        smallest and its largest value.
        """
        start, end = round(t0_s * 1e6), round(t1_s * 1e6) + 1
        blocks = []
        for number in ids:
            if not 0 <= number < len(self._keys) or self._infos[number].kind in TEXT_KINDS:
                continue
            blocks.append(self._part(number, start, end))
        return Rows.concat([block for block in blocks if len(block)])

    def _part(self, number: int, start: int, end: int) -> Rows:
        key, info = self._keys[number], self._infos[number]
        extent = self._stored.extents[key]
        share = min(1.0, (end - start) / max(extent.end - extent.start, 1))
        if extent.rows * share > WHOLE_ROWS:
            cells = self._finest(key)
            if cells is not None:
                return _cell_rows(number, cells, start, end)
        columns = self._stored.columns(key, start - BEFORE_US, end, payload=False)
        time, value, step = _shown(info, columns)
        inside = (time >= start) & (time < end)
        ids = np.full(int(inside.sum()), number, np.int32)
        return Rows(ids, time[inside], step[inside], value[inside])

    def _finest(self, key: SeriesKey) -> Cells | None:
        levels = self._stored.cells(key)
        return levels[min(levels)] if levels else None

    def _span(self) -> tuple[int, int]:
        numeric = [
            extent
            for extent, info in zip(self._stored.extents.values(), self._infos, strict=True)
            if info.kind not in TEXT_KINDS
        ] or list(self._stored.extents.values())
        if not numeric:
            return self._stored.run.start_us, self._stored.run.start_us
        return min(e.start for e in numeric), max(e.end for e in numeric)

    def _draw(self) -> Screen:
        start, end = self._span()
        edges = np.linspace(start, max(end, start + BUCKETS) + 1, BUCKETS + 1)
        drawn = [i for i in self._infos if i.kind not in TEXT_KINDS]
        low = np.full((len(drawn), BUCKETS), np.inf)
        high = np.full((len(drawn), BUCKETS), -np.inf)
        missing = np.zeros((len(drawn), BUCKETS), np.bool_)
        last = np.full(len(drawn), np.nan)
        steps: dict[int, NDArray[np.float64]] = {}
        for place, info in enumerate(drawn):
            key = self._keys[info.id]
            cells = self._finest(key) if self._stored.extents[key].rows > WHOLE_ROWS else None
            if cells is not None:
                _fill_cells(cells, edges, low[place], high[place])
                newest = self._stored.extents[key].end
                tail = self._stored.columns(key, newest - TAIL_US, newest + 1, payload=False)
                last[place] = _newest(_shown(info, tail)[1])
                continue
            time, value, step = _shown(info, self._stored.columns(key, payload=False))
            missing[place] = _fill_rows(time, value, edges, low[place], high[place])
            last[place] = _newest(value)
            if (step != NO_STEP).any():
                steps[info.id] = _last_steps(time, step, edges)
        return Screen(
            np.array([info.id for info in drawn], np.int32),
            edges / 1e6,
            low,
            high,
            missing,
            np.array(list(steps), np.int32),
            np.array(list(steps.values())).reshape(len(steps), BUCKETS),
            last,
        )


def _shown(
    info: SeriesInfo, columns: Columns
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return time, shown value and step of the rows that are drawn."""
    time, value, step = columns.time, columns.value, columns.step
    if info.kind == "counter" and rate_of(info.metric) is not None:
        value = rate((time - time[:1].sum()) / 1e6, value)
        # The first reading of a counter has no rate; that is not a missing reading.
        return time[1:], value[1:], step[1:]
    return time, np.where(np.isfinite(value), value, np.nan), step


def _newest(value: NDArray[np.float64]) -> float:
    return float(value[-1]) if len(value) else math.nan


def _places(time: NDArray[np.int64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.searchsorted(edges, time, "right") - 1, 0, len(edges) - 2)


def _fill_rows(
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    edges: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Fill one envelope from rows; return where missing readings begin."""
    place = _places(time, edges)
    nothing = np.isnan(value)
    np.fmin.at(low, place, np.where(nothing, np.inf, value))
    np.fmax.at(high, place, np.where(nothing, -np.inf, value))
    ends_missing = np.zeros(len(low), np.bool_)
    ends_missing[place] = nothing
    empty = low > high
    missing: NDArray[np.bool_] = ends_missing & empty
    missing[1:] |= empty[1:] & ends_missing[:-1]
    return missing


def _fill_cells(
    cells: Cells,
    edges: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    """Fill one envelope from cells; one that spans several buckets stands in each."""
    first, last = _places(cells.start, edges), _places(cells.end, edges)
    for shift in range(int((last - first).max(initial=0)) + 1):
        inside = first + shift <= last
        np.fmin.at(low, first[inside] + shift, cells.least[inside])
        np.fmax.at(high, first[inside] + shift, cells.greatest[inside])


def _last_steps(
    time: NDArray[np.int64], step: NDArray[np.int64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    steps = np.full(len(edges) - 1, np.nan)
    known = step != NO_STEP
    steps[_places(time[known], edges)] = step[known]
    return steps


def _cell_rows(number: int, cells: Cells, start: int, end: int) -> Rows:
    inside = (cells.end >= start) & (cells.start < end)
    time = np.stack([cells.start[inside], cells.end[inside]], axis=1).ravel()
    value = np.stack([cells.least[inside], cells.greatest[inside]], axis=1).ravel()
    ids = np.full(len(time), number, np.int32)
    return Rows(ids, time, np.full(len(time), NO_STEP, np.int64), value)


def _events(info: SeriesInfo, columns: Columns) -> list[dict[str, Any]]:
    texts = columns.text.texts() if columns.text is not None else [""] * len(columns)
    rows = zip(columns.time.tolist(), columns.value.tolist(), texts, strict=True)
    return [event_of(info, time, value, text) for time, value, text in rows]

"""Provides a recording to a stream: the same keyframes and the same answers as live."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.library.replay_rows import (
    is_rated,
    shown,
    silent_spans,
    whole_rows,
)
from pulse_widgets.metrics.catalog import kind_of
from pulse_widgets.metrics.entities import is_users
from pulse_widgets.metrics.kinds import Drawing, kind_stored_as
from pulse_widgets.series.detail import Detail, blocks_between, detail_of
from pulse_widgets.series.display_form import display_series, moment_of
from pulse_widgets.series.envelopes import Envelopes
from pulse_widgets.series.header import (
    ODD_MOST,
    Events,
    MomentWire,
    OddWire,
    SpanWire,
    entity_records,
    newest,
)
from pulse_widgets.series.levels import BLOCK
from pulse_widgets.series.odd import odd_in
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.screen_builder import BUCKETS, ScreenBuilder
from pulse_widgets.series.spans import Pairing, text_rows
from pulse_widgets.series.state import NO_COST, NO_KERNEL, RecordingState, State, Versions
from pulse_widgets.series.text_lines import lines_between
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.segment import Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.library.recording import Recording
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.history import Screen
    from pulse_widgets.series.registry import SeriesInfo
    from pulse_widgets.series.text_lines import FoundLines

__all__ = ["RecordingProvider"]

WHOLE_ROWS: Final = 200_000
"""Beyond so many rows a series is answered from the recording's overview."""
BLOCKS_A_BUCKET: Final = 4
FINE_BLOCKS: Final = 40_000
"""So many blocks are detail enough for any page: twice the points that it may ask for."""
LONG_ROWS: Final = 20_000
"""Of a series with more rows of events only those parts are read in which the newest lie."""
_NO_SPANS: Final = np.zeros((0, 2), np.int64)


class RecordingProvider:
    """Answers a feed from a recording.

    Parameters
    ----------
    recording : Recording
    """

    _host_names: Mapping[str, str] = MappingProxyType({})

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._stored = recording.stored
        stored = self._stored.catalog
        appeared = stored.appeared(key.metric for key in self._stored.extents)
        place = {metric: number for number, metric in enumerate(appeared)}
        # As in the live view, what was logged first comes first.
        self._keys: list[SeriesKey] = sorted(
            self._stored.extents, key=lambda key: place[key.metric]
        )
        self._host_names = {
            host: str(about["name"]) for host, about in stored.hosts.items() if about.get("name")
        }
        self._infos: list[SeriesInfo] = [
            replace(stored.describe(key), id=number) for number, key in enumerate(self._keys)
        ]
        self._number = {key: number for number, key in enumerate(self._keys)}
        self._screen: Screen | None = None
        self._odd: list[OddWire] = []
        self._silent: dict[int, NDArray[np.int64]] = {}
        """Begin and end of every silence, of the series that have any; known once it is drawn."""

    def series(self) -> list[dict[str, object]]:
        """Return every series in display form."""
        return [display_series(info) for info in self._infos]

    def entities(self) -> list[dict[str, Any]]:
        """Return the labels of every entity of every host, as they travel."""
        return entity_records(self._stored.catalog.entities, self._host_names)

    def events(self, count: int) -> Events:
        """Return the newest moments, spans and odd values, oldest first, so many of each at most.

        Odd values are found in rows: not those of long series, whose picture is made of the
        recording's overview. A closer look, which reads rows, finds them there.
        """
        self.screen()  # which finds the odd values
        by_key = {
            key: info for info, key in zip(self._infos, self._keys, strict=True) if _is_event(info)
        }
        moments, spans = list[tuple[int, MomentWire]](), list[tuple[int, SpanWire]]()
        for key, columns in self._newest(list(by_key), 2 * count):
            info = by_key[key]
            is_span = kind_of(info.metric, info.kind).drawn_as is Drawing.SPAN
            # A span has two rows.
            most = count * (2 if is_span else 1)
            last = columns.cut(max(len(columns) - most, 0), len(columns))
            if is_span:
                spans += [(info.id, span) for span in _spans(info, last)]
            else:
                rows = text_rows(last)
                moments += [(info.id, moment_of(info, time, text)) for time, _, text in rows]
        # Those of one time come in the order of the series, in whatever order these are read.
        moments.sort(key=lambda one: (one[1].time, one[0]))
        spans.sort(key=lambda one: (one[1].start, one[0]))
        return newest([m for _, m in moments], [s for _, s in spans], count, self._odd)

    def _newest(self, keys: Sequence[SeriesKey], most: int) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield at least the newest `most` rows of each series; all of those that are short."""
        long = [key for key in keys if self._stored.extents[key].rows > LONG_ROWS]
        # Short ones lie together, and are read in one pass.
        yield from merged(self._stored.segments, [key for key in keys if key not in long])
        for key in long:
            yield key, self._stored.columns(key, self._newest_from(key, most))

    def _newest_from(self, key: SeriesKey, most: int) -> int | None:
        """Return a time from which on a series has at least `most` rows; None where it has not.

        As late a time as can be told without reading: rows before it need not be read.
        """
        held = [
            (entry.start, entry.rows)
            for segment in self._stored.segments
            for entry in segment.entries
            if entry.key == key
        ]
        rows = 0
        for start, count in sorted(held, reverse=True):
            rows += count
            if rows >= most:
                return start
        return None

    def state(self) -> dict[str, Any]:
        """Return the state that views show."""
        about = self._stored.run.about
        start, end = self._span()
        return State(
            phase="replay",
            title=str(about.get("title") or ""),
            t0=start / 1e6,
            t1=end / 1e6,
            interval=float(about.get("interval") or 1.0),
            simulated=bool(about.get("simulated")),
            sources=(),
            recording=RecordingState(
                path=str(self._recording.path),
                bytes=self._bytes(),
                problem=" ".join(map(_ended, self._stored.problems)) or None,
                remedy=None,
            ),
            cost=NO_COST,
            kernel=NO_KERNEL,
            versions=Versions.here(),
            as_of=end / 1e6 if self._stored.running else None,
        ).plain()

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

    def detail(self, ids: Sequence[int], t0_s: float, t1_s: float, points: int) -> Detail:
        """Return the rows of some series between two Unix times, of many rows envelopes.

        A series with very many rows there is answered from the overview, without odd values. A
        gap is a NaN.
        """
        self.screen()  # which finds the silences
        start, end = round(t0_s * 1e6), round(t1_s * 1e6) + 1
        rows, blocks, whole = list[Rows](), dict[int, Envelopes](), list[int]()
        odd = list[OddWire]()
        for number in dict.fromkeys(ids):
            if not 0 <= number < len(self._keys) or not _is_drawn(self._infos[number]):
                continue
            envelopes = self._blocks_between(number, start, end)
            if envelopes is None:
                whole.append(number)
            else:
                blocks[number] = blocks_between(envelopes, start, end)
        for since, together in self._together(whole, start, end):
            keys = sorted(self._keys[number] for number in together)
            for key, columns in merged(
                self._stored.segments, keys, Want(since, end, payload=False)
            ):
                number = self._number[key]
                silent = self._silent.get(number, _NO_SPANS)
                rows.append(whole_rows(self._infos[number], columns, silent, start, end))
                odd += odd_in(number, columns.between(start, end))
        found = detail_of(Rows.concat([each for each in rows if len(each)]), points, blocks)
        return Detail(*found, tuple(sorted(odd, key=lambda one: one.time)[-ODD_MOST:]))

    def lines(self, t0_s: float, t1_s: float, most: int) -> FoundLines:
        """Return the newest lines of text between two Unix times, so many at most.

        They are read from the end, one stretch of rows that lie together after the other.
        """
        start, end = round(t0_s * 1e6), round(t1_s * 1e6) + 1
        found = [
            rows
            for info in self._infos
            if kind_of(info.metric, info.kind).drawn_as is Drawing.TEXT
            for rows in self._last_texts(info.id, start, end, most + 1)
        ]
        return lines_between(Rows.concat(found), t0_s, t1_s, most)

    def _last_texts(self, number: int, start: int, end: int, most: int) -> Iterator[Rows]:
        """Yield at least so many of the last rows of a series between two times, if it has them."""
        key, until, left = self._keys[number], end, most
        for first, _ in sorted(self._extents[key], reverse=True):
            if until <= start or left <= 0:
                return
            if first >= until:
                continue
            since = max(first, start)
            columns = self._stored.columns(key, since, until)
            columns = columns.cut(max(0, len(columns) - most), len(columns))
            texts = [""] * len(columns) if columns.text is None else columns.text.texts()
            ids = np.full(len(columns), number, np.int32)
            yield Rows.of(ids, columns.time, np.full(len(columns), np.nan), text=texts)
            until, left = since, left - len(columns)

    def _blocks_between(self, number: int, start: int, end: int) -> Envelopes | None:
        """Return the blocks that answer for a stretch; None where it has few enough rows."""
        key, extent = self._keys[number], self._stored.extents[self._keys[number]]
        share = min(1.0, (end - start) / max(extent.end - extent.start, 1))
        if extent.rows * share <= WHOLE_ROWS or not self._has_blocks(number):
            return None
        enough = round(FINE_BLOCKS / share)
        blocks = self._stored.level(key, enough)
        if blocks is not None:
            return blocks
        levels = self._stored.levels(key)
        fine = [size for size, each in levels.items() if len(each) >= enough]
        return levels[max(fine, default=min(levels))] if levels else None

    def _has_blocks(self, number: int) -> bool:
        """Return whether the blocks of a series are made of the values that are drawn."""
        info = self._infos[number]
        return not kind_stored_as(info.kind).cumulative or is_rated(info)

    def _together(
        self, numbers: Sequence[int], start: int, end: int
    ) -> Iterator[tuple[int, list[int]]]:
        """Yield series that are read in one go, and from when.

        Each is read from the row before `start`, however far back that is. Series are read
        together where that makes none of them read much more than it needs.
        """
        since = {number: self._row_before(number, start) for number in numbers}
        group: list[int] = []
        for number in sorted(numbers, key=lambda n: -since[n]):
            if group:
                first = group[0]
                needed = self._touched(first, since[first], end)
                if self._touched(first, since[number], end) > needed + 1:
                    yield since[group[-1]], group
                    group = []
            group.append(number)
        if group:
            yield since[group[-1]], group

    @cached_property
    def _extents(self) -> dict[SeriesKey, list[tuple[int, int]]]:
        """First and last time of every stretch of rows that lies together."""
        extents: dict[SeriesKey, list[tuple[int, int]]] = {key: [] for key in self._keys}
        for segment in self._stored.segments:
            for entry in segment.entries:
                extents[entry.key].append((entry.start, entry.end))
        return extents

    def _row_before(self, number: int, time: int) -> int:
        """Return the time of some row before `time`, near it; `time` where there is none.

        No row lies between the last row before `time` and what is returned, or it is earlier.
        """
        extents = self._extents[self._keys[number]]
        return max((e if e < time else s for s, e in extents if s < time), default=time)

    def _touched(self, number: int, start: int, end: int) -> int:
        """Return in how many stretches the rows of a series from `start` to `end` lie."""
        return sum(s < end and e >= start for s, e in self._extents[self._keys[number]])

    def _span(self) -> tuple[int, int]:
        numeric = [
            self._stored.extents[key]
            for key, info in zip(self._keys, self._infos, strict=True)
            if _is_drawn(info)
        ] or list(self._stored.extents.values())
        if not numeric:
            return self._stored.run.start_us, self._stored.run.start_us
        return min(e.start for e in numeric), max(e.end for e in numeric)

    def _draw(self) -> Screen:
        drawn = [i.id for i in self._infos if _is_drawn(i)]
        builder = ScreenBuilder(drawn, *self._span())
        whole = [number for number in drawn if not self._draw_blocks(builder, number)]
        keys = sorted(self._keys[number] for number in whole)
        odd = list[OddWire]()
        for key, columns in merged(self._stored.segments, keys, Want(payload=False)):
            info = self._infos[self._number[key]]
            silent = silent_spans(info, columns)
            # The first reading of a counter has no rate, which does not mean that it is missing.
            part = slice(int(is_rated(info)), None)
            value = shown(info, columns, silent)[part]
            builder.draw_rows(info.id, columns.time[part], value, columns.step[part], silent)
            self._keep_silences(info.id, silent)
            odd += odd_in(info.id, columns)
        self._odd = sorted(odd, key=lambda one: one.time)[-ODD_MOST:]
        return builder.screen()

    def _draw_blocks(self, builder: ScreenBuilder, number: int) -> bool:
        """Draw a long series from the overview; return whether that could be done."""
        info, key = self._infos[number], self._keys[number]
        # An overview has no steps, which logged values have, and no newest rate of a counter.
        rated = kind_stored_as(info.kind).cumulative
        simple = not rated and not is_users(info.entity)
        most = BUCKETS * BLOCKS_A_BUCKET * BLOCK if simple else WHOLE_ROWS
        if self._stored.extents[key].rows <= most or not self._has_blocks(number):
            return False
        blocks = self._stored.level(key, BUCKETS * BLOCKS_A_BUCKET)
        if blocks is None:
            return False
        quiet = blocks.rows == 0
        silent = np.stack([blocks.start[quiet], blocks.end[quiet]], axis=1)
        self._keep_silences(number, silent)
        last = self._newest_rate(number, silent) if rated else float(blocks.last[-1])
        builder.draw_blocks(number, blocks, last)
        return True

    def _newest_rate(self, number: int, silent: NDArray[np.int64]) -> float:
        key, newest = self._keys[number], self._stored.extents[self._keys[number]].end
        since = self._row_before(number, newest)
        tail = self._stored.columns(key, since, newest + 1, payload=False)
        return float(shown(self._infos[number], tail, silent)[-1]) if len(tail) else math.nan

    def _keep_silences(self, number: int, silent: NDArray[np.int64]) -> None:
        if len(silent):
            self._silent[number] = silent


def _is_drawn(info: SeriesInfo) -> bool:
    return kind_stored_as(info.kind).numeric


def _is_event(info: SeriesInfo) -> bool:
    kind = kind_of(info.metric, info.kind)
    return kind.on_timeline and kind.in_keyframes


def _spans(info: SeriesInfo, columns: Columns) -> list[SpanWire]:
    """Return the spans of a series, each once, and with its end where that is known."""
    pairing = Pairing()
    spans = [pairing.take(None, *row).on_the_wire(info) for row in text_rows(columns)]
    return list({(span.id, span.start): span for span in spans}.values())


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

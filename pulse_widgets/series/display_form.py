"""Turns rows as they are stored into display form.

Counters are stored as read; charts show their rate. Rows of text become moments, spans and lines.
Nothing here is drawn or sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.metrics.catalog import kind_of, rate_of
from pulse_widgets.metrics.kinds import GAUGE, Drawing
from pulse_widgets.metrics.rates import rate_of_change
from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.header import (
    NO_EVENTS,
    Events,
    MomentWire,
    SeriesWire,
    TextLineWire,
    plain,
)
from pulse_widgets.series.odd import odd_of
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.spans import Pairing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pulse_widgets.metrics.kinds import Kind
    from pulse_widgets.series.registry import Registry, SeriesInfo

__all__ = ["DisplayForm", "display_series", "moment_of"]

PATTERN_ROWS: Final = 4096
PATTERNS_KEPT: Final = 32
"""Row orders remembered: each source has its own few, which repeat."""


def display_series(info: SeriesInfo) -> dict[str, object]:
    """Return a series as the browser gets it: a counter under the name of its rate."""
    rate, unit = rate_of(info.metric, info.kind, info.unit, info.labels) or ("", info.unit)
    metric, kind = rate or info.metric, GAUGE.stored if rate else info.kind
    shown = SeriesWire(info.id, info.host, info.entity, metric, unit, kind, dict(info.labels))
    made: dict[str, object] = plain(shown)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """How the rows of a block are treated, which follows from their series ids alone.

    Attributes
    ----------
    events : (k,) int64
        Which rows are moments, or begin or end a span.
    lines : (l,) int64
        Which rows are lines of text.
    keep : (n,) bool
        Which rows are points of a line.
    places : (m,) int64
        Which rows are counters, sorted by series and then by arrival.
    ids : (m,) int32
        Their series.
    before : (m,) int64
        For each of them the one before it of its series, as a place in `places`.
    first, last : (k,) int64
        The first and the last of each series, as places in `places`; `before` says nothing of
        the first.
    """

    events: NDArray[np.int64]
    lines: NDArray[np.int64]
    keep: NDArray[np.bool_]
    places: NDArray[np.int64]
    ids: NDArray[np.int32]
    before: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        ids: NDArray[np.int32],
        event: NDArray[np.bool_],
        line: NDArray[np.bool_],
        drawn: NDArray[np.bool_],
        counter: NDArray[np.bool_],
    ) -> _Pattern:
        places = np.flatnonzero(counter.take(ids))
        places = places[np.argsort(ids[places], kind="stable")]
        sorted_ids = ids[places]
        begins = np.diff(sorted_ids, prepend=np.int32(-1)) != 0
        ends = np.diff(sorted_ids, append=np.int32(-1)) != 0
        return cls(
            np.flatnonzero(event.take(ids)),
            np.flatnonzero(line.take(ids)),
            drawn.take(ids),
            places,
            sorted_ids,
            np.maximum(np.arange(len(places)) - 1, 0),
            np.flatnonzero(begins),
            np.flatnonzero(ends),
        )


class DisplayForm:
    """Turns stored rows into display form; remembers the last reading of each counter.

    Parameters
    ----------
    registry : Registry
        Says of which kind the series are.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known = 0
        self._counter = np.zeros(0, np.bool_)
        self._event = np.zeros(0, np.bool_)
        self._line = np.zeros(0, np.bool_)
        self._kinds: list[Kind] = []
        self._pairing = Pairing()
        self._drawn = np.zeros(0, np.bool_)
        self._last_time = np.zeros(0, np.int64)
        self._last_value = np.zeros(0)
        self._patterns: dict[bytes, _Pattern] = {}

    def take(self, rows: Rows, *, lines: bool = False) -> tuple[Rows, Events]:
        """Return the rows to draw, in order of arrival, and the events in `rows`.

        A rate has the time of the later of its two readings. The first reading of a counter
        has no rate and no row; across a reset and beside a missing reading the rate is NaN.
        Values that are not finite are shown as missing; those that were logged so are among the
        events as odd values. Lines of text are where `lines` asks for them; what is of none of
        these looks stays away.
        """
        self._learn()
        pattern = self._pattern(rows.series)
        events = NO_EVENTS
        if len(pattern.events) or (lines and len(pattern.lines)):
            events = self._events(rows, pattern.events, pattern.lines[: None if lines else 0])
        keep, finite = pattern.keep, np.isfinite(rows.value)
        value = np.where(finite, rows.value, np.nan)
        if len(odd := np.flatnonzero(keep & ~finite)):
            events = replace(events, odd=odd_of(rows.take(odd)))
        if len(pattern.places):
            rate, known = self._rates(pattern, rows.time[pattern.places], value[pattern.places])
            value[pattern.places] = rate
            if not known.all():
                keep = keep.copy()
                keep[pattern.places[~known]] = False
        if keep.all():
            return Rows(rows.series, rows.time, rows.step, value), events
        return Rows(rows.series[keep], rows.time[keep], rows.step[keep], value[keep]), events

    def lines(self, rows: Rows) -> Rows | None:
        """Return those of the rows that are lines of text; None where there are none."""
        self._learn()
        places = self._pattern(rows.series).lines
        return rows.take(places) if len(places) else None

    def _learn(self) -> None:
        fresh = self._registry.since(self._known)
        if not fresh:
            return
        self._known += len(fresh)
        counter = np.array([rate_of(i.metric, i.kind, i.unit) is not None for i in fresh], np.bool_)
        kinds = [kind_of(info.metric, info.kind) for info in fresh]
        self._kinds += kinds
        self._counter = np.append(self._counter, counter)
        self._event = np.append(self._event, np.array([k.on_timeline for k in kinds], np.bool_))
        self._line = np.append(
            self._line, np.array([k.drawn_as is Drawing.TEXT for k in kinds], np.bool_)
        )
        self._drawn = np.append(self._drawn, np.array([k.numeric for k in kinds], np.bool_))
        self._last_time = np.append(self._last_time, np.full(len(fresh), -1, np.int64))
        self._last_value = np.append(self._last_value, np.full(len(fresh), np.nan))

    def _pattern(self, ids: NDArray[np.int32]) -> _Pattern:
        """Return the pattern of some ids; the same come again with every few readings."""
        if len(ids) > PATTERN_ROWS:
            return self._new_pattern(ids)
        key = ids.tobytes()
        pattern = self._patterns.get(key)
        if pattern is None:
            if len(self._patterns) >= PATTERNS_KEPT:
                self._patterns.clear()
            pattern = self._patterns[key] = self._new_pattern(ids)
        return pattern

    def _new_pattern(self, ids: NDArray[np.int32]) -> _Pattern:
        return _Pattern.of(ids, self._event, self._line, self._drawn, self._counter)

    def _rates(
        self, pattern: _Pattern, time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rate of each counter row, and whether it had one before it."""
        opening, closing = pattern.ids[pattern.first], pattern.ids[pattern.last]
        before_time, before = time[pattern.before], value[pattern.before]
        before_time[pattern.first] = self._last_time[opening]
        before[pattern.first] = self._last_value[opening]
        rate = rate_of_change((time - before_time) / 1e6, value - before)
        self._last_time[closing] = time[pattern.last]
        self._last_value[closing] = value[pattern.last]
        return rate, before_time >= 0

    def _events(self, rows: Rows, events: NDArray[np.int64], lines: NDArray[np.int64]) -> Events:
        texts = rows.text if rows.text is not None else [""] * len(rows)
        moments, spans = [], []
        columns = (rows.series[events], rows.time[events], rows.value[events], events)
        infos: dict[int, SeriesInfo] = {}
        for number, time, value, i in zip(*(c.tolist() for c in columns), strict=True):
            info = infos.get(number)
            if info is None:
                info = infos[number] = self._registry[number]
            if self._kinds[number].drawn_as is Drawing.SPAN:
                spans.append(self._pairing.take(number, time, value, texts[i]).on_the_wire(info))
            else:
                moments.append(moment_of(info, time, texts[i]))
        sent = [TextLineWire(int(rows.series[i]), int(rows.time[i]) / 1e6, texts[i]) for i in lines]
        return Events(tuple(moments), tuple(spans), tuple(sent))


def moment_of(info: SeriesInfo, time_us: int, text: str) -> MomentWire:
    """Return one row of a moment as the browser gets it."""
    facts = facts_of(text) or {"label": text}
    return MomentWire(time_us / 1e6, info.host, info.entity, info.metric, facts)

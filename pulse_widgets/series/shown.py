"""From rows as they are stored to rows as they are shown.

Counters are stored as read; charts show their rate. Text rows (events, marks, spans) become
plain mappings for the browser. Nothing here is drawn or sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pulse_widgets.metrics.catalog import lookup, rate_of
from pulse_widgets.series.log import Registry, Rows, SeriesInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TEXT_KINDS", "Shown", "event_of", "shown_series"]

TEXT_KINDS = frozenset({"text", "span", "media"})
"""Kinds of series whose rows are events and payloads, not points of a line."""


def shown_series(info: SeriesInfo) -> dict[str, object]:
    """Return what the browser is told of a series: a counter under the name of its rate."""
    rate = _rate(info)
    metric = lookup(rate) if rate else None
    return {
        "id": info.id,
        "host": info.host,
        "entity": info.entity,
        "metric": rate or info.metric,
        "unit": metric.unit if metric else info.unit,
        "kind": "gauge" if rate else info.kind,
        "labels": dict(info.labels),
    }


class Shown:
    """Turns stored rows into shown rows; remembers the last reading of each counter.

    Parameters
    ----------
    registry : Registry
        Says which series are counters and which carry text.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known = 0
        self._counter = np.zeros(0, np.bool_)
        self._text = np.zeros(0, np.bool_)
        self._last_time = np.zeros(0, np.int64)
        self._last_value = np.zeros(0)

    def take(self, rows: Rows) -> tuple[Rows, list[dict[str, Any]]]:
        """Return the rows to draw, in arrival order, and the events among `rows`.

        A rate has the time of the later of its two readings. The first reading of a counter
        has no rate and no row; across a reset and beside a missing reading the rate is NaN.
        Values that are not finite are shown as missing.
        """
        self._learn()
        ids = rows.series
        is_text = self._text[ids] if len(rows) else np.zeros(0, np.bool_)
        events = self._events(rows, np.flatnonzero(is_text)) if is_text.any() else []
        value = np.where(np.isfinite(rows.value), rows.value, np.nan)
        is_counter = self._counter[ids] if len(rows) else is_text
        keep = ~is_text
        if is_counter.any():
            where = np.flatnonzero(is_counter)
            value[where], known = self._rates(ids[where], rows.time[where], value[where])
            keep[where[~known]] = False
        return Rows(ids[keep], rows.time[keep], rows.step[keep], value[keep]), events

    def _learn(self) -> None:
        fresh = self._registry.since(self._known)
        if not fresh:
            return
        self._known += len(fresh)
        counter = np.array([_rate(info) is not None for info in fresh], np.bool_)
        text = np.array([info.kind in TEXT_KINDS for info in fresh], np.bool_)
        self._counter = np.append(self._counter, counter)
        self._text = np.append(self._text, text)
        self._last_time = np.append(self._last_time, np.full(len(fresh), -1, np.int64))
        self._last_value = np.append(self._last_value, np.full(len(fresh), np.nan))

    def _rates(
        self, ids: NDArray[np.int32], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rate of each row, and whether the row had one before it."""
        order = np.argsort(ids, kind="stable")
        ids, time, value = ids[order], time[order], value[order]
        first = np.diff(ids, prepend=np.int32(-1)) != 0
        before_time = np.where(first, self._last_time[ids], np.roll(time, 1))
        before = np.where(first, self._last_value[ids], np.roll(value, 1))
        elapsed = (time - before_time) / 1e6
        change = value - before
        rate = np.full(len(ids), np.nan)
        np.divide(change, elapsed, out=rate, where=(change >= 0) & (elapsed > 0))
        last = np.append(first[1:], np.True_)
        self._last_time[ids[last]] = time[last]
        self._last_value[ids[last]] = value[last]
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return rate[back], (before_time >= 0)[back]

    def _events(self, rows: Rows, where: NDArray[np.int64]) -> list[dict[str, Any]]:
        events = []
        for i in where.tolist():
            info = self._registry[int(rows.series[i])]
            text = rows.text[i] if rows.text is not None else ""
            event = event_of(info, int(rows.time[i]), float(rows.value[i]), text)
            events.append(event)
        return events


def _rate(info: SeriesInfo) -> str | None:
    # The user's own key may end like a counter of the catalog; its kind says it is none.
    return rate_of(info.metric) if info.kind == "counter" else None


def event_of(info: SeriesInfo, time_us: int, value: float, text: str) -> dict[str, Any]:
    """Return what the browser is told of one row of text: an event, a mark, a span."""
    event = _parse(text)
    event.update(
        time=time_us / 1e6,
        metric=info.metric,
        entity=info.entity,
        value=value if np.isfinite(value) else None,
    )
    return event


def _parse(text: str) -> dict[str, Any]:
    try:
        # A number that JSON does not know would end the feed.
        parsed = json.loads(text, parse_constant=str)
    except ValueError:
        return {"label": text}
    return parsed if isinstance(parsed, dict) else {"label": text}

"""What alerts look at: the series that they read, and what is known of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.insight.alerts.track import FOREVER, Track
from pulse_widgets.metrics.catalog import CATALOG, rate_of
from pulse_widgets.metrics.headings import USER, heading_of
from pulse_widgets.metrics.kinds import STATE, kind_stored_as
from pulse_widgets.metrics.metric import Pace
from pulse_widgets.series.columns import LOGGED_NAN, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.insight.alerts.track import Point, Points
    from pulse_widgets.insight.alerts.watch import Owner
    from pulse_widgets.series.header import Events
    from pulse_widgets.series.registry import Registry, SeriesInfo
    from pulse_widgets.series.rows import Rows

__all__ = ["Readings"]

FEW: Final = 16
"""From so many rows of a series on they are taken as columns."""
BEFORE: Final = 8
"""Rows of each series that are looked at when an alert is set, to know what is usual."""


class Readings:
    """Follows the series that alerts read.

    Parameters
    ----------
    registry : Registry
    interval_s : callable
        Seconds between two readings.

    Attributes
    ----------
    known : dict
        Name of a metric, as it is shown, to what has it, and to the id of that series.
    """

    def __init__(self, registry: Registry, interval_s: Callable[[], float]) -> None:
        self.known: dict[str, dict[Owner, int]] = {}
        self._registry = registry
        self._interval_s = interval_s
        self._learned = 0
        self._tracks: dict[int, Track] = {}

    def now(self) -> dict[int, Point]:
        """Return what is known of each series."""
        return {one: track.last for one, track in self._tracks.items()}

    def learn(self, wanted: frozenset[str]) -> set[str]:
        """Find the new series of some metrics; return those metrics that have some."""
        fresh = self._registry.since(self._learned)
        self._learned += len(fresh)
        return {metric for info in fresh if (metric := self._note(info, wanted))}

    def begin(self, wanted: frozenset[str], past: Sequence[Rows]) -> None:
        """Follow other metrics, too, of which these rows are known."""
        before = set(self._tracks)
        self._learned = 0
        self.learn(wanted)
        fresh = [one for one in self._tracks if one not in before]
        for one, readings in _newest(fresh, past, self._learned).items():
            for at, value in readings:
                self._tracks[one].one(at, value, known=not math.isnan(value))

    def news(self, rows: Rows, events: Events) -> Mapping[int, Sequence[Point] | Points]:
        """Return the new readings of each series."""
        mine = np.flatnonzero(_chosen(self._tracks, self._learned)[rows.series])
        if not len(mine):
            return {}
        ids, time_us, value = rows.series[mine], rows.time[mine], rows.value[mine]
        if events.odd:
            value = _with_odd(ids, time_us, value, events)
        order = np.lexsort((time_us, ids))
        ids, time_us, value = ids[order], time_us[order], value[order]
        begins = np.flatnonzero(np.diff(ids, prepend=np.int32(-1)))
        ends = np.append(begins[1:], len(ids))
        news: dict[int, Sequence[Point] | Points] = {}
        for first, end in zip(begins.tolist(), ends.tolist(), strict=True):
            one, part = int(ids[first]), slice(first, end)
            news[one] = _taken(self._tracks[one], time_us[part], value[part])
        return news

    def _note(self, info: SeriesInfo, wanted: frozenset[str]) -> str:
        """Take in a series that is wanted; return the name it is shown under."""
        if not kind_stored_as(info.kind).numeric:
            return ""
        rate = rate_of(info.metric, info.kind, info.unit, info.labels)
        metric = rate[0] if rate else info.metric
        if metric not in wanted:
            return ""
        self.known.setdefault(metric, {})[info.host, info.entity] = info.id
        if info.id not in self._tracks:
            self._tracks[info.id] = self._track(info, metric)
        return metric

    def _track(self, info: SeriesInfo, metric: str) -> Track:
        catalogued = CATALOG.get(metric)
        pace = catalogued.pace if catalogued is not None else Pace.TICK
        logged = heading_of(metric, info.entity, info.labels) == USER
        # Of what comes rarely, or when the user likes, one reading does not say how often.
        first_us = round(3e6 * self._interval_s())
        if logged or pace is not Pace.TICK:
            first_us = FOREVER
        return Track(first_us, holds=pace is Pace.STATIC or info.kind == STATE.stored)


def _chosen(ids: Mapping[int, object] | Sequence[int], count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(count, np.bool_)
    chosen[list(ids)] = True
    return chosen


def _taken(
    track: Track, time_us: NDArray[np.int64], value: NDArray[np.float64]
) -> Sequence[Point] | Points:
    """Have a series take rows in order of time; return what is known from each on."""
    if len(time_us) > FEW:
        return track.many(time_us, value)
    known = (~missing(value)).tolist()
    each = zip(time_us.tolist(), value.tolist(), known, strict=True)
    points = [track.one(at, number, known=is_) for at, number, is_ in each]
    return [point for point in points if point is not None]


def _newest(
    ids: Sequence[int], past: Sequence[Rows], count: int
) -> dict[int, list[tuple[int, float]]]:
    """Return the newest rows of some series, a few of each, in order of time."""
    found: dict[int, list[tuple[int, float]]] = {one: [] for one in ids}
    chosen = _chosen(ids, count)
    for rows in reversed(past):
        if not chosen.any():
            break
        for place in reversed(np.flatnonzero(chosen[rows.series]).tolist()):
            one = int(rows.series[place])
            if len(found[one]) < BEFORE:
                found[one].append((int(rows.time[place]), float(rows.value[place])))
            else:
                chosen[one] = False
    return {one: sorted(readings) for one, readings in found.items()}


def _with_odd(
    ids: NDArray[np.int32], time_us: NDArray[np.int64], value: NDArray[np.float64], events: Events
) -> NDArray[np.float64]:
    """Return values with the infinities and NaN that were logged, which are shown as missing."""
    what = {"inf": math.inf, "-inf": -math.inf, "nan": LOGGED_NAN}
    odd = {(one.series, round(one.time * 1e6)): what[one.what] for one in events.odd}
    value = value.copy()
    for place in np.flatnonzero(np.isnan(value)).tolist():
        found = odd.get((int(ids[place]), int(time_us[place])))
        if found is not None:
            value[place] = found
    return value

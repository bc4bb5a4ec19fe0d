"""Makes a screen small enough to be kept in a notebook; `js/core/still/fit.ts` is its twin."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.exchange.left_out import left_out_source
from pulse_widgets.exchange.picture.choice import grouped
from pulse_widgets.metrics.globs import matches_any
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.envelopes import extremes_of, mean_of
from pulse_widgets.series.history import Screen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["STRIP_BYTES", "coarsen", "fit", "matching", "of_strip"]

MOST_BUCKETS: Final = 300
LEAST_BUCKETS: Final = 30
"""With fewer a curve is no picture; rather than that, series are left out."""

STRIP_METRICS: Final = (
    "gpu.utilization", "gpu.memory.used", "gpu.memory.total", "gpu.power", "gpu.temperature",
    "cpu.utilization", "cpu.count", "memory.used", "memory.total",
    "process.cpu", "process.memory.rss",
)  # fmt: skip
"""What the figures of a strip are made of; `js/core/dashboard/figures.ts` makes them."""
CORE: Final = "cpu:"
"""How the ids of single cores begin, which have no figure."""
CORE_COUNT: Final = "cpu.count"
STRIP_BYTES: Final = 60_000
"""What the keyframe of a strip may take in base64, on a machine with very many GPUs."""

# Quotes in the HTML are escaped in the notebook, and the bundle has keys.
_OVERHEAD: Final = 2_000
SERIES_FACTS: Final = 80
"""Bytes a series takes in the lists of a keyframe's header: id, lo, hi, last."""
HEADER_BYTES: Final = 250
"""What is said of series that were left out."""


def matching(
    screen: Screen, header: Mapping[str, Any], patterns: Collection[str]
) -> tuple[Screen, dict[str, Any]]:
    """Return the part of a screen and its header that is of some metrics.

    Parameters
    ----------
    screen : Screen
    header : mapping
        With ``series``. Not changed.
    patterns : collection of str
        Of names of metrics, see `pulse_widgets.metrics.globs`.
    """
    series = [
        s
        for s in header["series"]
        if not kind_stored_as(s["kind"]).numeric or matches_any(s["metric"], patterns)
    ]
    return _only(screen, [int(s["id"]) for s in series]), {**header, "series": series}


def of_strip(screen: Screen, header: Mapping[str, Any]) -> tuple[Screen, dict[str, Any]]:
    """Return the part of a screen and its header that a strip shows: figures, hardly any past."""
    # Single cores are counted, where nothing says how many there are.
    counted = {s["host"] for s in header["series"] if s["metric"] == CORE_COUNT}
    series = [
        s
        for s in header["series"]
        if s["metric"] in STRIP_METRICS
        and not (s["entity"].startswith(CORE) and s["host"] in counted)
    ]
    there = {(s["host"], s["entity"]) for s in series} | _machines(series)
    entities = [e for e in header["entities"] if (e["host"], e["entity"]) in there]
    shown = coarsen(_only(screen, [int(s["id"]) for s in series]), LEAST_BUCKETS)
    lean = {"series": series, "entities": entities, "moments": [], "spans": []}
    return shown, {**header, **lean}


def fit(
    screen: Screen, header: Mapping[str, Any], limit_bytes: int
) -> tuple[Screen, dict[str, Any]]:
    """Return a screen and its header, made coarser until their keyframe is small enough.

    Buckets are put together first. Below 30 of them series are left out instead: of a metric
    all that one class of entities has, or none, so that counts and means stay true. Those that
    are missed least go first, and the state says how many. Of the events the oldest go.

    Parameters
    ----------
    screen : Screen
    header : mapping
        ``series``, ``entities``, ``state``, ``moments`` and ``spans``. Not changed.
    limit_bytes : int
        Bytes of the keyframe in base64.
    """
    room = limit_bytes * 3 // 4 - _OVERHEAD
    screen = _only(screen, screen.ids[_something(screen)])
    kept = _shortened(header, room)
    ids = _affordable(screen, kept, room)
    if len(ids) < len(header["series"]):
        ids = _affordable(screen, kept, room - HEADER_BYTES)
        kept = _without(kept, ids)
    screen = _only(screen, ids)
    spare = room - _size(kept) - SERIES_FACTS * len(screen.ids)
    column = 8 + 6 * len(screen.ids) + 8 * len(screen.stepped)
    return coarsen(screen, max(1, min(MOST_BUCKETS, spare // column))), kept


def _something(screen: Screen) -> NDArray[np.bool_]:
    """Return which series have a sample or a missing reading."""
    seen = (screen.low <= screen.high).any(axis=1)
    return np.asarray(seen | screen.missing.any(axis=1), np.bool_)


def _shortened(header: Mapping[str, Any], room: int) -> dict[str, Any]:
    """Return a header without its oldest events, and without what crowds out the curves."""
    short = {**header, **_newest(header, room // 8)}
    if _size({**short, "series": [], "entities": []}) < room // 2:
        return short
    state = header["state"]
    bare = [{**source, "missing": []} for source in state.get("sources") or []]
    return {**short, "state": {**state, "sources": bare}}


def _newest(header: Mapping[str, Any], room: int) -> dict[str, list[Mapping[str, Any]]]:
    """Return the newest moments and spans, as many as there is room for."""
    events = [(one["time"], "moments", one) for one in header.get("moments", [])]
    events += [(one["start"], "spans", one) for one in header.get("spans", [])]
    kept: dict[str, list[Mapping[str, Any]]] = {"moments": [], "spans": []}
    for _, key, one in sorted(events, key=lambda event: -event[0]):
        room -= _size(one) + 1
        if room < 0:
            break
        kept[key].insert(0, one)
    return kept


def _affordable(screen: Screen, header: Mapping[str, Any], room: int) -> set[int]:
    """Return the ids of the series there is room for at the least number of buckets.

    What finds no room is passed over, and what is smaller may still find some.
    """
    buckets = min(LEAST_BUCKETS, len(screen.edges) - 1)
    drawn, stepped = set(screen.ids.tolist()), set(screen.stepped.tolist())
    about = {int(s["id"]): s for s in header["series"]}
    sizes = {(e["host"], e["entity"]): _size(e) + 1 for e in header["entities"]}

    def cost(number: int) -> int:
        size = _size(about[number]) + 1
        if number in drawn:
            size += SERIES_FACTS + (14 if number in stepped else 6) * buckets
        return size

    named = _machines(header["series"])
    room -= _size({**header, "series": [], "entities": []}) + 8 * (buckets + 1)
    room -= sum(sizes.get(name, 0) for name in named)
    kept: set[int] = set()
    for group in grouped(header["series"]):
        new = {(about[n]["host"], about[n]["entity"]) for n in group} - named
        left = room - sum(map(cost, group)) - sum(sizes.get(name, 0) for name in new)
        if left < 0:
            continue
        room = left
        named |= new
        kept.update(group)
    return kept


def _machines(series: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the machines of some series, which are called by their labels."""
    return {(s["host"], "host") for s in series}


def _without(header: Mapping[str, Any], ids: set[int]) -> dict[str, Any]:
    """Return a header of the series `ids`, whose state says that there were more."""
    series = [s for s in header["series"] if int(s["id"]) in ids]
    there = {(s["host"], s["entity"]) for s in series} | _machines(series)
    state = dict(header["state"])
    notice = left_out_source(len(header["series"]) - len(series), state)
    state["sources"] = [*(state.get("sources") or []), notice]
    entities = [e for e in header["entities"] if (e["host"], e["entity"]) in there]
    return {**header, "series": series, "entities": entities, "state": state}


def _only(screen: Screen, ids: Iterable[int]) -> Screen:
    """Return a screen of some of its series."""
    wanted = np.fromiter(ids, np.int32)
    row, step = np.isin(screen.ids, wanted), np.isin(screen.stepped, wanted)
    return replace(
        screen,
        ids=screen.ids[row],
        low=screen.low[row],
        high=screen.high[row],
        mean=screen.mean[row],
        missing=screen.missing[row],
        stepped=screen.stepped[step],
        step=screen.step[step],
        last=None if screen.last is None else screen.last[row],
        weight=None if screen.weight is None else screen.weight[row],
    )


def _size(part: object) -> int:
    return len(json.dumps(part, separators=(",", ":")))


def coarsen(screen: Screen, buckets: int) -> Screen:
    """Return a screen of at most `buckets` buckets, each made of neighbours.

    Parameters
    ----------
    screen : Screen
    buckets : int
        At least 1.

    Returns
    -------
    Screen
        As many old buckets in each new one as can be, so it stays finer towards the end.
        `low` is the smallest of the lows and `high` the largest of the highs; `step` is the
        last one. `mean` is that of the means, each weighing as much as `weight` says, or, where
        that is not known, as long as its bucket lasts; with one that is not known, none is.
        A bucket is missing when it has no sample because readings were missing; a
        gap shorter than a bucket is not seen any more, a longer one is.
    """
    have = len(screen.edges) - 1
    if have <= max(buckets, 1):
        return screen
    first = np.linspace(0, have, max(buckets, 1) + 1).astype(np.int64)
    starts = first[:-1]
    # Where there is no sample, low > high, whatever their values.
    seen = screen.low <= screen.high
    none = ~np.logical_or.reduceat(seen, starts, axis=1)
    low, _ = extremes_of(screen.low, starts, seen)
    _, high = extremes_of(screen.high, starts, seen)
    mean, weight = _joined_means(screen, starts, (low, high))
    missing = np.logical_or.reduceat(_until_next(screen.missing, seen), starts, axis=1) & none
    return Screen(
        screen.ids,
        screen.edges[first],
        low,
        high,
        mean,
        missing,
        screen.stepped,
        _last_steps(screen.step, first),
        screen.last,
        weight,
    )


def _joined_means(
    screen: Screen, starts: NDArray[np.int64], within: tuple[NDArray[Any], NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the mean of each of the new buckets, and its weight where that is known."""
    seen = screen.low <= screen.high
    weight = np.diff(screen.edges) if screen.weight is None else screen.weight
    weight = np.where(seen, weight, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(np.where(seen, screen.mean, 0.0) * weight, starts, axis=1)
    together = np.add.reduceat(weight, starts, axis=1)
    mean = mean_of(total, together, *within)
    # Values of which the mean is not known are in no mean of all.
    mean[np.logical_or.reduceat(seen & np.isnan(screen.mean), starts, axis=1)] = np.nan
    return mean, None if screen.weight is None else together


def _until_next(missing: NDArray[np.bool_], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where readings are missing, each gap carried on until the next sample."""
    place = np.where(missing | seen, np.arange(missing.shape[1]), 0)
    newest = np.maximum.accumulate(place, axis=1)
    return np.take_along_axis(missing, newest, axis=1)


def _last_steps(step: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    there = np.where(np.isnan(step), -1, np.arange(step.shape[1]))
    last = np.maximum.reduceat(there, first[:-1], axis=1)
    taken = np.take_along_axis(step, np.maximum(last, 0), axis=1)
    return np.where(last < 0, np.nan, taken)

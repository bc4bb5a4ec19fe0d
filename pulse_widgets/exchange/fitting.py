"""Makes a screen small enough to be kept in a notebook; `js/core/still/fit.ts` is its twin."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.exchange.left_out import left_out_source, with_events_left_out
from pulse_widgets.exchange.picture.choice import ranked
from pulse_widgets.exchange.picture.wishes import (
    LIMIT_OF,
    MOST_LINES,
    PREFERRED_CHARTS,
    RANK_OWN,
    RANK_REST,
)
from pulse_widgets.exchange.search import what_fits
from pulse_widgets.metrics.globs import matches_any
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.envelopes import even_edges, extremes_of, mean_of
from pulse_widgets.series.history import Screen
from pulse_widgets.series.wire import keyframe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["STRIP_BYTES", "coarsen", "fit", "matching", "of_strip", "size_of"]

LEAST_BUCKETS: Final = 30
"""With fewer a curve is no picture; rather than that, series are left out."""

FULL_DETAIL: Final = (300, 1, 300, 1)
"""Buckets and grain of the series that are seen first, buckets and grain of the others."""
DETAILS: Final = (
    *FULL_DETAIL,
    *(300, 13, 150, 71),
    *(200, 13, 100, 71),
    *(200, 71, 60, 71),
    *(200, 71, 30, 923),
    *(200, 923, 30, 923),
    *(100, 923, 30, 923),
    *(30, 923, 30, 923),
)
"""What is tried one after another, as `FULL_DETAIL`. A grain of 71 is a thousandth of the range."""
ALL_WITH: Final = 5
"""With so many of the details every series is tried; with the others only as many as fit."""
OWN_FIRST: Final = 24
"""So many metrics of the user are among the series that are seen first."""

STRIP_METRICS: Final = (
    "gpu.utilization", "gpu.memory.used", "gpu.memory.total", "gpu.power", "gpu.temperature",
    "cpu.utilization", "cpu.count", "memory.used", "memory.total",
    "process.cpu", "process.memory.rss",
)  # fmt: skip
"""What the figures of a strip are made of; `js/core/dashboard/figures.ts` makes them."""
FIGURES: Final = (
    *STRIP_METRICS,
    *(LIMIT_OF[m] for m in STRIP_METRICS if m in LIMIT_OF and LIMIT_OF[m] not in STRIP_METRICS),
    "gpu.temperature.slowdown",
)
"""What figures show, and the limits they are shown against."""
SHOWN_FIRST: Final = tuple(m for one in PREFERRED_CHARTS if one.first for m in one.metrics)
CORE: Final = "cpu:"
"""How the ids of single cores begin, which have no figure."""
CORE_COUNT: Final = "cpu.count"
STRIP_BYTES: Final = 60_000
"""What the keyframe of a strip may take in base64, on a machine with very many GPUs."""

# Quotes in the HTML are escaped in the notebook, and the bundle has keys.
_OVERHEAD: Final = 2_000


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
    only = _only(screen, [int(s["id"]) for s in series])
    return only, {**header, "series": series, **_odd_of(header, series)}


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
    lean = {"series": series, "entities": entities, "moments": [], "spans": [], "odd": []}
    return shown, {**header, **lean}


def fit(
    screen: Screen, header: Mapping[str, Any], limit_bytes: int
) -> tuple[Screen, dict[str, Any]]:
    """Return a screen and its header, made coarser until their keyframe is small enough.

    The series that are seen first keep at least 200 buckets as long as they find room, see
    `_in_order`; of the others there are fewer, and of all the values are told more coarsely. Then
    the others are left out, last of all the first: of a metric all that one class of entities has,
    or none, so that counts and means stay true; of what does not fit alone, none. The state says
    how many. Of the events the oldest go. What fits is found by trying, since it depends on the
    values.

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
    header = _shortened(header, room)
    groups, first = _in_order(header["series"])
    seen = {number for group in groups[:first] for number in group}
    details = np.reshape(DETAILS, (-1, 4)).tolist()

    def tried(ids: list[int], detail: int) -> tuple[Screen, dict[str, Any]]:
        kept = header if len(ids) == len(header["series"]) else _without(header, set(ids))
        return _detailed(_only(screen, ids), seen, details[detail]), kept

    def size(ids: list[int], detail: int) -> int:
        shown, kept = tried(ids, detail)
        return len(keyframe(0, shown, **kept))

    return tried(*what_fits(groups, room, (first, ALL_WITH, len(details)), size))


def _in_order(series: Sequence[Mapping[str, Any]]) -> tuple[list[list[int]], int]:
    """Return the ids of all series in groups, and how many groups are seen first.

    First come what figures are made of, metrics of the user, and what else a picture shows first;
    then the other metrics of the user, and the rest, of which there are few before many.
    """
    about = {int(s["id"]): s for s in series}
    own = 0

    def place(group: list[int], rank: int) -> int:
        nonlocal own
        one = about[group[0]]
        if one["metric"] in FIGURES and rank != RANK_OWN and not one["entity"].startswith(CORE):
            return 0
        own += rank == RANK_OWN
        if rank == RANK_OWN:
            return 1 if own <= OWN_FIRST else 3
        if rank < RANK_REST and one["metric"] in SHOWN_FIRST:
            return 2
        # What takes little room does not wait for what takes much.
        return 4 if len(group) <= MOST_LINES else 5

    placed = [(place(group, rank), group) for rank, group in ranked(series)]
    placed.sort(key=lambda one: one[0])
    return [group for _, group in placed], sum(at <= 2 for at, _ in placed)  # noqa: PLR2004


def _detailed(screen: Screen, seen: Collection[int], detail: Sequence[int]) -> Screen:
    """Return a screen with much detail of the series that are seen first, and less of the others.

    The others have a value in each bucket, too: in those that are one of theirs, the same.
    """
    buckets, grain, fewer, coarser = detail
    places = even_edges(screen.edges, buckets)
    fine = _joined(screen, places)
    rest = ~np.isin(screen.ids, [*seen])
    grains = np.where(rest, coarser, grain)
    if rest.any() and fewer < len(places) - 1:
        own = even_edges(fine.edges, fewer)
        coarse = _joined(_only(screen, screen.ids[rest]), places[own])
        column = np.repeat(np.arange(len(own) - 1), np.diff(own))
        for name in ("low", "high", "mean", "missing"):
            getattr(fine, name)[rest] = getattr(coarse, name)[:, column]
        fine.step[np.isin(fine.stepped, coarse.stepped)] = coarse.step[:, column]
    return replace(fine, weight=None, grain=None if (grains == 1).all() else grains)


def _something(screen: Screen) -> NDArray[np.bool_]:
    """Return which series have a sample or a missing reading."""
    seen = (screen.low <= screen.high).any(axis=1)
    return np.asarray(seen | screen.missing.any(axis=1), np.bool_)


def _shortened(header: Mapping[str, Any], room: int) -> dict[str, Any]:
    """Return a header without its oldest events, and without what crowds out the curves."""
    short = {**header, **_newest(header, room // 8)}
    if "odd" in header:
        short["odd"] = _newest_odd(header["odd"], room // 16)
    if any(len(short[key]) < len(header.get(key, ())) for key in ("moments", "spans")):
        short["state"] = with_events_left_out(header["state"])
    if size_of({**short, "series": [], "entities": []}) < room // 2:
        return short
    state = short["state"]
    bare = [{**source, "missing": []} for source in state.get("sources") or []]
    return {**short, "state": {**state, "sources": bare}}


def _newest(header: Mapping[str, Any], room: int) -> dict[str, list[Mapping[str, Any]]]:
    """Return the newest moments and spans, as many as there is room for."""
    events = [(one["time"], "moments", one) for one in header.get("moments", [])]
    events += [(one["start"], "spans", one) for one in header.get("spans", [])]
    kept: dict[str, list[Mapping[str, Any]]] = {"moments": [], "spans": []}
    for _, key, one in sorted(events, key=lambda event: -event[0]):
        room -= size_of(one) + 1
        if room < 0:
            break
        kept[key].insert(0, one)
    return kept


def _newest_odd(odd: Sequence[Mapping[str, Any]], room: int) -> list[Mapping[str, Any]]:
    """Return the newest odd values, as many as there is room for."""
    sizes = accumulate(size_of(one) + 1 for one in reversed(odd))
    return list(odd[len(odd) - sum(size <= room for size in sizes) :])


def _odd_of(
    header: Mapping[str, Any], series: Iterable[Mapping[str, Any]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the odd values in a header that are of some series, where it has any."""
    ids = {int(s["id"]) for s in series}
    return (
        {"odd": [one for one in header["odd"] if one["series"] in ids]} if "odd" in header else {}
    )


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
    kept = {"series": series, "entities": entities, "state": state}
    return {**header, **kept, **_odd_of(header, series)}


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
        grain=None if screen.grain is None else screen.grain[row],
    )


def size_of(part: object) -> int:
    """Return what a part of a header takes, all letters beyond ASCII being escaped."""
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
        Its buckets last about equally long, as far as there are edges to choose from.
        `low` is the smallest of the lows and `high` the largest of the highs; `step` is the
        last one. `mean` is that of the means, each weighing as much as `weight` says, or, where
        that is not known, as long as its bucket lasts; with one that is not known, none is.
        A bucket is missing when it has no sample because readings were missing; a
        gap shorter than a bucket is not seen any more, a longer one is.
    """
    return _joined(screen, even_edges(screen.edges, max(buckets, 1)))


def _joined(screen: Screen, first: NDArray[np.int64]) -> Screen:
    """Return a screen whose buckets begin with the old ones at `first`, but the last edge."""
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

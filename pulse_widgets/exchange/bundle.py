"""What a notebook keeps of a monitor: the MIME types of a saved output, and what is in them.

A notebook is shared, so what goes into it is not what the screen of its author shows: names
and paths are left out, and all of it together stays small.
"""

from __future__ import annotations

import base64
import json
import platform
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.exchange.picture_choice import ranked
from pulse_widgets.series.history import Screen
from pulse_widgets.series.shown import TEXT_KINDS
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.privacy import Redaction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "OUTPUT_BYTES",
    "REPLAY_MIME",
    "coarsen",
    "final_bundle",
    "fit",
    "live_bundle",
    "matching",
    "redact",
]

REPLAY_MIME: Final = "application/vnd.pulse.replay+json"
WIDGET_MIME: Final = "application/vnd.jupyter.widget-view+json"
VERSION: Final = 1

OUTPUT_BYTES: Final = 200_000
"""What a saved output may add to a notebook."""

MOST_BUCKETS: Final = 300
LEAST_BUCKETS: Final = 60
"""With fewer a curve is no picture; rather than that, series are left out."""

# Quotes in the HTML are escaped in the notebook, and the bundle has keys.
_OVERHEAD: Final = 2_000
_SERIES_FACTS: Final = 80
"""Bytes a series takes in the lists of a keyframe's header: id, lo, hi, last."""


def live_bundle(
    widget_view: Mapping[str, Any] | None,
    feed_id: str | None,
    keyframe: bytes,
    html: str,
    *,
    view: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the MIME bundle of an output that is live.

    Parameters
    ----------
    widget_view : mapping or None
        The MIME bundle of the widget; only its widget view is taken.
    feed_id : str or None
        Model id of the feed, by which a reloaded page finds the stream again.
    keyframe : bytes
        A keyframe packet.
    html : str
        The picture for programs that run nothing of ours.
    view : mapping, optional
        ``layout`` and ``metrics`` of the view, so that a strip stays a strip.
    """
    saved: dict[str, Any] = {"version": VERSION}
    if feed_id is not None:
        saved["feed"] = feed_id
    saved.update(view or {})
    saved["keyframe"] = base64.b64encode(keyframe).decode()
    bundle: dict[str, Any] = {}
    if widget_view is not None and WIDGET_MIME in widget_view:
        bundle[WIDGET_MIME] = widget_view[WIDGET_MIME]
    # The text is the same for every output: tools compare it.
    return bundle | {REPLAY_MIME: saved, "text/html": html, "text/plain": "pulse monitor"}


def final_bundle(
    keyframe: bytes, html: str, *, view: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the MIME bundle of an output whose session is over; see `live_bundle`."""
    return live_bundle(None, None, keyframe, html, view=view)


# What stays on the machine ----------------------------------------------------------------

_HOST_NAMES: Final = frozenset({"name", "fqdn", "node"})
_KEPT: Final = frozenset({"metric", "entity", "kind", "id", "status", "state"})
"""Fields of an event that are words of ours."""


def redact(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return a keyframe's header without what should not leave the machine unasked.

    By the same rules as a saved recording. Names of the user and of hosts become ``<name>``,
    absolute paths ``<path>``. Of a recording's path its last part stays, which is what one
    looks for. A mount below the root is a path, so it becomes ``fs:mount-1``. Source lines,
    captured output, command lines and tracebacks of events are dropped. Names of metrics, of
    sources and other words of ours stay as they are.

    Parameters
    ----------
    header : mapping
        ``series``, ``entities``, ``state`` and ``events``, as in the wire's keyframe. Not
        changed.

    Returns
    -------
    dict
        The same four.
    """
    redaction = Redaction(_known_hosts(header))
    hosts = {str(s["host"]) for s in header["series"]} | {"host"}
    series = [
        {
            **s,
            "entity": redaction.entity(s["host"], s["entity"]),
            "labels": redaction.value(dict(s.get("labels") or {})),
        }
        for s in header["series"]
    ]
    renamed = {
        old["entity"]: new["entity"] for old, new in zip(header["series"], series, strict=True)
    }
    # An entity without a series has nothing to be shown with, and its id may be a path.
    entities = {
        renamed.get(entity, entity): _labels(redaction, labels, is_host=entity in hosts)
        for entity, labels in header["entities"].items()
        if entity in renamed or entity in hosts
    }
    return {
        "series": series,
        "entities": entities,
        "state": _state(redaction, header["state"]),
        "events": [_event(redaction, event, renamed) for event in header["events"]],
    }


def _known_hosts(header: Mapping[str, Any]) -> Catalog:
    """Return a catalog of the host names that must not appear."""
    here = platform.node()
    names = {here, here.partition(".")[0]}
    for host in {"host", *(str(s["host"]) for s in header["series"])}:
        labels = header["entities"].get(host, {})
        names |= {str(labels[key]) for key in (*_HOST_NAMES, "hostname") if labels.get(key)}
    return Catalog(hosts={name: {"name": name} for name in sorted(names)})


def _labels(redaction: Redaction, labels: Mapping[str, Any], *, is_host: bool) -> dict[str, Any]:
    told: dict[str, Any] = redaction.value(dict(labels))
    return {k: v for k, v in told.items() if not (is_host and k in _HOST_NAMES)}


def _state(redaction: Redaction, state: Mapping[str, Any]) -> dict[str, Any]:
    recording = dict(state.get("recording") or {})
    if recording.get("path"):
        recording["path"] = redaction.text(PurePath(recording["path"]).name)
    return {
        **state,
        "title": redaction.text(str(state.get("title") or "")),
        "recording": _said(redaction, recording),
        "sources": [
            {
                **_said(redaction, source),
                "missing": [redaction.value(dict(m)) for m in source.get("missing") or []],
            }
            for source in state.get("sources") or []
        ],
    }


def _said(redaction: Redaction, part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of the state with its sentences cleaned."""
    return {
        key: redaction.text(value)
        if key in {"problem", "remedy"} and isinstance(value, str)
        else value
        for key, value in part.items()
    }


def _event(
    redaction: Redaction, event: Mapping[str, Any], renamed: Mapping[str, str]
) -> dict[str, Any]:
    told: dict[str, Any] = redaction.value(dict(event))
    told |= {key: event[key] for key in _KEPT if key in event}
    if "entity" in told:
        told["entity"] = renamed.get(told["entity"], told["entity"])
    return told


# What fits --------------------------------------------------------------------------------


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
        Names of metrics, with ``*`` and ``?``.
    """
    series = [
        s
        for s in header["series"]
        if s["kind"] in TEXT_KINDS or any(fnmatchcase(s["metric"], p) for p in patterns)
    ]
    return _only(screen, [int(s["id"]) for s in series]), {**header, "series": series}


def fit(
    screen: Screen, header: Mapping[str, Any], limit_bytes: int
) -> tuple[Screen, dict[str, Any]]:
    """Return a screen and its header, made coarser until their keyframe is small enough.

    Buckets are put together first. Below 60 of them series are left out instead, those that
    no chart is missed for first, and the state says how many. Of the events the oldest go.

    Parameters
    ----------
    screen : Screen
    header : mapping
        ``series``, ``entities``, ``state`` and ``events``. Not changed.
    limit_bytes : int
        Bytes of the keyframe in base64.
    """
    room = limit_bytes * 3 // 4 - _OVERHEAD
    screen = _only(screen, screen.ids[_something(screen)])
    kept = dict(header)
    kept["events"] = _newest(header["events"], room // 8)
    ids = _affordable(screen, kept, room)
    if len(ids) < len(header["series"]):
        kept = _without(kept, ids)
    screen = _only(screen, ids)
    spare = room - _size(kept) - _SERIES_FACTS * len(screen.ids)
    column = 8 + 4 * len(screen.ids) + 8 * len(screen.stepped)
    return coarsen(screen, max(1, min(MOST_BUCKETS, spare // column))), kept


def _something(screen: Screen) -> NDArray[np.bool_]:
    """Return which series have a sample, or say that one is missing."""
    seen = (screen.low <= screen.high).any(axis=1)
    return np.asarray(seen | screen.missing.any(axis=1), np.bool_)


def _newest(events: list[Mapping[str, Any]], room: int) -> list[Mapping[str, Any]]:
    kept: list[Mapping[str, Any]] = []
    for event in reversed(events):
        room -= _size(event)
        if room < 0:
            break
        kept.append(event)
    return kept[::-1]


def _affordable(screen: Screen, header: Mapping[str, Any], room: int) -> set[int]:
    """Return the ids of the series there is room for at the least number of buckets."""
    buckets = min(LEAST_BUCKETS, len(screen.edges) - 1)
    drawn, stepped = set(screen.ids.tolist()), set(screen.stepped.tolist())
    room -= _size({**header, "series": [], "entities": {}}) + 8 * (buckets + 1)
    about = {int(s["id"]): s for s in header["series"]}
    told: set[str] = set()
    kept: set[int] = set()
    for number in ranked(header["series"]):
        series = about[number]
        room -= _size(series) + 1
        if number in drawn:
            room -= _SERIES_FACTS + (12 if number in stepped else 4) * buckets
        if series["entity"] not in told:
            told.add(series["entity"])
            room -= _size({series["entity"]: header["entities"].get(series["entity"], {})})
        if room < 0:
            break
        kept.add(number)
    return kept


def _without(header: Mapping[str, Any], ids: set[int]) -> dict[str, Any]:
    """Return a header of the series `ids`, whose state says that there were more."""
    series = [s for s in header["series"] if int(s["id"]) in ids]
    there = {str(s["entity"]) for s in series} | {str(s["host"]) for s in series} | {"host"}
    left = len(header["series"]) - len(series)
    told = {
        "name": "saved output",
        "state": "ok",
        "problem": "",
        "remedy": "",
        "missing": [
            {"what": f"{left} series", "why": "A saved output is small; the recording has them."}
        ],
    }
    state = dict(header["state"])
    state["sources"] = [*(state.get("sources") or []), told]
    entities = {e: labels for e, labels in header["entities"].items() if e in there}
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
        missing=screen.missing[row],
        stepped=screen.stepped[step],
        step=screen.step[step],
        last=None if screen.last is None else screen.last[row],
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
        last one. A bucket is missing when it has no sample because readings were missing; a
        gap shorter than a bucket is not seen any more, a longer one is.
    """
    have = len(screen.edges) - 1
    if have <= max(buckets, 1):
        return screen
    first = np.linspace(0, have, max(buckets, 1) + 1).astype(np.int64)
    starts = first[:-1]
    # No sample at all is low > high, whatever the two stand at.
    seen = screen.low <= screen.high
    none = ~np.logical_or.reduceat(seen, starts, axis=1)
    low = np.minimum.reduceat(np.where(seen, screen.low, np.inf), starts, axis=1)
    high = np.maximum.reduceat(np.where(seen, screen.high, -np.inf), starts, axis=1)
    missing = np.logical_or.reduceat(_until_next(screen.missing, seen), starts, axis=1) & none
    return Screen(
        screen.ids,
        screen.edges[first],
        low,
        high,
        missing,
        screen.stepped,
        _last_steps(screen.step, first),
        screen.last,
    )


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

"""The output of a monitor in a notebook: its MIME types, and what each of them holds.

Notebooks are shared, so a saved output leaves out names and paths that the live view shows, and
it stays small.
"""

from __future__ import annotations

import base64
import platform
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.said import is_user
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.privacy import Redaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "OUTPUT_BYTES",
    "REPLAY_MIME",
    "final_bundle",
    "live_bundle",
    "redact",
]

REPLAY_MIME: Final = "application/vnd.pulse.replay+json"
WIDGET_MIME: Final = "application/vnd.jupyter.widget-view+json"
VERSION: Final = 1

OUTPUT_BYTES: Final = 200_000
"""What a saved output may add to a notebook."""


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


def redact(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return a keyframe's header without what should not leave the machine unasked.

    By the same rules as a saved recording. Names of the user and of hosts become ``<name>``,
    absolute paths ``<path>``. Hosts are numbered where a reader uses their names as ids, and so
    is the id of a span that has a path or a name in it. Of a recording's path its last part
    stays, which is what one looks for. A mount below the root is a path, so it becomes
    ``fs:mount-1``. Source lines, captured output, command lines and tracebacks of events are
    dropped. Names of metrics and of sources stay as they are.

    Parameters
    ----------
    header : mapping
        ``series``, ``entities``, ``state`` and, where there are any, ``moments``, ``spans``
        and ``odd``, as in the wire's keyframe. Not changed.

    Returns
    -------
    dict
        The same keys.
    """
    catalog, names = _known_hosts(header)
    redaction = Redaction(catalog, names=names)
    renamed = _renamed(redaction, header["series"], header["entities"])
    series = [
        {
            **s,
            **renamed[s["host"], s["entity"]],
            "labels": redaction.value(dict(s.get("labels") or {})),
        }
        for s in header["series"]
    ]
    # An entity without series is not shown, and its id may hold a path.
    entities = [
        {**renamed[owner], "labels": _labels(redaction, one)}
        for one in header["entities"]
        if (owner := (one["host"], one["entity"])) in renamed
    ]
    return {
        "series": series,
        "entities": entities,
        "state": _state(redaction, header["state"]),
        **{
            key: [_event(redaction, one, renamed) for one in header[key] if not _is_private(one)]
            for key in ("moments", "spans")
            if key in header
        },
        **({"odd": [_odd(one) for one in header["odd"]]} if "odd" in header else {}),
    }


def _odd(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of an odd value, and which of three words it is."""
    return {key: one[key] for key in ("series", "time", "step", "what")}


def _renamed(
    redaction: Redaction,
    series: Sequence[Mapping[str, Any]],
    entities: Sequence[Mapping[str, Any]],
) -> dict[tuple[str, str], dict[str, str]]:
    """Return what the things are called that have a series, their machines, and users."""
    owners = dict.fromkeys([(s["host"], s["entity"]) for s in series])
    owners |= dict.fromkeys([(s["host"], "host") for s in series])
    owners |= dict.fromkeys([(e["host"], e["entity"]) for e in entities if is_user(e["entity"])])
    return {
        (host, entity): {"host": redaction.host(host), "entity": redaction.entity(host, entity)}
        for host, entity in owners
    }


def _known_hosts(header: Mapping[str, Any]) -> tuple[Catalog, set[str]]:
    """Return a catalog of the hosts, and names that must not appear."""
    here = platform.node()
    names = {here, here.partition(".")[0]}
    for one in header["entities"]:
        if one["entity"] == "host":
            known = [one["labels"].get(key) for key in (*_HOST_NAMES, "hostname")]
            names |= {str(name) for name in known if name}
    parts = ("series", "entities", "moments", "spans")
    ids = {one["host"] for part in parts for one in header.get(part, [])}
    ids |= {one["host"] for one in header["state"].get("alerts") or [] if one["host"]}
    return Catalog(hosts={str(host): {} for host in ids}), names


def _labels(redaction: Redaction, entity: Mapping[str, Any]) -> dict[str, Any]:
    labels = redaction.labels(entity["labels"])
    is_host = entity["entity"] == "host"
    return {k: v for k, v in labels.items() if not (is_host and k in _HOST_NAMES)}


def _state(redaction: Redaction, state: Mapping[str, Any]) -> dict[str, Any]:
    recording, alerts = dict(state.get("recording") or {}), state.get("alerts")
    if recording.get("path"):
        recording["path"] = redaction.text(PurePath(recording["path"]).name)
    return {
        **state,
        "title": str(state.get("title") or ""),  # what the user wrote, word for word
        "recording": _said(redaction, recording),
        "sources": [
            {
                **_said(redaction, source),
                "missing": [redaction.value(dict(m)) for m in source.get("missing") or []],
            }
            for source in state.get("sources") or []
        ],
        **({"alerts": [_alert(redaction, one) for one in alerts]} if alerts else {}),
    }


def _alert(redaction: Redaction, alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert about the thing as it is called here."""
    host, entity = str(alert["host"]), str(alert["entity"])
    renamed = {"entity": redaction.entity(host, entity)} if entity else {}
    renamed |= {"host": redaction.host(host)} if host else {}
    return {**_said(redaction, alert), "text": redaction.text(alert["text"]), **renamed}


def _said(redaction: Redaction, part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of the state with its sentences cleaned."""
    return {
        key: redaction.text(value)
        if key in {"problem", "remedy"} and isinstance(value, str)
        else value
        for key, value in part.items()
    }


def _is_private(event: Mapping[str, Any]) -> bool:
    known = lookup(str(event.get("metric")))
    return known is not None and known.kind.private


def _event(
    redaction: Redaction,
    event: Mapping[str, Any],
    renamed: Mapping[tuple[str, str], Mapping[str, str]],
) -> dict[str, Any]:
    """Return a moment or a span with what its texts say cleaned."""
    owner = (event["host"], event["entity"])
    alike = {"host": redaction.host(event["host"]), "entity": redaction.entity(*owner)}
    named = {"id": redaction.identity(event["id"])} if "id" in event else {}
    facts = redaction.value(dict(event["facts"]))
    return {**event, **named, **renamed.get(owner, alike), "facts": facts}

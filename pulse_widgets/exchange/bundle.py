"""What a saved output holds, and what it leaves out.

A notebook is passed on. Its output therefore says what the machine did, and not whose machine
it was: host and user names, absolute paths and lines of source stay behind.
"""

from __future__ import annotations

import base64
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PLAIN", "REPLAY_MIME", "final_bundle", "live_bundle", "redact"]

REPLAY_MIME: Final = "application/vnd.pulse.replay+json"
PLAIN: Final = "pulse monitor"
"""The text of every output: always the same, so that comparing notebooks compares nothing."""

_PRIVATE_LABELS: Final = frozenset({"hostname", "user", "executable", "command", "argv"})
_PRIVATE_EVENT: Final = frozenset({"line", "source", "traceback", "argv"})
_PATH: Final = re.compile(r"(?<![\w/:.])/(?:[\w.+@-]+/)+([\w.+@-]*)")


def final_bundle(keyframe: bytes, html: str) -> dict[str, Any]:
    """Return the output of a view that has ended: the picture, for any reader.

    Parameters
    ----------
    keyframe : bytes
        A keyframe packet, for the renderer of the lab extension.
    html : str
        A figure with an image and a table, for everything else.
    """
    replay = {"version": 1, "keyframe": base64.b64encode(keyframe).decode()}
    return {REPLAY_MIME: replay, "text/html": html, "text/plain": PLAIN}


def live_bundle(
    widget_view: Mapping[str, Any], feed_id: str | None, keyframe: bytes, html: str
) -> dict[str, Any]:
    """Return the output of a live view: the widget, and the picture beside it.

    Parameters
    ----------
    widget_view : mapping
        The mime bundle of the widget.
    feed_id : str or None
        Model id of the feed, under which a page can listen before the widget exists.
    keyframe, html
        As in `final_bundle`.
    """
    bundle = final_bundle(keyframe, html)
    if feed_id is not None:
        bundle[REPLAY_MIME]["feed"] = feed_id
    return {**widget_view, **bundle}


def redact(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of a keyframe without what should not leave the machine.

    Parameters
    ----------
    header : mapping
        With ``series``, ``entities``, ``state`` and ``events``.
    """
    state = _plain(header["state"])
    path = state.get("recording", {}).get("path")
    if path:
        state["recording"]["path"] = PurePath(path).name
    return {
        "series": list(header["series"]),
        "entities": {
            entity: {k: v for k, v in labels.items() if k not in _PRIVATE_LABELS}
            for entity, labels in header["entities"].items()
        },
        "state": state,
        "events": [
            _plain({k: v for k, v in event.items() if k not in _PRIVATE_EVENT})
            for event in header["events"]
        ],
    }


def _plain(value: Any) -> Any:
    """Return JSON content with every absolute path cut down to its last part."""
    if isinstance(value, str):
        return _PATH.sub(lambda path: path[1], value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

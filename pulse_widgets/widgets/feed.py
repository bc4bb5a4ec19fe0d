"""The one live stream from a kernel to its views.

The dashboard's code and the data reach a page through a `Feed`, a widget model without a
view. Views hold a reference to it. Frames are custom messages with binary buffers, never
synced traits: those are sent whole again on every change and end up in the notebook file.
"""

from __future__ import annotations

import hashlib
import importlib.metadata  # noqa: F401  so that it is loaded with this module, on our own thread
import logging
import threading
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Protocol

import anywidget
import numpy as np
import traitlets

from pulse_widgets.errors import PulseError
from pulse_widgets.series.history import reduce_rows
from pulse_widgets.series.pieces import pieces_of
from pulse_widgets.series.state import package_version
from pulse_widgets.series.wire import WIRE_VERSION, frame, keyframe, rows_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.series.header import Events
    from pulse_widgets.series.history import Screen
    from pulse_widgets.series.rows import Rows

__all__ = ["Feed", "FeedSource", "bundled"]

REPLY_POINTS_MOST: Final = 20_000
REPLY_SERIES_MOST: Final = 1000
"""Series answered for at once; a page asks for more in several requests (`SERIES_MOST`)."""
UNASKED: Final = 0
"""The number of an answer to no request; pages count theirs from one."""
EVENTS_SHOWN: Final = 200
FAR_S: Final = 1e11
"""Times beyond this, in seconds, are no times."""

_logger = logging.getLogger("pulse_widgets")


@cache
def bundled(name: str) -> str:
    """Return the text of a built script.

    Raises
    ------
    PulseError
        When the package was installed without its scripts.
    """
    try:
        return (files("pulse_widgets") / "static" / name).read_text("utf-8")
    except FileNotFoundError as error:
        raise PulseError(
            f"The dashboard's script {name} is not part of this installation",
            remedy="Install again with Node at hand, or from a wheel: pip install pulse_widgets. "
            "Was PULSE_SKIP_JS set?",
        ) from error


class FeedSource(Protocol):
    """Where a feed's pictures and detail come from: a session, or a recording."""

    def screen(self) -> Screen:
        """Return envelopes of the whole past."""

    def rows(self, ids: Sequence[int], t0_s: float, t1_s: float) -> Rows:
        """Return the rows of some series between two Unix times."""

    def series(self) -> list[dict[str, object]]:
        """Return every series in the form the browser knows."""

    def entities(self) -> list[dict[str, Any]]:
        """Return the labels of every entity of every host."""

    def events(self, count: int) -> Events:
        """Return the newest moments and spans."""

    def state(self) -> dict[str, Any]:
        """Return what a view says in words."""


class Feed(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not typed for subclassing
    """Model without a view that carries code and data to a page.

    Parameters
    ----------
    source : FeedSource
    screen : Screen, optional
        What pages that open now are shown; that of `source`.
    on_view : callable, optional
        Called when a view is heard of.
    on_hello : callable, optional
        Called when a view begins, which is to get a keyframe; True says that one will come.
    on_lines : callable, optional
        Called when a page begins or ceases to want lines of text.
    """

    # anywidget gives up on a model whose script needs more than 2 s to start.
    _esm = "export default {};"
    _view_name = traitlets.Any(None, allow_none=True).tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    code_hash = traitlets.Unicode().tag(sync=True)
    wire = traitlets.List(traitlets.Int()).tag(sync=True)
    version = traitlets.Unicode().tag(sync=True)
    snapshot = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        source: FeedSource,
        screen: Screen | None = None,
        *,
        on_view: Callable[[], None] = lambda: None,
        on_hello: Callable[[], bool] = lambda: False,
        on_lines: Callable[[bool], None] = lambda _: None,
    ) -> None:
        code = bundled("dashboard.js")
        self._source = source
        self._on_view = on_view
        self._on_hello = on_hello
        self._on_lines = on_lines
        self._send_lock = threading.Lock()
        self._seq = 0
        self.failures = 0
        self.sent_bytes = 0
        super().__init__(
            code=code,
            code_hash=hashlib.sha256(code.encode()).hexdigest()[:12],
            wire=list(WIRE_VERSION),
            version=package_version(),
            snapshot=self._keyframe(screen),
        )
        self.on_msg(self._receive)

    def publish(self, packet: bytes) -> None:
        """Send a packet to every page."""
        try:
            with self._send_lock:
                self.send({"kind": "packet"}, buffers=[packet])
        except Exception:
            # A send can fail in many foreign ways: a closed socket at exit, a context that
            # is gone. The next keyframe heals the page; the notebook must not notice.
            self.failures += 1
            if self.failures == 1:
                _logger.exception("a frame could not be sent")
        else:
            self.sent_bytes += len(packet)

    def publish_frame(self, rows: Rows, **news: Any) -> None:
        """Send rows, and what else is new: one frame, or several where the rows are many."""
        for piece, reduced in pieces_of(rows) if len(rows) else [(rows, [])]:
            self._seq += 1
            self.publish(frame(self._seq, piece, reduced=reduced, **news))
            news = {}

    def skip(self) -> None:
        """Leave a number out, so that pages know of a hole and take the next keyframe for it."""
        self._seq += 1

    def publish_keyframe(self, screen: Screen | None = None, *, snapshot: bool = False) -> None:
        """Send the screen so far; with `snapshot`, keep it for pages that open later, too.

        A given `screen` must hold the rows of the frames sent until now and no other: a page
        takes a row of a later frame for one that the keyframe does not have.
        """
        packet = self._keyframe(screen)
        self.publish(packet)
        if snapshot:
            self._keep(packet)

    def keep_snapshot(self, screen: Screen) -> None:
        """Keep the screen for pages that open later; a page that is open takes it, too."""
        self._keep(self._keyframe(screen))

    def _keep(self, packet: bytes) -> None:
        with self._send_lock:
            self.snapshot = packet

    def publish_whole(self, rows: Rows) -> None:
        """Send rows that nobody asked for: all that were shown until now."""
        if len(rows):
            t0, t1 = float(rows.time.min()) / 1e6, float(rows.time.max()) / 1e6
            self.publish(rows_reply(UNASKED, np.unique(rows.series).tolist(), t0, t1, rows, []))

    def _keyframe(self, screen: Screen | None) -> bytes:
        source = self._source
        return keyframe(
            self._seq,
            source.screen() if screen is None else screen,
            series=source.series(),
            entities=source.entities(),
            state=source.state(),
            **source.events(EVENTS_SHOWN).plain(),
        )

    def _receive(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        """Answer the browser; runs on whichever thread the kernel gives it."""
        self._on_view()
        kind = content.get("kind")
        if kind == "hello" and not self._on_hello():
            self.publish_keyframe()
        elif kind == "range":
            self._answer(content)
        elif kind == "lines":
            self._on_lines(content.get("on") is True)

    def _answer(self, content: Mapping[str, Any]) -> None:
        try:
            ids = [int(i) for i in content["ids"]][:REPLY_SERIES_MOST]
            t0, t1 = float(content["t0"]), float(content["t1"])
            points = min(max(int(content["points"]), 1), REPLY_POINTS_MOST)
            request = int(content["request"])
            if not (abs(t0) < FAR_S and abs(t1) < FAR_S and all(abs(i) < 1 << 31 for i in ids)):
                raise ValueError(content)  # noqa: TRY301  one place says what is not understood
        except (KeyError, TypeError, ValueError, OverflowError):
            _logger.debug("a request for detail was not understood: %r", content)
            return
        rows, reduced = reduce_rows(self._source.rows(ids, t0, t1), points)
        self.publish(rows_reply(request, ids, t0, t1, rows, reduced))

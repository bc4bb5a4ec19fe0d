"""The one live stream from a kernel to its views, and the thread that sends it.

The dashboard's code and the data reach a page through a `Feed`, a widget model without a
view. Views hold a reference to it. Frames are custom messages with binary buffers, never
synced traits: those are sent whole again on every change and end up in the notebook file.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Protocol

import anywidget
import numpy as np
import traitlets

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.errors import PulseError
from pulse_widgets.series.history import reduce_rows
from pulse_widgets.series.wire import WIRE_VERSION, frame, keyframe, rows_reply
from pulse_widgets.signals import Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.series.history import Screen
    from pulse_widgets.series.log import Rows
    from pulse_widgets.session import Session

__all__ = ["Feed", "FeedSource", "LiveSender", "SessionSource", "bundled", "package_version"]

LIVELY_TICK_S: Final = 0.1
"""Seconds between two frames once a view shows few charts, which are drawn more often."""

KEYFRAME_S: Final = 5.0
KEYFRAME_SHARE: Final = 0.005
"""Share of its time that the sender may spend on keyframes."""
SNAPSHOT_S: Final = 30.0
STATE_S: Final = 2.0
AGAIN_S: Final = 1.0
"""Seconds until the next try after a pass that failed."""
SILENT_S: Final = 60.0
"""Without a view heard of for this long, and no cell running, nothing is sent."""

FRAME_ROWS: Final = 20_000
"""A frame with more rows is thinned to the extremes of each series."""

WHOLE_ROWS: Final = 4000
"""A session of so few rows is sent whole to a page that begins, beside its envelopes."""

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


@cache
def package_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("pulse_widgets")
    except PackageNotFoundError:
        return "0"


class FeedSource(Protocol):
    """Where a feed's pictures and detail come from: a session, or a recording."""

    def screen(self) -> Screen:
        """Return envelopes of the whole past."""

    def rows(self, ids: Sequence[int], t0_s: float, t1_s: float) -> Rows:
        """Return the rows of some series between two Unix times."""

    def series(self) -> list[dict[str, object]]:
        """Return every series in the form the browser knows."""

    def entities(self) -> dict[str, dict[str, str]]:
        """Return the labels of every entity."""

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the newest events."""

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
    ) -> None:
        code = bundled("dashboard.js")
        self._source = source
        self._on_view = on_view
        self._on_hello = on_hello
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
        """Send one frame: rows, and what else is new."""
        if len(rows) > FRAME_ROWS:
            rows, _ = reduce_rows(rows, 50)
        self._seq += 1
        self.publish(frame(self._seq, rows, **news))

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
            events=source.events(EVENTS_SHOWN),
        )

    def _receive(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        """Answer the browser; runs on whichever thread the kernel gives it."""
        self._on_view()
        kind = content.get("kind")
        if kind == "hello" and not self._on_hello():
            self.publish_keyframe()
        elif kind == "range":
            self._answer(content)

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


class SessionSource:
    """A running session as the source of a feed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.screen = session.stage.screen
        self.rows = session.stage.rows
        self.series = session.stage.series
        self.entities = session.entities
        self.events = session.stage.events

    def state(self) -> dict[str, Any]:
        """Return the session's state and the versions of both ends."""
        return {**self.session.state(), "versions": _versions()}


class LiveSender:
    """Sends what a session shows to its feed, on one thread.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.source = SessionSource(session)
        self._heard = time.monotonic()
        self._known_series = 0
        self._labelled = 0
        self._gist: tuple[object, ...] = ()
        self.ended = Flag()
        """Set when the last frame has been sent."""
        self._state_at = 0.0
        self._skipped = False
        self._dropped = 0
        self._asked = False
        """A page waits for a keyframe."""
        self._subscription = session.subscribe()
        begun = session.stage.screen_after(self._subscription)
        self.feed = Feed(self.source, begun.screen, on_view=self._hear, on_hello=self._hello)

    def start(self) -> None:
        """Begin to send."""
        start_thread("pulse-feed", self._run)

    def enliven(self) -> None:
        """Send more often: some view shows a choice of metrics, and so few charts."""
        self._subscription.tick_s = LIVELY_TICK_S

    def _hear(self) -> None:
        self._heard = time.monotonic()

    def _hello(self) -> bool:
        """Leave the keyframe to the thread that sends the frames, as long as it sends."""
        self._asked = True
        self._subscription.arrived.ring()
        return not self.ended.is_set()

    def _run(self) -> None:
        failed = False
        while not self.ended.is_set():
            try:
                self._loop()
                self.ended.set()
            except Exception:
                # The top of the thread. It goes on; the next keyframe brings what was lost.
                if not failed:
                    _logger.exception("a pass of the feed failed")
                failed = True
                self.feed.failures += 1
                # What it took to send is in the history alone, and who was promised waits.
                self._skipped = self._asked = True
                if self._session.stage.finished:
                    self.ended.set()
                self.ended.wait(AGAIN_S)
        if self._asked:
            self._last_words()

    def _last_words(self) -> None:
        """Send the last keyframe to a page that asked when the end was not yet known, or failed."""
        try:
            self.feed.skip()
            self.feed.publish_keyframe(snapshot=True)
        except Exception:
            # The end of the thread: nothing comes after this that could heal a page.
            self.feed.failures += 1
            _logger.exception("the last picture of a session could not be sent")

    def _loop(self) -> None:
        subscription, stage = self._subscription, self._session.stage
        next_keyframe = time.monotonic() + KEYFRAME_S
        next_snapshot = time.monotonic() + 2.0
        begins = True
        while not stage.finished:
            # The stage shows something at most every tick: no pause is needed.
            subscription.arrived.wait(1.0)
            began = time.monotonic()
            waiting = subscription.take()
            if began - self._heard > SILENT_S and self._session.cells.cell is None:
                self._skipped = True
            elif self._frame(began, *waiting) or self._asked or began >= next_keyframe:
                snapshot = began >= next_snapshot
                self._keyframe(began, snapshot=snapshot, whole=begins)
                begins = False
                # Thousands of series make a dear keyframe; it then comes more rarely.
                spent = time.monotonic() - began
                next_keyframe = began + max(KEYFRAME_S, spent / KEYFRAME_SHARE)
                next_snapshot = began + SNAPSHOT_S if snapshot else next_snapshot
            subscription.cpu_s = time.thread_time()
            subscription.sent_bytes = self.feed.sent_bytes
        self._keyframe(time.monotonic(), snapshot=True, whole=True)

    def _keyframe(self, now: float, *, snapshot: bool, whole: bool) -> None:
        """Send the past so far, `whole` or for a page that asked with every row of a young session.

        A page needs some time to begin, and in a busy cell it cannot ask for what it missed.
        """
        asked, self._asked = self._asked, False
        rows = WHOLE_ROWS if whole or asked else 0
        caught = self._session.stage.screen_after(self._subscription, rows)
        self._frame(now, caught.rows, caught.events)
        self.feed.publish_keyframe(caught.screen, snapshot=snapshot)
        self.feed.publish_whole(caught.whole)

    def _missed_something(self) -> bool:
        """Whether rows were shown that no frame carries: after a silence, or an overflow."""
        missed = self._skipped or self._subscription.dropped > self._dropped
        self._skipped, self._dropped = False, self._subscription.dropped
        return missed

    def _frame(self, now: float, rows: Rows, events: list[dict[str, Any]]) -> bool:
        """Send one frame of what was waiting; return whether rows before it were missed."""
        missed = self._missed_something()
        if missed:
            self.feed.skip()
        news: dict[str, Any] = {}
        series = self._session.stage.series(self._known_series)
        if series:
            news["series"] = series
            self._known_series += len(series)
        labelled = self._session.labelled()
        if labelled != self._labelled:
            news["entities"] = self._session.entities()
            self._labelled = labelled
        if events:
            news["events"] = events
        if self._state_is_new(now):
            news["state"] = self.source.state()
        if len(rows) or news:
            self.feed.publish_frame(rows, **news)
        return missed

    def _state_is_new(self, now: float) -> bool:
        gist = self._session.gist()
        if gist == self._gist and now - self._state_at < STATE_S:
            return False
        self._gist = gist
        self._state_at = now
        return True


def _versions() -> dict[str, object]:
    return {"package": package_version(), "wire": list(WIRE_VERSION)}

"""What all views of one stream share: the feed, the outputs, the session or the recording."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import SessionEndedError
from pulse_widgets.loading import PANDAS, load
from pulse_widgets.series.header import last_of_each
from pulse_widgets.series.stream import Stream, header_of
from pulse_widgets.series.wire import keyframe
from pulse_widgets.session.sender import LiveSender, redacted
from pulse_widgets.signals import aside, start_shielded
from pulse_widgets.widgets.display import Outputs, SavedView
from pulse_widgets.widgets.feed import Feed
from pulse_widgets.widgets.one_line import session_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.series.stream import Provider
    from pulse_widgets.session.alert import Alert
    from pulse_widgets.session.session import Session

__all__ = ["DRAWING", "Hub", "live_hub", "replay_hub"]

DRAWING: Final = (
    "pulse_widgets.exchange.bundle",
    "pulse_widgets.exchange.fitting",
    "pulse_widgets.exchange.picture.document",
)
"""Modules that draw saved outputs; a first frame needs none of them."""
EVENTS_SAVED = 50
LAST_FRAME_S = 1.0
LAST_BYTES = 16_000
"""What the model of the feed keeps of a replay, or of a session that is over: a program that runs
notebooks writes it into the file, beside the picture. A page asks for the rest."""
UNASKED_S: Final = (1.0, 3.0)
"""Pauses before a replay that was shown is sent whole, to a page that a busy kernel cannot hear."""

_logger = logging.getLogger("pulse_widgets")


class Hub:
    """One stream and everything that shows it.

    Parameters
    ----------
    provider : Provider
    feed : Feed
    session : Session or None
        None for a replay.
    stop : callable
        Ends the session and returns its recording.
    open_recording : callable
        Returns the recording as it is now, or None.
    sender : LiveSender, optional
        Sends the frames of a session.
    shown : callable, optional
        Called when a live view was displayed.
    """

    def __init__(  # noqa: PLR0913  what a live stream and a replay differ in
        self,
        provider: Provider,
        feed: Feed,
        *,
        session: Session | None,
        stop: Callable[[], Recording | None],
        open_recording: Callable[[], Recording | None],
        sender: LiveSender | None = None,
        shown: Callable[[], None] = lambda: None,
    ) -> None:
        self.sender = sender
        self.feed = feed
        self.views: list[Outputs] = []
        self.stop = stop
        self.recording = open_recording
        self.shown = shown
        self._provider = provider
        self._session = session
        self._finished = False
        self._size: int | None = None

    @property
    def title(self) -> str:
        """What the session was called when it was started."""
        return self._session.settings.title if self._session is not None else ""

    def line(self) -> str:
        """Return what is shown, in one line, without reading a row."""
        if self._session is not None:
            return session_line(self._session)
        return f"replay of {repr(self.recording()).removeprefix('<Recording ').removesuffix('>')}"

    @property
    def is_replay(self) -> bool:
        """Whether this shows a recording."""
        return self._session is None

    @property
    def wants_widget(self) -> bool:
        """Whether an output shown now should hold the live widget."""
        return not self._finished

    def add_view(self, outputs: Outputs, *, few_charts: bool) -> None:
        """Take in a view; one with few charts is sent frames more often."""
        self.views.append(outputs)
        if few_charts and self.sender is not None:
            self.sender.enliven()

    def finish(self, recording: Recording | None = None) -> None:
        """Replace every output by its saved view, after the last frame.

        Called where the user stopped the session: a front end without a page, such as
        nbclient, hears only of what the running cell does.

        Parameters
        ----------
        recording : Recording, optional
            What the session left. Where it is a file its size is what views say of it; the session
            knows that of its journal.
        """
        if self.sender is not None:
            self.sender.ended.wait(LAST_FRAME_S)
        self._finished = True
        self._size = _file_size(recording)
        drawn: dict[str, SavedView] = {}
        for outputs in list(self.views):
            shown = repr((outputs.layout, outputs.metrics))
            if shown not in drawn:
                drawn[shown] = self.saved_view(outputs.layout, outputs.metrics)
            outputs.finish(drawn[shown])
        self.feed.retire(_small_keyframe(self._provider, self._size))

    def saved_view(self, layout: str, metrics: Sequence[str] | None) -> SavedView:
        """Return a view as it is now, without what should not leave the machine."""
        load(*DRAWING)
        from pulse_widgets.exchange.bundle import OUTPUT_BYTES
        from pulse_widgets.exchange.fitting import STRIP_BYTES, fit, matching, of_strip
        from pulse_widgets.exchange.left_out import LEFT_OUT_BYTES, left_out_sentence
        from pulse_widgets.exchange.picture.document import figure_html
        from pulse_widgets.exchange.picture.story import Story

        screen = self._provider.screen()
        header = _with_size(header_of(self._provider, EVENTS_SAVED + 1), self._size)
        strip = layout == "strip"
        header = redacted(header if strip else _newest_events(header))
        if metrics:
            screen, header = matching(screen, header, metrics)
        if strip and not metrics:
            screen, header = of_strip(screen, header)
        draw = partial(
            figure_html,
            screen,
            header["series"],
            title=str(header["state"].get("title") or "Pulse"),
            entities=header["entities"],
            strip=strip,
            metrics=metrics,
            story=Story(header.get("moments", ()), header.get("spans", ())),
        )
        html = draw(state=header["state"])
        room = STRIP_BYTES if strip else OUTPUT_BYTES - len(html.encode()) - LEFT_OUT_BYTES
        screen, header = fit(screen, header, room)
        if left_out_sentence(header["state"]):
            html = draw(state=header["state"])
        return SavedView(keyframe(0, screen, **header), html)

    def mark(self, label: str) -> None:
        """Put a labelled moment on the time axis."""
        self._live("mark").mark(label)

    def alert(self, text: str, then: object) -> Alert:
        """Say, and call, when a condition becomes true."""
        return self._live("alert").alert(text, then)

    def burst(self, seconds: float, interval_s: float) -> None:
        """Read more often for a while."""
        from pulse_widgets.arguments import checked_interval, checked_seconds

        self._live("burst").burst(checked_seconds(seconds), checked_interval(interval_s))

    def cell(self, which: int | str | None) -> CellReport:
        """Return the report of a cell."""
        session, recording = self._session, None
        if session is None or not session.running:
            recording = self.recording()
        if recording is not None or session is None:
            assert recording is not None  # noqa: S101  a replay has one
            return recording.cell(which)
        load("pulse_widgets.session.so_far", "pulse_widgets.library.cells")
        from pulse_widgets.session.so_far import cell_so_far

        return aside("pulse-cell", partial(cell_so_far, session, which))

    def status(self) -> pd.DataFrame:
        """Return one row a source, and one for the monitor itself."""
        load("pulse_widgets.widgets.status_table", *PANDAS)
        from pulse_widgets.widgets.status_table import StatusTable

        state = self._provider.state()
        rows: list[dict[str, Any]] = [
            {
                "source": source["name"],
                "state": source["state"],
                "problem": source["problem"],
                "remedy": source["remedy"],
                "missing": len(source["missing"]),
                "rejected": source.get("rejected", 0),
                "cost": float("nan"),
            }
            for source in state["sources"]
        ]
        recording = state["recording"]
        rows.append(
            {
                "source": "pulse",
                "state": state["phase"],
                "problem": recording["problem"] or "",
                "remedy": recording["remedy"] or "",
                "missing": 0,
                "rejected": 0,
                "cost": state["cost"]["cores"],
            }
        )
        return StatusTable(StatusTable(rows).set_index("source"))

    def _live(self, action: str) -> Session:
        assert self._session is not None  # noqa: S101  a replay's Monitor does not get here
        if not self._session.running:
            raise SessionEndedError(
                f"{action}() came after the end of the session, and nothing was recorded",
                remedy="Start another session with pw.monitor().",
            )
        return self._session


def _newest_events(header: dict[str, Any]) -> dict[str, Any]:
    """Return a header with as many events as are saved; where there were more its state says so."""
    from pulse_widgets.exchange.left_out import with_events_left_out

    kept = {
        "moments": header.get("moments", [])[-EVENTS_SAVED:],
        "spans": last_of_each(header.get("spans", []), EVENTS_SAVED, lambda span: span["metric"]),
    }
    if all(len(kept[key]) == len(header.get(key, [])) for key in kept):
        return header
    return {**header, **kept, "state": with_events_left_out(header["state"])}


def _file_size(recording: Recording | None) -> int | None:
    """Return the bytes of a finished recording; None for one that is not a file yet."""
    if recording is None:
        return None
    try:
        return recording.path.stat().st_size if recording.path.is_file() else None
    except OSError:
        return None  # a disk that went; what the session knows is still true of its journal


def _with_size(header: dict[str, Any], size: int | None) -> dict[str, Any]:
    """Return a header whose recording is as large as its file, where there is one."""
    if size is None:
        return header
    state = header["state"]
    return {**header, "state": {**state, "recording": {**state["recording"], "bytes": size}}}


def _small_keyframe(provider: Provider, size: int | None = None) -> bytes:
    """Return a keyframe that is small enough for the model of a feed."""
    load(*DRAWING)
    from pulse_widgets.exchange.fitting import fit

    whole = redacted(_with_size(header_of(provider, EVENTS_SAVED), size))
    screen, header = fit(provider.screen(), whole, LAST_BYTES)
    return keyframe(0, screen, **header)


def live_hub(
    session: Session,
    *,
    stop: Callable[[], Recording | None],
    open_recording: Callable[[], Recording | None],
    sender: LiveSender | None = None,
) -> Hub:
    """Return the hub of a running session, with its sender started.

    Parameters
    ----------
    session : Session
    stop, open_recording : callable
        See `Hub`.
    sender : LiveSender, optional
        One that sends already, to a page without a view.
    """
    if sender is None:
        sender = LiveSender(session)
        # A page that opens before the first frame, or that never hears one, has this to show.
        feed = Feed(sender.stream, sender.opening())
        sender.start()
    else:
        feed = Feed(sender.stream)
        # Not on this thread: an interrupt would lose the rows it has just taken.
        aside("pulse-feed", sender.introduce)
    return Hub(
        sender.provider,
        feed,
        session=session,
        stop=stop,
        open_recording=open_recording,
        sender=sender,
    )


def replay_hub(recording: Recording) -> Hub:
    """Return the hub of a recording."""
    load("pulse_widgets.library.replay_provider")
    from pulse_widgets.library.replay_provider import RecordingProvider

    provider = RecordingProvider(recording)
    heard = threading.Event()
    stream = Stream(provider, redact=redacted, on_hello=partial(_note, heard))
    return Hub(
        provider,
        Feed(stream, _small_keyframe(provider)),
        session=None,
        stop=lambda: recording,
        open_recording=lambda: recording,
        shown=partial(start_shielded, "pulse-replay", partial(_send_until_heard, stream, heard)),
    )


def _note(heard: threading.Event) -> bool:
    heard.set()
    # The stream itself is to answer.
    return False


def _send_until_heard(stream: Stream, heard: threading.Event) -> None:
    """Send the whole picture unasked, until a page has asked for it."""
    for pause_s in UNASKED_S:
        if heard.wait(pause_s):
            return
        try:
            stream.publish_keyframe()
        except Exception:
            # The top of the thread: the recording may have been closed meanwhile.
            _logger.debug("a replay could not be sent", exc_info=True)

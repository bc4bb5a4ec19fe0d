"""What a comm carries of the session of this process, whichever that is."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.default_session import default, disabled
from pulse_widgets.link import LINK_VERSION, package_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pulse_widgets.link.line import Line
    from pulse_widgets.run import Run
    from pulse_widgets.series.stream import Stream
    from pulse_widgets.session.session import Session

__all__ = ["Live", "readable", "status_with"]

HELLO: Final = {"kind": "hello"}
WAKING: Final = ("hello", "seen")
"""What a page says that shows something."""


class Live:
    """Follows the session of this process.

    Parameters
    ----------
    line : Line
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._run: Run | None = None
        self._carrier: Carrier | None = None
        self._number = 0
        self._rests = False
        """Whether the page has said that nobody looks."""
        self._told: object = None
        self._lock = threading.RLock()

    def look(self) -> None:
        """Say what has changed, and follow the session that there is now."""
        with self._lock:
            if self._line.closed:
                return
            run = default.run
            told = status_with(_session_status(run) if run is not None else None)
            if told != self._told:
                self._told = told
                self._line.say(told)
            if run is not self._run:
                self._turn_to(run)

    def _turn_to(self, run: Run | None) -> None:
        if self._carrier is not None:
            self._carrier.rest()
        self._run, self._carrier = run, None
        if run is not None:
            self._number += 1
            self._carrier = Carrier(self._line, self._number, run.stream(), run.session)
            if not self._rests:
                # Who has not spoken for long may just have had nothing to show.
                self._line.heard()
                self._carrier.carry()

    def ask(self, request: Mapping[str, Any]) -> None:
        """Answer a request of the page."""
        self._line.heard()
        # Held to the end: another thread may turn to another session meanwhile, and what is said
        # of the one before would then take the page back to it.
        with self._lock:
            self._answer(request)

    def _answer(self, request: Mapping[str, Any]) -> None:
        kind = request.get("kind")
        self._rests = kind == "rest" or (self._rests and kind not in WAKING)
        if kind in WAKING:
            # An interrupt may have kept a cell from saying what has changed.
            self.look()
        carrier = self._carrier
        if carrier is None:
            return
        if self._rests:
            carrier.rest()
            return
        was_resting = carrier.resting
        if was_resting:
            carrier.carry()
        if not (was_resting and kind in WAKING):
            carrier.answer(request)

    def close(self) -> None:
        """Follow nothing any more."""
        with self._lock:
            if self._carrier is not None:
                self._carrier.rest()
            self._run = self._carrier = None


class Carrier:
    """Carries the packets of one session to one comm.

    Parameters
    ----------
    line : Line
    number : int
        By which the page tells them from those of another session.
    stream : Stream
    session : Session
    """

    def __init__(self, line: Line, number: int, stream: Stream, session: Session) -> None:
        self._line = line
        self._number = number
        self._stream = stream
        self._cells = session.cells
        self.resting = True

    def carry(self) -> None:
        """Begin, with a picture of all that was shown until now."""
        self.resting = False
        self._stream.attach(self, keeps=False)
        self.answer(HELLO)

    def rest(self) -> None:
        """Carry nothing until `carry`: nobody looks."""
        self.resting = True
        self._stream.detach(self)

    def answer(self, request: Mapping[str, Any]) -> None:
        """Answer a request of the page."""
        packet = self._stream.answer(request)
        if packet:
            self._stream.deliver(packet, self)

    def deliver(self, packet: bytes) -> None:
        """Send a packet to the page."""
        if self.resting:
            # It was on its way when the page, or another session, said enough.
            return
        if self._line.silent(busy=self._cells.cell is not None):
            self.rest()
        else:
            self._line.say({"kind": "packet", "stream": self._number}, [packet])

    def keep(self, packet: bytes) -> None:
        """Keep nothing: a page asks for what it needs when it opens the comm."""


def status_with(session: Mapping[str, object] | None) -> dict[str, object]:
    """Return what is said of this kernel, with what is said of its session."""
    return {
        "kind": "status",
        "version": LINK_VERSION,
        "package": package_version(),
        "disabled": disabled(),
        "session": session,
    }


def _session_status(run: Run) -> dict[str, object]:
    session, hub, place = run.session, run.hub, run.place
    return {
        "running": session.running,
        "title": session.settings.title,
        "t0": session.clock.start_us / 1e6,
        "path": readable(place) if place is not None and place.exists() else None,
        "feed": (hub.feed.model_id or None) if hub is not None else None,
    }


def readable(path: Path) -> str:
    """Return a path as text; its bytes may not be valid text."""
    return os.fsencode(path.absolute()).decode("utf-8", "replace")

"""What a comm carries of a recording."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, words_of
from pulse_widgets.link import report
from pulse_widgets.link.jobs import Jobs
from pulse_widgets.link.live import HELLO, status_with
from pulse_widgets.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.link.line import Line
    from pulse_widgets.series.stream import Stream

__all__ = ["Replayed"]

NUMBER: Final = 1
"""There is one recording on a comm."""


class Replayed:
    """Opens a recording and answers from it, on a thread of ours: large ones take their time.

    Parameters
    ----------
    line : Line
    path : str
        A path, or a name from the list of recordings.
    """

    def __init__(self, line: Line, path: str) -> None:
        self._line = line
        self._path = path
        self._stream: Stream | None = None
        self._begun = False
        self._jobs = Jobs()

    def look(self) -> None:
        """Say what this kernel is, and show the recording."""
        if not self._begun:
            self._begun = True
            self._line.say(status_with(None))
            self._jobs.add(partial(self._tried, self._open))

    def ask(self, request: Mapping[str, Any]) -> None:
        """Answer a request of the page."""
        self._line.heard()
        self._jobs.add(partial(self._tried, partial(self._answer, request)))

    def close(self) -> None:
        """Let go of the recording."""
        self._jobs.add(self._release)

    def deliver(self, packet: bytes) -> None:
        """Send a packet to the page."""
        self._line.say({"kind": "packet", "stream": NUMBER}, [packet])

    def keep(self, packet: bytes) -> None:
        """Keep nothing: a page asks for what it needs."""

    def _open(self) -> None:
        load(
            "pulse_widgets.library.replay_provider",
            "pulse_widgets.session.sender",
            "pulse_widgets.exchange.bundle",
        )
        from pulse_widgets.library.recording import Recording
        from pulse_widgets.library.replay_provider import RecordingProvider
        from pulse_widgets.series.stream import Stream
        from pulse_widgets.session.sender import redacted

        provider = RecordingProvider(Recording.open(self._path))
        self._stream = Stream(provider, redact=redacted)
        self._answer(HELLO)

    def _answer(self, request: Mapping[str, Any]) -> None:
        if self._stream is not None and not self._line.closed:
            packet = self._stream.answer(request)
            if packet:
                self.deliver(packet)

    def _release(self) -> None:
        self._stream = None

    def _tried(self, work: Callable[[], None]) -> None:
        """Do something with the recording; say so where it cannot be read."""
        try:
            work()
        except PulseError as error:
            self._refuse(error.problem, error.remedy)
        except Exception as error:  # noqa: BLE001  the top of the thread
            report("a recording could not be replayed")
            self._refuse(words_of(error), "The log of the kernel says more.")

    def _refuse(self, problem: str, remedy: str) -> None:
        self._line.say({"kind": "refused", "problem": problem, "remedy": remedy})

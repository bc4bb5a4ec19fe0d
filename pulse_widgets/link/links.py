"""The comms of the extension that are open in this kernel."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.busy import stay_busy
from pulse_widgets.default_session import default
from pulse_widgets.errors import PulseError, words_of
from pulse_widgets.link import LINK_VERSION, report, subshells
from pulse_widgets.link.actions import QUICK, perform
from pulse_widgets.link.line import Line
from pulse_widgets.link.live import Live, status_with
from pulse_widgets.link.output import give_back
from pulse_widgets.link.replayed import Replayed
from pulse_widgets.link.running import follow
from pulse_widgets.signals import start_shielded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["serve"]

_door = threading.Lock()
_links: set[Link] = set()
LEFT_S: Final = 600.0
"""A page that shows something, and has not spoken for so long, is gone."""


class Link:
    """One comm of the extension, from its opening to its end.

    Parameters
    ----------
    comm : comm.BaseComm
    message : mapping
        The one that opened it.
    """

    def __init__(self, comm: Any, message: Mapping[str, Any]) -> None:
        opening = message["content"].get("data")
        opening = opening if isinstance(opening, dict) else {}
        self._subshell = message["header"].get("subshell_id")
        self._line = Line(comm, subshell=self._subshell is not None)
        replay = opening.get("replay")
        self._shown: Live | Replayed = (
            Replayed(self._line, replay) if isinstance(replay, str) else Live(self._line)
        )
        self._understood = opening.get("version") == LINK_VERSION
        self._failed = False
        # Not with `on_msg`: that has the kernel tell IPython, on this thread, that a cell was run,
        # upon which Matplotlib closes the figures of the one that runs.
        comm.handle_msg = self._receive
        comm.on_close(self._closed)

    def look(self) -> None:
        """Say what has changed."""
        try:
            if self._understood:
                self._shown.look()
            else:
                # The page says which side is to be upgraded.
                self._line.say(status_with(None))
        except Exception:  # noqa: BLE001  the top of a callback, or of a thread
            self._fail()

    def is_left(self, there: Collection[str] | None) -> bool:
        """Whether its page is gone, as far as the subshells that are there tell, or silence."""
        if there is not None and self._subshell is not None and self._subshell not in there:
            return True
        # A page that is ended though it is there opens another; but not one of a recording.
        return isinstance(self._shown, Live) and time.monotonic() - self._line.heard_s > LEFT_S

    def end(self) -> None:
        """Serve it no longer."""
        with _door:
            _links.discard(self)
        self._line.end()
        self._shown.close()

    def _receive(self, message: Mapping[str, Any]) -> None:
        try:
            give_back()
            stay_busy()
            said = message["content"]["data"]
            if not isinstance(said, dict) or not self._understood:
                return
            if said.get("kind") == "do":
                self._do(said)
            else:
                self._shown.ask(said)
        except Exception:  # noqa: BLE001  the top of a callback
            self._fail()

    def _do(self, said: Mapping[str, Any]) -> None:
        number, action = said.get("id"), str(said.get("action"))
        if not isinstance(number, int) or isinstance(number, bool):
            return
        work = partial(self._answer, number, action, said.get("options"))
        if action in QUICK:
            work()
        else:
            start_shielded("pulse-link", work)

    def _answer(self, number: int, action: str, options: object) -> None:
        try:
            result = perform(action, options)
        except PulseError as error:
            self._refuse(number, error.problem, error.remedy)
        except Exception as error:  # noqa: BLE001  the top of a callback, or of a thread
            report(f"{action} failed")
            self._refuse(number, words_of(error), "The log of the kernel says more.")
        else:
            self._line.say({"kind": "done", "id": number, "result": result})
            # The recording of the session may have been renamed or deleted.
            self.look()

    def _refuse(self, number: int, problem: str, remedy: str) -> None:
        self._line.say({"kind": "failed", "id": number, "problem": problem, "remedy": remedy})

    def _fail(self) -> None:
        if not self._failed:
            report("a message of the JupyterLab extension could not be answered")
        self._failed = True

    def _closed(self, _message: object = None) -> None:
        with _door:
            _links.discard(self)
        give_back()
        # A page that has closed its comm gives its subshell up.
        stay_busy(at_once=True)
        self._line.close()
        self._shown.close()


def serve(comm: Any, message: Mapping[str, Any]) -> None:
    """Serve a comm that a page has opened, until the page closes it."""
    give_back()
    stay_busy()
    link = Link(comm, message)
    with _door:
        _links.add(link)
    default.observe(_changed)
    follow()
    link.look()
    _sweep()


def _sweep() -> None:
    """End the comms of pages that are gone: one that is reloaded or crashes closes none."""
    there = subshells()
    for link in _open_links():
        if link.is_left(there):
            link.end()


def _open_links() -> list[Link]:
    with _door:
        return list(_links)


def _changed() -> None:
    start_shielded("pulse-link", _look)


def _look() -> None:
    _sweep()
    for link in _open_links():
        link.look()

"""One comm: what is said on it by any thread, and whether anybody still listens."""

from __future__ import annotations

import contextvars
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.link import report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Line"]

SILENT_S: Final = 60.0
"""A page that could speak, and has not for so long, shows nothing any more."""
GAP_S: Final = 5.0
"""The longest pause between two looks that counts as silence."""


class Line:
    """Says things on a comm.

    Parameters
    ----------
    comm : comm.BaseComm
    subshell : bool
        Whether the page can be heard while a cell runs.
    """

    def __init__(self, comm: Any, *, subshell: bool) -> None:
        self._comm = comm
        self._subshell = subshell
        # Newer kernels take what a page says on a comm to where that comm has last spoken from. A
        # thread speaks from the cell that runs now, and the page would then have to wait for the
        # end of that cell. In this context all is spoken from where the page has opened the comm.
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self.heard_s = self._looked = time.monotonic()
        self._silent_s = 0.0
        self._failed = False
        self.closed = False

    def say(self, data: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send a message, unless the comm is closed; one that cannot be sent is lost."""
        if not self.closed:
            self._context.copy().run(self._send, dict(data), list(buffers))

    def _send(self, data: dict[str, Any], buffers: list[bytes]) -> None:
        try:
            with self._lock:
                self._comm.send(data, buffers=buffers)
        except Exception:  # noqa: BLE001  foreign code behind a closing front end
            if not self._failed:
                report("a message to the JupyterLab extension could not be sent")
            self._failed = True

    def heard(self) -> None:
        """Note that the page has spoken."""
        self.heard_s = self._looked = time.monotonic()
        self._silent_s = 0.0

    def silent(self, *, busy: bool) -> bool:
        """Whether the page shows nothing, or is gone; `busy` says that a cell runs.

        A page that is reloaded does not close its comms.
        """
        now = time.monotonic()
        if self._subshell or not busy:
            self._silent_s += min(now - self._looked, GAP_S)
        self._looked = now
        return self._silent_s > SILENT_S

    def end(self) -> None:
        """Say nothing more, and tell the page."""
        self.close()
        try:
            self._context.copy().run(self._comm.close)
        except Exception:  # noqa: BLE001  foreign code; the page may just have closed it
            report("a comm of the JupyterLab extension could not be closed")

    def close(self) -> None:
        """Say nothing more."""
        self.closed = True
        # The comm and its callbacks hold each other.
        vars(self._comm).pop("handle_msg", None)
        self._comm.on_close(None)

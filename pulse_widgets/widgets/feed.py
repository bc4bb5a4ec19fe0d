"""The transport of a stream to the pages of Jupyter.

The dashboard's code and the data reach a page through a `Feed`, a widget model without a
view. Views hold a reference to it. Packets are custom messages with binary buffers, never
synced traits: those are sent whole again on every change and end up in the notebook file.
"""

from __future__ import annotations

import contextvars
import hashlib
import importlib.metadata  # noqa: F401  so that it is loaded with this module, on our own thread
import logging
import threading
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import anywidget
import traitlets

from pulse_widgets.busy import stay_busy
from pulse_widgets.errors import PulseError
from pulse_widgets.series.state import package_version
from pulse_widgets.series.wire import WIRE_VERSION

if TYPE_CHECKING:
    from pulse_widgets.series.stream import Stream

__all__ = ["Feed", "bundled"]

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


class Feed(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not typed for subclassing
    """Model without a view that carries code and data to a page.

    Parameters
    ----------
    stream : Stream
        Hands its packets to this transport from now on.
    snapshot : bytes, optional
        A keyframe for pages that open before there is a newer one.
    """

    # anywidget gives up on a model whose script needs more than 2 s to start.
    _esm = "export default {};"
    _view_name = traitlets.Any(None, allow_none=True).tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    """The dashboard's script; empty once the session is over. A page then asks for it."""
    code_hash = traitlets.Unicode().tag(sync=True)
    wire = traitlets.List(traitlets.Int()).tag(sync=True)
    version = traitlets.Unicode().tag(sync=True)
    snapshot = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, stream: Stream, snapshot: bytes = b"") -> None:
        code = bundled("dashboard.js")
        self._stream = stream
        self._send_lock = threading.Lock()
        self.context = contextvars.copy_context()
        """Where it was made: what is sent from threads belongs to that cell, whoever began them."""
        self._retired = False
        super().__init__(
            code=code,
            code_hash=hashlib.sha256(code.encode()).hexdigest()[:12],
            wire=list(WIRE_VERSION),
            version=package_version(),
            snapshot=snapshot,
        )
        self.on_msg(self._receive)
        stream.attach(self)

    def deliver(self, packet: bytes) -> None:
        """Send a packet to every page."""
        self.context.copy().run(self._send_packet, packet)

    def _send_packet(self, packet: bytes) -> None:
        with self._send_lock:
            self.send({"kind": "packet"}, buffers=[packet])

    def keep(self, packet: bytes) -> None:
        """Hold a keyframe for pages that open later; once the feed is retired, do nothing."""
        self.context.copy().run(self._keep_packet, packet)

    def _keep_packet(self, packet: bytes) -> None:
        with self._send_lock:
            if not self._retired:
                self.snapshot = packet

    def retire(self, last: bytes) -> None:
        """Leave in the model only what a notebook file may hold, and `last` to paint a page with.

        Programs that run notebooks write the state of all models into the file. A page that
        still needs the code asks for it.
        """
        try:
            with self._send_lock, self.hold_sync():
                self._retired = True
                self.snapshot, self.code = last, ""
        except Exception:
            # Foreign code behind a closing front end; the recording is safe already.
            _logger.exception("the end of a session could not be told")

    def _receive(self, _widget: object, content: object, _buffers: object) -> None:
        """Answer the browser; runs on whichever thread the kernel gives it."""
        stay_busy()
        if isinstance(content, dict) and content.get("kind") == "code":
            with self._send_lock:
                self.send({"kind": "code", "code": bundled("dashboard.js")})
            return
        packet = self._stream.answer(content)
        if packet:
            self._stream.deliver(packet, self)

"""One stream of packets to whoever shows a session or a recording.

A *provider* knows the data. The stream numbers frames, makes keyframes of them and answers
requests; *transports* carry the bytes: a comm of Jupyter, a file, a list in a test. Nothing here
knows which::

    Provider -> Stream -- packets --> Transport --> a page, a file
                       <- requests --
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from pulse_widgets.series.header import ODD_MOST, plain
from pulse_widgets.series.packet_rows import split_for_packets
from pulse_widgets.series.text_lines import read_text
from pulse_widgets.series.wire import frame, keyframe, lines_reply, live, rows_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.series.detail import Detail
    from pulse_widgets.series.header import Events
    from pulse_widgets.series.history import Screen
    from pulse_widgets.series.rows import Rows
    from pulse_widgets.series.text_lines import FoundLines

__all__ = ["Provider", "RangeRequest", "Stream", "Transport", "header_of", "read_range"]

REPLY_POINTS_MOST: Final = 20_000
REPLY_SERIES_MOST: Final = 1000
"""Series answered for at once; a page asks for more in several requests (`SERIES_MOST`)."""
UNASKED: Final = 0
"""The number of an answer to no request; pages count theirs from one."""
EVENTS_SHOWN: Final = 200
FAR_S: Final = 1e11
"""Times beyond this, in seconds, are no times."""
WANTED_S: Final = 3600.0
"""A page says again that it wants lines, unless it has gone; while a cell runs it is not heard."""
PAGES_MOST: Final = 100
NAME_MOST: Final = 40
MOST_ID: Final = (1 << 31) - 1

_logger = logging.getLogger("pulse_widgets")


class Provider(Protocol):
    """The source of a stream's keyframes and replies: a session, or a recording."""

    def screen(self) -> Screen:
        """Return envelopes of the whole past."""

    def detail(self, ids: Sequence[int], t0_s: float, t1_s: float, points: int) -> Detail:
        """Return the rows of some series between two Unix times.

        Of series with too many rows there are envelopes instead, in so many buckets.
        """

    def lines(self, t0_s: float, t1_s: float, most: int) -> FoundLines:
        """Return the newest lines of text between two Unix times, so many at most."""

    def series(self) -> list[dict[str, object]]:
        """Return every series in the form the browser knows."""

    def entities(self) -> list[dict[str, Any]]:
        """Return the labels of every entity of every host."""

    def events(self, count: int) -> Events:
        """Return the newest moments, spans and odd values."""

    def state(self) -> dict[str, Any]:
        """Return the state that views show."""


class Transport(Protocol):
    """Carries packets to whoever shows them. Any thread may call it."""

    def deliver(self, packet: bytes) -> None:
        """Hand a packet to everyone who listens now."""

    def keep(self, packet: bytes) -> None:
        """Keep a keyframe for pages that open later, in place of the one before.

        What is held may end up in a file that is shared, so it is redacted.
        """


def header_of(provider: Provider, events: int = EVENTS_SHOWN) -> dict[str, Any]:
    """Return what a keyframe says beside its envelopes, with so many of the newest events."""
    return {
        "series": provider.series(),
        "entities": provider.entities(),
        "state": provider.state(),
        **provider.events(events).plain(),
    }


@dataclass(frozen=True, slots=True)
class RangeRequest:
    """What a page asks for: the rows of some series between two Unix times.

    Attributes
    ----------
    number : int
        By which the page knows the answer.
    ids : tuple of int
    t0, t1 : float
    points : int
        In so many buckets a series with many rows is sent, as envelopes.
    """

    number: int
    ids: tuple[int, ...]
    t0: float
    t1: float
    points: int


def read_range(request: Mapping[str, Any]) -> RangeRequest | None:
    """Return the request in a message of kind ``range``; None where it cannot be understood."""
    try:
        if not isinstance(request["ids"], list):
            return None
        asked = RangeRequest(
            number=int(request["request"]),
            ids=tuple(int(i) for i in request["ids"][:REPLY_SERIES_MOST]),
            t0=float(request["t0"]),
            t1=float(request["t1"]),
            points=min(max(int(request["points"]), 1), REPLY_POINTS_MOST),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # Written so that NaN, which compares false, is refused as well.
    times_are_times = abs(asked.t0) < FAR_S and abs(asked.t1) < FAR_S
    return asked if times_are_times and all(abs(i) <= MOST_ID for i in asked.ids) else None


class Stream:
    """Makes the packets of one session or recording, and hands them to transports.

    Parameters
    ----------
    provider : Provider
    redact : callable
        Returns the header of a keyframe without what should not leave the machine; every
        keyframe that a transport keeps goes through it.
    on_view : callable, optional
        Called when a view is heard of.
    on_hello : callable, optional
        Called when a view begins, which is to get a keyframe; True says that one will come.
    on_lines : callable, optional
        Called with whether any page wants lines of text, whenever one says whether it does.

    Attributes
    ----------
    failures : int
        Packets that a transport could not deliver.
    sent_bytes : int
        Bytes of those that were delivered.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        redact: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        on_view: Callable[[], None] = lambda: None,
        on_hello: Callable[[], bool] = lambda: False,
        on_lines: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._provider = provider
        self._redact = redact
        self._on_view = on_view
        self._on_hello = on_hello
        self._on_lines = on_lines
        self._door = threading.Lock()
        # Never changed, but replaced: other threads go through them.
        self._transports: list[Transport] = []
        self._keeping: list[Transport] = []
        """Those of them that keep keyframes for pages that open later."""
        self._wanting: dict[str, float] = {}
        """The pages that want lines of text, and when each said so last; monotonic seconds."""
        self._seq = 0
        self.failures = 0
        self.sent_bytes = 0

    def attach(self, transport: Transport, *, keeps: bool = True) -> None:
        """Hand packets to a transport, too, from now on; `keeps` is whether it has a `keep`."""
        with self._door:
            if keeps:
                self._keeping = [*self._keeping, transport]
            self._transports = [*self._transports, transport]

    def detach(self, transport: Transport) -> None:
        """Hand nothing to a transport any more; twice is harmless."""
        with self._door:
            self._keeping = [one for one in self._keeping if one is not transport]
            self._transports = [one for one in self._transports if one is not transport]

    @property
    def followed(self) -> bool:
        """Whether there is anybody to hand packets to."""
        return bool(self._transports)

    # Sending --------------------------------------------------------------------------

    def publish(self, packet: bytes) -> None:
        """Hand a packet to every transport."""
        for transport in self._transports:
            self.deliver(packet, transport)

    def deliver(self, packet: bytes, transport: Transport) -> None:
        """Hand a packet to one transport; one that fails is counted, and raises nothing."""
        try:
            transport.deliver(packet)
        except Exception:
            # It can fail in many foreign ways: a closed socket at exit, a context that is
            # gone. The next keyframe brings what was lost; the notebook must not fail.
            self.failures += 1
            if self.failures == 1:
                _logger.exception("a frame could not be sent")
        else:
            self.sent_bytes += len(packet)

    def publish_frame(self, rows: Rows, **news: Any) -> None:
        """Send rows, and what else is new: one frame, or several where the rows are many."""
        for piece, reduced in split_for_packets(rows) if len(rows) else [(rows, [])]:
            self._seq += 1
            self.publish(frame(self._seq, piece, reduced=reduced, **news))
            news = {}

    def skip(self) -> None:
        """Skip a sequence number, so that pages notice a loss and take the next keyframe."""
        self._seq += 1

    def publish_keyframe(self, screen: Screen | None = None) -> None:
        """Send the screen so far.

        A given `screen` must hold the rows of the frames sent until now and no other: a page
        takes a row of a later frame for one that the keyframe does not have.
        """
        self.publish(self.keyframe(screen))

    def keep(self, screen: Screen | None = None) -> None:
        """Keep a redacted keyframe for pages that open later; open pages get it, too.

        A given `screen` is as in `publish_keyframe`.
        """
        if not self._keeping:
            return
        kept = self.snapshot(screen)
        for transport in self._keeping:
            try:
                transport.keep(kept)
            except Exception:
                # As in `deliver`. A page that connects later asks for a keyframe anyway.
                self.failures += 1
                _logger.debug("a snapshot could not be kept", exc_info=True)

    def publish_whole(self, rows: Rows) -> None:
        """Send rows without a request: all that were shown until now."""
        if len(rows):
            t0, t1 = float(rows.time.min()) / 1e6, float(rows.time.max()) / 1e6
            self.publish(rows_reply(UNASKED, np.unique(rows.series).tolist(), t0, t1, rows))

    def keyframe(self, screen: Screen | None = None) -> bytes:
        """Return the packet that paints a page which has seen nothing yet."""
        screen = self._provider.screen() if screen is None else screen
        return keyframe(self._seq, live(screen), **header_of(self._provider))

    def snapshot(self, screen: Screen | None = None) -> bytes:
        """Return a keyframe that may be kept: one without what should not leave the machine."""
        screen = self._provider.screen() if screen is None else screen
        return keyframe(self._seq, live(screen), **self._redact(header_of(self._provider)))

    # Requests -------------------------------------------------------------------------

    def answer(self, request: object) -> bytes:
        """Return the packet that answers a message of a page; empty where none is due.

        Parameters
        ----------
        request : object
            A mapping with a ``kind``: ``hello`` of a view that begins or that misses something,
            ``seen`` of one that is still there, ``range`` for detail (see `RangeRequest`),
            ``lines`` with ``on`` where lines of text are wanted, or no longer, and with ``page``,
            which tells one page from another; ``printed`` for those of the past (see
            `TextRequest`).
            Anything else is not answered.
        """
        if not isinstance(request, dict):
            return b""
        self._on_view()
        kind = request.get("kind")
        if kind == "hello":
            return b"" if self._on_hello() else self.keyframe()
        if kind == "lines":
            self._want_lines(str(request.get("page", ""))[:NAME_MOST], request.get("on") is True)
        if kind == "printed":
            return self._answer_text(request)
        return self._answer_range(request) if kind == "range" else b""

    def _want_lines(self, page: str, on: bool) -> None:  # noqa: FBT001  one of two states
        """Note that a page wants lines, or no longer; they end when no page wants any."""
        now = time.monotonic()
        with self._door:
            pages = {one: at for one, at in self._wanting.items() if now - at < WANTED_S}
            pages.pop(page, None)
            if on:
                pages[page] = now
            self._wanting = dict(list(pages.items())[-PAGES_MOST:])
            self._on_lines(bool(self._wanting))

    def _answer_text(self, request: Mapping[str, Any]) -> bytes:
        asked = read_text(request)
        if asked is None:
            _logger.debug("a request for lines was not understood: %r", request)
            return b""
        found = self._provider.lines(asked.t0, asked.t1, asked.most)
        lines = [plain(line) for line in found.lines]
        return lines_reply(asked.number, asked.t0, asked.t1, lines, more=found.more)

    def _answer_range(self, request: Mapping[str, Any]) -> bytes:
        asked = read_range(request)
        if asked is None:
            _logger.debug("a request for detail was not understood: %r", request)
            return b""
        rows, screen, odd = self._provider.detail(asked.ids, asked.t0, asked.t1, asked.points)
        told = [plain(one) for one in odd[-ODD_MOST:]]
        return rows_reply(asked.number, asked.ids, asked.t0, asked.t1, rows, screen, odd=told)

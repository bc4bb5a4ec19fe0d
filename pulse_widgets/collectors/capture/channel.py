"""One of the streams of the process: its hook, its descriptor, and the lines that it makes."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.capture.hook import Hook, is_gone
from pulse_widgets.collectors.capture.lines import Limit, Lines, LinesOf
from pulse_widgets.ipython import kernel_here
from pulse_widgets.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.collectors.capture.descriptors import DescriptorTee

__all__ = ["STREAMS", "WAITING_PIECES", "Channel"]

STREAMS: Final = ("stdout", "stderr")
DESCRIPTORS: Final = "pulse_widgets.collectors.capture.descriptors"

LINES_A_SECOND: Final = 20_000
LETTERS_A_SECOND: Final = 4 << 20
BURST_S: Final = 10.0
"""So many seconds of that may come at once."""

WAITING_PIECES: Final = 2_000_000
"""More do not wait; only a thread that gets no time lets so much come together."""


class Channel:
    """One of the two streams of the process.

    Attributes
    ----------
    name : str
        ``stdout`` or ``stderr``.
    pieces : list of str
        What was printed and is not looked at yet, with marks.
    """

    def __init__(self, name: str, note: Callable[[Channel, str], None]) -> None:
        self.name = name
        self.pieces: list[str] = []
        self._hook: Hook | None = None
        self._note = note
        self.lines = LinesOf()
        self.limit = Limit(LINES_A_SECOND, LETTERS_A_SECOND, BURST_S)
        self.taken_s = 0.0
        """Until when the pieces were taken; monotonic seconds."""
        self.shed = 0
        """Lines that there was no room for."""
        self._tee: DescriptorTee | None = None
        self._torn: tuple[DescriptorTee, ...] = ()
        """Those that gave the descriptor back, and may have something left."""

    @property
    def is_hooked(self) -> bool:
        """Whether a stream is hooked."""
        return self._hook is not None

    def hook(self, taken: list[Any]) -> None:
        """Put a hook on the stream that is there now, unless it is one of `taken`."""
        stream = getattr(sys, self.name, None)
        if stream is not None and all(stream is not one for one in taken):
            self._put(stream)

    def _put(self, stream: Any) -> None:
        hook = Hook(stream, self.pieces, self._noted)
        # Known before it is put: whatever interrupts this, `unhook` removes it.
        self._hook = hook
        if not hook.put():
            self._hook = None

    def tee(self) -> None:
        """Take in what is printed to the descriptor, too, unless the stream does so itself."""
        if self._tee is not None:
            return
        load(DESCRIPTORS)
        from pulse_widgets.collectors.capture.descriptors import DescriptorTee, reads_its_descriptor

        number = self._number
        # The one that is hooked: another may stand in its place for a moment.
        if reads_its_descriptor(self.stream, number):
            return
        self._flush()
        with contextlib.suppress(OSError):  # a process may have closed it
            self._tee = DescriptorTee(number, self._noted)
            if self._is_teed(getattr(sys, self.name, None)):
                self.unhook()

    @property
    def _number(self) -> int:
        return STREAMS.index(self.name) + 1

    def _is_teed(self, stream: Any) -> bool:
        """Return whether what Python prints to a stream goes by the descriptor, too, or nowhere."""
        if self._tee is None or kernel_here() is not None:
            return False
        from pulse_widgets.collectors.capture.descriptors import reaches

        return stream is None or is_gone(stream) or reaches(stream, self._number)

    def untee(self) -> None:
        """Give the process its descriptor back."""
        tee, self._tee = self._tee, None
        if tee is not None:
            self._flush()
            with contextlib.suppress(OSError):
                tee.restore()
            self._torn = (*self._torn, tee)

    def settle(self) -> None:
        """Wait for what was printed until now, while the descriptor is heard."""
        if self._tee is not None:
            self._flush()
            self._tee.settle()

    def drain(self) -> None:
        """Wait for what was printed before the descriptor was given back."""
        torn, self._torn = self._torn, ()
        for tee in torn:
            tee.drain()

    def _flush(self) -> None:
        with contextlib.suppress(Exception):  # whatever a stream of the user's does
            getattr(sys, self.name).flush()
        from pulse_widgets.collectors.capture.descriptors import flush_c

        flush_c()

    def look(self, taken: list[Any]) -> None:
        """Follow the stream of the process where the one that is hooked has gone."""
        hook, now = self._hook, getattr(sys, self.name, None)
        if self._is_teed(now):
            self.unhook()
            return
        if hook is None:
            self.hook(taken)
        elif now is not hook.stream and now is not None and is_gone(hook.stream):
            self.unhook()
            self.hook(taken)
        elif not hook.is_reached():
            self.unhook()
            self._put(hook.stream)

    def unhook(self) -> None:
        """Leave the stream as it was."""
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.remove()

    @property
    def write(self) -> Any:
        """The ``write`` that stands on the stream for us; None where none does."""
        return None if self._hook is None else self._hook.write

    @property
    def is_heard_below(self) -> bool:
        """Whether what is printed is heard at its descriptor, and not at the stream."""
        return self._tee is not None and self._hook is None

    @property
    def stream(self) -> Any:
        """The stream that is hooked."""
        return None if self._hook is None else self._hook.stream

    def _noted(self, piece: str) -> None:
        self._note(self, piece)

    def flood(self, comes: bool) -> None:  # noqa: FBT001  one of two states
        """Say whether so much comes that not every piece can have a time."""
        if self._hook is not None:
            self._hook.flood(comes)

    def take(self, *, end: bool) -> Lines:
        """Return the lines that what waits makes; at the end the last one as far as it goes."""
        now = time.monotonic()
        # Both are steps made in C: no piece comes between, or gets lost.
        count = len(self.pieces)
        pieces = self.pieces[:count]
        del self.pieces[:count]
        self.flood(False)
        self.limit.allow(now)
        made = self.lines.take(pieces, self.taken_s, now, self.limit)
        self.taken_s = now
        due = self.lines.due_s
        if due is not None and (end or now >= due):
            made = Lines.joined([made, self.lines.unfinished()])
        shed, self.shed = self.shed, 0
        return Lines(made.texts, made.times_s, made.left_out + shed)

    def shed_oldest(self) -> None:
        """Let go of what there is no room for, and count its lines."""
        count = len(self.pieces) - WAITING_PIECES // 2
        gone = self.pieces[:count]
        del self.pieces[:count]
        self.shed += sum(piece.count("\n") for piece in gone if isinstance(piece, str))

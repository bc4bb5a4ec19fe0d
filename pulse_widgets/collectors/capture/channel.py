"""One stream of the process: its hook, and the lines that its pieces make."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.capture.hook import Hook, is_gone
from pulse_widgets.collectors.capture.lines import Limit, Lines, LinesOf
from pulse_widgets.collectors.capture.notebook import is_of_a_cell

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WAITING_PIECES", "Channel"]

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
        self._in_cell = False
        """Whether the hook was put while a cell ran."""
        self._note = note
        self.lines = LinesOf()
        self.limit = Limit(LINES_A_SECOND, LETTERS_A_SECOND, BURST_S)
        self.taken_s = 0.0
        """Until when the pieces were taken; monotonic seconds."""
        self.shed = 0
        """Lines that there was no room for."""

    @property
    def is_hooked(self) -> bool:
        """Whether it is heard."""
        return self._hook is not None

    def hook(self, taken: list[Any]) -> None:
        """Put a hook on the stream that is there now, unless it is one of `taken`."""
        stream = getattr(sys, self.name, None)
        if stream is None or any(stream is one for one in taken):
            return
        hook = Hook(stream, self.pieces, self._noted)
        # Known before it is put: whatever interrupts this, `unhook` removes it.
        self._hook = hook
        if not hook.put():
            self._hook = None

    def look(self, taken: list[Any], *, in_cell: bool) -> None:
        """Follow the stream of the process where the one that is hooked has gone."""
        hook, now = self._hook, getattr(sys, self.name, None)
        if hook is None:
            # A cell that runs may be about to end.
            if in_cell or not is_of_a_cell(getattr(now, "write", None)):
                self.hook(taken)
        elif _is_lost(hook, now):
            self.unhook()
            self.hook(taken)
        else:
            return
        self._in_cell = in_cell

    def step_aside(self) -> bool:
        """Unhook where the hook would be taken away with that of a cell; say whether it would."""
        aside = self._in_cell and self._hook is not None and self._hook.is_above_another
        if aside:
            self.unhook()
        return aside

    def unhook(self) -> None:
        """Leave the stream as it was; twice is harmless."""
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.remove()

    @property
    def stream(self) -> Any:
        """What is hooked; None where nothing is."""
        return None if self._hook is None else self._hook.stream

    @property
    def write(self) -> Any:
        """The ``write`` that stands on the stream for us."""
        return None if self._hook is None else self._hook.write

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


def _is_lost(hook: Hook, now: Any) -> bool:
    """Return whether what is printed goes by a hook, while another may be put on a stream."""
    if now is not hook.stream:
        return now is not None and is_gone(hook.stream)
    return hook.is_displaced()

"""Lines of text that were printed: the newest ones kept, and so many of them as a packet takes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.series.header import TextLineWire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulse_widgets.series.rows import Rows

__all__ = [
    "NO_LINES",
    "FoundLines",
    "LineRing",
    "TextRequest",
    "lines_between",
    "newest_lines",
    "read_text",
]

KEPT_LINES: Final = 20_000
KEPT_BYTES: Final = 8 << 20
ANSWER_LINES: Final = 5000
ANSWER_LETTERS: Final = 1 << 20
"""Of an answer to a page, at most."""
FRAME_LINES: Final = 2000
FRAME_LETTERS: Final = 256 << 10
"""Of a frame, at most: a page asks for what it wants to see of a flood."""
NONE_GONE: Final = -(1 << 62)
FAR_S: Final = 1e11
"""Times beyond this, in seconds, are no times."""


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Lines between two times.

    Attributes
    ----------
    lines : list of TextLineWire
        The newest of them, oldest first.
    more : bool
        Whether there are older ones.
    """

    lines: list[TextLineWire]
    more: bool


NO_LINES: Final = FoundLines([], more=False)


@dataclass(frozen=True, slots=True)
class TextRequest:
    """What a page asks for: the newest lines between two Unix times, both inside.

    Attributes
    ----------
    number : int
        By which the page knows the answer.
    t0, t1 : float
    most : int
        So many lines.
    """

    number: int
    t0: float
    t1: float
    most: int


def read_text(request: Mapping[str, Any]) -> TextRequest | None:
    """Return the request in a message of kind ``text``; None where it cannot be understood."""
    try:
        asked = TextRequest(
            number=int(request["request"]),
            t0=float(request["t0"]),
            t1=float(request["t1"]),
            most=min(max(int(request["most"]), 1), ANSWER_LINES),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # Written so that NaN, which compares false, is refused as well.
    return asked if abs(asked.t0) < FAR_S and abs(asked.t1) < FAR_S else None


def newest_lines(
    lines: Sequence[TextLineWire], most: int = FRAME_LINES, letters: int = FRAME_LETTERS
) -> FoundLines:
    """Return the newest of some lines: so many at most, with so many letters in all."""
    kept = lines[-most:]
    sizes = np.fromiter((len(line.text) for line in reversed(kept)), np.int64, len(kept))
    # One line fits always.
    fitting = max(int(np.searchsorted(np.cumsum(sizes), letters, "right")), 1)
    kept = kept[-fitting:]
    return FoundLines(list(kept), more=len(kept) < len(lines))


class LineRing:
    """The newest lines of a session, by their number and their letters."""

    def __init__(self) -> None:
        self._blocks: deque[Rows] = deque()
        self._lines = self.nbytes = 0
        self.gone_us = NONE_GONE
        """The time of the newest line that was let go, microseconds; before all times: none was."""

    def add(self, rows: Rows) -> None:
        """Take in rows that are lines of text, in order of arrival."""
        many = max(0, len(rows) - KEPT_LINES)
        self._note_gone(rows.cut(0, many))
        rows = rows.cut(many, len(rows))
        self._blocks.append(rows)
        self._lines += len(rows)
        self.nbytes += rows.nbytes
        while self._lines > KEPT_LINES or (self.nbytes > KEPT_BYTES and len(self._blocks) > 1):
            gone = self._blocks.popleft()
            self._lines -= len(gone)
            self.nbytes -= gone.nbytes
            self._note_gone(gone)

    def _note_gone(self, rows: Rows) -> None:
        if len(rows):
            self.gone_us = max(self.gone_us, int(rows.time.max()))

    def blocks(self) -> list[Rows]:
        """Return what is kept; blocks never change."""
        return list(self._blocks)


def lines_between(
    rows: Rows, t0_s: float, t1_s: float, most: int, gone_us: int = NONE_GONE
) -> FoundLines:
    """Return the newest lines of some rows between two Unix times, both inside.

    Parameters
    ----------
    rows : Rows
    t0_s, t1_s : float
    most : int
    gone_us : int
        Until then there were more lines than are in `rows`.
    """
    # A page asks with times that it was told: seconds, of which microseconds were made.
    first, last = round(t0_s * 1e6), round(t1_s * 1e6)
    inside = np.flatnonzero((rows.time >= first) & (rows.time <= last))
    order = inside[np.argsort(rows.time[inside], kind="stable")]
    texts = rows.text if rows.text is not None else [""] * len(rows)
    lines = [
        TextLineWire(int(rows.series[place]), int(rows.time[place]) / 1e6, texts[place])
        for place in order[-most:].tolist()
    ]
    found = newest_lines(lines, most, ANSWER_LETTERS)
    return FoundLines(found.lines, more=found.more or len(order) > most or gone_us >= first)

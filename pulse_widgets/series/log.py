"""The log of a session: blocks of rows in order of arrival, read by a cursor a consumer.

A block is freed once every consumer has read it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Cursor", "Log"]

BLOCK_BYTES: Final = 16 << 20
"""Bytes a block of the log has at most, unless one row alone has more."""


class Cursor:
    """One consumer's place in a `Log`; made by `Log.cursor`."""

    def __init__(self, log: Log, position: int) -> None:
        self._log = log
        self.position = position

    def take(self) -> Rows:
        """Return everything that arrived since the last call, possibly no rows."""
        blocks, self.position = self._log.after(self.position)
        self._log.trim()
        return Rows.concat(blocks)

    def peek(self) -> list[Rows]:
        """Return the blocks not yet taken, without moving."""
        return self._log.after(self.position)[0]

    def move(self, blocks: int) -> None:
        """Step over the first `blocks` blocks that `peek` returned."""
        self.position += blocks
        self._log.trim()

    def close(self) -> None:
        """Stop holding back rows for this consumer."""
        self._log.forget(self)


class Log:
    """Blocks of rows in arrival order, kept until every cursor has passed them.

    A block's number is its place since the start of the session; a cursor is one integer.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks: list[Rows] = []
        self._first = 0
        self._cursors: list[Cursor] = []
        self.rows = 0
        self.nbytes = 0
        """Bytes of the blocks still held."""

    def __len__(self) -> int:
        """Return the number of blocks still held."""
        return len(self._blocks)

    def append(self, rows: Rows) -> None:
        """Add a block, a large one in pieces; an empty one is not kept.

        Its columns can only be read from now on.
        """
        if not len(rows):
            return
        # The recording, the history and the pages share a block: none of them may change it.
        rows.series.setflags(write=False)
        rows.time.setflags(write=False)
        rows.step.setflags(write=False)
        rows.value.setflags(write=False)
        # A block is written as one batch, and a failing disk loses whole batches: keep them small.
        pieces = rows.split(BLOCK_BYTES)
        count, nbytes = len(rows), sum(piece.nbytes for piece in pieces)
        with self._lock:
            self._blocks.extend(pieces)
            self.rows += count
            self.nbytes += nbytes

    def extend(self, blocks: Iterable[Rows]) -> None:
        """Add blocks in order."""
        for rows in blocks:
            self.append(rows)

    def cursor(self) -> Cursor:
        """Return a cursor that starts at the oldest block still held."""
        with self._lock:
            made = Cursor(self, self._first)
            self._cursors.append(made)
            return made

    def after(self, position: int) -> tuple[list[Rows], int]:
        """Return the blocks from `position` on, and the position after them."""
        with self._lock:
            end = self._first + len(self._blocks)
            return self._blocks[max(position - self._first, 0) :], end

    def trim(self) -> None:
        """Drop the blocks that every cursor has passed."""
        with self._lock:
            if not self._cursors:
                return
            slowest = min(c.position for c in self._cursors)
            if slowest > self._first:
                self.nbytes -= sum(rows.nbytes for rows in self._blocks[: slowest - self._first])
                del self._blocks[: slowest - self._first]
                self._first = slowest

    def forget(self, cursor: Cursor) -> None:
        """Stop holding blocks back for `cursor`."""
        with self._lock:
            if cursor in self._cursors:
                self._cursors.remove(cursor)
        self.trim()

"""Takes what arrives in a log to the disk, and keeps it while the disk takes nothing."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, words_of
from pulse_widgets.series.log import Log, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pulse_widgets.storage.writer import Writer

__all__ = ["Recorder"]

AGAIN_S: Final = 1.0
"""Seconds before rows are offered again to a disk that took none."""
BATCH_ROWS: Final = 50_000
"""Rows of one journal batch, about: what waited for the disk is not copied whole each time."""
WAIT: Final = "It is tried again by itself; nothing recorded so far is lost."
HELD_BYTES: Final = 256 << 20
"""Rows that may wait for a disk that takes none; beyond it readings are dropped and counted."""

_logger = logging.getLogger("pulse_widgets")


class Recorder:
    """One consumer of a log: what it took is in the journal.

    Calls come from one thread at a time.

    Parameters
    ----------
    log : Log
    host : str
        The recording's id of this machine.
    labelled : callable returning int
        Gives another number whenever `entities` has more to say.
    entities : callable returning mapping
        Entity to its labels.

    Attributes
    ----------
    make_writer : callable returning Writer, or None
        Called once, when the first rows are to be written; None records nothing.
    problem : PulseError or None
        Why the newest rows could not be written; None while all is well.
    dropped : int
        Rows that were given up because the disk took none for too long.
    """

    def __init__(
        self,
        log: Log,
        host: str,
        *,
        labelled: Callable[[], int],
        entities: Callable[[], Mapping[str, Mapping[str, str]]],
    ) -> None:
        self.problem: PulseError | None = None
        self.dropped = 0
        self._log = log
        self._host = host
        self.make_writer: Callable[[], Writer] | None = None
        self._labelled = labelled
        self._entities = entities
        self._writer: Writer | None = None
        self._cursor = log.cursor()
        self._next = 0.0
        self._described = 0
        self._told: set[str] = set()

    def take(self) -> None:
        """Write what arrived since the last call; never raises, `problem` says what went wrong."""
        if self.make_writer is None:
            self._cursor.move(len(self._cursor.peek()))
        elif time.monotonic() >= self._next:
            try:
                self._write(self.make_writer)
            except PulseError as error:
                self.problem = error
                self._hold_back()
            except Exception as error:  # noqa: BLE001  what is shown goes on, whatever befalls the files
                self.failed(error)
                self._hold_back()
            else:
                self.problem = None

    def failed(self, error: BaseException) -> None:
        """Say that something unforeseen went wrong; it is logged once."""
        words = words_of(error)
        if words not in self._told:
            self._told.add(words)
            _logger.error("a pass of the keeper failed", exc_info=error)
        self.problem = PulseError(f"Not everything could be recorded: {words}", remedy=WAIT)

    @property
    def loading(self) -> bool:
        """Whether the writer is still being made; what it needs may have to be loaded."""
        return self.make_writer is not None and self._writer is None and self.problem is None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be loaded."""
        return self.make_writer is None or self._writer is not None

    def progress(self) -> tuple[int, int]:
        """Return what grows while rows are being written."""
        return self._cursor.position, self._writer.bytes_written if self._writer else 0

    def slow(self) -> None:
        """Say that the disk holds up the end of the recording."""
        self.problem = PulseError(
            "The disk has not taken the end of the recording yet",
            remedy="It is completed as soon as the disk answers; leave the process running.",
        )

    def close(self) -> None:
        """Write what is left, even if the disk has just refused, and close the files."""
        self._next = 0.0
        self.take()
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Hold nothing of the parent's, in a forked child."""
        if self._writer is not None:
            self._writer.abandon()

    def state(self, path: Path | None) -> dict[str, Any]:
        """Return where the recording is, how large, and what is wrong with it."""
        writer, refused = self._writer, self.problem
        problem = refused.problem if refused is not None else (writer.problem if writer else "")
        return {
            "path": str(path) if path is not None else None,
            "bytes": writer.bytes_written if writer is not None else 0,
            "problem": problem or None,
            "remedy": (refused.remedy if refused is not None else WAIT) if problem else None,
        }

    def _write(self, make_writer: Callable[[], Writer]) -> None:
        if self._writer is None:
            self._writer = make_writer()
        for part in _batches(self._cursor.peek()):
            self._append(self._writer, part)
        self._writer.beat()
        version = self._labelled()
        if version != self._described:
            # The labels of entities lie beside the rows.
            self._writer.describe({self._host: self._entities()})
            self._described = version

    def _append(self, writer: Writer, part: list[Rows]) -> None:
        try:
            writer.append(Rows.concat(part))
        except (TypeError, ValueError, OverflowError) as error:
            # What cannot be written by anybody must not keep the rest from it for ever.
            if len(part) > 1:
                for block in part:
                    self._append(writer, [block])
                return
            self.failed(error)
            self.dropped += len(part[0])
        # At once: whatever fails later, these rows are not to be written twice.
        self._cursor.move(len(part))

    def _hold_back(self) -> None:
        """Keep rows for a disk that takes none, up to a bound; then drop, counted."""
        self._next = time.monotonic() + AGAIN_S
        held = self._log.nbytes
        if held <= HELD_BYTES:
            return
        blocks = self._cursor.peek()
        gone = 0
        while held > HELD_BYTES and gone < len(blocks):
            held -= blocks[gone].nbytes
            self.dropped += len(blocks[gone])
            gone += 1
        self._cursor.move(gone)


def _batches(blocks: list[Rows]) -> Iterator[list[Rows]]:
    """Yield the blocks in order, so many together that their rows make up a batch."""
    part: list[Rows] = []
    rows = 0
    for block in blocks:
        part.append(block)
        rows += len(block)
        if rows >= BATCH_ROWS:
            yield part
            part, rows = [], 0
    if part:
        yield part

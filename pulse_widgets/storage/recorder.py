"""Writes the rows of a log to the disk, and keeps them in memory while the disk fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, words_of
from pulse_widgets.series.rows import Rows
from pulse_widgets.signals import Flag
from pulse_widgets.storage.claim import finished_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pulse_widgets.series.log import Log
    from pulse_widgets.storage.writer import Writer

__all__ = ["Recorder"]

AGAIN_S: Final = 1.0
"""Seconds before rows are offered again to a disk that took none."""
BATCH_ROWS: Final = 50_000
"""Rows of one journal batch, about: what waited for the disk is not copied whole each time."""
BATCH_BYTES: Final = 16 << 20
"""Bytes of one, about, letters counted as one each: readers refuse batches beyond 256 MiB."""
HELD_BYTES: Final = 256 << 20
"""Rows that may wait for a disk that takes none; beyond it readings are dropped and counted."""

WAIT: Final = "It is tried again by itself; nothing recorded so far is lost."
AFTER: Final = (
    "They are written as soon as the disk takes them, as long as this process runs. "
    "rec.save(PATH) of the recording that stop() returns writes them elsewhere."
)
GONE: Final = "Record to another disk with record=PATH."
UNREAD: Final = "See `dmesg` for what holds up the device; wait for its work before you stop."

_logger = logging.getLogger("pulse_widgets")


class Recorder:
    """One consumer of a log: what it took is in the journal.

    Calls come from one thread at a time, but for `unwritten`, `state` and the attributes.

    Parameters
    ----------
    log : Log
    host : str
        The recording's id of this machine.
    labelled : callable returning int
        Gives another number whenever `labels` has more to say.
    labels : callable returning mapping
        Entity to its labels.

    Attributes
    ----------
    make_writer : callable returning Writer, or None
        Called until it gives one, when rows are to be written; None records nothing.
    warn : callable taking str, or None
        Called once when rows begin to wait for the disk, and once when they begin to be dropped.
    warned : set of str
        For which of the two it was called: ``waiting``, ``dropped``.
    problem : PulseError or None
        Why the newest rows could not be written; None while all is well.
    dropped : int
        Rows that were given up because the disk took none for too long.
    late : callable returning int
        How many rows, or values of `pw.log`, wait before the log.
    lost_before : callable taking bool, and returning list of str
        What was accepted and never came to the log, in sentences; the session ends if it is True.
    loaded : bool
        Whether all modules that writing needs are loaded; set by `make_writer`.
    tried : Flag
        Raised when the first rows were written, or refused.
    sealed : bool
        Whether the files are closed.
    process_ended : bool
        Whether the process is about to end: what is not on the disk now is lost.
    unwanted : bool
        Whether nothing of it is to be kept: who sets it ends the session next.
    """

    def __init__(
        self,
        log: Log,
        host: str,
        *,
        labelled: Callable[[], int],
        labels: Callable[[], Mapping[str, Mapping[str, Mapping[str, str]]]],
    ) -> None:
        self.problem: PulseError | None = None
        self.dropped = 0
        self.loaded = self.sealed = self.process_ended = self.unwanted = False
        self.tried = Flag()
        self.warn: Callable[[str], None] | None = None
        self.warned: set[str] = set()
        self._log = log
        self._host = host
        self.make_writer: Callable[[], Writer] | None = None
        self._labelled = labelled
        self._labels = labels
        self._writer: Writer | None = None
        self._cursor = log.cursor()
        # Held while rows go to the disk, so that others see each of them once.
        self._door = threading.Lock()
        self._next = 0.0
        self._described = 0
        self._logged: set[str] = set()
        self._not_taken: dict[str, str] = {}
        """Collectors of which the newest rows could not be taken, and why."""
        self.failures: Counter[str] = Counter()
        """How often that failed, by collector."""
        self.late: Callable[[], int] = lambda: 0
        self.lost_before: Callable[[bool], list[str]] = lambda _at_end: []
        self._ending = False
        self._since: dt.datetime | None = None
        """When rows began to wait for the disk."""
        self._why = ""
        """Why rows were dropped."""
        self._reported: list[str] = []

    # Called by the flusher ---------------------------------------------------------------

    def take(self) -> None:
        """Write what arrived since the last call; never raises, `problem` says what went wrong."""
        if self.make_writer is None or self.unwanted:
            self._cursor.move(len(self._cursor.peek()))
        elif time.monotonic() >= self._next and not self.sealed:
            try:
                with self._door:
                    self._offer(self.make_writer)
            finally:
                self.tried.set()

    def failed(self, error: BaseException) -> None:
        """Say that something unforeseen went wrong; it is logged once."""
        words = self._log_once(error)
        self.problem = PulseError(f"Not everything could be recorded: {words}", remedy=WAIT)

    def not_taken(self, name: str, error: BaseException) -> None:
        """Say that what a collector has could not be taken; it is tried again with each pass.

        Apart from `problem`, which a disk that takes the rows of the others puts right.
        """
        self.failures[name] += 1
        self._not_taken[name] = self._log_once(error)

    def taken(self, name: str) -> None:
        """Say that what a collector has was taken."""
        if self._not_taken:
            self._not_taken.pop(name, None)

    def _log_once(self, error: BaseException) -> str:
        words = words_of(error)
        if words not in self._logged:
            self._logged.add(words)
            _logger.error("a pass of the flusher failed", exc_info=error)
        return words

    def close(self, *, last: bool = False) -> None:
        """Write what is left, even if the disk has just refused, and then close the files.

        What the disk still refuses goes on waiting, unless this is the `last` call: then it is
        lost, which the recording says, where that can be written.
        """
        self._ending, self._next = True, 0.0
        self.take()
        if self.sealed or (self.waiting() and not last):
            return
        with self._door:
            self.sealed = True
            self._report()
            if self._writer is not None:
                self._writer.close()
                if self.unwanted:
                    self._writer.remove()

    def abandon(self) -> None:
        """Hold nothing of the parent's, in a forked child."""
        if self._writer is not None:
            self._writer.abandon()

    # Called by others -------------------------------------------------------------------

    @property
    def loading(self) -> bool:
        """Whether what the writer needs is still being loaded."""
        making = self.make_writer is not None and self._writer is None and self.problem is None
        return making and not self.loaded

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be loaded."""
        return self.make_writer is None or self._writer is not None

    def progress(self) -> tuple[int, int]:
        """Return what grows while rows are being written."""
        return self._cursor.position, self._writer.bytes_written if self._writer else 0

    def trouble(self) -> str:
        """Return what keeps rows from the disk; empty while all is well."""
        if self.problem is not None:
            return self.problem.problem
        return "; ".join(
            f"what {name} had could not be taken, {self.failures[name]} times: {words}"
            for name, words in list(self._not_taken.items())
        )

    def slow(self, *, at_end: bool) -> None:
        """Say that the disk holds up the recording."""
        self._ending = self._ending or at_end
        end = "The disk has not taken the end of the recording yet"
        self.problem = PulseError(
            end if at_end else "The disk has not answered yet",
            remedy="Recording goes on as soon as the disk answers; leave the process running.",
        )

    def held(self) -> list[Rows]:
        """Return the rows that are not on the disk, or on their way there."""
        return [] if self.make_writer is None or self.unwanted else self._cursor.peek()

    def waiting(self) -> int:
        """Return how many rows are not on the disk."""
        return sum(map(len, self.held()))

    def last_bytes(self) -> int | None:
        """Return how many bytes are still to be written; None while more may come."""
        return sum(rows.nbytes for rows in self.held()) if self._ending else None

    def unwritten(self, then: Callable[[list[Rows]], Any], seconds: float) -> bool:
        """Call `then` with the rows that wait, none of which is written meanwhile.

        Returns
        -------
        bool
            False if the disk has held up a write for so many seconds; `then` was not called.
        """
        if not self._door.acquire(timeout=seconds):
            return False
        try:
            then(self.held())
        finally:
            self._door.release()
        return True

    def missing(self) -> list[str]:
        """Return what is not on the disk and why, in sentences."""
        if self.make_writer is None or self.unwanted:
            return []
        ended = self._ending or self.sealed or self.process_ended
        said = self.lost_before(ended)
        waiting = self.waiting() + (self.late() if ended else 0)
        why = self.trouble() or "the disk is slow"
        if self.dropped:
            said.append(f"{_rows(self.dropped)} dropped: {self._why}.")
        if waiting and (self.sealed or self.process_ended):
            said.append(f"{_rows(waiting)} lost when the process ended: {why}.")
        elif waiting and self._ending:
            said.append(f"{_rows(waiting)} not on the disk when the session ended: {why}.")
        elif waiting and self._since is not None:
            since = f"{self._since:%Y-%m-%d %H:%M:%S} UTC"
            said.append(f"Rows from {since} on wait for the disk: {why}.")
        return said

    def state(self, path: Path | None) -> dict[str, Any]:
        """Return where the recording is, how large, and what is wrong with it."""
        writer, refused = self._writer, self.problem
        problem = self.trouble() or (writer.problem if writer else "")
        remedy = refused.remedy if refused is not None else WAIT
        missing = self.missing() if self._ending else []
        if missing:
            problem = " ".join(missing)
            later = self.waiting() and not (self.sealed or self.process_ended)
            # A device that hangs is not helped by another disk.
            by_disk = self.dropped or self.waiting() or "disk" in problem
            remedy = AFTER if later else GONE if by_disk else UNREAD
        return {
            "path": str(path) if path is not None else None,
            "bytes": self._size(path),
            "problem": problem or None,
            "remedy": remedy if problem else None,
        }

    # Private ----------------------------------------------------------------------------

    def _size(self, path: Path | None) -> int:
        """Return how large the recording is: what was written, or the file it has become."""
        if self._ending and path is not None:
            with contextlib.suppress(OSError):
                return (path if path.is_file() else finished_path(path)).stat().st_size
        return self._writer.bytes_written if self._writer is not None else 0

    def _offer(self, make_writer: Callable[[], Writer]) -> None:
        try:
            self._write(make_writer)
        except PulseError as error:
            self.problem = error
            self._hold_back()
        except Exception as error:  # noqa: BLE001  what is shown goes on, whatever befalls the files
            self.failed(error)
            self._hold_back()
        else:
            self.problem = self._since = None
        self._report()

    def _write(self, make_writer: Callable[[], Writer]) -> None:
        if self._writer is None:
            self._writer = make_writer()
        try:
            for part in _batches(self._cursor.peek()):
                self._append(self._writer, part)
        finally:
            # Also while the disk takes nothing: a writer without a heartbeat counts as dead.
            self._writer.beat()
        version = self._labelled()
        if version != self._described:
            # Labels of entities are not part of the rows.
            self._writer.describe(self._labels())
            self._described = version

    def _append(self, writer: Writer, part: list[Rows]) -> None:
        try:
            writer.append(Rows.concat(part))
        except (TypeError, ValueError, OverflowError) as error:
            # A block that can never be written is given up, so that the others are written.
            if len(part) > 1:
                for block in part:
                    self._append(writer, [block])
                return
            self.failed(error)
            self._drop(part)
        # At once, so that no later failure has these rows written twice.
        self._cursor.move(len(part))

    def _hold_back(self) -> None:
        """Keep rows for a disk that takes none, up to a bound; then drop, counted."""
        self._next = time.monotonic() + AGAIN_S
        if self._since is None:
            self._since = dt.datetime.now(dt.UTC)
        held = self._log.nbytes
        if held <= HELD_BYTES:
            return
        blocks = self._cursor.peek()
        gone = 0
        while held > HELD_BYTES and gone < len(blocks):
            held -= blocks[gone].nbytes
            gone += 1
        self._drop(blocks[:gone])
        self._cursor.move(gone)

    def _drop(self, blocks: list[Rows]) -> None:
        self.dropped += sum(map(len, blocks))
        self._why = self.problem.problem if self.problem is not None else ""

    def _report(self) -> None:
        """Say at once what is missing: in the recording, and to whoever sees no dashboard."""
        said = self.missing()
        if said != self._reported and self._writer is not None:
            self._writer.write_problems(said)
            self._reported = said
        if self.warn is None or self._ending:
            return
        dropped = self.dropped > 0 or bool(self.lost_before(False))
        for word, true in (("waiting", self._since is not None), ("dropped", dropped)):
            if true and word not in self.warned:
                self.warned.add(word)
                remedy = self.problem.remedy if self.problem is not None else ""
                self.warn("\n".join([*said, remedy]))


def _rows(number: int) -> str:
    return f"{number} rows were" if number != 1 else "1 row was"


def _batches(blocks: list[Rows]) -> Iterator[list[Rows]]:
    """Yield the blocks in order, so many together that they make up a batch."""
    part: list[Rows] = []
    rows = nbytes = 0
    for block in blocks:
        part.append(block)
        rows, nbytes = rows + len(block), nbytes + block.nbytes
        if rows >= BATCH_ROWS or nbytes >= BATCH_BYTES:
            yield part
            part, rows, nbytes = [], 0, 0
    if part:
        yield part

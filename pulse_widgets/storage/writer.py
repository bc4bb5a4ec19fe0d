"""Writes a running recording: every batch to a journal at once, every minute a part."""

from __future__ import annotations

import contextlib
import shutil
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import StorageError
from pulse_widgets.storage.claim import Claim
from pulse_widgets.storage.cleanup import remove_empty
from pulse_widgets.storage.directory import (
    HEARTBEAT_S,
    journal_name,
    start_run,
)
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.journal import Journal
from pulse_widgets.storage.parts import Parts, PendingJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pulse_widgets.series.registry import Registry
    from pulse_widgets.series.rows import Rows
    from pulse_widgets.storage.shares import Shares

__all__ = ["Writer"]

PART_ROWS: Final = 100_000
PART_S: Final = 60.0
PART_BYTES: Final = 64 << 20
ROOM_S: Final = 1.0
"""How often the room on the disk is looked at."""


class Writer:
    """One process's share of a recording.

    Calls come from one thread at a time; `abandon` from a forked child.

    Parameters
    ----------
    directory : Path
        ``NAME.pulse``; made when absent, joined when another process made it.
    registry : Registry
        Says what the series numbers in the rows mean.
    host_name : str
        Stands in the name of the writer's folder.
    start_us : int
        Start of the session, microseconds since the epoch.
    about : mapping, optional
        JSON values about the run: title, simulated, versions. The first writer's count.
    reserve : Reserve
        What is left free on the disk.
    last_bytes : callable returning int or None
        Once no more rows come, the bytes that are still to be written: where they are few, they
        may use the reserve. None until then.
    shares : Shares, optional
        Which rows are written where several processes record; all of them unless given.
    now : callable
        Monotonic seconds.

    Raises
    ------
    StorageError
        If nothing can be written there.
    """

    def __init__(  # noqa: PLR0913  each is a decision of its caller
        self,
        directory: Path,
        registry: Registry,
        *,
        host_name: str,
        start_us: int,
        about: Mapping[str, Any] | None = None,
        reserve: Reserve | None = None,
        last_bytes: Callable[[], int | None] = lambda: None,
        shares: Shares | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.directory = directory
        self._registry = registry
        self._reserve = reserve or Reserve()
        self._last_bytes = last_bytes
        self._shares = shares
        self._now = now
        self._refused = ""
        self._held: list[Rows] = []
        self._held_bytes = 0
        self._number = 0
        self._journal: Journal | None = None
        self._journal_s = self._beat_s = self._room_s = now()
        self._require_room()
        claim: Claim | None = None
        try:
            self.run = start_run(directory, start_us, dict(about or {}))
            claim = Claim(directory, host_name, start_us)
            self._parts = Parts(claim.folder, registry, claim.about)
        except BaseException:
            # The caller tries again, each time with a new claim.
            if claim is not None:
                claim.withdraw()
            remove_empty(directory, young_s=0.0)
            raise
        self._claim, self.folder = claim, claim.folder

    @property
    def problem(self) -> str:
        """Why rows, or parts of rows, are not being written; empty while all is well."""
        return self._refused or self._parts.problem

    @property
    def bytes_written(self) -> int:
        """Bytes this writer's files have now."""
        current = self._journal.nbytes if self._journal is not None else 0
        return self._parts.nbytes + current

    def append(self, rows: Rows) -> None:
        """Write rows to the journal; when this returns, a kill of the process loses none.

        Raises
        ------
        StorageError
            If they could not be written. None of them is then in the recording: keep them
            and call again.
        """
        if self._shares is not None:
            rows = self._shares.of(rows)
        if not len(rows):
            return
        now = self._now()
        if self._refused or not 0 <= now - self._room_s < ROOM_S:
            self._room_s = now
            self._require_room()
            self._require_folder()
        try:
            if self._journal is None:
                self._journal = Journal(self.folder / journal_name(self._number), self._registry)
                self._journal_s = now
            self._journal.append(rows)
        except BaseException as exc:
            if isinstance(exc, StorageError):
                self._refused = exc.problem
            if self._journal is not None and self._journal.closed:
                self._close_journal()
            raise
        self._refused = ""
        self._held.append(rows)
        self._held_bytes += rows.nbytes
        if self._journal.rows >= PART_ROWS or self._held_bytes >= PART_BYTES:
            self._close_journal()
            self._parts.work(now)

    def beat(self, now: float | None = None) -> None:
        """See to what is due: the sign of life, the part of the minute, merging.

        Returns at once and never raises: what fails is tried again, and `problem` says why.
        """
        at = self._now() if now is None else now
        if at - self._beat_s >= HEARTBEAT_S:
            self._beat_s = at
            self._claim.beat()
        if self._refused:
            return  # a disk without room for a row has none for a part
        if self._journal is not None and at - self._journal_s >= PART_S:
            self._close_journal()
        self._parts.work(at)

    def describe(
        self,
        entities: Mapping[str, Mapping[str, Mapping[str, str]]] | None = None,
        **about: Any,  # any JSON value
    ) -> None:
        """Put labels of entities (host to entity to labels) and facts of the run on disk.

        Never raises: what cannot be written now is written with a later `beat`.
        """
        self._parts.describe(entities or {}, about)
        self._parts.work(self._now())

    def write_problems(self, problems: Sequence[str]) -> None:
        """Put on disk what is missing from the recording, in sentences; none when all is there.

        Never raises, and needs no room: that the disk has none is what it has to say.
        """
        self._claim.write_problems(problems)

    def close(self) -> None:
        """Close the journal and give up the lock; what was written stays as it is."""
        self._close_journal()
        self._parts.close()
        if self._shares is not None:
            self._shares.close()
        self._claim.release()

    def remove(self) -> None:
        """Remove what this writer wrote, and the directory where nobody else writes; it is closed.

        Never raises: what cannot be removed is a recording like any other.
        """
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)
        remove_empty(self.directory, young_s=0.0)

    def abandon(self) -> None:
        """Hold nothing of the parent's, in a forked child; write nothing."""
        if self._journal is not None:
            self._journal.close()
        if self._shares is not None:
            self._shares.abandon()
        self._claim.abandon()

    def _close_journal(self) -> None:
        journal, self._journal = self._journal, None
        rows, self._held, self._held_bytes = self._held, [], 0
        if journal is None:
            return
        journal.close()
        number, self._number = self._number, self._number + 1
        if rows:
            self._parts.add(PendingJournal(number, journal.path, journal.nbytes, rows))
        else:
            # The number is not used again, because the file may be one that cannot be removed.
            with contextlib.suppress(OSError):
                journal.path.unlink(missing_ok=True)

    def _require_room(self) -> None:
        refused = self._reserve.refused(self.directory)
        self._refused = refused.problem if refused is not None else ""
        if refused is None:
            return
        last = self._last_bytes()
        if last is None or not self._reserve.spares(self.directory, last):
            raise refused
        self._refused = ""

    def _require_folder(self) -> None:
        if not self._claim.stands():
            self._refused = (
                f"{self.folder} has vanished, and what was recorded there; nothing can be recorded "
                "there any more"
            )
            raise StorageError(self._refused, remedy="Call pw.stop() and start again.")

"""A writer's parts: made from closed journals, sixteen of a size merged into one."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import threading
import weakref
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, RecordingError, StorageError
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage.directory import ABOUT, PartName, part_name, plan_merge
from pulse_widgets.storage.disk import refusal, replace_file, sync
from pulse_widgets.storage.journal import columns_of_rows, read_journal
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.untrusted import as_ours, may_pass, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pulse_widgets.series.registry import Registry
    from pulse_widgets.storage.journal import JournalContent
    from pulse_widgets.storage.memory import MemorySegment
    from pulse_widgets.storage.segment import ParquetSegment

__all__ = ["Parts", "PendingJournal"]

AGAIN_S: Final = 30.0
"""How long a part or a merge that failed waits for the next try."""

IN_MEMORY: Final = 4
"""Closed journals whose rows are kept in memory until their parts are written."""


@dataclass(slots=True)
class PendingJournal:
    """A closed journal that has no part yet; its blocks of rows where they are still in memory."""

    number: int
    path: Path
    nbytes: int
    rows: list[Rows] | None
    count: int = field(init=False)
    torn: bool = False
    """Whether not everything in the journal could be read back."""

    def __post_init__(self) -> None:
        """Remember how many rows were accepted, when they are no longer in memory."""
        self.count = sum(map(len, self.rows or ()))


_workers: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _end() -> None:
    # A thread that is inside Arrow while the interpreter shuts down aborts the process.
    for worker in list(_workers):
        worker.join(5.0)


class Parts:
    """The parts of one writer's folder, and ``writer.json``, which lists them.

    Everything that takes long happens in a thread that lives while there is something to do,
    so that the writer's own thread never waits longer than a batch takes.

    Parameters
    ----------
    folder : Path
    registry : Registry
    about : mapping
        What ``writer.json`` says of the writer itself.
    """

    def __init__(self, folder: Path, registry: Registry, about: Mapping[str, Any]) -> None:
        self._trouble = ""
        self._lost: list[str] = []
        self._pending: deque[PendingJournal] = deque()
        self._folder = folder
        self._registry = registry
        self._about: dict[str, Any] = {**about, "entities": {}, "about": {}}
        self._sizes: dict[PartName, int] = {}
        self._rows: dict[PartName, int] = {}
        self._unsound: dict[PartName, str] = {}
        # `_lock` guards the attributes and is held for moments; `_door` guards the files and is
        # held while they are synced.
        self._lock = threading.Lock()
        self._door = threading.Lock()
        self._worker: threading.Thread | None = None
        self._ended = threading.Event()
        self._next_part_s = self._next_merge_s = -math.inf
        self._stale = False
        self._describe_file()

    @property
    def problem(self) -> str:
        """Why files could not be tidied, or what was lost of them; empty while all is well."""
        losses = [*self._unsound.values(), *self._lost]
        return self._trouble or (losses[-1] if losses else "")

    @property
    def nbytes(self) -> int:
        """Bytes of the parts, and of journals that wait to become parts."""
        with self._lock:
            return sum(self._sizes.values()) + sum(j.nbytes for j in self._pending)

    def add(self, journal: PendingJournal) -> None:
        """Take a closed journal, to be made a part soon."""
        with self._lock:
            if len(self._pending) >= IN_MEMORY:
                journal.rows = None  # they can be read back from the journal
            self._pending.append(journal)

    def describe(
        self, entities: Mapping[str, Mapping[str, Mapping[str, str]]], about: Mapping[str, Any]
    ) -> None:
        """Take labels of entities and facts of the run, to be put on disk soon."""
        with self._lock:
            for host, named in entities.items():
                held = self._about["entities"].setdefault(host, {})
                held.update({entity: dict(labels) for entity, labels in named.items()})
            self._about["about"].update(about)
            self._stale = True

    def work(self, now_s: float) -> None:
        """Start what is due: parts, descriptions, merging. Returns at once."""
        if self._ended.is_set() or (self._worker is not None and self._worker.is_alive()):
            return
        with self._lock:
            writes = bool(self._pending or self._stale) and now_s >= self._next_part_s
            merges = bool(self._window()) and now_s >= self._next_merge_s
        if writes or merges:
            worker = threading.Thread(
                target=self._work, args=(now_s,), name="pulse-parts", daemon=True
            )
            try:
                worker.start()
            except RuntimeError as exc:
                # For instance too many threads. The rows are in the journals meanwhile.
                self._trouble = f"The files in {self._folder} could not be tidied: {exc}"
                self._next_part_s = self._next_merge_s = now_s + AGAIN_S
                return
            self._worker = worker
            _workers.add(worker)

    def wait(self, seconds: float) -> None:
        """Wait until nothing is under way, at most so long."""
        if self._worker is not None:
            self._worker.join(seconds)

    def close(self) -> None:
        """Let nothing change any more; what is under way leaves the files as they are."""
        with self._door:
            self._ended.set()
            if self._stale:
                with contextlib.suppress(PulseError):
                    self._describe_file()
        self.wait(0.5)

    def _work(self, now_s: float) -> None:
        """Make parts and merge, in turns, until nothing is due."""
        try:
            more = True
            while more and not self._ended.is_set():
                wrote = now_s >= self._next_part_s and self._write_next(now_s)
                merged = now_s >= self._next_merge_s and self._merge(now_s)
                more = wrote or merged
        except Exception as exc:  # noqa: BLE001  the top of the thread; the files stand as they are
            self._trouble = f"The files in {self._folder} could not be tidied: {exc}"
            self._next_part_s = self._next_merge_s = now_s + AGAIN_S

    def _write_next(self, now_s: float) -> bool:
        """Write one part, or what changed of the description; return whether there was anything."""
        try:
            if not self._pending and not self._stale:
                return False
            if self._pending:
                self._write_part(self._pending[0])
            if self._stale:
                with self._door:
                    self._describe_file()
            self._trouble = ""
        except PulseError as exc:
            self._trouble = exc.problem
            self._next_part_s = now_s + AGAIN_S
            with self._lock:
                for later in self._pending:
                    later.rows = None
            return False
        return True

    def _write_part(self, journal: PendingJournal) -> None:
        with self._lock:
            # To the end of the queue first, so that one that fails does not hold up the others.
            self._pending.rotate(-1)
        try:
            with as_ours(journal.path, FileNotFoundError):
                segment = self._segment(journal)
                if not self._make_part(segment, journal):
                    return
        except FileNotFoundError:
            self._lose_journal(journal)
        if not journal.torn:
            journal.path.unlink(missing_ok=True)
        with self._lock:
            self._pending.remove(journal)

    # Imported when the first part is due, so that a recording starts sooner.

    def _make_part(self, segment: MemorySegment, journal: PendingJournal) -> bool:
        from pulse_widgets.storage.index import Catalog
        from pulse_widgets.storage.merge import merge_segments

        fresh = self._folder / ".part"
        catalog = Catalog()
        catalog.add(self._registry.since(0))
        with self._lock:
            catalog.label(self._about["entities"])
        stopped = self._ended.is_set
        if not merge_segments(
            [segment], fresh, dict, final=False, catalog=catalog, stopped=stopped
        ):
            return False
        name, rows = PartName(journal.number, journal.number), sum(e.rows for e in segment.entries)
        with self._door:
            return self._put(fresh, name, rows)

    def _segment(self, journal: PendingJournal) -> MemorySegment:
        from pulse_widgets.storage.memory import MemorySegment

        if journal.rows is None:
            content = read_journal(Local(journal.path))
            if content.dropped_bytes:
                self._report_torn(journal, content)
            return MemorySegment(content.series, content.columns, content.infos)
        rows = Rows.concat(journal.rows)
        infos = {info.id: info for info in self._registry.since(0)}
        return MemorySegment(rows.series, columns_of_rows(rows), infos)

    def _report_torn(self, journal: PendingJournal, content: JournalContent) -> None:
        """Report that a journal was damaged before it became a part.

        On the disk before the part is, or a crash in between would leave a part that is short
        and nobody who says so. The journal itself is kept.
        """
        from pulse_widgets.storage.folder import lost_end

        journal.torn = True
        name = f"{self._folder.name}/{journal.path.name}"
        lost = journal.count - len(content.series)
        self._lose(f"{lost_end(name, content)}, {lost} rows of {journal.count}")

    def _lose_journal(self, journal: PendingJournal) -> None:
        if not self._folder.exists():
            raise StorageError(f"{self._folder} has vanished", remedy="Start a new recording.")
        name = f"{self._folder.name}/{journal.path.name}"
        self._lose(f"{name} has vanished before its part was made, with {journal.count} rows")

    def _lose(self, sentence: str) -> None:
        if sentence not in self._lost:
            self._lost.append(sentence)
        with self._door:
            # Once this is closed, others may change the folder.
            if not self._ended.is_set():
                self._describe_file()

    def _put(self, fresh: Path, name: PartName, rows: int) -> bool:
        """Give a written part its name, on the disk before anything it replaces goes.

        Not once the writer is closed: whoever closed it may be reading the folder by now.
        """
        if self._ended.is_set():
            return False
        path = self._folder / part_name(name)
        try:
            size = fresh.stat().st_size
            fresh.rename(path)
            sync(self._folder)
        except OSError as exc:
            raise refusal(exc, path) from exc
        with self._lock:
            for part in [p for p in self._sizes if name.first <= p.first and p.last <= name.last]:
                del self._sizes[part], self._rows[part]
            self._sizes[name], self._rows[name] = size, rows
        self._describe_file()
        return True

    def _window(self) -> list[PartName]:
        """Return what to merge: nothing that spans a journal without a part, or a damaged part."""
        parts = sorted(self._sizes.keys() - self._unsound.keys())
        apart = [*(j.number for j in self._pending), *(part.first for part in self._unsound)]
        return plan_merge(parts, apart)

    def _merge(self, now_s: float) -> bool:
        """Merge sixteen parts of a size; return whether there were any."""
        with self._lock:
            window = self._window()
        if not window:
            return False
        try:
            segments = self._opened(window)
            if segments is not None:
                self._merge_window(window, segments)
        except PulseError as exc:
            self._trouble = exc.problem
            self._next_merge_s = now_s + AGAIN_S
            return False
        return True

    def _opened(self, window: Sequence[PartName]) -> list[ParquetSegment] | None:
        """Open parts; None where one is damaged, which is left out of merging from then on."""
        from pulse_widgets.storage.segment import ParquetSegment

        segments: list[ParquetSegment] = []
        for part in window:
            path = self._folder / part_name(part)
            try:
                with as_ours(path):
                    segments.append(ParquetSegment(Local(path)))
            except RecordingError as exc:
                if may_pass(exc):
                    raise
                self._set_apart(part)
        return segments if len(segments) == len(window) else None

    def _merge_window(self, window: Sequence[PartName], segments: Sequence[ParquetSegment]) -> None:
        from pulse_widgets.storage.damage import is_damaged
        from pulse_widgets.storage.merge import merge_segments

        fresh, stopped = self._folder / ".merged", self._ended.is_set
        rows = sum(entry.rows for segment in segments for entry in segment.entries)
        try:
            with as_ours(self._folder):
                whole = merge_segments(segments, fresh, dict, final=False, stopped=stopped)
        finally:
            for segment in segments:
                segment.close()
        broken = [p for p, s in zip(window, segments, strict=True) if is_damaged(s)]
        if broken:
            for part in broken:
                self._set_apart(part)
            return
        with self._door:
            name = PartName(window[0].first, window[-1].last)
            whole = whole and self._put(fresh, name, rows)
        for part in window if whole else ():
            (self._folder / part_name(part)).unlink(missing_ok=True)

    def _set_apart(self, part: PartName) -> None:
        """Merge a damaged part no more: its rows stay where they are, and so do those of others."""
        loss = f"{self._folder.name}/{part_name(part)} is damaged; it had {self._rows[part]} rows"
        with self._lock:
            self._unsound[part] = loss

    def _describe_file(self) -> None:
        with self._lock:
            parts = {part_name(part): size for part, size in sorted(self._sizes.items())}
            rows = {part_name(part): count for part, count in sorted(self._rows.items())}
            about = self._about["about"]
            problems = [*sentences(about.get("problems")), *self._lost]
            if problems:
                about = {**about, "problems": problems}
            content = json.dumps({**self._about, "about": about, "parts": parts, "rows": rows})
            self._stale = False
        try:
            replace_file(self._folder / ABOUT, content.encode())
        except PulseError:
            self._stale = True
            raise

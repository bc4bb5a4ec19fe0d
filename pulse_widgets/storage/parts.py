"""A writer's parts: made from closed journals, sixteen of a size merged into one."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError
from pulse_widgets.series.log import Rows
from pulse_widgets.storage.directory import ABOUT, PartName, part_name, plan_merge
from pulse_widgets.storage.disk import refusal, replace_file, sync
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.journal import columns_of_rows, read_journal
from pulse_widgets.storage.merge import merge_segments
from pulse_widgets.storage.segment import MemorySegment, ParquetSegment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pulse_widgets.series.log import Registry

__all__ = ["Owed", "Parts"]

AGAIN_S: Final = 30.0
"""How long a part or a merge that failed waits for the next try."""

IN_MEMORY: Final = 4
"""Closed journals whose rows are kept in memory until their parts are written."""


@dataclass(slots=True)
class Owed:
    """A closed journal that has no part yet; its blocks of rows where they are still in memory."""

    number: int
    path: Path
    nbytes: int
    rows: list[Rows] | None


_workers: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _end() -> None:
    # A thread that is inside Arrow when the interpreter goes would abort the process.
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
        self.problem = ""
        self._owed: list[Owed] = []
        self._folder = folder
        self._registry = registry
        self._about: dict[str, Any] = {**about, "entities": {}, "about": {}}
        self._sizes: dict[PartName, int] = {}
        # One for what is known, held for moments; one for what is on disk, held while it syncs.
        self._lock = threading.Lock()
        self._door = threading.Lock()
        self._worker: threading.Thread | None = None
        self._ended = threading.Event()
        self._next_pay_s = self._next_merge_s = -math.inf
        self._stale = False
        self._describe_file()

    @property
    def nbytes(self) -> int:
        """Bytes of the parts, and of journals that wait to become parts."""
        with self._lock:
            return sum(self._sizes.values()) + sum(owed.nbytes for owed in self._owed)

    def owe(self, owed: Owed) -> None:
        """Take a closed journal, to be made a part soon."""
        with self._lock:
            if len(self._owed) >= IN_MEMORY:
                owed.rows = None  # they are in the journal; memory is not for waiting
            self._owed.append(owed)

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
            pays = bool(self._owed or self._stale) and now_s >= self._next_pay_s
            merges = bool(self._window()) and now_s >= self._next_merge_s
        if pays or merges:
            worker = threading.Thread(
                target=self._work, args=(now_s,), name="pulse-parts", daemon=True
            )
            try:
                worker.start()
            except RuntimeError as exc:
                # No memory for another thread, say; the journals hold everything meanwhile.
                self.problem = f"The files in {self._folder} could not be tidied: {exc}"
                self._next_pay_s = self._next_merge_s = now_s + AGAIN_S
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
                paid = now_s >= self._next_pay_s and self._pay(now_s)
                merged = now_s >= self._next_merge_s and self._merge(now_s)
                more = paid or merged
        except Exception as exc:  # noqa: BLE001  the top of the thread; the files stand as they are
            self.problem = f"The files in {self._folder} could not be tidied: {exc}"
            self._next_pay_s = self._next_merge_s = now_s + AGAIN_S

    def _pay(self, now_s: float) -> bool:
        """Write what is owed, one part at most; return whether there was anything."""
        try:
            if not self._owed and not self._stale:
                return False
            if self._owed:
                self._write_part(self._owed[0])
            if self._stale:
                with self._door:
                    self._describe_file()
            self.problem = ""
        except PulseError as exc:
            self.problem = exc.problem
            self._next_pay_s = now_s + AGAIN_S
            with self._lock:
                for later in self._owed:
                    later.rows = None
            return False
        return True

    def _write_part(self, owed: Owed) -> None:
        fresh = self._folder / ".part"
        catalog = Catalog()
        catalog.add(self._registry.since(0))
        with self._lock:
            catalog.label(self._about["entities"])
        segments, stopped = [self._segment(owed)], self._ended.is_set
        if merge_segments(segments, fresh, {}, final=False, catalog=catalog, stopped=stopped):
            with self._door:
                if not self._put(fresh, PartName(owed.number, owed.number)):
                    return
            owed.path.unlink(missing_ok=True)
            with self._lock:
                self._owed.remove(owed)

    def _segment(self, owed: Owed) -> MemorySegment:
        if owed.rows is None:
            content = read_journal(owed.path)
            return MemorySegment(content.series, content.columns, content.infos)
        rows = Rows.concat(owed.rows)
        infos = {info.id: info for info in self._registry.since(0)}
        return MemorySegment(rows.series, columns_of_rows(rows), infos)

    def _put(self, fresh: Path, name: PartName) -> bool:
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
                del self._sizes[part]
            self._sizes[name] = size
        self._describe_file()
        return True

    def _window(self) -> list[PartName]:
        return plan_merge(sorted(self._sizes), [owed.number for owed in self._owed])

    def _merge(self, now_s: float) -> bool:
        """Merge sixteen parts of a size; return whether there were any."""
        with self._lock:
            window = self._window()
        if not window:
            return False
        paths = [self._folder / part_name(part) for part in window]
        fresh, stopped = self._folder / ".merged", self._ended.is_set
        try:
            segments = [ParquetSegment(path) for path in paths]
            whole = merge_segments(segments, fresh, {}, final=False, stopped=stopped)
            for segment in segments:
                segment.close()
            with self._door:
                whole = whole and self._put(fresh, PartName(window[0].first, window[-1].last))
            for path in paths if whole else ():
                path.unlink(missing_ok=True)
        except PulseError as exc:
            self.problem = exc.problem
            self._next_merge_s = now_s + AGAIN_S
            return False
        return True

    def _describe_file(self) -> None:
        with self._lock:
            parts = {part_name(part): size for part, size in sorted(self._sizes.items())}
            content = json.dumps({**self._about, "parts": parts})
            self._stale = False
        try:
            replace_file(self._folder / ABOUT, content.encode())
        except PulseError:
            self._stale = True
            raise

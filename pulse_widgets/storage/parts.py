"""A writer's parts: made from closed journals, sixteen of a size merged into one."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError
from pulse_widgets.storage.directory import ABOUT, PartName, part_name, plan_merge
from pulse_widgets.storage.disk import refusal, replace_file, sync
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.journal import read_journal, text_columns
from pulse_widgets.storage.merge import merge_segments
from pulse_widgets.storage.schema import Columns
from pulse_widgets.storage.segment import MemorySegment, ParquetSegment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pulse_widgets.series.log import Registry, Rows

__all__ = ["Owed", "Parts"]

AGAIN_S: Final = 30.0
"""How long a part or a merge that failed waits for the next try."""


@dataclass(slots=True)
class Owed:
    """A closed journal that has no part yet; its rows where they are still in memory."""

    number: int
    path: Path
    nbytes: int
    rows: Rows | None


class Parts:
    """The parts of one writer's folder, and ``writer.json``, which lists them.

    `pay` and `describe` are called from the writer's thread; merging has its own.

    Parameters
    ----------
    folder : Path
    registry : Registry
    about : mapping
        What ``writer.json`` says of the writer itself.
    """

    def __init__(self, folder: Path, registry: Registry, about: Mapping[str, Any]) -> None:
        self.problem = ""
        self.owed: list[Owed] = []
        self._folder = folder
        self._registry = registry
        self._about: dict[str, Any] = {**about, "entities": {}, "about": {}}
        self._sizes: dict[PartName, int] = {}
        self._lock = threading.RLock()
        self._merging: threading.Thread | None = None
        self._ended = threading.Event()
        self._next_pay_s = self._next_merge_s = -math.inf
        self._stale = False
        self._describe_file()

    @property
    def nbytes(self) -> int:
        """Bytes of the parts, and of journals that wait to become parts."""
        with self._lock:
            return sum(self._sizes.values()) + sum(owed.nbytes for owed in self.owed)

    def describe(
        self, entities: Mapping[str, Mapping[str, Mapping[str, str]]], about: Mapping[str, Any]
    ) -> None:
        """Take labels of entities and facts of the run; `pay` puts them on disk."""
        with self._lock:
            for host, named in entities.items():
                held = self._about["entities"].setdefault(host, {})
                held.update({entity: dict(labels) for entity, labels in named.items()})
            self._about["about"].update(about)
            self._stale = True

    def pay(self, now_s: float) -> None:
        """Write the parts and descriptions that are owed; on failure try again later.

        The journals stay until their parts are there.
        """
        if not (self.owed or self._stale) or now_s < self._next_pay_s:
            return
        try:
            while self.owed:
                self._write_part(self.owed[0])
                with self._lock:
                    self.owed.pop(0)
            if self._stale:
                self._describe_file()
            self.problem = ""
        except PulseError as exc:
            self.problem = exc.problem
            self._next_pay_s = now_s + AGAIN_S
            for later in self.owed:
                later.rows = None  # they are in the journal; memory is not for waiting

    def merge_in_idle_time(self, now_s: float) -> None:
        """Start merging in a thread of its own when sixteen parts of a size are there."""
        if now_s < self._next_merge_s or (self._merging is not None and self._merging.is_alive()):
            return
        with self._lock:
            window = plan_merge(sorted(self._sizes), [owed.number for owed in self.owed])
        if window and not self._ended.is_set():
            self._next_merge_s = now_s + 1.0
            self._merging = threading.Thread(
                target=self._merge, args=(window,), name="pulse-merge", daemon=True
            )
            self._merging.start()

    def close(self) -> None:
        """Let nothing change any more; a merge under way leaves the parts as they are."""
        with self._lock:
            self._ended.set()
            if self._stale:
                with contextlib.suppress(PulseError):
                    self._describe_file()
        if self._merging is not None:
            self._merging.join(0.5)

    def _write_part(self, owed: Owed) -> None:
        fresh = self._folder / ".part"
        catalog = Catalog(entities=self._about["entities"])
        catalog.add(self._registry.since(0))
        merge_segments([self._segment(owed)], fresh, {}, final=False, catalog=catalog)
        self._put(fresh, PartName(owed.number, owed.number))
        owed.path.unlink(missing_ok=True)

    def _segment(self, owed: Owed) -> MemorySegment:
        if owed.rows is None:
            content = read_journal(owed.path)
            return MemorySegment(content.series, content.columns, content.infos)
        rows = owed.rows
        columns = Columns(rows.time, rows.step, rows.value, *text_columns(rows))
        infos = {info.id: info for info in self._registry.since(0)}
        return MemorySegment(rows.series, columns, infos)

    def _put(self, fresh: Path, name: PartName) -> None:
        """Give a written part its name, on the disk before anything it replaces goes."""
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

    def _merge(self, window: list[PartName]) -> None:
        fresh = self._folder / ".merged"
        try:
            segments = [ParquetSegment(self._folder / part_name(part)) for part in window]
            whole = merge_segments(segments, fresh, {}, final=False, stopped=self._ended.is_set)
            for segment in segments:
                segment.close()
            with self._lock:
                # Whoever closed the writer may be reading the parts by now.
                if whole and not self._ended.is_set():
                    self._put(fresh, PartName(window[0].first, window[-1].last))
                    for part in window:
                        (self._folder / part_name(part)).unlink(missing_ok=True)
        except Exception as exc:  # noqa: BLE001  the top of the thread; the parts stand as they are
            self.problem = f"Parts of {self._folder} could not be merged: {exc}"
            self._next_merge_s += AGAIN_S

    def _describe_file(self) -> None:
        with self._lock:
            parts = {part_name(part): size for part, size in sorted(self._sizes.items())}
            content = json.dumps({**self._about, "parts": parts})
            replace_file(self._folder / ABOUT, content.encode())
            self._stale = False

"""Stretches of a recording that can be read by series: Parquet files here, rows in `memory`.

A finished file is one segment; a running directory is its parts and the rows of its
journals. Whatever a recording is made of, the rest of the program sees segments only.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final, Protocol

from pulse_widgets.errors import RecordingError
from pulse_widgets.series.columns import Columns, SeriesKey, join
from pulse_widgets.storage.arrow.convert import DAMAGE, KEYS
from pulse_widgets.storage.arrow.files import COLUMNS, GroupReader
from pulse_widgets.storage.arrow.salvage import salvaged
from pulse_widgets.storage.gpus import entity_called
from pulse_widgets.storage.index import (
    Catalog,
    Entry,
    decode_index,
    group_index,
    index_of,
    index_problem,
)
from pulse_widgets.storage.limits import MOST_FOOTER, MOST_GROUP_BYTES, MOST_GROUP_ROWS
from pulse_widgets.storage.parquet.seal import check_footer
from pulse_widgets.storage.place import CachedFile
from pulse_widgets.storage.untrusted import may_pass
from pulse_widgets.storage.version import check_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pulse_widgets.series.registry import SeriesInfo
    from pulse_widgets.storage.parquet.seal import Footer
    from pulse_widgets.storage.place import Place

__all__ = [
    "OtherWriterError",
    "ParquetSegment",
    "Segment",
    "Want",
    "columns_of",
    "rehosted",
    "stripped",
]

NO_GPUS: Final[Mapping[tuple[str, str], str]] = {}
CHECKED_GROUPS: Final = 64
"""Row groups of several series whose index is held against their rows when a file is opened."""


@dataclass(frozen=True, slots=True)
class Want:
    """What to read.

    Attributes
    ----------
    start, end : int or None
        Microseconds; a segment may give rows outside, never leave out rows inside.
    payload : bool
        Whether text and data are wanted.
    """

    start: int | None = None
    end: int | None = None
    payload: bool = True

    def touches(self, entry: Entry) -> bool:
        """Return whether the entry may have rows that are wanted."""
        late = self.end is not None and entry.start >= self.end
        return not late and (self.start is None or entry.end >= self.start)


class Segment(Protocol):
    """Rows that lie together, sorted by series and time."""

    @property
    def entries(self) -> Sequence[Entry]:
        """What is there, in order of key."""

    @property
    def catalog(self) -> Catalog:
        """What the series are."""

    @property
    def problems(self) -> Sequence[str]:
        """What could not be read so far, in sentences."""

    def read(self, keys: Sequence[SeriesKey], want: Want) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield the rows of the series `keys`, which are sorted, in order."""


def columns_of(segments: Sequence[Segment], key: SeriesKey, want: Want | None = None) -> Columns:
    """Return the rows of one series from all segments, in order of time."""
    limits = want or Want()
    # Copied, because a view would keep its whole row group in memory.
    pieces = [columns.copy() for s in segments for _, columns in s.read([key], limits)]
    return join(pieces).between(limits.start, limits.end)


class OtherWriterError(RecordingError):
    """The file is not one that this program wrote; `foreign` may be able to read it."""


class ParquetSegment:
    """A part, or a finished file.

    Rows that are damaged are left out, counted in `lost` and named in `problems`; all others
    are read.

    Parameters
    ----------
    place : Place
    keep : bool
        Keep the file open between reads; it can then be read even when somebody removes it.

    Attributes
    ----------
    place : Place
    file : CachedFile
        What is there, opened once: whatever is read of it is read through this.
    sealed : bool
        Whether the file has checksums of its own.
    lost : mapping of int to int
        Row group to the rows of it that could not be read, as far as it was looked at.

    Raises
    ------
    OtherWriterError
        If another program wrote the file.
    RecordingError
        If its description is damaged.
    FormatVersionError
        If a newer program wrote it.
    FileNotFoundError
        If there is none; a merged part may have taken its place meanwhile.
    """

    def __init__(self, place: Place, *, keep: bool = True) -> None:
        self.place = place
        self.file = CachedFile(place.open())
        self.lost: dict[int, int] = {}
        self.sealed = False
        self._lock = threading.Lock()
        self._checked: set[tuple[int, str]] = set()
        with _reading(place), self.file.caching():
            self.file.read_tail()
            footer = check_footer(self.file)
            self.sealed = footer.sealed
            self._reader = self._open(keep=keep)
            self.marks = self._reader.marks
            self._require_own()
            _check_groups(self._reader)
            self._sums = self._column_sums(footer)
            self.entries = self._index()
            keys = list(dict.fromkeys(entry.key for entry in self.entries))
            self.catalog = Catalog.decode(self.marks.get(b"pulse.catalog", b"{}"), keys)
        self._list_names()
        if not keep:
            self.file.close()

    @property
    def name(self) -> str:
        """Its name within its recording, where every writer has parts of the same names."""
        name = self.place.name
        return f"{self.place.parent.name}/{name}" if name.startswith("part-") else name

    @property
    def problems(self) -> Sequence[str]:
        """What could not be read so far, in sentences."""
        rows, left_out = sum(self.lost.values()), self.catalog.left_out
        what = "row is" if rows == 1 else "rows are"
        damage = [f"{rows} {what} damaged in {self.name} and left out"] if rows else []
        return [*damage, f"{self.name} is without {left_out}: too many"] if left_out else damage

    def close(self) -> None:
        """Give the file handle back; from now on each read opens the file anew."""
        self._reader.close()
        self.file.close()

    def read(self, keys: Sequence[SeriesKey], want: Want) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield the rows of the series `keys`, reading each row group once."""
        chosen = [e for e in self._chosen(keys) if want.touches(e)]
        for group, entries in groupby(chosen, key=lambda e: e.row_group):
            yield from self._group(group, list(entries), want)

    def _open(self, *, keep: bool) -> GroupReader:
        return GroupReader(self.file, MOST_FOOTER, keep=keep)

    def _column_sums(self, footer: Footer) -> NDArray[np.uint32] | None:
        return footer.sums(self._reader.groups, len(COLUMNS))

    def _require_own(self) -> None:
        self._check_version()
        keys = {b"pulse.version", b"pulse.index"}
        if not (self.sealed and self._reader.own and keys <= self.marks.keys()):
            raise _of_another(self.place, "its columns, keys or checksums are not ours")

    def _check_version(self) -> None:
        version = self.marks.get(b"pulse.version")
        if version is not None:
            check_version(version.decode("ascii", "replace"), str(self.place))

    def _group(
        self, group: int, entries: list[Entry], want: Want
    ) -> Iterator[tuple[SeriesKey, Columns]]:
        texts = want.payload and any(e.text_bytes for e in entries)
        blobs = want.payload and any(e.data_bytes for e in entries)
        names = ("time", "step", "value", *["text"] * texts, *["data"] * blobs)
        try:
            with self.file.caching():
                whole, lost = self._read(group, names)
        except FileNotFoundError as exc:
            raise RecordingError(
                f"{self.place} is no longer there; it was merged or finished meanwhile",
                remedy="Open the recording again.",
            ) from exc
        except DAMAGE as exc:
            if may_pass(exc):
                raise RecordingError(
                    f"{self.place} cannot be read just now: {exc}"[:300],
                    remedy="Nothing is lost. Free memory or file handles, and try again.",
                ) from exc
            whole, lost = Columns.empty(), None
            self._lose(group, self._reader.group_rows(group))
        for entry in entries if len(whole) else ():
            part = slice(entry.first_row, entry.first_row + entry.rows)
            cut = whole.cut(part.start, part.stop)
            if lost is not None:
                cut = cut.take(~lost[part])
            yield entry.key, stripped(cut, entry, want)

    def _read(self, group: int, names: Sequence[str]) -> tuple[Columns, NDArray[np.bool_] | None]:
        """Return the rows of a row group, and which of them are damaged, where some are."""
        rows = self._reader.group_rows(group)
        if self._is_sound(group, names):
            whole = self._reader.read(group, names)
            if len(whole) != rows:
                raise ValueError("a row group has other rows than its footer says")
            return whole, None
        whole, lost = salvaged(self.file, group, names)
        self._lose(group, int(lost.sum()))
        return whole, lost

    def _is_sound(self, group: int, names: Sequence[str]) -> bool:
        """Return whether columns of a row group match their checksums, where they have any."""
        fresh = [name for name in names if (group, name) not in self._checked]
        if self._sums is None or not fresh:
            return group not in self.lost
        wanted = [int(self._sums[group, COLUMNS.index(name)]) for name in fresh]
        if self._reader.chunk_sums(group, fresh) != wanted:
            return False
        self._checked.update((group, name) for name in fresh)
        return True

    def _lose(self, group: int, rows: int) -> None:
        with self._lock:
            self.lost[group] = max(rows, self.lost.get(group, 0))

    def _chosen(self, keys: Sequence[SeriesKey]) -> list[Entry]:
        if not self.sorted or len(keys) > len(self._names):
            wanted = set(keys)
            return [e for e in self.entries if e.key in wanted]
        chosen: list[Entry] = []
        for key in keys:
            place = bisect_left(self._names, key)
            while place < len(self._names) and self._names[place] == key:
                chosen.append(self.entries[place])
                place += 1
        return chosen

    def _index(self) -> list[Entry]:
        try:
            entries = decode_index(self.marks.get(b"pulse.index", b""))
            problem = index_problem(entries, self._reader) or self._lie(entries)
        except DAMAGE as exc:
            entries, problem = [], f"the index cannot be read: {exc}"
        if not problem:
            return entries
        if b"pulse.run" in self.marks:
            # Another program changed the rows and kept our keys. The catalog names series by
            # their number in the index, so it is wrong as well.
            raise _of_another(self.place, problem)
        return index_of(self._reader)

    def _lie(self, entries: Sequence[Entry]) -> str:
        """Return how an index contradicts the rows; a part, which we wrote just now, is believed.

        Where a row group has one series, its statistics have said so already.
        """
        if b"pulse.run" not in self.marks:
            return ""
        shared = [g for _, g in groupby(entries, key=lambda e: e.row_group)]
        several = [group for group in map(list, shared) if len(group) > 1]
        for held in several[:CHECKED_GROUPS]:
            with self.file.caching():
                if not self._is_sound(held[0].row_group, (*KEYS, "time")):
                    continue  # the rows are damaged; the index, which has a checksum, is right
                real = group_index(self._reader, held[0].row_group)
            said = [(e.key, e.first_row, e.rows, e.start, e.end) for e in held]
            if said != [(e.key, e.first_row, e.rows, e.start, e.end) for e in real]:
                return "the index names other series than the rows"
        return ""

    def rehost(
        self, hosts: Mapping[str, str], gpus: Mapping[tuple[str, str], str] = NO_GPUS
    ) -> None:
        """Call some hosts and GPUs otherwise, see `rehosted`. Nothing is read for it."""
        self.entries = [replace(e, key=rekeyed(e.key, hosts, gpus)) for e in self.entries]
        old, self.catalog = self.catalog, Catalog()
        self.catalog.add(rehosted(info, hosts, gpus) for info in old.infos.values())
        self._list_names()

    def _list_names(self) -> None:
        self._names = [entry.key for entry in self.entries]
        self.sorted = all(a <= b for a, b in zip(self._names, self._names[1:], strict=False))


def _of_another(place: Place, why: str) -> OtherWriterError:
    return OtherWriterError(
        f"{place} was written by another program: {why[:200]}",
        remedy="Open it by itself; it cannot be a part of a running recording.",
    )


class _reading:  # noqa: N801  reads as a statement
    """Turns what is raised on damaged bytes into our error."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, (RecordingError, FileNotFoundError)):
            return
        if isinstance(exc, DAMAGE):
            raise RecordingError(
                f"{self._place} cannot be read as a recording: {str(exc)[:200]}",
                remedy="It is damaged or not a pulse recording; use another copy of it.",
            ) from exc


def _check_groups(reader: GroupReader) -> None:
    for place in range(reader.groups):
        rows, nbytes = reader.group_rows(place), reader.group_bytes(place)
        if rows > MOST_GROUP_ROWS or nbytes > MOST_GROUP_BYTES:
            raise ValueError("it has a row group larger than any row group")


def stripped(columns: Columns, entry: Entry, want: Want) -> Columns:
    """Return rows without the texts and payloads that are not wanted, or not there."""
    text = columns.text if want.payload and entry.text_bytes else None
    data = columns.data if want.payload and entry.data_bytes else None
    return replace(columns, text=text, data=data)


def rekeyed(
    key: SeriesKey, hosts: Mapping[str, str], gpus: Mapping[tuple[str, str], str]
) -> SeriesKey:
    """Return a key with its host and its GPU called otherwise, see `rehosted`."""
    entity = entity_called(key.entity, key.host, gpus) if gpus else key.entity
    return SeriesKey(hosts.get(key.host, key.host), entity, key.metric)


def rehosted(
    info: SeriesInfo, hosts: Mapping[str, str], gpus: Mapping[tuple[str, str], str] = NO_GPUS
) -> SeriesInfo:
    """Return a series with its host and its GPU called otherwise.

    Parameters
    ----------
    info : SeriesInfo
    hosts : mapping of str to str
        The new ids of hosts.
    gpus : mapping of (host, entity) to str
        What GPUs are called, by the names that they had, also that of their host.
    """
    key = SeriesKey(info.host, info.entity, info.metric)
    called = rekeyed(key, hosts, gpus)
    return info if called == key else replace(info, host=called.host, entity=called.entity)

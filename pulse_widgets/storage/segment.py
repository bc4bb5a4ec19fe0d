"""Stretches of a recording that can be read by series: a Parquet file, or rows in memory.

A finished file is one segment; a running directory is its parts and the rows of its
journals. Whatever a recording is made of, the rest of the program sees segments only.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.errors import RecordingError
from pulse_widgets.storage.index import Catalog, Entry, decode_index, index_of, index_problem
from pulse_widgets.storage.schema import (
    MOST_FOOTER,
    MOST_GROUP_BYTES,
    MOST_GROUP_ROWS,
    TIDY,
    Columns,
    SeriesKey,
    join,
    payload_bytes,
)
from pulse_widgets.storage.untrusted import regular_size
from pulse_widgets.storage.version import check_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.series.log import SeriesInfo

__all__ = ["MemorySegment", "ParquetSegment", "Segment", "Want", "columns_of"]

_ERRORS: Final = (pa.ArrowException, OSError, MemoryError, ValueError, KeyError, TypeError)


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

    def read(self, keys: Sequence[SeriesKey], want: Want) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield the rows of the series `keys`, which are sorted, in order."""


def columns_of(segments: Sequence[Segment], key: SeriesKey, want: Want | None = None) -> Columns:
    """Return the rows of one series from all segments, in order of time."""
    asked = want or Want()
    pieces = [columns for s in segments for _, columns in s.read([key], asked)]
    return join(pieces).between(asked.start, asked.end)


class MemorySegment:
    """Rows in order of arrival, sorted once.

    Parameters
    ----------
    series : (n,) int32
    columns : Columns
    infos : mapping of int to SeriesInfo
        What each number in `series` is.
    hosts : mapping of str to str
        Host ids to be called otherwise.
    """

    def __init__(
        self,
        series: NDArray[np.int32],
        columns: Columns,
        infos: Mapping[int, SeriesInfo],
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        named = {i: _rehosted(info, hosts or {}) for i, info in infos.items()}
        keys = sorted({SeriesKey(x.host, x.entity, x.metric) for x in named.values()})
        place = {key: k for k, key in enumerate(keys)}
        rank = np.zeros(max(named, default=-1) + 1, np.int64)
        for number, x in named.items():
            rank[number] = place[SeriesKey(x.host, x.entity, x.metric)]
        ranks = rank[series]
        order = np.lexsort((columns.time, ranks))
        self._columns = columns.take(order)
        edges = np.searchsorted(ranks[order], np.arange(len(keys) + 1))
        self.catalog = Catalog()
        self.catalog.add(named.values())
        self.entries = [
            self._entry(key, int(first), int(end))
            for key, first, end in zip(keys, edges[:-1], edges[1:], strict=True)
            if end > first
        ]
        self._of = {entry.key: entry for entry in self.entries}

    def read(self, keys: Sequence[SeriesKey], want: Want) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield the rows of the series `keys`."""
        for key in keys:
            entry = self._of.get(key)
            if entry is not None and want.touches(entry):
                cut = self._columns.cut(entry.first_row, entry.first_row + entry.rows)
                yield key, _stripped(cut, entry, want)

    def _entry(self, key: SeriesKey, first: int, end: int) -> Entry:
        cut = self._columns.cut(first, end)
        span = (int(cut.time[0]), int(cut.time[-1]))
        sizes = (payload_bytes(cut.text), payload_bytes(cut.data))
        return Entry(key, 0, first, end - first, *span, *sizes)


class ParquetSegment:
    """A part, or a finished file.

    Parameters
    ----------
    path : Path
    hosts : mapping of str to str
        Host ids to be called otherwise.

    Raises
    ------
    RecordingError
        If the file is not one of ours, or is damaged.
    FormatVersionError
        If a newer program wrote it.
    FileNotFoundError
        If there is none; a merged part may have taken its place meanwhile.
    """

    def __init__(self, path: Path, hosts: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.size = regular_size(path)
        self._metadata: Any = None
        self._file: Any = None
        self._lock = threading.Lock()
        with _reading(path):
            _check_footer(path, self.size)
            file = self._opened()
            self.marks: dict[bytes, bytes] = file.metadata.metadata or {}
            check_version(
                self.marks.get(b"pulse.version", b"").decode("ascii", "replace"), str(path)
            )
            _check_groups(file)
            self.entries = self._index(file)
            keys = list(dict.fromkeys(entry.key for entry in self.entries))
            self.catalog = Catalog.decode(self.marks.get(b"pulse.catalog", b"{}"), keys)
        if hosts:
            self._rehost(hosts)
        self._names = [entry.key for entry in self.entries]
        self.sorted = all(a <= b for a, b in zip(self._names, self._names[1:], strict=False))

    def close(self) -> None:
        """Give the file handle back; the next read opens the file anew."""
        with self._lock:
            if self._file is not None:
                self._file.close(force=True)
                self._file = None

    def read(self, keys: Sequence[SeriesKey], want: Want) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield the rows of the series `keys`, reading each row group once."""
        chosen = [e for e in self._chosen(keys) if want.touches(e)]
        try:
            with _reading(self.path):
                for group, entries in groupby(chosen, key=lambda e: e.row_group):
                    yield from self._group(group, list(entries), want)
        except FileNotFoundError as exc:
            raise RecordingError(
                f"{self.path} is no longer there; it was merged or finished meanwhile",
                remedy="Open the recording again.",
            ) from exc

    def _group(
        self, group: int, entries: list[Entry], want: Want
    ) -> Iterator[tuple[SeriesKey, Columns]]:
        names = ["time", "step", "value"]
        texts = want.payload and any(e.text_bytes for e in entries)
        blobs = want.payload and any(e.data_bytes for e in entries)
        names += ["text"] * texts + ["data"] * blobs
        with self._lock:  # a recording may be drawn by one thread and asked by another
            table = self._opened().read_row_group(group, columns=names, use_threads=False)
        one = {name: _single(table[name]) for name in names}
        whole = Columns(
            one["time"].cast(pa.int64()).to_numpy(),
            one["step"].to_numpy(),
            one["value"].to_numpy(),
            one.get("text"),
            one.get("data"),
        )
        for entry in entries:
            cut = whole.cut(entry.first_row, entry.first_row + entry.rows)
            if len(cut) != entry.rows:
                raise ValueError("a row group has fewer rows than the index says")
            yield entry.key, _stripped(cut, entry, want)

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

    def _opened(self) -> Any:
        if self._file is None:
            self._file = pq.ParquetFile(
                pa.OSFile(os.fsencode(self.path)),  # a name need not be text
                metadata=self._metadata,
                pre_buffer=False,
                page_checksum_verification=True,
                thrift_string_size_limit=MOST_FOOTER,
            )
            self._metadata = self._file.metadata
        return self._file

    def _index(self, file: Any) -> list[Entry]:
        if not TIDY.equals(file.schema_arrow):
            missing = [f.name for f in TIDY if f.name not in file.schema_arrow.names]
            raise ValueError(f"its columns are not those of a recording {missing or ''}")
        try:
            entries = decode_index(self.marks.get(b"pulse.index", b""))
        except _ERRORS:
            return index_of(file)
        return index_of(file) if index_problem(entries, file.metadata) else entries

    def _rehost(self, hosts: Mapping[str, str]) -> None:
        self.entries = [
            replace(e, key=e.key._replace(host=hosts.get(e.key.host, e.key.host)))
            for e in self.entries
        ]
        old, self.catalog = self.catalog, Catalog()
        self.catalog.add(_rehosted(info, hosts) for info in old.infos.values())


class _reading:  # noqa: N801  reads as a statement
    """Turns what Arrow raises on damaged bytes into our error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, (RecordingError, FileNotFoundError)):
            return
        if isinstance(exc, _ERRORS):
            raise RecordingError(
                f"{self._path} cannot be read as a recording: {str(exc)[:200]}",
                remedy="It is damaged or not a pulse recording; use another copy of it.",
            ) from exc


def _check_footer(path: Path, size: int) -> None:
    """Bound the footer before Arrow allocates for it."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(size - 8, 0))
        tail = file.read(8)
    if head != b"PAR1" or tail[4:] != b"PAR1":
        raise ValueError("it is not a Parquet file, or was cut off")
    if int.from_bytes(tail[:4], "little") > min(MOST_FOOTER, size):
        raise ValueError("its footer is larger than any footer")


def _check_groups(file: Any) -> None:
    for place in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(place)
        if group.num_rows > MOST_GROUP_ROWS or group.total_byte_size > MOST_GROUP_BYTES:
            raise ValueError("it has a row group larger than any row group")


def _single(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _stripped(columns: Columns, entry: Entry, want: Want) -> Columns:
    text = columns.text if want.payload and entry.text_bytes else None
    data = columns.data if want.payload and entry.data_bytes else None
    return replace(columns, text=text, data=data)


def _rehosted(info: SeriesInfo, hosts: Mapping[str, str]) -> SeriesInfo:
    host = hosts.get(info.host, info.host)
    return info if host == info.host else replace(info, host=host)

"""Parquet files of a recording: parts and the finished file."""

from __future__ import annotations

import contextlib
import inspect
import os
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.storage.arrow.convert import (
    DAMAGE,
    KEYS,
    TIDY,
    columns_of,
    joined,
    tidy_table,
    words_of,
)
from pulse_widgets.storage.arrow.file_adapter import arrow_file
from pulse_widgets.storage.parquet.seal import crc_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.storage.place import File

__all__ = ["COLUMNS", "GroupReader", "GroupWriter"]

PAGE: Final = 8_192
COLUMNS: Final = tuple(TIDY.names)
_PLACE: Final = {name: place for place, name in enumerate(COLUMNS)}
_ALL: Final = 1 << 62


def _options(*, final: bool, split: bool) -> dict[str, Any]:
    encodings = {
        "time": "DELTA_BINARY_PACKED",
        "step": "DELTA_BINARY_PACKED",
        "data": "PLAIN",
    }
    if split:
        encodings["value"] = "BYTE_STREAM_SPLIT"
    options = {
        "version": "2.6",
        "compression": "zstd",
        "compression_level": 3 if final else 1,
        "use_dictionary": [*KEYS, "text"] if split else [*KEYS, "text", "value"],
        "dictionary_pagesize_limit": 32 * 1024,
        "column_encoding": encodings,
        "data_page_size": 8 * PAGE,
        "write_batch_size": 1024,
        "write_page_index": True,
        "write_page_checksum": True,
        "write_statistics": [*KEYS, "time"],
        "sorting_columns": [pq.SortingColumn(place) for place in range(4)],
    }
    if "max_rows_per_page" in inspect.signature(pq.ParquetWriter.__init__).parameters:
        options["max_rows_per_page"] = PAGE
    return options


class GroupWriter:
    """Writes one Parquet file, row group by row group.

    Parameters
    ----------
    path : Path
    final : bool
        A finished file has a page index and is packed harder than a part.
    split : bool
        Values pack better with their bytes split by place than as a dictionary.

    Raises
    ------
    OSError
        If the file cannot be made, here and below if the disk refuses.
    """

    def __init__(self, path: Path, *, final: bool, split: bool) -> None:
        self.groups = 0
        self._sink = pa.OSFile(os.fsencode(path), "wb")  # a name need not be text
        try:
            options = _options(final=final, split=split)
            self._writer = pq.ParquetWriter(self._sink, TIDY, **options)
        except BaseException:
            self._sink.close()
            raise

    def write(self, held: Sequence[tuple[SeriesKey, Columns]]) -> None:
        """Write series, one after the other, as one row group."""
        self._writer.write_table(tidy_table(held), row_group_size=_ALL)
        self.groups += 1

    def put(self, content: bytes) -> int:
        """Write bytes between the last row group and the footer; return where they begin."""
        place = int(self._sink.tell())
        self._sink.write(content)
        return place

    def finish(self, marks: Mapping[str, str]) -> None:
        """Write the footer, and close the file."""
        self._writer.add_key_value_metadata(dict(marks))
        self._writer.close()
        self._sink.close()

    def discard(self) -> None:
        """Close the file, whatever state it is in."""
        if not self._sink.closed:
            # The writer would otherwise write a footer to a closed file when it is collected.
            with contextlib.suppress(*DAMAGE):
                self._writer.close()
            with contextlib.suppress(*DAMAGE):
                self._sink.close()


class GroupReader:
    """A Parquet file with the columns of a recording.

    Parameters
    ----------
    file : File
    most_text : int
        Bytes a text of the footer may have.
    keep : bool
        Keep what Arrow needs for the file in memory between reads.

    Attributes
    ----------
    own : bool
        Whether the columns are exactly those that `GroupWriter` writes; only then can it be read.

    Raises
    ------
    ValueError
        On damaged bytes, and what else `DAMAGE` lists.
    """

    def __init__(self, file: File, most_text: int, *, keep: bool = True) -> None:
        self._bytes = file
        self._keep = keep
        self._most_text = most_text
        self._lock = threading.Lock()
        self._file: Any = None
        self._about: Any = None  # Arrow's description of the file, read once
        self._coded: tuple[str, ...] = ()
        """Columns to be given as codes of a dictionary: what they unpack to is bounded then."""
        opened = self._opened()
        self.own = bool(TIDY.equals(opened.schema_arrow))
        about = opened.metadata
        self.marks: dict[bytes, bytes] = dict(about.metadata or {})
        self.groups: int = about.num_row_groups
        self.rows: int = about.num_rows
        if self.own:
            self._code("text", "data")

    def _code(self, *names: str) -> None:
        """Give these columns as codes of a dictionary from now on."""
        self._coded = names
        self._file.close(force=True)
        self._file = None
        self._opened()
        self._rest()

    @property
    def about(self) -> Any:
        """What Arrow knows of the file: its `pyarrow.parquet.FileMetaData`."""
        return self._about

    def close(self) -> None:
        """Keep nothing of Arrow's in memory from now on."""
        with self._lock:
            self._keep = False
            self._rest()

    def group_rows(self, group: int) -> int:
        """Return the rows of a row group."""
        return int(self._about.row_group(group).num_rows)

    def group_bytes(self, group: int) -> int:
        """Return the bytes a row group unpacks to, as the file says."""
        return int(self._about.row_group(group).total_byte_size)

    def chunk_bytes(self, group: int, name: str) -> int:
        """Return the bytes one column of a row group unpacks to, as the file says."""
        return int(self._about.row_group(group).column(_PLACE[name]).total_uncompressed_size)

    def chunk_sums(self, group: int, names: Sequence[str]) -> list[int]:
        """Return the CRC-32 of the bytes of some columns of a row group."""
        about = self._about.row_group(group)
        chunks = [_extent(about.column(_PLACE[name])) for name in names]
        return [crc_of(self._bytes, first, end) for first, end in chunks]

    def key_bounds(self, group: int) -> tuple[list[str] | None, list[str] | None]:
        """Return least and greatest host, entity and metric of a row group, each for itself."""
        low, high = [], []
        about = self._about.row_group(group)
        for place in range(len(KEYS)):
            statistics = about.column(place).statistics
            if statistics is None or not statistics.has_min_max:
                return None, None
            low.append(str(statistics.min))
            high.append(str(statistics.max))
        return low, high

    def time_bounds(self, group: int) -> tuple[int, int] | None:
        """Return least and greatest time of a row group, as its statistics say."""
        statistics = self._about.row_group(group).column(_PLACE["time"]).statistics
        if statistics is None or not statistics.has_min_max:
            return None
        return int(statistics.min_raw), int(statistics.max_raw)

    def read(self, group: int, names: Sequence[str]) -> Columns:
        """Return the rows of a row group; `names` are ``time``, ``step``, ``value`` and more.

        Raises
        ------
        ValueError
            And what else `DAMAGE` lists, if the row group is damaged.
        """
        return columns_of(self._read(group, names))

    def read_keys(self, group: int) -> tuple[list[tuple[NDArray[Any], list[str]]], NDArray[Any]]:
        """Return host, entity and metric of each row as codes and words, and the times."""
        table = self._read(group, [*KEYS, "time"])
        words = [words_of(table.column(name)) for name in KEYS]
        return words, joined(table, "time", np.int64, 0)

    def _read(self, group: int, names: Sequence[str]) -> Any:
        with self._lock:  # several threads may read one recording
            try:
                return self._opened().read_row_group(group, columns=list(names), use_threads=False)
            finally:
                self._rest()

    def _rest(self) -> None:
        if not self._keep and self._file is not None:
            self._file.close(force=True)
            self._file = None

    def _opened(self) -> Any:
        if self._file is None:
            self._file = pq.ParquetFile(
                arrow_file(self._bytes),
                metadata=self._about,
                read_dictionary=list(self._coded),
                pre_buffer=False,
                page_checksum_verification=True,
                thrift_string_size_limit=self._most_text,
            )
            self._about = self._file.metadata
        return self._file


def _extent(chunk: Any) -> tuple[int, int]:
    """Return the first byte of a column chunk, and the one after its last."""
    pages = (chunk.dictionary_page_offset, chunk.data_page_offset)
    first = min(int(page) for page in pages if page)
    return first, first + int(chunk.total_compressed_size)

"""The columns of a recording, the options its files are written with, and its bounds.

Two shapes: the *journal* row names its series by a number; the *tidy* row of parts and of
the finished file names it by host, entity and metric. `Columns` is one series in memory.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "JOURNAL",
    "TIDY",
    "Columns",
    "SeriesKey",
    "join",
    "parquet_options",
]

LONG: Final = 16_384
"""Rows from which a series has row groups of its own."""

GROUP: Final = 131_072
"""Rows a row group holds at most."""

PAGE: Final = 8_192
CELL: Final = 64
"""Rows of a cell of the overview's finest level."""

COARSER: Final = 8
"""Cells of one level that make one of the next; a series stops at 64 cells or fewer."""

TEXT_BYTES: Final = 8 << 20
"""Text a row group holds, unless one row alone has more."""

DATA_BYTES: Final = 1 << 20
DATA_GROUPS: Final = 2000

# What a reader accepts, far above what a writer makes. Checked before anything is decoded.
MOST_FOOTER: Final = 256 << 20
MOST_GROUP_ROWS: Final = 16 << 20
MOST_GROUP_BYTES: Final = 4 << 30
MOST_TABLE_ROWS: Final = 50_000_000
MOST_JOURNAL: Final = 1 << 30


def _field(name: str, kind: Any) -> Any:
    return pa.field(name, kind, nullable=False)


TIME: Final = pa.timestamp("us", "UTC")
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_COMMON: Final = [
    _field("time", TIME),
    _field("step", pa.int64()),
    _field("value", pa.float64()),
    _field("text", pa.string()),
    _field("data", pa.binary()),
]
JOURNAL: Final = pa.schema([_field("series", pa.int32()), *_COMMON])
KEYS: Final = ("host", "entity", "metric")
TIDY: Final = pa.schema([*(_field(name, _WORD) for name in KEYS), *_COMMON])


class SeriesKey(NamedTuple):
    """What a series is about; keys sort as the file does."""

    host: str
    entity: str
    metric: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of one series.

    Attributes
    ----------
    time : (n,) int64
        Microseconds since the epoch.
    step : (n,) int64
        -2**63 where there is none.
    value : (n,) float64
    text : pyarrow string array of n, or None
        None when every text is empty.
    data : pyarrow binary array of n, or None
        None when every payload is empty.
    """

    time: NDArray[np.int64]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    text: Any = None
    data: Any = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.time)

    def cut(self, first: int, end: int) -> Columns:
        """Return the rows from `first` to `end`, exclusive, without a copy."""
        part = slice(first, end)
        text = None if self.text is None else self.text[part]
        data = None if self.data is None else self.data[part]
        return Columns(self.time[part], self.step[part], self.value[part], text, data)

    def take(self, chosen: NDArray[Any]) -> Columns:
        """Return the rows at the positions, or under the mask, `chosen`."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        text = None if self.text is None else self.text.take(pa.array(places))
        data = None if self.data is None else self.data.take(pa.array(places))
        return Columns(self.time[places], self.step[places], self.value[places], text, data)

    def in_order(self) -> Columns:
        """Return the rows sorted by time; rows of equal time keep their order."""
        if len(self) < 2 or not (np.diff(self.time) < 0).any():  # noqa: PLR2004
            return self
        return self.take(np.argsort(self.time, kind="stable"))

    def between(self, start: int | None, end: int | None) -> Columns:
        """Return the rows with start <= time < end, of columns in order of time."""
        first = 0 if start is None else int(np.searchsorted(self.time, start, "left"))
        stop = len(self) if end is None else int(np.searchsorted(self.time, end, "left"))
        return self if (first, stop) == (0, len(self)) else self.cut(first, max(first, stop))


def join(pieces: Sequence[Columns]) -> Columns:
    """Return the rows of all pieces, in order of time."""
    if len(pieces) == 1:
        return pieces[0].in_order()
    if not pieces:
        return Columns(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    time = np.concatenate([p.time for p in pieces])
    step = np.concatenate([p.step for p in pieces])
    value = np.concatenate([p.value for p in pieces])
    text = _joined([p.text for p in pieces], [len(p) for p in pieces], pa.string())
    data = _joined([p.data for p in pieces], [len(p) for p in pieces], pa.binary())
    return Columns(time, step, value, text, data).in_order()


def _joined(arrays: Sequence[Any], lengths: Sequence[int], kind: Any) -> Any:
    if all(a is None for a in arrays):
        return None
    filled = [blank(n, kind) if a is None else a for a, n in zip(arrays, lengths, strict=True)]
    return pa.concat_arrays(filled)


def blank(rows: int, kind: Any) -> Any:
    """Return an Arrow array of empty texts or payloads."""
    offsets = pa.py_buffer(bytes(4 * (rows + 1)))
    return pa.Array.from_buffers(kind, rows, [None, offsets, pa.py_buffer(b"")])


def payload_bytes(array: Any) -> int:
    """Return the bytes of a text or data array, without offsets."""
    if array is None or not len(array):
        return 0
    offsets = np.frombuffer(array.buffers()[1], np.int32)
    return int(offsets[array.offset + len(array)] - offsets[array.offset])


def parquet_options(*, final: bool, split: bool) -> dict[str, Any]:
    """Return the options of `pyarrow.parquet.ParquetWriter` for a part or a finished file.

    Parameters
    ----------
    final : bool
        A finished file has a page index and is packed harder than a part.
    split : bool
        Values pack better with their bytes split by place than as a dictionary.
    """
    words = [*KEYS] if split else [*KEYS, "value"]
    encodings = {
        "time": "DELTA_BINARY_PACKED",
        "step": "DELTA_BINARY_PACKED",
        "text": "DELTA_LENGTH_BYTE_ARRAY",
        "data": "DELTA_LENGTH_BYTE_ARRAY",
    }
    if split:
        encodings["value"] = "BYTE_STREAM_SPLIT"
    options = {
        "version": "2.6",
        "compression": "zstd",
        "compression_level": 3 if final else 1,
        "use_dictionary": words,
        "dictionary_pagesize_limit": 32 * 1024,
        "column_encoding": encodings,
        "data_page_size": 8 * PAGE,
        "write_batch_size": 1024,
        "write_page_index": final,
        "write_page_checksum": True,
        "write_statistics": [*KEYS, "time"],
        "sorting_columns": [pq.SortingColumn(place) for place in range(4)],
    }
    if "max_rows_per_page" in inspect.signature(pq.ParquetWriter.__init__).parameters:
        options["max_rows_per_page"] = PAGE
    return options

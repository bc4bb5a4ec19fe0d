"""The Parquet of the overview: columns of envelopes to bytes, and pieces of those bytes to columns.

All that the overview needs of Arrow is here; what goes in and comes out are numpy arrays.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.storage.parquet.footer import structure
from pulse_widgets.storage.parquet.thrift import I32, decode, key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["COLUMNS", "Group", "GroupDecoder", "encode"]

COLUMNS: Final[Mapping[str, type[np.generic]]] = {
    "series": np.int32,
    "cell": np.int32,
    "rows": np.int32,
    "start": np.int64,
    "end": np.int64,
    "min": np.float32,
    "max": np.float32,
    "mean": np.float32,
    "count": np.int32,
    "last": np.float64,
}
"""Name and type of each column, in the order of the file."""

MOST_GROUP_BLOCKS: Final = 65_536
MOST_GROUP_BYTES: Final = 16 << 20
_MOST_HEADER: Final = 1000
_PAGE_UNPACKED: Final = key(2, I32)
_PAGE_PACKED: Final = key(3, I32)

_ARROW: Final[Mapping[type[np.generic], Any]] = {
    np.int32: pa.int32(),
    np.int64: pa.int64(),
    np.float32: pa.float32(),
    np.float64: pa.float64(),
}
_PHYSICAL: Final[Mapping[type[np.generic], str]] = {
    np.int32: "INT32",
    np.int64: "INT64",
    np.float32: "FLOAT",
    np.float64: "DOUBLE",
}
_WHOLE: Final = [name for name, kind in COLUMNS.items() if issubclass(kind, np.integer)]
_SCHEMA: Final = pa.schema(
    [pa.field(name, _ARROW[kind], nullable=False) for name, kind in COLUMNS.items()]
)
_OPTIONS: Final = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": False,
    "write_statistics": ["series", "cell", "start"],
    "write_page_checksum": True,
    "column_encoding": {
        name: "DELTA_BINARY_PACKED" if name in _WHOLE else "BYTE_STREAM_SPLIT" for name in COLUMNS
    },
    "store_schema": False,
}


@dataclass(frozen=True, slots=True)
class Group:
    """One row group, as the footer describes it.

    Attributes
    ----------
    blocks : int
        How many blocks it holds.
    size : int
        Rows of a full block of its level.
    series : (int, int)
        Least and greatest series number in it.
    chunks : tuple of (int, int, int)
        Of each column its first byte and the one behind it, counted from the first byte of the
        overview, and the bytes that it unpacks to.
    """

    blocks: int
    size: int
    series: tuple[int, int]
    chunks: tuple[tuple[int, int, int], ...]

    @property
    def begin(self) -> int:
        """The first byte of the row group."""
        return self.chunks[0][0]

    @property
    def end(self) -> int:
        """The byte behind the row group."""
        return self.chunks[-1][1]


def encode(groups: Iterable[Mapping[str, NDArray[Any]]]) -> bytes:
    """Return a Parquet file with these columns as its row groups."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, _SCHEMA, **_OPTIONS) as writer:
        for columns in groups:
            arrays = [
                pa.Array.from_buffers(
                    _ARROW[kind],
                    len(columns[name]),
                    [None, pa.py_buffer(np.ascontiguousarray(columns[name], kind))],
                )
                for name, kind in COLUMNS.items()
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA), row_group_size=1 << 30)
    return sink.getvalue()


class GroupDecoder:
    """The row groups of an overview of which only the footer is at hand.

    Parameters
    ----------
    footer : bytes
        The last bytes of the overview: its Parquet footer, its length and ``PAR1``.
    length : int
        Bytes of the whole overview.

    Raises
    ------
    ValueError
        If it has other columns, or row groups that cannot be; on damaged bytes also what
        `DAMAGE` lists.
    """

    def __init__(self, footer: bytes, length: int) -> None:
        if int.from_bytes(footer[-8:-4], "little") != len(footer) - 8 or footer[-4:] != b"PAR1":
            raise ValueError("a footer is not as long as it says")
        structure(footer[:-8], length)
        self._about = pq.read_metadata(pa.BufferReader(footer))
        self._length = length
        self._places = self._columns()
        self.groups = [self._group(place) for place in range(self._about.num_row_groups)]

    def decode(self, place: int, content: bytes) -> dict[str, NDArray[Any]]:
        """Return the columns of a row group from its bytes.

        Raises
        ------
        ValueError
            And what else `DAMAGE` lists, if they are damaged.
        """
        group = self.groups[place]
        for begin, end, unpacked in group.chunks:
            _check_pages(memoryview(content)[begin - group.begin : end - group.begin], unpacked)
        # Arrow wants each byte where it lies in the file. What is not written to takes no memory.
        whole = np.zeros(self._length, np.uint8)
        whole[group.begin : group.end] = np.frombuffer(content, np.uint8)
        file = pq.ParquetFile(
            pa.BufferReader(pa.py_buffer(whole)),
            metadata=self._about,
            pre_buffer=False,
            page_checksum_verification=True,
        )
        table = file.read_row_group(place, columns=list(COLUMNS), use_threads=False)
        return {name: _numbers(table.column(name), kind, group) for name, kind in COLUMNS.items()}

    def _columns(self) -> dict[str, int]:
        """Return where each column stands; a later minor version may have more of them."""
        schema = self._about.schema
        places = {schema.column(k).path: k for k in range(len(schema))}
        for name, kind in COLUMNS.items():
            column = schema.column(places[name])
            types = (column.physical_type, column.logical_type.type)
            levels = (column.max_definition_level, column.max_repetition_level)
            if types != (_PHYSICAL[kind], "NONE") or levels != (0, 0):
                raise ValueError(f"the column {name} is not one of an overview")
        return places

    def _group(self, place: int) -> Group:
        about = self._about.row_group(place)
        chunks = [about.column(k) for k in range(about.num_columns)]
        places = tuple(_place(chunk) for chunk in chunks)
        unpacked = sum(nbytes for _, _, nbytes in places)
        if not (0 < about.num_rows <= MOST_GROUP_BLOCKS and unpacked <= MOST_GROUP_BYTES):
            raise ValueError("a row group is larger than any of an overview")
        if any(end != begin for (_, end, _), (begin, _, _) in pairwise(places)):
            raise ValueError("the columns of a row group do not lie one after the other")
        sizes, series = (self._bounds(chunks, name) for name in ("cell", "series"))
        if sizes[0] != sizes[1]:
            raise ValueError("a row group holds more than one level")
        return Group(about.num_rows, sizes[0], series, places)

    def _bounds(self, chunks: list[Any], name: str) -> tuple[int, int]:
        statistics = chunks[self._places[name]].statistics
        return int(statistics.min_raw), int(statistics.max_raw)


def _place(chunk: Any) -> tuple[int, int, int]:
    pages = (chunk.dictionary_page_offset, chunk.data_page_offset)
    begin = min(int(page) for page in pages if page is not None)
    unpacked = int(chunk.total_uncompressed_size)
    return begin, begin + int(chunk.total_compressed_size), unpacked


def _check_pages(chunk: memoryview, unpacked: int) -> None:
    """Refuse pages that unpack to more than the footer says: Arrow believes what a page says."""
    place = total = 0
    while place < len(chunk):
        header, length = decode(chunk[place:], most=_MOST_HEADER)
        packed, more = header[_PAGE_PACKED], header[_PAGE_UNPACKED]
        if packed < 0 or more < 0:
            raise ValueError("a page has less than no bytes")
        place, total = place + length + packed, total + more
    if place != len(chunk) or total > unpacked:
        raise ValueError("a page unpacks to more than its column, or does not end where it should")


def _numbers(column: Any, kind: type[np.generic], group: Group) -> NDArray[Any]:
    if column.type != _ARROW[kind] or column.null_count or len(column) != group.blocks:
        raise ValueError("a column is not as its footer says")
    pieces = [
        np.frombuffer(chunk.buffers()[1], kind, len(chunk), chunk.offset * np.dtype(kind).itemsize)
        for chunk in column.chunks
    ]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

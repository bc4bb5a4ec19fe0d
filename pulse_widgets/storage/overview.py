"""The overview: least, greatest and mean of blocks of rows, in coarser and coarser levels.

A finished file carries it as a small Parquet file of its own between the last row group and
the footer, so that a viewer draws the whole run from one short read. Cells of a counter are
those of its rate, except `last`, so that a burst shows and an integral stays exact.
"""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.metrics.rates import rate
from pulse_widgets.storage.arrow.convert import plain
from pulse_widgets.storage.schema import CELL, COARSER, MOST_TABLE_ROWS
from pulse_widgets.storage.version import MOST_JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns

__all__ = ["Cells", "Overview", "cells_of", "coarser", "read_overview", "shown_values"]

_DRAWN: Final = frozenset({"gauge", "counter", "state"})
_NAMES: Final = ("series", "cell", "start", "end", "min", "max", "mean", "count", "last")
_TYPES: Final = (
    *(pa.int32(), pa.int32(), pa.int64(), pa.int64()),
    *(pa.float32(), pa.float32(), pa.float32(), pa.int32(), pa.float64()),
)
_SCHEMA: Final = pa.schema(
    [pa.field(n, t, nullable=False) for n, t in zip(_NAMES, _TYPES, strict=True)]
)
_OPTIONS: Final = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": False,
    "write_statistics": ["series", "cell", "start"],
    "column_encoding": {
        **dict.fromkeys(("series", "cell", "start", "end", "count"), "DELTA_BINARY_PACKED"),
        **dict.fromkeys(("min", "max", "mean", "last"), "BYTE_STREAM_SPLIT"),
    },
    "store_schema": False,
}
_GROUP: Final = 65_536


@dataclass(frozen=True, slots=True)
class Cells:
    """Blocks of rows of one series.

    Attributes
    ----------
    start, end : (m,) int64
        Times of the first and the last row, microseconds since the epoch.
    least, greatest, total : (m,) float64
        Of the values that are there; NaN, NaN and 0 where none is.
    count : (m,) int64
        How many are.
    last : (m,) float64
        The last value that is there, of a counter its reading; NaN where none is.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    total: NDArray[np.float64]
    count: NDArray[np.int64]
    last: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.start)


def shown_values(kind: str, columns: Columns) -> NDArray[np.float64]:
    """Return what is drawn of a series: its values, of a counter the rate."""
    if kind != "counter":
        return columns.value
    # Seconds since the first row keep microseconds exact in a float.
    seconds = (columns.time - columns.time[:1].sum()) / 1e6
    with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity is simply not known
        return rate(seconds, columns.value)


def cells_of(columns: Columns, shown: NDArray[np.float64], size: int = CELL) -> Cells:
    """Return the cells of `size` rows each, the last one of what is left."""
    first = np.arange(0, len(columns), size)
    last_row = np.append(first[1:], len(columns)) - 1
    there = ~np.isnan(shown)
    places = np.where(~np.isnan(columns.value), np.arange(len(columns)), -1)
    newest = np.maximum.reduceat(places, first)
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.add.reduceat(np.where(there, shown, 0.0), first)
    return Cells(
        columns.time[first],
        columns.time[last_row],
        np.fmin.reduceat(shown, first),
        np.fmax.reduceat(shown, first),
        total,
        np.add.reduceat(there.astype(np.int64), first),
        np.where(newest >= first, columns.value[np.maximum(newest, 0)], np.nan),
    )


def coarser(cells: Cells, by: int = COARSER) -> Cells:
    """Return cells of `by` times as many rows."""
    first = np.arange(0, len(cells), by)
    last_cell = np.append(first[1:], len(cells)) - 1
    places = np.where(~np.isnan(cells.last), np.arange(len(cells)), -1)
    newest = np.maximum.reduceat(places, first)
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.add.reduceat(cells.total, first)
    return Cells(
        cells.start[first],
        cells.end[last_cell],
        np.fmin.reduceat(cells.least, first),
        np.fmax.reduceat(cells.greatest, first),
        total,
        np.add.reduceat(cells.count, first),
        np.where(newest >= first, cells.last[np.maximum(newest, 0)], np.nan),
    )


class Overview:
    """Collects the levels of each series and gives the blob that holds them."""

    def __init__(self) -> None:
        self._levels: dict[int, list[tuple[int, Cells]]] = {}

    def add(self, number: int, kind: str, columns: Columns) -> None:
        """Add one series, complete and in order of time; text and media have no cells."""
        if kind not in _DRAWN or not len(columns):
            return
        cells, size = cells_of(columns, shown_values(kind, columns)), CELL
        self._levels.setdefault(size, []).append((number, cells))
        while len(cells) > CELL:
            cells, size = coarser(cells), size * COARSER
            self._levels.setdefault(size, []).append((number, cells))

    def blob(self) -> bytes:
        """Return the Parquet bytes: coarsest level first, in it series by number."""
        sink = io.BytesIO()
        with pq.ParquetWriter(sink, _SCHEMA, **_OPTIONS) as writer:
            for size in sorted(self._levels, reverse=True):
                for batch in _batches(self._levels[size]):
                    writer.write_table(_table(size, batch), row_group_size=1 << 30)
        return sink.getvalue()


def _batches(level: Sequence[tuple[int, Cells]]) -> list[list[tuple[int, Cells]]]:
    batches: list[list[tuple[int, Cells]]] = []
    held = _GROUP
    for entry in level:
        if held >= _GROUP:
            batches.append([])
            held = 0
        batches[-1].append(entry)
        held += len(entry[1])
    return batches


def _table(size: int, level: Sequence[tuple[int, Cells]]) -> Any:
    cells = [c for _, c in level]
    start, end, least, greatest, total, count, last = (
        np.concatenate([getattr(c, name) for c in cells]) for name in Cells.__slots__
    )
    numbers = np.repeat(
        np.array([number for number, _ in level], np.int32), [len(c) for c in cells]
    )
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    low, high = _outward(least, greatest)
    size_column = np.full(len(numbers), size, np.int32)
    with np.errstate(all="ignore"):
        small_mean = mean.astype(np.float32)
    columns = [
        numbers,
        size_column,
        start,
        end,
        low,
        high,
        small_mean,
        count.astype(np.int32),
        last,
    ]
    arrays = [plain(kind, column) for kind, column in zip(_TYPES, columns, strict=True)]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA)


def _outward(
    least: NDArray[np.float64], greatest: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return both as float32, rounded so that they still enclose every value."""
    infinity = np.float32(np.inf)
    # Beyond float32 lie infinity and zero, which enclose as well.
    with np.errstate(all="ignore"):
        low, high = least.astype(np.float32), greatest.astype(np.float32)
        low = np.where(low > least, np.nextafter(low, -infinity), low)
        high = np.where(high < greatest, np.nextafter(high, infinity), high)
    return low, high


def read_overview(
    content: bytes, mark: bytes, rows: Sequence[int]
) -> dict[int, dict[int, Cells]] | None:
    """Return series number to cell size to cells, or None when the blob is not to be trusted.

    Parameters
    ----------
    content : bytes
        What stands where `mark` says the blob stands.
    mark : bytes
        The file's ``pulse.overview``.
    rows : sequence of int
        Rows of each series, by number; a blob made for other rows is refused.
    """
    try:
        said = json.loads(mark)
        if len(content) != said["length"] or zlib.crc32(content) != said["crc32"]:
            return None
        file = pq.ParquetFile(pa.BufferReader(content))
        most = 2 * sum(-(-n // CELL) for n in rows) + len(rows)
        if file.metadata.num_rows > min(most, MOST_TABLE_ROWS):
            return None
        if unpacked_bytes(file) > 16 * MOST_JSON:
            return None
        table = file.read(columns=list(_NAMES), use_threads=False)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError):
        return None
    levels = _levels([table[name].to_numpy() for name in _NAMES])
    for number, count in enumerate(rows):
        finest = levels.get(number, {}).get(CELL)
        if finest is not None and len(finest) != -(-count // CELL):
            return None
    return levels


def unpacked_bytes(file: Any) -> int:
    """Return the bytes that the row groups of a file say they unpack to."""
    groups = range(file.metadata.num_row_groups)
    return sum(int(file.metadata.row_group(g).total_byte_size) for g in groups)


def _levels(columns: list[NDArray[Any]]) -> dict[int, dict[int, Cells]]:
    series, size, start, end, low, high, mean, count, last = columns
    edges = np.flatnonzero((np.diff(series) != 0) | (np.diff(size) != 0)) + 1
    levels: dict[int, dict[int, Cells]] = {}
    for first, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(series)], strict=True):
        if first == stop:
            continue
        part = slice(first, stop)
        counts = count[part].astype(np.int64)
        total = np.where(counts > 0, mean[part].astype(np.float64) * counts, 0.0)
        levels.setdefault(int(series[first]), {})[int(size[first])] = Cells(
            start[part],
            end[part],
            low[part].astype(np.float64),
            high[part].astype(np.float64),
            total,
            counts,
            last[part],
        )
    return levels

"""Columns in memory to Arrow arrays and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pulse_widgets.errors import StorageError
from pulse_widgets.series.columns import (
    Columns,
    Packed,
    SeriesKey,
    mark_logged,
    missing,
    packed_together,
)
from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DAMAGE", "KEYS", "TIDY", "columns_of", "packed_of", "tidy_table", "words_of"]

DAMAGE: Final = (
    pa.ArrowException,
    OSError,
    MemoryError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""Whatever is raised on bytes that are damaged, or made to do harm."""

TIME: Final = pa.timestamp("us", "UTC")
WORD: Final = pa.dictionary(pa.int32(), pa.string())
KEYS: Final = ("host", "entity", "metric")
TIDY: Final = pa.schema(
    [
        *(pa.field(name, WORD, nullable=False) for name in KEYS),
        pa.field("time", TIME, nullable=False),
        pa.field("step", pa.int64()),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("data", pa.binary()),
    ]
)
"""The columns of parts and finished files: NULL where there is no step, value, text or payload."""

MOST_PAYLOAD: Final = 512 << 20
"""Bytes the texts, or the payloads, of one row group unpack to, at most."""

_MOST_PACKED: Final = 2**31 - 1


def plain(kind: Any, values: NDArray[Any], absent: NDArray[np.bool_] | None = None) -> Any:
    """Return numbers as an Arrow array, NULL where they are `absent`."""
    # pa.array() would import pandas, which takes longer than a session needs to start.
    if absent is None or not absent.any():
        valid, nulls = None, 0
    else:
        valid = pa.py_buffer(np.packbits(~absent, bitorder="little"))
        nulls = int(absent.sum())
    buffers = [valid, pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(kind, len(values), buffers, nulls)


def packed(kind: Any, pieces: Packed | None, rows: int, *, nullable: bool) -> Any:
    """Return texts or payloads as an Arrow array; empty ones are NULL where that is allowed."""
    given = Packed.empty(rows) if pieces is None else pieces
    if given.nbytes > _MOST_PACKED:
        raise StorageError(
            f"{given.nbytes} bytes of text or payload are too many to be written at once",
            remedy="Log less at a time.",
        )
    first = int(given.offsets[0])
    offsets = (given.offsets - first).astype(np.int32)
    absent = given.lengths == 0 if nullable else np.zeros(0, np.bool_)
    valid = pa.py_buffer(np.packbits(~absent, bitorder="little")) if absent.any() else None
    content = np.ascontiguousarray(given.content[first : first + given.nbytes])
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(content)]
    return pa.Array.from_buffers(kind, rows, buffers, int(absent.sum()))


def tidy_table(held: Sequence[tuple[SeriesKey, Columns]]) -> Any:
    """Return series, one after the other, as one table in the schema of the file."""
    lengths = [len(columns) for _, columns in held]
    rows = sum(lengths)
    time = np.concatenate([np.zeros(0, np.int64), *(c.time for _, c in held)])
    step = np.concatenate([np.zeros(0, np.int64), *(c.step for _, c in held)])
    value = np.concatenate([np.zeros(0), *(c.value for _, c in held)])
    pairs = [(columns, len(columns)) for _, columns in held]
    columns = [
        *(_words([key[place] for key, _ in held], lengths) for place in range(len(KEYS))),
        plain(TIME, time),
        plain(pa.int64(), step, step == NO_STEP),
        plain(pa.float64(), value, missing(value)),
        packed(pa.string(), packed_together((c.text, n) for c, n in pairs), rows, nullable=True),
        packed(pa.binary(), packed_together((c.data, n) for c, n in pairs), rows, nullable=True),
    ]
    return pa.Table.from_arrays(columns, schema=TIDY)


def _words(names: Sequence[str], lengths: Sequence[int]) -> Any:
    distinct = list(dict.fromkeys(names))
    place = {name: k for k, name in enumerate(distinct)}
    codes = np.repeat(np.array([place[name] for name in names], np.int32), lengths)
    return pa.DictionaryArray.from_arrays(plain(pa.int32(), codes), texts(distinct))


def texts(words: Sequence[str]) -> Any:
    """Return texts as an Arrow array."""
    return packed(pa.string(), Packed.of_texts(words), len(words), nullable=False)


# Arrow to memory ------------------------------------------------------------------------


def numbers_of(array: Any, kind: type[np.generic], absent: Any) -> NDArray[Any]:
    """Return a fixed-width Arrow array as numbers, with `absent` in place of NULL."""
    content = array.buffers()[1]
    if content is None:
        return np.full(len(array), absent, kind)
    width = np.dtype(kind).itemsize
    values = np.frombuffer(content, kind, len(array), array.offset * width)
    if not array.null_count:
        return values
    return np.where(_valid(array), values, kind(absent))


def _valid(array: Any) -> NDArray[np.bool_]:
    bits = np.frombuffer(array.buffers()[0], np.uint8)
    first, end = array.offset, array.offset + len(array)
    part = np.unpackbits(bits[first // 8 : -(-end // 8)], bitorder="little")
    return part[first % 8 : first % 8 + len(array)].view(np.bool_)


def packed_of(array: Any) -> Packed:
    """Return an Arrow array of texts or payloads; NULL becomes an empty one."""
    _, offsets, content = array.buffers()
    if offsets is None:
        return Packed.empty(len(array))
    ends = np.frombuffer(offsets, np.int32, len(array) + 1, array.offset * 4).astype(np.int64)
    inside = np.zeros(0, np.uint8) if content is None else np.frombuffer(content, np.uint8)
    if not array.null_count:
        return Packed(ends, inside)
    # Bytes behind a NULL, which another writer may have left, do not count.
    lengths = np.where(_valid(array), np.diff(ends), 0)
    if lengths.sum() == ends[-1] - ends[0]:
        return Packed(ends, inside)
    return Packed.of([piece or b"" for piece in array.to_pylist()])


def columns_of(table: Any) -> Columns:
    """Return a table with at least ``time``, ``step`` and ``value`` as columns.

    Raises
    ------
    ValueError
        If offsets or UTF-8 are damaged; also what `DAMAGE` lists.
    """
    time = joined(table, "time", np.int64, 0)
    step = joined(table, "step", np.int64, NO_STEP)
    value = _values(table)
    text, data = (_payload(table, name) for name in ("text", "data"))
    return Columns(time, step, value, text, data)


def joined(table: Any, name: str, kind: type[np.generic], absent: Any) -> NDArray[Any]:
    """Return a column of fixed width as one array of numbers."""
    pieces = [numbers_of(chunk, kind, absent) for chunk in table.column(name).chunks]
    return pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros(0, kind), *pieces])


def _values(table: Any) -> NDArray[np.float64]:
    pieces = [np.zeros(0)]
    for chunk in table.column("value").chunks:
        values: NDArray[np.float64] = numbers_of(chunk, np.float64, np.nan)
        # What is there and not a number was logged so; what is not there is missing.
        there = None if not chunk.null_count else _valid(chunk)
        if np.isnan(values if there is None else values[there]).any():
            values = values.copy()
            mark_logged(values, there)
        pieces.append(values)
    return pieces[1] if len(pieces) == 2 else np.concatenate(pieces)  # noqa: PLR2004


def _payload(table: Any, name: str) -> Packed | None:
    if name not in table.column_names:
        return None
    chunks = [_dense(chunk) for chunk in table.column(name).chunks]
    for chunk in chunks:
        chunk.validate(full=True)
    parts = [(packed_of(chunk), len(chunk)) for chunk in chunks]
    if not any(part.nbytes for part, _ in parts):
        return None
    return parts[0][0] if len(parts) == 1 else packed_together(parts)


def _dense(chunk: Any) -> Any:
    """Return texts or payloads as they are; a few bytes in a dictionary may stand for many."""
    if not pa.types.is_dictionary(chunk.type):
        return chunk
    lengths = np.append(packed_of(chunk.dictionary).lengths, 0)  # the last one stands for NULL
    codes = numbers_of(chunk.indices, np.int32, len(lengths) - 1)
    if int(lengths[codes].sum()) > MOST_PAYLOAD:
        raise ValueError("a row group unpacks to more text or payload than any row group")
    return chunk.cast(chunk.type.value_type)


def words_of(column: Any) -> tuple[NDArray[np.int64], list[str]]:
    """Return a column of words as codes and the words they stand for."""
    codes, words, place = [np.zeros(0, np.int64)], list[str](), dict[str, int]()
    for chunk in column.chunks:
        coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        for word in packed_of(coded.dictionary).texts():
            if word not in place:
                place[word] = len(words)
                words.append(word)
        known = np.array(
            [place[word] for word in packed_of(coded.dictionary).texts()] or [0], np.int64
        )
        codes.append(known[numbers_of(coded.indices, np.int32, 0)])
    return np.concatenate(codes), words


def compressed_bytes(content: bytes) -> int:
    """Return how many bytes ZSTD makes of some."""
    return int(pa.compress(content, codec="zstd").size)

"""Parquet files that another program wrote from the specification: made to look like ours."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage.arrow.convert import KEYS, TIME, WORD, numbers_of, packed_of, plain
from pulse_widgets.storage.arrow.files import COLUMNS, GroupReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns
    from pulse_widgets.storage.place import File

__all__ = ["ForeignReader"]

_REQUIRED: Final = (*KEYS, "time")
_WANTED: Final = {
    **dict.fromkeys((*KEYS, "text"), "text"),
    "time": "timestamp, or int64 for microseconds",
    "step": "a number",
    "value": "a number",
    "data": "bytes",
}
_PIECE: Final = 1 << 30
"""Bytes of text or payload that are unpacked into one Arrow array, which holds at most 2 GiB."""
_MOST_WHOLE: Final = 2.0**63
_A_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class ForeignReader(GroupReader):
    """A Parquet file with the columns of a recording, as any program writes them.

    Types are converted to ours, and the rows of each row group come sorted by host, entity,
    metric and time, whatever their order in the file.

    Parameters
    ----------
    file : File
    most_text : int
        Bytes a text of the footer may have.
    most_bytes : int
        Bytes the texts, or the payloads, of one row group may unpack to.

    Attributes
    ----------
    doubtful : list of str
        Columns that may hold what has no place in ours: to be read when the file is opened.
    zoned : bool
        Whether the times are in UTC by what the file says.

    Raises
    ------
    ValueError
        If its columns cannot be those of a recording; on damaged bytes also what `DAMAGE` lists.
    """

    def __init__(self, file: File, most_text: int, most_bytes: int) -> None:
        super().__init__(file, most_text)
        self._most_bytes = most_bytes
        self._order: tuple[int, NDArray[np.int64] | None] = (-1, None)
        schema = self._opened().schema_arrow
        _require_columns(schema)
        types = {name: schema.field(name).type for name in COLUMNS if name in schema.names}
        self._there = {name: kind for name, kind in types.items() if not pa.types.is_null(kind)}
        time = types["time"]
        self.zoned = not pa.types.is_timestamp(time) or time.tz is not None
        exact = {"step": pa.types.is_signed_integer, "text": _is_text}
        self.doubtful = [n for n, fits in exact.items() if not fits(types.get(n, pa.string()))]
        self.doubtful = [n for n in self.doubtful if n in self._there]
        # As codes, so that a few bytes cannot unpack to more than there is memory.
        coded = ("host", "entity", "metric", "text", "data")
        self._code(*(n for n in coded if n in self._there and _is_bytes(self._there[n])))
        about = self.about.schema
        self._leaf = {about.column(place).path: place for place in range(len(about))}

    def chunk_bytes(self, group: int, name: str) -> int:
        """Return the bytes one column of a row group unpacks to; 0 when nothing is in it."""
        if name not in self._there:
            return 0
        chunk = self.about.row_group(group).column(self._leaf[name])
        statistics = chunk.statistics
        if statistics is not None and statistics.null_count == chunk.num_values:
            return 0
        return int(chunk.total_uncompressed_size)

    def read(self, group: int, names: Sequence[str]) -> Columns:
        """Return the rows of a row group, sorted.

        Raises
        ------
        ValueError
            And what else `DAMAGE` lists, if the row group is damaged or holds what it cannot.
        """
        columns = super().read(group, names)
        known, order = self._order
        if known != group:
            order = self._sorting(group)[2]
        return columns if order is None else columns.take(order)

    def read_keys(self, group: int) -> tuple[list[tuple[NDArray[Any], list[str]]], NDArray[Any]]:
        """Return host, entity and metric of each row as codes and words, and the times, sorted."""
        words, time, order = self._sorting(group)
        if order is None:
            return words, time
        return [(codes[order], names) for codes, names in words], time[order]

    def _sorting(
        self, group: int
    ) -> tuple[list[tuple[NDArray[Any], list[str]]], NDArray[Any], NDArray[np.int64] | None]:
        """Return keys and times as they lie, and the places that sort them; None when they are."""
        words, time = super().read_keys(group)
        ranks = [_ranks(codes, names) for codes, names in words]
        places = np.lexsort((time, *reversed(ranks)))
        order = None if (places[1:] > places[:-1]).all() else places
        self._order = (group, order)
        return words, time, order

    def _read(self, group: int, names: Sequence[str]) -> Any:
        there = [name for name in names if name in self._there]
        table = super()._read(group, there)
        made = {name: self._ours(name, table.column(name)) for name in there}
        for name, kind in (("step", pa.int64()), ("value", pa.float64())):
            if name in names and name not in made:
                made[name] = pa.chunked_array([pa.nulls(table.num_rows, kind)])
        return pa.Table.from_arrays(list(made.values()), names=list(made))

    def _ours(self, name: str, column: Any) -> Any:
        if name in _REQUIRED and _nulls(column):
            raise ValueError(f"its column {name} is NULL in some rows")
        pieces = [piece for chunk in column.chunks for piece in self._pieces(name, chunk)]
        return pa.chunked_array(pieces, _TYPES[name])

    def _pieces(self, name: str, chunk: Any) -> Iterator[Any]:
        if name in {"text", "data"}:
            yield from _dense(chunk, _TYPES[name], self._most_bytes)
        elif name in KEYS:
            yield _as_text(chunk)
        else:
            yield _CONVERTERS[name](chunk)


def _require_columns(schema: Any) -> None:
    absent = [name for name in _REQUIRED if name not in schema.names]
    if absent:
        raise ValueError(f"its columns are not those of a recording: there is no {absent}")
    for name in COLUMNS:
        if schema.names.count(name) > 1:
            raise ValueError(f"it has several columns {name}")
        if name in schema.names and not _fits(name, schema.field(name).type):
            kind = schema.field(name).type
            raise ValueError(f"its column {name} is of the type {kind}, not {_WANTED[name]}")


def _fits(name: str, kind: Any) -> bool:
    types = pa.types
    if types.is_null(kind):
        return name not in _REQUIRED
    if name in {"step", "value"}:
        number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
        return bool(number or (name == "value" and types.is_boolean(kind)))
    if name == "time":
        return bool(types.is_timestamp(kind) or types.is_int64(kind))
    return _is_bytes(kind) or (name == "data" and bool(types.is_fixed_size_binary(kind)))


def _is_text(kind: Any) -> bool:
    inside = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = ("is_string", "is_large_string", "is_string_view")
    # The last one is not known to the oldest Arrow we run with.
    return any(getattr(pa.types, test, bool)(inside) for test in tests)


def _is_bytes(kind: Any) -> bool:
    inside = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = ("is_binary", "is_large_binary", "is_binary_view")
    return _is_text(kind) or any(getattr(pa.types, test, bool)(inside) for test in tests)


def _nulls(column: Any) -> int:
    coded = pa.types.is_dictionary(column.type)
    inside = sum(chunk.dictionary.null_count for chunk in column.chunks) if coded else 0
    return int(column.null_count) + inside


def _ranks(codes: NDArray[np.int64], names: list[str]) -> NDArray[np.int64]:
    ranks = np.zeros(max(len(names), 1), np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return ranks[codes]


def _as_text(chunk: Any) -> Any:
    """Return words in a dictionary of texts."""
    coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
    words = coded.dictionary.cast(pa.string())
    words.validate(full=True)
    return pa.DictionaryArray.from_arrays(coded.indices.cast(pa.int32()), words)


def _dense(chunk: Any, kind: Any, most: int) -> Iterator[Any]:
    """Yield texts or payloads one after the other, in arrays that are not too large."""
    if not pa.types.is_dictionary(chunk.type):
        yield chunk.cast(kind)
        return
    words = chunk.dictionary.cast(kind)
    lengths = np.append(packed_of(words).lengths, 0)  # the last one stands for NULL
    codes = numbers_of(chunk.indices.cast(pa.int32()), np.int32, len(lengths) - 1)
    ends = np.cumsum(lengths[codes])
    total = int(ends[-1]) if len(ends) else 0
    if total > most:
        raise ValueError("a row group unpacks to more text than any row group")
    cuts = np.searchsorted(ends, np.arange(_PIECE, total, _PIECE))
    places = [0, *np.unique(cuts).tolist(), len(chunk)]
    coded = pa.DictionaryArray.from_arrays(chunk.indices, words)
    for first, end in pairwise(places):
        yield coded.slice(first, end - first).cast(kind)


def _times(chunk: Any) -> Any:
    ticks = numbers_of(chunk, np.int64, 0)
    each = _A_SECOND[chunk.type.unit] if pa.types.is_timestamp(chunk.type) else 10**6
    if each > 10**6:
        return plain(TIME, ticks // (each // 10**6))
    factor = 10**6 // each
    if len(ticks) and max(abs(int(ticks.min())), abs(int(ticks.max()))) * factor >= _MOST_WHOLE:
        raise ValueError("its times are out of range")
    return plain(TIME, ticks * factor)


def _steps(chunk: Any) -> Any:
    if not pa.types.is_floating(chunk.type):
        return chunk.cast(pa.int64())
    # A table with a missing step often has floats, and NaN where there is none.
    given = numbers_of(chunk.cast(pa.float64()), np.float64, np.nan)
    absent = np.isnan(given)
    whole = np.where(absent, 0.0, given)
    if not ((whole == np.floor(whole)) & (np.abs(whole) < _MOST_WHOLE)).all():
        raise ValueError("its steps are not whole numbers")
    return plain(pa.int64(), np.where(absent, NO_STEP, whole.astype(np.int64)), absent)


def _values(chunk: Any) -> Any:
    if pa.types.is_float16(chunk.type):
        chunk = chunk.cast(pa.float32())
    return chunk.cast(pa.float64(), safe=False)


_CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "time": _times,
    "step": _steps,
    "value": _values,
}
_TYPES: Final[Mapping[str, Any]] = {
    **dict.fromkeys(KEYS, WORD),
    "time": TIME,
    "step": pa.int64(),
    "value": pa.float64(),
    "text": pa.string(),
    "data": pa.binary(),
}

"""Small tables of numbers and words as Parquet bytes: the index and the overview."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pulse_widgets.loading import load
from pulse_widgets.series.columns import Packed
from pulse_widgets.storage.arrow.convert import joined, packed, plain, words_of
from pulse_widgets.storage.parquet.footer import check_blob

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["read_table", "write_table"]

PARQUET: Final = "pyarrow.parquet"
"""Loaded where a table is read or written: a page opens before that."""

_TYPES: Final[Mapping[type[np.generic], Any]] = {
    np.int32: pa.int32(),
    np.int64: pa.int64(),
    np.float32: pa.float32(),
    np.float64: pa.float64(),
}


def write_table(words: Mapping[str, Sequence[str]], numbers: Mapping[str, NDArray[Any]]) -> bytes:
    """Return columns of words and columns of numbers as one Parquet file.

    Integers are delta-coded. No column has missing values.
    """
    fields, columns = [], []
    for name, texts in words.items():
        fields.append(pa.field(name, pa.string(), nullable=False))
        columns.append(packed(pa.string(), Packed.of_texts(texts), len(texts), nullable=False))
    for name, values in numbers.items():
        kind = _TYPES[values.dtype.type]
        fields.append(pa.field(name, kind, nullable=False))
        columns.append(plain(kind, values))
    load(PARQUET)
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    whole = [n for n, values in numbers.items() if values.dtype.kind == "i"]
    pq.write_table(
        pa.Table.from_arrays(columns, schema=pa.schema(fields)),
        sink,
        compression="zstd",
        use_dictionary=list(words),
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        store_schema=False,
    )
    return sink.getvalue()


def read_table(
    content: bytes,
    words: Sequence[str],
    numbers: Mapping[str, type[np.generic]],
    *,
    most_rows: int,
    most_bytes: int,
) -> tuple[dict[str, tuple[NDArray[np.int64], list[str]]], dict[str, NDArray[Any]]]:
    """Return the columns of `write_table`: of words codes and words, of numbers arrays.

    Raises
    ------
    ValueError
        If it has more rows, or unpacks to more bytes, than it may, or has other columns; on
        damaged bytes also what `DAMAGE` lists.
    """
    check_blob(content)
    load(PARQUET)
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(words))
    about = file.metadata
    groups = (about.row_group(g) for g in range(about.num_row_groups))
    if about.num_rows > most_rows or sum(int(g.total_byte_size) for g in groups) > most_bytes:
        raise ValueError("a table is larger than any of its sort")
    table = file.read(columns=[*words, *numbers], use_threads=False)
    for name, kind in numbers.items():
        if table.schema.field(name).type != _TYPES[kind] or table.column(name).null_count:
            raise ValueError(f"the column {name} is not one of its sort")
    held = {name: words_of(table.column(name)) for name in words}
    return held, {name: joined(table, name, kind, 0) for name, kind in numbers.items()}

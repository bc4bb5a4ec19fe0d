"""Sealed Parquet files of known rows, with pages so small that many are header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.storage.arrow.convert import KEYS, TIME
from pulse_widgets.storage.arrow.files import _options as parquet_options
from pulse_widgets.storage.parquet.seal import marks, seal

if TYPE_CHECKING:
    from pathlib import Path

VALUES = ("time", "step", "value", "text", "data")
_WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        *(pa.field(name, _WORD, nullable=False) for name in KEYS),
        pa.field("time", TIME, nullable=False),
        pa.field("step", pa.int64()),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("data", pa.binary()),
    ]
)


def options(*, final: bool, split: bool, page: int | None = None) -> dict:
    """Return the options of the writer; pages of `page` rows when it is given."""
    made = parquet_options(final=final, split=split)
    made["write_page_index"] = final  # as other writers do, parts have none here
    made["use_dictionary"] = [*KEYS, "text"] if split else [*KEYS, "value", "text"]
    for name in ("text", "data"):
        made["column_encoding"].pop(name, None)
    made["column_encoding"]["data"] = "PLAIN"
    if page and "max_rows_per_page" in made:
        small = {"max_rows_per_page": page, "write_batch_size": page, "data_page_size": 16 * page}
        made.update(small, dictionary_pagesize_limit=256)
    return made


def table(rows: int, seed: int) -> pa.Table:
    """Return rows of two series, with NULLs, words that repeat, and payloads."""
    rnd = np.random.default_rng(seed)

    def some(values: list, share: float, kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind, mask=rnd.random(rows) >= share)

    codes = pa.array((np.arange(rows) >= rows // 2).astype(np.int32))
    keys = [pa.DictionaryArray.from_arrays(codes, pa.array([f"{k}a", f"{k}b"])) for k in KEYS]
    time = np.cumsum(rnd.integers(0, 1000, rows))
    # The first half packs as a dictionary, so that a page of each kind is there.
    value = np.where(np.arange(rows) < rows // 2, np.arange(rows) % 3, rnd.normal(size=rows))
    return pa.table(
        [
            *keys,
            pa.array(time).cast(TIME),
            some(rnd.integers(0, 1 << 40, rows), 0.7, pa.int64()),
            some(value, 0.9, pa.float64()),
            some([f"text {k % 7}" for k in range(rows)], 0.5, pa.string()),
            some([rnd.bytes(int(n)) for n in rnd.integers(0, 40, rows)], 0.3, pa.binary()),
        ],
        schema=SCHEMA,
    )


def write(path: Path, tables: list[pa.Table], *, sealed: bool = True, **how) -> None:
    """Write a row group of each table."""
    with pq.ParquetWriter(path, SCHEMA, **options(**how)) as writer:
        for each in tables:
            writer.write_table(each, row_group_size=1 << 30)
        room = marks(len(tables), len(SCHEMA)) if sealed else {}
        writer.add_key_value_metadata({"pulse.version": "1.0", **room})
    if sealed:
        seal(path)


def damage(content: bytes, places: range, rnd: np.random.Generator) -> tuple[bytes, list[int]]:
    """Return content with one to three bits or bytes changed, and where."""
    made, touched = bytearray(content), []
    for _ in range(rnd.integers(1, 4)):
        place = int(places[rnd.integers(len(places))])
        old = made[place]
        made[place] = rnd.integers(256) if rnd.random() < 0.4 else old ^ (1 << rnd.integers(8))
        touched.append(place)
    return bytes(made), touched

"""Rows as another program writes them, and the ways to write and to read them back."""

from __future__ import annotations

import json
import math
import random

import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.series.columns import missing
from pulse_widgets.series.rows import NO_STEP
from tests.storage.bench import START_US

NAMES = ["host", "entity", "metric", "time", "step", "value", "text", "data"]

RUN = {"version": "1.0", "id": "written elsewhere", "start": START_US - 5, "about": {"title": "é"}}
KEYS = {"pulse.version": "1.0", "pulse.run": json.dumps(RUN)}

Row = tuple[str, str, str, int, int | None, float | None, str | None, bytes | None]


def some_rows(*, nan: bool = True) -> list[Row]:
    """Rows of several series in the order in which they happened, so that no series lies together.

    pandas cannot tell a NaN from no value; `nan` False leaves it out.
    """
    chance, rows = random.Random(7), []
    for k in range(3000):
        time = START_US + 1000 * (k // 2)  # two rows a moment: these keep their order
        step = None if k % 3 else k - 500
        value = None if k % 11 == 0 else chance.gauss(0, 1)
        rows.append(("h0", "user", "train/loss", time, step, value, None, None))
        rows.append(
            ("h0", f"gpu:{k % 3}", "gpu.power", time + k % 5, None, float(k % 400), None, None)
        )
        if k % 50 == 0:
            rows.append(("h1", "kernel", "log", time, None, None, f"line {k} é 漢字", None))
            rows.append(("h0", "user", "image", time, k, None, "{}", bytes([k % 256, 0, 255])))
    for value in [math.inf, -math.inf, -0.0, 5e-324] + [math.nan] * nan:
        rows.append(("h0", "user", "odd", START_US - 10**9, None, value, None, None))
    return rows


def expected(rows: list[Row]) -> list[Row]:
    """Sort rows as a recording gives them; of equal time in the order of the file."""
    return sorted(((*r[:6], r[6] or None, r[7] or None) for r in rows), key=lambda r: r[:4])


def held(stored) -> list[Row]:
    """Return every row of an opened recording, None where there is nothing."""
    rows = [row for key in stored.extents for row in rows_of(stored, key)]
    assert [sum(r[:3] == k for r in rows) for k in stored.extents] == [
        x.rows for x in stored.extents.values()
    ]
    return rows


def rows_of(stored, key) -> list[Row]:
    c = stored.columns(key)
    texts = c.text.texts() if c.text is not None else [""] * len(c)
    blobs = c.data.pieces() if c.data is not None else [b""] * len(c)
    steps = [None if s == NO_STEP else s for s in c.step.tolist()]
    pairs = zip(c.value.tolist(), missing(c.value).tolist(), strict=True)
    values = [None if absent else v for v, absent in pairs]
    payload = ([t or None for t in texts], [b or None for b in blobs])
    return [(*key, *rest) for rest in zip(c.time.tolist(), steps, values, *payload, strict=True)]


def same(found: list[Row], wanted: list[Row]) -> bool:
    return repr(found) == repr(wanted)  # a NaN is equal to itself


def table_of(rows: list[Row]) -> pa.Table:
    """Return rows as a plain table: texts, no dictionary, every column nullable."""
    types = [pa.string()] * 3 + [
        pa.timestamp("us", "UTC"), pa.int64(), pa.float64(), pa.string(), pa.binary(),
    ]  # fmt: skip
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 8
    arrays = [pa.array(c, t, from_pandas=False) for c, t in zip(columns, types, strict=True)]
    return pa.table(dict(zip(NAMES, arrays, strict=True)))


def put(table: pa.Table, path, keys=KEYS, **options):
    """Write a table as somebody would who has only the page."""
    rows = options.pop("row_group_size", 500)
    plain = table.replace_schema_metadata(None)
    with pq.ParquetWriter(path, plain.schema, **{"store_schema": False, **options}) as writer:
        writer.write_table(plain, row_group_size=rows)
        writer.add_key_value_metadata(keys)
    return path


def cast(**types):
    """Return a change of a table that gives columns other types."""

    def change(table: pa.Table) -> pa.Table:
        for name, kind in types.items():
            place = table.column_names.index(name)
            table = table.set_column(place, name, table.column(name).cast(kind, safe=False))
        return table

    return change


def set_to(name, maker):
    return lambda t: t.set_column(NAMES.index(name), name, maker(len(t)))

"""Write rows with another program: ``python write.py TOOL ROWS OUT`` with rows in JSON.

Runs in the environment of that program, where pulse_widgets is not. The file is written from the
page of the format alone, in the way that comes natural to the program.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

NAMES = ["host", "entity", "metric", "time", "step", "value", "text", "data"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017  runs in old Pythons too


def columns(path):
    """Return the columns, and the keys of the footer."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        given = json.load(file)
    made = dict(zip(NAMES, map(list, zip(*given["rows"])))) if given["rows"] else {}  # noqa: B905
    made["time"] = [EPOCH + timedelta(microseconds=t) for t in made["time"]]
    made["value"] = [None if v is None else float(v) for v in made["value"]]
    made["data"] = [None if d is None else bytes.fromhex(d) for d in made["data"]]
    return made, given["keys"]


def write_polars(rows, keys, out):
    import polars as pl

    types = {"step": pl.Int64, "value": pl.Float64, "text": pl.String, "data": pl.Binary}
    frame = pl.DataFrame(rows, schema_overrides=types)
    frame.write_parquet(out, metadata=keys or None, row_group_size=1000)


def write_polars_stream(rows, keys, out):
    import polars as pl

    types = {"step": pl.Int64, "value": pl.Float64, "text": pl.String, "data": pl.Binary}
    frame = pl.DataFrame(rows, schema_overrides=types)
    words = pl.col("host", "entity", "metric").cast(pl.Categorical)
    frame.lazy().with_columns(words).sink_parquet(out, metadata=keys or None)


def write_duckdb(rows, keys, out):
    import duckdb

    duckdb.sql("SET timezone = 'America/New_York'")  # the file holds UTC all the same
    duckdb.sql(
        """CREATE TABLE r (host VARCHAR, entity VARCHAR, metric VARCHAR, time TIMESTAMPTZ,
        step BIGINT, value DOUBLE, text VARCHAR, data BLOB)"""
    )
    lines = [list(line) for line in zip(*rows.values())]  # noqa: B905
    duckdb.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?)", lines)
    held = ", ".join("'{}': '{}'".format(k, v.replace("'", "''")) for k, v in keys.items())
    marks = f", KV_METADATA {{{held}}}" if keys else ""
    duckdb.sql(f"COPY r TO '{out}' (FORMAT PARQUET, ROW_GROUP_SIZE 2048{marks})")


def write_pandas(rows, keys, out):
    import pandas as pd

    # A step that is missing makes floats of all, as pandas does by itself.
    frame = pd.DataFrame(rows)
    assert not keys
    frame.to_parquet(out, row_group_size=700)


def write_fastparquet(rows, keys, out):
    import fastparquet
    import pandas as pd

    frame = pd.DataFrame(rows)
    frame["step"] = frame["step"].astype("Int64")
    for name in ("host", "entity", "metric", "text"):
        frame[name] = frame[name].astype(object)
    kinds = {"data": "bytes", "host": "utf8", "entity": "utf8", "metric": "utf8", "text": "utf8"}
    fastparquet.write(
        out, frame, object_encoding=kinds, custom_metadata=keys or None, times="int64"
    )


if __name__ == "__main__":
    tool, source, target = sys.argv[1:]
    held, marks = columns(source)
    globals()[f"write_{tool}"](held, marks, target)

"""Write files of many types with another program: ``python write_types.py TOOL FOLDER``.

Runs in the environment of that program, where pulse_widgets is not.
"""

import sys
from datetime import datetime, timedelta, timezone

ROWS = 60
EPOCH = datetime(2026, 9, 21, tzinfo=timezone.utc)  # noqa: UP017  runs in old Pythons too


def columns():
    """Return plain columns."""
    each = range(ROWS)
    return {
        "host": ["h0" if k % 9 else "h1" for k in each],
        "entity": [("gpu:0", "gpu:1", "host")[k % 3] for k in each],
        "metric": [("a", "b/c")[k % 2] for k in each],
        "time": [EPOCH + timedelta(milliseconds=(k * 37) % 60) for k in each],
        "value": [None if k % 11 == 3 else (k * 37 % 101) / 8 for k in each],
        "step": [None if k % 4 else k - 5 for k in each],
        "text": [None if k % 2 else f"té {k % 7}" for k in each],
    }


def write_polars(folder):
    import polars as pl

    kinds = {"step": pl.Int64, "value": pl.Float64, "text": pl.String}
    frame = pl.DataFrame(columns(), schema_overrides=kinds)
    for codec in ("zstd", "snappy", "lz4", "gzip", "uncompressed"):
        frame.write_parquet(folder + "/" + codec + ".parquet", compression=codec)
    frame.write_parquet(folder + "/groups.parquet", row_group_size=16, data_page_size=100)
    words = (pl.col("host").cast(pl.Categorical), pl.col("metric").cast(pl.Enum(["a", "b/c"])))
    frame.with_columns(*words).write_parquet(folder + "/words.parquet")
    small = (pl.col("value").cast(pl.Float32), pl.col("step").cast(pl.Int32))
    frame.with_columns(*small).write_parquet(folder + "/small.parquet")
    frame.with_columns(pl.col("step").cast(pl.Decimal(20, 2))).write_parquet(
        folder + "/decimal steps.parquet"
    )
    frame.with_columns(pl.col("value").cast(pl.Decimal(20, 3))).write_parquet(
        folder + "/decimals.parquet"
    )
    for unit in ("ms", "ns"):
        times = pl.col("time").dt.cast_time_unit(unit)
        frame.with_columns(times).write_parquet(folder + "/" + unit + ".parquet")
    for kind in ("UInt8", "UInt32", "UInt64", "Int8", "Boolean"):
        value = pl.col("value").cast(pl.Int64).cast(getattr(pl, kind))
        frame.with_columns(value).write_parquet(folder + "/" + kind + ".parquet")
    frame.lazy().sink_parquet(folder + "/stream.parquet")


def write_duckdb(folder):
    import duckdb

    duckdb.sql("SET timezone = 'UTC'")
    duckdb.sql(
        """CREATE TABLE t (host VARCHAR, entity VARCHAR, metric VARCHAR, time TIMESTAMPTZ,
        value DOUBLE, step BIGINT, text VARCHAR)"""
    )
    lines = [list(line) for line in zip(*columns().values())]  # noqa: B905
    duckdb.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", lines)

    def put(name, query="t", options=""):
        duckdb.sql(f"COPY {query} TO '{folder}/{name}.parquet' (FORMAT parquet{options})")

    for codec in ("zstd", "snappy", "lz4_raw", "gzip", "uncompressed"):
        for version in ("V1", "V2"):
            put(
                codec + " " + version,
                "t",
                f", COMPRESSION {codec}, PARQUET_VERSION {version}",
            )
    kinds = (
        "DECIMAL(18, 4)", "DECIMAL(30, 4)", "HUGEINT", "UHUGEINT", "TINYINT", "UTINYINT", "UINTEGER",
        "INTEGER", "UBIGINT", "FLOAT", "BOOLEAN",
    )  # fmt: skip
    for kind in kinds:
        for version in ("V1", "V2"):
            name = kind.split("(")[0] + str(len(kind)) + " " + version
            query = f"(SELECT * EXCLUDE (value), value::{kind} AS value FROM t)"
            put(name, query, f", PARQUET_VERSION {version}")
    for kind in ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"):
        put(kind, f"(SELECT * EXCLUDE (time), time::TIMESTAMP::{kind} AS time FROM t)")
    put("enum", "(SELECT * EXCLUDE (host), host::ENUM ('h0', 'h1') AS host FROM t)")


def write_fastparquet(folder):
    import fastparquet
    import pandas as pd

    frame = pd.DataFrame(columns())
    frame["step"] = frame["step"].astype("Int64")
    for name in ("host", "entity", "metric", "text"):
        frame[name] = frame[name].astype(object)
    kinds = dict.fromkeys(("host", "entity", "metric", "text"), "utf8")

    def put(name, made=frame, **options):
        fastparquet.write(folder + "/" + name + ".parquet", made, object_encoding=kinds, **options)

    for codec in ("UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4", "LZ4_RAW"):
        put(codec, compression=codec)
    put("old times", times="int96")
    put("groups", row_group_offsets=[0, 7, 40])
    put("words", frame.assign(host=frame["host"].astype("category")))
    whole = frame["value"].fillna(0).astype(int)
    for kind in ("int8", "uint8", "int32", "uint32", "int64", "uint64", "float32", "bool"):
        put(kind, frame.assign(value=whole.astype(kind)))


if __name__ == "__main__":
    globals()["write_" + sys.argv[1]](sys.argv[2])

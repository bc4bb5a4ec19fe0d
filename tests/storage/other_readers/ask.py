"""Ask another program about a recording: ``python ask.py TOOL FILE`` prints one JSON object.

Runs in the environment of that program, where pulse_widgets is not. Every tool gives the same
answers, of each series by its key, and uses its own way of grouping, counting and summing.
"""

import hashlib
import json
import math
import struct
import sys

KEYS = ["host", "entity", "metric"]


def digest(pieces):
    """Return a checksum of texts, payloads or numbers, in order."""
    made = hashlib.sha256()
    for piece in pieces:
        raw = piece.encode() if isinstance(piece, str) else bytes(piece)
        made.update(struct.pack("<q", len(raw)) + raw)
    return made.hexdigest()


def bits(values):
    """Return numbers as bytes; all NaN alike."""
    return [b"nan" if math.isnan(v) else struct.pack("<d", v) for v in values]


def numbers(values):
    """Return what a series of values, NULL left out, is."""
    real = [v for v in values if math.isfinite(v)]
    return {
        "numbers": len(values),
        "nans": sum(map(math.isnan, values)),
        "total": math.fsum(real),
        "values": digest(bits(values)),
    }


def payload(texts, blobs):
    """Return what texts and payloads, NULL left out, are."""
    return {
        "texts": len(texts),
        "text": digest(texts),
        "payloads": len(blobs),
        "data": digest(blobs),
    }


def steps(values):
    """Return what a series of steps, NULL left out, is."""
    whole = [int(v) for v in values]
    return {
        "steps": len(whole),
        "least": min(whole, default=None),
        "most": max(whole, default=None),
        "sum": str(sum(whole)),
    }


def ask_pandas(path):
    import pandas as pd

    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    plain = pd.read_parquet(path, columns=[*KEYS, "time", "value"])
    assert str(plain["time"].dt.tz) == "UTC"
    answers = {}
    for key, held in frame.groupby(KEYS, observed=True):
        micros = held["time"].astype("int64[pyarrow]")
        answers["|".join(key)] = {
            "rows": len(held),
            "first": int(micros.min()),
            "last": int(micros.max()),
            **numbers(held["value"].array.__arrow_array__().drop_null().to_pylist()),
            **steps(held["step"].array.__arrow_array__().drop_null().to_pylist()),
            **payload(held["text"].dropna().tolist(), held["data"].dropna().tolist()),
        }
    for key, held in plain.groupby(KEYS, observed=True)["value"]:
        answers["|".join(key)]["mean"] = float(held[abs(held) < math.inf].mean())
    return answers


def ask_polars(path):
    import polars as pl

    frame = pl.read_parquet(path).with_columns(pl.col(KEYS).cast(pl.String))
    answers = {}
    for key, held in frame.group_by(KEYS, maintain_order=True):
        micros = held["time"].dt.epoch("us")
        finite = held.filter(pl.col("value").is_finite())["value"]
        answers["|".join(key)] = {
            "rows": len(held),
            "first": micros.min(),
            "last": micros.max(),
            "mean": finite.mean(),
            **numbers(held["value"].drop_nulls().to_list()),
            **steps(held["step"].drop_nulls().to_list()),
            **payload(held["text"].drop_nulls().to_list(), held["data"].drop_nulls().to_list()),
        }
    return answers


def ask_duckdb(path):
    import duckdb

    asked = duckdb.sql(
        f"""SELECT host || '|' || entity || '|' || metric, count(*),
        epoch_us(min(time)), epoch_us(max(time)), avg(value) FILTER (isfinite(value)),
        count(value), count(step), min(step), max(step), sum(step::HUGEINT)::VARCHAR,
        count(text), count(data) FROM '{path}' GROUP BY ALL"""
    ).fetchall()
    answers = {}
    for key, rows, first, last, mean, held, stepped, least, most, total, texts, blobs in asked:
        of = {name: _column(duckdb, path, key, name) for name in ("value", "step", "text", "data")}
        mine = {
            **numbers(of["value"]),
            **steps(of["step"]),
            **payload(of["text"], of["data"]),
        }
        counted = {"numbers": held, "steps": stepped, "texts": texts, "payloads": blobs}
        found = {**counted, "least": least, "most": most, "sum": total or "0"}
        assert {name: mine[name] for name in found} == found, key
        answers[key] = {"rows": rows, "first": first, "last": last, "mean": mean, **mine}
    return answers


def _column(duckdb, path, key, name):
    host, entity, metric = key.split("|")
    found = duckdb.sql(
        f"""SELECT {name} FROM '{path}' WHERE host = '{host}' AND entity = '{entity}'
        AND metric = '{metric}' AND {name} IS NOT NULL"""
    )
    return [row[0] for row in found.fetchall()]


def ask_fastparquet(path):
    import fastparquet

    columns = [*KEYS, "value", "text", "data"]
    frame = fastparquet.ParquetFile(path).to_pandas(columns=columns)
    answers = {}
    for key, held in frame.groupby(KEYS, observed=True):
        # Its NULL is NaN.
        there = held["value"].dropna()
        answers["|".join(key)] = {
            "rows": len(held),
            "mean": float(there[abs(there) < math.inf].mean()),
            "total": math.fsum(there[abs(there) < math.inf]),
            "real": digest(bits(there.tolist())),
            **payload(held["text"].dropna().tolist(), held["data"].dropna().tolist()),
        }
    return answers


if __name__ == "__main__":
    tool, path = sys.argv[1:]
    print(json.dumps(globals()[f"ask_{tool}"](path)))

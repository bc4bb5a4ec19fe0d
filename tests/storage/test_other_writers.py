"""Files that other programs write from the page of the format open, with every row as written."""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pulse_widgets as pw
from pulse_widgets.errors import FormatVersionError, RecordingError
from pulse_widgets.storage.limits import MOST_GROUP_BYTES
from pulse_widgets.storage.parquet.seal import marks, seal
from pulse_widgets.storage.reader import open_stored
from tests.storage.bench import START_US
from tests.storage.foreign import (
    KEYS,
    NAMES,
    RUN,
    Row,
    cast,
    expected,
    held,
    put,
    rows_of,
    same,
    set_to,
    some_rows,
    table_of,
)
from tests.storage.golden import write as write_golden
from tests.storage.other_readers.environments import HERE, READERS, environment

NEWEST = {reader.tool: reader for reader in reversed(READERS)}
TOOLS = {
    "polars": "polars",
    "polars_stream": "polars",
    "duckdb": "duckdb",
    "fastparquet": "fastparquet",
    "pandas": "pandas",
}
# Programs ---------------------------------------------------------------------------------


def written_by(tool: str, rows: list[Row], keys: dict[str, str], path):
    """Let another program, in its own environment, write rows to a file."""
    source = path.with_suffix(".json")
    lines = [
        (*r[:5], None if r[5] is None else str(r[5]), r[6], None if r[7] is None else r[7].hex())
        for r in rows
    ]
    source.write_text(json.dumps({"rows": lines, "keys": keys}))
    python = environment(NEWEST[TOOLS[tool]]) / "bin/python"
    command = [python, HERE / "write.py", tool, source, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return path


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("keys", [KEYS, {}], ids=["keys", "no-keys"])
@pytest.mark.parametrize("tool", TOOLS)
def test_a_file_of_another_program_opens(tool, keys, tmp_path):
    if tool == "pandas":
        keys = {}  # it has no way to write them
    rows = some_rows(nan=tool not in {"pandas", "fastparquet"})
    path = written_by(tool, rows, keys, tmp_path / "run.parquet")

    stored = open_stored(path)

    assert same(held(stored), expected(rows))
    assert stored.problems == ()
    assert stored.run.start_us == (START_US - 5 if keys else START_US - 10**9)
    assert stored.run.about == (RUN["about"] if keys else {})


# Shapes, all written by pyarrow -----------------------------------------------------------


WORDS = pa.dictionary(pa.int8(), pa.large_string())
SHAPES = {
    "as the page says": lambda t: t,
    "columns in another order": lambda t: t.select(NAMES[::-1]),
    "more columns": lambda t: t.append_column("more", pa.array([[{"a": 1}]] * len(t))),
    "large types": cast(host=pa.large_string(), text=pa.large_string(), data=pa.large_binary()),
    "words as bytes": cast(entity=pa.binary(), text=pa.binary()),
    "words as codes": cast(host=WORDS, metric=WORDS),
    "times of nanoseconds": cast(time=pa.timestamp("ns", "UTC")),
    "times of another zone": cast(time=pa.timestamp("us", "Asia/Tokyo")),
    "times as numbers": cast(time=pa.int64()),
    "steps as decimals": cast(step=pa.decimal128(20, 0)),
    "steps as floats": cast(step=pa.float64()),
    "steps as small numbers": cast(step=pa.int32()),
}
OPTIONS = {
    "with a schema of Arrow": {"store_schema": True},
    "in small row groups": {"row_group_size": 60},
    "in one row group": {"row_group_size": 10**6},
    "not packed": {"compression": "none", "use_dictionary": False},
    "packed by gzip": {"compression": "gzip"},
    "in pages of the second kind": {"data_page_version": "2.0"},
    "without statistics": {"write_statistics": False},
    "with old times": {"use_deprecated_int96_timestamps": True},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stored_schema", [False, True])
def test_columns_of_other_types_are_read(shape, stored_schema, tmp_path):
    rows = some_rows()
    table = SHAPES[shape](table_of(rows))
    stored = open_stored(put(table, tmp_path / "a.parquet", store_schema=stored_schema))
    assert same(held(stored), expected(rows))
    assert stored.problems == ()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("order", ["as it happened", "sorted", "shuffled"])
@pytest.mark.slow
def test_files_written_in_other_ways_are_read(options, order, tmp_path):
    rows = some_rows()
    if order == "sorted":
        rows = expected(rows)
    if order == "shuffled":
        random.Random(1).shuffle(rows)
    stored = open_stored(put(table_of(rows), tmp_path / "a.parquet", **OPTIONS[options]))
    assert same(held(stored), expected(rows))


@pytest.mark.parametrize(
    ("unit", "divisor"), [("ms", 1000), ("s", 10**6)], ids=["milliseconds", "seconds"]
)
def test_coarse_times_are_read(unit, divisor, tmp_path):
    rows = [(*r[:3], r[3] // divisor * divisor, *r[4:]) for r in some_rows()]
    table = cast(time=pa.timestamp(unit, "UTC"))(table_of(rows))
    path = put(table, tmp_path / "a.parquet", store_schema=True)
    assert same(held(open_stored(path)), expected(rows))


@pytest.mark.parametrize("time", [-1, -999, -1001, 1], ids=str)
def test_parts_of_a_microsecond_are_cut_off(time, tmp_path):
    table = table_of([("h0", "user", "a", 0, None, 1.0, None, None)])
    moment = pa.array([time]).cast(pa.timestamp("ns", "UTC"))
    path = put(table.set_column(3, "time", moment), tmp_path / "a.parquet", store_schema=True)
    assert held(open_stored(path))[0][3] == time // 1000


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.float16(), pa.bool_(), pa.uint8()])
def test_values_of_other_types_are_numbers(kind, tmp_path):
    rows = [("h0", "user", "a", k, None, float(k % 2), None, None) for k in range(9)]
    rows[4] = (*rows[4][:5], None, None, None)
    path = put(cast(value=kind)(table_of(rows)), tmp_path / "a.parquet")
    assert same(held(open_stored(path)), expected(rows))


@pytest.mark.parametrize("absent", [["step"], ["text", "data"], ["step", "value", "data"]])
@pytest.mark.parametrize("way", ["no column", "nothing in the column", "no type"])
def test_what_is_optional_may_be_left_out(absent, way, tmp_path):
    places = [NAMES.index(name) for name in absent]
    rows = [tuple(None if k in places else x for k, x in enumerate(r)) for r in some_rows()]
    table = table_of(rows)
    if way == "no column":
        table = table.drop_columns(absent)
    if way == "no type":
        for name in absent:
            table = set_to(name, pa.nulls)(table)
    path = put(table, tmp_path / "a.parquet", store_schema=way == "no type")
    assert same(held(open_stored(path)), expected(rows))


word = st.sampled_from(["h0", "a", "b", "é", "\U0001d538", "\uffff", ""])
value = st.one_of(st.none(), st.floats())
row = st.tuples(
    word, word, word,
    st.integers(-(10**6), 10**6),
    st.one_of(st.none(), st.integers(1 - 2**63, 2**63 - 1)),
    value,
    st.one_of(st.none(), st.text(alphabet=st.characters(codec="utf-8"), max_size=5)),
    st.one_of(st.none(), st.binary(max_size=5)),
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(row, max_size=60), size=st.integers(1, 70), data=st.data())
def test_any_rows_in_any_order_are_read(rows, size, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("w") / "a.parquet"
    options = {
        "row_group_size": size,
        "store_schema": data.draw(st.booleans()),
        "use_dictionary": data.draw(st.booleans()),
        "keys": data.draw(st.sampled_from([KEYS, {}, {"pulse.version": "1.3"}])),
    }
    stored = open_stored(put(table_of(rows), path, **options))
    assert same(held(stored), expected(rows))


# What a recording of another program can do -------------------------------------------------


def test_it_can_be_asked_selected_and_saved(tmp_path):
    rows = some_rows()
    rec = pw.Recording.open(put(table_of(rows), tmp_path / "foreign.parquet"))
    assert rec.title == "é"
    assert int(rec.start.timestamp() * 1e6) == START_US - 5
    table = rec.series.set_index("metric")
    assert table.loc["train/loss", "rows"] == 3000
    assert table.loc["train/loss", "unit"] == ""
    assert set(table.loc["gpu.power", "unit"]) == {"W"}  # from the table of metrics
    frame = rec.select("train/loss").to_pandas()
    assert len(frame) == 3000
    wanted = [r[5] for r in expected(rows) if r[2] == "train/loss" and r[5] is not None]
    assert np.array_equal(frame["value"].dropna().to_numpy(), wanted)
    saved = open_stored(rec.save(tmp_path / "ours"))
    assert same(held(saved), expected(rows))
    assert saved.run.id == "written elsewhere"
    assert b"pulse.index" in pq.read_metadata(saved.path).metadata


def test_without_any_key_the_file_tells_its_id_and_its_rows_the_start(tmp_path):
    rows = some_rows()
    first = put(table_of(rows), tmp_path / "a.parquet", keys={})
    copy = shutil.copy(first, tmp_path / "b.parquet")
    other = put(table_of(rows[1:]), tmp_path / "c.parquet", keys={})
    runs = [open_stored(path).run for path in (first, copy, other)]
    assert runs[0] == runs[1]
    assert runs[2].id != runs[0].id
    assert runs[0].start_us == min(r[3] for r in rows)
    saved = open_stored(pw.Recording.open(first).save(tmp_path / "ours"))
    assert saved.run.id == runs[0].id


def test_a_file_without_rows_opens(tmp_path):
    rec = pw.Recording.open(put(table_of([]), tmp_path / "a.parquet", keys={}))
    assert len(rec.series) == 0
    assert rec.problems == ()


def test_times_without_a_zone_are_utc_and_it_is_said(tmp_path):
    rows = some_rows()
    table = cast(time=pa.timestamp("us"))(table_of(rows))
    stored = open_stored(put(table, tmp_path / "a.parquet"))
    assert same(held(stored), expected(rows))
    assert len(stored.problems) == 1
    assert "UTC" in stored.problems[0]


def test_its_catalog_tells_units_kinds_and_labels_of_entities(tmp_path):
    catalog = {
        "hosts": {"h0": {"name": "elsewhere"}},
        "entities": {"h0": {"gpu:1": {"uuid": "GPU-1"}}},
        "metrics": {"train/loss": ["nats", "gauge"], "log": ["", "text"]},
        "series": {"0": ["wrong", "counter", {"of": "another series"}]},
    }
    keys = {**KEYS, "pulse.catalog": json.dumps(catalog)}
    stored = open_stored(put(table_of(some_rows()), tmp_path / "a.parquet", keys=keys))
    told = {(k.entity, k.metric): x for k, x in stored.catalog.infos.items()}
    assert (told["user", "train/loss"].unit, told["kernel", "log"].kind) == ("nats", "text")
    assert stored.catalog.entities == {"h0": {"gpu:1": {"uuid": "GPU-1"}}}
    assert stored.catalog.hosts["h0"]["name"] == "elsewhere"
    # A number says nothing in a file that may have been changed since it was counted.
    assert not [x for x in told.values() if x.unit == "wrong" or x.labels]


@pytest.mark.parametrize("change", ["first series gone", "turned round", "a column gone"])
def test_a_recording_of_ours_that_another_program_changed_tells_no_lie(change, tmp_path):
    bench = write_golden(tmp_path / "golden.pulse")
    ours = pw.Recording.open(bench.directory).save(tmp_path / "ours")
    before = held(open_stored(ours))
    table = pq.read_table(ours)  # with our keys, which write_table() writes again
    gone = ("host", "cpu.user.total") if change == "first series gone" else ("", "")
    wanted = [r for r in before if r[1:3] != gone]
    if change == "first series gone":
        rows = table.to_pylist()
        table = table.take([k for k, r in enumerate(rows) if (r["entity"], r["metric"]) != gone])
    if change == "turned round":
        table = table.take(list(range(len(table)))[::-1])
    if change == "a column gone":
        table = table.drop_columns(["data"])
        wanted = [(*r[:7], None) for r in wanted]
    path = tmp_path / "changed.parquet"
    pq.write_table(table, path)

    stored = open_stored(path)

    found = held(stored)
    if change == "turned round":  # and so do the rows of equal time
        found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
    assert same(found, wanted)
    labels = {k.metric: dict(x.labels) for k, x in stored.catalog.infos.items() if x.labels}
    assert labels in ({}, {"gpu.power": {"uuid": "GPU-golden"}})
    # The overview that was copied along is that of other rows.
    fresh = open_stored(pw.Recording.open(path).save(tmp_path / "fresh"))
    for key in stored.extents:
        # Those of the file are rounded outwards; those of the rows are not.
        ours, theirs = stored.levels(key), fresh.levels(key)
        assert ours.keys() == theirs.keys()
        for size, blocks in ours.items():
            for name in ("rows", "start", "end", "count", "last"):
                left, right = getattr(blocks, name), getattr(theirs[size], name)
                assert np.array_equal(left, right, equal_nan=name == "last")


def test_checksums_that_another_program_wrote_are_checked(tmp_path):
    rows = some_rows()
    groups = -(-len(rows) // 500)
    keys = {**KEYS, **marks(groups, len(NAMES))}
    path = put(table_of(rows), tmp_path / "a.parquet", keys=keys, use_dictionary=False)
    seal(path)
    stored = open_stored(path)
    assert same(held(stored), expected(rows))
    assert stored.problems == ()
    chunk = pq.read_metadata(path).row_group(2).column(NAMES.index("value"))
    with path.open("r+b") as file:  # one bit of a page that has no checksum of its own
        place = chunk.data_page_offset + chunk.total_compressed_size - 5
        file.seek(place)
        flipped = file.read(1)[0] ^ 1
        file.seek(place)
        file.write(bytes([flipped]))
    stored = open_stored(path)
    found = [r for key in stored.extents for r in rows_of(stored, key)]
    assert same(found, expected(rows[:1000] + rows[1500:]))
    assert "500 rows" in stored.problems[0]


# What cannot be a recording -------------------------------------------------------------------


def with_null(name):
    def change(table: pa.Table) -> pa.Table:
        place = NAMES.index(name)
        mask = pa.array([k != 1200 for k in range(len(table))])
        column = pa.compute.if_else(mask, table.column(name), None)
        return table.set_column(place, name, column)

    return change


REFUSED = {
    "no metric": (lambda t: t.drop_columns(["metric"]), "metric"),
    "no time": (lambda t: t.drop_columns(["time"]), "time"),
    "a host is NULL": (with_null("host"), "host"),
    "a time is NULL": (with_null("time"), "time"),
    "times are words": (cast(time=pa.string()), "not timestamp, or int64 for microseconds"),
    "times are dates": (cast(time=pa.date32()), "not timestamp, or int64"),
    "values are words": (cast(value=pa.string()), "value is of the type string, not a num"),
    "texts are numbers": (set_to("text", lambda n: pa.array(range(n))), "int64, not text"),
    "words are lists": (set_to("entity", lambda n: pa.array([["a"]] * n)), "entity"),
    "words are no UTF-8": (set_to("entity", lambda n: pa.array([b"\xff"] * n)), ""),
    "texts are no UTF-8": (set_to("text", lambda n: pa.array([b"\xff"] * n)), ""),
    "steps are not whole": (set_to("step", lambda n: pa.array([1.5] * n)), "whole"),
    "steps are infinite": (set_to("step", lambda n: pa.array([math.inf] * n)), "whole"),
    "steps are too large": (set_to("step", lambda n: pa.array([2**64 - 1] * n, pa.uint64())), ""),
    "a column stands twice": (lambda t: t.append_column("text", t.column("text")), "several"),
    "times are out of range": (
        set_to("time", lambda n: pa.array([2**62] * n).cast(pa.timestamp("ms", "UTC"))),
        "range",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("keys", [KEYS, {}], ids=["keys", "no-keys"])
def test_what_cannot_be_a_recording_is_refused_when_it_is_opened(case, keys, tmp_path):
    change, told = REFUSED[case]
    path = put(change(table_of(some_rows())), tmp_path / "a.parquet", keys=keys)
    with pytest.raises(RecordingError) as caught:
        pw.Recording.open(path)
    assert told in caught.value.problem
    assert caught.value.remedy


def test_a_newer_format_is_refused(tmp_path):
    path = put(table_of(some_rows()), tmp_path / "a.parquet", keys={"pulse.version": "2.0"})
    with pytest.raises(FormatVersionError):
        pw.Recording.open(path)


@pytest.mark.parametrize("run", ["", "[]", '{"version": "1.0"}', '{"id": 3, "start": "x"}'])
def test_a_description_that_cannot_be_read_is_refused(run, tmp_path):
    keys = {"pulse.version": "1.0", "pulse.run": run}
    path = put(table_of(some_rows()), tmp_path / "a.parquet", keys=keys)
    with pytest.raises(RecordingError):
        pw.Recording.open(path)


def test_a_small_file_does_not_unpack_to_more_text_than_there_is_memory(tmp_path):
    count = 2 * (MOST_GROUP_BYTES >> 20)
    codes = pa.array(np.zeros(count, np.int32))
    large = pa.DictionaryArray.from_arrays(codes, pa.array(["x" * (1 << 20)]))
    rows = [("h0", "user", "log", START_US + k, None, float(k), None, None) for k in range(count)]
    table = set_to("text", lambda _: large)(table_of(rows))
    path = put(table, tmp_path / "a.parquet", row_group_size=count)
    assert path.stat().st_size < 1 << 20
    stored = open_stored(path)
    (key,) = stored.extents
    assert len(stored.columns(key, payload=False)) == count
    assert len(stored.columns(key)) == 0
    assert f"{count} rows" in stored.problems[0]

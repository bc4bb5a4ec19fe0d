"""A footer that contradicts itself or the file is refused before Arrow sees it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse_widgets.storage.limits import MOST_GROUP_BYTES, MOST_GROUP_ROWS
from pulse_widgets.storage.parquet import fields as f
from pulse_widgets.storage.parquet.footer import check_blob, structure
from pulse_widgets.storage.parquet.thrift import BINARY, STRUCT, encode, key
from tests.storage import sealed

SIZE = 10_000


def tree() -> dict:
    """What the footer of a file says: two row groups of one number and one text."""

    def chunk(name: bytes, kind: int, place: int, words: int = 0) -> dict:
        about = {
            f.CHUNK_KIND: kind,
            f.ENCODINGS: [0],
            f.PATH: [name],
            f.CODEC: 6,
            f.VALUES: 100,
            f.UNPACKED: 2000,
            f.PACKED: 1000,
            f.PAGES: place + 50 if words else place,
            **({f.WORDS: place} if words else {}),
            f.STATISTICS: {key(1, BINARY): bytes(8), key(2, BINARY): bytes(8)},
            f.SIZES: {},
        }
        return {f.CHUNK_OFFSET: 0, f.CHUNK: about}

    def group(place: int) -> dict:
        columns = [chunk(b"a", 2, place), chunk(b"b", 6, place + 1000, words=1)]
        return {f.COLUMNS: columns, f.GROUP_BYTES: 4000, f.GROUP_ROWS: 100}

    return {
        f.VERSION: 2,
        f.SCHEMA: [
            {f.NAME: b"schema", f.CHILDREN: 2},
            {f.KIND: 2, f.REPETITION: 0, f.NAME: b"a"},
            {f.KIND: 6, f.REPETITION: 1, f.NAME: b"b"},
        ],
        f.ROWS: 200,
        f.GROUPS: [group(4), group(2004)],
    }


def first(made: dict, column: int = 0) -> dict:
    return made[f.GROUPS][0][f.COLUMNS][column][f.CHUNK]


def change(where, **to):
    """Return what changes fields of a part of the tree; None takes one out."""

    def apply(made: dict) -> None:
        part = where(made)
        for name, value in to.items():
            if value is None:
                part.pop(getattr(f, name))
            else:
                part[getattr(f, name)] = value

    return apply


def group(made: dict) -> dict:
    return made[f.GROUPS][0]


def element(made: dict) -> dict:
    return made[f.SCHEMA][1]


def text(made: dict) -> dict:
    return first(made, 1)


def whole(made: dict) -> dict:
    return made


def outer(made: dict) -> dict:
    return group(made)[f.COLUMNS][0]


def encrypt(made: dict) -> None:
    made[key(8, STRUCT)] = {}


def elsewhere(made: dict) -> None:
    column = group(made)[f.COLUMNS][0]
    group(made)[f.COLUMNS][0] = {key(1, BINARY): b"other.parquet", **column}


def nest(made: dict) -> None:
    deep = [{f.REPETITION: 0, f.NAME: b"x", f.CHILDREN: 1}] * 40
    made[f.SCHEMA] = [{f.NAME: b"schema", f.CHILDREN: 1}, *deep, made[f.SCHEMA][1]]


CONTRADICTIONS = {
    "type": change(first, CHUNK_KIND=6),
    "no such type": change(first, CHUNK_KIND=9),
    "type of the schema": change(element, KIND=5),
    "type that is none": change(element, KIND=8),
    "no type": change(element, KIND=None),
    "name": change(first, PATH=[b"b"]),
    "names": change(first, PATH=[b"a", b"b"]),
    "no name": change(element, NAME=None),
    "codec": change(first, CODEC=3),
    "no codec": change(first, CODEC=None),
    "values": change(first, VALUES=99),
    "statistic": change(first, STATISTICS={key(1, BINARY): bytes(7)}),
    "new statistic": change(first, STATISTICS={key(6, BINARY): b""}),
    "text bytes of a number": change(first, SIZES={f.TEXT_BYTES: 5}),
    "levels": change(text, SIZES={f.HISTOGRAMS[1]: [1]}),
    "levels of a required column": change(first, SIZES={f.HISTOGRAMS[1]: [1, 2]}),
    "repetition levels": change(text, SIZES={f.HISTOGRAMS[0]: [1, 2]}),
    "before the file": change(first, PAGES=3),
    "in the footer": change(first, PAGES=SIZE - 500),
    "below zero": change(first, PAGES=-1),
    "no place": change(first, PAGES=None),
    "size below zero": change(first, PACKED=-1),
    "one place": change(first, PAGES=1500),
    "one place of two groups": change(text, PACKED=1001),
    "overflow": change(first, PACKED=2**62, PAGES=2**62),
    "unpacked": change(first, UNPACKED=MOST_GROUP_BYTES),
    "group bytes": change(group, GROUP_BYTES=MOST_GROUP_BYTES + 1),
    "group rows": change(group, GROUP_ROWS=MOST_GROUP_ROWS + 1),
    "other group rows": change(group, GROUP_ROWS=101),
    "file rows": change(whole, ROWS=201),
    "no file rows": change(whole, ROWS=None),
    "columns": change(group, COLUMNS=[]),
    "no columns": change(group, COLUMNS=None),
    "no chunk": change(outer, CHUNK=None),
    "no schema": change(whole, SCHEMA=None),
    "schema of less": change(whole, SCHEMA=tree()[f.SCHEMA][:2]),
    "schema of more": change(whole, SCHEMA=[*tree()[f.SCHEMA], tree()[f.SCHEMA][1]]),
    "schema too deep": nest,
    "repetition": change(element, REPETITION=3),
    "no repetition": change(element, REPETITION=None),
    "encrypted": encrypt,
    "another file": elsewhere,
    "names that are numbers": change(first, PATH=[1]),
    "groups that are numbers": change(whole, GROUPS=[1, 2]),
}


def test_a_footer_without_contradiction_passes():
    assert structure(encode(tree()), SIZE) == tree()


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused(name):
    made = tree()
    CONTRADICTIONS[name](made)

    with pytest.raises(ValueError, match=r"^(its|it|a|two) "):
        structure(encode(dict(sorted(made.items()))), SIZE)


def test_bytes_behind_the_structure_are_refused():
    with pytest.raises(ValueError, match="longer than what it says"):
        structure(encode(tree()) + b"\0", SIZE)


NESTED = pa.table(
    {
        "list": [[1, 2], None, [], [3]],
        "list of structs": [[{"a": 1, "b": "x"}], [], None, [{"a": None, "b": "y"}] * 3],
        "map": pa.array([[("k", 1)], [], None, []], pa.map_(pa.string(), pa.int32())),
        "fixed": pa.array([b"abc", None, b"def", b"ghi"], pa.binary(3)),
        "truth": [True, None, False, True],
        "small": pa.array([1.5, None, 2.5, 3.5], pa.float32()),
        "decimal": pa.array([1, 2, None, 3]).cast(pa.decimal128(30, 2)),
    }
)
FOREIGN = {
    "arrow": {},
    "snappy": {"compression": "snappy"},
    "version 2": {"data_page_version": "2.0", "compression": "gzip"},
    "old": {"version": "1.0", "use_deprecated_int96_timestamps": True, "compression": "none"},
    "index": {"write_page_index": True, "write_page_checksum": True},
    "many groups": {"row_group_size": 50},
    "no statistics": {"write_statistics": False, "use_dictionary": False},
}


@pytest.mark.parametrize("how", FOREIGN)
@pytest.mark.parametrize(
    "rows",
    [NESTED, NESTED[:0], sealed.table(500, 0), sealed.table(500, 0)[:0]],
    ids=["nested", "nested, empty", "flat", "flat, empty"],
)
def test_files_of_other_writers_pass(how, rows):
    sink = io.BytesIO()
    pq.write_table(rows, sink, **FOREIGN[how])

    check_blob(sink.getvalue())


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 3, bytes(12), b"PAR1" + bytes(100)])
def test_a_blob_that_is_no_parquet_file_is_refused(content):
    with pytest.raises(ValueError, match=r"not a Parquet file|breaks off|larger"):
        check_blob(content)


# What Arrow would end the process on, read by a process of its own.
READER = """
import resource, sys
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pulse_widgets.storage.parquet.seal import check_footer
from pulse_widgets.storage.place import Local
from tests.storage import sealed
path, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
content, bad, rnd = path.read_bytes(), path.with_suffix(".bad"), np.random.default_rng(seed)
length = int.from_bytes(content[-8:-4], "little")
footer = range(len(content) - 8 - length, len(content) - 8)
passed = 0
for _ in range(count):
    bad.write_bytes(sealed.damage(content, footer, rnd)[0])
    try:
        check_footer(Local(bad).open())
    except ValueError:
        continue
    passed += 1
    try:
        file = pq.ParquetFile(bad, page_checksum_verification=True)
        for place in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(place)
            for column in range(group.num_columns):
                said = group.column(column).statistics
                said is not None and said.has_min_max and said.min_raw
            file.read_row_group(place, use_threads=False).validate(full=True)
    except (pa.ArrowException, OSError, ValueError, KeyError):
        pass
print(passed)
"""


def flip_footers(path: Path, seed: int, count: int) -> int:
    run = subprocess.run(
        [sys.executable, "-c", READER, str(path), str(seed), str(count)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


def foreign(path: Path, how: str) -> Path:
    options = {"use_deprecated_int96_timestamps": False, **FOREIGN[how]}
    pq.write_table(sealed.table(300, 0), path, **options, store_schema=False)
    return path


def test_no_flip_in_the_footer_of_another_writer_ends_the_process(tmp_path):
    passed = flip_footers(foreign(tmp_path / "a.parquet", "index"), 0, 600)

    assert passed > 100


@pytest.mark.slow
@pytest.mark.parametrize("how", ["snappy", "version 2", "index", "many groups"])
def test_no_flip_of_thousands_ends_the_process(tmp_path, how):
    assert flip_footers(foreign(tmp_path / "a.parquet", how), 1, 4000) > 100

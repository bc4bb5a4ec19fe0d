"""Small Parquet files of every type, encoding and writer, and what Python reads in them.

A page reads such files without a kernel, and must find the same rows: `js/file/types.test.ts` asks
it. Files and answers are kept in ``tests/data/browser``; to make them anew:
``python -m tests.storage.browser_types`` in the repository's root, and with ``others`` behind it
those of other programs, too.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.errors import RecordingError
from pulse_widgets.library.recording import Recording
from pulse_widgets.storage.parquet import fields
from pulse_widgets.storage.parquet.thrift import Struct, decode, encode
from tests.storage.bench import START_US
from tests.storage.browser_cases import DATA, pack, unpack
from tests.storage.other_readers.environments import HERE, READERS, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES: Final = DATA / "types.cases"
OTHERS: Final = DATA / "others.cases"
ROWS: Final = 40

CODECS = itertools.cycle(["snappy", "gzip", "lz4", "zstd", "none"])
"""Each file is packed in the next way, so that all meet all in few files."""
VERSIONS: Final = ("1.0", "2.0")
ENCODINGS: Final = (
    None,
    "PLAIN",
    "DELTA_BINARY_PACKED",
    "BYTE_STREAM_SPLIT",
    "RLE",
    "DELTA_LENGTH_BYTE_ARRAY",
    "DELTA_BYTE_ARRAY",
)
"""None is a dictionary."""


def _base() -> Any:
    rnd = np.random.default_rng(3)
    names = np.array(["a", "b/c", "größe"])
    return pa.table(
        {
            "host": pa.array(["h0"] * (ROWS - 3) + ["h1", "", "é 漢字"]),
            "entity": pa.array(np.array(["gpu:0", "host"])[np.arange(ROWS) % 2]),
            "metric": pa.array(names[rnd.integers(0, 3, ROWS)]),
            "time": pa.array(START_US + 1000 * rnd.permutation(ROWS), pa.timestamp("us", "UTC")),
            "value": pa.array(np.round(rnd.normal(size=ROWS), 3)),
        }
    )


def _whole(kind: Any) -> Any:
    """Return whole numbers of a type, the least and the greatest side by side."""
    rnd, type_ = np.random.default_rng(4), kind.to_pandas_dtype()
    info = np.iinfo(type_)
    values = rnd.integers(info.min, info.max, ROWS, dtype=type_, endpoint=True)
    values[:8] = [info.min, info.max, info.min, info.max, 0, info.max, 1, info.min]
    values[20:26] = np.arange(6)
    if info.bits == 64:  # across the largest number that every whole one can be
        values[26:32] = 2**53 - 3 + np.arange(6)
    return pa.array(values, kind, mask=rnd.random(ROWS) < 0.1)


def _floating(kind: Any) -> Any:
    rnd = np.random.default_rng(5)
    values = rnd.normal(size=ROWS).astype(kind.to_pandas_dtype())
    values[:7] = [0.0, -0.0, np.inf, -np.inf, np.nan, 6e-8, 65504]
    return pa.array(values, kind, mask=rnd.random(ROWS) < 0.1)


def _decimals(digits: int, scale: int) -> Any:
    rnd = np.random.default_rng(6)
    most = 10 ** min(digits, 15) - 1
    values = [Decimal(int(x)).scaleb(-scale) for x in rnd.integers(-most, most, ROWS)]
    values[3] = None
    return pa.array(values, pa.decimal128(digits, scale))


def _times(unit: str, zone: str | None, *, negative: bool = False) -> Any:
    base = np.array(_base()["time"].cast(pa.int64()))
    ticks = base * 1000 + 7 if unit == "ns" else base // {"s": 10**6, "ms": 1000, "us": 1}[unit]
    return pa.array(-ticks if negative else ticks, pa.timestamp(unit, zone))


def _texts() -> Any:
    lines = [None, "", "é 漢字", "the same beginning", "the same ending", "x" * 300]
    return pa.array([lines[k % 6] if k % 7 else f"line {k}" for k in range(ROWS)])


COLUMNS: dict[str, tuple[str, Any]] = {
    **{str(kind): ("value", _whole(kind)) for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(),
        pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    )},
    **{str(kind): ("value", _floating(kind)) for kind in (pa.float16(), pa.float32(), pa.float64())},
    "bool": ("value", pa.array([None if k % 9 == 5 else k % 3 == 0 for k in range(ROWS)])),
    **{f"decimal {d}.{s}": ("value", _decimals(d, s)) for d, s in ((5, 0), (9, 2), (18, 3), (30, 5))},
    "step int32": ("step", pa.array([None if k % 3 else k - 9 for k in range(ROWS)], pa.int32())),
    "step int64": ("step", pa.array([None if k % 5 else k << 40 for k in range(ROWS)], pa.int64())),
    "step float": ("step", pa.array([np.nan if k % 3 else k for k in range(ROWS)], pa.float64())),
    **{f"time {unit} {zone or 'naive'}": ("time", _times(unit, zone))
       for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")},
    "time before 1970": ("time", _times("ns", "UTC", negative=True)),
    "time int64": ("time", _base()["time"].cast(pa.int64())),
    "host": ("host", _base()["host"]),
    "metric": ("metric", _base()["metric"]),
    "text": ("text", _texts()),
}  # fmt: skip


def _with(name: str, column: Any) -> Any:
    table = _base()
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


def _encoded() -> Iterator[tuple[str, str, Callable[[Path], None]]]:
    """Yield name, truth and writer of a file of every type in every encoding it allows."""
    for (what, (name, column)), encoding, version in itertools.product(
        COLUMNS.items(), ENCODINGS, VERSIONS
    ):
        options = {"compression": next(CODECS), "data_page_version": version}
        options |= {"store_schema": False, "version": "2.6"}
        options |= {"use_dictionary": [name]} if encoding is None else {"use_dictionary": False}
        if encoding is not None:
            options["column_encoding"] = {name: encoding}
        table = _with(name, column)
        yield f"{what}, {encoding or 'words'}, pages {version}", what, _writer(table, options)


def _writer(table: Any, options: dict[str, Any]) -> Callable[[Path], None]:
    return lambda path: pq.write_table(table, path, **options)


WAYS: dict[str, dict[str, Any]] = {
    "small pages": {"data_page_size": 1, "write_batch_size": 7},
    "small pages 2": {"data_page_size": 1, "write_batch_size": 7, "data_page_version": "2.0"},
    "a page index": {"data_page_size": 1, "write_batch_size": 7, "write_page_index": True},
    "page checksums": {"write_page_checksum": True},
    "words that overflow": {"dictionary_pagesize_limit": 16, "write_batch_size": 5},
    "row groups": {"row_group_size": 7},
    "version 1.0": {"version": "1.0"},
    "version 2.4": {"version": "2.4"},
    "old times": {"use_deprecated_int96_timestamps": True},
    "old times as they are": {"use_deprecated_int96_timestamps": True, "use_dictionary": False},
    "decimals as whole numbers": {"store_decimal_as_integer": True},
    "no statistics": {"write_statistics": False},
    "zstd 19": {"compression": "zstd", "compression_level": 19, "use_dictionary": False},
    "zstd -7": {"compression": "zstd", "compression_level": -7, "use_dictionary": False},
    "a schema of Arrow": {"store_schema": True},
}


def _ways() -> Iterator[tuple[str, str, Callable[[Path], None]]]:
    for way, options in WAYS.items():
        for what in ("decimal 18.3", "text", "uint32"):
            yield f"{way}, {what}", f"{way}, {what}", _writer(_with(*COLUMNS[what]), options)


def _rewritten(path: Path, change: Callable[[Struct], None]) -> None:
    """Change what the footer of a file says of each column."""
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    tree, _ = decode(content[-8 - size : -8])
    for group in tree[fields.GROUPS]:
        for column in group[fields.COLUMNS]:
            column[fields.CHUNK].pop(fields.SIZES, None)
            column[fields.CHUNK].pop(fields.PAGE_COUNTS, None)
            change(column)
    made = encode(tree)
    path.write_bytes(content[: -8 - size] + made + len(made).to_bytes(4, "little") + b"PAR1")


def _at_words(column: Struct) -> None:
    chunk = column[fields.CHUNK]
    if fields.WORDS in chunk:
        chunk[fields.PAGES] = chunk[fields.WORDS]


def _words_untold(column: Struct) -> None:
    _at_words(column)
    column[fields.CHUNK].pop(fields.WORDS, None)


def _words_at_zero(column: Struct) -> None:
    _at_words(column)
    column[fields.CHUNK][fields.WORDS] = 0


def _offset_zero(column: Struct) -> None:
    column[fields.CHUNK_OFFSET] = 0


def _offset_pages(column: Struct) -> None:
    column[fields.CHUNK_OFFSET] = column[fields.CHUNK][fields.PAGES]


PLACES: dict[str, Callable[[Struct], None]] = {
    "pages where the words are": _at_words,
    "words untold": _words_untold,
    "words at 0": _words_at_zero,
    "chunks at 0": _offset_zero,
    "chunks at their pages": _offset_pages,
}


def _places() -> Iterator[tuple[str, str, Callable[[Path], None]]]:
    table = _with("time", _base()["time"].cast(pa.int64())).append_column("text", _texts())
    options = {"write_statistics": False, "store_schema": False}
    for place, version in itertools.product(PLACES, VERSIONS):

        def put(path: Path, place: str = place, version: str = version) -> None:
            more = {"data_page_version": version, "data_page_size": 1, "write_batch_size": 7}
            pq.write_table(table, path, **options, **more)
            _rewritten(path, PLACES[place])

        yield f"{place}, pages {version}", "places", put


def answer(path: Path) -> dict[str, Any]:
    """Return every series with its rows as Python reads them, or that it cannot read the file."""
    try:
        recording = Recording.open(path)
        table = recording.to_arrow()
    except RecordingError:
        return {"refused": True}
    time = table.column("time").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    lists = [table.column(n).to_pylist() for n in ("host", "entity", "metric")]
    rest = [table.column(n).to_pylist() for n in ("value", "step", "text")]
    series: dict[str, list[Any]] = {}
    for key, at, (value, step, text) in zip(
        zip(*lists, strict=True), time, zip(*rest, strict=True), strict=True
    ):
        known = value if value is None or np.isfinite(value) else str(value)
        series.setdefault(json.dumps(key), []).append([at, known, step, text or ""])
    told = [s.replace(path.name, "it") for s in recording.problems]
    if any("damaged" in each for each in told):
        # pyarrow has no dictionary of texts that are told by their differences.
        return {"refused": True}
    return {"series": [[json.loads(k), rows] for k, rows in series.items()], "problems": told}


def made(place: Path) -> Iterator[tuple[str, str, Path]]:
    """Write all files of pyarrow; yield name, truth and path of each that it writes."""
    for number, (name, truth, put) in enumerate([*_encoded(), *_ways(), *_places()]):
        path = place / f"{number}.parquet"
        try:
            put(path)
        except (OSError, pa.ArrowException):  # the type does not allow the encoding
            continue
        yield name, truth, path


TOOLS: Final = ("polars", "duckdb", "fastparquet")


def written(place: Path) -> Iterator[tuple[str, str, Path]]:
    """Let other programs write their files; yield name, truth and path of each."""
    newest = {reader.tool: reader for reader in reversed(READERS)}
    for tool in TOOLS:
        folder = place / tool
        folder.mkdir()
        python = environment(newest[tool]) / "bin/python"
        subprocess.run([python, HERE / "write_types.py", tool, folder], check=True, timeout=300)
        for path in sorted(folder.iterdir()):
            yield f"{tool}, {path.stem}", f"{tool}, {path.stem}", path


def store(target: Path, files: Iterator[tuple[str, str, Path]]) -> None:
    """Keep files and answers; files of one truth have one answer."""
    index: list[dict[str, str]] = []
    truths: dict[str, Any] = {}
    contents: list[bytes] = []
    for name, truth, path in files:
        found = answer(path)
        if "refused" in found:
            print("Python cannot read", name)
        if "refused" in truths.setdefault(truth, found):
            truths[truth] = found
        assert "refused" in found or truths[truth] == found, name
        index.append({"name": name, "truth": truth, "refused": "refused" in found})
        contents.append(path.read_bytes())
    about = json.dumps({"pyarrow": pa.__version__, "files": index, "truths": truths}).encode()
    target.write_bytes(pack([about, *contents]))
    print(target.name, len(contents), "files", target.stat().st_size, "bytes")


def is_older(source: Path) -> bool:
    """Return whether the pyarrow at hand is older than the one whose answers are kept."""
    kept = json.loads(unpack(source.read_bytes())[0])["pyarrow"]
    return int(pa.__version__.split(".")[0]) < int(kept.split(".")[0])


def stored(source: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any], bytes]]:
    """Yield what is kept: what a file is, its answer, and its bytes."""
    about, *contents = unpack(source.read_bytes())
    told = json.loads(about)
    for each, content in zip(told["files"], contents, strict=True):
        yield each, told["truths"][each["truth"]], content


def main() -> None:
    """Make the files anew."""
    with tempfile.TemporaryDirectory() as place:
        if "others" in sys.argv[1:]:
            store(OTHERS, written(Path(place)))
        store(TYPES, made(Path(place)))


if __name__ == "__main__":
    main()

"""Recordings with hard properties, what is asked of them, and what a kernel answers.

A page reads finished files without a kernel, and must answer the same: `js/file/cases.test.ts` asks
the same questions of the same files. The files are kept in ``tests/data/browser``; to make them anew:
``python -m tests.storage.browser_cases`` in the repository's root.
"""

from __future__ import annotations

import json
import math
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.columns import LOGGED_NAN, Columns, SeriesKey
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.stream import Stream
from pulse_widgets.storage.arrow.files import GroupWriter
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.index import Entry, encode_index
from pulse_widgets.storage.parquet.seal import marks, seal
from tests.storage.bench import START_US, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DATA = Path(__file__).parents[1] / "data" / "browser"
QUESTIONS = DATA / "questions.json"
START_S = START_US / 1e6


def _put(bench: Bench, series: int, times: Any, values: Any, steps: Any = None) -> None:
    """Append many rows of one series."""
    times = np.asarray(times, np.int64)
    ids = np.full(len(times), series, np.int32)
    steps = np.full(len(times), NO_STEP) if steps is None else np.asarray(steps, np.int64)
    bench.writer.append(Rows(ids, times, steps, np.asarray(values, np.float64)))
    bench.minute()


def _every(seconds: float, count: int, first: float = 0.0) -> Any:
    return START_US + np.round((first + seconds * np.arange(count)) * 1e6).astype(np.int64)


def _texts(bench: Bench, series: int, lines: list[tuple[float, float, Any]]) -> None:
    """Append rows of seconds from the start, value, and a text or what becomes JSON."""
    bench.put(
        [
            (
                series,
                START_US + round(1e6 * at),
                NO_STEP,
                value,
                x if isinstance(x, str) else json.dumps(x),
                b"",
            )
            for at, value, x in lines
        ]
    )


def hard(bench: Bench) -> None:
    """Write a spike, outages, NULL at both ends, odd values, counters, steps, events, hosts."""
    rnd, add = np.random.default_rng(5), bench.series
    busy = np.round(50 + 10 * np.sin(np.arange(20_000) / 300)) / 100
    busy[12_345] = 0.997  # one reading of a long series
    _put(bench, add("gpu:0", "gpu.utilization", unit="1"), _every(0.1, 20_000), busy)
    watts = np.round(rnd.uniform(200, 300, 3000), 1)
    watts[[0, 1, 700, 2998, 2999]] = math.nan
    times = _every(0.5, 3000)
    times[1500:] += 90_000_000  # no reading for a minute and a half
    _put(bench, add("gpu:0", "gpu.power", unit="W", labels={"uuid": "GPU-1"}), times, watts)
    count = np.cumsum(rnd.integers(0, 5_000_000, 3000)).astype(float)
    count[1000:] -= count[1000]  # a reset
    count[[500, 501]] = math.nan
    times = _every(0.5, 3000)
    times[2000:] += 200_000_000
    _put(bench, add("host", "disk.read.total", unit="B", kind="counter"), times, count)
    _put(
        bench,
        add("host", "cpu.user.total", unit="s", kind="counter"),
        _every(1, 1000),
        np.arange(1000) * 3.5,
    )
    _put(
        bench,
        add("host", "ticks", unit="count", kind="counter"),
        _every(1, 900),
        np.arange(900) ** 2,
    )
    steps = np.concatenate([np.arange(400), np.arange(200, 600), np.full(3, NO_STEP)])
    loss = 1 / (1 + np.arange(803))
    loss[[10, 400, 700]] = [math.inf, -math.inf, LOGGED_NAN]
    _put(bench, add("user", "train/loss"), _every(1.7, 803), loss, steps)
    _put(bench, add("user", "7"), _every(3, 50), np.full(50, 1e300), np.arange(50) * 10)
    _put(bench, add("user", "huge"), _every(5, 4), [1.7e308, -1.7e308, 1.7e308, 1e308])
    _put(bench, add("user", "once"), [START_US + 77_000_000], [42.0])
    state = add("gpu:0", "gpu.pstate", kind="state")
    _put(bench, state, _every(60, 20), np.arange(20) % 3)
    _texts(bench, add("host", "mode", kind="state"), [(1, math.nan, "idle"), (9, math.nan, "busy")])
    other = bench.registry.add("h1", "host", "memory.used", unit="B")
    _put(bench, other, _every(2, 600), 2.0**30 + np.arange(600) * 4096)
    _put(
        bench,
        bench.registry.add("h1", "gpu:0", "gpu.power", unit="W"),
        _every(2, 600),
        np.full(600, 75),
    )
    _events(bench)
    bench.writer.describe(
        {"h0": {"gpu:0": {"name": "Fast GPU"}}, "h1": {"gpu:0": {"name": "Slow GPU"}}}
    )


def _events(bench: Bench) -> None:
    cell = bench.series("kernel", "cell", unit="s", kind="span")
    _texts(
        bench,
        cell,
        [
            (5, math.nan, {"id": "1@0", "count": 1, "line": "fit()"}),
            (65, 60.0, {"id": "1@0", "status": "ok"}),
        ],
    )
    _texts(
        bench,
        cell,
        [
            (70, math.nan, {"id": "2@0", "count": 2, "line": "<b>no markup</b>"}),
            (90, 20.0, {"id": "2@0", "status": "error", "error": "ValueError"}),
        ],
    )
    _texts(
        bench, cell, [(99, 3.5, {"id": "lost start"}), (100, math.nan, {"id": "3@0", "count": 3})]
    )
    span = bench.series("user", "epoch", unit="s", kind="span")
    _texts(
        bench,
        span,
        [
            (10 + k, math.nan if k % 2 == 0 else 1.0, {"id": f"e{k // 2}", "n": k})
            for k in range(500)
        ],
    )
    mark = bench.series("user", "mark", kind="text")
    _texts(
        bench,
        mark,
        [(20, math.nan, {"label": "é 漢字"}), (30, math.nan, "no JSON"), (31, math.nan, "[1]")],
    )
    _texts(
        bench,
        bench.series("host", "event", kind="text"),
        [(12, math.nan, {"message": "GPU lost", "kind": "loss"})],
    )
    log = bench.series("kernel", "log.stdout", kind="text")
    _texts(bench, log, [(k, math.nan, f"line {k}") for k in range(300)])


def long(bench: Bench) -> None:
    """Write long series, which are answered from the overview, and one that is so from rows."""
    rnd = np.random.default_rng(6)
    level = 40 + np.cumsum(rnd.integers(-1, 2, 220_000))
    level[150_000] = 9000
    times = _every(0.1, 220_000)
    times[100_000:] += 3_600_000_000
    _put(bench, bench.series("gpu:0", "gpu.temperature", unit="degC"), times, level)
    total = np.cumsum(rnd.integers(0, 3, 210_000) * 100.0)
    _put(
        bench,
        bench.series("host", "network.sent.total", unit="B", kind="counter"),
        times[:210_000],
        total,
    )
    short = rnd.integers(0, 100, 90_000).astype(float)
    short[50_000:50_100] = math.nan
    _put(bench, bench.series("gpu:0", "gpu.memory.busy", unit="1"), _every(0.25, 90_000), short)


def many(bench: Bench) -> None:
    """Write hundreds of short series that share row groups."""
    rnd = np.random.default_rng(7)
    for k in range(300):
        number = bench.series(f"cpu:{k % 100}", f"m{k // 100}", unit="1")
        rows = 20 + k % 50
        values = np.round(rnd.uniform(0, 1, rows), 2)
        values[rows // 2] = math.nan
        bench.numbers(number, _every(1 + k % 3, rows, first=k).tolist(), values.tolist())
    bench.minute()


def nothing(bench: Bench) -> None:
    """Write a mark and no numbers."""
    _texts(bench, bench.series("user", "mark", kind="text"), [(2, math.nan, {"label": "alone"})])
    bench.minute()


def words(bench: Bench) -> None:
    """Write names and ids that a page may take for others, and events of one moment."""
    for name in ("zeta", "größe", "7", 'a"b\\', "alpha", "metrics", "{", "10"):
        bench.numbers(bench.series("user", name), [START_US], [1.0])
    for name in ("m2", "", "m1"):
        mark = bench.series("user", name, kind="text")
        _texts(bench, mark, [(k // 2, math.nan, {"label": f"{name} {k}"}) for k in range(6)])
    for name in ("s2", "s1"):
        span = bench.series("user", name, unit="s", kind="span")
        numbers: list[Any] = [2**60 + 1, -(2**53) - 1, 7, 1.0, 0.5, 1e16, 1.5e-7, 1e300, -0.0, True]
        lines = [(5.0, math.nan, {"in": {"id": 3}, "id": k, "n": name}) for k in numbers]
        _texts(bench, span, [*lines, *((6.0, 1.0, {"id": k}) for k in numbers[:4])])
    bench.minute()


BENCHES: Mapping[str, Callable[[Bench], None]] = {
    "hard": hard,
    "long": long,
    "many": many,
    "nothing": nothing,
    "words": words,
}


def _foreign(rows: int = 400, seed: int = 8) -> dict[str, Any]:
    """Return columns of a table in no order, as another program may have them."""
    rnd = np.random.default_rng(seed)
    order = rnd.permutation(rows)
    time = START_US + 250_000 * (order // 4) + 137
    names = np.array(["train/loss", "memory.used", "disk.read.total", "gpu.power"])
    entities = np.array(["user", "host", "host", "gpu:0"])
    value = np.round(rnd.uniform(0, 100, rows), 2)
    value[order % 4 == 2] = order[order % 4 == 2] * 1000.0  # a counter
    value[order == 40] = math.nan
    step = np.where(order % 4 == 0, order // 4, -1)
    return {
        "host": ["node 1"] * rows,
        "entity": entities[order % 4].tolist(),
        "metric": names[order % 4].tolist(),
        "time": time,
        "value": [
            None if k == 101 else v for k, v in zip(order.tolist(), value.tolist(), strict=True)
        ],
        "step": [None if k < 0 else k for k in step.tolist()],
    }


def _table(columns: Mapping[str, Any], **kinds: Any) -> Any:
    """Return columns as an Arrow table, some of other types than Arrow would choose."""
    made = {}
    for name, values in columns.items():
        column = pa.array(values.tolist() if isinstance(values, np.ndarray) else values)
        made[name] = column.cast(kinds[name], safe=False) if name in kinds else column
    return pa.table(made)


def _naive(path: Path) -> None:
    """Write what pandas writes: nanoseconds without a zone, dictionaries, Snappy."""
    columns = _foreign()
    columns["time"] = columns["time"] * 1000 + 999
    words = pa.dictionary(pa.int32(), pa.string())
    kinds = {"time": pa.timestamp("ns"), "entity": words, "metric": words}
    pq.write_table(_table(columns, **kinds), path, row_group_size=150)


def _second(path: Path) -> None:
    """Write pages of version 2 with differences and split bytes, GZIP, milliseconds."""
    columns = _foreign(seed=9)
    columns["time"] = columns["time"] // 1000
    columns["text"] = [f"row {k}" for k in range(len(columns["time"]))]
    kinds = {"time": pa.timestamp("ms", "UTC"), "value": pa.float32(), "step": pa.int32()}
    encodings = {
        "time": "DELTA_BINARY_PACKED",
        "value": "BYTE_STREAM_SPLIT",
        "step": "DELTA_BINARY_PACKED",
    }
    options = {"compression": "gzip", "data_page_version": "2.0", "use_dictionary": False}
    pq.write_table(
        _table(columns, **kinds), path, column_encoding=encodings, data_page_size=500, **options
    )


def _odd_types(path: Path) -> None:
    """Write decimals, steps as floats, times as whole numbers, LZ4, a column more, one of nothing."""
    columns = _foreign(seed=10)
    columns["value"] = [None if v is None or math.isnan(v) else v for v in columns["value"]]
    columns["step"] = [math.nan if k is None else float(k) for k in columns["step"]]
    columns["note"] = [{"a": 1}] * len(columns["time"])
    kinds = {"value": pa.decimal128(12, 2), "text": pa.null()}
    table = _table(columns, **kinds).append_column("text", pa.nulls(len(columns["time"])))
    pq.write_table(table, path, compression="lz4", version="1.0", use_dictionary=["metric"])


def _old_times(path: Path) -> None:
    """Write times as Spark once did, values without a sign, nothing packed."""
    columns = _foreign(seed=11)
    columns["value"] = [0 if v is None or math.isnan(v) else int(v) for v in columns["value"]]
    del columns["step"]
    kinds = {"time": pa.timestamp("us"), "value": pa.uint16()}
    table = _table(columns, **kinds)
    pq.write_table(table, path, compression="none", use_deprecated_int96_timestamps=True)


def _packed(path: Path) -> None:
    """Write values of all sorts, packed as hard as ZSTD can."""
    rnd = np.random.default_rng(12)
    pieces = [
        rnd.normal(size=1500),
        np.zeros(3000),
        np.tile(np.round(rnd.uniform(size=37), 3), 60),
        np.round(rnd.uniform(0, 9, 3000)),
        np.repeat(rnd.integers(0, 1 << 40, 40), 50),
        np.arange(4000) / 7,
    ]
    value = np.concatenate(pieces)
    rows = len(value)
    columns = {
        "host": ["node"] * rows,
        "entity": ["user"] * rows,
        "metric": ["a"] * (rows // 2) + ["b"] * (rows - rows // 2),
        "time": START_US + 2000 * np.arange(rows),
        "value": value,
    }
    options = {"compression": "zstd", "compression_level": 19, "data_page_size": 40_000}
    pq.write_table(_table(columns), path, use_dictionary=["host"], **options)


def _zeros(path: Path) -> None:
    """Write keys that are others when their parts are joined, and a catalog that was copied."""
    hosts, entities = ["a\0b", "a", "a", "a\0b\0c"], ["c", "b\0c", "b", ""]
    columns = {
        "host": hosts * 10,
        "entity": entities * 10,
        "metric": ["d", "d", "c\0d", "d"] * 9 + ["10", "9", "é", "10"],
        "time": START_US + 1_000_000 * np.arange(40),
        "value": np.arange(40.0),
    }
    metrics = {name: ["B", "gauge"] for name in ("é", "10", "d", "9")}
    told = {"pulse.catalog": json.dumps({"metrics": metrics, "series": {"0": ["W", "gauge"]}})}
    table = _table(columns)
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table, row_group_size=15)
        writer.add_key_value_metadata(told)


def _rising(path: Path) -> None:
    """Write moments of one time in row groups of their own, which are not in order of key."""
    columns = {
        "host": ["h0"] * 6,
        "entity": ["user"] * 6,
        "metric": ["mark", "alert", "event"] * 2,
        "time": START_US + np.array([5, 5, 5, 6, 6, 6]),
        "text": [f"number {k}" for k in range(6)],
    }
    pq.write_table(_table(columns), path, row_group_size=2)


FOREIGN: Mapping[str, Callable[[Path], None]] = {
    "naive": _naive,
    "second": _second,
    "odd_types": _odd_types,
    "old_times": _old_times,
    "packed": _packed,
    "zeros": _zeros,
    "rising": _rising,
}


def _lying(path: Path) -> None:
    """Write a file of ours, well sealed, whose index gives rows of one series to another."""
    keys = [SeriesKey("h0", "host", metric) for metric in ("a", "b", "c")]
    held = [(key, _columns(5 * (k % 2 + 1))) for k, key in enumerate(keys)]
    writer = GroupWriter(path, final=True, split=False)
    writer.write(held)
    first, entries = 0, []
    for key, rows in zip(keys, (10, 5, 5), strict=True):
        entries.append(Entry(key, 0, first, rows, START_US, START_US + 9))
        first += rows
    run = json.dumps({"version": "1.0", "id": "lie", "start": START_US})
    said = {"pulse.version": "1.0", "pulse.run": run, "pulse.index": encode_index(entries)}
    writer.finish({**said, "pulse.catalog": "{}", **marks(1, 8)})
    seal(path)


def _columns(rows: int) -> Columns:
    time = START_US + np.linspace(0, 9, rows).astype(np.int64)
    return Columns(time, np.full(rows, NO_STEP), np.arange(rows) * 1.0, None, None)


def _without(*names: str) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        columns = {name: held for name, held in _foreign(40).items() if name not in names}
        pq.write_table(_table(columns), path)

    return put


def _null_key(path: Path) -> None:
    columns = _foreign(40)
    columns["entity"][7] = None
    pq.write_table(_table(columns), path)


def _wrong_type(path: Path) -> None:
    pq.write_table(_table({**_foreign(40), "time": ["noon"] * 40}), path)


def _half_steps(path: Path) -> None:
    pq.write_table(_table({**_foreign(40), "step": [0.5] * 40}), path)


def _brotli(path: Path) -> None:
    pq.write_table(_table(_foreign(40)), path, compression="brotli")


def _many_series(path: Path) -> None:
    count = MANY_SERIES
    columns = {"host": ["h"] * count, "entity": [f"e{k}" for k in range(count)]}
    columns |= {"metric": ["m"] * count, "time": np.full(count, START_US)}
    pq.write_table(_table(columns), path, compression="zstd", compression_level=19)


MANY_SERIES: Final = 10_001
"""One more than a page holds in memory of a file of another program."""

ODD: Mapping[str, Callable[[Path], None]] = {
    "odd-lying": _lying,
    "odd-no-keys": _without("host", "entity"),
    "odd-no-value": _without("value", "step"),
    "odd-null-key": _null_key,
    "odd-wrong-type": _wrong_type,
    "odd-half-steps": _half_steps,
    "odd-brotli": _brotli,
    "odd-many-series": _many_series,
}
"""Files that a page refuses in words, or does not believe; `js/file/refused.test.ts` says which."""
GOLDEN: Final = "recording-1.0-finished"

RANGES: Mapping[str, list[tuple[float, float, int]]] = {
    "hard": [
        (-10, 5000, 300),
        (0, 2000, 1000),
        (1200, 1300, 1000),
        (1234.45, 1234.55, 800),
        (740, 860, 500),
        (990, 1210, 50),
        (345, 360, 500),
        (0, 1, 500),
        (1490, 1600, 500),
        (1700, 1700, 10),
        (9000, 9100, 100),
    ],
    "long": [
        (0, 30_000, 300),
        (10_000, 13_700, 400),
        (18_599, 18_601, 500),
        (12_400, 12_600, 200),
        (25_000, 25_700, 1000),
    ],
    "many": [(0, 500, 100), (150, 160, 800), (299, 310, 20)],
    "nothing": [(0, 10, 100)],
    "words": [(0, 10, 100)],
    GOLDEN: [(0, 70, 300), (20, 40, 20)],
    **{name: [(0, 30, 100), (5, 9, 10), (9.9, 10.4, 200)] for name in FOREIGN},
}
"""Seconds from the start, and points. Asked of every series at once."""


def questions() -> list[dict[str, Any]]:
    """Return what is asked: of which file, and the request as a page sends it."""
    asked: list[dict[str, Any]] = []
    for case, ranges in RANGES.items():
        asked.append({"case": case, "request": {"kind": "hello"}})
        for number, (t0, t1, points) in enumerate(ranges, 1):
            request = {"kind": "range", "request": number, "ids": list(range(320))}
            request |= {"t0": START_S + t0, "t1": START_S + t1, "points": points}
            asked.append({"case": case, "request": request})
    return asked


def path_of(case: str) -> Path:
    """Return where the file of a case lies."""
    return (DATA.parent if case == GOLDEN else DATA) / f"{case}.pulse.parquet"


def answers(case: str) -> list[bytes]:
    """Return the packets that answer all questions about a file, in order."""
    provider = RecordingProvider(Recording.open(path_of(case)))
    stream = Stream(provider, redact=lambda header: header)
    return [stream.answer(each["request"]) for each in questions() if each["case"] == case]


def pack(packets: list[bytes]) -> bytes:
    """Return packets one after the other, each behind its length, deflated."""
    whole = b"".join(len(packet).to_bytes(4, "little") + packet for packet in packets)
    return zlib.compress(whole, 9)


def unpack(content: bytes) -> list[bytes]:
    """Return what `pack` took."""
    whole, packets = zlib.decompress(content), []
    while whole:
        end = 4 + int.from_bytes(whole[:4], "little")
        packets.append(whole[4:end])
        whole = whole[end:]
    return packets


def _make(case: str, write: Callable[[Bench], None]) -> None:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / f"{case}.pulse"
        bench = Bench(directory, title=f"The case {case}", interval=0.5)
        write(bench)
        bench.settle()
        bench.writer.close()
        about = bench.writer.folder / "writer.json"
        content = json.loads(about.read_text())
        hosts = {"h0": {"name": "first", "boot_id": "1"}, "h1": {"name": "second", "boot_id": "2"}}
        content |= {"hosts": hosts, "boot_id": "1", "pid": 1}
        about.write_text(json.dumps(content))
        path_of(case).write_bytes(compact(directory).read_bytes())


def main() -> None:
    """Make all files anew."""
    DATA.mkdir(parents=True, exist_ok=True)
    for case, write in BENCHES.items():
        _make(case, write)
    for case, put in {**FOREIGN, **ODD}.items():
        put(path_of(case))
    for case in RANGES:
        (DATA / f"{case}.answers").write_bytes(pack(answers(case)))
    lines = ",\n".join(json.dumps(each) for each in questions())
    QUESTIONS.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

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
from typing import TYPE_CHECKING, Any

import numpy as np

from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.columns import LOGGED_NAN
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.stream import Stream
from pulse_widgets.storage.compact import compact
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
    _put(bench, add("host", "cpu.user.total", unit="s", kind="counter"), _every(1, 1000), np.arange(1000) * 3.5)
    _put(bench, add("host", "ticks", unit="count", kind="counter"), _every(1, 900), np.arange(900) ** 2)
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
    _put(bench, bench.registry.add("h1", "gpu:0", "gpu.power", unit="W"), _every(2, 600), np.full(600, 75))
    _events(bench)
    bench.writer.describe({"h0": {"gpu:0": {"name": "Fast GPU"}}, "h1": {"gpu:0": {"name": "Slow GPU"}}})


def _events(bench: Bench) -> None:
    cell = bench.series("kernel", "cell", unit="s", kind="span")
    _texts(bench, cell, [(5, math.nan, {"id": "1@0", "count": 1, "line": "fit()"}), (65, 60.0, {"id": "1@0", "status": "ok"})])
    _texts(bench, cell, [(70, math.nan, {"id": "2@0", "count": 2, "line": "<b>no markup</b>"}), (90, 20.0, {"id": "2@0", "status": "error", "error": "ValueError"})])
    _texts(bench, cell, [(99, 3.5, {"id": "lost start"}), (100, math.nan, {"id": "3@0", "count": 3})])
    span = bench.series("user", "epoch", unit="s", kind="span")
    _texts(bench, span, [(10 + k, math.nan if k % 2 == 0 else 1.0, {"id": f"e{k // 2}", "n": k}) for k in range(500)])
    mark = bench.series("user", "mark", kind="text")
    _texts(bench, mark, [(20, math.nan, {"label": "é 漢字"}), (30, math.nan, "no JSON"), (31, math.nan, "[1]")])
    _texts(bench, bench.series("host", "event", kind="text"), [(12, math.nan, {"message": "GPU lost", "kind": "loss"})])
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
    _put(bench, bench.series("host", "network.sent.total", unit="B", kind="counter"), times[:210_000], total)
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


CASES: Mapping[str, Callable[[Bench], None]] = {
    "hard": hard,
    "long": long,
    "many": many,
    "nothing": nothing,
}

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
    return DATA / f"{case}.pulse.parquet"


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
    for case, write in CASES.items():
        _make(case, write)
        (DATA / f"{case}.answers").write_bytes(pack(answers(case)))
    lines = ",\n".join(json.dumps(each) for each in questions())
    QUESTIONS.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

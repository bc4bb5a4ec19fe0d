"""Directories of recordings that are not finished, and what a replay in Python answers of them.

``js/file/running/answers.test.ts`` reads the same bytes without Python and has to answer the same.
Written anew with ``python -m tests.storage.running`` in the repository's root.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.rows import NO_STEP, Rows
from tests.storage.bench import START_US, Bench

DATA = Path(__file__).parents[1] / "data" / "running"
ANSWERS = DATA / "answers.json"
SECOND = 1_000_000
LONG_AGO = (0, 0)
MANY = 20_000
LOGGED_NAN = np.array([0x7FF8_0000_0000_0001], np.uint64).view(np.float64)[0]


def numbers(bench: Bench, series: int, start_s: float, values, steps=None, *, every_s=0.1) -> None:
    """Append a reading every so many seconds, in one batch."""
    times = START_US + np.arange(len(values)) * round(every_s * SECOND) + round(start_s * SECOND)
    ids = np.full(len(values), series, np.int32)
    bench.writer.append(Rows.of(ids, times, np.asarray(values, np.float64), steps))


def text(bench: Bench, series: int, at_s: float, facts: object, value=math.nan) -> None:
    words = facts if isinstance(facts, str) else json.dumps(facts)
    bench.put([(series, START_US + round(at_s * SECOND), NO_STEP, value, words, b"")])


def machine(bench: Bench, start_s: float = 0.0, rows: int = 60) -> None:
    """Readings of all sorts: a spike, a reset, an outage, an infinity, marks and spans."""
    power = bench.series("gpu:0", "gpu.power", unit="W", labels={"uuid": "GPU-1"})
    busy = bench.series("host", "cpu.user.total", unit="s", kind="counter")
    loss = bench.series("user", "train/loss")
    phase = bench.series("user", "phase", kind="state")
    cell = bench.series("cell:1", "cell", unit="s", kind="span")
    mark = bench.series("user", "mark", kind="event")
    level = 200 + np.arange(rows) % 7.0
    level[rows // 3] = 9000.0
    level[rows // 2] = math.nan
    numbers(bench, power, start_s, level)
    counted = np.cumsum(np.arange(rows) % 5.0)
    counted[2 * rows // 3 :] -= counted[2 * rows // 3]
    numbers(bench, busy, start_s, counted)
    logged = 1 / (1 + np.arange(10.0))
    logged[4], logged[6] = math.inf, LOGGED_NAN
    numbers(bench, loss, start_s, logged, list(range(10)), every_s=0.5)
    numbers(bench, phase, start_s, [0.0, 1.0, 2.0], every_s=1.5)
    text(bench, cell, start_s + 0.2, {"id": "1@0", "count": 1, "line": "fit()"})
    text(bench, mark, start_s + 1, {"label": "half é 漢字"})
    text(bench, cell, start_s + 2.2, {"id": "1@0", "status": "ok"}, value=2.0)
    text(bench, cell, start_s + 3, {"id": "2@0", "count": 2})


def crashed(path: Path) -> None:
    """A part, a journal, an outage in between, and a journal that had become the part already."""
    bench = Bench(path, title="crashed", interval=0.1)
    machine(bench)
    first = bench.writer.folder / "journal-000000.arrows"
    kept = first.read_bytes()
    bench.minute()
    machine(bench, 300.0, 90)
    bench.writer.describe({"h0": {"gpu:0": {"name": "GPU of a test"}}})
    bench.settle()
    bench.writer.close()
    first.write_bytes(kept)


def torn(path: Path) -> None:
    """The last batch is not whole."""
    bench = Bench(path)
    machine(bench)
    bench.writer.close()
    journal = bench.writer.folder / "journal-000000.arrows"
    journal.write_bytes(journal.read_bytes()[:-57])


def flipped(path: Path) -> None:
    """A bit of a batch in the middle is another."""
    bench = Bench(path)
    machine(bench)
    bench.writer.close()
    journal = bench.writer.folder / "journal-000000.arrows"
    content = bytearray(journal.read_bytes())
    # The offset of the row's time is the same in each of these small batches.
    place = content.rindex(b"2@0") if b"2@0" in content else len(content) * 2 // 3
    content[place] ^= 1
    journal.write_bytes(bytes(content))


def zeros(path: Path) -> None:
    """A power failure left zeros where the last bytes were to be."""
    bench = Bench(path)
    machine(bench)
    bench.writer.close()
    journal = bench.writer.folder / "journal-000000.arrows"
    journal.write_bytes(journal.read_bytes() + bytes(4096))


def late(path: Path) -> None:
    """A series comes first in a later batch, rows of a user lie before it."""
    bench = Bench(path)
    numbers(bench, bench.series("user", "a"), 5, [1, 2, 3])
    numbers(bench, bench.series("user", "b"), 6, [4, 5, 6])
    numbers(bench, bench.series("user", "a"), 1, [7, 8])
    bench.minute()
    numbers(bench, bench.series("user", "b"), 7, [9])
    numbers(bench, bench.series("user", "0-first-by-name"), 8, [10, 11])
    bench.writer.close()


def writers(path: Path) -> None:
    """Three writers: two of one machine, which share a series, and one of another machine."""
    hosts = [("first", "boot-1"), ("first", "boot-1"), ("second", "boot-2")]
    for k, (name, boot) in enumerate(hosts):
        bench = Bench(path)
        numbers(bench, bench.series("host", "memory.used", unit="B"), k * 0.05, range(20))
        about = {"unit": "s" if k else "W", "labels": {f"from{k}": str(k), "same": str(k)}}
        numbers(bench, bench.series("user", "shared", **about), k * 0.01, [k, k + 0.5])
        bench.writer.describe(
            {"h0": {"gpu:0": {"name": f"GPU {k}", f"of{k}": "yes"}}}, title=f"{k}"
        )
        bench.writer.write_problems([f"Writer {k} could not write 7 rows"])
        bench.settle()
        bench.writer.close()
        described(
            bench.writer.folder, hosts={"h0": {"name": name, "boot_id": boot}}, start=START_US + k
        )
        bench.writer.folder.rename(path / f"w-h0-{k}-{START_US + k}")


def lost(path: Path) -> None:
    """A part has gone, another is cut short, and nobody can read `writer.json` of the second."""
    bench = Bench(path)
    for minute in range(3):
        machine(bench, 60.0 * minute, 30)
        bench.minute()
    bench.writer.close()
    (bench.writer.folder / "part-000000.parquet").unlink()
    part = bench.writer.folder / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-200])
    bench.writer.folder.rename(path / "w-h0-1-1")
    second = Bench(path)
    numbers(second, second.series("host", "memory.used", unit="B"), 0, range(5))
    second.writer.close()
    (second.writer.folder / "writer.json").write_text("{")
    second.writer.folder.rename(path / "w-h0-2-2")


def merged(path: Path) -> None:
    """Sixteen parts became one, and the crash left one of them."""
    bench = Bench(path)
    kept = b""
    for minute in range(17):
        numbers(
            bench,
            bench.series("host", "memory.used", unit="B"),
            60.0 * minute,
            range(minute, 5 + minute),
        )
        bench.minute()
        kept = kept or (bench.writer.folder / "part-000000.parquet").read_bytes()
    bench.settle()
    bench.writer.close()
    assert (bench.writer.folder / "part-000000-000015.parquet").exists()
    (bench.writer.folder / "part-000003.parquet").write_bytes(kept)


def nothing(path: Path) -> None:
    """A writer was killed before it had written a row."""
    bench = Bench(path, title="nothing yet")
    bench.writer.close()
    (bench.writer.folder / "journal-000000.arrows").touch()


def running(path: Path) -> None:
    """A writer is at work, and its last batch is on its way."""
    bench = Bench(path, interval=0.1)
    machine(bench)
    bench.minute()
    machine(bench, 70.0, 30)
    bench.settle()
    bench.writer.close()
    journal = bench.writer.folder / "journal-000001.arrows"
    journal.write_bytes(journal.read_bytes()[:-40])


CASES = {
    make.__name__: make
    for make in (crashed, torn, flipped, zeros, late, writers, lost, merged, nothing, running)
}


def described(folder: Path, **facts: Any) -> None:
    """Write other facts into the description of a writer."""
    about = folder / "writer.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), **facts}))


def settled(path: Path, name: str) -> None:
    """Take out of a directory what is of this machine and this moment."""
    run = path / "run.pulse.json"
    run.write_text(json.dumps({**json.loads(run.read_text()), "id": f"{name:a<32}"}))
    for k, folder in enumerate(sorted(path.glob("w-*"))):
        try:
            hosts = json.loads((folder / "writer.json").read_text())["hosts"]
        except ValueError:
            continue
        known = {"h0": {"name": "machine", "boot_id": "boot"}}
        told = hosts if hosts["h0"]["name"] in {"first", "second"} else known
        described(folder, hosts=told, boot_id="boot", pid=k + 1)
        if name not in {"writers", "lost"}:
            folder.rename(path / f"w-h0-{k + 1}-{START_US}")


def is_running(name: str) -> bool:
    return name == "running"


def opened(name: str, folder: Path) -> Recording:
    """Open a copy of a case, with heartbeats as they are to be."""
    path = folder / f"{name}.pulse"
    shutil.copytree(DATA / path.name, path)
    for lock in path.rglob("lock"):
        os.utime(lock, None if is_running(name) else LONG_AGO)
    return Recording.open(path)


def answers(recording: Recording) -> dict[str, Any]:
    """Return what a page gets of a recording."""
    provider = RecordingProvider(recording)
    screen, events, state = provider.screen(), provider.events(1000), provider.state()
    start, end = float(screen.edges[0]), float(screen.edges[-1])
    middle = start + (end - start) * 0.4
    ids = list(range(len(provider.series())))
    return {
        "running": recording.stored.running,
        "problems": list(recording.stored.problems),
        "series": provider.series(),
        "entities": provider.entities(),
        "moments": [plain(one) for one in events.moments],
        "spans": [plain(one) for one in events.spans],
        "odd": [plain(one) for one in events.odd],
        "state": {key: state[key] for key in ("title", "t0", "t1", "interval", "simulated")},
        "edges": [start, end],
        "last": {int(k): number(v) for k, v in zip(screen.ids, screen.last, strict=True)},
        "missing": {int(k): runs(line) for k, line in zip(screen.ids, screen.missing, strict=True)},
        "whole": rows(provider, ids, start, end),
        "part": [middle, end, rows(provider, ids, middle, end)],
    }


def plain(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def runs(line) -> list[int]:
    """Return first and last place of what is set, in pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
    return [int(edge) - k % 2 for k, edge in enumerate(edges)]


def rows(provider: RecordingProvider, ids: list[int], start: float, end: float) -> dict[str, list]:
    """Return time, value and step of each row of each series."""
    found = provider.detail(ids, start, end, MANY)
    assert found.screen is None
    held: dict[str, list] = {str(k): [] for k in ids}
    columns = (found.rows.series, found.rows.time, found.rows.value, found.rows.step)
    for k, at, value, step in zip(*(column.tolist() for column in columns), strict=True):
        held[str(k)].append([at, number(value), None if step == NO_STEP else step])
    return {k: lines for k, lines in held.items() if lines}


def main() -> None:
    """Write all cases and their answers."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    told = {}
    for name, make in CASES.items():
        make(DATA / f"{name}.pulse")
        settled(DATA / f"{name}.pulse", name)
        with tempfile.TemporaryDirectory() as folder:
            told[name] = answers(opened(name, Path(folder)))
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in told.items()]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

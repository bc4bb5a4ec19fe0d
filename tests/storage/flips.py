"""Flips bits in a recording at random and looks at what is read: never a row that was not there.

``python -m tests.storage.flips FOLDER TARGET SEED COUNT`` is a worker. It prints one line of
JSON, and lives in bounds of memory and time, so that a hang or a bomb ends it.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

import pulse_widgets as pw
from pulse_widgets.errors import PulseError
from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage.compact import compact
from tests import memory
from tests.storage.bench import START_US, Bench
from tests.storage.sealed import damage

MEMORY = 4 << 30  # addresses: memory pools reserve far more of them than they use
FLIP_S = 60
BATCH_S = 900
TAIL = 64 << 10
FINISHED, FOLDER = "finished.pulse.parquet", "running.pulse"

LONG = 7_000
SHORT = 300
PARTS = 3


# The recording ------------------------------------------------------------------------


def write(directory: Path) -> Bench:
    """Record two long series and some short ones, with steps, texts, payloads and silences.

    No two rows have the same time, so that a row is known by it. The last of three parts is
    still a journal; the writer is left open.
    """
    bench = Bench(directory)
    level = bench.series("gpu:0", "gpu.power", unit="W")
    loss = bench.series("user", "train/loss")
    words = bench.series("kernel", "log.stdout", kind="text")
    media = bench.series("user", "sample", kind="media")
    small = [bench.series(f"gpu:{k}", "memory.used", unit="B") for k in range(1, 6)]
    for part in range(PARTS):
        rnd, start = np.random.default_rng(part), START_US + part * 10**9
        watts = np.round(rnd.uniform(50, 700, LONG), 1)
        watts[LONG // 2] = math.nan
        noise, blobs = rnd.normal(size=LONG), [rnd.bytes(int(n)) for n in rnd.integers(1, 900, 30)]
        # Of each series: its number, steps, values, texts and payloads.
        series = [
            (level, [NO_STEP] * LONG, watts.tolist(), [""] * LONG, [b""] * LONG),
            (loss, range(LONG), noise.tolist(), [""] * LONG, [b""] * LONG),
            (
                words,
                [0] * SHORT,
                [math.nan] * SHORT,
                map("é {}".format, range(SHORT)),
                [b""] * SHORT,
            ),
            (media, range(30), [math.nan] * 30, ["{}"] * 30, blobs),
            *((s, [NO_STEP] * SHORT, range(SHORT), [""] * SHORT, [b""] * SHORT) for s in small),
        ]
        put = [
            (number, start + 1000 * k + place, step, float(value), text, blob)
            for place, (number, *columns) in enumerate(series)
            for k, (step, value, text, blob) in enumerate(zip(*columns, strict=True))
        ]
        for first in range(0, len(put), 1000):
            bench.put(put[first : first + 1000])
        if part < PARTS - 1:
            bench.minute()
    return bench


_ROOT = Path(__file__).parents[2]


def make(folder: Path) -> None:
    """Make the recordings to damage: a finished file, and a directory of parts and a journal."""
    write(folder / "whole.pulse").writer.close()
    compact(folder / "whole.pulse").rename(folder / FINISHED)
    # A process that ends at once leaves its journal.
    code = "import os, sys, pathlib; from tests.storage import flips\n"
    code += "bench = flips.write(pathlib.Path(sys.argv[1])); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, folder / FOLDER], check=True, cwd=_ROOT)


# A target -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What is opened, the file in it that is damaged, and where."""

    opened: Path
    file: Path
    places: range
    refusable: range
    """Where damage may make the whole recording unreadable."""


def target(folder: Path, name: str) -> Target:
    """Return a target: ``file``, ``tail``, ``part`` or ``journal``."""
    if name in ("file", "tail"):
        file = folder / FINISHED
        size = file.stat().st_size
        length = int.from_bytes(file.read_bytes()[-8:-4], "little")
        first = max(0, size - TAIL) if name == "tail" else 0
        return Target(file, file, range(first, size), range(size - 8 - length, size))
    pattern = {"part": "part-*", "journal": "journal-*"}[name]
    file = min((folder / FOLDER).rglob(pattern))
    return Target(folder / FOLDER, file, range(file.stat().st_size), range(0))


# What is read ---------------------------------------------------------------------------


def rows_of(path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    """Return every row of a recording as comparable columns, and what it says is wrong."""
    recording = pw.Recording.open(path)
    table = recording.to_arrow(data=True).combine_chunks()
    columns = []
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # of no rows
            column = pa.array([], column.type)
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        # Two NaN are equal when their bits are.
        columns.append(column.view(pa.int64()) if name == "value" else column)
    return pa.table(columns, names=table.column_names), recording.problems


def times_of(table: pa.Table) -> np.ndarray:
    return table.column("time").combine_chunks().view(pa.int64()).to_numpy(zero_copy_only=False)


class Original:
    """The rows of a recording before it was damaged."""

    def __init__(self, path: Path) -> None:
        self.table, problems = rows_of(path)
        assert problems == ()
        times = times_of(self.table)
        self.order = np.argsort(times)
        self.times = times[self.order]
        assert len(np.unique(times)) == len(times)

    def wrong(self, table: pa.Table) -> str:
        """Return how rows are other than original ones; empty when they are some of these."""
        if table.num_rows == 0:
            return ""
        times = times_of(table)
        place = np.searchsorted(self.times, times).clip(max=len(self.times) - 1)
        if (self.times[place] != times).any():
            return "a row has a time that none has"
        chosen = self.order[place]
        if len(np.unique(chosen)) != len(chosen):
            return "a row comes twice"
        want = self.table.take(pa.array(chosen))
        other = [n for n in want.column_names if not want.column(n).equals(table.column(n))]
        return f"rows have another {other}" if other else ""


def unsaid(missing: int, problems: tuple[str, ...]) -> str:
    """Return why problems do not admit that rows are missing; empty when they do."""
    if missing and not problems:
        return f"{missing} rows are missing and nothing is said"
    counts = [re.search(r"(\d+) rows?\b", problem) for problem in problems]
    if problems and all(counts):
        said = sum(int(found[1]) for found in counts if found)
        if said != missing:
            return f"{missing} rows are missing and {problems} is said"
    return ""


# The worker -------------------------------------------------------------------------------


def one(original: Original, at: Target, touched: list[int]) -> tuple[str, str]:
    """Read a damaged recording; return what came of it, and what is wrong with that."""
    try:
        table, problems = rows_of(at.opened)
    except PulseError as exc:
        allowed = any(place < 4 or place in at.refusable for place in touched)
        return "refused", "" if allowed and at.refusable else f"refused: {exc.problem}"[:300]
    except Exception as exc:  # noqa: BLE001  whatever it is, it is not ours
        return "foreign", f"{type(exc).__name__}: {exc}"[:300]
    missing = original.table.num_rows - table.num_rows
    fault = original.wrong(table) or unsaid(missing, problems)
    return "partial" if missing else "whole", fault


def work(folder: Path, name: str, seed: int, count: int) -> dict:
    """Flip bits of a target and read; return what came of it."""
    at, rnd = target(folder, name), np.random.default_rng(seed)
    original, content = Original(at.opened), at.file.read_bytes()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    outcomes, faults = Counter(), []
    for k in range(count):
        damaged, touched = damage(content, at.places, rnd)
        with at.file.open("r+b", buffering=0) as file:
            for place in touched:
                os.pwrite(file.fileno(), damaged[place : place + 1], place)
        signal.alarm(FLIP_S)
        outcome, fault = one(original, at, touched)
        signal.alarm(0)
        outcomes[outcome] += 1
        if fault:
            faults.append(f"{name}, seed {seed}, flip {k} at {touched}: {fault}")
        with at.file.open("r+b", buffering=0) as file:
            for place in touched:
                os.pwrite(file.fileno(), content[place : place + 1], place)
    assert at.file.read_bytes() == content
    return {"flips": count, **outcomes, "faults": faults, "peak": memory.peak()}


def run(folder: Path, name: str, seed: int, count: int) -> dict:
    """Do `work` in a process of its own; one that dies or hangs is a fault."""
    command = [sys.executable, "-m", "tests.storage.flips"]
    began = time.monotonic()
    try:
        done = subprocess.run(
            [*command, str(folder), name, str(seed), str(count)],
            capture_output=True,
            text=True,
            check=False,
            cwd=_ROOT,
            timeout=BATCH_S,
        )
    except subprocess.TimeoutExpired:
        return {"faults": [f"{name}, seed {seed}: still at work after {BATCH_S} s"]}
    if done.returncode:
        ending = done.stderr.strip().splitlines()[-1:]
        after = f"after {time.monotonic() - began:.0f} s"
        return {"faults": [f"{name}, seed {seed}: ended by {done.returncode} {after}: {ending}"]}
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))

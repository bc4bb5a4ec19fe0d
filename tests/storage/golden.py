"""The rows of the golden recordings in tests/data, and how these were made.

A released minor version's files are never made again: they show that what it wrote is still
read. For a new one: ``python -m tests.storage.golden`` in the repository's root.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path

from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage.compact import compact
from tests.storage.bench import START_US, Bench

DATA = Path(__file__).parents[1] / "data"


def batches() -> list[list[tuple]]:
    """Return batches of (series, time, step, value, text, data); a minute passes after the first."""
    first = [
        (k % 3, START_US + k * 100_000, NO_STEP, [k / 4, k * k * 1.0, 300.0 - k][k % 3], "", b"")
        for k in range(600)
    ]
    first[300] = (0, START_US + 30_000_000, NO_STEP, math.nan, "", b"")
    second = [(3, START_US + 60_000_000 + k, k, 1 / (k + 1), "", b"") for k in range(100)]
    start, end = {"id": "1@0", "count": 1, "line": "fit()"}, {"id": "1@0", "status": "ok"}
    third = [
        (4, START_US + 61_000_000, NO_STEP, math.nan, json.dumps(start), b""),
        (
            5,
            START_US + 61_500_000,
            7,
            math.nan,
            json.dumps({"mime": "image/png"}),
            b"\x89PNG\x00\xff",
        ),
        (6, START_US + 61_700_000, NO_STEP, math.nan, "é 漢字", b""),
        (4, START_US + 62_000_000, NO_STEP, 1.0, json.dumps(end), b""),
        (2, START_US + 10, NO_STEP, 1.5, "", b""),
    ]
    return [first, second, third]


def write(directory: Path) -> Bench:
    """Write the golden recording to a directory and close it."""
    bench = Bench(directory, title="golden")
    bench.series("gpu:0", "gpu.power", unit="W", labels={"uuid": "GPU-golden"})
    bench.series("host", "cpu.user.total", unit="s", kind="counter")
    bench.series("host", "memory.used", unit="B")
    bench.series("user", "train/loss")
    bench.series("cell:1", "cell", unit="s", kind="span")
    bench.series("user", "sample", kind="media")
    bench.series("kernel", "log.stdout", kind="text")
    first, *rest = batches()
    bench.put(first)
    bench.minute()
    for batch in rest:
        bench.put(batch)
    bench.writer.describe({"h0": {"gpu:0": {"name": "Golden GPU"}}})
    bench.settle()
    bench.writer.close()
    about = bench.writer.folder / "writer.json"
    content = json.loads(about.read_text())
    content["hosts"] = {"h0": {"name": "golden", "boot_id": "golden"}}
    content["boot_id"], content["pid"] = "golden", 1
    about.write_text(json.dumps(content))
    bench.writer.folder.rename(directory / "w-h0-1-1790000000000000")
    return bench


def main() -> None:
    """Make both golden files."""
    directory = DATA / "recording-1.0.pulse"
    shutil.rmtree(directory, ignore_errors=True)
    (DATA / "recording-1.0-finished.pulse.parquet").unlink(missing_ok=True)
    write(directory)
    copy = DATA / "recording-1.0-finished.pulse"
    shutil.copytree(directory, copy)
    for lock in copy.rglob("lock"):
        os.utime(lock, (0, 0))
    compact(copy)


if __name__ == "__main__":
    main()

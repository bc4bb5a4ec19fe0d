"""Twenty seconds of a machine, written to a recording."""

from __future__ import annotations

import json
import math

from pulse_widgets.series.rows import NO_STEP
from tests.storage.bench import START_US, Bench

SECOND = 1_000_000


def fill(bench: Bench) -> None:
    """Twenty seconds of a machine with two GPUs, a training and three cells."""
    reg = bench.series
    power = [reg(f"gpu:{g}", "gpu.power", unit="W") for g in (0, 1)]
    energy = reg("gpu:0", "gpu.energy", unit="J", kind="counter")
    user = reg("host", "cpu.user.total", unit="s", kind="counter")
    used = reg("host", "memory.used", unit="B")
    disk = reg("fs:/home/ada/data", "disk.used", unit="B")
    loss = reg("user", "train/loss")
    event, mark = reg("gpu:1", "event", kind="text"), reg("kernel", "mark", kind="text")
    out = reg("kernel", "log.stdout", kind="text")
    for s in range(20):
        t = START_US + s * SECOND
        rows = [
            (power[0], t, NO_STEP, 100.0 + s, "", b""),
            (power[1], t, NO_STEP, 300.0 if s != 7 else math.nan, "", b""),
            (energy, t, NO_STEP, 1000.0 + 100.0 * s, "", b""),
            (user, t, NO_STEP, 5.0 + 0.5 * s, "", b""),
            (used, t, NO_STEP, 2.0**30 * s, "", b""),
            (disk, t, NO_STEP, 7.0, "", b""),
            (loss, t + 1, s * 10, 1.0 / (s + 1), "", b""),
        ]
        bench.put(rows)
    said = {"kind": "xid", "message": "XID 79 at /home/ada/job.py", "remedy": "restart"}
    bench.put([(event, START_US + 3 * SECOND, NO_STEP, math.nan, json.dumps(said), b"")])
    bench.put([(mark, START_US, NO_STEP, math.nan, json.dumps({"label": "begin"}), b"")])
    bench.put([(out, START_US, NO_STEP, math.nan, "secret output", b"")])
    cell(bench, 1, 2.0, 3.0, "ok")
    cell(bench, 2, 6.0, 4.0, "error")
    cell(bench, 3, 12.0, None, "")
    bench.writer.describe(
        {"h0": {"gpu:0": {"uuid": "GPU-aaaa-1", "bus_id": "00:01"}, "gpu:1": {"uuid": "GPU-bbbb"}}},
        argv=["train.py", "--key=s3cret"],
    )
    bench.settle()


def cell(  # noqa: PLR0917  what a row of the table has
    bench: Bench,
    count: int,
    at: float,
    seconds: float | None,
    status: str,
    entity: str = "kernel",
) -> None:
    series = bench.series(entity, "cell", unit="s", kind="span")
    start = START_US + int(at * SECOND)
    text = json.dumps({"id": f"{count}@", "count": count, "line": f"fit({count})"})
    bench.put([(series, start, NO_STEP, math.nan, text, b"")])
    if seconds is not None:
        end = json.dumps(
            {"id": f"{count}@", "status": status}
            | ({"error": "KeyError"} if status == "error" else {})
        )
        bench.put([(series, start + int(seconds * SECOND), NO_STEP, seconds, end, b"")])

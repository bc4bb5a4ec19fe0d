"""Processes that are killed while they finish, merge, repair or tidy: no row lost or doubled."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pulse_widgets.library.repair import repair
from pulse_widgets.storage.reader import open_stored
from tests.storage.bench import START_US, Bench, expected, tidy

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 40

# Says when it begins, works over and over on copies of a recording, and says what it has done.
WORK = """
import logging, os, sys
from pathlib import Path
from pulse_widgets.library import shelf
from pulse_widgets.signals import Flag
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.repair import repair
from pulse_widgets.storage.compact import compact

directory = Path(sys.argv[2])
work = {
    "finish": lambda: compact(directory),
    "repair": lambda: repair(directory),
    "shelf": lambda: shelf._settle(directory, Flag()),
    "save": lambda: Recording.open(directory).save(directory),
}[sys.argv[1]]
os.environ["PULSE_HOME"] = str(directory.parent.parent)
# Once elsewhere: what has to be loaded is loaded.
compact(Path(sys.argv[3]))
print("ready", flush=True)
sys.stdin.readline()
work()
print("done", flush=True)
"""

# Writes batches of ten rows, in parts of 100, and merges sixteen of them, until it is killed.
MERGE = """
import sys, numpy as np
from pathlib import Path
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import writer
from pulse_widgets.storage.disk import Reserve
writer.PART_ROWS = 100
registry = Registry(); registry.add("h0", "host", "memory.used")
made = writer.Writer(Path(sys.argv[1]), registry, host_name="h", start_us=1, reserve=Reserve(0, 0))
print("ready", flush=True)
for n in range(10**9):
    made.append(Rows.of(np.zeros(10, np.int32), np.full(10, n), np.full(10, float(n))))
    made.beat()
    made._parts.wait(0.02 if n % 10 == 0 else 0)  # or the parts fall behind
    sys.stdout.write(f"{n}\\n"); sys.stdout.flush()
"""


def made(directory: Path) -> Bench:
    """Leave a recording of two writers: 20 parts, four of them in a merged one, and journals."""
    benches = [Bench(directory) for _ in range(2)]
    for number, bench in enumerate(benches):
        many = [bench.series(f"cpu:{k}", "cpu.utilization") for k in range(20)]
        text = bench.series("kernel", "log.stdout", kind="text")
        for minute in range(20):
            start = START_US + minute * 60_000_000 + number
            rows = [(s, start + k, k, float(minute), "", b"") for s in many for k in range(5)]
            bench.put([*rows, (text, start + 9, -1, 0.0, f"line {minute}", b"\x00\xff")])
            if minute < 19:
                bench.minute()
        bench.writer.close()
    benches[0].rows += benches[1].rows
    return benches[0]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return made(tmp_path_factory.mktemp("model") / "run.pulse")


def copied(model: Bench, place: Path, name: str = "run.pulse") -> Path:
    copy = shutil.copytree(model.directory, place / name)
    for lock in copy.rglob("lock"):
        os.utime(lock, (0, 0))
    return copy


def started(place: Path, how: str, model: Bench) -> subprocess.Popen[str]:
    """Start a process that is to work on a recording in `place`; it loads what it needs."""
    place.mkdir(parents=True)
    directory = copied(model, place)
    spare = copied(model, place.with_name(f"{place.name}-spare"))
    words = [sys.executable, "-c", WORK, how, str(directory), str(spare)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def killed(child: subprocess.Popen[str], delay_s: float) -> bool:
    """Kill a process so long after it began to work; return whether it was at work still."""
    assert child.stdout.readline() == "ready\n"
    child.stdin.write("\n")
    child.stdin.flush()
    signal.sigtimedwait([], delay_s)
    child.kill()
    said = child.communicate()[0]
    assert child.returncode in {0, -signal.SIGKILL}
    return said != "done\n"


def state(place: Path) -> str:
    names = {path.name for path in place.iterdir()}
    if names == {"run.pulse.parquet"}:
        return "finished"
    return "both" if "run.pulse.parquet" in names else "directory"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["finish", "repair", "shelf", "save"])
def test_kills_at_random_moments_of_finishing_lose_and_double_no_row(tmp_path, model, how):
    chance, seen, late = random.Random(how), Counter(), 0.25
    wanted = repr(expected(model.rows))
    places = [tmp_path / str(number) / "recordings" for number in range(KILLS)]
    child = started(places[0], how, model)
    for place, following in zip(places, [*places[1:], None], strict=True):
        at_work = killed(child, chance.uniform(0.0, late))
        if following is not None:
            # It loads while what the one before has left is looked at.
            child = started(following, how, model)
        # Towards the moments that matter, on a machine of any speed.
        late = late * 1.1 if at_work else max(0.02, late * 0.9)
        seen[f"{state(place)}, {'at work' if at_work else 'done'}"] += 1
        assert repr(tidy(open_stored(place / "run.pulse"))) == wanted
        assert repr(tidy(open_stored(place / "run.pulse.parquet"))) == wanted

        again = repair(place / "run")

        assert again.lost == ()
        assert again.rows == len(model.rows)
        assert repr(tidy(open_stored(again.path))) == wanted
        assert [path.name for path in place.iterdir()] == ["run.pulse.parquet"]
        shutil.rmtree(place.parent)
    print(f"\n{how}, {KILLS} kills: {dict(sorted(seen.items()))}")
    assert sum(n for name, n in seen.items() if name.endswith("at work")) > KILLS / 10


@pytest.mark.slow
def test_kills_at_random_moments_of_merging_lose_and_double_no_row(tmp_path):
    chance, merged, left = random.Random("merge"), 0, 0
    for number in range(KILLS):
        directory = tmp_path / f"{number}.pulse"
        child = subprocess.Popen(
            [sys.executable, "-c", MERGE, str(directory)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "ready\n"
        # Around the sixteenth part, where the first merge is.
        target = chance.randrange(155, 185)
        accepted = next(n for n in map(int, child.stdout) if n >= target) + 1
        child.kill()
        accepted += len(child.communicate()[0].splitlines())
        names = [path.name for path in directory.rglob("part-*")]
        merged += any(name.count("-") > 1 for name in names)
        left += any(directory.rglob(".merged")) or any(directory.rglob(".part"))

        rows = tidy(open_stored(directory))

        batches = {row[3] for row in rows}
        assert batches == set(range(len(batches)))
        assert len(rows) == 10 * len(batches)
        assert accepted <= len(batches) <= accepted + 1
        done = repair(directory)
        assert done.rows == len(rows)
        assert tidy(open_stored(done.path)) == rows
        assert not directory.exists()
    print(f"\nmerge, {KILLS} kills: {merged} with a merged part, {left} with an unfinished file")
    assert merged + left > 0

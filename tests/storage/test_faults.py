"""Kills, full disks and forbidden places: what was accepted is there, and trouble is said."""

from __future__ import annotations

import errno
import os
import random
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from pulse_widgets.errors import StorageError
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import journal
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.directory import is_running, writer_folders
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.writer import Writer
from tests.storage.bench import START_US, Bench, expected, tidy
from tests.waiting import until

# Writes batches of ten rows without a pause, in parts of 300 rows; says what was accepted.
WRITER = """
import sys, numpy as np
from pathlib import Path
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import writer
from pulse_widgets.storage.disk import Reserve
writer.PART_ROWS = 300
registry = Registry()
for k in range(5):
    registry.add("h0", f"gpu:{k}", "gpu.power", unit="W")
made = writer.Writer(Path(sys.argv[1]), registry, host_name="h", start_us=1, reserve=Reserve(0, 0))
print("ready", flush=True)
for n in range(10**9):
    made.append(Rows.of(np.arange(10) % 5, np.full(10, n), np.full(10, float(n))))
    made.beat()
    sys.stdout.write(f"{n}\\n"); sys.stdout.flush()
"""


def kill_at_random(directory, seed: int) -> int:
    """Kill a writer at a random moment; return the batches it said were accepted."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    folder = writer_folders(Local(directory))[0]
    assert is_running(folder)
    time.sleep(random.Random(seed).uniform(0.02, 0.6))
    child.kill()
    said = child.communicate()[0].split("\n")
    assert not is_running(folder)
    return len(said) - 1


def check_after_kill(directory, accepted: int) -> None:
    stored = open_stored(directory)
    rows = tidy(stored)
    batches = {row[3] for row in rows}
    # The batch under way when the kill came may be whole, but nothing is torn or doubled.
    assert batches == set(range(len(batches)))
    assert accepted <= len(batches) <= accepted + 1
    assert len(rows) == 10 * len(batches)
    assert all(row[5] == row[3] for row in rows)
    assert tidy(open_stored(compact(directory))) == rows


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_writer_loses_nothing_it_had_accepted(tmp_path, seed):
    accepted = kill_at_random(tmp_path / "a.pulse", seed)
    assert accepted > 0
    check_after_kill(tmp_path / "a.pulse", accepted)


@pytest.mark.slow
def test_twenty_kills_at_random_moments_lose_nothing_accepted(tmp_path):
    for seed in range(100, 120):
        check_after_kill(
            tmp_path / f"{seed}.pulse", kill_at_random(tmp_path / f"{seed}.pulse", seed)
        )


# Every file may grow to 6 kB: journals fill, parts and writer.json do not fit at all at first.
FULL = """
import resource, sys, time, numpy as np
from pathlib import Path
from pulse_widgets.errors import StorageError
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import parts, writer
from pulse_widgets.storage.disk import Reserve
parts.AGAIN_S = 0.0
registry = Registry(); registry.add("h0", "host", "x")
made = writer.Writer(Path(sys.argv[1]), registry, host_name="h", start_us=1, reserve=Reserve(0, 0))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
rnd, refused, n = np.random.default_rng(1), 0, 0
while n < 60:
    if n == 5: resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, hard))
    rows = Rows.of(np.zeros(100, np.int32), np.arange(100) + 100 * n, rnd.normal(size=100))
    while True:
        try:
            made.append(rows)
            break
        except StorageError as exc:
            assert exc.remedy and made.problem
            refused += 1
            if refused == 8: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    made.beat()
    n += 1
# A part that was tried while there was no room is tried again, by a thread.
ends = time.monotonic() + 20
while made.problem and time.monotonic() < ends:
    made.beat()
    made._parts.wait(1)
made.close()
print(refused, bool(made.problem))
"""


def test_rows_refused_by_a_full_disk_are_taken_when_there_is_room(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.pulse")],
        capture_output=True,
        text=True,
        check=True,
    )
    refused, problem = run.stdout.split()
    assert int(refused) >= 8
    assert problem == "False"
    stored = open_stored(tmp_path / "a.pulse")
    rows = tidy(stored)
    assert [row[3] for row in rows] == list(range(6000))
    assert np.array_equal([row[5] for row in rows], np.random.default_rng(1).normal(size=6000))
    assert stored.problems == ()


def test_a_disk_that_is_nearly_full_pauses_and_resumes_the_recording(tmp_path):
    class Room(Reserve):
        least_bytes = 0

        def problem(self, directory):
            return "Only 0.5 GiB are free" if tight else ""

    tight = False
    registry = Registry()
    registry.add("h0", "host", "x")
    clock = [0.0]
    writer = Writer(
        tmp_path / "a.pulse",
        registry,
        host_name="h",
        start_us=1,
        reserve=Room(),
        now=lambda: clock[0],
    )
    writer.append(Rows.of([0], [1], [1.0]))
    tight, clock[0] = True, 2.0
    with pytest.raises(StorageError, match=r"0\.5 GiB") as caught:
        writer.append(Rows.of([0], [2], [2.0]))
    assert caught.value.remedy
    assert "0.5 GiB" in writer.problem
    tight = False
    writer.append(Rows.of([0], [2], [2.0]))
    assert writer.problem == ""
    writer.close()
    assert [row[5] for row in tidy(open_stored(tmp_path / "a.pulse"))] == [1.0, 2.0]


def test_the_reserve_is_a_gibibyte_or_a_twentieth_of_the_disk(tmp_path):
    disk = os.statvfs(tmp_path)
    free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    assert Reserve().least_bytes == 1 << 30
    assert Reserve().least_share == 0.05
    assert Reserve(free // 2, 0).problem(tmp_path / "not" / "yet") == ""
    assert "free" in Reserve(free * 2, 0).problem(tmp_path)
    assert "free" in Reserve(0, min(1.0, 2 * free / size)).problem(tmp_path)


def test_a_place_that_may_not_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        Bench(tmp_path / "file" / "a.pulse")
    assert caught.value.remedy
    assert os.strerror(errno.ENOTDIR) in caught.value.problem


def test_a_directory_that_vanishes_is_told(bench):
    import shutil

    series = bench.series()
    bench.numbers(series, [START_US], [1.0])
    shutil.rmtree(bench.directory)
    bench.now += 10
    with pytest.raises(StorageError, match="vanished"):
        bench.numbers(series, [START_US + 1], [2.0])


def test_everything_is_for_this_user_only(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.minute()
    bench.numbers(bench.series(), [START_US + 1], [1.0])
    for path in [bench.directory, *bench.directory.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_forked_child_lets_go_and_the_parent_goes_on(bench):
    series = bench.series()
    bench.numbers(series, [START_US], [1.0])
    folder = writer_folders(Local(bench.directory))[0]
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        bench.writer.abandon()
        os.close(go)
        os.read(ready, 1)
        os._exit(0)
    os.close(ready)
    bench.numbers(series, [START_US + 1], [2.0])
    assert is_running(folder)
    bench.writer.close()
    # The child lives, and holds nothing.
    assert not is_running(folder)
    os.close(go)
    os.waitpid(child, 0)
    assert [row[5] for row in tidy(open_stored(bench.directory))] == [1.0, 2.0]


def test_without_locks_a_heartbeat_of_thirty_seconds_decides(bench):
    folder = writer_folders(Local(bench.directory))[0]
    elsewhere = type(folder)(folder.place, {**folder.about, "boot_id": "another machine"})
    bench.writer.close()
    os.utime(bench.writer.folder / "lock")
    assert not is_running(folder)
    assert is_running(elsewhere)
    os.utime(bench.writer.folder / "lock", (0, time.time() - 31))
    assert not is_running(elsewhere)


def test_parts_that_could_not_be_written_stay_journals_and_are_written_later(bench):
    series = bench.series()
    blocker = bench.writer.folder / ".part"
    blocker.mkdir()
    bench.numbers(series, [START_US], [1.0])
    bench.minute()
    assert bench.writer.problem
    assert len(list(bench.writer.folder.glob("journal-*"))) == 1
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)
    blocker.rmdir()
    bench.minute()
    assert not bench.writer.problem
    assert [p.name for p in bench.writer.folder.glob("[jp]*")] == ["part-000000.parquet"]
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


def test_a_recording_is_read_whole_while_parts_come_and_merge(tmp_path):
    directory = tmp_path / "a.pulse"
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "ready\n"
        seen = accepted = 0
        for _ in range(6):
            while accepted < seen + 200:
                accepted = int(child.stdout.readline())
            stored = open_stored(directory)
            assert stored.running
            assert stored.problems == ()
            time_of = [stored.columns(key).time for key in stored.extents]
            batches = np.unique(np.concatenate(time_of))
            assert sum(map(len, time_of)) == 10 * len(batches)
            assert np.array_equal(batches, np.arange(len(batches)))
            assert len(batches) > accepted
            seen = len(batches)
        # The parts come behind the journals, on a busy machine by much.
        until(lambda: any("-" in p.stem[5:] for p in directory.rglob("part-*")), 60)
    finally:
        child.kill()
        child.communicate()


def test_labels_that_cannot_be_written_now_are_written_later(bench):
    series = bench.series("gpu:0")
    bench.numbers(series, [START_US], [1.0])
    # Parts and the description of the writer are made under hidden names; these are taken.
    blocker = bench.writer.folder / f".writer.json.{os.getpid()}"
    blocker.mkdir()
    bench.writer.describe({"h0": {"gpu:0": {"name": "Fake"}}})
    bench.settle()
    assert "writer.json" in bench.writer.problem
    blocker.rmdir()
    bench.minute()
    assert bench.writer.problem == ""
    assert open_stored(bench.directory).catalog.entities["h0"]["gpu:0"] == {"name": "Fake"}


def test_a_writer_that_cannot_start_leaves_nothing_behind(tmp_path):
    directory = tmp_path / "run.pulse"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    held = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limit[1]))  # the run fits, the writer does not
    try:
        for _ in range(3):
            with pytest.raises(StorageError):
                Writer(directory, Registry(), host_name="h", start_us=1, reserve=Reserve(0, 0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert len(list(Path("/proc/self/fd").iterdir())) == held
    assert not directory.exists()


SHORT = """
import logging, resource, sys
from pathlib import Path
import numpy as np
from pulse_widgets.library.recording import Recording
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import recorder
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.writer import Writer

logging.disable()
recorder.AGAIN_S = 0.0
now, registry, log = [0.0], Registry(), Log()
series = registry.add("h0", "user", "loss")
flusher = recorder.Recorder(log, "h0", labelled=lambda: 0, labels=dict)
flusher.make_writer = lambda: Writer(
    Path(sys.argv[1]), registry, host_name="h", start_us=1, reserve=Reserve(0, 0.0), now=lambda: now[0]
)
random, accepted, refused = np.random.default_rng(0), 0, 0

def log_rows(count):
    global accepted
    places = np.arange(accepted, accepted + count)
    # Noise, which does not become smaller.
    steps = random.integers(0, 1 << 50, count)
    log.append(Rows.of(np.full(count, series), 1_000_000 + places, places.astype(float), steps))
    accepted += count

def room(nbytes):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + nbytes, resource.RLIM_INFINITY))

for start in (0, 1000):
    for _ in range(start and 3):
        log_rows(start)
        flusher.take()
    log_rows(90_000)
    for quarter in range(100):
        room(quarter << 18)
        flusher.take()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        if not flusher._cursor.peek():
            break
        refused += 1
    for _ in range(3):
        now[0] += 61.0
        log_rows(1000)
        flusher.take()
        assert flusher.problem is None, flusher.problem
flusher.close()
_, values = Recording.open(sys.argv[1]).values()
print(refused, flusher.dropped, accepted, np.array_equal(values, np.arange(accepted)))
"""


def test_memory_that_is_short_for_a_while_costs_no_row(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", SHORT, str(tmp_path / "run.pulse")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    refused, dropped, accepted, whole = run.stdout.split()
    assert int(refused) > 2
    assert (int(dropped), whole) == (0, "True")
    assert int(accepted) > 180_000


def test_a_part_for_which_no_thread_can_be_had_is_made_later(tmp_path, monkeypatch):
    bench = Bench(tmp_path / "run.pulse")
    start, short = threading.Thread.start, [True]

    def starts(thread):
        if short:
            short.clear()
            raise RuntimeError("can't start new thread")
        start(thread)

    bench.numbers(bench.series(), range(100), range(100))
    monkeypatch.setattr(threading.Thread, "start", starts)
    bench.minute()
    assert "can't start new thread" in bench.writer.problem

    bench.minute()

    assert bench.writer.problem == ""
    assert [path.name for path in bench.writer.folder.glob("*.parquet")] == ["part-000000.parquet"]


def _complain(code, words, after=lambda *_: None):
    def fails(*arguments, **_):
        after(*arguments)
        raise OSError(code, words)

    return fails


def test_a_disk_that_goes_read_only_at_the_first_batch_holds_nothing_up_later(
    tmp_path, monkeypatch
):
    bench = Bench(tmp_path / "run.pulse")
    series = bench.series()
    with monkeypatch.context() as broken:
        broken.setattr(journal, "write_whole", _complain(errno.EIO, "I/O error"))
        broken.setattr(Path, "unlink", _complain(errno.EROFS, "Read-only file system"))
        with pytest.raises(StorageError, match="I/O error"):
            bench.writer.append(Rows.of([series], [START_US], [0.0]))

    bench.numbers(series, [START_US + 1], [1.0])

    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


@pytest.mark.parametrize("torn", [False, True], ids=["at-the-minute", "in-a-batch"])
def test_a_disk_that_complains_when_a_file_is_closed_loses_no_row(tmp_path, monkeypatch, torn):
    bench = Bench(tmp_path / "run.pulse")
    series = bench.series()
    bench.numbers(series, [START_US], [0.0])
    with monkeypatch.context() as broken:
        broken.setattr(journal.os, "close", _complain(errno.EDQUOT, "Quota exceeded", os.close))
        if torn:
            broken.setattr(journal, "write_whole", _complain(errno.EIO, "I/O error"))
            with pytest.raises(StorageError):
                bench.writer.append(Rows.of([series], [START_US], [9.0]))
        else:
            bench.now += 61.0
            bench.writer.beat()
    # It gets the number of the file that was closed.
    with (tmp_path / "another").open("wb", buffering=0) as another:
        bench.numbers(series, [START_US + 1], [1.0])
        bench.minute()

        assert os.fstat(another.fileno()).st_size == 0
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)

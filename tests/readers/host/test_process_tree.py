from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.readers.host.omissions import Omissions
from pulse_widgets.readers.host.proc_files import ProcFiles
from pulse_widgets.readers.host.process_tree import ProcessTree, Rising

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")

BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint('burnt', flush=True)\ninput()"


@pytest.fixture
def child():
    with subprocess.Popen(
        [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "burnt\n"
        yield process
        process.kill()


def test_a_running_child_counts_with_its_parent(child):
    alone = psutil.Process()
    tree = ProcessTree(ProcFiles("/proc"), os.getpid(), Omissions())

    usage = tree.usage(thorough=False)

    assert usage.children >= 1
    assert usage.cpu_s >= sum(alone.cpu_times()[:2]) + 0.3 - 0.05
    assert usage.rss_bytes > alone.memory_info().rss
    assert usage.threads >= alone.num_threads() + 1


def test_the_time_of_a_child_stays_when_it_has_ended(child):
    tree = ProcessTree(ProcFiles("/proc"), os.getpid(), Omissions())
    before = tree.usage(thorough=False)

    child.communicate("\n")
    after = tree.usage(thorough=False)

    assert after.children == before.children - 1
    assert before.cpu_s <= after.cpu_s < before.cpu_s + 0.3


def test_a_thorough_look_finds_the_child_of_another_thread():
    script = (
        "import subprocess, sys, threading, time\n"
        "def run():\n"
        "    p = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "    print('up', flush=True)\n"
        "    p.wait()\n"
        "threading.Thread(target=run, daemon=True).start()\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        parent.stdout.readline()
        tree = ProcessTree(ProcFiles("/proc"), parent.pid, Omissions())

        cursory = tree.usage(thorough=False).children
        thorough = tree.usage(thorough=True).children
        afterwards = tree.usage(thorough=False).children

        parent.communicate("\n")
    assert (cursory, thorough, afterwards) == (0, 1, 1)


def test_traffic_to_disk_is_counted(tmp_path):
    tree = ProcessTree(ProcFiles("/proc"), os.getpid(), Omissions())
    tree.usage(thorough=False)
    before = tree.io()

    with (tmp_path / "block").open("wb") as file:
        file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())

    assert tree.io().write_bytes >= before.write_bytes + (1 << 20)


def test_open_files_are_counted(tmp_path):
    tree = ProcessTree(ProcFiles("/proc"), os.getpid(), Omissions())
    tree.usage(thorough=False)
    before = tree.files()

    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        assert tree.files() == before + 2


def test_a_process_that_does_not_exist_has_no_sums_and_a_reason():
    omissions = Omissions()
    tree = ProcessTree(ProcFiles("/proc"), 2**22 + 1, omissions)

    usage = omissions.asked("tree", lambda: tree.usage(thorough=True))

    assert usage == (None,) * 5
    assert {what.split()[1] for what in omissions.reasons} == {
        "process.cpu.total", "process.memory.rss", "process.memory.virtual", "process.threads",
        "process.children",
    }  # fmt: skip
    with pytest.raises(OSError, match="/io"):
        tree.io()


def test_a_captured_tree_is_summed_from_its_files(tmp_path):
    _capture(tmp_path, 10, ticks=(100, 50, 7, 3), threads=3, pages=5, children=[11])
    _capture(tmp_path, 11, ticks=(20, 0, 0, 0), threads=1, pages=2, children=[])

    usage = ProcessTree(ProcFiles(str(tmp_path)), 10, Omissions()).usage(thorough=False)

    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    assert usage == (pytest.approx(180 / ticks), 7 * page, 2000, 4, 1)


def test_the_traffic_of_a_child_nobody_waited_for_stays_counted(tmp_path):
    _capture(tmp_path, 10, ticks=(1, 0, 0, 0), io=(100, 10), children=[11])
    _capture(tmp_path, 11, ticks=(1, 0, 0, 0), io=(1000, 0), children=[])
    tree = ProcessTree(ProcFiles(str(tmp_path)), 10, Omissions())
    tree.usage(thorough=False)
    before = tree.io()

    (tmp_path / "11" / "io").unlink()
    tree.usage(thorough=False)
    ended = tree.io()
    _capture(tmp_path, 10, ticks=(1, 0, 1, 0), io=(1100, 10), children=[])
    (tmp_path / "11" / "stat").unlink()
    tree.usage(thorough=False)
    waited_for = tree.io()

    assert before == ended == waited_for == (1100, 10)


def _capture(root, pid, *, ticks, children, threads=1, pages=1, io=(0, 0)):
    folder = root / str(pid) / "task" / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "children").write_text(" ".join(map(str, children)))
    words = ["S", *["0"] * 10, *ticks, "0", "0", threads, "0", "777", "1000", pages, "0", "0"]
    (root / str(pid) / "stat").write_text(f"{pid} (omissions) name) {' '.join(map(str, words))}\n")
    (root / str(pid) / "io").write_text(f"rchar: 1\nread_bytes: {io[0]}\nwrite_bytes: {io[1]}\n")


@given(st.lists(st.integers(0, 10**6)))
def test_a_risen_counter_never_falls(sums):
    rising = Rising()

    taken = [value for value in map(rising.take, sums) if value is not None]

    assert taken == sorted(taken)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_a_sum_that_only_grows_is_its_own_counter(steps):
    rising = Rising()
    sums = [sum(steps[: k + 1]) for k in range(len(steps))]

    assert [rising.take(value) for value in sums] == sums


def test_a_moment_in_which_a_part_is_seen_nowhere_is_missing():
    rising = Rising()

    assert [rising.take(s) for s in (100, 40, 105)] == [100, None, 105]


def test_a_part_that_is_lost_for_good_stays_counted():
    rising = Rising()

    assert [rising.take(s) for s in (100, 40, 41, 42, 50)] == [100, None, None, 100, 108]


def test_a_fall_within_rounding_stands_still():
    rising = Rising(0.05)

    assert [rising.take(s) for s in (1.0, 0.99, 1.01)] == [1.0, 1.0, 1.01]

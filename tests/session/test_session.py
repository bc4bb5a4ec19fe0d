"""The session of a process, through the public functions, in processes of their own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import pulse_widgets as pw

HEAD = (
    "import pulse_widgets as pw, pulse_widgets.default_session as home, time, os, sys, threading\n"
)


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh interpreter; return its output and the place of its recordings."""
    home = tmp_path / "home"

    def run(code, *, check=True, timeout=60, **environ):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", HEAD + code],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "PULSE_HOME": str(home), **environ},
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    run.home = home
    return run


def the_recording(home):
    found = sorted(path for path in home.rglob("*") if path.name.endswith(".pulse.parquet"))
    found += sorted(path for path in home.rglob("*.pulse") if path.is_dir())
    assert found
    return pw.Recording.open(found[0])


def test_what_was_logged_is_in_the_recording_after_stop(python):
    python(
        "for i in range(1000): pw.log({'loss': i / 4}, step=i)\n"
        "rec = pw.stop()\n"
        "t, v = rec.select('loss').values()\n"
        "assert v.tolist() == [i / 4 for i in range(1000)]\n"
    )

    frame = the_recording(python.home).select("loss").to_pandas()
    assert frame["step"].tolist() == list(range(1000))


def test_a_session_of_user_metrics_reads_no_source(python):
    out = python(
        "pw.log({'a': 1}); time.sleep(0.4)\n"
        "print(sorted(t.name for t in threading.enumerate()))\n"
        "print(sorted(set(pw.stop().series['entity'])))"
    ).stdout

    threads, entities = out.splitlines()
    assert "pulse-flusher" in threads
    assert "pulse-system" not in threads
    assert "user" in entities
    assert "cpu:0" not in entities


def test_interpreter_exit_without_stop_loses_nothing(python):
    python("for i in range(500): pw.log({'a': float(i)}, step=i)")

    _, values = the_recording(python.home).select("a").values()
    assert values.tolist() == list(range(500))


def test_a_process_that_logs_one_value_and_ends_has_a_recording_of_it(python):
    done = python("pw.log({'a': 1.0})")

    assert done.stderr == ""
    assert the_recording(python.home).select("a").values()[1].tolist() == [1.0]


@pytest.mark.slow
def test_a_process_that_ends_right_after_a_stop_ends_cleanly(python):
    # A thread of Arrow's pool that lets go of Python's memory at exit aborts the process;
    # it did so in one exit out of six.
    for _ in range(15):
        done = python(
            "for i in range(3000): pw.log({'a': float(i)}, step=i)\ntime.sleep(0.3)\npw.stop()"
        )
        assert done.stderr == ""


def test_recording_does_not_load_pandas(python):
    out = python("pw.log({'a': float('nan')}); time.sleep(0.5); print('pandas' in sys.modules)")

    assert out.stdout.strip() == "False"


@pytest.mark.parametrize("trial", range(2))
def test_a_kill_costs_at_most_what_was_accepted_in_the_last_fifth_of_a_second(python, trial):
    kill_and_count(python, pause_s=0.001, lines=900 + 137 * trial)


@pytest.mark.slow
@pytest.mark.parametrize("pause_s", [0.1, 0.001])
def test_ten_kills_at_random_moments_cost_no_more_and_leave_readable_files(python, pause_s):
    random = np.random.default_rng(7)
    for _ in range(10):
        kill_and_count(python, pause_s=pause_s, lines=int(random.uniform(0.6, 1.6) / pause_s))


def kill_and_count(python, pause_s, lines):
    """Kill a process that logs, and compare what it had accepted with what was recorded."""
    shutil.rmtree(python.home, ignore_errors=True)
    code = HEAD + (
        "i = 0\n"
        "while True:\n"
        "    pw.log({'a': float(i)}, step=i); print(i, time.time(), flush=True); i += 1\n"
        f"    time.sleep({pause_s})\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PULSE_HOME": str(python.home)},
    )
    accepted = [process.stdout.readline().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    died = time.time()
    accepted += [line.split() for line in process.stdout.read().splitlines() if " " in line]
    process.wait()

    _, values = the_recording(python.home).select("a").values()

    owed = [int(n) for n, at in accepted if float(at) < died - 0.2]
    assert set(owed) <= set(values.astype(int).tolist())
    assert values.tolist() == sorted(values.tolist())


def test_a_forked_child_has_no_thread_no_lock_and_says_that_it_records_nothing(python):
    done = python(
        "import warnings; warnings.simplefilter('always')\n"
        "pw.log({'a': 1.0}); time.sleep(0.3)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    pw.log({'a': 2.0}); pw.log({'a': 3.0})\n"
        "    print('child', threading.active_count(), home.default.lost, flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "rec = pw.stop()\n"
        "print('parent', rec.select('a').values()[1].tolist())\n",
    )

    assert done.stdout.splitlines() == ["child 1 2", "parent [1.0]"]
    assert done.stderr.count("forked child") == 1
    assert re.search(r"<string>:\d+: RuntimeWarning", done.stderr)


def test_a_fork_does_not_keep_the_recording_locked_after_its_parent_died(python, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(python.home))
    code = HEAD + (
        "pw.log({'a': 1.0}); time.sleep(0.4)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    time.sleep(20); os._exit(0)\n"
        "print(pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PULSE_HOME": str(python.home)},
    )
    child = int(process.stdout.readline())
    process.wait()
    try:
        recording = the_recording(python.home)
        assert pw.recordings()["state"].tolist() == ["unfinished"]
        assert recording.select("a").values()[1].tolist() == [1.0]
    finally:
        os.kill(child, signal.SIGKILL)


def test_stopping_twice_returns_the_same_recording_and_leaves_no_thread(python):
    out = python(
        "pw.log({'a': 1.0})\n"
        "first, second = pw.stop(), pw.stop()\n"
        "print(first is second)\n"
        "time.sleep(1.0)\n"
        "print([t.name for t in threading.enumerate() if t.name.startswith('pulse')])"
    ).stdout

    assert out.split("\n")[:2] == ["True", "[]"]


def test_logging_after_a_stop_starts_one_new_session_and_says_so(python):
    done = python(
        "import warnings; warnings.simplefilter('always')\n"
        "pw.log({'a': 1.0}); first = pw.stop()\n"
        "pw.log({'a': 2.0}); pw.log({'a': 3.0}); second = pw.stop()\n"
        "print(second.select('a').values()[1].tolist(), first is second)"
    )

    assert done.stdout.strip() == "[2.0, 3.0] False"
    assert done.stderr.count("new session") == 1


REFUSED = [
    ("pw.monitor(interval=0.01)", "interval=0.01 is out of range"),
    ("pw.monitor(interval='fast')", "is not a number"),
    ("pw.monitor('nvlm')", "Did you mean 'nvml'"),
    ("pw.monitor(record='/proc/no/such/place')", "/proc/no/such/place"),
    ("pw.monitor(record=3)", "record=3"),
    ("pw.monitor(record='/dev/null/x')", "/dev/null/x"),
    ("pw.monitor(title=3)", "title=3"),
    ("pw.replay(3)", "path=3 is not a path"),
    ("pw.replay('')", "path='' is not a path"),
    ("pw.monitor(3)", "There is no source 3"),
    ("pw.monitor(None)", "There is no source None"),
    ("pw.snapshot(5)", "There is no source 5"),
    ("pw.monitor(gpus='x')", "gpus='x'"),
    ("pw.monitor('system').view('foo')", "There is no layout 'foo'"),
    ("pw.monitor('system').view('charts', metrics=[5])", "metrics=[5]"),
    ("m = pw.monitor('system'); m.stop(); m.mark('late')", "mark() came after the end"),
    ("m = pw.monitor('system'); m.stop(); m.burst()", "burst() came after the end"),
    ("pw.replay('/etc/passwd')", "/etc/passwd"),
    ("pw.replay('/no/such/file')", "/no/such/file"),
]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What each of those calls raised, one after the other, and what else was said."""
    code = (
        "import json\n"
        "told = {}\n"
        f"for call in {[call for call, _ in REFUSED]!r}:\n"
        "    try: exec(call)\n"
        "    except pw.PulseError as error: told[call] = [str(error), error.remedy]\n"
        "    pw.stop()\n"
        "print(json.dumps(told))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HEAD + code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PULSE_HOME": str(tmp_path_factory.mktemp("home"))},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(("call", "words"), REFUSED)
@pytest.mark.slow
def test_what_cannot_work_is_refused_with_a_remedy(refusals, call, words):
    told, besides = refusals
    message, remedy = told[call]

    assert words in message
    assert remedy.strip()
    # Nothing is said about objects that were never made.
    assert "ignored" not in besides


def test_a_joining_call_with_another_recording_is_refused(python):
    out = python(
        "pw.log({'a': 1.0})\n"
        "try:\n    pw.monitor(record=False)\n"
        "except pw.PulseError as e:\n    print(type(e).__name__, e.remedy)\n"
        "pw.stop()"
    ).stdout

    assert out.startswith("SessionRunningError")
    assert "pw.stop()" in out


def test_another_place_for_a_recording_that_pw_log_began_is_refused_in_plain_words(python):
    out = python(
        "pw.log({'loss': 1.0})\n"
        "try: pw.monitor(record='elsewhere')\n"
        "except pw.PulseError as error: print(error)\n"
        "pw.stop()"
    ).stdout

    assert out.startswith("A session that pw.log() has started records to ")
    assert "this call wants one that records to elsewhere\nCall pw.stop() first" in out
    assert "PosixPath" not in out


def test_the_monitor_takes_its_first_reading_at_once_and_names_what_is_absent(python):
    out = python(
        "mon = pw.monitor(interval=0.5)\n"
        "time.sleep(1.2)\n"
        "state = home.default.session.state()\n"
        "rec = mon.stop()\n"
        "first = rec.select('memory.used', entity='host').values()[0][0]\n"
        "import json, numpy as np\n"
        "print(json.dumps([state['sources'], float((first - np.datetime64(int(state['t0'] * 1e6), 'us')) / np.timedelta64(1, 's'))]))",
        CUDA_VISIBLE_DEVICES="",
    ).stdout

    sources, delay = json.loads(out)
    states = {source["name"]: source for source in sources}
    assert states["system"]["state"] == "ok"
    assert states["nvml"]["state"] == "absent"
    assert states["nvml"]["problem"]
    assert states["nvml"]["remedy"]
    assert 0 <= delay < 1.0


def test_two_monitors_share_one_session(python):
    out = python(
        "a = pw.monitor(); b = pw.monitor(); time.sleep(0.3)\n"
        "names = sorted(t.name for t in threading.enumerate() if t.name.startswith('pulse'))\n"
        "names = [name for name in names if name != 'pulse-load']\n"  # it comes and goes
        "print(a.feed is b.feed, names)\n"
        "a.close(); print(b.stop() is a._hub.stop())"
    ).stdout

    assert out.splitlines() == [
        "True ['pulse-feed', 'pulse-flusher', 'pulse-nvml', 'pulse-output', 'pulse-system']",
        "True",
    ]


SOURCES_OF_MY_OWN = """
import json, math
from pulse_widgets.readers.base import BackendCaps, BackendKind, RateClass, RawRecord

class Mine:
    caps, missing = BackendCaps(BackendKind.SYSTEM), {}
    def __init__(self, name): self.name, self.reads = name, 0
    def open(self): pass
    def close(self): pass
    def read(self, due):
        self.reads += 1
        return [RawRecord(time.monotonic(), time.time(), "host", {"memory.used": 1.0}, "mine")]

mine = [Mine(name) for name in "abcd"]
mon = pw.monitor(mine, interval=0.1)
while min(each.reads for each in mine) < 3:
    time.sleep(0.01)
"""


def test_sources_are_read_right_after_one_another_and_not_at_once(python):
    out = python(
        SOURCES_OF_MY_OWN
        + "samplers = mon._hub.sender._session.samplers\n"
        + "following = [samplers[name]._next[RateClass.GAUGES] for name in 'abcd']\n"
        + "mon.stop(); print(json.dumps([math.remainder(at, 0.1) for at in following]))"
    ).stdout

    assert json.loads(out) == pytest.approx([0.0, 0.0015, 0.003, 0.003], abs=1e-6)


@pytest.mark.slow
def test_what_is_read_ten_times_a_second_becomes_rows_two_readings_at_a_time(python):
    out = python(
        "from pulse_widgets.collectors.row_maker import RowMaker\n"
        "alike, sizes = RowMaker._alike, []\n"
        "def counted(self, passes): sizes.append(len(passes)); return alike(self, passes)\n"
        "RowMaker._alike = counted\n"
        "mon = pw.monitor('system', interval=0.1)\n"
        "while sum(sizes) < 24: time.sleep(0.01)\n"
        "mon.stop(); print(*sizes)"
    ).stdout

    sizes = [int(size) for size in out.split()]
    # The first are taken as they come; where the machine is busy one may be late, or three wait.
    assert sum(size >= 2 for size in sizes) >= 4


def test_a_mark_is_an_event_of_the_recording(python):
    out = python(
        "mon = pw.monitor('system')\n"
        "mon.mark('epoch <b>2</b>')\n"
        "rec = mon.stop()\n"
        "print(rec.events.to_json(date_format='iso', orient='records'))"
    ).stdout

    marks = [event for event in json.loads(out) if event["metric"] == "mark"]
    assert len(marks) == 1
    assert "epoch <b>2</b>" in json.dumps(marks[0])


@pytest.mark.slow
def test_a_recorded_rate_is_that_of_its_counter(python):
    out = python(
        "mon = pw.monitor('system', interval=0.1)\n"
        # Processes are read once a second at most.
        "end = time.time() + 4.0\n"
        "while time.time() < end: sum(range(1000))\n"
        "rec = mon.stop()\n"
        "print(rec.select('process.cpu', entity='kernel').values()[1][2:].tolist())"
    ).stdout

    rates = np.array(json.loads(out.replace("nan", "NaN")))
    assert 0.5 < np.nanmedian(rates) < 1.6


@pytest.mark.slow
def test_a_burst_reads_more_often_and_then_as_before(python):
    out = python(
        "mon = pw.monitor('system', interval=5)\n"
        "time.sleep(0.5)\n"
        "mon.burst(1.0, 0.1)\n"
        "time.sleep(2.5)\n"
        "rec = mon.stop()\n"
        "print(len(rec.select('memory.used', entity='host').values()[1]))"
    ).stdout

    # Ten, the first and the last, and as many as a busy machine is late; without an end, 25.
    assert 8 <= int(out) <= 17


def test_a_script_that_replays_ends_without_a_word(python):
    done = python(
        "pw.log({'a': 1.0}); rec = pw.stop()\n"
        "views = [pw.replay(rec.path), pw.replay(rec)]\n"
        "view = pw.replay(rec).view('charts', metrics='a*')\n"
        "print(view.metrics)\n"
    )

    assert done.stdout == "['a*']\n"
    assert done.stderr == ""


def test_a_recording_is_never_saved_over_itself(python):
    done = python(
        "for n in range(50): pw.log({'a': float(n), 'b': 1.0})\n"
        "rec = pw.stop()\n"
        "while not rec.path.is_file(): time.sleep(0.05)\n"
        "before = rec.path.read_bytes()\n"
        "for part in (rec, rec.select('a')):\n"
        "    try: part.save(rec.path)\n"
        "    except pw.PulseError as error: print(error.problem.endswith('the recording itself'))\n"
        "print(rec.path.read_bytes() == before)\n"
    )

    assert done.stdout.split() == ["True", "True", "True"]


def test_a_secret_in_a_mark_is_masked(python):
    token = "hf_" + "a1B2" * 9
    out = python(
        "mon = pw.monitor('system')\n"
        f"mon.mark('logged in with token={token}')\n"
        "print(mon.stop().events.query('metric == \"mark\"').message.tolist())"
    ).stdout

    assert token not in out
    assert "logged in with token=" in out

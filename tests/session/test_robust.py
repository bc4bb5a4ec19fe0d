"""A session goes on whatever single things fail in it, and doubles and loses no row."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import pulse_widgets as pw
from pulse_widgets.errors import ArgumentError, StorageError
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.wire import decode
from pulse_widgets.session.sender import LiveSender
from pulse_widgets.session.session import HOST, Session, Settings
from pulse_widgets.storage.recorder import BATCH_ROWS
from tests.transports import Listed
from tests.waiting import until


class FakeWriter:
    """Keeps what it is given; fails as it is told."""

    problem = ""
    bytes_written = 0

    def __init__(self):
        self.rows = []
        self.batches = 0
        self.beat_error = None
        self.append_error = None
        self.closed = False

    def append(self, rows):
        self.batches += 1
        if self.append_error is not None:
            raise self.append_error
        self.rows += rows.value[rows.series == 0].tolist()

    def beat(self):
        error, self.beat_error = self.beat_error, None
        if error is not None:
            raise error

    def describe(self, entities):
        pass

    def write_problems(self, problems):
        self.told = problems

    def close(self):
        self.closed = True


class Quiet:
    """A source without a reading."""

    caps = None
    missing = {}

    def __init__(self, name):
        self.name = name

    def open(self):
        pass

    def read(self, due):
        return []

    def close(self):
        pass


@pytest.fixture
def writer():
    return FakeWriter()


@pytest.fixture
def session(writer, tmp_path):
    made = Session(Settings(), registry=Registry(), clock=Clock())
    made.record(tmp_path, lambda: writer)
    made.registry.add(HOST, "user", "loss")
    made.start()
    yield made
    made.stop()
    made.leave()


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh interpreter."""

    def run(code):
        head = "import pulse_widgets as pw, pulse_widgets.default_session as home, time, threading, warnings\n"
        done = subprocess.run(
            [sys.executable, "-c", head + code],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PULSE_HOME": str(tmp_path / "home")},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


class Broken:
    """A value on a device whose error shows when it is read."""

    shape = ()

    def detach(self):
        return self

    def clone(self):
        return self

    def __float__(self):
        raise RuntimeError("the device is gone")


def test_rows_are_written_once_when_something_fails_after_them(session, writer):
    writer.beat_error = RuntimeError("can't start new thread")
    session.user.log({"loss": 1.0}, None)
    until(lambda: writer.rows and session.state()["recording"]["problem"])
    session.user.log({"loss": 2.0}, None)
    until(lambda: len(writer.rows) > 1)
    session.stop()

    assert writer.rows == [1.0, 2.0]
    assert session.state()["recording"]["problem"] is None


def test_a_recording_that_cannot_be_joined_does_not_end_what_is_shown(tmp_path):
    def refuses():
        raise pw.PulseError("a newer program wrote it", remedy="Upgrade.")

    session = Session(Settings(), registry=Registry(), clock=Clock())
    session.record(tmp_path, refuses)
    following = session.subscribe()
    session.start()
    until(lambda: session.state()["recording"]["problem"] == "a newer program wrote it")
    session.user.log({"loss": 1.0}, None)
    until(lambda: 1.0 in following.take()[0].value)
    session.stop()
    session.leave()


def test_a_value_that_cannot_be_read_is_missing_and_the_rest_of_its_call_is_not(session, writer):
    session.user.log({"loss": 1.0, "gpu/loss": Broken()}, None)
    session.user.log({"loss": 2.0, "gpu/loss": Broken()}, None)
    session.stop()

    assert writer.rows == [1.0, 2.0]
    (event,) = session.stage.events(10).moments
    assert (
        "'gpu/loss' could not be read: RuntimeError: the device is gone" in event.facts["message"]
    )


@pytest.mark.slow
def test_what_waited_for_the_disk_is_offered_in_batches_and_seldom(session, writer):
    until(lambda: writer.batches)
    writer.append_error = StorageError("full", remedy="Free some space.")
    writer.batches = 0
    for number in range(20):
        session.log.append(Rows.of([0] * 10_000, [number] * 10_000, [float(number)] * 10_000))
    until(lambda: writer.batches)
    time.sleep(0.5)
    tried = writer.batches
    writer.append_error = None
    until(lambda: len(writer.rows) >= 200_000)

    assert tried == 1
    assert writer.batches >= 1 + 200_000 // BATCH_ROWS
    assert writer.rows == [float(number) for number in range(20) for _ in range(10_000)]


def test_many_new_keys_of_the_user_do_not_end_the_session(session):
    with pytest.warns(RuntimeWarning, match="'key10000'"):
        session.user.log({f"key{number}": 1 for number in range(10_001)}, None)

    assert session.user.left_out == 1
    assert session.dropped() >= 1

    session.registry.add(HOST, "pulse/system", "pulse.tick.duration")


@pytest.mark.parametrize("key", ["a\udcff", "", 3, "x" * 513])
def test_a_key_that_cannot_be_written_is_the_callers_error(session, key):
    with pytest.raises(ArgumentError):
        session.user.log({key: 1.0}, None)
    with pytest.raises(ArgumentError):
        session.user.log({"a": {key: 1.0}}, None)


@pytest.mark.parametrize("data", [3.0, None, ["loss"], "loss"])
def test_what_is_no_mapping_is_the_callers_error(session, data):
    with pytest.raises(ArgumentError, match=r"pw\.log takes a mapping"):
        session.user.log(data, None)


@pytest.mark.parametrize("when", [float("nan"), float("inf"), 1e15, -1, "now", time.time() * 1e3])
def test_a_time_that_is_none_is_the_callers_error(when):
    with pytest.raises(ArgumentError, match="is not a Unix time"):
        pw.log({"loss": 1.0}, time=when)


def test_values_logged_while_the_session_stops_go_to_one_session_or_the_next(python):
    out = python(
        "warnings.simplefilter('ignore')\n"
        "pw.log({'x': 0})\n"
        "first = home.default.session\n"
        "now_us = first.clock.now_us\n"
        "def late():\n"
        "    first.clock.now_us = now_us\n"
        "    pw.stop()\n"
        "    return now_us()\n"
        "first.clock.now_us = late\n"
        "pw.log({'x': 1})\n"
        "rec = pw.stop()\n"
        "print(rec.select('x').values()[1].tolist(), len(first.user._queue))\n"
    )
    assert out == "[1.0] 0\n"


@pytest.mark.slow
def test_a_stop_that_was_interrupted_is_completed_by_the_next(python):
    out = python(
        "mon = pw.monitor(sources='system'); time.sleep(0.5)\n"
        "cells = home.default.session.cells\n"
        "stop = cells.stop\n"
        "def interrupted():\n"
        "    cells.stop = stop\n"
        "    raise KeyboardInterrupt\n"
        "cells.stop = interrupted\n"
        "try: pw.stop()\n"
        "except KeyboardInterrupt: pass\n"
        "rec = pw.stop()\n"
        "print(len(rec.series) > 10, rec is pw.stop())\n"
        "time.sleep(1)\n"
        "print([t.name for t in threading.enumerate()])\n"
    )
    assert out == "True True\n['MainThread']\n"


def test_a_monitor_that_was_refused_leaves_no_session(python):
    out = python(
        "try: pw.monitor(gpus=3.5)\n"
        "except pw.PulseError: print(home.default.session)\n"
        "pw.monitor(gpus='none')\n"
    )
    assert out == "None\n"


def test_a_monitor_whose_scripts_are_missing_leaves_no_session_running(python):
    out = python(
        "import pathlib, pulse_widgets.widgets.feed as feed\n"
        "whole, feed.files = feed.files, lambda package: pathlib.Path('/nowhere')\n"
        "try: pw.monitor('system')\n"
        "except pw.PulseError as error: print(error)\n"
        "print(home.default.session, [t.name for t in threading.enumerate()])\n"
        "feed.files = whole\n"
        "mon = pw.monitor('system')\n"
        "print(home.default.session.running, mon.stop() is not None)\n"
    )
    first, remedy, after, again = out.splitlines()
    assert "is not part of this installation" in first
    assert "Node" in remedy
    assert (after, again) == ("None ['MainThread']", "True True")


def test_a_monitor_decides_how_a_session_of_user_metrics_reads(python):
    out = python(
        "pw.log({'loss': 1})\n"
        "pw.monitor('system', interval=5, gpus='none')\n"
        "session = home.default.session\n"
        "print(session.interval_s, session.settings.gpus, session.samplers['system'].interval_s)\n"
    )
    assert out == "5.0 none 5.0\n"


def test_sources_of_one_name_are_refused(session):
    with pytest.raises(ArgumentError, match="Two sources are called 'mine'"):
        session.add_sources([Quiet("mine"), Quiet("mine")])
    session.stop()
    assert not [t for t in threading.enumerate() if t.name == "pulse-mine"]


def test_a_mark_that_is_no_number_of_json_does_not_end_the_feed(session):
    following = session.subscribe()
    session.mark(float("nan"))
    assert following.arrived.wait(5)
    until(lambda: any(one.facts.get("label") == "nan" for one in session.stage.events(10).moments))


def test_a_program_without_ipython_does_not_load_it(python):
    out = python("import sys\npw.log({'loss': 1})\nprint('IPython' in sys.modules)\n")
    assert out == "False\n"


def test_a_pass_of_the_feed_that_fails_does_not_end_it(session, monkeypatch, caplog):
    monkeypatch.setattr("pulse_widgets.session.sender.AGAIN_S", 0.01)
    sender = LiveSender(session)
    sender.stream.attach(Listed())
    state, failing = sender.provider.state, [True]

    def fails():
        if failing:
            raise ValueError("not JSON")
        return state()

    monkeypatch.setattr(sender.provider, "state", fails)
    sender.start()
    until(lambda: sender.stream.failures > 1)
    failing.clear()
    until(lambda: sender.stream.sent_bytes)
    session.stop()

    assert sender.ended.wait(5)
    assert [record.message for record in caplog.records] == ["a pass of the feed failed"]


def test_two_processes_that_start_at_once_record_to_places_of_their_own(python):
    out = python(
        "from pulse_widgets.library import destination\n"
        "free, taken = destination._free, []\n"
        "def faster(home, name):\n"
        "    found = free(home, name)\n"
        "    if not taken: taken.append(found); found.mkdir()\n"
        "    return found\n"
        "destination._free = faster\n"
        "pw.log({'loss': 1}); rec = pw.stop()\n"
        "print(rec.path == taken[0], rec.path.parent == taken[0].parent)\n"
    )
    assert out == "False True\n"


def test_a_session_that_is_over_keeps_no_rows_once_another_runs(python):
    out = python(
        "warnings.simplefilter('ignore')\n"
        "pw.log({'loss': 1})\n"
        "first = home.default.session\n"
        "loss = first.registry.find('h0', 'user', 'loss')\n"
        "pw.stop()\n"
        "print(len(first.stage.rows([loss], 0, 2e9)))\n"
        "pw.log({'loss': 2})\n"
        "print(len(first.stage.rows([loss], 0, 2e9)), len(first.stage.screen().edges) > 1)\n"
    )
    assert out == "1\n0 True\n"


def test_cells_and_events_take_no_room_in_a_picture(session):
    for number in range(50):
        series = session.registry.add(HOST, f"kernel:{number}", "cell", unit="s", kind="span")
        session.log.append(Rows.of([series], [session.clock.now_us()], [1.0], text=["{}"]))
    session.user.log({"late": 1.0}, None)
    late = session.registry.find(HOST, "user", "late")
    until(lambda: late in session.stage.screen().ids)
    session.stop()

    names = {session.registry[int(number)].entity for number in session.stage.screen().ids}
    assert "user" in names
    assert not [name for name in names if name.startswith("kernel:")]


def test_a_flusher_with_nothing_to_do_rests_and_the_first_value_wakes_it(
    session, writer, monkeypatch
):
    monkeypatch.setattr("pulse_widgets.session.flusher.IDLE_S", 3600.0)
    session._flusher.interval_s = 3600.0
    session.mark("from now on")
    passes = []
    take = session._recorder.take
    monkeypatch.setattr(session._recorder, "take", lambda: (passes.append(1), take()))

    for number in range(3):
        until(lambda: not session._flusher._rung)
        session.user.log({"loss": float(number)}, None)
        until(lambda n=number: float(n) in writer.rows)
    session.mark("a moment")
    until(lambda: session.stage.events(1))

    # Each arrival is taken by one pass, and found to be the last by one more.
    assert len(passes) <= 2 * 4 + 2


def test_every_value_wakes_a_flusher_that_rests(session, writer, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.flusher.IDLE_S", 3600.0)
    session._flusher.interval_s = 3600.0
    session.mark("from now on")

    def log_some(first):
        for number in range(first, first + 200):
            session.user.log({"loss": float(number)}, None)
            time.sleep(0.001 * (number % 3))

    threads = [threading.Thread(target=log_some, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(writer.rows) == 600)


INTERRUPTED = """
import pathlib, signal, numpy as np
import pulse_widgets.collectors.user as user
armed = False
def interrupted(*_):
    # Once for each time that it is armed: what catches an interrupt is not to be interrupted.
    global armed
    if armed:
        armed = False
        raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupted)
"""


@pytest.mark.slow
def test_interrupts_of_a_cell_that_logs_without_rest_lose_nothing_accepted(python):
    out = python(
        INTERRUPTED + "user.QUEUE_VALUES = 2_000\n"
        "pw.log({'a': 0.0}, step=0)\n"
        "accepted, ends = 1, time.monotonic() + 4\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.05, 0.037)\n"
        "while time.monotonic() < ends:\n"
        "    try:\n"
        "        armed = True\n"
        "        while time.monotonic() < ends:\n"
        "            pw.log({'a': 1.0}, step=accepted)\n"
        "            accepted += 1\n"
        "        armed = False\n"
        "    except KeyboardInterrupt: pass\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "steps = pw.stop().to_pandas().query(\"metric == 'a'\")['step'].to_numpy(int)\n"
        "print(accepted > 10_000, len(np.setdiff1d(np.arange(accepted), steps)))\n"
        "print(home.default.session.state()['recording']['problem'])\n"
    )
    assert out == "True 0\nNone\n"


def test_an_interrupt_anywhere_in_a_stop_loses_nothing(python):
    out = python(
        INTERRUPTED + "lost = []\n"
        "for delay in np.linspace(0.001, 0.12, 12):\n"
        "    warnings.simplefilter('ignore')\n"
        "    for n in range(3000): pw.log({'a': 1.0}, step=n)\n"
        "    signal.setitimer(signal.ITIMER_REAL, delay)\n"
        "    try: armed = True; pw.stop(); time.sleep(0.2)\n"
        "    except KeyboardInterrupt: pass\n"
        "    rows = pw.stop().to_pandas().query(\"metric == 'a'\")\n"
        "    lost.append(3000 - len(rows))\n"
        "print(lost)\n"
    )
    assert out == f"{[0] * 12}\n"


def test_a_disk_that_hangs_at_the_end_is_named_and_takes_all_when_it_answers(session, writer):
    answers = threading.Event()
    append = writer.append

    def hangs(rows):
        answers.wait(20)
        append(rows)

    writer.append = hangs
    session.user.log({"loss": 0.0}, None)
    until(lambda: not session._flusher._rung)
    for number in range(1, 100):
        session.user.log({"loss": float(number)}, None)

    session.stop()
    said = session.state()["recording"]["problem"]
    answers.set()
    until(lambda: writer.closed)

    assert "has not taken the end" in said
    assert writer.rows == [float(n) for n in range(100)]
    assert session.state()["recording"]["problem"] is None


def test_an_old_view_stops_its_own_session_alone(python):
    out = python(
        "first = pw.monitor('system'); time.sleep(0.3); one = first.stop()\n"
        "second = pw.monitor('system'); time.sleep(0.3)\n"
        "again = first.stop()\n"
        "print(again is one, first.recording is one, home.default.session.running)\n"
        "print(second.stop().path != one.path)\n"
    )
    assert out == "True True True\nTrue\n"


def test_a_picture_that_cannot_be_drawn_does_not_bar_the_next_session(python):
    out = python(
        "mon = pw.monitor('system'); time.sleep(0.3)\n"
        "def broken(): raise RuntimeError('no picture')\n"
        "mon._hub.finish = broken\n"
        "try: mon.stop()\n"
        "except RuntimeError as error: print(error)\n"
        "print(mon.stop() is not None, pw.monitor('system').stop() is not None)\n"
    )
    assert out == "no picture\nTrue True\n"


def test_a_short_script_waits_until_what_writes_is_loaded(tmp_path, writer):
    loaded = threading.Event()

    def loads():
        loaded.wait(20)
        return writer

    session = Session(Settings(), registry=Registry(), clock=Clock())
    session.record(tmp_path, loads)
    session.registry.add(HOST, "user", "loss")
    session.start()
    session.user.log({"loss": 1.0}, None)

    stopping = threading.Thread(target=session.stop)
    stopping.start()
    stopping.join(1.5)
    still = stopping.is_alive()
    loaded.set()
    stopping.join(5)

    assert still
    assert writer.rows == [1.0]
    assert writer.closed


def test_rows_that_nobody_can_write_do_not_keep_the_others_from_the_disk(session, writer):
    append = writer.append

    def picky(rows):
        if 13.0 in rows.value:
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")
        append(rows)

    writer.append = picky
    until(lambda: session._recorder.settled)
    with session.log._lock:
        for value in (1.0, 13.0, 2.0):
            session._take_in(Rows.of([0], [session.clock.now_us()], [value]))
    until(lambda: writer.rows == [1.0, 2.0])
    session.user.log({"loss": 3.0}, None)
    until(lambda: writer.rows == [1.0, 2.0, 3.0])

    assert session.dropped() == 1


def test_a_source_added_while_another_thread_stops_ends_by_itself(session):
    session.stop()
    session.add_sources([Quiet("late")])
    assert session.samplers["late"].join(5)


def test_an_interrupt_at_the_end_of_a_call_does_not_end_the_session_later(python):
    out = python(
        "import os, sys; sys.path.insert(0, os.getcwd())\n"
        "from tests.session.test_interrupts import interrupted_everywhere\n"
        "pw.log({'a': 1.0})\n"
        "first, kept = home.default.session, []\n"
        "def join():\n"
        "    try: home.default.for_log()\n"
        "    except KeyboardInterrupt as error: kept.append(error); raise\n"
        "interrupted_everywhere(join)\n"
        "kept.clear()\n"
        "print(home.default.session is first, first.running)\n"
    )
    assert out == "True True\n"


def test_a_view_in_a_forked_child_stops_nothing_of_its_parent(python):
    out = python(
        "import os\n"
        "mon = pw.monitor('system'); time.sleep(0.3)\n"
        "child = os.fork()\n"
        "if not child: os._exit(0 if mon.stop() is None else 1)\n"
        "print(os.waitpid(child, 0)[1], mon.stop() is not None)\n"
    )
    assert out == "0 True\n"


class Tensor:
    """A scalar of a device that answers when it is told to."""

    shape = ()

    def __init__(self, answers, value):
        self.answers, self.value = answers, value

    def detach(self):
        return self

    clone = detach

    def __float__(self):
        self.answers.wait(20)
        return self.value


def test_a_device_that_does_not_answer_holds_up_its_own_values_alone(session, writer):
    answers = threading.Event()
    session.user.log({"loss": Tensor(answers, 1.0)}, None)
    session.user.log({"loss": 2.0}, None)
    until(lambda: writer.rows == [2.0])
    until(lambda: len(session.stage.rows([0], 0, 4e9)) == 1)

    answers.set()
    until(lambda: writer.rows == [2.0, 1.0])
    session.stop()
    session.user._devices._thread.join(5)
    assert not session.user._devices._thread.is_alive()


def test_values_of_a_device_that_is_slow_are_waited_for_at_the_end(session, writer):
    class Slow(Tensor):
        def __float__(self):
            time.sleep(0.05)
            return self.value

    for number in range(20):
        session.user.log({"loss": Slow(None, float(number))}, None)
    session.stop()

    assert writer.rows == [float(number) for number in range(20)]
    assert session.state()["recording"]["problem"] is None


def test_values_that_a_device_never_gave_are_told_of_at_the_end(session, writer):
    answers = threading.Event()
    session.user.log({"loss": 1.0}, None)
    session.user.log({"loss": Tensor(answers, 2.0)}, None)
    session.stop()
    told = [one.facts for one in session.stage.events(10).moments]
    said = [facts["message"] for facts in told if "message" in facts]
    answers.set()

    assert writer.rows == [1.0]
    assert said == ["1 of your last calls were not recorded: their device did not answer"]


class Page(Listed):
    """What a page would hear of one logged number."""

    def __init__(self, session):
        super().__init__()
        self.session = session
        self.sender = LiveSender(session)
        self.packets = self.delivered
        self.sender.stream.attach(self)
        self.series = session.registry.add(HOST, "user", "counter")

    def show(self, value):
        self.session.stage.show(Rows.of([self.series], [time.time_ns() // 1000], [value]))

    def headers(self, kind):
        headers = [decode(packet).header for packet in list(self.packets)]
        return [header for header in headers if header["kind"] == kind]

    def values(self):
        return [value for packet in map(decode, list(self.packets)) for value in self._in(packet)]

    def _in(self, packet):
        if packet.header["kind"] != "frame":
            return []
        return self._values(packet)

    def _values(self, packet):
        n = packet.header["n"]
        values = np.frombuffer(packet.body, "<f8", n, 8 * n)
        ids = np.frombuffer(packet.body, "<i4", n, 8 * n * (3 if packet.header["steps"] else 2))
        return values[ids == self.series].tolist()

    def knows_of_a_hole(self):
        seqs = [header["seq"] for header in self.headers("frame")]
        return seqs != list(range(seqs[0], seqs[0] + len(seqs)))


def test_rows_that_a_failed_pass_had_taken_are_known_to_be_missed(session, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.sender.AGAIN_S", 0.01)
    page = Page(session)
    labelled, failing = session.labelled, []

    def fails_once():
        if failing:
            failing.clear()
            raise RuntimeError("dictionary changed size during iteration")
        return labelled()

    monkeypatch.setattr(session, "labelled", fails_once)
    page.sender.start()
    page.show(1.0)
    until(lambda: 1.0 in page.values())
    failing.append(True)
    page.show(2.0)
    until(lambda: page.sender.stream.failures)
    page.show(3.0)
    until(lambda: 3.0 in page.values())
    session.stop()
    assert page.sender.ended.wait(5)

    assert 2.0 not in page.values()
    assert page.knows_of_a_hole()
    assert page.headers("keyframe")[-1]["hi"][-1] == 3.0


def test_a_page_that_asked_gets_its_keyframe_though_the_last_pass_fails(session, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.sender.AGAIN_S", 0.01)
    page = Page(session)

    def fails(_follower):
        raise MemoryError

    monkeypatch.setattr(session.stage, "screen_after", fails)
    session.stage.finished = True
    page.sender.stream.answer({"kind": "hello"})
    page.sender.start()
    assert page.sender.ended.wait(5)
    until(lambda: page.headers("keyframe"))
    session.stage.finished = False


def test_a_page_that_asks_early_is_told_every_row_of_what_it_missed(session):
    page = Page(session)
    page.sender.start()
    for value in range(100):
        page.show(value)
    page.sender.stream.answer({"kind": "hello"})
    until(lambda: page.headers("rows"))

    kinds = [decode(packet).header["kind"] for packet in page.packets]
    unasked = decode(page.packets[kinds.index("rows")])
    # The envelopes first, which it may not replace with anything.
    assert kinds[kinds.index("rows") - 1] == "keyframe"
    assert unasked.header["request"] == 0
    assert unasked.header["reduced"] == []
    assert page._values(unasked) == list(range(100))
    times = session.stage.rows([page.series], 0, 4e9).time
    assert unasked.header["t0"] <= times.min() / 1e6 <= times.max() / 1e6 <= unasked.header["t1"]


def test_a_page_that_cannot_ask_is_told_every_row_while_the_session_is_young_and_at_the_end(
    session, monkeypatch
):
    monkeypatch.setattr("pulse_widgets.session.sender.FIRST_S", 0.01)
    monkeypatch.setattr("pulse_widgets.session.sender.KEYFRAME_S", 0.2)
    monkeypatch.setattr("pulse_widgets.session.sender.KEYFRAME_SHARE", 1.0)
    page = Page(session)
    page.sender.start()
    until(lambda: page.show(0) or page.headers("rows"))
    until(lambda: page.show(0) or len(page.headers("keyframe")) >= len(page.headers("rows")) + 2)
    page.show(1)
    session.stop()
    assert page.sender.ended.wait(5)

    kinds = [decode(packet).header["kind"] for packet in page.packets]
    after = [
        kinds[i : i + 2] == ["keyframe", "rows"] for i, k in enumerate(kinds) if k == "keyframe"
    ]
    # Soon, and soon again; then, of a session that is no longer young, at the end alone.
    assert after[0]
    assert not any(after[-3:-1])
    assert after[-1]
    told = page._values(decode(page.packets[-1]))
    assert told == session.stage.rows([page.series], 0, 4e9).value.tolist()
    assert told[-1] == 1


def test_a_page_that_asks_late_is_told_of_the_past_in_envelopes_alone(session):
    page = Page(session)
    page.sender.start()
    many = np.arange(4001)
    session.stage.show(
        Rows.of([page.series] * len(many), time.time_ns() // 1000 + many, many.astype(float))
    )
    page.sender.stream.answer({"kind": "hello"})
    until(lambda: page.headers("keyframe"))
    session.stop()
    assert page.sender.ended.wait(5)

    assert page.headers("keyframe")[0]["hi"][-1] == 4000.0
    assert page.headers("rows") == []


def test_what_came_in_a_silence_before_the_end_is_known_to_be_missed(session):
    page = Page(session)
    page.sender.start()
    page.show(1.0)
    until(lambda: 1.0 in page.values())
    page.sender._heard = -1e9
    page.show(2.0)
    until(lambda: page.sender._skipped)
    session.stop()
    assert page.sender.ended.wait(5)

    assert 2.0 not in page.values()
    assert page.knows_of_a_hole()


def test_a_keyframe_holds_the_rows_of_the_frames_before_it_and_no_other(session):
    page = Page(session)
    page.sender.start()
    for count in range(40):
        for value in range(count * 10, count * 10 + 10):
            page.show(value)
        page.sender.stream.answer({"kind": "hello"})
        until(lambda count=count: len(page.headers("keyframe")) > count)
    session.stop()
    assert page.sender.ended.wait(5)

    newest, compared = -1.0, 0
    for packet in map(decode, page.packets):
        newest = max([newest, *page._in(packet)])
        ids = packet.header["ids"] if packet.header["kind"] == "keyframe" else []
        if page.series in ids:
            compared += 1
            assert packet.header["hi"][ids.index(page.series)] == newest
    assert compared >= 40
    assert newest == 399

"""An interrupt of a cell leaves no lock behind that a thread of the session then waits for."""

import sys
import threading
import time

import pytest

import pulse_widgets as pw
import pulse_widgets.default_session as home
from pulse_widgets.readers.base import BackendCaps, BackendKind, RawRecord
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.session.session import HOST, Session, Settings


def interrupted_everywhere(call, *, prepare=lambda: None):
    """Call once for each place in it where Python may take an interrupt; return how many.

    That is where a function begins, and where one written in C has returned to the code that
    called it by name. A `with` of a lock made in C is no such place.
    """
    place = whole = 0
    # A call that waits takes now more steps, now fewer.
    while whole < 3:
        prepare()
        seen = 0

        def at_a_place(frame, event, _argument, place=place):
            nonlocal seen
            if event in {"c_return", "call"} and not starts_a_thread(frame):
                seen += 1
                if seen > place:
                    sys.setprofile(None)
                    raise KeyboardInterrupt

        sys.setprofile(at_a_place)
        try:
            call()
            whole += 1
        except KeyboardInterrupt:
            whole = 0
        finally:
            sys.setprofile(None)
        place += 1
    return place


def starts_a_thread(frame):
    """Whether Python itself is starting a thread, which it does with an event."""
    while frame is not None:
        if frame.f_code is threading.Thread.start.__code__:
            return True
        frame = frame.f_back
    return False


class Kept:
    """A writer that keeps what it is given."""

    problem = ""
    bytes_written = 0

    def __init__(self):
        self.values, self.others, self.other = [], [], -1

    def append(self, rows):
        self.values += rows.value[rows.series == 0].tolist()
        self.others += rows.value[rows.series == self.other].tolist()

    def beat(self):
        pass

    def describe(self, entities):
        pass

    def write_problems(self, problems):
        pass

    def close(self):
        pass


@pytest.fixture
def started(tmp_path):
    sessions = []

    def start():
        session = Session(Settings(), registry=Registry(), clock=Clock())
        session.kept = Kept()
        session.record(tmp_path, lambda: session.kept)
        session.registry.add(HOST, "user", "loss")
        session.start()
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.stop()


class Steady:
    """A source with one reading."""

    name = "steady"
    caps = BackendCaps(BackendKind.SYSTEM)
    missing = {}

    def __init__(self):
        self.closed = threading.Event()

    def open(self):
        pass

    def read(self, due):
        return [RawRecord(time.monotonic(), time.time(), "host", {"memory.used": 1.0}, "system")]

    def close(self):
        self.closed.set()


def threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pulse")]


def test_a_caller_interrupted_while_it_waits_for_the_flusher_stops_nobody(started, monkeypatch):
    monkeypatch.setattr("pulse_widgets.collectors.user.QUEUE_ITEMS", 1)
    session = started()
    step = iter(range(10**9))
    session.user.log({"loss": next(step) * 1.0}, None)

    places = interrupted_everywhere(lambda: session.user.log({"loss": next(step) * 1.0}, None))
    session.user.log({"loss": -1.0}, None)
    session.stop()

    assert places > 10
    assert session.kept.values[-1] == -1.0
    assert session.state()["recording"]["problem"] is None
    assert not threads()


@pytest.mark.parametrize("room", [1, 40, 100_000])
def test_a_call_interrupted_anywhere_is_there_whole_or_not_at_all(started, monkeypatch, room):
    monkeypatch.setattr("pulse_widgets.collectors.user.QUEUE_ITEMS", room)
    session = started()
    session.kept.other = session.registry.add(HOST, "user", "twice")
    monkeypatch.setattr(home.default, "session", session)
    monkeypatch.setattr(home.default, "singles", session.user.singles)
    accepted, step = [], iter(range(10**9))

    def call():
        number = float(next(step))
        if number % 2:
            pw.log({"loss": number})
        else:
            pw.log({"loss": number, "twice": number}, step=3)
        accepted.append(number)

    places = interrupted_everywhere(call)
    session.stop()
    kept, others = session.kept.values, session.kept.others

    assert places > 5
    assert set(accepted) <= set(kept)
    assert kept == sorted(set(kept))
    assert others == [number for number in kept if number % 2 == 0]
    assert not threads()


def test_a_stop_interrupted_anywhere_is_completed_by_the_next(started):
    sessions = []

    def prepare():
        sessions.append(started())
        sessions[-1].add_sources([Steady()])
        sessions[-1].user.log({"loss": 1.0}, None)

    def stop():
        sessions[-1].stop()

    places = interrupted_everywhere(stop, prepare=prepare)
    problems = set()
    for session in sessions:
        session.stop()
        problems.add(session.state()["recording"]["problem"])

    assert places > 10
    assert problems == {None}
    assert all(session.kept.values == [1.0] for session in sessions)
    assert not threads()


def test_a_start_interrupted_anywhere_leaves_no_source_that_is_never_read(started):
    session = started()
    asked = []

    def add():
        backend = Steady()
        backend.name = f"steady{len(asked)}"
        asked.append(backend)
        session.add_sources([backend])

    assert interrupted_everywhere(add) > 10
    session.stop()
    assert all(session.samplers[b.name].status.passes for b in asked if b.name in session.samplers)


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
        INTERRUPTED + "user.QUEUE_ITEMS = 2_000\n"
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

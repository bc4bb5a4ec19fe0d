"""The link between threads, and between processes: without a kernel."""

import os
import random
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from pulse_widgets.link import live as module
from pulse_widgets.link.live import Live


class Line:
    """Keeps what is said on a comm."""

    closed = False

    def __init__(self):
        self.streams = []

    def say(self, data, buffers=()):
        if data["kind"] == "packet":
            self.streams.append(data["stream"])

    def heard(self):
        """Take note of nothing."""

    def silent(self, *, busy):
        return False


class Stream:
    """Of one session; other threads have their turn wherever it is called."""

    def __init__(self):
        self.transports = []

    def attach(self, transport, *, keeps):
        os.sched_yield()
        self.transports.append(transport)

    def detach(self, transport):
        os.sched_yield()
        self.transports = [one for one in self.transports if one is not transport]

    def answer(self, request):
        os.sched_yield()
        return b"a packet"

    def deliver(self, packet, transport):
        os.sched_yield()
        transport.deliver(packet)


class Run:
    """A session, as far as the link looks at it."""

    hub = place = None

    def __init__(self):
        self.made = Stream()
        settings, clock = SimpleNamespace(title=""), SimpleNamespace(start_us=0)
        cells = SimpleNamespace(cell=None)
        self.session = SimpleNamespace(running=True, cells=cells, settings=settings, clock=clock)

    def stream(self):
        return self.made


@pytest.fixture
def hasty():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


ASKED = [{"kind": kind} for kind in ("rest", "seen", "hello", "range")]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("seed", range(10))
def test_while_sessions_follow_each_other_a_page_is_led_by_the_newest_alone(monkeypatch, seed):
    runs = [Run() for _ in range(40)]
    sessions = SimpleNamespace(run=None)
    monkeypatch.setattr(module, "default", sessions)
    line = Line()
    live = Live(line)
    over = threading.Event()

    def ask():
        chance = random.Random(seed)
        while not over.is_set():
            live.ask(chance.choice(ASKED))

    asking = threading.Thread(target=ask)
    asking.start()
    for run in runs:
        sessions.run = run
        live.look()
        said = len(line.streams)
        while len(line.streams) < said + 3:
            os.sched_yield()
    over.set()
    asking.join()

    assert line.streams == sorted(line.streams)
    assert [run for run in runs[:-1] if run.made.transports] == []
    live.close()
    assert runs[-1].made.transports == []


FORK = """
import os, signal, time
from pulse_widgets.default_session import default
from pulse_widgets.link.links import serve

class Comm:
    def __init__(self):
        self.said = []
    def send(self, data, buffers):
        self.said.append(data)
    def on_close(self, callback):
        pass

def opened():
    comm = Comm()
    serve(comm, {"content": {"data": {"version": 1, "replay": None}}, "header": {}})
    return comm

def hears(comm):
    runs = lambda one: one["kind"] == "status" and one["session"] and one["session"]["running"]
    while not any(map(runs, comm.said)):
        time.sleep(0.01)

signal.alarm(30)
opened()
known = len(default._observers)
opened()
print(len(default._observers) - known, flush=True)
pid = os.fork()
signal.alarm(30)
comm = opened()
default.begin(["system"], interval_s=0.2, gpus="none", title="")
hears(comm)
default.stop()
print("heard", flush=True)
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_page_of_a_forked_kernel_hears_of_sessions_as_that_of_its_parent(tmp_path):
    environ = {**os.environ, "PULSE_HOME": str(tmp_path)}
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=90, env=environ, check=False
    )

    assert done.stdout.split() == ["0", "heard", "heard"], done.stderr

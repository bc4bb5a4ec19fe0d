"""The first second: what is loaded, and where; interrupts, kills, odd names, no handles, slow disks."""

import ctypes
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pulse_widgets as pw
from pulse_widgets.loading import load_later
from pulse_widgets.signals import aside
from tests.programs import program, run
from tests.waiting import until

CALLS = {
    "log": "pw.log({'x': 1.0})",
    "monitor": "pw.monitor(gpus='none')",
    "stop": "pw.log({'x': 1.0}); pw.stop()",
    "both": "pw.monitor(gpus='none').stop()",
    "table": "pw.log({'x': 1.0}); pw.stop().series",
    "times": "pw.log({'x': 1.0}); rec = pw.stop(); rec.select(start='12:00'), rec.end",
    "status": "pw.monitor(gpus='none').status",
    "recordings": "pw.recordings()",
    "snapshot": "pw.snapshot('system')",
    "doctor": "pw.doctor()",
    "open": "pw.Recording",
    "disabled": "os.environ['PULSE_DISABLED'] = '1'; pw.monitor()",
}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_thread_that_an_interrupt_reaches_loads_nothing(call, tmp_path):
    out, _ = run(
        "seen = []\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if threading.get_ident() == threading.main_thread().ident: seen.append(name)\n"
        "sys.meta_path.insert(0, Finder())\n"
        f"{call}\n"
        # Foreign code reads its own data files with these; they load nothing made in C.
        "print([name for name in seen if not name.startswith('importlib.')])\n",
        tmp_path,
    )

    assert out == "[]\n"


NOT_YET = (
    "pandas", "pyarrow.parquet", "pulse_widgets.exchange.fitting", "pulse_widgets.exchange.picture",
    "pulse_widgets.library.recording",
    "pulse_widgets.library.finishing", "pulse_widgets.library.retention",
    "pulse_widgets.library.shelf", "pulse_widgets.storage.arrow.files",
    "pulse_widgets.storage.merge", "pulse_widgets.storage.reader", "pulse_widgets.library.replay_provider",
    "pulse_widgets.widgets.status_table",
)  # fmt: skip


# What reads GPUs, where there is no driver; what other systems than Linux are read with.
NOT_HERE = ("pynvml", "pulse_widgets.readers.nvml.fleet", "pulse_widgets.readers.nvml.device")
NOT_ON_LINUX = ("psutil", "pulse_widgets.readers.host.portable")


def without_a_driver():
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return True
    return False


@pytest.mark.parametrize("record", ["True", "False"])
def test_a_first_monitor_loads_only_what_a_first_frame_needs(record, tmp_path):
    out, _ = run(
        "import numpy, ipywidgets\n"
        "before = set(sys.modules)\n"
        # What draws is loaded soon after, by the threads that need it then.
        "later = set()\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if threading.current_thread().name == 'pulse-feed': later.add(name)\n"
        "sys.meta_path.insert(0, Finder())\n"
        f"mon = pw.monitor(record={record})\n"
        "print(*sorted(set(sys.modules) - before - later))\n",
        tmp_path,
    )

    loaded = out.split()
    not_yet = NOT_YET
    if without_a_driver():
        not_yet += NOT_HERE
    if sys.platform == "linux":
        not_yet += NOT_ON_LINUX
    assert "pulse_widgets.widgets.feed" in loaded
    assert [name for name in loaded if f"{name}.".startswith(tuple(f"{n}." for n in not_yet))] == []


COLLECTED = """
import gc, weakref
import pulse_widgets.loading as loading
sys.path.insert(0, sys.argv[1])
sys.begun, sys.go = threading.Event(), threading.Event()
loading.LATER_S = 0
start = {
    'load': lambda: threading.Thread(target=loading.load, args=('slow',)).start(),
    'load_later': lambda: loading.load_later('slow'),
}[sys.argv[2]]
class Node: pass
def of_a_cycle():
    node = Node()
    node.itself = node
    return weakref.ref(node)
getattr(gc, sys.argv[3])()
gc.set_threshold(500, 5, 5)
start()
sys.begun.wait(20)
seen = gc.isenabled(), gc.get_threshold()
cycles = [of_a_cycle() for _ in range(3000)]
alive = sum(cycle() is not None for cycle in cycles)
getattr(gc, sys.argv[4])()
sys.go.set()
with loading._door: pass
print(json.dumps([seen, alive < 1000, gc.isenabled(), gc.get_threshold(), sys.modules['slow'].whole]))
"""


@pytest.mark.parametrize("how", ["load", "load_later"])
@pytest.mark.parametrize(
    ("before", "meanwhile"), [("enable", "enable"), ("enable", "disable"), ("disable", "enable")]
)
def test_loading_leaves_the_garbage_collector_as_the_user_has_it(how, before, meanwhile, tmp_path):
    (tmp_path / "slow.py").write_text("import sys\nsys.begun.set()\nsys.go.wait(20)\nwhole = 7\n")

    out, _ = run("import json\n" + COLLECTED, tmp_path / "home", tmp_path, how, before, meanwhile)

    enabled, thresholds = before == "enable", [500, 5, 5]
    after = meanwhile == "enable"
    assert json.loads(out) == [[enabled, thresholds], enabled, after, thresholds, 7]


def test_what_is_needed_later_is_loaded_by_then(monkeypatch):
    monkeypatch.setattr("pulse_widgets.loading.LATER_S", 0.0)
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)

    load_later("no_such_module_anywhere", "colorsys")
    until(lambda: "colorsys" in sys.modules)


FORKED = """
import pulse_widgets.loading as loading
sys.path.insert(0, sys.argv[1])
sys.begun, sys.go = threading.Event(), threading.Event()
loading.LATER_S = 0
loading.load_later('slow')
sys.begun.wait(20)
os.register_at_fork(before=sys.go.set)
child = os.fork()
if not child:
    import slow
    loading.load('slow')
    os._exit(slow.whole)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
loading.load('colorsys')
"""


def test_a_fork_leaves_no_half_of_a_module_to_the_child(tmp_path):
    (tmp_path / "slow.py").write_text("import sys\nsys.begun.set()\nsys.go.wait(20)\nwhole = 7\n")

    out, _ = run(FORKED, tmp_path / "home", tmp_path)

    assert out == "7\n"


INTERRUPTED = """
import json, signal, warnings, _thread
warnings.simplefilter('ignore')
delay, call = float(sys.argv[1]), sys.argv[2]
accepted, errors, hit, number = [], [], 0, 0
armed = False
def interrupt(*_):
    global armed, hit
    if armed:
        armed, hit = False, hit + 1
        raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, delay)
ends = time.monotonic() + 60
while (not hit or len(accepted) < 50) and time.monotonic() < ends:
    try:
        armed = not hit
        if call == 'monitor' and not accepted: pw.monitor('system', gpus='none')
        pw.log({'x': number}, step=number)
        accepted.append(number)
        time.sleep(0.002)
    except KeyboardInterrupt: pass
    except BaseException as error: errors.append(repr(error))
    armed = False
    number += 1
rec = pw.stop()
there = rec.select('x').values()[1].astype(int).tolist()
print(json.dumps({
    'hit': hit, 'errors': errors[:3], 'accepted': len(accepted),
    'lost': len(set(accepted) - set(there)), 'twice': len(there) - len(set(there)),
    'problems': rec.problems,
}))
"""


def interrupt_once(call, delay, home):
    out, _ = run(INTERRUPTED, home, delay, call)
    said = json.loads(out)
    assert said.pop("accepted") >= 50
    assert said.pop("hit") == 1
    assert said == {"errors": [], "lost": 0, "twice": 0, "problems": []}


@pytest.mark.parametrize("call", ["log", "monitor"])
@pytest.mark.parametrize("delay", [0.03, 0.2])
def test_an_interrupt_of_a_first_call_costs_nothing_but_the_call(call, delay, tmp_path):
    interrupt_once(call, delay, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("call", ["log", "monitor"])
def test_forty_interrupts_of_a_first_call_cost_nothing_but_the_call(call, tmp_path):
    def interrupted(place):
        interrupt_once(call, 0.005 + place * 0.0125, tmp_path / str(place))

    # Two at a time: each is a process of its own, and half of it is waiting.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(interrupted, range(40)))


KILLED = (
    "pw.monitor('system', gpus='none', record=sys.argv[1])\n"
    "begins = time.time(); i = 0\n"
    "while True:\n"
    "    pw.log({'x': i}, step=i); print(i, time.time(), flush=True); i += 1\n"
    "    time.sleep(0.001)\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("lines", [150, 300, 450])
def test_a_kill_right_after_a_first_monitor_costs_at_most_a_fifth_of_a_second(lines, tmp_path):
    process = program(KILLED, tmp_path / "home", tmp_path / "r")
    said = [process.stdout.readline().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    died = time.time()
    said += [line.split() for line in process.communicate()[0].splitlines() if " " in line]

    # What stands when the call returns can be opened, whatever happens then.
    recording = pw.Recording.open(tmp_path / "r")
    owed = {int(number) for number, at in said if float(at) < died - 0.2}
    there = recording.select("x").values()[1].tolist() if owed else []
    assert owed <= set(there)


def test_a_kill_at_the_moment_a_first_monitor_returns_leaves_a_recording(tmp_path):
    code = "pw.monitor('system', gpus='none', record=sys.argv[1])\nos.kill(os.getpid(), 9)\n"
    process = program(code, tmp_path / "home", tmp_path / "r")
    process.communicate(timeout=60)

    recording = pw.Recording.open(tmp_path / "r")
    assert process.returncode == -signal.SIGKILL
    assert "memory.used" in set(recording.series["metric"])


HANGING = (
    "import pulse_widgets.run as run, pulse_widgets.library.destination as destination\n"
    "run.STAND_S = 0.2\n"
    "go, new_directory = threading.Event(), destination.new_directory\n"
    "destination.new_directory = lambda *a: (go.wait(60), new_directory(*a))[1]\n"
)


@pytest.mark.parametrize("record", ["", ", record=sys.argv[1]"])
def test_a_disk_that_hangs_at_the_start_is_named_and_not_waited_for(record, tmp_path):
    out, warned = run(
        HANGING + f"mon = pw.monitor('system', gpus='none'{record})\n"
        "for i in range(100): pw.log({'x': i}, step=i)\n"
        "print(mon.status.loc['pulse', 'problem'], mon.recording)\n"
        "go.set()\n"
        "while mon.recording is None: time.sleep(0.01)\n"
        "while mon.status.loc['pulse', 'problem']: time.sleep(0.01)\n"
        "rec = mon.stop(); print(rec.problems, rec.select('x').values()[1].tolist() == list(range(100)))\n",
        tmp_path / "home",
        tmp_path / "r",
    )

    assert out == "The disk has not answered yet None\n() True\n"
    assert "Nothing is recorded yet. The disk has not answered yet" in warned


@pytest.mark.slow
def test_a_disk_that_hangs_for_ever_keeps_no_row_from_the_recording(tmp_path):
    out, warned = run(
        HANGING + "mon = pw.monitor('system', gpus='none', record=sys.argv[1])\n"
        "for i in range(100): pw.log({'x': i}, step=i)\n"
        "rec = mon.stop()\n"
        "print(rec.select('x').values()[1].tolist() == list(range(100)))\n"
        "print(*rec.problems, sep='\\n')\n",
        tmp_path / "home",
        tmp_path / "r",
    )

    assert out.startswith("True\n")
    assert "rows were not on the disk when the session ended" in out
    assert "rows were lost when the process ended" in warned


NAMES = [
    "a\0b",
    "a\udcffb",
    "a\ud800",
    "x" * 300,
    "y" * 5000,
    "é" * 130,
    "a/" * 1500,
    "x" * 300 + "/b",
    "file/x",
    "~nosuchuser/x",
    "taken",
    "taken.pulse",
    "",
]


def test_a_name_that_cannot_be_is_the_callers_error_and_breaks_nothing(tmp_path):
    out, warned = run(
        "import json; os.chdir(sys.argv[1])\n"
        "open('file', 'w').close(); open('taken.pulse', 'w').close()\n"
        f"for name in json.loads({json.dumps(NAMES)!r}):\n"
        "    try: pw.monitor('system', gpus='none', record=name)\n"
        "    except pw.PulseError as error: print(type(error).__name__, bool(error.remedy))\n"
        "pw.monitor('system', gpus='none', record='fine'); pw.log({'x': 1.0}); rec = pw.stop()\n"
        "print(rec.path.name, rec.select('x').values()[1].tolist(), sorted(os.listdir('.')))\n",
        tmp_path / "home",
        tmp_path,
    )

    *refused, rest = out.splitlines()
    assert len(refused) == len(NAMES)
    assert set(refused) <= {"ArgumentError True", "StorageError True"}
    there = "['file', 'fine.pulse.parquet', 'taken.pulse']"
    assert rest == f"fine.pulse.parquet [1.0] {there}"
    assert warned == ""


def test_other_things_that_are_no_names_are_the_callers_error():
    class Bytes(os.PathLike):
        def __fspath__(self):
            return b"runs"

    for record in (b"runs", Bytes(), 3, 3.5, ["runs"]):
        with pytest.raises(pw.PulseError, match="is not a place to record to"):
            pw.monitor("system", record=record)


@pytest.mark.parametrize("title", ["\U0001d49c" * 80, "漢" * 80, "a\0b", "\ud800", "/", "..", "🚀"])
def test_whatever_a_title_is_made_of_it_makes_no_name_that_cannot_be(title, tmp_path):
    from pulse_widgets.library.destination import new_directory

    place = new_directory(tmp_path, title)
    place.mkdir()
    assert len(f".{place.name}.parquet.1234567".encode()) <= 255
    assert place.parent == tmp_path


HANDLES = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
def take_all():
    try:
        while True: held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError: pass
def give_back():
    while held: os.close(held.pop())
"""


@pytest.mark.parametrize("call", [CALLS["log"], CALLS["monitor"]])
def test_without_a_file_handle_a_first_call_says_so_and_a_later_one_works(call, tmp_path):
    out, _ = run(
        HANDLES + "take_all()\n"
        f"try: {call}\n"
        "except pw.PulseError as error: print(type(error).__name__, error.remedy[:11])\n"
        "give_back()\n"
        f"{call}; pw.log({{'x': 2.0}})\n"
        "print(pw.stop().select('x').values()[1].tolist()[-1])\n",
        tmp_path,
    )

    assert out == "StorageError Close files\n2.0\n"


@pytest.mark.parametrize("before", ["pw.log({'x': 0.0}); pw.stop()", "pw.log({'x': 0.0})"])
def test_values_logged_without_a_file_handle_wait_for_one(before, tmp_path):
    out, warned = run(
        HANDLES + "import pulse_widgets.default_session as home, warnings\n"
        f"{before}\n"
        "warnings.filterwarnings('ignore', 'pw.log')\n"
        "take_all()\n"
        "for i in range(1, 100): pw.log({'x': i})\n"
        "home.default.session.recorder.tried.wait(20)\n"
        "give_back()\n"
        "rec = pw.stop()\n"
        "print(rec.select('x').values()[1].tolist()[-99:] == list(range(1, 100)), rec.problems)\n",
        tmp_path,
    )

    assert out == "True ()\n"
    assert "rows were lost" not in warned


# What waits for a thread of ours ----------------------------------------------------------


def test_work_aside_gives_what_it_made_or_what_went_wrong():
    def fails():
        raise ValueError("no")

    assert aside("pulse-test", lambda: 3) == 3
    with pytest.raises(ValueError, match="no"):
        aside("pulse-test", fails)


def test_work_aside_that_is_waited_for_long_enough_goes_on():
    go, done = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        aside("pulse-test", lambda: (go.wait(20), done.set()), 0.01)
    go.set()
    until(done.is_set)


def test_work_aside_goes_on_when_its_caller_is_interrupted(monkeypatch):
    done = threading.Event()

    def interrupted(flag, seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("pulse_widgets.signals.Flag.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        aside("pulse-test", done.set)
    until(done.is_set)


def test_where_no_thread_can_be_started_the_caller_does_it(monkeypatch):
    def refuses(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refuses)
    assert aside("pulse-test", threading.get_ident) == threading.get_ident()

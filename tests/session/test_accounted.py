"""Whatever was accepted is in the recording when a session ends, or counted in words."""

import contextlib
import re
import threading
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.collectors import base, device_values, user
from pulse_widgets.collectors.other_calls import OtherCalls
from pulse_widgets.collectors.waiting import Waiting
from pulse_widgets.errors import StorageError
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.session import flusher
from pulse_widgets.session import session as session_module
from pulse_widgets.session.session import Session, Settings
from tests.programs import run

NAMES = ("plain", "device", "mark")


class Device:
    """Answers so often, and then hangs until it is let go."""

    def __init__(self, answers):
        self.answers = answers
        self.hung = threading.Event()

    def read(self):
        if self.answers < 1:
            self.hung.wait(30)
        self.answers -= 1
        return 1.0


class Scalar:
    shape = ()

    def __init__(self, device):
        self.device = device

    def detach(self):
        return self

    clone = detach

    def __float__(self):
        return self.device.read()


class Disk:
    """A writer whose disk takes rows, refuses them, or hangs until it is let go."""

    problem = ""
    bytes_written = 0

    def __init__(self, way, registry):
        self.way = way
        self.registry = registry
        self.hung = threading.Event()
        self.taken = 0
        self.said = []

    def append(self, rows):
        if self.way == "refuses":
            raise StorageError("full", remedy="Free some space.")
        if self.way == "hangs":
            self.hung.wait(30)
        metrics = [self.registry[int(series)].metric for series in rows.series]
        self.taken += sum(metric in NAMES for metric in metrics)

    def beat(self):
        pass

    def describe(self, entities):
        pass

    def write_problems(self, problems):
        self.said = list(problems)

    def close(self):
        pass


@contextlib.contextmanager
def failing(times):
    """Have what makes rows fail the first few times, as if memory was short."""
    errors = [MemoryError] * times

    def instead_of(make):
        def rows_of(collector, taken, *more):
            if taken and errors:
                raise errors.pop()
            return make(collector, taken, *more)

        return rows_of

    with (
        mock.patch.object(Waiting, "rows_of", instead_of(Waiting.rows_of)),
        mock.patch.object(OtherCalls, "rows_of", instead_of(OtherCalls.rows_of)),
    ):
        yield


def counted(said):
    """Return how many rows or values are counted in sentences."""
    return sum(int(number) for one in said for number in re.findall(r"^(\d+) ", one))


@contextlib.contextmanager
def quick():
    """Patience that is soon at its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flusher, "STOP_S", 0.4)
        patch.setattr(session_module, "STOP_S", 0.1)
        patch.setattr(device_values, "PATIENCE_S", 0.3)
        patch.setattr(device_values, "RETRY_S", 0.01)
        patch.setattr(flusher, "AGAIN_S", 0.01)
        patch.setattr(flusher, "RELIEF_S", 0.01)
        patch.setattr(user, "PATIENCE_S", 0.02)
        yield patch


def give(session, device, what, number):
    if what == "plain":
        session.user.log({"plain": number}, None)
    elif what == "device":
        session.user.log({"device": Scalar(device)}, None)
    else:
        session.mark(str(number))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    given_=st.lists(st.sampled_from(NAMES), max_size=60),
    answers=st.integers(0, 60),
    way=st.sampled_from(["takes", "refuses", "hangs"]),
    failures=st.integers(0, 4),
    bounds=st.sampled_from([(20_000, 64 << 20, 64 << 20), (5, 4_000, 2_000)]),
)
@pytest.mark.filterwarnings("ignore:pw.log:RuntimeWarning")
def test_all_that_was_accepted_is_on_the_disk_or_counted(given_, answers, way, failures, bounds):
    session = Session(Settings(), registry=Registry(), clock=Clock())
    device, disk = Device(answers), Disk(way, session.registry)
    session.record(None, lambda: disk)
    with (
        quick(),
        failing(failures),
        mock.patch.object(user, "QUEUE_ITEMS", bounds[0]),
        mock.patch.object(user, "DEVICE_VALUES", bounds[0]),
        mock.patch.object(user, "QUEUE_BYTES", bounds[1]),
        mock.patch.object(base, "KEPT_BYTES", bounds[2]),
    ):
        session.start()
        for number, what in enumerate(given_):
            give(session, device, what, number)
        session.stop()
        said = session.leave()
    written, told = disk.taken, disk.said
    device.hung.set()
    disk.hung.set()

    assert written + counted(said) >= len(given_), said
    if not said:
        assert written == len(given_)
    if session.recorder.sealed and way != "hangs":
        # What the end of the process says, the recording says.
        assert told == said
    if way == "takes" and answers >= len(given_) and failures < 2 and bounds[0] > 5:
        assert not said


SCALAR = """
class Scalar:
    shape = ()
    def detach(self): return self
    clone = detach
    def __float__(self): {read}; return 1.0
pw.monitor(sources='system', gpus='none', record=sys.argv[1] + '/r')
for i in range({count}): pw.log({{'x': Scalar()}}, step=i)
pw.log({{f'x{{i}}': Scalar() for i in range(16)}})
pw.log({{'y': 1.0}})
"""
RESULT = """
import pathlib
(place,) = pathlib.Path(sys.argv[1]).glob('r.pulse*')
rec = pw.Recording.open(place)
rows = rec.series.set_index('metric')['rows']
print(rows[rows.index.str.startswith('x')].sum(), int(rows['y']), *rec.problems)
"""
STOPPED = """
rec = pw.stop()
rows = rec.series.set_index('metric')['rows']
print(rows[rows.index.str.startswith('x')].sum(), int(rows['y']), *rec.problems)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "count", "end"),
    [
        ("time.sleep(0.1)", 9, "25 1"),
        ("time.sleep(60)", 3, "0 1 19 values of pw.log were lost: their device did not answer."),
    ],
)
def test_values_of_a_device_are_waited_for_as_long_as_it_gets_on(read, count, end, tmp_path):
    code = SCALAR.format(read=read, count=count)

    _, warned = run(code, tmp_path / "home", tmp_path)
    left, _ = run(RESULT, tmp_path / "home", tmp_path)
    (tmp_path / "b").mkdir()
    stopped, said = run(code + STOPPED, tmp_path / "home", tmp_path / "b")

    assert left.strip() == stopped.strip() == end
    assert ("19 values of pw.log were lost" in warned) == (count == 3)
    assert ("19 values of pw.log were lost" in said) == (count == 3)


HUNG = """
from pulse_widgets.session.flusher import Flusher
from pulse_widgets.storage.recorder import Recorder
from pulse_widgets.storage.writer import Writer
began, go, over = threading.Event(), threading.Event(), threading.Event()
append, drain, unwritten = Writer.append, Flusher.drain, Recorder.unwritten
def hangs(self, rows):
    if armed: began.set(); go.wait(20)
    return append(self, rows)
def late(self):
    if go.is_set() and threading.current_thread().name == 'pulse-flusher': over.wait(20)
    return drain(self)
def ends(self, then, seconds):
    go.set()
    return unwritten(self, then, 20)
Writer.append, Flusher.drain, Recorder.unwritten = hangs, late, ends
armed = False
mon = pw.monitor(sources='system', gpus='none', record=sys.argv[1] + '/r')
armed = True
pw.log({'x': 0.0}); began.wait(20)
for i in range(1, 50): pw.log({'x': float(i)}); mon.mark(str(i))
rec = pw.stop()
over.set()
print(rec.select('x').values()[1].tolist() == list(range(50)), len(rec.select('mark').to_pandas()))
"""


@pytest.mark.slow
def test_a_write_that_ends_while_stop_waits_keeps_nothing_from_what_it_returns(tmp_path):
    out, _ = run(HUNG, tmp_path / "home", tmp_path)

    assert out == "True 49\n"

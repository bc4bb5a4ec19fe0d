import json
import math
import threading
import time
from typing import ClassVar

import numpy as np
import pytest

from pulse_widgets.collectors import sampling
from pulse_widgets.collectors.base import Collector, SourceStatus
from pulse_widgets.collectors.governor import Governor
from pulse_widgets.collectors.sampling import SamplingCollector
from pulse_widgets.errors import (
    DeviceLostError,
    LibraryNotFoundError,
    NoDeviceError,
    PermissionDeniedError,
)
from pulse_widgets.metrics.metric import gauge
from pulse_widgets.readers.base import (
    Backend,
    BackendCaps,
    BackendKind,
    RateClass,
    RawRecord,
)
from pulse_widgets.readers.rule import Rule
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from tests.waiting import until


class Unreadable(dict):
    """Fields that are well until somebody looks at them."""

    def items(self):
        raise ValueError("no fields today")

    values = __iter__ = items


UNREADABLE = Unreadable()


class Scripted:
    """A backend that gives what a list says, one item a reading, then the last for ever."""

    lasting = True

    def __init__(self, *readings, error=None, name="scripted"):
        self.name = name
        self.caps = BackendCaps(BackendKind.SYSTEM)
        self.missing = {}
        self.due = []
        self.closed = threading.Event()
        self.read_all = threading.Event()
        self._readings = list(readings)
        self._error = error

    def open(self):
        if self._error:
            raise self._error

    def read(self, due):
        self.due.append(due)
        place = min(len(self.due), len(self._readings)) - 1
        if len(self.due) >= len(self._readings) + 1:
            self.read_all.set()
        reading = self._readings[place]
        if isinstance(reading, Exception):
            raise reading
        if callable(reading):
            reading = reading()
        now, wall = time.monotonic(), time.time()
        return [
            RawRecord(now, wall, entity, fields, "system", error=error)
            for entity, (fields, error) in reading.items()
        ]

    def close(self):
        self.closed.set()


TICK = frozenset({RateClass.GAUGES})


def good(**fields):
    return {"host": (fields, None)}


class Run:
    """A collector on a scripted backend, run until the script was read."""

    def __init__(self, backend, interval=0.01):
        self.registry = Registry()
        self.log = Log()
        self.cursor = self.log.cursor()
        self.collector = SamplingCollector(
            backend,
            registry=self.registry,
            clock=Clock(),
            sink=self.log.append,
            host="h0",
            interval_s=interval,
            governor=Governor(lambda: 1.0),
        )
        self.backend = backend

    def __enter__(self):
        self.collector.start()
        return self

    def __exit__(self, *_):
        self.collector.stop()
        assert self.collector.join(5)
        assert self.backend.closed.is_set()

    def rows(self):
        self.collector.drain()
        return Rows.concat(self.cursor.peek())

    def values(self, metric):
        rows = self.rows()
        series = self.registry.find("h0", "host", metric)
        return rows.value[rows.series == series].tolist()


def test_readings_arrive_under_their_catalog_names_and_units():
    with Run(Scripted(good(**{"memory.used": 100.0, "memory.total": 200.0}))) as run:
        assert run.backend.read_all.wait(5)

    assert set(run.values("memory.used")) == {100.0}
    assert run.registry[run.registry.find("h0", "host", "memory.used")].unit == "B"


def test_a_missing_reading_is_one_row_where_it_begins():
    some, none = good(**{"memory.used": 1.0}), good(**{"memory.used": None})

    with Run(Scripted(some, none, none, none, some)) as run:
        assert run.backend.read_all.wait(5)

    values = run.values("memory.used")
    np.testing.assert_array_equal(values[:3], [1.0, math.nan, 1.0])
    assert np.isnan(values).sum() == 1


def test_a_lost_device_ends_its_series_and_says_so_while_others_go_on():
    both = {"host": ({"memory.used": 1.0}, None), "gpu:0": ({"gpu.power": 300.0}, None)}
    lost = {"host": ({"memory.used": 2.0}, None), "gpu:0": ({}, "GPU is lost")}

    with Run(Scripted(both, lost)) as run:
        assert run.backend.read_all.wait(5)
        state, problem, remedy = run.collector.status.judged()

    rows = run.rows()
    power = rows.value[rows.series == run.registry.find("h0", "gpu:0", "gpu.power")]
    np.testing.assert_array_equal(power, [300.0, math.nan])
    assert 2.0 in run.values("memory.used")
    assert (state, problem) == ("ok", "gpu:0: GPU is lost.")
    assert remedy
    texts = [t for t in rows.text if t]
    assert json.loads(texts[0])["message"] == "gpu:0: GPU is lost"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (LibraryNotFoundError("no library", "install it"), "absent"),
        (PermissionDeniedError("not allowed", "ask"), "failed"),
    ],
)
def test_a_source_that_cannot_be_opened_is_named_with_its_remedy(error, state):
    run = Run(Scripted(good(), error=error))

    with run:
        deadline = time.monotonic() + 5
        while run.collector.status.state == "starting" and time.monotonic() < deadline:
            run.collector._thread.join(0.01)
        judged = run.collector.status.judged()

    assert judged == (state, error.problem, error.remedy)
    assert run.backend.due == []


def test_an_error_nobody_foresaw_ends_this_source_alone_and_is_reported(caplog):
    run = Run(Scripted(good(), ZeroDivisionError("boom")))

    with run:
        assert run.collector.join(5)

    assert run.collector.status.state == "failed"
    assert "ZeroDivisionError: boom" in run.collector.status.problem
    assert "scripted" in caplog.text


def test_a_reading_that_hangs_is_stalled_then_abandoned_and_named():
    status = SourceStatus("nvml", state="ok", busy_since=time.monotonic() - 5)
    assert status.judged()[0] == "stalled"

    status.busy_since = time.monotonic() - 40
    state, problem, remedy = status.judged()

    assert state == "abandoned"
    assert "nvml" in problem
    assert "-nvml" in remedy


def test_static_readings_are_taken_once_and_slow_ones_rarely():
    with Run(Scripted(*[good()] * 20)) as run:
        assert run.backend.read_all.wait(5)

    due = run.backend.due
    assert sum(RateClass.STATIC in d for d in due) == 1
    # At the start, and once more where the shared grid of ten seconds happens to lie.
    assert 1 <= sum(RateClass.SLOW in d for d in due) <= 2
    assert sum(RateClass.GAUGES in d for d in due) >= 20


def test_a_thread_that_could_not_run_leaves_a_gap_and_an_event():
    run = Run(Scripted(good(**{"memory.used": 1.0})), interval=0.1)
    collector = run.collector
    collector._hand_over(run.backend.read(frozenset()), TICK)

    collector._last_us -= 5_000_000
    collector._hand_over(run.backend.read(frozenset()), TICK)

    np.testing.assert_array_equal(run.values("memory.used"), [1.0, math.nan, 1.0])
    (event,) = [json.loads(text) for text in run.rows().text if text]
    assert event["kind"] == "gap"
    assert "the interpreter did not run" in event["message"]


def test_a_gap_says_whether_a_reading_was_under_way():
    run = Run(Scripted(good(**{"memory.used": 1.0})), interval=0.1)
    collector = run.collector
    for reading_s in (0.0, 4.0, 0.0):
        collector._hand_over(run.backend.read(frozenset()), TICK)
        collector._last_us -= 5_000_000
        collector._reading_s += reading_s
    collector._hand_over(run.backend.read(frozenset()), TICK)

    said = [json.loads(text)["message"].split(": ")[1] for text in run.rows().text if text]
    assert said == [
        "the interpreter did not run",
        "one was under way for 4.0 s",
        "the interpreter did not run",
    ]


def test_a_slow_reading_is_one_that_was_under_way():
    slow = threading.Event()

    def answers_late():
        slow.wait(1.0)
        return good(**{"memory.used": 2.0})

    some = good(**{"memory.used": 1.0})
    with Run(Scripted(some, answers_late, some), interval=0.1) as run:
        until(lambda: len(run.values("memory.used")) > 2)

    (event,) = [json.loads(text) for text in run.rows().text if text]
    assert "one was under way for 1.0 s" in event["message"]


def test_what_nobody_drains_becomes_rows_by_itself_before_it_is_too_much(monkeypatch):
    monkeypatch.setattr(sampling, "WAITING_MOST", 3)

    with Run(Scripted(good(**{"memory.used": 1.0}))) as run:
        until(lambda: run.log.rows >= 6)

    assert len(run.collector._waiting) < 3


def test_used_alone_it_gives_its_rows_to_who_collects_them():
    run = Run(Scripted(good(**{"memory.used": 1.0})))
    alone = run.collector
    alone._sink = alone._log.append
    with run:
        assert run.backend.read_all.wait(5)
        first = alone.collect()

    alone.truncate(len(first))
    assert first[0].value.tolist()[0] == 1.0
    assert len(Rows.concat([*first, *alone.collect()])) == alone.status.passes


def test_a_backend_that_fills_the_same_fields_again_is_recorded_as_it_was():
    class Again(Scripted):
        lasting = False
        fields: ClassVar = {"memory.used": 0.0}

        def read(self, due):
            (record,) = super().read(due)
            self.fields["memory.used"] += 1.0
            return [record._replace(fields=self.fields)]

    with Run(Again(good())) as run:
        until(lambda: len(run.backend.due) >= 5)

    values = run.values("memory.used")
    assert values == [float(n) for n in range(1, len(values) + 1)]


def test_what_is_missing_is_told_though_a_later_reading_cannot_become_rows():
    lost = {"a": ({}, "the GPU is lost"), "b": ({"memory.used": 2.0}, None)}
    both = {name: ({"memory.used": 1.0}, None) for name in "ab"}
    run = Run(Scripted(both, lost, both))
    passes = [run.backend.read(TICK) for _ in range(3)]
    passes[2] = [record._replace(fields=UNREADABLE) for record in passes[2]]
    for records in passes:
        run.collector._hand_over(records, TICK)

    rows = run.rows()

    series = run.registry.find("h0", "a", "memory.used")
    np.testing.assert_array_equal(rows.value[rows.series == series], [1.0, math.nan])
    assert any("the GPU is lost" in text for text in rows.text)


def test_a_source_that_fails_after_a_reading_that_cannot_become_rows_says_so(caplog):
    class Odd(Scripted):
        def read(self, due):
            return [record._replace(fields=UNREADABLE) for record in super().read(due)]

    odd = Odd(good(**{"memory.used": 1.0}), DeviceLostError("it is gone", "Wait."))
    with Run(odd) as run:
        # The source is waited for, a minute long, when what it gave is looked at.
        until(lambda: run.collector.status.problem == "it is gone")
        run.collector.drain()
        assert run.collector.join(5)

    assert run.collector.status.state == "failed"
    assert "no fields today" in run.collector.status.problem
    assert "stopped" in caplog.text


def test_readings_that_cannot_become_rows_end_their_source_alone_and_it_says_why():
    class Odd(Scripted):
        def read(self, due):
            records = super().read(due)
            # Not the number that it should be; nobody but who makes rows looks at it.
            return [records[0]._replace(fields=UNREADABLE)] if len(self.due) == 3 else records

    with Run(Odd(good(**{"memory.used": 1.0}))) as run:
        until(lambda: len(run.backend.due) > 3)
        until(lambda: run.collector.drain() or run.collector.status.state == "failed")
        assert run.backend.closed.wait(5)

    values = run.values("memory.used")
    # The reading before and the one after, which waited with it, are not lost.
    assert values[:3] == [1.0, 1.0, 1.0]
    assert math.isnan(values[-1])
    assert "no fields today" in run.collector.status.problem


def test_the_last_readings_that_cannot_become_rows_are_told_of_in_the_log(caplog):
    class Odd(Scripted):
        def read(self, due):
            return [super().read(due)[0]._replace(fields=UNREADABLE)]

    with Run(Odd(good(**{"memory.used": 1.0})), interval=60.0) as run:
        assert run.collector.tried.wait(5)

    run.collector.drain()
    assert "could not be taken" in caplog.text


def test_labels_are_kept_beside_the_series():
    with Run(Scripted(good(os="Linux", **{"memory.used": 1.0}))) as run:
        assert run.backend.read_all.wait(5)

    run.collector.drain()
    assert run.collector.labels == {"h0": {"host": {"os": "Linux"}}}


def test_a_scripted_backend_is_a_backend():
    assert isinstance(Scripted(), Backend)


def test_a_collector_keeps_what_was_added_until_it_is_truncated():
    collector = Collector("mine")
    collector.add(Rows.of([0], [1], [1.0]))
    collector.add(Rows.of([0], [2], [2.0]))

    delivered = collector.collect()
    collector.add(Rows.of([0], [3], [3.0]))
    collector.truncate(len(delivered))

    assert [block.value.tolist() for block in delivered] == [[1.0], [2.0]]
    assert [block.value.tolist() for block in collector.collect()] == [[3.0]]


def test_readings_made_rarer_leave_no_gaps():
    run = Run(Scripted(good(**{"memory.used": 1.0})), interval=0.1)
    run.collector._governor.factor = lambda source, rate: 10 if rate is RateClass.GAUGES else 1

    with run:
        until(lambda: sum(RateClass.GAUGES in due for due in run.backend.due) > 2)

    assert not np.isnan(run.values("memory.used")).any()
    assert run.registry.find("h0", "pulse/scripted", "event") is None


def test_a_shorter_interval_leaves_no_gap():
    with Run(Scripted(good(**{"memory.used": 1.0})), interval=60.0) as run:
        until(lambda: run.collector.status.passes == 1)
        time.sleep(0.9)
        run.collector.set_interval(0.1)
        until(lambda: sum(RateClass.GAUGES in due for due in run.backend.due) > 1)

    assert not np.isnan(run.values("memory.used")).any()


def test_a_source_that_fails_whole_is_missing_and_opened_again(monkeypatch):
    monkeypatch.setattr(sampling, "RETRY_S", 0.05)
    some, lost = good(**{"memory.used": 1.0}), DeviceLostError("it is gone", "Look at dmesg.")

    with Run(Scripted(some, lost, some)) as run:
        until(lambda: run.collector.status.problem == "it is gone")
        assert run.backend.read_all.wait(5)

    np.testing.assert_array_equal(run.values("memory.used")[:3], [1.0, math.nan, 1.0])


def test_a_reader_that_breaks_ends_its_series():
    with Run(Scripted(good(**{"memory.used": 1.0}), RuntimeError("a bug"))) as run:
        until(lambda: run.collector.status.state == "failed")
        assert run.backend.closed.wait(5)

    np.testing.assert_array_equal(run.values("memory.used"), [1.0, math.nan])


def test_what_is_read_once_is_read_again_after_a_source_came_back(monkeypatch):
    monkeypatch.setattr(sampling, "RETRY_S", 0.01)
    whole = good(**{"memory.used": 1.0})

    with Run(Scripted(whole, DeviceLostError("gone", "Wait."), whole, whole)) as run:
        assert run.backend.read_all.wait(5)

    assert [RateClass.STATIC in due for due in run.backend.due[:4]] == [True, False, True, False]


def test_a_source_that_is_given_up_leaves_a_gap_and_says_why(monkeypatch):
    monkeypatch.setattr(sampling, "ABANDON_S", 0.05)
    hung = threading.Event()

    def hangs():
        hung.wait(0.2)
        return good(**{"memory.used": 2.0})

    with Run(Scripted(good(**{"memory.used": 1.0}), hangs)) as run:
        while run.collector.status.state != "abandoned":
            assert run.collector.join(5) or run.collector.status.state != "failed"

    values = run.values("memory.used")
    assert values[0] == 1.0
    assert math.isnan(values[-1])
    assert "no longer read" in run.collector.status.problem


def test_a_shorter_interval_holds_at_once_whatever_the_thread_is_doing():
    with Run(Scripted(good(**{"memory.used": 1.0})), interval=3600.0) as run:
        assert run.collector.tried.wait(5)
        run.collector.set_interval(0.01)
        assert run.backend.read_all.wait(5)

    assert len(run.backend.due) >= 2


class Foreign(Scripted):
    """A reader of another package."""

    title = "My NPU"
    group = "Accelerators"
    metrics = (gauge("npu.load", "1", "Load", ""),)
    rules: ClassVar = {"load": Rule("npu.load", 0.01, highest=100)}


def test_a_source_that_cannot_be_opened_is_called_as_its_reader_says():
    with Run(Foreign(error=NoDeviceError("there is none", "Buy one."))) as run:
        assert run.collector.tried.wait(5)

    assert (run.collector.info.title, run.collector.info.group) == ("My NPU", "Accelerators")
    assert run.collector.status.state == "absent"


def test_what_cannot_be_true_is_counted_and_named_and_takes_nothing_else_away():
    says = [good(load=50, x=1), good(load=5000, x=2), good(load=5000, x=3)]
    with Run(Foreign(*says)) as run:
        assert run.backend.read_all.wait(5)
        until(lambda: run.collector.drain() or run.collector.status.rejected >= 3)
        missing = dict(run.collector.status.missing)

    assert missing == {"host npu.load": "the source says 5000, which cannot be true"}
    values = run.values("npu.load")
    assert values[0] == 0.5
    assert len(values) == 2
    assert math.isnan(values[1])
    assert run.values("x")[:3] == [1.0, 2.0, 3.0]


def test_a_class_is_not_read_more_often_than_it_has_something_new():
    class Slow(Foreign):
        rates: ClassVar = {RateClass.COUNTERS: 60.0, RateClass.SLOW: 0.1}

    with Run(Slow(*[good(load=1)] * 20)) as run:
        assert run.backend.read_all.wait(5)

    first, *rest = run.backend.due
    assert RateClass.COUNTERS in first
    assert [due for due in rest if RateClass.COUNTERS in due] == []
    assert [due for due in rest if RateClass.SLOW in due]


def test_what_is_steady_is_not_read_with_every_fast_pass():
    with Run(Scripted(*[good(load=1)] * 20)) as run:
        assert run.backend.read_all.wait(5)

    first, *rest = run.backend.due
    assert RateClass.STEADY in first
    fast = [due for due in rest if RateClass.GAUGES in due]
    # One a second, and twenty passes of a hundredth take less than many seconds.
    assert sum(RateClass.STEADY in due for due in fast) < len(fast) / 2


def test_an_entity_that_is_told_of_no_more_is_missing():
    class Jobs(Foreign):
        caps = None

        def __init__(self, *readings):
            super().__init__(*readings)
            self.caps = BackendCaps("jobs")

    there, gone = good(load=50) | {"job:1": ({"load": 20}, None)}, good(load=50)
    with Run(Jobs(there, there, gone, gone, there)) as run:
        assert run.backend.read_all.wait(5)

    rows = run.rows()
    job = rows.value[rows.series == run.registry.find("h0", "job:1", "npu.load")]
    np.testing.assert_array_equal(job[:4], [0.2, 0.2, math.nan, 0.2])
    assert not np.isnan(run.values("npu.load")).any()


def test_a_reader_that_cannot_be_closed_keeps_its_problem_and_is_tried_again(monkeypatch, caplog):
    class Stuck(Scripted):
        def close(self):
            super().close()
            raise RuntimeError("cannot close")

    monkeypatch.setattr(sampling, "RETRY_S", 0.01)
    gone = DeviceLostError("The link is down.", "Plug it in.")
    with Run(Stuck(good(**{"memory.used": 1.0}), gone, gone, gone)) as run:
        until(lambda: len(run.backend.due) > 3)
        assert run.collector.status.problem == "The link is down."

    assert "could not be closed" in caplog.text

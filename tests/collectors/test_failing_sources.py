"""A source that fails, in whatever way, says so and harms no other."""

import json
import math
import time

import numpy as np
import pytest

from pulse_widgets.collectors import sampling
from pulse_widgets.collectors.base import SourceStatus
from pulse_widgets.errors import (
    DeviceLostError,
    LibraryNotFoundError,
    NoDeviceError,
    PermissionDeniedError,
)
from tests.collectors.scripted import TICK, UNREADABLE, Foreign, Run, Scripted, good
from tests.waiting import until


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
        run.drain()
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
        until(lambda: run.drain() or run.collector.status.state == "failed")
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

    run.drain()
    assert "could not be taken" in caplog.text


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


def test_a_source_that_cannot_be_opened_is_called_as_its_reader_says():
    with Run(Foreign(error=NoDeviceError("there is none", "Buy one."))) as run:
        assert run.collector.tried.wait(5)

    assert (run.collector.info.title, run.collector.info.group) == ("My NPU", "Accelerators")
    assert run.collector.status.state == "absent"


def test_what_cannot_be_true_is_counted_and_named_and_takes_nothing_else_away():
    says = [good(load=50, x=1), good(load=5000, x=2), good(load=5000, x=3)]
    with Run(Foreign(*says)) as run:
        assert run.backend.read_all.wait(5)
        until(lambda: run.drain() or run.collector.status.rejected >= 3)
        missing = dict(run.collector.status.missing)

    assert missing == {"host npu.load": "the source says 5000, which cannot be true"}
    values = run.values("npu.load")
    assert values[0] == 0.5
    assert len(values) == 2
    assert math.isnan(values[1])
    assert run.values("x")[:3] == [1.0, 2.0, 3.0]


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

"""Where nothing was read for a while, and why."""

import json
import math
import threading
import time

import numpy as np

from pulse_widgets.collectors import sampling
from pulse_widgets.readers.base import RateClass
from tests.collectors.scripted import TICK, Run, Scripted, good
from tests.waiting import until


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


def test_readings_made_rarer_leave_no_gaps():
    # Between two readings more passes than would be a gap at the interval itself.
    run = Run(Scripted(good(**{"memory.used": 1.0})), interval=0.02)
    run.collector._governor.factor = lambda source, rate: 30 if rate is RateClass.GAUGES else 1

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

"""What was logged and is no finite value travels beside the rows, to the page and from a file."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors.logged_values import LOGGED_NAN
from pulse_widgets.series import header as headers
from pulse_widgets.series import stage as stages
from pulse_widgets.series.header import ODD_MOST, Events, OddWire
from pulse_widgets.series.odd import odd_of
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.stage import Stage
from pulse_widgets.series.stream import EVENTS_SHOWN
from pulse_widgets.series.wire import decode, frame

SECOND = 1_000_000
WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": LOGGED_NAN}
VALUES = {**WORDS, "missing": math.nan, "number": 1.5}


def made():
    registry = Registry()
    registry.add("h0", "user", "loss")
    registry.add("h0", "user", "said", kind="text")
    registry.add("h0", "user", "done", kind="counter")
    return Stage(registry, 1.0)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(VALUES))), max_size=60))
def test_every_such_value_of_a_line_is_told_and_the_rows_are_finite_or_missing(logged):
    stage = made()
    own = stage.subscribe()
    for at, (series, what) in enumerate(logged):
        stage.show(Rows.of([series], [at * SECOND], [VALUES[what]], [at], text=[""]))
    rows, events = own.take()

    told = [(one.series, one.time, one.step, one.what) for one in events.odd]
    assert told == [
        (series, float(at), at, what)
        for at, (series, what) in enumerate(logged)
        if what in WORDS and series != 1
    ]
    assert not np.isinf(rows.value).any()
    # The whole packet is JSON and numbers.
    assert len(decode(frame(1, rows, **events.plain())).header.get("odd", [])) == len(told)


def test_what_is_told_is_bounded_and_the_newest():
    count = ODD_MOST + 10
    ids, times = np.zeros(count, np.int32), np.arange(count) * SECOND
    rows = Rows(ids, times, np.full(count, NO_STEP), np.full(count, math.inf))
    stage = made()
    own = stage.subscribe()
    stage.show(rows)
    stage.show(Rows.of([0], [count * SECOND], [-math.inf]))

    assert [one.time for one in odd_of(rows)] == list(range(10, count))
    assert [one.time for one in own.take()[1].odd] == list(range(11, count + 1))
    assert [one.time for one in stage.events(EVENTS_SHOWN).odd] == list(
        range(count + 1 - EVENTS_SHOWN, count + 1)
    )
    assert [one.time for one in stage.odd([0], count - 1, count)] == [count - 1, count]
    assert stage.odd([2], 0, count) == ()


def test_odd_values_that_nobody_takes_are_bounded(monkeypatch):
    monkeypatch.setattr(stages, "QUEUE_BYTES", 5000)
    stage = made()
    own = stage.subscribe()
    for at in range(100):
        stage.show(Rows.of([0], [at * SECOND], [math.inf]))

    assert 0 < len(own.take()[1].odd) < 50
    assert own.dropped > 50


def test_those_who_want_no_lines_get_them():
    events = Events(lines=(headers.TextLineWire(0, 1.0, "x"),), odd=(OddWire(0, 1.0, None, "inf"),))

    assert events.without_lines() == Events(odd=events.odd)
    assert len(events) == 2
    assert json.loads(json.dumps(events.plain()))["odd"] == [
        {"series": 0, "time": 1.0, "step": None, "what": "inf"}
    ]

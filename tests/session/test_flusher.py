"""When the flusher wakes: after the readings, seldom, and never late."""

import math

import pytest

from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.stage import Stage
from pulse_widgets.session import flusher as module
from pulse_widgets.session.flusher import Flusher
from pulse_widgets.storage.recorder import Recorder


@pytest.fixture
def made(monkeypatch):
    """A flusher whose thread has not begun, its log and its stage."""
    registry, log = Registry(), Log()
    recorder = Recorder(log, "h0", labelled=lambda: 0, labels=dict)
    registry.add("h0", "user", "loss")
    stage = Stage(registry, 1.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0)
    return Flusher(log, list, recorder, stage), log, stage


@pytest.mark.parametrize(
    ("interval", "due"), [(0.1, 0.21), (0.15, 0.06), (0.2, 0.21), (1.0, 1.01), (60.0, 1.01)]
)
def test_it_comes_just_after_the_readings_and_takes_frequent_ones_two_at_a_time(
    made, interval, due
):
    flusher, _, _ = made
    flusher.interval_s = interval
    assert flusher._due(100.02) == pytest.approx(100.0 + due)


def test_for_a_view_that_is_drawn_ten_times_a_second_it_comes_as_often(made):
    flusher, _, stage = made
    flusher.interval_s = 0.1
    stage.subscribe().tick_s = 0.1
    assert flusher._due(100.02) == pytest.approx(100.11)


def test_what_is_recorded_and_not_yet_shown_is_not_forgotten(made):
    flusher, log, _ = made
    flusher.interval_s = 60.0
    flusher._next_show = 100.3
    log.append(Rows.of([0], [1], [1.0]))
    assert flusher._due(100.02) == pytest.approx(100.3)
    flusher._next_show = 0.0
    assert flusher._due(100.02) == pytest.approx(100.11)
    # Where passes are frequent, the next one shows it: one for the eye alone would double them.
    flusher.interval_s = 0.1
    assert flusher._due(100.02) == pytest.approx(100.21)


@pytest.mark.parametrize(("comes_in", "rings"), [(0.11, False), (0.13, True), (math.inf, True)])
def test_a_reading_waits_for_a_pass_that_comes_soon_and_wakes_the_flusher_else(
    made, comes_in, rings
):
    flusher, _, _ = made
    flusher._next = 100.0 + comes_in
    flusher.read()
    assert flusher._rung is rings
    assert flusher._arrival.wait(0) is rings


def test_an_interrupted_ring_is_made_up_for_by_the_next(made, monkeypatch):
    flusher, _, _ = made
    ring = flusher._arrival.ring

    def interrupted():
        monkeypatch.setattr(flusher._arrival, "ring", ring)
        raise KeyboardInterrupt

    monkeypatch.setattr(flusher._arrival, "ring", interrupted)
    with pytest.raises(KeyboardInterrupt):
        flusher.ring()
    flusher.ring()
    assert flusher._arrival.wait(0)


def test_a_start_that_was_interrupted_holds_nobody_up_for_what_is_never_loaded(monkeypatch):
    registry, log = Registry(), Log()
    recorder = Recorder(log, "h0", labelled=lambda: 0, labels=dict)
    recorder.make_writer = lambda: None
    flusher = Flusher(log, list, recorder, Stage(registry, 1.0))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "start_thread", interrupted)
    monkeypatch.setattr(module, "LOADING_S", 3600.0)
    monkeypatch.setattr(module, "STOP_S", 0.1)
    with pytest.raises(KeyboardInterrupt):
        flusher.start()
    assert not flusher.finish()


def test_a_pass_that_is_wanted_besides_comes_when_it_is_wanted(made):
    flusher, _, _ = made
    flusher.interval_s, flusher.besides_s = 0.1, 100.05
    assert flusher._due(100.02) == 100.05
    wanted = []
    flusher.besides = lambda: wanted.append(flusher.besides_s)
    flusher._pass(100.04)
    flusher._pass(100.06)
    flusher._pass(100.07)
    assert wanted == [math.inf]


class Parts(RowCollector):
    """Has so many parts to drain each time."""

    def __init__(self, name, parts, seen):
        super().__init__(name)
        self.parts, self.seen = parts, seen

    def drain(self, log):
        self.seen.append((self.name, self.parts))
        self.parts -= self.parts > 0
        return self.parts > 0


def test_while_many_values_are_drained_no_other_collector_is_left_waiting(made):
    flusher, _, _ = made
    seen = []
    flusher._collectors = lambda: [Parts("few", 0, seen), many]
    flusher._recorder.take = lambda: seen.append("taken")
    many = Parts("many", 3, seen)

    flusher._pass(100.0)

    # Each in its turn, and each time the recorder takes what has come of it.
    assert seen == [
        ("few", 0), ("many", 3), "taken",
        ("few", 0), ("many", 2), "taken",
        ("few", 0), ("many", 1), "taken",
    ]  # fmt: skip


def test_a_collector_that_fails_costs_no_other_its_rows_and_is_told_of(made, caplog):
    class Fails(RowCollector):
        def drain(self, log):
            raise RuntimeError("no values today")

    flusher, log, _ = made
    good = RowCollector("good")
    flusher._collectors = lambda: [Fails("bad"), good]
    cursor = log.cursor()
    for number in (1.0, 2.0):
        good.add(Rows.of([0], [1], [number]))
        flusher._pass(100.0)

    assert cursor.take().value.tolist() == [1.0, 2.0]
    assert (
        "bad had could not be taken, 2 times: RuntimeError: no values today"
        in (flusher._recorder.state(None)["problem"])
    )
    assert len(caplog.records) == 1


def test_what_a_collector_finishes_late_is_still_taken(made):
    class Late(RowCollector):
        def finish(self):
            self.add(Rows.of([0], [1], [7.0]))
            return False

    flusher, log, _ = made
    flusher._collectors = lambda: [late]
    late, cursor = Late("late"), log.cursor()

    flusher._ending = True
    flusher._run()

    assert cursor.take().value.tolist() == [7.0]

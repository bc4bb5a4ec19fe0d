import numpy as np
import pytest

from pulse_widgets.series import stage as stages
from pulse_widgets.series.facts import row_of_facts
from pulse_widgets.series.header import NO_EVENTS
from pulse_widgets.series.history import Sketch
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.stage import Stage

START_US = 1_760_000_000_000_000


@pytest.fixture
def stage():
    registry = Registry()
    for gpu in range(3):
        registry.add("h0", f"gpu:{gpu}", "gpu.power", unit="W")
    made = Stage(registry, 1.0)
    for second in range(300):
        made.show(tick(second))
    return made


def tick(second):
    return Rows.of([0, 1, 2], [START_US + second * 1_000_000] * 3, [float(second)] * 3)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda stage, _: len(stage.rows([1], 0, 2e9)), id="a zoom"),
        pytest.param(lambda stage, _: stage.screen().high.max(), id="a picture"),
        pytest.param(lambda stage, own: stage.screen_after(own, 4000).screen.high.max(), id="both"),
    ],
)
def test_rows_are_shown_while_another_thread_looks_at_the_past(stage, ask, monkeypatch):
    shown = []

    def while_looking(looks):
        def looking(*args):
            # With the lock held, this would never come back.
            assert not stage._lock.locked()
            stage.show(tick(300 + len(shown)))
            shown.append(1)
            return looks(*args)

        return looking

    own = stage.subscribe()
    monkeypatch.setattr(stages, "find_rows", while_looking(stages.find_rows))
    monkeypatch.setattr(Sketch, "screen", while_looking(Sketch.screen))

    # What came while looking is not in the answer.
    assert ask(stage, own) in {300, 299.0}

    assert shown
    assert len(own.take()[0]) == 3 * len(shown)


def test_a_screen_and_what_waited_are_of_one_moment(stage, monkeypatch):
    own = stage.subscribe()
    stage.show(tick(300))
    screen = Sketch.screen

    def late(sketch):
        stage.show(tick(301))
        return screen(sketch)

    monkeypatch.setattr(Sketch, "screen", late)
    caught = stage.screen_after(own, 4000)

    assert caught.rows.value.tolist() == [300.0] * 3
    assert caught.screen.high.max() == 300.0
    assert np.array_equal(caught.screen.last, [300.0] * 3)
    assert len(caught.whole) == 3 * 301
    assert own.take()[0].value.tolist() == [301.0] * 3


def talking():
    registry = Registry()
    registry.add("h0", "kernel", "log.stdout", kind="text")
    registry.add("h0", "kernel", "cell", kind="span")
    registry.add("h1", "kernel", "cell", kind="span")
    return Stage(registry, 1.0)


def say(stage, series, second, value, text):
    stage.show(Rows.of([series], [second * 1_000_000], [value], text=[text]))


def test_lines_of_text_reach_those_who_asked_and_are_in_no_picture_of_the_past():
    stage = talking()
    asks, silent = stage.subscribe(), stage.subscribe()
    asks.lines = True
    say(stage, 0, 1, np.nan, "one")
    asks.lines = False
    say(stage, 0, 2, np.nan, "two")
    asks.lines = True
    say(stage, 0, 3, np.nan, '{"three": 3}')

    assert asks.take()[1].plain() == {
        "lines": [
            {"series": 0, "time": 1.0, "text": "one"},
            {"series": 0, "time": 3.0, "text": '{"three": 3}'},
        ]
    }
    assert len(silent.take()[1]) == 0
    assert stage.events(100) == NO_EVENTS


def test_lines_that_nobody_takes_are_bounded_by_their_letters(monkeypatch):
    monkeypatch.setattr(stages, "QUEUE_BYTES", 5000)
    stage = talking()
    asks = stage.subscribe()
    asks.lines = True
    for number in range(100):
        say(stage, 0, number, np.nan, f"{number} {'x' * 1000}")

    _, events = asks.take()
    kept = [int(line.text.split()[0]) for line in events.lines]
    assert 0 < len(kept) < 6
    assert kept == list(range(100 - len(kept), 100))


def test_a_late_view_is_told_of_each_span_once_with_its_end_and_its_host():
    stage = talking()
    for series in (1, 2):
        say(stage, series, 1, np.nan, '{"id": "1", "count": 1}')
        say(stage, series, 2, np.nan, '{"id": "2", "count": 2}')
        say(stage, series, 5, 4.0, '{"id": "1", "status": "ok"}')

    spans = stage.events(100).plain()["spans"]

    assert [(s["host"], s["id"], s["start"], s["end"]) for s in spans] == [
        ("h0", "1", 1.0, 5.0),
        ("h1", "1", 1.0, 5.0),
        ("h0", "2", 2.0, None),
        ("h1", "2", 2.0, None),
    ]
    assert spans[0]["facts"] == {"count": 1, "status": "ok"}


def test_a_late_view_is_told_of_the_newest_of_very_many_spans(monkeypatch):
    monkeypatch.setattr(stages, "EVENTS_KEPT", 50)
    stage = talking()
    for number in range(200):
        say(stage, 1, number, np.nan, f'{{"id": "{number}"}}')

    starts = [span.start for span in stage.events(1000).spans]
    assert starts == [float(n) for n in range(150, 200)]
    assert [span.start for span in stage.events(3).spans] == [197.0, 198.0, 199.0]


def test_many_short_spans_do_not_push_a_cell_out_of_what_a_late_view_is_told():
    registry = Registry()
    cell = registry.add("h0", "kernel", "cell", unit="s", kind="span")
    span = registry.add("h0", "kernel", "span", unit="s", kind="span")
    stage = Stage(registry, 1.0)
    stage.show(row_of_facts(cell, START_US, {"id": "1@0", "count": 1}))
    for number in range(3000):
        stage.show(row_of_facts(span, START_US + number, {"id": str(number)}, 0.001))

    told = stage.events(200).spans
    assert [one.facts["count"] for one in told if one.metric == "cell"] == [1]
    assert len([one for one in told if one.metric == "span"]) == 200

import numpy as np
import pytest

from pulse_widgets.series import stage as stages
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

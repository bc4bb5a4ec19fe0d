"""Bars of tqdm become rows by themselves, and tqdm never notices."""

import io
import subprocess
import sys
from types import ModuleType

import pytest
import tqdm
import tqdm.auto
import tqdm.std

import pulse_widgets as pw
from pulse_widgets.collectors.progress import AGAIN_US, BARS
from pulse_widgets.default_session import default
from tests.sessions import fresh

BEFORE = {name: tqdm.std.tqdm.__dict__[name] for name in ("refresh", "close")}


@pytest.fixture(autouse=True)
def _alone():
    fresh()
    yield
    fresh()


def is_as_before():
    return all(tqdm.std.tqdm.__dict__[name] is method for name, method in BEFORE.items())


def bar(*args, **options):
    return tqdm.tqdm(*args, file=io.StringIO(), **options)


def shares():
    """End the session; return name of a bar to its shares."""
    rec = fresh()
    frame = rec.to_pandas()
    frame = frame[frame.metric == "progress"]
    return {
        entity.removeprefix("kernel/bar:"): rows.value.tolist()
        for entity, rows in frame.groupby("entity")
    }


def test_bars_are_rows_while_a_session_runs_and_tqdm_is_left_as_it_was():
    assert list(bar(range(3), desc="before")) == [0, 1, 2]
    pw.log({"x": 1})
    assert not is_as_before()
    assert list(bar(range(4), desc="Train")) == [0, 1, 2, 3]
    assert list(tqdm.auto.tqdm(range(2), file=io.StringIO())) == [0, 1]
    found = shares()
    assert found.keys() == {"Train", "tqdm"}
    assert found["Train"][0] == 0 and found["Train"][-1] == 1
    assert is_as_before()
    assert list(bar(range(2), desc="after")) == [0, 1]
    pw.log({"x": 1})
    assert shares() == {}


def test_what_is_drawn_is_the_same_with_and_without_a_session():
    def drawn():
        out = io.StringIO()
        loop = tqdm.tqdm(
            range(5), desc="x", file=out, bar_format="{desc} {n}/{total} {bar}", ncols=40
        )
        for _ in loop:
            loop.refresh()
        return out.getvalue()

    without = drawn()
    pw.log({"x": 1})
    assert drawn() == without
    assert shares()["x"][-1] == 1


def test_bars_inside_each_other_have_a_name_each_and_the_same_one_again_later():
    pw.log({"x": 1})
    for epoch in bar(range(3), desc="Epoch"):
        for _ in bar(range(2), desc=f"Epoch {epoch}/3: batches", leave=False):
            for _ in bar(range(2)):
                pass
    found = shares()
    assert found.keys() == {"Epoch", "Epoch (2)", "tqdm"}
    assert [one[-1] for one in found.values()] == [1, 1, 1]
    assert found["Epoch (2)"].count(1.0) == 3


def test_a_bar_that_ends_early_stays_where_it_was_and_one_without_a_total_is_none():
    pw.log({"x": 1})
    for one in bar(range(4), desc="early"):
        if one == 1:
            break
    with bar(desc="endless") as endless:
        endless.update(5)
        endless.refresh()
    with bar(total=0, desc="empty"), bar(range(3), desc="off", disable=True) as off:
        off.update(2)
    loop = bar(total=4, desc="manual")
    loop.update(3)
    loop.close()
    loop.close()
    found = shares()
    assert found.keys() == {"early", "manual"}
    assert found["manual"][-1] == 0.75
    assert found["early"][-1] < 1


def test_no_bar_is_looked_at_more_than_five_times_a_second():
    pw.log({"x": 1})
    session = default.session
    with bar(total=10_000, desc="quick", mininterval=0) as loop:
        for _ in range(5000):
            loop.update()
    rec = fresh()
    times, values = rec.select("progress").values()
    gaps = (times[1:] - times[:-1]).astype("int64")
    assert values[-1] == 0.5
    assert all(gap >= AGAIN_US for gap in gaps[:-1])
    assert session.ended


def test_names_with_a_number_each_are_bounded():
    pw.log({"x": 1})
    letters = "abcdefgh"
    for a in letters:
        for b in letters:
            for _ in bar(range(1), desc=a + b):
                pass
    assert len(shares()) == BARS


@pytest.mark.parametrize(
    ("desc", "name"),
    [("Epoch 3/10", "Epoch"), ("epoch=3", "epoch"), ("loss: 0.31", "loss"), ("[2/5] files", "[2/5] files"),
     ("resnet50", "resnet50"), ("3d conv", "3d conv"), ("", "tqdm"), ("Step #12 of 20", "Step")],
)  # fmt: skip
def test_what_counts_in_a_description_is_not_in_the_name(desc, name):
    pw.log({"x": 1})
    for _ in bar(range(1), desc=desc):
        pass
    assert list(shares()) == [name]


def test_a_class_that_others_have_changed_since_is_left_alone():
    pw.log({"x": 1})
    ours = tqdm.std.tqdm.__dict__["refresh"]

    def theirs(self, **options):
        return ours(self, **options)

    tqdm.std.tqdm.refresh = theirs
    try:
        fresh()
        assert tqdm.std.tqdm.__dict__["refresh"] is theirs
        assert list(bar(range(3))) == [0, 1, 2]
    finally:
        tqdm.std.tqdm.refresh = BEFORE["refresh"]
    assert is_as_before()


def test_what_fails_in_a_bar_of_another_make_does_not_reach_the_loop():
    class Odd(tqdm.tqdm):
        @property
        def total(self):
            return self._total

        @total.setter
        def total(self, value):
            self._total = "many"

        def display(self, *args, **options):
            return True

    pw.log({"x": 1})
    with Odd(total=3, file=io.StringIO()) as loop:
        loop.refresh()
    assert shares() == {}


def test_half_loaded_tqdm_is_waited_for(monkeypatch):
    whole = sys.modules["tqdm.std"]
    monkeypatch.setitem(sys.modules, "tqdm.std", ModuleType("tqdm.std"))
    pw.log({"x": 1})
    assert is_as_before()
    sys.modules["tqdm.std"] = whole
    default.session.drain()
    assert not is_as_before()
    assert list(bar(range(2), desc="late")) == [0, 1]
    assert shares()["late"][-1] == 1


def test_nobody_loads_tqdm_for_it():
    code = (
        "import sys, pulse_widgets as pw; pw.log({'x': 1}); pw.stop(); print('tqdm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

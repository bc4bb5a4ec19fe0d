"""A session that is refused, joined, ended twice or forked leaves nothing half done."""

import threading

import pytest

from pulse_widgets.errors import ArgumentError
from pulse_widgets.series.rows import Rows
from pulse_widgets.session.session import HOST
from tests.waiting import until


class Quiet:
    """A source without a reading."""

    caps = None
    missing = {}

    def __init__(self, name):
        self.name = name

    def open(self):
        pass

    def read(self, due):
        return []

    def close(self):
        pass


@pytest.mark.parametrize("value", ["1.0", "1"], ids=["one float", "any other"])
def test_values_logged_while_the_session_stops_go_to_one_session_or_the_next(python, value):
    out = python(
        "warnings.simplefilter('ignore')\n"
        "import pulse_widgets.user as quick, pulse_widgets.collectors.user as other\n"
        "pw.log({'x': 0})\n"
        "first, now_ns = home.default.session, quick.elapsed_ns\n"
        "def late():\n"
        "    quick.elapsed_ns = other.elapsed_ns = now_ns\n"
        "    pw.stop()\n"
        "    return now_ns()\n"
        "quick.elapsed_ns = other.elapsed_ns = late\n"
        f"pw.log({{'x': {value}}})\n"
        "rec = pw.stop()\n"
        "print(rec.select('x').values()[1].tolist(), len(first.user), quick.elapsed_ns is now_ns)\n"
    )
    assert out == "[1.0] 0 True\n"


@pytest.mark.slow
def test_a_stop_that_was_interrupted_is_completed_by_the_next(python):
    out = python(
        "mon = pw.monitor(sources='system'); time.sleep(0.5)\n"
        "cells = home.default.session.cells\n"
        "stop = cells.stop\n"
        "def interrupted():\n"
        "    cells.stop = stop\n"
        "    raise KeyboardInterrupt\n"
        "cells.stop = interrupted\n"
        "try: pw.stop()\n"
        "except KeyboardInterrupt: pass\n"
        "rec = pw.stop()\n"
        "print(len(rec.series) > 10, rec is pw.stop())\n"
        "time.sleep(1)\n"
        "print([t.name for t in threading.enumerate()])\n"
    )
    assert out == "True True\n['MainThread']\n"


def test_a_monitor_that_was_refused_leaves_no_session(python):
    out = python(
        "try: pw.monitor(gpus=3.5)\n"
        "except pw.PulseError: print(home.default.session)\n"
        "pw.monitor(gpus='none')\n"
    )
    assert out == "None\n"


def test_a_monitor_whose_scripts_are_missing_leaves_no_session_running(python):
    out = python(
        "import pathlib, pulse_widgets.widgets.feed as feed\n"
        "whole, feed.files = feed.files, lambda package: pathlib.Path('/nowhere')\n"
        "try: pw.monitor('system')\n"
        "except pw.PulseError as error: print(error)\n"
        "print(home.default.session, [t.name for t in threading.enumerate()])\n"
        "feed.files = whole\n"
        "mon = pw.monitor('system')\n"
        "print(home.default.session.running, mon.stop() is not None)\n"
    )
    first, remedy, after, again = out.splitlines()
    assert "is not part of this installation" in first
    assert "Node" in remedy
    assert (after, again) == ("None ['MainThread']", "True True")


def test_a_monitor_decides_how_a_session_of_user_metrics_reads(python):
    out = python(
        "pw.log({'loss': 1})\n"
        "pw.monitor('system', interval=5, gpus='none')\n"
        "session = home.default.session\n"
        "print(session.interval_s, session.settings.gpus, session.samplers['system'].interval_s)\n"
    )
    assert out == "5.0 none 5.0\n"


def test_sources_of_one_name_are_refused(session):
    with pytest.raises(ArgumentError, match="Two sources are called 'mine'"):
        session.add_sources([Quiet("mine"), Quiet("mine")])
    session.stop()
    assert not [t for t in threading.enumerate() if t.name == "pulse-mine"]


def test_a_mark_that_is_no_number_of_json_does_not_end_the_feed(session):
    following = session.subscribe()
    session.mark(float("nan"))
    assert following.arrived.wait(5)
    until(lambda: any(one.facts.get("label") == "nan" for one in session.stage.events(10).moments))


def test_a_program_without_ipython_does_not_load_it(python):
    out = python("import sys\npw.log({'loss': 1})\nprint('IPython' in sys.modules)\n")
    assert out == "False\n"


def test_two_processes_that_start_at_once_record_to_places_of_their_own(python):
    out = python(
        "from pulse_widgets.library import destination\n"
        "free, taken = destination._free, []\n"
        "def faster(home, name):\n"
        "    found = free(home, name)\n"
        "    if not taken: taken.append(found); found.mkdir()\n"
        "    return found\n"
        "destination._free = faster\n"
        "pw.log({'loss': 1}); rec = pw.stop()\n"
        "print(rec.path == taken[0], rec.path.parent == taken[0].parent)\n"
    )
    assert out == "False True\n"


def test_a_session_that_is_over_keeps_no_rows_once_another_runs(python):
    out = python(
        "warnings.simplefilter('ignore')\n"
        "pw.log({'loss': 1})\n"
        "first = home.default.session\n"
        "loss = first.registry.find('h0', 'user', 'loss')\n"
        "pw.stop()\n"
        "print(len(first.stage.rows([loss], 0, 2e9)))\n"
        "pw.log({'loss': 2})\n"
        "print(len(first.stage.rows([loss], 0, 2e9)), len(first.stage.screen().edges) > 1)\n"
    )
    assert out == "1\n0 True\n"


def test_cells_and_events_take_no_room_in_a_picture(session):
    for number in range(50):
        series = session.registry.add(HOST, f"kernel:{number}", "cell", unit="s", kind="span")
        session.log.append(Rows.of([series], [session.clock.now_us()], [1.0], text=["{}"]))
    session.user.log({"late": 1.0}, None)
    late = session.registry.find(HOST, "user", "late")
    until(lambda: late in session.stage.screen().ids)
    session.stop()

    names = {session.registry[int(number)].entity for number in session.stage.screen().ids}
    assert "user" in names
    assert not [name for name in names if name.startswith("kernel:")]


def test_an_old_view_stops_its_own_session_alone(python):
    out = python(
        "first = pw.monitor('system'); time.sleep(0.3); one = first.stop()\n"
        "second = pw.monitor('system'); time.sleep(0.3)\n"
        "again = first.stop()\n"
        "print(again is one, first.recording is one, home.default.session.running)\n"
        "print(second.stop().path != one.path)\n"
    )
    assert out == "True True True\nTrue\n"


def test_a_picture_that_cannot_be_drawn_does_not_bar_the_next_session(python):
    out = python(
        "mon = pw.monitor('system'); time.sleep(0.3)\n"
        "def broken(*_): raise RuntimeError('no picture')\n"
        "mon._hub.finish = broken\n"
        "try: mon.stop()\n"
        "except RuntimeError as error: print(error)\n"
        "print(mon.stop() is not None, pw.monitor('system').stop() is not None)\n"
    )
    assert out == "no picture\nTrue True\n"


def test_a_source_added_while_another_thread_stops_ends_by_itself(session):
    session.stop()
    session.add_sources([Quiet("late")])
    assert session.samplers["late"].join(5)


def test_a_view_in_a_forked_child_stops_nothing_of_its_parent(python):
    out = python(
        "import os\n"
        "mon = pw.monitor('system'); time.sleep(0.3)\n"
        "child = os.fork()\n"
        "if not child: os._exit(0 if mon.stop() is None else 1)\n"
        "print(os.waitpid(child, 0)[1], mon.stop() is not None)\n"
    )
    assert out == "0 True\n"

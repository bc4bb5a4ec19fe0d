"""A page that speaks on a subshell while a cell runs."""

import pytest

from tests.link.cells import LOOPS, busy
from tests.link.page import Page

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]
WATCH = "import pulse_widgets as pw\nmon = pw.monitor('system', interval=0.2)\nmon"
MANY = 3
"""Frames that a thread of ours has published before the page speaks."""


def ask_everything(wire, tmp_path):
    """Ask for all that a page asks for; each is answered."""
    before = len(wire.packets("keyframe"))
    wire.tell(kind="hello")
    wire.wait(lambda: len(wire.packets("keyframe")) > before)
    ids = wire.packets("keyframe")[-1].header["ids"]
    wire.tell(kind="range", request=77, ids=ids[:3], t0=0.0, t1=4e9, points=100)
    wire.wait(lambda: [p for p in wire.packets("rows") if p.header["request"] == 77])
    assert wire.do("mark", label="here")["kind"] == "done"
    assert wire.do("save", path=str(tmp_path / "saved"))["kind"] == "done"
    listed = wire.do("recordings")["result"]["recordings"]
    assert [one["state"] for one in listed].count("running") == 1


@pytest.mark.parametrize("how", LOOPS)
def test_a_page_is_answered_within_the_cell_that_runs(page, tmp_path, how):
    page.kernel.run(WATCH)
    wire = page.open()
    wire.more("frame")

    with busy(page.kernel, tmp_path / "flag", how) as still:
        wire.more("frame", MANY)
        ask_everything(wire, tmp_path)
        wire.more("frame", 3)
        assert wire.do("mark", label="there")["kind"] == "done"
        # One that comes while the cell runs, as after a reload.
        other = Page(page.kernel)
        assert other.is_here()
        late = other.open()
        late.wait(lambda: late.packets("keyframe"))
        late.more("frame", 3)
        assert late.do("mark", label="late")["kind"] == "done"
        assert wire.do("stop")["result"]["path"]
        late.wait_status(lambda session: not session["running"])
        assert still()

    assert not page.kernel.of("stream")
    assert not page.kernel.of("error")


def test_a_session_begins_beside_a_cell_that_runs(page, tmp_path):
    wire = page.open()
    with busy(page.kernel, tmp_path / "flag", "computing") as still:
        assert wire.do("start", interval=0.2, gpus="none")["kind"] == "done"
        wire.more("frame", 3)
        number = page.kernel.of("execute_input")[-1]["content"]["execution_count"]
        # The cell that ran already is the one that the kernel is busy with.
        states = [p.header["state"] for p in wire.packets("keyframe")]
        assert states[-1]["kernel"] == {"busy": True, "cell": number}
        assert still()
    wire.wait(lambda: not states_of(wire)[-1]["kernel"]["busy"])


def states_of(wire):
    return [p.header["state"] for p in wire.packets() if "state" in p.header]


PRINTING = """
import threading
def talk():
    n = 0
    while not os.path.exists(FLAG):
        print("line", n := n + 1, flush=True)
        time.sleep(0.01)
talking = threading.Thread(target=talk)
talking.start()
"""
HEARING = """
import threading
heard = []
for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
    get_ipython().events.register(
        event, lambda *_: heard.append(threading.current_thread() is threading.main_thread())
    )
"""


def more_lines(running):
    """Wait until threads have printed more."""
    lines = len(running.of("stream"))
    running.wait_until(lambda: len(running.of("stream")) >= lines + 3)


def told_in_cell(running):
    """Of each text, whether it was told as one of the first cell since."""
    cell = running.of("execute_input")[0]["parent_header"]["msg_id"]
    return [m["parent_header"]["msg_id"] == cell for m in running.of("stream")]


def test_a_page_of_a_kernel_that_is_not_loaded_leaves_the_cell_that_runs_alone(kernel, tmp_path):
    running = kernel()
    page = Page(running)
    running.run(HEARING)
    running.published.clear()
    with busy(running, tmp_path / "flag", "sleeping", PRINTING) as still:
        for _ in range(10):
            assert not page.is_here()
            more_lines(running)
        request = page.ask_to_register(aside=False)
        more_lines(running)
        assert still()
    assert page.reply_to(request)["status"] == "ok"
    assert page.is_here()

    assert all(told_in_cell(running))
    assert all(eval(running.run("print(heard)")))
    page.open().close()


@pytest.mark.parametrize("registered", ["before", "within the cell"])
def test_a_page_draws_no_output_away_from_the_cell_that_runs(kernel, tmp_path, registered):
    running = kernel()
    page = Page(running)
    if registered == "before":
        page.register()
    running.run(HEARING)
    running.published.clear()
    with busy(running, tmp_path / "flag", "sleeping", PRINTING):
        if registered != "before":
            page.register()
        wire = page.open()
        for _ in range(10):
            wire.tell(kind="seen")
            assert wire.do("mark", label="x")["kind"] == "failed"
            more_lines(running)
        wire.close()
    told = told_in_cell(running)

    # One may slip through while a message is being taken in.
    assert len(told) >= 30
    assert sum(told) >= 0.8 * len(told)
    heard = eval(running.run("print(heard)"))
    # Nothing says that a cell was run but cells, and `register` itself.
    assert heard.count(False) == (0 if registered == "before" else 1)


WAYS = {
    "it is too late to close": lambda page, wire: page.leave(),
    "it closes just before": lambda page, wire: (wire.close(), page.leave()),
    "it closes just after": lambda page, wire: (page.leave(), wire.close()),
    "it crashes": lambda page, wire: None,
}
"""What a kernel hears of a page that is reloaded."""
LATER = """
import pulse_widgets.link.links as links
for link in links._links: link._line.heard_s -= 1000.0
"""
LEFT = """
import time
import pulse_widgets.link as link
from pulse_widgets.default_session import default
def left():
    comms = list(get_ipython().kernel.comm_manager.comms.values())
    ours = [one for one in comms if one.target_name == link.TARGET]
    return len(ours), len(links._links), len(default.run.stream()._transports)
for _ in range(500):
    if left() == (2, 2, 3): break
    time.sleep(0.02)
assert left() == (2, 2, 3), left()
"""
"""That page and the one beside it; the session has a feed, too."""


@pytest.mark.parametrize("way", WAYS)
def test_pages_that_were_reloaded_leave_nothing_behind(page, way):
    running = page.kernel
    running.run(WATCH)
    beside = page.open()
    gone = [Page(running) for _ in range(20)]
    for one in gone:
        WAYS[way](one, one.open())
    running.run(LATER)
    beside.tell(kind="hello")
    beside.more("keyframe")

    last = Page(running)
    last.open().more("frame", 2)

    running.run(LEFT)
    beside.more("frame", 2)
    for one in [last, *(gone if way == "it crashes" else [])]:
        one.leave()


ROUNDS = 200
COUNT = """
import gc, threading, pulse_widgets.link.links as links
from pulse_widgets.default_session import default
def count():
    gc.collect()
    kinds = {"Link", "Line", "Live", "Carrier", "Replayed", "RecordingProvider"}
    ours = [type(o).__name__ for o in gc.get_objects() if type(o).__name__ in kinds]
    return {
        "comms": len(get_ipython().kernel.comm_manager.comms),
        "threads": sorted(t.name for t in threading.enumerate() if t.name.startswith("pulse-") and t.name != "pulse-load"),
        "links": len(links._links),
        "ours": sorted(ours),
        "followed": len(default.run.stream()._transports),
    }
import time
for _ in range(200):
    # A thread that has just answered still holds what it answered for.
    before = count()
    if not before["ours"]: break
    time.sleep(0.02)
"""


def test_opening_and_closing_leaves_nothing_behind(page, tmp_path):
    running = page.kernel
    running.run(WATCH)
    wire = page.open()
    saved = wire.do("save", path=str(tmp_path / "saved"))["result"]["path"]
    wire.close()
    running.run(COUNT)
    for number in range(ROUNDS):
        # Every tenth is of a recording; half of them are closed before they are answered.
        one = page.open(replay=saved if number % 10 == 0 else None, wait=number % 2)
        if number % 3:
            one.wait(lambda one=one: one.packets())
        one.close()

    running.run(
        "import time\n"
        "for _ in range(50):\n"
        "    if count() == before: break\n"
        "    time.sleep(0.02)\n"
        "assert count() == before, (before, count())"
    )

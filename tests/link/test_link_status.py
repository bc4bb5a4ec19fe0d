"""What the kernel says of itself, as a page shows it, while a page speaks beside a cell."""

from collections import Counter

import pytest

from tests.link.cells import LOOPS, busy, served, states
from tests.link.page import Page

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]


def shown_at_rest(page):
    """Return what is shown after all that the kernel had to say."""
    # Asking is passed over: its own `idle` would hide what is shown.
    asked = [page.send("execute_request", code="", silent=True) for _ in range(3)]
    for request in asked:
        served(page.kernel, request)
    page.kernel.wait_until(lambda: states(page.kernel, asked)[-1] == "idle")
    return states(page.kernel, asked)[-1]


def everything(page, wire):
    """Give a function for each kind of message of ours; it sends one and returns its id."""
    said = {
        "seen": {"kind": "seen"},
        "rest": {"kind": "rest"},
        "hello": {"kind": "hello"},
        "mark": {"kind": "do", "id": 9, "action": "mark", "options": {"label": "x"}},
        "list": {"kind": "do", "id": 8, "action": "recordings", "options": {}},
        "nothing we know": {"kind": "?"},
    }
    tell = lambda comm, data: lambda: page.send("comm_msg", comm_id=comm, data=data)  # noqa: E731
    return {
        "register": lambda: page.send(
            "execute_request",
            code="",
            silent=True,
            user_expressions={"v": "__import__('pulse_widgets.link').link.register()"},
        ),
        "open": lambda: page.send(
            "comm_open", comm_id="late", target_name="pulse_widgets", data={"version": 1}
        ),
        **{name: tell(wire.id, data) for name, data in said.items()},
        "close": lambda: page.send("comm_close", comm_id="late", data={}),
    }


@pytest.mark.parametrize("monitored", ["before", "within the cell"])
@pytest.mark.parametrize("how", LOOPS)
def test_the_kernel_is_shown_busy_as_long_as_a_cell_runs(kernel, tmp_path, how, monitored):
    running = kernel()
    watch = "import pulse_widgets as pw\nmon = pw.monitor('system', interval=0.2)\nmon"
    if monitored == "before":
        running.run(watch)
        running.published.clear()
    with busy(running, tmp_path / "flag", how) as still:
        page = Page(running)
        page.register()
        wire = page.open()
        if monitored != "before":
            assert wire.do("start", interval=0.2, gpus="none")["kind"] == "done"
        for send in everything(page, wire).values():
            served(running, send())
            running.wait_until(lambda: states(running)[-1] == "busy", 5)
            assert still()
    assert shown_at_rest(page) == "idle"
    page.leave()


DELAYED = """
import threading, time
from pulse_widgets.busy import message_of_main_shell
session = get_ipython().kernel.session
send, held = session.send, []
def late(*given, **named):
    beside = threading.current_thread().name.startswith("subshell")
    parent = named.get("parent")
    if beside and not held and {"execution_state": "busy"} in given:
        if parent["header"].get("subshell_id") is None:
            held.append(parent)
            until(parent)
    return send(*given, **named)
def ended(parent):
    while message_of_main_shell() is parent:
        time.sleep(0.001)
    time.sleep(0.05)
def followed(parent):
    while message_of_main_shell() in (None, parent):
        time.sleep(0.001)
session.send = late
"""
"""Has our ``busy`` come too late, by a whole cell."""
UNTIL_HELD = "while not held: time.sleep(0.001)"


def test_a_cell_that_ends_meanwhile_leaves_the_kernel_idle(page):
    running = page.kernel
    wire = page.open()
    running.run(DELAYED + "until = ended")
    try:
        ask_in_a_cell(wire, UNTIL_HELD)
        assert shown_at_rest(page) == "idle"
        assert running.run("print(len(held))") == "1\n"
    finally:
        running.run("session.send = send")


def test_a_cell_that_follows_meanwhile_is_shown_busy(page, tmp_path):
    running = page.kernel
    wire = page.open()
    running.run(DELAYED + "until = followed")
    try:
        ask_in_a_cell(wire, UNTIL_HELD, wait=False)
        with busy(running, tmp_path / "flag", "sleeping") as still:
            first = running.of("execute_input")[-2]["parent_header"]["msg_id"]
            told = lambda: Counter(states_of(running, first))  # noqa: E731
            running.wait_until(lambda: told() == {"busy": 2, "idle": 2})
            running.wait_until(lambda: states(running)[-1] == "busy", 5)
            assert still()
        assert shown_at_rest(page) == "idle"
    finally:
        running.run("session.send = send")


def states_of(kernel, request):
    return [
        message["content"]["execution_state"]
        for message in kernel.of("status")
        if message["parent_header"].get("msg_id") == request
    ]


def ask_in_a_cell(wire, code, *, wait=True):
    """Run a cell, and say something to it."""
    running = wire.page.kernel
    begun = len(running.of("execute_input"))
    request = running.client.execute(f"import time\n{code}")
    running.wait_until(lambda: len(running.of("execute_input")) > begun)
    wire.tell(kind="seen")
    if wait:
        running.wait_for(request)
    return request


CELLS = 50


def test_short_cells_are_shown_busy_and_then_idle(page, tmp_path):
    running = page.kernel
    wire = page.open()
    for number in range(CELLS):
        code = ["time.sleep({})", "sum(range(int({} * 1e7)))"][number % 2]
        ask_in_a_cell(wire, code.format(number % 7 * 0.005))
        assert shown_at_rest(page) == "idle"

    # One after the other, and the page speaks all the while.
    requests = [running.client.execute("time.sleep(0.01)") for _ in range(CELLS)]
    for request in requests:
        wire.tell(kind="seen")
        running.wait_for(request)
    with busy(running, tmp_path / "flag", "computing") as still:
        wire.tell(kind="seen")
        running.wait_until(lambda: states(running)[-1] == "busy", 5)
        assert still()
    assert shown_at_rest(page) == "idle"


def test_messages_in_a_row_are_put_right_together(page, tmp_path):
    running = page.kernel
    wire = page.open()
    with busy(running, tmp_path / "flag", "sleeping"):
        cell = running.of("execute_input")[-1]["parent_header"]["msg_id"]
        sent = [page.send("comm_msg", comm_id=wire.id, data={"kind": "seen"}) for _ in range(100)]
        served(running, sent[-1])
        running.wait_until(lambda: states(running)[-1] == "busy", 5)
        assert Counter(states_of(running, cell))["busy"] < len(sent) / 2

"""What programs that run notebooks keep of our models: neither code nor paths nor lines of cells."""

import base64
import json

import nbclient
import nbformat
import pytest

from pulse_widgets.series.wire import decode
from tests.kernels import kernels

STATE = "application/vnd.jupyter.widget-state+json"
REPLAY = "application/vnd.pulse.replay+json"
SOURCE = "token = 'SECRET-IN-A-CELL'"
MOST_BYTES = 60_000
SOON = "import pulse_widgets.session.sender as sender\nsender.SNAPSHOT_S = 0.2\n"


@pytest.fixture
def kernel(tmp_path):
    with kernels(tmp_path) as start:
        yield start


def snapshots(models):
    """Return the decoded snapshots in saved models."""
    buffers = [
        base64.b64decode(buffer["data"])
        for model in models.values()
        for buffer in model.get("buffers", [])
        if buffer["path"] == ["snapshot"]
    ]
    return [decode(buffer) for buffer in buffers]


def assert_tells_nothing(packet, home):
    """Assert that neither a path nor a line of a cell is in a packet."""
    text = json.dumps(packet.header)
    assert str(home) not in text
    assert "SECRET" not in text
    assert "/" not in packet.header["state"]["recording"]["path"]
    assert packet.header["series"]


@pytest.mark.slow
@pytest.mark.parametrize("views", ["mon", "mon.view('strip'); display(mon, mon.view('charts'))"])
def test_a_notebook_that_a_program_ran_holds_neither_code_nor_paths_and_is_small(views, tmp_path):
    sources = (
        f"import pulse_widgets as pw\nmon = pw.monitor(sources='system')\n{views}",
        f"{SOURCE}\nimport time; time.sleep(5)",
        "rec = mon.stop(); assert rec is not None",
        "mon",
    )
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    done = nbclient.NotebookClient(written, timeout=120, kernel_name="python3").execute()

    models = done.metadata["widgets"][STATE]["state"]
    states = [model["state"] for model in models.values()]
    home = tmp_path / "pulse-home"
    (last,) = snapshots(models)
    assert [state["code"] for state in states if "code" in state] == [""]
    assert_tells_nothing(last, home)
    assert last.header["state"]["phase"] == "stopped"
    # The size of the finished file, and not of the journal that it was made of.
    name = last.header["state"]["recording"]["path"].removesuffix(".pulse")
    (file,) = home.rglob(f"{name}.pulse.parquet")
    saved = [output.data[REPLAY]["keyframe"] for cell in done.cells for output in cell.outputs
             if REPLAY in output.get("data", {})]  # fmt: skip
    packets = [last, *(decode(base64.b64decode(text)) for text in saved)]
    sizes = {packet.header["state"]["recording"]["bytes"] for packet in packets}
    assert len(packets) > 2
    assert sizes == {file.stat().st_size}
    for cell in done.cells:
        cell.source = ""
    assert str(home) not in nbformat.writes(done)
    assert "SECRET" not in nbformat.writes(done)
    if views == "mon":
        assert set(done.cells.pop().outputs[0].data) == {REPLAY, "text/html", "text/plain"}
        assert len(nbformat.writes(done)) < MOST_BYTES


@pytest.mark.slow
def test_what_is_kept_while_a_session_runs_holds_neither_paths_nor_lines_of_cells(kernel, tmp_path):
    running = kernel()
    running.run(f"{SOON}import pulse_widgets as pw, time\nmon = pw.monitor('system')\nmon")

    def kept():
        messages = [*running.of("comm_open"), *running.of("comm_msg")]
        return [
            decode(bytes(buffer))
            for message in messages
            for path, buffer in zip(
                message["content"]["data"].get("buffer_paths") or [],
                message["buffers"],
                strict=False,
            )
            if path == ["snapshot"] and len(buffer)
        ]

    running.run(f"{SOURCE}\ntime.sleep(4)")
    running.wait_until(lambda: len(kept()) >= 2)

    for packet in kept():
        assert_tells_nothing(packet, tmp_path)
        assert packet.header["state"]["phase"] == "running"
    told = running.packets("keyframe")[-1].header
    assert str(tmp_path) in told["state"]["recording"]["path"]


RECORDED = (
    "import pulse_widgets as pw, time\nmon = pw.monitor('system')\n"
    "for i in range(20): pw.log({f'm{k}': float(i + k) for k in range(900)}, step=i)\n"
    "rec = mon.stop()"
)


def whole(packet):
    """Return whether every metric that was logged is in a packet."""
    return {f"m{k}" for k in range(900)} <= {series["metric"] for series in packet.header["series"]}


@pytest.mark.slow
def test_a_replay_keeps_a_small_snapshot_and_sends_the_whole_to_a_page_that_is_not_heard(
    kernel, tmp_path
):
    running = kernel()
    running.run(f"{SOURCE}\n{RECORDED}")
    running.published.clear()
    running.run("import os, pulse_widgets.widgets.hub as hub\nhub.UNASKED_S = (0.0, 0.0)")
    # The kernel is busy until all has come.
    free = tmp_path / "free"
    request = running.client.execute(
        f"display(pw.replay(rec))\nwhile not os.path.exists({str(free)!r}): time.sleep(0.01)\n"
    )
    running.wait_until(lambda: len(running.packets("keyframe")) == 2)
    free.touch()
    running.wait_for(request)

    ((content, buffers),) = [
        (message["content"]["data"], message["buffers"])
        for message in running.of("comm_open")
        if "code_hash" in message["content"]["data"].get("state", {})
    ]
    kept = bytes(buffers[content["buffer_paths"].index(["snapshot"])])
    assert len(kept) <= 16_000
    assert_tells_nothing(decode(kept), tmp_path)
    assert not whole(decode(kept))
    assert [whole(packet) for packet in running.packets("keyframe")] == [True, True]


@pytest.mark.slow
def test_a_replay_whose_page_asks_sends_the_whole_once(kernel):
    running = kernel()
    running.run(f"{RECORDED}\nimport threading, pulse_widgets.widgets.hub as hub")
    running.published.clear()
    running.run("hub.UNASKED_S = (60.0, 60.0)\npw.replay(rec)")

    running.tell_feed(kind="hello")
    running.wait_until(lambda: running.packets("keyframe"))
    running.run(
        "while any(t.name == 'pulse-replay' for t in threading.enumerate()): time.sleep(0.01)"
    )

    assert [whole(packet) for packet in running.packets("keyframe")] == [True]


@pytest.mark.slow
def test_a_page_gets_the_code_of_a_session_that_is_over_when_it_asks(kernel):
    running = kernel()
    running.run("import pulse_widgets as pw\nmon = pw.monitor('system')\nmon")
    running.run("rec = mon.stop()")

    running.tell_feed(kind="code")
    running.tell_feed(kind="hello")

    def said():
        contents = [m["content"]["data"].get("content", {}) for m in running.of("comm_msg")]
        return [content["code"] for content in contents if content.get("kind") == "code"]

    running.wait_until(said)
    (opened,) = [
        message["content"]["data"]["state"]
        for message in running.of("comm_open")
        if "code_hash" in message["content"]["data"].get("state", {})
    ]
    assert said() == [opened["code"]]
    running.wait_until(
        lambda: running.packets("keyframe")[-1].header["state"]["phase"] == "stopped"
    )

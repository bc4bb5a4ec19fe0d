"""The session of a kernel as the JupyterLab extension hears of it, from real kernels."""

import subprocess
import sys

import numpy as np
import pytest

from tests.link.page import REGISTER, Page
from tests.test_kernel import columns, values_of

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]
WATCH = "mon = pw.monitor('system', interval=0.2)\nmon"
START = "import pulse_widgets as pw, time, threading\n"


def series(packets):
    return [one for packet in packets for one in packet.header.get("series", [])]


def metrics(packets):
    return {one["metric"] for one in series(packets)}


def begins(keyframe):
    return np.frombuffer(keyframe.body, "<f8", 1)[0]


def test_registering_says_what_is_there_and_leaves_nothing_in_the_notebook(kernel):
    running = kernel()
    page = Page(running)
    before = running.run("print(sorted(globals()))")
    assert not page.is_here()

    for _ in range(2):
        told = page.register()
        assert told == {"state": "ready", "version": 1, "package": told["package"]}
    assert page.is_here()

    after = running.run("print(sorted(globals()))")
    assert set(eval(after)) - set(eval(before)) <= {"_i1", "_i2", "_ii", "_iii"}  # noqa: S307
    assert running.run("print(In)") .count("register") == 0
    assert not running.of("comm_open")


def test_a_kernel_in_which_the_package_is_used_need_not_be_registered_with(kernel):
    running = kernel()
    page = Page(running)
    running.run(START + "pw.log({'loss': 1.0})\nimport sys\n")
    running.run("while 'pulse_widgets.link.here' not in sys.modules: time.sleep(0.02)")

    assert page.is_here()


def test_without_a_kernel_registering_says_so_and_loads_next_to_nothing():
    code = (
        f"import sys\nprint({REGISTER})\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & "
        "{'numpy', 'pandas', 'pyarrow', 'IPython', 'ipywidgets', 'anywidget', 'comm'}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout

    assert '"state": "no kernel"' in out
    assert out.splitlines()[1:] == [""]


def test_a_session_is_started_marked_and_stopped_without_a_cell(page, tmp_path):
    wire = page.open()
    assert wire.wait_status(lambda session: session is None) is None
    assert not wire.packets()

    assert wire.do("start", title="by hand", interval=0.2, gpus="none")["result"] is None
    session = wire.wait_status(lambda session: session and session["path"])
    assert (session["running"], session["title"], session["feed"]) == (True, "by hand", None)
    wire.more("frame", 3)
    assert "memory.used" in metrics(wire.packets("keyframe"))
    assert wire.do("mark", label="here")["kind"] == "done"
    wire.wait(lambda: any(p.header.get("moments") for p in wire.packets()))
    saved = wire.do("save", path=str(tmp_path / "copy"))["result"]
    assert saved["path"] == str(tmp_path / "copy.pulse.parquet")
    assert saved["bytes"] == (tmp_path / "copy.pulse.parquet").stat().st_size
    stopped = wire.do("stop")["result"]
    session = wire.wait_status(lambda session: not session["running"])

    assert session["path"] == stopped["path"]
    assert stopped["path"].endswith(".pulse.parquet")
    wire.wait(lambda: wire.packets("keyframe")[-1].header["state"]["phase"] == "stopped")
    assert {m["content"]["data"]["stream"] for m in wire.heard("packet")} == {1}
    # No widget was made for it, and no cell was counted.
    assert not page.kernel.of("comm_open")
    states = [p.header["state"]["kernel"] for p in wire.packets() if "state" in p.header]
    assert {(one["busy"], one["cell"]) for one in states} == {(False, None)}

    wire.do("start", interval=0.2)
    wire.wait(lambda: wire.packets(stream=2))
    keyframe = wire.wait(lambda: wire.packets("keyframe", stream=2))[0]
    assert keyframe.header["moments"] == []
    assert not page.kernel.of("stream")


def test_cells_that_follow_a_start_by_hand_have_their_numbers(page):
    wire = page.open()
    page.kernel.run("1")
    wire.do("start", interval=0.2, gpus="none")
    page.kernel.run("'first'")
    page.kernel.run("'second'")
    path = wire.do("stop")["result"]["path"]

    told = page.kernel.run(
        f"import pulse_widgets as pw\nc = pw.Recording.open({path!r}).cells()\n"
        "print([(int(n), line) for n, line in zip(c['cell'], c['line'])])"
    )
    assert told.strip() == """[(2, "'first'"), (3, "'second'")]"""


def test_a_session_that_a_cell_starts_is_heard_of_with_its_feed(page):
    wire = page.open()
    page.kernel.run(START + WATCH)

    session = wire.wait_status(lambda session: session and session["feed"])
    assert session["feed"] == page.kernel.feed_id()
    wire.more("frame", 5)
    page.kernel.wait_until(lambda: len(page.kernel.packets("frame")) >= 8)
    in_cell = {p.header["seq"]: p.body for p in page.kernel.packets("frame")}
    here = {p.header["seq"]: p.body for p in wire.packets("frame")}
    both = in_cell.keys() & here.keys()
    assert len(both) >= 4
    assert all(in_cell[seq] == here[seq] for seq in both)
    page.kernel.run("mon.stop()")
    wire.wait_status(lambda session: not session["running"])


def test_a_cell_that_shows_what_the_panel_started_has_all_of_it(page):
    wire = page.open()
    wire.do("start", interval=0.2, gpus="none")
    wire.more("frame", 5)
    page.kernel.run(START + "mon = pw.monitor()\nmon")

    session = wire.wait_status(lambda session: session["feed"])
    assert session["feed"] == page.kernel.feed_id()
    kept = [
        decoded
        for message in page.kernel.of("comm_msg")
        if message["content"]["comm_id"] == session["feed"]
        for decoded in snapshots_in(message)
    ]
    assert kept
    assert begins(kept[0]) <= min(map(begins, wire.packets("keyframe")))
    page.kernel.wait_until(lambda: len(page.kernel.packets("frame")) >= 5)
    seqs = [p.header["seq"] for p in page.kernel.packets("frame")]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    # What the snapshot holds is not sent again, and what it does not is.
    assert seqs[0] == kept[0].header["seq"] + 1


def snapshots_in(message):
    from pulse_widgets.series.wire import decode

    data = message["content"]["data"]
    paths = data.get("buffer_paths") or []
    if data.get("method") != "update" or ["snapshot"] not in paths:
        return []
    return [decode(bytes(message["buffers"][paths.index(["snapshot"])]))]


def test_a_session_of_logged_values_alone_counts(page):
    wire = page.open()
    page.kernel.run(START + "for i in range(20): pw.log({'loss': float(i)}, step=i)")

    session = wire.wait_status(lambda session: session and session["path"])
    assert (session["running"], session["feed"]) == (True, None)
    keyframe = wire.wait(lambda: wire.packets("keyframe"))[-1]
    page.kernel.run("pw.log({'loss': 100.0})")
    wire.wait(lambda: 100.0 in values_of(wire.packets(), "loss"))
    assert "memory.used" not in metrics(wire.packets())
    wire.do("start", interval=0.2, gpus="none")
    wire.wait(lambda: "memory.used" in metrics(wire.packets()))
    assert keyframe.header["kind"] == "keyframe"
    assert {m["content"]["data"]["stream"] for m in wire.heard("packet")} == {1}


def test_a_page_that_comes_late_sees_what_there_was(page):
    page.kernel.run(START + WATCH + "\npw.log({'loss': 7.0})")
    page.kernel.run("time.sleep(0.5)\nmon.stop()")

    wire = page.open()
    session = wire.wait_status(lambda session: session is not None)
    keyframe = wire.wait(lambda: wire.packets("keyframe"))[0]

    assert not session["running"]
    assert keyframe.header["state"]["phase"] == "stopped"
    assert "loss" in metrics([keyframe])


def test_detail_is_exact(page):
    page.kernel.run(START + "for i in range(50): pw.log({'loss': i / 7}, step=i)\n")
    wire = page.open()
    number = wire.wait(lambda: [s["id"] for s in series(wire.packets()) if s["metric"] == "loss"])[0]
    # A series is known before its rows are shown.
    wire.wait(
        lambda: any(number in p.header["ids"] for p in wire.packets("keyframe"))
        or 49 / 7 in values_of(wire.packets(), "loss")
    )

    wire.tell(kind="range", request=5, ids=[number], t0=0.0, t1=4e9, points=1000)
    reply = wire.wait(lambda: [p for p in wire.packets("rows") if p.header["request"] == 5])[0]

    assert columns(reply)[2].tolist() == [i / 7 for i in range(50)]


QUIET = "import pulse_widgets.link.line as line\nline.SILENT_S = 0.5\n"


@pytest.mark.parametrize("how", ["it says so", "it is silent"])
def test_a_page_that_shows_nothing_is_sent_nothing_but_what_changes(page, how):
    running = page.kernel
    running.run(START + (QUIET if how == "it is silent" else "") + WATCH)
    wire = page.open()
    wire.more("frame", 2)
    if how == "it says so":
        wire.tell(kind="rest")
        running.run("time.sleep(0.1)")
    else:
        running.run("time.sleep(1.2)")
    before, shown = len(wire.packets()), len(running.packets("frame"))
    running.wait_until(lambda: len(running.packets("frame")) >= shown + 6)
    assert len(wire.packets()) == before

    wire.tell(kind="seen")
    wire.wait(lambda: [p for p in wire.packets()[before:] if p.header["kind"] == "keyframe"])
    wire.more("frame", 1)
    wire.tell(kind="rest")
    running.run("mon.stop()")
    wire.wait_status(lambda session: not session["running"])


NONSENSE = [
    {},
    {"kind": "range"},
    {"kind": ["?"]},
    {"kind": "do"},
    {"kind": "do", "id": "x", "action": "stop"},
    {"kind": "do", "id": True, "action": ["stop"]},
    {"kind": "range", "request": 1, "ids": [10**9], "t0": 1e300, "t1": 1, "points": 1},
]
REFUSED = [
    ("fly", {}),
    ("start", {"interval": "soon"}),
    ("start", {"interval": 0}),
    ("start", {"gpus": "which?"}),
    ("start", {"title": 7}),
    ("mark", {}),
    ("mark", {"label": 5}),
    ("save", {}),
    ("save", {"path": "/no/such/folder/x"}),
    ("save", {"path": "\0"}),
    ("rename", {"path": "nothing", "name": "x"}),
    ("rename", {"name": "x"}),
    ("delete", {"path": ".."}),
    ("delete", {"path": 1}),
]


def test_nonsense_harms_nothing_and_what_cannot_be_done_says_why(page):
    wire = page.open()
    for nonsense in NONSENSE:
        wire.tell(**nonsense)
    for action in ("stop", "mark", "save"):
        refused = wire.do(action, label="x", path="x")
        assert "No monitor" in refused["problem"]
        assert refused["remedy"]

    page.kernel.run(START + "mon = pw.monitor('system')")
    for action, options in REFUSED:
        answer = wire.do(action, **options)
        assert answer["kind"] == "failed", (action, options)
        assert answer["problem"] and answer["remedy"], (action, options)

    assert wire.do("stop")["kind"] == "done"
    assert wire.do("stop")["kind"] == "done"
    assert wire.do("mark", label="late")["kind"] == "failed"
    assert [m["content"] for m in page.kernel.of("stream")] == []


def test_a_page_of_another_version_hears_which_the_kernel_is(page):
    page.kernel.run(START + WATCH)
    wire = page.open(version=99)
    wire.wait(lambda: wire.said("status"))
    wire.tell(kind="hello")
    page.kernel.run("time.sleep(0.5)")

    assert wire.said("status")[0]["version"] == 1
    assert not wire.packets()


def test_a_kernel_that_is_switched_off_says_so(kernel):
    page = Page(kernel(environ={"PULSE_DISABLED": "1"}))
    page.register()
    wire = page.open()
    wire.wait(lambda: wire.said("status"))

    assert wire.said("status")[0]["disabled"] is True
    refused = wire.do("start")
    assert "PULSE_DISABLED" in refused["problem"]


def test_a_recording_that_does_not_record_is_not_saved(page):
    page.kernel.run(START + "mon = pw.monitor('system', record=False)")
    wire = page.open()

    assert wire.wait_status(lambda session: session)["path"] is None
    assert "Nothing is recorded" in wire.do("save", path="x")["problem"]
    assert wire.do("stop")["result"] == {"path": None}

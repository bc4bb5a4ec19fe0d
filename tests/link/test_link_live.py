"""The session of a kernel as the JupyterLab extension hears of it, from real kernels."""

import numpy as np
import pytest

from tests.link.page import Page
from tests.test_kernel import columns, values_of

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]
WATCH = "mon = pw.monitor('system', interval=0.1)\nmon"
RUNNING = "pulse_widgets.running"
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
    assert set(eval(after)) - set(eval(before)) <= {"_i1", "_i2", "_ii", "_iii"}
    assert running.run("print(In)").count("register") == 0
    assert not running.of("comm_open")


def test_a_kernel_in_which_the_package_is_used_need_not_be_registered_with(kernel):
    running = kernel()
    page = Page(running)
    running.run(START + "pw.log({'loss': 1.0})\nimport sys\n")
    running.run("while 'pulse_widgets.link.here' not in sys.modules: time.sleep(0.02)")

    assert page.is_here()


def test_a_page_sees_from_afar_whether_a_session_runs(kernel):
    running = kernel()
    page = Page(running)
    running.run("import comm\n" + START + "pw.log({'loss': 1.0})")
    running.run(f"while {RUNNING!r} not in comm.get_comm_manager().comms: time.sleep(0.02)")
    assert page.is_listed(RUNNING)
    running.run("pw.stop()")
    assert not page.is_listed(RUNNING)
    running.run("pw.log({'loss': 2.0})")
    assert page.is_listed(RUNNING)


def test_a_session_that_a_page_starts_is_seen_from_afar(page):
    wire = page.open()
    assert not page.is_listed(RUNNING)
    wire.do("start")
    wire.wait_status(lambda session: session and session["running"])
    assert page.is_listed(RUNNING)
    wire.do("stop")
    wire.wait_status(lambda session: not session["running"])
    assert not page.is_listed(RUNNING)


def test_a_session_is_started_marked_and_stopped_without_a_cell(kernel, tmp_path):
    # A kernel of its own: in another one a test may have shown a cell.
    page = Page(kernel())
    assert page.register()["state"] == "ready"
    wire = page.open()
    assert wire.wait_status(lambda session: session is None) is None
    assert not wire.packets()

    assert wire.do("start", title="by hand", interval=0.1, gpus="none")["result"] is None
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
    wire.wait_status(lambda one: not one["running"] and one["path"] == stopped["path"])
    assert stopped["path"].endswith(".pulse.parquet")
    wire.wait(lambda: wire.packets("keyframe")[-1].header["state"]["phase"] == "stopped")
    assert {m["content"]["data"]["stream"] for m in wire.heard("packet")} == {1}
    # No widget was made for it, and no cell was counted.
    assert not page.kernel.of("comm_open")
    loaded = page.kernel.run("import sys; print('pulse_widgets.widgets.feed' in sys.modules)")
    assert loaded == "False\n"
    page.kernel.published.remove(page.kernel.of("stream")[0])
    states = [p.header["state"]["kernel"] for p in wire.packets() if "state" in p.header]
    assert {(one["busy"], one["cell"]) for one in states} == {(False, None)}

    wire.do("start", interval=0.1)
    wire.wait(lambda: wire.packets(stream=2))
    keyframe = wire.wait(lambda: wire.packets("keyframe", stream=2))[0]
    assert keyframe.header["moments"] == []
    assert not page.kernel.of("stream")


NO_TIMES = [0, 4e9, -1.0, 10**400, True, "1e9", None, []]
"""What a page may say that is no time of the session."""


def test_a_mark_is_of_the_time_that_a_page_says_if_that_is_one_of_the_session(page):
    wire = page.open()
    wire.do("start", interval=0.1, gpus="none")
    t0 = wire.wait_status(lambda session: session and session["running"])["t0"]
    wire.more("frame", 3)
    assert wire.do("mark", label="then", time=t0 + 0.01)["kind"] == "done"
    for number, time in enumerate(NO_TIMES):
        assert wire.do("mark", label=str(number), time=time)["kind"] == "done"
    path = wire.do("stop")["result"]["path"]

    told = page.kernel.run(
        f"import pulse_widgets as pw\ne = pw.Recording.open({path!r}).events\n"
        f"print([(label, t.timestamp() - {t0}) for label, t in zip(e['message'], e['time']) if t == t])"
    )
    times = dict(eval(told))
    assert times.pop("then") == pytest.approx(0.01, abs=1e-3)
    assert sorted(times) == sorted(map(str, range(len(NO_TIMES))))
    assert min(times.values()) > 0.01


def test_cells_that_follow_a_start_by_hand_have_their_numbers(page):
    wire = page.open()
    page.kernel.run("1")
    wire.do("start", interval=0.1, gpus="none")
    page.kernel.run("'first'")
    page.kernel.run("'second'")
    path = wire.do("stop")["result"]["path"]

    told = page.kernel.run(
        f"import pulse_widgets as pw\nc = pw.Recording.open({path!r}).cells()\n"
        "print([(int(n), line) for n, line in zip(c['cell'], c['line'])])"
    )
    first = page.kernel.of("execute_input")[1]["content"]["execution_count"]
    assert eval(told) == [(first, "'first'"), (first + 1, "'second'")]


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
    wire.do("start", interval=0.1, gpus="none")
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
    drawn = []

    def has_drawn():
        drawn[:] = [one for one in wire.packets("keyframe") if one.header["buckets"]]
        return drawn

    page.kernel.wait_until(has_drawn)
    assert begins(kept[0]) <= min(map(begins, drawn))
    page.kernel.wait_until(lambda: len(page.kernel.packets("frame")) >= 5)
    seqs = [p.header["seq"] for p in page.kernel.packets("frame")]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    # What the snapshot does not hold is sent.
    assert seqs[0] <= kept[0].header["seq"] + 1


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
    wire.do("start", interval=0.1, gpus="none")
    wire.wait(lambda: "memory.used" in metrics(wire.packets()))
    assert keyframe.header["kind"] == "keyframe"
    assert {m["content"]["data"]["stream"] for m in wire.heard("packet")} == {1}


def test_a_page_that_comes_late_sees_what_there_was(page):
    page.kernel.run(START + WATCH + "\npw.log({'loss': 7.0})")
    page.kernel.wait_until(lambda: page.kernel.packets("frame"))
    page.kernel.run("mon.stop()")

    wire = page.open()
    session = wire.wait_status(lambda session: session is not None)
    keyframe = wire.wait(lambda: wire.packets("keyframe"))[0]

    assert not session["running"]
    assert keyframe.header["state"]["phase"] == "stopped"
    assert "loss" in metrics([keyframe])


def test_detail_is_exact(page):
    page.kernel.run(START + "for i in range(50): pw.log({'loss': i / 7}, step=i)\n")
    wire = page.open()
    number = wire.wait(lambda: [s["id"] for s in series(wire.packets()) if s["metric"] == "loss"])[
        0
    ]
    # A series is known before its rows are shown.
    wire.wait(
        lambda: (
            any(number in p.header["ids"] for p in wire.packets("keyframe"))
            or 49 / 7 in values_of(wire.packets(), "loss")
        )
    )

    wire.tell(kind="range", request=5, ids=[number], t0=0.0, t1=4e9, points=1000)
    reply = wire.wait(lambda: [p for p in wire.packets("rows") if p.header["request"] == 5])[0]

    assert columns(reply)[2].tolist() == [i / 7 for i in range(50)]


def frames_since(wire):
    """Return how many frames a cell was sent since the newest message to a page."""
    published = wire.page.kernel.published
    last = max(published.index(message) for message in wire.heard())
    later = [m for m in published[last:] if m["msg_type"] == "comm_msg"]
    return sum(m["content"]["data"].get("content", {}).get("kind") == "packet" for m in later)


QUIET = "import pulse_widgets.link.line as line\nline.SILENT_S = 0.5\n"


@pytest.mark.parametrize("how", ["it says so", "it is silent"])
def test_a_page_that_shows_nothing_is_sent_nothing_but_what_changes(page, how):
    running = page.kernel
    running.run(START + (QUIET if how == "it is silent" else "") + WATCH)
    wire = page.open()
    wire.more("frame", 2)
    if how == "it says so":
        wire.tell(kind="rest")
    # The cell that shows it goes on.
    running.wait_until(lambda: frames_since(wire) >= 6)
    before = len(wire.packets())

    wire.tell(kind="seen")
    wire.wait(lambda: [p for p in wire.packets()[before:] if p.header["kind"] == "keyframe"])
    wire.more("frame", 1)
    if how == "it says so":
        wire.tell(kind="rest")
    running.run("mon.stop()")
    wire.wait_status(lambda session: not session["running"])

    running.run("mon = pw.monitor('system', interval=0.1)\nmon")
    wire.wait_status(lambda session: session["running"])
    if how == "it says so":
        running.wait_until(lambda: frames_since(wire) >= 3)
        assert not wire.packets(stream=2)
        wire.tell(kind="hello")
    # It could not know that there is anything to show again.
    wire.wait(lambda: wire.packets("keyframe", stream=2))


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
    page.kernel.wait_until(lambda: frames_since(wire) >= 3)

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


def test_a_recording_is_replayed_from_the_kernel(page, tmp_path):
    page.kernel.run(START + "for i in range(50): pw.log({'loss': i / 7}, step=i)\nrec = pw.stop()")
    path = page.kernel.run("print(rec.path, end='')")
    name = path.rpartition("/")[2].removesuffix(".pulse.parquet")

    for asked in (path, name):
        wire = page.open(replay=asked)
        keyframe = wire.wait(lambda wire=wire: wire.packets("keyframe"))[0]
        (number,) = [s["id"] for s in keyframe.header["series"] if s["metric"] == "loss"]
        wire.tell(kind="range", request=9, ids=[number], t0=0.0, t1=4e9, points=1000)
        (reply,) = wire.wait(lambda wire=wire: wire.packets("rows"))
        assert keyframe.header["state"]["phase"] == "replay"
        assert wire.status() is None
        assert columns(reply)[2].tolist() == [i / 7 for i in range(50)]


def test_what_cannot_be_replayed_is_refused_with_a_remedy(page, tmp_path):
    damaged = tmp_path / "damaged.pulse.parquet"
    damaged.write_bytes(b"PAR1" + bytes(100))
    for asked in ("no such thing", str(damaged), str(tmp_path), "\0", "", "/"):
        wire = page.open(replay=asked)
        (refused,) = wire.wait(lambda wire=wire: wire.said("refused"))
        wire.tell(kind="hello")
        assert refused["problem"] and refused["remedy"], asked
    page.kernel.run("1")
    assert not wire.packets()
    assert [m["content"] for m in page.kernel.of("stream")] == []


def test_recordings_are_listed_renamed_and_deleted(page):
    wire = page.open()
    for title in ("one", "two"):
        wire.do("start", title=title, interval=0.1, gpus="none")
        path = wire.do("stop")["result"]["path"]
    listed = wire.do("recordings")["result"]["recordings"]
    second, first = (next(r for r in listed if r["title"] == title) for title in ("two", "one"))
    assert second["path"] == path
    assert second["start"] >= first["start"]
    assert {one["state"] for one in (first, second)} == {"finished"}
    assert second["rows"] >= second["series"] > 0
    assert second["bytes"] > 0 < second["seconds"]
    assert second["problem"] == ""

    renamed = wire.do("rename", path=path, name="mine")["result"]["path"]
    assert renamed.endswith("/mine.pulse.parquet")
    # What the last session left is no longer where it was.
    wire.wait_status(lambda session: session["path"] is None)
    assert "is there already" in wire.do("rename", path=first["path"], name="mine")["problem"]
    assert wire.do("delete", path=renamed)["kind"] == "done"
    assert "There is no recording" in wire.do("delete", path=renamed)["problem"]
    left = wire.do("recordings")["result"]["recordings"]
    assert [one["name"] for one in left] == [r["name"] for r in listed if r != second]


def test_what_nobody_foresaw_is_answered_and_told_to_the_log_of_the_kernel_alone(page):
    wire = page.open()
    page.kernel.run(
        "import pulse_widgets.link.actions as actions\n"
        "kept = dict(actions._ACTIONS)\n"
        "actions._ACTIONS.update(mark=lambda options: 1 / 0, stop=lambda options: {}['x'])"
    )
    try:
        answers = [wire.do(action) for action in ("mark", "stop")]
    finally:
        page.kernel.run("actions._ACTIONS.update(kept)")

    assert [one["kind"] for one in answers] == ["failed", "failed"]
    assert answers[0]["problem"] == "ZeroDivisionError: division by zero"
    assert all("log of the kernel" in one["remedy"] for one in answers)
    assert not page.kernel.of("stream")
    assert not page.kernel.of("error")

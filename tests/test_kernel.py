"""A monitor in a real kernel, seen from the other end of its comms."""

import base64
import json
from contextlib import suppress
from queue import Empty

import numpy as np
import pytest

import pulse_widgets as pw
from pulse_widgets.exchange.bundle import REPLAY_MIME
from pulse_widgets.series.wire import decode
from tests.kernels import kernels

# Each starts a kernel, and together they take long.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]
WIDGET = "application/vnd.jupyter.widget-view+json"
START = "import pulse_widgets as pw, time, threading, json\n"


@pytest.fixture
def kernel(tmp_path):
    with kernels(tmp_path) as start:
        yield start


def columns(packet):
    n = packet.header["n"]
    time, value = (np.frombuffer(packet.body, "<f8", n, 8 * n * k) for k in range(2))
    ids = np.frombuffer(packet.body, "<i4", n, 8 * n * (3 if packet.header["steps"] else 2))
    return ids, time, value


def values_of(packets, metric):
    ids = {
        series["id"]
        for packet in packets
        for series in packet.header.get("series", [])
        if series["metric"] == metric
    }
    return [
        float(value)
        for packet in packets
        if packet.header["kind"] == "frame"
        for series, value in zip(*columns(packet)[::2], strict=True)
        if series in ids
    ]


def test_frames_arrive_while_a_cell_runs_numbered_without_a_hole(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")

    running.run("for i in range(30): pw.log({'loss': 1 / (i + 1)}, step=i); time.sleep(0.05)")

    frames = running.packets("frame")
    seqs = [packet.header["seq"] for packet in frames]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(values_of(frames, "memory.used")) >= 5
    losses = values_of(frames, "loss")
    assert losses == [1 / (i + 1) for i in range(len(losses))]
    assert len(losses) >= 25


@pytest.mark.slow
def test_a_busy_kernel_is_sent_at_most_twenty_messages_a_second(kernel):
    running = kernel(gpus=8, latency_us=0)
    running.run(START + "mon = pw.monitor(interval=0.1)\nmon")
    before = len(running.of("comm_msg"))

    running.run("end = time.time() + 4\nwhile time.time() < end: pw.log({'a': 1.0})")

    # A loop that leaves the interpreter no rest leaves the sender little; it goes on all the same.
    assert 1 <= len(running.of("comm_msg")) - before <= 80


def test_a_page_that_says_hello_gets_the_whole_screen(kernel):
    running = kernel(gpus=2, latency_us=0)
    running.run(START + "mon = pw.monitor(interval=0.2)\nmon")
    running.run("pw.log({'loss': 7.0}, step=3); mon.mark('here'); time.sleep(1)")
    before = len(running.packets("keyframe"))

    running.tell_feed(kind="hello")
    running.wait_until(lambda: len(running.packets("keyframe")) > before)

    header = running.packets("keyframe")[-1].header
    names = {(series["entity"], series["metric"]) for series in header["series"]}
    assert {("gpu:1", "gpu.power"), ("host", "cpu.utilization"), ("user", "loss")} <= names
    assert not any(metric.endswith("cpu.user.total") for _, metric in names)
    place = header["ids"].index(next(s["id"] for s in header["series"] if s["metric"] == "loss"))
    assert (header["lo"][place], header["hi"][place]) == (7.0, 7.0)
    assert [one["facts"]["label"] for one in header["moments"]] == ["here"]
    assert header["state"]["kernel"] == {"busy": False, "cell": None}
    assert [one["labels"]["name"] for one in header["entities"] if one["entity"] == "gpu:0"]


@pytest.mark.slow
def test_a_page_that_begins_in_a_busy_cell_soon_knows_every_series(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")

    running.run("end = time.time() + 3.5\nwhile time.time() < end: time.sleep(0.05)")

    keyframes = running.packets("keyframe")
    assert len(keyframes) >= 2
    names = {one["metric"] for one in keyframes[0].header["series"]}
    assert {"cpu.utilization", "memory.used", "cell"} <= names


def test_detail_that_a_page_asks_for_is_exact(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system')\nmon")
    running.run("for i in range(50): pw.log({'loss': i / 7}, step=i)\ntime.sleep(0.5)")
    series = next(
        s for p in running.packets() for s in p.header.get("series", []) if s["metric"] == "loss"
    )

    running.tell_feed(kind="range", request=5, ids=[series["id"]], t0=0.0, t1=4e9, points=1000)

    def replies():
        return [packet for packet in running.packets("rows") if packet.header["request"] == 5]

    running.wait_until(replies)

    reply = replies()[0]
    assert reply.header["reduced"] == []
    assert columns(reply)[2].tolist() == [i / 7 for i in range(50)]


NONSENSE = [
    {"kind": "range"},
    {"kind": "range", "ids": "x", "t0": 0, "t1": 1, "points": 1, "request": 1},
    {"kind": "range", "ids": [10**9], "t0": 1e300, "t1": 1, "points": 1, "request": 1},
    {"kind": ["?"]},
    {},
]


def test_nonsense_from_a_page_harms_nothing(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")

    for nonsense in NONSENSE:
        running.tell_feed(**nonsense)
    running.run("time.sleep(1)")

    assert len(values_of(running.packets("frame"), "memory.used")) >= 3
    assert not [m for m in running.of("stream") if m["content"]["name"] == "stderr"]


def test_an_output_holds_the_widget_and_a_picture_and_after_stop_the_picture_alone(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")
    running.run("time.sleep(1)")
    running.run("rec = mon.stop()")
    running.wait_until(lambda: running.of("update_display_data"))

    live = running.of("display_data")[0]["content"]
    final = running.of("update_display_data")[-1]["content"]
    assert {WIDGET, REPLAY_MIME, "text/html", "text/plain"} <= live["data"].keys()
    assert live["data"][REPLAY_MIME]["feed"] == running.feed_id()
    assert final["transient"] == live["transient"]
    assert WIDGET not in final["data"]
    assert "feed" not in final["data"][REPLAY_MIME]
    screen = decode(base64.b64decode(final["data"][REPLAY_MIME]["keyframe"])).header
    assert screen["state"]["phase"] == "stopped"
    assert "/" not in screen["state"]["recording"]["path"]
    assert not running.of("comm_close")


def test_nothing_is_printed_and_the_last_frame_says_stopped(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")

    running.run("rec = mon.stop()")
    running.wait_until(lambda: running.of("update_display_data"))

    states = [p.header["state"]["phase"] for p in running.packets() if "state" in p.header]
    assert states[-1] == "stopped"
    assert not running.of("stream")


def test_an_interrupt_ends_the_cell_and_not_the_session(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")
    request = running.client.execute("print('asleep', flush=True); time.sleep(60)")
    running.wait_until(lambda: running.of("stream"))

    running.manager.interrupt_kernel()
    running.wait_for(request, 20, check=False)
    before = len(running.packets("frame"))
    running.run("time.sleep(1)")

    assert [m["content"]["ename"] for m in running.of("error")] == ["KeyboardInterrupt"]
    assert len(running.packets("frame")) > before


@pytest.mark.slow
def test_a_restarted_kernel_leaves_a_recording_that_the_next_one_finishes(
    kernel, tmp_path, monkeypatch
):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "pulse-home"))
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.2)\nmon")
    running.run("pw.log({'a': 5.0}); time.sleep(0.6)")

    running.manager.shutdown_kernel(now=True)
    assert pw.recordings()["state"].tolist() == ["unfinished"]
    again = kernel()
    again.run(START + "pw.log({'b': 1.0}); rec = pw.stop()")
    again.run("time.sleep(2)")

    listed = pw.recordings()
    assert listed["state"].tolist() == ["finished", "finished"]
    assert pw.Recording.open(listed["path"][1]).select("a").values()[1].tolist() == [5.0]


def test_cells_are_recorded_with_the_numbers_of_the_notebook(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system')")
    running.run("time.sleep(0.3)")
    running.run("1 / 0", check=False)

    out = running.run(
        "rec = mon.stop()\nprint(rec.cells().to_json(orient='records', date_format='iso'))"
    )

    cells = {
        cell["cell"] if "cell" in cell else cell.get("count"): cell for cell in json.loads(out)
    }
    assert {1, 2, 3, 4} <= set(map(int, cells))


@pytest.mark.slow
def test_the_share_of_time_a_cell_ran_is_a_series(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor('system', interval=0.5)")
    running.run("time.sleep(3)")

    out = running.run("print(json.dumps(mon.stop().select('kernel.busy').values()[1].tolist()))")

    values = json.loads(out.replace("NaN", "null"))
    assert max(v for v in values if v is not None) > 0.8


@pytest.mark.slow
def test_status_is_a_table_of_sources_and_of_the_monitor_itself(kernel):
    running = kernel(gpus=1, latency_us=0)
    running.run(START + "mon = pw.monitor(interval=0.2)")

    out = running.run("time.sleep(2); print(mon.status.to_json(orient='index'))")

    status = json.loads(out)
    assert {"system", "nvml", "pulse"} == status.keys()
    assert status["nvml"]["state"] == "ok"
    assert 0 < status["pulse"]["cost"] < 0.5


def test_status_shows_what_to_try_whole(kernel):
    running = kernel()
    running.run(START + "mon = pw.monitor()")

    told = running.run("print(mon.status._repr_html_(), mon.status.loc['nvml', 'remedy'])")

    html, remedy = told.rsplit("</div>", 1)
    assert len(remedy) > 60
    assert remedy.strip() in html.replace("&gt;", ">")


def test_a_replay_has_no_live_actions_and_shows_every_series(kernel):
    running = kernel()
    out = running.run(
        START + "mon = pw.monitor('system', interval=0.2)\n"
        "for i in range(20): pw.log({'loss': float(i)}, step=i); time.sleep(0.05)\n"
        "rec = mon.stop()\n"
        "again = pw.replay(rec)\n"
        "for action in (again.stop, again.close, lambda: again.mark('x'), again.burst):\n"
        "    try: action()\n"
        "    except pw.PulseError as e: print(type(e).__name__)\n"
        "again"
    )
    assert out.split() == ["ReplayError"] * 4
    running.published.clear()

    running.run("again = pw.replay(rec); again")

    state = next(
        m["content"]["data"]["state"]
        for m in running.of("comm_open")
        if "code_hash" in m["content"]["data"].get("state", {})
    )
    assert "snapshot" not in state
    paths = next(
        (m["content"]["data"]["buffer_paths"], m["buffers"])
        for m in running.of("comm_open")
        if "code_hash" in m["content"]["data"].get("state", {})
    )
    screen = decode(bytes(paths[1][paths[0].index(["snapshot"])])).header
    assert screen["state"]["phase"] == "replay"
    place = screen["ids"].index(next(s["id"] for s in screen["series"] if s["metric"] == "loss"))
    assert (screen["lo"][place], screen["hi"][place]) == (0.0, 19.0)


@pytest.mark.slow
def test_a_feed_nobody_looks_at_falls_silent_and_says_what_it_left_out(kernel):
    running = kernel()
    running.run(START + "import pulse_widgets.session.sender as sender\nsender.SILENT_S = 0.5")
    running.run("mon = pw.monitor('system', interval=0.2)\nmon")
    running.run("time.sleep(1)")
    running.client.kernel_info()
    running.wait_until(lambda: len(running.packets("frame")) > 3)

    quiet = len(running.packets("frame"))
    with suppress(Empty):
        while len(running.packets("frame")) - quiet <= 20:
            running.next(2.5)
    last = running.packets("frame")[-1].header["seq"]
    assert len(running.packets("frame")) - quiet <= 10
    before = len(running.packets("keyframe"))
    running.tell_feed(kind="seen")
    running.wait_until(lambda: running.packets("frame")[-1].header["seq"] > last)
    running.wait_until(lambda: len(running.packets("keyframe")) > before)

    fresh = [p.header["seq"] for p in running.packets("frame") if p.header["seq"] > last]
    assert fresh[0] == last + 2


@pytest.mark.slow
def test_each_view_leaves_a_picture_of_what_it_shows(kernel):
    running = kernel(gpus=2, latency_us=0)
    running.run(
        START + "mon = pw.monitor(interval=0.2)\n"
        "for n in range(20): pw.log({'train/loss': 1 / (n + 1), 'other': n}); time.sleep(0.05)\n"
        "display(mon, mon.view('strip'), mon.view('charts', metrics='train/*'))\n"
        "time.sleep(0.5); mon.stop()"
    )
    whole, strip, chosen = [
        message["content"]["data"]
        for message in running.of("update_display_data")
        if "application/vnd.pulse.replay+json" in message["content"]["data"]
    ]

    assert "<img" in whole["text/html"]
    assert "train/loss" in whole["text/html"]
    # A strip is a picture of its figures, and nothing else.
    assert "<img" in strip["text/html"]
    assert "<table" not in strip["text/html"]
    assert ": GPU 0 " in strip["text/html"]
    assert "train/loss" in chosen["text/html"]
    assert "Power" not in chosen["text/html"]
    assert len(json.dumps(strip)) < len(json.dumps(whole)) * 0.8
    assert len(json.dumps(chosen)) < len(json.dumps(whole)) / 2


@pytest.mark.slow
def test_keyframes_come_unasked_in_a_cell_alone(kernel):
    running = kernel(gpus=8, latency_us=0)
    running.run(START + "mon = pw.monitor()\nmon")
    running.run("time.sleep(9)")
    # One more follows a cell.
    soon = len(running.packets("keyframe"))
    running.wait_until(lambda: len(running.packets("keyframe")) > soon)
    counted = {}
    for where in ("idle", "busy"):
        frames, keyframes = (len(running.packets(kind)) for kind in ("frame", "keyframe"))
        if where == "busy":
            running.run("end = time.time() + 14\nwhile time.time() < end: time.sleep(0.1)")
        else:
            running.wait_until(lambda seen=frames: len(running.packets("frame")) >= seen + 14, 60)
        counted[where] = len(running.packets("keyframe")) - keyframes

    assert counted["idle"] == 0
    assert counted["busy"] >= 2
    before = len(running.packets("keyframe"))
    running.tell_feed(kind="hello")
    running.wait_until(lambda: len(running.packets("keyframe")) > before)

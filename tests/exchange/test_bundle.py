"""What a notebook keeps: MIME types, what is left out of them, and how large they are."""

from __future__ import annotations

import base64
import getpass
import json
import platform

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pulse_widgets.exchange.bundle import (
    OUTPUT_BYTES,
    final_bundle,
    live_bundle,
    redact,
)
from pulse_widgets.exchange.fitting import coarsen, fit
from pulse_widgets.exchange.left_out import left_out_sentence
from pulse_widgets.series.history import Screen
from pulse_widgets.series.wire import decode, keyframe
from tests.exchange import kept
from tests.exchange.scene import STATE, Scene

VIEW = "application/vnd.jupyter.widget-view+json"
REPLAY = "application/vnd.pulse.replay+json"


def header_of(scene, **state):
    return {
        "series": scene.series,
        "entities": scene.entities,
        "state": STATE | state,
        "moments": [],
        "spans": [],
    }


def test_what_a_saved_output_says_of_alerts_has_no_path_and_calls_things_as_it_calls_them():
    alert = {"text": "disk.used > /b", "phase": "failed", "host": "h0", "entity": "fs:/home/alice"}
    alert |= {"value": 1.0, "since": 2.0, "problem": "the callback failed: no /home/alice/mail"}
    waiting = alert | {"host": "", "entity": "", "problem": ""}
    scene = Scene()
    saved = redact(header_of(scene, alerts=[alert, waiting]))["state"]["alerts"]

    assert "alice" not in json.dumps(saved)
    assert saved[0]["entity"] == "fs:mount-1"
    assert saved[0]["problem"] == "the callback failed: no <path>"
    assert (saved[1]["host"], saved[1]["entity"]) == ("", "")


# Bundles ------------------------------------------------------------------------------


def test_a_live_output_has_the_widget_the_stream_and_the_picture():
    view = {VIEW: {"model_id": "m"}, "text/plain": "Monitor(...)"}
    bundle = live_bundle(view, "f", b"packet", "<figure></figure>")
    assert bundle == {
        VIEW: {"model_id": "m"},
        REPLAY: {"version": 1, "feed": "f", "keyframe": base64.b64encode(b"packet").decode()},
        "text/html": "<figure></figure>",
        "text/plain": "pulse monitor",
    }


def test_a_final_output_names_no_widget_and_no_feed():
    bundle = final_bundle(b"packet", "<figure></figure>")
    assert set(bundle) == {REPLAY, "text/html", "text/plain"}
    assert set(bundle[REPLAY]) == {"version", "keyframe"}


def test_a_bundle_is_plain_json():
    assert json.loads(json.dumps(final_bundle(b"\x00\xff", "x"))) == final_bundle(b"\x00\xff", "x")


# Redaction ----------------------------------------------------------------------------


@pytest.fixture
def private():
    scene = Scene()
    scene.add("host", "cpu.utilization", [0.5])
    scene.add("fs:/", "disk.used", [1.0])
    scene.add("fs:/home/ada/data", "disk.used", [1.0])
    scene.add("user", "loss", [1.0])
    scene.series[3]["labels"] = {"file": "/home/ada/x.csv", "run": "7"}
    name = "lovelace.example.org"
    scene.label("host", name=name, hostname=name, os="Linux", cpu="Zen")
    scene.label("gpu:0", name="NVIDIA H200")
    scene.label("fs:/home/ada/data", kind="ext4")
    scene.label("pid:9", cmdline="secret --token")
    header = header_of(
        scene,
        title="a/b sweep of /runs",
        recording={"path": "/home/ada/.local/share/run 7.pulse.parquet", "bytes": 5,
                   "problem": "cannot write /home/ada/x", "remedy": None},
        sources=[{"name": "system", "state": "failed", "problem": "no /proc/stat on lovelace.example.org",
                  "remedy": "mount /proc", "missing": [{"what": "cpu.user", "why": "/proc/1 is hidden"}]}],
    )  # fmt: skip
    header["spans"] = [
        {"id": "3", "start": 1.0, "end": 3.0, "host": "h0", "entity": "kernel", "metric": "cell",
         "facts": {"line": "secret()", "source": "secret()", "traceback": "secret", "status": "ok"}},
    ]  # fmt: skip
    header["moments"] = [
        {"time": 2.0, "host": "h0", "entity": "fs:/home/ada/data", "metric": "event",
         "facts": {"message": "/home/ada/data is full", "argv": ["secret"]}},
    ]  # fmt: skip
    return header


def test_nothing_private_is_left(private):
    said = json.dumps(redact(private))
    for word in ("ada", "lovelace", "secret", "/proc", "x.csv"):
        assert word not in said


def test_what_is_not_private_stays(private):
    told = redact(private)
    assert told["state"]["title"] == "a/b sweep of /runs"
    assert told["series"][3]["labels"] == {"file": "<path>", "run": "7"}
    assert [s["entity"] for s in told["series"]] == ["host", "fs:/", "fs:mount-1", "user"]
    assert told["entities"] == [
        {"host": "h0", "entity": "host", "labels": {"os": "Linux", "cpu": "Zen"}},
        {"host": "h0", "entity": "fs:mount-1", "labels": {"kind": "ext4"}},
    ]
    assert told["state"]["recording"]["path"] == "run 7.pulse.parquet"
    assert told["state"]["recording"]["problem"] == "cannot write <path>"
    assert told["state"]["sources"][0]["missing"] == [
        {"what": "cpu.user", "why": "<path> is hidden"}
    ]
    assert told["spans"] == [
        {"id": "3", "start": 1.0, "end": 3.0, "host": "h0", "entity": "kernel", "metric": "cell",
         "facts": {"status": "ok"}},
    ]  # fmt: skip
    assert told["moments"][0]["entity"] == "fs:mount-1"
    assert told["moments"][0]["facts"] == {"message": "<path> is full"}


def test_what_is_given_is_not_changed(private):
    before = json.dumps(private)
    redact(private)
    assert json.dumps(private) == before


def test_this_machine_and_this_user_are_not_named(monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "engine.local")
    monkeypatch.setattr(getpass, "getuser", lambda: "babbage")
    scene = Scene()
    scene.add("user", "loss", [1.0])
    said = {"path": None, "bytes": 0, "problem": "babbage on engine", "remedy": None}
    header = header_of(scene, title="babbage on engine", recording=said)
    told = redact(header)["state"]
    assert told["recording"]["problem"] == "<name> on <name>"
    assert told["title"] == "babbage on engine"


def test_words_of_ours_survive_a_user_of_the_same_name(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "system")
    scene = Scene()
    scene.add("host", "cpu.system", [0.5])
    source = {"name": "system", "state": "ok", "problem": "", "remedy": "", "missing": []}
    told = redact(header_of(scene, sources=[source]))
    assert told["state"]["sources"][0]["name"] == "system"
    assert told["series"][0]["metric"] == "cpu.system"


SECRETS = ["/home/ada/train.py-1", "/home/ada/train.py-2", "on node-a.corp", "babbage"]


@pytest.mark.parametrize("key", ["id", "kind", "status", "state", "label", "name"])
def test_no_fact_and_no_id_of_an_event_tells_a_path_or_a_name(key, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "babbage")
    scene = Scene()
    scene.add("user", "loss", [1.0])
    scene.series[0]["host"] = "node-a.corp"
    header = header_of(scene)
    event = {"host": "node-a.corp", "entity": "kernel", "metric": "task"}
    header["moments"] = [{**event, "time": 1.0, "facts": {key: text}} for text in SECRETS]
    header["spans"] = [
        {**event, "id": text, "start": 1.0, "end": 2.0, "facts": {key: text}} for text in SECRETS
    ]
    told = redact(header)
    assert not any(word in json.dumps(told) for word in ("ada", "node-a", "babbage"))
    assert {one["host"] for part in ("series", "moments", "spans") for one in told[part]} == {"h0"}
    assert len({span["id"] for span in told["spans"]}) == len(SECRETS)
    plain = {**event, "id": "3", "start": 1.0, "end": 2.0, "facts": {key: "ok"}}
    assert redact({**header, "spans": [plain]})["spans"] == [{**plain, "host": "h0"}]


# Size ---------------------------------------------------------------------------------


def busy(series: int, samples: int = 3000) -> Scene:
    rng = np.random.default_rng(series)
    scene = Scene()
    names = ["utilization", "memory.used", "power", "temperature", "sm.active", "clock.sm"]
    for n in range(series):
        gpu, which = divmod(n, len(names))
        if gpu < 8:
            if which == 0:
                scene.label(f"gpu:{gpu}", name="NVIDIA H200", uuid=f"GPU-{gpu:036}")
            scene.add(f"gpu:{gpu}", f"gpu.{names[which]}", rng.random(samples))
        else:
            scene.add(f"cpu:{n}", "cpu.utilization", rng.random(samples))
    return scene


@pytest.mark.parametrize("series", [1, 96, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_saved_output_stays_below_its_limit(series):
    scene = busy(series)
    html = scene.html()
    header = header_of(scene)
    header["moments"] = [{"time": 1.0, "metric": "mark", "facts": {"message": "x" * 5000}}] * 50

    screen, header = fit(scene.screen(), header, OUTPUT_BYTES - len(html.encode()))

    bundle = live_bundle(
        {VIEW: {"model_id": "m" * 32}}, "f" * 32, keyframe(0, screen, **header), html
    )
    assert len(json.dumps(bundle, ensure_ascii=False).encode()) <= OUTPUT_BYTES


def test_ninety_six_series_all_go_along_in_more_than_a_hundred_buckets():
    scene = busy(96)
    screen, header = fit(scene.screen(), header_of(scene), OUTPUT_BYTES - 60_000)
    packet = decode(keyframe(0, screen, **header))
    assert len(packet.header["ids"]) == 96
    assert packet.header["buckets"] >= 100
    assert header["state"]["sources"] == []


def test_of_too_many_series_those_that_charts_need_stay_and_the_rest_is_counted():
    scene = busy(1000)
    scene.add("host", "memory.used", [1.0, 2.0])
    scene.label("host", name="engine")
    scene.label("gpu:0", host="h1", name="of a machine that has no series")
    screen, header = fit(scene.screen(), header_of(scene), 40_000)
    named = {(e["host"], e["entity"]) for e in header["entities"]}
    assert named == {("h0", "host"), *(("h0", f"gpu:{gpu}") for gpu in range(8))}
    there = {(s["entity"], s["metric"]) for s in header["series"]}
    assert {("gpu:7", "gpu.power"), ("host", "memory.used")} <= there
    assert set(screen.ids.tolist()) == {s["id"] for s in header["series"]}
    (told,) = header["state"]["sources"]
    assert told["problem"] == f"{1001 - len(there)} series are left out of this saved view."


CASES = json.loads(kept.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_of_a_metric_all_or_none_of_a_class_of_entities_is_kept(case):
    counts = kept.kept(case)
    assert counts == {"kept": case["kept"], "said": case["said"]}
    for (_, count, _), left in zip(case["groups"], counts["kept"], strict=True):
        assert left in {0, count}
    assert sum(counts["kept"]) == sum(g[1] for g in case["groups"]) or counts["said"]
    packet = keyframe(0, kept.fitted(case)[0], **kept.fitted(case)[1])
    assert len(base64.b64encode(packet)) <= case["limit"]
    assert decode(packet).header["buckets"] >= 30


def test_of_sixty_four_gpus_the_machine_the_kernel_and_the_users_own_numbers_are_kept():
    counts = dict(zip(map(tuple, CASES[0]["groups"]), CASES[0]["kept"], strict=True))
    assert all(left == 1 for (_, count, _), left in counts.items() if count == 1)
    assert counts["rank:{}", 8, "step.time"] == 8
    assert counts["gpu:{}", 64, "gpu.utilization"] == 64


def test_missing_readings_by_the_thousand_do_not_crowd_out_the_curves():
    scene = busy(1)
    missing = [{"what": f"field {n}", "why": "y" * 60} for n in range(5000)]
    header = header_of(scene, sources=[{"name": "nvml", "state": "ok", "missing": missing}])
    screen, header = fit(scene.screen(), header, 60_000)
    assert len(base64.b64encode(keyframe(0, screen, **header))) <= 60_000
    assert len(screen.ids) == 1


def test_the_newest_events_stay():
    scene = busy(1)
    header = header_of(scene)
    facts = {"message": "x" * 4000}
    header["moments"] = [{"time": float(n), "facts": facts} for n in range(0, 50, 2)]
    header["spans"] = [{"start": float(n), "facts": facts} for n in range(1, 50, 2)]
    _, kept = fit(scene.screen(), header, OUTPUT_BYTES)
    moments, spans = [m["time"] for m in kept["moments"]], [s["start"] for s in kept["spans"]]
    assert moments == sorted(moments)
    assert spans == sorted(spans)
    times = sorted(moments + spans)
    assert times == list(range(50 - len(times), 50))
    assert 2 < len(times) < 50
    said = "The oldest cells and marks are left out of this saved view."
    assert left_out_sentence(kept["state"]) == said
    # It is said once, also where a view is made smaller again.
    _, again = fit(scene.screen(), kept, OUTPUT_BYTES // 2)
    assert len(again["moments"]) < len(kept["moments"])
    assert left_out_sentence(again["state"]) == said


def test_a_small_screen_is_left_as_it_is():
    scene = busy(3, samples=20)
    whole = scene.screen()
    screen, header = fit(whole, header_of(scene), OUTPUT_BYTES)
    np.testing.assert_array_equal(screen.edges, whole.edges)
    np.testing.assert_array_equal(screen.low, whole.low)
    assert header["series"] == scene.series


# Coarsening ---------------------------------------------------------------------------

VALUES = (
    st.none() | st.just("missing") | st.tuples(st.floats(-5, 5), st.floats(0, 5), st.floats(0, 1))
)


@st.composite
def screens(draw):
    buckets = draw(st.integers(1, 30))
    cells = draw(
        st.lists(st.lists(VALUES, min_size=buckets, max_size=buckets), min_size=1, max_size=3)
    )
    low = np.full((len(cells), buckets), np.inf)
    high, mean, weight = -low, low * np.nan, np.zeros(low.shape)
    missing = np.zeros(low.shape, bool)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            if cell == "missing":
                missing[i, j] = True
            elif cell is not None:
                low[i, j], high[i, j] = cell[0], cell[0] + cell[1]
                mean[i, j] = min(cell[0] + cell[1] * cell[2], high[i, j])
                weight[i, j] = 1 + 9 * cell[2]
    widths = draw(st.lists(st.floats(0.1, 100), min_size=buckets, max_size=buckets))
    step = np.array(
        [
            draw(
                st.lists(
                    st.floats(0, 9) | st.just(float("nan")), min_size=buckets, max_size=buckets
                )
            )
        ]
    )
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    ids = np.arange(len(cells), dtype=np.int32)
    mean[:, draw(st.integers(0, 60)) :: 7] = np.nan
    known = weight if draw(st.booleans()) else None
    return Screen(ids, edges, low, high, mean, missing, ids[:1], step, None, known)


@given(screens(), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_a_coarser_screen_tells_nothing_else(screen, buckets):
    coarse = coarsen(screen, buckets)

    count = len(coarse.edges) - 1
    assert count <= buckets or count == len(screen.edges) - 1
    if count < len(screen.edges) - 1:
        even = np.linspace(screen.edges[0], screen.edges[-1], buckets + 1)
        off = np.abs(coarse.edges[:, None] - even).min(axis=0)
        assert off == pytest.approx(np.abs(screen.edges[:, None] - even).min(axis=0))
    assert coarse.edges[[0, -1]].tolist() == screen.edges[[0, -1]].tolist()
    part = np.searchsorted(coarse.edges, screen.edges[:-1], side="right") - 1
    assert set(coarse.edges) <= set(screen.edges)
    for row in range(len(screen.ids)):
        seen = screen.low[row] <= screen.high[row]
        for k in range(count):
            inside = seen & (part == k)
            if inside.any():
                assert coarse.low[row, k] == screen.low[row][inside].min()
                assert coarse.high[row, k] == screen.high[row][inside].max()
                weights = np.diff(screen.edges) if screen.weight is None else screen.weight[row]
                mean = np.average(screen.mean[row][inside], weights=weights[inside])
                assert coarse.mean[row, k] == pytest.approx(mean, nan_ok=True)
                assert not coarse.mean[row, k] < coarse.low[row, k]
                assert not coarse.mean[row, k] > coarse.high[row, k]
                if screen.weight is not None:
                    assert coarse.weight[row, k] == pytest.approx(weights[inside].sum())
                assert not coarse.missing[row, k]
            else:
                assert coarse.low[row, k] > coarse.high[row, k]
                assert np.isnan(coarse.mean[row, k])
    steps = [screen.step[0][(part == k) & ~np.isnan(screen.step[0])] for k in range(count)]
    expected = [s[-1] if len(s) else np.nan for s in steps]
    np.testing.assert_array_equal(coarse.step[0], expected)


@given(screens(), st.integers(1, 40))
@settings(deadline=None)
def test_a_gap_stays_a_gap_where_a_whole_bucket_lies_in_it(screen, buckets):
    assume(buckets < len(screen.edges) - 1)
    coarse = coarsen(screen, buckets)
    part = np.searchsorted(coarse.edges, screen.edges[:-1], side="right") - 1
    for row in range(len(screen.ids)):
        lost = False
        state = []
        for seen, missing in zip(
            screen.low[row] <= screen.high[row], screen.missing[row], strict=True
        ):
            lost = bool(missing) or (lost and not seen)
            state.append(lost)
        state = np.array(state)
        for k in range(len(coarse.edges) - 1):
            if state[part == k].all():
                assert coarse.missing[row, k]
            if coarse.missing[row, k]:
                assert state[part == k].any()


def test_of_odd_values_their_numbers_and_words_stay_and_nothing_else():
    odd = {"series": 0, "time": 1.5, "step": None, "what": "inf"}
    header = {"series": [], "entities": [], "state": {}}

    assert redact({**header, "odd": [{**odd, "more": "secret"}]})["odd"] == [odd]
    assert "odd" not in redact(header)

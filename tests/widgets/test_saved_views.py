"""What is saved of each kind of view: what it shows, and what it leaves out."""

import base64
import re

import pytest

from pulse_widgets.library.recording import Recording
from pulse_widgets.series.wire import decode
from pulse_widgets.storage.compact import compact
from pulse_widgets.widgets.hub import EVENTS_SAVED, replay_hub
from tests.storage.bench import START_US, Bench

SECOND = 1_000_000
METRICS = {
    ("gpu:0", "gpu.power"): "W",
    ("gpu:0", "gpu.utilization"): "1",
    ("host", "cpu.utilization"): "1",
    ("user", "train/loss"): "",
    ("user", "lr"): "",
}


@pytest.fixture
def hub(request, tmp_path):
    """The hub of a replay with as many marks as the test asks for."""
    bench = Bench(tmp_path / "run.pulse")
    times = [START_US + s * SECOND for s in range(100)]
    for (entity, metric), unit in METRICS.items():
        bench.numbers(bench.series(entity, metric, unit=unit), times, [0.5] * 100)
    mark = bench.series("kernel", "mark", kind="text")
    for n in range(getattr(request, "param", 1)):
        told = f'{{"label": "m{n}"}}'
        bench.put([(mark, START_US + n * SECOND, -1, float("nan"), told, b"")])
    bench.writer.close()
    return replay_hub(Recording.open(compact(tmp_path / "run.pulse")))


@pytest.mark.parametrize(
    ("layout", "metrics", "shown"),
    [
        ("dashboard", None, set(METRICS)),
        ("charts", ["train/*", "gpu.power"], {("user", "train/loss"), ("gpu:0", "gpu.power")}),
        ("dashboard", ["lr"], {("user", "lr")}),
        ("strip", ["lr", "gpu.*"], {("user", "lr"), *list(METRICS)[:2]}),
        ("strip", None, set(list(METRICS)[:3])),
    ],
)
def test_a_view_saves_what_it_shows(hub, layout, metrics, shown):
    saved = hub.saved_view(layout, metrics)

    header = decode(saved.keyframe).header
    kept = {(s["entity"], s["metric"]) for s in header["series"] if s["metric"] != "mark"}
    assert kept == shown
    assert ("<table>" in saved.html) == (layout != "strip")
    (image,) = re.findall(r"base64,([^\"]*)", saved.html)
    drawn = base64.b64decode(image).decode()
    assert ("lr" in drawn) == (("user", "lr") in shown)
    assert ("CPU utilization" in drawn) == (("host", "cpu.utilization") in shown)


@pytest.mark.parametrize(
    ("hub", "said"), [(EVENTS_SAVED, False), (EVENTS_SAVED + 20, True)], indirect=["hub"]
)
def test_a_view_says_that_its_oldest_events_are_left_out(hub, said):
    saved = hub.saved_view("dashboard", None)
    header = decode(saved.keyframe).header
    assert len(header["moments"]) == EVENTS_SAVED
    sentence = "The oldest cells and marks are left out of this saved view"
    assert (sentence in saved.html) == said
    assert any(sentence in source["problem"] for source in header["state"]["sources"]) == said
    # A strip shows none at all.
    assert sentence not in hub.saved_view("strip", None).html

"""How long a saved view is, and what it shows beside curves and a table."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulse_widgets.exchange.picture.curve import Scale
from pulse_widgets.exchange.picture.document import MOST_SENTENCES, figure_html
from pulse_widgets.exchange.picture.story import LEAST_MARKS, Story, mark_paths
from pulse_widgets.exchange.picture.svg import LEFT, RIGHT
from pulse_widgets.metrics.units import MISSING
from tests.exchange.page import (
    SVG,
    Page,
    card,
    cards,
    corners,
    means,
    pixels_of,
)
from tests.exchange.scene import START, STATE, Scene, svg_of


@pytest.mark.parametrize(("gpus", "tallest"), [(0, 480), (1, 480), (8, 620), (64, 620)])
def test_a_saved_view_is_no_longer_than_the_dashboard_it_was(gpus, tallest):
    scene, noise = Scene(), np.random.default_rng(1)
    scene.add("user", "train/loss", noise.random(3000))
    for gpu in range(gpus):
        for metric in ("utilization", "memory.used", "power", "temperature", "sm.active"):
            scene.add(f"gpu:{gpu}", f"gpu.{metric}", noise.random(3000))
    for metric in ("cpu.utilization", "memory.used", "disk.read", "disk.write", "net.received"):
        scene.add("host", metric, noise.random(3000))
    missing = [{"what": f"field {n}", "why": "not supported " * 9} for n in range(30)]
    source = {
        "name": "nvml",
        "state": "failed",
        "problem": "Gone.",
        "remedy": "",
        "missing": missing,
    }

    html = scene.html(sources=[source, source])

    open_part, folded = html.split("<details>")
    assert len(html.encode()) <= 60_000
    assert int(svg_of(html).get("height")) <= tallest
    assert len(cards(html)) == (9 if gpus else 5)
    # When it was, and two sentences of what is wrong; all else folds.
    assert open_part.count("<p>") == 3
    assert "<table>" not in open_part
    assert folded.startswith("<summary>Values (")
    assert folded.endswith("</table>" + folded.partition("</table>")[2])
    assert folded.count("<p>") == MOST_SENTENCES + 1 - 2


def test_a_picture_of_eight_noisy_gpus_is_no_coarser_than_three_pixels():
    scene, noise = Scene(), np.random.default_rng(1)
    for gpu in range(8):
        for metric in ("utilization", "memory.used", "power", "temperature"):
            scene.add(f"gpu:{gpu}", f"gpu.{metric}", noise.random(3000))
    drawn = means(card(scene.html(), "GPU utilization"))
    assert min(len(corners(path.get("d"))) for path in drawn) >= 75


def test_many_lines_are_rows_of_colours_with_their_extremes_and_gaps():
    scene = Scene()
    for gpu in range(12):
        values = np.full(200, 0.5)
        if gpu == 3:
            values[100:150] = np.nan
        if gpu == 5:
            values[60] = 1.0
        scene.add(f"gpu:{gpu}", "gpu.utilization", values)
    pixels = pixels_of(card(scene.html(), "GPU utilization"))
    assert len(pixels) == 24
    plain = pixels[0][0]
    assert {value for row in (0, 1, 10 + 1, 20) for value in pixels[row]} == {plain}
    # The upper line of a row has its largest values, the lower line its smallest.
    assert max(pixels[10]) > plain + 4
    # Nothing is drawn where readings are missing.
    for row in pixels[6:8]:
        assert 20 <= row.count(0) <= 40
        assert set(row) == {0, plain}


def test_what_is_idle_is_shaded_behind_every_chart_and_marks_are_told():
    scene = Scene()
    scene.add("host", "cpu.utilization", np.full(100, 0.5))
    about = {"host": "h0", "entity": "kernel", "facts": {}, "id": "1", "metric": "cell"}
    spans = [
        {**about, "start": START + 10.0, "end": START + 30.0},
        {**about, "start": START + 60.0, "end": None},
    ]
    moments = [
        {**about, "time": START + 40.0, "metric": "mark", "facts": {"label": f"epoch <{n}>"}}
        for n in range(15)
    ]
    html = figure_html(
        scene.screen(),
        scene.series,
        title="",
        state=STATE,
        entities=[],
        story=Story(moments, spans),
    )
    backdrop = svg_of(html).find(f"{SVG}defs/{SVG}g")
    idle, _, marks = backdrop.findall(f"{SVG}path")
    across = 2 * (944 - LEFT - RIGHT)
    ((left, _), (right, _)) = corners(idle.get("d"))[:2]
    assert [left / across, right / across] == pytest.approx([30 / 99, 60 / 99], abs=0.03)
    # Fifteen marks at one moment are one line.
    assert marks.get("d").count("M") == 1
    assert html.count('href="#t"') == 0
    assert [use.get("href") for use in svg_of(html).iter(f"{SVG}use")] == ["#t"]
    said = "<p>15 marks (UTC): 3 before, 14:14:00 epoch &lt;3&gt;, "
    assert said in html.partition("<details>")[2]


@given(st.lists(st.floats(0, 800), min_size=1, max_size=200), st.sampled_from([100, 235, 900]))
@example([1.0 * n for n in range(800)], 235)
def test_marks_never_hide_the_curves_and_none_is_far_from_a_line(times, width):
    about = {"metric": "mark", "facts": {}}
    scale = Scale((0.0, 800.0), (0.0, 1.0), width, 76, 300)
    own, others = mark_paths(Story([{**about, "time": time} for time in times]), scale)
    lines = [int(x) for x in re.findall(r"M(\d+)", own)]
    assert others == ""
    assert all(after - before >= LEAST_MARKS for before, after in pairwise(lines))
    for time in times:
        assert any(0 <= scale.x(time) - x < LEAST_MARKS for x in lines)


def test_a_strip_saves_its_figures_and_no_table():
    scene = Scene()
    for gpu in range(2):
        scene.add(f"gpu:{gpu}", "gpu.utilization", [0.1, 0.2 + gpu / 10])
        scene.add(f"gpu:{gpu}", "gpu.power", [100.0, 200.0])
        scene.add(f"gpu:{gpu}", "gpu.power.limit", [700.0, 700.0])
    scene.add("host", "memory.used", [1e9, np.nan])
    scene.add("user", "train/loss", [2.0, 1.0])
    page = Page(html := scene.html(strip=True))
    assert "table" not in page.tags
    (alt,) = re.findall(r'alt="([^"]*)"', html)
    assert alt == (
        f"Training: train/loss 1, GPU 0 20 % · 200 W, GPU 1 30 % · 200 W, Memory used {MISSING}"
    )
    drawn = ["".join(text.itertext()) for text in svg_of(html).iter(f"{SVG}text")]
    assert drawn == ["Training", "train/loss 1", "GPU 0 20 % · 200 W", "GPU 1 30 % · 200 W",
                     f"Memory used {MISSING}"]  # fmt: skip
    assert int(svg_of(html).get("height")) < 80


def test_the_lines_of_a_chart_are_named_on_it_or_for_all_charts_above_them():
    scene = Scene()
    for metric in ("train/loss", "val/loss", "train/acc", "val/acc"):
        scene.add("user", metric, [1.0, 2.0])
    words = ["".join(text.itertext()) for text in card(scene.html(), "loss").iter(f"{SVG}text")]
    assert {"train", "val"} <= set(words)
    for gpu in range(8):
        scene.add(f"gpu:{gpu}", "gpu.power", [100.0, 200.0])
    words = ["".join(text.itertext()) for text in card(scene.html(), "Power").iter(f"{SVG}text")]
    assert {str(gpu) for gpu in range(8)} <= set(words)
    for gpu in range(8):
        scene.add(f"gpu:{gpu}", "gpu.temperature", [50.0, 60.0])
    above = ["".join(text.itertext()) for text in svg_of(scene.html()).findall(f"{SVG}text")]
    assert [f"GPU {gpu} 200 W · 60 °C" for gpu in range(8)] == above[2:]
    assert {"train", "val"} <= {text.text for text in card(scene.html(), "acc").iter(f"{SVG}text")}


MISSING_PARTS = [
    {"what": "gpu:0 to gpu:7 fan.speed", "why": "the GPU has no fan of its own"},
    {"what": "gpu.nvlink.errors", "why": "not supported by this GPU"},
]


@pytest.mark.parametrize(
    ("view", "folded"),
    [
        ({}, [True, True]),
        ({"strip": True}, [False, False]),
        ({"metrics": ["train/*", "gpu.power"]}, [False, False]),
        ({"metrics": ["gpu.fan*"]}, [True, False]),
        ({"metrics": ["gpu.nvlink.errors"], "strip": True}, [False, True]),
        ({"metrics": ["*"]}, [True, True]),
    ],
)
def test_what_is_merely_not_available_is_said_where_it_is_asked_for_and_folded(view, folded):
    scene = Scene()
    scene.add("gpu:0", "gpu.power", [1.0, 2.0])
    broken = {"name": "dcgm", "state": "failed", "problem": "It broke.", "missing": []}
    nvml = {"name": "nvml", "state": "ok", "problem": "", "missing": MISSING_PARTS}
    html = scene.html(sources=[nvml, broken], **view)
    caption, _, rest = html.partition("<figcaption>")[2].partition("</figcaption>")
    assert "dcgm: It broke." in caption
    assert not any(one["why"] in caption for one in MISSING_PARTS)
    assert [one["why"] in rest for one in MISSING_PARTS] == folded

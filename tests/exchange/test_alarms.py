"""What a saved picture warns of, in words and beside the values."""

import re

import numpy as np
import pytest

from tests.exchange.page import SVG
from tests.exchange.scene import Scene, svg_of

GIB = 2.0**30


def scene_of(count, *, lost=(), full=(), hot=(), slowdown=None):
    """GPUs, some of which are in trouble at the end."""
    scene = Scene()
    for gpu in range(count):
        name, steady = f"gpu:{gpu}", np.ones(60)
        there = np.where((np.arange(60) > 40) & (gpu in lost), np.nan, steady)
        scene.add(name, "gpu.utilization", 0.5 * there)
        scene.add(name, "gpu.memory.used", (78 if gpu in full else 40) * GIB * there)
        scene.add(name, "gpu.memory.total", 80 * GIB * steady)
        scene.add(name, "gpu.temperature", (88.0 if gpu in hot else 61.0) * there)
        if slowdown:
            scene.add(name, "gpu.temperature.slowdown", slowdown * steady)
    return scene


def said(html):
    """The warning of the heading, and the values of the legend with their colours."""
    svg = svg_of(html)
    (alt,) = re.findall(r'alt="([^"]*)"', html)
    legend = {}
    for text in svg.findall(f"{SVG}text"):
        spans = text.findall(f"{SVG}tspan")
        if len(spans) > 1:
            legend[spans[0].text] = (spans[1].text, spans[1].get("fill") is not None)
    notes = [text.text for text in svg.findall(f"{SVG}text") if text.get("text-anchor") == "end"]
    return notes, legend, alt.split("; ")[2:]


def test_a_lost_gpu_a_full_one_and_a_hot_one_are_said_in_the_heading_and_the_legend():
    notes, legend, alt = said(scene_of(8, lost=[3], full=[2], hot=[5]).html())
    words = ["GPU 3 lost", "GPU 2 memory 97 % full", "GPU 5 88 °C hot"]
    assert notes == [" · ".join(words)]
    assert alt == words
    assert legend["GPU 3"] == ("lost", True)
    assert legend["GPU 2"] == ("50 % · 78 GiB ▲ · 61 °C", True)
    assert legend["GPU 5"] == ("50 % · 40 GiB · 88 °C ▲", True)
    assert legend["GPU 0"] == ("50 % · 40 GiB · 61 °C", False)


@pytest.mark.parametrize("view", [{}, {"strip": True}])
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (scene_of(1, hot=[0]), "GPU 0 88 °C hot"),
        (scene_of(1, hot=[0], slowdown=95), ""),
        (scene_of(1, hot=[0], slowdown=91), "GPU 0 88 °C hot"),
        (scene_of(16, lost=range(8)), "8 GPUs lost"),
        (scene_of(16, full=range(3), hot=[4]), "3 GPUs low on memory · GPU 4 88 °C hot"),
        (scene_of(2), ""),
    ],
)
def test_however_many_gpus_there_are(made, words, view):
    notes, _, _ = said(made.html(**view))
    assert notes == ([words] if words else [])


def test_what_never_had_a_reading_is_not_lost():
    scene = Scene()
    scene.add("gpu:0", "gpu.utilization", [np.nan, np.nan])
    scene.add("host", "cpu.utilization", [0.1, 0.2])
    assert said(scene.html())[0] == []

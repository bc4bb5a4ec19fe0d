"""What the curves of a saved picture look like."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.exchange.picture.document import figure_html
from pulse_widgets.exchange.picture.svg import COLORS, TALL_PLOT
from pulse_widgets.metrics.units import MISSING
from tests.exchange.page import SVG, Page, card, corners, curves, height, means, one, spikes
from tests.exchange.scene import START, STATE, Scene


def test_a_spike_of_one_sample_among_thousands_is_as_high_as_it_was():
    values = np.full(20_000, 0.1)
    values[7_777] = 0.9

    html = one(values)
    points = [p for stretch in curves(card(html, "CPU utilization")) for p in stretch]

    # The axis goes from 0 to 100 %.
    assert min(y for _, y in points) == round(0.1 * height(html))
    assert max(y for _, y in points) == round(0.9 * height(html))


def test_a_curve_goes_up_where_values_rise():
    (line,) = means(card(one(np.linspace(0, 1, 30)), "CPU utilization"))
    stretch = corners(line.get("d"))
    assert [y for _, y in stretch] == sorted((y for _, y in stretch), reverse=True)
    assert stretch[0][1] > 0.95 * 2 * TALL_PLOT
    # The axis has some room above the largest value.
    assert stretch[-1][1] < 0.07 * 2 * TALL_PLOT


def test_missing_readings_break_the_curve():
    values = np.full(120, 0.5)
    values[60:80] = np.nan

    stretches = curves(card(one(values), "CPU utilization"))

    assert len(stretches) == 2
    ends = sorted((min(x for x, _ in s), max(x for x, _ in s)) for s in stretches)
    # A sixth of the time is missing.
    width = ends[-1][1]
    assert ends[0][1] < 0.53 * width
    assert ends[1][0] > 0.63 * width


def test_a_lone_reading_between_gaps_is_a_dot():
    values = np.full(60, np.nan)
    values[:10] = 0.2
    values[30] = 0.8
    values[50:] = 0.2
    stretches = curves(card(one(values), "CPU utilization"))
    dots = [s for s in stretches if len(set(s)) == 1]
    assert len(stretches) == 3
    assert len(dots) == 1


def test_a_pause_without_a_missing_reading_is_no_gap():
    scene = Scene()
    scene.add("host", "cpu.utilization", np.full(30, 0.5))
    scene.add("user", "loss", [3.0, 2.0])
    scene.add("user", "loss2", [2.0], first=29)
    loss = curves(card(scene.html(), "loss"))
    assert len(loss) == 1


def test_eight_gpus_have_a_line_and_a_colour_each():
    scene = Scene()
    for gpu in range(8):
        scene.add(f"gpu:{gpu}", "gpu.temperature", np.full(30, 40.0 + gpu))
    drawn = means(card(scene.html(), "Temperature"))
    assert [path.get("stroke") for path in drawn] == list(COLORS)


def test_a_gpu_has_its_colour_also_where_it_is_the_only_line():
    scene = Scene()
    for gpu in range(4):
        scene.add(f"gpu:{gpu}", "gpu.temperature", np.full(30, 40.0 + gpu))
    scene.add("gpu:3", "gpu.power", np.full(30, 300.0))
    (line,) = means(card(scene.html(), "Power"))
    assert line.get("stroke") == COLORS[3]


def test_noise_is_a_pale_band_around_the_line_of_its_mean():
    values = np.random.default_rng(3).uniform(0.2, 0.8, 20_000)

    html = one(values)
    drawn = card(html, "CPU utilization")
    (line,) = [corners(path.get("d")) for path in means(drawn)]
    bands = [path for path in drawn.iter(f"{SVG}path") if path.get("fill-opacity")]
    (outline,) = [corners(path.get("d")) for path in bands]

    full = height(html)
    assert bands[0].get("stroke") is None
    # The mean of every column lies near the middle; the band reaches to nearly all there was.
    assert all(0.4 * full < y < 0.6 * full for _, y in line)
    assert min(y for _, y in outline) < 0.21 * full
    assert max(y for _, y in outline) > 0.79 * full
    # Nothing sticks out of a band that is alike everywhere.
    assert not spikes(drawn)


def test_what_sticks_out_of_the_band_around_it_is_drawn_in_full_colour():
    values = np.random.default_rng(3).uniform(0.4, 0.5, 20_000)
    values[12_345] = 0.9

    html = one(values)
    (spike,) = spikes(card(html, "CPU utilization"))

    assert spike.get("stroke") == COLORS[0]
    (at, top) = corners(spike.get("d"))
    assert at[0] == top[0]
    assert top[1] == round(0.1 * height(html))


def test_the_bands_of_many_lines_are_one_from_the_lowest_to_the_highest():
    scene, noise = Scene(), np.random.default_rng(3)
    for gpu in range(8):
        scene.add(f"gpu:{gpu}", "gpu.utilization", noise.uniform(0.1 * gpu, 1.0, 5000))
    drawn = card(scene.html(), "GPU utilization")
    assert len([path for path in drawn.iter(f"{SVG}path") if path.get("fill-opacity")]) == 1
    assert len(means(drawn)) == 8


@pytest.mark.parametrize("lost", [[3], [0, 7], [0, 1, 2, 4, 6]])
def test_a_gpu_that_is_lost_leaves_the_band_of_the_others_whole(lost):
    scene = Scene(0.7)
    for gpu in range(8):
        values = np.full(200, 0.1 * gpu)
        if gpu in lost:
            values[60:] = np.nan
        else:
            values[1::2] += 0.1
        scene.add(f"gpu:{gpu}", "gpu.utilization", values)
    screen = scene.screen()
    assert not (screen.low <= screen.high).any(axis=0).all()  # some buckets have no reading
    html = figure_html(screen, scene.series, title="", state=STATE, entities=[])
    (band,) = (
        path.get("d")
        for path in card(html, "GPU utilization").iter(f"{SVG}path")
        if path.get("fill-opacity")
    )
    assert band.count("M") == 1


def test_gpus_that_are_lost_together_are_a_gap_of_their_band():
    scene = Scene()
    for gpu in range(8):
        values = np.full(200, 0.1 * gpu)
        values[60:90] = np.nan
        scene.add(f"gpu:{gpu}", "gpu.utilization", values)
    (band,) = (
        path.get("d")
        for path in card(scene.html(), "GPU utilization").iter(f"{SVG}path")
        if path.get("fill-opacity")
    )
    assert band.count("M") == 2


def test_where_the_mean_is_not_known_there_is_a_band_alone():
    scene = Scene()
    scene.add("user", "loss", np.random.default_rng(3).uniform(0.0, 1.0, 5000))
    screen = replace(scene.screen(), mean=np.full_like(scene.screen().mean, np.nan))
    html = figure_html(screen, scene.series, title="", state=STATE, entities=[])
    assert "fill-opacity" in ET.tostring(card(html, "loss")).decode()
    # A bucket of one sample is known; a line would be a zigzag through what is not.
    assert not any("l" in path.get("d") for path in means(card(html, "loss")))
    assert Page(html).row("loss")[3] == MISSING


def test_a_short_gap_between_two_columns_still_breaks_the_curve():
    values = np.full(100, 0.5)
    values[98] = np.nan
    assert len(curves(card(one(values), "CPU utilization"))) == 2


def test_a_reading_in_the_bucket_in_which_the_session_began_is_drawn():
    scene = Scene()
    scene.add("host", "cpu.utilization", [0.5], first=0.4)
    scene.add("host", "memory.used", [1e9, 2e9], first=0.4)

    html = scene.html(t0=START + 0.3)

    # The middle of that bucket lies before the session; the reading stands at the left edge.
    assert curves(card(html, "CPU utilization")) == [[(0, TALL_PLOT), (0, TALL_PLOT)]]


@given(
    at=st.integers(500, 1900),
    width=st.integers(1, 400),
    gpus=st.sampled_from([1, 2, 8]),
    limit=st.sampled_from([60_000, 25_000]),
)
@settings(max_examples=12, deadline=None)
def test_a_planted_spike_is_drawn_in_full_colour_wherever_it_is(at, width, gpus, limit):
    noise = np.random.default_rng(at)
    scene = Scene()
    for gpu in range(gpus):
        values = noise.normal(0.6, 0.01, 2000)
        # The curve falls and rises near it, which is no reason to overlook it.
        values[at - width - 20 : at - 20] = 0.05
        values[at] = 0.98 if gpu == gpus - 1 else values[at]
        scene.add(f"gpu:{gpu}", "gpu.utilization", values)

    html = scene.html(limit_bytes=limit)

    drawn = card(html, "GPU utilization")
    own = [p for p in means(drawn) + spikes(drawn) if p.get("stroke") == COLORS[gpus - 1]]
    top = min(
        y for path in own for part in re.findall("M[^M]+", path.get("d")) for _, y in corners(part)
    )
    assert top <= 0.06 * height(html)

"""What a saved picture shows and says."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulse_widgets.metrics.units import MISSING, format_value
from tests.exchange.page import (
    PLAIN_TAGS,
    SVG,
    Page,
    card,
    curves,
    height,
    one,
    titles,
)
from tests.exchange.scene import START, Scene, svg_of


def test_the_users_own_come_first_then_gpu_charts_the_machine_and_the_kernel():
    scene = Scene()
    values = np.full(20, 0.5)
    for entity, metric in (
        ("user", "loss"),
        ("kernel", "process.cpu"),
        ("host", "net.received"),
        ("host", "disk.write"),
        ("host", "disk.read"),
        ("host", "memory.used"),
        ("cpu:0", "cpu.utilization"),
        ("host", "cpu.utilization"),
        ("gpu:0", "gpu.temperature"),
        ("gpu:0", "gpu.power"),
        ("gpu:0", "gpu.memory.used"),
        ("gpu:0", "gpu.utilization"),
    ):
        scene.add(entity, metric, values)
    assert titles(scene.html()) == [
        "loss", "GPU utilization", "GPU memory used", "Power", "Temperature", "CPU utilization",
        "Memory used", "Process CPU", "Disk",
    ]  # fmt: skip


def test_axes_have_units_and_the_utc_clock():
    scene = Scene(interval_s=60)
    scene.add("host", "memory.used", np.full(60, 3.0 * 2**30))
    texts = [t.text for t in card(scene.html(), "Memory used").findall(f"{SVG}text")]
    assert "2 GiB" in texts
    assert {"14:30", "15:00"} <= set(texts)


def test_more_than_eight_gpus_are_one_envelope_that_says_so():
    scene = Scene()
    for gpu in range(9):
        scene.add(f"gpu:{gpu}", "gpu.temperature", np.full(30, 40.0 + gpu))
    html = scene.html()
    texts = " ".join(t.text or "" for t in card(html, "Temperature").findall(f"{SVG}text"))
    assert "9 GPUs" in texts
    assert "40 °C to 48 °C" in texts
    assert Page(html).row("Temperature")[1:5] == ["9 GPUs", "40 °C", "44 °C", "48 °C"]


def test_the_table_gives_smallest_mean_largest_and_last_known_with_units():
    scene = Scene()
    scene.add("gpu:3", "gpu.power", [100.0, 650.0, 250.0])
    page = Page(scene.html())
    assert page.row("Power") == ["Power", "GPU 3", "100 W", "333 W", "650 W", "250 W"]
    assert page.rows[1] == ["Power and thermal", ""]


def test_the_table_does_not_carry_a_value_past_the_last_reading():
    scene = Scene()
    scene.add("gpu:0", "gpu.power", [100.0, 200.0, np.nan])
    scene.add("gpu:0", "gpu.fan", [np.nan])
    scene.add("gpu:0", "gpu.clock.sm", [])
    page = Page(scene.html())
    assert page.row("Power")[-1] == f"{MISSING} (200 W before)"
    assert page.row("Fan")[2:] == [MISSING] * 4
    assert page.rows[-1] == ["1 series without a reading so far"]


def test_series_beyond_the_table_are_counted():
    scene = Scene()
    for n in range(100):
        scene.add("user", f"key{n:03}", [1.0, 2.0])
    page = Page(scene.html())
    told = [row for row in page.rows if len(row) == 6 and row[0].startswith("key")]
    assert page.rows[-1] == [f"and {100 - len(told)} more series"]
    assert len(told) == 40


def test_every_metric_of_eight_gpus_has_a_row_before_any_is_left_out():
    scene = Scene()
    metrics = ["utilization", "memory.used", "power", "temperature", "sm.active", "dram.active"]
    for gpu in range(8):
        for metric in metrics:
            scene.add(f"gpu:{gpu}", f"gpu.{metric}", [0.1, 0.2])
    scene.add("host", "cpu.utilization", [0.1, 0.2])
    page = Page(scene.html())
    assert page.row("CPU utilization", "host")
    assert page.row("DRAM active", "8 GPUs")
    assert page.row("GPU utilization", "GPU 7")


def test_what_a_reader_of_another_package_measures_stands_under_its_heading():
    scene, npus = Scene(), {"group": "My NPUs", "title": "NPU load"}
    for npu in range(2):
        scene.add(f"npu:{npu}", "npu.load", [0.1, 0.2 + npu / 10], unit="1", **npus)
    scene.label("npu:1", name="Model X")
    for ups in range(9):
        scene.add(f"ups:{ups}", "ups.load", [1.0, 2.0], unit="W", group="U" * 500)
    scene.add("host", "net.latency", [1.0, 2.0], group="Disk and network", title="Latency")
    scene.add("host", "x", [1.0, 2.0])
    scene.add("user", "loss", [1.0, 2.0], **npus)

    html = scene.html()

    assert titles(html) == ["loss", "Latency", "NPU load", "ups.load", "x"]
    rows = Page(html).rows[1:]
    headings = ["Your metrics", "Disk and network", "My NPUs", "U" * 59 + "…", "Other metrics"]
    assert [row[0] for row in rows if len(row) == 2] == headings
    assert ["NPU load", "NPU 0", "10 %", "15 %", "20 %", "20 %"] in rows
    assert ["NPU load", "Model X (1)", "10 %", "20 %", "30 %", "30 %"] in rows
    assert ["ups.load", "9 series", "1 W", "1.5 W", "2 W", "2 W"] in rows


@pytest.mark.parametrize("limit", [60_000, 20_000, 6_000])
@pytest.mark.parametrize("series", [1, 96, 1000])
def test_the_figure_stays_below_its_limit(series, limit):
    rng = np.random.default_rng(series)
    scene = Scene()
    for n in range(series):
        entity, metric = (
            (f"gpu:{n % 8}", ["gpu.utilization", "gpu.power", "gpu.sm.active"][n // 8 % 3])
            if n < 24
            else ("user", f"long/name/of/a/key/{n}")
        )
        scene.add(entity, metric, rng.random(400))
    html = scene.html(limit_bytes=limit)
    assert len(html.encode()) <= limit
    assert Page(html).rows


def test_markup_in_titles_keys_and_labels_is_shown_as_it_stands():
    bad = "<script>alert(1)</script>&\"'\x00\ud800"
    scene = Scene()
    scene.label("gpu:0", name=bad)
    scene.add("gpu:0", "gpu.power", [1.0, 2.0])
    scene.add(bad, bad, [1.0, 2.0], unit="<b>")
    source = {"name": bad, "state": "absent", "problem": bad, "remedy": bad, "missing": []}

    html = scene.html(title=bad, sources=[source], recording={"path": bad})

    page = Page(html)
    assert set(page.tags) <= PLAIN_TAGS
    shown = "<script>alert(1)</script>&\"'\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert shown in titles(html)
    assert page.row(shown)[2] == "1 <b>"
    assert page.said.count(shown) == 4
    assert {element.tag for element in svg_of(html).iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "defs", "use", "g", "rect", "text", "path")
    }


@example("", "gpu.memory.busy")
@example("", "")
@given(st.text(max_size=60), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_a_picture_that_parses(title, key):
    scene = Scene()
    scene.add("user", key, [1.0, 2.0])
    html = scene.html(title=title)
    assert set(Page(html).tags) <= PLAIN_TAGS
    assert svg_of(html).tag == f"{SVG}svg"


@example([1.7976931348623157e308], "degC")
@example([-1.7976931348623157e308, 1.7976931348623157e308], "")
@example([5e-324], "W")
@given(
    st.lists(
        st.floats(allow_nan=True, allow_infinity=False) | st.just(float("nan")),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["", "1", "B", "s", "degC", "count", "W"]),
)
@settings(max_examples=150, deadline=None)
def test_any_numbers_give_coordinates_inside_the_chart(values, unit):
    scene = Scene()
    scene.add("user", "key", values, unit=unit)
    html = scene.html()
    known = [v for v in values if not np.isnan(v)]
    if not known:
        assert "There was no reading to show yet" in html
        return
    row = Page(html).row("key")
    assert [row[2], row[4]] == [format_value(end(known), unit) for end in (min, max)]
    for x, y in (p for stretch in curves(card(html, "key")) for p in stretch):
        assert 0 <= x <= 2 * 960
        assert 0 <= y <= height(html)


def test_nothing_is_fetched_run_or_styled():
    page = Page(one(np.full(20, 0.5)))
    assert set(page.tags) == PLAIN_TAGS
    assert page.attributes["img"] == {"alt", "width", "src"}
    assert not set().union(*(page.attributes[t] for t in PLAIN_TAGS - {"img"})) - {"colspan"}


def test_the_image_is_described_in_words():
    html = one(np.full(20, 0.5))
    (alt,) = re.findall(r'alt="([^"]*)"', html)
    assert alt.startswith("Training: charts of CPU utilization; 21 Sep 2026, 14:13:20 to 14:13:3")


def test_without_a_reading_there_is_a_sentence_and_why():
    source = {
        "name": "nvml",
        "state": "absent",
        "problem": "There is no NVIDIA driver here.",
        "remedy": "Install one.",
        "missing": [],
    }
    page = Page(Scene().html(sources=[source], phase="running"))
    assert "img" not in page.tags
    assert "There was no reading to show yet" in page.said
    assert "nvml: There is no NVIDIA driver here. Install one." in page.said


def test_a_chart_whose_readings_are_all_missing_says_so():
    scene = Scene()
    scene.add("gpu:0", "gpu.utilization", [np.nan, np.nan])
    scene.add("host", "cpu.utilization", [0.1, 0.2])
    missing = [{"what": "gpu.utilization", "why": "not supported by this GPU"}]
    nvml = {"name": "nvml", "state": "ok", "problem": "", "remedy": "", "missing": missing}
    html = scene.html(sources=[nvml])
    assert "No reading" in [t.text for t in card(html, "GPU utilization").iter(f"{SVG}text")]
    assert "nvml, gpu.utilization: not supported by this GPU" in Page(html).said


def test_simulated_data_says_so_in_the_picture_and_below():
    scene = Scene()
    scene.add("gpu:0", "gpu.power", [1.0, 2.0])
    html = scene.html(simulated=True)
    assert "Simulated data" in [t.text for t in svg_of(html).findall(f"{SVG}text")]
    assert "Simulated data" in Page(html).said
    assert "imulated" not in Page(scene.html()).said


def test_two_pictures_of_the_same_screen_are_the_same():
    assert one(np.arange(50) / 50) == one(np.arange(50) / 50)


def test_hosts_are_told_apart():
    scene = Scene()
    for host, name in (("h0", "ada"), ("h1", "bob")):
        scene.label("host", host=host, name=name)
        scene.label("gpu:0", host=host, name=f"model {name}")
        scene.add("host", "cpu.utilization", [0.1, 0.2], host=host)
        scene.add("gpu:0", "gpu.power", [1.0, 2.0], host=host)
    page = Page(scene.html())
    assert {row[1] for row in page.rows if row[0] == "CPU utilization"} == {"ada", "bob"}
    owners = ["ada · GPU 0", "bob · GPU 0"]
    assert [row[1] for row in page.rows if row[0] == "Power"] == owners
    drawn = ["".join(text.itertext()) for text in card(scene.html(), "Power").iter()]
    assert [text for text in drawn if text in owners] == owners
    assert "model ada, 1 \N{MULTIPLICATION SIGN} model bob" in scene.html()


def test_the_start_of_the_session_is_the_left_edge():
    scene = Scene(interval_s=10)
    scene.add("host", "cpu.utilization", np.full(2000, 0.5), first=3)
    words = Page(scene.html(t0=START + 28.0)).said
    assert "21 Sep 2026, 14:13:48 to 19:47:0" in words


def test_a_users_key_is_theirs_whatever_the_catalog_calls_so():
    scene = Scene()
    scene.add("host", "cpu.utilization", [0.1, 0.2])
    scene.add("rank:3", "gpu.power", [1.0, 2.0])
    page = Page(scene.html())
    assert ["Your metrics", ""] in page.rows
    assert titles(scene.html()) == ["Power", "CPU utilization"]


def test_readings_that_are_rarely_asked_for_are_drawn_when_there_are_no_others():
    scene = Scene()
    scene.add("fs:/", "disk.used", [1.0, 2.0])
    assert titles(scene.html()) == ["File system used"]


def test_the_last_known_value_is_the_last_one_and_no_range():
    page = one(np.exp(-np.arange(400) / 50))

    (value,) = [t.text for t in card(page, "CPU utilization").findall(f"{SVG}text")][1:2]
    assert value == format_value(float(np.exp(-399 / 50)), "1")
    assert Page(page).row("CPU utilization")[-1] == value


def test_a_user_who_told_numpy_to_raise_gets_the_picture_all_the_same():
    scene = Scene()
    scene.add("user", "loss", [1e308, 1e-300, np.nan, 5.0])
    with np.errstate(all="raise"):
        assert "<img" in scene.html()

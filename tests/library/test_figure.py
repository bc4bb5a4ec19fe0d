"""Plotly figures say what the rows say, driven through files on disk."""

import json
import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import ArgumentError, UnknownMetricError
from pulse_widgets.insight.curves import curve_of
from pulse_widgets.library.recording import Recording
from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage.compact import compact
from tests.storage.bench import START_US, Bench

SECOND = 1_000_000
GIB = 2**30


@pytest.fixture(scope="module")
def rec(tmp_path_factory):
    """Ten minutes of two GPUs at 10 Hz, with one spike and one outage, and a training."""
    bench = Bench(tmp_path_factory.mktemp("figures") / "run.pulse")
    power = [bench.series(f"gpu:{g}", "gpu.power", unit="W") for g in (0, 1)]
    memory = bench.series("gpu:0", "gpu.memory.used", unit="B")
    heat = [bench.series(f"gpu:{g}", "gpu.temperature", unit="degC") for g in (0, 1)]
    cpu = bench.series("host", "cpu.user.total", unit="s", kind="counter")
    loss = bench.series("user", "train/loss")
    noise = np.random.default_rng(7).normal(0, 5, 6000)
    rows = []
    for tick in range(6000):
        time = START_US + tick * SECOND // 10
        if not 2000 <= tick < 2600:
            rows.append((power[0], time, NO_STEP, 400.0 + noise[tick], "", b""))
        rows.append((power[1], time, NO_STEP, 700.0 if tick == 4321 else 300.0, "", b""))
        if tick % 10 == 0:
            rows += [
                (memory, time, NO_STEP, (20 + tick / 600) * GIB, "", b""),
                (heat[0], time, NO_STEP, 60.0 + tick // 600, "", b""),
                (heat[1], time, NO_STEP, 50.0, "", b""),
                (cpu, time, NO_STEP, 100 + 0.5 * tick / 10, "", b""),
                (loss, time, tick // 10, 1 / (1 + tick), "", b""),
            ]
    bench.put(rows)
    cells = bench.series("kernel", "cell", unit="s", kind="span")
    for count, (at, seconds) in enumerate([(60, 120), (300, 200)], 1):
        text = json.dumps({"id": f"{count}", "count": count, "line": f"fit({count})"})
        begin = START_US + at * SECOND
        bench.put([
            (cells, begin, NO_STEP, math.nan, text, b""),
            (cells, begin + seconds * SECOND, NO_STEP, float(seconds),
             json.dumps({"id": f"{count}", "status": "ok"}), b""),
        ])  # fmt: skip
    mark = bench.series("kernel", "mark", kind="text")
    label = json.dumps({"label": "<b>warm</b>"})
    bench.put([(mark, START_US + 400 * SECOND, NO_STEP, math.nan, label, b"")])
    bench.settle()
    bench.writer.close()
    return Recording.open(compact(bench.directory))


def lines(figure):
    return {trace.name: trace for trace in figure.data if "least" not in trace.name}


def bands(figure):
    return {t.name.split(",")[0]: t for t in figure.data if "least" in t.name}


# Over time ----------------------------------------------------------------------------


def test_a_line_is_the_mean_in_a_band_that_holds_every_value(rec):
    figure = rec.figure(metrics="gpu.power", points=100)

    assert set(lines(figure)) == {"GPU 0", "GPU 1"}
    time, value = rec.select("gpu.power", entity="gpu:1").values()
    spike = time[np.argmax(value)]
    trace, band = lines(figure)["GPU 1"], bands(figure)["GPU 1"]
    assert np.nanmax(band.y) == 700
    assert np.nanmin(band.y) == 300
    assert abs(band.x[np.nanargmax(band.y)] * 1000 - spike.astype(np.int64)) <= 6 * SECOND
    assert len(trace.x) <= 100
    assert np.nanmean(trace.y) == pytest.approx(value.mean(), rel=1e-3)
    assert (
        trace.line.color == lines(figure)["GPU 1"].line.color != lines(figure)["GPU 0"].line.color
    )


def test_an_outage_is_a_gap_of_line_and_band(rec):
    figure = rec.figure(metrics="gpu.power", points=100)
    trace, band = lines(figure)["GPU 0"], bands(figure)["GPU 0"]

    assert trace.connectgaps is False
    (broken,) = np.flatnonzero(np.isnan(trace.y))
    begin, end = START_US + 200 * SECOND, START_US + 260 * SECOND
    stamps = np.array(trace.x, "datetime64[us]").astype(np.int64)
    assert stamps[broken - 1] < begin < stamps[broken + 1]
    assert not ((stamps > begin + 4 * SECOND) & (stamps < end - 4 * SECOND)).any()
    # Two areas, each closed by a NaN.
    assert np.isnan(band.y).sum() == 2


def test_few_values_are_drawn_as_they_are(rec):
    part = rec.select("gpu.power", entity="gpu:0", start=10, end=20)
    figure = part.figure()

    (trace,) = figure.data
    time, value = part.values()
    np.testing.assert_array_equal(np.array(trace.x, "datetime64[us]"), time)
    np.testing.assert_array_equal(trace.y, value)


def test_axes_and_hover_are_in_the_units_people_use(rec):
    figure = rec.figure(metrics=["gpu.memory.used", "cpu.user", "gpu.temperature"])

    titles = {note.text for note in figure.layout.annotations}
    assert {"GPU memory used", "Temperature"} <= titles
    by_unit = {axis.title.text: axis for axis in figure.select_yaxes()}
    assert set(by_unit) == {"GiB", "%", "°C"}
    memory = next(t for t in figure.data if "GiB" in t.hovertemplate)
    assert memory.y[0] == pytest.approx(20)
    assert memory.y[-1] == pytest.approx(30, rel=0.01)


def test_a_counter_is_drawn_as_its_rate(rec):
    figure = rec.figure(metrics="cpu.user.total")

    (trace,) = figure.data
    # Half a second of work in every second.
    np.testing.assert_allclose(trace.y, 50)


def test_idle_time_is_grey_and_cells_and_marks_have_their_names(rec):
    figure = rec.figure(metrics="gpu.power")

    def seconds(stamp):
        return (np.datetime64(stamp, "us").astype(np.int64) - START_US) / SECOND

    idle = [(seconds(s.x0), seconds(s.x1)) for s in figure.layout.shapes if s.type == "rect"]
    assert [(round(a), round(b)) for a, b in idle] == [(0, 60), (180, 300), (500, 600)]
    at = sorted(seconds(s.x0) for s in figure.layout.shapes if s.type == "line")
    assert at == [60, 300, 400]
    names = [note.text for note in figure.layout.annotations]
    assert {"[1]", "[2]", "&lt;b&gt;warm&lt;/b&gt;"} <= set(names)


def test_a_whole_recording_shows_own_metrics_first_and_a_selection_all_it_holds(rec):
    def titles(figure):
        return [note.text for note in figure.layout.annotations if note.font.size == 13]

    assert titles(rec.figure())[0] == "train/loss"
    assert "Temperature" in titles(rec.figure())
    assert titles(rec.select("gpu.temp*").figure()) == ["Temperature"]


def test_each_entity_can_have_a_chart_of_its_own(rec):
    figure = rec.figure(metrics="gpu.power", by="entity")

    assert len(list(figure.select_yaxes())) == 2
    assert {t.yaxis for t in lines(figure).values()} == {"y", "y2"}


def test_steps_narrow_what_is_drawn(rec):
    (trace,) = rec.select("train/loss", step=(10, 19)).figure().data

    np.testing.assert_allclose(trace.y, [1 / (1 + 10 * step) for step in range(10, 20)])


# The other kinds ----------------------------------------------------------------------


def test_a_heat_map_has_a_row_for_each_entity_and_is_empty_in_an_outage(rec):
    figure = rec.figure("heatmap", metrics="gpu.power", points=60)

    (trace,) = figure.data
    assert list(trace.y) == ["GPU 0", "GPU 1"]
    z = np.array(trace.z, float)
    assert z.shape == (2, 60)
    assert [*np.flatnonzero(np.isnan(z[0]))] == [*range(20, 26)]
    assert not np.isnan(z[1]).any()
    _, value = rec.select("gpu.power", entity="gpu:1").values()
    np.testing.assert_allclose(z[1], value.reshape(60, 100).mean(axis=1))


def test_one_metric_stands_against_another_in_the_order_they_were_named(rec):
    figure = rec.figure("scatter", metrics=["gpu.temperature", "gpu.power"], points=20)

    assert {trace.name for trace in figure.data} == {"GPU 0", "GPU 1"}
    assert figure.layout.xaxis.title.text == "Temperature (°C)"
    assert figure.layout.yaxis.title.text == "Power (W)"
    one = next(trace for trace in figure.data if trace.name == "GPU 1")
    np.testing.assert_allclose(one.x, 50)
    assert len(one.x) == 20
    # Where the driver was silent there is no point.
    assert len(next(trace for trace in figure.data if trace.name == "GPU 0").x) < 20


def test_a_third_metric_gives_the_colour_whoever_it_is_of(rec):
    figure = rec.figure("scatter", metrics=["gpu.power", "gpu.temperature", "train/loss"])

    assert figure.layout.coloraxis.colorbar.title.text == "train/loss"
    for trace in figure.data:
        assert len(trace.marker.color) == len(trace.x) > 100
        assert trace.name.startswith("GPU")


@pytest.mark.parametrize("by", ["entity", "cell"])
def test_a_box_holds_least_quartiles_and_greatest(rec, by):
    figure = rec.figure("distribution", metrics="gpu.power", by=by)

    time, value = rec.select("gpu.power", entity="gpu:0").values()
    seconds = (time.astype(np.int64) - START_US) / SECOND
    if by == "cell":
        value = value[(seconds >= 60) & (seconds < 180)]
    box = next(trace for trace in figure.data if trace.name == "GPU 0")
    assert box.x[0] == ("[1] fit(1)" if by == "cell" else "GPU 0")
    found = [box.lowerfence[0], box.q1[0], box.median[0], box.q3[0], box.upperfence[0]]
    np.testing.assert_allclose(found, np.percentile(value, [0, 25, 50, 75, 100]))
    assert box.mean[0] == pytest.approx(value.mean())


# What is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"kind": "pie"}, ArgumentError, "'heatmap'"),
        ({"by": "cell"}, ArgumentError, "'entity'"),
        ({"kind": "heatmap", "by": "metric"}, ArgumentError, "cannot be split"),
        ({"points": 1}, ArgumentError, "no number of points"),
        ({"points": True}, ArgumentError, "no number of points"),
        ({"points": 2.5}, ArgumentError, "no number of points"),
        ({"metrics": "gpu.powr"}, UnknownMetricError, "gpu.power"),
        ({"metrics": "mark"}, ArgumentError, "No series with numbers"),
        ({"kind": "scatter", "metrics": "gpu.power"}, ArgumentError, "two or three"),
        ({"template": "nice"}, ArgumentError, "template of Plotly"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(rec, asked, error, said):
    with pytest.raises(error) as caught:
        rec.figure(**asked)

    assert said in str(caught.value)
    assert caught.value.remedy


def test_too_many_metrics_are_refused(bench):
    for number in range(41):
        bench.numbers(bench.series("user", f"m{number}"), [START_US], [1.0])
    rec = Recording.open(bench.directory)

    assert len(list(rec.figure().select_yaxes())) == 12
    with pytest.raises(ArgumentError, match="41 metrics are too many"):
        rec.figure(metrics="m*")


def test_plotly_is_loaded_when_a_figure_is_asked_for_and_named_where_it_is_missing(rec):
    code = (
        "import sys, pulse_widgets as pw\n"
        f"rec = pw.Recording.open({str(rec.path)!r})\n"
        "rec.summary()\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'plotly']\n"
        "sys.modules['plotly'] = None\n"
        "try: rec.figure()\n"
        "except pw.PulseError as error: print(type(error).__name__, error.remedy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.split(maxsplit=1) == [
        "MissingExtraError", 'Run: pip install "pulse_widgets[plot]"\n',
    ], done.stderr  # fmt: skip


# The curve ----------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(data=st.data(), points=st.integers(2, 12))
def test_a_curve_hides_no_value_and_crosses_no_gap(data, points):
    count = data.draw(st.integers(1, 60))
    # Between two times there is room for that of a gap.
    steps = data.draw(st.lists(st.integers(2, 1000), min_size=count, max_size=count))
    time = np.cumsum(np.array(steps, np.int64))
    number = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.just(math.inf))
    value = np.array(data.draw(st.lists(number, min_size=count, max_size=count)))
    silent = np.array(sorted(data.draw(st.sets(st.integers(1, max(count - 1, 1)), max_size=4))))
    silent = silent[silent < count].astype(np.int64)
    curve = curve_of(time, value, silent, points)

    known = np.isfinite(value)
    there = ~np.isnan(curve.mean)
    assert there.sum() <= points or there.sum() == known.sum()
    assert (np.diff(curve.time) >= 0).all()
    assert (curve.low[there] <= curve.mean[there]).all()
    assert (curve.mean[there] <= curve.high[there]).all()
    if not known.any():
        assert not there.any()
        return
    assert curve.low[there].min() == value[known].min()
    assert curve.high[there].max() == value[known].max()
    if known.sum() <= points:
        broken = {int(at) for at in np.flatnonzero(~known)} | {int(at) for at in silent}
        places = np.flatnonzero(known)
        for before, after in pairwise(places):
            gap = any(before < at <= after for at in broken)
            between = (curve.time >= time[before]) & (curve.time <= time[after]) & ~there
            assert between.any() == gap

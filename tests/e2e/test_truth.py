"""What a chart draws, pixel by pixel, beside an exact drawing of all its samples."""

import base64
import json
from dataclasses import dataclass

import numpy as np
import pytest

from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.columns import LOGGED_NAN
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.stage import Stage
from pulse_widgets.series.stream import Stream
from tests.storage.bench import Bench
from tests.transports import Listed

COLOR = np.array([0x00, 0x65, 0xB3])
"""A lone line in the light theme."""
START = 1_790_000_000
SECONDS = 600

READ = """() => {
    const canvas = document.querySelector('.pulse-chart canvas');
    const over = document.querySelector('.pulse-chart .u-over').getBoundingClientRect();
    const box = canvas.getBoundingClientRect();
    const ratio = devicePixelRatio;
    const [left, top] = [over.left - box.left, over.top - box.top].map(at => Math.round(at * ratio));
    const [width, height] = [over.width, over.height].map(size => Math.round(size * ratio));
    const { data } = canvas.getContext('2d').getImageData(left, top, width, height);
    let text = '';
    for (let i = 0; i < data.length; i += 8192) {
        text += String.fromCharCode(...data.subarray(i, i + 8192));
    }
    return [width, height, btoa(text)];
}"""
FRAMES = """() => new Promise(done => {
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
})"""


@dataclass
class Drawing:
    """How much of the line's colour every pixel of a plot has, and the plot's range of time."""

    ink: np.ndarray
    start: float
    end: float

    @property
    def shape(self):
        return self.ink.shape

    def part(self, columns):
        return Drawing(self.ink[:, columns], self.start, self.end)

    def without(self, share):
        """The drawing with its upper and lower edges wiped."""
        ink, rows = self.ink.copy(), int(self.ink.shape[0] * share)
        ink[:rows] = ink[-rows:] = 0
        return Drawing(ink, self.start, self.end)

    def columns(self, times):
        width = self.ink.shape[1]
        return np.floor((times - self.start) / (self.end - self.start) * width).astype(int)

    def row(self, values):
        """Where values from 0 to 1 stand, in pixels from the top."""
        return (1 - values) * self.ink.shape[0]

    def reach(self, least):
        """First and last row of every column with at least so much ink; NaN without any."""
        height = self.ink.shape[0]
        dark = self.ink >= least
        top = np.where(dark.any(0), dark.argmax(0), np.nan)
        bottom = np.where(dark.any(0), height - dark[::-1].argmax(0), np.nan)
        return top, bottom


@dataclass
class Exact:
    """Extremes and mean of all samples in every column of pixels; NaN without any."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    """Standard error of the mean."""

    def part(self, columns):
        return Exact(*(one[columns] for one in (self.low, self.high, self.mean, self.error)))


def exact(drawing, times, values):
    width = drawing.shape[1]
    low, high, mean, error = (np.full(width, np.nan) for _ in range(4))
    columns, deviations = drawing.columns(times), []
    for column in range(width):
        own = values[columns == column]
        if len(own) > 0:
            low[column], high[column], mean[column] = own.min(), own.max(), own.mean()
            error[column] = 1 / np.sqrt(len(own))
            deviations.append(own.std())
    # Of few samples in a column the deviation is that of the others.
    return Exact(low, high, mean, error * max(deviations))


def around(values, take):
    """`take` of every column and the two beside it: a bucket may stand half in the next column."""
    padded = np.concatenate([[np.nan], values, [np.nan]])
    return take.reduce([padded[:-2], padded[1:-1], padded[2:]])


@pytest.fixture
def drawn(chrome, site):
    """A function that draws samples and returns what stands on the canvas; may zoom first."""
    contexts = []

    def draw(times, values, ratio=1, zoom=None, least_width=900, *, packets=None):
        context = chrome.new_context(
            viewport={"width": least_width, "height": 500}, device_scale_factor=ratio
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        if packets is None:
            given = [{"metric": "gpu.utilization", "entity": "gpu:0", "times": list(times)}]
            given[0]["values"] = [None if np.isnan(one) else float(one) for one in values]
            page.add_init_script(f"globalThis.pulseGiven = {json.dumps(given)}")
        else:
            texts = [base64.b64encode(packet).decode() for packet in packets]
            page.add_init_script(f"globalThis.pulsePackets = {json.dumps(texts)}")
        page.goto(f"{site}?layout=charts&scenario=empty&via=store")
        page.wait_for_selector(".pulse-chart .u-over")
        start, end = times[0], times[-1]
        if zoom:
            box = page.locator(".pulse-chart .u-over").bounding_box()
            share = [round(at * box["width"]) / box["width"] for at in zoom]
            for act, at in zip((page.mouse.down, page.mouse.up), share, strict=True):
                page.mouse.move(box["x"] + at * box["width"], box["y"] + 9, steps=3)
                act()
            page.mouse.move(1, 1)
            start, end = (start + (end - start) * at for at in share)
        page.evaluate(FRAMES)
        width, height, data = page.evaluate(READ)
        pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)
        alpha = pixels[..., 3:] / 255
        seen = pixels[..., :3] * alpha + 255 * (1 - alpha)
        toward = 255 - COLOR
        return Drawing((255 - seen) @ toward / (toward @ toward), start, end)

    yield draw
    for context in contexts:
        context.close()


BAND = 0.12
"""Less ink than this is the grid."""
LINE = 0.42
"""More ink than the band has."""
DENSITIES = [6_000, 60_000, 200_000]
RATIOS = [1, 2]


def evenly(count):
    return START + np.arange(count) * (SECONDS / (count - 1))


def noise(count):
    return 0.5 + 0.06 * np.random.default_rng(7).standard_normal(count)


def sine_under_noise(count):
    return noise(count) + 0.18 * np.sin(np.arange(count) / count * 9 * np.pi)


def within(excess, known, most):
    """No column that is known exceeds by more than `most` pixels; a blank one does."""
    far = known & ~(excess <= most)
    found = [(at, excess[at]) for at in np.flatnonzero(far)[:9]]
    assert found == [], f"{far.sum()} of {known.sum()} columns"


def assert_band(drawing, truth):
    """Every column reaches from its smallest to its largest value, within a pixel."""
    top, bottom = drawing.reach(BAND)
    upper, lower = drawing.row(truth.high), drawing.row(truth.low)
    known = ~np.isnan(upper)
    known[[0, -1]] = False
    within(around(upper, np.fmin) - top, known, 2)
    within(bottom - around(lower, np.fmax), known, 2)
    within(around(top, np.fmin) - upper, known, 1)
    within(lower - around(bottom, np.fmax), known, 1)


def assert_line(drawing, truth):
    """The line passes the mean of every column, within a pixel, and goes nowhere else."""
    top, bottom = drawing.reach(LINE)
    mean = drawing.row(truth.mean)
    known = ~np.isnan(mean)
    known[[0, 1, -2, -1]] = False
    # The mean of a bucket is that of other samples than the mean of a column of pixels.
    slack = 2 + 4 * drawing.shape[0] * truth.error
    within(around(mean, np.fmin) - top, known, slack)
    within(bottom - around(mean, np.fmax), known, slack)
    within(around(top, np.fmin) - mean, known, slack)
    within(mean - around(bottom, np.fmax), known, slack)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("count", DENSITIES)
@pytest.mark.parametrize("shape", [noise, sine_under_noise])
def test_noise_is_an_even_band_with_its_mean_as_the_line(drawn, shape, count, ratio):
    times, values = evenly(count), shape(count)
    drawing = drawn(times, values, ratio)
    truth = exact(drawing, times, values)
    assert_band(drawing, truth)
    assert_line(drawing, truth)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("zoom", [(0.2, 0.8), (0.45, 0.62)])
def test_a_zoomed_picture_is_as_exact(drawn, zoom, ratio):
    times, values = evenly(60_000), sine_under_noise(60_000)
    drawing = drawn(times, values, ratio, zoom)
    assert drawing.end - drawing.start < SECONDS
    assert_band(drawing, exact(drawing, times, values))


def luminance(ink):
    seen = (255 - ink * (255 - COLOR)) / 255
    linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("zoom", [None, (0.3, 0.7)])
@pytest.mark.parametrize("count", DENSITIES)
@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_a_spike_of_one_sample_stands_out(drawn, spread, count, zoom, ratio):
    times = evenly(count)
    values = 0.4 + spread * (np.random.default_rng(3).random(count) - 0.5)
    at = count // 2 + 1
    values[at] = 0.95
    drawing = drawn(times, values, ratio, zoom)
    column = drawing.columns(times[at : at + 1])[0]
    # Half way up to the spike there is nothing around it.
    row = int(drawing.row(np.array([0.7]))[0])
    spike = drawing.ink[row, column - 1 : column + 2].max()
    beside = drawing.ink[row, [column - 5, column + 5]].max()
    contrast = (luminance(beside) + 0.05) / (luminance(spike) + 0.05)
    assert contrast >= 3
    peak = drawing.reach(LINE)[0][column - 1 : column + 2].min()
    assert abs(peak - drawing.row(np.array([0.95]))[0]) <= 2


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("zoom", [None, (0.3, 0.7)])
@pytest.mark.parametrize("count", DENSITIES[1:])
def test_an_outage_is_empty(drawn, count, zoom, ratio):
    times, values = evenly(count), noise(count)
    out = (times > START + 290) & (times < START + 320)
    values[out] = np.nan
    drawing = drawn(times, values, ratio, zoom)
    first, last = drawing.columns(np.array([START + 290, START + 320]))
    assert last - first > 8
    assert drawing.ink[:, first + 2 : last - 1].max() < BAND
    known = ~np.isnan(values)
    truth = exact(drawing, times[known], values[known])
    for part in (slice(0, first - 1), slice(last + 2, None)):
        assert_band(drawing.part(part), truth.part(part))


@pytest.mark.parametrize("ratio", RATIOS)
def test_zero_and_one_are_a_band_with_the_duty_as_the_line(drawn, ratio):
    count = 200_000
    times = evenly(count)
    duty = np.where(times < START + 300, 0.25, 0.6)
    values = (np.random.default_rng(5).random(count) < duty).astype(float)
    drawing = drawn(times, values, ratio)
    truth = exact(drawing, times, values)
    assert_band(drawing, truth)
    assert_line(drawing, truth)


@pytest.mark.parametrize("ratio", RATIOS)
def test_sparse_samples_are_joined_by_the_line_alone(drawn, ratio):
    times = evenly(41)
    values = 0.5 + 0.3 * np.sin(np.arange(41))
    drawing = drawn(times, values, ratio)
    top, bottom = drawing.reach(BAND)
    # A bucket stands for all its time, so a steep line may be half a column early or late.
    column = SECONDS / drawing.shape[1]
    between = (np.arange(drawing.shape[1]) + 0.5) * column + START
    lines = [
        drawing.row(np.interp(between + shift * column, times, values)) for shift in (-0.5, 0, 0.5)
    ]
    middle = ((top + bottom) / 2)[2:-2]
    assert np.nanmax(middle - np.max(lines, axis=0)[2:-2]) <= 1.5
    assert np.nanmax(np.min(lines, axis=0)[2:-2] - middle) <= 1.5


@pytest.fixture
def sent(tmp_path):
    """A function that returns the packets of samples, as a replay or a session sends them."""

    def packets(times, values, way):
        bench = Bench(tmp_path / f"{way}.pulse")
        number = bench.series("gpu:0", "gpu.utilization", unit="1")
        rows = Rows.of(np.full(len(times), number), np.rint(times * 1e6).astype(int), values)
        for first in range(0, len(rows), 20_000):
            bench.writer.append(rows.cut(first, first + 20_000))
        bench.writer.close()
        replay = RecordingProvider(Recording.open(bench.directory))
        stream = Stream(replay, redact=dict)
        if way == "replay":
            asked = {"t0": times[0], "t1": times[-1], "points": 20_000, "ids": [0], "request": 0}
            return [stream.keyframe(), stream.answer({"kind": "range", **asked})]
        page, stage = Listed(), Stage(bench.registry, 0.1)
        follower = stage.subscribe()
        stage.show(rows)
        shown, events = follower.take()
        stream.attach(page)
        stream.publish_frame(shown, series=stage.series(), state=replay.state(), **events.plain())
        return page.delivered

    return packets


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("way", ["replay", "live"])
@pytest.mark.parametrize(
    "logged", [(np.inf, True), (-np.inf, False), (LOGGED_NAN, False), (np.nan, None)]
)
def test_what_was_logged_and_has_no_place_leaves_a_mark_and_the_range_as_it_is(
    drawn, sent, logged, way, ratio
):
    (value, at_top), count = logged, 60_000
    times, values = evenly(count), noise(count)
    odd = [count // 4, count // 2]
    values[odd] = value
    drawing = drawn(times, values, ratio, packets=sent(times, values, way))
    known = np.isfinite(values)
    columns = drawing.columns(times[odd])
    assert_band(drawing.without(0.2), exact(drawing, times[known], values[known]))
    edge = 4 * ratio
    marked = [
        np.flatnonzero((ink > 0.7).sum(0) >= 2)
        for ink in (drawing.ink[:edge], drawing.ink[-2 * edge :])
    ]
    expected = {True: (True, False), False: (False, True), None: (False, False)}[at_top]
    for there, found in zip(expected, marked, strict=True):
        assert all(np.abs(columns - at).min() <= 5 * ratio for at in found)
        assert all(np.abs(found - at).min() <= 2 for at in columns) if there else len(found) == 0

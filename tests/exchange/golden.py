"""One screen and the words of its picture, which the kernel and the browser must draw alike.

``python -m tests.exchange.golden`` writes them anew; look at what has changed.
"""

import json
import re
from pathlib import Path

import numpy as np

from pulse_widgets.exchange.left_out import left_out_source
from pulse_widgets.exchange.picture.document import figure_html
from pulse_widgets.exchange.picture.story import Story
from pulse_widgets.series.history import Screen
from pulse_widgets.series.wire import keyframe
from tests.exchange.scene import START, Scene, svg_of, svg_text

HOME = Path(__file__).parents[1] / "data" / "figure"
COUNT = 120


def scene():
    """Two GPUs, one of which is silent for a while, a machine, the user's number, an unknown one.

    Besides them what a reader of another package says of two things of its own.
    """
    made, t = Scene(), np.arange(COUNT)
    for gpu in range(2):
        name = f"gpu:{gpu}"
        made.add(name, "gpu.utilization", 0.1 + 0.8 * np.abs((t / 40 + gpu / 4) % 1 - 0.5))
        made.add(name, "gpu.memory.used", np.linspace(1e9, 60e9 + gpu * 1e9, COUNT))
        power = 300.0 + 20 * gpu + t * 0.5
        made.add(name, "gpu.power", np.where((t > 40) & (t < 60) & (gpu == 1), np.nan, power))
        made.label(name, name="NVIDIA H100")
    made.add("host", "cpu.utilization", np.linspace(0.1, 0.9, COUNT))
    made.add("host", "memory.used", np.linspace(10e9, 20e9, COUNT))
    for core in range(4):
        made.add(f"cpu:{core}", "cpu.utilization", np.linspace(0.2, 0.2 * core + 0.1, COUNT))
    npus = {"group": "My NPUs", "help": "Of the card."}
    for npu in range(2):
        load = np.linspace(0.1, 0.5 + npu / 10, COUNT)
        made.add(f"npu:{npu}", "npu.load", load, unit="1", title="NPU load", **npus)
        made.add(f"npu:{npu}", "npu.power", 90 * load, unit="W", title="NPU power", **npus)
    made.label("npu:1", name="Model X")
    made.add("host", "npu.queue", 5.0 + t, unit="count", **npus)
    made.add(
        "host", "net.latency", 1 / (9.0 + t), unit="s", group="Disk and network", title="Latency"
    )
    made.add("user", "train/loss", 8 / (1 + t / 10))
    made.add("host", "queue.length", 10.0 + t, unit="count")
    made.add("kernel", "process.memory.rss", np.linspace(2e8, 3e8, COUNT))
    return made


STATE = {
    "phase": "stopped",
    "title": "Training",
    "t0": START,
    "t1": START + COUNT,
    "interval": 1.0,
    "simulated": False,
    "recording": {"path": "/data/run.pulse", "bytes": 1, "problem": None, "remedy": None},
    "sources": [
        {
            "name": "nvml",
            "state": "ok",
            "problem": "",
            "remedy": "",
            "missing": [{"what": "gpu:0 fan.speed", "why": "not supported by this GPU"}],
        },
        left_out_source(127, {"recording": {"path": "/data/run.pulse"}}),
    ],
    "cost": {"cores": None, "tick_s": None, "dropped": 0, "sent_bytes_per_s": 0},
    "kernel": {"busy": False, "cell": None},
}


def packet():
    """The screen as the browser gets it."""
    made = scene()
    return keyframe(0, made.screen(), series=made.series, entities=made.entities, state=STATE)


def words():
    """Everything the picture of the kernel says, in order.

    What it says of packets of older versions, `words-without-means.json`, stays as it is.
    """
    made = scene()
    screen = made.screen()
    html = figure_html(screen, made.series, title="Training", state=STATE, entities=made.entities)
    texts = ["".join(e.itertext()) for e in svg_of(html).iter() if e.tag.endswith("text")]
    rest = re.split(r"<[^>]+>", re.sub(r"<img[^>]*>", "", html))
    return {
        "alt": re.search('alt="([^"]*)"', html)[1],
        "svg": [text for text in texts if text.strip()],
        "figure": [text for text in rest if text.strip()],
    }


def exact():
    """A screen whose values a packet holds as they are: whole numbers in the range of its codes.

    Noise with a spike, a curve with a gap, eight lines of which one is lost, and twelve parts.
    """
    random, buckets, edge = np.random.default_rng(5), 200, 65533.0
    series, low, high = [], [], []

    def add(entity, metric, middle, spread, unit="W"):
        known = {"id": len(series), "host": "h0", "entity": entity, "metric": metric}
        series.append({**known, "unit": unit, "kind": "gauge", "labels": {}})
        low.append(middle - random.integers(0, spread, buckets))
        high.append(middle + random.integers(0, spread, buckets))

    add("user", "noise", np.full(buckets, 30_000), 20_000)
    high[0][150] = 65_000
    add("user", "curve", (20_000 + 18_000 * np.sin(np.arange(buckets) / 20)).astype(int), 1)
    for n, metric in enumerate(("val/loss", "train/loss")):
        add("user", metric, np.full(buckets, 15_000 + 20_000 * n), 9_000)
    for gpu in range(8):
        add(f"gpu:{gpu}", "gpu.power", np.full(buckets, 20_000 + 3_000 * gpu), 1_500)
    for core in range(12):  # more than there are lines: rows of colours
        add(f"cpu:{core}", "core.load", random.integers(0, 60_000, buckets), 5_000)
    low, high = np.clip(np.array(low, float), 0, edge), np.clip(np.array(high, float), 0, edge)
    low[:, 0], high[:, -1] = 0.0, edge
    low[7, 119], high[7, 118] = 0.0, edge
    missing = np.zeros(low.shape, bool)
    missing[1, 60:80] = missing[14, 100:120] = missing[7, 120:] = True
    without = missing.copy()
    without[4:12, 120:-1:2] = True  # no reading was due
    low[without], high[without] = np.inf, -np.inf
    mean = np.full(low.shape, np.nan)
    mean[~without] = np.floor((low[~without] + high[~without]) / 2)
    none = (np.zeros(0, np.int32), np.zeros((0, buckets)))
    ids, edges = np.arange(len(series), dtype=np.int32), START + 4.0 * np.arange(buckets + 1)
    return series, Screen(ids, edges, low, high, mean, missing, *none)


def _span(start, end):
    return {"id": str(start), "start": START + start, "end": end and START + end, "host": "h0",
            "entity": "kernel", "metric": "cell", "facts": {}}  # fmt: skip


def _moment(time, metric, label=""):
    return {"time": START + time, "host": "h0", "entity": "user", "metric": metric,
            "facts": {"label": label} if label else {}}  # fmt: skip


MOMENTS = [_moment(-5, "mark", "too early"), _moment(300.2, "mark", "epoch <2>"),
           _moment(300.3, "mark"), _moment(310, "mark", "close"), _moment(500, "event", "lost")]  # fmt: skip
SPANS = [_span(20, 100), _span(90, 95), _span(101, 101.5), _span(300, 450), _span(700, None)]
EXACT = {**STATE, "t1": START + 800.0, "sources": []}


def exact_packet():
    """The exact screen as the browser gets it."""
    series, screen = exact()
    return keyframe(
        0, screen, series=series, entities=[], state=EXACT, moments=MOMENTS, spans=SPANS
    )


def exact_svg():
    """The picture of the exact screen, an element a line."""
    series, screen = exact()
    story = Story(MOMENTS, SPANS)
    html = figure_html(screen, series, title="Training", state=EXACT, entities=[], story=story)
    assert (
        "<p>4 marks (UTC): 14:13:15 too early, 14:18:20 epoch &lt;2&gt;, 14:18:20 mark, 14:18:30 close</p>"
        in html
    )
    return svg_text(html).replace("><", ">\n<")


if __name__ == "__main__":
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "screen.packet").write_bytes(packet())
    (HOME / "exact.packet").write_bytes(exact_packet())
    (HOME / "exact.svg").write_text(exact_svg(), encoding="utf-8")
    said = json.dumps(words(), ensure_ascii=False, indent=1)
    (HOME / "words.json").write_text(said + "\n", encoding="utf-8")

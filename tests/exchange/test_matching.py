"""A saved output holds the series that the view showed: both take patterns by one rule."""

import json
from pathlib import Path

import numpy as np
import pytest

from pulse_widgets.exchange.fitting import LEAST_BUCKETS, STRIP_METRICS, fit, matching, of_strip
from tests.exchange.scene import Scene

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "globs.json").read_text("utf-8"))


@pytest.mark.parametrize(("pattern", "name", "named"), [e for e in EXAMPLES if e[1]])
def test_a_saved_output_holds_what_its_view_showed(pattern, name, named):
    made = Scene()
    made.add("user", name, np.arange(5.0))
    made.add("host", "not.asked.for.by.any.pattern", np.arange(5.0))

    screen, header = matching(made.screen(), {"series": made.series}, [pattern])

    shown = [one["metric"] for one in header["series"]]
    assert (name in shown) is named
    assert len(screen.ids) == len(shown)


def test_a_saved_strip_holds_what_its_figures_are_made_of_and_hardly_any_past():
    made = Scene()
    for entity, metric in [
        *(("gpu:0", metric) for metric in STRIP_METRICS),
        *((f"cpu:{core}", "cpu.utilization") for core in range(64)),
        ("user", "train/loss"),
    ]:
        made.add(entity, metric, np.arange(1000.0))
    about = {"host": "h0", "labels": {}}
    entities = [about | {"entity": e} for e in ("host", "gpu:0", "cpu:3", "user")]
    header = {"series": made.series, "entities": entities, "moments": [{}], "spans": [{}]}

    screen, lean = of_strip(made.screen(), header)

    assert [one["metric"] for one in lean["series"]] == list(STRIP_METRICS)
    assert [one["entity"] for one in lean["entities"]] == ["host", "gpu:0"]
    assert (lean["moments"], lean["spans"]) == ([], [])
    assert screen.ids.tolist() == [one["id"] for one in lean["series"]]
    assert len(screen.edges) == LEAST_BUCKETS + 1
    assert screen.high.max() == 999
    assert header["moments"] == [{}]


def test_odd_values_stay_with_their_series_and_leave_the_curves_their_room():
    made = Scene()
    for metric in ("train/loss", "train/accuracy"):
        made.add("user", metric, np.random.default_rng(0).random(1000))
    odd = [
        {"series": at % 2, "time": 1e9 + at + 0.25, "step": None, "what": "inf"}
        for at in range(200)
    ]
    header = {"series": made.series, "entities": [], "state": {}, "odd": odd}

    _, kept = matching(made.screen(), header, ["*/loss"])
    _, lean = of_strip(made.screen(), header)
    _, small = fit(made.screen(), header, 20_000)
    _, whole = fit(made.screen(), header, 2_000_000)

    assert kept["odd"] == odd[::2]
    assert lean["odd"] == []
    assert small["odd"] == odd[-len(small["odd"]) :]
    assert 0 < len(small["odd"]) < len(odd)
    assert len(json.dumps(small["odd"])) < 20_000 * 3 / 4 / 16 * 1.2
    assert whole["odd"] == odd

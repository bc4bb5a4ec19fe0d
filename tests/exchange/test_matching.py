"""A saved output holds the series that the view showed: both take patterns by one rule."""

import json
from pathlib import Path

import numpy as np
import pytest

from pulse_widgets.exchange.fitting import LEAST_BUCKETS, STRIP_METRICS, matching, of_strip
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

"""The recording that ships with the package is what its script makes, and shows what it should."""

import json

import numpy as np
import pandas as pd
import pytest

import pulse_widgets as pw
from tests import make_example


@pytest.fixture(scope="module")
def example():
    return pw.Recording.open(make_example.EXAMPLE)


def test_it_is_small_and_says_that_it_is_simulated(example):
    assert make_example.EXAMPLE.stat().st_size < 300_000
    assert example.simulated
    assert "Simulated" in example.title
    assert not example.problems


def test_the_script_makes_the_same_rows_again(example, tmp_path):
    again = pw.Recording.open(make_example.make(tmp_path / "again.pulse.parquet"))

    pd.testing.assert_frame_equal(again.to_pandas(), example.to_pandas())


def test_eight_gpus_work_and_one_becomes_too_hot(example):
    summary = example.summary().set_index(["entity", "metric"])["max"]

    heat = [summary[f"gpu:{k}", "gpu.temperature"] for k in range(8)]
    assert int(np.argmax(heat)) == make_example.HOT_GPU
    assert summary[f"gpu:{make_example.HOT_GPU}", "gpu.throttled.thermal"] > 0.3
    assert all(summary[f"gpu:{k}", "gpu.utilization"] > 0.9 for k in range(8))


def test_a_silent_driver_is_one_missing_row_and_then_none(example):
    times, power = example.select("gpu.power", entity="gpu:3").values()

    (gap,) = np.flatnonzero(np.isnan(power))
    silent_s = (times[gap + 1] - times[gap]) / np.timedelta64(1, "s")
    first, last = make_example.SILENT
    assert silent_s == last - first


def test_a_sample_that_stands_out_is_in_the_envelope_at_every_width(example):
    power = example.select("gpu.power", entity=f"gpu:{make_example.SPIKE_GPU}")

    assert (power.values()[1] == 698).sum() == 1
    assert all(power.envelope(points).max.max() >= 698 for points in (3, 50, 300))


def test_steps_marks_and_what_the_metrics_are_is_there(example):
    loss = example.select("train/loss").to_pandas()

    assert loss["step"].tolist() == list(range(len(loss)))
    assert loss["value"].iloc[-1] < loss["value"].iloc[0] / 3
    assert {"training starts", "checkpoint"} <= set(example.events["message"])
    assert example.config["lr"] == 3e-4
    labels = example.stored.catalog.entities["h0"]["user"]
    # A pattern is no path: it goes along in the copy.
    assert json.loads(labels["defined"])["*/loss"] == {"x": "epoch", "better": "min"}


def test_the_same_cell_costs_more_when_a_gpu_is_hot(example):
    cells = example.cells()
    hot = example.cell(7)

    assert cells["status"].tolist() == [*["ok"] * 5, "error", "ok"]
    assert (hot.previous.cell, hot.previous.previous.cell) == (5, 3)
    change = hot.compared["change"]
    assert change["seconds"] > 10
    assert change["energy_j"] > 2 * cells["energy_error_j"].max()
    assert hot.numbers["throttled"] > 0.4 > hot.previous.numbers["throttled"] == 0
    # A driver that was silent meanwhile leaves unknown what only its readings can tell.
    assert hot.previous.previous.numbers["gpu_busy_s"] is None
    assert hot.previous.previous.numbers["energy_j"] > 0


def test_each_line_and_span_lies_in_the_cell_that_it_is_of(example):
    cells = example.cells().set_index("cell")
    lines = example.output
    spans = example.select("span").to_pandas()

    for word, count in (("epoch 2", 5), ("epoch 3", 7), ("saved", 4), ("shards", 2)):
        (at,) = lines["time"][lines["text"].str.contains(word)]
        assert cells["start"][count] < at < cells["end"][count]
    assert len(spans) == 12
    of_third = spans["time"].tail(4)
    assert of_third.between(cells["start"][7], cells["end"][7]).all()


def test_an_alert_fires_before_the_memory_runs_out(example):
    events = example.events.query("kind in ('alert', 'oom')")

    fired, ended, failed = events["message"]
    assert fired == "gpu:0 gpu.memory.used is 77.5 GiB, above 76 GiB"
    assert ended.endswith("no longer above 76 GiB")
    assert failed == "OutOfMemoryError: CUDA out of memory in cell [6]"

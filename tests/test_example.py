"""The recording that ships with the package is what its script makes, and shows what it should."""

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


def test_steps_marks_and_cells_are_there(example):
    loss = example.select("train/loss").to_pandas()

    assert loss["step"].tolist() == list(range(len(loss)))
    assert loss["value"].iloc[-1] < loss["value"].iloc[0] / 3
    assert {"training starts", "checkpoint"} <= set(example.events["message"])
    assert example.cells()["status"].tolist() == ["ok"] * 3

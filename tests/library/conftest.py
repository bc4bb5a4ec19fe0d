"""A recording to write to."""

from __future__ import annotations

import pytest

from pulse_widgets.library.recording import Recording
from pulse_widgets.storage.compact import compact
from tests.library.machine import fill
from tests.storage.bench import Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "run.pulse")
    yield made
    made.writer.close()


@pytest.fixture(params=["running", "stopped", "finished"])
def rec(request, bench):
    fill(bench)
    if request.param == "running":
        return Recording.open(bench.directory / "run.pulse.json")
    bench.writer.close()
    path = bench.directory if request.param == "stopped" else compact(bench.directory)
    return Recording.open(str(path))

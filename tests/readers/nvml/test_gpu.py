"""The reader on a real GPU."""

import pytest

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.readers.base import ALL_CLASSES
from pulse_widgets.readers.contract import ask, open_backend
from pulse_widgets.readers.nvml.backend import NvmlBackend
from pulse_widgets.readers.translate import translate

pytestmark = pytest.mark.gpu


def test_a_real_gpu_gives_plausible_readings_under_catalog_names():
    backend = NvmlBackend("all")
    info = open_backend(backend)
    try:
        translation = translate(ask(backend, ALL_CLASSES), info)
    finally:
        backend.close()
    assert not translation.errors
    assert not translation.rejected
    seen = {r.metric: r.value for r in translation.readings if r.entity == "gpu:0"}
    assert not [metric for metric in seen if lookup(metric) is None]
    assert 10 <= seen["gpu.temperature"] <= 110
    assert 1 <= seen["gpu.power"] <= 2000
    assert 0 < seen["gpu.memory.used"] < seen["gpu.memory.total"]
    assert translation.labels["", "gpu:0"]["uuid"].startswith("GPU-")

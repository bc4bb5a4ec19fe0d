import sys
from types import ModuleType

import numpy as np
import pytest

from pulse_widgets.metrics.masked import is_masked
from pulse_widgets.readers.base import RawRecord
from pulse_widgets.readers.translate import translate


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (np.ma.masked, True),
        (np.ma.array(1.0, mask=True), True),
        (np.ma.array([1.0, 2.0], mask=[False, True]), True),
        (np.ma.array(1.0), False),
        (np.float64(1.0), False),
        (1.0, False),
        (None, False),
    ],
)
def test_what_is_masked(value, masked):
    assert is_masked(value) is masked


@pytest.mark.parametrize("module", [None, ModuleType("numpy.ma")])
def test_a_module_that_another_thread_is_loading_harms_nobody(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "numpy.ma", module)
    records = [RawRecord(0.0, 1.0, "gpu:0", {"gpu.power": 5.0}, "mine")]

    assert is_masked(np.float64(1.0)) is False
    assert [reading.value for reading in translate(records).readings] == [5.0]

"""Axes and times are what was looked at and kept; js/core/charts/axis.test.ts asks the same."""

import json

import pytest

from pulse_widgets.exchange.picture.axis import value_range
from tests.exchange import axis

KEPT = json.loads(axis.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", KEPT)
def test_axes_and_times_are_those_that_were_kept(name):
    assert json.loads(json.dumps(axis.examples()))[name] == KEPT[name]


def test_every_range_holds_its_data_and_has_a_height():
    for low, high, metric, unit, limit in axis.RANGES:
        bottom, top = value_range(low, high, metric=metric, unit=unit, limit=limit)
        assert bottom <= low <= high <= top
        assert bottom < top

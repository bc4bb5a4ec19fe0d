"""Axes and times are what was looked at and kept; js/core/axis.test.ts asks the same."""

import json
import locale

import pytest

from pulse_widgets.exchange.picture_axis import stretch, value_range
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


@pytest.mark.parametrize("language", ["de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8"])
def test_a_month_has_its_english_name_in_every_language(language):
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, language)
    except locale.Error:
        pytest.skip("this machine does not have the language")
    try:
        assert stretch(1_791_000_000, 1_791_000_000).startswith("3 Oct 2026")
    finally:
        locale.setlocale(locale.LC_TIME, before)

"""A picture shows what was looked at and kept; js/core/still/choice.test.ts asks the same."""

import json

import pytest

from pulse_widgets.exchange.picture.wishes import LIMIT_OF
from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.metric import Shown
from tests.exchange import choice

CASES = json.loads(choice.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_picture_draws_and_lists_what_was_kept(case):
    assert json.loads(json.dumps(choice.chosen(case))) == {
        "drawn": case["drawn"],
        "listed": case["listed"],
    }


def test_a_limit_is_drawn_in_the_chart_of_what_it_limits_and_in_none_of_its_own():
    assert {CATALOG[name].shown for name in LIMIT_OF.values()} == {Shown.SILENT}
    assert not [name for name in LIMIT_OF if CATALOG[name].shown is Shown.SILENT]

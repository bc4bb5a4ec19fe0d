"""Names are those that were looked at and kept; js/core/charts/names.test.ts asks the same."""

import json

import pytest

from pulse_widgets.metrics.entities import owner_key
from tests.exchange import names

KEPT = json.loads(names.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kept", KEPT["metrics"])
def test_a_metric_stands_where_it_did_and_is_called_what_it_was(kept):
    assert names.metric(*kept[:3]) == kept


@pytest.mark.parametrize("kept", KEPT["entities"])
def test_an_entity_is_called_what_it_was(kept):
    assert names.entity(*kept[:2]) == kept


@pytest.mark.parametrize("kept", KEPT["owners"])
def test_a_thing_of_one_of_some_machines_is_called_what_it_was(kept):
    assert names.owner(*kept[:3]) == kept


def test_things_stand_in_the_order_they_did():
    order = KEPT["order"]
    for shift in range(len(order)):
        turned = [*order[shift:], *order[:shift]][::-1]
        assert sorted(turned, key=lambda one: owner_key(*one)) == order

"""A picture shows what was looked at and kept; js/core/still/choice.test.ts asks the same."""

import json

import pytest

from tests.exchange import choice

CASES = json.loads(choice.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_picture_draws_and_lists_what_was_kept(case):
    assert json.loads(json.dumps(choice.chosen(case))) == {
        "drawn": case["drawn"],
        "listed": case["listed"],
    }

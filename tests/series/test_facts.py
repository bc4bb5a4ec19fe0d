"""Texts of events are taken as JSON only where that does no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.series.facts import MOST_LETTERS, facts_of


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ('{"label": "a"}', {"label": "a"}),
        ('{"x": NaN, "y": -Infinity}', {"x": "NaN", "y": "-Infinity"}),
        ("", None),
        ("plain words", None),
        ("[1, 2]", None),
        ('{"a":' * 100_000, None),
        ("1" * 10_000, None),
        ('{"a": "' + "x" * MOST_LETTERS + '"}', None),
    ],
)
def test_an_object_is_given_and_anything_else_is_none(text, facts):
    assert facts_of(text) == facts


@given(st.text())
def test_no_text_raises(text):
    assert facts_of(text) is None or isinstance(facts_of(text), dict)

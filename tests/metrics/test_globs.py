"""One rule for patterns of names; ``js/core/vocabulary/globs.test.ts`` runs the same examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.metrics.globs import matches, matches_any

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "globs.json").read_text("utf-8"))


@pytest.mark.parametrize(("pattern", "name", "named"), EXAMPLES)
def test_a_pattern_names_what_the_examples_say(pattern, name, named):
    assert matches(name, pattern) is named


@given(st.text())
def test_every_name_names_itself(name):
    assert matches(name, name)


@given(st.text("ab[]!-?*"), st.text("ab[]!-"), st.text("ab[]!-"))
def test_a_star_is_any_run_of_characters(run, before, after):
    assert matches(before + run + after, f"{before}*{after}")


def test_one_of_several_patterns_is_enough():
    assert matches_any("gpu.power", ["cpu.*", "gpu.*"])
    assert not matches_any("gpu.power", ["cpu.*", "gpu"])
    assert not matches_any("gpu.power", [])

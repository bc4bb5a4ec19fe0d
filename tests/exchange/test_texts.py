"""js/core/still/text.test.ts asks the browser the same."""

import json
from pathlib import Path

import pytest

from pulse_widgets.exchange.fitting import size_of
from pulse_widgets.exchange.picture.text import shorten

EXAMPLES = json.loads(
    (Path(__file__).parents[1] / "data" / "texts.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("text", "most", "short"), EXAMPLES["short"])
def test_a_text_is_shortened_to_so_many_characters(text, most, short):
    assert shorten(text, most) == short


@pytest.mark.parametrize(("part", "size"), EXAMPLES["size"])
def test_a_part_of_a_header_counts_as_its_letters_are_written(part, size):
    assert size_of(part) == size

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.units import MISSING, format_value

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "format.json").read_text("utf-8"))
UNITS = sorted({m.unit for m in CATALOG.values()} | {"tokens/s"})


@pytest.mark.parametrize(("value", "unit", "text"), GOLDEN)
def test_a_value_reads_as_in_the_golden_table(value, unit, text):
    given_value = float(value) if isinstance(value, str) else value

    assert format_value(given_value, unit) == text


def test_the_golden_table_covers_every_unit_of_the_catalog():
    units = {m.unit for m in CATALOG.values()} | {m.total_unit for m in CATALOG.values()}

    assert units <= {unit for _, unit, _ in GOLDEN}


@given(st.sampled_from(UNITS))
def test_a_missing_value_is_a_dash_in_every_unit(unit):
    assert format_value(None, unit) == format_value(math.nan, unit) == MISSING


@given(st.floats(allow_nan=False), st.sampled_from(UNITS))
@example(1.7e308, "1")
@example(1.7e308, "s")
@example(5e-324, "s")
def test_only_zero_reads_as_zero(value, unit):
    text = format_value(value, unit)

    assert (value == 0) == (text.split(" ")[0].removesuffix("/s") in {"0", "-0"})


@given(st.floats(min_value=1e-9, max_value=1e14), st.sampled_from(UNITS))
def test_a_negative_number_reads_as_minus_its_absolute_value(value, unit):
    positive, negative = format_value(value, unit), format_value(-value, unit)

    assert negative.replace(">-", "<").removeprefix("-") == positive


@given(
    st.floats(min_value=0, max_value=1e14),
    st.floats(min_value=0, max_value=1e14),
)
def test_a_longer_time_never_reads_shorter(first, second):
    shorter, longer = sorted((first, second))

    assert _seconds(format_value(shorter, "s")) <= _seconds(format_value(longer, "s"))


def _seconds(text: str) -> float:
    sizes = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86_400}
    words = text.replace("\u202f", "").replace("<", "").split(" ")
    pairs = zip(words[::2], words[1::2], strict=True)
    return sum(float(number) * sizes[unit] for number, unit in pairs)

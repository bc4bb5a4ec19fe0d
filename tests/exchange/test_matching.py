"""A saved output holds the series that the view showed: both take patterns by one rule."""

import json
from pathlib import Path

import numpy as np
import pytest

from pulse_widgets.exchange.fitting import matching
from tests.exchange.scene import Scene

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "globs.json").read_text("utf-8"))


@pytest.mark.parametrize(("pattern", "name", "named"), [e for e in EXAMPLES if e[1]])
def test_a_saved_output_holds_what_its_view_showed(pattern, name, named):
    made = Scene()
    made.add("user", name, np.arange(5.0))
    made.add("host", "not.asked.for.by.any.pattern", np.arange(5.0))

    screen, header = matching(made.screen(), {"series": made.series}, [pattern])

    shown = [one["metric"] for one in header["series"]]
    assert (name in shown) is named
    assert len(screen.ids) == len(shown)

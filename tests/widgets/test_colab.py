"""What Google Colab needs of an output: its metadata say where the code of widgets comes from."""

import pytest

from tests.kernels import kernels

pytestmark = pytest.mark.slow

WIDGET = "application/vnd.jupyter.widget-view+json"
COLAB = """
import sys, types
from functools import partial
output = types.ModuleType("google.colab.output")
output._widgets = types.SimpleNamespace(_installed_url=None)
output.enable_custom_widget_manager = partial(setattr, output._widgets, "_installed_url", "https://there")
sys.modules["google.colab.output"] = output
"""
"""The part of Colab's package that anywidget asks."""


@pytest.fixture
def kernel(tmp_path):
    with kernels(tmp_path) as start:
        yield start


def test_an_output_says_what_the_front_end_needs_to_show_its_widget(kernel):
    running = kernel()
    running.run(
        "import pulse_widgets as pw; mon = pw.monitor('system', record=False); display(mon)"
    )
    running.run(COLAB + "display(mon.view('strip'))")

    elsewhere, colab = (one["content"] for one in running.of("display_data"))
    assert elsewhere["metadata"] == {}
    assert colab["metadata"] == {
        WIDGET: {"colab": {"custom_widget_manager": {"url": "https://there"}}}
    }
    assert WIDGET in elsewhere["data"]
    assert WIDGET in colab["data"]

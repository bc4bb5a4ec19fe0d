"""Where metrics stand; tests/data/names.json has what the page must say alike."""

from pulse_widgets.metrics.headings import HEADINGS, heading_of, headings_with, title_of


def test_labels_that_are_none_say_nothing():
    assert heading_of("npu.load", "npu:0", None) == "Other metrics"
    labels = {"group": "NPU", "title": None}
    assert heading_of("npu.load", "npu:0", labels) == "NPU"
    assert title_of("npu.load", "npu:0", labels) == "npu.load"


def test_headings_of_readers_come_before_the_other_metrics_by_the_alphabet():
    found = ["The monitor itself", "UPS", "GPU", "My NPUs", "UPS", "Other metrics"]
    known = len(HEADINGS) - 1
    assert headings_with(found) == (*HEADINGS[:known], "My NPUs", "UPS", *HEADINGS[known:])
    assert HEADINGS[known:] == ("Other metrics",)
    assert headings_with([]) == HEADINGS

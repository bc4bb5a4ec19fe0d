"""Where metrics stand; js/core/groups.test.ts asks the same of the page."""

import pytest

from pulse_widgets.metrics.headings import HEADINGS, heading_of, headings_with, title_of

NPU = {"group": "My NPUs", "title": "NPU load", "help": "Share of time."}


@pytest.mark.parametrize(
    ("metric", "entity", "labels", "heading", "title"),
    [
        ("npu.load", "npu:0", NPU, "My NPUs", "NPU load"),
        ("npu.load", "host", {"group": " GPU "}, "GPU", "npu.load"),
        ("npu.load", "npu:0", {"group": " ", "title": "Load"}, "Other metrics", "npu.load"),
        ("npu.load", "npu:0", {"title": "Load"}, "Other metrics", "npu.load"),
        ("npu.load", "npu:0", None, "Other metrics", "npu.load"),
        ("npu.load", "npu:0", {"group": "NPU", "title": None}, "NPU", "npu.load"),
        ("cgroup.memory.mine", "host", NPU, "My NPUs", "NPU load"),
        ("cgroup.memory.mine", "host", {}, "Memory", "cgroup.memory.mine"),
        ("gpu.power", "npu:0", NPU, "Power and thermal", "Power"),
        ("loss", "user", NPU, "Your metrics", "loss"),
        ("loss", "rank:3", NPU, "Your metrics", "loss"),
        ("quota", "user:1000", NPU, "My NPUs", "NPU load"),
        ("quota", "user:1000", {}, "Your metrics", "quota"),
        ("progress", "cell:3", NPU, "Your metrics", "Progress"),
    ],
)
def test_a_reader_says_where_its_own_metrics_stand_and_of_no_others(
    metric, entity, labels, heading, title
):
    assert heading_of(metric, entity, labels) == heading
    assert title_of(metric, entity, labels) == title


def test_headings_of_readers_come_before_the_other_metrics_by_the_alphabet():
    found = ["The monitor itself", "UPS", "GPU", "My NPUs", "UPS", "Other metrics"]
    known = len(HEADINGS) - 2
    assert headings_with(found) == (*HEADINGS[:known], "My NPUs", "UPS", *HEADINGS[known:])
    assert HEADINGS[known:] == ("Other metrics", "The monitor itself")
    assert headings_with([]) == HEADINGS

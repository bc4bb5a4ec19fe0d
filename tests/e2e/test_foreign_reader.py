"""A reader of a stranger's package shows on screen, and in a recording without the package."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import eventually

PACKAGE = Path(__file__).parents[1] / "data/reader_package"

WATCH = """
import sys
sys.path.insert(0, {site!r})
import pulse_widgets as pw
mon = pw.monitor("system,scheduler", record="foreign", interval=0.2)
mon
"""
STOP = "mon.stop(); None"
REPLAY = """
import pulse_widgets as pw
pw.replay("foreign")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A directory that the package is installed into."""
    place = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        place,
        PACKAGE,
    ]
    subprocess.run(pip, check=True, timeout=150)
    return str(place)


def charts(page, cell):
    """The texts of the charts under the heading of the package, once they have values."""
    cells = page.page.locator(".jp-CodeCell").nth(cell)
    section = cells.locator("section.pulse-group[aria-label=Scheduler]")
    section.locator("h3 button").click()
    found = section.locator(".pulse-chart")
    found.first.scroll_into_view_if_needed()  # nothing is drawn out of sight
    return eventually(
        found.all_inner_texts,
        lambda texts: len(texts) == 2 and all(any(map(str.isdigit, text)) for text in texts),
    )


def test_its_charts_stand_under_its_heading_live_and_in_a_replay_without_it(page, lab, site):
    live = lab.notebook(WATCH.format(site=site), STOP)
    page.open(live)
    page.run(0)

    texts = charts(page, 0)

    assert ["Context switches" in text for text in texts].count(True) == 1
    assert "/s" in next(text for text in texts if "Context switches" in text)
    page.shot("foreign-reader")

    page.run(1)
    eventually(lambda: sorted(path.name for path in lab.root.glob("foreign*")),
               lambda names: "foreign.pulse.parquet" in names)  # fmt: skip
    page.open(lab.notebook(REPLAY))
    page.run(0)

    again = charts(page, 0)
    assert sorted(t.split("\n")[0] for t in again) == sorted(t.split("\n")[0] for t in texts)
    page.shot("foreign-reader-replay")
    assert page.errors == []

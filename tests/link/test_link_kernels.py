"""The versions of ipykernel that differ in how comms and threads go together."""

import os
import subprocess
import sys
from functools import cache

import pytest

from tests.link.cells import busy
from tests.link.page import Page
from tests.test_kernel import values_of

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]
NEWEST = ""
VERSIONS = ["6.29.5", "7.0.0", "7.0.1", NEWEST]
"""Without subshells; where a thread without a context cannot send; without routing; today."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Give a function that returns a directory with a version of ipykernel alone."""
    settled = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}

    @cache
    def install(version):
        place = tmp_path_factory.mktemp(f"ipykernel-{version or 'newest'}")
        wanted = f"ipykernel=={version}" if version else "ipykernel"
        alone = ["--no-deps", "--no-compile", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [sys.executable, "-m", "pip", "install", *alone, "--target", str(place), wanted],
            check=True,
            env=settled,
            timeout=120,
        )
        return place

    return install


@pytest.fixture(params=VERSIONS, ids=lambda version: version or "newest")
def running(request, kernel, installed):
    place = installed(request.param)
    path = os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH", "")]))
    made = kernel(environ={"PYTHONPATH": path})
    told = made.run("import ipykernel; print(ipykernel.__version__, ipykernel.__file__)").split()
    assert told[1].startswith(str(place))
    assert told[0] == request.param or request.param == NEWEST
    return made


def has_subshells(kernel):
    return "kernel subshells" in kernel.client.kernel_info(reply=True)["content"].get(
        "supported_features", []
    )


def test_a_page_is_served_by_every_version_of_the_kernel(running, tmp_path):
    subshells = has_subshells(running)
    page = Page(running, subshell=subshells)
    assert page.register()["state"] == "ready"
    assert page.is_here()
    wire = page.open()

    # At rest: one that the page starts, then one that a cell starts.
    assert wire.do("start", interval=0.1, gpus="none")["kind"] == "done"
    wire.more("frame", 2)
    assert wire.do("stop")["result"]["path"]
    running.run("import pulse_widgets as pw\nmon = pw.monitor('system', interval=0.1)\nmon")
    session = wire.wait_status(lambda one: one["running"] and one["feed"])
    wire.wait(lambda: len(wire.packets("frame", stream=2)) >= 3)
    running.wait_until(lambda: len(running.packets("frame")) >= 3)

    # Beside a cell: threads are heard always, and the page where there are subshells.
    with busy(running, tmp_path / "flag", "sleeping", "pw.log({'loss': 5.0})") as still:
        wire.wait(lambda: 5.0 in values_of(wire.packets(stream=2), "loss"))
        before = len(wire.packets("keyframe"))
        wire.tell(kind="hello")
        wire.tell(kind="do", id=100, action="mark", options={"label": "here"})
        if subshells:
            wire.wait(lambda: [one for one in wire.said("done") if one["id"] == 100])
            wire.wait(lambda: len(wire.packets("keyframe")) > before)
        else:
            wire.more("frame", 3)
            assert not [one for one in wire.said("done") if one["id"] == 100]
        assert still()
    wire.wait(lambda: [one for one in wire.said("done") if one["id"] == 100])
    running.tell_feed(kind="hello")
    shown = len(running.packets("keyframe"))
    running.wait_until(lambda: len(running.packets("keyframe")) > shown)

    # What the page stops is replaced by its picture, and nothing is lost.
    path = wire.do("stop")["result"]["path"]
    running.wait_until(lambda: running.of("update_display_data"))
    replay = page.open(replay=path)
    keyframe = replay.wait(lambda: replay.packets("keyframe"))[0]
    assert [one["facts"]["label"] for one in keyframe.header["moments"]] == ["here"]
    assert "loss" in {one["metric"] for one in keyframe.header["series"]}
    assert session["feed"] == running.feed_id()
    frames = [p.header["seq"] for p in wire.packets("frame", stream=2)]
    assert frames == list(range(frames[0], frames[0] + len(frames)))
    assert not [m["content"] for m in running.of("stream") if m["content"]["name"] == "stderr"]

"""A recording opens by double click in a tab of JupyterLab, and no kernel is asked."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np
import pytest

from pulse_widgets.series.columns import Columns
from pulse_widgets.series.registry import SeriesInfo
from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage.directory import RunInfo
from pulse_widgets.storage.memory import MemorySegment
from pulse_widgets.storage.merge import merge_segments
from tests.e2e.conftest import TOKEN, Page, eventually, start_lab, stop_lab

START_US = 1_790_000_000_000_000
METRICS = ["gpu.utilization", "gpu.power", "gpu.temperature", "gpu.memory.used", "gpu.clock.sm"]
GPUS = 20

RECORD = """
import sys, time
import pulse_widgets as pw
pw.monitor("system", record=sys.argv[1], interval=0.2, title="a run")
step = 0
while sys.stdin.readline().strip() != "stop":
    step += 1
    pw.log({"train/loss": 1000.0 + step}, step=step)
    print(step, flush=True)
pw.stop()
"""

THEIR_VIEWER = """() => {
    const registry = window.jupyterapp.docRegistry;
    registry.addFileType({name: 'theirs', extensions: ['.parquet'], mimeTypes: []});
    const own = {name: 'Their Parquet', fileTypes: ['theirs'], defaultFor: ['theirs']};
    registry.addWidgetFactory(new Proxy(registry.getWidgetFactory('Editor'), {
        get: (factory, key) => own[key] ?? Reflect.get(factory, key, factory),
    }));
    return ['x.pulse.parquet', 'x.parquet', 'run.pulse.json', 'a.json']
        .map(path => registry.defaultWidgetFactory(path).name);
}"""


OFFERED = """() => ['x.parquet', 'a.b.parquet', 'x.parquet.txt'].map(path =>
    window.jupyterapp.docRegistry.preferredWidgetFactories(path)
        .some(factory => factory.name === 'Pulse Recording'))"""
"""Which files may be opened with our viewer, too."""


def big(path, series=100, rows=70_000):
    """Write 7 million readings, which take some 50 MB."""
    count = series * rows
    time = START_US + np.tile(np.arange(rows) * 100_000, series)
    value = np.random.default_rng(0).normal(0.5, 0.1, count)
    infos = {
        k: SeriesInfo(k, "h0", f"gpu:{k // len(METRICS)}", METRICS[k % len(METRICS)])
        for k in range(series)
    }
    ids = np.repeat(np.arange(series, dtype=np.int32), rows)
    columns = Columns(time, np.full(count, NO_STEP), value, None, None)
    run = RunInfo("b" * 32, START_US, about={"title": "seven million", "compacted": 1})
    marks = {"pulse.run": run.encode()}
    assert merge_segments([MemorySegment(ids, columns, infos)], path, lambda: marks, final=True)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A server under a path, as a hub gives one to each user, with recordings of all sorts."""
    server, process = start_lab(tmp_path_factory.mktemp("hub") / "server", base="/hub/user/me/")
    big(server.root / "big.pulse.parquet")
    whole = (server.root / "big.pulse.parquet").read_bytes()
    (server.root / "damaged.pulse.parquet").write_bytes(whole[:5000] + whole[-5000:-2000])
    (server.root / "empty.pulse.parquet").touch()
    for name in ("plain", "none"):
        big(server.root / f"{name}.pulse.parquet", 5, 1000)
    yield server
    stop_lab(process)


@dataclass
class Traffic:
    """What was fetched of files, and what was asked of the contents API."""

    page: object
    ranges: list = field(default_factory=list)
    names: list = field(default_factory=list)
    whole: list = field(default_factory=list)

    def hear(self, response):
        url, headers = response.url, response.headers
        if "/files/" in url:
            self.ranges.append(int(headers.get("content-length", 0)))
            self.names.append(urlsplit(url).path.split("/")[-1])
        elif "/api/contents/" in url and "content=1" in url and "type=file" in url:
            self.whole.append(url)

    def since(self, count):
        self.page.evaluate("0")  # responses are heard of only while the page is asked something
        return len(self.ranges) - count, sum(self.ranges[count:])


@pytest.fixture
def desk(chrome, hub):
    context = chrome.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    wrapped = Page(opened, hub)
    opened.on("pageerror", lambda error: wrapped.errors.append(str(error)))
    traffic = Traffic(opened)
    opened.on("response", traffic.hear)
    yield wrapped, traffic
    context.close()
    # JupyterLab's own, where it asks for a kernel that has just been shut down.
    assert [error for error in wrapped.errors if error != "Invalid response: 404 Not Found"] == []


def shown(page):
    return page.locator(".jp-MainAreaWidget:not(.lm-mod-hidden) .pulse-recording-view")


def status(page):
    """The status that the tab in front shows; empty while it shows none."""
    found = shown(page).locator(".pulse-status")
    return found.inner_text() if found.count() else ""


def open_file(page, name):
    page.locator(".jp-DirListing-item", has_text=name).dblclick()


def centre(locator):
    box = locator.bounding_box()
    return [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def without_ranges(route):
    headers = {k: v for k, v in route.request.headers.items() if k.lower() != "range"}
    route.continue_(headers=headers)


def no_kernel(server):
    return server.api("sessions") == [] and server.api("kernels") == []


def is_replay(page):
    return eventually(lambda: status(page), lambda word: word.startswith("Replay"))


def test_recordings_open_without_a_kernel(desk, hub):
    wrapped, traffic = desk
    page = wrapped.page
    page.goto(f"{hub.url}/lab/workspaces/viewer?token={TOKEN}")
    page.locator(".jp-DirListing-item", has_text="big.pulse.parquet").wait_for()
    names = page.evaluate(THEIR_VIEWER)
    assert names == ["Pulse Recording", "Their Parquet", "Pulse Recording", "JSON"]
    assert page.evaluate(OFFERED) == [True, True, False]
    a_large_file_takes_few_requests(page, traffic, hub)
    wrapped.shot("viewer-light")
    a_closer_look_fetches_what_lies_there(page, traffic)
    the_icon_of_a_selected_row_is_bright(page)
    what_cannot_be_shown_says_so(page)
    wrapped.shot("viewer-refused")
    assert not list(hub.root.rglob(".ipynb_checkpoints"))
    a_server_without_ranges_is_enough(page, traffic)
    another_is_dropped(wrapped)
    it_comes_back_with_the_page_in_the_dark(wrapped, traffic)
    it_is_read_under_another_name(page, traffic)
    assert no_kernel(hub)


def a_large_file_takes_few_requests(page, traffic, hub):
    open_file(page, "big.pulse.parquet")
    is_replay(page)
    shown(page).locator(".pulse-chart canvas").first.wait_for()
    page.wait_for_load_state("networkidle")
    requests, fetched = traffic.since(0)
    print(f"opened with {requests} requests, {fetched} bytes")
    assert 1 <= requests <= 5
    assert fetched < 2_000_000
    assert traffic.whole == []
    assert no_kernel(hub)


def a_closer_look_fetches_what_lies_there(page, traffic):
    before = len(traffic.ranges)
    in_sight = GPUS * shown(page).locator(".pulse-chart:visible").count()
    zoom(page, 20)
    # Of each series one stretch of its rows, and where in the file that begins.
    eventually(lambda: traffic.since(before)[0], lambda count: count >= 2 * in_sight)
    page.wait_for_load_state("networkidle")
    shown(page).get_by_text("loading detail").wait_for(state="hidden")
    requests, fetched = traffic.since(before)
    print(f"a closer look: {requests} requests, {fetched} bytes")
    assert requests == 2 * in_sight
    assert max(traffic.ranges[before:]) < 150_000  # of 500 kB


def zoom(page, width):
    x, y = centre(shown(page).locator(".pulse-chart canvas").first)
    drag(page, [x, y], [x + width, y])


def the_icon_of_a_selected_row_is_bright(page):
    icon = page.locator(".jp-DirListing-item.jp-mod-selected .jp-DirListing-itemIcon path")
    fill = icon.first.evaluate("el => getComputedStyle(el).fill")
    assert fill == "rgb(255, 255, 255)"


def what_cannot_be_shown_says_so(page):
    damaged = "cannot be read as a recording|is not a Parquet file"
    for name, sentence in [("damaged", damaged), ("empty", "is empty")]:
        open_file(page, f"{name}.pulse.parquet")
        said = shown(page).locator(".pulse-said")
        said.wait_for()
        assert re.search(sentence, said.inner_text())
        assert said.get_by_role("button", name="Try again").is_visible()


def a_server_without_ranges_is_enough(page, traffic):
    page.route("**/files/plain.pulse.parquet*", without_ranges)
    page.route("**/files/none.pulse.parquet*", lambda route: route.fulfill(status=404))
    for name in ("plain", "none"):
        open_file(page, f"{name}.pulse.parquet")
        is_replay(page)
        assert "seven million" in shown(page).inner_text()
        assert len(traffic.whole) == (name == "none")


def another_is_dropped(wrapped):
    page = wrapped.page
    page.get_by_role("tab", name="big.pulse.parquet").click()
    item = page.locator(".jp-DirListing-item", has_text="plain.pulse.parquet")
    drag(page, centre(item), centre(shown(page)))
    notice = shown(page).locator(".pulse-notices .pulse-said")
    notice.wait_for()
    assert "cannot be compared" in notice.inner_text()
    wrapped.shot("viewer-dropped")
    notice.get_by_role("button", name="Dismiss").click()


def it_comes_back_with_the_page_in_the_dark(wrapped, traffic):
    page = wrapped.page
    page.evaluate("""() => {
        const theme = {theme: 'JupyterLab Dark'};
        void window.jupyterapp.commands.execute('apputils:change-theme', theme);
    }""")
    shown(page).locator(".pulse[data-ground=dark]").wait_for()
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    wrapped.shot("viewer-dark")
    before = len(traffic.names)
    page.reload()
    page.get_by_role("tab", name="big.pulse.parquet").click()
    is_replay(page)
    page.wait_for_load_state("networkidle")
    # JupyterLab brings to the front what it has stored, and then what the address names.
    # The other tabs are there, and have read nothing: nobody has seen them.
    assert page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab").count() >= 5
    assert "big.pulse.parquet" in traffic.names[before:]
    assert len(set(traffic.names[before:])) <= 2


def it_is_read_under_another_name(page, traffic):
    page.evaluate("""() => window.jupyterapp.serviceManager.contents
        .rename('big.pulse.parquet', 'large.pulse.parquet')""")
    page.get_by_role("tab", name="large.pulse.parquet").wait_for()
    before = len(traffic.names)
    shown(page).locator(".pulse-segments button", has_text="All").click()
    zoom(page, -20)
    eventually(lambda: traffic.since(before)[0], lambda count: count > 0)
    page.wait_for_load_state("networkidle")
    assert set(traffic.names[before:]) == {"large.pulse.parquet"}
    assert shown(page).locator(".pulse-said").count() == 0


def test_a_recording_is_followed_until_it_is_a_file(desk, hub, tmp_path):
    wrapped, traffic = desk
    page = wrapped.page
    process = subprocess.Popen(
        [sys.executable, "-c", RECORD, str(hub.root / "live")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def log():
        process.stdin.write("log\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    try:
        log()
        run = hub.root / "live.pulse" / "run.pulse.json"
        eventually(run.exists, bool)
        page.goto(f"{hub.url}/lab/workspaces/live?token={TOKEN}")
        open_file(page, "live.pulse")
        open_file(page, "run.pulse.json")
        eventually(lambda: status(page), lambda word: word == "Live")
        for _ in range(3):
            value = 1000 + log()
            chart = shown(page).locator(".pulse-chart", has_text="train/loss")
            eventually(chart.inner_text, lambda text, value=value: str(value) in text)
        wrapped.shot("viewer-live")
        page.get_by_role("tab", name="live.pulse", exact=True).wait_for()
        assert run.exists()  # the label of its tab is not its name
        # A second, and its new bytes alone.
        before = len(traffic.ranges)
        eventually(lambda: traffic.since(before)[0], lambda count: count >= 3)
        assert max(traffic.ranges[before:]) < 100_000

        process.stdin.write("stop\n")
        process.stdin.flush()
        assert process.wait(30) == 0
        is_replay(page)
        page.get_by_role("tab", name="live.pulse.parquet").wait_for()
        assert not (hub.root / "live.pulse").exists()
        assert no_kernel(hub)
    finally:
        process.kill()
        process.communicate()

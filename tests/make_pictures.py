"""Takes the pictures of the documentation: ``python -m tests.make_pictures [FOLDER]``, two minutes.

The real product in a real JupyterLab: a training job is watched on eight GPUs of the stand-in for
the NVIDIA library, one of which becomes too hot. Each picture is taken in both themes, one
after the other. It needs gcc, Chromium and JupyterLab, and the page's code as it is built.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import FloatRect, Locator, sync_playwright
from playwright.sync_api import Page as Tab

from tests.e2e.conftest import CHROME, CHROME_FLAGS, Page, settled_box, start_lab, stop_lab
from tests.fakes import nvml
from tests.pictured_job import FAR_S, GPUS, JOB, script
from tests.png import indexed

IMAGES = Path(__file__).parents[1] / "docs/images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTH = 1000
"""Pixels that the dashboard is wide."""
MOST_HIGH = 900
"""Pixels that a picture is high at most."""
PANEL, VIEWER = (1000, 800), (1100, 640)
"""Pixels of the windows around the panel and the viewer."""
PICTURES = ("live", "panel", "status", "cell-mark", "viewer")

CELLS = (
    "import pulse_widgets as pw\n\npw.monitor()",
    "import job; job.load()",
    "job.train()",
    "job.evaluate()",
)
OTHERS = {"@voila-dashboards/jupyterlab-preview": True}
LOADS, TRAINS, EVALUATES = 1, 2, 3
NAME = "run-17.pulse.parquet"

EXECUTE = "([id, args]) => window.jupyterapp.commands.execute(id, args)"
FAR = """seconds => {
    const sources = globalThis[Symbol.for('pulse_widgets.sources')];
    const [start, end] = [...sources.values()].pop().extent();
    return end - start > seconds;
}"""

Taking = Callable[[str, Callable[[], FloatRect]], None]


def main(folder: Path) -> None:
    """Watch the job, and write the pictures."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        fake, home = Path(scratch, "nvml"), Path(scratch, "lab")
        _without_buttons_of_others(home / "config")
        lab, server = start_lab(home, **nvml.environment(fake, gpus=GPUS, script=script()))
        browser = playwright.chromium.launch(executable_path=CHROME, args=CHROME_FLAGS)
        try:
            tab = browser.new_page()
            blank = browser.new_page()

            def take(name: str, box: Callable[[], FloatRect]) -> None:
                for theme in THEMES:
                    _show_theme(tab, theme)
                    picture = indexed(_pixels(blank, _shot(tab, box())))
                    path = folder / f"{name}-{theme}.png"
                    path.write_bytes(picture)
                    print(f"{path}: {len(picture) / 1000:.0f} kB")

            (lab.root / "job.py").write_text(JOB)
            _while_it_trains(Page(tab, lab), take)
            _when_it_is_over(tab, take)
        finally:
            browser.close()
            stop_lab(server)


def _without_buttons_of_others(config: Path) -> None:
    """Switch off what other packages, if they are there, add to the toolbar of notebooks."""
    place = config / "labconfig"
    place.mkdir(parents=True)
    (place / "page_config.json").write_text(json.dumps({"disabledExtensions": OTHERS}))


def _while_it_trains(page: Page, take: Taking) -> None:
    """The dashboard under its cell; then moved to the panel; the status line."""
    tab = page.page
    tab.set_viewport_size({"width": WIDTH + 130, "height": MOST_HIGH + 150})
    page.open(page.lab.notebook(*CELLS, name="train.ipynb"))
    _execute(tab, "application:toggle-left-area")
    for cell in (0, LOADS, TRAINS):
        page.run(cell)
    live = tab.locator(".jp-OutputArea .pulse").first
    live.locator(".pulse-status", has_text="Live").wait_for()
    tab.wait_for_function(FAR, arg=FAR_S, timeout=120_000)
    take("live", lambda: _first_cell(tab))

    _resize(tab, PANEL)
    live.get_by_role("button", name="Move to sidebar").click()
    tab.locator("#pulse-panel .u-wrap canvas").first.wait_for()
    take("panel", lambda: _around(tab.locator(".jp-NotebookPanel"), tab.locator("#pulse-panel")))
    line = tab.locator(".pulse-shell-status", has_text=f"{GPUS} GPUs")
    take("status", lambda: _wider(settled_box(line), 6, 0))


def _when_it_is_over(tab: Tab, take: Taking) -> None:
    """The mark of a cell that has run, and the recording in a tab."""
    _execute(tab, "pulse-widgets:toggle-cell-marks")
    _prompt(tab, TRAINS).filter(has_text="[3]").wait_for(timeout=60_000)
    Page(tab, None).run(EVALUATES)
    cell = tab.locator(".jp-CodeCell").nth(EVALUATES)
    cell.locator("[data-pulse-mark][title*=GiB]").wait_for(timeout=30_000)
    take("cell-mark", lambda: _head_of(cell, 420, 62))

    _execute(tab, "pulse-widgets:save", path=NAME)
    _execute(tab, "docmanager:save")
    tab.evaluate("() => window.jupyterapp.shell.collapseRight()")
    _execute(tab, "application:toggle-left-area")
    _resize(tab, VIEWER)
    tab.locator(".jp-DirListing-item", has_text=NAME).dblclick()
    view = tab.locator(".pulse-recording-view")
    view.locator(".u-wrap canvas").first.wait_for()
    view.get_by_text("loading").wait_for(state="hidden")
    tab.locator(".Toastify__toast").wait_for(state="detached", timeout=30_000)
    browser = tab.locator("#filebrowser")
    take("viewer", lambda: _around(browser, tab.locator(".jp-MainAreaWidget:visible").last))


def _execute(tab: Tab, command: str, **args: object) -> None:
    tab.evaluate(EXECUTE, [command, args])


def _resize(tab: Tab, size: tuple[int, int]) -> None:
    width, height = size
    tab.set_viewport_size({"width": width, "height": height})


def _prompt(tab: Tab, cell: int) -> Locator:
    return tab.locator(".jp-CodeCell").nth(cell).locator(".jp-InputPrompt")


def _first_cell(tab: Tab) -> FloatRect:
    """Return where the first cell stands, up to the height of a picture."""
    tab.locator(".jp-CodeCell .jp-InputArea").first.scroll_into_view_if_needed()
    return _head_of(tab.locator(".jp-CodeCell").first, WIDTH + 130, MOST_HIGH)


def _head_of(locator: Locator, width: float, height: float) -> FloatRect:
    """Return the left upper part of an element, up to a size."""
    box = settled_box(locator)
    return {**box, "width": min(box["width"], width), "height": min(box["height"], height)}


def _wider(box: FloatRect, x: float, y: float) -> FloatRect:
    """Return a box with some pixels more at each side."""
    return {
        "x": box["x"] - x,
        "y": box["y"] - y,
        "width": box["width"] + 2 * x,
        "height": box["height"] + 2 * y,
    }


def _around(*locators: Locator) -> FloatRect:
    """Return the box that holds some elements."""
    boxes = [settled_box(locator) for locator in locators]
    x, y = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right = max(box["x"] + box["width"] for box in boxes)
    bottom = max(box["y"] + box["height"] for box in boxes)
    return {"x": x, "y": y, "width": right - x, "height": bottom - y}


def _show_theme(tab: Tab, name: str) -> None:
    _execute(tab, "apputils:change-theme", theme=THEMES[name])
    light = "true" if name == "light" else "false"
    tab.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
    tab.locator("#jupyterlab-splash").wait_for(state="detached")


def _shot(tab: Tab, box: FloatRect) -> bytes:
    return tab.screenshot(animations="disabled", clip=box)


def _pixels(blank: Tab, png: bytes) -> np.ndarray:
    """Return the pixels of a file, decoded by a blank page of the browser."""
    width, height, data = blank.evaluate(DECODE, base64.b64encode(png).decode())
    raw = np.frombuffer(base64.b64decode(data), np.uint8)
    return raw.reshape(height, width, 4)[:, :, :3]


DECODE = """async png => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const {width, height} = image, drawn = new OffscreenCanvas(width, height).getContext('2d');
    drawn.drawImage(image, 0, 0);
    const reader = new FileReader();
    const read = new Promise(done => { reader.onload = done; });
    reader.readAsDataURL(new Blob([drawn.getImageData(0, 0, width, height).data]));
    await read;
    return [width, height, reader.result.split(',')[1]];
}"""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else IMAGES)

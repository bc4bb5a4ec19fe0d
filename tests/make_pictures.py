"""Takes the pictures of the README: ``python -m tests.make_pictures [FOLDER]``, about a minute.

The real product in a real JupyterLab: a training job is watched on eight GPUs of the stand-in for
the NVIDIA library, one of which becomes too hot. One picture is taken in each theme, one
after the other. It needs gcc, Chromium and JupyterLab, and the page's code as it is built.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from tests.e2e.conftest import CHROME, CHROME_FLAGS, Page, settled_box, start_lab, stop_lab
from tests.fakes import nvml
from tests.png import indexed

IMAGES = Path(__file__).parents[1] / "docs/images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
WIDTH = 1000
"""Pixels that the dashboard is wide."""
GPUS, HOT_GPU = 8, 5
LASTS_S, STEP_S = 48.0, 0.8
"""How long the job is described, and how finely; a line of the script takes 61 steps."""
READY_S, VALIDATES, HOT_S = 6, (24, 28), 14
FAR_S = 44
"""Second of the job at which the pictures are taken."""
MOST_HIGH = 900
"""Pixels that a picture is high at most."""

CELLS = ("import pulse_widgets as pw\n\npw.monitor()", "import job; job.load()", "job.train()")
JOB = f"""
import math, time
import pulse_widgets as pw

def load():
    # More readings than one a second: the pictures are of a short time.
    pw.monitor(interval=0.5)
    time.sleep({READY_S})

def train():
    pw.monitor().mark("training")
    for step in range(1000):
        loss = 2 * math.exp(-step / 180) + 0.12 * math.sin(step * step)
        noise = math.sin(step * 12.9898) * 43758.5453 % 1
        norm, speed = 0.8 + 0.5 * noise, 36000 + 400 * noise
        pw.log({{"train/loss": loss + 0.4, "grad_norm": norm, "tokens/s": speed}}, step=step)
        if step % 20 == 0:
            pw.log({{"val/loss": 2 * math.exp(-step / 210) + 0.6}}, step=step)
        time.sleep(0.05)
"""


def script() -> str:
    """Return what the GPUs do, second by second, as the stand-in is told it."""
    random = np.random.default_rng(5)
    time = np.arange(0, LASTS_S, STEP_S)
    busy = np.where(time < READY_S, 0.0, 0.95)
    busy[(time >= VALIDATES[0]) & (time < VALIDATES[1])] = 0.6
    lines = []
    for gpu in range(GPUS):
        hot = (time >= HOT_S) & (gpu == HOT_GPU)
        use = np.clip(busy + random.normal(0, 0.015, len(time)) * (busy > 0), 0, 1)
        watts = 90 + use * (540 - 8 * gpu) + random.normal(0, 7, len(time)) * (use > 0)
        watts -= np.where(hot, 170, 0) * use
        heat = _lag(np.where(busy > 0, 62 + 0.8 * gpu, 34) + np.where(hot, 24 - 0.2 * gpu, 0), 0.12)
        throttled = hot & (heat > 84)
        told = {
            "util": use * 100,
            "power": watts * 1000,
            "temperature": heat,
            "clock_sm": np.where(use > 0, 1950 - np.where(throttled, 600, 0), 345),
            "throttled": np.where(throttled, 0.6, 0),
            "memory_used": _lag(np.where(busy > 0, 63 + gpu / 2, 3), 0.3) * 2**30,
        }
        for name, values in told.items():
            pairs = (f"{at:g}:{value:.6g}" for at, value in zip(time, values, strict=True))
            lines.append(f"gpu {gpu} {name} steps {' '.join(pairs)}")
        lines.append(f"gpu {gpu} process self 6e10")
    return "\n".join(lines)


def _lag(target: np.ndarray, share: float) -> np.ndarray:
    """Return values that go towards `target` by a share of what is left, each time."""
    values, now = [], float(target[0])
    for one in target:
        now += share * (float(one) - now)
        values.append(now)
    return np.array(values)


def main(folder: Path) -> None:
    """Watch the job, and write one picture a theme."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        fake = Path(scratch, "nvml")
        lab, server = start_lab(
            Path(scratch, "lab"), **nvml.environment(fake, gpus=GPUS, script=script())
        )
        browser = playwright.chromium.launch(executable_path=CHROME, args=CHROME_FLAGS)
        try:
            tab = browser.new_page(viewport={"width": WIDTH + 130, "height": MOST_HIGH + 150})
            page = Page(tab, lab)
            (lab.root / "job.py").write_text(JOB)
            page.open(lab.notebook(*CELLS))
            tab.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
            page.run_all()
            live = tab.locator(".pulse:visible").first
            live.locator(".pulse-status", has_text="Live").wait_for()
            tab.wait_for_function(FAR, arg=FAR_S, timeout=120_000)
            for name, theme in THEMES.items():
                shot = _picture(tab, theme)
                picture = indexed(_pixels(browser.new_page(), shot))
                (folder / f"live-{name}.png").write_bytes(picture)
                print(f"{folder / f'live-{name}.png'}: {len(picture) / 1000:.0f} kB")
        finally:
            browser.close()
            stop_lab(server)


FAR = """seconds => {
    const sources = globalThis[Symbol.for('pulse_widgets.sources')];
    const [start, end] = [...sources.values()].pop().extent();
    return end - start > seconds;
}"""


def _picture(tab: Tab, theme: str) -> bytes:
    """Return the first cell in a theme, once it is drawn in it."""
    tab.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    light = "true" if theme == THEMES["light"] else "false"
    tab.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
    tab.locator(".jp-CodeCell .jp-InputArea").first.scroll_into_view_if_needed()
    box = settled_box(tab.locator(".jp-CodeCell").first)
    high = min(box["height"], MOST_HIGH)
    return tab.screenshot(animations="disabled", clip={**box, "height": high})


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

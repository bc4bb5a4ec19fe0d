"""Pictures of the development page: ``python js/dev/shots.py BUILD_FOLDER OUT [NAME...]``."""  # noqa: INP001

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ARGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What is looked at in the width of a sidebar.
SIDE = [
    *("nogpu", "one", "two", "eight", "many", "trouble", "sixteen", "own0", "own5", "own200"),
    *("faults", "replay", "stopped", "empty", "begun", "hosts", "names"),
]
# Name: query of the page, width and height of the window.
SHOTS: dict[str, tuple[str, int, int]] = {
    "one-light": ("scenario=one", 1280, 1500),
    "one-dark": ("scenario=one&theme=dark", 1280, 1500),
    "eight-light": ("scenario=eight", 1400, 1900),
    "eight-dark": ("scenario=eight&theme=dark", 1400, 1900),
    "many-light": ("scenario=many", 1400, 2200),
    "many-dark": ("scenario=many&theme=dark", 1400, 2200),
    "nogpu-light": ("scenario=nogpu", 1000, 1100),
    "empty-light": ("scenario=empty", 900, 260),
    "begun-dark": ("scenario=begun&theme=dark", 900, 900),
    "faults-light": ("scenario=faults", 1100, 900),
    "faults-dark": ("scenario=faults&theme=dark", 1100, 900),
    "replay-dark": ("scenario=replay&theme=dark", 1200, 1100),
    "stopped-light": ("scenario=stopped", 1200, 700),
    "dense-light": ("scenario=dense", 1000, 1000),
    "dense-dark": ("scenario=dense&theme=dark", 1000, 1000),
    "eight-700": ("scenario=eight", 700, 1900),
    **{
        f"side-{name}-{width}-{theme}": (f"scenario={name}&theme={theme}", width, 1500)
        for name in SIDE
        for width in (260, 300, 400)
        for theme in ("light", "dark")
    },
    "wide-light": ("scenario=eight", 1600, 1200),
    **{
        f"own{count}-{theme}{suffix}": (f"scenario=own{count}&theme={theme}", width, 900)
        for count in (0, 5, 200, 5000)
        for theme in ("light", "dark")
        for suffix, width in (("", 1000), ("-narrow", 320))
    },
    **{
        f"output-{name}-{width}-{theme}": (f"scenario={name}&theme={theme}", width, height)
        for name, width, height in (
            ("output", 1000, 900),
            ("output", 300, 1500),
            ("output2", 1000, 1000),
            ("output8", 1000, 1000),
            ("printed", 1000, 900),
            ("unprinted", 700, 700),
        )
        for theme in ("light", "dark")
    },
    **{
        f"{name}-{theme}{suffix}": (f"scenario={name}&theme={theme}", width, 700)
        for name in ("one", "cells60", "cells1000", "nested", "alerts")
        for theme in ("light", "dark")
        for suffix, width in (("-mid", 1000), ("-300", 300))
    },
    "strip-light": ("scenario=one&layout=strip", 1100, 120),
    "charts-light": ("scenario=eight&layout=charts&metrics=gpu.utilization,cpu.*", 1100, 500),
}


def prepare(page: Page, name: str) -> None:
    """Bring the page into the state that the picture is about."""
    if name == "own200-light":
        page.get_by_label("Your metrics", exact=True).get_by_text("more").click()
    if name == "own200-dark":
        page.get_by_label("Search your metrics").fill("layer1*/w?")
    if name == "own5000-dark":
        page.get_by_label("Search your metrics").fill("layer77")
    if name.startswith("output-") and "output8" not in name:
        page.get_by_role("button", name="Output").click()
    if name.startswith("output-printed"):
        page.get_by_label("Search the output").fill("loss 0.3")
        page.keyboard.press("Enter")
    if name == "output-output-1000-dark":
        page.mouse.move(500, 200)
    if name == "one-dark":
        page.mouse.move(330, 420)
    if name == "eight-light":
        page.mouse.move(400, 420)
    if name == "many-dark":
        page.mouse.move(500, 420)


def main() -> None:
    """Save one PNG a shot; fail when a page reported an error."""
    build, out, *names = sys.argv[1:]
    Path(out).mkdir(parents=True, exist_ok=True)
    url = Path(build, "index.html").resolve().as_uri()
    chrome = os.environ.get("PULSE_CHROME") or shutil.which("chromium")
    faults: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chrome, args=ARGS)
        for name in names or SHOTS:
            query, width, height = SHOTS[name]
            page = browser.new_page(viewport={"width": width, "height": height})
            page.on("pageerror", lambda e, n=name: faults.append(f"{n}: {e}"))
            page.on(
                "console",
                lambda m, n=name: faults.append(f"{n}: {m.text}") if m.type == "error" else None,
            )
            page.goto(f"{url}?{query}")
            page.wait_for_timeout(500)
            prepare(page, name)
            page.wait_for_timeout(300)
            page.screenshot(path=str(Path(out, f"{name}.png")))
            page.close()
        browser.close()
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()

"""The monitor where anywidget is all there is, as in VS Code and Colab: a host that offers no more.

A real kernel's messages are given to a page of which nothing but the specification of anywidget is
known. Its content policy allows no host, no inline script and no code that is made from text.
"""

import base64
from pathlib import Path

import pytest

from tests.e2e.conftest import eventually
from tests.kernels import kernels

NONCE = "of-the-host"
POLICY = (
    f"default-src 'none'; script-src 'nonce-{NONCE}' blob:; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'"
)
HOST = (Path(__file__).parent / "bare_host.js").read_text()
PAGE = f"<!doctype html><body><div id=view></div><script nonce={NONCE}>{HOST}</script>"
ADDRESS = "http://host.test/"

INK = """el => [...el.querySelectorAll('.pulse-chart canvas')].filter(canvas => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return data.some(one => one > 0);
}).length"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a kernel says on its comms of a session that begins, for some seconds."""
    with kernels(tmp_path_factory.mktemp("kernel")) as start:
        kernel = start()
        kernel.run(
            "import pulse_widgets as pw\nmon = pw.monitor(interval=0.1, record=False)\ndisplay(mon)"
        )
        (output,) = kernel.of("display_data")
        kernel.wait_until(lambda: len(kernel.packets("keyframe")) > 1)
    view = output["content"]["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    kinds = ("comm_open", "comm_msg")
    messages = [one for one in kernel.published if one["msg_type"] in kinds]
    return view, [told(one) for one in messages]


def told(message):
    return {
        "type": message["msg_type"],
        "id": message["content"]["comm_id"],
        "data": message["content"]["data"],
        "buffers": [base64.b64encode(buffer).decode() for buffer in message["buffers"]],
    }


HOSTS = [
    ("DataView", "", "", "light", "rgb(255, 255, 255)"),
    ("Uint8Array", "vscode-dark", "#181818", "dark", "rgb(24, 24, 24)"),
    ("ArrayBuffer", "vscode-light", "#fdf6e3", "light", "rgb(253, 246, 227)"),
    ("DataView", "vscode-high-contrast", "#000", "dark", "rgb(0, 0, 0)"),
    ("DataView", "vscode-high-contrast vscode-high-contrast-light", "#fff", "light", "rgb(255, 255, 255)"),
]  # fmt: skip
"""In what bytes arrive; what the page says of its theme; the ground and the surface that follow."""

SAY_THEME = """([names, background]) => {
    document.body.className = names;
    if (background) {
        document.documentElement.style.setProperty('--vscode-editor-background', background);
    }
}"""


@pytest.mark.parametrize(("form", "names", "background", "ground", "surface"), HOSTS)
def test_it_is_live_and_asks_only_for_what_every_host_has(  # noqa: PLR0917
    chrome, said, form, names, background, ground, surface
):
    view, messages = said
    page = chrome.new_page()
    page.set_default_timeout(10_000)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.route(
        "**/*",
        lambda route: route.fulfill(
            body=PAGE if route.request.url == ADDRESS else "",
            content_type="text/html",
            headers={"Content-Security-Policy": POLICY},
        ),
    )
    page.goto(ADDRESS)
    page.evaluate(SAY_THEME, [names, background])

    opening = [one for one in messages if one["type"] == "comm_open"]
    page.evaluate("([form, all]) => { host.as(form); all.forEach(host.hear) }", [form, opening])
    page.evaluate("id => host.show(id, document.getElementById('view'))", view)
    rest = [one for one in messages if one["type"] != "comm_open"]
    page.evaluate("all => all.forEach(host.hear)", rest)

    dashboard = page.locator(".pulse")
    dashboard.locator(".pulse-status", has_text="Live").wait_for()
    eventually(lambda: dashboard.evaluate(INK), lambda charts: charts > 1)
    assert {one["kind"] for one in page.evaluate("() => host.sent()")} >= {"hello"}
    # Jupyter's own models have these two; where they are missing nothing else is.
    assert set(page.evaluate("() => host.asked()")) <= {"comm_live", "event comm_live_update"}
    assert dashboard.get_attribute("data-ground") == ground
    assert dashboard.evaluate("el => getComputedStyle(el).backgroundColor") == surface
    page.close()
    assert faults == []

"""A real JupyterLab, driven in a real Chromium."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

CHROME = os.environ.get("PULSE_CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
CHROME_FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REPOSITORY = Path(__file__).parents[2]
TOKEN = uuid.uuid4().hex
SHOTS = Path(os.environ.get("PULSE_SHOTS", "/tmp/pulse-shots"))

RUN_CELL = """async index => {
    const app = window.jupyterapp, panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    panel.content.activeCellIndex = index;
    void app.commands.execute('notebook:run-cell');
}"""


LIGHT_GRID = """el => {
    const canvas = el.querySelector('canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let same = 0;
    for (let i = 0; i < data.length; i += 4) {
        same += data[i] === 237 && data[i + 1] === 240 && data[i + 2] === 244;
    }
    return same;
}"""
"""How many pixels of a chart have the colour of the light theme's grid."""


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Lab:
    """A running JupyterLab server."""

    root: Path
    url: str
    home: Path
    extra: dict = field(default_factory=dict)

    def api(self, path, method="GET"):
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        body = urllib.request.urlopen(request, timeout=20).read()
        return json.loads(body) if body else None

    def reset(self):
        for session in self.api("sessions"):
            self.api(f"sessions/{session['id']}", "DELETE")

    def notebook(self, *sources, name=None):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources]
        )
        notebook.metadata.kernelspec = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        path = name or f"n{uuid.uuid4().hex[:8]}.ipynb"
        nbformat.write(notebook, self.root / path)
        return path


def start_lab(directory, prefix="", **environ):
    """Start a server that shares nothing with the user's; return it and its process.

    `prefix` is where it lies on its host, as that of a hub does: it begins and does not end with /.
    """
    root, settings = directory / "root", directory / "settings"
    root.mkdir(parents=True)
    pop_ups = settings / "@jupyterlab/apputils-extension"
    pop_ups.mkdir(parents=True)
    (pop_ups / "notification.jupyterlab-settings").write_text(
        '{"fetchNews":"false","checkForUpdates":false}'
    )
    port = free_port()
    log = (directory / "lab.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
            f"--ServerApp.base_url={prefix}/",
        ],
        env={
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(directory / "config"),
            "JUPYTER_DATA_DIR": str(directory / "data"),
            "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
            "IPYTHONDIR": str(directory / "ipython"),
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "PULSE_HOME": str(directory / "pulse-home"),
            **environ,
        },
        stdout=log,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}{prefix}"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/api/status?token={TOKEN}", timeout=2)
            return Lab(root, url, directory / "pulse-home"), process
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((directory / "lab.log").read_text()[-3000:])
            time.sleep(0.1)


def stop_lab(process):
    """End a server; a kernel that was restarting may keep it waiting for ever."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab on this machine as it is: no GPU."""
    server, process = start_lab(tmp_path_factory.mktemp("lab") / "server")
    yield server
    stop_lab(process)


def eventually(read, holds, seconds=20):
    """Read until the result holds, and return it; fail with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if holds(value):
            return value
        assert time.monotonic() < deadline, f"it stayed {value!r}"
        time.sleep(0.05)


def settled_box(locator):
    """Where an element stands, once that has stopped changing."""
    boxes = [None]

    def read():
        boxes.append(locator.bounding_box())
        return boxes[-2:]

    return eventually(read, lambda last: last[0] is not None and last[0] == last[1])[1]


@pytest.fixture(scope="session")
def chrome():
    if not CHROME:
        pytest.skip("no Chromium on PATH: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROME, args=CHROME_FLAGS)
        yield browser
        browser.close()


@dataclass
class Page:
    """A browser page on one server, with what went wrong on it."""

    page: object
    lab: Lab
    errors: list = field(default_factory=list)
    notebook: str = ""
    expected: str = ""
    """Part of an error of the page that is not ours; empty for none."""

    def open(self, path):
        workspace = f"w{uuid.uuid4().hex[:6]}"
        self.page.goto(f"{self.lab.url}/lab/workspaces/{workspace}/tree/{path}?token={TOKEN}")
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")

    def run(self, index):
        self.page.evaluate(RUN_CELL, index)

    def run_all(self):
        self.page.evaluate(RUN_CELL.replace("run-cell'", "run-all-cells'"), 0)

    def save(self):
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def shot(self, name):
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"))


@pytest.fixture
def page(chrome, lab):
    """A fresh page; page errors fail the test that caused them."""
    context = chrome.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    wrapped = Page(opened, lab)
    opened.on("pageerror", lambda error: wrapped.errors.append(str(error)))
    yield wrapped
    context.close()
    lab.reset()
    assert [e for e in wrapped.errors if not wrapped.expected or wrapped.expected not in e] == []


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The development page, built."""
    node = shutil.which("node")
    if node is None or not (REPOSITORY / "node_modules/esbuild").is_dir():
        pytest.skip("no node, or npm ci was not run")
    out = tmp_path_factory.mktemp("site")
    subprocess.run([node, "js/dev/build.mjs", str(out)], cwd=REPOSITORY, check=True)
    return (out / "index.html").as_uri()

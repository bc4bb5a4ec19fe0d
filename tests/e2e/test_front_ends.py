"""The monitor in the other front ends: each is started as its users start it."""

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import (
    REPOSITORY,
    Lab,
    eventually,
    free_port,
    installed,
    lab_extensions,
    page_on,
    start_lab,
    stop_lab,
)
from tests.e2e.test_viewer import big

MONITOR = "import pulse_widgets as pw\nmon = pw.monitor(interval=0.5)\nmon"
NOT_OURS = "reading 'schema'"
"""In an error of Notebook 7 that it has without us, too."""

INK = """el => {
    const canvas = el.querySelector('.pulse-chart canvas');
    if (!canvas) return 0;
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let ink = 0;
    for (let i = 3; i < data.length; i += 4) ink += data[i] > 0;
    return ink;
}"""


NOT_WHOLE = re.compile(
    r"Failed to create module: package: pulse-widgets; module: \./extension"
    r"|Shared module @jupyterlab/\w+ doesn't exist in shared scope"
)
"""Voila has not all packages of JupyterLab: of our modules it can load one, which it needs."""


@pytest.fixture
def said():
    """What the consoles of the pages said; what speaks of us fails the test."""
    texts = []
    yield texts
    assert [text for text in texts if "pulse" in text.lower()] == []


def listen(page, said):
    """Keep the warnings and errors of a page's console."""

    def hear(message):
        if message.type in {"warning", "error"}:
            said.append(f"{message.text} {message.location.get('url', '')}")

    page.page.on("console", hear)


def is_live(page):
    """Wait until a dashboard is live, has drawn its charts, and its clock goes on."""
    # A locator looks into a shadow root, too, where marimo puts what it shows.
    status = page.page.locator(".pulse-status", has_text="Live")
    dashboard = page.page.locator(".pulse:visible").filter(has=status).first
    dashboard.wait_for()
    eventually(lambda: dashboard.evaluate(INK), lambda ink: ink > 200)
    clock = dashboard.locator(".pulse-name-row .pulse-detail").first
    before = clock.text_content()
    eventually(clock.text_content, lambda now: now != before)
    return dashboard


def shows_what_was_saved(page):
    """Wait until an output shows what was saved of a session."""
    dashboard = page.page.locator(".pulse-replay-output .pulse:visible").first
    dashboard.locator(".pulse-status", has_text="Stopped").wait_for()
    eventually(lambda: dashboard.evaluate(INK), lambda ink: ink > 200)


@contextmanager
def served(command, directory, **environ):
    """Run a program that serves pages on a port of its own; give the address."""
    port = free_port()
    log = (directory / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", *command, f"--port={port}"],
        cwd=directory,
        env={
            **os.environ,
            # The configuration of whoever runs the tests is not read.
            "HOME": str(directory),
            "XDG_CONFIG_HOME": str(directory / "config"),
            "JUPYTER_CONFIG_DIR": str(directory / "config"),
            "JUPYTER_DATA_DIR": str(directory / "data"),
            "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
            "IPYTHONDIR": str(directory / "ipython"),
            "PYTHONPATH": str(REPOSITORY),
            "PULSE_HOME": str(directory / "pulse-home"),
            **environ,
        },
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop_lab(process)


@contextmanager
def lab_server(directory, **settings):
    server, process = start_lab(directory / "server", **settings)
    try:
        yield server
        server.reset()
    finally:
        stop_lab(process, patience=3)


PLUGINS = "() => window.jupyterapp.listPlugins().filter(id => id.startsWith('pulse-widgets:'))"
STOP = "mon.stop(); print('stopped')"


def lives_and_stays(page, address, said):
    """Run a monitor in a notebook, stop and save it, and open the notebook with another kernel."""
    listen(page, said)
    page.goto(address)
    assert {"pulse-widgets:outputs", "pulse-widgets:saved"} <= set(page.page.evaluate(PLUGINS))
    page.run(0)
    is_live(page)
    page.run(1)
    page.page.locator(".jp-RenderedText", has_text="stopped").wait_for()
    page.save()
    eventually(lambda: page.page.evaluate(IS_SAVED), bool)

    page.lab.reset()
    page.goto(address)
    shows_what_was_saved(page)


IS_SAVED = "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"


def test_notebook_7_is_live_and_draws_a_saved_output(chrome, said, tmp_path):
    with lab_server(tmp_path, app="notebook") as server, page_on(chrome, server) as page:
        page.expected = NOT_OURS
        lives_and_stays(page, f"notebooks/{server.notebook(MONITOR, STOP)}", said)
        page.shot("notebook-7")
        # What a double click in its file browser opens.
        big(server.root / "x.pulse.parquet", 5, 1000)
        page.goto("edit/x.pulse.parquet")
        page.page.locator(".pulse-status", has_text="Replay").wait_for()
        page.shot("notebook-7-recording")


def test_behind_a_prefix_a_cookie_and_a_strict_policy_all_is_as_elsewhere(hub_page, hub, said):
    asked = []
    hub_page.page.on("request", lambda request: asked.append(request))  # noqa: PLW0108
    lives_and_stays(hub_page, f"lab/tree/{hub.notebook(MONITOR, STOP)}", said)

    assert {
        urlsplit(one.url).path.startswith("/user/ada/") for one in asked if not is_local(one)
    } == {True}
    posts = [one for one in asked if one.method == "POST"]
    assert posts
    assert all("authorization" not in one.headers and one.headers["x-xsrftoken"] for one in posts)
    hub_page.shot("hub")


def is_local(request):
    """Whether a request stays in the page."""
    return request.url.startswith(("blob:", "data:"))


@pytest.mark.slow
def test_the_oldest_jupyterlab_is_live_and_draws_a_saved_output(chrome, said, tmp_path):
    oldest = installed(tmp_path / "oldest", "jupyterlab==4.4.0")
    # Those of other packages may not load in it.
    extensions = lab_extensions(
        tmp_path / "extensions", "pulse-widgets", "anywidget", "@jupyter-widgets"
    )
    assert newer_than(oldest / "share/jupyter/lab/static", extensions / "pulse-widgets") == []
    options = [
        f"--app-dir={oldest / 'share/jupyter/lab'}",
        f"--LabApp.labextensions_path={extensions}",
    ]
    path = os.pathsep.join([str(oldest), str(REPOSITORY)])
    with (
        lab_server(tmp_path, arguments=options, PYTHONPATH=path) as server,
        page_on(chrome, server) as page,
    ):
        lives_and_stays(page, f"lab/tree/{server.notebook(MONITOR, STOP)}", said)
        # What the page itself tells of its version is that of the Python package beside it.
        main = page.page.evaluate("() => document.querySelector('script[src*=main]').src")
        assert (oldest / "share/jupyter/lab/static" / urlsplit(main).path.split("/")[-1]).is_file()
        page.shot("jupyterlab-4.4")
        a_running_recording_is_called_as_its_folder(page)


def a_running_recording_is_called_as_its_folder(page):
    """Its tab has another label than its file, of which JupyterLab would rename the file."""
    folder = page.lab.root / "a run.pulse"
    folder.mkdir()
    (folder / "run.pulse.json").write_text("{}")
    page.page.evaluate("""() => void window.jupyterapp.commands.execute(
        'docmanager:open', {path: 'a run.pulse/run.pulse.json'})""")
    page.page.get_by_role("tab", name="a run.pulse", exact=True).wait_for()
    page.page.locator(".pulse-said").wait_for()
    assert [one.name for one in folder.iterdir()] == ["run.pulse.json"]


CONSUMED = re.compile(r'shareKey:"([^"]+)",[^{}]*?requiredVersion:"\^?([^"]+)"')


def newer_than(jupyterlab, extension):
    """Return the packages of which an extension asks for a newer one than a JupyterLab has."""
    told = json.loads((extension / "package.json").read_text())["jupyterlab"]["_build"]["load"]
    asked = dict(CONSUMED.findall((extension / told).read_text()))
    core = json.loads((jupyterlab / "package.json").read_text())
    there = {**core["dependencies"], **core["resolutions"]}
    assert "@jupyterlab/notebook" in asked
    return [name for name in asked if numbers(asked[name]) > numbers(there[name])]


def numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)][:3]


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    import pulse_widgets as pw

    mon = pw.monitor(interval=0.5)
    mon
    return
"""


def test_marimo_is_live(chrome, said, tmp_path):
    (tmp_path / "app.py").write_text(MARIMO)
    command = ["marimo", "run", "app.py", "--headless", "--no-token"]
    with served(command, tmp_path) as url, page_on(chrome, None) as page:
        listen(page, said)
        reach(page, url)
        dashboard = is_live(page)
        assert dashboard.evaluate("el => el.getRootNode() instanceof ShadowRoot")
        page.shot("marimo")


SHORT = (
    "import time\nimport pulse_widgets as pw\n"
    "mon = pw.monitor(interval=0.5)\ndisplay(mon)\ntime.sleep(1)\nmon.stop()\nNone"
)


def test_voila_draws_a_session_that_is_over_and_is_live(chrome, said, tmp_path):
    notebook = Lab(tmp_path, "", tmp_path).notebook(SHORT, "pw.monitor(interval=0.5)")
    command = ["voila", notebook, "--no-browser", "--Voila.ip=127.0.0.1"]
    with served(command, tmp_path) as url, page_on(chrome, None) as page:
        listen(page, said)
        reach(page, url)
        shows_what_was_saved(page)
        is_live(page)
        said[:] = [text for text in said if not NOT_WHOLE.search(text)]
        page.shot("voila")


def reach(page, url):
    """Open a page of a server that may be just starting."""
    eventually(lambda: answers(url), bool, seconds=60)
    page.page.goto(url)


def answers(url):
    try:
        with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=2):
            return True
    except OSError:
        return False

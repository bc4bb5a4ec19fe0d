"""Commands, settings, status line and cell marks, in a real JupyterLab on fake GPUs."""

import json
import re

import pytest

from tests.e2e.conftest import Page, eventually, start_lab, stop_lab
from tests.fakes import nvml

COMMANDS = {
    "Open Pulse Panel",
    "Stop Monitor",
    "Add Mark…",
    "Save Recording As…",
    "Insert Monitor Cell",
    "Show Pulse Status Line",
    "Show Cell Marks",
}

LINE = ".pulse-shell-status"
DO = "([id, args]) => void window.jupyterapp.commands.execute(id, args)"

CONFLICTS = """() => {
    const all = window.jupyterapp.commands.keyBindings;
    const ours = all.filter(one => one.command.startsWith('pulse-widgets:'));
    const same = (a, b) => {
        const [short, long] = a.length < b.length ? [a, b] : [b, a];
        return short.every((key, i) => key === long[i]);
    };
    const clashes = ours.flatMap(one => all.filter(other =>
        other.command !== one.command && other.keys.length > 0 && same(one.keys, other.keys)));
    return [ours.map(one => [one.command, one.keys.join(' ')]), clashes.map(one => one.command)];
}"""
"""Our key bindings, and the commands of others that take the same keys."""

MARKS = """() => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell')]
    .map(cell => [
        cell.querySelector('.cm-content')?.innerText.split('\\n')[0],
        cell.querySelector('.jp-InputPrompt')?.getAttribute('data-pulse-mark') ?? null,
        cell.querySelector('.jp-InputPrompt')?.title ?? '',
        cell.querySelector('.jp-Cell-inputWrapper')?.offsetHeight ?? 0,
    ])"""
"""The first line of each cell, its mark, what the mark says in full, and how tall the cell is."""


@pytest.fixture
def shell(tmp_path_factory, chrome):
    """A page on two GPUs that are half busy, one of them with 40 GiB in use."""
    directory = tmp_path_factory.mktemp("shell")
    script = "gpu * util 50\ngpu 0 memory_used 10e9\ngpu 1 memory_used 42949672960"
    environ = nvml.environment(directory / "nvml", gpus=2, latency_us=0, script=script)
    server, process = start_lab(directory / "server", **environ)
    stored = directory / "server/settings/pulse-widgets"
    stored.mkdir()
    values = {"interval": 0.25, "cellMarks": True}
    (stored / "plugin.jupyterlab-settings").write_text(json.dumps(values))
    context = chrome.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    page = Page(opened, server)
    opened.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    page.shot("shell-end")
    context.close()
    stop_lab(process)


def mark_of(page, code):
    """The mark of the cell that begins with some code."""
    return next((mark for line, mark, *_ in page.evaluate(MARKS) if line.startswith(code)), None)


def words_of(page, code):
    """What the mark of that cell says in full."""
    return next((words for line, _, words, _ in page.evaluate(MARKS) if line.startswith(code)), "")


def heights_of(page):
    """How tall each cell is, by its first line."""
    return {line: height for line, _, _, height in page.evaluate(MARKS)}


def do(page, command, **args):
    page.evaluate(DO, [command, args])


def told(page):
    """What the notifications say."""
    return " ".join(page.locator(".jp-toast-message, .Toastify__toast").all_text_contents())


def palette_of(page):
    do(page, "apputils:activate-command-palette")
    page.locator(".lm-CommandPalette-input:visible").fill("pulse")
    shown = page.locator(".lm-CommandPalette-itemLabel:visible")
    shown.filter(has_text="Insert Monitor Cell").wait_for()
    labels = set(shown.all_text_contents())
    page.keyboard.press("Escape")
    return labels


def menu_of(page, name):
    """What the menu of a file in the file browser offers of ours."""
    page.locator(".jp-DirListing-item", has_text=name).click(button="right")
    page.locator(".lm-Menu-itemLabel", has_text="Rename").wait_for()
    return page.locator(".lm-Menu-itemLabel:visible", has_text="Open in Pulse")


def close_replay(page):
    """Close the tab of the copy, once it shows something."""
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text="copy.pulse.parquet")
    tab.wait_for()
    page.locator(".jp-Document:visible .pulse").wait_for()
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    tab.wait_for(state="detached")


def a_monitor_cell_brings_the_line(shell):
    """A cell with a monitor, as the settings ask for it; the line appears with it."""
    page = shell.page
    line = page.locator(LINE)
    do(page, "pulse-widgets:insert-cell")
    line.filter(has_text="2 GPUs 50 % · 49/160 GiB").wait_for()
    lines = [code for code, *_ in page.evaluate(MARKS)]
    assert lines == ["first = 1", "import pulse_widgets as pw", "import time"]
    assert "pw.monitor(interval=0.25)" in page.locator(".jp-CodeCell").nth(1).inner_text()
    assert "kernel Python 3" in line.get_attribute("title")


def commands_are_in_the_palette_and_keys_are_free(shell):
    """Commands in the palette, and keys that are nobody else's."""
    page = shell.page
    assert palette_of(page) >= COMMANDS
    keys, clashes = page.evaluate(CONFLICTS)
    assert (len(keys), clashes) == (2, [])


def a_mark_stays_with_its_cell(shell):
    """The mark of a run: both GPUs busy for half of 3 s; it goes where its cell goes."""
    page = shell.page
    bare = heights_of(page)
    shell.run(2)
    eventually(lambda: words_of(page, "import time"), lambda words: "40 GiB" in words)
    seconds = float(mark_of(page, "import time").removesuffix(" s"))
    assert 3 <= seconds < 20
    busy = re.search(r"2 GPUs were busy for ([\d.]+) s together", words_of(page, "import time"))
    assert float(busy[1]) == pytest.approx(seconds, abs=0.1)
    assert heights_of(page) == bare
    shell.shot("shell-light")
    mark = mark_of(page, "import time")
    do(page, "notebook:move-cell-up")
    eventually(lambda: [code for code, *_ in page.evaluate(MARKS)][1], lambda c: c == "import time")
    assert mark_of(page, "import time") == mark
    assert mark_of(page, "first") is None


def marks_are_not_in_the_file(shell):
    """None of it is in the file; cleared outputs take the mark with them."""
    page, lab = shell.page, shell.lab
    shell.save()
    cells = eventually(
        lambda: json.loads((lab.root / "train.ipynb").read_text())["cells"], lambda c: len(c) == 3
    )
    assert "40 GiB" not in json.dumps([[cell["metadata"], cell["source"]] for cell in cells])
    do(page, "notebook:clear-cell-output")
    eventually(lambda: mark_of(page, "import time"), lambda mark: mark is None)


def actions_say_what_they_did(shell):
    """Actions say what they did; keys and the line open the panel."""
    page, lab = shell.page, shell.lab
    do(page, "pulse-widgets:add-mark", label="epoch 2")
    eventually(lambda: told(page), lambda said: "Marked: epoch 2" in said)
    do(page, "pulse-widgets:save", path="copy.pulse.parquet")
    saved = page.locator(".Toastify__toast", has_text="copy.pulse.parquet")
    saved.get_by_role("button", name="Open").click()
    close_replay(page)
    assert (lab.root / "copy.pulse.parquet").is_file()
    do(page, "pulse-widgets:save", path="no/such/folder/copy.pulse.parquet")
    page.locator(".jp-Dialog", has_text="Save Recording As").wait_for()
    page.locator(".jp-Dialog button", has_text="OK").click()
    panel = page.locator("#pulse-panel")
    assert not panel.is_visible()
    page.keyboard.press("Control+Alt+p")
    panel.wait_for()


def the_line_can_be_switched_off(shell):
    """In the settings editor the line can be switched off, and a command brings it back."""
    page = shell.page
    line = page.locator(LINE)
    do(page, "settingeditor:open", query="Pulse")
    page.get_by_label("Status line", exact=True).click()
    line.wait_for(state="hidden")
    do(page, "pulse-widgets:toggle-status-line")
    line.wait_for()
    do(page, "apputils:change-theme", theme="JupyterLab Dark")
    page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    page.locator(".lm-TabBar-tab", has_text="train.ipynb").click()
    shell.shot("shell-dark")


def the_end_is_said(shell):
    """The monitor ends, and the line says so."""
    page = shell.page
    line = page.locator(LINE)
    do(page, "pulse-widgets:stop")
    eventually(lambda: told(page), lambda said: "The monitor has stopped. Its recording:" in said)
    line.filter(has_text="Pulse: the monitor has ended").wait_for()


def recordings_open_from_the_file_browser(shell):
    """The file browser opens recordings, and offers it for nothing else."""
    page = shell.page
    assert menu_of(page, "train.ipynb").count() == 0
    page.keyboard.press("Escape")
    menu_of(page, "copy.pulse.parquet").click()
    close_replay(page)


def the_launcher_offers_a_monitor(shell):
    """The launcher offers a notebook with a monitor; nothing went wrong on the way."""
    page = shell.page
    line = page.locator(LINE)
    lab = shell.lab
    do(page, "launcher:create")
    page.locator(".jp-LauncherCard:visible", has_text="Pulse Monitor").click()
    page.locator(".jp-NotebookPanel:visible .pulse .pulse-status", has_text="Live").wait_for()
    assert [path.name for path in lab.root.glob("Untitled*")] == ["Untitled.ipynb"]
    line.filter(has_text="2 GPUs 50 %").wait_for()
    page.locator(".lm-TabBar-tab", has_text="train.ipynb").locator(
        ".lm-TabBar-tabCloseIcon"
    ).click()
    page.locator(".jp-Dialog button", has_text="Discard").click()
    page.locator(".lm-TabBar-tab", has_text="train.ipynb").wait_for(state="detached")


@pytest.mark.slow
def test_the_monitor_is_at_hand_all_over_jupyterlab(shell):
    shell.open(shell.lab.notebook("first = 1", "import time\ntime.sleep(3)", name="train.ipynb"))
    assert not shell.page.locator(LINE).is_visible()

    a_monitor_cell_brings_the_line(shell)
    commands_are_in_the_palette_and_keys_are_free(shell)
    a_mark_stays_with_its_cell(shell)
    marks_are_not_in_the_file(shell)
    actions_say_what_they_did(shell)
    the_line_can_be_switched_off(shell)
    the_end_is_said(shell)
    recordings_open_from_the_file_browser(shell)
    the_launcher_offers_a_monitor(shell)

    assert shell.errors == []

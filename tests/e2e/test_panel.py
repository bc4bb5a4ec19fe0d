"""The panel in the sidebar of a real JupyterLab: what a user sees and does there."""

import re

import pulse_widgets as pw
from tests.e2e.conftest import eventually

READY = """async () => {
    const context = window.jupyterapp?.shell?.currentWidget?.sessionContext;
    await context?.ready;
    return Boolean(context?.session?.kernel && await context.session.kernel.info);
}"""
OPEN = "() => window.jupyterapp.shell.activateById('pulse-panel')"
CLOSE = "() => window.jupyterapp.shell.collapseRight()"
IN_KERNEL = """async () => {
    const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const comms = await kernel.requestCommInfo({target_name: 'pulse_widgets'});
    const subshells = await kernel.requestListSubshell({}).done;
    return [subshells.content.subshell_id.length, Object.keys(comms.content.comms).length];
}"""
STATUS_LINE = ".pulse-shell-status"
TOGGLE_STATUS_LINE = """() =>
    window.jupyterapp.commands.execute('pulse-widgets:toggle-status-line')"""
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
GROUNDS = """() => [...document.querySelectorAll('#pulse-panel, #pulse-panel .pulse')].map(one =>
    getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number))"""
FIRST_FRAME = """() => new Promise(resolve => {
    const began = performance.now();
    window.jupyterapp.shell.activateById('pulse-panel');
    const isDrawn = canvas => canvas.width > 0 && canvas.getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height).data.some(one => one > 0);
    const look = () => {
        const all = [...document.querySelectorAll('#pulse-panel .u-wrap canvas')];
        if (all.some(isDrawn)) resolve(performance.now() - began);
        else requestAnimationFrame(look);
    };
    look();
})"""
"""Show the panel; resolves with the time until a chart is drawn, in ms."""

UNTIL_TOLD = """import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.02)"""


class Panel:
    """The panel on a page, as a user meets it."""

    def __init__(self, page):
        self.page = page.page
        self.el = self.page.locator("#pulse-panel")
        self.state = self.el.locator(".pulse-panel-state")
        self.note = self.el.locator(".pulse-panel-note")

    def open(self):
        self.page.evaluate(OPEN)

    def close(self):
        self.page.evaluate(CLOSE)

    def click(self, name):
        self.el.get_by_role("button", name=name, exact=True).click()

    def says(self, text):
        self.el.get_by_text(text).first.wait_for()

    def time(self):
        """How long the session has run, as the panel says."""
        return self.el.locator(".pulse").inner_text().split("\n")[1]

    def goes_on(self):
        """Wait until the panel shows more than it does now."""
        before = self.time()
        eventually(self.time, lambda now: now != before)

    def drawn(self):
        self.el.locator(".u-wrap canvas").first.wait_for()


def is_running(page):
    return page.locator(".jp-InputPrompt", has_text=re.compile(r"\[\*\]")).count() > 0


def test_the_panel_shows_a_kernel_whatever_happens_to_it(page):
    path = page.lab.notebook(UNTIL_TOLD, "import pulse_widgets as pw\npw.monitor()")
    other = page.lab.notebook("2 + 2")
    page.open(path)
    page.page.wait_for_function(READY)
    panel = Panel(page)
    panel.open()

    starts_by_a_button(panel)
    has_one_ground(page, panel)
    leaves_nothing_behind(page, panel)
    goes_on_while_a_cell_runs(page, panel)
    marks_and_saves(page, panel)
    comes_back_after_a_reload(page, panel)
    stops(page, panel)
    outlives_a_restart(page, panel)
    takes_a_view_and_returns_it(page, panel)
    follows_another_notebook(page, panel, path, other)


def starts_by_a_button(panel):
    panel.says("No monitor runs in this kernel")
    panel.click("Start a monitor")
    panel.drawn()
    panel.goes_on()


def goes_on_while_a_cell_runs(page, panel):
    page.save()
    page.run(0)
    eventually(lambda: is_running(page.page), bool)
    panel.goes_on()
    panel.close()
    took = page.page.evaluate(FIRST_FRAME)
    print(f"first frame while a cell runs: {took:.0f} ms")
    panel.goes_on()
    assert is_running(page.page)


def marks_and_saves(page, panel):
    panel.click("Mark")
    page.page.keyboard.type("epoch 1")
    page.page.keyboard.press("Enter")
    panel.says("Marked: epoch 1")
    panel.click("Save")
    page.page.keyboard.type("kept")
    page.page.keyboard.press("Enter")
    panel.says("kept.pulse.parquet")
    saved = pw.Recording.open(page.lab.root / "kept.pulse.parquet")
    assert "epoch 1" in saved.events.to_string()
    assert is_running(page.page)


def has_one_ground(page, panel):
    """In a dark theme, whose grounds differ, too."""
    page.page.evaluate(THEME, "JupyterLab Dark")
    is_one = lambda grounds: len(grounds) == 2 and grounds[0] == grounds[1]  # noqa: E731
    eventually(
        lambda: page.page.evaluate(GROUNDS),
        lambda grounds: min(grounds[0][:3]) < 60 and is_one(grounds),
    )
    # JupyterLab takes its splash away twice when the theme is changed again before it has gone.
    page.page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.page.evaluate(THEME, "JupyterLab Light")


def leaves_nothing_behind(page, panel):
    """Twenty times opened and closed, also faster than a kernel answers."""
    in_kernel = lambda: page.page.evaluate(IN_KERNEL)  # noqa: E731
    # It looks at the monitor that runs, too.
    page.page.evaluate(TOGGLE_STATUS_LINE)
    for _ in range(20):
        panel.close()
        panel.open()
    panel.drawn()
    panel.close()
    eventually(in_kernel, lambda counts: counts == [0, 0])
    took = page.page.evaluate(FIRST_FRAME)
    print(f"first frame while no cell runs: {took:.0f} ms")
    eventually(in_kernel, lambda counts: counts == [1, 1])
    page.page.evaluate(TOGGLE_STATUS_LINE)
    page.page.locator(STATUS_LINE).wait_for()
    panel.goes_on()
    assert in_kernel() == [1, 1]
    panel.close()
    line = page.page.locator(STATUS_LINE).inner_text()
    eventually(page.page.locator(STATUS_LINE).inner_text, lambda now: now != line)
    assert in_kernel() == [1, 1]
    panel.open()
    panel.goes_on()
    assert in_kernel() == [1, 1]


def comes_back_after_a_reload(page, panel):
    page.page.reload()
    panel.drawn()
    panel.goes_on()
    (page.lab.root / "go").touch()
    page.page.wait_for_function(READY)
    # A comm of the page that is gone stays until the kernel misses it, for a minute.
    eventually(lambda: page.page.evaluate(IN_KERNEL), lambda counts: counts[0] == 1)
    panel.goes_on()


def stops(page, panel):
    panel.click("Stop")
    panel.says("Its recording:")
    panel.says("This monitor was stopped")
    panel.el.locator("summary", has_text="Recordings").click()
    line = panel.el.locator(".pulse-panel-list li").first
    line.get_by_text("finished").wait_for()
    line.get_by_role("button", name=re.compile("^Rename")).click()
    page.page.keyboard.type("first run")
    page.page.keyboard.press("Enter")
    line.get_by_text("first run.pulse.parquet").wait_for()
    line.get_by_role("button", name=re.compile("^Delete")).click()
    page.page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    listed = panel.el.locator(".pulse-panel-list")
    listed.get_by_text("first run.pulse.parquet").wait_for(state="detached")
    # Other tests may have left some.
    listed.locator("li").first.wait_for()


def outlives_a_restart(page, panel):
    panel.click("Start another")
    panel.says("Live")
    page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    panel.says("The kernel was restarted, and this monitor ended with it")
    assert panel.el.get_by_text("Run the cell again").count() == 0
    page.run(1)
    panel.says("Live")


def takes_a_view_and_returns_it(page, panel):
    cell = page.page.locator(".jp-OutputArea")
    panel.close()
    cell.get_by_role("button", name="Move to sidebar").click()
    cell.get_by_text("Shown in the sidebar").wait_for()
    panel.goes_on()
    panel.click("Return it to the cell")
    cell.locator(".u-wrap canvas").first.wait_for()
    assert cell.get_by_text("Shown in the sidebar").count() == 0


def follows_another_notebook(page, panel, path, other):
    show = "path => window.jupyterapp.commands.execute('docmanager:open', {path})"
    page.page.evaluate(show, other)
    panel.says("No monitor runs in this kernel")
    page.page.wait_for_function(READY)
    page.page.evaluate(SAVE)
    page.page.evaluate("() => window.jupyterapp.commands.execute('application:close')")
    panel.drawn()
    page.page.evaluate(show, other)
    page.page.wait_for_function(READY)
    panel.says("No monitor runs in this kernel")
    # One subshell and one comm: those of the tab that was closed have gone with it.
    eventually(lambda: page.page.evaluate(IN_KERNEL), lambda counts: counts == [1, 1])
    page.page.evaluate(show, path)
    panel.drawn()
    panel.goes_on()
    page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    panel.says("has no kernel any more: it was shut down")

"""A run on the page: what its cells print, and the way from a cell's box to the cell and back."""

import pytest

from tests.e2e.conftest import TOKEN, eventually, settled_box
from tests.e2e.test_live import BUSY_INDICATOR, chart, live, showing
from tests.e2e.test_shell import do, told

TALL = "\n# a long cell" * 60 + "\n"
"""A cell with it fills the page: what stands beside it is out of sight."""

MONITOR = (
    "import sys, time\n"
    "import pulse_widgets as pw\n"
    "mon = pw.monitor(interval=0.2, record='printed.pulse.parquet')\n"
    "mon"
)
PRINT = (
    "for i in range(300): print(f'\\x1b[32mgreen\\x1b[0m <b>line</b> {i}')\n"
    f"print('a warning', file=sys.stderr); time.sleep(0.7){TALL}"
)
BUSY = (
    "mon.alert('\"step\" > 3 for 1 h')\n"
    f"for i in range(15): print('step', i); pw.log({{'step': i}}); time.sleep(0.1){TALL}"
)
NEVER = "never = 'run'"
STOP = "pw.replay(mon.stop())"

SEEN = """index => {
    const panel = window.jupyterapp.shell.currentWidget;
    const box = panel.content.widgets[index].node.getBoundingClientRect();
    const around = panel.node.getBoundingClientRect();
    return panel.content.activeCellIndex === index
        && box.top < around.bottom && box.bottom > around.top;
}"""
"""Whether a cell is the active one, and in sight."""

SCROLL = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    panel.content.activeCellIndex = 0;
    return panel.content.scrollToItem(0, 'start');
}"""

ACTIVATE = """index => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
}"""


def output_of(dashboard):
    """The pane, once it is there."""
    pane = dashboard.get_by_label("Output", exact=True)
    pane.wait_for()
    return pane


def opened(pane):
    """The same, open."""
    button = pane.get_by_role("button", name="Output")
    if button.get_attribute("aria-expanded") == "false":
        button.click()
    return pane


def newest(pane):
    """The newest line in view; empty while there is none."""
    rows = pane.locator(".pulse-out-row").all_text_contents()
    return rows[-1] if rows else ""


def counts(pane, words):
    """Wait until the pane says how many lines are in view."""
    eventually(pane.locator(".pulse-note").text_content, lambda note: note == words)


def all_is_there(pane):
    eventually(lambda: newest(pane), lambda line: line.endswith("step 14"))
    counts(pane, "316 lines in view")


def only_the_steps_are_there(pane):
    """The dashboard shows the cell with the steps and a bit around it, and not the one before."""
    counts(pane, "15 lines in view")
    assert "step 14" in newest(pane)


def lines_are_shown_while_a_cell_runs(page, dashboard):
    page.run(1)
    pane = output_of(dashboard)
    # Folded it is one line, the newest.
    eventually(pane.text_content, lambda text: "a warning" in text)
    warning = opened(pane).locator(".pulse-out-err")
    assert "err" in warning.text_content()
    counts(pane, "301 lines in view")
    assert pane.locator(".pulse-a-ink").first.text_content() == "green"
    assert "<b>line</b>" in pane.locator(".pulse-out-text").first.text_content()
    assert pane.locator(".pulse-out-row").count() < 300

    # New lines come while the cell runs.
    page.run(2)
    page.page.wait_for_selector(BUSY_INDICATOR)
    page.page.evaluate(SCROLL)
    eventually(lambda: newest(pane), lambda line: "step" in line)
    all_is_there(pane)
    # An alert that is not true for long enough is no firing one.
    dashboard.locator(".pulse-alerts", has_text="Alerts (1)").wait_for()
    assert dashboard.locator(".pulse-alerts.pulse-loud").count() == 0
    return pane


def the_cursor_goes_from_the_pane_to_the_charts_and_back(page, dashboard, pane):
    cursor = chart(dashboard, "CPU utilization").locator(".u-cursor-x")
    pane.locator(".pulse-out-row").last.hover()
    eventually(lambda: pane.locator(".pulse-out-at").text_content(), lambda text: "step" in text)
    eventually(cursor.is_visible, bool)
    box = settled_box(dashboard.locator(".pulse-timeline .u-over"))
    page.page.mouse.move(box["x"] + 2, box["y"] + 3)
    eventually(lambda: pane.locator(".pulse-out-at").count(), lambda count: count == 0)


def lines_are_found(pane):
    search = pane.get_by_label("Search the output")
    search.fill("LINE</B> 29")
    counted = pane.locator(".pulse-out-tools [role=status]")
    eventually(counted.text_content, lambda text: text.endswith(" of 11"))
    before = counted.text_content()
    search.press("Enter")
    assert counted.text_content() != before
    assert pane.locator(".pulse-out-hit mark").text_content() == "line</b> 29"
    search.press("Escape")


def point_at(page, dashboard, text):
    """Move the pointer along the row of cells until the tooltip names one."""
    box = settled_box(dashboard.locator(".pulse-timeline .u-over"))
    tip = dashboard.locator(".pulse-tip:visible")
    # A session that has just begun is at the left of its half minute.
    for right in range(2, int(box["width"]), 12):
        x, y = box["x"] + right, box["y"] + 8
        page.mouse.move(x, y)
        if any(text in said for said in tip.all_text_contents()):
            return x, y
    return pytest.fail(f"no box says {text}")


def a_click_goes_to_the_cell(page, dashboard, pane):
    page.page.evaluate(SCROLL)
    x, y = point_at(page.page, dashboard, "cell [3]")
    page.shot("bands-pointed")
    page.page.mouse.click(x, y)
    eventually(lambda: page.page.evaluate(SEEN, 2), bool)
    assert page.page.locator(".pulse-shell-flash").count() == 1
    page.page.evaluate(SCROLL)
    only_the_steps_are_there(pane)


def keys_go_to_the_cell(page, dashboard, pane):
    dashboard.press("Escape")
    counts(pane, "316 lines in view")
    cells = dashboard.get_by_role("listbox", name="Cells")
    cells.focus()
    cells.press("End")
    assert cells.get_by_role("option").inner_text().startswith("cell [3]")
    cells.press("ArrowLeft")
    assert cells.get_by_role("option").get_attribute("aria-posinset") == "2"
    page.shot("bands-keys")
    cells.press("Enter")
    eventually(lambda: page.page.evaluate(SEEN, 1), bool)


def a_command_shows_the_cell(page, dashboard, pane):
    """The dashboard is out of sight: the panel shows the cell, and so does the dashboard."""
    page.page.evaluate(ACTIVATE, 2)
    do(page.page, "pulse-widgets:show-cell")
    page.page.locator("#pulse-panel .pulse-status", has_text="Zoomed").wait_for()
    page.shot("bands-panel")
    page.page.evaluate(SCROLL)
    only_the_steps_are_there(pane)
    page.page.evaluate(ACTIVATE, 3)
    do(page.page, "pulse-widgets:show-cell")
    eventually(lambda: told(page.page), lambda said: "It is not known when this cell ran." in said)


def test_a_run_is_shown_live_replayed_and_without_a_kernel(page, lab):
    page.open(lab.notebook(MONITOR, PRINT, BUSY, NEVER, STOP))
    page.run(0)
    dashboard = live(page)
    pane = lines_are_shown_while_a_cell_runs(page, dashboard)
    the_cursor_goes_from_the_pane_to_the_charts_and_back(page, dashboard, pane)
    lines_are_found(pane)
    a_click_goes_to_the_cell(page, dashboard, pane)
    keys_go_to_the_cell(page, dashboard, pane)
    a_command_shows_the_cell(page, dashboard, pane)

    page.run(4)
    all_is_there(opened(output_of(showing(page, 4, "Replay"))))

    page.save()
    page.page.goto(f"{lab.url}/lab/workspaces/out/tree/printed.pulse.parquet?token={TOKEN}")
    viewed = page.page.locator(".pulse:visible", has_text="Replay").first
    all_is_there(opened(output_of(viewed)))

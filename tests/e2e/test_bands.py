"""From the box of a cell on the timeline to the cell in its notebook, and back."""

import pytest

from tests.e2e.conftest import eventually
from tests.e2e.test_shell import do, told

TALL = "\n".join(["import time", *["# a long cell"] * 60, "time.sleep(0.7)"])
"""A cell that fills the page: what stands beside it is out of sight."""

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


def named(board):
    """The cells that are in view, as the text of the timeline tells them."""
    rows = board.locator(".pulse-timeline table tbody tr")
    return {
        row.split("]", 1)[0] + "]" for row in rows.all_text_contents() if row.startswith("cell")
    }


def point_at(page, board, text):
    """Move the pointer along the row of cells until the tooltip names one."""
    plot = board.locator(".pulse-timeline .u-over").bounding_box()
    tip = board.locator(".pulse-tip:visible")
    # A session that has just begun is at the left of its half minute.
    for right in range(2, int(plot["width"]), 5):
        x, y = plot["x"] + right, plot["y"] + 8
        page.mouse.move(x, y)
        if tip.count() and text in tip.first.inner_text():
            return x, y
    pytest.fail(f"no box says {text}")


def a_click_goes_to_the_cell(page, board):
    x, y = point_at(page.page, board, "cell [3]")
    page.shot("bands-pointed")
    page.page.mouse.click(x, y)
    eventually(lambda: page.page.evaluate(SEEN, 2), bool)
    assert page.page.locator(".pulse-shell-flash").count() == 1
    page.shot("bands-flash")
    page.page.evaluate(SCROLL)
    eventually(lambda: named(board), lambda cells: "cell [3]" in cells and "cell [1]" not in cells)


def keys_go_to_the_cell(page, board):
    board.locator(".pulse").press("Escape")
    eventually(lambda: named(board), lambda cells: len(cells) == 3)
    cells = board.get_by_role("listbox", name="Cells")
    cells.focus()
    cells.press("End")
    assert cells.get_by_role("option").inner_text().startswith("cell [3]")
    cells.press("ArrowLeft")
    assert cells.get_by_role("option").get_attribute("aria-posinset") == "2"
    page.shot("bands-keys")
    cells.press("Enter")
    eventually(lambda: page.page.evaluate(SEEN, 1), bool)


def a_command_shows_the_cell(page, board):
    """The dashboard is out of sight: the panel shows the cell, and so does the dashboard."""
    page.page.evaluate(ACTIVATE, 2)
    do(page.page, "pulse-widgets:show-cell")
    panel = page.page.locator("#pulse-panel")
    panel.locator(".pulse-status", has_text="Zoomed").wait_for()
    eventually(lambda: named(panel), lambda cells: "cell [3]" in cells and "cell [1]" not in cells)
    page.shot("bands-panel")
    page.page.evaluate(SCROLL)
    eventually(lambda: named(board), lambda cells: "cell [3]" in cells and "cell [1]" not in cells)


def a_cell_that_never_ran_is_said(page):
    page.page.evaluate(ACTIVATE, 3)
    do(page.page, "pulse-widgets:show-cell")
    eventually(lambda: told(page.page), lambda said: "It is not known when this cell ran." in said)


def test_from_the_box_of_a_cell_to_the_cell_and_back(page):
    page.open(
        page.lab.notebook(
            "import pulse_widgets as pw\nmon = pw.monitor(interval=0.1, record=False)\nmon",
            TALL,
            TALL + "\nmon.mark('done')",
            "never = 'run'",
        )
    )
    board = page.page.locator(".jp-NotebookPanel .jp-OutputArea").first
    page.run(0)
    board.locator(".pulse-status", has_text="Live").wait_for()
    page.run(1)
    page.run(2)
    page.page.evaluate(SCROLL)
    eventually(lambda: named(board), lambda cells: cells == {"cell [1]", "cell [2]", "cell [3]"})

    a_click_goes_to_the_cell(page, board)
    keys_go_to_the_cell(page, board)
    a_command_shows_the_cell(page, board)
    a_cell_that_never_ran_is_said(page)

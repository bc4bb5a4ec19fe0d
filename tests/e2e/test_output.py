"""What cells print, in the pane of the dashboard: live, replayed, and without a kernel."""

from tests.e2e.conftest import TOKEN, eventually, settled_box
from tests.e2e.test_live import BUSY_INDICATOR, chart, live, showing

MONITOR = (
    "import sys, time\n"
    "import pulse_widgets as pw\n"
    "mon = pw.monitor(interval=0.5, record='printed.pulse.parquet')\n"
    "mon"
)
PRINT = (
    "for i in range(300): print(f'\\x1b[32mgreen\\x1b[0m <b>line</b> {i}')\n"
    "print('a warning', file=sys.stderr)"
)
BUSY = "for i in range(15): print('step', i); time.sleep(0.2)"
STOP = "pw.replay(mon.stop())"


def output_of(dashboard):
    """The pane, once it is there."""
    pane = dashboard.get_by_label("Output", exact=True)
    pane.wait_for()
    return pane


def opened(pane):
    """The same, open, with all that was printed."""
    button = pane.get_by_role("button", name="Output")
    if button.get_attribute("aria-expanded") == "false":
        button.click()
    eventually(pane.locator(".pulse-note").text_content, lambda note: "lines in view" in note)
    return pane


def newest(pane):
    return pane.locator(".pulse-out-row").last.text_content()


def test_printed_lines_are_shown_live_replayed_and_without_a_kernel(page, lab):
    page.open(lab.notebook(MONITOR, PRINT, BUSY, STOP))
    page.run(0)
    dashboard = live(page)
    page.run(1)
    pane = output_of(dashboard)
    # Folded it is one line, the newest.
    eventually(pane.text_content, lambda text: "a warning" in text)
    opened(pane)
    warning = pane.locator(".pulse-out-err")
    assert "err" in warning.text_content()
    assert pane.locator(".pulse-a-ink").first.text_content() == "green"
    assert "<b>line</b>" in pane.locator(".pulse-out-text").first.text_content()

    # New lines come while the cell runs.
    page.run(2)
    page.page.wait_for_selector(BUSY_INDICATOR)
    # The page has scrolled to the cell.
    pane.scroll_into_view_if_needed()
    eventually(lambda: newest(pane), lambda line: "step" in line)
    eventually(lambda: newest(pane), lambda line: line.endswith("step 14"))
    eventually(pane.locator(".pulse-note").text_content, lambda note: note.startswith("316 lines"))
    assert pane.locator(".pulse-out-row").count() < 300

    # The cursor goes from the pane to the charts, and back.
    cursor = chart(dashboard, "CPU utilization").locator(".u-cursor-x")
    pane.locator(".pulse-out-row").last.hover()
    eventually(lambda: pane.locator(".pulse-out-at").text_content(), lambda text: "step" in text)
    eventually(cursor.is_visible, bool)
    box = settled_box(dashboard.locator(".pulse-timeline .u-over"))
    page.page.mouse.move(box["x"] + 2, box["y"] + 3)
    eventually(lambda: pane.locator(".pulse-out-at").count(), lambda count: count == 0)

    search = pane.get_by_label("Search the output")
    search.fill("LINE</B> 29")
    counted = pane.locator(".pulse-out-tools [role=status]")
    eventually(counted.text_content, lambda text: text.endswith(" of 11"))
    before = counted.text_content()
    search.press("Enter")
    assert counted.text_content() != before
    assert pane.locator(".pulse-out-hit mark").text_content() == "line</b> 29"
    search.press("Escape")

    page.run(3)
    replayed = opened(output_of(showing(page, 3, "Replay")))
    eventually(lambda: newest(replayed), lambda line: line.endswith("step 14"))
    assert replayed.locator(".pulse-note").text_content() == "316 lines in view"

    page.save()
    page.page.goto(f"{lab.url}/lab/workspaces/out/tree/printed.pulse.parquet?token={TOKEN}")
    viewed = page.page.locator(".pulse:visible", has_text="Replay").first
    viewed.wait_for()
    without = opened(output_of(viewed))
    eventually(lambda: newest(without), lambda line: line.endswith("step 14"))
    assert without.locator(".pulse-note").text_content() == "316 lines in view"

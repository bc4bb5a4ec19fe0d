"""A kernel that goes while its session runs: the dashboard says so, and what to do."""

import os
import signal

import nbformat
import pytest

from tests.e2e.conftest import LIGHT_GRID

MONITOR = "import pulse_widgets as pw\nmon = pw.monitor(interval=0.2)\nmon"
STRIP = "mon.view('strip')"
PID = "import os; print('pid', os.getpid())"
BUSY = "import time; time.sleep(60)"
REPLAY = "application/vnd.pulse.replay+json"
NEW_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"


def dashboard(page, word, cell=0):
    """The visible dashboard of a cell, once its status is the word."""
    shown = page.page.locator(".jp-CodeCell").nth(cell).locator(".pulse:visible")
    shown.filter(has=page.page.locator(".pulse-status", has_text=word)).first.wait_for()
    return shown.first


def kernel_pid(page, cell):
    page.run(cell)
    text = page.page.locator(".jp-RenderedText", has_text="pid").first.text_content()
    return int(text.split()[1])


def card(shown):
    return shown.locator(".pulse-ending .pulse-card").inner_text()


@pytest.fixture
def watched(page, lab):
    """A page with a live dashboard in its first cell and a live strip in its second."""
    notebook = lab.notebook(MONITOR, STRIP, PID, BUSY)
    page.open(notebook)
    page.run(0)
    dashboard(page, "Live")
    page.run(1)
    dashboard(page, "Live", cell=1)
    page.notebook = notebook
    # JupyterLab's own, when a kernel goes while it is being asked who it is.
    page.expected = "Canceled future for kernel_info_request"
    return page


def test_a_restart_is_told_by_every_view_and_the_cell_run_again_is_live(watched):
    watched.page.evaluate(f"() => {{ void {SESSION}.restartKernel() }}")

    shown = dashboard(watched, "Kernel restarted")
    strip = dashboard(watched, "Kernel restarted", cell=1)
    for view in (shown, strip):
        assert "The kernel was restarted" in card(view)
        assert "Run the cell again" in card(view)
        assert "pw.recordings()" in card(view)
    assert shown.get_by_role("button", name="Pause").count() == 0
    strip.scroll_into_view_if_needed()
    watched.shot("restarted-strip")
    watched.page.evaluate(NEW_THEME, "JupyterLab Dark")
    watched.page.locator(".pulse[data-ground=dark]").first.wait_for()
    watched.page.locator("#jupyterlab-splash").wait_for(state="detached")
    watched.shot("restarted-strip-dark")
    shown.locator(".pulse-status").scroll_into_view_if_needed()
    # What was out of sight is drawn anew when it comes back, though nothing arrives any more.
    memory = shown.locator(".pulse-chart", has_text="Memory used").first
    watched.page.wait_for_function(f"el => ({LIGHT_GRID})(el) === 0", arg=memory.element_handle())
    watched.shot("restarted-dark")
    watched.page.evaluate(NEW_THEME, "JupyterLab Light")

    watched.run(0)
    again = dashboard(watched, "Live")
    assert again.locator(".pulse-ending .pulse-card").count() == 0
    # The other view is of the session that ended.
    dashboard(watched, "Kernel restarted", cell=1)


def test_a_killed_kernel_is_told_from_a_restarted_one(watched):
    os.kill(kernel_pid(watched, 2), signal.SIGKILL)

    shown = dashboard(watched, "Kernel died")
    assert "The kernel died" in card(shown)
    watched.page.locator(".jp-Dialog button:has-text('Ok')").click()
    watched.shot("died")

    watched.run(0)
    dashboard(watched, "Live")


def test_a_restart_that_another_program_asked_for_is_told_too(watched, lab):
    kernel = watched.page.evaluate(f"() => {SESSION}.session.kernel.id")
    lab.api(f"kernels/{kernel}/restart", "POST")

    dashboard(watched, "Kernel restarted")


def test_a_kernel_that_was_shut_down_leaves_a_picture_that_says_so(watched, lab):
    watched.page.evaluate(f"() => {SESSION}.shutdown()")
    dashboard(watched, "Kernel shut down")
    watched.save()
    # Saving puts the picture in the place of the widget.
    dashboard(watched, "Kernel shut down")

    outputs = nbformat.read(lab.root / watched.notebook, 4).cells[0].outputs
    (output,) = [output for output in outputs if "data" in output]
    assert sorted(output.data) == [REPLAY, "text/html", "text/plain"]
    assert output.data[REPLAY]["ended"] == "shut down"
    assert "The kernel was shut down." in "".join(output.data["text/html"])

    watched.page.reload()
    watched.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    shown = dashboard(watched, "Kernel shut down")
    assert "Run the cell again" in card(shown)
    watched.shot("shut-down")


def test_a_page_that_only_listens_hears_of_a_dead_kernel(watched):
    pid = kernel_pid(watched, 2)
    watched.run(3)
    watched.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=busy]")
    watched.save()
    watched.page.reload()
    watched.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    dashboard(watched, "Live")

    os.kill(pid, signal.SIGKILL)

    dashboard(watched, "Kernel died")


def test_a_session_that_was_stopped_stays_as_it_was_when_the_kernel_is_restarted(page, lab):
    # The last two share a bucket of whatever the page is told of the past.
    losses = "for loss in (3.0, 0.0007, 0.000342): pw.log({'loss': loss})"
    notebook = lab.notebook(MONITOR, STRIP, f"{losses}\npw.stop()\nprint('over')")
    page.open(notebook)
    page.run(0)
    dashboard(page, "Live")
    page.run(1)
    dashboard(page, "Live", cell=1)
    page.expected = "Canceled future for kernel_info_request"
    page.run(2)
    page.page.locator(".jp-RenderedText", has_text="over").wait_for()
    shown = dashboard(page, "Stopped")
    page.page.evaluate(f"async () => {{ await {SESSION}.restartKernel() }}")
    page.page.wait_for_timeout(1_500)

    assert set(page.page.locator(".pulse:visible .pulse-status").all_inner_texts()) == {"Stopped"}
    loss = shown.locator(".pulse-chart:has(h4:text-is('loss'))")
    loss.scroll_into_view_if_needed()
    loss.locator(".pulse-now", has_text="0.000342").wait_for()
    page.shot("stopped")
    page.save()
    page.page.reload()
    page.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    loss = dashboard(page, "Stopped").locator(".pulse-chart:has(h4:text-is('loss'))")
    loss.scroll_into_view_if_needed()
    loss.locator(".pulse-now", has_text="0.000342").wait_for()
    page.shot("stopped-replayed")

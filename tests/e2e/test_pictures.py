"""What a notebook keeps of a session, and how the page gets from there to the live widget."""

import json

import nbformat

MONITOR = "import pulse_widgets as pw\nmon = pw.monitor(interval=0.2)\nmon"
REPLAY = "application/vnd.pulse.replay+json"

SECOND = """() => {
    const source = [...globalThis[Symbol.for('pulse_widgets.sources')].values()].pop();
    const [start] = source.extent();
    return [start + 1, start + 2];
}"""
"""The second second of a session. Asked for once: a coarser keyframe may begin earlier."""
LACKING = """([from, to]) => {
    const source = [...globalThis[Symbol.for('pulse_widgets.sources')].values()].pop();
    return source.incomplete(source.catalog().map(one => one.id), from, to, 100).length;
}"""


# Many series, few of them on the page: what is saved is the session, not the view.
FEW = "import pulse_widgets as pw\nmon = pw.monitor(interval=0.2)\nmon.view('charts', ['cpu.utilization'])"
LOG_MANY = """import random, time
for i in range(20):
    pw.log({f'shard/{k}': random.random() for k in range(4000)}, step=i)
    time.sleep(0.2)
print('logged')"""
NEWEST_KEYFRAME_BYTES = """() => {
    const sources = globalThis[Symbol.for('pulse_widgets.sources')];
    return sources && [...sources.values()].pop().keyframe?.length > 200_000;
}"""


def showing(page, word):
    dashboard = page.page.locator(".pulse:visible").filter(
        has=page.page.locator(".pulse-status", has_text=word)
    )
    dashboard.first.wait_for()
    return dashboard.first


def saved_outputs(lab, notebook):
    cells = nbformat.read(lab.root / notebook, 4).cells
    return [output for output in cells[0].outputs if "data" in output]


def wait_for_history(page, seconds):
    """Wait until the session has lasted so long, and the page has its past in one piece."""
    page.page.wait_for_function(
        """seconds => {
            const sources = globalThis[Symbol.for('pulse_widgets.sources')];
            const source = sources && [...sources.values()].pop();
            if (!source?.keyframe) return false;
            const [start, end] = source.extent();
            return end - start > seconds;
        }""",
        arg=seconds,
    )


def reload(page):
    page.save()
    page.page.reload()
    page.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")


def test_a_session_stopped_after_a_reload_leaves_a_picture_and_no_widget(page, lab):
    notebook = lab.notebook(MONITOR, "mon.stop()\nNone")
    page.open(notebook)
    page.run(0)
    showing(page, "Live")
    wait_for_history(page, 2)

    reload(page)
    showing(page, "Live")
    page.run(1)
    showing(page, "Stopped")
    page.save()
    showing(page, "Stopped")

    (output,) = saved_outputs(lab, notebook)
    assert sorted(output.data) == [REPLAY, "text/html", "text/plain"]
    assert "feed" not in output.data[REPLAY]


def test_a_large_session_stopped_after_a_reload_leaves_its_end_in_both_pictures(page, lab):
    notebook = lab.notebook(FEW, LOG_MANY, "mon.stop(); print('stopped')")
    page.open(notebook)
    page.run(0)
    showing(page, "Live")
    page.run(1)
    page.page.locator(".jp-RenderedText", has_text="logged").wait_for()
    # More than fits, and of the end.
    page.page.wait_for_function(NEWEST_KEYFRAME_BYTES)
    reload(page)
    showing(page, "Live")
    page.page.wait_for_function(NEWEST_KEYFRAME_BYTES)

    page.run(2)
    page.page.locator(".jp-RenderedText", has_text="stopped").wait_for()
    showing(page, "Stopped")
    page.save()

    output = saved_outputs(lab, notebook)[0]
    assert sorted(output.data) == [REPLAY, "text/html", "text/plain"]
    assert len(json.dumps(output.data)) <= 200_000
    html = "".join(output.data["text/html"])
    assert "<p>Finished: " in html
    assert "data:image/svg+xml;base64," in html
    # As the view does: of what was logged it shows nothing.
    assert "CPU utilization" in html
    assert "shard/0" not in html
    page.page.evaluate(
        "html => { document.body.innerHTML = html; document.body.style.background = 'white' }", html
    )
    page.page.locator("figure img").wait_for()
    page.shot("renewed-figure")


def test_a_closed_monitor_leaves_its_last_picture(page, lab):
    page.open(lab.notebook(MONITOR, "mon.close()"))
    page.run(0)
    showing(page, "Live")
    wait_for_history(page, 2)

    page.run(1)

    showing(page, "Replay")


def test_a_page_opened_late_asks_for_the_exact_past_by_itself(page, lab):
    # More than is sent unasked.
    page.open(lab.notebook(MONITOR, "for i in range(5000): pw.log({'loss': i}, step=i)"))
    page.run(0)
    page.run(1)
    showing(page, "Live")
    wait_for_history(page, 8)
    reload(page)
    showing(page, "Live")
    # The page listens before the widget is there; only the widget can ask.
    page.page.wait_for_function("() => globalThis[Symbol.for('pulse_widgets.sources')]?.size")
    span = page.page.evaluate(SECOND)

    page.page.wait_for_function(f"span => ({LACKING})(span) === 0", arg=span)


def test_a_strip_stays_a_strip_when_its_session_has_ended(page, lab):
    page.open(lab.notebook(MONITOR, "mon.view('strip')", "mon.stop()\nNone"))
    page.run(0)
    showing(page, "Live")
    page.run(1)
    page.page.locator(".jp-CodeCell").nth(1).locator(".pulse-layout-strip:visible").wait_for()

    page.run(2)

    strip = page.page.locator(".jp-CodeCell").nth(1)
    strip.locator(".pulse-replay-output .pulse-layout-strip:visible").first.wait_for()
    strip.locator(".pulse-status", has_text="Stopped").last.wait_for()
    assert strip.locator(".pulse-layout-dashboard:visible").count() == 0

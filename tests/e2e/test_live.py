"""The main job, in a real JupyterLab in a real browser: live, busy, zoomed, stopped, replayed."""

import json
import re
import shutil

import nbformat
import pytest

import pulse_widgets as pw
from tests.e2e.conftest import LIGHT_GRID, eventually, settled_box

MONITOR = "import pulse_widgets as pw\nmon = pw.monitor(interval=0.5)\nmon"
BUSY = (
    "import time\n"
    "end = time.time() + {seconds}\n"
    "i = 0\n"
    "while time.time() < end:\n"
    "    pw.log({{'loss': 1 / (i + 1)}}, step=i); i += 1; time.sleep(0.05)\n"
)
BUSY_INDICATOR = ".jp-Notebook-ExecutionIndicator[data-status=busy]"

FOR_LONG = 120
"""Seconds that a cell is busy where the test must be over before it is; its kernel is killed."""

VISIBLE_INK = """el => {
    const canvas = el.querySelector('canvas');
    if (!canvas) return 0;
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let ink = 0;
    for (let i = 3; i < data.length; i += 4) ink += data[i] > 0;
    return ink;
}"""


def live(page, index=0):
    """The dashboard in the output of a cell, once it says that it is live."""
    return showing(page, index, "Live")


def showing(page, index, word):
    """The visible dashboard of a cell, once its status is the word."""
    shown = page.page.locator(".jp-CodeCell").nth(index).locator(".pulse:visible")
    shown.filter(has=page.page.locator(".pulse-status", has_text=word)).first.wait_for()
    return shown.first


def elapsed(dashboard):
    return dashboard.locator(".pulse-name-row .pulse-detail").first.text_content()


def wait_until_it_moves(page, dashboard, seconds=20):
    before = elapsed(dashboard)
    # Asked of the page: after a reload the view that listens makes way for the live one.
    page.page.wait_for_function(
        "before => [...document.querySelectorAll('.pulse')].some(el => el.checkVisibility() &&"
        " el.querySelector('.pulse-name-row .pulse-detail').textContent !== before)",
        arg=before,
        timeout=seconds * 1000,
    )


def chart(dashboard, title):
    return dashboard.locator(".pulse-chart").filter(has_text=title).first


def wait_for_ink(page, a_chart):
    a_chart.scroll_into_view_if_needed()
    page.page.wait_for_function(f"el => ({VISIBLE_INK})(el) > 200", arg=a_chart.element_handle())


def drag(page, a_chart, start, end):
    a_chart.scroll_into_view_if_needed()
    box = settled_box(a_chart.locator(".u-over"))
    y = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + box["width"] * start, y)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y)
    page.page.mouse.move(box["x"] + box["width"] * end, y)
    page.page.mouse.up()


def test_the_dashboard_is_live_while_a_cell_runs_and_every_control_works_without_the_kernel(
    page, lab
):
    page.open(lab.notebook(MONITOR, BUSY.format(seconds=FOR_LONG)))
    page.run(0)
    dashboard = live(page)
    dashboard.get_by_text("not available here").first.wait_for()
    cpu = chart(dashboard, "CPU utilization")
    wait_for_ink(page, cpu)

    page.run(1)
    page.page.wait_for_selector(BUSY_INDICATOR)
    wait_until_it_moves(page, dashboard)
    loss = chart(dashboard, "loss")
    loss.wait_for()
    wait_for_ink(page, loss)

    drag(page, cpu, 0.02, 0.2)
    dashboard.get_by_role("button", name="Reset zoom").wait_for()
    wait_until_it_moves(page, dashboard)
    cpu.locator(".u-over").dblclick()
    dashboard.get_by_role("button", name="Reset zoom").wait_for(state="hidden")

    dashboard.get_by_role("button", name="Pause").click()
    dashboard.locator(".pulse-status", has_text="Paused").wait_for()
    dashboard.get_by_role("button", name="Resume").click()
    dashboard.locator(".pulse-status", has_text="Live").wait_for()

    dashboard.get_by_role("button", name="30 s").click()
    dashboard.locator("button[aria-pressed=true]", has_text="30 s").wait_for()

    box = settled_box(cpu.locator(".u-over"))
    tip, under_the_cursor = page.page.locator(".pulse-tip:visible").first, []
    # The session is younger than the window: only a part of the chart has values.
    for share in range(5, 100, 5):
        x = box["x"] + box["width"] * share / 100
        page.page.mouse.move(x, box["y"] + box["height"] / 2)
        tip.wait_for()
        assert re.search(r"\d\d:\d\d:\d\d", tip.text_content())
        under_the_cursor.append(cpu.locator(".pulse-now").text_content())
    assert any(re.fullmatch(r"[\d.]+ %", text) for text in under_the_cursor)
    assert page.page.locator(BUSY_INDICATOR).count()
    page.shot("busy")


BRIGHTNESS = """el => {
    const canvas = el.querySelector('.pulse-chart canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0, ink = 0;
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] > 200) { sum += data[i] + data[i + 1] + data[i + 2]; ink += 3; }
    }
    return sum / ink;
}"""


def test_the_start_of_a_cell_that_runs_with_the_first_is_drawn_value_by_value(page, lab):
    counting = (
        "import time\nfor i in range(6000):\n    pw.log({'count': i}, step=i); time.sleep(0.02)"
    )
    page.open(lab.notebook(MONITOR, counting))
    page.run_all()

    # The widget came to life when some values had passed, and the cell keeps it from asking.
    page.page.wait_for_function(
        """() => {
            const sources = globalThis[Symbol.for('pulse_widgets.sources')];
            const source = sources && [...sources.values()].pop();
            const id = source?.catalog().find(one => one.metric === 'count')?.id;
            if (id === undefined) return false;
            const [start, end] = source.extent(), out = {time: [], min: [], max: [], length: 0};
            source.range(id, start, end, 4 * 50 * (end - start), out);
            const first = i => out.min[i] === i && out.max[i] === i;
            return out.length > 100 && Array.from({length: 100}, (_, i) => i).every(first);
        }"""
    )
    assert page.page.locator(BUSY_INDICATOR).count() == 1


def test_light_and_dark_follow_the_host(page, lab):
    page.open(lab.notebook(MONITOR))
    page.run(0)
    dashboard = live(page)
    wait_for_ink(page, chart(dashboard, "CPU utilization"))
    light = dashboard.evaluate(BRIGHTNESS)
    page.shot("light")
    dashboard.get_by_role("button", name="Show all").click()
    chart(dashboard, "Process memory").wait_for()
    dashboard.scroll_into_view_if_needed()

    page.page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    # Axis, grid and lines are dark on light, and bright on dark: on the canvas, too.
    page.page.wait_for_function(
        f"([el, light]) => Math.abs(({BRIGHTNESS})(el) - light) > 10",
        arg=[dashboard.element_handle(), light],
    )
    # A chart that was out of sight when the theme changed draws in the new one, too.
    hidden = chart(dashboard, "Process memory")
    wait_for_ink(page, hidden)
    page.page.wait_for_function(f"el => ({LIGHT_GRID})(el) === 0", arg=hidden.element_handle())
    page.shot("dark")
    page.page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})"
    )


def test_a_session_stops_into_a_recording_that_replays_in_the_same_widget(page, lab):
    path = lab.root / "mine.pulse.parquet"
    page.open(
        lab.notebook(
            MONITOR,
            BUSY.format(seconds=3),
            f"mon.mark('done')\nrec = mon.stop()\nrec.save({str(path)!r})\nprint('saved')",
            f"pw.replay({str(path)!r})",
        )
    )
    page.run(0)
    seen_live = live(page).element_handle()
    for index in (1, 2):
        page.run(index)
    page.page.locator(".jp-RenderedText", has_text="saved").wait_for()
    showing(page, 0, "Stopped")
    assert seen_live.is_visible(), "what the page has seen whole stays whole"
    page.shot("stopped-whole")
    page.run(3)

    replayed = showing(page, 3, "Replay")
    wait_for_ink(page, chart(replayed, "CPU utilization"))
    wait_for_ink(page, chart(replayed, "loss"))
    page.shot("replay")

    recording = pw.Recording.open(path)
    loss = recording.select("loss").values()[1]
    assert loss[0] == 1.0
    assert len(loss) > 20
    assert recording.select("cpu.utilization", entity="host").values()[1].max() <= 1.0


def test_an_idle_reload_paints_the_past_at_once_and_goes_on(page, lab):
    notebook = lab.notebook(MONITOR)
    page.open(notebook)
    page.run(0)
    dashboard = live(page)
    wait_for_ink(page, chart(dashboard, "CPU utilization"))
    wait_until_it_moves(page, dashboard)
    page.save()

    page.page.reload()
    page.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    dashboard = live(page)

    wait_for_ink(page, chart(dashboard, "CPU utilization"))
    wait_until_it_moves(page, dashboard)


def test_a_reload_while_a_cell_runs_goes_on_live_before_the_cell_ends(page, lab):
    notebook = lab.notebook(MONITOR, BUSY.format(seconds=FOR_LONG))
    page.open(notebook)
    page.run(0)
    dashboard = live(page)
    page.run(1)
    page.page.wait_for_selector(BUSY_INDICATOR)
    wait_until_it_moves(page, dashboard)
    page.save()

    page.page.reload()
    page.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    dashboard = live(page)
    wait_until_it_moves(page, dashboard)

    page.shot("busy-reload")
    # The server says so again soon: what a page asks beside the cell makes it say idle for a moment.
    eventually(lambda: lab.api("kernels")[0]["execution_state"], lambda state: state == "busy")


WATCH_STATUS = """() => {
    globalThis.__seen = [];
    const look = () => {
        for (const el of document.querySelectorAll('.pulse')) {
            if (!el.checkVisibility()) continue;
            const word = el.querySelector('.pulse-status')?.textContent;
            const grey = el.classList.contains('pulse-stale');
            const one = `${word}${grey ? ', grey' : ''}`;
            if (globalThis.__seen.at(-1) !== one) globalThis.__seen.push(one);
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


def test_what_a_reload_shows_while_a_cell_runs_is_grey_until_its_past_was_told_again(page, lab):
    notebook = lab.notebook(MONITOR, BUSY.format(seconds=FOR_LONG))
    page.open(notebook)
    page.run(0)
    dashboard = live(page)
    page.save()
    page.page.wait_for_function(
        "el => /0:(1[0-9]|[2-5])/.test("
        "el.querySelector('.pulse-name-row .pulse-detail').textContent)",
        arg=dashboard.element_handle(),
    )
    page.run(1)
    page.page.wait_for_selector(BUSY_INDICATOR)
    page.page.add_init_script(f"({WATCH_STATUS})()")

    page.page.reload()
    page.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
    live(page)

    seen = eventually(
        lambda: page.page.evaluate("() => globalThis.__seen"), lambda seen: seen[-1:] == ["Live"]
    )
    # On a busy machine all of the past may come between two pictures.
    assert {"Catching up, grey", "Replay, grey"} & set(seen)
    assert all(one.endswith(", grey") for one in seen[:-1])


BLACK_PIXELS = """() => {
    const canvas = document.querySelector('.pulse-timeline canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let black = 0;
    for (let i = 0; i < data.length; i += 4) {
        black += data[i + 3] === 255 && data[i] + data[i + 1] + data[i + 2] === 0;
    }
    return black;
}"""


def saved_outputs(lab, notebook):
    cells = nbformat.read(lab.root / notebook, 4).cells
    return [output for cell in cells for output in cell.get("outputs", [])]


@pytest.fixture
def stopped(page, lab):
    """A saved notebook whose monitor was stopped."""
    notebook = lab.notebook(MONITOR, "import time; time.sleep(2); mon.stop(); print('stopped')")
    page.open(notebook)
    page.run(0)
    live(page)
    page.run(1)
    # The kernel replaces the output before it prints this.
    page.page.locator(".jp-RenderedText", has_text="stopped").wait_for()
    page.save()
    return notebook


def test_a_stopped_monitor_leaves_a_picture_and_a_table_and_no_widget(stopped, lab):
    outputs = [o for o in saved_outputs(lab, stopped) if "data" in o]

    assert len(outputs) == 1
    data = outputs[0]["data"]
    assert "application/vnd.jupyter.widget-view+json" not in data
    assert "data:image/svg+xml;base64," in data["text/html"]
    assert "<table" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert data["text/plain"] == "pulse monitor"
    assert len(json.dumps(data)) <= 200_000


def test_a_saved_notebook_shows_the_picture_to_a_stranger(stopped, page, lab):
    # A new name has no signature: the notebook is not trusted.
    copy = f"from-a-colleague-{stopped}"
    shutil.copy(lab.root / stopped, lab.root / copy)
    text = (lab.root / copy).read_text()
    (lab.root / copy).write_text(re.sub(r"time\.sleep\(2\)", "time.sleep(2.0)", text))
    lab.reset()

    page.open(copy)
    dashboard = page.page.locator(".jp-OutputArea-output .pulse, .jp-OutputArea-output figure img")
    dashboard.first.wait_for()
    page.page.locator(".pulse-timeline canvas").first.wait_for()
    page.page.wait_for_timeout(500)
    page.shot("untrusted")

    assert page.page.get_by_text("Loading widget").count() == 0
    assert page.page.get_by_text("Error displaying widget").count() == 0
    # It is drawn before it is in the page, where the colours of the theme are.
    assert page.page.evaluate(BLACK_PIXELS) == 0


def test_an_html_export_shows_the_picture_offline(stopped, page, lab, tmp_path):
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter().from_filename(str(lab.root / stopped))
    exported = tmp_path / "exported.html"
    exported.write_text(body)

    page.page.context.set_offline(True)
    page.page.goto(exported.as_uri())
    image = page.page.locator("figure img").first
    image.wait_for()

    assert image.evaluate("img => img.complete && img.naturalWidth > 100")
    assert page.page.locator("figure table td").count() > 5


def test_a_notebook_grows_by_at_most_200_kilobytes(stopped, lab):
    assert (lab.root / stopped).stat().st_size <= 200_000


def test_two_monitors_of_one_session_show_the_same_stream(page, lab):
    page.open(lab.notebook(MONITOR, "pw.monitor()", "mon.view('strip')"))
    for index in range(3):
        page.run(index)
    first, second, strip = (live(page, index) for index in range(3))

    wait_until_it_moves(page, second)
    # Each view writes the time when it draws, so two of them may be a second apart.
    page.page.wait_for_function(
        "() => { const shown = [...document.querySelectorAll('.pulse .pulse-name-row .pulse-detail')]"
        ".filter(el => el.checkVisibility()).map(el => el.textContent);"
        " return shown.length >= 3 && new Set(shown.filter(Boolean)).size <= 2; }"
    )
    assert first.count()
    assert strip.locator(".pulse-chart").count() == 0
    assert page.page.evaluate("() => globalThis[Symbol.for('pulse_widgets.code')].size") == 1

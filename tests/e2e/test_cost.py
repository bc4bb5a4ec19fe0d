"""What drawing costs the page: redraws are gated, times are printed."""

import pytest

from tests.e2e.conftest import Page, start_lab, stop_lab
from tests.fakes import nvml

pytestmark = pytest.mark.slow

COUNT_REDRAWS = """
globalThis.__redraws = 0;
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    globalThis.__redraws++;
    return clear.apply(this, box);
};
"""
WATCH_THE_FIRST_LINE = """
const stroke = CanvasRenderingContext2D.prototype.stroke;
CanvasRenderingContext2D.prototype.stroke = function (...path) {
    const chart = this.canvas.closest('.pulse-chart');
    if (chart) globalThis.__drawn ??= performance.now();
    return stroke.apply(this, path);
};
new MutationObserver(() => {
    if (document.querySelector('.pulse')) globalThis.__mounted ??= performance.now();
}).observe(document, { childList: true, subtree: true });
"""
SECONDS = 6


@pytest.fixture(scope="module")
def gpu_lab(tmp_path_factory):
    """JupyterLab on eight fake GPUs."""
    directory = tmp_path_factory.mktemp("gpu-lab")
    environ = nvml.environment(directory / "nvml", gpus=8, latency_us=0)
    server, process = start_lab(directory / "server", **environ)
    yield server
    stop_lab(process)


@pytest.fixture
def gpu_page(chrome, gpu_lab):
    context = chrome.new_context(viewport={"width": 1400, "height": 1400})
    context.add_init_script(COUNT_REDRAWS)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    yield Page(opened, gpu_lab)
    context.close()
    gpu_lab.reset()


def spent(page, session):
    """Script seconds and redraws so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    script = next(m["value"] for m in metrics if m["name"] == "ScriptDuration")
    return script, page.evaluate("() => globalThis.__redraws")


def test_ten_readings_a_second_are_five_redraws_and_none_out_of_sight(gpu_page, gpu_lab, capsys):
    gpu_page.open(
        gpu_lab.notebook("import pulse_widgets as pw\npw.monitor(interval=0.1)", *["0"] * 40)
    )
    gpu_page.run(0)
    page = gpu_page.page
    dashboard = page.locator(".pulse:visible").first
    dashboard.locator(".pulse-status", has_text="Live").wait_for()
    page.wait_for_timeout(8_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    script, redraws = spent(page, session)
    page.wait_for_timeout(SECONDS * 1000)
    script_shown, redraws_shown = spent(page, session)
    charts = page.evaluate(
        "() => [...document.querySelectorAll('.pulse canvas')].filter(c => {"
        " const b = c.getBoundingClientRect(); return b.bottom > 0 && b.top < innerHeight; }).length"
    )
    page.evaluate(
        "() => { const p = window.jupyterapp.shell.currentWidget.content;"
        " p.activeCellIndex = 40; p.scrollToItem(40); }"
    )
    page.wait_for_timeout(1_500)
    script_before, redraws_before = spent(page, session)
    page.wait_for_timeout(SECONDS * 1000)
    script_hidden, redraws_hidden = spent(page, session)

    per_chart = (redraws_shown - redraws) / SECONDS / max(charts, 1)
    with capsys.disabled():
        print(
            f"\n{charts} charts in sight, 8 GPUs at 10 Hz: script "
            f"{1000 * (script_shown - script) / SECONDS / 10:.1f} ms a tick (budget 10 ms), "
            f"{per_chart:.1f} redraws a second a chart; scrolled away "
            f"{1000 * (script_hidden - script_before) / SECONDS / 10:.1f} ms a tick"
        )
    assert charts >= 5
    assert 1 <= per_chart <= 7
    assert redraws_hidden - redraws_before <= SECONDS


def test_the_first_line_is_drawn_soon_after_the_dashboard_is_mounted(gpu_page, gpu_lab, capsys):
    gpu_page.page.context.add_init_script(WATCH_THE_FIRST_LINE)
    gpu_page.open(gpu_lab.notebook("import pulse_widgets as pw\npw.monitor()"))
    gpu_page.run(0)
    page = gpu_page.page
    page.wait_for_function("() => globalThis.__drawn !== undefined")
    waited = page.evaluate("() => globalThis.__drawn - globalThis.__mounted")

    with capsys.disabled():
        print(f"\n8 GPUs at 1 Hz: the first line {waited:.0f} ms after mounting (budget 300 ms)")
    assert waited > 0

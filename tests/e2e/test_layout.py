"""What is seen first, and how much room it takes: on the page, and live in JupyterLab."""

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Page, eventually, settled_box, start_lab, stop_lab
from tests.fakes import nvml

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

MEASURE = """() => {
    const root = [...document.querySelectorAll('.pulse')].find(el => el.checkVisibility());
    const box = root.getBoundingClientRect();
    const chart = root.querySelector('.pulse-chart');
    const names = '.pulse-gpu-name, .pulse-card-name, .pulse-card-value, .pulse-card-note,'
        + ' .pulse-group-head h3, .pulse-fold-value, .pulse-title, .pulse-status, .pulse-name,'
        + ' .pulse-machine, .pulse-chart h4, .pulse-now, .pulse-foot-part, .pulse-strip [data-part]';
    const cut = [...root.querySelectorAll(names)].filter(el => el.checkVisibility()
        && (el.scrollWidth > el.clientWidth + 1) && getComputedStyle(el).display !== 'inline');
    return {
        height: box.height,
        first: chart ? chart.getBoundingClientRect().top - box.top : null,
        charts: root.querySelectorAll('.pulse-chart').length,
        cut: cut.map(el => el.textContent),
    };
}"""
"""Height of the dashboard, where its first chart begins, and the names that are cut."""

WATCH_SHIFTS = """
globalThis.__shifts = [];
new PerformanceObserver(list => {
    for (const one of list.getEntries()) {
        // Of the page's own: a notebook that is being opened moves, too.
        const ours = one.sources.some(({ node }) =>
            (node?.closest ? node : node?.parentElement)?.closest('.pulse'));
        if (ours) globalThis.__shifts.push(one.value);
    }
}).observe({ type: 'layout-shift', buffered: true });
"""
SHIFT = "() => globalThis.__shifts.reduce((sum, one) => sum + one, 0)"
LIVE = "import pulse_widgets as pw\nmon = pw.monitor(interval=0.5, gpus='all')\nmon"
# GPUs: the most pixels of the whole, and above the first chart.
ROOM = {0: (480, 150), 1: (480, 150), 8: (620, 210)}


@pytest.fixture(scope="module", params=sorted(ROOM), ids=lambda gpus: f"{gpus} GPUs")
def machine(request, tmp_path_factory):
    """JupyterLab on so many fake GPUs."""
    gpus = request.param
    directory = tmp_path_factory.mktemp("layout")
    environ = nvml.environment(directory / "nvml", gpus=gpus, latency_us=0) if gpus else {}
    server, process = start_lab(directory / "server", **environ)
    yield gpus, server
    stop_lab(process)


@pytest.fixture
def machine_page(chrome, machine):
    _, server = machine
    # A cell of the notebook is then 1000 px wide.
    context = chrome.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(WATCH_SHIFTS)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield Page(opened, server)
    context.close()
    server.reset()


def live(page):
    shown = page.page.locator(".pulse:visible")
    shown.filter(has=page.page.locator(".pulse-status", has_text="Live")).first.wait_for()
    return shown.first


def measured(page):
    return page.page.evaluate(MEASURE)


def drawn(page):
    """The measures, once the first row of charts is there and nothing moves any more."""
    values = [None]

    def read():
        values.append(measured(page))
        return values[-2:]

    return eventually(read, lambda last: last[0] == last[1] and last[1]["charts"] >= 3)[1]


@pytest.mark.slow
def test_a_live_view_is_compact_keeps_still_and_cuts_no_name(machine, machine_page, monkeypatch):
    gpus, server = machine
    height, first = ROOM[gpus]
    machine_page.open(server.notebook(LIVE, "0"))
    machine_page.page.evaluate(
        "() => { document.querySelector('.jp-SideBar.jp-mod-left .lm-mod-current')?.click() }"
    )
    machine_page.run(0)
    live(machine_page)

    seen = drawn(machine_page)
    machine_page.page.wait_for_function("() => performance.now() > 15000")
    seen_later = measured(machine_page)

    machine_page.shot(f"layout-{gpus}")
    assert seen["first"] <= first
    assert seen_later["height"] <= height
    assert (seen_later["charts"], seen_later["first"]) == (seen["charts"], seen["first"])
    assert seen_later["cut"] == []
    assert machine_page.page.evaluate(SHIFT) < 0.1

    machine_page.save()
    machine_page.page.reload()
    live(machine_page)
    drawn(machine_page)
    machine_page.page.wait_for_function("() => performance.now() > 8000")
    assert machine_page.page.evaluate(SHIFT) < 0.05


IN_BOXES = {
    "alone": ("mon.view()", [968]),
    "strip": ("w.VBox([mon.view('strip')])", [968]),
    "beside a slider": ("w.HBox([w.VBox([w.IntSlider()]), mon.view()])", [(500, 800)]),
    "box beside a slider": ("w.HBox([w.VBox([mon.view()]), w.IntSlider()])", [(500, 800)]),
    "two": ("w.HBox([mon.view(), mon.view('charts', metrics=['cpu.*'])])", [484, 484]),
    "two boxes": ("w.HBox([w.VBox([mon.view()]), w.VBox([mon.view()])])", [484, 484]),
    "centred": ("w.VBox([w.Label('t'), mon.view()], layout=w.Layout(align_items='center'))", [968]),
    "grid": ("w.GridBox([mon.view()], layout=w.Layout(grid_template_columns='50% 50%'))", [484]),
    "fractions": ("w.GridBox([mon.view()], layout=w.Layout(grid_template_columns='1fr 1fr'))",
                  [484]),
    "tab": ("w.Tab([mon.view()])", [(900, 968)]),
    "narrow box": ("w.Box([mon.view()], layout=w.Layout(width='300px'))", [300]),
    "narrow column": ("w.VBox([mon.view()], layout=w.Layout(width='300px'))", [300]),
    "narrower box": ("w.VBox([w.VBox([mon.view()])], layout=w.Layout(width='200px'))", [200]),
    "own width": ("v = mon.view(); v.layout.width, v.layout.flex = '400px', 'none'; w.HBox([v])",
                  [400]),
}  # fmt: skip
"""What is shown, and the width of each view in it, in px: about, or from and to."""
WIDTHS = """index => [...window.jupyterapp.shell.currentWidget.content.widgets[index].node
        .querySelectorAll('.pulse')]
    .filter(el => el.checkVisibility())
    .map(el => [Math.round(el.getBoundingClientRect().width),
                el.querySelectorAll('.pulse-chart canvas').length])"""


def fits(views, expected):
    bounds = [one if isinstance(one, tuple) else (one - 3, one + 3) for one in expected]
    return len(views) == len(bounds) and all(
        low <= width <= high for (width, _), (low, high) in zip(views, bounds, strict=True)
    )


@pytest.mark.slow
def test_in_boxes_of_ipywidgets_a_view_takes_the_width_there_is(page, lab):
    start = "import pulse_widgets as pw\nimport ipywidgets as w\nmon = pw.monitor(interval=0.5)"
    page.open(lab.notebook(start, *(source for source, _ in IN_BOXES.values())))
    page.run(0)

    def check(index, source, expected):
        page.page.evaluate(
            # Cells that are out of sight are not in the page.
            "index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')",
            index,
        )
        views = eventually(
            lambda: page.page.evaluate(WIDTHS, index), lambda views: fits(views, expected)
        )
        assert "strip" in source or eventually(
            lambda: page.page.evaluate(WIDTHS, index),
            lambda views: views and all(charts for _, charts in views),
        ), views

    for index, (source, expected) in enumerate(IN_BOXES.values(), start=1):
        for _ in range(4):
            # Nothing of the run before may be taken for this one's.
            page.page.evaluate(
                "index => window.jupyterapp.shell.currentWidget.content.widgets[index]"
                ".model.clearExecution()", index
            )  # fmt: skip
            page.run(index)
            check(index, source, expected)

    page.save()
    page.page.reload()
    page.page.wait_for_function(
        "count => window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length > count",
        arg=len(IN_BOXES),
    )
    for index, (source, expected) in enumerate(IN_BOXES.values(), start=1):
        check(index, source, expected)


@pytest.fixture
def dev_page(chrome, site):
    """A function that opens a scenario of the development page."""
    pages = []

    def opened(query, width=1000, height=1000):
        page = chrome.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(10_000)
        page.goto(f"{site}?{query}")
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()


def settled(page, charts=3):
    page.wait_for_function(
        "n => document.querySelectorAll('.pulse-chart canvas').length >= n", arg=charts
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pulse-fold-value')]"
        ".every(el => !el.checkVisibility() || el.textContent)"
    )
    return page.evaluate(MEASURE)


@pytest.mark.parametrize(
    ("scenario", "height", "first"),
    [
        ("hot", 620, 210),
        ("trouble", 620, 210),
        ("silent", 620, 210),
        ("calm", 480, 150),
        ("one", 480, 150),
        ("nogpu", 480, 150),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_seen_first_fits(dev_page, scenario, height, first, theme):
    seen = settled(dev_page(f"scenario={scenario}&theme={theme}"))
    assert seen["height"] <= height
    assert seen["first"] <= first
    assert seen["cut"] == []


@pytest.mark.parametrize("scenario", ["nogpu", "one", "eight"])
@pytest.mark.parametrize("width", [320, 700, 1000])
def test_the_tools_of_own_metrics_do_not_touch_the_cards(dev_page, scenario, width):
    page = dev_page(f"scenario={scenario}", width=width)
    settled(page, charts=1)
    air = page.evaluate(
        "() => document.querySelector('.pulse-search').getBoundingClientRect().top"
        " - [...document.querySelectorAll('.pulse-tile')].at(-1).getBoundingClientRect().bottom"
    )
    assert air >= 4


@pytest.mark.parametrize("scenario", ["nogpu", "one", "two", "eight", "sixteen", "hosts"])
@pytest.mark.parametrize("width", [240, 300, 400, 500, 700, 1000])
def test_at_no_width_is_anything_wider_than_the_page(dev_page, scenario, width):
    page = dev_page(f"scenario={scenario}", width=width)
    settled(page, charts=1)
    over = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0
    numbers = ".pulse-card-value, .pulse-fold-value, .pulse-now"
    assert page.evaluate(
        "numbers => [...document.querySelectorAll(numbers)].filter(el => el.checkVisibility()"
        " && el.scrollWidth > el.clientWidth + 1).map(el => el.textContent)",
        numbers,
    ) == []  # fmt: skip


CUT = """selector => [...document.querySelectorAll(selector)]
    .filter(el => el.checkVisibility() && el.scrollWidth > el.clientWidth + 1)
    .map(el => el.textContent)"""
"""What of these is cut."""
LEFT_OUT = """() => [...document.querySelectorAll('.pulse-gpu .pulse-card-note')].flatMap(note => {
    const { bottom, right } = note.getBoundingClientRect();
    return [...note.children].map(part => [part, part.getBoundingClientRect()])
        .filter(([, own]) => own.bottom > bottom + 2 || own.right > right + 1)
        .map(([part]) => part.textContent);
})"""
"""What cards of GPUs have no room for."""


@pytest.mark.parametrize("width", [300, 430, 500, 600, 633, 700, 739, 740, 800, 1000])
def test_a_card_leaves_nothing_out_and_a_head_line_is_whole(dev_page, width):
    page = dev_page("scenario=eight", width=width)
    settled(page, charts=1)
    assert page.evaluate(LEFT_OUT) == []
    assert page.locator(".pulse-gpu .pulse-fact", has_text="°C").count() == 8

    page = dev_page("scenario=replay&title=seven+million+points", width=width)
    settled(page, charts=1)
    assert page.evaluate(CUT, ".pulse-status, .pulse-detail, .pulse-title") == []


def test_time_lines_up_from_top_to_bottom(dev_page):
    page = dev_page("scenario=eight", height=4000)
    settled(page)
    page.get_by_role("button", name="Show all").click()
    settled(page, charts=12)
    lefts = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.pulse-chart .u-over')]"
        ".map(el => Math.round(el.getBoundingClientRect().left)))]"
    )
    assert len(lefts) == 3
    page.get_by_role("button", name="Show less").click()
    eventually(lambda: page.locator(".pulse-chart").count(), lambda charts: charts < 7)


PANEL = """() => {
    const panel = document.createElement('div');
    panel.id = 'panel';
    panel.style.cssText = 'position: fixed; top: 40px; right: 0; width: 300px; height: 420px;'
        + 'overflow: auto';
    document.body.append(panel);
    panel.append(document.querySelector('.pulse').parentElement);
}"""
"""Put the dashboard into a sidebar, as JupyterLab has one."""
OUTSIDE = """selector => {
    const [own, panel] = [selector, '#panel'].map(
        one => [...document.querySelectorAll(one)].find(el => el.checkVisibility())
            .getBoundingClientRect());
    return [panel.left - own.left, panel.top - own.top,
        own.right - panel.right, own.bottom - panel.bottom].filter(by => by > 1);
}"""
"""By how many pixels something stands out of the panel."""


def test_in_a_panel_that_scrolls_everything_stays_within_it(dev_page):
    page = dev_page("scenario=trouble&actions=Bring+back", width=1000, height=700)
    settled(page)
    page.evaluate(PANEL)
    panel = page.locator("#panel")
    page.locator("#panel .pulse-board[data-columns='1']").wait_for()
    assert panel.evaluate("el => el.scrollWidth - el.clientWidth") <= 0
    assert page.evaluate(OUTSIDE, ".pulse-actions") == []

    # The chart stands right above the timeline, which stays at the end of the panel.
    page.evaluate("""() => {
        const chart = document.querySelector(".pulse-chart[data-panel*='GPU memory used']");
        const [own, panel] = [chart, chart.closest('#panel')];
        panel.scrollTop += own.getBoundingClientRect().bottom
            - panel.getBoundingClientRect().bottom + 60;
    }""")
    plot = page.locator(".pulse-chart[data-panel*='GPU memory used'] .u-over")
    plot.wait_for()
    assert page.evaluate(OUTSIDE, ".pulse-timeline") == []

    box = settled_box(plot)
    for share in (0.05, 0.5, 0.95):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        page.locator(".pulse-tip:visible").wait_for()
        assert page.evaluate(OUTSIDE, ".pulse-tip") == []

    page.locator(".pulse").press("?")
    assert page.evaluate(OUTSIDE, ".pulse-help") == []


LANE_TIMES = """() => {
    const canvas = document.querySelector('.pulse-timeline canvas');
    const tall = Math.round(6 * devicePixelRatio);
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, height - tall, width, tall);
    const inked = x => Array.from({ length: tall }, (_, y) => data[4 * (y * width + x) + 3])
        .some(alpha => alpha > 60);
    let [labels, blank] = [0, 99];
    for (let x = 0; x < width; x++) {
        if (inked(x)) { if (blank > 20) labels++; blank = 0; } else blank++;
    }
    return labels;
}"""
"""How many labels stand below the lane of cells and marks."""


@pytest.mark.parametrize("width", [320, 640, 1000])
def test_the_lane_has_times_of_its_own(dev_page, width):
    page = dev_page("scenario=one", width=width, height=3000)
    settled(page)
    labels = eventually(lambda: page.evaluate(LANE_TIMES), lambda labels: labels > 0)
    assert 2 <= labels <= 12


@pytest.mark.parametrize("scenario", ["hot", "trouble", "eight"])
@pytest.mark.parametrize("width", [240, 300, 320, 459, 600, 640, 1000])
def test_all_cards_are_of_one_height_and_say_what_is_alarming(dev_page, scenario, width):
    page = dev_page(f"scenario={scenario}", width=width)
    settled(page, charts=1)
    heights = "() => [...document.querySelectorAll('.pulse-gpu')].map(el => el.offsetHeight)"
    assert len(set(page.evaluate(heights))) == 1
    seen = page.evaluate(
        "() => [...document.querySelectorAll('.pulse-gpu .pulse-alarm')].map(el => {"
        " const [own, card] = [el, el.parentElement].map(one => one.getBoundingClientRect());"
        " return own.bottom <= card.bottom + 1 && own.right <= card.right + 1; })"
    )
    assert all(seen)
    assert bool(seen) == (scenario != "eight")


@pytest.mark.parametrize("scenario", ["one", "hot"])
def test_labels_of_bars_are_readable_and_apart(dev_page, scenario):
    page = dev_page(f"scenario={scenario}")
    settled(page)
    labels = page.evaluate(
        "() => [...document.querySelectorAll('.pulse-bars')].map(el => ["
        " getComputedStyle(el).fontSize, el.children[0].offsetHeight, el.children[2].offsetTop"
        " - el.children[0].offsetTop])"
    )
    assert {tuple(label) for label in labels} == {("10px", 10, 10)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_line_under_the_pointer_is_thin_and_calm(dev_page, theme):
    page = dev_page(f"scenario=one&theme={theme}")
    settled(page)
    styles = page.evaluate(
        "() => [...document.querySelectorAll('.u-cursor-x')].map(el => getComputedStyle(el))"
        ".map(style => [style.borderRightWidth, Number(style.opacity) <= 0.6])"
    )
    assert {tuple(style) for style in styles} == {("1px", True)}


def test_a_card_hides_its_gpu_everywhere_and_lifts_it_while_pointed_at(dev_page):
    page = dev_page("scenario=eight")
    settled(page)
    card = page.locator(".pulse-gpu[data-gpu='gpu:2']")
    card.focus()
    page.keyboard.press("Enter")
    eventually(lambda: card.get_attribute("aria-pressed"), lambda pressed: pressed == "false")
    page.get_by_role("button", name="Show hidden").click()
    eventually(lambda: card.get_attribute("aria-pressed"), lambda pressed: pressed == "true")
    card.click(modifiers=["Alt"])
    pressed = page.locator(".pulse-gpu[aria-pressed=true]")
    eventually(pressed.count, lambda count: count == 1)


def test_the_cells_of_many_gpus_are_one_stop_of_the_keyboard(dev_page):
    page = dev_page("scenario=many")
    settled(page)
    assert page.locator(".pulse-cell").count() == 64
    assert page.locator(".pulse-cell[tabindex='0']").count() == 1
    page.locator(".pulse-cell[tabindex='0']").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    hidden = page.locator(".pulse-cell[aria-pressed=false]")
    eventually(hidden.count, lambda count: count == 1)
    assert hidden.get_attribute("data-gpu") == "gpu:62"


def test_cards_follow_the_cursor_and_stand_still_with_the_pause(dev_page):
    page = dev_page("scenario=eight")
    settled(page)
    value = page.locator(".pulse-gpu[data-gpu='gpu:1'] .pulse-card-value")
    newest = value.inner_text()
    box = page.locator(".pulse-chart .u-over").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    eventually(value.inner_text, lambda text: text != newest)
    page.mouse.move(500, 5)
    eventually(value.inner_text, lambda text: text == newest)

    page.get_by_role("button", name="Pause").click()
    page.evaluate("() => { for (let i = 0; i < 30; i++) pulseDev.source.advance() }")
    eventually(page.locator(".pulse-status").inner_text, lambda word: word == "Paused")
    assert value.inner_text() == newest


def test_a_young_session_that_is_paused_shows_values(dev_page):
    page = dev_page("scenario=begun")
    settled(page)
    page.get_by_role("button", name="Pause").click()
    eventually(page.locator(".pulse-status").inner_text, lambda word: word == "Paused")
    values = page.locator(".pulse-card-value, .pulse-chart .pulse-now:not(:empty)")
    texts = eventually(values.all_inner_texts, lambda texts: len(texts) > 4)
    assert [text for text in texts if "\u2013" in text] == []


def test_what_was_opened_and_hidden_is_remembered_by_the_page(dev_page):
    page = dev_page("scenario=eight")
    settled(page)
    page.get_by_role("button", name="Memory", exact=True).click()
    page.locator(".pulse-gpu[data-gpu='gpu:3']").click()
    page.keyboard.press("1")
    page.reload()
    settled(page)
    section = page.locator(".pulse-group[aria-label='Memory']")
    assert section.get_attribute("data-open") == "true"
    card = page.locator(".pulse-gpu[data-gpu='gpu:3']")
    assert card.get_attribute("aria-pressed") == "false"
    assert page.locator("[aria-label='Time window'] [aria-pressed=true]").inner_text() == "30 s"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", [
    "scenario=trouble", "scenario=sixteen", "scenario=nogpu", "scenario=faults",
    "scenario=hot&layout=strip", "scenario=replay", "scenario=trouble&width=300&actions=Move",
])  # fmt: skip
def test_axe_finds_nothing_serious(dev_page, query, theme):
    page = dev_page(f"{query}&theme={theme}")
    page.locator(".pulse-status").wait_for()
    page.wait_for_function("() => document.querySelector('.pulse-card-value, .pulse-strip b')")
    # The page allows no script but its own, so the checker is not a tag but is evaluated.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "async () => (await axe.run('.pulse')).violations"
        ".filter(one => ['serious', 'critical'].includes(one.impact))"
        ".map(one => [one.id, ...one.nodes.slice(0, 3).map(node => node.html.slice(0, 120))])"
    )
    assert found == []


NAMES_CUT = """selector => [...document.querySelectorAll(selector)].filter(el => el.checkVisibility()
    && el.scrollWidth > el.clientWidth + 1).map(el => el.textContent)"""


@pytest.mark.parametrize(
    ("query", "names", "count"),
    [
        ("scenario=pairs", ".pulse-name, .pulse-chart h4, .pulse-now", 2),
        ("scenario=pairs", ".pulse-legend button", 2),
        ("scenario=sixteen", ".pulse-ends", 1),
        ("scenario=replay&title=Simulated+training+on+eight+GPUs", ".pulse-title", 1),
    ],
)
@pytest.mark.parametrize("width", [500, 700, 1000])
def test_no_name_is_cut(dev_page, query, names, count, width):
    page = dev_page(query, width=width, height=3000)
    settled(page, charts=1)
    assert page.locator(names).count() >= count
    assert page.evaluate(NAMES_CUT, names) == []


@pytest.mark.parametrize(
    ("metrics", "columns"),
    [("gpu.power", 1), ("gpu.power,gpu.temperature", 2), ("gpu.*", 3)],
)
def test_charts_that_were_asked_for_share_the_width(dev_page, metrics, columns):
    page = dev_page(f"scenario=eight&layout=charts&metrics={metrics}", width=1200)
    settled(page, charts=1)
    grids = page.locator(".pulse-grid")
    shown = grids.evaluate_all("all => all.map(el => getComputedStyle(el).gridTemplateColumns)")
    assert max(len(columns.split()) for columns in shown) == columns
    assert len(shown) >= 1


def test_what_a_logarithmic_axis_leaves_out_is_seen(dev_page):
    page = dev_page("scenario=signs", width=700)
    settled(page, charts=2)
    notes = page.locator(".pulse-unshown")
    assert set(notes.all_inner_texts()) == {""}
    page.get_by_role("button", name="log").click()
    shown = eventually(notes.all_inner_texts, any)
    told = [text for text in shown if text]
    assert told[0] == "linear: many values \u2264 0"
    assert re.fullmatch(r"(at least )?\d+ values \u2264 0 not shown", told[1])
    assert page.evaluate(NAMES_CUT, ".pulse-unshown, .pulse-name, .pulse-now") == []

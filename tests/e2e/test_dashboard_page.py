"""The dashboard in a real Chromium, with a source that needs no kernel."""

import re

import pytest

from tests.e2e.conftest import eventually, settled_box

COUNT_DRAWINGS = """() => {
    window.drawings = 0;
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...box) {
        window.drawings += 1;
        return clear.apply(this, box);
    };
}"""


@pytest.fixture
def open_page(chrome, site):
    """A function that opens a scenario; at the end no page may have reported an error."""
    pages, faults = [], []

    def opened(query, width=1200, height=900, *, compact=False):
        page = chrome.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(f"{site}?{query}")
        page.wait_for_selector(".pulse-chart .u-over")
        if not compact and "layout" not in query and "metrics" not in query:
            page.get_by_role("button", name="Show all").click()
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert faults == []


def plot(page, title="GPU utilization"):
    box = settled_box(page.locator(f".pulse-chart:has(h4:text-is('{title}')) .u-over"))
    return box["x"], box["y"], box["width"], box["height"]


def moment_at(page, share):
    """Seconds of the day under the pointer, `share` of the way across the first plot."""
    x, y, width, height = plot(page)
    page.mouse.move(x + width * share, y + height / 2)
    text = page.locator(".pulse-tip:visible .pulse-tip-head").inner_text()
    hour, minute, second = re.search(r"(\d+):(\d+):([\d.]+)", text).groups()
    return int(hour) * 3600 + int(minute) * 60 + float(second)


def width_in_view(page):
    return (moment_at(page, 0.9) - moment_at(page, 0.1)) / 0.8


def wait_for_status(page, word):
    page.wait_for_function(
        "word => document.querySelector('.pulse-status').textContent === word", arg=word
    )


def drag(page, start, end):
    x, y, width, height = plot(page)
    page.mouse.move(x + width * start, y + height / 2)
    page.mouse.down()
    page.mouse.move(x + width * end, y + height / 2, steps=5)
    page.mouse.up()


def test_a_drag_zooms_every_chart_and_a_double_click_resets(open_page):
    page = open_page("scenario=one")
    before = width_in_view(page)
    drag(page, 0.25, 0.75)
    wait_for_status(page, "Zoomed")
    assert width_in_view(page) == pytest.approx(before / 2, rel=0.05)
    x, y, width, height = plot(page, "Power")
    page.mouse.dblclick(x + width / 2, y + height / 2)
    wait_for_status(page, "Live")
    assert width_in_view(page) == pytest.approx(before, rel=0.05)


def test_a_drag_with_shift_moves_the_picture(open_page):
    page = open_page("scenario=one")
    drag(page, 0.25, 0.75)
    wait_for_status(page, "Zoomed")
    before = moment_at(page, 0.5)
    width = width_in_view(page)
    page.keyboard.down("Shift")
    drag(page, 0.2, 0.7)
    page.keyboard.up("Shift")
    moved = pytest.approx(before - width / 2, abs=width * 0.05)
    eventually(lambda: moment_at(page, 0.5), lambda moment: moment == moved)


def test_one_cursor_shows_values_with_units_on_all_charts(open_page):
    page = open_page("scenario=eight", height=3000)
    x, y, width, height = plot(page)
    page.mouse.move(x + width / 2, y + height / 2)
    page.wait_for_function(
        "() => { const shares = [...document.querySelectorAll('.pulse-chart .u-cursor-x')].map("
        "line => new DOMMatrix(line.style.transform).e / line.parentElement.clientWidth);"
        " return shares.length > 12 && shares.every(share => Math.abs(share - 0.5) < 0.01); }"
    )
    machine = page.locator(".pulse-group:not([aria-label='Your metrics'])")
    values = machine.locator(".pulse-now:not(:empty)")
    texts = eventually(values.all_inner_texts, lambda texts: len(texts) > 12)
    units = re.compile(r"\d ?(%|[KMGT]?i?B(/s)?|W|°C|[GM]Hz|cores?|core)$")
    counts = re.compile(r"^\d+$|/s$| [mµ]?s$")
    assert [text for text in texts if not units.search(text) and not counts.search(text)] == []


def test_a_paused_picture_stands_still_while_readings_go_on(open_page):
    page = open_page("scenario=one")
    page.locator("button:text-is('Pause')").click()
    before = moment_at(page, 0.5)
    page.evaluate("() => { for (let i = 0; i < 100; i++) pulseDev.source.advance() }")
    page.wait_for_timeout(400)
    wait_for_status(page, "Paused")
    assert moment_at(page, 0.5) == before
    page.locator("button:text-is('Resume')").click()
    eventually(lambda: moment_at(page, 0.5), lambda moment: moment > before + 30)


def test_a_click_on_a_card_hides_that_gpu_and_one_button_brings_it_back(open_page):
    page = open_page("scenario=eight", compact=True)
    cards = "() => [...document.querySelectorAll('.pulse-gpu')].map(el => el.ariaPressed).join()"
    page.locator(".pulse-gpu[data-gpu='gpu:2']").click()
    shown = "true,true,false,true,true,true,true,true"
    page.wait_for_function(f"shown => ({cards})() === shown", arg=shown)
    page.get_by_role("button", name="Show hidden").click()
    page.wait_for_function(f"shown => ({cards})() === shown", arg=shown.replace("false", "true"))


def test_a_click_in_the_legend_hides_that_gpu_on_every_chart(open_page):
    page = open_page("scenario=eight&layout=charts&metrics=gpu.*", height=3000)
    legends = page.locator(".pulse-legend [aria-label='GPU 2']").count()
    assert legends > 4
    hidden = "n => document.querySelectorAll('.pulse-legend [aria-pressed=false]').length === n"
    page.locator(".pulse-legend [aria-label='GPU 2']").first.click()
    page.wait_for_function(hidden, arg=legends)
    page.get_by_role("button", name="Show hidden").click()
    page.wait_for_function(hidden, arg=0)


def test_everything_has_a_key_and_the_list_of_keys_gives_focus_back(open_page):
    page = open_page("scenario=one")
    page.locator(".pulse").focus()
    page.keyboard.press("p")
    wait_for_status(page, "Paused")
    page.keyboard.press("p")
    page.keyboard.press("ArrowLeft")
    wait_for_status(page, "Zoomed")
    page.keyboard.press("0")
    wait_for_status(page, "Live")
    page.keyboard.press("?")
    assert page.locator(".pulse-help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".pulse-help").is_hidden()
    assert page.evaluate("() => document.activeElement.classList.contains('pulse')")


def test_a_pause_ends_when_the_session_does(open_page):
    page = open_page("scenario=one")
    page.locator("button:text-is('Pause')").click()
    wait_for_status(page, "Paused")
    page.evaluate("() => pulseDev.source.setState({ phase: 'stopped' })")
    wait_for_status(page, "Stopped")
    assert page.locator("button:text-is('Resume')").is_hidden()


def test_a_missing_stretch_is_empty_and_its_neighbours_are_drawn(open_page):
    page = open_page("scenario=one&layout=charts&metrics=gpu.sm.active", width=900)
    read = """() => {
        const canvas = document.querySelector('.pulse-chart canvas');
        const pen = canvas.getContext('2d');
        const over = document.querySelector('.pulse-chart .u-over').getBoundingClientRect();
        const box = canvas.getBoundingClientRect();
        const column = share => {
            const x = Math.round(over.left - box.left + over.width * share);
            const { data } = pen.getImageData(x - 2, 0, 5, Math.round(over.height));
            let blue = 0;
            for (let i = 0; i < data.length; i += 4) blue += data[i + 3] > 120 && data[i] < 100;
            return blue;
        };
        return [0.45, 0.6, 0.68, 0.8].map(column);
    }"""
    ink = eventually(lambda: page.evaluate(read), lambda ink: ink[0] > 0)
    # Readings are missing from 110 s to 70 s before the end of 240 s.
    assert ink[0] > 0
    assert ink[1] == 0
    assert ink[2] == 0
    assert ink[3] > 0


def test_a_missing_gpu_is_told_in_the_footer_with_cause_and_remedy(open_page):
    page = open_page("scenario=nogpu", compact=True)
    page.locator("summary:has-text('Not available here')").click()
    told = page.locator(".pulse-absent").inner_text()
    assert "libnvidia-ml.so.1 was not found" in told
    assert "Install the NVIDIA driver" in told
    assert "does not report it" in told


def test_charts_have_a_text_twin(open_page):
    page = open_page("scenario=eight", height=600)
    page.wait_for_function("() => document.querySelector('.pulse-chart table caption')")
    twin = page.locator(".pulse-chart[data-panel*='GPU utilization'] table")
    page.wait_for_function(
        "() => document.querySelector(\".pulse-chart[data-panel*='GPU utilization'] caption\")"
    )
    rows = twin.evaluate("table => table.innerText")
    assert "GPU 7" in rows
    assert "%" in rows


def test_the_dashboard_fits_a_phone_and_a_wall(open_page):
    for width in (320, 700, 1600):
        page = open_page("scenario=eight", width=width)
        over = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0


def test_nothing_is_drawn_off_screen_and_a_wall_of_charts_is_drawn_five_times_a_second(open_page):
    page = open_page("scenario=load", height=1100)
    page.evaluate(COUNT_DRAWINGS)
    page.wait_for_function("() => document.querySelectorAll('.pulse-chart canvas').length > 10")
    seconds = page.evaluate("""() => new Promise(done => {
        const start = performance.now();
        let ticks = 0;
        const timer = setInterval(() => {
            pulseDev.source.advance();
            if (++ticks < 20) return;
            clearInterval(timer);
            done((performance.now() - start) / 1000);
        }, 100);
    })""")
    charts = page.locator(".pulse canvas").count()
    assert 0 < page.evaluate("() => window.drawings") <= charts * (5 * seconds + 2)
    page.evaluate("() => { document.querySelector('.pulse').style.marginTop = '5000px' }")
    # The observer of what is in sight reports within two frames.
    page.evaluate("""() => new Promise(done => {
        const after = frames => frames === 0 ? setTimeout(done, 300)
            : requestAnimationFrame(() => after(frames - 1));
        after(3);
    })""")
    page.evaluate("() => { window.drawings = 0 }")
    page.evaluate("() => { for (let i = 0; i < 5; i++) pulseDev.source.advance() }")
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.drawings") == 0


def test_leaving_takes_everything_along(open_page):
    page = open_page("scenario=one")
    page.evaluate("() => { pulseDev.unmount(); pulseDev.source.advance() }")
    page.wait_for_timeout(300)
    assert page.locator(".pulse").count() == 0


def test_keys_pressed_in_the_dashboard_do_not_reach_the_notebook(page, lab):
    page.open(lab.notebook("import pulse_widgets as pw\npw.monitor(record=False)"))
    page.run(0)
    browser = page.page
    browser.locator(".pulse .pulse-chart .u-over").first.wait_for()
    browser.locator(".pulse").first.focus()
    for key in ("a", "b", "p"):
        browser.keyboard.press(key)
    browser.locator(".pulse-status", has_text="Paused").wait_for()
    assert browser.locator(".jp-CodeCell").count() == 1


WHOLE = """value => value.scrollWidth <= value.clientWidth
    && value.getBoundingClientRect().right
        <= value.closest('.pulse-chart').getBoundingClientRect().right"""


@pytest.mark.parametrize("width", [320, 500, 1200])
def test_a_name_gives_way_to_its_value(open_page, width):
    page = open_page("scenario=names", width=width, height=3000)
    own = page.locator(".pulse-group[aria-label='Your metrics'] .pulse-chart")
    values = own.locator(".pulse-now:not(:empty)")
    texts = eventually(values.all_inner_texts, lambda texts: len(texts) >= 4)
    assert "399" in texts
    assert "12\u202f346" in texts
    assert all(value.evaluate(WHOLE) for value in values.all())
    title = own.locator("h4[title^='a/very/long']")
    assert title.get_attribute("title").endswith("x" * 120)
    assert title.evaluate("title => title.scrollWidth > title.clientWidth")


CROWDED = """() => {
    const root = document.querySelector('.pulse').getBoundingClientRect();
    const selector = '.pulse-toolbar button, .pulse-status, .pulse-gpu-name, .pulse-card-name,'
        + ' .pulse-card-value, .pulse-card-note > *, .pulse-strip [data-part]';
    const shown = [...document.querySelectorAll(selector)].filter(el => el.getClientRects().length);
    const text = el => {
        const range = document.createRange();
        range.selectNodeContents(el);
        const [own, box] = [range.getBoundingClientRect(), el.getBoundingClientRect()];
        const cut = getComputedStyle(el).overflow === 'hidden';
        return { el, left: own.left, right: cut ? Math.min(own.right, box.right) : own.right,
                 top: own.top, bottom: own.bottom };
    };
    // What does not fit on a card is left out whole, out of sight.
    const hides = el => el && getComputedStyle(el).overflowY === 'hidden';
    const left_out = el => hides(el.parentElement)
        && el.getBoundingClientRect().top >= el.parentElement.getBoundingClientRect().bottom - 1;
    const texts = shown.filter(el => !left_out(el)).map(text).filter(one => one.right > one.left);
    const faults = texts.filter(one => one.right > root.right + 0.5 || one.left < root.left)
        .map(one => `${one.el.textContent} sticks out`);
    for (const one of shown.filter(el => el.matches('button'))) {
        if (one.scrollWidth > one.clientWidth || one.clientHeight > 30)
            faults.push(`${one.textContent} is clipped`);
    }
    for (const one of shown.filter(el => el.matches('.pulse-gpu-name, .pulse-card-name'))) {
        if (one.clientWidth < Math.min(one.scrollWidth, 36))
            faults.push(`${one.textContent} is not told`);
    }
    texts.forEach((a, i) => texts.slice(i + 1).forEach(b => {
        const apart = a.right <= b.left + 0.5 || b.right <= a.left + 0.5
            || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
        if (!apart) faults.push(`${a.el.textContent} over ${b.el.textContent}`);
    }));
    return faults;
}"""


@pytest.mark.parametrize("layout", ["dashboard", "strip"])
@pytest.mark.parametrize("width", [500, 430, 400, 320, 250, 170, 132])
def test_no_number_and_no_button_stands_over_another(chrome, site, layout, width):
    page = chrome.new_page(viewport={"width": 700, "height": 900})
    page.goto(f"{site}?scenario=one&layout={layout}&width={width}")
    page.wait_for_selector(".pulse-card-value, .pulse-strip b")
    assert page.evaluate(CROWDED) == []
    page.close()


def test_of_very_many_metrics_the_first_are_shown_and_the_others_on_request(open_page):
    page = open_page("scenario=flood", compact=True)
    own = page.locator(".pulse-group[aria-label='Your metrics']")
    charts = own.locator(".pulse-chart")
    eventually(charts.count, lambda count: count == 3)
    own.locator(".pulse-more:visible").first.click()
    first = eventually(charts.count, lambda count: count > 3)
    own.get_by_role("button", name="more of").click()
    eventually(charts.count, lambda count: count > first)
    own.locator(".pulse-more:visible").first.click()
    eventually(charts.count, lambda count: count == 3)


def test_the_tooltip_has_every_line_whole_and_within_the_dashboard(open_page):
    page = open_page("scenario=eight", width=1000, height=900)
    root = page.locator(".pulse").bounding_box()
    x, y, width, height = plot(page)
    for share in (0.05, 0.5, 0.95):
        page.mouse.move(x + width * share, y + height / 2)
        tip = page.locator(".pulse-tip:visible")
        names = tip.locator(".pulse-tip-line span").all_inner_texts()
        assert sorted(names) == [f"GPU {i}" for i in range(8)]
        values = [float(t.split()[0]) for t in tip.locator("b").all_inner_texts()]
        assert values == sorted(values, reverse=True)
        box = tip.bounding_box()
        assert box["x"] >= root["x"]
        assert box["x"] + box["width"] <= root["x"] + root["width"]
        cut = "els => els.filter(el => el.scrollWidth > el.clientWidth + 1).length"
        assert tip.locator("span, b").evaluate_all(cut) == 0


def test_a_missing_reading_is_said_to_be_missing(open_page):
    page = open_page("scenario=one")
    x, y, width, height = plot(page)
    # Readings are missing from 110 s to 70 s before the end of 240 s.
    page.mouse.move(x + width * 0.6, y + height / 2)
    assert page.locator(".pulse-tip:visible b").inner_text() == "missing"


def test_text_twins_have_headers_for_columns_and_rows(open_page):
    page = open_page("scenario=one")
    read = """table => [
        [...table.querySelectorAll('thead th')].map(th => [th.scope, th.textContent]),
        [...table.querySelectorAll('tbody th')].map(th => th.scope),
    ]"""
    page.wait_for_selector(".pulse-timeline table tbody th", state="attached")
    head, rows = page.locator(".pulse-timeline table").evaluate(read)
    assert head == [["col", name] for name in ("name", "kind", "start", "end")]
    assert set(rows) == {"row"}
    page.wait_for_selector(".pulse-chart table tbody th", state="attached")
    head, rows = page.locator(".pulse-chart table").first.evaluate(read)
    assert head == [["col", name] for name in ("series", "last", "lowest", "highest")]
    assert set(rows) == {"row"}


INKS = """() => {
    const canvas = document.querySelector('.pulse-chart canvas');
    // The chart over time goes before the one over steps is there.
    if (!canvas) return [];
    const over = document.querySelector('.pulse-chart .u-over').getBoundingClientRect();
    const box = canvas.getBoundingClientRect();
    const x = Math.round(over.left - box.left + over.width * 0.31);
    const top = Math.round(over.top - box.top);
    const pen = canvas.getContext('2d');
    const { data } = pen.getImageData(x, top + 2, 1, Math.round(over.height) - 4);
    const inks = [];
    let rest = 0;
    for (let i = 0; i < data.length; i += 4) {
        // Grey is the grid; a line may lie between two pixels.
        const ink = data[i + 2] - data[i] > 25 ? data[i + 3] / 255 : 0;
        if (ink > 0) rest += ink;
        else if (rest > 0) { inks.push(rest); rest = 0; }
    }
    return inks;
}"""


def test_steps_that_begin_anew_are_drawn_before_their_older_runs_which_are_paler(open_page):
    page = open_page("scenario=restart&layout=charts&metrics=val/loss", height=600)
    page.locator("button:text-is('Step')").click()
    inks = eventually(lambda: page.evaluate(INKS), lambda inks: len(inks) == 3)
    *older, newest = inks
    assert newest > 0.8
    assert max(older) < 0.6


def test_between_two_readings_a_still_picture_has_the_one_before_and_never_a_dash(open_page):
    page = open_page("scenario=one", height=1000)
    page.locator(".pulse").focus()
    for _ in range(14):
        page.keyboard.press("+")
    wait_for_status(page, "Zoomed")
    values = page.locator(".pulse-now:not(:empty)")
    # Readings are a second apart: none is in the picture.
    eventually(lambda: width_in_view(page), lambda seconds: seconds < 0.1)
    page.mouse.move(1, 1)
    texts = eventually(values.all_inner_texts, lambda texts: len(texts) > 4)
    assert [text for text in texts if not re.search(r"\d", text)] == []

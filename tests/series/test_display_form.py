import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.metrics.rates import rate
from pulse_widgets.series.display_form import DisplayForm, display_series
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.stage import Stage


def counters(count=1):
    registry = Registry()
    for number in range(count):
        registry.add("h0", f"disk:{number}", "disk.read.total", unit="B", kind="counter")
    return registry


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 2**40)), min_size=2, max_size=40),
    st.integers(1, 7),
)
def test_rates_shown_block_by_block_are_those_of_the_whole_counter(readings, block):
    shown = DisplayForm(counters())
    count = np.array([np.nan if r is None else r for r in readings], float)
    time = np.arange(len(count)) * 1_000_000 + 1

    parts = [
        shown.take(
            Rows.of([0] * len(time[i : i + block]), time[i : i + block], count[i : i + block])
        )
        for i in range(0, len(count), block)
    ]
    got = np.concatenate([rows.value for rows, _ in parts])

    np.testing.assert_allclose(got, rate(time / 1e6, count)[1:], rtol=1e-9)


def test_the_first_reading_of_a_counter_shows_nothing_rather_than_zero():
    rows, _ = DisplayForm(counters()).take(Rows.of([0], [1], [100.0]))

    assert len(rows) == 0


def test_counters_of_many_series_in_one_block_do_not_mix():
    shown = DisplayForm(counters(2))

    rows, _ = shown.take(
        Rows.of([0, 1, 1, 0], [0, 0, 1_000_000, 2_000_000], [10.0, 100.0, 150.0, 30.0])
    )

    assert rows.series.tolist() == [1, 0]
    assert rows.value.tolist() == [50.0, 10.0]


def test_a_users_key_that_looks_like_a_counter_is_shown_as_it_was_logged():
    registry = Registry()
    registry.add("h0", "user", "cpu.user.total")

    rows, _ = DisplayForm(registry).take(Rows.of([0], [1], [3.0]))

    assert rows.value.tolist() == [3.0]
    assert display_series(registry[0])["metric"] == "cpu.user.total"


def test_a_counter_is_announced_under_the_name_and_unit_of_its_rate():
    announced = display_series(counters()[0])

    assert announced["metric"] == "disk.read"
    assert announced["unit"] == "B/s"


def test_infinite_values_are_shown_as_missing():
    registry = Registry()
    registry.add("h0", "user", "loss")

    rows, _ = DisplayForm(registry).take(Rows.of([0, 0], [1, 2], [np.inf, 1.0]))

    assert np.isnan(rows.value[0])
    assert rows.value[1] == 1.0


def test_marks_and_cells_become_events_and_are_not_drawn_as_values():
    registry = Registry()
    registry.add("h0", "kernel", "mark", kind="text")

    rows, events = DisplayForm(registry).take(
        Rows.of([0], [1_500_000], [np.nan], text=[json.dumps({"label": "epoch 2"})])
    )

    assert len(rows) == 0
    assert events.plain() == {
        "moments": [
            {"time": 1.5, "host": "h0", "entity": "kernel", "metric": "mark",
             "facts": {"label": "epoch 2"}}
        ]
    }  # fmt: skip


def test_a_stage_gives_each_follower_everything_once():
    registry = Registry()
    registry.add("h0", "user", "loss")
    stage = Stage(registry, 1.0)
    early = stage.subscribe()
    stage.show(Rows.of([0], [1], [1.0]))
    late = stage.subscribe()

    stage.show(Rows.of([0], [2], [2.0]))

    assert early.take()[0].value.tolist() == [1.0, 2.0]
    assert late.take()[0].value.tolist() == [2.0]
    assert len(early.take()[0]) == 0


def test_a_log_keeps_blocks_until_its_slowest_cursor_has_passed():
    log = Log()
    fast, slow = log.cursor(), log.cursor()
    log.append(Rows.of([0], [1], [1.0]))
    log.append(Rows.of([0], [2], [2.0]))

    assert len(fast.take()) == 2
    held = log.nbytes
    slow.move(1)

    assert held > log.nbytes > 0
    assert slow.take().value.tolist() == [2.0]
    assert log.nbytes == 0


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.one_of(st.just(np.nan), st.integers(0, 9).map(float))),
    max_size=60,
)


@given(ROWS, st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_blocks_of_any_make_up_are_shown_as_one_row_after_the_other_would_be(rows, sizes):
    registry = counters(3)
    registry.add("h0", "host", "memory.used", unit="B")
    registry.add("h0", "host", "event", kind="text")
    shown, got, events, at = DisplayForm(registry), [], 0, 0
    while at < len(rows):
        part = rows[at : at + sizes[at % len(sizes)]]
        time = [(at + place + 1) * 500_000 for place in range(len(part))]
        text = ["{}" if series == 4 else "" for series, _ in part]
        block = Rows.of([series for series, _ in part], time, [v for _, v in part], text=text)
        taken, said = shown.take(block)
        got += zip(taken.series.tolist(), taken.time.tolist(), taken.value.tolist(), strict=True)
        events += len(said)
        at += len(part)

    wanted, last = [], {}
    for place, (series, value) in enumerate(rows):
        time = (place + 1) * 500_000
        if series < 3:
            if series in last:
                before, value_before = last[series]
                rise = value - value_before
                speed = rise / ((time - before) / 1e6) if rise >= 0 else np.nan
                wanted.append((series, time, speed))
            last[series] = time, value
        elif series == 3:
            wanted.append((series, time, value))
    np.testing.assert_array_equal(np.array(got), np.array(wanted))
    assert events == sum(series == 4 for series, _ in rows)

"""Spans, told live block by block, and in a recording from all their rows at once."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.insight.spans import spans
from pulse_widgets.series.columns import Columns, Packed, SeriesKey
from pulse_widgets.series.display_form import DisplayForm
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.spans import OPEN_MOST, Pairing

SECOND = 1_000_000

ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["a", "b", ""]),
        st.one_of(st.just(math.nan), st.integers(0, 5).map(float)),
    ),
    max_size=30,
)


def text_of(number, name):
    return json.dumps({"at": number} | ({"id": name} if name else {}))


@given(ROWS, st.integers(1, 7))
def test_a_view_that_heard_every_block_knows_the_spans_of_the_recording(rows, block):
    registry = Registry()
    for number in range(3):
        registry.add("h0", f"host:{number}", "task", kind="span")
    shown, told = DisplayForm(registry), []
    times = [(n + 10) * SECOND for n in range(len(rows))]
    for at in range(0, len(rows), block):
        part = rows[at : at + block]
        text = [text_of(at + n, name) for n, (_, name, _) in enumerate(part)]
        ids, values = [s for s, _, _ in part], [v for _, _, v in part]
        told += shown.take(Rows.of(ids, times[at : at + block], values, text=text))[1].spans

    recorded = []
    for number in range(3):
        mine = [n for n, row in enumerate(rows) if row[0] == number]
        columns = Columns(
            np.array([times[n] for n in mine], np.int64),
            np.zeros(len(mine), np.int64),
            np.array([rows[n][2] for n in mine], float),
            Packed.of_texts([text_of(n, rows[n][1]) for n in mine]),
        )
        recorded += spans([(SeriesKey("h0", f"host:{number}", "task"), columns)])

    def known(entity, start, end, facts):
        return entity, start, end, facts["at"]

    ended = [s for s in told if s.end is not None]
    live = sorted(known(s.entity, round(s.start * 1e6), round(s.end * 1e6), s.facts) for s in ended)
    kept = [(key, s) for key, s in recorded if s.end is not None]
    assert live == sorted(known(key.entity, s.start, s.end, s.facts) for key, s in kept)
    begun = {(s.entity, s.facts["at"]) for s in told if s.end is None}
    assert begun >= {(key.entity, s.facts["at"]) for key, s in recorded if s.end is None}


def test_spans_that_never_end_do_not_fill_the_memory():
    pairing = Pairing()
    for number in range(OPEN_MOST + 10):
        pairing.take(0, number, math.nan, json.dumps({"id": number}))

    waiting = pairing.waiting()
    assert len(waiting) == OPEN_MOST
    assert waiting[-1].name == str(OPEN_MOST + 9)


REPEATS = st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.integers(1, 3)), max_size=8)


@given(REPEATS, st.booleans())
def test_a_start_row_that_comes_again_begins_and_ends_nothing(begun, ended):
    registry = Registry()
    number = registry.add("h0", "kernel", "task", kind="span")
    rows = []
    for nth, (name, times) in enumerate(begun):
        rows += [((10 * nth + 10) * SECOND, math.nan, text_of(nth, name))] * times
        if ended or nth + 1 < len(begun):
            rows.append(((10 * nth + 15) * SECOND, 5.0, text_of(nth, name)))
    columns = Columns(
        np.array([time for time, _, _ in rows], np.int64),
        np.zeros(len(rows), np.int64),
        np.array([value for _, value, _ in rows], float),
        Packed.of_texts([text for _, _, text in rows]),
    )
    shown = (
        DisplayForm(registry)
        .take(
            Rows.of(
                [number] * len(rows),
                [time for time, _, _ in rows],
                [value for _, value, _ in rows],
                text=[text for _, _, text in rows],
            )
        )[1]
        .spans
    )

    recorded = [one for _, one in spans([(SeriesKey("h0", "kernel", "task"), columns)])]
    expected = [
        (
            (10 * nth + 10) * SECOND,
            (10 * nth + 15) * SECOND if ended or nth + 1 < len(begun) else None,
        )
        for nth in range(len(begun))
    ]
    assert [(one.start, one.end) for one in recorded] == expected
    # A page replaces what it has of a span by its id and start.
    on_page = {(one.id, round(one.start * 1e6)): one.end and round(one.end * 1e6) for one in shown}
    assert sorted((start, end) for (_, start), end in on_page.items()) == expected

"""Envelopes enclose and count every value, and none reaches across a gap."""

from __future__ import annotations

import math
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.series.columns import Columns, Packed
from pulse_widgets.series.envelopes import Envelopes
from pulse_widgets.series.gaps import gaps_of
from pulse_widgets.series.levels import Drawn, levels_of
from pulse_widgets.series.rates import shown_values
from pulse_widgets.storage.extent import Extent
from pulse_widgets.storage.overview import WORTH, Overview, overview_mark
from pulse_widgets.storage.overview_file import OverviewFile
from pulse_widgets.storage.place import Local

SECOND = 1_000_000
LOGGED = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]

ordinary = st.one_of(st.floats(-1e6, 1e6), st.integers(0, 5).map(float))
odd = st.one_of(
    st.floats(), st.just(math.nan), st.just(LOGGED), st.just(math.inf), st.floats(1e300, 1.7e308)
)
stretch = st.tuples(
    st.sampled_from([0, 1000, 100_000, SECOND, 3600 * SECOND]),
    st.integers(1, 700),
    ordinary,
    st.one_of(st.none(), odd),
)
series = st.tuples(
    st.sampled_from(["gauge", "counter", "state"]),
    st.sampled_from(["host", "user"]),
    st.lists(stretch, min_size=1, max_size=8),
)


def columns(times, values, text=None) -> Columns:
    time = np.asarray(times, np.int64)
    return Columns(time, np.zeros(len(time), np.int64), np.asarray(values, np.float64), text)


def drawn(kind, entity, stretches) -> Drawn:
    """Rows of a random walk at changing rates; odd values stand between the stretches."""
    rnd, times, values, now, level = np.random.default_rng(0), [], [], 0, 0.0
    for spacing, count, start, between in stretches:
        steps = rnd.normal(size=count)
        level = level + np.abs(steps).sum() if kind == "counter" else start
        times += (now + spacing * np.arange(1, count + 1)).tolist()
        values += (level + np.cumsum(np.abs(steps) if kind == "counter" else steps)).tolist()
        now = times[-1]
        if between is not None:
            times.append(now)
            values.append(between)
    return Drawn(kind, entity, columns(times, values))


def expected(one: Drawn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which rows begin a run, which are missing readings, and what is drawn, the slow way."""
    c = one.columns
    gaps = gaps_of(c.time, c.value, one.kind, one.entity)
    begins = np.zeros(len(c), np.bool_)
    begins[0] = True
    begins[gaps.silent] = True
    begins[1:] |= gaps.absent[:-1] | gaps.absent[1:]
    shown = shown_values(one.kind, c).copy()
    if one.kind == "counter":
        shown[begins] = np.nan
    return begins, gaps.absent, shown


def rows_of(blocks: Envelopes) -> list[slice]:
    """The rows that each block stands for."""
    ends = np.cumsum(blocks.rows)
    return [slice(int(e - n), int(e)) for e, n in zip(ends, blocks.rows, strict=True)]


def check(one: Drawn, levels: dict[int, Envelopes]) -> None:
    begins, absent, shown = expected(one)
    c, finite = one.columns, np.isfinite(shown)
    for size, blocks in levels.items():
        assert blocks.rows.sum() == len(c)
        assert (blocks.start <= blocks.end).all()
        assert (blocks.start[1:] >= blocks.end[:-1]).all()
        assert blocks.count.sum() == finite.sum()
        for place, rows in enumerate(rows_of(blocks)):
            inside, known = shown[rows], shown[rows][finite[rows]]
            count = int(blocks.count[place])
            assert count == len(known)
            assert (count > 0) == bool(blocks.least[place] <= blocks.greatest[place])
            if count:
                # No block with values reaches across a break.
                assert not begins[rows][1:].any()
                assert not absent[rows].any()
                assert blocks.least[place] <= known.min()
                assert blocks.greatest[place] >= known.max()
                assert (blocks.start[place], blocks.end[place]) == (
                    c.time[rows.start], c.time[rows.stop - 1],
                )  # fmt: skip
            assert blocks.rows[place] <= size
            if blocks.gap[place]:
                last = rows.start if blocks.rows[place] else rows.start - 1
                after = min(last + 1, len(c) - 1)
                assert (blocks.start[place], blocks.end[place]) == (c.time[last], c.time[after])
                assert len(inside) == blocks.rows[place] <= 1
            elif len(inside):
                newest = c.value[rows][-1]
                assert blocks.last[place] == newest or (
                    math.isnan(newest) and math.isnan(blocks.last[place])
                )
        assert blocks.gap.sum() == absent.sum() + len(gaps_of_kind(one).silent)


def by_the_page(one: Drawn) -> dict[int, list[int]]:
    """The rows of each block, in levels, as the format's page has it, word by word."""
    c = one.columns
    gaps = gaps_of_kind(one)
    # Runs of rows, and gaps as numbers between them.
    runs: list[list[int] | int] = []
    for row in range(len(c)):
        if row in gaps.silent:
            runs.append(0)
        if gaps.absent[row]:
            runs.append(1)
        elif row and isinstance(runs[-1], list):
            runs[-1].append(1)
        else:
            runs.append([1])
    levels, size, by = {}, 64, 64
    while True:
        runs = [r if isinstance(r, int) else [sum(r[k : k + by]) for k in range(0, len(r), by)] for r in runs]  # fmt: skip
        blocks = [n for r in runs for n in (r if isinstance(r, list) else [r])]
        before = levels.get(size // 8)
        if before is not None and (len(before) <= 64 or 2 * len(blocks) > len(before)):
            return levels
        levels[size] = blocks
        size, by = size * 8, 8


def gaps_of_kind(one: Drawn):
    return gaps_of(one.columns.time, one.columns.value, one.kind, one.entity)


def divided(levels: list, count: int) -> list[dict[int, Envelopes]]:
    """The levels of each series."""
    return [
        {
            lv.size: lv.envelopes.take(lv.owner == place)
            for lv in levels
            if (lv.owner == place).any()
        }
        for place in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(series, min_size=1, max_size=4))
def test_every_value_lies_in_one_block_and_no_block_with_values_spans_a_gap(script):
    several = [drawn(*one) for one in script]

    levels = levels_of(several)

    for one, held in zip(several, divided(levels, len(several)), strict=True):
        assert {size: blocks.rows.tolist() for size, blocks in held.items()} == by_the_page(one)
        check(one, held)


@settings(max_examples=40, deadline=None)
@given(st.lists(series, min_size=1, max_size=4))
def test_coarser_levels_agree_with_the_finest_and_stop_where_they_gain_nothing(script):
    several = [drawn(*one) for one in script]

    for held in divided(levels_of(several), len(several)):
        finest = held[64]
        for size, blocks in held.items():
            finer = held.get(size // 8)
            if finer is not None:
                assert len(finer) > 64
                assert 2 * len(blocks) <= len(finer)
            assert blocks.rows.sum() == finest.rows.sum()
            assert np.nanmin([np.inf, *blocks.least]) == np.nanmin([np.inf, *finest.least])
            assert np.nanmax([-np.inf, *blocks.greatest]) == np.nanmax([-np.inf, *finest.greatest])
            # Gaps go through unchanged.
            for name in Envelopes.__slots__:
                gaps = [getattr(c.take(c.gap), name) for c in (blocks, finest)]
                assert gaps[0].tobytes() == gaps[1].tobytes()


@settings(max_examples=40, deadline=None)
@given(script=st.lists(series, min_size=1, max_size=4), numbers=st.randoms())
def test_what_is_written_is_read_back_enclosing_the_same_values(script, numbers, tmp_path_factory):
    several = [drawn(*one) for one in script]
    overview, number, at = Overview(), -1, []
    for one in several:
        number += numbers.randint(1, 3)
        at.append(number)
        overview.add(number, one.kind, one.entity, one.columns)
    blob = overview.blob()
    path = tmp_path_factory.mktemp("o") / "file"
    path.write_bytes(b"x" * 77 + blob + b"rest")

    read = OverviewFile(Local(path).open(), overview_mark(blob, 77).encode())

    for number, one, exact in zip(
        at, several, divided(levels_of(several), len(several)), strict=True
    ):
        c = one.columns
        extent = Extent(len(c), int(c.time[0]), int(c.time[-1]))
        held = read.levels(number, extent)
        if not held:
            assert len(exact[64]) > max(64, len(c) / WORTH)
            continue
        check(one, held)
        for size, blocks in held.items():
            for name in ("rows", "start", "end", "count", "last"):
                same = [getattr(x, name).tobytes() for x in (blocks, exact[size])]
                assert same[0] == same[1]
            there = blocks.count > 0
            mean = blocks.mean[there]
            assert ((blocks.least[there] <= mean) & (mean <= blocks.greatest[there])).all()
            near = np.isfinite(exact[size].mean) & (np.abs(exact[size].mean) < 1e30) & there
            assert blocks.mean[near] == pytest.approx(exact[size].mean[near], rel=1e-6, abs=1e-30)


def one_series(times, values, kind="gauge", entity="host", text=None) -> Envelopes:
    return levels_of([Drawn(kind, entity, columns(times, values, text))])[0].envelopes


def test_a_missing_reading_is_a_block_until_the_next_row():
    times = [*range(0, 100 * SECOND, SECOND), 5000 * SECOND, 5001 * SECOND]
    values = [*[1.0] * 99, math.nan, 2.0, math.nan]

    blocks = one_series(times, values)

    assert blocks.rows.tolist() == [64, 35, 1, 1, 1]
    assert blocks.count.tolist() == [64, 35, 0, 1, 0]
    assert blocks.gap.tolist() == [False, False, True, False, True]
    assert (blocks.start[2], blocks.end[2]) == (99 * SECOND, 5000 * SECOND)
    # The last one has no row after it.
    assert (blocks.start[4], blocks.end[4]) == (5001 * SECOND, 5001 * SECOND)
    assert np.isnan(blocks.least[2]) and np.isnan(blocks.greatest[2]) and np.isnan(blocks.mean[2])


def test_a_silence_is_a_block_of_no_rows_between_its_neighbours():
    times = [*range(0, 100 * SECOND, SECOND), *range(9000 * SECOND, 9100 * SECOND, SECOND)]

    blocks = one_series(times, [1.0] * 200)
    users = one_series(times, [1.0] * 200, entity="user")

    assert blocks.rows.tolist() == [64, 36, 0, 64, 36]
    assert (blocks.start[2], blocks.end[2]) == (99 * SECOND, 9000 * SECOND)
    assert users.rows.tolist() == [64, 64, 64, 8]


def test_the_rate_of_a_counter_is_unknown_across_a_gap_and_between_equal_times():
    times = [*range(0, 20 * SECOND, SECOND), 19 * SECOND]
    times += [t + 9000 * SECOND for t in times]
    values = [*range(21), *range(100, 121)]

    blocks = one_series(times, values, "counter")

    assert blocks.rows.tolist() == [21, 0, 21]
    assert blocks.count.tolist() == [19, 0, 19]
    assert blocks.greatest.tolist()[::2] == [1.0, 1.0]
    assert blocks.last.tolist()[::2] == [20.0, 120.0]


def test_infinities_and_logged_nan_are_rows_but_not_values():
    blocks = one_series(range(6), [1.0, math.inf, LOGGED, -math.inf, 3.0, LOGGED])

    assert (blocks.rows.tolist(), blocks.count.tolist()) == ([6], [2])
    assert (blocks.least[0], blocks.greatest[0], blocks.mean[0]) == (1.0, 3.0, 2.0)
    assert blocks.last.view(np.int64)[0] & 1 == 1


def test_the_words_of_a_state_are_no_gaps():
    words = Packed.of_texts(["idle"] * 65 + [""])

    blocks = one_series(range(66), [math.nan] * 66, "state", text=words)

    assert blocks.rows.tolist() == [64, 1, 1]
    assert blocks.gap.tolist() == [False, False, True]
    assert (blocks.last.view(np.int64) & 1).tolist() == [1, 1, 0]


def test_a_series_of_hardly_anything_but_gaps_has_no_blocks_in_the_file():
    several = [1.0, math.nan] * 1000
    overview = Overview()
    overview.add(0, "gauge", "user", columns(range(2000), several))
    overview.add(1, "gauge", "user", columns(range(2000), [1.0] * 2000))
    overview.add(2, "gauge", "user", columns(range(64), several[:64]))

    blob = overview.blob()

    assert sorted(set(pa.parquet.read_table(pa.BufferReader(blob))["series"].to_pylist())) == [1, 2]


@pytest.mark.parametrize("kind", ["span", "text", "media"])
def test_what_has_no_numbers_has_no_blocks(kind):
    overview = Overview()
    overview.add(0, kind, "host", columns([1], [1.0]))
    overview.add(1, "gauge", "host", columns([], []))

    assert pa.parquet.read_metadata(pa.BufferReader(overview.blob())).num_rows == 0

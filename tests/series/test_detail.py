"""A page that asks for detail gets every row, or the exact envelopes of all rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.series.detail import ROWS_A_POINT, detail_of
from pulse_widgets.series.rows import NO_STEP, Rows


@st.composite
def drawn_rows(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 200))
    value = random.normal(size=count) * 10.0 ** draw(st.integers(-3, 9))
    value[random.random(count) < draw(st.sampled_from([0, 0.1, 0.9]))] = math.nan
    number, step = random.integers(0, 4, count), random.integers(-1, 9, count)
    time = random.integers(0, draw(st.sampled_from([30, 10**9])), count)
    return list(zip(*(each.tolist() for each in (number, time, value, step)), strict=True))


@given(drawn_rows(), st.integers(1, 9))
def test_the_detail_of_a_series_is_all_its_rows_or_what_a_loop_over_them_finds(rows, points):
    given_rows = Rows.of(
        [r[0] for r in rows],
        [r[1] for r in rows],
        [r[2] for r in rows],
        [r[3] if r[3] >= 0 else NO_STEP for r in rows],
    )
    counts = {number: sum(r[0] == number for r in rows) for number in range(4)}
    many = [number for number, count in counts.items() if count > ROWS_A_POINT * points]

    left, screen = detail_of(given_rows, points)

    few = sorted((r for r in rows if r[0] not in many), key=lambda r: (r[0], r[1]))
    assert left.series.tolist() == [r[0] for r in few]
    assert left.time.tolist() == [r[1] for r in few]
    assert repr(left.value.tolist()) == repr([r[2] for r in few])
    if not many:
        assert screen is None
        return
    assert screen.ids.tolist() == many
    assert screen.low.shape == (len(many), points)
    edges = np.round(screen.edges * 1e6)
    assert edges[0] == min(r[1] for r in rows if r[0] in many)
    for line, number in enumerate(many):
        mine = sorted((r for r in rows if r[0] == number), key=lambda r: r[1])
        known = [r[2] for r in mine if not math.isnan(r[2])]
        assert np.nansum(screen.weight[line]) == len(known)
        for bucket in range(points):
            # Edges lie between two microseconds; rows within one of them may count on either side.
            sure = [r[2] for r in mine if edges[bucket] < r[1] < edges[bucket + 1] - 1]
            here = [v for v in sure if not math.isnan(v)]
            if here:
                assert screen.low[line, bucket] <= min(here)
                assert screen.high[line, bucket] >= max(here)
            if screen.weight[line, bucket] == len(here) and here:
                mean = math.fsum(here) / len(here)
                assert screen.mean[line, bucket] == pytest.approx(mean, rel=1e-9, abs=1e-3)
        total = np.nansum(screen.mean[line] * screen.weight[line])
        assert total == pytest.approx(math.fsum(known), rel=1e-9, abs=1e-2)


def test_an_outage_of_a_bucket_is_missing_there_and_a_short_one_is_not():
    time = np.arange(1000) * 1_000_000
    value = np.ones(1000)
    value[[100, 503]] = math.nan
    outage = (time > 100_000_000) & (time < 300_000_000)
    held = Rows.of(np.zeros((~outage).sum()), time[~outage], value[~outage])

    _, screen = detail_of(held, 10)

    assert screen.missing[0].tolist() == [False, True, True] + [False] * 7
    assert np.isnan(screen.mean[0]).tolist() == screen.missing[0].tolist()

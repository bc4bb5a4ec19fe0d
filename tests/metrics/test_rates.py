from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.metrics.rates import rate


def test_rate_is_nan_across_a_counter_reset():
    time_s = np.array([0.0, 1.0, 2.0, 3.0])
    count = np.array([10.0, 20.0, 0.0, 5.0])

    result = rate(time_s, count)

    np.testing.assert_array_equal(result, [np.nan, 10.0, np.nan, 5.0])


def test_rate_uses_the_time_between_readings():
    result = rate(np.array([0.0, 0.5, 2.5]), np.array([0.0, 1.0, 2.0]))

    np.testing.assert_array_equal(result, [np.nan, 2.0, 0.5])


def test_equal_times_have_no_rate():
    result = rate(np.array([1.0, 1.0, 2.0]), np.array([0.0, 4.0, 5.0]))

    np.testing.assert_array_equal(result, [np.nan, np.nan, 1.0])


def test_no_readings_have_no_rates():
    assert rate(np.array([]), np.array([])).shape == (0,)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        rate(np.zeros(2), np.zeros(3))


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**40)), min_size=1, max_size=50))
def test_a_missing_reading_never_becomes_a_number(readings):
    count = np.array([np.nan if r is None else r for r in readings], dtype=float)
    time_s = np.arange(len(count), dtype=float)

    result = rate(time_s, count)

    assert np.isnan(result[np.isnan(count)]).all()
    assert np.isnan(result[1:][np.isnan(count[:-1])]).all()
    assert not (result < 0).any()


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 10**6)), min_size=2, max_size=50))
def test_rates_times_their_seconds_add_up_to_the_counter(steps):
    time_s = np.cumsum([float(seconds) for seconds, _ in steps])
    count = np.cumsum([float(increase) for _, increase in steps])

    result = rate(time_s, count)

    np.testing.assert_allclose(np.sum(result[1:] * np.diff(time_s)), count[-1] - count[0])

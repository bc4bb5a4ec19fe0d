import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.series.history import History, Screen, find_rows, reduce_rows
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.wire import keyframe, live

START_US = 1_760_000_000_000_000


def rows(times_s, values, series=0, steps=None):
    ids = np.full(len(times_s), series, np.int32)
    times = [START_US + round(t * 1e6) for t in times_s]
    return Rows.of(ids, times, values, steps)


def drawn(screen: Screen, series: int = 0):
    """The buckets of one series that hold samples: start, end, low, high."""
    seen = screen.low[series] <= screen.high[series]
    at = np.flatnonzero(seen)
    return screen.edges[at], screen.edges[at + 1], screen.low[series][at], screen.high[series][at]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.floats(0.1, 40.0),
    st.integers(1, 50),
    st.integers(0, 2**32 - 1),
)
def test_every_recent_extreme_is_in_a_bucket_that_covers_its_time(count, spacing, block, seed):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.5, 1.5, count) * spacing)
    values = random.normal(size=count)
    history = History(1.0)

    for start in range(0, count, block):
        history.add(rows(times[start : start + block], values[start : start + block]))
    begin, end, low, high = drawn(history.screen())

    covered = times + START_US / 1e6 >= begin.min() if len(begin) else np.zeros(0)
    for time, value in zip(times[covered] + START_US / 1e6, values[covered], strict=True):
        bucket = np.flatnonzero((begin <= time) & (time < end))
        assert len(bucket) == 1
        assert low[bucket[0]] <= value <= high[bucket[0]]
    assert max(high) in values
    assert min(low) in values


def test_a_spike_of_one_sample_is_still_on_screen_three_hours_later():
    times = np.arange(0.0, 3 * 3600.0)
    values = np.zeros(len(times))
    values[1234] = 7.0
    history = History(1.0)

    for start in range(0, len(times), 60):
        history.add(rows(times[start : start + 60], values[start : start + 60]))
    _, _, _, high = drawn(history.screen())

    assert high.max() == 7.0
    assert (high == 7.0).sum() == 1


@pytest.mark.parametrize("interval_s", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("budget_bytes", [12_000, 250_000, 1 << 26])
@pytest.mark.parametrize("apart", [False, True], ids=["in order", "also late and far ahead"])
def test_a_screen_has_at_most_300_buckets_however_long_the_session(interval_s, budget_bytes, apart):
    history = History(interval_s, budget_bytes)
    most = 0

    for start in range(0, 100_000, 500):
        times = np.arange(start, start + 500, 10.0) * interval_s
        history.add(rows(times, np.ones(len(times))))
        if apart:
            history.add(rows([-start * interval_s], [1.0]))
            history.add(rows([(1e6 + 40 * start) * interval_s], [1.0]))
        most = max(most, history.screen().low.shape[1])

    assert (200 if budget_bytes > 12_000 else 20) < most <= 300


@pytest.mark.parametrize("readings", [300, 700, 1500, 3000])
def test_a_page_gets_96_series_of_mere_noise_in_150_kilobytes(readings):
    random = np.random.default_rng(readings)
    history = History(10.0)
    for start in range(0, readings, 100):
        times = np.repeat(np.arange(start, start + 100), 96) * 10_000_000 + START_US
        ids = np.tile(np.arange(96, dtype=np.int32), 100)
        history.add(Rows.of(ids, times, random.normal(size=len(ids))))

    packet = keyframe(0, live(history.screen()), series=[], entities=[], state={})

    assert len(packet) <= 150_000


def test_buckets_are_contiguous_and_finer_towards_the_end():
    history = History(1.0)
    for start in range(0, 5_000, 50):
        history.add(rows(np.arange(start, start + 50.0), np.ones(50)))

    widths = np.diff(history.screen().edges)

    assert (widths > 0).all()
    assert widths.max() < 5_000 / 100
    assert widths[-30:].tolist() == [0.5] * 30
    assert (widths[-50:-30] < 5).all()


@pytest.mark.parametrize("interval_s", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    "samples", [46, 200, 600, 3600, pytest.param(86_400, marks=pytest.mark.slow)]
)
def test_every_tenth_of_a_session_is_in_twenty_buckets_or_as_many_as_it_has_samples(
    interval_s, samples
):
    history = History(interval_s)
    for start in range(0, samples, 500):
        times = np.arange(start, min(start + 500, samples)) * interval_s
        history.add(rows(times, np.arange(len(times), dtype=float)))

    begin, end, _, _ = drawn(history.screen())

    place = ((begin + end) / 2 - START_US / 1e6) / (samples * interval_s)
    held = np.histogram(place, np.arange(11) / 10)[0]
    assert held.min() >= min(20, samples // 10 - 1)
    if samples <= 100:
        assert len(begin) == samples


def test_a_missing_reading_is_a_gap_and_an_empty_bucket_is_not():
    history = History(1.0)

    history.add(rows([0.0, 10.0, 11.0, 20.0], [1.0, np.nan, np.nan, 2.0]))
    screen = history.screen()

    at = lambda second: int(np.searchsorted(screen.edges, START_US / 1e6 + second, "right")) - 1  # noqa: E731
    assert screen.missing[0, at(10.0)]
    assert not screen.missing[0, at(5.0)]
    assert screen.low[0, at(5.0)] > screen.high[0, at(5.0)]


def test_a_value_followed_by_a_missing_reading_in_one_bucket_keeps_both():
    history = History(1.0)

    history.add(rows([0.0, 0.1, 0.2, 30.0], [5.0, 6.0, np.nan, 1.0]))
    screen = history.screen()

    _, _, low, high = drawn(screen)
    assert (low[0], high[0]) == (5.0, 6.0)
    assert screen.missing[0].any()


def test_steps_are_kept_for_the_series_that_have_them():
    history = History(1.0)

    history.add(rows([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], series=3, steps=[10, 20, 30]))
    history.add(rows([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], series=1))
    screen = history.screen()

    assert screen.stepped.tolist() == [3]
    assert np.nanmax(screen.step) == 30.0


def test_whole_rows_beyond_the_budget_are_forgotten_and_the_envelope_stays():
    history = History(1.0, budget_bytes=10_000)

    for start in range(0, 2_000, 100):
        history.add(rows(np.arange(start, start + 100.0), np.full(100, float(start))))

    kept = history.rows([0], 0, 2**62)
    assert 0 < len(kept) < 2_000
    assert history.forgotten_before_us > START_US
    assert np.nanmin(drawn(history.screen())[2]) == 0.0


def test_looking_up_rows_touches_only_blocks_of_that_time(monkeypatch):
    history = History(1.0)
    for second in range(2_000):
        history.add(rows([float(second)], [float(second)], series=second % 3))
    looked = []
    isin = np.isin
    monkeypatch.setattr(np, "isin", lambda *args: looked.append(args) or isin(*args))

    kept = history.rows([1], START_US + 500_000_000, START_US + 560_000_000)

    assert kept.value.tolist() == [float(s) for s in range(500, 561) if s % 3 == 1]
    assert len(looked) <= 70


def test_an_empty_history_has_an_empty_screen():
    assert History().screen().low.shape == (0, 0)


def test_a_series_that_appears_later_has_nothing_before():
    history = History(1.0)
    history.add(rows(np.arange(0, 100.0), np.ones(100)))

    history.add(rows([100.0], [3.0], series=500))
    screen = history.screen()

    assert screen.ids.tolist() == [0, 500]
    assert (screen.low[1] <= screen.high[1]).sum() == 1
    assert screen.last.tolist() == [1.0, 3.0]


def test_ids_without_rows_take_no_memory_and_are_in_no_picture():
    few, many = History(1.0), History(1.0)
    few.add(rows([0.0], [1.0], series=0))
    many.add(rows([0.0], [1.0], series=50_000))
    few.screen()

    assert many.screen().ids.tolist() == [50_000]
    assert many.screen([3, 50_000]).ids.tolist() == [50_000]
    # Only a number an id, to find its line.
    assert many.nbytes - few.nbytes <= 4 * 50_000


def test_steps_belong_to_their_series_whenever_it_got_its_first():
    history = History(1.0)
    history.add(rows([0.0], [1.0], series=7))
    history.add(rows([1.0, 2.0], [1.0, 2.0], series=9, steps=[5, 6]))
    history.add(rows([3.0], [1.0], series=8))
    history.add(rows([4.0], [1.0], series=7, steps=[70]))
    screen = history.screen()

    assert screen.ids.tolist() == [7, 8, 9]
    assert screen.stepped.tolist() == [7, 9]
    assert [np.nanmax(line) for line in screen.step] == [70, 6]


def test_envelopes_and_whole_rows_together_keep_to_the_budget():
    history = History(1.0, budget_bytes=10 << 20)
    ids = np.arange(500, dtype=np.int32)
    for second in range(600):
        time = np.full(500, START_US + second * 1_000_000)
        history.add(Rows.of(ids, time, np.full(500, float(second))))
    held = history.screen().low.size

    assert history.nbytes <= 10 << 20
    assert held > 500 * 100
    assert 0 < len(history.rows([3], 0, 2**62)) < 600


@given(
    st.lists(st.one_of(st.just(float("nan")), st.floats(-1e9, 1e9)), min_size=1, max_size=300),
    st.integers(1, 20),
)
def test_thinning_keeps_the_ends_the_extremes_and_every_missing_reading(values, points):
    given_rows = rows(np.arange(len(values), dtype=float), values)

    thinned, reduced = reduce_rows(given_rows, points)

    assert bool(reduced) == (len(values) > 4 * points)
    np.testing.assert_array_equal(thinned.value[[0, -1]], [values[0], values[-1]])
    array = np.array(values)
    if not np.isnan(array).all():
        assert np.nanmax(thinned.value) == np.nanmax(array)
        assert np.nanmin(thinned.value) == np.nanmin(array)
    assert np.isnan(thinned.value).sum() == np.isnan(array).sum()
    assert (np.diff(thinned.time) > 0).all()
    assert (thinned.step == NO_STEP).all()


def test_the_newest_value_of_each_series_is_kept_as_it_is():
    history = History(1.0)
    history.add(Rows.of([0, 1, 0, 2], [0, 0, 900_000, 0], [1.0, 5.0, 0.123456789, 7.0]))
    # Later arrivals of older times do not count; a missing reading does.
    history.add(Rows.of([0, 2], [500_000, 1_000_000], [9.0, np.nan]))

    screen = history.screen([0, 1, 2])

    np.testing.assert_array_equal(screen.last, [0.123456789, 5.0, np.nan])


def test_everything_is_every_row_of_some_series_or_nothing():
    history = History(1.0)
    blocks = [rows([k], [k], series=k % 3) for k in range(200)]
    for block in blocks:
        history.add(block)

    some = find_rows(history.everything(200), [0, 2])
    assert sorted(some.value.tolist()) == [k for k in range(200) if k % 3 != 1]
    assert len(history.everything(199)) == 0
    assert len(history.everything(0)) == 0


def test_what_has_forgotten_something_is_not_everything():
    history = History(1.0, budget_bytes=0)
    for k in range(200):
        history.add(rows([k], [k]))

    assert history.forgotten_before_us > 0
    assert len(history.everything(200)) == 0


@pytest.mark.parametrize(("steps", "most"), [(None, 25_000), (range(4_000), 31_000)])
def test_a_series_takes_as_much_memory_as_is_said_however_long_the_session(steps, most):
    history = History(1.0)
    for start in range(0, 400_000, 4_000):
        times = np.arange(start, start + 4_000, 100.0)
        for series in range(16):
            some = None if steps is None else steps[: len(times)]
            history.add(rows(times, times, series, some))
    history.screen()
    history.release()

    assert most - 2_000 < history.nbytes / 16 <= most

"""A replay shows every gap of a recording, at every zoom, and reads no more than it needs."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.exchange.picture.document import figure_html
from pulse_widgets.library import replay_provider as replay
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.header import NO_EVENTS
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.screen_builder import BUCKETS, ScreenBuilder
from pulse_widgets.storage import overview_file
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.segment import ParquetSegment
from tests.storage.bench import START_US, Bench, noise

SECOND = 1_000_000
OUTAGE = 3 * 3600 * SECOND
METRIC = {"gauge": "gpu.power", "counter": "disk.read.total"}


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "run.pulse")
    yield made
    made.writer.close()


def write(bench, number, times, values, steps=None) -> None:
    for first in range(0, len(times), 50_000):
        part = slice(first, first + 50_000)
        ids = np.full(len(times[part]), number, np.int32)
        bench.writer.append(
            Rows.of(ids, times[part], values[part], None if steps is None else steps[part])
        )


def outage(bench, kind, gap, rows, entity="gpu:0") -> tuple[int, int]:
    """Record a series at 10 Hz with an outage in the middle; return its begin and end."""
    number = bench.series(entity, METRIC[kind], kind=kind)
    times = START_US + np.arange(rows) * 100_000
    times[rows // 2 :] += OUTAGE
    values = 300 + noise(rows) if kind == "gauge" else np.cumsum(30 + noise(rows))
    begin, end = int(times[rows // 2 - 1]), int(times[rows // 2])
    if gap == "missing":
        values[rows // 2 - 1] = math.nan
    write(bench, number, times, values)
    return begin, end


def source(bench, *, finished=True) -> RecordingProvider:
    bench.writer.close()
    return RecordingProvider(
        Recording.open(compact(bench.directory) if finished else bench.directory)
    )


@pytest.fixture(params=[True, False], ids=["finished", "running"])
def finished(request):
    return request.param


gaps = pytest.mark.parametrize("gap", ["missing", "silence"])
sizes = pytest.mark.parametrize(
    "size", [("gauge", 4000), ("gauge", 100_000), ("counter", 4000), ("counter", 210_000)]
)


@gaps
@sizes
def test_buckets_inside_an_outage_are_missing_and_have_no_value(bench, finished, size, gap):
    begin, end = outage(bench, size[0], gap, size[1])

    screen = source(bench, finished=finished).screen()

    edges = screen.edges * 1e6
    inside = (edges[:-1] > begin) & (edges[1:] < end)
    seen = screen.low[0] <= screen.high[0]
    assert inside.sum() >= 100
    assert screen.missing[0][inside].all()
    assert not seen[inside].any()
    # And all others have values, which are not missing.
    outside = (edges[1:] < begin) | ((edges[:-1] > end) & (edges[:-1] < edges[-1]))
    assert seen[outside].all()
    assert not screen.missing[0][outside].any()


def test_what_only_its_reader_knows_is_told_where_that_reader_is_not(bench, finished):
    said = {"group": "My NPUs", "title": "NPU load", "help": "Share of time."}
    bench.series("npu:0", "npu.done.total", kind="counter", unit="count", labels=said)
    write(bench, 0, START_US + np.arange(3) * SECOND, np.arange(3.0))

    src = source(bench, finished=finished)

    told = [(one["metric"], one["unit"], one["labels"]) for one in src.series()]
    assert told == [("npu.done", "count/s", said)]
    html = figure_html(
        src.screen(), src.series(), title="", state=src.state(), entities=src.entities()
    )
    for word in ("My NPUs", "NPU load", "NPU 0"):
        assert f">{word}<" in html


def rows_of(src, ids, t0, t1, points=20_000):
    """What a page gets of a range, as rows: of a bucket its least and greatest value."""
    found, screen, _ = src.detail(ids, t0, t1, points)
    if screen is None:
        return found
    begin = np.rint(screen.edges[:-1] * 1e6).astype(np.int64)
    blocks = [found]
    for line, number in enumerate(screen.ids):
        seen = screen.low[line] <= screen.high[line]
        at = np.flatnonzero(seen | screen.missing[line])
        bounds = np.stack([screen.low[line], screen.high[line]], axis=1)
        value = np.where(seen[at, None], bounds[at], np.nan).ravel()
        blocks.append(Rows.of(np.full(2 * len(at), number), np.repeat(begin[at], 2), value))
    return Rows.concat(blocks)


def known(rows: Rows, time_us: int) -> bool:
    """Whether a page shows a value at some time: what the last row up to then says."""
    before = np.flatnonzero(rows.time <= time_us)
    return bool(len(before) and not math.isnan(rows.value[before[-1]]))


@gaps
@sizes
def test_every_range_that_touches_an_outage_has_the_gap_in_it(
    bench, finished, size, gap, monkeypatch
):
    kind, rows = size
    # Wide ranges are then answered from blocks, narrow ones from rows.
    monkeypatch.setattr(replay, "WHOLE_ROWS", min(replay.WHOLE_ROWS, rows // 3))
    begin, end = outage(bench, kind, gap, rows)
    src = source(bench, finished=finished)
    begin, end = begin / 1e6, end / 1e6
    for t0, t1, sees_before, sees_after in [
        (begin - 1e6, end + 1e6, True, True),
        (begin - 60, end + 60, True, True),
        (begin - 60, begin + 1, True, False),
        (begin + 1, begin + 9, False, False),
        (begin + 1, end + 60, False, True),
        (end - 1, end + 60, False, True),
    ]:
        found = rows_of(src, [0], t0, t1)

        assert (np.diff(found.time) >= 0).all()
        assert found.time.min() >= t0 * 1e6 - 1
        assert found.time.max() <= t1 * 1e6 + 1
        inside = [t for t in np.linspace(begin, end, 9)[1:-1] if t0 <= t <= t1]
        assert not any(known(found, round(t * 1e6)) for t in inside)
        assert np.isnan(found.value).any()
        # What a counter grew by meanwhile is no rate of the first reading after it.
        if kind == "counter" and t0 > end - 2:
            assert math.isnan(found.value[found.time == round(end * 1e6)][0])
        shown = found.time[~np.isnan(found.value)] / 1e6
        assert (shown < begin).any() == sees_before
        assert (shown > end).any() == sees_after


@pytest.mark.parametrize("whole_rows", [replay.WHOLE_ROWS, 10], ids=["rows", "blocks"])
def test_an_outage_without_end_is_missing_to_the_end(bench, finished, whole_rows, monkeypatch):
    monkeypatch.setattr(replay, "WHOLE_ROWS", whole_rows)
    other = bench.series("gpu:1", "gpu.power")
    times = START_US + np.arange(1000) * SECOND
    write(bench, other, times, noise(1000))
    number = bench.series("gpu:0", "gpu.power")
    write(bench, number, times[:301], np.append(noise(300), math.nan))
    src = source(bench, finished=finished)

    screen = src.screen()
    later = rows_of(src, [0], times[500] / 1e6, times[600] / 1e6)

    edges = screen.edges * 1e6
    assert screen.missing[0][edges[:-1] > times[301]].all()
    assert not screen.missing[1].any()
    assert math.isnan(screen.last[0])
    assert screen.last[1] == noise(1000)[-1]
    assert set(np.isnan(later.value).tolist()) == {True}


def test_what_a_user_logs_has_no_silences_but_may_be_missing(bench):
    number = bench.series("user", "loss")
    times = START_US + np.array([*range(30), *range(9000, 9030)]) * SECOND
    values = np.arange(60.0)
    values[40] = math.nan
    write(bench, number, times, values)
    src = source(bench)

    found = rows_of(src, [0], times[0] / 1e6, times[-1] / 1e6)

    assert not src.screen().missing[0][:250].any()
    assert np.flatnonzero(np.isnan(found.value)).tolist() == [40]
    assert len(found) == 60


@pytest.mark.parametrize("spacing", [1, 120, 3600])
def test_the_rate_of_the_first_row_in_a_range_is_there_however_rare_readings_are(
    bench, finished, spacing
):
    number = bench.series("host", "disk.read.total", unit="B", kind="counter")
    times = START_US + np.arange(20) * spacing * SECOND
    write(bench, number, times, np.arange(20.0) * spacing)
    src = source(bench, finished=finished)

    found = rows_of(src, [0], times[5] / 1e6, times[8] / 1e6)

    assert found.time.tolist() == times[5:9].tolist()
    assert found.value.tolist() == [1.0] * 4
    # At the beginning the first reading has no rate, and is not missing either.
    assert rows_of(src, [0], times[0] / 1e6, times[1] / 1e6).time.tolist() == [times[1]]


def test_the_reading_before_a_range_may_lie_in_a_part_long_before(bench):
    slow = bench.series("host", "disk.read.total", unit="B", kind="counter")
    fast = bench.series("gpu:0", "gpu.power")
    bench.numbers(slow, [START_US], [0.0])
    for minute in range(4):
        times = START_US + (minute * 60 + np.arange(60)) * SECOND
        bench.numbers(fast, times.tolist(), [1.0] * 60)
        bench.minute()
    bench.numbers(slow, [START_US + 300 * SECOND], [600.0])
    src = source(bench, finished=False)
    start = START_US / 1e6

    found = rows_of(src, [0, 1], start + 200, start + 301)

    by = {n: found.value[found.series == n].tolist() for n in (0, 1)}
    assert sorted(by.values(), key=len) == [[2.0], [1.0] * 40]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_range_cut_out_says_the_same_as_the_whole(data, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("r") / "run.pulse")
    kind = data.draw(st.sampled_from(["gauge", "counter"]))
    number = bench.series("gpu:0", METRIC[kind], kind=kind)
    spacings = data.draw(
        st.lists(st.sampled_from([SECOND] * 8 + [0, 3600 * SECOND]), min_size=30, max_size=80)
    )
    times = START_US + np.cumsum(spacings)
    values = np.cumsum(np.ones(len(times)))
    holes = data.draw(st.lists(st.integers(0, len(times) - 1), max_size=5))
    values[holes] = math.nan
    write(bench, number, times, values)
    src = source(bench, finished=data.draw(st.booleans()))
    whole = rows_of(src, [0], times[0] / 1e6, times[-1] / 1e6)
    a, b = sorted(data.draw(st.tuples(*[st.integers(int(times[0]), int(times[-1]))] * 2)))

    part = rows_of(src, [0], a / 1e6, b / 1e6)

    # Unix seconds hold a microsecond only just.
    cut = (whole.time >= a + 1) & (whole.time <= b - 1)
    own = (part.time >= a + 1) & (part.time <= b - 1)
    assert part.time[own].tolist() == whole.time[cut].tolist()
    assert repr(part.value[own].tolist()) == repr(whole.value[cut].tolist())
    before = np.flatnonzero(whole.time <= a)
    if len(before) and math.isnan(whole.value[before[-1]]):
        assert not known(part, a + 1) or whole.time[before[-1] + 1] <= a + 1
    screen = src.screen()
    assert not (screen.missing & (screen.low <= screen.high)).any()


@pytest.fixture
def groups_read(monkeypatch):
    """The row groups that are read, one after the other."""
    read: list[int] = []
    real = ParquetSegment._group

    def counted(self, group, *rest):
        read.append(group)
        return real(self, group, *rest)

    monkeypatch.setattr(ParquetSegment, "_group", counted)
    return read


def many(bench, series=2000, rows=30) -> None:
    ids = [bench.series("user", f"layer{k}/norm") for k in range(series)]
    for k in range(rows):
        bench.writer.append(
            Rows.of(ids, [START_US + k * SECOND] * series, np.arange(series) + k / 64, [k] * series)
        )


def test_a_picture_of_many_small_series_reads_each_row_group_once(bench, groups_read):
    many(bench)
    src = source(bench)
    groups_read.clear()

    screen = src.screen()

    assert groups_read == [0, 1, 2, 3]
    assert screen.low.min(axis=1).tolist() == [float(k[2][5:-5]) for k in src._keys]
    assert len(screen.stepped) == 2000
    assert np.nanmax(screen.step) == 29


def test_the_detail_of_many_small_series_reads_each_row_group_once(bench, groups_read):
    many(bench)
    src = source(bench)
    src.screen()
    groups_read.clear()

    found = rows_of(src, range(2000), START_US / 1e6 + 10, START_US / 1e6 + 12)

    assert groups_read == [0, 1, 2, 3]
    assert len(found) == 3 * 2000
    assert np.bincount(found.series).tolist() == [3] * 2000


def test_a_long_series_is_not_read_whole_because_of_one_that_comes_rarely(bench, groups_read):
    rare = bench.series("gpu:0", "fan")
    write(bench, rare, START_US + np.array([0, 39_000 * SECOND]), np.zeros(2))
    long = bench.series("gpu:1", "fan")
    write(bench, long, START_US + np.arange(400_000) * 100_000, noise(400_000))
    src = source(bench)
    src.screen()
    groups_read.clear()

    found = rows_of(src, [0, 1], START_US / 1e6 + 38_999, START_US / 1e6 + 39_001)

    assert np.bincount(found.series).tolist() == [1, 21]
    # One of the rare series, and one of the four of the long one.
    assert len(groups_read) == 2


def test_the_events_of_many_series_are_read_in_one_pass(bench, groups_read):
    for k in range(500):
        cell = bench.series(f"cell:{k}", "cell", unit="s", kind="span")
        time = START_US + k * SECOND
        bench.put([(cell, time, NO_STEP, math.nan, json.dumps({"id": f"{k}", "count": k}), b"")])
        bench.put([(cell, time + 9, NO_STEP, 1.0, json.dumps({"id": f"{k}"}), b"")])
    src = source(bench)
    groups_read.clear()

    events = src.events(5)

    assert groups_read == [0]
    assert [span.entity for span in events.spans] == [f"cell:{k}" for k in range(495, 500)]
    assert [round(span.end - span.start, 6) for span in events.spans] == [9e-6] * 5
    assert src.events(0) == NO_EVENTS


def test_a_long_picture_reads_the_level_that_is_fine_enough_and_no_rows(
    bench, groups_read, monkeypatch
):
    read = []
    real = overview_file.read_piece
    monkeypatch.setattr(
        overview_file, "read_piece", lambda *a: read.append(a[2]) or real(*a)
    )  # fmt: skip
    values = noise(700_000).round(2)
    values[345_678] = 1e6
    for gpu in range(2):
        number = bench.series(f"gpu:{gpu}", "gpu.power")
        write(bench, number, START_US + np.arange(700_000) * 100_000, values)
    src = source(bench)
    groups_read.clear()

    screen = src.screen()

    assert groups_read == []
    mark = json.loads(src._stored.segments[0].marks[b"pulse.overview"])
    assert len(read) == 2
    assert sum(read) < mark["length"] / 5
    assert int(screen.high[0].argmax()) == 345_678 * 300 // 700_000
    assert (screen.high[0] > 1e5).sum() <= 2
    assert screen.last.tolist() == [values[-1]] * 2


def test_pictures_from_blocks_and_from_rows_agree(bench, monkeypatch):
    outage(bench, "gauge", "silence", 100_000)
    outage(bench, "counter", "missing", 210_000)
    quick = source(bench).screen()
    monkeypatch.setattr(replay, "BLOCKS_A_BUCKET", 1 << 20)
    monkeypatch.setattr(replay, "WHOLE_ROWS", 1 << 30)
    exact = RecordingProvider(
        Recording.open(bench.directory.with_suffix(".pulse.parquet"))
    ).screen()

    assert (quick.missing == exact.missing).all()
    assert ((quick.low <= quick.high) == (exact.low <= exact.high)).all()
    assert (quick.low <= exact.low).all()
    assert (quick.high >= exact.high).all()
    assert quick.last == pytest.approx(exact.last, rel=1e-9)
    # Blocks reach into the next bucket: an extreme may stand there too, but no further away.
    # A block that reaches into a bucket counts by its share of time, not by the values there.
    off = np.abs(quick.mean - exact.mean)
    assert np.nanquantile(off, 0.9) < 0.1
    assert np.nanmax(off) < 0.1 * np.nanmax(quick.high - quick.low)
    assert quick.weight.sum(axis=1) == pytest.approx(exact.weight.sum(axis=1))
    near = np.minimum(exact.low, np.minimum(np.roll(exact.low, 1, 1), np.roll(exact.low, -1, 1)))
    seen = quick.low <= quick.high
    assert (quick.low[seen] >= near[seen] - 0.01).all()


@pytest.mark.parametrize("rows", [100, 80_000])
@pytest.mark.parametrize(
    ("newest", "told"), [(7.0, 7.0), (math.nan, math.nan), (math.inf, math.nan)]
)
def test_the_newest_value_is_that_of_the_last_row(bench, rows, newest, told):
    number = bench.series("gpu:0", "gpu.power")
    values = noise(rows)
    values[-1] = newest
    write(bench, number, START_US + np.arange(rows) * 100_000, values)

    last = source(bench).screen().last[0]

    assert repr(float(last)) == repr(told)


def test_blocks_are_drawn_as_bands_where_they_answer_for_rows(bench, monkeypatch):
    monkeypatch.setattr(replay, "WHOLE_ROWS", 1000)
    number = bench.series("gpu:0", "gpu.power")
    times = START_US + np.arange(6400) * 100_000
    write(bench, number, times, np.tile([0.0, 1.0], 3200))

    rows, screen, _ = source(bench).detail([0], times[0] / 1e6, times[-1] / 1e6, 50)

    assert len(rows) == 0
    assert (screen.ids.tolist(), len(screen.edges)) == ([0], 51)
    assert screen.edges[[0, -1]] * 1e6 == pytest.approx(times[[0, -1]])
    assert (screen.low.min(), screen.low.max(), screen.high.min()) == (0, 0, 1)
    assert screen.mean[0] == pytest.approx(np.full(50, 0.5))


@settings(max_examples=40, deadline=None)
@given(
    one=st.integers(0, 6399),
    other=st.integers(0, 6399),
    points=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_the_detail_of_blocks_has_the_mean_of_what_a_range_holds(
    one, other, points, seed, tmp_path_factory
):
    bench = Bench(tmp_path_factory.mktemp("r") / "run.pulse")
    times = START_US + np.arange(6400) * 100_000
    # Blocks of 64 rows with one value each: their means are exact wherever they are cut.
    values = np.repeat(np.random.default_rng(seed).integers(0, 9, 100), 64).astype(float)
    write(bench, bench.series("gpu:0", "gpu.power"), times, values)
    src, (a, b) = source(bench), sorted((one, other))
    src._blocks_between = lambda number, *_: src._stored.level(src._keys[number], 6400)

    _, screen, _ = src.detail([0], times[a] / 1e6, times[b] / 1e6, points)

    seen = screen.low[0] <= screen.high[0]
    assert ((screen.low[0] <= screen.mean[0]) & (screen.mean[0] <= screen.high[0]))[seen].all()
    begin, end = screen.edges[0] * 1e6, screen.edges[-1] * 1e6
    assert begin == pytest.approx(times[a], abs=7e6)
    assert end == pytest.approx(times[b], abs=7e6)
    inside = values[a : b + 1]
    assert screen.low[0][seen].min() <= inside.min()
    assert screen.high[0][seen].max() >= inside.max()
    mean = np.average(screen.mean[0][seen], weights=screen.weight[0][seen])
    assert mean == pytest.approx(inside.mean(), abs=9 * 65 / len(inside))


def test_a_user_counter_without_a_rate_is_drawn_as_it_is(bench, monkeypatch):
    monkeypatch.setattr(replay, "WHOLE_ROWS", 1000)
    number = bench.series("user", "steps_done", kind="counter")
    times = START_US + np.arange(3000) * 100_000
    write(bench, number, times, np.arange(3000.0))
    src = source(bench)

    found = rows_of(src, [0], times[0] / 1e6, times[-1] / 1e6)

    assert found.value.tolist() == list(range(3000))
    assert src.screen().high[0].max() == 2999


@pytest.mark.parametrize("ids", [[], [-1, 99], [0, 0]])
def test_ids_that_are_not_there_or_twice_there_do_no_harm(bench, ids):
    outage(bench, "gauge", "silence", 100)

    assert len(rows_of(source(bench), ids, 0, 1e11)) in {0, 101}


def test_an_empty_recording_has_a_picture(bench, finished):
    src = source(bench, finished=finished)

    assert src.screen().low.shape == (0, 300)
    assert len(rows_of(src, [0], 0, 1e11)) == 0
    assert src.events(5) == NO_EVENTS


def test_what_is_missing_is_said_in_whole_sentences_and_nothing_is_to_be_tried(bench):
    write(bench, bench.series(), [START_US], [1.0])
    shown = source(bench)
    shown._stored.known_problems = (
        "2 rows are damaged in x and left out",
        "3 rows were dropped: why.",
    )
    assert shown.state()["recording"]["problem"] == (
        "2 rows are damaged in x and left out. 3 rows were dropped: why."
    )
    assert shown.state()["recording"]["remedy"] is None


rows = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.one_of(st.floats(-1e9, 1e9), st.just(math.nan)),
        st.one_of(st.just(NO_STEP), st.integers(0, 1 << 50)),
    ),
    min_size=1,
    max_size=80,
).map(lambda found: sorted(found, key=lambda row: row[0]))


@given(rows, st.integers(1, 100_000))
def test_a_picture_of_rows_has_of_each_bucket_what_a_loop_over_them_finds(rows, scale):
    time = np.array([t for t, _, _ in rows], np.int64) * scale
    value = np.array([v for _, v, _ in rows], np.float64)
    step = np.array([s for _, _, s in rows], np.int64)
    picture = ScreenBuilder([7], int(time[0]), int(time[-1]))
    picture.draw_rows(7, time, value, step, np.zeros((0, 2), np.int64))
    screen = picture.screen()

    assert len(screen.edges) == BUCKETS + 1
    seen = {k: [] for k in range(BUCKETS)}
    for row, moment in enumerate(time.tolist()):
        seen[max(k for k in range(BUCKETS) if picture._edges[k] <= moment)].append(row)
    steps = screen.step[0] if len(screen.stepped) else np.full(BUCKETS, math.nan)
    for bucket, held in seen.items():
        known = [value[row] for row in held if not math.isnan(value[row])]
        assert screen.low[0, bucket] == min(known, default=math.inf)
        assert screen.high[0, bucket] == max(known, default=-math.inf)
        mean = math.fsum(known) / len(known) if known else math.nan
        assert screen.mean[0, bucket] == pytest.approx(mean, abs=1e-6, nan_ok=True)
        counted = [step[row] for row in held if step[row] != NO_STEP]
        assert repr(float(steps[bucket])) == repr(float(counted[-1]) if counted else math.nan)
        if any(math.isnan(value[row]) for row in held) and not known:
            assert screen.missing[0, bucket]


@pytest.mark.parametrize("form", ["running", "finished", "saved", "saved again"])
def test_metrics_stand_in_the_order_in_which_they_were_logged(bench, tmp_path, form):
    logged = ["train/loss", "accuracy", "train/grad", "Zeta"]
    for place, number in enumerate(bench.series("user", name) for name in logged):
        write(bench, number, np.array([START_US + place]), np.array([1.0]))
    bench.writer.close()
    if form != "running":
        compact(bench.directory)
    rec = Recording.open(bench.directory)
    for copy in range({"saved": 1, "saved again": 2}.get(form, 0)):
        rec = Recording.open(rec.save(tmp_path / f"copy-{copy}"))

    shown = [series["metric"] for series in RecordingProvider(rec).series()]

    assert shown == logged


def test_a_replay_of_a_running_session_says_of_when_it_is(bench):
    bench.numbers(bench.series(), [START_US, START_US + 3 * SECOND], [1.0, 2.0])

    running = RecordingProvider(Recording.open(bench.directory)).state()
    bench.writer.close()
    over = RecordingProvider(Recording.open(bench.directory)).state()

    assert running["phase"] == over["phase"] == "replay"
    assert running["as_of"] == START_US / 1e6 + 3
    assert over["as_of"] is None

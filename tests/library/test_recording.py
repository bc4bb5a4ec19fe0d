"""What a recording in the hand answers, driven through files on disk."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import ArgumentError, RecordingError, StorageError, UnknownMetricError
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.shelf import finish
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.compact import compact
from tests.library.machine import SECOND, cell, fill
from tests.storage.bench import START_US, Bench, noise


def test_the_series_are_listed_with_unit_kind_and_extent(rec):
    table = rec.series.set_index(["entity", "metric"])
    line = table.loc[("gpu:0", "gpu.power")]
    assert (line["host"], line["unit"], line["kind"], line["rows"]) == ("h0", "W", "gauge", 20)
    assert line["start"] == pd.Timestamp(START_US, unit="us", tz="UTC")
    assert line["end"] - line["start"] == pd.Timedelta(seconds=19)
    assert table.loc[("host", "cpu.user.total"), "kind"] == "counter"


def test_the_values_of_one_series_are_what_was_written(rec):
    time, value = rec.select("gpu.power", entity="gpu:1").values()
    assert time.dtype == np.dtype("datetime64[us]")
    assert (np.diff(time) == np.timedelta64(1, "s")).all()
    assert np.isnan(value[7])
    assert (np.delete(value, 7) == 300.0).all()


def test_the_name_of_a_rate_finds_its_counter_and_gives_the_rate(rec):
    chosen = rec.select("cpu.user")
    time, value = chosen.values()
    assert np.isnan(value[0])
    assert value[1:] == pytest.approx(0.5)
    assert len(time) == 20
    line = chosen.series.iloc[0]
    assert (line["metric"], line["unit"], line["kind"]) == ("cpu.user", "1", "gauge")
    assert rec.select("cpu.user.total").values()[1][0] == 5.0
    later = chosen.select(start=10).values()[1]
    assert later == pytest.approx(np.full(10, 0.5))
    assert set(chosen.to_pandas()["metric"]) == {"cpu.user"}


@pytest.mark.parametrize("entity", ["gpu:0", 0, "0", "GPU-aaaa-1", "GPU-aa", "00:01", "*:0"])
def test_a_device_is_found_by_any_of_its_names(rec, entity):
    assert rec.select("gpu.power", entity=entity).values()[1][0] == 100.0


def test_patterns_and_labels_narrow(rec):
    assert set(rec.select("gpu.*").series["metric"]) == {"gpu.power", "gpu.energy"}
    assert set(rec.select(["memory.used", "train/*"]).series["metric"]) == {
        "memory.used",
        "train/loss",
    }
    assert set(rec.select(labels={"uuid": "GPU-b*"}).series["entity"]) == {"gpu:1"}
    assert rec.select(host="h0").series.equals(rec.series)


def test_brackets_in_a_pattern_are_brackets_of_a_name(bench):
    for layer in ("layer[0]/norm", "layer[1]/norm", "layer0/norm"):
        bench.put([(bench.series("user", layer), START_US, NO_STEP, 1.0, "", b"")])
    bench.settle()
    rec = Recording.open(bench.directory / "run.pulse.json")
    for pattern, found in {"layer[0]*": 1, "layer[?]/norm": 2, "layer*": 3}.items():
        assert len(rec.select(pattern).series) == found
    with pytest.raises(UnknownMetricError):
        rec.select("layer[01]*")


def test_an_unknown_name_names_close_ones(rec):
    with pytest.raises(UnknownMetricError, match=r"gpu\.power"):
        rec.select("gpu.powr")
    with pytest.raises(UnknownMetricError, match="gpu:1"):
        rec.select(entity="gpu:7")
    with pytest.raises(UnknownMetricError):
        rec.select("nothing.*")
    with pytest.raises(UnknownMetricError):
        rec.select(labels={"uuid": "GPU-c"})


def test_times_may_be_seconds_text_or_timestamps(rec):
    start = pd.Timestamp(START_US, unit="us", tz="UTC")
    power = rec.select("gpu.power", entity="gpu:0")
    for low, high in [
        (5, 8),
        (start + pd.Timedelta(5, "s"), start + pd.Timedelta(8, "s")),
        (
            str(start + pd.Timedelta(5, "s")),
            (start + pd.Timedelta(8, "s")).tz_localize(None).isoformat(),
        ),
        (pd.Timedelta(5, "s"), np.float64(8.0)),
    ]:
        part = power.select(start=low, end=high)
        assert part.values()[1].tolist() == [105.0, 106.0, 107.0]
        assert part.start == start + pd.Timedelta(5, "s")
        assert part.series["rows"].tolist() == [3]
    assert power.select(start=5).select(end=8).select(start=1).values()[1].tolist() == [
        105,
        106,
        107,
    ]
    with pytest.raises(ArgumentError):
        power.select(start="yesterday-ish")


def test_steps_narrow_with_both_ends_inside(rec):
    loss = rec.select("train/loss")
    assert len(loss.select(step=(20, 40)).values()[1]) == 3
    assert len(loss.select(step=30).values()[1]) == 1
    assert len(loss.select(step=slice(100, None)).values()[1]) == 10
    with pytest.raises(ArgumentError):
        loss.select(step="ten")


def test_values_of_several_series_are_refused(rec):
    with pytest.raises(ArgumentError, match="2 series"):
        rec.select("gpu.power").values()


def test_the_table_has_utc_times_and_na_for_what_is_absent(rec):
    frame = rec.to_pandas()
    assert list(frame.columns) == ["host", "entity", "metric", "time", "step", "value", "text"]
    assert str(frame["time"].dt.tz) == "UTC"
    power = frame[frame["metric"] == "gpu.power"]
    assert power["step"].isna().all()
    assert power["text"].isna().all()
    loss = frame[frame["metric"] == "train/loss"]
    assert loss["step"].tolist() == [s * 10 for s in range(20)]
    assert frame[frame["metric"] == "log.stdout"]["text"].tolist() == ["secret output"]
    assert "data" in rec.to_pandas(data=True).columns


def test_the_wide_table_has_a_column_a_series_and_fills_nothing(rec):
    wide = rec.select(["gpu.power", "train/loss"]).to_pandas(wide=True)
    assert set(wide.columns) == {
        ("gpu:0", "gpu.power"),
        ("gpu:1", "gpu.power"),
        ("user", "train/loss"),
    }
    assert len(wide) == 40
    assert wide[("user", "train/loss")].notna().sum() == 20


def test_the_summary_sums_counters_up_by_their_rate_and_total(rec):
    table = rec.summary().set_index(["entity", "metric"])
    cpu = table.loc[("host", "cpu.user")]
    assert (cpu["unit"], cpu["total_unit"]) == ("1", "s")
    assert [cpu["min"], cpu["mean"], cpu["max"], cpu["total"]] == pytest.approx(
        [0.5, 0.5, 0.5, 9.5]
    )
    energy = table.loc[("gpu:0", "gpu.energy")]
    assert (energy["total"], energy["total_unit"], energy["mean"], energy["unit"]) == (
        1900.0, "J", 100.0, "W",
    )  # fmt: skip
    # The other GPU has no energy counter; two of its nineteen seconds are unknown.
    power = table.loc[("gpu:1", "gpu.power")]
    assert (power["total"], power["total_unit"], power["count"]) == (300.0 * 17, "J", 19)
    assert math.isnan(table.loc[("gpu:0", "gpu.power"), "total"])
    assert table.loc[("host", "memory.used"), "last"] == 19 * 2.0**30
    assert "log.stdout" not in set(rec.summary()["metric"])


def test_a_cell_that_still_runs_is_there(rec, request):
    cells = rec.cells()
    assert cells["cell"].tolist() == [1, 2, 3]
    assert cells["seconds"][:2].tolist() == [3.0, 4.0]
    running = "running" in request.node.name
    assert cells["status"].tolist() == ["ok", "error", "running" if running else "unfinished"]
    assert cells["error"].isna().tolist() == [True, False, True]
    assert cells["line"].tolist() == ["fit(1)", "fit(2)", "fit(3)"]
    assert pd.isna(cells["end"][2])
    assert (cells["end"] - cells["start"]).dt.total_seconds()[0] == 3.0


def test_cells_are_told_alike_whether_one_series_has_them_or_each_has_its_own(tmp_path):
    tables = []
    for layout in ("kernel", "cell:{}"):
        bench = Bench(tmp_path / f"{len(tables)}.pulse")
        for n in range(40):
            seconds = None if n % 13 == 5 else 1.5
            cell(bench, n, 2.0 * n, seconds, "ok" if n % 3 else "error", layout.format(n % 30))
        bench.settle()
        tables.append(Recording.open(bench.directory).cells())
        bench.writer.close()

    pd.testing.assert_frame_equal(*tables)
    assert len(tables[0]) == 40
    assert tables[0]["end"].isna().sum() == 3


@pytest.mark.parametrize("chosen", ["*", "memory.used"])
def test_text_that_a_cell_does_not_have_is_na_whatever_the_other_cells_have(rec, chosen):
    cells = rec.select(chosen).cells()
    for name in ("status", "line", "error"):
        assert cells[name].dtype == "string"
        assert all(text is pd.NA or isinstance(text, str) for text in cells[name])
    assert [text is pd.NA for text in cells["error"]] == [True, False, True][: len(cells)]


def test_events_are_listed_in_order_of_time(rec):
    events = rec.events
    assert events["message"].tolist() == ["begin", "XID 79 at /home/ada/job.py"]
    assert events["kind"].tolist() == ["mark", "xid"]
    assert events["remedy"].tolist() == ["", "restart"]


def test_a_selection_without_events_has_empty_tables(rec):
    one = rec.select("memory.used")
    assert len(one.events) == len(one.cells()) == 0
    assert list(one.events.columns) == list(rec.events.columns)


def test_the_table_of_a_recording_escapes(rec):
    assert "gpu.power" in rec._repr_html_()
    assert "<script" not in rec._repr_html_()


@pytest.mark.parametrize("select", [{}, {"start": 1.0, "end": 2.0}, {"metric": "gpu.power"}])
def test_the_table_of_a_recording_is_what_pandas_makes_of_its_series(rec, select):
    some = rec.select(**select)
    table = some.series.head(30)[["entity", "metric", "unit", "kind", "rows"]]
    shown = re.sub(r">\s+<", "><", table.to_html(index=False, border=0))

    assert some._repr_html_().endswith(shown)
    length = (some.end - some.start).total_seconds()
    assert f"{len(some.series)} series, {some.series['rows'].sum()} rows, {length:.1f} s" in (
        some._repr_html_()
    )


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gaps=st.lists(st.integers(0, 10**6), min_size=1, max_size=300),
    points=st.integers(1, 50),
    data=st.data(),
)
def test_an_envelope_encloses_and_counts_every_value(gaps, points, data, tmp_path_factory):
    values = data.draw(
        st.lists(
            st.one_of(st.floats(-1e9, 1e9), st.just(math.nan)),
            min_size=len(gaps),
            max_size=len(gaps),
        )
    )
    bench = Bench(tmp_path_factory.mktemp("e") / "a.pulse")
    times = (START_US + np.cumsum(gaps)).tolist()
    bench.numbers(bench.series(), times, values)
    bench.writer.close()
    got = Recording.open(bench.directory).envelope(points)
    known = [v for v in values if not math.isnan(v)]
    assert len(got.time) == points
    assert got.count.sum() == len(known)
    if known:
        assert np.nanmin(got.min) == min(known)
        assert np.nanmax(got.max) == max(known)
    assert (np.isnan(got.mean) == (got.count == 0)).all()


def test_a_spike_of_one_sample_shows_in_the_overview(bench):
    values = noise(200_000).round(3)
    values[123_456] = 1e6
    times = START_US + np.arange(200_000) * 1000
    bench.numbers(bench.series(), times.tolist(), values.tolist())
    bench.writer.close()
    raw = Recording.open(bench.directory).envelope(100)
    quick = Recording.open(compact(bench.directory)).envelope(100)
    place = int(np.nanargmax(raw.max))
    assert place == 123_456 // 2000
    assert abs(int(np.nanargmax(quick.max)) - place) <= 1
    assert quick.max.max() == 1e6
    assert quick.count.sum() == raw.count.sum() == 200_000
    assert (quick.time == raw.time).all()
    assert (quick.mean * quick.count).sum() == pytest.approx((raw.mean * raw.count).sum(), rel=1e-4)


def envelopes(bench, metric, points) -> list:
    """The envelope of the one series, of the directory and of its finished file."""
    bench.writer.close()
    running = Recording.open(bench.directory).select(metric)
    before = running.envelope(points)
    return [before, Recording.open(compact(bench.directory)).select(metric).envelope(points)]


@pytest.mark.parametrize("gap", ["missing", "silence"])
@pytest.mark.parametrize("kind", ["gauge", "counter"])
def test_an_outage_is_nan_and_counts_nothing_in_an_envelope(bench, kind, gap):
    rows, points = 60_000, 100
    shown = {"gauge": "gpu.power", "counter": "disk.read"}[kind]
    series = bench.series(
        "gpu:0", {"gauge": "gpu.power", "counter": "disk.read.total"}[kind], kind=kind
    )
    times = START_US + np.arange(rows) * 100_000
    times[rows // 2 :] += 6000 * SECOND
    values = np.cumsum(1 + np.abs(noise(rows)))
    if gap == "missing":
        values[rows // 2 - 1] = math.nan
    bench.writer.append(Rows.of(np.full(rows, series), times, values))

    for got in envelopes(bench, shown, points):
        begin, end = times[rows // 2 - 1], times[rows // 2]
        edges = np.append(got.time.view(np.int64), times[-1] + 1)
        inside = (edges[:-1] > begin) & (edges[1:] <= end)
        assert inside.sum() >= 48
        assert np.isnan([got.min[inside], got.max[inside], got.mean[inside]]).all()
        assert not got.count[inside].any()
        assert (got.min <= got.mean)[~np.isnan(got.mean)].all()
        # Of a counter, the first reading and the first one after the gap have no rate.
        assert got.count.sum() == rows - (gap == "missing") - 2 * (kind == "counter")


def test_a_block_that_reaches_several_stretches_stands_in_each_and_counts_once(bench):
    # Many rows in a short time, then one every hour: blocks of these take more than a stretch.
    times, rows = START_US + np.arange(40_000) * 1000, 64 * 40
    times = np.append(times, times[-1] + np.arange(1, rows + 1) * 3600 * SECOND)
    values = np.append(np.full(40_000, 5.0), np.tile([0.0, 1.0], rows // 2))
    series = bench.series("user", "loss")
    bench.writer.append(Rows.of(np.full(len(times), series), times, values))

    raw, quick = envelopes(bench, "loss", 80)

    assert quick.count.sum() == raw.count.sum() == len(times)
    assert (quick.min <= raw.min).all()
    assert (quick.max >= raw.max).all()
    assert not np.isnan(quick.min).any()
    assert (quick.count == 0).any()
    assert (np.isnan(quick.mean) == (quick.count == 0)).all()


def test_a_recording_outlives_the_directory_it_was_opened_from(bench):
    fill(bench)
    bench.minute()
    bench.writer.close()
    rec = finish(bench.directory)
    before = rec.to_pandas()
    from pulse_widgets.library import shelf

    for thread in shelf._threads:
        thread.join(10)
    assert not bench.directory.exists()
    assert rec.path.name == "run.pulse.parquet"
    assert rec._stored.nbytes == rec.path.stat().st_size
    assert rec.to_pandas().equals(before)
    assert Recording.open(rec.path).to_pandas().equals(before)


def test_dropped_bytes_are_told(bench):
    fill(bench)
    bench.writer.close()
    journal = next(bench.writer.folder.glob("journal-*"))
    journal.write_bytes(journal.read_bytes()[:-5])
    rec = Recording.open(bench.directory)
    assert "dropped" in rec.problems[0]
    assert rec.events["kind"].tolist()[-1] == "drop"
    assert "dropped" in rec._repr_html_()


def test_simulated_recordings_say_so(tmp_path):
    bench = Bench(tmp_path / "a.pulse", simulated=True, title="demo")
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    rec = Recording.open(compact(bench.directory))
    assert rec.simulated
    assert rec.title == "demo"
    assert "simulated" in rec._repr_html_()


def test_a_part_alone_is_not_a_recording(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.minute()
    with pytest.raises(RecordingError, match="part"):
        Recording.open(next(bench.writer.folder.glob("part-*")))


@pytest.mark.parametrize("kind", ["gauge", "counter", "state"])
def test_values_at_the_ends_of_what_a_float_holds_are_answered(bench, tmp_path, kind):
    values = [1e308, -1e308, 5e-324, -5e-324, math.inf, -math.inf, 3.4e38, 3.5e38, math.nan, 0.0]
    times = [START_US + k for k in range(len(values))]
    bench.numbers(bench.series("user", "loss", kind=kind), times, values)
    bench.writer.close()
    rec = Recording.open(compact(bench.directory))
    assert rec.values()[1].tobytes() == np.array(values).tobytes()
    assert rec.summary()["count"].tolist() == [9 if kind != "counter" else 4]
    # Infinities are rows, but neither extremes nor counted.
    envelope = rec.envelope(2)
    assert envelope.count.sum() == 7
    assert (envelope.min.min(), envelope.max.max()) == (-1e308, 1e308)
    cells = rec._stored.levels(next(iter(rec._stored.extents)))[64]
    if kind != "counter":
        # Beyond what a float32 holds it encloses all the same.
        assert (cells.least[0], cells.greatest[0]) == (-math.inf, math.inf)
        assert cells.count.sum() == 7
    rec.save(tmp_path / "copy")


def test_a_time_of_day_is_of_the_day_on_which_the_recording_began(rec):
    begin = rec.start

    part = rec.select("gpu.power", entity=0, start=f"{begin + pd.Timedelta(5, 's'):%H:%M:%S}")

    assert part.values()[1].tolist() == [100.0 + s for s in range(5, 20)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda rec: rec.save(5),
        lambda rec: rec.save(""),
        lambda rec: rec.save("x", include="everything"),
        lambda rec: rec.select(entity=1.5),
        lambda rec: rec.select(labels="x"),
        lambda rec: rec.select("gpu.power", entity=0).envelope("x"),
        lambda _: Recording.open(5),
    ],
)
def test_what_is_no_argument_is_refused_with_a_remedy(rec, ask):
    with pytest.raises(ArgumentError) as refused:
        ask(rec)

    assert refused.value.remedy


def test_a_directory_that_is_not_there_is_said_to_be_so(rec, tmp_path):
    with pytest.raises(StorageError, match="no directory"):
        rec.save(tmp_path / "none" / "run")


def test_a_selection_of_nothing_ends_where_it_begins(rec):
    nothing = rec.select("gpu.power", start=10_000)
    assert nothing.end == nothing.start
    assert "0 rows, 0.0 s" in nothing._repr_html_()


def test_a_running_recording_opens_by_the_name_it_was_given(bench):
    fill(bench)
    assert bench.directory.suffix == ".pulse"
    assert Recording.open(bench.directory.with_suffix("")).path == bench.directory


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"metric": ["memory.used", "memory.usde"]}, "metric 'memory.usde'"),
        ({"metric": ["memory.*", "gqu.*"]}, r"metric 'gqu\.\*'"),
        ({"metric": "memory.used", "entity": ["host", "hots"]}, "entity 'hots'"),
        ({"host": ["h0", "h7"]}, "host 'h7'"),
    ],
)
def test_a_misspelt_name_among_others_raises_as_it_does_alone(bench, asked, words):
    bench.numbers(bench.series(), [START_US], [1.0])
    recording = Recording.open(bench.directory)

    with pytest.raises(UnknownMetricError, match=words):
        recording.select(**asked)

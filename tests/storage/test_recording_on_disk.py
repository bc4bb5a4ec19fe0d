"""A recording reads the same while it runs, after a crash, and finished."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import FormatVersionError, RecordingError, StorageError
from pulse_widgets.series.columns import SeriesKey
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.directory import PartName, part_name, plan_merge, standing
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.unwritten import with_unwritten
from tests.storage.bench import START_US, Bench, expected, noise, same, tidy

value = st.one_of(st.floats(), st.integers(0, 5).map(float), st.just(math.nan))
row = st.tuples(
    st.integers(0, 5),
    st.integers(START_US, START_US + 10**7),
    st.one_of(st.just(NO_STEP), st.integers(0, 2**40)),
    value,
    st.sampled_from(["", "", "", "word", "é\n"]),
    st.sampled_from([b"", b"", b"", b"\x00\xff"]),
)
batch = st.lists(row, min_size=1, max_size=30)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=st.lists(st.one_of(batch, st.just("minute")), min_size=1, max_size=6))
def test_running_crashed_and_finished_give_the_rows_that_were_accepted(script, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("r") / "a.pulse")
    for number in range(6):
        bench.series(f"gpu:{number}", "gpu.power", unit="W")
    for step in script:
        if step == "minute":
            bench.minute()
        else:
            bench.put(step)
    wanted = expected(bench.rows)
    running = open_stored(bench.directory)
    assert running.running
    assert same(tidy(running), wanted)
    bench.writer.close()
    stopped = open_stored(bench.directory)
    assert not stopped.running
    assert same(tidy(stopped), wanted)
    finished = compact(bench.directory)
    assert not bench.directory.exists()
    assert same(tidy(open_stored(finished)), wanted)
    assert same(tidy(open_stored(bench.directory)), wanted)


def long_and_short(bench: Bench) -> None:
    """One series with row groups of its own, many that share one, text and payloads."""
    long = bench.series("gpu:0", "gpu.power", unit="W", labels={"uuid": "GPU-1"})
    count = bench.series("host", "disk.read.total", unit="B", kind="counter")
    text = bench.series("kernel", "log.stdout", kind="text")
    times = START_US + np.arange(150_000) * 1000
    bench.numbers(long, times.tolist(), noise(150_000).tolist())
    bench.minute()
    for number in range(30):
        short = bench.series(f"cpu:{number}", "cpu.utilization", unit="1")
        bench.numbers(short, times[:700].tolist(), (noise(700, number).round(2)).tolist())
    bench.numbers(count, times[:5000].tolist(), (np.arange(5000.0) ** 2).tolist())
    bench.put([(text, START_US + k, NO_STEP, math.nan, f"line {k}", b"") for k in range(3000)])
    bench.writer.describe({"h0": {"gpu:0": {"name": "Fake"}}}, title="training")
    bench.settle()


def test_the_finished_file_is_packed_and_sorted_as_specified(bench):
    long_and_short(bench)
    wanted = expected(bench.rows)
    bench.writer.close()
    path = compact(bench.directory)
    file = pq.ParquetFile(path)
    table = file.read()
    keys = list(
        zip(*(table[n].to_pylist() for n in ("host", "entity", "metric", "time")), strict=True)
    )
    assert keys == sorted(keys)
    assert [f.nullable for f in file.schema_arrow] == [False] * 4 + [True] * 4
    sizes = [file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)]
    assert max(sizes) == 131_072
    assert len(sizes) == 5
    assert same(tidy(open_stored(path)), wanted)
    assert (path.stat().st_mode & 0o777) == 0o600


def test_pandas_reads_the_tidy_table(bench):
    long_and_short(bench)
    bench.writer.close()
    frame = pd.read_parquet(compact(bench.directory))
    assert len(frame) == len(bench.rows)
    assert list(frame.columns) == [
        "host", "entity", "metric", "time", "step", "value", "text", "data",
    ]  # fmt: skip
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    power = frame[frame["metric"] == "gpu.power"]["value"]
    assert power.sum() == pytest.approx(noise(150_000).sum())


def test_the_catalog_travels_with_the_recording(bench):
    long_and_short(bench)
    for stored in (open_stored(bench.directory), finished(bench)):
        info = stored.catalog.infos[SeriesKey("h0", "gpu:0", "gpu.power")]
        assert (info.unit, info.kind, dict(info.labels)) == ("W", "gauge", {"uuid": "GPU-1"})
        counter = stored.catalog.infos[SeriesKey("h0", "host", "disk.read.total")]
        assert (counter.unit, counter.kind) == ("B", "counter")
        assert stored.catalog.entities["h0"]["gpu:0"] == {"name": "Fake"}
        assert stored.run.about["title"] == "training"
        assert stored.catalog.hosts["h0"]["boot_id"]


def finished(bench: Bench):
    bench.writer.close()
    return open_stored(compact(bench.directory))


def test_the_overview_encloses_every_value_and_counts_every_row(bench):
    long_and_short(bench)
    stored = finished(bench)
    key = SeriesKey("h0", "gpu:0", "gpu.power")
    values = noise(150_000)
    levels = stored.levels(key)
    assert sorted(levels) == [64, 512, 4096]
    for size, blocks in levels.items():
        assert blocks.count.sum() == 150_000
        for place in (0, len(blocks) // 2, len(blocks) - 1):
            block = values[place * size : (place + 1) * size]
            assert blocks.least[place] <= block.min() <= blocks.least[place] + 1e-5
            assert blocks.greatest[place] >= block.max() >= blocks.greatest[place] - 1e-5
            assert blocks.last[place] == block[-1]


def test_the_overview_of_a_counter_shows_its_rate_and_its_last_reading(bench):
    long_and_short(bench)
    blocks = finished(bench).levels(SeriesKey("h0", "host", "disk.read.total"))[64]
    # The count grows by 2k + 1 in the millisecond after reading k.
    assert blocks.greatest[0] == pytest.approx((2 * 62 + 1) * 1000)
    assert blocks.last[0] == 63.0**2
    assert blocks.count[0] == 63


def test_a_wrong_index_is_rebuilt(bench, tmp_path):
    long_and_short(bench)
    bench.writer.close()
    source = pq.ParquetFile(compact(bench.directory))
    path = tmp_path / "other.pulse.parquet"
    marks = {k: v for k, v in source.metadata.metadata.items() if k.startswith(b"pulse.")}
    with pq.ParquetWriter(path, source.schema_arrow) as writer:
        for group in (3, 0, 4, 1, 2):
            writer.write_table(source.read_row_group(group))
        writer.add_key_value_metadata(marks)
    assert same(tidy(open_stored(path)), expected(bench.rows))


def test_several_writers_are_one_recording_and_two_machines_two_hosts(tmp_path):
    directory = tmp_path / "run.pulse"
    benches = [Bench(directory) for _ in range(3)]
    for rank, bench in enumerate(benches):
        series = bench.series(f"rank:{rank}", "loss")
        bench.numbers(series, [START_US + rank, START_US + 10 + rank], [1.0, 2.0])
    about = benches[2].writer.folder / "writer.json"
    other = json.loads(about.read_text())
    other["hosts"]["h0"] = {"name": "elsewhere", "boot_id": "other"}
    about.write_text(json.dumps(other))
    for bench in benches:
        bench.writer.close()
    stored = open_stored(directory)
    hosts = {key.entity: key.host for key in stored.extents}
    assert hosts["rank:0"] == hosts["rank:1"] != hosts["rank:2"]
    assert sum(x.rows for x in stored.extents.values()) == 6
    assert stored.catalog.hosts[hosts["rank:2"]]["name"] == "elsewhere"
    assert tidy(open_stored(compact(directory))) == tidy(stored)


OTHER = st.sampled_from(["h1", "h2", "h3", "node-b"])


@settings(max_examples=25, deadline=None)
@given(told=st.lists(st.frozensets(OTHER, max_size=3), min_size=2, max_size=4), parts=st.booleans())
def test_machines_that_a_reader_tells_of_are_not_mixed_with_those_of_other_writers(
    tmp_path_factory, told, parts
):
    directory = tmp_path_factory.mktemp("d") / "run.pulse"
    benches = [Bench(directory) for _ in told]
    machine: dict[float, object] = {}
    for writer, (bench, hosts) in enumerate(zip(benches, told, strict=True)):
        for host in ("h0", *sorted(hosts)):
            value = float(len(machine))
            machine[value] = (writer, host) if host == "h0" else host
            series = bench.registry.add(host, "gpu:0", "gpu.power", unit="W", kind="gauge")
            bench.numbers(series, [START_US + int(value)], [value])
        if parts:
            bench.minute()
        about = bench.writer.folder / "writer.json"
        content = json.loads(about.read_text())
        content["hosts"]["h0"] = {"name": f"node{writer}", "boot_id": "b"}
        about.write_text(json.dumps(content))
        bench.writer.close()

    stored = open_stored(directory)

    found: dict[str, set[object]] = {}
    for key in stored.extents:
        rows = stored.columns(key).value.tolist()
        found.setdefault(key.host, set()).update(machine[value] for value in rows)
    assert all(len(machines) == 1 for machines in found.values())
    assert len(found) == len(set(machine.values()))
    told_of = {host for host in machine.values() if isinstance(host, str)}
    assert all(found[host] == {host} for host in told_of)


def test_machines_of_rows_that_are_not_written_yet_are_not_mixed_with_others(tmp_path):
    directory = tmp_path / "run.pulse"
    theirs, ours = Bench(directory), Bench(directory)
    about = theirs.writer.folder / "writer.json"
    content = json.loads(about.read_text())
    content["hosts"]["h0"] = {"name": "elsewhere", "boot_id": "other"}
    about.write_text(json.dumps(content))
    for number, bench in enumerate((theirs, ours)):
        bench.numbers(bench.series(), [START_US], [float(number)])
    added = [ours.registry.add(host, "host", "memory.used") for host in ("h1", "h2", "h0")]
    block = Rows.of(added, [START_US + 1] * 3, [2.0, 3.0, 1.0])

    stored = with_unwritten(open_stored(directory), [block], ours.registry, [])

    found = {key.host: set(stored.columns(key).value.tolist()) for key in stored.extents}
    assert sorted(map(sorted, found.values())) == [[0.0], [1.0], [2.0], [3.0]]
    for bench in (theirs, ours):
        bench.writer.close()


def test_a_recording_that_runs_is_not_compacted(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    with pytest.raises(StorageError, match="still being recorded"):
        compact(bench.directory)
    assert bench.directory.exists()


def test_a_finished_recording_is_not_joined(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    copy = bench.directory.with_name("copy.pulse")
    shutil.copytree(bench.directory, copy)
    compact(bench.directory)
    copy.rename(bench.directory)
    with pytest.raises(StorageError, match="finished"):
        Bench(bench.directory)
    # What an interrupted compaction left is removed by the next one.
    assert compact(bench.directory).exists()
    assert not bench.directory.exists()


def test_another_recording_of_that_name_is_not_overwritten(bench, tmp_path):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    other = Bench(tmp_path / "b.pulse")
    other.numbers(other.series(), [START_US], [2.0])
    other.writer.close()
    compact(bench.directory).rename(tmp_path / "b.pulse.parquet")
    with pytest.raises(StorageError, match="another recording"):
        compact(tmp_path / "b.pulse")
    assert (tmp_path / "b.pulse").exists()


def test_files_of_others_in_the_directory_are_left_alone(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    (bench.directory / "notes.txt").write_text("mine")
    compact(bench.directory)
    assert [p.name for p in bench.directory.iterdir()] == ["notes.txt"]


def test_an_empty_recording_can_be_finished_and_read(bench):
    bench.writer.close()
    assert open_stored(compact(bench.directory)).extents == {}


def test_sixteen_parts_become_one_without_losing_or_doubling_a_row(bench):
    series = bench.series()
    for minute in range(20):
        bench.numbers(series, [START_US + 60 * minute], [float(minute)])
        bench.minute()
    bench.minute()
    names = {p.name for p in bench.writer.folder.glob("part-*")}
    assert "part-000000-000015.parquet" in names or "part-000004-000019.parquet" in names
    assert len(names) == 5
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


def test_a_year_of_minutes_stays_under_a_hundred_files():
    parts: list[PartName] = []
    most, minutes = 0, 16**3 + 100
    for number in range(minutes):
        parts.append(PartName(number, number))
        while window := plan_merge(parts):
            first = parts.index(window[0])
            parts[first : first + 16] = [PartName(window[0].first, window[-1].last)]
        most = max(most, len(parts))
    assert sum(p.size for p in parts) == minutes
    # At most fifteen of each size; a year has 525 600 minutes, fewer than 16 to the fifth.
    assert most == 3 * 15
    assert 5 * 15 < 100


def test_a_merge_never_hides_a_journal_that_has_no_part():
    parts = [PartName(n, n) for n in range(17) if n != 7]
    assert len(parts) == 16
    assert plan_merge(parts, pending=[7]) == []
    assert len(plan_merge(parts)) == 16


def test_what_a_crash_left_twice_is_read_once():
    names = [part_name(PartName(n, n)) for n in range(4)] + ["part-000001-000002.parquet"]
    parts, journals = standing([*names, "journal-000002.arrows", "journal-000004.arrows", "junk"])
    assert parts == [PartName(0, 0), PartName(1, 2), PartName(3, 3)]
    assert journals == [4]


def test_a_torn_journal_is_told_and_still_told_when_finished(bench):
    series = bench.series()
    bench.numbers(series, [START_US], [1.0])
    bench.numbers(series, [START_US + 5], [2.0])
    bench.writer.close()
    journal = next(bench.writer.folder.glob("journal-*"))
    journal.write_bytes(journal.read_bytes()[:-3])
    stored = open_stored(bench.directory)
    assert [r[5] for r in tidy(stored)] == [1.0]
    assert "were dropped" in stored.problems[0]
    assert open_stored(compact(bench.directory)).problems == stored.problems


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"hello" * 100, b"PAR1" + b"\xff" * 40 + b"PAR1", b"\x00" * 4096]
)
def test_what_is_not_a_recording_says_what_to_do(tmp_path, content):
    path = tmp_path / "x.pulse.parquet"
    path.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        open_stored(path)
    assert caught.value.remedy


def test_other_parquet_files_and_places_are_not_recordings(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    for place in (path, tmp_path, tmp_path / "absent"):
        with pytest.raises(RecordingError) as caught:
            open_stored(place)
        assert caught.value.remedy


def rewrite(path, version: str) -> None:
    table = pq.read_table(path)
    marks = {k: v for k, v in pq.read_metadata(path).metadata.items() if k.startswith(b"pulse.")}
    run = json.loads(marks[b"pulse.run"])
    marks |= {b"pulse.version": version.encode(), b"pulse.new": b"unknown"}
    marks[b"pulse.run"] = json.dumps({**run, "version": version, "novel": 1}).encode()
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(marks)


def test_a_newer_major_is_refused_and_a_newer_minor_read(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    path = compact(bench.directory)
    rewrite(path, "1.7")
    assert same(tidy(open_stored(path)), expected(bench.rows))
    rewrite(path, "2.0")
    with pytest.raises(FormatVersionError, match="pip install --upgrade"):
        open_stored(path)


def test_flipped_bits_in_a_finished_file_never_give_other_rows(bench):
    series = bench.series()
    bench.numbers(series, [START_US + k for k in range(400)], noise(400).tolist())
    bench.writer.close()
    path = compact(bench.directory)
    whole, wanted = path.read_bytes(), expected(bench.rows)
    rnd = np.random.default_rng(5)
    read = 0
    for _ in range(150):
        broken = bytearray(whole)
        broken[rnd.integers(len(whole))] ^= 1 << int(rnd.integers(8))
        path.write_bytes(broken)
        try:
            stored = open_stored(path)
        except RecordingError:
            continue
        read += 1
        got = tidy(stored)
        assert [r[:6] for r in got] == [r[:6] for r in wanted] or stored.problems
        assert {repr(r[:6]) for r in got} <= {repr(r[:6]) for r in wanted}
    assert read < 150


def value_encodings(bench) -> set[str]:
    bench.writer.close()
    return set(pq.read_metadata(compact(bench.directory)).row_group(0).column(5).encodings)


def test_float_noise_is_split_into_bytes_and_other_values_are_a_dictionary(tmp_path):
    loss, watts = Bench(tmp_path / "a.pulse"), Bench(tmp_path / "b.pulse")
    times = [START_US + k for k in range(4000)]
    loss.numbers(loss.series(), times, noise(4000).tolist())
    watts.numbers(watts.series(), times, (noise(4000) * 10).round(2).tolist())
    assert "BYTE_STREAM_SPLIT" in value_encodings(loss)
    assert "BYTE_STREAM_SPLIT" not in value_encodings(watts)


@pytest.mark.parametrize("name", ["/", "here", "here/.."])
def test_a_directory_that_is_no_recording_says_what_is_not_there(tmp_path, name):
    (tmp_path / "here").mkdir()
    with pytest.raises(RecordingError) as caught:
        open_stored(tmp_path / name)
    assert caught.value.problem.endswith("is not a recording: there is no run.pulse.json in it")

"""What cells cost, asked of a recording."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from pulse_widgets.errors import ArgumentError
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage import segment
from pulse_widgets.storage.compact import compact
from tests.storage.bench import START_US, Bench

S = 1_000_000
GPUS = ("gpu:0", "gpu:1")


def cell(bench, count, at, seconds, *, status="ok", host="h0", entity="kernel", **facts):
    series = bench.registry.add(host, entity, "cell", unit="s", kind="span")
    start = START_US + round(at * S)
    said = {"id": f"{count}@{start}", "count": count, "line": f"fit({count})", **facts}
    rows = [(series, start, NO_STEP, math.nan, json.dumps(said), b"")]
    if seconds is not None:
        end = json.dumps({"id": said["id"], "status": status})
        rows.append((series, start + round(seconds * S), NO_STEP, seconds, end, b""))
    bench.put(rows)


def readings(bench, metric, value_at, *, entities=GPUS, host="h0", kind="gauge", every=1, until=60):
    for entity in entities:
        series = bench.registry.add(host, entity, metric, kind=kind)
        times = range(0, until * S + 1, round(every * S))
        bench.numbers(
            series, [START_US + t for t in times], [value_at(entity, t / S) for t in times]
        )


def level(low, high):
    """A value that is high from 20 s to 40 s, and twice that on the second GPU."""
    return lambda entity, t: (high if 20 <= t < 40 else low) * (1 + (entity == "gpu:1"))


@pytest.fixture
def made(tmp_path):
    """A minute of two GPUs: 20 s at rest, 20 s at work, 20 s at rest."""
    bench = Bench(tmp_path / "run.pulse")
    readings(bench, "gpu.utilization", level(0.0, 0.4))
    readings(bench, "gpu.power", level(50.0, 300.0))
    readings(bench, "gpu.energy", lambda e, t: 1000.0 + 100.0 * t, kind="counter")
    readings(bench, "gpu.memory.used", lambda e, t: 100.0 + 10.0 * t, every=2)
    readings(bench, "gpu.pcie.rx.total", lambda e, t: 5.0 * t, kind="counter")
    readings(bench, "gpu.throttled.power.total", lambda e, t: t / 2, kind="counter")
    readings(bench, "gpu.throttled.low_utilization.total", lambda e, t: t, kind="counter")
    readings(bench, "process.memory.rss", lambda e, t: 7.0 + t, entities=["kernel"])
    readings(bench, "process.cpu.total", lambda e, t: 0.5 * t, entities=["kernel"], kind="counter")
    yield bench
    bench.writer.close()


def opened(bench):
    bench.writer.close()
    return Recording.open(compact(bench.directory))


def test_the_numbers_of_a_cell_are_those_of_its_stretch(made):
    cell(made, 1, 22.0, 10.0)
    row = opened(made).cells().iloc[0]

    assert row["gpu_busy_s"] == pytest.approx(10 * (0.4 + 0.8))
    assert row["energy_j"] == pytest.approx(2 * 100.0 * 10)
    # At each end the counter may be a tenth of a second old.
    assert row["energy_error_j"] == pytest.approx(2 * 100.0 * 0.1 * 2)
    assert row["energy_method"] == "counter"
    assert row["gpu_memory_peak"] == 2 * (100 + 10 * 32)
    assert row["gpu_memory_left"] == 2 * 10 * 10
    assert row["rss_peak"] == 7 + 32
    assert row["cpu_s"] == pytest.approx(5.0)
    assert row["pcie_rx"] == pytest.approx(2 * 50)
    # The share of one GPU, and not of being idle.
    assert row["throttled"] == pytest.approx(0.5)
    # Nothing reads these.
    assert math.isnan(row["pcie_tx"])
    assert math.isnan(row["sm_active_s"])
    assert row["overlaps"] is pd.NA


def test_without_a_counter_energy_is_the_integral_of_the_power(tmp_path):
    bench = Bench(tmp_path / "run.pulse")
    readings(bench, "gpu.power", level(50.0, 300.0))
    cell(bench, 1, 22.0, 10.0)
    cell(bench, 2, 35.5, 10.0)
    report = opened(bench).cell(1)

    told = report.to_dict()
    assert told["energy_j"] == pytest.approx(9000.0)
    assert (told["energy_method"], told["energy_error_j"]) == ("integral", 0.0)
    # Where the power fell within a second, nobody knows when.
    assert opened(bench).cell(2).to_dict()["energy_error_j"] == pytest.approx(3 * 125.0)


def test_a_gpu_with_a_counter_beside_one_without_is_told_as_mixed(tmp_path):
    bench = Bench(tmp_path / "run.pulse")
    readings(bench, "gpu.energy", lambda e, t: 100.0 * t, entities=["gpu:0"], kind="counter")
    readings(bench, "gpu.power", lambda e, t: 50.0)
    cell(bench, 1, 10.0, 10.0)
    row = opened(bench).cells().iloc[0]

    assert (row["energy_j"], row["energy_method"]) == (1500.0, "mixed")


@pytest.mark.parametrize(
    ("at", "seconds", "absent"),
    [
        (22.2, 0.3, {"gpu_busy_s", "energy_j", "gpu_memory_peak", "gpu_memory_left", "cpu_s"}),
        (70.0, 5.0, {"gpu_busy_s", "energy_j", "gpu_memory_peak", "rss_peak", "throttled"}),
        (55.0, 30.0, {"gpu_busy_s", "energy_j", "gpu_memory_peak", "rss_peak", "throttled"}),
        (-5.0, 10.0, {"gpu_busy_s", "energy_j", "gpu_memory_peak", "rss_peak", "throttled"}),
    ],
)
def test_what_readings_do_not_cover_is_absent_with_a_reason_and_never_zero(
    made, at, seconds, absent
):
    cell(made, 1, at, seconds)
    rec = opened(made)
    row, report = rec.cells().iloc[0], rec.cell(1)

    assert all(math.isnan(row[name]) for name in absent)
    assert absent <= report.absent.keys()
    assert all(report.absent[name] != "nothing reads it here" for name in absent)
    assert report.absent["sm_active_s"] == "nothing reads it here"
    assert report.seconds == seconds


def test_one_gpu_that_is_not_known_makes_the_sum_not_known(made):
    lost = made.registry.add("h0", "gpu:2", "gpu.utilization")
    made.numbers(lost, [START_US + 1 * S, START_US + 2 * S, START_US + 3 * S], [0.5, 0.5, math.nan])
    cell(made, 1, 22.0, 10.0)
    report = opened(made).cell(1)

    assert report.numbers["gpu_busy_s"] is None
    gpus = report.to_dict()["gpus"]
    assert [gpus[gpu]["gpu_busy_s"] for gpu in ("gpu:0", "gpu:1", "gpu:2")] == [
        pytest.approx(4.0),
        pytest.approx(8.0),
        None,
    ]


def test_a_gpu_that_is_cut_into_parts_is_told_by_them_where_it_says_nothing_itself(tmp_path):
    bench = Bench(tmp_path / "run.pulse")
    parts = ["gpu:0/mig:1", "gpu:0/mig:2"]
    readings(bench, "gpu.memory.used", lambda e, t: 10.0, entities=["gpu:0"])
    readings(bench, "gpu.memory.used", lambda e, t: 4.0, entities=parts)
    readings(bench, "gpu.sm.active", lambda e, t: 0.5, entities=parts)
    cell(bench, 1, 10.0, 10.0)
    row = opened(bench).cells().iloc[0]

    assert row["gpu_memory_peak"] == 10.0
    assert row["sm_active_s"] == pytest.approx(10.0)


def test_the_numbers_of_a_cell_are_of_its_own_machine(made):
    readings(made, "gpu.utilization", lambda e, t: 1.0, entities=["gpu:0"], host="h1")
    readings(made, "process.memory.rss", lambda e, t: 5.0, entities=["kernel"], host="h1")
    cell(made, 1, 22.0, 10.0)
    cell(made, 1, 25.0, 10.0, host="h1")
    cells = opened(made).cells()

    assert cells["host"].tolist() == ["h0", "h1"]
    assert cells["gpu_busy_s"].tolist() == pytest.approx([12.0, 10.0])
    assert cells["rss_peak"].tolist() == [39.0, 5.0]
    assert cells["energy_j"].isna().tolist() == [False, True]
    # Two machines do not overlap.
    assert cells["overlaps"].isna().all()


def test_ranks_of_one_machine_have_their_own_memory(made):
    readings(made, "process.memory.rss", lambda e, t: 5.0, entities=["rank:3/kernel"])
    cell(made, 1, 22.0, 10.0)
    cell(made, 1, 22.0, 10.0, entity="rank:3/kernel")
    cells = opened(made).cells()

    assert sorted(cells["rss_peak"].tolist()) == [5.0, 39.0]
    assert cells["overlaps"].isna().all()


def test_cells_that_overlap_are_named_and_told_of_all_that_ran(made):
    cell(made, 1, 22.0, 10.0)
    cell(made, 2, 25.0, 3.0)
    cell(made, 3, 33.0, 2.0)
    rec = opened(made)
    cells = rec.cells()

    assert cells["overlaps"][:2].tolist() == ["2", "1"]
    assert cells["overlaps"][2] is pd.NA
    assert cells["gpu_busy_s"].tolist() == pytest.approx([12.0, 3.6, 2.4])
    assert rec.cell(2).overlaps == (1,)
    assert "Cells ran beside it, and are in its numbers: 1." in repr(rec.cell(2))


def test_a_selected_stretch_counts_the_part_of_a_cell_inside(made):
    cell(made, 1, 2.0, 3.0)
    cell(made, 2, 22.0, 10.0)
    rec = opened(made)
    part = rec.select(start=25, end=28)

    row = part.cells().iloc[0]
    assert part.cells()["cell"].tolist() == [2]
    assert (row["seconds"], row["status"]) == (10.0, "ok")
    assert row["energy_j"] == pytest.approx(600.0)
    assert row["gpu_busy_s"] == pytest.approx(3.6)
    assert part.cell(2).to_dict()["energy_j"] == pytest.approx(600.0)
    assert rec.select(start=45).cells().empty


def test_numbers_are_made_of_the_series_that_are_selected(made):
    cell(made, 1, 22.0, 10.0)
    rec = opened(made)

    one = rec.select(entity=["kernel", "gpu:1"]).cells().iloc[0]
    assert one["gpu_busy_s"] == pytest.approx(8.0)
    alone = rec.select("cell").cells().iloc[0]
    assert (alone["seconds"], math.isnan(alone["gpu_busy_s"])) == (10.0, True)


def test_a_table_reads_only_the_series_it_is_made_of(made, monkeypatch):
    cell(made, 1, 22.0, 10.0)
    readings(made, "gpu.temperature", level(1, 2))
    made.numbers(made.registry.add("h0", "user", "loss"), [START_US], [1.0])
    rec = opened(made)
    read, real = set(), segment.ParquetSegment.read

    def counted(self, keys, want):
        read.update(keys)
        return real(self, keys, want)

    monkeypatch.setattr(segment.ParquetSegment, "read", counted)
    rec.select("cell").cells()
    assert {key.metric for key in read} == {"cell"}
    rec.cells()
    assert {key.metric for key in read} == {
        "cell", "gpu.utilization", "gpu.energy", "gpu.memory.used", "gpu.pcie.rx.total",
        "gpu.throttled.power.total", "process.memory.rss", "process.cpu.total",
    }  # fmt: skip


# Which cell is meant ------------------------------------------------------------------


@pytest.fixture
def several(made):
    cell(made, 1, 2.0, 3.0, cell_id="a", line="load()")
    cell(made, 2, 8.0, 4.0, cell_id="b", line="train()")
    cell(made, 3, 14.0, 3.0, line="plain()")
    cell(made, 4, 22.0, 10.0, cell_id="b", line="train(more)", status="error", error="KeyError")
    cell(made, 5, 34.0, 3.0, line="plain()")
    cell(made, 7, 40.0, 3.0, cell_id="c", line="load()")
    return opened(made)


@pytest.mark.parametrize(
    ("which", "count"),
    [(1, 1), (4, 4), (-1, 7), (-2, 5), (-6, 1), ("a", 1), ("b", 4), ("c", 7)],
)
def test_a_cell_is_found_by_count_from_the_end_or_by_its_id(several, which, count):
    assert several.cell(which).cell == count


def test_of_several_with_one_count_the_newest_is_meant(made):
    cell(made, 1, 2.0, 3.0)
    cell(made, 1, 10.0, 4.0)

    assert opened(made).cell(1).seconds == 4.0


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (6, ["no cell 6", "1 to 5, 7"]),
        (-7, ["no cell -7", "1 to 5, 7"]),
        (0, ["no cell 0"]),
        ("zz", ["no cell 'zz'", "'a', 'b', 'c'"]),
        (True, ["True is no cell", "-1 for the last"]),
        (1.5, ["1.5 is no cell"]),
        ([12], ["[12] is no cell"]),
    ],
)
def test_an_unknown_cell_is_refused_with_those_there_are(several, which, words):
    with pytest.raises(ArgumentError) as raised:
        several.cell(which)

    assert all(word in str(raised.value) for word in words)


def test_without_cells_that_is_said(made):
    with pytest.raises(ArgumentError, match="Cells are recorded in IPython"):
        opened(made).cell(1)


@pytest.mark.parametrize(
    ("which", "before"), [(1, None), (2, None), (4, 2), (3, None), (5, 3), (7, None)]
)
def test_the_previous_execution_is_of_the_same_notebook_cell(several, which, before):
    previous = several.cell(which).previous

    assert (previous and previous.cell) == before


def test_two_executions_are_compared(several):
    table = several.cell(4).compared

    assert table.loc["seconds"].tolist() == ["s", 10.0, 4.0, 6.0]
    assert table.loc["energy_j"].tolist() == ["J", 2000.0, 800.0, 1200.0]
    assert table.loc["sm_active_s", ["now", "before", "change"]].isna().all()
    assert several.cell(1).compared is None


def test_a_report_is_text_a_table_and_plain_values(several):
    report = several.cell(4)

    lines = repr(report).splitlines()
    assert lines[0] == "cell [4] train(more)"
    assert lines[1].startswith("error (KeyError), 10 s, from ")
    energy = next(line for line in lines if line.startswith("GPU energy, all of 2 GPUs "))
    assert energy.split()[6:8] == ["2", "kJ"]
    assert all("\x1b" not in line for line in lines)
    told = json.loads(json.dumps(report.to_dict()))
    assert (told["cell"], told["cell_id"], told["gpu_busy_s"]) == (4, "b", pytest.approx(12.0))
    assert told["absent"]["pcie_tx"] == "nothing reads it here"


@pytest.mark.parametrize(("gpus", "listed"), [(1, 0), (4, 0), (5, 5), (8, 8), (40, 16)])
def test_a_report_says_of_how_many_gpus_a_number_is_and_tells_of_each(tmp_path, gpus, listed):
    bench = Bench(tmp_path / "run.pulse", interval=1.0)
    for gpu in range(gpus):
        used = bench.series(f"gpu:{gpu}", "gpu.memory.used", unit="B")
        bench.numbers(used, [START_US + s * S for s in range(20)], [2.0**30] * 20)
    cell(bench, 1, 5.0, 10.0)
    report = opened(bench).cell(1)

    text = repr(report)
    whole = "GPU memory, peak" + (f", all of {gpus} GPUs" if gpus > 1 else "")
    peak = next(line for line in text.splitlines() if "peak" in line)
    assert peak.split("  ")[0] == whole
    assert peak.removeprefix(whole).split()[:2] == [str(gpus), "GiB"]
    rows = [line.split() for line in text.splitlines() if line.startswith("gpu:")]
    assert [row[0] for row in rows] == [f"gpu:{gpu}" for gpu in range(listed)]
    assert {tuple(row[1:3]) for row in rows} <= {("1", "GiB")}
    assert (f"and {gpus - 16} more" in text) == (gpus > 16)
    page = report._repr_html_()
    assert ("<details>" in page) == (gpus > 4)
    assert page.count(">gpu:") == (gpus if gpus > 1 else 0)


@pytest.mark.parametrize("gpus", [2, 6])
def test_of_a_gpu_that_was_lost_the_others_are_told(tmp_path, gpus):
    bench = Bench(tmp_path / "run.pulse", interval=1.0)
    for gpu in range(gpus):
        used = bench.series(f"gpu:{gpu}", "gpu.memory.used", unit="B")
        lost = [math.nan if gpu == 1 and s >= 8 else 2.0**30 for s in range(20)]
        bench.numbers(used, [START_US + s * S for s in range(20)], lost)
    cell(bench, 1, 5.0, 10.0)
    report = opened(bench).cell(1)

    assert report.numbers["gpu_memory_peak"] is None
    told = repr(report)
    assert "readings are missing for the time of the cell" in told
    assert told.count("1 GiB") == gpus - 1


def test_a_report_escapes_and_has_no_script(made):
    cell(made, 1, 22.0, 10.0, line="<script>alert(1)</script>", cell_id="<b>")
    page = opened(made).cell(1)._repr_html_()

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "class=" not in page


def test_a_cell_and_its_row_in_the_table_say_the_same(several):
    table = several.cells().set_index("cell")

    for count in table.index:
        numbers = several.cell(count).numbers
        for name, value in numbers.items():
            there = table.loc[count, name]
            assert value == there or (value is None and math.isnan(there))


def test_a_cell_that_was_cut_off_is_told_until_the_recording_ends(made):
    cell(made, 1, 30.0, None)
    rec = opened(made)
    report = rec.cell(1)

    assert (report.status, report.seconds) == ("unfinished", 30.0)
    assert "not ended when the session did, until then, 30 s" in str(report)
    assert report.to_dict()["end"] is None
    assert report.numbers["energy_j"] == pytest.approx(6000.0)
    assert rec.cells()["end"].isna().all()


# Very many ----------------------------------------------------------------------------


def many(tmp_path, count):
    bench = Bench(tmp_path / f"{count}.pulse")
    readings(bench, "gpu.energy", lambda e, t: 100.0 * t, kind="counter", entities=["gpu:0"])
    series = bench.registry.add("h0", "kernel", "cell", unit="s", kind="span")
    step = 50 * S // count
    starts = START_US + np.arange(count) * step
    times = np.stack([starts, starts + step // 2], axis=1).ravel()
    values = np.tile([math.nan, step / 2 / S], count)
    texts = [
        text
        for number in range(count)
        for text in (
            json.dumps({"id": str(number), "count": number, "line": "f()"}),
            json.dumps({"id": str(number), "status": "ok"}),
        )
    ]
    for first in range(0, 2 * count, 20_000):
        part = slice(first, first + 20_000)
        ids = np.full(len(times[part]), series, np.int32)
        bench.writer.append(Rows.of(ids, times[part], values[part], text=texts[part]))
    bench.writer.close()
    return compact(bench.directory)


@pytest.mark.slow
def test_a_hundred_thousand_cells_open_as_ten_do(tmp_path, monkeypatch):
    parsed = []
    real = json.JSONDecoder.raw_decode  # `decode` calls it, too

    def counted(self, text, *args, **named):
        parsed.append(text)
        return real(self, text, *args, **named)

    touched = {}
    for count in (10, 100_000):
        path = many(tmp_path, count)
        monkeypatch.setattr(json.JSONDecoder, "raw_decode", counted)
        parsed.clear()
        rec = Recording.open(path)
        opening = sum('"count"' in text for text in parsed)
        provider = RecordingProvider(rec)
        events = provider.events(1000)
        shown = len([text for text in parsed if text.startswith('{"id"')])
        figure = rec.figure(metrics="gpu.energy")
        monkeypatch.undo()
        drawn = len([text for text in parsed if text.startswith('{"id"')]) - shown
        assert len(figure.layout.shapes) == (20 if count == 10 else 0)
        touched[count] = (opening, shown, drawn)
        assert len(events.spans) == min(count, 1000)
        assert all(span.end is not None for span in events.spans)

    assert touched[10] == (0, 20, 20)
    assert touched[100_000] == (0, 2000, 4000)


def test_a_figure_of_a_stretch_has_its_cells_however_many_there_are(tmp_path):
    rec = Recording.open(many(tmp_path, 5000))
    # A cell takes 10 ms, half of which it runs.
    part = rec.select(start=10.002, end=10.0451)
    few = Recording.open(many(tmp_path, 500)).select(start=10.02, end=10.451)

    for each in (part, few):
        shapes = each.figure(metrics="gpu.energy").layout.shapes
        assert len([one for one in shapes if one.type == "line"]) == 4
        # At rest from the end of the cell in which it begins.
        assert len([one for one in shapes if one.type == "rect"]) == 4


@pytest.mark.slow
def test_a_hundred_thousand_cells_are_answered(tmp_path):
    rec = Recording.open(many(tmp_path, 100_000))
    cells = rec.cells()

    assert cells["cell"].tolist() == list(range(100_000))
    assert rec.cell(99_999).seconds == cells["seconds"].iloc[-1]

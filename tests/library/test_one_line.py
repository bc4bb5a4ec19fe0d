"""What `repr` says of a recording: what it holds, from its catalog alone, whatever state it is in."""

import re

import pytest

from pulse_widgets.library.one_line import short_name
from pulse_widgets.library.recording import Recording
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.segment import ParquetSegment
from tests.library.machine import SECOND, cell
from tests.storage.bench import START_US, Bench


def power(bench, *gpus, seconds=1):
    times = [START_US + s * SECOND for s in range(seconds)]
    for gpu in gpus:
        bench.numbers(bench.series(f"gpu:{gpu}", "gpu.power", unit="W"), times, [1.0] * seconds)


def empty(bench):
    del bench


def one_gpu(bench):
    power(bench, 0)


def eight_gpus_and_cells(bench):
    power(bench, *range(8), seconds=360)
    cell(bench, 1, 2.0, 3.0, "ok")
    cell(bench, 2, 6.0, 4.0, "error")
    cell(bench, 3, 12.0, None, "")


def one_cell(bench):
    bench.numbers(bench.series(), [START_US, START_US + 90 * SECOND], [1.0, 2.0])
    cell(bench, 1, 2.0, 3.0, "ok")


HELD = [
    (empty, {}, "'run': nothing recorded"),
    (one_gpu, {}, "'run': 0 s, 1 host, 1 GPU, 1 series, 1 row"),
    (
        eight_gpus_and_cells,
        {},
        "'run': 5 min 59 s, 1 host, 8 GPUs, 9 series, 2885 rows, 3 cells",
    ),
    (one_cell, {}, "'run': 1 min 30 s, 1 host, 2 series, 4 rows, 1 cell"),
    (
        one_cell,
        {"simulated": True},
        "'run': 1 min 30 s, 1 host, 2 series, 4 rows, 1 cell, simulated",
    ),
]


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(("fill", "about", "said"), HELD)
def test_a_recording_says_what_it_holds(tmp_path, fill, about, said, finished):
    bench = Bench(tmp_path / "run.pulse", **about)
    fill(bench)
    bench.settle()

    running = repr(Recording.open(bench.directory))
    bench.writer.close()
    rec = Recording.open(compact(bench.directory) if finished else bench.directory)

    assert running == f"<Recording {said}, running when it was opened>"
    assert repr(rec) == f"<Recording {said}>"
    assert repr(rec).isascii()


def test_what_it_says_is_what_its_tables_say(rec):
    said = repr(rec)

    assert f"{len(rec.series)} series" in said
    assert f"{rec.series['rows'].sum()} rows" in said
    assert f"{len(rec.cells())} cells" in said
    assert "2 GPUs" in said


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"metric": "gpu.*", "entity": "gpu:1"}, "19 s, 1 host, 1 GPU, 1 series, 20 rows>"),
        ({"metric": "memory.used"}, "19 s, 1 host, 1 series, 20 rows>"),
        # How many rows lie in a part of the time is not known without reading them.
        ({"start": 5, "end": 9}, "4 s, 1 host, 2 GPUs, 11 series>"),
        ({"metric": "train/loss", "step": (0, 30)}, "19 s, 1 host, 1 series>"),
    ],
)
def test_a_selection_says_what_is_selected(bench, chosen, said):
    from tests.library.machine import fill

    fill(bench)
    bench.writer.close()

    assert repr(Recording.open(bench.directory).select(**chosen)).endswith(f": {said}")


def test_no_row_is_read_for_it(rec, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("rows were read")

    monkeypatch.setattr(ParquetSegment, "columns", refuse, raising=False)
    monkeypatch.setattr("pulse_widgets.library.answers.merged", refuse)
    monkeypatch.setattr("pulse_widgets.storage.reader.columns_of", refuse)

    assert "series" in repr(rec)
    with pytest.raises(AssertionError):
        rec.to_pandas()


@pytest.mark.parametrize("harm", ["gone", "flipped", "cut"])
def test_a_damaged_recording_says_what_was_known_of_it(bench, harm):
    eight_gpus_and_cells(bench)
    bench.writer.close()
    path = compact(bench.directory)
    rec, before = Recording.open(path), repr(Recording.open(path))
    content = path.read_bytes()

    if harm == "gone":
        path.unlink()
    else:
        half = len(content) // 2
        path.write_bytes(content[:half] + (bytes(half) if harm == "flipped" else b""))

    assert repr(rec) == before


def test_problems_are_counted_and_their_place_is_named(bench):
    power(bench, 0, seconds=20)
    bench.minute()
    power(bench, 0, seconds=2)
    bench.writer.close()
    (part,) = bench.directory.rglob("*.parquet")
    part.write_bytes(b"nothing")

    rec = Recording.open(bench.directory)

    assert len(rec.problems) == 1
    assert repr(rec).endswith(", 1 problem (see .problems)>")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("run-17.pulse.parquet", "run-17"),
        ("run-17.pulse", "run-17"),
        ("foreign.parquet", "foreign"),
        ("run.pulse.pulse.parquet", "run.pulse"),
        (".pulse", ".pulse"),
        ("plain", "plain"),
    ],
)
def test_the_name_goes_without_what_all_names_end_in(name, short):
    assert short_name(name) == short


def test_the_name_is_no_path_and_does_nothing_to_a_terminal(tmp_path):
    bench = Bench(tmp_path / "a\x1b[31m'b.pulse")
    one_gpu(bench)
    bench.writer.close()

    said = repr(Recording.open(bench.directory))

    assert said.isprintable()
    assert str(tmp_path) not in said
    assert re.match(r"<Recording \"a\\x1b\[31m'b\": ", said)

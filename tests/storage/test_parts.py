"""Parts in the making: what was damaged meanwhile is said, and holds up nothing else."""

from __future__ import annotations

import json
import math

import pytest

from pulse_widgets.storage import merge, parts
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.reader import open_stored
from tests.storage.bench import START_US, Bench, expected, tidy


@pytest.fixture
def owing(tmp_path):
    """A recording whose journals 0 to 3 have no part yet, and are no longer in memory."""
    bench = Bench(tmp_path / "run.pulse")
    series = bench.series()
    bench.writer._parts._next_part_s = math.inf
    for number in range(4):
        for k in range(20):
            bench.numbers(series, [START_US + 1000 * number + k], [float(number)])
        bench.writer._close_journal()
    for owed in bench.writer._parts._pending:
        owed.rows = None
    bench.writer._parts._next_part_s = -math.inf
    yield bench
    bench.writer.close()


def names(bench) -> set[str]:
    return {path.name for path in bench.writer.folder.glob("[jp]*-*")}


def flip(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_journal_that_was_torn_before_its_part_was_made_is_said_for_good(owing):
    journal = owing.writer.folder / "journal-000001.arrows"
    flip(journal)
    damaged = journal.read_bytes()

    owing.minute()

    told = owing.writer.problem
    assert journal.name in told
    assert "of 20" in told
    assert names(owing) == {*(f"part-{n:06d}.parquet" for n in range(4)), journal.name}
    assert json.loads((owing.writer.folder / "writer.json").read_text())["about"] == {
        "problems": [told]
    }
    owing.numbers(owing.series(), [START_US + 9000], [9.0])
    owing.minute()
    assert owing.writer.problem == told
    owing.writer.close()
    stored = open_stored(owing.directory)
    assert stored.problems == (told,)
    lost = int(told.split(" rows of 20")[0].split()[-1])
    assert 0 < lost < 20
    assert len(tidy(stored)) == len(owing.rows) - lost
    assert open_stored(compact(owing.directory)).problems == (told,)
    kept = owing.directory.with_name("run.pulse.damaged") / journal.parent.name / journal.name
    assert kept.read_bytes() == damaged


def test_it_is_said_on_the_disk_before_its_part_appears(owing, monkeypatch):
    flip(owing.writer.folder / "journal-000001.arrows")
    ordinary, seen = parts.Parts._put, []

    def puts(self, *arguments):
        about = json.loads((owing.writer.folder / "writer.json").read_text())["about"]
        seen.append(bool(about.get("problems")))
        return ordinary(self, *arguments)

    monkeypatch.setattr(parts.Parts, "_put", puts)
    owing.minute()
    assert seen == [False, True, True, True]


def test_a_journal_that_vanished_before_its_part_was_made_is_said_and_holds_nothing_up(owing):
    (owing.writer.folder / "journal-000001.arrows").unlink()
    owing.minute()
    assert "20 rows" in owing.writer.problem
    assert names(owing) == {f"part-{n:06d}.parquet" for n in (0, 2, 3)}
    owing.writer.close()
    assert "20 rows" in open_stored(owing.directory).problems[0]


@pytest.mark.parametrize("error", [MemoryError(), TypeError("odd"), OSError(5, "I/O error")])
def test_a_journal_that_cannot_become_a_part_holds_up_no_other(owing, monkeypatch, error):
    ordinary = merge.merge_segments

    def merges(segments, path, *arguments, **named):
        if segments[0].entries[0].start == START_US + 1000:
            raise error
        return ordinary(segments, path, *arguments, **named)

    with monkeypatch.context() as broken:
        broken.setattr(merge, "merge_segments", merges)
        for _ in range(3):
            owing.minute()
        assert owing.writer.problem
        assert names(owing) == {
            *(f"part-{n:06d}.parquet" for n in (0, 2, 3)), "journal-000001.arrows"
        }  # fmt: skip
        assert tidy(open_stored(owing.directory)) == expected(owing.rows)
    owing.minute()
    assert owing.writer.problem == ""
    assert names(owing) == {f"part-{n:06d}.parquet" for n in range(4)}
    assert tidy(open_stored(owing.directory)) == expected(owing.rows)


@pytest.mark.parametrize("where", ["footer", "page"])
def test_a_damaged_part_stops_no_merge_and_is_in_none(tmp_path, where):
    bench = Bench(tmp_path / "run.pulse")
    series = bench.series()

    def minutes(first, end):
        for minute in range(first, end):
            bench.numbers(series, [START_US + 60 * minute + k for k in range(50)], [minute] * 50)
            bench.minute()

    minutes(0, 15)
    part = bench.writer.folder / "part-000007.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 4 if where == "page" else -10] ^= 0xFF
    part.write_bytes(content)
    minutes(15, 40)

    assert "part-000007.parquet is damaged; it had 50 rows" in bench.writer.problem
    assert part.read_bytes() == content
    assert "part-000008-000023.parquet" in names(bench)
    bench.writer.close()
    stored = open_stored(compact(bench.directory))
    assert tidy(stored) == expected([row for row in bench.rows if row[5] != 7])
    assert len(stored.problems) == 1
    assert "50 rows" in stored.problems[0]


def test_rows_of_each_part_are_listed(owing):
    owing.minute()
    about = json.loads((owing.writer.folder / "writer.json").read_text())
    assert about["rows"] == {f"part-{n:06d}.parquet": 20 for n in range(4)}
    assert about["rows"].keys() == about["parts"].keys()

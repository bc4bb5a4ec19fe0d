"""What a kill left and what holds no row goes; everything else stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pulse_widgets.series.registry import Registry
from pulse_widgets.storage.cleanup import YOUNG_S, remove_empty, remove_unfinished
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.writer import Writer
from tests.storage.bench import START_US, Bench, expected, tidy

if TYPE_CHECKING:
    from pathlib import Path


def old(path: Path) -> Path:
    then = time.time() - 2 * YOUNG_S
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def bare(directory):
    directory.mkdir()


def with_run(directory):
    writer(directory)
    for folder in list(directory.glob("w-*")):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def writer(directory):
    Writer(directory, Registry(), host_name="h", start_us=1, reserve=Reserve(0, 0)).close()


def half_made(directory):
    directory.mkdir()
    (directory / ".run.pulse.json.7").write_text("{")
    (directory / ".new-abc").mkdir()
    (directory / ".new-abc" / "lock").touch()
    old(directory / ".new-abc")


def half_written(directory):
    writer(directory)
    folder = next(directory.glob("w-*"))
    for name in (".part", ".merged", ".writer.json.7"):
        (folder / name).write_text("half")
    (folder / "journal-000000.arrows").touch()
    (directory / ".finished").write_text("half")
    (directory / ".failed").touch()


EMPTY = {f.__name__: f for f in (bare, with_run, writer, half_made, half_written)}


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY)
def test_a_directory_in_which_nothing_was_recorded_goes(tmp_path, make):
    make(tmp_path / "run.pulse")
    old(tmp_path / "run.pulse")
    assert remove_empty(tmp_path / "run.pulse")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [bare, with_run, half_made])
def test_a_directory_that_may_just_be_coming_stays(tmp_path, make):
    make(tmp_path / "run.pulse")
    assert not remove_empty(tmp_path / "run.pulse")
    assert remove_empty(tmp_path / "run.pulse", young_s=0.0)


def test_an_empty_directory_beside_its_finished_file_goes_at_once(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    compact(bench.directory)
    bench.directory.mkdir()
    assert remove_empty(bench.directory)
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


def a_row(directory):
    bench = Bench(directory)
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()


def a_torn_row(directory):
    a_row(directory)
    journal = next(directory.rglob("journal-*"))
    journal.write_bytes(journal.read_bytes()[:50])


def a_part(directory):
    writer(directory)
    (next(directory.glob("w-*")) / "part-000000.parquet").touch()


def notes(directory):
    writer(directory)
    (directory / "notes.txt").write_text("mine")


def notes_inside(directory):
    writer(directory)
    (next(directory.glob("w-*")) / "notes.txt").write_text("mine")


def link(directory):
    writer(directory)
    (next(directory.glob("w-*")) / ".part").symlink_to("/etc/passwd")


def a_link_to_it(directory):
    writer(directory.with_name("other.pulse"))
    (directory.with_name("other.pulse") / "x").touch()
    directory.symlink_to(directory.with_name("other.pulse"))


def another_kind(directory):
    directory.mkdir()
    (directory / "model.bin").write_text("mine")


STAYING = {f.__name__: f for f in (a_row, a_torn_row, a_part, notes, notes_inside, link,
                                  a_link_to_it, another_kind)}  # fmt: skip


@pytest.mark.parametrize("make", STAYING.values(), ids=STAYING)
def test_a_directory_that_holds_anything_stays_as_it_is(tmp_path, make):
    make(tmp_path / "run.pulse")
    before = sorted(p for p in tmp_path.rglob("*") if p.name != ".compact.lock")
    assert not remove_empty(tmp_path / "run.pulse", young_s=0.0)
    assert sorted(p for p in tmp_path.rglob("*") if p.name != ".compact.lock") == before


def test_a_directory_somebody_writes_to_stays(bench):
    assert not remove_empty(bench.directory, young_s=0.0)
    bench.numbers(bench.series(), [START_US], [1.0])
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


def test_a_removal_that_was_killed_is_completed(tmp_path):
    writer(tmp_path / "run.pulse")
    (tmp_path / "run.pulse").rename(tmp_path / ".run.pulse.gone-12")
    remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_unfinished_files_of_dead_processes_go(tmp_path, dead):
    gone = [f".run.pulse.parquet.{dead}", f".a.b c.pulse.parquet.{dead}"]
    stay = [f".run.pulse.parquet.{os.getpid()}", f"run.pulse.parquet.{dead}", f".notes.{dead}",
            f".run.parquet.{dead}", ".run.pulse.parquet.x", ".run.pulse.parquet"]  # fmt: skip
    for name in (*gone, *stay):
        (tmp_path / name).write_text("half")
        old(tmp_path / name)
    fresh = tmp_path / f".fresh.pulse.parquet.{dead}"
    fresh.write_text("of another machine, perhaps")
    remove_unfinished(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {*stay, fresh.name}


def test_only_those_of_one_name_go_where_one_is_named(tmp_path, dead):
    for name in ("a", "b"):
        (tmp_path / f".{name}.pulse.parquet.{dead}").touch()
        old(tmp_path / f".{name}.pulse.parquet.{dead}")
    remove_unfinished(tmp_path, "a.pulse.parquet")
    assert [p.name for p in tmp_path.iterdir()] == [f".b.pulse.parquet.{dead}"]
    remove_unfinished(tmp_path / "absent")

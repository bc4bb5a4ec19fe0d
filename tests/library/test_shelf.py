"""The shelf: names, listing, and what is deleted when."""

from __future__ import annotations

import errno
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulse_widgets.errors import StorageError
from pulse_widgets.library import shelf
from pulse_widgets.library.destination import new_directory
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.shelf import (
    finish,
    home,
    keep_within,
    network_note,
    recordings,
)
from pulse_widgets.storage.compact import compact
from tests.storage.bench import START_US, Bench


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))


def record(directory: Path, start_us: int = START_US, **about) -> Bench:
    bench = Bench(directory, **about)
    bench.numbers(bench.series(), [start_us, start_us + 2_000_000], [1.0, 2.0])
    return bench


def settle() -> None:
    """Wait until what ended last is finished, and the shelf is in order."""
    for thread in list(shelf._threads):
        thread.join(60)
        assert not thread.is_alive()


def finished(directory: Path) -> Path:
    record(directory).writer.close()
    return compact(directory)


def test_a_new_place_on_the_shelf_is_private_named_and_free():
    place = new_directory(title="My run / 3")
    assert place.parent == home()
    assert place.name.endswith("-My-run-3.pulse")
    assert home().stat().st_mode & 0o777 == 0o700
    record(place).writer.close()
    assert new_directory(title="My run / 3") != place


@pytest.mark.parametrize("name", ["run", "run.pulse", "run.pulse.parquet", "run.parquet"])
def test_a_path_of_ones_own_may_be_written_any_way(tmp_path, name):
    assert new_directory(tmp_path / name) == tmp_path / "run.pulse"


def test_a_directory_that_is_there_gets_a_recording_inside(tmp_path):
    assert new_directory(tmp_path, "x").parent == tmp_path


def test_a_name_that_is_taken_is_refused(tmp_path):
    finished(tmp_path / "a.pulse")
    with pytest.raises(StorageError, match="there already"):
        new_directory(tmp_path / "a")
    record(tmp_path / "b.pulse").writer.close()
    with pytest.raises(StorageError, match="there already") as left:
        new_directory(tmp_path / "b")
    assert f"pulse-widgets repair {tmp_path / 'b.pulse'}" in left.value.remedy


def test_a_recording_that_runs_may_be_joined(tmp_path):
    bench = record(tmp_path / "a.pulse")
    assert new_directory(tmp_path / "a") == tmp_path / "a.pulse"
    bench.writer.close()


def test_recordings_are_listed_newest_first_whatever_their_state():
    home().mkdir(parents=True)
    finished(home() / "old.pulse")
    running = record(home() / "now.pulse", title="training")
    record(home() / "crashed.pulse").writer.close()
    (home() / "broken.pulse.parquet").write_bytes(b"junk")
    (home() / "notes.txt").write_text("mine")
    table = recordings().set_index("name")
    assert dict(table["state"]) == {
        "old": "finished",
        "now": "running",
        "crashed": "unfinished",
        "broken": "unreadable",
    }
    assert table.loc["old", "seconds"] == 2.0
    assert table.loc["old", "rows"] == 2
    assert table.loc["now", "title"] == "training"
    assert len(Recording.open(table.loc["old", "path"]).series) == 1
    running.writer.close()


def test_an_empty_shelf_is_an_empty_table():
    assert len(recordings()) == 0
    assert "state" in recordings().columns


def stamped(number: int) -> Path:
    return home() / f"2026-10-05-12000{number}.pulse"


def test_the_newest_three_stay_whatever_the_bounds():
    home().mkdir(parents=True)
    paths = [finished(stamped(k)) for k in range(5)]
    gone = keep_within(home(), most_bytes=0)
    assert set(gone) == set(paths[:2])
    assert [p.exists() for p in paths] == [False, False, True, True, True]


def test_recordings_older_than_the_bound_go_and_only_our_own_finished_ones():
    home().mkdir(parents=True)
    paths = [finished(stamped(k)) for k in range(4)]
    copy = Recording.open(paths[0]).save(home() / "2026-10-05-130000-copy")
    crashed = record(home() / "2026-10-05-130001.pulse")
    crashed.writer.close()
    other = home() / "2026-10-05-130002.pulse.parquet"
    other.write_bytes(b"not ours")
    later = time.time() + 31 * 86_400
    assert keep_within(home(), now_s=later - 2 * 86_400) == []
    assert keep_within(home(), now_s=later) == [paths[0]]
    assert copy.exists()
    assert other.exists()
    assert crashed.directory.exists()


NAMED = ["my-thesis-run", "2026-10-05", "2026-10-05-1200", "x-2026-10-05-120000",
         "2026-10-05-120000 copy", "2026-10-05-120000_2", "2026-10-05-120000-"]  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_a_recording_that_somebody_named_stays(name):
    home().mkdir(parents=True)
    path = finished(home() / f"{name}.pulse")
    assert keep_within(home(), most_bytes=0, most_days=0, newest=0) == []
    assert path.exists()


@pytest.mark.parametrize("title", ["", "training", "a/b é 3", "." * 80])
def test_a_recording_with_a_name_of_ours_goes(title):
    made = [finished(new_directory(title=title)) for _ in range(3)]
    assert set(keep_within(home(), most_bytes=0, newest=0)) == set(made)


def test_with_a_recording_go_the_damaged_files_that_were_kept_of_it():
    home().mkdir(parents=True)
    bench = record(stamped(0))
    bench.minute()
    part = next(bench.writer.folder.glob("part-*"))
    part.write_bytes(b"x" * 1000)
    bench.writer.close()
    compact(bench.directory)
    kept = home() / f"{stamped(0).name}.damaged"
    assert kept.is_dir()
    whole = sum(p.stat().st_size for p in home().rglob("*") if p.is_file())
    assert keep_within(home(), most_bytes=whole, newest=0) == []
    assert len(keep_within(home(), most_bytes=whole - 1, newest=0)) == 1
    assert list(home().iterdir()) == []


def test_retention_goes_on_past_files_that_cannot_be_read_or_deleted(monkeypatch):
    home().mkdir(parents=True)
    paths = [finished(stamped(k)) for k in range(4)]
    os.mkfifo(home() / "2026-10-05-110000.pulse.parquet")
    (home() / "2026-10-05-110001.pulse.parquet").mkdir()
    loop = home() / "2026-10-05-110002.pulse.parquet"
    loop.symlink_to(loop)
    ordinary = Path.unlink

    def unlink(path, **named):
        if path == paths[1]:
            raise PermissionError(1, "no")
        ordinary(path, **named)

    monkeypatch.setattr(Path, "unlink", unlink)
    assert set(keep_within(home(), most_bytes=0, newest=0)) == {paths[0], paths[2], paths[3]}


def test_finishing_one_recording_completes_what_a_crash_left():
    home().mkdir(parents=True)
    record(home() / "crashed.pulse").writer.close()
    running = record(home() / "running.pulse")
    last = record(home() / "last.pulse")
    last.writer.close()
    finish(last.directory)
    settle()
    states = dict(recordings().set_index("name")["state"])
    assert states == {"crashed": "finished", "last": "finished", "running": "running"}
    running.writer.close()


def test_a_local_disk_needs_no_note(tmp_path):
    assert network_note(Path("/proc")) == ""


SCRIPT = """
import numpy as np
from pathlib import Path
from pulse_widgets.library.destination import new_directory
from pulse_widgets.library.shelf import finish
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.writer import Writer
registry = Registry(); registry.add("h0", "user", "loss")
writer = Writer(new_directory(), registry, host_name="h", start_us=1, reserve=Reserve(0, 0))
writer.append(Rows.of(np.zeros(1000, np.int32), np.arange(1000), np.arange(1000.0)))
writer.close()
finish(writer.directory)
"""


def test_a_script_that_ends_at_once_leaves_a_finished_file():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert recordings()["state"].tolist() == ["finished"]
    assert recordings()["rows"].tolist() == [1000]


def test_recordings_can_be_listed_while_one_of_them_becomes_a_file():
    bench = record(new_directory(None, "mine"))
    bench.writer.close()
    items = shelf.recordings_in(home())
    path = compact(bench.directory)

    lines = [shelf._line(item) for item in items]

    assert [(place, line[6]) for place, line in lines] == [(path, "finished")]


def test_a_recording_that_goes_while_they_are_listed_is_no_line():
    home().mkdir(parents=True)
    assert shelf._line(home() / "gone.pulse.parquet")[1] == ()


# One that fails ------------------------------------------------------------------------


def run(directory) -> Path:
    return directory / "run.pulse.json"


def big(directory):
    os.truncate(run(directory), 100_000_000)


def wrong(**fields):
    def harm(directory):
        run(directory).write_text(json.dumps(json.loads(run(directory).read_text()) | fields))

    return harm


def replaced(make):
    def harm(directory):
        run(directory).unlink()
        make(run(directory))

    return harm


def another_beside(directory):
    finished(directory.with_name("other.pulse")).rename(directory.with_name("bad.pulse.parquet"))


def newer_part(directory):
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = next(directory.glob("w-*"))
    schema = pa.schema([pa.field("novel", pa.int64())])
    with pq.ParquetWriter(folder / "part-000007.parquet", schema) as writer:
        writer.add_key_value_metadata({"pulse.version": "9.0"})


HOPELESS = {
    "of 100 MB": big,
    "nested": lambda d: run(d).write_bytes(b"[" * 200_000),
    "cut": lambda d: run(d).write_bytes(run(d).read_bytes()[:-5]),
    "empty": lambda d: run(d).write_bytes(b""),
    "no UTF-8": lambda d: run(d).write_bytes(b"\xff\xfe\x00\xd8" * 100),
    "start 1e400": lambda d: run(d).write_text('{"version": "1.0", "id": "x", "start": 1e400}'),
    "start of the year 5000": wrong(start=95_617_584_000_000_000),
    "start before 1970": wrong(start=-1),
    "id a number": wrong(id=5),
    "newer": wrong(version="9.0"),
    "pipe": replaced(os.mkfifo),
    "directory": replaced(os.mkdir),
    "loop": replaced(lambda path: path.symlink_to(path)),
    "endless": replaced(lambda path: path.symlink_to("/dev/zero")),
    "gone": lambda d: run(d).unlink(),
    "another file of its name": another_beside,
    "newer part": newer_part,
}  # fmt: skip


def crash(name: str) -> Path:
    bench = record(home() / f"{name}.pulse")
    bench.writer.close()
    return bench.directory


def end_of_a_session() -> None:
    last = record(new_directory())
    last.writer.close()
    finish(last.directory)
    settle()


@pytest.mark.parametrize("harm", HOPELESS.values(), ids=HOPELESS)
def test_a_recording_that_cannot_be_finished_harms_no_other_and_is_named(harm, caplog):
    home().mkdir(parents=True)
    for name in ("a", "bad", "c"):
        crash(name)
    harm(home() / "bad.pulse")

    end_of_a_session()

    table = recordings()
    states = table.groupby("name")["state"].agg(list)
    assert states["a"] == states["c"] == ["finished"]
    assert len(states) == 4
    assert (home() / "bad.pulse").is_dir()
    (line,) = [row for row in table.itertuples() if row.path == str(home() / "bad.pulse")]
    assert line.state in {"unreadable", "unfinished"}
    assert bool(line.problem) == (line.state == "unreadable")
    assert caplog.text.count("bad.pulse was not finished") == 1


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError(), OSError(errno.EIO, "I/O error"), KeyError("x"), SystemError(),
     ZeroDivisionError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), StopIteration()],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
@pytest.mark.parametrize(
    "where", ["compact.survey", "compact.merge_segments", "reader.read_folder"]
)
def test_whatever_a_recording_raises_the_others_are_finished_and_listed(
    monkeypatch, caplog, where, error
):
    home().mkdir(parents=True)
    for name in ("a", "bad", "c"):
        crash(name)
    module, name = where.split(".")
    at = importlib.import_module(f"pulse_widgets.storage.{module}")
    ordinary = getattr(at, name)

    def fails(*arguments, **named):
        if "bad.pulse" in repr(arguments):
            raise error
        return ordinary(*arguments, **named)

    monkeypatch.setattr(at, name, fails)
    end_of_a_session()

    assert dict(recordings().set_index("name")["state"].drop(last_name())) == {
        "a": "finished",
        "c": "finished",
        "bad": "unreadable" if module == "reader" else "unfinished",
    }
    assert caplog.text.count("bad.pulse was not finished") == 1


def last_name() -> str:
    return next(p.name for p in home().iterdir() if p.name[:4].isdecimal()).removesuffix(
        ".pulse.parquet"
    )


def test_one_that_failed_is_tried_again_after_a_day(monkeypatch):
    home().mkdir(parents=True)
    bad = crash("bad")
    whole = run(bad).read_bytes()
    run(bad).write_bytes(b"{}")
    tried = []
    compacting = importlib.import_module("pulse_widgets.storage.compact")
    ordinary = compacting.compact

    def counts(directory, **named):
        tried.append(directory.name)
        return ordinary(directory, **named)

    monkeypatch.setattr(compacting, "compact", counts)
    for _ in range(3):
        end_of_a_session()
    assert tried.count("bad.pulse") == 1
    run(bad).write_bytes(whole)
    end_of_a_session()
    assert bad.is_dir()
    then = time.time() - shelf.AGAIN_S - 1
    os.utime(bad / ".failed", (then, then))
    end_of_a_session()
    assert not bad.exists()
    assert Recording.open(home() / "bad").series["rows"].sum() == 2


def test_one_that_runs_is_not_said_to_have_failed(caplog):
    home().mkdir(parents=True)
    running = record(home() / "running.pulse")
    end_of_a_session()
    assert not (running.directory / ".failed").exists()
    assert caplog.text == ""
    running.writer.close()
    end_of_a_session()
    assert not running.directory.exists()


def test_a_name_that_is_no_text_is_listed_finished_and_opened():
    home().mkdir(parents=True)
    name = os.fsdecode(b"caf\xe9\xff")
    crash(name)
    (home() / os.fsdecode(b"b\xff.pulse.parquet")).write_text("junk")
    assert recordings()["state"].tolist().count("unfinished") == 1
    end_of_a_session()
    table = recordings().set_index("name")
    assert table.loc["caf??", "state"] == "finished"
    assert table.loc["b?", "state"] == "unreadable"
    assert len(Recording.open(table.loc["caf??", "path"]).series) == 1


def test_a_directory_that_may_not_be_listed_is_named(monkeypatch):
    home().mkdir(parents=True)
    crash("bad")
    crash("good")
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("bad.pulse"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    with monkeypatch.context() as without:
        without.setattr("os.scandir", denied)
        table = recordings().set_index("name")
        end_of_a_session()
    assert dict(table["state"]) == {"bad": "unreadable", "good": "unfinished"}
    assert "denied" in table.loc["bad", "problem"]
    # It is not taken for one without rows.
    assert len(list((home() / "bad.pulse").rglob("journal-*"))) == 1


def test_two_recordings_of_one_name_are_both_listed():
    home().mkdir(parents=True)
    crash("bad")
    another_beside(home() / "bad.pulse")
    table = recordings()
    assert sorted(table["state"]) == ["finished", "unfinished"]
    assert table["name"].tolist() == ["bad", "bad"]
    assert len(set(table["path"])) == 2


# Leftovers -----------------------------------------------------------------------------


def test_empty_leftovers_of_a_kill_vanish_at_the_next_repair():
    home().mkdir(parents=True)
    (home() / "empty.pulse").mkdir()
    Bench(home() / "rowless.pulse").writer.close()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (home() / f".x.pulse.parquet.{child.pid}").touch()
    (home() / "fresh.pulse").mkdir()
    done = finished(home() / "done.pulse")
    done.with_name("done.pulse").mkdir()
    mine = home() / "notes.pulse"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    then = time.time() - 3600
    for path in home().iterdir():
        if path.name != "fresh.pulse":
            os.utime(path, (then, then))
    assert set(recordings()["name"]) == {"rowless", "done"}

    end_of_a_session()

    assert {p.name for p in home().iterdir()} == {
        "fresh.pulse", "notes.pulse", "done.pulse.parquet", f"{last_name()}.pulse.parquet"
    }  # fmt: skip
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_shelf_that_is_no_directory_is_empty(tmp_path, monkeypatch):
    (tmp_path / "recordings").write_text("")
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    assert len(recordings()) == 0
    assert keep_within(home()) == []


def test_where_no_thread_can_be_started_what_ended_stays_a_directory_that_reads_the_same(
    tmp_path, monkeypatch
):
    bench = record(tmp_path / "a.pulse")
    bench.writer.close()

    class Refused(shelf.threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(shelf.threading, "Thread", Refused)
    recording = finish(bench.directory)

    assert recording.path == bench.directory
    assert recording.series["rows"].tolist() == [2]
    assert all(thread.ident for thread in shelf._threads)  # the end of the process joins them

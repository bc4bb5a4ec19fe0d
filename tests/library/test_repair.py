"""Finishing by hand what a crash left, and finding a recording by its name."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import pulse_widgets as pw
from pulse_widgets.cli import main
from pulse_widgets.errors import ArgumentError, PulseError, RecordingError, StorageError
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.repair import repair
from pulse_widgets.library.shelf import home, recordings
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.reader import open_stored
from tests.disks import Disk
from tests.storage.bench import START_US, Bench, expected, tidy


@pytest.fixture
def crashed(tmp_path) -> Bench:
    """What a crash left: a part, a journal, captured output."""
    bench = Bench(tmp_path / "runs" / "today.pulse", title="a/b sweep")
    series, out = bench.series(), bench.series("kernel", "log.stdout", kind="text")
    bench.numbers(series, [START_US, START_US + 1], [1.0, 2.0])
    bench.minute()
    bench.put([(out, START_US + 2, -(1 << 63), float("nan"), "what was printed", b"")])
    bench.numbers(series, [START_US + 3], [3.0])
    bench.writer.close()
    return bench


def same_rows(path, bench) -> bool:
    return repr(tidy(open_stored(path))) == repr(expected(bench.rows))


@pytest.mark.parametrize(
    "name", ["today", "today.pulse", "today.pulse.parquet", "today.pulse/run.pulse.json"]
)
def test_what_a_crash_left_is_finished_under_any_of_its_names(crashed, name):
    place = crashed.directory.parent
    done = repair(place / name)
    assert (done.done, done.path) == ("finished", place / "today.pulse.parquet")
    assert (done.rows, done.series, done.lost, done.kept) == (4, 2, (), None)
    assert [path.name for path in place.iterdir()] == ["today.pulse.parquet"]
    assert same_rows(done.path, crashed)
    again = repair(place / name)
    assert (again.done, again.path, again.rows) == ("finished already", done.path, 4)


def test_from_within_the_directory_it_is_finished_too(crashed, monkeypatch):
    monkeypatch.chdir(crashed.directory.parent)
    assert repair(Path("today")).rows == 4


def test_what_is_lost_is_said_and_kept(crashed):
    part = next(crashed.writer.folder.glob("part-*"))
    part.write_bytes(b"x" * 50)
    done = repair(crashed.directory)
    assert done.rows == 2
    assert len(done.lost) == 1
    assert "2 rows" in done.lost[0]
    assert (done.kept / part.parent.name / part.name).read_bytes() == b"x" * 50


def test_damaged_rows_are_said_with_the_writer_whose_part_it_is(crashed):
    part = next(crashed.writer.folder.glob("part-*"))
    spoil(part)
    (said,) = repair(crashed.directory).lost
    assert said == f"2 rows are damaged in {part.parent.name}/{part.name} and left out"


@pytest.mark.parametrize("output", ["else.pulse.parquet", "else", "else.pulse", "there"])
def test_it_may_be_written_elsewhere_and_the_directory_stays(crashed, tmp_path, output):
    (tmp_path / "there").mkdir()
    before = {p: p.stat().st_mtime_ns for p in crashed.directory.rglob("*")}
    done = repair(crashed.directory, tmp_path / output)
    wanted = "there/today.pulse.parquet" if output == "there" else "else.pulse.parquet"
    assert (done.done, done.path) == ("written", tmp_path / wanted)
    # All of it: this is no copy for others.
    assert same_rows(done.path, crashed)
    assert {p: p.stat().st_mtime_ns for p in crashed.directory.rglob("*")} == before
    with pytest.raises(StorageError, match="there already"):
        repair(crashed.directory, tmp_path / output)


def test_a_directory_in_which_nothing_was_recorded_is_removed(tmp_path):
    Bench(tmp_path / "run.pulse").writer.close()
    done = repair(tmp_path / "run")
    assert (done.done, done.path) == ("removed", tmp_path / "run.pulse")
    assert list(tmp_path.glob("run*")) == []


def test_the_rest_of_a_removal_is_removed(crashed):
    path = compact(crashed.directory)
    crashed.directory.mkdir()
    assert repair(crashed.directory).done == "finished already"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_unfinished_file_of_a_killed_process_goes(crashed):
    stale = crashed.directory.with_name(".today.pulse.parquet.4194305")
    stale.write_text("half")
    os.utime(stale, (1, 1))
    repair(crashed.directory)
    assert not stale.exists()


@pytest.mark.parametrize("content", [None, b"", b"[" * 100_000, b"{}"])
def test_a_lost_description_is_made_anew_and_the_loss_is_said(crashed, content):
    run = crashed.directory / "run.pulse.json"
    run.unlink()
    if content is not None:
        run.write_bytes(content)
    before = time.time()
    done = repair(crashed.directory)
    assert done.rows == 4
    assert "title" in done.lost[0]
    stored = open_stored(done.path)
    assert same_rows(done.path, crashed)
    assert stored.run.start_us == START_US
    assert "title" not in stored.run.about
    if content is not None:
        assert (done.kept / "run.pulse.json").read_bytes() == content
    assert stored.run.about["compacted"] > before * 1e6


def test_what_cannot_be_repaired_says_why_and_stays(crashed, tmp_path):
    running = Bench(tmp_path / "running.pulse")
    running.numbers(running.series(), [START_US], [1.0])
    (tmp_path / "plain").mkdir()
    (tmp_path / "text").write_text("text")
    for name in ("running", "plain", "text", "absent", "", "a\0b"):
        with pytest.raises(PulseError) as caught:
            repair(tmp_path / name)
        assert caught.value.remedy, name
    assert (tmp_path / "plain").is_dir()
    with pytest.raises(StorageError, match="still being recorded"):
        repair(tmp_path / "running", tmp_path / "else")
    with pytest.raises(StorageError, match="cannot be written"):
        repair(crashed.directory, tmp_path / "absent" / "x")
    finished = repair(crashed.directory).path
    with pytest.raises(ArgumentError):
        repair(finished, tmp_path / "else")
    running.writer.close()


@pytest.mark.parametrize("name", ["/proc/x", "/proc/none/x", "y" * 300])
def test_a_path_that_takes_no_file_is_our_error_and_no_advice_for_a_session(crashed, name):
    with pytest.raises(StorageError) as saved:
        Recording.open(crashed.directory).save(name)
    with pytest.raises(StorageError) as repaired:
        repair(crashed.directory, Path(name))
    for caught, advice in ((saved, "another path|elsewhere"), (repaired, "with -o")):
        assert re.search(advice, caught.value.remedy), caught.value
        assert "record=" not in str(caught.value)


def test_on_a_full_disk_a_repair_and_a_copy_name_another_place(crashed, tmp_path):
    disk = Disk(tmp_path / "disk", "64k")
    if not disk.mounted:
        pytest.skip("no disk of its own can be mounted here")
    try:
        disk.fill()
        with pytest.raises(StorageError) as saved:
            Recording.open(crashed.directory).save(disk.place / "x")
        with pytest.raises(StorageError) as repaired:
            repair(crashed.directory, disk.place / "x")
        assert saved.value.remedy == "Free some space there, or save it under another path."
        assert repaired.value.remedy == (
            "Free some space there, or write the file to another path with -o."
        )
        assert [path.name for path in disk.place.iterdir()] == ["filler"]
    finally:
        disk.close()


def test_a_lost_description_beside_a_finished_file_is_left_to_its_owner(crashed):
    copy = shutil.copytree(crashed.directory, crashed.directory.with_name("copy.pulse"))
    for lock in copy.rglob("lock"):
        os.utime(lock, (0, 0))
    compact(copy).rename(crashed.directory.with_name("today.pulse.parquet"))
    (crashed.directory / "run.pulse.json").write_bytes(b"{}")
    with pytest.raises(StorageError, match="cannot say"):
        repair(crashed.directory)
    assert len(list(crashed.directory.rglob("journal-*"))) == 1


# By saving -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["today", "today.pulse", "today.pulse.parquet", "."])
def test_saved_under_its_own_name_it_is_finished_whole(crashed, name):
    place = crashed.directory.parent
    path = Recording.open(crashed.directory).save(place / name)
    assert path == place / "today.pulse.parquet"
    assert not crashed.directory.exists()
    # Nothing is left out, which a copy would do, and nobody takes it for one.
    assert same_rows(path, crashed)
    assert Recording.open(path).title == "a/b sweep"


def test_a_part_of_it_does_not_take_the_name_of_the_whole(crashed):
    rec = Recording.open(crashed.directory)
    for part in (rec.select("memory.used"), rec.select(start=0.5)):
        with pytest.raises(StorageError, match="name of the whole"):
            part.save(crashed.directory.with_name("today"))
    assert same_rows(crashed.directory, crashed)


def test_one_that_runs_is_not_saved_under_its_own_name(tmp_path):
    bench = Bench(tmp_path / "run.pulse")
    bench.numbers(bench.series(), [START_US], [1.0])
    with pytest.raises(StorageError, match="still being recorded"):
        Recording.open(bench.directory).save(tmp_path / "run")
    assert not (tmp_path / "run.pulse.parquet").exists()
    bench.writer.close()


def test_a_copy_that_is_put_beside_the_directory_costs_it_nothing(crashed, tmp_path):
    copy = Recording.open(crashed.directory).save(tmp_path / "copy")
    copy.rename(crashed.directory.with_name("today.pulse.parquet"))
    assert same_rows(crashed.directory, crashed)
    with pytest.raises(StorageError, match="a copy of this recording"):
        repair(crashed.directory)
    assert same_rows(crashed.directory, crashed)


def test_a_save_that_fails_leaves_nothing(crashed, tmp_path, monkeypatch):
    from pulse_widgets.library import saving

    place = tmp_path / "copies"
    place.mkdir()
    rec = Recording.open(crashed.directory)
    for name in ("Packer", "merged", "better_split", "sync", "_require_nothing_lost", "Redaction"):
        for error in (OSError(28, "full"), MemoryError(), RecursionError(), KeyError("x")):

            def fails(*_, error=error, **__):
                raise error

            with monkeypatch.context() as broken:
                broken.setattr(saving, name, fails)
                with pytest.raises(PulseError):
                    rec.save(place / "x")
            left = [path.name for path in place.iterdir()]
            assert left == (["x.pulse.parquet"] if name == "sync" else [])
            for path in place.iterdir():
                path.unlink()
    assert len(Recording.open(rec.save(place / "x")).series) == 1


# By name -------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    home().mkdir(parents=True)
    for name, value in (("2026-10-05-101010-training", 1.0), ("2026-10-05-111111", 2.0)):
        bench = Bench(home() / f"{name}.pulse", title=name)
        bench.numbers(bench.series(), [START_US], [value])
        bench.writer.close()
    compact(home() / "2026-10-05-111111.pulse")
    return home()


def value_of(rec) -> float:
    return float(rec.values()[1][0])


@pytest.mark.parametrize("suffix", ["", ".pulse", ".pulse.parquet"])
def test_a_name_from_the_table_opens_and_replays(shelf, suffix):
    for name, state in recordings().set_index("name")["state"].items():
        wanted = {"finished": 2.0, "unfinished": 1.0}[state]
        assert value_of(Recording.open(name + suffix)) == wanted
        assert pw.replay(name + suffix) is not None
    assert value_of(Recording.open(recordings()["name"].iloc[0])) in {1.0, 2.0}


@pytest.mark.parametrize("form", ["pulse", "pulse.parquet"])
def test_what_lies_here_comes_before_what_lies_on_the_shelf(shelf, tmp_path, form):
    bench = Bench(tmp_path / "2026-10-05-111111.pulse")
    bench.numbers(bench.series(), [START_US], [3.0])
    bench.writer.close()
    if form == "pulse.parquet":
        compact(bench.directory)
    assert value_of(Recording.open("2026-10-05-111111")) == 3.0
    assert value_of(Recording.open(shelf / "2026-10-05-111111")) == 2.0


def test_only_a_bare_name_is_looked_for_on_the_shelf(shelf):
    with pytest.raises(RecordingError):
        Recording.open("x/2026-10-05-111111")


@pytest.mark.parametrize(
    ("asked", "named"),
    [("training", ["2026-10-05-101010-training"]), ("2026-10-05-101011-training", ["101010-training"]),
     ("2026-10-05", ["111111", "training"]), ("nothing like it", [])],
)  # fmt: skip
def test_a_name_that_is_none_tells_of_those_that_are_like_it(shelf, asked, named):
    for opens in (Recording.open, pw.replay, lambda name: repair(Path(name))):
        with pytest.raises(RecordingError) as caught:
            opens(asked)
        assert asked in caught.value.problem
        assert all(name in caught.value.remedy for name in named)
        assert ("Perhaps" in caught.value.remedy) == bool(named)
        assert "pw.recordings()" in caught.value.remedy


def test_a_name_without_a_shelf_is_our_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "absent"))
    monkeypatch.chdir(tmp_path)
    for name in ("x", "x\0", "x" * 300, "\udcff", "."):
        with pytest.raises(RecordingError):
            Recording.open(name)


# The command ---------------------------------------------------------------------------


def test_the_command_repairs_and_says_what_it_did(crashed, capsys):
    place = crashed.directory.parent
    next(crashed.writer.folder.glob("part-*")).write_bytes(b"x")
    assert main(["repair", str(place / "today")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, counts, lost, kept = out.splitlines()
    assert first == f"Finished: {place / 'today.pulse.parquet'}"
    assert counts == "2 rows of 2 series"
    assert lost.startswith("Lost: ")
    assert str(place / "today.pulse.damaged") in kept
    assert main(["repair", str(place / "today")]) == 0
    assert capsys.readouterr().out.startswith("Finished already: ")


def test_the_command_gives_json(crashed, capsys, tmp_path):
    assert main(["repair", "--json", str(crashed.directory), "-o", str(tmp_path / "x")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "done": "written",
        "path": str(tmp_path / "x.pulse.parquet"),
        "rows": 4,
        "series": 2,
        "lost": [],
        "kept": None,
    }


def test_the_command_fails_with_a_problem_and_a_remedy(tmp_path, capsys):
    assert main(["repair", str(tmp_path / "absent")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    for words in (["repair"], ["repair", "a", "b"], ["repair", "a", "-o"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2


def test_the_list_names_what_can_be_repaired_and_what_cannot_be_read(shelf, capsys):
    (shelf / "broken\x1b[31m.pulse.parquet").write_bytes(b"junk")
    assert main(["recordings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "broken?[31m cannot be read: it is not a Parquet file, or was cut off"
    assert lines[-1].endswith("pulse-widgets repair 2026-10-05-101010-training")

    assert main(lines[-1].split("pulse-widgets ")[1].split()) == 0

    assert "Finished: " in capsys.readouterr().out
    assert main(["recordings"]) == 0
    assert "repair" not in capsys.readouterr().out


def spoil(path: Path) -> None:
    """Flip a bit in the values of the first row group."""
    content = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(5)
    content[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(content)


def test_what_is_damaged_in_a_finished_file_is_said_though_nobody_has_read_it_yet(crashed):
    path = repair(crashed.directory).path
    assert repair(path).lost == ()
    spoil(path)
    (said,) = repair(path).lost
    assert said.endswith(f"damaged in {path.name} and left out")


def test_the_list_says_what_finished_recordings_lack(shelf, capsys):
    journal = next((shelf / "2026-10-05-101010-training.pulse").glob("w-*/journal-*"))
    journal.write_bytes(journal.read_bytes() + b"junk")
    assert main(["repair", "2026-10-05-101010-training"]) == 0
    capsys.readouterr()
    assert main(["recordings"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("2026-10-05-101010-training: 4 bytes at the end of ")


def test_the_list_is_json_whatever_the_names(shelf, capsys):
    (shelf / os.fsdecode(b"\xff\xfe.pulse.parquet")).write_bytes(b"junk")
    assert main(["recordings", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {line["state"] for line in listed} == {"finished", "unfinished", "unreadable"}
    assert all(Path(line["path"]).exists() for line in listed)
    assert [bool(line["problem"]) for line in listed] == [
        line["state"] == "unreadable" for line in listed
    ]

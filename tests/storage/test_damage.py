"""What is damaged costs itself alone: the rest is read, finished, and what is lost is said."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pulse_widgets.errors import PulseError, RecordingError, StorageError
from pulse_widgets.library.recording import Recording
from pulse_widgets.storage import compact as compacting
from pulse_widgets.storage import folder as reading
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.directory import (
    PartName,
    WriterFolder,
    journal_name,
    part_name,
    standing,
    writer_folders,
)
from pulse_widgets.storage.folder import name_hosts
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import open_stored
from tests.programs import ROOT
from tests.storage.bench import START_US, Bench, expected, tidy

ROWS = 40


def crashed(directory: Path, parts: int = 3) -> Bench:
    """Leave a directory of parts 0, 1, ..., and a last journal, each with 40 rows."""
    bench = Bench(directory, title="kept")
    series = bench.series()
    for number in range(parts + 1):
        times = [START_US + number * 1000 + k for k in range(ROWS)]
        bench.numbers(series, times, [float(number)] * ROWS)
        if number < parts:
            bench.minute()
    bench.writer.close()
    return bench


def numbers(stored) -> set[float]:
    """Say which parts and journals the rows that were read come from."""
    rows = tidy(stored)
    assert len(rows) == ROWS * len({row[5] for row in rows})
    return {row[5] for row in rows}


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF  # in a page
    path.write_bytes(content)


def another(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()
    (path / "x").write_text("x")


def loop(path):
    path.unlink()
    path.symlink_to(path)


def nowhere(path):
    path.unlink()
    path.symlink_to(path.with_name("absent"))


DAMAGE = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "words": lambda path: path.write_text("not what it should be\n" * 50),
    "endless footer": lambda path: path.write_bytes(path.read_bytes()[:-8] + b"\xff\xff\xff\x0fPAR1"),
    "page": flip,
    "pipe": another,
    "directory": folder,
    "loop": loop,
    "link to nowhere": nowhere,
}  # fmt: skip


@pytest.mark.parametrize("harm", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_part_costs_itself_and_is_kept_beside_the_finished_file(tmp_path, harm):
    bench = crashed(tmp_path / "run.pulse")
    part = bench.writer.folder / part_name(PartName(1, 1))
    harm(part)
    kept = part.is_symlink(), part.is_file() and part.read_bytes()

    path = compact(bench.directory)

    stored = open_stored(path)
    assert numbers(stored) == {0.0, 2.0, 3.0}
    assert stored.run.about["title"] == "kept"
    (told,) = stored.problems
    assert part.name in told
    assert f"{ROWS} rows" in told
    assert str(tmp_path) not in told
    beside = tmp_path / "run.pulse.damaged" / part.parent.name / part.name
    assert (beside.is_symlink(), beside.is_file() and beside.read_bytes()) == kept
    assert not bench.directory.exists()


@pytest.mark.parametrize("harm", [h for n, h in DAMAGE.items() if n != "page"])
def test_a_damaged_part_is_said_when_the_directory_is_opened(tmp_path, harm):
    bench = crashed(tmp_path / "run.pulse")
    harm(bench.writer.folder / part_name(PartName(1, 1)))
    stored = open_stored(bench.directory)
    assert numbers(stored) == {0.0, 2.0, 3.0}
    (told,) = stored.problems
    assert f"{ROWS} rows" in told


def test_a_part_that_is_listed_and_gone_is_counted(tmp_path):
    bench = crashed(tmp_path / "run.pulse", parts=14)
    for number in range(1, 13):
        (bench.writer.folder / part_name(PartName(number, number))).unlink()
    for stored in (open_stored(bench.directory), open_stored(compact(bench.directory))):
        assert numbers(stored) == {0.0, 13.0, 14.0}
        assert len(stored.problems) == reading.NAMED + 1
        assert all(f"with {ROWS} rows" in told for told in stored.problems[:-1])
        assert f"2 more parts of {bench.writer.folder.name} are missing" in stored.problems[-1]
        assert f"with {2 * ROWS} rows" in stored.problems[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["run.pulse.parquet"]


KILLED = """
import os, sys
from pathlib import Path
from pulse_widgets.storage import parts
from tests.storage.test_damage import crashed
def sync(folder, whole=parts.sync):
    whole(folder)
    if any("-" in path.stem.removeprefix("part-") for path in folder.glob("part-*.parquet")):
        os.kill(os.getpid(), 9)
parts.sync = sync
crashed(Path(sys.argv[1]), 17)
"""


def test_a_kill_before_a_merged_part_is_listed_makes_nobody_miss_what_it_holds(tmp_path):
    directory = tmp_path / "run.pulse"
    done = subprocess.run([sys.executable, "-c", KILLED, str(directory)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL

    (folder,) = writer_folders(Local(directory))
    merged = part_name(PartName(0, 15))
    assert (directory / folder.name / merged).exists() and merged not in folder.about["parts"]
    assert numbers(open_stored(directory)) >= set(map(float, range(16)))
    assert open_stored(directory).problems == ()
    (directory / folder.name / merged).unlink()
    assert open_stored(directory).problems == ()  # the sixteen are there
    (directory / folder.name / part_name(PartName(3, 3))).unlink()
    assert "part-000003.parquet is missing, with 40 rows" in open_stored(directory).problems[0]


@pytest.mark.parametrize("name", ["cut", "zeros", "words", "pipe", "directory", "loop"])
def test_a_damaged_journal_costs_its_own_rows(tmp_path, name):
    bench = crashed(tmp_path / "run.pulse")
    journal = bench.writer.folder / journal_name(3)
    DAMAGE[name](journal)
    assert numbers(open_stored(bench.directory)) == {0.0, 1.0, 2.0}
    stored = open_stored(compact(bench.directory))
    assert numbers(stored) == {0.0, 1.0, 2.0}
    (told,) = stored.problems
    assert journal.name in told
    assert os.path.lexists(tmp_path / "run.pulse.damaged" / journal.parent.name / journal.name)
    assert not bench.directory.exists()


def test_a_journal_of_another_schema_is_said_and_kept(tmp_path):
    import pyarrow as pa

    bench = crashed(tmp_path / "run.pulse")
    journal = bench.writer.folder / journal_name(3)
    table = pa.table({"a": [1, 2, 3]})
    with pa.OSFile(str(journal), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    stored = open_stored(compact(bench.directory))
    assert "columns" in stored.problems[0]
    assert (tmp_path / "run.pulse.damaged" / journal.parent.name / journal.name).exists()


WRITER = {
    "absent": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "a list": lambda path: path.write_text("[]"),
    "deep": lambda path: path.write_bytes(b'{"a":' * 100_000),
    "pipe": another,
    "loop": loop,
    "wrong types": lambda path: path.write_text(
        json.dumps(dict.fromkeys(json.loads(path.read_text()), 5))
    ),
    "nulls": lambda path: path.write_text(
        json.dumps(dict.fromkeys(json.loads(path.read_text())))
    ),
    "odd inside": lambda path: path.write_text(
        '{"start": 1e400, "locks": {}, "boot_id": [], "hosts": {"h0": 5, "h1": {"name": NaN}}, '
        '"entities": {"h0": {"gpu:0": [1], "gpu:1": {"a": 1e400}}}, "about": {"problems": 5}, '
        '"parts": {"part-000000.parquet": "x"}, "rows": {"part-000000.parquet": -1}}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("harm", WRITER.values(), ids=WRITER)
def test_a_damaged_description_of_a_writer_costs_no_row(tmp_path, harm):
    bench = crashed(tmp_path / "run.pulse")
    path = bench.writer.folder / "writer.json"
    harm(path)
    stored = open_stored(bench.directory)
    assert tidy(stored) == expected(bench.rows)
    assert not stored.running
    if not stored.problems:
        assert isinstance(json.loads(path.read_text()), dict)
    else:
        assert "writer.json" in stored.problems[0]
    assert tidy(open_stored(compact(bench.directory))) == expected(bench.rows)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), PermissionError(errno.EACCES, "no"), OSError(errno.EMFILE, "too many"),
     OSError(errno.ESTALE, "stale")],
    ids=str,
)  # fmt: skip
def test_what_may_be_readable_another_time_is_not_given_up(tmp_path, monkeypatch, error):
    bench = crashed(tmp_path / "run.pulse")
    ordinary = reading.ParquetSegment

    def fails(path, **how):
        if path.name == part_name(PartName(1, 1)):
            raise error
        return ordinary(path, **how)

    with monkeypatch.context() as broken:
        broken.setattr(reading, "ParquetSegment", fails)
        assert numbers(open_stored(bench.directory)) == {0.0, 2.0, 3.0}
        with pytest.raises(RecordingError, match="cannot be finished now"):
            compact(bench.directory)
    assert tidy(open_stored(compact(bench.directory))) == expected(bench.rows)
    assert [path.name for path in tmp_path.iterdir()] == ["run.pulse.parquet"]


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError(), KeyError("x"), OSError(errno.EIO, "I/O error"), TypeError()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_fails_while_finishing_is_our_error_and_leaves_the_directory(
    tmp_path, monkeypatch, error
):
    bench = crashed(tmp_path / "run.pulse")

    def fails(*_, **__):
        raise error

    for name in ("merge_segments", "survey", "_require_rows"):
        with monkeypatch.context() as broken:
            broken.setattr(compacting, name, fails)
            with pytest.raises((RecordingError, StorageError)) as caught:
                compact(bench.directory)
        assert caught.value.remedy
        assert not (tmp_path / "run.pulse.parquet").exists()
        assert not list(bench.directory.glob(".finished"))
    assert tidy(open_stored(compact(bench.directory))) == expected(bench.rows)


def test_files_in_the_damage_of_a_finished_file_lie_inside_the_directory(tmp_path):
    (tmp_path / "mine").write_text("mine")
    bench = crashed(tmp_path / "run.pulse")
    names = ["../mine", str(tmp_path / "mine"), "w-x/../../mine", "w-/", "run.pulse.json", 5, None]
    compacting._keep_damaged(bench.directory, names)
    compacting._keep_damaged(bench.directory, "w-x")
    assert (tmp_path / "mine").exists()
    assert not (tmp_path / "run.pulse.damaged").exists()


def test_a_crash_after_the_file_appeared_still_keeps_what_was_damaged(tmp_path, monkeypatch):
    bench = crashed(tmp_path / "run.pulse")
    part = bench.writer.folder / part_name(PartName(1, 1))
    flip(part)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(compacting, "_keep_damaged", dies)
        with pytest.raises(KeyboardInterrupt):
            compact(bench.directory)
    assert numbers(open_stored(bench.directory)) == {0.0, 2.0, 3.0}
    compact(bench.directory)
    assert (tmp_path / "run.pulse.damaged" / part.parent.name / part.name).exists()
    assert not bench.directory.exists()


def test_what_is_damaged_later_does_not_overwrite_what_was_kept_before(tmp_path):
    bench = crashed(tmp_path / "run.pulse")
    part = bench.writer.folder / part_name(PartName(1, 1))
    beside = tmp_path / "run.pulse.damaged" / part.parent.name / part.name
    beside.parent.mkdir(parents=True)
    beside.write_text("earlier")
    flip(part)
    compact(bench.directory)
    assert beside.read_text() == "earlier"
    assert beside.with_name(f"{part.name}.2").exists()


def test_a_folder_that_is_a_link_is_not_tidied(tmp_path):
    bench = crashed(tmp_path / "run.pulse")
    elsewhere = crashed(tmp_path / "other.pulse")
    (bench.directory / "w-link-1-1").symlink_to(elsewhere.writer.folder)
    (bench.directory / "w-loop-1-1").symlink_to(bench.directory / "w-loop-1-1")
    assert tidy(open_stored(compact(bench.directory))) == expected(bench.rows)
    assert tidy(open_stored(elsewhere.directory)) == expected(elsewhere.rows)


def test_the_file_stands_for_the_directory_only_where_it_is_the_finished_one(tmp_path):
    # A copy of the same run, with less in it, was put beside the directory.
    bench = crashed(tmp_path / "run.pulse")
    whole = shutil.copytree(bench.directory, tmp_path / "other.pulse")
    for lock in whole.rglob("lock"):
        os.utime(lock, (0, 0))
    for part in whole.rglob("part-*"):
        part.unlink()
    copy = tmp_path / "run.pulse.parquet"
    compact(whole).rename(copy)
    forget(copy, "compacted")

    assert tidy(open_stored(bench.directory)) == expected(bench.rows)
    with pytest.raises(StorageError, match="a copy of this recording"):
        compact(bench.directory)
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


def forget(path: Path, key: str) -> None:
    import pyarrow.parquet as pq

    table, marks = pq.read_table(path), dict(pq.read_metadata(path).metadata)
    run = json.loads(marks[b"pulse.run"])
    del run["about"][key]
    marks[b"pulse.run"] = json.dumps(run).encode()
    marks = {k: v for k, v in marks.items() if k.startswith(b"pulse.")}
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(marks)


ODD = [
    "part-0000005.parquet", "part-000005-000005.parquet", "part-000009-000003.parquet",
    "part-\u0661\u0662\u0663\u0664\u0665\u0666.parquet", "journal-0000001.arrows", "part-5.parquet",
    f"part-{'9' * 200}.parquet.x", "journal-000001.arrows.2", ".part-000001.parquet",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_names_that_are_none_of_ours_are_not_read(tmp_path, name):
    assert standing([name]) == ([], [])
    bench = crashed(tmp_path / "run.pulse")
    (bench.writer.folder / name).write_text("odd")
    stored = open_stored(bench.directory)
    assert tidy(stored) == expected(bench.rows)
    assert stored.problems == ()


def test_either_name_opens_whatever_is_there(tmp_path):
    bench = crashed(tmp_path / "run.pulse")
    wanted = expected(bench.rows)
    names = [tmp_path / name for name in ("run", "run.pulse", "run.pulse.parquet")]
    assert [tidy(open_stored(name)) for name in names] == [wanted] * 3
    compact(bench.directory)
    assert [tidy(open_stored(name)) for name in names] == [wanted] * 3
    left = bench.directory / ".compact.lock", bench.directory / "w-x-1-1"
    for leave in (bench.directory.mkdir, left[0].touch, left[1].mkdir):
        leave()
        assert [tidy(open_stored(name)) for name in names] == [wanted] * 3


def test_a_directory_may_be_opened_from_within(tmp_path, monkeypatch):
    bench = crashed(tmp_path / "run.pulse")
    monkeypatch.chdir(bench.directory)
    for name in (".", "run.pulse.json", "../run.pulse", bench.writer.folder / ".."):
        assert tidy(open_stored(Path(name))) == expected(bench.rows)


BAD_PATHS = ["a\0b", "x" * 5000, "\ud800", "/proc/self/mem", "/dev/zero", "/proc/self/fd/0/x"]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_no_recording_can_have_is_our_error(path):
    with pytest.raises(RecordingError):
        open_stored(Path(path))


def test_a_directory_that_is_finished_while_it_is_read_gives_all_rows(tmp_path, monkeypatch):
    from pulse_widgets.storage import reader

    directory = tmp_path / "run.pulse"
    benches = [crashed(directory) for _ in range(2)]
    ordinary, times = reader.writer_folders, []

    def lists(place):
        times.append(place)
        if len(times) == 1:
            # Another process finishes it, and has removed one of the two folders so far.
            compact(Path(shutil.copytree(directory, tmp_path / "copy.pulse"))).rename(
                tmp_path / "run.pulse.parquet"
            )
            shutil.rmtree(benches[0].writer.folder)
        return ordinary(place)

    monkeypatch.setattr(reader, "writer_folders", lists)
    for lock in directory.rglob("lock"):
        os.utime(lock, (0, 0))
    assert tidy(open_stored(directory)) == expected(benches[0].rows + benches[1].rows)


# Much of it ---------------------------------------------------------------------------


def calls_of(function, *arguments) -> int:
    """Count the calls of functions that a call makes."""
    count = 0

    def counts(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counts)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count


def files(count: int) -> list[str]:
    names = [part_name(PartName(2 * n, 2 * n)) for n in range(count // 2)]
    names += [journal_name(n) for n in range(count // 2)]
    random.Random(1).shuffle(names)
    return names


def folders(count: int) -> list[WriterFolder]:
    hosts = {f"h{k}": {"name": f"n{k}", "boot_id": "b"} for k in range(count)}
    again = {f"h{k}": {"name": f"n{count - 1 - k}", "boot_id": "b"} for k in range(count)}
    return [WriterFolder(Path("a"), {"hosts": hosts}), WriterFolder(Path("b"), {"hosts": again})]


def test_many_files_are_sorted_out_in_linear_time():
    parts, journals = standing(files(100_000))
    assert len(parts) == 50_000
    assert journals == list(range(1, 50_000, 2))
    few, many = (calls_of(standing, files(count)) for count in (1000, 10_000))
    assert many < 20 * few  # it is a search by halves for each: 13 times


def test_many_machines_are_named_in_linear_time_and_each_once():
    catalog = Catalog()
    first, second = name_hosts(folders(10_000), catalog)
    assert first == {}
    assert second == {f"h{k}": f"h{9_999 - k}" for k in range(10_000)}
    assert len(catalog.hosts) == 10_000
    few, many = (calls_of(name_hosts, folders(count), Catalog()) for count in (500, 5000))
    assert many < 12 * few


def test_a_machine_whose_id_is_taken_gets_a_free_one():
    def of(**hosts):
        return WriterFolder(Path("w"), {"hosts": {h: {"name": n} for h, n in hosts.items()}})

    renames = name_hosts([of(h0="a", h2="b"), of(h0="c"), of(h0="d"), of(h0="b")], Catalog())
    assert renames == [{}, {"h0": "h1"}, {"h0": "h3"}, {"h0": "h2"}]


def test_a_machine_that_is_not_known_has_an_id_of_its_own():
    def of(**hosts):
        return WriterFolder(Path("w"), {"hosts": {h: {"name": n} for h, n in hosts.items()}})

    unknown = [WriterFolder(Path("w"), {}, ValueError()), WriterFolder(Path("w"), {"hosts": 1})]
    assert name_hosts(unknown[:1], Catalog()) == [{}]
    assert name_hosts(unknown, Catalog()) == [{}, {"h0": "h1"}]
    renames = name_hosts([*unknown, of(h0="a"), of(h0="b")], Catalog())
    assert renames == [{"h0": "h2"}, {"h0": "h3"}, {}, {"h0": "h1"}]


@pytest.mark.parametrize("harm", ["{broken", "{}"])
def test_rows_of_a_writer_that_cannot_name_its_machine_are_not_mixed_with_others(tmp_path, harm):
    directory = tmp_path / "run.pulse"
    for value in (1.0, 2.0):
        bench = Bench(directory)
        bench.numbers(bench.series(), [START_US, START_US + 1], [value] * 2)
        bench.writer.close()
    (bench.writer.folder / "writer.json").write_text(harm)

    rows = tidy(open_stored(directory))
    assert {(row[0], row[5]) for row in rows} == {("h0", 1.0), ("h1", 2.0)}


def test_a_directory_of_which_nothing_can_be_read_becomes_a_file_that_says_so(tmp_path):
    bench = crashed(tmp_path / "run.pulse", parts=1)
    for path in bench.writer.folder.glob("[jp]*"):
        path.write_bytes(b"x" * 100)
    stored = open_stored(compact(bench.directory))
    assert stored.extents == {}
    assert len(stored.problems) == 2
    kept = {path.name for path in (tmp_path / "run.pulse.damaged").rglob("*.*")}
    assert kept == {"part-000000.parquet", "journal-000001.arrows"}


def test_problems_of_all_writers_are_told_and_stay_told(tmp_path):
    directory = tmp_path / "run.pulse"
    benches = [Bench(directory) for _ in range(2)]
    for number, bench in enumerate(benches):
        bench.numbers(bench.series(), [START_US], [1.0])
        bench.writer.describe(problems=[f"lost {number}"], title=f"title {number}")
        bench.writer.close()
    assert len(writer_folders(Local(directory))) == 2
    for stored in (open_stored(directory), open_stored(compact(directory))):
        assert set(stored.problems) == {"lost 0", "lost 1"}


def test_a_copy_of_its_name_does_not_stand_for_a_directory_that_lost_its_description(tmp_path):
    bench = crashed(tmp_path / "run.pulse")
    saved = Recording.open(bench.directory).select(end=START_US / 1e6).save(tmp_path / "copy")
    saved.rename(tmp_path / "run.pulse.parquet")
    (bench.directory / "run.pulse.json").unlink()

    with pytest.raises(RecordingError):
        open_stored(bench.directory)
    with pytest.raises(PulseError):
        compact(bench.directory)
    assert list(bench.directory.glob("w-*/*"))

"""Recordings are read through places: only regular files here, and ranges of files elsewhere."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pulse_widgets.errors import RecordingError
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.columns import Columns, SeriesKey
from pulse_widgets.series.registry import SeriesInfo
from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage import place as places
from pulse_widgets.storage.directory import LOCK, RunInfo
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.pack import Packer
from pulse_widgets.storage.place import CachedFile, Local, bytes_in, content_of, open_regular
from pulse_widgets.storage.reader import open_stored
from tests.storage.bench import START_US, noise, same, tidy
from tests.storage.golden import DATA
from tests.storage.web import serving

# Files of this machine ------------------------------------------------------------------


def pipe(path):
    os.mkfifo(path)


def listener(path):
    socket.socket(socket.AF_UNIX).bind(str(path))


KINDS = {
    "pipe": pipe,
    "directory": lambda path: path.mkdir(),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "socket": listener,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make(Path("x"))
    for opens in (open_regular, lambda path: content_of(Local(path), 10)):
        with pytest.raises(RecordingError, match="regular file"):
            opens(tmp_path / "x")


def test_no_handle_is_left_of_a_file_that_became_another_meanwhile(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "x")
    calls = []
    real = places._require_regular
    monkeypatch.setattr(
        places,
        "_require_regular",
        lambda path, found: calls.append(1) or (len(calls) > 1 and real(path, found)),
    )
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(RecordingError):
        open_regular(tmp_path / "x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_is_read_up_to_its_bound(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert content_of(Local(tmp_path / "x"), 5) == b"12345"
    with pytest.raises(RecordingError, match="more than 4 bytes"):
        content_of(Local(tmp_path / "x"), 4)


def test_a_file_that_was_let_go_is_never_read_as_the_one_that_replaced_it(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"first")
    file = Local(path).open()
    path.unlink()
    path.write_bytes(b"other")
    assert file.read_at(0, 5) == b"first"
    file.close()
    with pytest.raises(RecordingError, match="changed"):
        file.read_at(0, 5)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.read_at(0, 5)


def test_a_file_is_closed_when_nobody_uses_it_any_more(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    before = len(list(Path("/proc/self/fd").iterdir()))
    file = Local(tmp_path / "x").open()
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
    file.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert file.read_at(3, 9) == b"45"
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    del file
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match="link"):
        Local(tmp_path / "gone").open()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_links_to_folders_are_neither_folders_nor_counted(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "x").write_bytes(b"12345")
    (inner / "back").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert bytes_in(Local(tmp_path)) == 5
    assert {item.name for item in Local(inner).items() if item.is_folder} == set()
    assert Local(tmp_path / "loop").stat() is None


def test_what_is_cached_is_read_once_and_forgotten_at_the_end(tmp_path, monkeypatch):
    class Counted(places.LocalFile):
        read: list[tuple[int, int]] = []

        def read_at(self, offset, length):
            self.read.append((offset, length))
            return super().read_at(offset, length)

    content = bytes(range(200))
    (tmp_path / "x").write_bytes(content)
    file = CachedFile(Counted(tmp_path / "x"))
    with file.caching():
        assert file.read_at(50, 100) == content[50:150]
        with file.caching():
            assert file.read_at(0, 10) == content[:10]
        assert file.read_at(60, 20) == content[60:80]
        assert file.read_at(140, 20) == content[140:160]
        assert file.read_at(0, 10) == content[:10]
    assert file.read_at(60, 20) == content[60:80]
    assert Counted.read == [(50, 100), (0, 10), (140, 20), (0, 10), (60, 20)]

    monkeypatch.setattr(places, "MOST_CACHED", 100)
    Counted.read.clear()
    with file.caching():
        for _ in range(2):
            assert [file.read_at(at, 60) for at in (0, 60)] == [content[:60], content[60:120]]
    assert Counted.read == [(0, 60), (60, 60), (60, 60)]


def test_a_pipe_in_place_of_a_lock_holds_up_no_reader(bench):
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    lock = bench.writer.folder / LOCK
    lock.unlink()
    os.mkfifo(lock)
    read: list[list[tuple]] = []
    reads = threading.Thread(
        target=lambda: read.append(tidy(open_stored(bench.directory))), daemon=True
    )
    reads.start()
    reads.join(20)
    assert [[row[5] for row in rows] for rows in read] == [[1.0]]


# Files elsewhere -------------------------------------------------------------------------


def answers(stored) -> dict:
    """Return all that a recording says, but for where it lies."""
    return {
        "rows": repr(tidy(stored)),
        "extents": stored.extents,
        "run": stored.run,
        "infos": stored.catalog.infos,
        "entities": stored.catalog.entities,
        "hosts": stored.catalog.hosts,
        "levels": repr([stored.levels(key) for key in stored.extents]),
        "problems": stored.problems,
        "running": stored.running,
        "bytes": stored.nbytes,
    }


def golden_finished(place: Path) -> Path:
    return Path(shutil.copy(DATA / "recording-1.0-finished.pulse.parquet", place))


def golden_directory(place: Path) -> Path:
    path = shutil.copytree(DATA / "recording-1.0.pulse", place / "golden.pulse")
    os.utime(next(path.rglob(LOCK)), (0, 0))
    return path


def described(place: Path) -> Path:
    return golden_directory(place) / "run.pulse.json"


def running(place: Path) -> Path:
    path = golden_directory(place)
    os.utime(next(path.rglob(LOCK)), (2**33, 2**33))  # as if written just now
    return path


def torn(place: Path) -> Path:
    path = golden_directory(place)
    journal = next(path.rglob("journal-*"))
    os.truncate(journal, journal.stat().st_size - 100)
    return path


def lost_part(place: Path) -> Path:
    path = golden_directory(place)
    next(path.rglob("part-*")).write_bytes(b"nothing of that kind")
    return path


def damaged_file(place: Path) -> Path:
    path = golden_finished(place)
    content = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(5)
    content[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    path.write_bytes(content)
    return path


def of_another_writer(place: Path) -> Path:
    table = pq.read_table(DATA / "recording-1.0-finished.pulse.parquet")
    path = place / "other.parquet"
    pq.write_table(table.replace_schema_metadata(None), path, row_group_size=100)
    return path


def by_the_other_name(place: Path) -> Path:
    golden_finished(place)
    return place / "recording-1.0-finished.pulse"


KINDS_OF_RECORDING = [
    golden_finished, golden_directory, described, running, torn, lost_part, damaged_file,
    of_another_writer, by_the_other_name,
]  # fmt: skip


@pytest.mark.parametrize("make", KINDS_OF_RECORDING, ids=lambda make: make.__name__)
def test_a_recording_elsewhere_gives_the_same_answers_as_here(make, tmp_path):
    path = make(tmp_path)
    here = answers(open_stored(path))
    with serving(tmp_path) as site:
        there = answers(open_stored(site.place / str(path.relative_to(tmp_path))))
    assert there == here
    assert len(here["extents"]) == 7 or make in {torn, lost_part}
    assert bool(here["problems"]) == (make in {torn, lost_part, damaged_file})
    assert here["running"] == (make is running)


def test_what_is_no_recording_elsewhere_is_refused_in_our_words(tmp_path):
    (tmp_path / "empty.pulse").mkdir()
    (tmp_path / "x.pulse.parquet").write_bytes(b"PAR1 nothing PAR1")
    with serving(tmp_path) as site:
        for name, words in (
            ("none", "no recording at http"),
            ("empty.pulse", "there is no run.pulse.json in it"),
            ("x.pulse.parquet", "http.*x.pulse.parquet cannot be read"),
        ):
            with pytest.raises(RecordingError, match=words):
                open_stored(site.place / name)


def long_recording(path: Path, series: int, rows: int) -> list[SeriesKey]:
    """Write series at 10 Hz, of which no two values are alike."""
    keys = [SeriesKey("h0", f"gpu:{number}", "gpu.power") for number in range(series)]
    catalog = Catalog()
    catalog.add(SeriesInfo(-1, *key, "W", "gauge", {}) for key in keys)
    packer = Packer(path, catalog, final=True)
    time_us = START_US + np.arange(rows) * 100_000
    for number, key in enumerate(keys):
        steps = np.full(rows, NO_STEP)
        packer.add(key, Columns(time_us, steps, noise(rows, number), None, None))
    packer.finish({"pulse.run": RunInfo("ab" * 16, START_US).encode()})
    return keys


def test_a_viewer_reads_the_end_the_levels_it_draws_and_the_rows_it_zooms_to(tmp_path):
    keys = long_recording(tmp_path / "long.pulse.parquet", 4, 700_000)
    size = (tmp_path / "long.pulse.parquet").stat().st_size
    here = open_stored(tmp_path / "long.pulse.parquet")
    with serving(tmp_path) as site:
        there = open_stored(site.place / "long.pulse.parquet")
        # The magic number at its start, and one piece that ends where the file does.
        assert [length for *_, length in site.ranges] == [512 << 10, 4]
        assert sum(site.ranges[0][1:]) == size

        site.ranges.clear()
        coarse = [there.level(key, 1) for key in keys]
        assert site.sent < 0.01 * size
        assert repr(coarse) == repr([here.level(key, 1) for key in keys])

        site.ranges.clear()
        drawn = [Recording(x).select(entity="gpu:1").envelope(1000) for x in (there, here)]
        assert same(drawn[0], drawn[1])
        assert site.sent < 0.03 * size

        site.ranges.clear()
        start = START_US + 200_000 * 100_000
        rows = [x.columns(keys[2], start, start + 1_000_000) for x in (there, here)]
        assert len(rows[0]) == 10
        assert same(rows[0].value.tolist(), rows[1].value.tolist())
        assert site.sent < size / 4 / 4  # one row group of a series that has six


def test_the_first_picture_of_a_replay_is_a_small_share_of_the_file(tmp_path):
    long_recording(tmp_path / "long.pulse.parquet", 4, 700_000)
    size = (tmp_path / "long.pulse.parquet").stat().st_size
    with serving(tmp_path) as site:
        RecordingProvider(Recording(open_stored(site.place / "long.pulse.parquet"))).screen()
        assert 512 << 10 < site.sent < 0.1 * size
        assert len(site.ranges) < 20


def test_every_byte_of_the_rows_is_asked_for_once(tmp_path):
    keys = long_recording(tmp_path / "a.pulse.parquet", 2, 200_000)
    with serving(tmp_path) as site:
        there = open_stored(site.place / "a.pulse.parquet")
        site.ranges.clear()
        for key in keys:
            there.columns(key)
        asked = sorted(site.ranges)
    ends = [first + length for _, first, length in asked]
    assert len(asked) == 2 * 2 * 3  # series, row groups, columns
    assert all(end <= first for end, (_, first, _) in zip(ends[:-1], asked[1:], strict=True))


def test_two_states_of_a_file_elsewhere_are_never_mixed(tmp_path):
    path = tmp_path / "a.pulse.parquet"
    (key,) = long_recording(path, 1, 20_000)
    with serving(tmp_path) as site:
        stored = open_stored(site.place / path.name)
        long_recording(path, 1, 30_000)
        with pytest.raises(RecordingError, match="changed"):
            stored.columns(key)


def test_a_recording_from_elsewhere_is_saved_here(tmp_path):
    (tmp_path / "web").mkdir()
    path = golden_directory(tmp_path / "web")
    with serving(tmp_path / "web") as site:
        rec = Recording(open_stored(site.place / path.name))
        saved = rec.save(tmp_path, include=("output", "code", "argv"))
    assert saved == tmp_path / "golden.pulse.parquet"
    assert same(tidy(open_stored(saved)), tidy(open_stored(path)))

"""The shelf: names, listing, and what is deleted when."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulse_widgets.errors import StorageError
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.shelf import (
    finish,
    home,
    keep_within,
    network_note,
    new_place,
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


def finished(directory: Path) -> Path:
    record(directory).writer.close()
    return compact(directory)


def test_a_new_place_on_the_shelf_is_private_named_and_free():
    place = new_place(title="My run / 3")
    assert place.parent == home()
    assert place.name.endswith("-My-run-3.pulse")
    assert home().stat().st_mode & 0o777 == 0o700
    record(place).writer.close()
    assert new_place(title="My run / 3") != place


@pytest.mark.parametrize("name", ["run", "run.pulse", "run.pulse.parquet", "run.parquet"])
def test_a_path_of_ones_own_may_be_written_any_way(tmp_path, name):
    assert new_place(tmp_path / name) == tmp_path / "run.pulse"


def test_a_directory_that_is_there_gets_a_recording_inside(tmp_path):
    assert new_place(tmp_path, "x").parent == tmp_path


def test_a_name_that_is_taken_is_refused(tmp_path):
    finished(tmp_path / "a.pulse")
    with pytest.raises(StorageError, match="there already"):
        new_place(tmp_path / "a")
    record(tmp_path / "b.pulse").writer.close()
    with pytest.raises(StorageError, match="there already"):
        new_place(tmp_path / "b")


def test_a_recording_that_runs_may_be_joined(tmp_path):
    bench = record(tmp_path / "a.pulse")
    assert new_place(tmp_path / "a") == tmp_path / "a.pulse"
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


def test_the_newest_three_stay_whatever_the_bounds():
    home().mkdir(parents=True)
    paths = [finished(home() / f"{k}.pulse") for k in range(5)]
    gone = keep_within(home(), most_bytes=0)
    assert set(gone) == set(paths[:2])
    assert [p.exists() for p in paths] == [False, False, True, True, True]


def test_recordings_older_than_the_bound_go_and_only_our_own_finished_ones():
    home().mkdir(parents=True)
    paths = [finished(home() / f"{k}.pulse") for k in range(4)]
    copy = Recording.open(paths[0]).save(home() / "copy")
    crashed = record(home() / "crashed.pulse")
    crashed.writer.close()
    other = home() / "other.pulse.parquet"
    other.write_bytes(b"not ours")
    later = time.time() + 31 * 86_400
    assert keep_within(home(), now_s=later - 2 * 86_400) == []
    assert keep_within(home(), now_s=later) == [paths[0]]
    assert copy.exists()
    assert other.exists()
    assert crashed.directory.exists()


def test_finishing_one_recording_completes_what_a_crash_left():
    home().mkdir(parents=True)
    record(home() / "crashed.pulse").writer.close()
    running = record(home() / "running.pulse")
    last = record(home() / "last.pulse")
    last.writer.close()
    finish(last.directory)
    deadline = time.monotonic() + 20
    while (home() / "crashed.pulse").exists() and time.monotonic() < deadline:
        os.sched_yield()
    states = dict(recordings().set_index("name")["state"])
    assert states == {"crashed": "finished", "last": "finished", "running": "running"}
    running.writer.close()


def test_a_local_disk_needs_no_note(tmp_path):
    assert network_note(Path("/proc")) == ""


SCRIPT = """
import numpy as np
from pathlib import Path
from pulse_widgets.library.shelf import finish, new_place
from pulse_widgets.series.log import Registry, Rows
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.writer import Writer
registry = Registry(); registry.add("h0", "user", "loss")
writer = Writer(new_place(), registry, host_name="h", start_us=1, reserve=Reserve(0, 0))
writer.append(Rows.of(np.zeros(1000, np.int32), np.arange(1000), np.arange(1000.0)))
writer.close()
finish(writer.directory)
"""


def test_a_script_that_ends_at_once_leaves_a_finished_file():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert recordings()["state"].tolist() == ["finished"]
    assert recordings()["rows"].tolist() == [1000]


def test_recordings_can_be_listed_while_one_of_them_becomes_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    from pulse_widgets.library import shelf
    from pulse_widgets.storage.compact import compact

    place = shelf.new_place(None, "mine")
    bench = Bench(place)
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    items = shelf._items(place.parent)
    compact(place)

    lines = [shelf._line_now(item) for item in items]

    assert [line[6] for line in lines] == ["finished"]

"""A claim that fails leaves nothing, and the next one works."""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path

import pytest

from pulse_widgets.errors import PulseError, StorageError
from pulse_widgets.series.registry import Registry
from pulse_widgets.storage import claim, disk
from pulse_widgets.storage.directory import is_running, writer_folders
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.writer import Writer
from tests.storage.bench import START_US, Bench, expected, tidy


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def make(directory):
    return Writer(directory, Registry(), host_name="h", start_us=1, reserve=Reserve(0, 0))


@pytest.mark.parametrize("left", range(6))
def test_a_claim_without_file_handles_leaves_nothing_and_works_when_there_are_some(tmp_path, left):
    directory = tmp_path / "run.pulse"
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        for _ in range(left):
            os.close(held.pop())
    try:
        made = make(directory)
    except StorageError:
        made = None
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    if made is None:
        assert not directory.exists() or not list(directory.glob(".new-*"))
        made = make(directory)
    made.close()
    assert [folder.place.path for folder in writer_folders(Local(directory))] == [made.folder]
    assert not list(directory.glob(".new-*"))


FAILING = [(claim.os, "open"), (Path, "mkdir"), (claim.fcntl, "flock"),
           (Path, "rename"), (disk, "write_whole"), (disk.os, "open")]  # fmt: skip


@pytest.mark.parametrize("error", [OSError(5, "I/O error"), MemoryError(), KeyboardInterrupt()])
@pytest.mark.parametrize("step", FAILING, ids=[name for _, name in FAILING])
@pytest.mark.parametrize("at", range(3))
def test_a_start_that_fails_at_any_step_leaves_nothing(tmp_path, monkeypatch, step, error, at):
    module, name = step
    directory = tmp_path / "run.pulse"
    ordinary, calls = getattr(module, name), []

    def fails(*arguments, **named):
        calls.append(name)
        if len(calls) == at + 1:
            raise error
        return ordinary(*arguments, **named)

    held = handles()
    with monkeypatch.context() as broken:
        broken.setattr(module, name, fails)
        try:
            made = make(directory)
        except (PulseError, MemoryError, KeyboardInterrupt):
            made = None
    if made is None:
        assert not directory.exists()
        assert handles() == held
        made = make(directory)
    made.close()
    assert [folder.place.path for folder in writer_folders(Local(directory))] == [made.folder]


def test_a_failing_start_does_not_harm_who_records_there_already(bench, monkeypatch):
    bench.numbers(bench.series(), [START_US], [1.0])
    with monkeypatch.context() as broken:
        broken.setattr(Path, "mkdir", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make(bench.directory)
    bench.numbers(bench.series(), [START_US + 1], [2.0])
    assert tidy(open_stored(bench.directory)) == expected(bench.rows)


def test_processes_of_the_same_number_have_folders_of_their_own(tmp_path):
    # As in containers, which all call their first process 1.
    benches = [Bench(tmp_path / "run.pulse") for _ in range(3)]
    assert len({bench.writer.folder for bench in benches}) == 3
    for bench in benches:
        bench.writer.close()


def test_a_lock_that_cannot_be_looked_at_counts_as_held(bench, monkeypatch):
    bench.writer.close()
    folder = writer_folders(Local(bench.directory))[0]
    assert not is_running(folder)
    for code in (13, 24, 12):

        def fails(*_, code=code):
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as broken:
            broken.setattr("pulse_widgets.storage.place.os.open", fails)
            assert is_running(folder)


def test_a_pipe_in_place_of_a_lock_is_not_waited_for(bench):
    bench.writer.close()
    lock = bench.writer.folder / "lock"
    lock.unlink()
    os.mkfifo(lock)
    answers = []
    asks = threading.Thread(
        target=lambda: answers.append(is_running(writer_folders(Local(bench.directory))[0])),
        daemon=True,
    )
    asks.start()
    asks.join(20)
    assert answers == [False]

"""Turns the directory of a recording that has ended into one file."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import RecordingError, StorageError
from pulse_widgets.storage.claim import finished_path, shared
from pulse_widgets.storage.directory import ABOUT, LOCK, RUN, is_running, read_run, writer_folders
from pulse_widgets.storage.disk import refusal, sync
from pulse_widgets.storage.merge import merge_segments
from pulse_widgets.storage.reader import Stored, open_directory, open_file
from pulse_widgets.storage.segment import ParquetSegment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["compact"]

_OURS: Final = (
    "part-*.parquet",
    "journal-*.arrows",
    ".part",
    ".merged",
    f".{ABOUT}.*",
    ABOUT,
    LOCK,
)


def compact(directory: Path, *, stopped: Callable[[], bool] = lambda: False) -> Path:
    """Write ``NAME.pulse.parquet`` beside ``NAME.pulse`` and remove the directory.

    The file appears whole or not at all, and the directory goes only after it; whenever this
    is interrupted, calling it again finishes the work.

    Parameters
    ----------
    directory : Path
    stopped : callable
        Asked between series; True gives the work up and leaves the directory as it was.

    Returns
    -------
    Path
        The finished file; the directory itself when `stopped` said so.

    Raises
    ------
    StorageError
        If somebody still writes to the directory or compacts it, another recording has the
        name of the file, or the disk refuses.
    RecordingError
        If a part is damaged; nothing is removed then.
    """
    path = finished_path(directory)
    if not directory.exists() and path.exists():
        return path
    run = read_run(directory)
    try:
        with shared(directory, alone=True) as free:
            _require_rest(directory, free=free)
            if path.exists():
                _require_same(path, run.id)
            elif not _publish(directory, path, stopped):
                return directory
            _remove(directory)
    except StorageError:
        raise
    except OSError as exc:
        raise refusal(exc, path) from exc
    return path


def _require_rest(directory: Path, *, free: bool) -> None:
    if not free:
        raise StorageError(
            f"{directory} is being finished by another process",
            remedy="Wait until it is done; the recording can be read meanwhile.",
        )
    if any(is_running(folder) for folder in writer_folders(directory)):
        raise StorageError(
            f"{directory} is still being recorded",
            remedy="Stop its session first; the recording can be read meanwhile.",
        )


def _require_same(path: Path, number: str) -> None:
    if open_file(path).run.id != number:
        raise StorageError(
            f"{path} is another recording",
            remedy="Move it, or give the directory another name.",
        )


def _publish(directory: Path, path: Path, stopped: Callable[[], bool]) -> bool:
    stored = open_directory(directory)
    damaged = [p for p in stored.problems if p.startswith("The rows of a part")]
    if damaged:
        raise RecordingError(
            damaged[0],
            remedy="The rest can be read from the directory, which is left as it is.",
        )
    fresh = directory / ".finished"
    about = {
        **stored.run.about,
        "compacted": int(time.time() * 1e6),
        "problems": [*stored.problems],
    }
    marks = {"pulse.run": replace(stored.run, about=about).encode()}
    if not merge_segments(
        stored.segments, fresh, marks, final=True, catalog=stored.catalog, stopped=stopped
    ):
        return False
    _require_rows(fresh, stored)
    fresh.rename(path)
    sync(path.parent)
    return True


def _require_rows(fresh: Path, stored: Stored) -> None:
    """Look at the file once more before what it was made of goes."""
    made = {entry.key for entry in ParquetSegment(fresh).entries}
    rows = sum(entry.rows for entry in ParquetSegment(fresh).entries)
    if made != set(stored.extents) or rows != sum(x.rows for x in stored.extents.values()):
        raise StorageError(
            f"{fresh} does not hold all rows of {stored.path}",
            remedy="Keep the directory; it has every row. Please report this.",
        )


def _remove(directory: Path) -> None:
    """Remove what we made, the description last; anything else there stays."""
    for folder in writer_folders(directory):
        for pattern in _OURS:
            for path in folder.path.glob(pattern):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.path.rmdir()
    for stale in directory.glob(".new-*"):
        (stale / LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            stale.rmdir()
    for pattern in (".finished", ".compact.lock", f".*{RUN}*", RUN):
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()

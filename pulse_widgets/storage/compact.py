"""Turns the directory of a recording that has ended into one file."""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import (
    FormatVersionError,
    PulseError,
    RecordingError,
    StorageError,
)
from pulse_widgets.storage.claim import DOOR, NEW, damaged_path, finished_path, shared
from pulse_widgets.storage.damage import is_damaged
from pulse_widgets.storage.directory import (
    ABOUT,
    FAILED,
    LOCK,
    READERS,
    RUN,
    is_running,
    read_run,
    start_run,
    writer_folders,
)
from pulse_widgets.storage.disk import refusal, sync
from pulse_widgets.storage.folder import torn_journals
from pulse_widgets.storage.merge import merge_segments
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import is_finished_run, open_file, survey
from pulse_widgets.storage.segment import ParquetSegment
from pulse_widgets.storage.untrusted import as_ours, few, may_pass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pulse_widgets.storage.damage import Damage
    from pulse_widgets.storage.segment import Segment

__all__ = ["BusyError", "compact", "finish_elsewhere", "restore_run"]

_FRESH: Final = ".finished"
_INSIDE: Final = re.compile(r"w-[^/]+(/[^/.][^/]*)?")
"""A writer's folder, or a file in one."""
_OURS: Final = (
    "part-*.parquet",
    "journal-*.arrows",
    ".part",
    ".merged",
    f".{ABOUT}.*",
    ABOUT,
    LOCK,
)


class BusyError(StorageError):
    """Somebody still writes to a directory, or finishes it just now."""


def compact(directory: Path, *, stopped: Callable[[], bool] = lambda: False) -> Path:
    """Write ``NAME.pulse.parquet`` beside ``NAME.pulse`` and remove the directory.

    The file appears whole or not at all, and the directory goes only after it; whenever this
    is interrupted, calling it again finishes the work. What cannot be read is named in the
    problems of the file; the files it lies in are kept in ``NAME.pulse.damaged``.

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
        If the directory is no recording, or a part of it cannot be read just now. Nothing is
        removed then.
    """
    path = finished_path(directory)
    with as_ours(directory), _refusing(path):
        described = os.path.lexists(directory / RUN)
        if path.exists() and not described and not any(directory.glob("w-*")):
            with contextlib.suppress(OSError):
                directory.rmdir()  # the last step of a removal was cut off
            return path
        run = read_run(Local(directory))
        with shared(directory, alone=True) as free:
            _require_rest(directory, free=free)
            if path.exists():
                _require_finished(path, run.id)
            elif not _publish(directory, path, stopped):
                return directory
            _keep_damaged(directory, open_file(Local(path)).run.about.get("damaged"))
            _remove(directory)
    return path


def restore_run(directory: Path) -> None:
    """Write the description of a run anew where it cannot be read: its title and id are lost.

    Raises
    ------
    RecordingError
        If nothing was recorded there, or it cannot be read just now.
    FormatVersionError
        If a newer program wrote it.
    StorageError
        If the directory is in use, or a finished file has its name.
    """
    with as_ours(directory), _refusing(directory):
        try:
            read_run(Local(directory))
        except FormatVersionError:
            raise
        except RecordingError as exc:
            folders = writer_folders(Local(directory))
            absent = isinstance(exc.__cause__, FileNotFoundError)
            if not folders or (may_pass(exc) and not absent):
                raise
        else:
            return
        finished = finished_path(directory)
        if finished.exists():
            raise StorageError(
                f"{finished} is there already, and {directory} cannot say whether it is the same",
                remedy="Move the file; then the directory can become one of that name.",
            )
        with shared(directory, alone=True) as free:
            _require_rest(directory, free=free)
            _set_run_aside(directory)
            lost = f"{RUN} could not be read: the title of the recording is lost"
            starts = [folder.start_us for folder in folders if folder.start_us > 0]
            start_run(directory, min(starts, default=0), {"problems": [lost]})


def _set_run_aside(directory: Path) -> None:
    if os.path.lexists(directory / RUN):
        place = damaged_path(directory)
        place.mkdir(mode=0o700, exist_ok=True)
        (directory / RUN).rename(place / RUN)


def finish_elsewhere(directory: Path, path: Path) -> None:
    """Write the finished file of a directory to `path`; the directory stays as it is.

    Raises
    ------
    StorageError
        If somebody still writes to the directory, or the disk refuses.
    RecordingError
        If the directory is no recording, or a part of it cannot be read just now.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with as_ours(directory), _refusing(path):
        _require_rest(directory, free=True)
        try:
            _write(directory, fresh, lambda: False)
            fresh.rename(path)
        finally:
            fresh.unlink(missing_ok=True)
        sync(path.parent)


@contextlib.contextmanager
def _refusing(path: Path) -> Any:
    try:
        yield
    except PulseError:
        raise
    except OSError as exc:
        raise refusal(exc, path) from exc


def _require_rest(directory: Path, *, free: bool) -> None:
    if not free:
        raise BusyError(
            f"{directory} is being finished by another process",
            remedy="Wait until it is done; the recording can be read meanwhile.",
        )
    if any(is_running(folder) for folder in writer_folders(Local(directory))):
        raise BusyError(
            f"{directory} is still being recorded",
            remedy="Stop its session first; the recording can be read meanwhile.",
        )


def _require_finished(path: Path, number: str) -> None:
    run = open_file(Local(path)).run
    if run.id != number:
        raise StorageError(
            f"{path} is another recording",
            remedy="Move it, or give the directory another name.",
        )
    if not is_finished_run(run, number):
        raise StorageError(
            f"{path} is a copy of this recording that may hold less",
            remedy="Move it; then the directory can become a file of that name.",
        )


def _publish(directory: Path, path: Path, stopped: Callable[[], bool]) -> bool:
    fresh = directory / _FRESH
    try:
        if not _write(directory, fresh, stopped):
            return False
        fresh.rename(path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    sync(path.parent)
    return True


def _write(directory: Path, fresh: Path, stopped: Callable[[], bool]) -> bool:
    """Write all that can be read of a directory to one file; False when `stopped` said so."""
    stored, damage = survey(Local(directory))
    _require_readable(directory, damage)
    for folder in writer_folders(Local(directory)):
        if folder.name not in damage.files:
            damage.files += torn_journals(folder)
    about = {**stored.run.about, "compacted": int(time.time() * 1e6)}

    def marks() -> dict[str, str]:
        # What is damaged within a part is known only once all of it was read.
        found = [*damage.problems, *(p for segment in stored.segments for p in segment.problems)]
        about["problems"] = few(found)
        damaged = [s.name for s in stored.segments if is_damaged(s)]
        about["damaged"] = sorted({*damage.files, *damaged})
        return {"pulse.run": replace(stored.run, about=about).encode()}

    catalog, segments = stored.catalog, stored.segments
    if not merge_segments(segments, fresh, marks, final=True, catalog=catalog, stopped=stopped):
        return False
    _require_rows(fresh, segments, directory)
    return True


def _require_readable(directory: Path, damage: Damage) -> None:
    if damage.barred:
        raise RecordingError(
            f"{directory} cannot be finished now. {damage.barred[0]}",
            remedy="Nothing is lost: mend the cause, and it is finished the next time.",
        )


def _require_rows(fresh: Path, segments: Iterable[Segment], directory: Path) -> None:
    """Look at the file once more before what it was made of goes."""
    made, lost = sum(entry.rows for entry in ParquetSegment(Local(fresh)).entries), 0
    wanted = 0
    for segment in segments:
        wanted += sum(entry.rows for entry in segment.entries)
        lost += sum(segment.lost.values()) if isinstance(segment, ParquetSegment) else 0
    if made != wanted - lost:
        raise StorageError(
            f"{fresh} does not hold all rows of {directory}",
            remedy="Keep the directory; it has every row. Please report this.",
        )


def _keep_damaged(directory: Path, names: Any) -> None:
    """Move files of which not everything could be read out of the way of `_remove`.

    They are named in the finished file, so that a crash in between costs none of them.
    """
    for name in names if isinstance(names, list) else ():
        source = directory / str(name)
        if not _INSIDE.fullmatch(str(name)) or not os.path.lexists(source):
            continue
        target = damaged_path(directory) / str(name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 2
        while os.path.lexists(target):
            target, number = target.with_name(f"{source.name}.{number}"), number + 1
        source.rename(target)


def _remove(directory: Path) -> None:
    """Remove what we made, the description last; anything else there stays.

    The description stays, too, where something of ours could not be removed: so it is tried
    again another time.
    """
    for folder in writer_folders(Local(directory)):
        for pattern in _OURS:
            for path in (directory / folder.name).glob(pattern):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (directory / folder.name).rmdir()
    for stale in directory.glob(f"{NEW}*"):
        (stale / LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            stale.rmdir()
    for pattern in (_FRESH, FAILED, READERS, DOOR, f".{RUN}*", RUN):
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()

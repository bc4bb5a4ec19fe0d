"""Finishes, on request, a directory that a crash left behind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pulse_widgets.errors import ArgumentError, StorageError
from pulse_widgets.library.lookup import located
from pulse_widgets.library.saving import target_of
from pulse_widgets.storage.claim import damaged_path, finished_path
from pulse_widgets.storage.cleanup import remove_empty, remove_unfinished
from pulse_widgets.storage.compact import compact, finish_elsewhere, restore_run
from pulse_widgets.storage.directory import FINISHED, RUN, SUFFIX, recording_path
from pulse_widgets.storage.disk import one_file
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.segment import Want
from pulse_widgets.storage.untrusted import as_ours

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Done", "Repaired", "repair"]

Done = Literal["finished", "written", "finished already", "removed"]


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes
    ----------
    done : str
        ``finished`` (the directory became a file), ``written`` (a file elsewhere, the directory
        is as it was), ``finished already`` or ``removed`` (nothing had been recorded).
    path : Path
        The finished file; of what was removed, the directory.
    rows, series : int
    lost : tuple of str
        What is missing from the file, in sentences.
    kept : Path or None
        Where the files lie of which not everything could be read.
    """

    done: Done
    path: Path
    rows: int = 0
    series: int = 0
    lost: tuple[str, ...] = ()
    kept: Path | None = None


def repair(path: Path, output: Path | None = None) -> Repaired:
    """Make a finished file of what a crash left.

    Parameters
    ----------
    path : Path
        The directory, as it was named with `record=`, or a bare name on the shelf.
    output : Path, optional
        Where to write the file; the directory then stays as it is. Beside the directory, which
        then goes, unless given.

    Raises
    ------
    RecordingError
        If there is no recording, or nothing of it can be read.
    StorageError
        If it still runs, or the file cannot be written.
    ArgumentError
        If a finished recording is to be written elsewhere.
    """
    with as_ours(path):
        place = recording_path(located(path))
        directory = _directory(place)
        if not directory.is_dir():
            opened = open_stored(place).path
            if output is not None:
                raise ArgumentError(
                    f"{opened} is finished already", remedy="Copy the file, or leave -o out."
                )
            return _report("finished already", opened)
        with one_file(output or directory, "write the file to another path with -o"):
            return _in_place(directory) if output is None else _elsewhere(directory, output)


def _directory(place: Path) -> Path:
    """Return where the directory of a recording lies, which need not be there any more."""
    if place.name.endswith(SUFFIX) or os.path.lexists(place / RUN):
        return place
    return place.with_name(place.name.removesuffix(FINISHED) + SUFFIX)


def _in_place(directory: Path) -> Repaired:
    finished = finished_path(directory)
    remove_unfinished(directory.parent, finished.name)
    if remove_empty(directory, young_s=0.0):
        if finished.exists():
            return _report("finished already", finished)
        return Repaired("removed", directory)
    restore_run(directory)
    return _report("finished", compact(directory))


def _elsewhere(directory: Path, output: Path) -> Repaired:
    target = target_of(output, finished_path(directory).name)
    if os.path.lexists(target):
        raise StorageError(f"{target} is there already", remedy="Give another name with -o.")
    restore_run(directory)
    finish_elsewhere(directory, target)
    return _report("written", target)


def _report(done: Done, path: Path) -> Repaired:
    stored = open_stored(path)
    if done == "finished already":
        # Its rows are read here, because damage is found only by reading them.
        for _ in merged(stored.segments, list(stored.extents), Want()):
            pass
    extents = stored.extents.values()
    kept = damaged_path(path.with_name(path.name.removesuffix(".parquet")))
    return Repaired(
        done,
        path,
        sum(extent.rows for extent in extents),
        len(extents),
        stored.problems,
        kept if kept.is_dir() else None,
    )

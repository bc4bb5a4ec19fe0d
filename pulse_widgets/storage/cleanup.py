"""Removes what holds no row: empty directories, and the unfinished files of killed processes."""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError
from pulse_widgets.storage.claim import DOOR, NEW, finished_path, shared
from pulse_widgets.storage.directory import (
    ABOUT,
    FAILED,
    FINISHED,
    LOCK,
    READERS,
    RUN,
    SILENCE_S,
    SUFFIX,
    is_running,
    writer_folders,
    written_problems,
)
from pulse_widgets.storage.place import Local

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["remove_damaged", "remove_empty", "remove_unfinished"]

YOUNG_S: Final = 60.0
"""A directory without a writer may be one that a session is just about to write to."""

_GONE: Final = ".gone-"
_WRITTEN: Final = re.compile(rf"\..+{re.escape(FINISHED)}\.(\d+)")
_IN_FOLDER: Final = re.compile(
    rf"(?:{LOCK}|\.?{re.escape(ABOUT)}(?:\.\d+)?|\.part|\.merged|journal-\d+\.arrows)"
)
_KEPT: Final = re.compile(rf"(?:{re.escape(ABOUT)}|part-.*\.parquet|journal-.*\.arrows)(?:\.\d+)?")
_BESIDE: Final = re.compile(
    rf"(?:{re.escape(DOOR)}|{re.escape(FAILED)}|{re.escape(READERS)}|\.finished|\.?{re.escape(RUN)}(?:\.\d+)*)"
)


def remove_empty(directory: Path, *, young_s: float = YOUNG_S) -> bool:
    """Remove a directory in which nothing was recorded; return whether it is gone.

    One that holds a row, a damaged file or anything that is not ours stays, and so does one
    that somebody writes to or, without a writer, has changed in the last `young_s` seconds.
    """
    try:
        if not any(directory.iterdir()):
            return _remove_bare(directory, young_s)
        # Before the lock is taken: that may create its file, which makes the directory look new.
        young = _age_s(directory) < young_s
        with shared(directory, alone=True) as free:
            if not free or not _is_empty(directory, young_s, young=young):
                return False
            # Renamed first, so that no other process finds a directory that is half removed.
            gone = directory.with_name(f".{directory.name}{_GONE}{os.getpid()}")
            directory.rename(gone)
    except (PulseError, OSError):
        return False
    _remove_all(gone)
    return True


def remove_unfinished(place: Path, target: str = "") -> None:
    """Remove hidden files that killed processes left in a directory.

    Parameters
    ----------
    place : Path
    target : str
        Only those that were to get this name.
    """
    try:
        names = [path.name for path in place.iterdir()]
    except OSError:
        return
    for name in names:
        match = _WRITTEN.fullmatch(name)
        if match and (not target or name == f".{target}.{match[1]}"):
            _remove_stale(place / name, int(match[1]))
        elif name.startswith(".") and f"{SUFFIX}{_GONE}" in name and not target:
            _remove_all(place / name)


def remove_damaged(kept: Path) -> None:
    """Remove the damaged files that were kept of a recording which is no longer there."""
    with contextlib.suppress(OSError):
        for folder in kept.glob("w-*"):
            for path in folder.iterdir():
                if _KEPT.fullmatch(path.name):
                    path.unlink()
            folder.rmdir()
        (kept / RUN).unlink(missing_ok=True)
        kept.rmdir()


def _remove_bare(directory: Path, young_s: float) -> bool:
    alone = finished_path(
        directory
    ).exists()  # a finished recording: no session is about to write here
    if not alone and _age_s(directory) < young_s:
        return False
    directory.rmdir()
    return True


def _is_empty(directory: Path, young_s: float, *, young: bool) -> bool:
    folders = writer_folders(Local(directory))
    if any(is_running(folder) or written_problems(folder) for folder in folders):
        return False
    if not folders and young:
        return False
    made = {folder.name for folder in folders}
    for path in list(directory.iterdir()):
        name = path.name
        if name.startswith(NEW) and path.is_dir():
            made.add(name)
            if _age_s(path) < young_s:
                return False
        elif name not in made and not _BESIDE.fullmatch(name):
            return False
    return all(map(_is_nothing, (inner for name in made for inner in (directory / name).iterdir())))


def _is_nothing(path: Path) -> bool:
    """Return whether a file in a writer's folder is ours and holds no row."""
    if not _IN_FOLDER.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        return False
    return not path.name.startswith("journal-") or path.stat().st_size == 0


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _remove_stale(path: Path, number: int) -> None:
    """Remove a file whose writer is dead; the number may be that of another machine's process."""
    with contextlib.suppress(OSError):
        if _age_s(path) > SILENCE_S and not _lives(number):
            path.unlink()


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove_all(gone: Path) -> None:
    """Remove a directory in which nothing was recorded, and nothing else that may lie there."""
    with contextlib.suppress(OSError):
        for path in list(gone.iterdir()):
            if _BESIDE.fullmatch(path.name):
                path.unlink(missing_ok=True)
                continue
            for inner in filter(_is_nothing, list(path.iterdir())):
                inner.unlink(missing_ok=True)
            path.rmdir()
        gone.rmdir()

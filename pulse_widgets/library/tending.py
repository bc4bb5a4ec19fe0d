"""Renames and deletes recordings, and nothing else that may have such a name."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pulse_widgets.arguments import NAME_BYTES
from pulse_widgets.errors import ArgumentError, RecordingError, StorageError
from pulse_widgets.library.lookup import base_name, located
from pulse_widgets.storage.claim import DOOR, damaged_path, shared
from pulse_widgets.storage.cleanup import remove_damaged
from pulse_widgets.storage.directory import (
    ABOUT,
    FAILED,
    FINISHED,
    LOCK,
    READERS,
    RUN,
    SUFFIX,
    is_running,
    writer_folders,
)
from pulse_widgets.storage.disk import refusal
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import open_file
from pulse_widgets.storage.untrusted import as_ours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["delete", "rename"]

GONE: Final = ".gone-"
_BESIDE: Final = re.compile(
    rf"{re.escape(DOOR)}|{re.escape(FAILED)}|{re.escape(READERS)}|\.finished|\.?{re.escape(RUN)}(?:\.\d+)*"
)
_INSIDE: Final = re.compile(
    rf"{LOCK}|\.?{re.escape(ABOUT)}(?:\.\d+)?|\.part|\.merged"
    r"|journal-\d+\.arrows|part-\d+(?:-\d+)?\.parquet"
)


def rename(path: Path, name: str) -> Path:
    """Give a recording another name, in the directory where it lies; return its path.

    Parameters
    ----------
    path : Path
        A finished file, or a directory to which nobody writes.
    name : str
        With or without its ending, which stays what it is.

    Raises
    ------
    ArgumentError
        If there can be no such name.
    RecordingError
        If there is no recording at `path`.
    StorageError
        If it still runs, or there is something of that name.
    """
    base = _checked_name(name)
    with _held(located(path)) as held:
        ending = SUFFIX if held.is_dir() else FINISHED
        target = held.with_name(base + ending)
        if target == held:
            return held
        for taken in (held.with_name(base + SUFFIX), held.with_name(base + FINISHED)):
            if os.path.lexists(taken):
                raise StorageError(f"{taken} is there already", remedy="Give another name.")
        _move(held, target)
        _move_damaged(held, target)
    return target


def delete(path: Path) -> None:
    """Delete a recording for good.

    Parameters
    ----------
    path : Path
        A finished file, or a directory to which nobody writes.

    Raises
    ------
    RecordingError
        If there is no recording at `path`, or in the directory lies something that is no part
        of it.
    StorageError
        If it still runs, or may not be deleted.
    """
    with _held(located(path)) as held:
        if held.is_dir():
            _require_ours_alone(held)
            # Renamed first, so that nobody finds a directory that is half removed.
            gone = held.with_name(f".{held.name}{GONE}{os.getpid()}")
            held.rename(gone)
            _remove(gone)
        else:
            held.unlink()
        remove_damaged(_damaged(held))


@contextmanager
def _held(path: Path) -> Iterator[Path]:
    """Give the path of a recording that nobody writes to or finishes meanwhile.

    Raises
    ------
    RecordingError, StorageError
    """
    try:
        # A link is not followed: what it leads to may be anywhere.
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) and path.name.endswith(SUFFIX):
            with _held_directory(path):
                yield path
        elif stat.S_ISREG(mode) and path.name.endswith(FINISHED):
            _require_file(path)
            yield path
        else:
            raise _none_at(path)
    except FileNotFoundError as exc:
        raise _none_at(path) from exc
    except StorageError:
        raise
    except OSError as exc:
        raise refusal(exc, path) from exc
    except ValueError as exc:
        raise _none_at(path) from exc


@contextmanager
def _held_directory(path: Path) -> Iterator[None]:
    if not stat.S_ISREG((path / RUN).lstat().st_mode):
        raise _none_at(path)
    with shared(path, alone=True) as free:
        if not free or any(map(is_running, writer_folders(Local(path)))):
            raise StorageError(
                f"{path} is still being recorded, or is just becoming a file",
                remedy="Stop the session that records it, or try again in a moment.",
            )
        yield


def _require_file(path: Path) -> None:
    with as_ours(path):
        open_file(Local(path))
    directory = path.with_name(base_name(path.name) + SUFFIX)
    if os.path.lexists(directory / RUN):
        raise StorageError(
            f"{path} has just been made of {directory}", remedy="Try again in a moment."
        )


def _none_at(path: Path) -> RecordingError:
    return RecordingError(
        f"There is no recording at {path}",
        remedy=f"Give a {FINISHED} file, or a {SUFFIX} directory; not a link to one.",
    )


def _checked_name(name: str) -> str:
    base = base_name(name.strip())
    if not base or base.startswith("."):
        why = "it is empty, or begins with a dot"
    elif "/" in base or not base.isprintable():
        why = "it has a slash, or a character that cannot be shown"
    elif len(base.encode("utf-8", "replace")) > NAME_BYTES:
        why = "it is too long"
    else:
        return base
    raise ArgumentError(
        f"{name[:60]!a} cannot be the name of a recording: {why}",
        remedy="Give a plain name, such as 'run-17'.",
    )


def _damaged(path: Path) -> Path:
    return damaged_path(path.with_name(base_name(path.name) + SUFFIX))


def _move(held: Path, target: Path) -> None:
    """Give a file or a directory another name that nobody has."""
    if not held.is_dir():
        try:
            # Unlike a renaming, this replaces nothing that another process has just made.
            os.link(held, target, follow_symlinks=False)
        except FileExistsError as exc:
            raise StorageError(f"{target} is there already", remedy="Give another name.") from exc
        except OSError:  # a file system without hard links
            held.rename(target)
        else:
            held.unlink()
        return
    held.rename(target)


def _move_damaged(held: Path, target: Path) -> None:
    """Take along what was kept of files that could not be read."""
    before, after = _damaged(held), _damaged(target)
    if before.is_dir() and not before.is_symlink() and not os.path.lexists(after):
        with contextlib.suppress(OSError):
            before.rename(after)


def _require_ours_alone(directory: Path) -> None:
    """Check that everything in a directory is of the recording: links are not.

    Raises
    ------
    RecordingError
    """
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False) and entry.name.startswith(("w-", ".new-")):
            for inner in os.scandir(entry.path):
                if not (_INSIDE.fullmatch(inner.name) and inner.is_file(follow_symlinks=False)):
                    raise _foreign(directory, f"{entry.name}/{inner.name}")
        elif not (_BESIDE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)):
            raise _foreign(directory, entry.name)


def _foreign(directory: Path, name: str) -> RecordingError:
    return RecordingError(
        f"In {directory} lies {name[:80]!a}, which is no part of a recording",
        remedy="Move it elsewhere, or delete the directory with other means.",
    )


def _remove(gone: Path) -> None:
    """Remove a directory that was looked through; what has come since stays."""
    with contextlib.suppress(OSError):
        for path in list(gone.iterdir()):
            if _BESIDE.fullmatch(path.name):
                path.unlink()
                continue
            for inner in list(path.iterdir()):
                if _INSIDE.fullmatch(inner.name):
                    inner.unlink()
            path.rmdir()
        gone.rmdir()

"""Where a recording is written: the directory of this user's recordings, and names in it."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
from itertools import count
from pathlib import Path
from typing import Final

from pulse_widgets.errors import StorageError
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.directory import FINISHED, RUN, SUFFIX, is_running, writer_folders
from pulse_widgets.storage.disk import refusal
from pulse_widgets.storage.place import Local

__all__ = ["home", "joined_directory", "make_directory", "new_directory"]

NAME_BYTES: Final = 200
"""Bytes of a name that we choose: file systems allow 255, and there are endings to come."""


def home() -> Path:
    """Return the directory of this user's recordings: under PULSE_HOME, else the user data dir."""
    chosen = os.environ.get("PULSE_HOME")
    if chosen:
        return _absolute(Path(chosen)) / "recordings"
    import platformdirs

    return Path(platformdirs.user_data_dir("pulse_widgets", appauthor=False)) / "recordings"


def new_directory(path: Path | None = None, title: str = "") -> Path:
    """Return the directory a new recording is written to; it is not made yet.

    Parameters
    ----------
    path : Path or None
        Where the user wants it: a name, with or without ``.pulse`` or ``.pulse.parquet``, or
        a directory that is there. None puts it on the shelf, named by the time and `title`.
    title : str

    Raises
    ------
    StorageError
        If there is a recording of that name, or the shelf cannot be made.
    """
    wanted = home() if path is None else _absolute(path)
    try:
        if path is not None:
            return _wanted(wanted, title)
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _free(wanted, _name(title))
    except StorageError:
        raise
    except (OSError, ValueError) as exc:
        raise refusal(exc if isinstance(exc, OSError) else OSError(str(exc)), wanted) from exc


def make_directory(
    record: bool | Path,  # noqa: FBT001  as the user said
    title: str,
    *,
    joins: bool,
) -> tuple[Path, bool]:
    """Make the directory of a recording; return its path, and whether it was not there.

    Parameters
    ----------
    record : bool or Path
        A path, or True for one on the shelf.
    title : str
    joins : bool
        Whether other processes may have made it, or may take part in it later.

    Raises
    ------
    StorageError
        If it cannot be made, or must not be written to.
    """
    wanted = record if isinstance(record, Path) else None
    while True:
        joined = wanted if joins else None
        place = joined_directory(joined) if joined else new_directory(wanted, title)
        try:
            place.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            if wanted is None:
                continue  # another process was faster
            return place, False
        except OSError as error:
            raise refusal(error, place) from error
        return place, not joins


def joined_directory(path: Path) -> Path:
    """Return the directory that several processes write to; it need not be there.

    All that are given the same path get the same one, whoever comes first. Once it has become a
    file, later ones begin the next: ``run-2.pulse`` after ``run.pulse``.

    Parameters
    ----------
    path : Path
        A name, with or without ``.pulse`` or ``.pulse.parquet``.

    Raises
    ------
    StorageError
        If the path names no place.
    """
    wanted = _absolute(path)
    name = wanted.name.removesuffix(".parquet").removesuffix(SUFFIX)
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    directories = (wanted.with_name(free + SUFFIX) for free in names)
    try:
        return next(place for place in directories if not finished_path(place).exists())
    except (OSError, ValueError) as exc:
        raise refusal(exc if isinstance(exc, OSError) else OSError(str(exc)), wanted) from exc


def _absolute(path: Path) -> Path:
    """Return a path that means the same wherever the process goes."""
    try:
        return path.expanduser().absolute()
    except (OSError, RuntimeError) as exc:
        # `~name` names no user, or the working directory was deleted.
        raise StorageError(
            f"{path} cannot be found: {exc}", remedy="Give a whole path with record=PATH."
        ) from exc


def _wanted(path: Path, title: str) -> Path:
    if path.is_dir() and not path.name.endswith(SUFFIX):
        return _free(path, _name(title))
    name = path.name.removesuffix(".parquet").removesuffix(SUFFIX)
    directory, finished = path.with_name(name + SUFFIX), path.with_name(name + FINISHED)
    if finished.exists():
        raise StorageError(
            f"{finished} is there already",
            remedy="Record to another path, or move the file.",
        )
    if directory.exists() and not _may_be_joined(directory):
        raise StorageError(
            f"{directory} is there already",
            remedy="Record to another path, or finish what was left there: "
            f"pulse-widgets repair {shlex.quote(str(directory))}",
        )
    return directory


def _may_be_joined(directory: Path) -> bool:
    """Return whether somebody records there now, or is just beginning to."""
    folders = writer_folders(Local(directory)) if directory.is_dir() else []
    if folders:
        return any(map(is_running, folders))
    # A writer that has no folder yet has made only the description and hidden files.
    return directory.is_dir() and all(
        path.name == RUN or path.name.startswith(".") for path in directory.iterdir()
    )


def _name(title: str) -> str:
    stamp = dt.datetime.now(dt.UTC).astimezone().strftime("%Y-%m-%d-%H%M%S")
    word = re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60]
    name = f"{stamp}-{word}" if word else stamp
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


def _free(parent: Path, name: str) -> Path:
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    directories = (parent / (free + SUFFIX) for free in names)
    return next(d for d in directories if not d.exists() and not finished_path(d).exists())

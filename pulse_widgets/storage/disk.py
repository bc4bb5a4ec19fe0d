"""Room on the disk, and the one place where failures of the disk become our errors."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import StorageError
from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Reserve",
    "is_passing",
    "one_file",
    "refusal",
    "replace_file",
    "sync",
    "write_whole",
]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HANDLES: Final = frozenset({errno.EMFILE, errno.ENFILE})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NAMES: Final = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
_ELSEWHERE: Final = "Give another place with record=PATH or PULSE_HOME."

END_SHARE: Final = 0.05
"""The end of a recording may use the reserve when it is at most this share of what is free."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a recording leaves free on its disk.

    Attributes
    ----------
    least_bytes : int
        Recording pauses when less is free.
    least_share : float
        ... or when less than this share of the disk is free.
    """

    least_bytes: int = 1 << 30
    least_share: float = 0.05

    def problem(self, directory: Path) -> str:
        """Return why nothing may be written to `directory` now; empty when there is room.

        A directory that is not there yet stands for the nearest one above it that is.
        """
        try:
            disk = os.statvfs(_nearest(directory))
        except OSError as exc:
            return f"{directory} cannot be reached: {exc.strerror}"
        free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
        if free >= max(self.least_bytes, self.least_share * size):
            return ""
        room = f"{format_value(free, 'B')} of {format_value(size, 'B')}"
        return f"Only {room} are free at {directory}; recording pauses below {self.rule}"

    def spares(self, directory: Path, nbytes: int) -> bool:
        """Return whether the last bytes of a recording are so few that they may use the reserve.

        No rule keeps what a user has waited for from a disk that can well hold it, and none of
        our writes takes a noticeable part of what is left.
        """
        try:
            disk = os.statvfs(_nearest(directory))
        except OSError:
            return False
        return nbytes <= END_SHARE * disk.f_bavail * disk.f_frsize

    def refused(self, directory: Path) -> StorageError | None:
        """Return our error when nothing may be written to `directory` now."""
        problem = self.problem(directory)
        return StorageError(problem, remedy=_room(self), errno=errno.ENOSPC) if problem else None

    @property
    def rule(self) -> str:
        """Below what recording pauses, in words."""
        return f"{format_value(self.least_bytes, 'B')} or {100 * self.least_share:g} %"


def _nearest(directory: Path) -> Path:
    """Return the directory, or the nearest one above it that is there."""
    place = directory
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _room(reserve: Reserve) -> str:
    return (
        f"Free some space ({reserve.rule} of the disk, whichever is more): recording then goes on "
        "by itself. Or record to another disk with record=PATH."
    )


def is_passing(error: BaseException) -> bool:
    """Return whether the same write may well succeed later: there was no room, or no handle."""
    return isinstance(error, StorageError) and error.errno in _FULL | _HANDLES


def refusal(exc: OSError, path: Path) -> StorageError:
    """Return our error for a failed write to `path`."""
    # Errors that come through Arrow have a text of Arrow's before the system's.
    why = (exc.strerror or str(exc)).rpartition(f"Detail: [errno {exc.errno}] ")[2]
    if exc.errno in _FULL:
        problem, remedy = f"No room left for {path}: {why}", _room(Reserve())
    elif exc.errno in _HANDLES:
        problem = f"{path} cannot be written: {why}"
        remedy = (
            "Close files that are no longer needed, or allow more (ulimit -n); recording goes on "
            "by itself."
        )
    elif exc.errno in _FORBIDDEN:
        problem, remedy = f"{path} may not be written: {why}", _ELSEWHERE
    elif exc.errno == errno.ENOTDIR:
        problem, remedy = f"{path} cannot be made: {why}", _ELSEWHERE
    elif exc.errno in _NAMES:
        problem = f"{path} cannot be the name of a recording here: {why}"
        remedy = "Give a shorter or plainer name with record=PATH."
    else:
        problem = f"{path} cannot be written: {why}"
        remedy = f"Check the disk and its mount. {_ELSEWHERE}"
    return StorageError(problem, remedy=remedy, errno=exc.errno)


@contextlib.contextmanager
def one_file(path: Path, elsewhere: str) -> Iterator[None]:
    """Give failures to write one file a remedy that fits: there is no session that goes on.

    Parameters
    ----------
    path : Path
    elsewhere : str
        What to do instead, without a capital and a full stop.
    """
    try:
        yield
    except StorageError as exc:
        if exc.errno is None:
            raise
        raise _refitted(exc, elsewhere) from exc
    except OSError as exc:
        raise _refitted(refusal(exc, path), elsewhere) from exc


def _refitted(refused: StorageError, elsewhere: str) -> StorageError:
    remedy = f"{elsewhere[0].upper()}{elsewhere[1:]}."
    if refused.errno in _FULL:
        remedy = f"Free some space there, or {elsewhere}."
    return StorageError(refused.problem, remedy=remedy, errno=refused.errno)


def write_whole(fd: int, content: bytes | memoryview) -> None:
    """Write all bytes in one call where the disk lets us.

    Raises
    ------
    OSError
        If only a part could be written; the caller undoes that part.
    """
    done = os.write(fd, content)
    while done < len(content):
        more = os.write(fd, content[done:])
        if more == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done += more


def sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a small file, so that a reader sees the old content or the new, never a part.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fd = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            write_whole(fd, content)
        finally:
            os.close(fd)
        fresh.replace(path)
    except BaseException as exc:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise refusal(exc, path) from exc
        raise

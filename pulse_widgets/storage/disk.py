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
    from pathlib import Path

__all__ = ["Reserve", "refusal", "replace_file", "sync", "write_whole"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


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
        place = directory
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            disk = os.statvfs(place)
        except OSError as exc:
            return f"{directory} cannot be reached: {exc.strerror}"
        free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
        if free >= max(self.least_bytes, self.least_share * size):
            return ""
        room = f"{format_value(free, 'B')} of {format_value(size, 'B')}"
        return f"Only {room} are free at {directory}"


def refusal(exc: OSError, path: Path) -> StorageError:
    """Return our error for a failed write to `path`."""
    if exc.errno in _FULL:
        return StorageError(
            f"No room left for {path}: {exc.strerror}",
            remedy="Free some space; recording goes on by itself. Nothing accepted is lost yet.",
        )
    if exc.errno in _FORBIDDEN:
        return StorageError(
            f"{path} may not be written: {exc.strerror}",
            remedy="Give another place with record=PATH or PULSE_HOME.",
        )
    return StorageError(
        f"{path} cannot be written: {exc.strerror or exc}",
        remedy="Check the disk and its mount, or give another place.",
    )


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

"""A writer's claim on its folder: a lock held for life, and a heartbeat beside it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import StorageError
from pulse_widgets.storage.directory import ABOUT, LOCK, PROBLEMS_BYTES, boot_id, finished_name
from pulse_widgets.storage.disk import refusal
from pulse_widgets.storage.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Claim", "FinishedError", "damaged_path", "finished_path", "shared", "this_machine"]

DOOR: Final = ".compact.lock"
NEW: Final = ".new-"
"""How the name of a writer's folder begins until it is ready."""
SENTENCE_LENGTH: Final = 300
"""Characters of a sentence in the lock, at most; one always fits."""


class FinishedError(StorageError):
    """A directory is a finished recording, or is becoming one: nobody may join it."""


def finished_path(directory: Path) -> Path:
    """Return the path of the finished file of a directory."""
    return directory.with_name(finished_name(directory.name))


def damaged_path(directory: Path) -> Path:
    """Return where the damaged files of a directory are kept once it is finished."""
    return directory.with_name(directory.name + ".damaged")


def this_machine() -> dict[str, Any]:
    """Return the facts of this machine that a recording stores."""
    return {"name": platform.node(), "boot_id": boot_id()}


@contextmanager
def shared(directory: Path, *, alone: bool) -> Iterator[bool]:
    """Keep others from compacting a directory, or, `alone`, from joining it; give success."""
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(directory / DOOR, flags, 0o600)
    try:
        free = True
        try:
            fcntl.flock(fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:
            pass  # a file system without locks; heartbeats are all there is
        yield free
    finally:
        os.close(fd)


class Claim:
    """Makes ``w-<host>-<pid>-<start>`` and holds its lock.

    Parameters
    ----------
    directory : Path
    host_name : str
    start_us : int

    Raises
    ------
    StorageError
        If the folder cannot be made, or the recording is being finished or is finished.
    """

    def __init__(self, directory: Path, host_name: str, start_us: int) -> None:
        try:
            with shared(directory, alone=False) as free:
                made = (
                    _make(directory, host_name, start_us)
                    if free and not finished_path(directory).exists()
                    else None
                )
        except OSError as exc:
            raise refusal(exc, directory) from exc
        if made is None:
            raise FinishedError(
                f"{directory} is a finished recording, or is just becoming one",
                remedy="Record to another path.",
            )
        self.folder, self._fd, locks = made
        self.about: dict[str, Any] = {
            "version": VERSION,
            "pid": os.getpid(),
            "boot_id": boot_id(),
            "start": start_us,
            "locks": locks,
            "hosts": {"h0": this_machine()},
        }
        self.write_problems([])

    def write_problems(self, problems: Sequence[str]) -> None:
        """Write what is missing, in sentences, into the lock: it has its room on the disk."""
        written = [problem[:SENTENCE_LENGTH] for problem in problems]
        while len(content := json.dumps(written).encode()) > PROBLEMS_BYTES:
            written.pop()
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, content.ljust(PROBLEMS_BYTES), 0)

    def beat(self) -> None:
        """Show that the writer lives."""
        with contextlib.suppress(OSError):
            os.utime(self._fd)

    def stands(self) -> bool:
        """Return whether the folder is still ours."""
        try:
            return os.path.samestat((self.folder / LOCK).stat(), os.fstat(self._fd))
        except OSError:
            return False

    def release(self) -> None:
        """Give the lock up; twice is harmless."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                # A forked child may still have the file open, which would keep the lock held.
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            # Readers that see no locks go by the age of the file: now they see that it is over.
            with contextlib.suppress(OSError):
                os.utime(self._fd, (0, 0))
            self.abandon()

    def withdraw(self) -> None:
        """Give the lock up and leave no folder, where nothing could be written."""
        self.release()
        _remove_folder(self.folder)

    def abandon(self) -> None:
        """Close the file without unlocking it: the parent of this fork still holds it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            # The descriptor is closed even where the disk reports an error.
            with contextlib.suppress(OSError):
                os.close(fd)


def _make(directory: Path, host_name: str, start_us: int) -> tuple[Path, int, bool]:
    """Make the folder with its lock already held, so that nobody sees it unlocked."""
    host = re.sub(r"[^A-Za-z0-9_.]", "_", host_name)[:64] or "host"
    # A random part, because a process that was killed may have had our process id.
    hidden = directory / f"{NEW}{os.getpid()}-{os.urandom(8).hex()}"
    hidden.mkdir(mode=0o700)
    fd = -1
    try:
        fd = os.open(hidden / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locks = True
        except OSError:
            locks = False
        begin = start_us
        while (folder := directory / f"w-{host}-{os.getpid()}-{begin}").exists():
            begin += 1
        hidden.rename(folder)
    except BaseException:
        if fd >= 0:
            os.close(fd)
        _remove_folder(hidden)
        raise
    return folder, fd, locks


def _remove_folder(folder: Path) -> None:
    """Remove a folder in which nothing was recorded; what else lies there stays."""
    for name in (LOCK, ABOUT, f".{ABOUT}.{os.getpid()}"):
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()

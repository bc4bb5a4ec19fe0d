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
from pulse_widgets.storage.directory import FINISHED, LOCK, SAID_BYTES, SUFFIX, boot_id
from pulse_widgets.storage.disk import refusal
from pulse_widgets.storage.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Claim", "finished_path", "shared", "this_machine"]

_DOOR: Final = ".compact.lock"
SAID_LENGTH: Final = 300
"""Characters of a sentence in the lock, at most; one always fits."""


def finished_path(directory: Path) -> Path:
    """Return the path of the finished file of a directory."""
    return directory.with_name(directory.name.removesuffix(SUFFIX) + FINISHED)


def this_machine() -> dict[str, Any]:
    """Return what a recording tells of the machine that it was made on."""
    return {"name": platform.node(), "boot_id": boot_id()}


@contextmanager
def shared(directory: Path, *, alone: bool) -> Iterator[bool]:
    """Keep others from compacting a directory, or, `alone`, from joining it; give success."""
    fd = os.open(directory / _DOOR, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        yield False
        return
    except OSError:
        pass  # a file system without locks; heartbeats are all there is
    try:
        yield True
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
            raise StorageError(
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
        self.tell([])

    def tell(self, problems: Sequence[str]) -> None:
        """Say what is missing, in sentences, inside the lock: it has its room on the disk."""
        said = [problem[:SAID_LENGTH] for problem in problems]
        while len(content := json.dumps(said).encode()) > SAID_BYTES:
            said.pop()
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, content.ljust(SAID_BYTES), 0)

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
                # A fork that forgot to let go must not hold the recording open.
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            # Readers without locks see at once that nobody writes any more.
            with contextlib.suppress(OSError):
                os.utime(self._fd, (0, 0))
            self.abandon()

    def abandon(self) -> None:
        """Let go of the file without unlocking it: the parent of this fork still holds it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _make(directory: Path, host_name: str, start_us: int) -> tuple[Path, int, bool]:
    """Make the folder with its lock already held, so that none sees it without."""
    host = re.sub(r"[^A-Za-z0-9_.]", "_", host_name)[:64] or "host"
    hidden = directory / f".new-{os.getpid()}-{start_us}"
    hidden.mkdir(mode=0o700)
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
    return folder, fd, locks

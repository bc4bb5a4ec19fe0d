"""The small files of ``/proc``, read again and again."""

from __future__ import annotations

import os
import weakref
from typing import Final

__all__ = ["ProcFiles"]

_CHUNK: Final = 1 << 16
_ENTRY_MOST: Final = 2048
"""Of the files that are kept, no list has a longer entry, in bytes; a page has 4096 or more."""


class ProcFiles:
    """Reads files below one directory; in the real ``/proc`` it keeps those open that last.

    Opening a file of ``/proc`` costs twice as much as reading it once the kernel's caches are
    cold, which they are after a pause of a tenth of a second.

    Parameters
    ----------
    root : str
        A captured tree is opened anew each time: its files may be replaced.

    Attributes
    ----------
    is_real : bool
        It is the kernel's own ``/proc``.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.is_real = os.path.realpath(root) == "/proc"
        self._open: dict[str, int] = {}
        _all.add(self)

    def keep(self, path: str) -> bytes:
        """Return the content of a file that is asked for on every pass.

        The kernel hands out a list (disks, interfaces) in pieces, which end where the next entry
        would not have fitted the page: one that leaves room for any entry is the last.
        """
        if not self.is_real:
            return self.read(path)
        fd = self._open.get(path)
        if fd is None:
            fd = self._open[path] = os.open(f"{self.root}/{path}", os.O_RDONLY)
        try:
            return _whole(fd, last_below=_ENTRY_MOST)
        except OSError:
            # Close it after a failure: the next reading opens it again.
            os.close(self._open.pop(path))
            raise

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        fd = os.open(f"{self.root}/{path}", os.O_RDONLY)
        try:
            return _whole(fd, last_below=1)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close what is open; may be called twice."""
        while self._open:
            os.close(self._open.popitem()[1])


def _whole(fd: int, *, last_below: int) -> bytes:
    """Return a file from its start; a piece of fewer bytes is its last."""
    whole = piece = os.pread(fd, _CHUNK, 0)
    while len(piece) >= last_below:
        piece = os.pread(fd, _CHUNK, len(whole))
        whole += piece
    return whole


_all: weakref.WeakSet[ProcFiles] = weakref.WeakSet()


def _close_in_child() -> None:
    for files in list(_all):
        files.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)

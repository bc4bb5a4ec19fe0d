"""The small files of ``/proc``, read again and again."""

from __future__ import annotations

import os
import weakref
from typing import Final

__all__ = ["ProcFiles"]

_CHUNK: Final = 1 << 16


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

    def keep(self, path: str, *, is_list: bool = False) -> bytes:
        """Return the content of a file that is asked for on every pass.

        The kernel hands out a list (disks, interfaces) in pieces that end where an entry does,
        and everything else at once.
        """
        if not self.is_real:
            return self.read(path)
        fd = self._open.get(path)
        if fd is None:
            fd = self._open[path] = os.open(f"{self.root}/{path}", os.O_RDONLY)
        try:
            return _whole(fd, is_list=is_list)
        except OSError:
            # The next reading opens it anew.
            os.close(self._open.pop(path))
            raise

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        fd = os.open(f"{self.root}/{path}", os.O_RDONLY)
        try:
            return _whole(fd, is_list=True)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close what is open; may be called twice."""
        while self._open:
            os.close(self._open.popitem()[1])


def _whole(fd: int, *, is_list: bool) -> bytes:
    """Return a file from its start."""
    whole = os.pread(fd, _CHUNK, 0)
    if not is_list and len(whole) < _CHUNK:
        return whole
    while piece := os.pread(fd, _CHUNK, len(whole)):
        whole += piece
    return whole


_all: weakref.WeakSet[ProcFiles] = weakref.WeakSet()


def _close_in_child() -> None:
    for files in list(_all):
        files.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)

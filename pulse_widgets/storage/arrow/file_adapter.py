"""Adapts a `File` of any place to the file interface of Arrow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pulse_widgets.storage.place import File

__all__ = ["arrow_file"]


def arrow_file(file: File) -> Any:
    """Return a `pyarrow.NativeFile` that reads a file; closing it leaves the file open.

    For local files, too: Arrow reads each column of a row group in one piece, so that its own
    way to read them is not measurably faster.
    """
    return pa.PythonFile(_FileAdapter(file), mode="r")


class _FileAdapter:
    """A file with a position, as Arrow reads it, from one thread at a time."""

    closed = False

    def __init__(self, file: File) -> None:
        self._file = file
        self._position = 0

    def read(self, length: int = -1) -> bytes:
        rest = max(self._file.size - self._position, 0)
        content = self._file.read_at(self._position, rest if length < 0 else min(length, rest))
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self.closed = True

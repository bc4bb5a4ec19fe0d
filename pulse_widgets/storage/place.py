"""Where recordings are read from: files and folders of this machine, or of a store elsewhere.

Everything that reads a recording gets a `Place`, and reads ranges of bytes of the `File` that a
place opens. `Local`, a path of this machine, is the only place so far. Writing, locks, tidying
and deleting are done with paths: they are for recordings of this machine alone.

To add a place, say the objects of a store or what a web server gives by ranges, write two
classes with the members of `Place` and of `File`, and give such a place to
`reader.open_stored`. Nothing else has to change. They must keep these promises:

* Making a place, joining it with ``/`` and taking its `parent` ask nothing of the store.
* Where there is nothing, `stat` returns None, and `open` and `items` raise FileNotFoundError.
  Any other failure is an OSError.
* `open` gives files only: never a folder, nor anything that may have no end. The size of a file
  stays what it was when it was opened.
* `read_at` raises RecordingError when the file has become another one: two states of a file
  are never mixed. A store does that with a condition on the version in each request.
* Several threads may read one file at once.

What the bytes mean, how many of them are looked at and which checksums they must match is
decided by those who read, so that every place is as safe as the others.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pulse_widgets.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "CachedFile",
    "File",
    "Item",
    "Local",
    "Place",
    "Stat",
    "bytes_in",
    "content_of",
    "open_regular",
]

TAIL_BYTES: Final = 512 << 10
"""The end of a file that is read at once when it is opened: as a rule all of its footer."""

MOST_CACHED: Final = 64 << 20
"""Bytes of a file that are kept in memory at most, for the short time in which they are."""


class Stat(NamedTuple):
    """What lies at a place; `size` is that of a file, in bytes."""

    is_folder: bool
    size: int


class Item(NamedTuple):
    """What a folder holds under a name; a link is never a folder."""

    name: str
    is_folder: bool


class File(Protocol):
    """A file that is open for reading."""

    @property
    def name(self) -> str:
        """Its whole address, for messages."""

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""

    @property
    def modified_s(self) -> float:
        """When it was last written to, seconds since the epoch."""

    @property
    def mark(self) -> str:
        """Another text whenever the file is another one, or has another content."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on; fewer only where the file ends before."""

    def close(self) -> None:
        """Hold no handle any more; from now on each read opens the file anew."""


class Place(Protocol):
    """An address at which a file or a folder may be; its `str` is for messages."""

    @property
    def name(self) -> str:
        """The last part of the address."""

    @property
    def parent(self) -> Place:
        """The folder that it is in."""

    @property
    def path(self) -> Path | None:
        """The path of a place on this machine; None elsewhere."""

    def __truediv__(self, name: str) -> Place:
        """Return the place of that name in this folder."""

    def stat(self) -> Stat | None:
        """Return what is there; None where there is nothing."""

    def items(self) -> list[Item]:
        """Return what a folder holds, in any order."""

    def open(self) -> File:
        """Return the file, opened for reading."""


@dataclass(frozen=True, slots=True)
class Local:
    """A path of this machine as a place."""

    path: Path

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name

    @property
    def parent(self) -> Local:
        """The directory that it is in."""
        return Local(self.path.parent)

    def __truediv__(self, name: str) -> Local:
        """Return the place of that name in this directory."""
        return Local(self.path / name)

    def stat(self) -> Stat | None:
        """Return what is there; None where there is nothing, or the path can be none."""
        try:
            found = os.stat(self.path)  # noqa: PTH116  beside fstat below
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        except OSError as exc:
            if exc.errno == errno.ELOOP:
                return None
            raise
        return Stat(stat.S_ISDIR(found.st_mode), found.st_size)

    def items(self) -> list[Item]:
        """Return what a directory holds.

        Raises
        ------
        OSError
            If it cannot be listed.
        """
        with os.scandir(self.path) as entries:
            return [Item(e.name, e.is_dir(follow_symlinks=False)) for e in entries]

    def open(self) -> LocalFile:
        """Return the file, opened for reading.

        Raises
        ------
        RecordingError
            If it is no regular file, or a link that leads nowhere.
        OSError
            If it cannot be opened.
        """
        try:
            return LocalFile(self.path)
        except FileNotFoundError:
            if not self.path.is_symlink():
                raise
            # FileNotFoundError makes callers list the folder again, which would not help here.
            raise RecordingError(
                f"{self.path} is a link to a file that is not there",
                remedy="Put the file back, or remove the link.",
            ) from None


class _Handle:
    """A file descriptor that is closed when nobody uses it any more, in whichever thread."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class LocalFile:
    """A regular file of this machine; see `File`."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._handle: _Handle | None = _Handle(open_regular(path))
        found = os.fstat(self._handle.number)
        self.size = found.st_size
        self.modified_s = found.st_mtime
        self.mark = _mark(found)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on; fewer only where the file ends before."""
        handle = self._handle or self._opened_anew()
        content = os.pread(handle.number, length, offset)
        while 0 < len(content) < length:
            more = os.pread(handle.number, length - len(content), offset + len(content))
            if not more:
                break
            content += more
        return content

    def close(self) -> None:
        """Hold no handle any more; from now on each read opens the file anew."""
        self._handle = None

    def _opened_anew(self) -> _Handle:
        handle = _Handle(open_regular(self._path))
        if _mark(os.fstat(handle.number)) != self.mark:
            raise RecordingError(
                f"{self.name} has changed since it was opened",
                remedy="Open the recording again.",
            )
        return handle


def _mark(found: os.stat_result) -> str:
    return f"{found.st_dev}-{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"


def open_regular(path: Path) -> int:
    """Return a descriptor to read a regular file; never waits for a file of another kind.

    Raises
    ------
    RecordingError
        If it is a pipe, a device, a directory: opening one of these may wait for ever.
    OSError
        If it cannot be opened.
    """
    _require_regular(path, os.stat(path))  # noqa: PTH116  beside fstat below
    # The file may have been replaced since.
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        _require_regular(path, os.fstat(number))
    except BaseException:
        os.close(number)
        raise
    return number


def _require_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise RecordingError(
            f"{path} is not a regular file",
            remedy="It was not written by this program; move it out of the recording.",
        )


class CachedFile:
    """A file that keeps what is read of it inside `caching`, and reads it once.

    A checksum and what it is for are then taken from the same bytes, and a store is asked for
    them once.
    """

    def __init__(self, file: File) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._inside = 0
        self._kept: tuple[tuple[int, bytes], ...] = ()

    @property
    def name(self) -> str:
        """Its whole address, for messages."""
        return self._file.name

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self._file.size

    @property
    def modified_s(self) -> float:
        """When it was last written to, seconds since the epoch."""
        return self._file.modified_s

    @property
    def mark(self) -> str:
        """Another text whenever the file is another, or has another content."""
        return self._file.mark

    @contextmanager
    def caching(self) -> Iterator[None]:
        """Keep what is read inside until the end, as far as there is room for it."""
        with self._lock:
            before = len(self._kept)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                # Another thread may still be inside. What it loses by this is read again.
                self._kept = self._kept[:before] if self._inside else ()

    def read_tail(self) -> None:
        """Read the end of the file, in one piece."""
        first = max(self.size - TAIL_BYTES, 0)
        self.read_at(first, self.size - first)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on; fewer only where the file ends before."""
        # The newest first: what was just checked is mostly parsed next.
        for first, content in reversed(self._kept):
            if first <= offset and offset + length <= first + len(content):
                return content if length == len(content) else content[offset - first :][:length]
        content = self._file.read_at(offset, length)
        if self._inside and len(content) <= MOST_CACHED:
            with self._lock:
                held = sum(len(each) for _, each in self._kept)
                if self._inside and held + len(content) <= MOST_CACHED:
                    self._kept = (*self._kept, (offset, content))
        return content

    def close(self) -> None:
        """Hold no handle any more; from now on each read opens the file anew."""
        self._file.close()


def content_of(place: Place, most: int) -> bytes:
    """Return the content of a file of at most `most` bytes.

    Raises
    ------
    RecordingError
        If it is larger, or no file.
    OSError
        If it cannot be read.
    """
    file = place.open()
    try:
        if file.size > most:
            raise RecordingError(
                f"{place} has more than {most} bytes, more than any file of its name",
                remedy="It was not written by this program; move it out of the recording.",
            )
        return file.read_at(0, file.size)
    finally:
        file.close()


def bytes_in(place: Place) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 of what cannot be looked at."""
    try:
        found = place.stat()
        items = place.items() if found is not None and found.is_folder else []
    except OSError:
        return 0  # files come and go while this looks
    if found is None or not found.is_folder:
        return found.size if found is not None else 0
    total = 0
    for item in items:
        inside = place / item.name
        total += bytes_in(inside) if item.is_folder else _file_bytes(inside)
    return total


def _file_bytes(place: Place) -> int:
    """Return the bytes of a file; 0 of a link to a folder, which may lead back to where it is."""
    try:
        found = place.stat()
    except OSError:
        return 0
    return found.size if found is not None and not found.is_folder else 0

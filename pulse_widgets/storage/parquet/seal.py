"""Checksums over everything in a Parquet file that Arrow trusts without one of its own.

The footer has a CRC-32 in itself, `pulse.crc`, and the CRC-32 of each column chunk,
`pulse.sums`. Both are known only when the file is written, so the writer leaves room for
them in the footer and they are put in afterwards.
"""

from __future__ import annotations

import base64
import os
import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.storage.parquet.footer import (
    MAGIC,
    TAIL,
    chunks_of,
    extent,
    footer_length,
    groups_of,
    leaves_of,
    structure,
)
from pulse_widgets.storage.parquet.thrift import BINARY, decode, encode, key
from pulse_widgets.storage.place import Local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.storage.parquet.thrift import Struct
    from pulse_widgets.storage.place import File

__all__ = ["Footer", "check_footer", "crc_of", "marks", "seal"]

_CRC: Final = "pulse.crc"
_SUMS: Final = "pulse.sums"
_FIRST, _SECOND = key(1, BINARY), key(2, BINARY)
_DIGITS: Final = 8
_BLANK: Final = b"0" * 2 * _DIGITS
_DAMAGED: Final = "its footer does not match its checksum"
_PIECE: Final = 16 << 20
"""Bytes that are read at once: a column of ours in a row group is smaller, as a rule."""


class Footer:
    """What a footer says of the column chunks of its file: where they lie, what they add up to.

    Parameters
    ----------
    content : bytes
        The footer.
    size : int
        Of the file.
    sums : bytes or None
        CRC-32 of each column chunk; None in a file of another writer, which has no checksum.
    """

    def __init__(self, content: bytes, size: int, sums: bytes | None) -> None:
        self.size = size
        self.sealed = sums is not None
        """Whether the file has checksums."""
        self._content = content
        self._sums = sums

    @cached_property
    def tree(self) -> Struct:
        """All that the footer says; it takes a while to be read."""
        return structure(self._content, self.size)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(b".".join(x.path).decode("utf-8", "replace") for x in leaves_of(self.tree))

    @cached_property
    def extents(self) -> NDArray[np.int64]:
        """First byte of each column chunk, and the one after its last: (groups, columns, 2)."""
        groups = [chunks_of(group) for group in groups_of(self.tree)]
        places = np.array([extent(c) for chunks in groups for c in chunks], np.int64)
        return places.reshape(len(groups), len(self.names), 2)

    def sums(self, groups: int, columns: int) -> NDArray[np.uint32] | None:
        """Return the CRC-32 of each column chunk: (groups, columns), None where there are none.

        Raises
        ------
        ValueError
            If there are more or fewer.
        """
        if self._sums is None:
            return None
        if len(self._sums) != 4 * groups * columns:
            raise ValueError("its footer has other checksums than columns")
        return np.frombuffer(self._sums, "<u4").reshape(groups, columns)

    def damaged(self, file: File, group: int, names: Sequence[str]) -> list[str]:
        """Return those of the columns `names` that are damaged in a row group.

        A file without checksums has none of which that is known.
        """
        sums = self.sums(*self.extents.shape[:2])
        if sums is None:
            return []
        places = [self.names.index(name) for name in names]
        ends = [self.extents[group, place].tolist() for place in places]
        found = [crc_of(file, start, end) for start, end in ends]
        pairs = zip(names, places, found, strict=True)
        return [name for name, place, crc in pairs if crc != sums[group, place]]

    def extent(self, group: int, name: str) -> tuple[int, int]:
        """Return the first byte of a column chunk, and the one after its last."""
        start, end = self.extents[group, self.names.index(name)].tolist()
        return start, end


def marks(groups: int, columns: int) -> dict[str, str]:
    """Return key-values for the footer that keep room for the checksums.

    They are passed to `ParquetWriter.add_key_value_metadata`; `seal` fills them in.
    """
    blank = base64.b64encode(bytes(4 * groups * columns)).decode("ascii")
    return {_SUMS: blank, _CRC: _BLANK.decode("ascii")}


def seal(path: Path) -> None:
    """Put the checksums into a file that is written and closed.

    Raises
    ------
    OSError
        If the disk refuses.
    ValueError
        If the file was not written with `marks`.
    """
    written = Local(path).open()
    with path.open("r+b", buffering=0) as file:
        content = _content(written)
        place = written.size - TAIL - len(content)
        extents = Footer(content, written.size, None).extents.reshape(-1, 2).tolist()
        sums = [crc_of(written, start, end) for start, end in extents]
        text = base64.b64encode(np.array(sums, "<u4").tobytes())
        first, end = _value(content, _SUMS)
        if len(text) != end - first:
            raise ValueError("its footer has no room for the checksums")
        content = content[:first] + text + content[end:]
        os.pwrite(file.fileno(), text, place + first)
        first, end = _value(content, _CRC)
        os.pwrite(file.fileno(), _own_mark(content, first, end), place + first)
    written.close()


def check_footer(file: File) -> Footer:
    """Look at the footer of a file before Arrow does.

    Raises
    ------
    ValueError
        If it does not match its checksum, contradicts itself or the size of the file, or says
        more than any recording has.
    OSError
        If the file cannot be read.
    """
    content, size = _content(file), file.size
    crc, sums = (_found(content, name) for name in (_CRC, _SUMS))
    if crc is not None and sums is not None:
        first, end = crc
        sealed = Footer(content, size, _decoded(content[slice(*sums)]))
        said, right = content[first:end], _own_mark(content, first, end)
        if len(said) == len(right) and said[_DIGITS:] == right[_DIGITS:]:
            return sealed
        if said[:_DIGITS] == right[:_DIGITS] or _is_as_written(sealed, file):
            raise ValueError(_DAMAGED)
        # A program that wrote the file anew has kept keys that it did not know.
    elif crc is not None or sums is not None:
        raise ValueError(_DAMAGED)  # who writes one of the two writes both
    footer = Footer(content, size, None)
    _ = footer.tree  # nothing vouches for it: it must fit the file and itself
    return footer


def _decoded(sums: bytes) -> bytes:
    try:
        return base64.b64decode(sums, validate=True)
    except ValueError:
        raise ValueError(_DAMAGED) from None


def _found(content: bytes, name: str) -> tuple[int, int] | None:
    if _head(name) not in content:
        return None
    return _value(content, name)


def _is_as_written(footer: Footer, file: File) -> bool:
    """Return whether some column chunk of the first row group still has its checksum."""
    if not footer.extents.size:
        return True
    try:
        return len(footer.damaged(file, 0, footer.names)) < len(footer.names)
    except ValueError:
        return False  # there are other chunks than checksums


def _content(file: File) -> bytes:
    """Return the footer of a file."""
    size = file.size
    if file.read_at(0, len(MAGIC)) != MAGIC:
        raise ValueError("it is not a Parquet file, or was cut off")
    length = footer_length(file.read_at(max(size - TAIL, 0), TAIL), size)
    content = file.read_at(size - TAIL - length, length)
    if len(content) != length:
        raise ValueError("it was cut off while it was read")
    return content


def _value(content: bytes, name: str) -> tuple[int, int]:
    """Return where the value of a key lies in a footer: its last one, which is ours."""
    place = content.rfind(_head(name))
    if place < 0:
        raise ValueError(f"its footer has no {name}")
    pair, length = decode(memoryview(content)[place:])
    end = place + length - 1
    return end - len(pair[_SECOND]), end


def _head(name: str) -> bytes:
    """Return how a key-value begins in a footer: with the key, and the type of the value."""
    return encode({_FIRST: name.encode("ascii"), _SECOND: b""})[:-2]


def _own_mark(content: bytes, first: int, end: int) -> bytes:
    """Return length and CRC-32 of a footer whose own digits, from `first` to `end`, are zeros."""
    view = memoryview(content)
    crc = zlib.crc32(view[end:], zlib.crc32(_BLANK, zlib.crc32(view[:first])))
    return b"%08x%08x" % (len(content), crc)


def crc_of(file: File, start: int, end: int) -> int:
    """Return the CRC-32 of the bytes of a file from `start` to `end`."""
    crc = 0
    while start < end:
        piece = file.read_at(start, min(_PIECE, end - start))
        if not piece:
            break  # cut off meanwhile; the sum of less is another
        crc = zlib.crc32(piece, crc)
        start += len(piece)
    return crc

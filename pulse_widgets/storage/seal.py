"""Checksums over everything in a Parquet file that Arrow trusts without one of its own.

The footer has a CRC-32 in itself, `pulse.crc`, and the CRC-32 of each column chunk,
`pulse.sums`. Both are known only when the file is written, so the writer leaves room for
them in the footer and they are put in afterwards.
"""

from __future__ import annotations

import base64
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.storage.footer import (
    MAGIC,
    TAIL,
    chunks_of,
    extent,
    footer_length,
    groups_of,
    leaves_of,
    structure,
)
from pulse_widgets.storage.thrift import BINARY, decode, encode, key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.storage.thrift import Struct

__all__ = ["Footer", "check_footer", "marks", "read_footer", "seal"]

_CRC: Final = "pulse.crc"
_SUMS: Final = "pulse.sums"
_FIRST, _SECOND = key(1, BINARY), key(2, BINARY)
_BLANK: Final = b"00000000"
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Footer:
    """Where the column chunks of a file lie, and what they add up to.

    Attributes
    ----------
    size : int
        Of the file.
    names : tuple of str
        The columns.
    starts, ends : (groups, columns) int64
        First byte of each column chunk, and the one after its last.
    sums : (groups, columns) uint32, or None
        CRC-32 of these bytes; None in a file of another writer, which has no checksum.
    """

    size: int
    names: tuple[str, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    sums: NDArray[np.uint32] | None

    @property
    def sealed(self) -> bool:
        """Whether the file has checksums."""
        return self.sums is not None

    def damaged(self, path: Path, group: int, names: Sequence[str]) -> list[str]:
        """Return those of the columns `names` that are damaged in a row group.

        A file without checksums has none of which that is known.
        """
        if self.sums is None:
            return []
        with path.open("rb", buffering=0) as file:
            return [
                name
                for name in names
                if _sum(file.fileno(), *self.extent(group, name))
                != self.sums[group, self.names.index(name)]
            ]

    def extent(self, group: int, name: str) -> tuple[int, int]:
        """Return the first byte of a column chunk, and the one after its last."""
        column = self.names.index(name)
        return int(self.starts[group, column]), int(self.ends[group, column])


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
    with path.open("r+b", buffering=0) as file:
        content, size = _content(file.fileno())
        place = size - TAIL - len(content)
        footer = _footer(structure(content, size), size, None)
        extents = zip(footer.starts.flat, footer.ends.flat, strict=True)
        sums = [_sum(file.fileno(), int(start), int(end)) for start, end in extents]
        text = base64.b64encode(np.array(sums, "<u4").tobytes())
        first, end = _value(content, _SUMS)
        if len(text) != end - first:
            raise ValueError("its footer has no room for the checksums")
        content = content[:first] + text + content[end:]
        os.pwrite(file.fileno(), text, place + first)
        first, end = _value(content, _CRC)
        os.pwrite(file.fileno(), b"%08x" % _footer_crc(content, first, end), place + first)


def check_footer(path: Path) -> Footer:
    """Look at the footer of a file before Arrow does.

    Raises
    ------
    ValueError
        If it does not match its checksum, contradicts itself or the size of the file, or says
        more than any recording has.
    OSError
        If the file cannot be read; FileNotFoundError if there is none.
    """
    return read_footer(path)[0]


def read_footer(path: Path) -> tuple[Footer, Struct]:
    """Return what `check_footer` does, and all that the footer says."""
    with path.open("rb", buffering=0) as file:
        content, size = _content(file.fileno())
    sums = _checked(content)
    tree = structure(content, size)
    return _footer(tree, size, sums), tree


def _checked(content: bytes) -> bytes | None:
    """Return the checksums of the column chunks; None in the footer of another writer."""
    try:
        first, end = _value(content, _CRC)
    except ValueError:
        # Who writes one of the two writes both.
        if _head(_SUMS) in content:
            raise ValueError("its footer does not match its checksum") from None
        return None
    if b"%08x" % _footer_crc(content, first, end) != content[first:end]:
        raise ValueError("its footer does not match its checksum")
    first, end = _value(content, _SUMS)
    return base64.b64decode(content[first:end], validate=True)


def _content(fd: int) -> tuple[bytes, int]:
    """Return the footer of a file, and the size of the file."""
    size = os.fstat(fd).st_size
    if os.pread(fd, len(MAGIC), 0) != MAGIC:
        raise ValueError("it is not a Parquet file, or was cut off")
    length = footer_length(os.pread(fd, TAIL, max(size - TAIL, 0)), size)
    content = os.pread(fd, length, size - TAIL - length)
    if len(content) != length:
        raise ValueError("it was cut off while it was read")
    return content, size


def _footer(tree: Struct, size: int, sums: bytes | None) -> Footer:
    leaves = leaves_of(tree)
    groups = [chunks_of(group) for group in groups_of(tree)]
    places = np.array([extent(c) for chunks in groups for c in chunks], np.int64)
    shape = (len(groups), len(leaves))
    if sums is not None and len(sums) != 4 * shape[0] * shape[1]:
        raise ValueError("its footer has other checksums than columns")
    return Footer(
        size,
        tuple(b".".join(leaf.path).decode("utf-8", "replace") for leaf in leaves),
        places.reshape(*shape, 2)[..., 0],
        places.reshape(*shape, 2)[..., 1],
        None if sums is None else np.frombuffer(sums, "<u4").reshape(shape),
    )


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


def _footer_crc(content: bytes, first: int, end: int) -> int:
    """CRC-32 of a footer whose own digits, from `first` to `end`, count as zeros."""
    view = memoryview(content)
    return zlib.crc32(view[end:], zlib.crc32(_BLANK, zlib.crc32(view[:first])))


def _sum(fd: int, start: int, end: int) -> int:
    """CRC-32 of the bytes of a file from `start` to `end`."""
    crc = 0
    while start < end:
        piece = os.pread(fd, min(_PIECE, end - start), start)
        if not piece:
            break  # cut off meanwhile; the sum of less is another
        crc = zlib.crc32(piece, crc)
        start += len(piece)
    return crc

"""How much the messages of an Arrow IPC stream unpack to, found without unpacking them.

Arrow reserves what a compressed buffer claims to unpack to before it looks at the buffer. A
stream that somebody made to do harm, or that was damaged, is therefore measured first. Layout:
https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
"""

from __future__ import annotations

import struct
from typing import Final

__all__ = ["sound_bytes"]

_CONTINUES: Final = 0xFFFFFFFF
_SCHEMA: Final = 1
_BATCH: Final = 3
_MOST_BUFFERS: Final = 64


def sound_bytes(content: bytes, most_batch: int, most_all: int) -> tuple[int, str]:
    """Return how many bytes of a stream may be read, and what is wrong with the next one.

    Parameters
    ----------
    content : bytes
    most_batch, most_all : int
        Bytes one message, and all of them, may unpack to.
    """
    place, total = 0, 0
    while place < len(content):
        try:
            end, unpacked = _message(content, place)
        except (struct.error, IndexError, ValueError):
            return place, "it breaks off"
        total += unpacked
        if unpacked > most_batch or total > most_all:
            return place, "it unpacks to more than any journal holds"
        place = end
    return place, ""


def _message(content: bytes, place: int) -> tuple[int, int]:
    """Return where a message ends and the bytes it unpacks to."""
    marker, length = struct.unpack_from("<Ii", content, place)
    begin = place + 8
    if marker != _CONTINUES or not 8 <= length <= len(content) - begin:  # noqa: PLR2004
        raise ValueError("not the beginning of a message")
    about = _Table.root(content[begin : begin + length])
    kind, body_bytes = about.number(1, "<B"), about.number(3, "<q")
    body = begin + length
    if kind not in {_SCHEMA, _BATCH} or not 0 <= body_bytes <= len(content) - body:
        raise ValueError("not a whole message")
    if kind == _SCHEMA:
        return body + body_bytes, 0
    batch = about.table(2)
    packed, unpacked = batch.has(3), 0
    for first, nbytes in batch.pairs(2):
        if not (first >= 0 and nbytes >= 0 and first + nbytes <= body_bytes):
            raise ValueError("a buffer lies outside its message")
        claimed = -1
        if packed and nbytes:
            (claimed,) = struct.unpack_from("<q", content, body + first)
        if claimed < -1:
            raise ValueError("a buffer claims less than nothing")
        unpacked += nbytes if claimed < 0 else claimed
    return body + body_bytes, unpacked


class _Table:
    """A FlatBuffers table: https://flatbuffers.dev/internals."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self._place = place
        (back,) = struct.unpack_from("<i", content, place)
        self._fields = place - back
        if not 0 <= self._fields < len(content):
            raise ValueError("a table without fields")
        (self._bytes,) = struct.unpack_from("<H", content, self._fields)

    @classmethod
    def root(cls, content: bytes) -> _Table:
        return cls(content, struct.unpack_from("<I", content)[0])

    def has(self, field: int) -> bool:
        return self._offset(field) != 0

    def number(self, field: int, form: str) -> int:
        offset = self._offset(field)
        return (
            int(struct.unpack_from(form, self._content, self._place + offset)[0]) if offset else 0
        )

    def table(self, field: int) -> _Table:
        return _Table(self._content, self._follow(field))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Return a vector of structs of two int64."""
        if not self.has(field):
            return []
        place = self._follow(field)
        (count,) = struct.unpack_from("<I", self._content, place)
        if count > _MOST_BUFFERS:
            raise ValueError("more buffers than any batch has")
        numbers = struct.unpack_from(f"<{2 * count}q", self._content, place + 4)
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _follow(self, field: int) -> int:
        offset = self._offset(field)
        if not offset:
            raise ValueError("a message lacks a field")
        place = self._place + offset
        return place + int(struct.unpack_from("<I", self._content, place)[0])

    def _offset(self, field: int) -> int:
        slot = 4 + 2 * field
        if slot + 2 > self._bytes:
            return 0
        return int(struct.unpack_from("<H", self._content, self._fields + slot)[0])

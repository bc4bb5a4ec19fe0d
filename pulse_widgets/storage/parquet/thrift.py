"""Reads and writes the compact protocol of Apache Thrift, in which Parquet describes itself.

A structure is a dictionary of values by the `key` of their field: its number and its type.
As in every reader of Thrift, a field of another type than is asked for is not there. What is
no structure is a `ValueError`, never another error: nothing deep, long or endless is followed.
"""

from __future__ import annotations

import struct
from typing import Any, Final

__all__ = ["BINARY", "BOOL", "I32", "I64", "LIST", "STRUCT", "Struct", "decode", "encode", "key"]

BOOL: Final = 1
_FALSE: Final = 2
_BYTE: Final = 3
I16: Final = 4
I32: Final = 5
I64: Final = 6
_DOUBLE: Final = 7
BINARY: Final = 8
LIST: Final = 9
STRUCT: Final = 12

_BITS: Final = {I16: 16, I32: 32, I64: 64}
_LONG: Final = 15
"""In the head of a list: its length does not fit here and follows."""

_LAST: Final = (1 << 15) - 1
_DEEPEST: Final = 12
_MOST_VALUES: Final = 2_000_000
"""Four times what a footer of 2000 row groups has; so many take 250 MB and a second."""

Struct = dict[int, Any]
"""Values by the key of their field: int, bool, float, bytes, list or again a structure."""


def key(number: int, kind: int) -> int:
    """Return what a field of a number and a type is called in a `Struct`."""
    return number << 4 | kind


def decode(content: bytes | memoryview, *, most: int = _MOST_VALUES) -> tuple[Struct, int]:
    """Return the structure that `content` begins with, and its length in bytes.

    Parameters
    ----------
    content : bytes
    most : int
        How many values it may have in all.

    Returns
    -------
    Struct
    int

    Raises
    ------
    ValueError
        If it is no structure, breaks off, or is larger or deeper than any of Parquet's.
    """
    reader = _Reader(content, most)
    try:
        return reader.structure(0), reader.place
    except IndexError:
        raise ValueError("a structure breaks off") from None


class _Reader:
    """Reads on from `place`; past the end it raises IndexError."""

    def __init__(self, content: bytes | memoryview, most: int) -> None:
        self.place = 0
        self._content = content
        self._left = most

    def structure(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            raise ValueError("it is deeper than any structure of Parquet")
        fields: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            if not step:
                step = self._integer(16) - number
            number += step
            if step <= 0 or number > _LAST:  # writers keep to the order; so none comes twice
                raise ValueError("the fields of a structure are not in order")
            if kind > _FALSE:
                fields[number << 4 | kind] = self._value(kind, depth)
            else:
                fields[number << 4 | BOOL] = kind == BOOL
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("it has more values than any structure of Parquet")
        if kind in _BITS:
            return self._integer(_BITS[kind])
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.structure(depth + 1)
        if kind == LIST:
            return self._list(depth)
        if kind == _DOUBLE:
            return float(struct.unpack("<d", self._bytes(8))[0])
        if kind in (BOOL, _FALSE, _BYTE):  # a truth in a list has a byte of its own
            number = int.from_bytes(self._bytes(1), "little", signed=True)
            return number if kind == _BYTE else number == BOOL
        raise ValueError(f"no value of Parquet has the type {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        length, kind = head >> 4, head & 15
        if length == _LONG:
            length = self._varint()
        # Every element takes a byte or more. A list of lists would have no bound in depth.
        if length > len(self._content) - self.place or kind == LIST:
            raise ValueError("a list is longer than what is left, or one of lists")
        return [self._value(kind, depth) for _ in range(length)]

    def _bytes(self, length: int) -> bytes:
        first, self.place = self.place, self.place + length
        if self.place > len(self._content):
            raise IndexError
        return bytes(self._content[first : self.place])

    def _byte(self) -> int:
        self.place += 1
        return self._content[self.place - 1]

    def _varint(self) -> int:
        number = self._content[self.place]
        self.place += 1
        if number < 128:  # noqa: PLR2004  a highest bit of 1 says that more follow
            return number
        number &= 127
        for shift in range(7, 70, 7):
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:  # noqa: PLR2004
                return number
        raise ValueError("a number has more than ten bytes")

    def _integer(self, bits: int) -> int:
        packed = self._varint()
        if packed >> bits:
            raise ValueError(f"a number has more than {bits} bits")
        return (packed >> 1) ^ -(packed & 1)


def encode(fields: Struct) -> bytes:
    """Return a structure whose fields are in order of their numbers; `decode` reads it.

    Lists are of structures, of bytes or of I32; other values are whole numbers or bytes.
    """
    made = bytearray()
    last = 0
    for named, value in fields.items():
        number, kind = named >> 4, named & 15
        if not 0 < number - last <= _LONG:
            raise ValueError("the fields are not in order")
        made.append((number - last) << 4 | kind)
        made += _encoded(kind, value)
        last = number
    made.append(0)
    return bytes(made)


def _encoded(kind: int, value: Any) -> bytes:
    if kind in (I32, I64):
        return _varint((value << 1) ^ (value >> 63))
    if kind == BINARY:
        return _varint(len(value)) + bytes(value)
    if kind == STRUCT:
        return encode(value)
    if kind != LIST:
        raise ValueError(f"a value of type {kind} is not written")
    of = {dict: STRUCT, bytes: BINARY, int: I32}[type(value[0])] if value else STRUCT
    short = min(len(value), _LONG)
    head = bytes([short << 4 | of]) + (_varint(len(value)) if short == _LONG else b"")
    return head + b"".join(_encoded(of, each) for each in value)


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:  # noqa: PLR2004  seven bits a byte
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)

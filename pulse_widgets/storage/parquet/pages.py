"""The pages of a column chunk: their headers, and where they begin.

Only pages as this program writes them are known: data pages of version 1 and dictionaries,
both with a checksum. What is not such a page is None, and its rows are not read.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pulse_widgets.storage.parquet.thrift import BOOL, I32, I64, LIST, STRUCT, decode, encode, key

if TYPE_CHECKING:
    from pulse_widgets.storage.parquet.thrift import Struct

__all__ = ["RLE_DICTIONARY", "Page", "page_at", "page_bytes", "places", "walk"]

_TYPE: Final = key(1, I32)
_UNPACKED: Final = key(2, I32)
_PACKED: Final = key(3, I32)
_CRC: Final = key(4, I32)
_BODY: Final = {0: key(5, STRUCT), 2: key(7, STRUCT)}
"""By the type of a page: what is said of a data page, and of a dictionary."""

_VALUES: Final = key(1, I32)
_ENCODING: Final = key(2, I32)
_LEVELS: Final = (key(3, I32), key(4, I32))
_SORTED: Final = key(3, BOOL)
_STATISTICS: Final = key(5, STRUCT)

_LOCATIONS: Final = key(1, LIST)
_PLACE: Final = key(1, I64)
_SIZE: Final = key(2, I32)
_FIRST_ROW: Final = key(3, I64)

_PLAIN: Final = 0
_RLE: Final = 3
RLE_DICTIONARY: Final = 8

_LONGEST: Final = 1 << 16
"""Bytes of a header; one with the bounds of long texts has some thousands."""

_MOST_VALUES: Final = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A page whose header can be read.

    Attributes
    ----------
    words : bool
        Whether it is a dictionary.
    values : int
        Rows of a data page, words of a dictionary.
    encoding : int
    unpacked : int
        Bytes of the content once it is unpacked.
    content : memoryview
    end : int
        Where in the chunk the next page begins.
    whole : bool
        Whether the content matches its checksum.
    """

    words: bool
    values: int
    encoding: int
    unpacked: int
    content: memoryview
    end: int
    whole: bool


def page_at(chunk: memoryview, place: int) -> Page | None:
    """Return the page that begins at a place of a column chunk."""
    try:
        header, length = decode(chunk[place : place + _LONGEST], most=_MOST_VALUES)
    except ValueError:
        return None
    kind = header.get(_TYPE, -1)
    body = header.get(_BODY.get(kind, -1))
    if body is None or header.keys() != {_TYPE, _UNPACKED, _PACKED, _CRC, _BODY[kind]}:
        return None
    first, end = place + length, place + length + header[_PACKED]
    if not (_is_plausible(body, words=kind > 0) and header[_UNPACKED] >= 0 and first <= end):
        return None
    if end > len(chunk):
        return None
    content = chunk[first:end]
    whole = zlib.crc32(content) == header[_CRC] & 0xFFFFFFFF
    return Page(kind > 0, body[_VALUES], body[_ENCODING], header[_UNPACKED], content, end, whole)


def _is_plausible(body: Struct, *, words: bool) -> bool:
    if words:
        fields, rest = {_VALUES, _ENCODING}, {_SORTED}
        right = body.get(_ENCODING) == _PLAIN
    else:
        fields, rest = {_VALUES, _ENCODING, *_LEVELS}, {_STATISTICS}
        right = all(body.get(level) == _RLE for level in _LEVELS)
    return right and fields <= body.keys() <= fields | rest and body[_VALUES] > 0


def page_bytes(page: Page) -> bytes:
    """Return a page with a header that says no more than is known of it."""
    body: Struct = {_VALUES: page.values, _ENCODING: page.encoding}
    if not page.words:
        body |= dict.fromkeys(_LEVELS, _RLE)
    kind = 2 if page.words else 0
    sizes = {_UNPACKED: page.unpacked, _PACKED: len(page.content)}
    return encode({_TYPE: kind, **sizes, _BODY[kind]: body}) + page.content


def walk(chunk: memoryview, place: int) -> tuple[list[Page], bool]:
    """Return the pages from a place on, and whether they lead to the end of the chunk."""
    pages: list[Page] = []
    while place < len(chunk):
        page = page_at(chunk, place)
        if page is None or page.words:
            return pages, False
        pages.append(page)
        place = page.end
    return pages, True


def places(index: bytes, start: int, end: int, rows: int) -> list[tuple[int, int]]:
    """Return the place and the first row of each data page, as the offset index has them.

    Parameters
    ----------
    index : bytes
    start, end : int
        Where in the file the data pages begin and end.
    rows : int
        Of the chunk.

    Returns
    -------
    list of (int, int)
        Places count from `start`. Empty when the index contradicts the chunk or itself.
    """
    try:
        found = decode(index)[0][_LOCATIONS]
        lines = [(each[_PLACE], each[_SIZE], each[_FIRST_ROW]) for each in found]
    except (ValueError, KeyError, TypeError):
        return []
    # Pages lie one behind the other, so each line of the index is checked by the next.
    marks = [(place - start, row) for place, _, row in lines] + [(end - start, rows)]
    sizes = [size for _, size, _ in lines]
    steps = list(pairwise(marks))
    fits = marks[0] == (0, 0) and all(a[1] < b[1] for a, b in steps)
    return marks[:-1] if fits and [b[0] - a[0] for a, b in steps] == sizes else []

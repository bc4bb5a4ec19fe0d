"""Reads a damaged row group around its damage, page by page.

Arrow gives up a whole column chunk for one damaged page. Here each page whose header and
checksum are right is put into a small Parquet file of its own, in memory, and Arrow reads
that; the rows of the others are lost. What a header says is checked against the footer, which
has a checksum: how pages are encoded, how many there are, and how many rows they have.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.storage.arrow.convert import KEYS, TIDY, columns_of
from pulse_widgets.storage.parquet import fields
from pulse_widgets.storage.parquet.footer import MAGIC, extent, groups_of, leaves_of, structs
from pulse_widgets.storage.parquet.pages import (
    RLE_DICTIONARY,
    Page,
    page_at,
    page_bytes,
    places,
    walk,
)
from pulse_widgets.storage.parquet.seal import check_footer
from pulse_widgets.storage.parquet.thrift import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns
    from pulse_widgets.storage.parquet.thrift import Struct
    from pulse_widgets.storage.place import File

__all__ = ["salvage", "salvaged"]

_GROUP_OF: Final = 8
"""Levels and dictionary indices are packed in groups of so many."""

_OPTIONAL: Final = 1

_Piece = tuple[int, int, Any]
"""First row, row after the last, and Arrow array of what was read."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A column chunk, and what the footer says of it.

    Attributes
    ----------
    kind : Arrow type
        Of the column; of its words where it is a dictionary.
    repetition : int
        0 where every row has a value, 1 where it may be NULL.
    about : Struct
        What the row group says of the chunk.
    content : memoryview
    pages : int
        Where in the content the data pages begin.
    rows : int
    encodings : list of int
        Of each data page; empty when the footer does not tell.
    index : bytes
        The offset index; empty when there is none.
    """

    kind: Any
    repetition: int
    about: Struct
    content: memoryview
    pages: int
    rows: int
    encodings: list[int]
    index: bytes


def salvage(
    file: File, group: int, names: Sequence[str]
) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Return what can be read of some columns of a damaged row group.

    Parameters
    ----------
    file : File
    group : int
    names : sequence of str
        Columns of `TIDY`.

    Returns
    -------
    dict of str to pyarrow array
        Every row of the group; NULL, 0 or empty where it is lost.
    (rows,) bool
        True where a row is lost: one of its columns is damaged there.

    Raises
    ------
    ValueError
        If the footer is damaged.
    OSError
        If the file cannot be read.
    """
    footer = check_footer(file)
    tree = footer.tree
    sums = footer.sums(*footer.extents.shape[:2])
    about = groups_of(tree)[group]
    lost = np.zeros(about[fields.GROUP_ROWS], np.bool_)
    arrays = {}
    for name in names:
        column = footer.names.index(name)
        chunk = _chunk(file, tree, group, column)
        # A chunk of another writer has no checksum; Arrow has to judge it.
        sound = sums is None or zlib.crc32(chunk.content) == sums[group, column]
        pieces = (_whole(chunk) if sound else []) or _by_page(chunk)
        lost |= _missing(pieces, len(lost))
        array = _filled(pieces, chunk)
        arrays[name] = array.dictionary_encode() if name in KEYS else array
    return arrays, lost


def salvaged(file: File, group: int, names: Sequence[str]) -> tuple[Columns, NDArray[np.bool_]]:
    """Return what `salvage` does, as columns: ``time``, ``step``, ``value`` and others."""
    arrays, lost = salvage(file, group, names)
    return columns_of(pa.table(arrays)), lost


def _chunk(file: File, tree: Struct, group: int, column: int) -> _Chunk:
    about = groups_of(tree)[group]
    outer = about[fields.COLUMNS][column]
    inner = outer[fields.CHUNK]
    start, end = extent(inner)
    place, length = outer.get(fields.INDEX_OFFSET, 0), outer.get(fields.INDEX_LENGTH, 0)
    leaf = leaves_of(tree)[column]
    kind = TIDY.field(leaf.path[0].decode()).type
    return _Chunk(
        kind.value_type if pa.types.is_dictionary(kind) else kind,
        leaf.defined,
        inner,
        memoryview(_bytes(file, start, end - start)),
        inner[fields.PAGES] - start,
        about[fields.GROUP_ROWS],
        _encodings(inner),
        _bytes(file, place, length),
    )


def _bytes(file: File, place: int, length: int) -> bytes:
    return file.read_at(place, length) if length > 0 else b""


def _encodings(chunk: Struct) -> list[int]:
    """Return how each data page is encoded; the writer begins with a dictionary, if at all."""
    found = [
        (each.get(fields.PAGE_ENCODING, -1), each.get(fields.PAGE_COUNT, 0))
        for each in structs(chunk, fields.PAGE_COUNTS)
        if each.get(fields.PAGE_TYPE) == 0
    ]
    counts = [count for _, count in found]
    if min(counts, default=0) < 0 or sum(counts) > chunk[fields.PACKED]:
        return []  # a page takes a byte or more
    found.sort(key=lambda each: each[0] != RLE_DICTIONARY)
    return [encoding for encoding, count in found for _ in range(count)]


def _whole(chunk: _Chunk) -> list[_Piece]:
    """Return the chunk in one piece, which is read as it is."""
    array = _read(chunk, chunk.content, chunk.pages, chunk.rows)
    return [] if array is None else [(0, chunk.rows, array)]


def _by_page(chunk: _Chunk) -> list[_Piece]:
    """Return the pages that can be read."""
    words = page_at(chunk.content, 0) if chunk.pages else None
    if words is None or not (words.words and words.end == chunk.pages and _is_sound(words, chunk)):
        words = None
    pieces = _by_index(chunk, words)
    return _by_chain(chunk, words) if pieces is None else pieces


def _is_sound(page: Page, chunk: _Chunk) -> bool:
    # Arrow allocates the size that the header claims, so that size is checked first.
    return page.whole and page.unpacked <= chunk.about[fields.UNPACKED]


def _by_index(chunk: _Chunk, words: Page | None) -> list[_Piece] | None:
    """Return the pages that the offset index leads to; None when there is none."""
    end = len(chunk.content) - chunk.pages
    start = chunk.about[fields.PAGES]
    found = places(chunk.index, start, start + end, chunk.rows)
    if not found or len(found) != len(chunk.encodings):
        return None
    pieces = []
    steps = pairwise([*found, (end, chunk.rows)])
    for ((place, first), (after, last)), encoding in zip(steps, chunk.encodings, strict=True):
        page = page_at(chunk.content, chunk.pages + place)
        if page is not None and (page.end, page.values) == (chunk.pages + after, last - first):
            array = _decoded(chunk, words, page, encoding)
            if array is not None:
                pieces.append((first, last, array))
    return pieces


def _by_chain(chunk: _Chunk, words: Page | None) -> list[_Piece]:
    """Return the pages that are found one behind the other, as far as their rows are known."""
    pages, complete = walk(chunk.content, chunk.pages)
    complete = complete and len(pages) == len(chunk.encodings)
    arrays = [
        _decoded(chunk, words, page, encoding)
        for page, encoding in zip(pages, chunk.encodings, strict=False)
    ]
    bounds: list[int | None] = [*accumulate((page.values for page in pages), initial=0)]
    if not complete or bounds[-1] != chunk.rows:
        # The number of rows in a header has no checksum, so it has to be proven.
        sure = [
            array is not None and _is_all(chunk, words, page)
            for page, array in zip(pages, arrays, strict=False)
        ]
        bounds = _bounds(pages, sure, chunk.rows if complete else None)
    return [
        (first, end, array)
        for (first, end), page, array in zip(pairwise(bounds), pages, arrays, strict=False)
        if array is not None and first is not None and end == first + page.values
    ]


def _is_all(chunk: _Chunk, words: Page | None, page: Page) -> bool:
    """Return whether a page that can be read has no more rows than its header says.

    Every page but the last has a whole number of groups. With one group more it cannot be
    read, unless it has that.
    """
    more = replace(page, values=page.values + _GROUP_OF)
    return not page.values % _GROUP_OF and _decoded(chunk, words, more, page.encoding) is None


def _bounds(pages: Sequence[Page], sure: Sequence[bool], rows: int | None) -> list[int | None]:
    """Return the first row of each page and the end of the last; None where it is not known.

    Rows are counted from the start and, where all `rows` were found, from the end, up to the
    first page whose number of rows is not sure.
    """
    counts = [page.values if known else None for page, known in zip(pages, sure, strict=False)]
    ahead = _sums(0, counts)
    back = _sums(rows, [None if count is None else -count for count in reversed(counts)])
    return [
        a if b is None or a == b else b if a is None else None
        for a, b in zip(ahead, reversed(back), strict=True)
    ]


def _sums(start: int | None, counts: Sequence[int | None]) -> list[int | None]:
    """Return the running sum of counts, None from the first that is not known."""
    sums = [start]
    for count in counts:
        start = None if start is None or count is None else start + count
        sums.append(start)
    return sums


def _decoded(chunk: _Chunk, words: Page | None, page: Page, encoding: int) -> Any:
    """Return the rows of a page; None when it is damaged."""
    if page.words or page.encoding != encoding or not _is_sound(page, chunk):
        return None
    if encoding != RLE_DICTIONARY:
        return _read(chunk, page_bytes(page), 0, page.values)
    if words is None:
        return None
    lead = page_bytes(words)
    return _read(chunk, lead + page_bytes(page), len(lead), page.values)


def _read(chunk: _Chunk, content: bytes | memoryview, pages: int, rows: int) -> Any:
    """Return the rows that Arrow finds in pages; None when it finds other than `rows`.

    Parameters
    ----------
    chunk : _Chunk
    content : bytes
        Perhaps a dictionary, then data pages.
    pages : int
        Where the data pages begin.
    rows : int
    """
    try:
        file = pq.ParquetFile(
            pa.BufferReader(_small_file(chunk, content, pages, rows)),
            page_checksum_verification=True,
        )
        column = file.read(use_threads=False).column(0)
        column.validate(full=True)
        array = pa.concat_arrays(column.chunks).cast(chunk.kind)
    except (pa.ArrowException, OSError, ValueError):
        return None
    right = len(array) == rows and (chunk.repetition == _OPTIONAL or not array.null_count)
    return array if right else None


def _small_file(chunk: _Chunk, content: bytes | memoryview, pages: int, rows: int) -> bytes:
    """Return a Parquet file of one row group and one column."""
    element = {fields.KIND: chunk.about[fields.CHUNK_KIND], fields.REPETITION: chunk.repetition}
    about = {
        fields.CHUNK_KIND: chunk.about[fields.CHUNK_KIND],
        fields.ENCODINGS: chunk.about[fields.ENCODINGS],
        fields.PATH: [b"x"],
        fields.CODEC: chunk.about[fields.CODEC],
        fields.VALUES: rows,
        fields.UNPACKED: chunk.about[fields.UNPACKED],
        fields.PACKED: len(content),
        fields.PAGES: len(MAGIC) + pages,
    }
    if pages:
        about[fields.WORDS] = len(MAGIC)
    columns = [{fields.CHUNK_OFFSET: 0, fields.CHUNK: about}]
    footer = encode(
        {
            fields.VERSION: 2,
            fields.SCHEMA: [
                {fields.NAME: b"schema", fields.CHILDREN: 1},
                {**element, fields.NAME: b"x"},
            ],
            fields.ROWS: rows,
            fields.GROUPS: [
                {fields.COLUMNS: columns, fields.GROUP_BYTES: len(content), fields.GROUP_ROWS: rows}
            ],
        }
    )
    return b"".join((MAGIC, content, footer, len(footer).to_bytes(4, "little"), MAGIC))


def _missing(pieces: Sequence[_Piece], rows: int) -> NDArray[np.bool_]:
    missing = np.ones(rows, np.bool_)
    for first, end, _ in pieces:
        missing[first:end] = False
    return missing


def _filled(pieces: Sequence[_Piece], chunk: _Chunk) -> Any:
    """Return the pieces as one array, with NULL, 0 or empty texts between them."""
    arrays, place = [], 0
    for first, end, array in [*pieces, (chunk.rows, chunk.rows, None)]:
        if place < first:
            arrays.append(_blank(chunk, first - place))
        if array is not None:
            arrays.append(array)
        place = end
    return pa.concat_arrays(arrays or [_blank(chunk, 0)])


def _blank(chunk: _Chunk, rows: int) -> Any:
    nothing = pa.nulls(rows, chunk.kind)
    if chunk.repetition == _OPTIONAL:
        return nothing
    zero = "" if pa.types.is_string(chunk.kind) else b"" if pa.types.is_binary(chunk.kind) else 0
    return nothing.fill_null(pa.scalar(zero, chunk.kind))

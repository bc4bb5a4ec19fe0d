"""Looks at what the footer of a Parquet file says, before Arrow does.

Arrow ends the process on some footers that contradict themselves (a column chunk of another
type than its column, a statistic shorter than a value), and allocates what a footer says
without a doubt. A right checksum is no proof of good will, so every footer is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.storage.limits import MOST_FOOTER, MOST_GROUP_BYTES, MOST_GROUP_ROWS
from pulse_widgets.storage.parquet import fields
from pulse_widgets.storage.parquet.thrift import decode

if TYPE_CHECKING:
    from pulse_widgets.storage.parquet.thrift import Struct

__all__ = [
    "Leaf",
    "check_blob",
    "chunks_of",
    "extent",
    "footer_length",
    "groups_of",
    "leaves_of",
    "structs",
    "structure",
]

MAGIC: Final = b"PAR1"
TAIL: Final = 8
"""Bytes behind the footer: its length and `MAGIC`."""

BYTE_ARRAY: Final = 6
_FIXED: Final = 7
_WIDTHS: Final = {0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8}
"""Bytes of a value by its physical type: boolean, int32, int64, int96, float, double."""

_CODECS: Final = {0, 1, 2, 4, 5, 6, 7}
_REPEATED: Final = 2
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column as the schema of a file has it.

    Attributes
    ----------
    path : tuple of bytes
        Its name, below the names of the groups that it is in.
    kind, width : int
        Physical type, and bytes of a value of it; 0 where that varies.
    defined, repeated : int
        Greatest definition and repetition level.
    """

    path: tuple[bytes, ...]
    kind: int
    width: int
    defined: int
    repeated: int


def footer_length(tail: bytes, size: int) -> int:
    """Return the length of the footer, given the last 8 bytes of a file of `size` bytes.

    Raises
    ------
    ValueError
        If it is no Parquet file, or the footer has no place in it.
    """
    if len(tail) != TAIL or tail[4:] != MAGIC:
        raise ValueError("it is not a Parquet file, or was cut off")
    length = int.from_bytes(tail[:4], "little")
    if length > min(MOST_FOOTER, size - len(MAGIC) - TAIL):
        raise ValueError("its footer is larger than any footer")
    return length


def check_blob(content: bytes) -> None:
    """Look at a Parquet file in memory as `structure` does.

    Raises
    ------
    ValueError
        If Arrow must not see it.
    """
    length = footer_length(content[-TAIL:], len(content))
    if content[: len(MAGIC)] != MAGIC:
        raise ValueError("it is not a Parquet file, or was cut off")
    structure(content[len(content) - TAIL - length : -TAIL], len(content))


def structure(content: bytes, size: int) -> Struct:
    """Return what a footer says, which fits the file and itself.

    Parameters
    ----------
    content : bytes
        The footer, without its length and magic number.
    size : int
        Of the file.

    Raises
    ------
    ValueError
        If it does not, or says more than any recording has.
    """
    tree, length = decode(content)
    if length != len(content):
        raise ValueError("its footer is longer than what it says")
    if tree.keys() & fields.ENCRYPTED:
        raise ValueError("it is encrypted")
    leaves, rows, extents = leaves_of(tree), 0, list[tuple[int, int]]()
    for group in groups_of(tree):
        count = _number(group, fields.GROUP_ROWS, MOST_GROUP_ROWS)
        _number(group, fields.GROUP_BYTES, MOST_GROUP_BYTES)
        rows += count
        extents += _check_group(group, leaves, count)
    if _number(tree, fields.ROWS) != rows:
        raise ValueError("its footer counts other rows than its row groups")
    _check_extents(extents, size - TAIL - len(content))
    return tree


def groups_of(tree: Struct) -> list[Struct]:
    """Return the row groups of a footer."""
    return structs(tree, fields.GROUPS)


def leaves_of(tree: Struct) -> list[Leaf]:
    """Return the columns of a footer's schema."""
    root, *elements = structs(tree, fields.SCHEMA) or [{}]
    # Of each group that is not complete: elements still to come, path and levels.
    above: list[tuple[int, tuple[bytes, ...], int, int]] = [
        (_number(root, fields.CHILDREN), (), 0, 0)
    ]
    leaves = []
    for element in elements:
        while above and not above[-1][0]:
            above.pop()
        if not above or len(above) > _DEEPEST:
            raise ValueError("its schema is not a tree, or deeper than any")
        left, path, defined, repeated = above[-1]
        above[-1] = (left - 1, path, defined, repeated)
        path = (*path, _bytes(element, fields.NAME))
        repetition = _number(element, fields.REPETITION, _REPEATED)
        defined, repeated = defined + (repetition > 0), repeated + (repetition == _REPEATED)
        children = _number(element, fields.CHILDREN) if fields.CHILDREN in element else 0
        if children:
            above.append((children, path, defined, repeated))
        else:
            leaves.append(Leaf(path, *_kind(element), defined, repeated))
    if any(left for left, *_ in above):
        raise ValueError("its schema is not complete")
    return leaves


def _kind(element: Struct) -> tuple[int, int]:
    kind = _number(element, fields.KIND, _FIXED)
    width = _number(element, fields.WIDTH, 1 << 20) if kind == _FIXED else _WIDTHS.get(kind, 0)
    return kind, width


def chunks_of(group: Struct) -> list[Struct]:
    """Return the metadata of the column chunks of a row group, one a leaf."""
    chunks = structs(group, fields.COLUMNS)
    if any(chunk.keys() & fields.ELSEWHERE or fields.CHUNK not in chunk for chunk in chunks):
        raise ValueError("a column lies in another file, or is encrypted")
    return [chunk[fields.CHUNK] for chunk in chunks]


def extent(chunk: Struct) -> tuple[int, int]:
    """Return where a column chunk begins, and where it ends."""
    first = _number(chunk, fields.PAGES)
    words = _number(chunk, fields.WORDS) if fields.WORDS in chunk else 0
    first = words if 0 < words < first else first
    return first, first + _number(chunk, fields.PACKED)


def _check_group(group: Struct, leaves: list[Leaf], rows: int) -> list[tuple[int, int]]:
    chunks = chunks_of(group)
    if len(chunks) != len(leaves):
        raise ValueError("a row group has other columns than the schema")
    unpacked = 0
    for chunk, leaf in zip(chunks, leaves, strict=True):
        if (
            _number(chunk, fields.CHUNK_KIND) != leaf.kind
            or tuple(_list(chunk, fields.PATH)) != leaf.path
        ):
            raise ValueError("a column chunk is of another column than the schema says")
        if _number(chunk, fields.CODEC) not in _CODECS:
            raise ValueError("a column is packed in a way that is not known")
        if not leaf.repeated and _number(chunk, fields.VALUES) != rows:
            raise ValueError("a column has other rows than its row group")
        unpacked += _number(chunk, fields.UNPACKED)
        _check_statistics(chunk, leaf)
    if unpacked > MOST_GROUP_BYTES:
        raise ValueError("it has a row group larger than any row group")
    # One without rows is not read; Arrow has it begin at 0.
    return [extent(chunk) for chunk in chunks if chunk[fields.VALUES]]


def _check_statistics(chunk: Struct, leaf: Leaf) -> None:
    bounds: Struct = chunk.get(fields.STATISTICS, {})
    sizes: Struct = chunk.get(fields.SIZES, {})
    for field in fields.BOUNDS & bounds.keys():
        if leaf.width and len(bounds[field]) != leaf.width:
            raise ValueError("a statistic of a column is no value of it")
    if fields.TEXT_BYTES in sizes and leaf.kind != BYTE_ARRAY:
        raise ValueError("a column of numbers has the statistics of one of texts")
    for field, most in zip(fields.HISTOGRAMS, (leaf.repeated, leaf.defined), strict=True):
        if len(_list(sizes, field)) not in (0, most + 1):
            raise ValueError("a histogram of a column has other levels than the column")


def _check_extents(extents: list[tuple[int, int]], end: int) -> None:
    """Column chunks share no byte, so that no file unpacks to more than its length allows."""
    last = len(MAGIC)
    for first, after in sorted(e for e in extents if e[0] < e[1]):
        if first < last:
            raise ValueError("two columns lie at one place")
        last = after
    if last > end:
        raise ValueError("a column lies outside the file, or in its footer")


def _number(of: Struct, field: int, most: int = 1 << 62) -> int:
    number: int = of.get(field, -1)
    if not 0 <= number <= most:
        raise ValueError("its footer lacks a number, or has one that cannot be")
    return number


def _bytes(of: Struct, field: int) -> bytes:
    if field not in of:
        raise ValueError("its footer lacks a text")
    content: bytes = of[field]
    return content


def _list(of: Struct, field: int) -> list[Any]:
    found: list[Any] = of.get(field, [])
    return found


def structs(of: Struct, field: int) -> list[Struct]:
    """Return the structures in a field that is a list; none where it is not there."""
    found = _list(of, field)
    if not all(isinstance(each, dict) for each in found):
        raise ValueError("its footer has a list that cannot be")
    return found

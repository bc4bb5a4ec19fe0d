"""Makes the codes of a keyframe small: what is left of them compresses well.

A cell is one bucket of one series. First comes one byte a cell: 0 and 3 for values, 3 where their
mean is not known, 4 for the values of the cell with values before it once more, 1 for a missing
reading, 2 for a bucket without a sample. Of the cells with 0 and 3 follow three columns: the
minimum less that of the value before it (in zigzag: 0, -1, 1, -2 are 0, 1, 2, 3), the maximum less
the minimum, the mean less the minimum; first the low byte of each value, then the high bytes.
Numbers wrap around at 2**16. Codes of a series with a grain are divided by it first.
`js/core/wire/packing.ts` does the same.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "CODE_MISSING",
    "CODE_NONE",
    "CODE_TOP",
    "MOST_INFLATED",
    "deflated",
    "inflated",
    "packed",
    "unpacked",
]

CODE_TOP: Final = 65533
CODE_MISSING: Final = 65534
CODE_NONE: Final = 65535
MOST_INFLATED: Final = 1 << 26
"""Bytes that a deflated packet may hold, header and body together; the page asks for no more."""

_UNKNOWN_MEAN: Final = 3
_SAME: Final = 4
_BYTES_A_VALUE: Final = 6
_QUICK: Final = 1
_SMALL: Final = 6
"""Takes two to three times as long as 1, and saves up to a tenth."""


def packed(codes: Sequence[NDArray[np.uint16]], grain: NDArray[np.int64] | None = None) -> bytes:
    """Return the bytes of the codes of all cells.

    Parameters
    ----------
    codes : sequence of (S, N) uint16
        Minimum, maximum and mean.
    grain : (S,) int64, optional
        What the codes of each series are multiples of.
    """
    if grain is not None:
        by = grain.astype(np.uint16)[:, None]
        codes = [np.where(each > CODE_TOP, each, each // by) for each in codes]
    low, high, mean = (each.ravel() for each in codes)
    there = low <= CODE_TOP
    state = np.where(there, np.uint16(0), low - np.uint16(CODE_TOP)).astype(np.uint8)
    values = [each[there] for each in (low, high, mean)]
    same = np.zeros(len(values[0]), np.bool_)
    if len(same):
        same[1:] = np.logical_and.reduce([each[1:] == each[:-1] for each in values])
    low, high, mean = (each[~same] for each in values)
    unknown = mean > CODE_TOP
    kept = np.where(unknown, _UNKNOWN_MEAN, 0).astype(np.uint8)
    states = np.full(len(same), _SAME, np.uint8)
    states[~same] = kept
    state[there] = states
    rise = np.diff(low, prepend=np.uint16(0)).view(np.int16)
    zigzag = ((rise << 1) ^ (rise >> 15)).view(np.uint16)
    columns = (zigzag, high - low, np.where(unknown, low, mean) - low)
    parts = [state.tobytes()]
    for column in columns:
        halves = column.astype("<u2").view(np.uint8).reshape(-1, 2)
        parts += [halves[:, 0].tobytes(), halves[:, 1].tobytes()]
    return b"".join(parts)


def unpacked(content: bytes, cells: int) -> list[NDArray[np.uint16]]:
    """Return minimum, maximum and mean of all cells; the other way round than `packed`.

    Raises
    ------
    WireError
        When the bytes are not those of so many cells.
    """
    state = np.frombuffer(content[:cells], np.uint8)
    fresh = (state == 0) | (state == _UNKNOWN_MEAN)
    values, newest = int(fresh.sum()), np.cumsum(fresh) - 1
    there = fresh | (state == _SAME)
    size = cells + _BYTES_A_VALUE * values
    if len(content) != size or (newest[there] < 0).any() or (state > _SAME).any():
        raise WireError("The codes of a keyframe are damaged", remedy="Send it again.")
    halves = np.frombuffer(content, np.uint8, offset=cells).reshape(3, 2, values)
    differences = halves[:, 0] + halves[:, 1].astype(np.uint16) * np.uint16(256)
    rise = (differences[0] >> 1) ^ -(differences[0] & 1).view(np.int16).view(np.uint16)
    low = np.cumsum(rise, dtype=np.uint16)
    mean = np.where(state[fresh] == 0, low + differences[2], np.uint16(CODE_NONE))
    codes = []
    for column in (low, low + differences[1], mean):
        whole = state.astype(np.uint16) + np.uint16(CODE_TOP)
        whole[there] = column[newest[there]]
        codes.append(whole)
    return codes


def deflated(content: bytes, *, small: bool = False) -> bytes:
    """Return content in the zlib format, as small as it can be or soon."""
    return zlib.compress(content, _SMALL if small else _QUICK)


def inflated(content: bytes, size: int) -> bytes:
    """Return the `size` bytes that were deflated.

    Raises
    ------
    WireError
        When they are damaged, not so many, or followed by others.
    """
    stream = zlib.decompressobj()
    try:
        whole = stream.decompress(content, size + 1)
    except zlib.error as exc:
        raise WireError(f"A packet is damaged: {exc}", remedy="Send it again.") from exc
    if len(whole) != size or not stream.eof or stream.unused_data:
        raise WireError("A packet has not the size it tells", remedy="Send it again.")
    return whole

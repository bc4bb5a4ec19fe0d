"""The rows of one series in memory: numpy arrays, and texts or payloads packed end to end."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "LOGGED_NAN",
    "Columns",
    "Packed",
    "SeriesKey",
    "join",
    "mark_logged",
    "missing",
    "packed_together",
    "side_by_side",
]

LOGGED_NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
"""A NaN that somebody logged. Every NaN whose lowest bit is 0 stands for a missing value."""


def missing(value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where there is no value; a NaN that somebody logged is a value."""
    absent = np.isnan(value)
    if absent.any():
        absent[absent] = value[absent].view(np.int64) & 1 == 0
    return absent


def mark_logged(value: NDArray[np.float64], logged: NDArray[np.bool_] | None = None) -> None:
    """Make every NaN of `value`, or those under the mask `logged`, one that somebody logged."""
    absent = np.isnan(value)
    if logged is not None:
        absent &= logged
    value[absent] = LOGGED_NAN


class SeriesKey(NamedTuple):
    """What a series is about; keys sort as the file does."""

    host: str
    entity: str
    metric: str


@dataclass(frozen=True, slots=True)
class Packed:
    """Texts or payloads of consecutive rows, one after the other in one array of bytes.

    Attributes
    ----------
    offsets : (n + 1,) int64
        Where each one begins in `content`, and where the last one ends. None is the same as
        an empty one.
    content : (m,) uint8
        UTF-8 where these are texts.
    """

    offsets: NDArray[np.int64]
    content: NDArray[np.uint8]

    @classmethod
    def of(cls, pieces: Sequence[bytes]) -> Packed:
        """Return the pieces packed."""
        offsets = np.zeros(len(pieces) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)), out=offsets[1:])
        return cls(offsets, np.frombuffer(b"".join(pieces), np.uint8))

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> Packed:
        """Return texts packed; half a surrogate pair, which has no UTF-8, becomes ``?``."""
        return cls.of([text.encode("utf-8", "replace") for text in texts])

    @classmethod
    def empty(cls, rows: int) -> Packed:
        """Return so many empty ones."""
        return cls(np.zeros(rows + 1, np.int64), np.zeros(0, np.uint8))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of all of them together."""
        return int(self.offsets[-1] - self.offsets[0])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each."""
        return np.diff(self.offsets)

    def cut(self, first: int, end: int) -> Packed:
        """Return those from `first` to `end`, exclusive, without a copy."""
        return Packed(self.offsets[first : end + 1], self.content)

    def copy(self) -> Packed:
        """Return the same in memory of their own."""
        first = self.offsets[0]
        return Packed(self.offsets - first, self.content[first : self.offsets[-1]].copy())

    def take(self, places: NDArray[np.int64]) -> Packed:
        """Return those at `places`."""
        lengths = self.lengths[places]
        offsets = np.zeros(len(places) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        content, begins = self.content.data, self.offsets[places]
        filled = np.flatnonzero(lengths)
        pieces = [content[a : a + n] for a, n in zip(begins[filled], lengths[filled], strict=True)]
        return Packed(offsets, np.frombuffer(b"".join(pieces), np.uint8))

    def pieces(self) -> list[bytes]:
        """Return each as bytes."""
        content, ends = self.content.tobytes(), self.offsets.tolist()
        return [content[a:b] for a, b in pairwise(ends)]

    def texts(self) -> list[str]:
        """Return each as text; bytes that are no UTF-8 become U+FFFD."""
        first, last = int(self.offsets[0]), int(self.offsets[-1])
        whole = self.content[first:last].tobytes()
        ends = (self.offsets - first).tolist()
        if whole.isascii():
            text = whole.decode("ascii")
            return [text[a:b] for a, b in pairwise(ends)]
        pairs = pairwise(ends)
        return [whole[a:b].decode("utf-8", "replace") for a, b in pairs]


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of one series.

    Attributes
    ----------
    time : (n,) int64
        Microseconds since the epoch.
    step : (n,) int64
        -2**63 where there is none.
    value : (n,) float64
        NaN where there is none; see `missing`.
    text, data : Packed of n, or None
        None when every one is empty.
    """

    time: NDArray[np.int64]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    text: Packed | None = None
    data: Packed | None = None

    @classmethod
    def empty(cls, rows: int = 0) -> Columns:
        """Return rows with nothing in them; their times are not set."""
        time, step = np.empty(rows, np.int64), np.full(rows, NO_STEP, np.int64)
        return cls(time, step, np.full(rows, np.nan))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.time)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return 24 * len(self) + sum(self.payload_bytes)

    @property
    def payload_bytes(self) -> tuple[int, int]:
        """Bytes of all texts, and of all payloads."""
        text = 0 if self.text is None else self.text.nbytes
        return text, 0 if self.data is None else self.data.nbytes

    def cut(self, first: int, end: int) -> Columns:
        """Return the rows from `first` to `end`, exclusive, without a copy."""
        part = slice(first, end)
        text = None if self.text is None else self.text.cut(first, end)
        data = None if self.data is None else self.data.cut(first, end)
        return Columns(self.time[part], self.step[part], self.value[part], text, data)

    def copy(self) -> Columns:
        """Return the rows in memory of their own."""
        text = None if self.text is None else self.text.copy()
        data = None if self.data is None else self.data.copy()
        return Columns(self.time.copy(), self.step.copy(), self.value.copy(), text, data)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Columns:
        """Return the rows at the positions, or under the mask, `chosen`."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.int64)
        text = None if self.text is None else self.text.take(places)
        data = None if self.data is None else self.data.take(places)
        return Columns(self.time[places], self.step[places], self.value[places], text, data)

    def in_order(self) -> Columns:
        """Return the rows sorted by time; rows of equal time keep their order."""
        if len(self) < 2 or not (self.time[1:] < self.time[:-1]).any():  # noqa: PLR2004
            return self
        return self.take(np.argsort(self.time, kind="stable"))

    def between(self, start: int | None, end: int | None) -> Columns:
        """Return the rows with start <= time < end, of columns in order of time."""
        first = 0 if start is None else int(np.searchsorted(self.time, start, "left"))
        stop = len(self) if end is None else int(np.searchsorted(self.time, end, "left"))
        return self if (first, stop) == (0, len(self)) else self.cut(first, max(first, stop))


def join(pieces: Sequence[Columns]) -> Columns:
    """Return the rows of all pieces, in order of time; of equal time in order of the pieces."""
    return side_by_side(pieces).in_order()


def side_by_side(pieces: Sequence[Columns]) -> Columns:
    """Return the rows of all pieces, one piece after the other."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Columns.empty()
    rows = [len(p) for p in pieces]
    return Columns(
        np.concatenate([p.time for p in pieces]),
        np.concatenate([p.step for p in pieces]),
        np.concatenate([p.value for p in pieces]),
        packed_together(((p.text, n) for p, n in zip(pieces, rows, strict=True))),
        packed_together(((p.data, n) for p, n in zip(pieces, rows, strict=True))),
    )


def packed_together(parts: Iterable[tuple[Packed | None, int]]) -> Packed | None:
    """Return parts, each with its number of rows, as one; None when all are None."""
    given = list(parts)
    if all(packed is None for packed, _ in given):
        return None
    lengths = [np.zeros(rows, np.int64) if p is None else p.lengths for p, rows in given]
    offsets = np.zeros(sum(rows for _, rows in given) + 1, np.int64)
    np.cumsum(np.concatenate(lengths), out=offsets[1:])
    contents = [p.content[p.offsets[0] : p.offsets[-1]] for p, _ in given if p is not None]
    return Packed(offsets, np.concatenate(contents))

"""The one shape in which samples travel inside the process.

Samplers make `Rows`, the journal writes them, the feed sends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NO_STEP", "Rows"]

NO_STEP: Final = -(2**63)
"""The step of a row that has none."""

_ROW_BYTES: Final = 28


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples as columns, in arrival order.

    Attributes
    ----------
    series : (n,) int32
    time : (n,) int64
        Microseconds since the epoch, on the session's clock.
    step : (n,) int64
        `NO_STEP` where there is none.
    value : (n,) float64
        NaN where the row has no number: a missing reading, or a row that carries text.
    text : sequence of str, or None
        None when every text is empty.
    data : sequence of bytes, or None
        None when every payload is empty.
    """

    series: NDArray[np.int32]
    time: NDArray[np.int64]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    text: Sequence[str] | None = None
    data: Sequence[bytes] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.series)

    @property
    def nbytes(self) -> int:
        """Bytes held by the columns; of a text its letters."""
        texts = sum(map(len, self.text)) if self.text is not None else 0
        blobs = sum(map(len, self.data)) if self.data is not None else 0
        return _ROW_BYTES * len(self) + texts + blobs

    def cut(self, first: int, end: int) -> Rows:
        """Return the rows from `first` to `end`, exclusive."""
        part = slice(first, end)
        text = None if self.text is None else self.text[part]
        data = None if self.data is None else self.data[part]
        return Rows(
            self.series[part], self.time[part], self.step[part], self.value[part], text, data
        )

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | list[int]) -> Rows:
        """Return the rows at some places, or those under a mask."""
        text, data = self.text, self.data
        if text is not None or data is not None:
            places = np.arange(len(self))[chosen].tolist()
            text = None if text is None else [text[place] for place in places]
            data = None if data is None else [data[place] for place in places]
        series, time, step = self.series[chosen], self.time[chosen], self.step[chosen]
        return Rows(series, time, step, self.value[chosen], text, data)

    def split(self, most_bytes: int) -> list[Rows]:
        """Return the rows in pieces of at most so many bytes; a row that has more is alone."""
        if self.nbytes <= most_bytes:
            return [self]
        sizes = np.full(len(self), _ROW_BYTES, np.int64)
        for column in (self.text, self.data):
            if column is not None:
                sizes += np.fromiter(map(len, column), np.int64, len(self))
        ends, pieces, first = np.cumsum(sizes), list[Rows](), 0
        while first < len(self):
            taken = ends[first - 1] if first else 0
            end = int(np.searchsorted(ends, taken + most_bytes, "right"))
            end = max(end, first + 1)
            pieces.append(self.cut(first, end))
            first = end
        return pieces

    @classmethod
    def of(  # noqa: PLR0913, PLR0917  one argument a column, in the order of the format
        cls,
        series: Sequence[int] | NDArray[np.int32],
        time: Sequence[int] | NDArray[np.int64],
        value: Sequence[float] | NDArray[np.float64],
        step: Sequence[int] | NDArray[np.int64] | None = None,
        text: Sequence[str] | None = None,
        data: Sequence[bytes] | None = None,
    ) -> Rows:
        """Return rows from sequences of equal length; steps default to none."""
        ids = np.asarray(series, np.int32)
        steps = np.full(len(ids), NO_STEP, np.int64) if step is None else np.asarray(step, np.int64)
        values = np.asarray(value, np.float64)
        return cls(ids, np.asarray(time, np.int64), steps, values, text, data)

    @classmethod
    def concat(cls, blocks: Sequence[Rows]) -> Rows:
        """Return the rows of all blocks, in order."""
        if len(blocks) == 1:
            return blocks[0]
        if not blocks:
            return cls.of([], [], [])
        text: list[str] | None = None
        data: list[bytes] | None = None
        if any(b.text is not None for b in blocks):
            text = [t for b in blocks for t in (b.text if b.text is not None else [""] * len(b))]
        if any(b.data is not None for b in blocks):
            data = [d for b in blocks for d in (b.data if b.data is not None else [b""] * len(b))]
        return cls(
            np.concatenate([b.series for b in blocks]),
            np.concatenate([b.time for b in blocks]),
            np.concatenate([b.step for b in blocks]),
            np.concatenate([b.value for b in blocks]),
            text,
            data,
        )

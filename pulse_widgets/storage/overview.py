"""The overview of a file: minimum, maximum and mean of blocks of rows, in coarser levels.

A finished file carries it as a small Parquet file of its own between the last row group and
the footer, so that a viewer draws the whole run from a few short reads. The blocks of a counter
are those of its rate, except `last`, so that a burst shows and an integral stays exact.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.levels import Drawn, levels_of
from pulse_widgets.storage.arrow.overview import COLUMNS, GroupDecoder, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns
    from pulse_widgets.series.levels import Level

__all__ = ["Overview", "overview_mark"]

GROUP_BLOCKS: Final = 16_384
"""Blocks a row group holds at most. It is read as a whole: smaller ones are read in less time."""
WORTH: Final = 4
"""A series has no blocks where its finest level would have more than one for so many rows."""
FEW_BLOCKS: Final = 64
"""So many blocks a series may have in any case."""
_TOGETHER: Final = 65_536
"""Small series are taken together until they have so many rows, which is much faster."""

_Packed = dict[str, "NDArray[Any]"]


class Overview:
    """Collects the levels of each series and gives the blob that holds them."""

    def __init__(self) -> None:
        self._levels: dict[int, list[_Packed]] = {}
        self._numbers: list[int] = []
        self._held: list[Drawn] = []
        self._rows = 0

    def add(self, number: int, kind: str, entity: str, columns: Columns) -> None:
        """Add one series, complete and in order of time, numbers ascending.

        Parameters
        ----------
        number : int
            Its place in the file.
        kind : str
            Spans, text and media have none.
        entity : str
            What a user logs has no silences.
        columns : Columns
        """
        if not kind_stored_as(kind).numeric or not len(columns):
            return
        self._numbers.append(number)
        self._held.append(Drawn(kind, entity, columns))
        self._rows += len(columns)
        if self._rows >= _TOGETHER:
            self._settle()

    def blob(self) -> bytes:
        """Return the Parquet bytes: coarsest level first, in it series by number."""
        self._settle()
        return encode(self._groups())

    def _settle(self) -> None:
        if not self._held:
            return
        numbers = np.array(self._numbers, np.int32)
        rows = np.array([len(d.columns) for d in self._held])
        levels = levels_of(self._held)
        blocks = np.bincount(levels[0].owner, minlength=len(numbers))
        worth = (blocks <= FEW_BLOCKS) | (WORTH * blocks <= rows)
        for level in levels:
            packed = _packed(level, numbers, worth[level.owner])
            self._levels.setdefault(level.size, []).append(packed)
        self._numbers, self._held, self._rows = [], [], 0

    def _groups(self) -> Iterator[_Packed]:
        for size in sorted(self._levels, reverse=True):
            parts = self._levels[size]
            whole = {name: np.concatenate([p[name] for p in parts]) for name in COLUMNS}
            for first in range(0, len(whole["cell"]), GROUP_BLOCKS):
                yield {name: c[first : first + GROUP_BLOCKS] for name, c in whole.items()}


def overview_mark(blob: bytes, offset: int) -> str:
    """Return what the footer says of an overview that lies `offset` bytes into the file."""
    footer = blob[-8 - int.from_bytes(blob[-8:-4], "little") :]
    groups = GroupDecoder(footer, len(blob)).groups
    mark = {
        "offset": offset,
        "length": len(blob),
        "crc32": zlib.crc32(blob),
        "footer": len(footer),
        "footer_crc32": zlib.crc32(footer),
        "sums": [zlib.crc32(blob[group.begin : group.end]) for group in groups],
    }
    return json.dumps(mark)


def _packed(level: Level, numbers: NDArray[np.int32], chosen: NDArray[np.bool_]) -> _Packed:
    """Return the chosen blocks of a level in the columns of the file."""
    owner, blocks = level.owner, level.envelopes
    if not chosen.all():
        owner, blocks = owner[chosen], blocks.take(chosen)
    low, high = _outward(blocks.least, blocks.greatest)
    with np.errstate(all="ignore"):
        mean = blocks.mean.astype(np.float32)
    columns = {
        "series": numbers[owner],
        "cell": np.full(len(owner), level.size),
        "rows": blocks.rows,
        "start": blocks.start,
        "end": blocks.end,
        "min": low,
        "max": high,
        "mean": mean,
        "count": blocks.count,
        "last": blocks.last,
    }
    return {name: np.asarray(columns[name], kind) for name, kind in COLUMNS.items()}


def _outward(
    least: NDArray[np.float64], greatest: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return both as float32, rounded so that they still enclose every value."""
    infinity = np.float32(np.inf)
    # A value beyond float32 becomes infinity or zero, which still encloses it.
    with np.errstate(all="ignore"):
        low, high = least.astype(np.float32), greatest.astype(np.float32)
        low = np.where(low > least, np.nextafter(low, -infinity), low)
        high = np.where(high < greatest, np.nextafter(high, infinity), high)
    return low, high

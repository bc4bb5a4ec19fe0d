"""Reads the overview of a finished file piece by piece, and believes none of it unchecked."""

from __future__ import annotations

import json
import threading
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.series.envelopes import Envelopes
from pulse_widgets.series.levels import BLOCK, COARSER
from pulse_widgets.storage.arrow.overview import GroupDecoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pulse_widgets.storage.extent import Extent
    from pulse_widgets.storage.place import File

__all__ = ["OverviewFile"]

MOST_MARK: Final = 4 << 20
MOST_FOOTER: Final = 16 << 20
MOST_LENGTH: Final = 1 << 30
_KEPT: Final = 8
"""So many row groups stay unpacked, about 1 MB each: series are mostly read in order."""

_Columns = dict[str, "NDArray[Any]"]


class OverviewFile:
    """The overview of one file.

    Parameters
    ----------
    file : File
    mark : bytes
        What the footer says of the overview.

    Raises
    ------
    ValueError
        If that cannot be true; also what `DAMAGE` lists, here and where a method reads.
    """

    def __init__(self, file: File, mark: bytes) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._unpacked: OrderedDict[int, _Columns] = OrderedDict()
        said = json.loads(mark) if len(mark) <= MOST_MARK else {}
        self._offset = _count(said["offset"], file.size)
        length = _count(said["length"], min(file.size - self._offset, MOST_LENGTH))
        footer = _count(said["footer"], min(length, MOST_FOOTER))
        self._sums = [_count(each, 0xFFFF_FFFF) for each in said["sums"]]
        content = read_piece(file, self._offset + length - footer, footer)
        if zlib.crc32(content) != said["footer_crc32"]:
            raise ValueError("the footer of the overview is damaged")
        self._decoder = GroupDecoder(content, length)
        self._groups = self._decoder.groups
        if len(self._sums) != len(self._groups):
            raise ValueError("the overview has other row groups than its mark says")
        self.sizes = sorted({group.size for group in self._groups})
        if self.sizes != [BLOCK * COARSER**k for k in range(len(self.sizes))]:
            raise ValueError("the overview has other levels than any")

    def level(self, number: int, extent: Extent, enough: int) -> Envelopes | None:
        """Return the coarsest level of a series with at least so many blocks, else its finest.

        Parameters
        ----------
        number : int
            Place of the series in the file.
        extent : Extent
            What is known of the series from the index.
        enough : int

        Returns
        -------
        Envelopes or None
            None where the series has none.

        Raises
        ------
        ValueError
            If the blocks contradict themselves, or its extent; on damaged bytes
            also what `DAMAGE` lists.
        """
        for size in reversed(self.sizes):
            # A block has at most `size` rows, so there are at least so many blocks.
            if extent.rows >= enough * size or size == self.sizes[0]:
                blocks = self._blocks(number, size, extent)
                if blocks is not None:
                    return blocks
        return None

    def levels(self, number: int, extent: Extent) -> dict[int, Envelopes]:
        """Return all levels of a series, by the rows of a full block; see `level`.

        Raises
        ------
        ValueError
            Also if the levels contradict each other.
        """
        found: dict[int, Envelopes] = {}
        for size in self.sizes:
            blocks = self._blocks(number, size, extent)
            if blocks is None:
                break
            found[size] = blocks
        sums = {_summed(blocks) for blocks in found.values()}
        if len(sums) > 1:
            raise ValueError("the levels of a series contradict each other")
        return found

    def _blocks(self, number: int, size: int, extent: Extent) -> Envelopes | None:
        pieces = []
        for place, group in enumerate(self._groups):
            if group.size == size and group.series[0] <= number <= group.series[1]:
                columns = self._group(place)
                first, end = np.searchsorted(columns["series"], [number, number + 1])
                pieces.append({name: c[first:end] for name, c in columns.items()})
        if not sum(len(piece["series"]) for piece in pieces):
            return None
        columns = {name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]}
        _check(columns, size, extent)
        return _envelopes_of(columns)

    def _group(self, place: int) -> _Columns:
        """Return a row group, checked and unpacked."""
        with self._lock:
            if place in self._unpacked:
                self._unpacked.move_to_end(place)
                return self._unpacked[place]
        group = self._groups[place]
        content = read_piece(self._file, self._offset + group.begin, group.end - group.begin)
        if zlib.crc32(content) != self._sums[place]:
            raise ValueError("a row group of the overview is damaged")
        columns = self._decoder.decode(place, content)
        series = columns["series"]
        ends = (int(series[0]), int(series[-1]))
        if ends != group.series or (series[1:] < series[:-1]).any():
            raise ValueError("the series of the overview are not in order")
        if (columns["cell"] != group.size).any():
            raise ValueError("a row group of the overview is of more than one level")
        with self._lock:
            self._unpacked[place] = columns
            while len(self._unpacked) > _KEPT:
                self._unpacked.popitem(last=False)
        return columns


def read_piece(file: File, offset: int, length: int) -> bytes:
    """Return some bytes of a file; everything that is read of an overview comes through here."""
    return file.read_at(offset, length)


def _count(number: object, most: int) -> int:
    """Return a number that may be from 0 to `most`."""
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise ValueError("the mark of the overview has a number that cannot be")
    return number


def _check(columns: _Columns, size: int, extent: Extent) -> None:
    """Refuse blocks that cannot be those of the series."""
    rows, start, end, count = (columns[name] for name in ("rows", "start", "end", "count"))
    ends = (int(start[0]), int(end[-1]))
    if ends != (extent.start, extent.end) or int(rows.sum(dtype=np.int64)) != extent.rows:
        raise ValueError("the blocks of a series do not cover its rows")
    if (start > end).any() or (start[1:] < end[:-1]).any():
        raise ValueError("the blocks of a series are not in order")
    if (rows < 0).any() or (rows > size).any() or (count < 0).any() or (count > rows).any():
        raise ValueError("a block has more values than rows, or more rows than fit")
    there = count > 0
    low, high, mean = columns["min"], columns["max"], columns["mean"]
    # A comparison with NaN is false, so this also refuses NaN where there are values.
    if not ((low <= mean) & (mean <= high) == there).all():
        raise ValueError("the mean of a block does not lie between its extremes")
    if not (np.isnan(low) & np.isnan(high) & np.isnan(mean))[~there].all():
        raise ValueError("a block without values has extremes")
    # Only the last block of a run has fewer rows than fit: before a gap, or at the end.
    apart = (rows == 0) | ((rows == 1) & ~there)
    if ((rows[:-1] < size) & ~apart[:-1] & ~apart[1:]).any():
        raise ValueError("a block has fewer rows than it should")


def _envelopes_of(columns: _Columns) -> Envelopes:
    count, mean = columns["count"].astype(np.int64), columns["mean"].astype(np.float64)
    return Envelopes(
        columns["rows"].astype(np.int64),
        columns["start"],
        columns["end"],
        columns["min"].astype(np.float64),
        columns["max"].astype(np.float64),
        np.where(count > 0, mean, 0.0) * count,
        count,
        columns["last"],
    )


def _summed(blocks: Envelopes) -> tuple[int, float, float]:
    least = np.fmin.reduce(blocks.least, initial=np.inf)
    greatest = np.fmax.reduce(blocks.greatest, initial=-np.inf)
    return int(blocks.count.sum()), float(least), float(greatest)

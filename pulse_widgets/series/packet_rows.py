"""Splits the rows of one tick into a few packets of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.history import reduce_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pulse_widgets.series.rows import Rows

__all__ = ["PACKETS_MOST", "PACKET_ROWS", "split_for_packets"]

PACKET_ROWS: Final = 1 << 16
"""At most 2.4 MB in a packet."""
PACKETS_MOST: Final = 2
"""Packets a tick: at ten ticks a second, as many as a Jupyter server passes on reliably."""
ROWS_A_POINT: Final = 4
"""`reduce_rows` leaves so many rows a point."""


def split_for_packets(rows: Rows) -> Iterator[tuple[Rows, list[int]]]:
    """Yield the rows of each packet, with the ids of series of which it has only the extremes.

    As long as they fit, all rows are there, in order of arrival. Otherwise the series with the
    most rows are reduced to their extremes, so that a flood in one series costs no other its rows.
    """
    if len(rows) > PACKET_ROWS * PACKETS_MOST:
        many = _largest(rows.series, PACKET_ROWS * (PACKETS_MOST - 1))
        large = np.isin(rows.series, many)
        yield from _cut(rows.take(~large), [])
        points = max(PACKET_ROWS // (ROWS_A_POINT * len(many)), 1)
        yield from _cut(*reduce_rows(rows.take(large), points))
    else:
        yield from _cut(rows, [])


def _largest(series: NDArray[np.int32], room: int) -> NDArray[np.int32]:
    """Return the series with the most rows: those beside which the others have room."""
    ids, counts = np.unique(series, return_counts=True)
    order = np.argsort(counts, kind="stable")
    return ids[order[np.cumsum(counts[order]) > room]]


def _cut(rows: Rows, reduced: list[int]) -> Iterator[tuple[Rows, list[int]]]:
    for first in range(0, len(rows), PACKET_ROWS):
        piece = rows.cut(first, first + PACKET_ROWS)
        yield piece, [series for series in reduced if (piece.series == series).any()]

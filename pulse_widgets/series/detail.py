"""What a page gets that asks for detail: rows, and envelopes of series with too many of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.series.screen_builder import ScreenBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pulse_widgets.series.envelopes import Envelopes
    from pulse_widgets.series.header import OddWire
    from pulse_widgets.series.history import Screen
    from pulse_widgets.series.rows import Rows

__all__ = ["Detail", "blocks_between", "detail_of"]

ROWS_A_POINT: Final = 4
"""With more rows than this a point a series is sent as envelopes, which are smaller."""
_NO_SPANS: Final = np.zeros((0, 2), np.int64)


class Detail(NamedTuple):
    """What answers a request for detail.

    Attributes
    ----------
    rows : Rows
    screen : Screen or None
        The series with too many rows.
    odd : tuple
        What was logged of these series then that is no finite value.
    """

    rows: Rows
    screen: Screen | None
    odd: tuple[OddWire, ...] = ()


def detail_of(
    rows: Rows, points: int, blocks: Mapping[int, Envelopes] | None = None
) -> tuple[Rows, Screen | None]:
    """Return rows as they are, and the series with many rows as envelopes in equal buckets.

    Parameters
    ----------
    rows : Rows
        A value of NaN is missing from there to the next row.
    points : int
        Buckets.
    blocks : mapping of int to Envelopes, optional
        Series of which no rows are read.

    Returns
    -------
    Rows
        Sorted by series, then by time.
    Screen or None
        From the first to the last moment that it has of any series; None without any.
    """
    blocks = {number: each for number, each in (blocks or {}).items() if len(each)}
    ordered = rows.take(np.lexsort((rows.time, rows.series)))
    ids, starts, counts = np.unique(ordered.series, return_index=True, return_counts=True)
    many = counts > ROWS_A_POINT * points
    if not many.any() and not blocks:
        return ordered, None
    cuts = {
        int(number): ordered.cut(start, start + count)
        for number, start, count in zip(
            ids[many], starts[many].tolist(), counts[many].tolist(), strict=True
        )
    }
    extents = [(int(cut.time[0]), int(cut.time[-1])) for cut in cuts.values()]
    extents += [(int(each.start[0]), int(each.end.max())) for each in blocks.values()]
    start, end = min(first for first, _ in extents), max(last for _, last in extents)
    builder = ScreenBuilder(sorted({*cuts, *blocks}), start, end, points)
    for number, cut in cuts.items():
        builder.draw_rows(number, cut.time, cut.value, cut.step, _NO_SPANS)
    for number, each in blocks.items():
        builder.draw_blocks(number, each, float("nan"))
    return ordered.take(~np.isin(ordered.series, ids[many])), builder.screen()


def blocks_between(blocks: Envelopes, start: int, end: int) -> Envelopes:
    """Return the blocks with start <= time < end, cut off there; values lie evenly in time."""
    # A block without values is a gap, until the next block or to the end.
    until = np.where(blocks.count > 0, blocks.end, np.append(blocks.start[1:], end))
    chosen = (until >= start) & (blocks.start < end)
    inside = blocks.take(chosen)
    first, last = (np.clip(time, start, end - 1) for time in (inside.start, until[chosen]))
    share = (last - first + 1) / (inside.end - inside.start + 1)
    count: NDArray[np.int64] = np.ceil(inside.count * share).astype(np.int64)
    with np.errstate(invalid="ignore"):
        total = np.where(count > 0, inside.mean * count, 0.0)
    return replace(inside, start=first, end=last, count=count, total=total)

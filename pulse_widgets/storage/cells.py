"""Cells: what blocks of rows come to, in finer and coarser levels. Pure numpy.

No cell reaches across a gap: where a reading is missing, or none came for long, there is a cell
of its own that has no values. So an outage shows as a gap at every level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.metrics.kinds import COUNTER, kind_stored_as
from pulse_widgets.metrics.rates import rate
from pulse_widgets.series.columns import LOGGED_NAN, missing
from pulse_widgets.series.gaps import gaps_of, is_sampled, silences
from pulse_widgets.storage.schema import CELL, COARSER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns

__all__ = ["Cells", "Drawn", "Level", "levels_of", "rates_of", "shown_values", "single_rows"]

FEW: Final = 64
"""A series with so many cells, or fewer, needs no coarser level."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Blocks of rows, and the gaps between them, of one series in order of time.

    Attributes
    ----------
    rows : (m,) int64
        How many rows a cell stands for: 1 for a missing reading, 0 for a silence.
    start, end : (m,) int64
        Times of the first and the last row, microseconds since the epoch. A gap ends where the
        next row is; a silence begins at the row before it.
    least, greatest, total : (m,) float64
        Of the finite values; NaN, NaN and 0 where there is none.
    count : (m,) int64
        How many finite values there are.
    last : (m,) float64
        The value of the last row, of a counter its reading; in a gap a NaN that means missing.
    """

    rows: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    total: NDArray[np.float64]
    count: NDArray[np.int64]
    last: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.start)

    @property
    def gap(self) -> NDArray[np.bool_]:
        """Which cells are gaps."""
        empty = (self.count == 0) & (self.rows <= 1)
        gap: NDArray[np.bool_] = empty & ((self.rows == 0) | missing(self.last))
        return gap

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of the finite values; NaN where there is none."""
        nothing = np.full(len(self), np.nan)
        # A sum beyond what a float holds must not bring the mean out of the cell.
        mean = np.divide(self.total, self.count, out=nothing, where=self.count > 0)
        inside: NDArray[np.float64] = np.clip(mean, self.least, self.greatest)
        return inside

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Cells:
        """Return some of the cells."""
        return Cells(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Drawn:
    """All rows of one series, in order of time, and what they are."""

    kind: str
    entity: str
    columns: Columns


@dataclass(frozen=True, slots=True)
class Level:
    """The cells of one level, of several series one after the other.

    Attributes
    ----------
    size : int
        Rows of a full cell.
    owner : (m,) int64
        Place of each cell's series among those that were given.
    cells : Cells
    """

    size: int
    owner: NDArray[np.int64]
    cells: Cells


def shown_values(kind: str, columns: Columns, entity: str = "user") -> NDArray[np.float64]:
    """Return what is drawn of a series: its values, of a counter the rate.

    Parameters
    ----------
    kind : str
    columns : Columns
    entity : str
        With the entity of a counter that is read at a rate, the rate across a silence is NaN.
    """
    counts = kind_stored_as(kind).cumulative
    return rates_of(columns, kind, entity) if counts else columns.value


def rates_of(
    columns: Columns, kind: str = COUNTER.stored, entity: str = "user"
) -> NDArray[np.float64]:
    """Return the rate of each row of a counter; see `shown_values`."""
    # Seconds since the first row keep microseconds exact in a float.
    seconds = (columns.time - columns.time[:1].sum()) / 1e6
    with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity is simply not known
        rates = rate(seconds, columns.value)
    rates[gaps_of(columns.time, columns.value, kind, entity).silent] = np.nan
    return rates


def single_rows(time: NDArray[np.int64], value: NDArray[np.float64]) -> Cells:
    """Return every row as a cell of its own."""
    finite = np.isfinite(value)
    known = np.where(finite, value, np.nan)
    ones = np.ones(len(time), np.int64)
    total = np.where(finite, value, 0.0)
    return Cells(ones, time, time, known, known, total, finite.astype(np.int64), value)


def levels_of(drawn: Sequence[Drawn]) -> list[Level]:
    """Return the levels of some series, finest first.

    The first has cells of 64 rows. A cell of any other stands for 8 of the level before that lie
    between the same gaps, or for the rest of them; gaps stay as they are. A series is in the
    next level when it has more than 64 cells and would have half of them there, or fewer.
    """
    if not drawn:
        return []
    level = _finest(drawn)
    levels = [level]
    while True:
        before = np.bincount(level.owner, minlength=len(drawn))
        many = before > FEW
        if not many.any():
            return levels
        level = _coarser(level, many[level.owner])
        after = np.bincount(level.owner, minlength=len(drawn))
        worth = (2 * after <= before)[level.owner]
        level = Level(level.size, level.owner[worth], level.cells.take(worth))
        if not len(level.owner):
            return levels
        levels.append(level)


@dataclass(frozen=True, slots=True)
class _Table:
    """The n rows of several series, one series after the other.

    Attributes
    ----------
    owner_first : (s,) int64
        Where each series begins.
    opens : (n,) bool
        The first row of each series.
    absent : (n,) bool
        Rows that say that a reading is missing.
    silent : (k,) int64
        Rows before which there is a silence.
    """

    owner_first: NDArray[np.int64]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    opens: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    silent: NDArray[np.int64]

    @classmethod
    def of(cls, drawn: Sequence[Drawn]) -> _Table:
        ends = np.cumsum([len(d.columns) for d in drawn])
        first = np.concatenate([[0], ends[:-1]])
        time = np.concatenate([d.columns.time for d in drawn])
        value = np.concatenate([d.columns.value for d in drawn])
        opens = np.zeros(len(time), np.bool_)
        opens[first] = True
        absent = missing(value)
        silent = [np.zeros(0, np.int64)]
        for one, begin, end in zip(drawn, first.tolist(), ends.tolist(), strict=True):
            if kind_stored_as(one.kind).takes_words and one.columns.text is not None:
                absent[begin:end] &= one.columns.text.lengths == 0
            if is_sampled(one.kind, one.entity):
                found = silences(one.columns.time, absent[begin:end])
                if len(found):
                    silent.append(begin + found)
        return cls(first, time, value, opens, absent, np.concatenate(silent))

    def begins(self) -> NDArray[np.bool_]:
        """Return the rows with which a run, or a missing reading, begins."""
        begins = self.opens | self.absent
        begins[1:] |= self.absent[:-1]
        begins[self.silent] = True
        return begins


def _finest(drawn: Sequence[Drawn]) -> Level:
    table = _Table.of(drawn)
    begins = table.begins()
    runs = np.flatnonzero(begins)
    first = _blocks(runs, len(table.time), CELL)
    last = np.append(first[1:], len(table.time)) - 1
    shown = _shown(drawn, table, begins)
    finite = np.isfinite(shown)
    whole = bool(finite.all())
    count = last - first + 1 if whole else np.add.reduceat(finite, first, dtype=np.int64)
    least, greatest, total = _extremes(shown, None if whole else finite, first, count)
    gap = table.absent[first]
    # A missing reading lasts until the next row of its series.
    end = table.time[last]
    after = np.minimum(last + 1, len(table.time) - 1)
    end = np.where(gap & ~table.opens[after] & (after > last), table.time[after], end)
    newest = table.value[last]
    newest[np.isnan(newest) & ~gap] = LOGGED_NAN
    cells = Cells(last - first + 1, table.time[first], end, least, greatest, total, count, newest)
    owner = np.searchsorted(table.owner_first, first, "right") - 1
    if len(table.silent):
        owner, cells = _with_silences(table, owner, cells, np.searchsorted(first, table.silent))
    return Level(CELL, owner, cells)


def _blocks(runs: NDArray[np.int64], rows: int, size: int) -> NDArray[np.int64]:
    """Return where blocks of `size` rows begin; each run begins with one."""
    lengths = np.diff(np.append(runs, rows))
    blocks = -(-lengths // size)
    before = np.cumsum(blocks) - blocks
    place = np.arange(int(blocks.sum())) - np.repeat(before, blocks)
    first: NDArray[np.int64] = np.repeat(runs, blocks) + place * size
    return first


def _shown(drawn: Sequence[Drawn], table: _Table, begins: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what is drawn of each row; of a counter the rate since the row before in its run."""
    counting = [kind_stored_as(d.kind).cumulative for d in drawn]
    if not any(counting):
        return table.value
    lengths = np.diff(np.append(table.owner_first, len(table.time)))
    # Seconds since the first row of the series, as `shown_values` has them.
    since = table.time - np.repeat(table.time[table.owner_first], lengths)
    with np.errstate(invalid="ignore", over="ignore"):
        rates = rate(since / 1e6, table.value)
    rates[begins] = np.nan
    return rates if all(counting) else np.where(np.repeat(counting, lengths), rates, table.value)


def _extremes(
    shown: NDArray[np.float64],
    finite: NDArray[np.bool_] | None,
    first: NDArray[np.int64],
    count: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return least, greatest and sum of the finite values of each block; all are, where None."""
    with np.errstate(over="ignore", invalid="ignore"):
        if finite is None:
            total = np.add.reduceat(shown, first)
            return np.minimum.reduceat(shown, first), np.maximum.reduceat(shown, first), total
        least = np.minimum.reduceat(np.where(finite, shown, np.inf), first)
        greatest = np.maximum.reduceat(np.where(finite, shown, -np.inf), first)
        total = np.add.reduceat(np.where(finite, shown, 0.0), first)
    nothing = count == 0
    least[nothing] = greatest[nothing] = np.nan
    return least, greatest, total


def _with_silences(
    table: _Table, owner: NDArray[np.int64], cells: Cells, before: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Cells]:
    """Return the cells with one more for each silence, which comes `before` that cell."""
    nothing = np.full(len(before), np.nan)
    none = np.zeros(len(before), np.int64)
    start, end = table.time[table.silent - 1], table.time[table.silent]
    more = Cells(none, start, end, nothing, nothing, np.zeros(len(before)), none, nothing)
    both = (np.insert(getattr(cells, n), before, getattr(more, n)) for n in Cells.__slots__)
    return np.insert(owner, before, owner[before]), Cells(*both)


def _coarser(level: Level, chosen: NDArray[np.bool_]) -> Level:
    """Return the next level of the series whose cells are `chosen`."""
    owner, cells = level.owner[chosen], level.cells.take(chosen)
    gap = cells.gap
    begins = gap.copy()
    begins[1:] |= gap[:-1] | (np.diff(owner) != 0)
    begins[:1] = True
    first = _blocks(np.flatnonzero(begins), len(owner), COARSER)
    last = np.append(first[1:], len(owner)) - 1
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(cells.total, first)
    # Infinity less infinity, where sums of finite values are beyond what a float holds.
    total[np.isnan(total)] = 0.0
    joined = Cells(
        np.add.reduceat(cells.rows, first),
        cells.start[first],
        cells.end[last],
        np.fmin.reduceat(cells.least, first),
        np.fmax.reduceat(cells.greatest, first),
        total,
        np.add.reduceat(cells.count, first),
        cells.last[last],
    )
    return Level(level.size * COARSER, owner[first], joined)

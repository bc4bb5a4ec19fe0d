"""The levels of an overview: envelopes of a whole series, each level coarser than the last.

No envelope reaches across a gap. Where a reading is missing, or none came for long, an envelope
without values stands in its place, so an outage shows as a gap at every level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.columns import LOGGED_NAN, missing
from pulse_widgets.series.envelopes import Envelopes, blocks_of, extremes_of, joined, sums_of
from pulse_widgets.series.gaps import is_sampled, silences
from pulse_widgets.series.rates import rates_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns

__all__ = ["BLOCK", "COARSER", "Drawn", "Level", "levels_of"]

BLOCK: Final = 64
"""Rows of a block of the finest level."""
COARSER: Final = 8
"""Blocks of one level that make one of the next."""
FEW: Final = 64
"""A series with so many blocks, or fewer, needs no coarser level."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """All rows of one series, in order of time, and what they are."""

    kind: str
    entity: str
    columns: Columns


@dataclass(frozen=True, slots=True)
class Level:
    """The envelopes of one level, of several series one after the other.

    Attributes
    ----------
    size : int
        Rows of a full block.
    owner : (m,) int64
        Place of the series of each envelope among those that were given.
    envelopes : Envelopes
    """

    size: int
    owner: NDArray[np.int64]
    envelopes: Envelopes


def levels_of(drawn: Sequence[Drawn]) -> list[Level]:
    """Return the levels of some series, finest first.

    The first has blocks of 64 rows. A block of any other stands for 8 of the level before that
    lie between the same gaps, or for the rest of them; gaps stay as they are. A series is in the
    next level when it has more than 64 blocks and would have half of them there, or fewer.
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
        level = Level(level.size, level.owner[worth], level.envelopes.take(worth))
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
    first = blocks_of(np.flatnonzero(begins), len(table.time), BLOCK)
    last = np.append(first[1:], len(table.time)) - 1
    shown = _shown(drawn, table, begins)
    finite = np.isfinite(shown)
    least, greatest = extremes_of(shown, first, finite)
    total, count = sums_of(shown, first, finite)
    nothing = count == 0
    least[nothing] = greatest[nothing] = np.nan
    gap = table.absent[first]
    # A missing reading lasts until the next row of its series.
    end = table.time[last]
    after = np.minimum(last + 1, len(table.time) - 1)
    end = np.where(gap & ~table.opens[after] & (after > last), table.time[after], end)
    newest = table.value[last]
    newest[np.isnan(newest) & ~gap] = LOGGED_NAN
    rows, start = last - first + 1, table.time[first]
    envelopes = Envelopes(rows, start, end, least, greatest, total, count, newest)
    owner = np.searchsorted(table.owner_first, first, "right") - 1
    if len(table.silent):
        before = np.searchsorted(first, table.silent)
        owner, envelopes = _with_silences(table, owner, envelopes, before)
    return Level(BLOCK, owner, envelopes)


def _shown(drawn: Sequence[Drawn], table: _Table, begins: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what is drawn of each row; of a counter the rate since the row before in its run."""
    counting = [kind_stored_as(d.kind).cumulative for d in drawn]
    if not any(counting):
        return table.value
    lengths = np.diff(np.append(table.owner_first, len(table.time)))
    # Seconds since the first row of the series, as `shown_values` has them.
    since = table.time - np.repeat(table.time[table.owner_first], lengths)
    rates = rates_within(since, table.value)
    rates[begins] = np.nan
    return rates if all(counting) else np.where(np.repeat(counting, lengths), rates, table.value)


def _with_silences(
    table: _Table, owner: NDArray[np.int64], blocks: Envelopes, before: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Envelopes]:
    """Return the blocks with one more for each silence, which comes `before` that block."""
    nothing = np.full(len(before), np.nan)
    none = np.zeros(len(before), np.int64)
    start, end = table.time[table.silent - 1], table.time[table.silent]
    more = Envelopes(none, start, end, nothing, nothing, np.zeros(len(before)), none, nothing)
    both = (np.insert(getattr(blocks, n), before, getattr(more, n)) for n in Envelopes.__slots__)
    return np.insert(owner, before, owner[before]), Envelopes(*both)


def _coarser(level: Level, chosen: NDArray[np.bool_]) -> Level:
    """Return the next level of the series whose envelopes are `chosen`."""
    owner, fine = level.owner[chosen], level.envelopes.take(chosen)
    gap = fine.gap
    begins = gap.copy()
    begins[1:] |= gap[:-1] | (np.diff(owner) != 0)
    begins[:1] = True
    first = blocks_of(np.flatnonzero(begins), len(owner), COARSER)
    return Level(level.size * COARSER, owner[first], joined(fine, first))

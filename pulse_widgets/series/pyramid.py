"""The envelopes of a history at every scale.

Each scale is a grid of buckets, four times as wide as those of the grid before it. A finished
column of a grid is folded into the next coarser grid exactly once. So a tick costs the same after
a minute and after a week, and the whole past is a few hundred columns.

A row that comes late goes into every grid that has passed its time. A row whose time is far ahead
of all others waits outside of the grids until the others come near.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.envelopes import add_up, widen
from pulse_widgets.series.grid import COLUMNS, FOLD, Buckets, Grid, capacity, extended
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEVELS", "Part", "Pyramid"]

SHOWN: Final = 56
SLACK: Final = 8
LEVELS: Final = 6
NEAR: Final = COLUMNS // 2
"""Columns by which the newest time may grow at once; rows beyond that wait."""
ARRIVALS: Final = 64
"""The present is the median time of this many of the newest rows."""
WAITING_MOST: Final = 1 << 14
"""Rows with times far ahead that are kept waiting, at most."""
WAITING_SHOWN: Final = 24


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring buckets of a screen, from one grid: their edges and what is in them."""

    edges_us: NDArray[np.int64]
    buckets: Buckets


class Pyramid:
    """Envelopes of all series from the first row until now.

    Parameters
    ----------
    base_us : int
        Width of the finest buckets at first.

    Attributes
    ----------
    most : int
        Grids there may be, at least one. Beyond that the finest goes: wider buckets instead
        of a shorter past.
    """

    def __init__(self, base_us: int) -> None:
        self.most = LEVELS
        self._base_us = base_us
        self._grids: list[Grid] = []
        self._older = _Older()
        self._origin_us = 0
        self._waiting = Rows.of([], [], [])
        """Rows far ahead, by time; their series are slots."""
        self._arrivals = np.zeros(0, np.int64)
        self._step_slot = np.zeros(0, np.int32)
        self._size = (0, 0)

    @property
    def levels(self) -> int:
        """Grids there are."""
        return len(self._grids)

    def room_for(self, slots: int, stepped: int) -> tuple[int, int]:
        """Return the slots, and slots for steps, that each grid gets for so many."""
        have = max((len(grid.low) for grid in self._grids), default=0)
        have_steps = max((len(grid.step) for grid in self._grids), default=0)
        return capacity(have, slots), capacity(have_steps, stepped)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(grid.nbytes for grid in self._grids) + self.other_bytes

    @property
    def other_bytes(self) -> int:
        """Bytes held for rows that came before the first or are far ahead."""
        return self._older.nbytes + self._waiting.nbytes

    @property
    def waiting_slots(self) -> NDArray[np.int64]:
        """The slots of rows that are in no grid yet."""
        return self._waiting.series.astype(np.int64)

    def keep(self, slots: NDArray[np.int64], step_slots: NDArray[np.int64]) -> None:
        """Keep these slots and these step slots, and drop the others."""
        for grid in self._grids:
            grid.keep(slots, step_slots)
        self._older.keep(slots)
        wait = self._waiting
        at = np.searchsorted(slots, wait.series).astype(np.int32)
        self._waiting = Rows(at, wait.time, wait.step, wait.value)

    def take(
        self, rows: Rows, step_slot: NDArray[np.int32], count: int, arrivals: NDArray[np.int64]
    ) -> None:
        """Take in rows that are sorted by time, their series being slots.

        Parameters
        ----------
        rows : Rows
        step_slot : (slots,) int32
            Slot to its row in the arrays of steps.
        count : int
            Slots there are.
        arrivals : (n,) int64
            Times of the newest rows as they arrived.
        """
        self._step_slot, self._size = (
            step_slot,
            self.room_for(count, int(step_slot.max(initial=-1)) + 1),
        )
        self._arrivals = np.concatenate((self._arrivals, arrivals))[-ARRIVALS:]
        if not self._grids:
            self._begin(rows.time)
        for grid in self._grids:
            grid.grow(*self._size)
        older = int(np.searchsorted(rows.time, self._origin_us))
        if older:
            self._older.take(rows.cut(0, older), self._origin_us, self._grids[0].width_us)
            rows = rows.cut(older, len(rows))
        if len(self._waiting):
            rows = Rows.concat([self._waiting, rows])
            rows = rows.take(np.argsort(rows.time, kind="stable"))
        self._waiting = rows.cut(0, 0)
        self._walk(rows)

    def _now_us(self) -> int:
        return int(np.sort(self._arrivals)[(len(self._arrivals) - 1) // 2])

    def _begin(self, time: NDArray[np.int64]) -> None:
        # Rows so far back that the grids would need wider buckets go to the grid of older rows.
        span = self._base_us * COLUMNS * FOLD ** (LEVELS - 1)
        first = int(time[np.searchsorted(time, self._now_us() - span)]) // self._base_us
        self._origin_us = first * self._base_us
        self._grids.append(Grid(self._base_us, first, first))

    def _walk(self, rows: Rows) -> None:
        """Put rows into the grids in parts, so that each column is folded before it is reused."""
        now_us, done = self._now_us(), 0
        while done < len(rows):
            grid = self._grids[0]
            end = int(np.searchsorted(rows.time, (grid.head + NEAR + 1) * grid.width_us))
            if end > done:
                self._put(rows.cut(done, end))
                done = end
            elif rows.time[done] <= now_us:
                self._leap(int(rows.time[done]))
            elif len(rows) - done > WAITING_MOST:
                now_us = int(rows.time[len(rows) - WAITING_MOST // 2])
            else:
                break
        self._waiting = rows.cut(done, len(rows))

    def _put(self, rows: Rows) -> None:
        fine = self._grids[0]
        newest = int(rows.time[-1])
        # A coarser grid that has passed the time of these rows gets them directly: folding is over.
        late = [g for g in self._grids[1:] if rows.time[0] < (g.head + 1) * g.width_us]
        fine.advance(newest // fine.width_us)
        held = int(np.searchsorted(rows.time, (fine.head - COLUMNS + 1) * fine.width_us))
        self._put_into(fine, rows.cut(held, len(rows)), late=False)
        for grid in late:
            start, end = np.searchsorted(
                rows.time,
                ((grid.head - COLUMNS + 1) * grid.width_us, (grid.head + 1) * grid.width_us),
            )
            self._put_into(grid, rows.cut(int(start), int(end)), late=True)
        self._fold(0, SLACK)

    def _put_into(self, grid: Grid, rows: Rows, *, late: bool) -> None:
        if not len(rows):
            return
        slots, bucket = rows.series.astype(np.int64), rows.time // grid.width_us
        grid.put(slots, bucket, rows.value, late=late)
        stepped = rows.step != NO_STEP
        if stepped.any():
            step_slots = self._step_slot[slots[stepped]].astype(np.int64)
            grid.put_steps(step_slots, bucket[stepped], rows.step[stepped], late=late)

    def _fold(self, level: int, slack: int) -> None:
        """Bring the finished columns of each grid from `level` on into the next coarser one.

        `slack` newest columns wait for late rows; a negative slack folds unfinished ones too.
        """
        for fine, coarse in zip(self._grids[level:], self._grids[level + 1 :], strict=False):
            done = (fine.head - slack) // FOLD - 1
            if done > coarse.head:
                coarse.fold(fine, done)
            slack = SLACK
        if self._grids[-1].full:
            self._add_level()

    def _add_level(self) -> None:
        """Have wider buckets for what is longest ago."""
        if self.most <= 1:
            self.shrink(1)
            self._grids = [self._grids[0].coarser()]
            return
        self.shrink(self.most - 1)
        top = self._grids[-1]
        first = top.first // FOLD
        self._grids.append(Grid(top.width_us * FOLD, first - 1, first))
        self._grids[-1].grow(*self._size)
        self._fold(len(self._grids) - 2, SLACK)

    def shrink(self, most: int) -> None:
        """Drop the finest grids beyond so many; the others hold the same rows."""
        while len(self._grids) > most:
            fine, coarse = self._grids[:2]
            coarse.fold(fine, fine.head // FOLD)
            del self._grids[0]

    def _leap(self, time_us: int) -> None:
        """Bring the grids across a long silence, folding what would be overwritten."""
        while time_us // self._grids[-1].width_us - self._grids[-1].first >= NEAR:
            self._fold_whole()
            self._add_level()
        self._fold_whole()
        for level, grid in enumerate(self._grids):
            # Everything before the finest grid's newest bucket counts as folded and is empty.
            grid.advance(time_us // grid.width_us - (1 if level else 0))

    def _fold_whole(self) -> None:
        for fine, coarse in zip(self._grids, self._grids[1:], strict=False):
            if fine.head // FOLD > coarse.head:
                coarse.fold(fine, fine.head // FOLD)

    def parts(self, slots: NDArray[np.int64], step_slots: NDArray[np.int64]) -> list[Part]:
        """Return the buckets of some slots, and of their steps, oldest first."""
        if not self._grids:
            return []
        parts = self._older.parts(slots, step_slots, self._step_slot, self._origin_us)
        for grid, start, end in self._spans():
            edges = np.arange(start, end + 1) * grid.width_us
            if parts:
                edges[0] = max(edges[0], self._origin_us)
            parts.append(Part(edges, grid.buckets(slots, step_slots, start, end)))
        if len(self._waiting):
            parts.append(self._waiting_part(int(parts[-1].edges_us[-1]), slots, step_slots))
        return parts

    def _spans(self) -> list[tuple[Grid, int, int]]:
        """Which buckets of which grid make up a screen, oldest first."""
        spans: list[tuple[Grid, int, int]] = []
        end, wanted = self._grids[0].head + 1, SHOWN
        for level, grid in enumerate(self._grids):
            start = grid.first
            if level + 1 < len(self._grids):
                start = max(end - wanted, start)
                # A coarser bucket must begin exactly where this grid's part begins, and what
                # is not folded yet is only here.
                start = min(start + -start % FOLD, (self._grids[level + 1].head + 1) * FOLD)
                start = max(start, grid.first)
            if start < end:
                spans.append((grid, start, end))
            end, wanted = min(start, end) // FOLD, SHOWN - SHOWN // FOLD
        return spans[::-1]

    def _waiting_part(
        self, start_us: int, slots: NDArray[np.int64], step_slots: NDArray[np.int64]
    ) -> Part:
        """Return buckets for the rows far ahead, with empty ones between."""
        rows, width = self._waiting, self._grids[0].width_us
        while len(used := np.unique(rows.time // width)) > WAITING_SHOWN:
            width *= FOLD
        edges = np.unique(np.concatenate(([start_us], used * width, (used + 1) * width)))
        edges = edges[edges >= start_us]
        column = np.searchsorted(edges, rows.time, "right") - 1
        buckets = _nothing(len(slots), len(step_slots), len(edges) - 1)
        self._fill(buckets, rows, column, slots, step_slots)
        return Part(edges, buckets)

    def _fill(
        self,
        buckets: Buckets,
        rows: Rows,
        column: NDArray[np.int64],
        slots: NDArray[np.int64],
        step_slots: NDArray[np.int64],
    ) -> None:
        drawn, at = _found(rows.series, slots)
        value, column_drawn = rows.value[drawn], column[drawn]
        missing = widen(buckets.low, buckets.high, (at, column_drawn), value)
        add_up(buckets.total, buckets.number, (at, column_drawn), value)
        buckets.lost[at, column_drawn] = missing
        stepped, at = _found(self._step_slot.take(rows.series), step_slots)
        stepped, at = stepped[keep := rows.step[stepped] != NO_STEP], at[keep]
        buckets.step[at, column[stepped]] = rows.step[stepped]


class _Older:
    """Envelopes of late rows that lie before the first row, in one grid.

    Its buckets are as wide as it needs; few series have such rows, so it has slots of its own.
    """

    def __init__(self) -> None:
        self._grid: Grid | None = None
        self._own = np.zeros(0, np.int32)
        """Slot to the slot here, -1 where there is none."""
        self._count = 0

    @property
    def nbytes(self) -> int:
        return self._own.nbytes + (self._grid.nbytes if self._grid else 0)

    def take(self, rows: Rows, end_us: int, width_us: int) -> None:
        """Take in rows that are sorted by time and all before `end_us`."""
        grid = self._grid
        if grid is None:
            head = (end_us - 1) // width_us
            grid = Grid(width_us, head, head)
        first_us = int(rows.time[0])
        while first_us // grid.width_us <= grid.head - COLUMNS:
            grid = grid.coarser()
        grid.first = min(grid.first, first_us // grid.width_us)
        self._grid = grid
        slots = rows.series
        self._own = extended(self._own, int(slots.max()) + 1, -1)
        fresh = np.unique(slots[self._own[slots] < 0])
        self._own[fresh] = np.arange(self._count, self._count + len(fresh))
        self._count += len(fresh)
        grid.grow(*[capacity(len(grid.low), self._count)] * 2)
        own, bucket = self._own[slots].astype(np.int64), rows.time // grid.width_us
        grid.put(own, bucket, rows.value, late=True)
        stepped = rows.step != NO_STEP
        grid.put_steps(own[stepped], bucket[stepped], rows.step[stepped], late=True)

    def keep(self, slots: NDArray[np.int64]) -> None:
        """Keep these slots, in this order, and drop the others."""
        if self._grid is None:
            return
        own = extended(self._own, int(slots.max(initial=-1)) + 1, -1)[slots]
        stay = own[own >= 0].astype(np.int64)
        own[own >= 0] = np.arange(len(stay))
        self._grid.keep(stay, stay)
        self._own, self._count = own, len(stay)

    def parts(
        self,
        slots: NDArray[np.int64],
        step_slots: NDArray[np.int64],
        step_slot: NDArray[np.int32],
        end_us: int,
    ) -> list[Part]:
        """Return the buckets of some slots and of their steps, if there are any."""
        grid = self._grid
        if grid is None:
            return []
        edges = np.arange(grid.first, grid.head + 2) * grid.width_us
        edges[-1] = end_us
        buckets = _nothing(len(slots), len(step_slots), len(edges) - 1)
        here = np.flatnonzero(self._own >= 0)
        here, at = here[(found := _found(here, slots))[0]], found[1]
        own = self._own[here].astype(np.int64)
        mine = grid.buckets(own, own, grid.first, grid.head + 1)
        for name in Buckets._fields[:-1]:
            getattr(buckets, name)[at] = getattr(mine, name)
        which, at = _found(step_slot[here], step_slots)
        buckets.step[at] = mine.step[which]
        return [Part(edges, buckets)]


def _nothing(slots: int, step_slots: int, columns: int) -> Buckets:
    return Buckets(
        np.full((slots, columns), np.inf),
        np.full((slots, columns), -np.inf),
        np.zeros((slots, columns)),
        np.zeros((slots, columns), np.int32),
        np.zeros((slots, columns), np.bool_),
        np.full((step_slots, columns), np.nan),
    )


def _found(
    numbers: NDArray[np.int32] | NDArray[np.int64], among: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which numbers are among some distinct ones, and where there."""
    if not len(among):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(among)
    at = order[np.searchsorted(among[order], numbers).clip(max=len(among) - 1)]
    which = np.flatnonzero(among[at] == numbers)
    return which, at[which]

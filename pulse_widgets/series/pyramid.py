"""The envelopes of a history at every scale.

Each scale is a grid of buckets, four times as wide as those of the grid before it. A finished
column of a grid is folded into the next coarser grid exactly once. So a tick costs the same after
a minute and after a week, and the whole past is a few hundred columns.

A row that comes late goes into every grid that has passed its time. A row whose time is far ahead
of all others waits outside of the grids until the others come near.

Beside them one grid holds the whole past in buckets of one width: from the others only what is
finer is shown, the newest. Where it had to go to make room it does not come back, and the others
are shown alone: series are only ever dropped until what is left fits, so there is no room again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.envelopes import add_up, widen
from pulse_widgets.series.grid import COLUMNS, FOLD, Buckets, Grid, capacity
from pulse_widgets.series.older import Older, Part, at_most, found_among, nothing
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.whole import SIZE, Whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEVELS", "Part", "Pyramid"]

SHOWN: Final = (56, 42)
"""Buckets of the finest grid that are on screen, and of each other one."""
SHOWN_BESIDE: Final = (32, 20)
"""Beside the grid of the whole past fewer buckets of the others are enough."""
SHOWN_AT_MOST: Final = 300
"""Buckets of a screen."""
SLACK: Final = 8
LEVELS: Final = 6
WHOLE_FROM: Final = SIZE + 3
"""With room for fewer grids there is none of the whole past."""
NEAR: Final = COLUMNS // 2
"""Columns by which the newest time may grow at once; rows beyond that wait."""
ARRIVALS: Final = 64
"""The present is the median time of this many of the newest rows."""
WAITING_MOST: Final = 1 << 14
"""Rows with times far ahead that are kept waiting, at most."""
WAITING_SHOWN: Final = 24


class Pyramid:
    """Envelopes of all series from the first row until now.

    Parameters
    ----------
    base_us : int
        Width of the finest buckets at first.

    Attributes
    ----------
    most : int
        Grids there may be, at least one, beside that of the whole past. Beyond that the finest
        goes: wider buckets instead of a shorter past.
    """

    def __init__(self, base_us: int) -> None:
        self.most = LEVELS
        self._base_us = base_us
        self._grids: list[Grid] = []
        self._whole: Whole | None = None
        self._room = WHOLE_FROM
        self._older = Older()
        self._origin_us = 0
        self._waiting = Rows.of([], [], [])
        """Rows far ahead, by time; their series are slots."""
        self._arrivals = np.zeros(0, np.int64)
        self._step_slot = np.zeros(0, np.int32)
        self._size = (0, 0)

    @property
    def size(self) -> int:
        """Grids there are; that of the whole past counts as several."""
        return len(self._grids) + (SIZE if self._whole else 0)

    def allow(self, room: int) -> None:
        """Say how many grids there may be; that of the whole past counts as several, or goes."""
        self._room = room
        self.most = max(1, min(room - SIZE if room >= WHOLE_FROM else room, LEVELS))

    def room_for(self, slots: int, stepped: int) -> tuple[int, int]:
        """Return the slots, and slots for steps, that each grid gets for so many."""
        have = max((len(grid.low) for grid in self._grids), default=0)
        have_steps = max((len(grid.step) for grid in self._grids), default=0)
        return capacity(have, slots), capacity(have_steps, stepped)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        whole = self._whole.nbytes if self._whole else 0
        return sum(grid.nbytes for grid in self._grids) + whole + self.other_bytes

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
        for grid in self._every:
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
        for grid in self._every:
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
        if self._room >= WHOLE_FROM:
            self._whole = Whole(self._base_us, first)

    @property
    def _every(self) -> list[Grid | Whole]:
        return [*self._grids, *([self._whole] if self._whole else [])]

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
        if self._whole:
            self._whole.take(rows, self._step_slot)
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
        if self._room < WHOLE_FROM:
            self._whole = None
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
        older = self._older.parts(slots, step_slots, self._step_slot, self._origin_us)
        parts = [*older]
        spans, end_us = self._spans(), 0
        if self._whole:
            spans, end_us = _finer(spans, self._whole)
            parts.append(self._whole.part(slots, step_slots, end_us))
        for grid, start, end in spans:
            edges = np.arange(start, end + 1) * grid.width_us
            parts.append(Part(edges, grid.buckets(slots, step_slots, start, end)))
        if older:
            # The first bucket may have become so wide that it begins before the first row.
            parts[len(older)].edges_us[0] = self._origin_us
        if len(self._waiting):
            parts.append(self._waiting_part(int(parts[-1].edges_us[-1]), slots, step_slots))
        return at_most(parts, SHOWN_AT_MOST)

    def _spans(self) -> list[tuple[Grid, int, int]]:
        """Which buckets of which grid make up a screen, oldest first."""
        spans: list[tuple[Grid, int, int]] = []
        finest, others = SHOWN_BESIDE if self._whole else SHOWN
        end, wanted = self._grids[0].head + 1, finest
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
            end, wanted = min(start, end) // FOLD, others
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
        buckets = nothing(len(slots), len(step_slots), len(edges) - 1)
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
        drawn, at = found_among(rows.series, slots)
        value, column_drawn = rows.value[drawn], column[drawn]
        missing = widen(buckets.low, buckets.high, (at, column_drawn), value)
        add_up(buckets.total, buckets.number, (at, column_drawn), value)
        buckets.lost[at, column_drawn] = missing
        stepped, at = found_among(self._step_slot.take(rows.series), step_slots)
        stepped, at = stepped[keep := rows.step[stepped] != NO_STEP], at[keep]
        buckets.step[at, column[stepped]] = rows.step[stepped]


def _finer(
    spans: list[tuple[Grid, int, int]], whole: Whole
) -> tuple[list[tuple[Grid, int, int]], int]:
    """Return what of some buckets is finer than those of the whole past, and where it begins."""
    for place, (grid, start, end) in enumerate(spans):
        if grid.width_us < whole.width_us:
            begin = -(-start * grid.width_us // whole.width_us) * whole.width_us
            if begin < end * grid.width_us:
                return [(grid, begin // grid.width_us, end), *spans[place + 1 :]], begin
    return [], whole.end_us

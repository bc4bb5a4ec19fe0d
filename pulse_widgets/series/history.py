"""What the screen shows of the past: envelopes at every scale, and the newest rows whole.

The envelopes live on absolute grids, each four times as coarse as the one before. A column
of a grid that is finished is folded into the coarser grid once, so a tick costs the same
after a minute and after a week, and a picture of the whole past costs a few hundred columns.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.grid import COLUMNS, FOLD, Grid, extended
from pulse_widgets.series.log import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

__all__ = ["History", "Screen", "reduce_rows"]

SHOWN: Final = 56
SLACK: Final = 8
LEVELS_SHOWN: Final = 6
TOGETHER: Final = 64
"""So many blocks that arrived are kept as one: looking through them costs by the block."""
MARKED_AT_ONCE: Final = 4096
_EVER_US: Final = (-(1 << 63), (1 << 63) - 1)
ROWS_AT_LEAST: Final = 8
"""This part of the budget is for whole rows, however many series there are."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Envelopes of S series over N buckets of time.

    Attributes
    ----------
    ids : (S,) int32
    edges : (N + 1,) float64
        Unix seconds; finer towards the end.
    low, high : (S, N) float64
        Smallest and largest value in the bucket; low > high where there is no sample.
    missing : (S, N) bool
        The bucket has no sample because readings were missing, and is to be drawn as a gap.
    stepped : (K,) int32
        Series that have steps.
    step : (K, N) float64
        Last step in the bucket, NaN where there is none.
    last : (S,) float64, or None
        The newest value, NaN where there is none or the newest reading is missing; None where
        that is not known.
    """

    ids: NDArray[np.int32]
    edges: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    missing: NDArray[np.bool_]
    stepped: NDArray[np.int32]
    step: NDArray[np.float64]
    last: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows that arrived together, and the first and last time among them."""

    rows: Rows
    start: int
    end: int

    @classmethod
    def of(cls, blocks: Sequence[Rows]) -> _Block:
        rows = Rows.concat(blocks)
        return cls(rows, int(rows.time.min()), int(rows.time.max()))


class History:
    """The past of every series, bounded in bytes.

    Parameters
    ----------
    interval_s : float
        Seconds between readings; the finest buckets are about half of it, at least 0.1 s.
    budget_bytes : int
        Bytes held in all. The envelopes stay; of the whole rows the oldest go first.

    Notes
    -----
    A series takes memory when its first row arrives, about 18 kB once a session has lasted for
    days. Inside, it has a number of its own, its line: many ids are of text, and never drawn.
    """

    def __init__(self, interval_s: float = 1.0, budget_bytes: int = 256 << 20) -> None:
        self._base_us = int(min(max(interval_s / 2, 0.1), 1.0) * 1e6)
        self._grids = [Grid(self._base_us)]
        self._line = np.zeros(0, np.int32)
        """Id to line, -1 where there is none."""
        self._lines = self._stepped = 0
        self._step_line = np.zeros(0, np.int32)
        """Line to its place among those with steps, -1 where it has none."""
        self._last = np.zeros(0)
        self._last_us = np.zeros(0, np.int64)
        self._recent: deque[_Block] = deque()
        self._newest: list[Rows] = []
        self._recent_bytes = 0
        self._budget = budget_bytes
        self._unmarked: list[Rows] = []
        self._unmarked_rows = 0
        self.forgotten_before_us = 0
        """Rows older than this are only known as envelopes."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._recent_bytes + self._envelope_bytes()

    def _envelope_bytes(self) -> int:
        return sum(grid.nbytes for grid in self._grids)

    def add(self, rows: Rows) -> None:
        """Take in rows in display form, in arrival order."""
        if not len(rows):
            return
        self._newest.append(rows)
        self._recent_bytes += rows.nbytes
        room = max(self._budget - self._envelope_bytes(), self._budget // ROWS_AT_LEAST)
        full = self._recent_bytes > room and not self._recent
        if len(self._newest) >= TOGETHER or full:
            self._recent.append(_Block.of(self._newest))
            self._newest = []
        while self._recent_bytes > room and (
            len(self._recent) > 1 or (self._recent and self._newest)
        ):
            gone = self._recent.popleft()
            self._recent_bytes -= gone.rows.nbytes
            self.forgotten_before_us = max(self.forgotten_before_us, gone.end + 1)
        # Marking many rows at once costs hardly more than marking a few.
        self._unmarked.append(rows)
        self._unmarked_rows += len(rows)
        if self._unmarked_rows >= MARKED_AT_ONCE:
            self._catch_up()

    def release(self) -> None:
        """Let go of the whole rows; the envelopes stay."""
        self._recent.clear()
        self._newest = []
        self._recent_bytes = 0
        self.forgotten_before_us = max(self.forgotten_before_us, self._grids[0].end_us)

    def _catch_up(self) -> None:
        if self._unmarked:
            rows = Rows.concat(self._unmarked)
            self._unmarked, self._unmarked_rows = [], 0
            self._mark(rows)

    def _mark(self, rows: Rows) -> None:
        grid = self._grids[0]
        lines = self._lines_of(rows)
        self._note_last(lines, rows)
        self._give_steps(lines[rows.step != NO_STEP])
        grid.grow(self._lines, self._stepped)
        rows = Rows(lines, rows.time, rows.step, rows.value)
        bucket = rows.time // grid.width_us
        if grid.head < 0:
            grid.advance(int(bucket.min()))
        elif len(self._grids) == 1:
            grid.first = min(grid.first, max(int(bucket.min()), grid.head - COLUMNS + 1))
        # A block can span more time than a grid holds: walk through it in steps, so that
        # each column is folded before it is used again.
        while len(rows):
            near = bucket <= grid.head + COLUMNS // 2
            if near.any():
                self._put(grid, _pick(rows, near), bucket[near])
                rows, bucket = _pick(rows, ~near), bucket[~near]
            else:
                self._leap(int(bucket.min()))

    def _lines_of(self, rows: Rows) -> NDArray[np.int32]:
        """Return the line of each row; series that are new get theirs."""
        most = int(rows.series.max()) + 1
        if most > len(self._line):
            self._line = extended(self._line, most, -1)
        lines = self._line[rows.series]
        if lines.min() < 0:
            fresh = np.unique(rows.series[lines < 0])
            self._line[fresh] = np.arange(self._lines, self._lines + len(fresh))
            self._lines += len(fresh)
            self._step_line = extended(self._step_line, self._lines, -1)
            self._last = extended(self._last, self._lines, np.nan)
            self._last_us = extended(self._last_us, self._lines, np.iinfo(np.int64).min)
            lines = self._line[rows.series]
        return lines

    def _give_steps(self, lines: NDArray[np.int32]) -> None:
        """Give these lines a place for their steps, if they have none yet."""
        fresh = np.unique(lines[self._step_line[lines] < 0])
        self._step_line[fresh] = np.arange(self._stepped, self._stepped + len(fresh))
        self._stepped += len(fresh)

    def _note_last(self, lines: NDArray[np.int32], rows: Rows) -> None:
        # Of equal times the later arrival counts; numpy keeps the last of what is assigned twice.
        order = np.argsort(rows.time, kind="stable")
        lines, time, value = lines[order], rows.time[order], rows.value[order]
        newer = time >= self._last_us[lines]
        self._last[lines[newer]] = value[newer]
        self._last_us[lines[newer]] = time[newer]

    def _leap(self, bucket: int) -> None:
        """Bring the grids across a long silence, folding what would be overwritten."""
        level = 0
        while level < len(self._grids):
            grid = self._grids[level]
            if bucket <= grid.head + COLUMNS // 2:
                return
            if level + 1 < len(self._grids) or bucket - grid.first >= COLUMNS // 2:
                self._fold(level, slack=-FOLD)
            grid.advance(bucket if level == 0 else bucket - 1)
            bucket //= FOLD
            level += 1

    def _put(self, grid: Grid, rows: Rows, bucket: NDArray[np.int64]) -> None:
        if len(bucket):
            grid.advance(int(bucket.max()))
        keep = grid.held(bucket)
        lines, bucket, step = rows.series[keep], bucket[keep], rows.step[keep]
        grid.put(lines, bucket, rows.value[keep])
        has_step = step != NO_STEP
        if has_step.any():
            column = bucket[has_step] % COLUMNS
            grid.step[self._step_line[lines[has_step]], column] = step[has_step]
        self._fold(0, SLACK)

    def _fold(self, level: int, slack: int) -> None:
        """Bring the finished columns of one grid into the next coarser one.

        `slack` newest columns wait for late rows; a negative slack folds unfinished ones too.
        """
        fine = self._grids[level]
        done = (fine.head - slack) // FOLD - 1
        if level + 1 == len(self._grids):
            if done < fine.first // FOLD:
                return
            self._grids.append(Grid(fine.width_us * FOLD))
            self._grids[-1].head = fine.first // FOLD - 1
            self._grids[-1].first = fine.first // FOLD
        coarse = self._grids[level + 1]
        if done > coarse.head:
            coarse.fold(fine, done)
            self._fold(level + 1, SLACK)

    def screen(self, ids: Collection[int] | None = None) -> Screen:
        """Return envelopes of the whole past, finer towards now.

        Parameters
        ----------
        ids : collection of int or None
            Which series; None is all. Those of which no row has arrived are left out.
        """
        self._catch_up()
        drawn = np.flatnonzero(self._line >= 0).astype(np.int32)
        chosen = drawn if ids is None else drawn[np.isin(drawn, np.array([*ids], np.int64))]
        spans = self._spans()
        if not spans:
            none = np.empty((len(chosen), 0))
            return Screen(
                chosen, np.zeros(1), none, none, none.astype(np.bool_), chosen[:0], none[:0]
            )
        for grid, _, _ in spans:
            grid.grow(self._lines, self._stepped)
        lines = self._line[chosen]
        stepped = chosen[self._step_line[lines] >= 0]
        edges = [np.arange(a, b) * g.width_us / 1e6 for g, a, b in spans]
        grid, _, last = spans[-1]
        edges.append(np.array([last * grid.width_us / 1e6]))
        low, high, lost = (
            np.concatenate([getattr(g, name)[_at(lines, a, b)] for g, a, b in spans], axis=1)
            for name in ("low", "high", "lost")
        )
        places = self._step_line[self._line[stepped]]
        step = np.concatenate([g.step[_at(places, a, b)] for g, a, b in spans], axis=1)
        missing = lost & (low > high)
        # Missing goes on until the next sample: its first empty bucket is where the gap is.
        missing[:, 1:] |= (low > high)[:, 1:] & lost[:, :-1]
        newest = self._last[lines]
        return Screen(chosen, np.concatenate(edges), low, high, missing, stepped, step, newest)

    def _spans(self) -> list[tuple[Grid, int, int]]:
        """Which buckets of which grid make up the picture, oldest first."""
        if self._grids[0].head < 0:
            return []
        spans: list[tuple[Grid, int, int]] = []
        finest = max(0, len(self._grids) - LEVELS_SHOWN)
        end = self._grids[0].head + 1
        for level, grid in enumerate(self._grids):
            wanted = 0 if level < finest else SHOWN if level == finest else SHOWN - SHOWN // FOLD
            start = max(end - wanted, grid.first)
            if level + 1 < len(self._grids):
                # A coarser bucket must begin exactly where this grid's part begins, and what
                # is not folded yet is only here.
                start = min(start + -start % FOLD, (self._grids[level + 1].head + 1) * FOLD)
            if start < end:
                spans.append((grid, start, end))
            end = min(start, end) // FOLD
        return spans[::-1]

    def everything(self, ids: Collection[int], most: int) -> Rows:
        """Return all rows of `ids`, whole; none where more than `most` have arrived."""
        arrived = sum(len(block.rows) for block in self._recent) + sum(map(len, self._newest))
        if self.forgotten_before_us or arrived > most:
            return Rows.concat([])
        return self.rows(ids, *_EVER_US)

    def rows(self, ids: Collection[int], t0_us: int, t1_us: int) -> Rows:
        """Return the whole rows of `ids` with t0 <= time <= t1, as far as they are kept."""
        wanted = np.array(sorted(ids), np.int32)
        found = []
        near = [b.rows for b in self._recent if b.end >= t0_us and b.start <= t1_us]
        for block in (*near, *self._newest):
            keep = np.isin(block.series, wanted) & (block.time >= t0_us) & (block.time <= t1_us)
            if keep.any():
                found.append(_pick(block, keep))
        return Rows.concat(found)


def reduce_rows(rows: Rows, points: int) -> tuple[Rows, list[int]]:
    """Return rows with at most `4 * points` left of each series, its extremes among them.

    Parameters
    ----------
    rows : Rows
    points : int
        Buckets of equal numbers of rows; of each the first, smallest, largest and last stay.

    Returns
    -------
    Rows
        Sorted by series, then by time.
    list of int
        The series of which rows were left out.
    """
    order = np.lexsort((rows.time, rows.series))
    ordered = _pick(rows, order)
    starts = np.flatnonzero(np.diff(ordered.series, prepend=np.int32(-1)))
    counts = np.diff(np.append(starts, len(ordered)))
    keep = np.ones(len(ordered), np.bool_)
    reduced = []
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        if count <= 4 * points:
            continue
        reduced.append(int(ordered.series[start]))
        value = ordered.value[start : start + count]
        keep[start : start + count] = False
        keep[start + _extremes(value, points)] = True
    return _pick(ordered, keep), reduced


def _extremes(value: NDArray[np.float64], buckets: int) -> NDArray[np.int64]:
    bounds = np.linspace(0, len(value), buckets + 1).astype(np.int64)
    chosen = [bounds[:-1], bounds[1:] - 1, np.flatnonzero(np.isnan(value))]
    for fill, find in ((np.inf, np.argmin), (-np.inf, np.argmax)):
        filled = np.where(np.isnan(value), fill, value)
        parts = np.split(filled, bounds[1:-1])
        chosen.append(bounds[:-1] + np.array([find(part) for part in parts], np.int64))
    return np.unique(np.concatenate(chosen))


def _pick(rows: Rows, which: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
    return Rows(rows.series[which], rows.time[which], rows.step[which], rows.value[which])


def _at(
    ids: NDArray[np.int32], start: int, end: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return ids[:, None], (np.arange(start, end) % COLUMNS)[None, :]

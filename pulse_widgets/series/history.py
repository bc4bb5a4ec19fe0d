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

from pulse_widgets.series.log import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

__all__ = ["History", "Screen", "reduce_rows"]

FOLD: Final = 4
COLUMNS: Final = 128
"""Columns a grid holds; twice what a picture takes, the rest waits for late rows."""
SHOWN: Final = 56
SLACK: Final = 8
LEVELS_SHOWN: Final = 6
TOGETHER: Final = 64
"""So many blocks that arrived are kept as one: looking through them costs by the block."""
MARKED_AT_ONCE: Final = 4096


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


class _Grid:
    """Envelopes of all series in buckets of one width; a ring of the newest columns."""

    def __init__(self, width_us: int) -> None:
        self.width_us = width_us
        self.head = -1
        """Number of the newest bucket (time // width), -1 before the first sample."""
        self.first = 0
        self._shape(0)

    def _shape(self, series: int) -> None:
        self.low = np.full((series, COLUMNS), np.inf)
        self.high = np.full((series, COLUMNS), -np.inf)
        self.lost = np.zeros((series, COLUMNS), np.bool_)
        self.step = np.full((series, COLUMNS), np.nan)

    @property
    def end_us(self) -> int:
        return (self.head + 1) * self.width_us

    @property
    def nbytes(self) -> int:
        return self.low.nbytes + self.high.nbytes + self.lost.nbytes + self.step.nbytes

    def grow(self, series: int) -> None:
        """Make room for `series` series."""
        have = len(self.low)
        if series <= have:
            return
        old = (self.low, self.high, self.lost, self.step)
        self._shape(max(series, 2 * have, 64))
        for new, kept in zip((self.low, self.high, self.lost, self.step), old, strict=True):
            new[:have] = kept

    def advance(self, bucket: int) -> None:
        """Make `bucket` the newest, with empty columns between."""
        if self.head < 0:
            self.head = self.first = bucket
            return
        if bucket <= self.head:
            return
        fresh = np.arange(max(self.head + 1, bucket - COLUMNS + 1), bucket + 1) % COLUMNS
        self.low[:, fresh] = np.inf
        self.high[:, fresh] = -np.inf
        self.lost[:, fresh] = False
        self.step[:, fresh] = np.nan
        self.head = bucket

    def held(self, bucket: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which buckets still have a column."""
        return (bucket > self.head - COLUMNS) & (bucket <= self.head)


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
        Bytes of whole rows kept; the oldest go first. The envelopes stay.
    """

    def __init__(self, interval_s: float = 1.0, budget_bytes: int = 192 << 20) -> None:
        self._base_us = int(min(max(interval_s / 2, 0.1), 1.0) * 1e6)
        self._grids = [_Grid(self._base_us)]
        self._series = 0
        self._stepped: set[int] = set()
        self._last = np.full(0, np.nan)
        self._last_us = np.full(0, np.iinfo(np.int64).min)
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
        return self._recent_bytes + sum(grid.nbytes for grid in self._grids)

    def add(self, rows: Rows) -> None:
        """Take in rows in display form, in arrival order."""
        if not len(rows):
            return
        self._newest.append(rows)
        self._recent_bytes += rows.nbytes
        full = self._recent_bytes > self._budget and not self._recent
        if len(self._newest) >= TOGETHER or full:
            self._recent.append(_Block.of(self._newest))
            self._newest = []
        while self._recent_bytes > self._budget and (
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
        self._series = max(self._series, int(rows.series.max()) + 1)
        self._note_last(rows)
        grid.grow(self._series)
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

    def _note_last(self, rows: Rows) -> None:
        if len(self._last) < self._series:
            more = max(self._series, 2 * len(self._last)) - len(self._last)
            self._last = np.append(self._last, np.full(more, np.nan))
            self._last_us = np.append(self._last_us, np.full(more, np.iinfo(np.int64).min))
        # Of equal times the later arrival counts; numpy keeps the last of what is assigned twice.
        order = np.argsort(rows.time, kind="stable")
        ids, time, value = rows.series[order], rows.time[order], rows.value[order]
        newer = time >= self._last_us[ids]
        self._last[ids[newer]] = value[newer]
        self._last_us[ids[newer]] = time[newer]

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

    def _put(self, grid: _Grid, rows: Rows, bucket: NDArray[np.int64]) -> None:
        if len(bucket):
            grid.advance(int(bucket.max()))
        keep = grid.held(bucket)
        ids, column, value = rows.series[keep], bucket[keep] % COLUMNS, rows.value[keep]
        np.fmin.at(grid.low, (ids, column), np.where(np.isnan(value), np.inf, value))
        np.fmax.at(grid.high, (ids, column), np.where(np.isnan(value), -np.inf, value))
        grid.lost[ids, column] = np.isnan(value)
        step = rows.step[keep]
        has_step = step != NO_STEP
        if has_step.any():
            grid.step[ids[has_step], column[has_step]] = step[has_step]
            self._stepped.update(ids[has_step].tolist())
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
            self._grids.append(_Grid(fine.width_us * FOLD))
            self._grids[-1].head = fine.first // FOLD - 1
            self._grids[-1].first = fine.first // FOLD
        coarse = self._grids[level + 1]
        if done <= coarse.head:
            return
        coarse.grow(len(fine.low))
        columns = np.arange(max(coarse.head + 1, (fine.head - COLUMNS) // FOLD + 1), done + 1)
        coarse.advance(done)
        parts = (columns[:, None] * FOLD + np.arange(FOLD)) % COLUMNS
        # A ring has no columns beyond its head: what stands there is older.
        beyond = columns[:, None] * FOLD + np.arange(FOLD) > fine.head
        target = columns % COLUMNS
        _fold_into(coarse, target, fine, parts, beyond)
        self._fold(level + 1, SLACK)

    def screen(self, ids: Collection[int] | None = None) -> Screen:
        """Return envelopes of the whole past, finer towards now.

        Parameters
        ----------
        ids : collection of int or None
            Which series; None is all.
        """
        self._catch_up()
        chosen = np.array(
            range(self._series) if ids is None else [i for i in ids if i < self._series], np.int32
        )
        spans = self._spans()
        if not spans:
            none = np.empty((len(chosen), 0))
            return Screen(
                chosen, np.zeros(1), none, none, none.astype(np.bool_), chosen[:0], none[:0]
            )
        for grid, _, _ in spans:
            grid.grow(self._series)
        stepped = np.array(sorted(self._stepped.intersection(chosen.tolist())), np.int32)
        edges = [np.arange(a, b) * g.width_us / 1e6 for g, a, b in spans]
        grid, _, last = spans[-1]
        edges.append(np.array([last * grid.width_us / 1e6]))
        low, high, lost = (
            np.concatenate([getattr(g, name)[_at(chosen, a, b)] for g, a, b in spans], axis=1)
            for name in ("low", "high", "lost")
        )
        step = np.concatenate([g.step[_at(stepped, a, b)] for g, a, b in spans], axis=1)
        missing = lost & (low > high)
        # Missing goes on until the next sample: its first empty bucket is where the gap is.
        missing[:, 1:] |= (low > high)[:, 1:] & lost[:, :-1]
        newest = self._last[chosen]
        return Screen(chosen, np.concatenate(edges), low, high, missing, stepped, step, newest)

    def _spans(self) -> list[tuple[_Grid, int, int]]:
        """Which buckets of which grid make up the picture, oldest first."""
        if self._grids[0].head < 0:
            return []
        spans: list[tuple[_Grid, int, int]] = []
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


def _fold_into(
    coarse: _Grid,
    target: NDArray[np.int64],
    fine: _Grid,
    parts: NDArray[np.int64],
    beyond: NDArray[np.bool_],
) -> None:
    """Fill columns of the coarse grid from groups of columns of the fine one."""
    height = len(fine.low)
    low = np.where(beyond, np.inf, fine.low[:, parts])
    high = np.where(beyond, -np.inf, fine.high[:, parts])
    lost = fine.lost[:, parts] & ~beyond
    last = np.zeros(lost.shape[:2], np.bool_)
    for part in range(FOLD):
        seen = (low[:, :, part] <= high[:, :, part]) | lost[:, :, part]
        last = np.where(seen, lost[:, :, part], last)
    coarse.low[:height, target] = low.min(axis=2)
    coarse.high[:height, target] = high.max(axis=2)
    coarse.lost[:height, target] = last
    step = np.where(beyond, np.nan, fine.step[:, parts])
    coarse.step[:height, target] = np.fmax.reduce(step, axis=2)

"""The past of a session as views need it: envelopes at every scale, and the newest rows whole."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.envelopes import mean_of
from pulse_widgets.series.grid import BUCKET_BYTES, COLUMNS, STEP_BYTES
from pulse_widgets.series.pyramid import ARRIVALS, Pyramid
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.slots import SlotTable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.older import Part

__all__ = ["History", "Screen", "Sketch", "find_rows", "reduce_rows"]

BLOCKS_JOINED: Final = 64
"""So many blocks that arrived are kept as one: looking through them costs by the block."""
FOLDED_AT_ONCE: Final = 4096
FOLDED_AT_MOST: Final = 1 << 15
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
    mean : (S, N) float64
        Mean of the values in the bucket; NaN where there is none, or where it is not known.
    missing : (S, N) bool
        The bucket has no sample because readings were missing, and is to be drawn as a gap.
    stepped : (K,) int32
        Series that have steps.
    step : (K, N) float64
        Last step in the bucket, NaN where there is none.
    last : (S,) float64, or None
        The newest value, NaN where there is none or the newest reading is missing; None where
        that is not known.
    weight : (S, N) float64, or None
        How many values the mean is of, which may be a part of one; None where that is not known.
    grain : (S,) int64, or None
        How coarse the values are to be told in a keyframe, see `pulse_widgets.series.wire`;
        None is as fine as can be.
    """

    ids: NDArray[np.int32]
    edges: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    missing: NDArray[np.bool_]
    stepped: NDArray[np.int32]
    step: NDArray[np.float64]
    last: NDArray[np.float64] | None = None
    weight: NDArray[np.float64] | None = None
    grain: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """The parts of a screen, copied from a history; putting them together needs no lock."""

    ids: NDArray[np.int32]
    stepped: NDArray[np.int32]
    last: NDArray[np.float64]
    parts: list[Part]

    def screen(self) -> Screen:
        """Return the parts as one."""
        if not self.parts:
            none = np.empty((len(self.ids), 0))
            empty = none.astype(np.bool_)
            stepped, step = self.stepped[:0], none[:0]
            return Screen(
                self.ids, np.zeros(1), none, none, none, empty, stepped, step, self.last, none
            )
        parts = [part.joined() for part in self.parts]
        edges = [part.edges_us[:-1] for part in parts] + [parts[-1].edges_us[-1:]]
        low, high, total, count, lost, step = (
            np.concatenate(fields, axis=1)
            for fields in zip(*(part.buckets for part in parts), strict=True)
        )
        empty = low > high
        missing = lost & empty
        # A missing reading lasts until the next sample, so the empty bucket after it is a gap.
        missing[:, 1:] |= empty[:, 1:] & lost[:, :-1]
        seconds = np.concatenate(edges) / 1e6
        mean, weight = mean_of(total, count, low, high), count.astype(np.float64)
        return Screen(
            self.ids, seconds, low, high, mean, missing, self.stepped, step, self.last, weight
        )


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
        Bytes held in all. Of the whole rows the oldest go first. Where the envelopes alone need
        too much, series that have ended go, those that ended longest ago first; then the buckets
        become wider; at last those series go that have been silent for longest.

    Notes
    -----
    A series takes memory when its first row arrives: at most 25 kB, or 31 kB where it has steps,
    however long a session lasts. Arrays that grow get a quarter more, for the series to come.
    """

    def __init__(self, interval_s: float = 1.0, budget_bytes: int = 256 << 20) -> None:
        self._slots = SlotTable()
        self._pyramid = Pyramid(int(min(max(interval_s / 2, 0.1), 1.0) * 1e6))
        self._recent: deque[_Block] = deque()
        self._newest: list[Rows] = []
        self._recent_bytes = 0
        self._budget = budget_bytes
        self._pending: list[Rows] = []
        self._pending_count = 0
        self._end_us = 0
        self.forgotten_before_us = 0
        """Rows older than this are only known as envelopes."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._recent_bytes + self._envelope_bytes()

    def _envelope_bytes(self) -> int:
        return self._pyramid.nbytes + self._slots.nbytes

    def add(self, rows: Rows) -> None:
        """Take in rows in display form, in arrival order."""
        if not len(rows):
            return
        self._newest.append(rows)
        self._end_us = max(self._end_us, int(rows.time.max()) + 1)
        self._recent_bytes += rows.nbytes
        if len(self._newest) >= BLOCKS_JOINED:
            self._recent.append(_Block.of(self._newest))
            self._newest = []
        self._trim()
        # Rows are added to the envelopes in bulk: many at once cost hardly more than a few.
        self._pending.append(rows)
        self._pending_count += len(rows)
        if self._pending_count >= FOLDED_AT_ONCE:
            self._catch_up()

    def _trim(self) -> None:
        """Forget the oldest whole rows that there is no room for; the newest block stays."""
        room = max(self._budget - self._envelope_bytes(), self._budget // ROWS_AT_LEAST)
        while self._recent_bytes > room and len(self._recent) + len(self._newest) > 1:
            if not self._recent:
                half = len(self._newest) // 2
                self._recent.append(_Block.of(self._newest[:half]))
                self._newest = self._newest[half:]
            gone = self._recent.popleft()
            self._recent_bytes -= gone.rows.nbytes
            self.forgotten_before_us = max(self.forgotten_before_us, gone.end + 1)

    def release(self) -> None:
        """Drop the whole rows; the envelopes stay."""
        self._recent.clear()
        self._newest = []
        self._recent_bytes = 0
        self.forgotten_before_us = max(self.forgotten_before_us, self._end_us)

    def _catch_up(self) -> None:
        if self._pending:
            rows = Rows.concat(self._pending)
            self._pending, self._pending_count = [], 0
            # The series of a batch are never retired to make room for it, so a batch is bounded.
            for first in range(0, len(rows), FOLDED_AT_MOST):
                self._fold_in(rows.cut(first, first + FOLDED_AT_MOST))
            self._trim()

    def _fold_in(self, rows: Rows) -> None:
        order = np.argsort(rows.time, kind="stable")
        ordered, slots = rows.take(order), self._slots
        at = slots.of(ordered.series)
        slots.note(at, ordered.time, ordered.value)
        slots.give_steps(at[ordered.step != NO_STEP])
        if self._over():
            self._make_room(at)
            at = slots.of(ordered.series)
        ordered = Rows(at.astype(np.int32), ordered.time, ordered.step, ordered.value)
        self._pyramid.take(
            ordered, slots.step_slot[: slots.count], slots.count, rows.time[-ARRIVALS:]
        )

    def _envelope_budget(self) -> int:
        return self._budget - self._budget // ROWS_AT_LEAST

    def _needed(self) -> tuple[int, int]:
        """Bytes of one grid with all slots, and of all else that envelopes need."""
        slots, pyramid = self._slots, self._pyramid
        room, step_room = pyramid.room_for(slots.count, slots.stepped)
        a_grid = COLUMNS * (BUCKET_BYTES * room + STEP_BYTES * step_room)
        return a_grid, pyramid.other_bytes + slots.nbytes

    def _over(self) -> bool:
        a_grid, other = self._needed()
        left = self._envelope_budget() - other
        self._pyramid.allow(left // max(a_grid, 1))
        return a_grid * self._pyramid.size > left

    def _make_room(self, busy: NDArray[np.int64]) -> None:
        """Keep the envelopes within the budget, without touching these slots.

        Series that have ended go first, those that ended longest ago. If that is not enough, the
        history gets wider buckets. Beyond that those go that have been silent for longest.
        """
        missing = np.isnan(self._slots.last[: self._slots.count])
        self._retire(missing, busy)
        if self._over():
            self._pyramid.shrink(self._pyramid.most)
        if self._over():
            self._retire(np.ones(self._slots.count, np.bool_), busy)

    def _retire(self, which: NDArray[np.bool_], busy: NDArray[np.int64]) -> None:
        slots, pyramid = self._slots, self._pyramid
        which[busy] = which[pyramid.waiting_slots] = False
        a_grid, other = self._needed()
        left = max(self._envelope_budget() - other, 0)
        # More than needed are retired, since retiring any copies every slot that stays.
        stay = slots.count * left // max(a_grid * max(pyramid.size, 1), 1) * 15 // 16
        gone = np.flatnonzero(which)
        gone = gone[np.argsort(slots.last_us[gone], kind="stable")][: max(slots.count - stay, 0)]
        if len(gone):
            mask = np.zeros(slots.count, np.bool_)
            mask[gone] = True
            pyramid.keep(*slots.retire(mask))

    def screen(self, ids: Collection[int] | None = None) -> Screen:
        """Return envelopes of the whole past, finer towards now.

        Parameters
        ----------
        ids : collection of int or None
            Which series; None is all. Those without envelopes are left out: no row has arrived,
            or they ended so long ago that their memory was needed.
        """
        return self.sketch(ids).screen()

    def sketch(self, ids: Collection[int] | None = None) -> Sketch:
        """Return what `screen` needs, copied: what is added later does not change it."""
        self._catch_up()
        slots = self._slots
        drawn = np.flatnonzero(slots.slot >= 0).astype(np.int32)
        chosen = drawn if ids is None else drawn[np.isin(drawn, np.array([*ids], np.int64))]
        at = slots.slot[chosen].astype(np.int64)
        stepped = slots.step_slot[at] >= 0
        parts = self._pyramid.parts(at, slots.step_slot[at[stepped]].astype(np.int64))
        return Sketch(chosen, chosen[stepped], slots.last[at], parts)

    def everything(self, most: int) -> list[Rows]:
        """Return all blocks of rows; none where more than `most` rows have arrived."""
        arrived = sum(len(block.rows) for block in self._recent) + sum(map(len, self._newest))
        return [] if self.forgotten_before_us or arrived > most else self.blocks(*_EVER_US)

    def blocks(self, t0_us: int, t1_us: int) -> list[Rows]:
        """Return the blocks that may have rows with t0 <= time <= t1; they never change."""
        near = [b.rows for b in self._recent if b.end >= t0_us and b.start <= t1_us]
        return near + self._newest

    def rows(self, ids: Collection[int], t0_us: int, t1_us: int) -> Rows:
        """Return the whole rows of `ids` with t0 <= time <= t1, as far as they are kept."""
        return find_rows(self.blocks(t0_us, t1_us), ids, t0_us, t1_us)


def find_rows(
    blocks: Sequence[Rows], ids: Collection[int], t0_us: int = _EVER_US[0], t1_us: int = _EVER_US[1]
) -> Rows:
    """Return the rows of `ids` with t0 <= time <= t1 that are in some blocks."""
    wanted = np.array(sorted(ids), np.int32)
    found = []
    for block in blocks:
        keep = np.isin(block.series, wanted) & (block.time >= t0_us) & (block.time <= t1_us)
        if keep.any():
            found.append(block.take(keep))
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
    ordered = rows.take(order)
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
    return ordered.take(keep), reduced


def _extremes(value: NDArray[np.float64], buckets: int) -> NDArray[np.int64]:
    bounds = np.linspace(0, len(value), buckets + 1).astype(np.int64)
    chosen = [bounds[:-1], bounds[1:] - 1, np.flatnonzero(np.isnan(value))]
    for fill, find in ((np.inf, np.argmin), (-np.inf, np.argmax)):
        filled = np.where(np.isnan(value), fill, value)
        parts = np.split(filled, bounds[1:-1])
        chosen.append(bounds[:-1] + np.array([find(part) for part in parts], np.int64))
    return np.unique(np.concatenate(chosen))

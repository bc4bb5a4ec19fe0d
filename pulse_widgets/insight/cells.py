"""What happened while cells ran: integrals, differences and peaks of readings over many stretches.

Each function answers for all stretches at once, from sums that are made in one pass over the
readings. What the readings do not say is NaN, and `Answer.why` says why.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.series.columns import Columns
from pulse_widgets.series.gaps import gaps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "NEVER",
    "Answer",
    "Stretches",
    "Why",
    "averaged",
    "grown",
    "left",
    "overlaps",
    "peak",
    "together",
    "total",
]

COVERED: Final = 0.99
"""Readings that cover this share of a cell stand for all of it."""
LEAST: Final = 0.9
"""A cell needs this share of the spacing of readings; they are not taken to the microsecond."""
AT_END_US: Final = 100_000
"""So soon after the end of a cell a reading still tells of it."""
NEVER: Final = 2**63 - 1
AT_START_US: Final = 20_000
"""So soon after the start of a cell a reading is still of what was before it."""
HOLD: Final = 1.5
"""Before the first reading and after the last one these count for so many usual spacings."""
OVERLAPS_MOST: Final = 20
"""So many cells at most are named that ran beside another."""


class Why(IntEnum):
    """Why a number is there, or not."""

    KNOWN = 0
    NO_SOURCE = 1
    """Nothing reads it here."""
    NOT_COVERED = 2
    """Readings are missing while the cell ran."""
    TOO_SHORT = 3
    """The cell is too short for readings so rare."""
    RESET = 4
    """The counter began anew meanwhile."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """When n cells ran.

    Attributes
    ----------
    start, end : (n,) int64
        Microseconds; start <= end.
    following : (n,) int64, optional
        When the next cell of the machine began, after each; `NEVER` where none did.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    following: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.start)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """How long each is."""
        return (self.end - self.start) / 1e6

    def take(self, places: NDArray[np.int64]) -> Stretches:
        """Return those at `places`."""
        following = None if self.following is None else self.following[places]
        return Stretches(self.start[places], self.end[places], following)


@dataclass(frozen=True, slots=True)
class Answer:
    """One number for each of n stretches.

    Attributes
    ----------
    value : (n,) float64
        NaN where it is not known.
    error : (n,) float64
        How far off the value may be, where that is known; else NaN.
    why : (n,) int8
        A `Why`.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    why: NDArray[np.int8]

    @classmethod
    def of(
        cls, value: NDArray[np.float64], why: NDArray[np.int8], error: NDArray[np.float64] | None
    ) -> Answer:
        """Return an answer that has no number where there is a reason for that."""
        known = why == Why.KNOWN
        errors = np.full(len(value), np.nan) if error is None else error
        return cls(np.where(known, value, np.nan), np.where(known, errors, np.nan), why)

    @classmethod
    def none(cls, count: int, why: Why = Why.NO_SOURCE) -> Answer:
        """Return that nothing is known of so many stretches."""
        return cls(np.full(count, np.nan), np.full(count, np.nan), np.full(count, why, np.int8))

    def plus(self, other: Answer) -> Answer:
        """Return the sum; where one of the two is not known, it is not."""
        why = np.maximum(self.why, other.why)
        return Answer(self.value + other.value, self.error + other.error, why)

    def greatest(self, other: Answer) -> Answer:
        """Return the greater of both; where one of the two is not known, the other."""
        mine = ~(other.value > self.value) & (self.why == Why.KNOWN)
        mine |= other.why != Why.KNOWN
        pairs = ((self.value, other.value), (self.error, other.error), (self.why, other.why))
        return Answer(*(np.where(mine, a, b) for a, b in pairs))

    def put(self, places: NDArray[np.int64], other: Answer) -> None:
        """Set some of the numbers."""
        self.value[places], self.error[places] = other.value, other.error
        self.why[places] = other.why

    def scaled(self, factor: NDArray[np.float64]) -> Answer:
        """Return the same in another unit."""
        return Answer(self.value * factor, self.error * factor, self.why)


def total(answers: Sequence[Answer]) -> Answer:
    """Return the sum of several answers; where one is not known the sum is not."""
    first, *others = answers
    for one in others:
        first = first.plus(one)
    return first


class _Gauge:
    """Readings of a gauge, with sums up to each.

    Between two readings the value goes straight from one to the other. Nothing is known from a
    missing reading to the next one, and across a silence.
    """

    def __init__(self, columns: Columns, kind: str, entity: str) -> None:
        self.time, self.value = columns.time, columns.value
        count = len(self.time)
        spacing = np.diff(self.time) / 1e6
        finite = np.isfinite(self.value)
        silent = np.zeros(count, np.bool_)
        silent[gaps_of(self.time, self.value, kind, entity).silent] = True
        # A missing reading says that nothing is known from it on: until then the last one holds.
        after = np.where(finite[1:], self.value[1:], self.value[:-1])
        self.known = finite[:-1] & ~silent[1:]
        self.slope = np.divide(
            after - self.value[:-1],
            spacing,
            out=np.zeros(len(spacing)),
            where=self.known & (spacing > 0),
        )
        areas = np.where(self.known, spacing * (after + self.value[:-1]) / 2, 0.0)
        swings = np.where(self.known, spacing * np.abs(after - self.value[:-1]) / 2, 0.0)
        self.area = np.concatenate([[0.0], np.cumsum(areas)])
        self.covered = np.concatenate([[0.0], np.cumsum(np.where(self.known, spacing, 0.0))])
        self.swing = np.concatenate([[0.0], np.cumsum(swings)])
        self.finite = finite
        self.hold = _hold(self.time) / 1e6

    def until(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return three sums from the first reading to each time.

        Returns
        -------
        (3, n) float64
            Value times seconds; how far off that may be at most, if between two readings the
            value stays between them; the seconds that are known.
        """
        row = np.clip(np.searchsorted(self.time, at, "right") - 1, 0, len(self.time) - 1)
        passed = (at - self.time[row]) / 1e6
        # Outside of all readings the nearest one holds for a while.
        outside = (row == len(self.time) - 1) | (passed < 0)
        inside = ~outside
        inside[inside] = self.known[row[inside]]
        held = np.where(outside & self.finite[row], np.clip(passed, -self.hold, self.hold), 0.0)
        part = np.where(inside, passed, held)
        slope, swing = np.zeros(len(at)), np.zeros(len(at))
        slope[inside] = self.slope[row[inside]]
        within = row[inside]
        swing[inside] = self.swing[within + 1] - self.swing[within]
        with np.errstate(invalid="ignore"):
            reading = np.where(part == 0, 0.0, self.value[row])
        area = self.area[row] + reading * part + slope * part * part / 2
        # Of a spacing that an end lies in, all of its swing counts.
        return np.stack([area, self.swing[row] + swing, self.covered[row] + part])

    def within(self, cells: Stretches) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what `until` returns of the time inside each cell, and which are not covered."""
        sums = self.until(cells.end) - self.until(cells.start)
        first = np.clip(np.searchsorted(self.time, cells.start, "right") - 1, 0, len(self.time) - 1)
        inside = np.append(np.diff(self.swing), 0.0)[first]
        sums[1] += np.where(cells.start >= self.time[0], inside, 0.0)
        return sums, sums[2] < COVERED * cells.seconds

    def short(self, cells: Stretches) -> NDArray[np.bool_]:
        """Return which cells are shorter than the spacing of the readings next to their ends."""
        first, last = self.nearest(cells.start), self.nearest(cells.end)
        apart = last - first
        spacing = (self.time[last] - self.time[first]) / np.maximum(apart, 1)
        long = (apart >= 1) & (cells.end - cells.start >= LEAST * spacing)
        return np.asarray(~long)

    def nearest(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the reading nearest to each time."""
        after = np.clip(np.searchsorted(self.time, at), 0, len(self.time) - 1)
        before = np.maximum(after - 1, 0)
        return np.where(at - self.time[before] < self.time[after] - at, before, after)


def averaged(columns: Columns, kind: str, entity: str, cells: Stretches) -> Answer:
    """Return the mean of a gauge times the seconds, in each stretch.

    Parameters
    ----------
    columns : Columns
        Readings in order of time; NaN where one is missing.
    kind, entity : str
        Of the series.
    cells : Stretches
    """
    if not len(columns):
        return Answer.none(len(cells), Why.NOT_COVERED)
    gauge = _Gauge(columns, kind, entity)
    (area, swing, known), uncovered = gauge.within(cells)
    why = _why((uncovered, Why.NOT_COVERED), (gauge.short(cells), Why.TOO_SHORT))
    scale = np.divide(cells.seconds, known, out=np.ones(len(cells)), where=known > 0)
    return Answer.of(area * scale, why, swing * scale)


def peak(columns: Columns, kind: str, entity: str, cells: Stretches) -> Answer:
    """Return the greatest reading in each stretch, that before its start included.

    A peak between two readings is seen by nobody: the real one may be higher.
    """
    if not len(columns):
        return Answer.none(len(cells), Why.NOT_COVERED)
    gauge = _Gauge(columns, kind, entity)
    _, uncovered = gauge.within(cells)
    first = np.searchsorted(gauge.time, cells.start, "right")
    # Of those after its end only the next: a later one may be of the cell that follows.
    end = np.searchsorted(gauge.time, cells.end)
    after = gauge.time[np.minimum(end, len(gauge.time) - 1)]
    end = end + ((end < len(gauge.time)) & (after <= cells.end + AT_END_US))
    before = np.maximum(first - 1, 0)
    # What was read before a gap says nothing of what comes after it.
    holds = np.append(gauge.known, True)[before] & (first > 0)
    # With a reading at its start, one before is of what ran before it.
    holds &= _last_before(gauge.time, cells.start) < first
    highest = _highest(
        np.where(gauge.finite, gauge.value, -np.inf), np.where(holds, before, first), end
    )
    why = _why(
        (uncovered, Why.NOT_COVERED),
        (end <= first, Why.TOO_SHORT),
        (~np.isfinite(highest), Why.NOT_COVERED),
    )
    return Answer.of(highest, why, None)


def left(columns: Columns, cells: Stretches) -> Answer:
    """Return the first reading since the end of each stretch less the last one until its start.

    One that follows the start at once counts as the last one until then, if none is as near before.
    Where the next cell had begun before the reading after the end, it may be that cell's.
    """
    there = np.isfinite(columns.value)
    time, value = columns.time[there], columns.value[there]
    if not len(time):
        return Answer.none(len(cells), Why.NOT_COVERED)
    hold = _hold(time)
    before = _last_before(time, cells.start)
    after = np.searchsorted(time, cells.end)
    inside = (before >= 0) & (after < len(time))
    before, after = np.maximum(before, 0), np.minimum(after, len(time) - 1)
    near = inside & (cells.start - time[before] <= hold) & (time[after] - cells.end <= hold)
    spacing = (time[after] - time[before]) / np.maximum(after - before, 1)
    short = (cells.end - cells.start < LEAST * spacing) | (after == before)
    if cells.following is not None:
        short |= cells.following < time[after] - AT_START_US
    why = _why((~near, Why.NOT_COVERED), (short, Why.TOO_SHORT))
    return Answer.of(value[after] - value[before], why, None)


def _last_before(time: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which reading is of what was before each start; -1 for none.

    A reading is asked for when a cell begins, and is made a moment later.
    """
    before = np.searchsorted(time, start, "right") - 1
    since = start - time[np.maximum(before, 0)]
    after = time[np.minimum(before + 1, len(time) - 1)] - start
    at_once = (after > 0) & (after <= AT_START_US) & ((before < 0) | (since > AT_START_US))
    return before + at_once


def together(several: Sequence[Columns]) -> Columns:
    """Return the sum of several gauges that are read at the same times, but for a few moments.

    It has a row for each of the one with the most; of the others the nearest reading counts. Where
    one of them has none that near, the sum is missing.
    """
    grid = max(several, key=len)
    value = np.zeros(len(grid))
    for one in several:
        if not len(one):
            return Columns.empty()
        hold = _hold(one.time)
        after = np.clip(np.searchsorted(one.time, grid.time), 0, len(one) - 1)
        before = np.maximum(after - 1, 0)
        earlier = grid.time - one.time[before] <= one.time[after] - grid.time
        row = np.where(earlier, before, after)
        near = np.abs(one.time[row] - grid.time) <= hold
        value += np.where(near, one.value[row], np.nan)
    return Columns(grid.time, grid.step, value)


def _hold(time: NDArray[np.int64]) -> float:
    """Return how long a reading counts where there is none beside it, microseconds."""
    return HOLD * float(np.median(np.diff(time))) if len(time) > 1 else 0.0


def grown(columns: Columns, cells: Stretches, least: float = 0.0, stale_s: float = 0.0) -> Answer:
    """Return by how much a counter grew in each stretch, and how far off that may be.

    Between two readings it is taken to grow evenly. At each end of the stretch the error is the
    time to the nearest reading, at the greatest rate that was seen next to it; no more than what
    the readings around it allow. An amount that is not greater than its error is not told, unless
    the error is below `least` for each second. A counter that its source renews only now and then
    was read up to `stale_s` seconds late, which counts at each end as well.
    """
    there = np.isfinite(columns.value)
    counter = _Counter(columns.time[there], columns.value[there])
    if len(counter.time) < 2:  # noqa: PLR2004  no growth is known
        return Answer.none(len(cells), Why.NOT_COVERED)
    begin, end = counter.at(cells.start), counter.at(cells.end)
    amount = end.reading - begin.reading
    error = begin.error + end.error
    one = begin.row == end.row
    error[one] = np.minimum(error, np.maximum(amount, counter.rise[begin.row] - amount))[one]
    error += 1e6 * stale_s * (counter.rate[begin.row] + counter.rate[end.row])
    vague = (error >= amount) & (error > least * cells.seconds)
    why = _why(
        (begin.outside | end.outside, Why.NOT_COVERED),
        (counter.falls[end.row + 1] > counter.falls[begin.row], Why.RESET),
        (vague, Why.TOO_SHORT),
    )
    return Answer.of(amount, why, error)


class _Count(NamedTuple):
    """What a counter stood at, at some times."""

    reading: NDArray[np.float64]
    error: NDArray[np.float64]
    row: NDArray[np.int64]
    """The reading before each."""
    outside: NDArray[np.bool_]
    """Where no reading is near."""


class _Counter:
    """Readings of a counter, none of them missing."""

    def __init__(self, time: NDArray[np.int64], value: NDArray[np.float64]) -> None:
        self.time, self.value = time, value
        rise, self.spacing = np.diff(value), np.diff(time)
        self.falls = np.concatenate([[0], np.cumsum(rise < 0)])
        self.rise = np.maximum(rise, 0.0)
        rate = np.divide(self.rise, self.spacing, out=np.zeros(len(rise)), where=self.spacing > 0)
        padded = np.concatenate([[0.0], rate, [0.0]])
        self.rate = np.maximum(rate, np.maximum(padded[:-2], padded[2:]))

    def at(self, at: NDArray[np.int64]) -> _Count:
        """Return the count at each time."""
        row = np.clip(np.searchsorted(self.time, at, "right") - 1, 0, len(self.rise) - 1)
        since, until = at - self.time[row], self.time[row + 1] - at
        added = self.rise[row] * (since / np.maximum(self.spacing[row], 1))
        away = np.minimum(np.abs(since), np.abs(until))
        error = away * self.rate[row]
        inside = (since >= 0) & (until >= 0)
        allowed = np.maximum(added, self.rise[row] - added)
        error = np.where(inside, np.minimum(error, allowed), error)
        hold = _hold(self.time)
        outside = (since < -hold) | (until < -hold)
        return _Count(self.value[row] + added, error, row, outside)


def overlaps(cells: Stretches) -> list[list[int]]:
    """Return for each stretch which others share time with it, in order; not more than some."""
    found: list[list[int]] = [[] for _ in range(len(cells))]
    order = np.argsort(cells.start, kind="stable")
    start, end = cells.start[order], cells.end[order]
    # Most cells come one after the other, and are found at once.
    latest = np.maximum.accumulate(end)
    alone = np.ones(len(cells), np.bool_)
    alone[1:] = start[1:] >= latest[:-1]
    alone[:-1] &= end[:-1] <= start[1:]
    running: dict[int, None] = {}
    ends: list[tuple[int, int]] = []
    # Those of which more may be named.
    hungry: dict[int, None] = {}
    places = order[~alone]
    for one, begins, stops in zip(
        places.tolist(), start[~alone].tolist(), end[~alone].tolist(), strict=True
    ):
        while ends and ends[0][0] <= begins:
            gone = heapq.heappop(ends)[1]
            del running[gone]
            hungry.pop(gone, None)
        if begins == stops:
            continue
        found[one] = list(islice(running, OVERLAPS_MOST))
        for other in list(hungry):
            found[other].append(one)
            if len(found[other]) >= OVERLAPS_MOST:
                del hungry[other]
        running[one] = None
        heapq.heappush(ends, (stops, one))
        if len(found[one]) < OVERLAPS_MOST:
            hungry[one] = None
    return [sorted(others) for others in found] if len(places) else found


def _highest(
    value: NDArray[np.float64], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the greatest of the values from each `begin` to each `end`, exclusive."""
    padded = np.append(value, -np.inf)
    filled = end > begin
    highest = np.full(len(begin), -np.inf)
    if filled.any():
        pairs = np.stack([begin[filled], end[filled]], axis=1).ravel()
        highest[filled] = np.maximum.reduceat(padded, pairs)[::2]
    return highest


def _why(*reasons: tuple[NDArray[np.bool_], Why]) -> NDArray[np.int8]:
    """Return for each stretch the first reason that holds."""
    why = np.full(len(reasons[0][0]), Why.KNOWN, np.int8)
    for holds, reason in reversed(reasons):
        why[holds] = reason
    return why

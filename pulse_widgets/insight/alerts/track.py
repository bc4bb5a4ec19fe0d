"""The readings of one series as alerts see them: what is known when, and where it breaks off."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.series.columns import missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FOREVER", "Point", "Points", "Track", "Windowed", "columns"]

FRESH_US: Final = 5_000_000
"""A reading is known for at least so long."""
SPACINGS: Final = 3
"""... and for so many of the usual spacings of its series."""
USUAL_OF: Final = 7
"""The larger middle one of so many last spacings is the usual one."""
FOREVER: Final = 2**62
"""Longer than any session, microseconds."""
FEW_A_BUCKET: Final = 8
"""Windows take readings one by one where a step of theirs has fewer."""
BUCKETS: Final = 500
"""A window moves on in steps of this part of its length."""


class Point(NamedTuple):
    """What is known of a series from one reading until the next.

    Attributes
    ----------
    time : int
        Microseconds.
    value : float
        NaN where somebody logged NaN, or nothing is known.
    known : bool
        Whether there is a value.
    gap : bool
        Whether readings are missing before this one.
    until : int
        For how many microseconds it is known.
    good : int
        When there was a value last.
    """

    time: int
    value: float
    known: bool
    gap: bool
    until: int
    good: int


NOTHING: Final = Point(-1, math.nan, known=False, gap=False, until=FOREVER, good=-1)


@dataclass(frozen=True, slots=True)
class Points:
    """Many of them as columns; the fields are those of `Point`."""

    time: NDArray[np.int64]
    value: NDArray[np.float64]
    known: NDArray[np.bool_]
    gap: NDArray[np.bool_]
    until: NDArray[np.int64]
    good: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.time)

    def after(self, before: Point) -> Points:
        """Return the same with one more at their beginning."""
        return Points(
            np.append(np.int64(before.time), self.time),
            np.append(before.value, self.value),
            np.append(before.known, self.known),
            np.append(before.gap, self.gap),
            np.append(np.int64(before.until), self.until),
            np.append(np.int64(before.good), self.good),
        )

    def point(self, place: int) -> Point:
        """Return one of them."""
        return Point(
            int(self.time[place]),
            float(self.value[place]),
            bool(self.known[place]),
            bool(self.gap[place]),
            int(self.until[place]),
            int(self.good[place]),
        )

    def points(self) -> list[Point]:
        """Return each of them."""
        columns = (self.time, self.value, self.known, self.gap, self.until, self.good)
        return [Point(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def columns(points: Sequence[Point]) -> Points:
    """Return points as columns."""
    rows = list(zip(*points, strict=True)) or [()] * 6
    kinds = (np.int64, np.float64, np.bool_, np.bool_, np.int64, np.int64)
    return Points(*(np.array(row, kind) for row, kind in zip(rows, kinds, strict=True)))


class Track:
    """Follows one series.

    Parameters
    ----------
    first_us : int
        For how long its first reading is known, when the spacing is not yet known.
    holds : bool
        Whether each reading holds until the next, however late that is.
    """

    def __init__(self, first_us: int, *, holds: bool = False) -> None:
        self.last = NOTHING
        self._first_us = FOREVER if holds else max(FRESH_US, first_us)
        self._holds = holds
        self._spacings: deque[int] = deque(maxlen=USUAL_OF)

    def one(self, time: int, value: float, *, known: bool) -> Point | None:
        """Take one row; return what is known from then on, None for a row that came too late.

        `value` is NaN where it is not known.
        """
        before = self.last
        if time < before.time:
            return None
        gap = before.time >= 0 and time - before.time > before.until
        until = before.until
        if before.time >= 0:
            self._spacings.append(time - before.time)
            if not self._holds:
                until = self._until()
        else:
            until = self._first_us
        good = time if known else before.good
        self.last = Point(time, value, known, gap, until, good)
        return self.last

    def many(self, time: NDArray[np.int64], value: NDArray[np.float64]) -> Points:
        """Take rows; return what is known from each on, without those that came too late."""
        newest = np.maximum.accumulate(np.append(self.last.time, time))[:-1]
        if (late := time < newest).any():
            time, value = time[~late], value[~late]
        known = ~missing(value)
        before = self.last
        spacing = np.diff(time, prepend=np.int64(before.time))
        until = self._until_each(spacing, first=before.time < 0)
        until_before = np.append(np.int64(before.until), until[:-1])
        gap = spacing > until_before
        if before.time < 0 and len(gap):
            gap[0] = False
        good = np.maximum.accumulate(np.append(before.good, np.where(known, time, -1)))[1:]
        made = Points(time, value, known, gap, until, good)
        if len(made):
            self.last = made.point(len(made) - 1)
            self._spacings.extend(
                spacing[-USUAL_OF:][int(before.time < 0 and len(made) <= USUAL_OF) :].tolist()
            )
        return made

    def _until(self) -> int:
        usual = sorted(self._spacings)[len(self._spacings) // 2]
        return max(FRESH_US, SPACINGS * usual)

    def _until_each(self, spacing: NDArray[np.int64], *, first: bool) -> NDArray[np.int64]:
        """Return for how long each row is known; the first of all rows has no spacing."""
        until = np.full(len(spacing), FRESH_US, np.int64)
        if self._holds:
            until[:] = FOREVER
            return until
        own = spacing[first:]
        whole = np.append(np.array(self._spacings, np.int64), own)
        if len(own) and whole.max() * SPACINGS > FRESH_US:
            padded = np.append(np.full(USUAL_OF, -1, np.int64), whole)
            last = np.lib.stride_tricks.sliding_window_view(padded, USUAL_OF)[-len(own) :]
            ordered = np.sort(last, axis=1)
            counted = (last >= 0).sum(axis=1)
            # The ones that are not there stand at the beginning.
            middle = USUAL_OF - counted + counted // 2
            usual = ordered[np.arange(len(own)), middle]
            until[first:] = np.maximum(FRESH_US, SPACINGS * usual)
        if first and len(until):
            until[0] = self._first_us
        return until


class Windowed:
    """The mean, the greatest or the least of the readings of the last so many microseconds.

    Known once the readings go back as far as the window, without a break. It moves on in steps
    of a 500th of its length, so that what it keeps is bounded.
    """

    def __init__(self, function: str, length_us: int) -> None:
        self._function = function
        self._length_us = length_us
        self._step_us = max(1, length_us // BUCKETS)
        self._since = -1
        # The first reading of the bucket, how many readings, their sum (or extreme).
        self._buckets: deque[tuple[int, int, float]] = deque()
        self._rest = (0, 0.0)
        self._now = (-1, 0, 0.0)
        self.last = NOTHING

    def one(self, point: Point) -> Point:
        """Take one reading; return what is known of the window from then on."""
        if not point.known or (point.gap and self._since >= 0):
            self._clear()
        if point.known:
            self._add(point)
        covered = point.known and point.time - self._since >= self._length_us
        value = self._value() if covered else math.nan
        self.last = point._replace(value=value, known=covered)
        return self.last

    def many(self, points: Points) -> Points:
        """Take readings; return what is known of the window from each on."""
        bucket = points.time // self._step_us
        begins = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1))
        broken = points.gap.any() or not points.known.all()
        if broken or len(begins) * FEW_A_BUCKET > len(points):
            return columns([self.one(point) for point in points.points()])
        value, known = np.empty(len(points)), np.empty(len(points), np.bool_)
        for first, end in zip(begins.tolist(), [*begins[1:].tolist(), len(points)], strict=True):
            # The first reading of a bucket moves the window on, the others only add to it.
            self.one(points.point(first))
            number, count, before = self._now
            running = self._running(np.append(before, points.value[first + 1 : end]))
            counts = np.arange(count, count + len(running))
            self._now = (number, int(counts[-1]), float(running[-1]))
            value[first:end] = self._values(running, counts)
            known[first:end] = points.time[first:end] - self._since >= self._length_us
        value[~known] = np.nan
        made = replace(points, value=value, known=known)
        self.last = made.point(-1)
        return made

    def _running(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._function == "mean":
            return np.cumsum(value)
        extreme = np.maximum if self._function == "max" else np.minimum
        return extreme.accumulate(value)

    def _values(
        self, running: NDArray[np.float64], counts: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        count, rest = self._rest
        if self._function == "mean":
            return (rest + running if count else running) / (count + counts)
        extreme = np.maximum if self._function == "max" else np.minimum
        return extreme(rest, running) if count else running

    def _clear(self) -> None:
        self._since = -1
        self._buckets.clear()
        self._rest, self._now = (0, 0.0), (-1, 0, 0.0)

    def _add(self, point: Point) -> None:
        if self._since < 0:
            self._since = point.time
        bucket = point.time // self._step_us
        number, count, value = self._now
        if bucket != number:
            if count:
                self._buckets.append(self._now)
            while self._buckets and self._buckets[0][0] <= bucket - BUCKETS:
                self._buckets.popleft()
            self._rest = self._together()
            self._now = (bucket, 1, point.value)
            return
        self._now = (number, count + 1, self._both(value, point.value))

    def _together(self) -> tuple[int, float]:
        values = [value for _, _, value in self._buckets]
        count = sum(count for _, count, _ in self._buckets)
        if not values:
            return 0, 0.0
        if self._function == "mean":
            return count, sum(values)
        if any(map(math.isnan, values)):
            return count, math.nan
        return count, max(values) if self._function == "max" else min(values)

    def _both(self, one: float, other: float) -> float:
        if self._function == "mean":
            return one + other
        if math.isnan(one) or math.isnan(other):
            return math.nan
        return max(one, other) if self._function == "max" else min(one, other)

    def _value(self) -> float:
        (rest, value), (_, count, now) = self._rest, self._now
        whole = self._both(value, now) if rest else now
        return whole / (rest + count) if self._function == "mean" else whole

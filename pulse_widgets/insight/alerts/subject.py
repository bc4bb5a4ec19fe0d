"""One condition of one thing: it takes readings, and says when the alert fires."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.insight.alerts.evaluation import number, numbers, test, tests
from pulse_widgets.insight.alerts.track import NOTHING, Points, Windowed, columns
from pulse_widgets.insight.alerts.tree import Missing, Window, comparisons, readings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.insight.alerts.evaluation import Leaf, Many
    from pulse_widgets.insight.alerts.track import Point
    from pulse_widgets.insight.alerts.tree import Comparison, Condition
    from pulse_widgets.series.state import AlertPhase

__all__ = ["Change", "Subject"]

FALSE, TRUE, UNKNOWN = 0, 1, 2
MANY: int = 64
"""From so many readings on they are looked at as columns."""
TOLD_A_MINUTE: Final = 60
"""So many firings of one thing are told in a minute; the others are counted."""
MINUTE_US: Final = 60_000_000


class Change(NamedTuple):
    """That the alert has begun to fire, or has become quiet.

    Attributes
    ----------
    phase : {"firing", "quiet"}
    time : int
        Microseconds.
    value, limit : float or None
        The two sides of the first comparison.
    """

    phase: AlertPhase
    time: int
    value: float | None
    limit: float | None


class Subject:
    """What an alert is about.

    Parameters
    ----------
    condition : Condition
    series : mapping
        What the condition reads, each with the id of its series; None where there is none yet.
    now : mapping
        What is known of those series.
    """

    def __init__(
        self,
        condition: Condition,
        series: Mapping[Leaf, int | None],
        now: Mapping[int, Point],
    ) -> None:
        self.condition = condition
        self.phase: AlertPhase = "no data"
        self.since: int | None = None
        """Since when it is in this phase."""
        self.value: float | None = None
        self.untold = 0
        """Firings that were one too many within a minute."""
        self._first: Comparison | None = next(comparisons(condition.test), None)
        self._lasting_us = condition.lasting_us
        self.waits = any(isinstance(leaf, Missing) for leaf in readings(condition.test))
        """Whether it may fire without a reading."""
        self._windows: dict[Window, Windowed] = {}
        self._seen: dict[int, Point] = {}
        self._series: Mapping[Leaf, int | None] = {}
        self.bind(series, now)
        self._time = -1
        self._true_since: int | None = None
        self._fired = self._is_told = False
        self._told = (-1, 0)
        """When the minute began, and the firings in it."""

    def bind(self, series: Mapping[Leaf, int | None], now: Mapping[int, Point]) -> None:
        """Read these series from now on."""
        for leaf, one in series.items():
            if isinstance(leaf, Window) and one is not None and self._series.get(leaf) != one:
                self._windows[leaf] = Windowed(leaf.function, round(leaf.length.value * 1e6))
        self._series = dict(series)
        self._fresh = {
            one for leaf, one in series.items() if one is not None and not isinstance(leaf, Missing)
        }
        """Those whose readings must not break off."""
        ids = {one for one in series.values() if one is not None}
        self._seen = {one: self._seen.get(one, now.get(one, NOTHING)) for one in ids}

    @property
    def ids(self) -> Iterable[int]:
        """The series that it reads."""
        return self._seen

    # What it takes ----------------------------------------------------------------------

    def take(self, news: Mapping[int, Sequence[Point] | Points]) -> list[Change]:
        """Take new readings of its series; return how that changes it."""
        mine = {one: news[one] for one in self._seen if len(news.get(one, ()))}
        if not mine:
            return []
        if sum(map(len, mine.values())) > MANY:
            return self._take_columns({one: _columns(points) for one, points in mine.items()})
        return self._take_few({one: _points(points) for one, points in mine.items()})

    def _take_few(self, mine: Mapping[int, Sequence[Point]]) -> list[Change]:
        """Take a few readings, one by one."""
        changes: list[Change] = []
        steps: dict[tuple[int, int], list[tuple[int, Point]]] = {}
        for one, points in mine.items():
            times: Counter[int] = Counter()
            for point in points:
                # Of several with the same time each counts.
                steps.setdefault((point.time, times[point.time]), []).append((one, point))
                times[point.time] += 1
        for moment in sorted(steps):
            broke = False
            for one, point in steps[moment]:
                self._seen[one] = point
                broke |= point.gap and one in self._fresh
                for window, windowed in self._windows.items():
                    if self._series[window] == one:
                        windowed.one(point)
            changes += self._look(moment[0], broke=broke)
        return changes

    def _look(self, time: int, *, broke: bool) -> list[Change]:
        """Return what follows from what is known at a moment."""
        leaves = {leaf: self._known(leaf, one, time) for leaf, one in self._series.items()}
        true = test(self.condition.test, leaves)
        code = UNKNOWN if true is None else int(true)
        value = limit = None
        if self._first is not None:
            value, limit = number(self._first.left, leaves), number(self._first.right, leaves)
        return self._step(time, code, value, limit, broke=broke)

    def _known(self, leaf: Leaf, one: int | None, time: int) -> float | None:
        if one is None:
            return None
        point = self._seen[one]
        if isinstance(leaf, Missing):
            if point.good < 0:
                return None
            return float(time - point.good >= round(leaf.length.value * 1e6))
        if isinstance(leaf, Window):
            point = self._windows[leaf].last
        return point.value if point.known and time - point.time <= point.until else None

    # Many at once -----------------------------------------------------------------------

    def _take_columns(self, mine: Mapping[int, Points]) -> list[Change]:
        time, places, broke = self._aligned(mine)
        leaves: dict[Leaf, Many] = {}
        for leaf, one in self._series.items():
            leaves[leaf] = self._column(leaf, one, mine, places, time)
        true, known = tests(self.condition.test, leaves, len(time))
        code = np.where(known, true, UNKNOWN)
        sides: tuple[Many | None, Many | None] = (None, None)
        if self._first is not None:
            sides = (
                numbers(self._first.left, leaves, len(time)),
                numbers(self._first.right, leaves, len(time)),
            )
        for one, points in mine.items():
            self._seen[one] = points.point(-1)
        changes: list[Change] = []
        telling = self._telling(time, code, broke)
        if not self._lasting_us and self._told_enough(int(time[-1])):
            telling = self._only_counting(code, list(telling))
        for place in telling:
            value, limit = (_at(side, place) for side in sides)
            changes += self._step(
                int(time[place]), int(code[place]), value, limit, broke=bool(broke[place])
            )
        return changes

    def _aligned(
        self, mine: Mapping[int, Points]
    ) -> tuple[NDArray[np.int64], dict[int, NDArray[np.int64]], NDArray[np.bool_]]:
        """Return the moments, for each series its newest row at each of them, and where it broke.

        Row 0 of a series is what was known before.
        """
        if len(mine) == 1:
            [(one, points)] = mine.items()
            broke = points.gap if one in self._fresh else np.zeros(len(points), np.bool_)
            return points.time, {one: np.arange(1, len(points) + 1)}, broke
        times = np.concatenate([points.time for points in mine.values()])
        layers = np.concatenate([_layers(points.time) for points in mine.values()])
        order = np.lexsort((layers, times))
        begins = np.ones(len(order), np.bool_)
        begins[1:] = (np.diff(times[order]) != 0) | (np.diff(layers[order]) != 0)
        group = np.empty(len(order), np.int64)
        group[order] = np.cumsum(begins) - 1
        moments = times[order][begins]
        broke = np.zeros(len(moments), np.bool_)
        places: dict[int, NDArray[np.int64]] = {}
        first = 0
        for one, points in mine.items():
            own = group[first : first + len(points)]
            first += len(points)
            rows = np.zeros(len(moments), np.int64)
            rows[own] = np.arange(1, len(points) + 1)
            places[one] = np.maximum.accumulate(rows)
            if one in self._fresh:
                broke[own] |= points.gap
        return moments, places, broke

    def _column(
        self,
        leaf: Leaf,
        one: int | None,
        mine: Mapping[int, Points],
        places: Mapping[int, NDArray[np.int64]],
        time: NDArray[np.int64],
    ) -> Many:
        if one is None:
            return np.full(len(time), np.nan), np.zeros(len(time), np.bool_)
        before = self._seen[one]
        points = mine.get(one) or _columns([])
        if isinstance(leaf, Window):
            windowed = self._windows[leaf]
            before = windowed.last
            points = windowed.many(points) if len(points) else points
        rows = points.after(before)
        at = places.get(one, np.zeros(len(time), np.int64))
        if isinstance(leaf, Missing):
            good = rows.good[at]
            length = round(leaf.length.value * 1e6)
            return (time - good >= length).astype(np.float64), good >= 0
        return rows.value[at], rows.known[at] & (time - rows.time[at] <= rows.until[at])

    def _telling(
        self, time: NDArray[np.int64], code: NDArray[np.int64], broke: NDArray[np.bool_]
    ) -> Iterable[int]:
        """Return the places where something may change: the ends of runs, and where one is long."""
        begins = np.ones(len(code), np.bool_)
        begins[1:] = (np.diff(code) != 0) | broke[1:]
        first = np.flatnonzero(begins)
        last = np.append(first[1:] - 1, len(code) - 1)
        latest = np.maximum.accumulate(np.maximum(time, self._time))
        since = latest[first]
        if self._true_since is not None and not broke[0]:
            # The first run may have begun before.
            since[0] = self._true_since
        true = code[first] == TRUE
        long = true & (latest[last] - since >= self._lasting_us)
        enough = np.minimum(np.searchsorted(latest, since + self._lasting_us), len(code) - 1)
        if self._lasting_us and len(first) > MANY:
            # What is not true for long enough only ends what was before it, and of equal runs
            # with nothing else between them one is enough.
            kept = long | ~true
            kept[[0, -1]] = True
            places = np.flatnonzero(kept)
            codes = code[first[places]]
            again = np.append(False, (codes[1:] == codes[:-1]) & (codes[1:] != TRUE))
            again[-1] = False
            places = places[~again]
            first, last, enough, long = (each[places] for each in (first, last, enough, long))
        enough = np.maximum(enough, first)
        places = np.concatenate([first, last, enough[long]])
        return map(int, np.unique(places))

    def _told_enough(self, time: int) -> bool:
        """Return whether nothing that begins to fire until then is told any more."""
        began, told = self._told
        return told >= TOLD_A_MINUTE and max(time, self._time) - began < MINUTE_US

    def _only_counting(self, code: NDArray[np.int64], places: list[int]) -> Iterable[int]:
        """Yield the places that are to be told; count the firings between them."""
        end = next((place for place in places if code[place] == FALSE), None)
        last = places[-2:]
        if end is None or end >= last[0]:
            yield from places
            return
        # Up to the end of what was told, and the last run.
        yield from (place for place in places if place <= end)
        between = code[end + 1 : last[0]]
        known = between[between != UNKNOWN]
        if len(known):
            fires = (known == TRUE) & (np.append(FALSE, known[:-1]) == FALSE)
            self.untold += int(fires.sum())
            self._fired, self._is_told = bool(known[-1] == TRUE), False
        yield from last

    # What follows -----------------------------------------------------------------------

    def tick(self, time: int) -> list[Change]:
        """Look again, without a reading, at what has grown old."""
        if self.waits:
            return self._look(time, broke=False)
        leaves = {leaf: self._known(leaf, one, time) for leaf, one in self._series.items()}
        if test(self.condition.test, leaves) is None:
            self.value = None
            self._go("no data", max(time, self._time))
            self._true_since = None
        return []

    def _step(
        self, time: int, code: int, value: float | None, limit: float | None, *, broke: bool
    ) -> list[Change]:
        self._time = time = max(time, self._time)
        self.value = value
        if code != TRUE:
            self._true_since = None
            self._go("no data" if code == UNKNOWN else "quiet", time)
            if code == UNKNOWN or not self._fired:
                return []
            self._fired = False
            return [Change("quiet", time, value, limit)] if self._is_told else []
        if self._true_since is None or broke:
            self._true_since = time
        if time - self._true_since < self._lasting_us:
            self._go("pending", time)
            return []
        self._go("firing", time)
        if self._fired:
            return []
        self._fired = True
        self._is_told = self._may_tell(time)
        return [Change("firing", time, value, limit)] if self._is_told else []

    def _may_tell(self, time: int) -> bool:
        """Return whether one more firing is not too many; count it where it is."""
        began, told = self._told
        if began < 0 or time - began >= MINUTE_US:
            began, told = time, 0
        self._told = (began, told + 1)
        self.untold += told >= TOLD_A_MINUTE
        return told < TOLD_A_MINUTE

    def _go(self, phase: AlertPhase, time: int) -> None:
        if phase != self.phase:
            self.phase, self.since = phase, time


def _layers(time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of each row how many before it have the same time; the rows are in order."""
    same = np.zeros(len(time), np.int64)
    begins = np.flatnonzero(np.append(True, np.diff(time) != 0))
    place = np.arange(len(time))
    same[begins] = begins
    return place - np.maximum.accumulate(same)


def _points(points: Sequence[Point] | Points) -> Sequence[Point]:
    return points.points() if isinstance(points, Points) else points


def _columns(points: Sequence[Point] | Points) -> Points:
    return points if isinstance(points, Points) else columns(points)


def _at(side: Many | None, place: int) -> float | None:
    if side is None or not side[1][place]:
        return None
    return float(side[0][place])

"""Keeps the cost of reading within a budget by making the most expensive readings rarer.

Everything due at one time is read in one pass, and only the cost of a whole pass is measured. The
cost of a part follows from comparing passes with it and passes without it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LEAST_S", "NATIVE_S", "Governor"]

NATIVE_S: Final = {
    RateClass.STATIC: math.inf,
    RateClass.SLOW: 10.0,
    RateClass.PROCESSES: 5.0,
    RateClass.BUFFERED: 1.0,
    RateClass.GPM: 1.0,
    RateClass.EVENTS: 1.0,
}
"""Seconds between readings of the classes that do not follow the session's interval."""

LEAST_S: Final = {RateClass.STEADY: 1.0}
"""Seconds that lie at least between two readings of a class that follows the interval."""

FACTOR_MOST: Final = 64
SETTLE_S: Final = 10.0
"""What is spent in this time after a beginning is not looked at."""
WINDOW_S: Final = 20.0
RELIEF: Final = 0.9
"""A class is read twice as often again if it then costs less than this share of the budget."""
SLOW_AFTER: Final = 2
RELIEVE_AFTER: Final = 3
"""So many windows in a row must say the same: one of them may lie in a dear moment."""
AT_ONCE: Final = 2.0
"""One window is enough to slow what costs so many times the budget."""
WORTH: Final = 0.05
"""What costs less than this share of the budget is not worth slowing."""
_NEVER_SLOWED: Final = frozenset({RateClass.STATIC, RateClass.EVENTS})


@dataclass(frozen=True, slots=True)
class _Part:
    """Classes of a source that are read together every `period_s`, at `each_s` of CPU time."""

    source: str
    period_s: float
    classes: frozenset[RateClass]
    each_s: float
    seen: float

    @property
    def cores(self) -> float:
        return self.each_s / self.period_s


class Governor:
    """Halves the rate of the most expensive readings whenever the total exceeds the budget.

    Parameters
    ----------
    budget_cores : callable returning float
        CPU seconds a second that readings may cost now.
    carried : callable returning float
        CPU seconds, since it was asked last, of what is done with readings once they are taken.
    clock : callable returning float
        Monotonic seconds.
    """

    def __init__(
        self,
        budget_cores: Callable[[], float],
        carried: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = budget_cores
        self._carried = carried
        self._clock = clock
        self._lock = threading.Lock()
        self._factors: dict[tuple[str, RateClass], int] = {}
        self._rates: dict[str, Mapping[RateClass, float]] = {}
        self.begin(1.0)

    def begin(self, interval_s: float) -> None:
        """Measure anew: what starting or another pace cost does not predict the next passes."""
        with self._lock:
            self._interval_s = interval_s
            self._factors = {}
            self._parts: dict[tuple[str, float], _Part] = {}
            self._passes: dict[tuple[str, frozenset[RateClass]], tuple[int, float]] = {}
            self._read_s = self._carried_s = 0.0
            self._verdict: tuple[float, str, frozenset[RateClass]] | None = None
            self._agreed = 0
            self._begins, self._since = self._clock() + SETTLE_S, math.nan

    def factor(self, source: str, rate: RateClass) -> int:
        """Return how many times rarer than asked a class of a source is read."""
        return self._factors.get((source, rate), 1)

    def paces(self, source: str, rates: Mapping[RateClass, float]) -> None:
        """Take the seconds in which classes of a source have something new."""
        self._rates = {**self._rates, source: rates}

    def period_s(self, source: str, rate: RateClass, interval_s: float) -> float:
        """Return the seconds between two readings of a class, asked for every `interval_s`."""
        usual = NATIVE_S.get(rate, LEAST_S.get(rate, interval_s))
        own = self._rates.get(source, {}).get(rate, usual)
        return (own if rate in NATIVE_S else max(own, interval_s)) * self.factor(source, rate)

    def spent(self, source: str, due: frozenset[RateClass], cpu_s: float) -> None:
        """Book the CPU time of one pass, which read the classes `due`."""
        with self._lock:
            now = self._clock()
            if math.isnan(self._since):
                if now >= self._begins:
                    self._open(now)
            elif RateClass.STATIC not in due:
                passes, before = self._passes.get((source, due), (0, 0.0))
                self._passes[source, due] = (passes + 1, before + cpu_s)
                elapsed = now - self._since
                if elapsed >= WINDOW_S:
                    if elapsed < 2 * WINDOW_S:
                        self._judge(now)
                    else:
                        self._excuse(now)
                    self._open(now)

    def says(self, source: str) -> str:
        """Return which readings of a source were made rarer, in words; empty when none."""
        if not self._factors:
            return ""
        named: defaultdict[int, set[str]] = defaultdict(set)
        for (name, rate), factor in self._factors.items():
            if name == source:
                named[factor].add(rate.value)
        # Gauges stand here for everything read with them: not every source has all classes.
        gauges = RateClass.GAUGES.value
        return ", ".join(
            f"{gauges if gauges in names else ' and '.join(sorted(names))} read {factor}x rarer"
            for factor, names in sorted(named.items())
        )

    def _open(self, now: float) -> None:
        """Begin a window."""
        self._passes.clear()
        self._carried()
        self._since = now

    def _excuse(self, now: float) -> None:
        """Nothing was read for long, of any source: the process stood still, or the machine."""
        self._parts = {key: replace(part, seen=now) for key, part in self._parts.items()}

    def _judge(self, now: float) -> None:
        fixed = self._measure(now)
        # What only accompanies other readings is made rarer together with them.
        whole = 1 + self._carried_s / self._read_s if self._read_s > 0 else 1.0
        total = whole * (fixed + sum(part.cores for part in self._parts.values()))
        budget = self._budget()
        verdict, needed = None, SLOW_AFTER
        if total > budget:
            needed = 1 if total > AT_ONCE * budget else SLOW_AFTER
            slowable = [
                part
                for part in self._parts.values()
                if self._factor_of(part) < FACTOR_MOST and whole * part.cores > WORTH * budget
            ]
            if slowable:
                verdict = 2.0, max(slowable, key=lambda part: part.cores)
        else:
            needed = RELIEVE_AFTER
            slowed = [part for part in self._parts.values() if self._factor_of(part) > 1]
            fits = [part for part in slowed if total + whole * part.cores < RELIEF * budget]
            if fits:
                verdict = 0.5, min(fits, key=lambda part: part.cores)
        self._agree(verdict, needed)

    def _agree(self, verdict: tuple[float, _Part] | None, needed: int) -> None:
        """Act on a verdict once enough windows in a row agree on it."""
        said = (verdict[0], verdict[1].source, verdict[1].classes) if verdict else None
        self._agreed = self._agreed + 1 if said == self._verdict else 1
        self._verdict = said
        if verdict and self._agreed >= needed:
            self._pace(verdict[1], verdict[0])
            self._verdict = None

    def _measure(self, now: float) -> float:
        """Learn from the passes of a window what each part costs.

        Returns
        -------
        float
            Cores that passes cost in which nothing was read that can be made rarer.
        """
        fixed_s = 0.0
        # Use the last pass, even an old one: rare readings may skip several windows.
        self._read_s = self._read_s / 2 + sum(cpu for _, cpu in self._passes.values())
        self._carried_s = self._carried_s / 2 + self._carried()
        classes: defaultdict[tuple[str, float], set[RateClass]] = defaultdict(set)
        priced: dict[tuple[str, frozenset[float]], tuple[int, float]] = {}
        for (source, due), (passes, cpu_s) in self._passes.items():
            periods = set()
            for rate in due - _NEVER_SLOWED:
                period = self.period_s(source, rate, self._interval_s)
                periods.add(period)
                classes[source, period].add(rate)
            if not periods:
                fixed_s += cpu_s
            key = source, frozenset(periods)
            before = priced.get(key, (0, 0.0))
            priced[key] = before[0] + passes, before[1] + cpu_s
        each: dict[tuple[str, float], float] = {}
        for source, together in sorted(priced, key=lambda key: len(key[1])):
            unknown = [period for period in together if (source, period) not in each]
            if unknown:
                passes, cpu_s = priced[source, together]
                longest = max(unknown)
                others = sum(self._price(each, source, p) for p in together if p != longest)
                each[source, longest] = max(cpu_s / passes - others, 0.0)
        for (source, period), each_s in each.items():
            read = frozenset(classes[source, period])
            self._parts[source, period] = _Part(source, period, read, each_s, now)
        self._forget(now)
        return fixed_s / (now - self._since)

    def _price(self, fresh: Mapping[tuple[str, float], float], source: str, period: float) -> float:
        part = self._parts.get((source, period))
        return fresh.get((source, period), part.each_s if part else 0.0)

    def _forget(self, now: float) -> None:
        """Leave out parts that are not read any more, or not at that pace."""
        for key, part in list(self._parts.items()):
            gone = now - part.seen > 3 * part.period_s + 2 * WINDOW_S
            if gone:
                self._factors = {
                    k: f
                    for k, f in self._factors.items()
                    if k[0] != part.source or k[1] not in part.classes
                }
            if gone or part.period_s not in self._periods(part):
                del self._parts[key]

    def _periods(self, part: _Part) -> list[float]:
        return [self.period_s(part.source, rate, self._interval_s) for rate in part.classes]

    def _factor_of(self, part: _Part) -> int:
        return max(self.factor(part.source, rate) for rate in part.classes)

    def _pace(self, part: _Part, times: float) -> None:
        """Read a part so many times rarer."""
        # A new mapping: other threads are reading the one there is.
        factors = dict(self._factors)
        for rate in part.classes:
            factor = min(max(int(self.factor(part.source, rate) * times), 1), FACTOR_MOST)
            factors[part.source, rate] = factor
        self._factors = {key: factor for key, factor in factors.items() if factor > 1}
        del self._parts[part.source, part.period_s]
        period_s = max(self._periods(part))
        with_it = self._parts.get((part.source, period_s))
        classes = part.classes | (with_it.classes if with_it else frozenset())
        each_s = part.each_s + (with_it.each_s if with_it else 0.0)
        self._parts[part.source, period_s] = replace(
            part, period_s=period_s, classes=classes, each_s=each_s
        )

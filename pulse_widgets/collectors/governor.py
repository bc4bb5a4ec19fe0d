"""Keeps the cost of reading within a budget by making the dearest readings rarer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Governor"]

FACTOR_MOST: Final = 64
SETTLE_S: Final = 10.0
"""What is spent in this time after a beginning is not looked at."""
WINDOW_S: Final = 20.0
RELIEF: Final = 0.9
"""Read twice as often again is what would then cost less than this share of the budget."""
_NEVER_SLOWED: Final = frozenset({RateClass.STATIC, RateClass.EVENTS})

Key = tuple[str, RateClass]


@dataclass(slots=True)
class _Slowed:
    """How many times rarer a class is read, since when, and what it has cost since."""

    factor: int
    since: float
    spent: float = 0.0


class Governor:
    """Halves the rate of the dearest class whenever the budget of a window was passed.

    Parameters
    ----------
    budget_cores : callable returning float
        CPU seconds a second that readings may cost now.
    costs : callable returning float, optional
        CPU seconds that readings cost in all since it was asked last: what is booked here, and
        what comes after. What is booked, when absent.
    clock : callable returning float
        Monotonic seconds.
    """

    def __init__(
        self,
        budget_cores: Callable[[], float],
        costs: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = budget_cores
        self._costs = costs or (lambda: sum(self._spent.values()))
        self._clock = clock
        self._lock = threading.Lock()
        self._slowed: dict[Key, _Slowed] = {}
        self._spent: dict[Key, float] = {}
        self._begins = 0.0
        self._since: float | None = None
        self.begin()

    def begin(self) -> None:
        """Look anew: what starting costs, or another pace, tells nothing of what is to come."""
        with self._lock:
            self._begins, self._since = self._clock() + SETTLE_S, None

    def factor(self, source: str, rate: RateClass) -> int:
        """Return how many times rarer than asked a class of a source is read."""
        paced = RateClass.GAUGES if rate is RateClass.COUNTERS else rate
        slowed = self._slowed.get((source, paced))
        return slowed.factor if slowed else 1

    def spent(self, source: str, due: frozenset[RateClass], cpu_s: float) -> None:
        """Book the CPU time of one pass on the rarest of its classes.

        A pass that reads a slow class besides the regular ones is dear because of it.
        """
        key = (source, _booked_on(due))
        with self._lock:
            now = self._clock()
            if self._since is None:
                if now >= self._begins:
                    self._open(now)
                return
            self._spent[key] = self._spent.get(key, 0.0) + cpu_s
            if key in self._slowed:
                self._slowed[key].spent += cpu_s
            elapsed = now - self._since
            if elapsed >= WINDOW_S:
                self._balance(self._costs() / elapsed, elapsed, now)
                self._open(now)

    def says(self, source: str) -> str:
        """Return which readings of a source were made rarer, in words; empty when none."""
        if not self._slowed:
            return ""
        return ", ".join(
            f"{rate.value} read {slowed.factor}x rarer"
            for (name, rate), slowed in sorted(self._slowed.items(), key=str)
            if name == source
        )

    def _open(self, now: float) -> None:
        """Begin a window."""
        self._spent.clear()
        self._costs()
        self._since = now

    def _balance(self, total: float, elapsed: float, now: float) -> None:
        if total > self._budget():
            dearest = max(self._spent, key=lambda key: self._spent[key])
            if dearest[1] not in _NEVER_SLOWED:
                self._set(dearest, min(2 * self.factor(*dearest), FACTOR_MOST), now)
        elif self._slowed:
            rarest = max(self._slowed, key=lambda key: self._slowed[key].factor)
            slowed = self._slowed[rarest]
            if rarest in self._spent:
                more = self._spent[rarest] / elapsed
            else:
                # So rare that a window may have none of it: what it has cost since it is.
                more = 2 * slowed.spent / (now - slowed.since)
            in_all = total * elapsed / max(sum(self._spent.values()), 1e-9)
            if slowed.spent and total + more * in_all < RELIEF * self._budget():
                self._set(rarest, slowed.factor // 2, now)

    def _set(self, key: Key, factor: int, now: float) -> None:
        # New mappings: other threads are reading those there are.
        others = {k: slowed for k, slowed in self._slowed.items() if k != key}
        self._slowed = others | ({key: _Slowed(factor, now)} if factor > 1 else {})


@lru_cache(maxsize=64)
def _booked_on(due: frozenset[RateClass]) -> RateClass:
    special = due - _NEVER_SLOWED - {RateClass.GAUGES, RateClass.COUNTERS}
    if special:
        return min(special, key=list(RateClass).index)
    return RateClass.STATIC if due <= _NEVER_SLOWED else RateClass.GAUGES

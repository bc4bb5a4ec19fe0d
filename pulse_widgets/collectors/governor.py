"""Keeps the cost of reading within a budget by making the dearest readings rarer."""

from __future__ import annotations

import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Governor"]

FACTOR_MOST: Final = 64
WINDOW_S: Final = 10.0
RELIEF: Final = 0.25
"""Below this share of the budget, what was made rarer is read twice as often again."""
_NEVER_SLOWED: Final = frozenset({RateClass.STATIC, RateClass.EVENTS})


class Governor:
    """Halves the rate of the dearest class whenever the budget of a window was passed.

    Parameters
    ----------
    budget_cores : callable returning float
        CPU seconds a second that reading may cost now (it depends on the interval).
    clock : callable returning float
        Monotonic seconds.
    """

    def __init__(
        self,
        budget_cores: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = budget_cores
        self._clock = clock
        self._lock = threading.Lock()
        self._factor: dict[tuple[str, RateClass], int] = {}
        self._spent: dict[tuple[str, RateClass], float] = {}
        self._since = clock()

    def factor(self, source: str, rate: RateClass) -> int:
        """Return how many times rarer than asked a class of a source is read."""
        paced = RateClass.GAUGES if rate is RateClass.COUNTERS else rate
        return self._factor.get((source, paced), 1)

    def spent(self, source: str, due: frozenset[RateClass], cpu_s: float) -> None:
        """Book the CPU time of one pass on the rarest of its classes.

        A pass that reads a slow class besides the regular ones is dear because of it.
        """
        key = (source, _booked_on(due))
        with self._lock:
            self._spent[key] = self._spent.get(key, 0.0) + cpu_s
            elapsed = self._clock() - self._since
            if elapsed >= WINDOW_S:
                self._balance(elapsed)

    def says(self, source: str) -> str:
        """Return which readings of a source were made rarer, in words; empty when none."""
        if not self._factor:
            return ""
        return ", ".join(
            f"{rate.value} read {factor}x rarer"
            for (name, rate), factor in sorted(self._factor.items(), key=str)
            if name == source and factor > 1
        )

    def _balance(self, elapsed: float) -> None:
        total = sum(self._spent.values()) / elapsed
        if total > self._budget() and self._spent:
            dearest = max(self._spent, key=lambda key: self._spent[key])
            if dearest[1] not in _NEVER_SLOWED:
                self._factor[dearest] = min(self._factor.get(dearest, 1) * 2, FACTOR_MOST)
        elif self._factor and total < self._budget() * RELIEF:
            rarest = max(self._factor, key=lambda key: self._factor[key])
            self._factor[rarest] = max(self._factor[rarest] // 2, 1)
        self._spent.clear()
        self._since = self._clock()


@lru_cache(maxsize=64)
def _booked_on(due: frozenset[RateClass]) -> RateClass:
    special = due - _NEVER_SLOWED - {RateClass.GAUGES, RateClass.COUNTERS}
    if special:
        return min(special, key=list(RateClass).index)
    return RateClass.STATIC if due <= _NEVER_SLOWED else RateClass.GAUGES

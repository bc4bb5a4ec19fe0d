"""When a source is read once more, because a cell begins or ends.

What a cell left behind, and what it drew, is told by the readings next to its ends. Those of the
usual pace may lie in the middle of its neighbours.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CLOSE_S", "READ", "Edges"]

CLOSE_S: Final = 0.1
"""Two readings are no closer: a rate over less is mostly noise."""
EVERY_S: Final = 0.5
"""There is one in so many seconds at most, in the mean."""
SAVED_MOST: Final = 4.0
"""So many may come in a row after a rest."""
SHARE: Final = 0.002
"""They cost no more than this share of a core; one that is dear comes more rarely."""
SLOW_S: Final = 0.05
"""A source that takes longer for a reading is not read besides: it would come too late."""
READ: Final = (RateClass.GAUGES, RateClass.COUNTERS)


class Edges:
    """Decides which wishes for a reading are granted.

    Parameters
    ----------
    clock : callable returning float
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._saved = SAVED_MOST
        self._looked_s = clock()
        self._read_s = -CLOSE_S
        self._cpu_s: float | None = None
        # One slow reading says little: the machine was busy with something else.
        self._took_s: deque[float] = deque(maxlen=3)

    def read(self, started_s: float, took_s: float, cpu_s: float) -> None:
        """Learn from a pass what one costs.

        Parameters
        ----------
        started_s : float
            When it began.
        took_s, cpu_s : float
            How long it took, and what of that was work of ours.
        """
        self._read_s = started_s
        self._took_s.append(took_s)
        # The first passes load modules and ask for much more than the later ones.
        self._cpu_s = cpu_s if self._cpu_s is None else min(2 * self._cpu_s, cpu_s)

    def grants(self, interval_s: float) -> bool:
        """Return whether a reading is worth it now; it is then taken to have been made."""
        if self._cpu_s is None or min(self._took_s) > SLOW_S or interval_s < EVERY_S:
            return False
        now = self._clock()
        each_s = max(EVERY_S, self._cpu_s / SHARE)
        self._saved = min(SAVED_MOST, self._saved + (now - self._looked_s) / each_s)
        self._looked_s = now
        if now - self._read_s < CLOSE_S or self._saved < 1:
            return False
        self._saved -= 1
        return True

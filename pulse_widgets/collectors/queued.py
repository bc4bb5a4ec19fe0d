"""The base of collectors whose rows come one by one from the user's own threads.

A call queues a few plain values and returns; the thread that drains makes rows of them.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

from pulse_widgets.collectors.base import CROWDED, RowCollector
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.series.log import Log

__all__ = ["Queued", "QueuedRows"]

WAIT_ROWS: Final = 20_000
"""With each so many rows that wait, the caller waits until some were taken, but not for long."""
MOST_ROWS: Final = 500_000
"""So many wait behind a disk that hangs; of what comes then nothing is kept, and it is counted."""
PART_ROWS: Final = 10_000

Queued: TypeAlias = "tuple[int, int, float, Mapping[str, object] | None]"
"""Series, time in microseconds, value, and facts or None."""


class QueuedRows(RowCollector):
    """Takes rows from any thread in about a microsecond.

    Parameters
    ----------
    name : str
    arrived : callable
        Called for the first of the rows that wait to be drained.
    relieve : callable, optional
        Called by a producer that is too far ahead of the disk, and waits for the thread that
        drains.
    """

    def __init__(
        self,
        name: str,
        arrived: Callable[[], None],
        relieve: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name, arrived)
        self._relieve = relieve
        self._queue: deque[Queued] = deque()
        self._drain_lock = threading.RLock()
        self._due = 0
        """Rows that waited when their draining began, and wait still."""
        self._told = False

    def put(self, row: Queued) -> None:
        """Accept a row."""
        queue = self._queue
        queue.append(row)
        if not self._told:
            self._announce()
        waiting = len(queue)
        if waiting >= WAIT_ROWS and not waiting % WAIT_ROWS:
            self._press()

    def late(self) -> int:
        """Return how many rows only wait to be drained."""
        return super().late() + len(self._queue)

    def waiting(self) -> int:
        """Return how many rows and blocks of rows wait to be drained."""
        return super().waiting() + len(self._queue)

    def drain(self, log: Log) -> bool:
        """Turn a part of what waits into rows in `log`; return whether there are more parts.

        They end with what waited when the first of them was taken.
        """
        with self._drain_lock:
            super().drain(log)
            return self._make_rows(log)

    def collect(self) -> list[Rows]:
        """Return the blocks of rows that wait, and keep them."""
        while self._make_rows(self._kept):
            pass
        return super().collect()

    def _announce(self) -> None:
        try:
            self._told = True
            self._arrived()
        except BaseException:
            # Interrupted: the next row wakes the flusher instead.
            self._told = False
            raise

    def _press(self) -> None:
        self._relieve()
        with self._drain_lock:
            while len(self._queue) > MOST_ROWS:
                self._queue.pop()
                self.lost[CROWDED] += 1

    def _make_rows(self, log: Log) -> bool:
        # Cleared before the queue is counted: a row after this line wakes the flusher again.
        self._told = False
        with self._drain_lock:
            queue = self._queue
            self._due = min(self._due or len(queue), len(queue))
            taken = [queue.popleft() for _ in range(min(self._due, PART_ROWS))]
            if taken:
                try:
                    log.append(_rows_of(taken))
                except BaseException:
                    # Short of memory, say: they wait on, and the next pass takes them.
                    queue.extendleft(reversed(taken))
                    raise
            self._due -= len(taken)
            return self._due > 0


def _rows_of(taken: Sequence[Queued]) -> Rows:
    series, times, values, facts = zip(*taken, strict=True)
    texts = None
    if any(one is not None for one in facts):
        texts = ["" if one is None else json.dumps(one) for one in facts]
    return Rows.of(series, times, values, text=texts)

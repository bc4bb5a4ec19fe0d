"""Work that is done one after the other on a thread of ours, which is there while there is any."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from pulse_widgets.signals import start_shielded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Jobs"]


class Jobs:
    """Work of one comm, done in order. Each piece handles its own errors."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._working = False

    def add(self, work: Callable[[], None]) -> None:
        """Have something done; return at once."""
        with self._lock:
            self._waiting.append(work)
            begins, self._working = not self._working, True
        if begins:
            start_shielded("pulse-link", self._work)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working = False
                    return
                work = self._waiting.popleft()
            work()

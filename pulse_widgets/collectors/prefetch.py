"""Takes the first reading while the modules that will use it are still being loaded.

Nothing here imports numpy: in a fresh kernel that takes longer than reading the machine.
"""

from __future__ import annotations

import contextlib
import math
import threading
from typing import TYPE_CHECKING, Any

from pulse_widgets.readers.base import ALL_CLASSES, Backend, BackendCaps, RateClass, RawRecord
from pulse_widgets.signals import Flag, start_shielded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PrefetchedBackend"]


class PrefetchedBackend:
    """A backend that is opened and read once on a thread of its own, begun by `start`.

    Its first `open` waits for that and its first `read` returns what was read then; both do
    afterwards what the backend does.

    Parameters
    ----------
    backend : Backend
        One that may be used by several threads, one after the other.
    """

    def __init__(self, backend: Backend) -> None:
        self.name = backend.name
        self._backend = backend
        self._done = Flag()
        self._lock = threading.Lock()
        self._taken = self._opened = self._closed = False
        self._error: Exception | None = None
        self._records: Sequence[RawRecord] | None = None

    def start(self) -> None:
        """Begin with the first reading."""
        start_shielded(f"pulse-first-{self.name}", self._first)

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the backend, for example its rules."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._backend, name)

    @property
    def caps(self) -> BackendCaps:
        """What the backend can deliver."""
        return self._backend.caps

    @property
    def missing(self) -> Mapping[str, str]:
        """What is absent, and why."""
        return self._backend.missing

    def open(self) -> None:
        """Wait for the first reading, or open the backend again."""
        self._taken = True
        if self._opened:
            self._backend.open()
            return
        self._done.wait(math.inf)
        self._opened = True
        if self._error is not None:
            raise self._error

    def read(self, due: frozenset[RateClass]) -> Sequence[RawRecord]:
        """Return the first reading, which is of all classes, or read the backend."""
        first, self._records = self._records, None
        return self._backend.read(due) if first is None else first

    def close(self) -> None:
        """Close the backend, if need be once its first reading has returned."""
        with self._lock:
            self._closed, reading = True, not self._done.is_set()
        self._records = None
        if not reading:
            self._backend.close()

    def give_up(self) -> None:
        """Close the backend unless somebody has opened it, who then closes it."""
        if not self._taken:
            self.close()

    def _first(self) -> None:
        try:
            self._backend.open()
            # A reading that fails is tried again by the collector, which can report the error.
            with contextlib.suppress(Exception):
                self._records = self._backend.read(ALL_CLASSES)
        except Exception as error:  # noqa: BLE001  raised where it is opened
            self._error = error
        finally:
            # Exactly one of two closes it: this thread, or the caller of `close` from now on.
            with self._lock:
                closed = self._closed
                self._done.set()
            if closed:
                self._backend.close()

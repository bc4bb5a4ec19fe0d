"""The base of collectors that keep entries until they were delivered."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pulse_widgets.collectors.buffered.door import taker
from pulse_widgets.collectors.buffered.entry import Entry, size_of
from pulse_widgets.collectors.buffered.words import say

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Collector"]

LOOK_S: Final = 0.002
"""How often `Collector.add` looks whether there is room."""


@dataclass(slots=True)
class _Place:
    """Where one consumer is.

    Attributes
    ----------
    at : int
        The first entry that it has not let go of.
    begun : int or None
        The first entry that it was given since it let go of some last.
    given : int
        The first entry that it was never given.
    asked : bool
        Whether it has ever collected.
    """

    at: int
    begun: int | None = None
    given: int = 0
    asked: bool = False


class Collector:
    """Keeps entries until a consumer says that they were delivered.

    A consumer calls `collect`, delivers what it got, and then calls `truncate` with the number
    delivered. Entries that come meanwhile survive; where the delivery fails, nothing is let go
    of, and the next `collect` returns it again. Each consumer has a name and a place of its own.
    All methods may be called by any thread.

    Attributes
    ----------
    DROP_THRESHOLD : int or None
        A consumer gets the newest of so many entries at most; `collect` drops what is older, says
        so and counts it. None: nothing is dropped as long as entries take less than `BUDGET`
        bytes. Beyond that `add` waits for consumers, and where they let go of nothing for
        `PATIENCE_S`, or there has never been one, the oldest entries are dropped and counted.
    BUDGET : int
        Bytes.
    PATIENCE_S : float
        Seconds; 10, and 0 where what is collected must not be held up.
    dropped : int
        Entries that some consumer will not get. Their numbers are missing in `Entry.seq`, and a
        session that runs records that they were dropped.

    Examples
    --------
    >>> collector = Collector()
    >>> collector.add(["a", "b"])
    >>> waiting = collector.collect()
    >>> collector.add(["c"])
    >>> collector.truncate(len(waiting))
    >>> collector.collect()
    ['c']
    """

    DROP_THRESHOLD: ClassVar[int | None] = 360
    BUDGET: ClassVar[int] = 64 << 20
    PATIENCE_S: ClassVar[float] = 10.0

    def __init__(self) -> None:
        # Made in C and held briefly: an interrupt cannot leave it locked.
        self._lock = threading.RLock()
        self._entries: list[Any] = []
        self._first = 0
        """The number of the oldest entry held."""
        self._bytes = 0
        self._places = {"default": _Place(0)}
        self.dropped = 0

    def start(self) -> None:
        """Begin to collect; twice is harmless."""

    def stop(self) -> None:
        """End collecting; what was collected stays. Twice is harmless."""

    def add(self, entries: Iterable[Any]) -> None:
        """Take in entries, of which each gets its number in `Entry.seq`; the given ones stay."""
        given = list(entries)
        if self._bytes > self.BUDGET and self.DROP_THRESHOLD is None:
            self._make_room()
        with self._lock:
            seq = self._first + len(self._entries)
            taken = [
                entry.numbered(seq + place) if isinstance(entry, Entry) else entry
                for place, entry in enumerate(given)
            ]
            self._entries += taken
            if self.DROP_THRESHOLD is None:
                self._bytes += sum(map(size_of, taken))
            elif len(self._entries) > 4 * self.DROP_THRESHOLD:
                # No consumer would get these any more; `collect` counts them.
                self._let_go(len(self._entries) - self.DROP_THRESHOLD)

    def collect(self, consumer: str = "default") -> list[Any]:
        """Return the entries that a consumer has not let go of, oldest first, and keep them."""
        with self._lock:
            place = self._place(consumer)
            place.asked = True
            end = self._first + len(self._entries)
            oldest = self._first
            if self.DROP_THRESHOLD is not None:
                oldest = max(oldest, end - self.DROP_THRESHOLD)
            lost = max(oldest - place.at, 0)
            place.at += lost
            if place.begun is None:
                place.begun = place.at
            found = self._entries[place.at - self._first :]
            place.given = end
            self.dropped += lost
        if lost:
            self._tell(lost)
        return found

    def truncate(self, n: int, consumer: str = "default") -> None:
        """Let go of the first `n` entries that `collect` returned to a consumer.

        Where it collected several times since, it is of the first of them: an entry may be
        returned twice, but none is let go of that was not returned to that consumer.
        """
        with self._lock:
            place = self._place(consumer)
            begun = place.at if place.begun is None else place.begun
            place.at, place.begun = max(place.at, min(begun + n, place.given)), None
            self._let_go(min(each.at for each in self._places.values()) - self._first)

    def __len__(self) -> int:
        """Return how many entries are held, for whichever consumer."""
        return len(self._entries)

    # Private ----------------------------------------------------------------------------

    def _place(self, consumer: str) -> _Place:
        return self._places.setdefault(consumer, _Place(self._first))

    def _let_go(self, count: int) -> None:
        if count <= 0:
            return
        if self.DROP_THRESHOLD is None:
            self._bytes -= sum(map(size_of, self._entries[:count]))
        del self._entries[:count]
        self._first += count
        if not self._entries:
            self._bytes = 0  # an interrupt of `add` may have left one uncounted

    def _make_room(self) -> None:
        """Wait for consumers; where they let go of nothing, drop a tenth of what is held.

        What is dropped is counted for each consumer when it collects.
        """
        seen, since = self._first, time.monotonic()
        while self._bytes > self.BUDGET:
            with self._lock:
                asked = [place.at for place in self._places.values() if place.asked]
                # Nobody waits for a consumer that has never collected.
                self._let_go(min(asked, default=self._first) - self._first)
                now = time.monotonic()
                if self._first != seen:
                    seen, since = self._first, now
                elif not asked or now - since >= self.PATIENCE_S:
                    self._let_go(max(len(self._entries) // 10, 1))
                    return
            if self._bytes > self.BUDGET:
                time.sleep(LOOK_S)

    def _tell(self, lost: int) -> None:
        """Say that entries were dropped, in the log of the program and in a recording."""
        say("%d collector entries dropped", lost)
        session = taker()
        if session is not None:
            name = type(self).__name__
            facts = {"kind": "drop", "message": f"{lost} entries of {name} were dropped"}
            session.event("pulse/collector", facts)

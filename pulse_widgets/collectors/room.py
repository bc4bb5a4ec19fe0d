"""How much of what was logged may wait: callers ask for room, and only now and then.

A caller that was given room for some calls makes them without asking. All that was given
together stays within a bound, so what waits does, too, however many callers there are.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pulse_widgets.collectors.calls import Flat

__all__ = ["Room"]

SHARE: Final = 4
"""A caller gets so much of the room at once: the fourth part of what is left."""


class Room:
    """The room that calls take while they wait, in items of a `Flat`.

    Parameters
    ----------
    arrived : callable
        Called for the first of the calls that wait to be drained.
    """

    def __init__(self, arrived: Callable[[], None]) -> None:
        # Made in C and held briefly: an interrupt cannot leave it locked.
        self.lock = threading.RLock()
        self._arrived = arrived
        self._told = False
        self.given = 0
        """Items that wait, and those that may come without asking."""
        self.closed = False
        self._full_s: float | None = None
        """Since when there has been no room at all, monotonic seconds."""

    def has(self, flat: Flat, limit: int) -> bool:
        """Give room to who puts calls into `flat`, its newest included; False if it is full."""
        try:
            with self.lock:
                told, self._told = self._told, True
                wanted = len(flat) - flat.most
                left = limit - self.given - wanted
                fits = left >= 0 and not self.closed
                if fits:
                    share = left // SHARE // flat.width * flat.width
                    flat.most += wanted + share
                    self.given += wanted + share
            self._tell(told=told)
        except BaseException:
            # Interrupted: the next call asks again, and wakes the flusher instead.
            flat.most, self._told = 0, False
            raise
        return fits

    def has_for(self, items: int, limit: int) -> bool:
        """Give room for so many items that no `Flat` holds; False if it is full."""
        with self.lock:
            fits = self.given + items <= limit
            if fits:
                self.given += items
            return fits

    def tell(self) -> None:
        """Say that something waits."""
        told, self._told = self._told, True
        self._tell(told=told)

    def _tell(self, *, told: bool) -> None:
        if not told:
            try:
                self._arrived()
            except BaseException:
                self._told = False
                raise

    def begin(self, flats: Iterable[Flat], others: int) -> None:
        """Begin to drain: whoever comes from now on asks, and wakes the flusher again."""
        with self.lock:
            self._told = False
            self.given = others
            for flat in flats:
                flat.most = len(flat)
                self.given += flat.most

    def free(self, flat: Flat, items: int) -> None:
        """Remove the first items of `flat`: they are rows."""
        with self.lock:
            flat.most -= items
            self.given -= items
            del flat[:items]

    def free_other(self, items: int) -> None:
        """Give back room that `has_for` gave."""
        with self.lock:
            self.given -= items

    def close(self, flats: Iterable[Flat]) -> None:
        """Have every call from now on ask, and give none any room."""
        with self.lock:
            self.closed = True
            for flat in flats:
                flat.most = -1

    def is_worth_waiting(self, patience_s: float) -> bool:
        """Return whether there is hope that what waits is taken soon."""
        since = self._full_s
        return since is None or time.monotonic() - since < patience_s

    def full(self, *, is_full: bool) -> None:
        """Note whether there is no room at all."""
        if not is_full:
            self._full_s = None
        elif self._full_s is None:
            self._full_s = time.monotonic()

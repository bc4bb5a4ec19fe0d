"""Signals between threads that an interrupt cannot leave in a broken state.

A cell may be interrupted between any two steps of Python. `threading.Event` is made of such
steps: interrupted inside one, the caller keeps the lock of the event, and the thread that sets
it next waits for ever. What is here takes one step, made in C.
"""

from __future__ import annotations

import _thread
import contextlib
import math
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Alarm", "Flag", "aside", "start_shielded"]

T = TypeVar("T")


class Alarm:
    """Wakes one waiting thread; a ring that nobody waits for wakes the next wait.

    It also costs less: `threading.Event` makes a lock for each wait, a third of what waking
    costs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """End the wait, now or the next."""
        # Two threads may ring at once; one ring is as good as two.
        with contextlib.suppress(RuntimeError):
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until somebody rings; return whether somebody did."""
        return self._lock.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))


class Flag:
    """Is raised once and stays up; any number of threads may wait for that."""

    def __init__(self) -> None:
        self._up = False
        self._alarm = Alarm()

    def set(self) -> None:
        """Raise the flag, and wake who waits for it; costs next to nothing when it is up."""
        if not self._up:
            self._up = True
            self._alarm.ring()

    def is_set(self) -> bool:
        """Return whether the flag is up."""
        return self._up

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until the flag is up; return whether it is."""
        try:
            if not self._up:
                self._alarm.wait(seconds)
        finally:
            # Each that wakes wakes the next.
            if self._up:
                self._alarm.ring()
        return self._up


def aside(name: str, work: Callable[[], T], seconds: float = math.inf) -> T:
    """Return what `work` returns, or raise what it raises; it is done by a thread of ours.

    A caller that is interrupted, or has waited long enough, leaves it going on.

    Raises
    ------
    TimeoutError
        If it took longer than `seconds`.
    """
    job = _Job(work)
    start_shielded(name, job.run)
    if not job.done.wait(seconds):
        raise TimeoutError
    if job.error is not None:
        raise job.error
    return job.made[0]


class _Job(Generic[T]):
    """Work that somebody else waits for."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.done = Flag()
        self.made: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do it, and keep what comes of it."""
        try:
            self.made.append(self._work())
        except BaseException as error:  # noqa: BLE001  raised where it is waited for
            self.error = error
        finally:
            self.done.set()


def start_shielded(name: str, work: Callable[[], None]) -> None:
    """Begin `work` on a daemon thread, whole or not at all, whatever interrupts the caller.

    `threading.Thread.start` waits with an event for the thread to begin. Interrupted there, it
    may keep the lock that the thread needs. So it is called by a thread that nothing
    interrupts, which one step made in C begins.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)

    def begin() -> None:
        try:
            thread.start()
        except RuntimeError:
            # No memory for another thread: this one will do.
            work()

    try:
        _thread.start_new_thread(begin, ())
    except RuntimeError:
        # The interpreter is ending, or there is no memory: the caller does it.
        work()

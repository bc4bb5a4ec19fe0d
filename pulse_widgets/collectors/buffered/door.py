"""The way from a collector that a program made itself to the session that runs, if one does.

Sessions are made above this package; the process's default session stands in the door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Taker", "stand_in", "taker"]


class Taker(Protocol):
    """A running session, as collectors outside of it see it."""

    def log(self, data: Mapping[str, Any], step: int | None, wall_s: float) -> None:
        """Take in values of the user at a Unix time."""

    def watch(self, sources: Sequence[str]) -> None:
        """Read these sources, too, from now on."""

    def capture(self) -> None:
        """Take what is printed, too, from now on."""

    def lines(self, stream: str, texts: Sequence[str], wall_s: Sequence[float]) -> None:
        """Take in lines that somebody else has read, with their Unix times."""

    def event(self, entity: str, facts: Mapping[str, Any]) -> None:
        """Record that something happened."""


_finders: list[Callable[[], Taker | None]] = []


def stand_in(find: Callable[[], Taker | None]) -> None:
    """Have `find` say which session runs."""
    _finders[:] = [find]


def taker() -> Taker | None:
    """Return the session that runs now; None where there is none."""
    return _finders[0]() if _finders else None

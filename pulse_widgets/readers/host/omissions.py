"""What a source could not read and left out (a line, a core, a mount, a process), and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

__all__ = ["Omissions", "reason_of", "shown"]

T = TypeVar("T")

_LONGEST: Final = 40
"""Of what a file says, so many characters are repeated in a reason."""
_MOST: Final = 32
"""So many devices, cores and mounts of one source are told; a file of garbage has one a line."""
_OWN: Final = ("host ", "kernel ")
"""What is left out of these is always told: there are only so many fields."""


class Omissions:
    """Collects what is left out and why, and forgets it once it can be read again.

    A reader calls it with what is left out (an entity, a space and a field, as in
    `Backend.missing`) and the reason: ``omit("host swap.used", "SwapFree says '<unknown>'")``.
    That stays until the same source is read again without leaving it out.

    Attributes
    ----------
    reasons : mapping of str to str
        From what is left out to the reason; a new mapping whenever that changes.
    """

    def __init__(self) -> None:
        self.reasons: Mapping[str, str] = {}
        self._of: dict[Hashable, dict[str, str]] = {}
        self._now: dict[str, str] = {}

    def __call__(self, what: str, why: str) -> None:
        """Leave something out; the first reason for it stays."""
        self._now.setdefault(what, why)

    def settle(self, source: Hashable) -> bool:
        """Take what was left out since the last call as the source's, in place of the last time's.

        Returns
        -------
        bool
            Whether anything is left out.
        """
        fresh = self._now
        if fresh:
            self._now = {}
            if len(fresh) > _MOST:
                fresh = _shortened(fresh)
            if fresh == self._of.get(source):
                return True
            self._of[source] = fresh
        elif self._of.pop(source, None) is None:
            return False
        self._tell()
        return bool(fresh)

    def _tell(self) -> None:
        self.reasons = {what: why for each in self._of.values() for what, why in each.items()}

    def asked(self, source: Hashable, question: Callable[[], T]) -> T:
        """Return the answer to a question asked inside another; what it leaves out is its own."""
        outer, self._now = self._now, {}
        try:
            return question()
        finally:
            self.settle(source)
            self._now = outer

    def forget(self) -> None:
        """Begin anew."""
        self._of.clear()
        self.reasons = {}


def _shortened(omitted: dict[str, str]) -> dict[str, str]:
    """Return the first entries; the reason of the last one counts those that were cut."""
    devices = [what for what in omitted if not what.startswith(_OWN)]
    dropped = set(devices[_MOST + 1 :])
    short = {what: why for what, why in omitted.items() if what not in dropped}
    if dropped:
        short[devices[_MOST]] += f" (and {len(dropped)} more are left out)"
    return short


def reason_of(error: Exception) -> str:
    """Return what a failure says, in a line."""
    return f"{type(error).__name__}: {error}"


def shown(content: bytes) -> str:
    """Return what a file says, for a reason: quoted, and shortened when it is long."""
    text = content[: _LONGEST + 1].decode("utf-8", "replace")
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")

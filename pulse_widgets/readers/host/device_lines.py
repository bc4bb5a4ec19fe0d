"""Lists of devices that the kernel prints, one a line, each with its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.words import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.readers.host.odd import Odd

__all__ = ["DeviceLines", "OddLineError", "count_of"]

_NAME_MOST: Final = 64
"""Letters; the kernel's own names of disks and interfaces have at most 31."""


class OddLineError(ValueError):
    """A line that does not have the form it should have.

    Parameters
    ----------
    name : bytes
        Of the device it is about; empty where it has none.
    why : str
        What is odd.
    """

    def __init__(self, name: bytes, why: str) -> None:
        super().__init__(why)
        self.name = name
        self.why = why


class DeviceLines:
    """Takes such a list apart; a line that is odd takes only its own device away.

    Most lines are the same as at the last look: they are not taken apart again.

    Parameters
    ----------
    path : str
        The file, as people call it.
    kind : str
        Of the entities: ``disk`` or ``net``.
    parse : callable
        Returns name and counters of a line; raises `OddLineError`.
    odd : Odd
        Told on each look what was left out.
    """

    def __init__(
        self,
        path: str,
        kind: str,
        parse: Callable[[bytes], tuple[bytes, tuple[float, ...]]],
        odd: Odd,
    ) -> None:
        self._path = path
        self._kind = kind
        self._parse = parse
        self._odd = odd
        self._known: dict[bytes, tuple[str, tuple[float, ...] | None, str]] = {}

    def take(self, lines: list[bytes]) -> dict[str, tuple[float, ...] | None]:
        """Return the counters of each device; None for one whose line is odd."""
        before = self._known
        known = self._known = {}
        found: dict[str, tuple[float, ...] | None] = {}
        for line in lines:
            if not line or line.isspace():
                continue
            # A line that is printed twice says nothing new.
            if line in known:
                continue
            known[line] = name, counts, why = before.get(line) or self._entry(line)
            if counts is None:
                self._tell(name, why)
                if name:
                    found.setdefault(name, None)
            elif found.get(name) is None:
                found[name] = counts
            else:
                self._tell(name, f"{self._path} has two lines of it")
        return found

    def _entry(self, line: bytes) -> tuple[str, tuple[float, ...] | None, str]:
        try:
            name, counts = self._parse(line)
        except OddLineError as odd:
            return _text(odd.name[:_NAME_MOST]), None, odd.why
        if len(name) > _NAME_MOST:
            return _text(name[:_NAME_MOST]), None, f"its name in {self._path} is too long"
        return _text(name), counts, ""

    def _tell(self, name: str, why: str) -> None:
        self._odd(f"{self._kind}:{name} counters" if name else f"host {self._path}", why)


def count_of(word: bytes, name: bytes, path: str) -> int:
    """Return a counter; raises `OddLineError` for what none can be."""
    try:
        return number(word)
    except ValueError as error:
        raise OddLineError(name, f"its line of {path} {error}") from error


def _text(name: bytes) -> str:
    # The files of /proc have no encoding; names of devices may hold any byte.
    return name.decode("utf-8", "replace")

"""Lists of devices that the kernel prints, one a line, each with its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.kernel_numbers import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.readers.host.omissions import Omissions

__all__ = ["BadLineError", "DeviceLines", "count_of"]

_NAME_MOST: Final = 64
"""Letters; the kernel's own names of disks and interfaces have at most 31."""


class BadLineError(ValueError):
    """A line that does not have the form it should have.

    Parameters
    ----------
    name : bytes
        Of the device it is about; empty where it has none.
    why : str
        What is wrong with the line.
    """

    def __init__(self, name: bytes, why: str) -> None:
        super().__init__(why)
        self.name = name
        self.why = why


class DeviceLines:
    """Takes such a list apart; a line that cannot be read takes only its own device away.

    Most lines are the same as at the last look: they are not taken apart again.

    Parameters
    ----------
    path : str
        The file, as people call it.
    kind : str
        Of the entities: ``disk`` or ``net``.
    parse : callable
        Returns name and counters of a line; raises `BadLineError`.
    omissions : Omissions
        Told on each look what was left out.
    """

    def __init__(
        self,
        path: str,
        kind: str,
        parse: Callable[[bytes], tuple[bytes, tuple[float, ...]]],
        omissions: Omissions,
    ) -> None:
        self._path = path
        self._kind = kind
        self._parse = parse
        self._omissions = omissions
        self._known: dict[bytes, tuple[str, tuple[float, ...] | None, str]] = {}

    def take(self, lines: list[bytes]) -> dict[str, tuple[float, ...] | None]:
        """Return the counters of each device; None for one whose line cannot be read."""
        before = self._known
        known = self._known = {}
        found: dict[str, tuple[float, ...] | None] = {}
        for line in lines:
            if not line or line.isspace():
                continue
            # The same line twice: the device was read already.
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
        except BadLineError as bad:
            return _text(bad.name[:_NAME_MOST]), None, bad.why
        if len(name) > _NAME_MOST:
            return _text(name[:_NAME_MOST]), None, f"its name in {self._path} is too long"
        return _text(name), counts, ""

    def _tell(self, name: str, why: str) -> None:
        self._omissions(f"{self._kind}:{name} counters" if name else f"host {self._path}", why)


def count_of(word: bytes, name: bytes, path: str) -> int:
    """Return a counter; raises `BadLineError` for what none can be."""
    try:
        return number(word)
    except ValueError as error:
        raise BadLineError(name, f"its line of {path} {error}") from error


def _text(name: bytes) -> str:
    # The files of /proc have no encoding; names of devices may hold any byte.
    return name.decode("utf-8", "replace")

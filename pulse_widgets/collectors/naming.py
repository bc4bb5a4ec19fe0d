"""The names under which the user logs, and what is left out of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.collectors.logged_values import (
    NoNumberError,
    accepted,
    describe,
    flatten,
    short,
)
from pulse_widgets.errors import PulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.series.registry import Registry

__all__ = ["Naming"]


class Naming:
    """Gives each name its series; counts and says what is left out.

    Parameters
    ----------
    registry : Registry
    host : str
    entity : str
        Whose metrics these are.
    say : callable taking str
        Tells the user; called once a name.

    Attributes
    ----------
    ids : dict of str to int
        The series of each name so far.
    refused : int
        Values that were no numbers, or of one name too many.
    """

    def __init__(
        self, registry: Registry, host: str, entity: str, say: Callable[[str], None]
    ) -> None:
        self.ids: dict[str, int] = {}
        self.refused = 0
        self._registry = registry
        self._host = host
        self._entity = entity
        self._say = say
        self._left_out: set[str] = set()

    def checked(
        self,
        data: Mapping[str, Any],
        convert: Callable[[Any], Any] = accepted,
        wanted: str = "a number",
    ) -> dict[str, Any]:
        """Return the flat copy of a mapping, without the values that are no numbers.

        Parameters
        ----------
        data : mapping
        convert : callable
            Makes of a value what is kept of it, or raises `NoNumberError`.
        wanted : str
            What a value must be, for the words about one that is not.

        Raises
        ------
        ArgumentError
            What is wrong with the call itself: no mapping, or a key that cannot be a name.
        """
        flat: dict[str, Any] = {}
        flatten(data, "", flat)
        taken: dict[str, Any] = {}
        for key, value in flat.items():
            try:
                number = convert(value)
            except NoNumberError:
                self.leave_out(key, f"{short(key)} is {describe(value)}, not {wanted}")
                continue
            if self._is_named(key):
                taken[key] = number
        return taken

    def _is_named(self, key: str) -> bool:
        """Return whether a name has a series, or gets one; else it is said why not."""
        if key not in self.ids:
            try:
                self.ids[key] = self._registry.add(self._host, self._entity, key, limited=True)
            except PulseError as error:
                # One of very many new names: what varies belongs into the value.
                self.leave_out("", f"{error.problem}. {error.remedy}")
                return False
        return True

    def leave_out(self, what: str, why: str) -> None:
        """Go on without a value: it is counted, and said once of each name."""
        self.refused += 1
        if what not in self._left_out:
            self._left_out.add(what)
            self._say(f"pw.log() left a value out: {why}")

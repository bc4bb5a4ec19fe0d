"""The series of a session: the name, kind, unit and small integer id of each."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError
from pulse_widgets.metrics.kinds import GAUGE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Registry", "SeriesInfo"]

NEW_SERIES_A_MINUTE: Final = 10_000
LABELS_A_SERIES: Final = 16


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One series: what it is about, and in which unit.

    Attributes
    ----------
    id : int
        Its int32 number in this process.
    host, entity, metric : str
        The key. `metric` is the stored form: ``cpu.user.total`` for a counter.
    unit : str
        A unit of the catalog.
    kind : str
        ``gauge``, ``counter``, ``state``, ``span``, ``text`` or ``media``.
    labels : mapping of str to str
        At most 16.
    """

    id: int
    host: str
    entity: str
    metric: str
    unit: str = ""
    kind: str = GAUGE.stored
    labels: Mapping[str, str] = field(default_factory=dict)


OWN: Final = frozenset({"kernel", "pulse"})
"""Entities that every process has: itself, and its own monitor."""


class Registry:
    """Gives each series its id, and says which series are new since a given id.

    Parameters
    ----------
    within : str
        Of which entity this process, as read from outside, and its monitor are parts: ``rank:3``
        for one of several that record together. Empty for one that is alone.
    """

    def __init__(self, within: str = "") -> None:
        self._within = within
        # Reentrant: a signal handler or finalizer on this thread may log a new series meanwhile.
        self._lock = threading.RLock()
        self._ids: dict[tuple[str, str, str], int] = {}
        self._infos: list[SeriesInfo] = []
        self._owners: dict[int, str] = {}
        self._minute = 0.0
        self._new_this_minute = 0
        self.refused = 0

    def __len__(self) -> int:
        """Return the number of series; ids are 0 to this, exclusive."""
        return len(self._infos)

    def __getitem__(self, series: int) -> SeriesInfo:
        """Return what is known of a series."""
        return self._infos[series]

    def find(self, host: str, entity: str, metric: str) -> int | None:
        """Return the id of a series, or None if it was never added."""
        return self._ids.get((host, self.called(entity), metric))

    def called(self, entity: str) -> str:
        """Return what an entity of this process is called beside those of others."""
        if self._within and entity.partition("/")[0] in OWN:
            return f"{self._within}/{entity}"
        return entity

    def add(  # noqa: PLR0913  one argument a field of the key and the series
        self,
        host: str,
        entity: str,
        metric: str,
        *,
        unit: str = "",
        kind: str = GAUGE.stored,
        labels: Mapping[str, str] | None = None,
        limited: bool = False,
        owner: str = "",
    ) -> int:
        """Return the id of a series, announcing it when it is new.

        Parameters
        ----------
        limited : bool
            Only so many may be new in a minute; an owner's are limited, too.
        owner : str
            The source that alone may fill it; empty where several may.

        Raises
        ------
        PulseError
            When a series has more than 16 labels, a name that cannot be written, belongs to
            another source, or is `limited` and number 10 001 of its sort within a minute.
        """
        key = (host, self.called(entity) if self._within else entity, metric)
        found = self._ids.get(key)
        if found is not None:
            if owner and self._owners.get(found) != owner:
                raise _taken(key, self._owners.get(found, ""))
            return found
        few = limited or bool(owner)
        with self._lock:
            made = self._announce(key, unit, kind, dict(labels or {}), limited=few)
            if owner and (holds := self._owners.setdefault(made, owner)) != owner:
                raise _taken(key, holds)
            return made

    def since(self, first: int) -> list[SeriesInfo]:
        """Return the series whose id is `first` or more, in order of id."""
        return self._infos[first:]

    def _announce(
        self,
        key: tuple[str, str, str],
        unit: str,
        kind: str,
        labels: dict[str, str],
        *,
        limited: bool,
    ) -> int:
        if key in self._ids:
            return self._ids[key]
        if len(labels) > LABELS_A_SERIES:
            raise PulseError(
                f"{key[2]!r} has {len(labels)} labels; a series has at most {LABELS_A_SERIES}",
                remedy="Keep the labels that tell series apart and put the rest into pw.config().",
            )
        _require_names(*key, unit, kind, *labels, *labels.values())
        if limited:
            self._count(key[2])
        while key not in self._ids:
            number = len(self._infos)
            info = SeriesInfo(number, *key, unit, kind, labels)
            # A signal handler or finalizer on this same thread may have added it just now.
            if len(self._infos) == number:
                self._infos.append(info)
                self._ids[key] = number
        return self._ids[key]

    def _count(self, metric: str) -> None:
        now = time.monotonic()
        if now - self._minute >= 60:  # noqa: PLR2004
            self._minute, self._new_this_minute = now, 0
        if self._new_this_minute >= NEW_SERIES_A_MINUTE:
            self.refused += 1
            raise PulseError(
                f"{metric!r} would be series number {NEW_SERIES_A_MINUTE + 1} within a minute",
                remedy="Use a fixed set of keys; put what varies into the value, not into the key.",
            )
        self._new_this_minute += 1


def _taken(key: tuple[str, str, str], owner: str) -> PulseError:
    return PulseError(
        f"{key[2]!r} of {key[1]!r} comes from {owner or 'the monitor itself'} already",
        remedy="Leave one of the two sources out, or give the entities of one of them other names.",
    )


def _require_names(*names: object) -> None:
    """Refuse names that no file can hold: one would make the whole recording unwritable."""
    for name in names:
        if isinstance(name, str):
            try:
                name.encode()
            except UnicodeEncodeError:
                pass
            else:
                continue
        raise PulseError(
            f"{name!r} cannot be a name of a series: it is no text that can be written",
            remedy="Use plain text for the names of entities, metrics, units and labels.",
        )

"""An alert and everything it is about: which series its condition reads, thing by thing."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from pulse_widgets.insight.alerts.subject import Subject
from pulse_widgets.insight.alerts.tree import readings
from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.entities import owner_key, parse
from pulse_widgets.metrics.globs import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulse_widgets.insight.alerts.evaluation import Leaf
    from pulse_widgets.insight.alerts.track import Point
    from pulse_widgets.insight.alerts.tree import Condition

__all__ = ["Known", "Owner", "Watch", "misspelt"]

Owner: TypeAlias = tuple[str, str]
"""Host and entity."""
Known: TypeAlias = "Mapping[str, Mapping[Owner, int]]"
"""Name of a metric to what has it, and to the id of that series."""

MOST: Final = 256
"""So many things at most has one alert."""
WIDE: Final = frozenset({"host", "user", "rank", "kernel"})
"""What has a reading that says something of a device, too."""


class Watch:
    """One alert.

    Parameters
    ----------
    condition : Condition

    Attributes
    ----------
    subjects : dict
        Host and entity to what the condition is of it.
    left_out : int
        Things that were one too many.
    """

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.leaves: tuple[Leaf, ...] = tuple(dict.fromkeys(readings(condition.test)))
        self.metrics = frozenset(leaf.metric for leaf in self.leaves)
        self.subjects: dict[Owner, Subject] = {}
        self.left_out = 0

    def resolve(self, known: Known, now: Mapping[int, Point]) -> None:
        """Find what the condition is about, among the series that there are."""
        meant = {metric: self._meant(known.get(metric, {})) for metric in self.metrics}
        owners = sorted(self._owners(meant), key=lambda owner: owner_key(*owner))
        self.left_out = max(0, len(owners) - MOST)
        subjects = {}
        for owner in owners[:MOST]:
            series = {leaf: _series_of(owner, meant[leaf.metric]) for leaf in self.leaves}
            subject = self.subjects.get(owner)
            if subject is None:
                subject = Subject(self.condition, series, now)
            else:
                subject.bind(series, now)
            subjects[owner] = subject
        # A new mapping: other threads are reading the one there is.
        self.subjects = subjects

    def _meant(self, found: Mapping[Owner, int]) -> Mapping[Owner, int]:
        """Return those of a metric that are meant: a machine stands for its parts.

        What `on` names is about things; a reading of the machine or of the run goes with each.
        """
        pattern = self.condition.entity
        if pattern is not None:
            named = {owner: one for owner, one in found.items() if matches(owner[1], pattern)}
            return named or {o: one for o, one in found.items() if _kind(o) in WIDE}
        whole = {owner: one for owner, one in found.items() if owner[1] == "host"}
        return whole or found

    def _owners(self, meant: Mapping[str, Mapping[Owner, int]]) -> set[Owner]:
        """Return the things that the condition is about."""
        found = [meant[leaf.metric] for leaf in self.leaves]
        if self.condition.entity is not None:
            pattern = self.condition.entity
            return {owner for owners in found for owner in owners if matches(owner[1], pattern)}
        several = {owner for owners in found if _several(owners) for owner in owners}
        if several:
            return several
        alone = [owner for owners in found for owner in owners]
        devices = [owner for owner in alone if _kind(owner) not in WIDE]
        return set((devices or alone)[:1])

    def waits_for(self, known: Known) -> str:
        """Return what it waits for, as long as it has found nothing; else an empty text."""
        absent = [metric for metric in sorted(self.metrics) if not known.get(metric)]
        said = [f"there is no reading of {metric!r} yet{misspelt(metric)}" for metric in absent]
        if not said and not self.subjects:
            return f"nothing that is called {self.condition.entity!r} has a reading yet"
        return "; ".join(said)


@lru_cache(1000)  # alerts that wait ask every second
def misspelt(metric: str) -> str:
    """Return the question whether another metric was meant, where the catalog has one like it."""
    if metric in CATALOG:
        return ""
    near = get_close_matches(metric, CATALOG, 1, 0.8)
    return f" (is it {near[0]}?)" if near else ""


def _several(owners: Mapping[Owner, int]) -> bool:
    hosts = [host for host, _ in owners]
    return len(hosts) > len(set(hosts))


def _series_of(owner: Owner, found: Mapping[Owner, int]) -> int | None:
    """Return the series of a metric that says something of a thing; None where none does."""
    host, entity = owner
    if owner in found:
        return found[owner]
    # What a part does not have itself, the device around it may have.
    place = entity
    while "/" in place:
        place = place.rpartition("/")[0]
        if (host, place) in found:
            return found[host, place]
    inner = entity.partition("/")[2]
    if (host, inner) in found:
        return found[host, inner]
    here = [one for (on, _), one in found.items() if on == host]
    if len(here) == 1:
        return here[0]
    everywhere = list(found.values())
    return everywhere[0] if len(everywhere) == 1 else None


def _kind(owner: Owner) -> str:
    return parse(owner[1])[0].kind if owner[1] else ""

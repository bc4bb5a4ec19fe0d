"""The headings of charts and tables, and their order; the browser uses the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.metric import Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HEADINGS", "HEADING_OF", "USER", "heading_of", "headings_with", "title_of"]

USER: Final = "Your metrics"
"""Of what was logged, whatever its key is called."""
OTHER: Final = "Other metrics"
OWN: Final = "The monitor itself"

HEADING_OF: Final[Mapping[Group, str]] = {group: str(group) for group in Group} | {
    Group.HEALTH: str(Group.GPU),
    Group.CONTAINER: str(Group.CPU),
    Group.PULSE: OWN,
    Group.EVENTS: OTHER,
}
"""Group of the catalog to the heading its metrics stand under."""

HEADINGS: Final = (
    USER,
    str(Group.GPU),
    str(Group.GPU_MEMORY),
    str(Group.POWER),
    str(Group.INTERCONNECT),
    str(Group.CPU),
    str(Group.MEMORY),
    str(Group.IO),
    str(Group.PROCESS),
    OWN,
    OTHER,
)
"""Ours in order: what was logged first. Those of readers of other packages stand before `OTHER`."""


def heading_of(metric: str, entity: str, labels: Mapping[str, Any] | None = None) -> str:
    """Return the heading under which a metric of an entity stands.

    Parameters
    ----------
    metric, entity : str
    labels : mapping, optional
        Those of the series. ``group`` is the heading of a metric that only its reader knows.
    """
    if _is_logged(metric, entity):
        return USER
    if own := _own_group(metric, labels):
        return own
    if re.match(r"(cgroup|k8s)\.(memory|oom)", metric):
        return str(Group.MEMORY)
    if metric in {"cgroup.read", "cgroup.write"}:
        return str(Group.IO)
    known = CATALOG.get(metric)
    if known is None:
        return USER if entity.startswith("user:") else OTHER
    return HEADING_OF[known.group]


def headings_with(found: Iterable[str]) -> tuple[str, ...]:
    """Return all headings in order.

    Those in `found` that are not ours come before the other metrics, by the alphabet: a recording
    finds its series in another order than the session that made it.
    """
    place = HEADINGS.index(OTHER)
    more = sorted({heading for heading in found if heading not in HEADINGS})
    return (*HEADINGS[:place], *more, *HEADINGS[place:])


def title_of(metric: str, entity: str, labels: Mapping[str, Any] | None = None) -> str:
    """Return what a chart of a metric is called: by the catalog, its reader, or its own name."""
    known = CATALOG.get(metric)
    if known:
        return known.title
    own = not _is_logged(metric, entity) and _own_group(metric, labels)
    return (_label(labels, "title") if own else "") or metric


def _is_logged(metric: str, entity: str) -> bool:
    """Return whether the user logged it; ``user:1000`` may be an entity of a reader.

    Of the parts of a rank, such as ``rank:3/kernel``, it is what the catalog does not know.
    """
    first, _, part = entity.partition("/")
    ranked = first.partition(":")[0] == "rank" and not (part and metric in CATALOG)
    return first == "user" or ranked or metric == "progress"


def _own_group(metric: str, labels: Mapping[str, Any] | None) -> str:
    return "" if metric in CATALOG else _label(labels, "group")


def _label(labels: Mapping[str, Any] | None, name: str) -> str:
    return str((labels or {}).get(name) or "").strip()

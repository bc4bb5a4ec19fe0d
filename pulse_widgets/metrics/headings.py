"""The headings under which charts and tables stand, and their order; the browser has the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.metric import Group

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HEADINGS", "HEADING_OF", "USER", "heading_of"]

USER: Final = "Your metrics"
"""Of what was logged, whatever its key is called."""
OTHER: Final = "Other metrics"
OWN: Final = "The monitor itself"

HEADING_OF: Final[Mapping[Group, str]] = {group: str(group) for group in Group} | {
    Group.GPU_MEMORY: str(Group.MEMORY),
    Group.HEALTH: str(Group.GPU),
    Group.CONTAINER: str(Group.CPU),
    Group.PULSE: OWN,
    Group.EVENTS: OTHER,
}
"""Group of the catalog to the heading its metrics stand under."""

HEADINGS: Final = (
    str(Group.GPU),
    str(Group.MEMORY),
    str(Group.POWER),
    str(Group.INTERCONNECT),
    str(Group.CPU),
    str(Group.IO),
    str(Group.PROCESS),
    USER,
    OTHER,
    OWN,
)
"""All of them in order; our own cost comes last."""


_USERS: Final = frozenset({"user", "rank"})


def heading_of(metric: str, entity: str) -> str:
    """Return the heading under which a metric of an entity stands."""
    if entity.partition("/")[0].partition(":")[0] in _USERS or metric == "progress":
        return USER
    if re.match(r"(cgroup|k8s)\.(memory|oom)", metric):
        return str(Group.MEMORY)
    if metric in {"cgroup.read", "cgroup.write"}:
        return str(Group.IO)
    known = CATALOG.get(metric)
    return HEADING_OF[known.group] if known else OTHER

"""Every metric name there is, with its unit and kind; the one place that fixes them.

A rated metric has two forms: its rate ``X`` and its counter ``X.total``. The table decides
which names are such pairs, never the ending of the name: ``memory.total`` is a size.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.gpu_table import GPU_METRICS
from pulse_widgets.metrics.host_table import HOST_METRICS
from pulse_widgets.metrics.kinds import UNKNOWN, kind_stored_as
from pulse_widgets.metrics.metric import TOTAL, Group, Metric, Pace
from pulse_widgets.metrics.own_table import OWN_METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulse_widgets.metrics.kinds import Kind

__all__ = [
    "AREAS",
    "CATALOG",
    "Group",
    "Metric",
    "Pace",
    "kind_of",
    "lookup",
    "rate_of",
    "unit_of_rate",
]

CATALOG: Final[Mapping[str, Metric]] = MappingProxyType(
    {m.name: m for m in (*GPU_METRICS, *HOST_METRICS, *OWN_METRICS)}
)
"""Name to metric, in the order of the dashboard. A rated metric stands here as its rate."""

AREAS: Final[frozenset[str]] = frozenset(m.area for m in CATALOG.values())
"""The first parts of names that are reserved for the catalog."""

_COUNTERS: Final[Mapping[str, Metric]] = MappingProxyType(
    {c.name: c for m in CATALOG.values() if m.rated for c in [m.counter()]}
)


def lookup(name: str) -> Metric | None:
    """Return what the catalog says of `name`, counters of rated metrics included.

    None for a name that is not in the catalog: a user's key, a plug-in's metric.
    """
    return CATALOG.get(name) or _COUNTERS.get(name)


def kind_of(metric: str, stored: str) -> Kind:
    """Return what the rows of a series are.

    Parameters
    ----------
    metric : str
    stored : str
        What the recording calls their kind. It decides: a user's key may be called like a
        metric of the catalog. The metric tells apart what is stored under the same name.
    """
    known = lookup(metric)
    if known is not None and known.kind.stored == stored:
        return known.kind
    found = kind_stored_as(stored)
    # A newer version may store printed text under another kind.
    private = found is UNKNOWN and known is not None and known.kind.private
    return replace(found, private=True) if private else found


_NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})
_RATE_UNITS: Final = {"J": "W", "s": "1"}
"""Unit of a counter to that of its rate, where it is not the unit by the second."""


def rate_of(
    metric: str, kind: str, unit: str, labels: Mapping[str, str] = _NO_LABELS
) -> tuple[str, str] | None:
    """Return name and unit of the rate that a series is shown as, None where it is shown as it is.

    A counter is shown as its rate where its name ends in ``.total``. ``gpu.energy`` is a counter
    whose rate is the metric ``gpu.power``, not a form of itself; ``memory.total`` is a size and no
    counter, and a user's key may end as it likes. The label ``rate_unit`` of a metric that the
    catalog does not have says what its unit does not: seconds may count cores.
    """
    if not kind_stored_as(kind).cumulative:
        return None
    known = _COUNTERS.get(metric)
    if known is None and (not metric.endswith(TOTAL) or metric in CATALOG):
        return None
    name = metric.removesuffix(TOTAL)
    if known:
        return name, CATALOG[name].unit
    return name, labels.get("rate_unit") or unit_of_rate(unit)


def unit_of_rate(unit: str) -> str:
    """Return the unit of the rate of a counter in `unit`."""
    return _RATE_UNITS.get(unit, f"{unit}/s")

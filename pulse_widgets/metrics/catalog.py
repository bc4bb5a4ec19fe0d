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
from pulse_widgets.metrics.metric import Group, Kind, Metric, Pace
from pulse_widgets.metrics.own_table import OWN_METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AREAS",
    "CATALOG",
    "Group",
    "Kind",
    "Metric",
    "Pace",
    "counter_of",
    "lookup",
    "rate_of",
]

CATALOG: Final[Mapping[str, Metric]] = MappingProxyType(
    {m.name: m for m in (*GPU_METRICS, *HOST_METRICS, *OWN_METRICS)}
)
"""Name to metric, in the order of the dashboard. A rated metric stands here as its rate."""

AREAS: Final[frozenset[str]] = frozenset(m.area for m in CATALOG.values())
"""The first parts of names that are reserved for the catalog."""

_TOTAL: Final = ".total"


def _as_counter(metric: Metric) -> Metric:
    return replace(
        metric,
        name=metric.name + _TOTAL,
        unit=metric.total_unit,
        kind=Kind.COUNTER,
        title=f"{metric.title}, total",
        rated=False,
        total_unit="",
    )


_COUNTERS: Final[Mapping[str, Metric]] = MappingProxyType(
    {m.name + _TOTAL: _as_counter(m) for m in CATALOG.values() if m.rated}
)


def lookup(name: str) -> Metric | None:
    """Return what the catalog says of `name`, counters of rated metrics included.

    None for a name that is not in the catalog: a user's key, a plug-in's metric.
    """
    return CATALOG.get(name) or _COUNTERS.get(name)


def counter_of(name: str) -> str | None:
    """Return the counter of a rate (``cpu.user`` gives ``cpu.user.total``), None if it has none."""
    metric = CATALOG.get(name)
    return name + _TOTAL if metric is not None and metric.rated else None


def rate_of(name: str) -> str | None:
    """Return the rate of a counter (``cpu.user.total`` gives ``cpu.user``), None if it has none.

    ``gpu.energy`` is a counter whose rate is the metric ``gpu.power``, not a form of itself:
    None, as for sizes such as ``memory.total``.
    """
    return name.removesuffix(_TOTAL) if name in _COUNTERS else None

"""Which values of a metric can be true; what lies outside is a fault of its source.

Drivers answer with all bits set, with the largest signed number or with what was in memory when
they have no value. The ranges are wide: they are to catch those, not to judge hardware. Of a metric
that the catalog does not have little is known: its range leaves out what 63 or 64 set bits are.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.catalog import lookup

if TYPE_CHECKING:
    from pulse_widgets.metrics.metric import Metric

__all__ = ["ANYTHING", "Range", "range_of"]

Range = tuple[float, float]
"""The smallest and the largest value that can be true, in the metric's unit."""

ANYTHING: Final[Range] = (-sys.float_info.max, sys.float_info.max)
"""Every finite number."""

_YEARS_S: Final = 1e10
"""Some 300 years."""

_GAUGES: Final[dict[str, Range]] = {
    "B": (0.0, 2.0**60),
    "B/s": (0.0, 1e16),
    "W": (0.0, 1e6),
    "degC": (-273.15, 1000.0),
    "Hz": (0.0, 1e11),
    "s": (-_YEARS_S, _YEARS_S),
    "cores": (0.0, 1e6),
    "count": (0.0, 1e9),
    "count/s": (0.0, 1e15),
}
_COUNTERS: Final[dict[str, Range]] = {
    "B": (0.0, 2.0**62),
    "J": (0.0, 1e15),
    # Of all cores of a large machine.
    "s": (0.0, 1e13),
    "count": (0.0, 1e18),
}
_SHARE: Final[Range] = (0.0, 1.05)
"""Busy time over a time that was measured a moment later may be a little more than all of it."""
_GAUGE_OF_A_READER: Final[Range] = (-1e18, 1e18)
_COUNTER_OF_A_READER: Final[Range] = (0.0, 2.0**62)

_OF_GPUS: Final[dict[str, Range]] = {
    "W": (0.0, 1e4),
    "degC": (-100.0, 250.0),
    "Hz": (0.0, 2e10),
    # 63 set bits of nanoseconds are 292 years.
    "s": (0.0, 5e9),
}
_BY_NAME: Final[dict[str, Range]] = {
    # The share of the nominal speed, which fans may pass.
    "gpu.fan": (0.0, 2.5),
    # 32 stands for unknown.
    "gpu.pstate": (0.0, 15.0),
    "gpu.pcie.generation": (0.0, 16.0),
    "gpu.pcie.width": (0.0, 64.0),
    # One bit a reason.
    "gpu.throttled": (0.0, 2.0**31),
    "gpu.remapped.pending": (0.0, 1.0),
    "gpu.remapped.failed": (0.0, 1.0),
    "gpu.xid": (0.0, 1e6),
}


def range_of(metric: Metric) -> Range:
    """Return the values of `metric` that can be true, both ends included."""
    counter = metric.kind.cumulative
    if lookup(metric.name) is None:
        return _COUNTER_OF_A_READER if counter else _GAUGE_OF_A_READER
    if metric.name in _BY_NAME:
        return _BY_NAME[metric.name]
    if metric.name.startswith("gpu.") and metric.unit in _OF_GPUS:
        return _OF_GPUS[metric.unit]
    if metric.unit == "1" and not counter:
        return _SHARE
    return (_COUNTERS if counter else _GAUGES).get(metric.unit, ANYTHING)

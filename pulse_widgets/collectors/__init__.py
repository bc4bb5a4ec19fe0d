"""Collectors: what produces rows and entries, each with a status that says how it fares.

A session has its own. The classes below are for programs that deliver what is collected
themselves: each keeps its entries until they were delivered. What they collect is also in the
recording and on the dashboards of a session that runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulse_widgets.collectors.buffered.cells import CellCollector
    from pulse_widgets.collectors.buffered.collector import Collector
    from pulse_widgets.collectors.buffered.entry import Entry
    from pulse_widgets.collectors.buffered.io import IOCollector
    from pulse_widgets.collectors.buffered.metrics import UserMetricCollector
    from pulse_widgets.collectors.buffered.sender import Sender
    from pulse_widgets.collectors.buffered.system import SystemMetricCollector

__all__ = [
    "CellCollector",
    "Collector",
    "Entry",
    "IOCollector",
    "Sender",
    "SystemMetricCollector",
    "UserMetricCollector",
]

_HOMES: Final = {
    "CellCollector": "cells",
    "Collector": "collector",
    "Entry": "entry",
    "IOCollector": "io",
    "Sender": "sender",
    "SystemMetricCollector": "system",
    "UserMetricCollector": "metrics",
}


# Loaded when asked for: a first reading is taken by a module beside these, before numpy is there.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.buffered.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

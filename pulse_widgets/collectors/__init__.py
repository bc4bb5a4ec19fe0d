"""Collectors: what produces rows, each with a status that says how it fares."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulse_widgets.collectors.base import Collector, SourceStatus
    from pulse_widgets.collectors.cells import CellCollector
    from pulse_widgets.collectors.sampling import SamplingCollector
    from pulse_widgets.collectors.user import UserCollector

__all__ = ["CellCollector", "Collector", "SamplingCollector", "SourceStatus", "UserCollector"]

_HOMES: Final = {
    "CellCollector": "cells",
    "Collector": "base",
    "SamplingCollector": "sampling",
    "SourceStatus": "base",
    "UserCollector": "user",
}


# Loaded when asked for: a first reading is taken by a module beside these, before numpy is there.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

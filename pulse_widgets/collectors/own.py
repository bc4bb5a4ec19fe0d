"""What the monitor itself costs and does, as series like any other."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.base import RowCollector, after
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.metrics.kinds import GAUGE
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.registry import Registry

__all__ = ["OwnCollector"]

OWN_S: Final = 1.0
"""Seconds between two readings of the monitor's own cost, at least."""


class OwnCollector(RowCollector):
    """Measures the monitor itself when it is drained, once an interval.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    values : callable taking monotonic seconds, returning mapping of (entity, metric) to value
        What the monitor costs and does now, in base units; None leaves a row out.
    interval_s : float
        Seconds between readings; may be changed.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        values: Callable[[float], Mapping[tuple[str, str], float | None]],
        interval_s: float,
    ) -> None:
        super().__init__("own")
        self.status.state = "ok"
        self.interval_s = interval_s
        self._registry = registry
        self._clock = clock
        self._host = host
        self._values = values
        self._next = 0.0

    def stop(self) -> None:
        """Stop measuring."""
        self._next = math.inf

    def drain(self, log: Log) -> bool:
        """Put the rows of now in the log, if they are due."""
        now = time.monotonic()
        if now >= self._next:
            self._next = after(now, max(self.interval_s, OWN_S))
            log.append(self._rows(self._values(now)))
        return False

    def _rows(self, values: Mapping[tuple[str, str], float | None]) -> Rows:
        time_us = self._clock.now_us() // 1000 * 1000
        ids, present = [], []
        for (entity, metric), value in values.items():
            if value is not None:
                ids.append(self._id(entity, metric))
                present.append(value)
        return Rows.of(ids, [time_us] * len(ids), present)

    def _id(self, entity: str, metric: str) -> int:
        known = lookup(metric)
        unit, kind = (known.unit, known.kind) if known else ("", GAUGE)
        return self._registry.add(self._host, entity, metric, unit=unit, kind=kind.stored)

"""What alerts have to say: a row for each firing, its end, and each callback that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.metrics.kinds import MOMENT
from pulse_widgets.series.facts import row_of_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.series.registry import Registry

__all__ = ["AlertRows"]


class AlertRows(RowCollector):
    """Keeps what alerts say until it is drained.

    Parameters
    ----------
    registry : Registry
    arrived : callable
        Called when something waits to be drained.
    """

    def __init__(self, registry: Registry, arrived: Callable[[], None]) -> None:
        super().__init__("alerts", arrived)
        self.status.state = "off"
        self._registry = registry
        self.last: Callable[[], bool] = lambda: False
        """Called at the end, when all readings were shown: looks at them, says what follows."""

    def say(self, host: str, entity: str, time_us: int, facts: Mapping[str, object]) -> None:
        """Keep one row about a thing."""
        series = self._registry.add(host, entity, "alert", kind=MOMENT.stored)
        self.add(row_of_facts(series, time_us, facts))

    def finish(self) -> bool:
        """Have what follows from the last readings; return whether that is something."""
        return self.last()

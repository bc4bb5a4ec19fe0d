"""Labelled moments that the user puts on the time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.collectors.capture.secrets import masked_text
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.metrics.kinds import MOMENT
from pulse_widgets.series.facts import row_of_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["MarkCollector"]


class MarkCollector(RowCollector):
    """Takes in what `Monitor.mark` is given.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    arrived : callable
        Called when something waits to be drained.
    entity : str
        The process it is about.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        arrived: Callable[[], None],
        entity: str = Whose().kernel,
    ) -> None:
        super().__init__("marks", arrived)
        self.status.state = "ok"
        self._registry = registry
        self._clock = clock
        self._host = host
        self._entity = entity

    def mark(self, label: str, at_us: int | None = None) -> None:
        """Put a labelled moment on the time axis, of now or of another time of the session."""
        series = self._registry.add(self._host, self._entity, "mark", kind=MOMENT.stored)
        moment = self._clock.now_us() if at_us is None else at_us
        self.add(row_of_facts(series, moment, {"label": masked_text(str(label))}))

    def event(self, entity: str, facts: Mapping[str, Any]) -> None:
        """Record that something happened to an entity, now."""
        series = self._registry.add(self._host, entity, "event", kind=MOMENT.stored)
        self.add(row_of_facts(series, self._clock.now_us(), facts))

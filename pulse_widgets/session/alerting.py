"""The alerts of a session, which are loaded when the first is set."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pulse_widgets.loading import load
from pulse_widgets.signals import aside

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.collectors.alerts import AlertRows
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry
    from pulse_widgets.series.stage import Stage
    from pulse_widgets.series.state import AlertState
    from pulse_widgets.session.alert import Alert
    from pulse_widgets.session.alerts import Alerts

__all__ = ["Alerting"]


class Alerting:
    """Costs nothing until an alert is set; the parameters are those of `Alerts`."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        stage: Stage,
        rows: AlertRows,
        interval_s: Callable[[], float],
    ) -> None:
        self._given = (registry, clock, stage, rows, interval_s)
        self._rows = rows
        self._made: Alerts | None = None
        # Only threads of ours take it: an interrupt cannot leave it locked.
        self._lock = threading.Lock()

    def set(self, text: str, then: object) -> Alert:
        """Set an alert; see `Alerts.set`."""
        load("pulse_widgets.session.alerts")
        return aside("pulse-alerts-set", self._make).set(text, then)

    def _make(self) -> Alerts:
        from pulse_widgets.session.alerts import Alerts

        with self._lock:
            if self._made is None:
                self._made = Alerts(*self._given)
                self._rows.last = self._made.last
            return self._made

    def key(self) -> int:
        """Return a number that changes whenever an alert has another phase."""
        return 0 if self._made is None else self._made.key()

    def states(self) -> tuple[AlertState, ...]:
        """Return how each does, thing by thing."""
        return () if self._made is None else self._made.states()

    def stop(self) -> None:
        """End the threads."""
        if self._made is not None:
            self._made.stop()

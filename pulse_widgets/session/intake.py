"""What a session takes in beside the readings of its sources: all that comes from the user's code.

Each sort of row has a collector here: metrics, cells, marks, printed lines, alerts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.collectors.alerts import AlertRows
from pulse_widgets.collectors.cells import CellRows
from pulse_widgets.collectors.marks import MarkCollector
from pulse_widgets.collectors.output import OutputCollector
from pulse_widgets.collectors.user import UserCollector

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.collectors.base import RowCollector
    from pulse_widgets.collectors.whose import Whose
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["Intake"]


class Intake:
    """The collectors of what the user's code does and says.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    arrived : callable
        Called when something waits to be drained.
    relieve : callable
        Called by a producer that is too far ahead of the disk, and waits.
    whose : Whose
        The process whose code it is.

    Attributes
    ----------
    user : UserCollector
    cells : CellRows
    marks : MarkCollector
    output : OutputCollector
    alerts : AlertRows
    """

    def __init__(  # noqa: PLR0913, PLR0917  what all of them are given, and how callers wait
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        arrived: Callable[[], None],
        relieve: Callable[[], None],
        whose: Whose,
    ) -> None:
        self.user = UserCollector(registry, clock, host, arrived, relieve, whose.user)
        self.cells = CellRows(registry, clock, host, arrived, whose.kernel)
        self.marks = MarkCollector(registry, clock, host, arrived, whose.kernel)
        # After the cells: it asks IPython for the same signal, and is to hear it later.
        self.output = OutputCollector(registry, clock, host, arrived, whose.kernel)
        self.alerts = AlertRows(registry, arrived)
        self.labels: dict[str, dict[str, str]] = {}
        """Entity to what is said of it."""
        self.labelled = 0
        """How often `labels` has changed."""

    def label(self, entity: str, labels: dict[str, str]) -> None:
        """Say something of an entity of this process, beside what was said before."""
        # A new mapping: other threads are reading the one there is.
        self.labels = {**self.labels, entity: {**self.labels.get(entity, {}), **labels}}
        self.labelled += 1

    def collectors(self) -> list[RowCollector]:
        """Return every one of them, in the order in which they are drained."""
        return [self.user, self.cells, self.marks, self.output, self.alerts]

    def start(self) -> None:
        """Begin to listen."""
        for collector in self.collectors():
            collector.start()

    def stop(self) -> None:
        """Listen to nothing any more; what was accepted becomes rows with the next drain."""
        self.cells.stop()
        self.output.stop()

    def late(self) -> int:
        """Return what the user gave that waits before the log."""
        return sum(collector.late() for collector in self.collectors())

"""What a session takes in beside the readings of its sources: all that comes from the user's code.

Each sort of row has a collector here: metrics, cells, marks, printed lines, alerts.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pulse_widgets.collectors.alerts import AlertRows
from pulse_widgets.collectors.cells import CellRows
from pulse_widgets.collectors.marks import MarkCollector
from pulse_widgets.collectors.output import OutputCollector
from pulse_widgets.collectors.progress import ProgressRows
from pulse_widgets.collectors.spans import SpanRows
from pulse_widgets.collectors.user import UserCollector
from pulse_widgets.series.said import fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    spans : SpanRows
    progress : ProgressRows
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
        self.spans = SpanRows(registry, clock, host, arrived, relieve, whose.kernel)
        self.progress = ProgressRows(registry, clock, host, arrived, relieve, whose.kernel)
        self._arrived = arrived
        self._whose = whose
        # A lock made in C and held briefly: an interrupt cannot leave it locked.
        self._saying = threading.RLock()
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
        return [
            self.user,
            self.cells,
            self.marks,
            self.spans,
            self.progress,
            self.output,
            self.alerts,
        ]

    def start(self) -> None:
        """Begin to listen."""
        for collector in self.collectors():
            collector.start()

    def stop(self) -> None:
        """Listen to nothing any more; what was accepted becomes rows with the next drain."""
        self.cells.stop()
        self.output.stop()
        self.spans.stop()
        self.progress.stop()

    def say(self, label: str, facts: Mapping[str, object]) -> list[str]:
        """Add facts about the run to a label of the user; the last word on each of them counts.

        Parameters
        ----------
        label : str
            One of those that are JSON: ``config`` or ``defined``.
        facts : mapping
            What JSON has.

        Returns
        -------
        list of str
            The names of those for which there is no room.
        """
        entity = self._whose.user
        with self._saying:
            before = self.labels.get(entity, {})
            text, left = fitting(before.get(label, ""), facts)
            self.label(entity, {label: text})
        self._arrived()
        return left

    def late(self) -> int:
        """Return what the user gave that waits before the log."""
        return sum(collector.late() for collector in self.collectors())

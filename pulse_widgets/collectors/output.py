"""Takes what the process prints to the recording and to the pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.collectors.capture.notebook import CellSignals
from pulse_widgets.collectors.capture.watch import STREAMS, watch
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.metrics.kinds import MOMENT, OUTPUT
from pulse_widgets.series.facts import row_of_facts
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pulse_widgets.arguments import Captured
    from pulse_widgets.collectors.capture.lines import Lines
    from pulse_widgets.collectors.capture.watch import Subscription
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["OutputCollector"]

TOO_FAST: Final = "more came than 20 000 lines or 4 MiB a second"
SAY_S: Final = 1.0
"""Left out lines are told so often at most."""


class OutputCollector(RowCollector):
    """Makes rows of the lines that the process prints.

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
        super().__init__("output", arrived)
        self.status.state = "off"
        self._registry = registry
        self._clock = clock
        self._host = host
        self._entity = entity
        self._heard: Subscription | None = None
        self._cells = CellSignals(watch)
        self._captured: Captured = False
        self._stopped = False
        self._untold: dict[str, int] = {}
        self._told_s = 0.0

    @property
    def captured(self) -> Captured:
        """What it takes."""
        return self._captured

    def capture(self, what: Captured) -> None:
        """Take what is printed from now on; what is taken already goes on.

        Parameters
        ----------
        what : bool or "fd"
            False changes nothing.
        """
        if what is False or self._stopped:
            return
        if self._captured != "fd":
            self._captured = what
        if self._heard is None:
            self._heard = watch.subscribe(self._hear)
            self.status.state = "ok"
            self._cells.follow()
        if self._captured == "fd":
            self._heard.want_descriptors()

    def stop(self) -> None:
        """Capture nothing that is printed from now on."""
        self._stopped, self.status.state = True, "off"
        if self._heard is not None:
            self._heard.close()
        self._cells.leave()

    def finish(self) -> bool:
        """Have the last lines become rows."""
        heard, self._heard = self._heard, None
        if heard is not None:
            heard.flush()
            self._tell_left_out()
        return False

    def missing(self, *, at_end: bool) -> list[str]:
        """Return what was printed and is in no recording, and why, in sentences."""
        return super().missing(at_end=at_end)

    def _counted(self, number: int) -> str:
        return f"{number} printed line was" if number == 1 else f"{number} printed lines were"

    def add_lines(self, stream: str, times_us: NDArray[np.int64], texts: list[str]) -> None:
        """Make rows of lines, whoever has read them.

        Parameters
        ----------
        stream : str
            ``stdout`` or ``stderr``.
        times_us : (n,) int64
            Microseconds since the epoch.
        texts : list of str
            Secrets are masked already.
        """
        series = self._registry.add(self._host, self._entity, f"log.{stream}", kind=OUTPUT.stored)
        ids = np.full(len(texts), series, np.int32)
        self.add(Rows.of(ids, times_us, np.full(len(texts), np.nan), text=texts))

    def _hear(self, stream: str, lines: Lines) -> None:
        """Make rows of lines; called on a thread of the watch."""
        if len(lines):
            # The watch has a clock of its own, which every listener may turn into its.
            since_us = self._clock.since_monotonic_us()
            times_us = since_us + np.round(lines.times_s * 1e6).astype(np.int64)
            self.add_lines(stream, times_us, lines.texts)
        if lines.left_out:
            self.lost[TOO_FAST] += lines.left_out
            self._untold[stream] = self._untold.get(stream, 0) + lines.left_out
        if self._untold and time.monotonic() - self._told_s >= SAY_S:
            self._tell_left_out()

    def _tell_left_out(self) -> None:
        """Say in the recording how many lines are not in it."""
        untold, self._untold = self._untold, {}
        self._told_s = time.monotonic()
        for stream in STREAMS:
            number = untold.get(stream, 0)
            if number:
                said = f"{number:,} lines of {stream} were left out: {TOO_FAST}".replace(",", " ")
                series = self._registry.add(self._host, "pulse/output", "event", kind=MOMENT.stored)
                facts = {"kind": "drop", "message": said, "lines": number, "stream": stream}
                self.add(row_of_facts(series, self._clock.now_us(), facts))

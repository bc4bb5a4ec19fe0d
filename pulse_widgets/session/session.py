"""One running set of collectors, and what keeps them together.

::

    backend -> SamplingCollector --+
    user    -> Intake -------------+--> Log --+--> Writer (the recording)
    itself  -> OwnCollector -------+          +--> Stage (what is shown) --> subscriptions

Collectors keep what they are given, and say that something has arrived. The flusher's thread
drains them into the log and takes it on from there. Nothing here knows Jupyter's widgets or the
file format.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.governor import Governor
from pulse_widgets.collectors.own import OwnCollector
from pulse_widgets.collectors.sampling import SamplingCollector
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.errors import ArgumentError
from pulse_widgets.metrics.entities import is_gpu
from pulse_widgets.readers.discover import make_backends
from pulse_widgets.series.header import entity_records
from pulse_widgets.series.log import Log
from pulse_widgets.series.stage import Stage, Subscription
from pulse_widgets.session.alerting import Alerting
from pulse_widgets.session.cost import Cost, promised
from pulse_widgets.session.flusher import Flusher
from pulse_widgets.session.intake import Intake
from pulse_widgets.session.told import own_values, state_of
from pulse_widgets.storage.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pulse_widgets.arguments import Captured
    from pulse_widgets.collectors.base import RowCollector
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry
    from pulse_widgets.session.alert import Alert
    from pulse_widgets.storage.writer import Writer

__all__ = ["HOST", "Session", "Settings"]

HOST: Final = "h0"
"""The recording's id of this machine; its name stands in the catalog of the run."""

ALONE: Final = Whose()

FIRST_S: Final = 0.1
"""How long the first readings are waited for; a slow driver holds nobody up."""
STAGGER_S: Final = 0.0015
"""Seconds from the reading of one source to that of the next: about what reading the host takes."""
PHASES: Final = 3
"""So many sources have a moment of their own; all later ones share the last one's."""
STOP_S: Final = 1.0
"""How long a stop waits for the drivers."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session was started with.

    Attributes
    ----------
    interval_s : float
        Seconds between readings of gauges and counters.
    gpus : GpuChoice
    title : str
    """

    interval_s: float = 1.0
    gpus: GpuChoice = "mine"
    title: str = ""


class Session:
    """Collectors, their rows, and the threads that carry them.

    Parameters
    ----------
    settings : Settings
    registry : Registry
        Gives series their ids; the writer uses the same.
    clock : Clock
    whose : Whose
        The process whose code is watched.
    """

    def __init__(
        self, settings: Settings, *, registry: Registry, clock: Clock, whose: Whose = ALONE
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.clock = clock
        self.interval_s = settings.interval_s
        self.pid = os.getpid()
        self.log = Log()
        self.stage = Stage(registry, settings.interval_s)
        self.samplers: dict[str, SamplingCollector] = {}
        self._recorder = Recorder(self.log, HOST, labelled=self.labelled, labels=self.labels)
        self._flusher = Flusher(self.log, self.collectors, self._recorder, self.stage)
        self._flusher.interval_s = settings.interval_s
        self._flusher.besides = self._end_burst
        ring, relieve = self._flusher.ring, self._flusher.relieve
        self.intake = Intake(registry, clock, HOST, ring, relieve, whose)
        # Asked for in loops: an attribute less on the way.
        self.user = self.intake.user
        self.cells = self.intake.cells
        self.cells.at_edge = self._read_edge
        values = partial(own_values, self)
        self.own = OwnCollector(registry, clock, HOST, values, settings.interval_s)
        self._recorder.late, self._recorder.lost_before = self._late, self._lost
        self.path: Path | None = None
        """The directory the recording is written to; None as long as there is none."""
        self.stopped_us: int | None = None
        self.ended = False
        """Whether it takes nothing more, and the disk was asked to take all."""
        said = self.intake.alerts
        self.alerting = Alerting(registry, clock, self.stage, said, lambda: self.interval_s)
        self.cost = Cost(self._reading_s, self._carrying_s, self._readings, lambda: self.log.rows)
        self.governor = Governor(self._allowed, self.cost.of_carrying_readings)

    # Start and end -----------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the session takes readings."""
        return self.stopped_us is None

    def record(
        self,
        path: Path | None,
        make_writer: Callable[[], Writer],
        sealed: Callable[[], None] = lambda: None,
    ) -> None:
        """Record to `path`; called before `start`.

        Parameters
        ----------
        path : Path or None
            The directory the recording is written to; None when `make_writer` finds it, and
            sets `path`.
        make_writer : callable returning Writer
            Called on the flusher's thread, until it gives one.
        sealed : callable
            Called there when the last row is on the disk.
        """
        self.path = path
        self._flusher.sealed = sealed
        self._recorder.make_writer = make_writer

    def start(self) -> None:
        """Listen for cells, and take what arrives to the recording and to the stage."""
        self.intake.start()
        self._flusher.start()

    @property
    def captured(self) -> Captured:
        """What of the printed text it takes."""
        return self.intake.output.captured

    def capture(self, what: Captured) -> None:
        """Take what is printed, too, from now on; what is taken already goes on."""
        self.intake.output.capture(what)

    def add_sources(self, names: Sequence[str | Backend]) -> None:
        """Start reading the sources that are not read yet."""
        started = []
        self.governor.begin(self._flusher.interval_s)
        fresh = [n for n in names if (n if isinstance(n, str) else n.name) not in self.samplers]
        for backend in make_backends(fresh, self.settings.gpus):
            if backend.name in self.samplers:
                raise ArgumentError(
                    f"Two sources are called {backend.name!r}",
                    remedy="Give each backend a name of its own.",
                )
            sampler = SamplingCollector(
                backend,
                registry=self.registry,
                clock=self.clock,
                arrived=self._flusher.read,
                host=HOST,
                interval_s=self.interval_s,
                governor=self.governor,
                phase_s=STAGGER_S * min(len(self.samplers), PHASES - 1),
            )
            # A new mapping: other threads are reading the one there is.
            before, self.samplers = self.samplers, {**self.samplers, backend.name: sampler}
            try:
                sampler.start()
            except BaseException:
                # After an interrupt, say, the next call must find it missing and add it again.
                sampler.stop()
                self.samplers = before
                raise
            started.append(sampler)
            if not self.running:
                # Another thread stopped the session, perhaps before this collector was in it.
                sampler.stop()
        # The first readings come first: what a session loads besides would delay them.
        deadline = time.monotonic() + FIRST_S
        for sampler in started:
            sampler.tried.wait(max(0.0, deadline - time.monotonic()))

    def set_interval(self, interval_s: float) -> None:
        """Take readings every `interval_s` seconds from now on."""
        self.interval_s = self.own.interval_s = interval_s
        self._pace(interval_s)

    def burst(self, seconds: float, interval_s: float) -> None:
        """Take readings every `interval_s` seconds for some seconds, then as before."""
        self._flusher.besides_s = time.monotonic() + seconds
        self._pace(min(interval_s, self.interval_s))

    def _read_edge(self) -> None:
        for sampler in self.samplers.values():
            sampler.read_edge()

    def _end_burst(self) -> None:
        self._pace(self.interval_s)

    def _pace(self, interval_s: float) -> None:
        self.governor.begin(interval_s)
        for sampler in self.samplers.values():
            sampler.set_interval(interval_s)
        self._flusher.interval_s = interval_s
        self._flusher.ring()

    def mark(self, label: str, at_us: int | None = None) -> None:
        """Put a labelled moment on the time axis, of now or of another time of the session."""
        if not self.ended:
            self.intake.marks.mark(label, at_us)

    def alert(self, text: str, then: object = None) -> Alert:
        """Set an alert: what is said, and called, when a condition becomes true."""
        return self.alerting.set(text, then)

    def stop(self) -> None:
        """End the session: every row accepted is in the journal when this returns.

        The flusher's thread does it, so that an interrupt tears nothing. A disk that hangs is
        waited for a second and then named; what it, or one that is full, does not take now the
        flusher offers it again and again, until `leave`. When this is interrupted, calling it
        again goes on.
        """
        if self.ended:
            return
        if self.stopped_us is None:
            self.stopped_us = self.clock.now_us()
        deadline = time.monotonic() + STOP_S
        self.intake.stop()
        for sampler in self.samplers.values():
            sampler.stop()
        for sampler in self.samplers.values():
            # A thread that hangs in a driver is abandoned: it is a daemon and adds no more rows.
            sampler.join(max(0.0, min(deadline - 0.5, time.monotonic() + 0.3) - time.monotonic()))
        self.user.close()
        if not self._flusher.finish():
            self._recorder.slow(at_end=True)
        self.alerting.stop()
        self.own.stop()
        self.stage.finish()
        self.ended = True

    def leave(self) -> list[str]:
        """Try once more to write what still waits; return what is lost, in sentences."""
        self._flusher.leave(STOP_S)
        if not self._recorder.sealed:
            # The flusher is stuck: what waits for it is to be counted.
            self.drain()
        self._recorder.process_ended = True
        return self._recorder.missing()

    def forget_in_child(self) -> None:
        """After a fork, in the child: hold nothing of the parent's."""
        self.stopped_us = self.clock.now_us()
        self.ended = True
        self._recorder.abandon()

    def subscribe(self) -> Subscription:
        """Return a queue of everything that is shown from now on."""
        return self.stage.subscribe()

    def settle(self) -> None:
        """Wait until what was accepted until now is written and shown, but not for long."""
        if not self.ended:
            self._flusher.settle()

    # What the flusher calls ------------------------------------------------------------

    def drain(self) -> None:
        """Turn what waits into rows while the flusher is stuck behind a disk that hangs."""
        while self._flusher.drain():
            pass

    # What it costs --------------------------------------------------------------------

    def _reading_s(self) -> float:
        return sum(sampler.status.cost_s for sampler in self.samplers.values())

    def _readings(self) -> int:
        return sum(sampler.drained for sampler in self.samplers.values())

    def _carrying_s(self) -> float:
        return self._flusher.cpu_s + self.stage.sender_cpu_s()

    def _allowed(self) -> float:
        """Return how many cores readings may cost at the pace of now."""
        return promised(self._flusher.interval_s, sum(map(is_gpu, self.labels()[HOST])))

    # What is known --------------------------------------------------------------------

    @property
    def recorder(self) -> Recorder:
        """What takes the rows to the disk."""
        return self._recorder

    def dropped(self) -> int:
        """Return the rows that were dropped, and the values of `pw.log` that were left out."""
        kept = sum(collector.dropped for collector in self.collectors())
        return kept + self._recorder.dropped + self.stage.dropped() + self.user.refused

    def _late(self) -> int:
        """Return what the user gave that waits before the log.

        Readings are drained before they are counted; those that end after `stop` are not of it.
        """
        return self.intake.late()

    def _lost(self, at_end: bool) -> list[str]:  # noqa: FBT001  handed to the recorder
        """Return what was accepted and never came to the log, in sentences."""
        return [said for each in self.collectors() for said in each.missing(at_end=at_end)]

    def collectors(self) -> list[RowCollector]:
        """Return every collector, in the order in which they are drained."""
        return [self.own, *self.samplers.values(), *self.intake.collectors()]

    def labelled(self) -> int:
        """Return a number that grows whenever `entities` has more to say."""
        return self.intake.labelled + sum(one.labelled for one in self.samplers.values())

    def labels(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return the labels of every entity of every host."""
        merged: dict[str, dict[str, dict[str, str]]] = {HOST: {}}
        for entity, said in list(self.intake.labels.items()):
            merged[HOST][entity] = dict(said)
        for sampler in list(self.samplers.values()):
            for host, entities in list(sampler.labels.items()):
                for entity, labels in list(entities.items()):
                    called = self.registry.called(entity)
                    merged.setdefault(host, {}).setdefault(called, {}).update(labels)
        return merged

    def entities(self) -> list[dict[str, Any]]:
        """Return the labels of every entity of every host, as they travel."""
        return entity_records(self.labels(), {})

    def change_key(self) -> tuple[object, ...]:
        """Return a value that changes whenever `state` should be sent again at once."""
        sources = [sampler.status.judged()[:2] for sampler in self.samplers.values()]
        told = (self.cells.cell, self.alerting.key(), self._recorder.trouble())
        return (self.running, self.interval_s, *told, *sources)

    def state(self) -> dict[str, Any]:
        """Return the state that views show, as plain values."""
        return state_of(self).plain()

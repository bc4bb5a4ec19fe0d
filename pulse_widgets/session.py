"""One running set of collectors, and what keeps them together.

::

    backend -> SamplingCollector --+
    pw.log  -> UserCollector ------+--> Log --> keeper thread --+--> Writer (the recording)
    cells   -> CellCollector ------+                            +--> Stage (what is shown)
                                                                        +--> subscriptions

Nothing here knows Jupyter's widgets or the file format.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import deque
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.base import Collector, after, start_thread
from pulse_widgets.collectors.cells import CellCollector
from pulse_widgets.collectors.governor import Governor
from pulse_widgets.collectors.own import own_rows
from pulse_widgets.collectors.sampling import SamplingCollector
from pulse_widgets.collectors.user import UserCollector
from pulse_widgets.errors import ArgumentError
from pulse_widgets.readers.discover import make_backends
from pulse_widgets.series.log import Log, Registry, Rows
from pulse_widgets.series.stage import Stage, Subscription
from pulse_widgets.signals import Alarm, Flag
from pulse_widgets.storage.recorder import Recorder

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuWish
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.storage.writer import Writer

__all__ = ["HOST", "Session", "Settings"]

HOST: Final = "h0"
"""The recording's id of this machine; its name stands in the catalog of the run."""

KEEP_PHASE_S: Final = 0.01
"""How long after the samplers the keeper wakes."""

KEEP_S: Final = 0.1
"""Seconds between two journal batches: what a kill can cost at most, once the thread runs."""

IDLE_S: Final = 1.0
"""Seconds between two passes of the keeper while nothing arrives."""
OWN_S: Final = 1.0
"""Seconds between two readings of the monitor's own cost, at least."""
COST_READINGS: Final = 10
"""The cost said is a mean over so many readings of it: what is dear comes every 5 s."""
FIRST_S: Final = 0.1
"""How long the first readings are waited for; a slow driver holds nobody up."""
RELIEF_S: Final = 0.5
"""How long a caller that is too far ahead waits for the keeper before it goes on."""
STOP_S: Final = 1.0
LOADING_S: Final = 30.0
"""How long a stop waits for what writes the recording to be loaded."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session was started with.

    Attributes
    ----------
    interval_s : float
        Seconds between readings of gauges and counters.
    gpus : GpuWish
    path : Path or None
        The directory the recording is written to; None as long as nothing is recorded.
    title : str
    """

    interval_s: float = 1.0
    gpus: GpuWish = "mine"
    path: Path | None = None
    title: str = ""


@dataclass(slots=True)
class _Totals:
    """Counters of the session itself."""

    keeper_cpu_s: float = 0.0
    cores: float | None = None
    seen: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=COST_READINGS))
    """Monotonic and CPU seconds, newest last."""


class Session:
    """Collectors, their rows, and the threads that carry them.

    Parameters
    ----------
    settings : Settings
    registry : Registry
        Gives series their ids; the writer uses the same.
    clock : Clock
    """

    def __init__(self, settings: Settings, *, registry: Registry, clock: Clock) -> None:
        self.settings = settings
        self.registry = registry
        self.clock = clock
        self.interval_s = settings.interval_s
        self.pid = os.getpid()
        self.log = Log()
        self.stage = Stage(registry, settings.interval_s)
        self.samplers: dict[str, SamplingCollector] = {}
        self.user = UserCollector(registry, clock, self.log.append, HOST)
        self.user.relieve = self._relieve
        self.user.arrived = self._arrived
        self.cells = CellCollector(registry, clock, self._take_in, HOST)
        self.stopped_us: int | None = None
        self.ended = False
        """Whether everything is on the disk and no thread is left to wait for."""
        self._recorder = Recorder(self.log, HOST, labelled=self.labelled, entities=self.entities)
        self._unseen = self.log.cursor()
        self._ending = False
        self._pacing = Alarm()
        self._arrival = Alarm()
        self._callers: deque[Flag] = deque()
        """Producers that wait for the next pass of the keeper to end."""
        self._kept = Flag()
        """Set when the keeper has written the last row and closed the files."""
        self._rung = False
        """Whether something has arrived since the keeper's last pass began."""
        self._keeper: threading.Thread | None = None
        self._totals = _Totals()
        self._next_own = 0.0
        self._next_show = 0.0
        self._burst_ends: float | None = None
        self.governor = Governor(lambda: 0.005 if self.interval_s >= 1 else 0.02)

    # Life -----------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the session takes readings."""
        return self.stopped_us is None

    def record(self, path: Path, make_writer: Callable[[], Writer]) -> None:
        """Record to `path`; called before `start`.

        Parameters
        ----------
        path : Path
            The directory the recording is written to.
        make_writer : callable returning Writer
            Called once, on the keeper's thread.
        """
        # A module that cannot be loaded any more while the interpreter ends, and which the
        # recording needs: a process may log one value and be gone.
        import_module("concurrent.futures.thread")
        self.settings = replace(self.settings, path=path)
        self._recorder.make_writer = make_writer

    def start(self) -> None:
        """Listen for cells, and take what arrives to the recording and to the stage."""
        self.cells.start()
        self._keeper = start_thread("pulse-keeper", self._keep)

    def add_sources(self, names: Sequence[str | Backend]) -> None:
        """Start reading the sources that are not read yet."""
        started = []
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
                sink=self._take_in,
                host=HOST,
                interval_s=self.interval_s,
                governor=self.governor,
            )
            # A new mapping: other threads are reading the one there is.
            before, self.samplers = self.samplers, {**self.samplers, backend.name: sampler}
            try:
                sampler.start()
            except BaseException:
                # Interrupted, say: asked again, it is to be read.
                sampler.stop()
                self.samplers = before
                raise
            started.append(sampler)
        # The first readings come first: what a session loads besides would delay them.
        deadline = time.monotonic() + FIRST_S
        for sampler in started:
            sampler.tried.wait(max(0.0, deadline - time.monotonic()))

    def set_interval(self, interval_s: float) -> None:
        """Take readings every `interval_s` seconds from now on."""
        self.interval_s = interval_s
        self._pace(interval_s)

    def burst(self, seconds: float, interval_s: float) -> None:
        """Take readings every `interval_s` seconds for some seconds, then as before."""
        self._burst_ends = time.monotonic() + seconds
        self._pace(min(interval_s, self.interval_s))

    def _pace(self, interval_s: float) -> None:
        for sampler in self.samplers.values():
            sampler.set_interval(interval_s)

    def mark(self, label: str) -> None:
        """Put a labelled moment on the time axis."""
        series = self.registry.add(HOST, "kernel", "mark", kind="text")
        text = json.dumps({"label": str(label)})
        self._take_in(Rows.of([series], [self.clock.now_us()], [math.nan], text=[text]))

    def stop(self) -> None:
        """End the session: every row accepted is in the journal when this returns.

        The keeper's thread does it, so that an interrupt tears nothing; a disk that hangs is
        waited for a second and then named, and the keeper goes on by itself. When this is
        interrupted, calling it again goes on.
        """
        if self.ended:
            return
        if self.stopped_us is None:
            self.stopped_us = self.clock.now_us()
        deadline = time.monotonic() + STOP_S
        self.cells.stop()
        for sampler in self.samplers.values():
            sampler.stop()
        for sampler in self.samplers.values():
            # A driver that hangs is left behind: its thread is a daemon and hands on no row.
            sampler.join(max(0.0, min(deadline - 0.5, time.monotonic() + 0.3) - time.monotonic()))
        self.user.close()
        self._ending = True
        self._pacing.ring()
        self._arrival.ring()
        if self._keeper is not None and not self._ended_well():
            self._recorder.slow()
        self.stage.finish()
        self.ended = True

    def _ended_well(self) -> bool:
        """Wait for the keeper as long as it gets on; return whether it has ended.

        A disk that takes nothing for a second hangs. Loading what writes takes its time on a
        slow disk, and is not to cost the whole recording of a short script.
        """
        seen, since = None, time.monotonic()
        # Not Thread.join: interrupted, it takes a running thread for one that has ended, until
        # Python 3.13 (see the remark on bpo-45274 in its threading.py).
        while not self._kept.wait(0.05):
            now, progress = time.monotonic(), (len(self.user), self._recorder.progress())
            if progress != seen:
                seen, since = progress, now
            patience = LOADING_S if self._recorder.loading else STOP_S
            if now - since > patience:
                return False
        return True

    def forget_in_child(self) -> None:
        """After a fork, in the child: hold nothing of the parent's."""
        self.stopped_us = self.clock.now_us()
        self.ended = True
        self._recorder.abandon()

    def subscribe(self) -> Subscription:
        """Return a queue of everything that is shown from now on."""
        return self.stage.subscribe()

    # The keeper -----------------------------------------------------------------------

    def _take_in(self, rows: Rows) -> None:
        """Accept rows of a collector; one whose driver hung until after the end has none."""
        if self.ended:
            return
        self.log.append(rows)
        self._arrived()

    def _arrived(self) -> None:
        """Wake the keeper if it waits for something to arrive."""
        if not self._rung:
            self._rung = True
            self._arrival.ring()

    def _keep(self) -> None:
        ending, waiting = False, False
        while not ending:
            # A pass that begins after the end takes the last of what was accepted.
            ending = self._ending
            # From here on an arrival rings; whatever came before is seen by this pass.
            self._rung = False
            try:
                waiting = self._pass(time.monotonic())
            except Exception as error:  # noqa: BLE001
                # The top of the thread. It goes on: without it, rows would pile up unwritten.
                self._recorder.failed(error)
            while self._callers:
                self._callers.popleft().set()
            self._totals.keeper_cpu_s = time.thread_time()
            if not (waiting or ending):
                self._arrival.wait(IDLE_S)
            if not ending:
                # Together with what else arrives now, and no more often than a batch is due.
                now = time.monotonic()
                self._pacing.wait(after(now, KEEP_S, KEEP_PHASE_S) - now)
        try:
            self._recorder.close()
        except Exception as error:  # noqa: BLE001  the end of the thread
            self._recorder.failed(error)
        finally:
            self._kept.set()

    def _pass(self, now: float) -> bool:
        try:
            self._own(now)
        finally:
            waiting = self._keep_once()
        return waiting

    def _keep_once(self) -> bool:
        """Take what arrived to the recording and to the stage; return whether there was any."""
        self.user.drain()
        self._recorder.take()
        waiting = bool(self._unseen.peek())
        # The recording takes every pass, the eye no more than it can follow.
        now = time.monotonic()
        if now >= self._next_show or not self.running:
            fresh = self._unseen.take()
            if len(fresh):
                self.stage.show(fresh)
                self._next_show = now + self.stage.tick_s - KEEP_S / 2
        return waiting

    def _relieve(self) -> None:
        """Wait until the keeper has taken what waits."""
        taken = Flag()
        self._callers.append(taken)
        self._pacing.ring()
        self._arrived()
        taken.wait(RELIEF_S)

    def _own(self, now: float) -> None:
        """Record what the monitor costs, once an interval."""
        if self._burst_ends is not None and now >= self._burst_ends:
            self._burst_ends = None
            self._pace(self.interval_s)
        if now < self._next_own:
            return
        self._next_own = after(now, max(self.interval_s, OWN_S))
        cpu, seen = self.cpu_s(), self._totals.seen
        if seen:
            before, spent = seen[0]
            self._totals.cores = (cpu - spent) / (now - before)
        if self._recorder.settled:
            # What starting costs is no running cost.
            seen.append((now, cpu))
        self.log.append(own_rows(self.registry, HOST, self.clock.now_us(), self._own_values(cpu)))

    def _own_values(self, cpu: float) -> dict[tuple[str, str], float | None]:
        busy = self.cells.busy_s() if self.cells.active else None
        values: dict[tuple[str, str], float | None] = {
            ("pulse", "pulse.cpu.total"): cpu,
            ("pulse", "pulse.memory"): float(self.stage.nbytes + self.log.nbytes),
            ("pulse/feed", "pulse.sent.total"): float(self.stage.sent_bytes()),
            ("pulse/log", "pulse.dropped.total"): float(self.dropped()),
            ("host", "clock.offset"): self.clock.offset_us() / 1e6,
            ("kernel", "kernel.busy.total"): busy,
        }
        for name, sampler in self.samplers.items():
            status = sampler.status
            if status.passes:
                values["pulse/" + name, "pulse.tick.duration"] = status.tick_s
                values["pulse/" + name, "pulse.tick.late"] = status.late_s
                values["pulse/" + name, "pulse.missed.total"] = float(status.missed)
        return values

    # What is known --------------------------------------------------------------------

    def cpu_s(self) -> float:
        """Return the CPU seconds of all threads of the session so far."""
        threads = sum(sampler.status.cost_s for sampler in self.samplers.values())
        return threads + self._totals.keeper_cpu_s + self.stage.sender_cpu_s()

    def dropped(self) -> int:
        """Return the rows that were taken and then dropped."""
        return self._recorder.dropped + self.stage.dropped()

    def collectors(self) -> list[Collector]:
        """Return every collector."""
        return [*self.samplers.values(), self.user, self.cells]

    def labelled(self) -> int:
        """Return a number that grows whenever `entities` has more to say."""
        return sum(sampler.labelled for sampler in self.samplers.values())

    def entities(self) -> dict[str, dict[str, str]]:
        """Return the labels of every entity."""
        merged: dict[str, dict[str, str]] = {}
        for sampler in list(self.samplers.values()):
            for entity, labels in list(sampler.labels.items()):
                merged.setdefault(entity, {}).update(labels)
        return merged

    def gist(self) -> tuple[object, ...]:
        """Return what, when it changes, makes `state` worth telling again at once."""
        sources = [sampler.status.judged()[:2] for sampler in self.samplers.values()]
        return (self.running, self.interval_s, self.cells.cell, self._recorder.problem, *sources)

    def state(self) -> dict[str, Any]:
        """Return everything a view says in words, as plain values."""
        return {
            "phase": "running" if self.running else "stopped",
            "title": self.settings.title,
            "t0": self.clock.start_us / 1e6,
            "t1": self.stopped_us / 1e6 if self.stopped_us is not None else None,
            "interval": self.interval_s,
            "simulated": False,
            "sources": [_source_state(sampler) for sampler in self.samplers.values()],
            "recording": self._recorder.state(self.settings.path),
            "cost": {
                "cores": self._totals.cores,
                "tick_s": max((s.status.tick_s for s in self.samplers.values()), default=None),
                "dropped": self.dropped(),
                "sent_bytes_s": self.stage.sent_rate(),
            },
            "kernel": {"busy": self.cells.cell is not None, "cell": self.cells.cell},
        }


def _source_state(sampler: SamplingCollector) -> dict[str, Any]:
    state, problem, remedy = sampler.status.judged()
    missing = [{"what": what, "why": why} for what, why in sampler.status.missing.items()]
    slowed = sampler.status.slowed
    if slowed:
        missing.append({"what": "readings", "why": f"kept cheap: {slowed}"})
    return {
        "name": sampler.name,
        "state": state,
        "problem": problem,
        "remedy": remedy,
        "missing": missing,
    }

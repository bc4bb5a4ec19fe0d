"""One thread a source: reads a backend at its deadlines and hands rows to a sink."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.base import ABANDON_S, Collector, Sink, after, start_thread
from pulse_widgets.errors import (
    LibraryNotFoundError,
    NoDeviceError,
    PulseError,
    ReaderError,
)
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.readers.base import Backend, RateClass, RawRecord
from pulse_widgets.readers.translate import Translation, translate
from pulse_widgets.series.log import NO_STEP, Registry, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.collectors.governor import Governor
    from pulse_widgets.series.clock import Clock

__all__ = ["NATIVE_S", "SamplingCollector"]

NATIVE_S: Final = {
    RateClass.STATIC: math.inf,
    RateClass.SLOW: 10.0,
    RateClass.PROCESSES: 5.0,
    RateClass.BUFFERED: 1.0,
    RateClass.GPM: 1.0,
    RateClass.EVENTS: 1.0,
}
"""Seconds between readings of the classes that do not follow the session's interval."""

GAP_FACTOR: Final = 3.0
"""A pass that starts later than this many intervals leaves a gap, not a line."""

RETRY_S: Final = 60.0
"""A source that could not be opened is tried again after this many seconds."""

_logger = logging.getLogger("pulse_widgets")


class SamplingCollector(Collector):
    """Reads one backend on its own thread until it is stopped.

    Parameters
    ----------
    backend : Backend
    registry : Registry
        Gives series their ids.
    clock : Clock
        The session's time.
    sink : callable taking Rows
    host : str
        The recording's id of this machine.
    interval_s : float
        Seconds between readings of gauges and counters; may be changed while running.
    governor : Governor
        Says how many times rarer a class is to be read.
    """

    def __init__(  # noqa: PLR0913  each is a part the session owns
        self,
        backend: Backend,
        *,
        registry: Registry,
        clock: Clock,
        sink: Sink,
        host: str,
        interval_s: float,
        governor: Governor,
    ) -> None:
        super().__init__(backend.name, sink)
        self.backend = backend
        self.interval_s = interval_s
        self.labels: dict[str, dict[str, str]] = {}
        self.labelled = 0
        """How often `labels` has changed."""
        self._registry = registry
        self._clock = clock
        self._host = host
        self._governor = governor
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._next: dict[RateClass, float] = {}
        self._series: dict[tuple[str, str], int] = {}
        self._absent: set[int] = set()
        self._last_us = 0
        self._period_s = self._awaited_s = interval_s

    def start(self) -> None:
        """Begin to read; the first reading is taken at once."""
        if self._thread is None:
            self._thread = start_thread(f"pulse-{self.name}", self._run)

    def stop(self) -> None:
        """Ask the thread to end; it closes the backend when its last reading has returned."""
        self._stopped = True
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """Wait for the thread; return whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def set_interval(self, interval_s: float) -> None:
        """Read gauges and counters every `interval_s` seconds from now on."""
        self.interval_s = interval_s
        following = after(time.monotonic(), interval_s)
        for rate in (RateClass.GAUGES, RateClass.COUNTERS):
            # Only ever replaced: the sampler's thread may be looking at these.
            if rate in self._next:
                self._next[rate] = following
        self._wake.set()

    # The thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopped:
                if self._open():
                    self._read_on()
                if self._stopped or self._pause(RETRY_S):
                    break
        except Exception as error:
            # The top of the thread: whatever a reader throws ends this source alone.
            _logger.exception("the %s collector stopped", self.name)
            self.status.state = "failed"
            self.status.problem = f"{self.name}: {type(error).__name__}: {error}"
            self.status.remedy = "Call pw.stop() and pw.monitor() to start it again."
            self._end_series(self.status.problem)
        finally:
            self.status.busy_since = None
            self.backend.close()
            self.status.cost_s = time.thread_time()

    def _read_on(self) -> None:
        """Read until stopped, or until the whole source fails; it is then opened anew later."""
        try:
            self._loop()
        except ReaderError as error:
            self.status.fail(error)
            self._end_series(error.problem)
            self.backend.close()

    def _end_series(self, why: str) -> None:
        """Say of every series that it is missing from now on."""
        live = [series for series in self._series.values() if series not in self._absent]
        if live:
            self._absent.update(live)
            missing = Rows.of(live, [self._clock.now_us()] * len(live), [math.nan] * len(live))
            event = self._event({"kind": "reader", "source": self.name, "message": why})
            self.add(Rows.concat([missing, event]))

    def _pause(self, seconds: float) -> bool:
        """Wait; return whether the collector was stopped meanwhile."""
        self._wake.wait(seconds)
        self._wake.clear()
        return self._stopped

    def _open(self) -> bool:
        self.status.busy_since = time.monotonic()
        try:
            self.backend.open()
        except PulseError as error:
            absent = isinstance(error, LibraryNotFoundError | NoDeviceError)
            self.status.fail(error, "absent" if absent else "failed")
            return False
        finally:
            self.status.busy_since = None
            self.status.cost_s = time.thread_time()
        return True

    def _loop(self) -> None:
        while not self._stopped:
            now = time.monotonic()
            due = self._due(now)
            if due:
                self._pass(due, now)
            self._wake.wait(max(0.0, min(self._next.values()) - time.monotonic()))
            self._wake.clear()

    def _due(self, now: float) -> frozenset[RateClass]:
        """Return the classes whose deadline has come, and set their next one."""
        due = []
        for rate in RateClass:
            deadline = self._next.setdefault(rate, now)
            if deadline > now:
                continue
            due.append(rate)
            period = NATIVE_S.get(rate, self.interval_s) * self._governor.factor(self.name, rate)
            following = after(deadline, period)
            if following <= now and rate is RateClass.GAUGES:
                self.status.missed += math.floor((now - following) / period) + 1
            self._next[rate] = after(max(deadline, now), period)
            if rate is RateClass.GAUGES:
                self._awaited_s, self._period_s = self._period_s, period
                self.status.late_s = now - deadline
        return frozenset(due)

    def _pass(self, due: frozenset[RateClass], started: float) -> None:
        cpu = time.thread_time()
        self.status.busy_since = started
        try:
            records = self.backend.read(due)
        finally:
            hung = time.monotonic() - started
            self.status.busy_since = None
        if hung > ABANDON_S:
            self._stopped = True
            self.status.fail(
                PulseError(
                    f"{self.name} needed {hung:.0f} s for one reading and is no longer read",
                    remedy="Call pw.stop() and pw.monitor() to try again.",
                ),
                "abandoned",
            )
            return
        self._hand_over(records, gauges=RateClass.GAUGES in due)
        self.status.passes += 1
        self.status.tick_s = time.monotonic() - started
        self.status.cost_s = time.thread_time()
        self._governor.spent(self.name, due, time.thread_time() - cpu)
        self.status.slowed = self._governor.says(self.name)
        self._judge(records)

    def _judge(self, records: Sequence[RawRecord]) -> None:
        self.status.missing = dict(self.backend.missing)
        errors = [record for record in records if record.error]
        if errors:
            every = len(errors) == len(records)
            self.status.state = "failed" if every else "ok"
            self.status.problem = "; ".join(f"{r.entity_id}: {r.error}" for r in errors)
            others = "" if every else "Its other devices go on. "
            self.status.remedy = f"{others}See `dmesg` for the driver's messages."
        else:
            self.status.state, self.status.problem, self.status.remedy = "ok", "", ""

    # From records to rows -----------------------------------------------------------

    def _hand_over(self, records: Sequence[RawRecord], *, gauges: bool) -> None:
        translation = translate(records)
        for entity, labels in translation.labels.items():
            held = self.labels.setdefault(entity, {})
            if not labels.items() <= held.items():
                held.update(labels)
                self.labelled += 1
        blocks = []
        now_us = self._clock.now_us()
        if gauges:
            gap = self._gap(now_us)
            if gap is not None:
                blocks.append(gap)
            self._last_us = now_us
        blocks.append(self._rows(translation))
        lost = self._lost(translation, now_us)
        if lost is not None:
            blocks.append(lost)
        rows = Rows.concat([b for b in blocks if len(b)])
        if len(rows):
            self.add(rows)

    def _rows(self, translation: Translation) -> Rows:
        # Hundreds of readings a tick come through here: everything per reading is inline.
        offset_us = self._clock.offset_us()
        known, absent = self._series, self._absent
        ids, times, values, texts = [], [], [], []
        wall, time_us = math.nan, 0
        for entity, metric, value, text, _, wallclock in translation.readings:
            series = known.get((entity, metric))
            if series is None and (series := self._id(entity, metric)) is None:
                continue
            if value != value and not text:  # noqa: PLR0124  is it NaN, at half the cost
                if series in absent:
                    continue
                absent.add(series)
            elif absent:
                absent.discard(series)
            if wallclock != wall:
                # Stamped to the millisecond: finer is noise, and costs bytes.
                wall = wallclock
                time_us = round((wall * 1e6 - offset_us) / 1e3) * 1000
            ids.append(series)
            times.append(time_us)
            values.append(value)
            texts.append(text)
        return Rows.of(ids, times, values, text=texts if any(texts) else None)

    def _lost(self, translation: Translation, now_us: int) -> Rows | None:
        """Return one missing row for each series of an entity that could not be read."""
        gone = [
            series
            for (entity, _), series in self._series.items()
            if entity in translation.errors and series not in self._absent
        ]
        if not gone:
            return None
        self._absent.update(gone)
        events = [
            self._event({"kind": "reader", "source": self.name, "message": f"{entity}: {why}"})
            for entity, why in translation.errors.items()
        ]
        missing = Rows.of(gone, [now_us] * len(gone), [math.nan] * len(gone))
        return Rows.concat([missing, *events])

    def _gap(self, now_us: int) -> Rows | None:
        """Return missing rows where the thread could not run for several intervals."""
        silent_us = now_us - self._last_us
        if not self._last_us or silent_us < GAP_FACTOR * self._awaited_s * 1e6 + 500_000:
            return None
        live = [s for s in self._series.values() if s not in self._absent]
        begins = self._last_us + round(self._awaited_s * 1e6)
        event = self._event(
            {
                "kind": "gap",
                "source": self.name,
                "message": f"no reading for {silent_us / 1e6:.1f} s: the interpreter did not run",
            }
        )
        return Rows.concat([Rows.of(live, [begins] * len(live), [math.nan] * len(live)), event])

    def _event(self, content: dict[str, str]) -> Rows:
        series = self._registry.add(self._host, f"pulse/{self.name}", "event", kind="text")
        text = [json.dumps(content)]
        return Rows.of([series], [self._clock.now_us()], [math.nan], [NO_STEP], text)

    def _id(self, entity: str, metric: str) -> int | None:
        key = (entity, metric)
        series = self._series.get(key)
        if series is None:
            known = lookup(metric)
            try:
                series = self._registry.add(
                    self._host,
                    entity,
                    metric,
                    unit=known.unit if known else "",
                    kind=known.kind.value if known else "gauge",
                )
            except PulseError as error:
                self.status.problem, self.status.remedy = error.problem, error.remedy
                return None
            self._series[key] = series
        return series

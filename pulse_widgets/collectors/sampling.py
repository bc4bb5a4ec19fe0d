"""One thread a source reads its backend at its deadlines.

It only reads. What was read waits as it is and becomes rows when somebody drains the collector,
all that waits at once: turning two passes into rows costs hardly more than one.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.base import ABANDON_S, RowCollector, after, start_thread
from pulse_widgets.collectors.edges import CLOSE_S, READ, Edges
from pulse_widgets.collectors.presence import Presence
from pulse_widgets.collectors.row_maker import Pass, RowMaker
from pulse_widgets.errors import (
    LibraryNotFoundError,
    NoDeviceError,
    PulseError,
    ReaderError,
    words_of,
)
from pulse_widgets.readers.base import ALL_CLASSES, Backend, RateClass, RawRecord
from pulse_widgets.readers.contract import ask, introduced, open_backend
from pulse_widgets.series.rows import Rows
from pulse_widgets.signals import Alarm, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.collectors.governor import Governor
    from pulse_widgets.readers.contract import ReaderInfo
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.registry import Registry

__all__ = ["SamplingCollector"]

_PACED: Final = (RateClass.GAUGES, RateClass.COUNTERS, RateClass.STEADY)

GAP_FACTOR: Final = 3.0
"""A pass that starts later than this many intervals leaves a gap, not a line."""

RETRY_S: Final = 60.0
"""A source that could not be opened is tried again after this many seconds."""

WAITING_MOST: Final = 64
"""Passes that wait to be drained; beyond, the thread that reads makes rows of them."""
TOGETHER_MOST: Final = 4
"""Passes that become rows in one go; more would cost no less, and each number is remembered."""

_logger = logging.getLogger("pulse_widgets")


class SamplingCollector(RowCollector):
    """Reads one backend on its own thread until it is stopped; `drain` makes rows of it.

    Parameters
    ----------
    backend : Backend
    registry : Registry
        Gives series their ids.
    clock : Clock
        The session's time.
    host : str
        The recording's id of this machine.
    interval_s : float
        Seconds between readings of gauges and counters; may be changed while running.
    governor : Governor
        Says how many times rarer a class is to be read.
    phase_s : float
        How long after the moments that all threads share it reads.
    arrived : callable
        Called when something waits to be drained.
    """

    def __init__(  # noqa: PLR0913  each is a part the session owns
        self,
        backend: Backend,
        *,
        registry: Registry,
        clock: Clock,
        host: str,
        interval_s: float,
        governor: Governor,
        phase_s: float = 0.0,
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(backend.name, arrived)
        self.backend = backend
        self.interval_s = interval_s
        self._rows = RowMaker(backend.name, registry, host)
        self._waiting: deque[Pass | Callable[[], list[Rows]]] = deque()
        self._drain_lock = threading.Lock()
        self.drained = 0
        """Rows made of readings so far."""
        self.info = introduced(backend)
        """What the backend says of itself; all of it once it is open."""
        self._most = WAITING_MOST
        self._presence: Presence | None = None
        self._flaw: Exception | None = None
        """Why what was read could not become rows."""
        self._ending = False
        """Whether the thread has looked for such a flaw for the last time."""
        self._clock = clock
        self._governor = governor
        self._phase_s = phase_s
        self._wake = Alarm()
        self._stopped = False
        self._repaced = self._asked = self._wished = False
        self._edges = Edges()
        self._over = Flag()
        self.tried = Flag()
        """Set after the first reading, whatever came of it."""
        self._thread: threading.Thread | None = None
        self._next: dict[RateClass, float] = {}
        self._last_us = 0
        self._reading_s = 0.0
        """Seconds that readings took since `_last_us`."""
        self._period_s = self._awaited_s = interval_s

    @property
    def labels(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Host to entity to its labels, as far as they were drained."""
        return self._rows.labels

    @property
    def labelled(self) -> int:
        """How often `labels` has changed."""
        return self._rows.labelled

    def start(self) -> None:
        """Begin to read; the first reading is taken at once."""
        if self._thread is None:
            self._thread = start_thread(f"pulse-{self.name}", self._run)

    def stop(self) -> None:
        """Ask the thread to end; it closes the backend when its last reading has returned."""
        self._stopped = True
        self._wake.ring()

    def join(self, timeout: float) -> bool:
        """Wait for the thread; return whether it has ended."""
        return self._thread is None or self._over.wait(timeout)

    def set_interval(self, interval_s: float) -> None:
        """Read gauges and counters every `interval_s` seconds from now on."""
        self.interval_s = interval_s
        self._repaced = True
        self._wake.ring()

    def read_soon(self) -> None:
        """Read at once, besides, what is read all the time."""
        self._asked = True
        self._wake.ring()

    def read_edge(self) -> None:
        """Read once more, where that costs little: a cell begins or ends. Waits for nothing."""
        self._wished = True
        self._wake.ring()

    def drain(self, log: Log) -> bool:
        """Turn everything that waits into rows in `log`; never raises.

        Any thread may call it, and none needs to wait for the source.
        """
        if self._waiting or len(self._kept):
            with self._drain_lock:
                super().drain(log)
                rows = self._drained()
                try:
                    log.append(rows)
                except BaseException as error:
                    self.lost[words_of(error)] += len(rows)
                    raise
        return False

    def waiting(self) -> int:
        """Return the passes that are not rows yet, and the blocks of rows."""
        return len(self._waiting) + super().waiting()

    def collect(self) -> list[Rows]:
        """Return the blocks of rows that wait, and keep them."""
        self._make_early()
        return super().collect()

    def _make_early(self) -> None:
        """Turn what waits into rows, and keep them: those of many passes need less room."""
        with self._drain_lock:
            self._keep(self._drained())

    def _drained(self) -> Rows:
        rows = Rows.concat([block for block in self._taken() if len(block)])
        self.drained += len(rows)
        return rows

    def _taken(self) -> list[Rows]:
        blocks: list[Rows] = []
        passes: list[Pass] = []
        while self._waiting:
            item = self._waiting.popleft()
            if isinstance(item, Pass):
                passes.append(item)
            else:
                blocks += [*self._made(passes), *self._tried(item)]
                passes = []
        return blocks + self._made(passes)

    def _made(self, passes: Sequence[Pass]) -> list[Rows]:
        """Return the rows of passes."""
        blocks: list[Rows] = []
        for first in range(0, len(passes), TOGETHER_MOST):
            blocks += self._together(passes[first : first + TOGETHER_MOST])
        return blocks

    def _together(self, passes: Sequence[Pass]) -> list[Rows]:
        if len(passes) > 1:
            # An error of one of them occurs again below, and is reported there.
            with contextlib.suppress(Exception):
                rows = self._rows.together(passes)
                if rows is not None:
                    return [rows]
        return [row for each in passes for row in self._tried(partial(self._rows.rows, each))]

    def _tried(self, make: Callable[[], list[Rows]]) -> list[Rows]:
        """Return some rows; what cannot become rows is left out, and ends the source."""
        try:
            return make()
        except Exception as error:
            self._flaw = error
            self.stop()
            if self._ending:
                _logger.exception("the last readings of %s could not be taken", self.name)
            return []

    # The thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopped:
                if self._open():
                    self._read_on()
                self.tried.set()
                if self._stopped or self._pause(RETRY_S):
                    break
        except BaseException as error:  # noqa: BLE001
            # The top of the thread: whatever a reader throws ends this source alone.
            self._broken(error)
        finally:
            self.tried.set()
            self.status.busy_since = None
            self._close()
            with self._drain_lock:
                flaw, self._ending = self._flaw, True
            if flaw is not None:
                self._broken(flaw)
            self.status.cost_s = time.thread_time()
            self._over.set()

    def _broken(self, error: BaseException) -> None:
        _logger.error("the %s collector stopped", self.name, exc_info=error)
        self.status.state = "failed"
        self.status.problem = f"{self.name}: {words_of(error)}"
        self.status.remedy = "Call pw.stop() and pw.monitor() to start it again."
        self._end_series(self.status.problem)

    def _read_on(self) -> None:
        """Read until stopped, or until the whole source fails; it is then opened anew later."""
        try:
            self._loop()
        except ReaderError as error:
            self.status.fail(error)
            self._end_series(error.problem)
            self._close()
            # Everything is due again, also what is read only once.
            self._next = {}
            # From here on readings are missing for this reason, not because of a pause.
            self._last_us = 0

    def _close(self) -> None:
        try:
            self.backend.close()
        except Exception:
            # A reader of another package may raise anything: keep what it said before.
            _logger.exception("the %s reader could not be closed", self.name)

    def _end_series(self, why: str) -> None:
        """Say of every series that it is missing from now on."""
        self._put(partial(self._rows.end, why, self._clock.now_us()))

    def _pause(self, seconds: float) -> bool:
        """Wait; return whether the collector was stopped meanwhile."""
        self._wake.wait(seconds)
        return self._stopped

    def _open(self) -> bool:
        self.status.busy_since = time.monotonic()
        try:
            self.info = info = open_backend(self.backend)
        except PulseError as error:
            # A backend of another package is created only now.
            self.info = introduced(self.backend)
            absent = isinstance(error, LibraryNotFoundError | NoDeviceError)
            self.status.fail(error, "absent" if absent else "failed")
            return False
        finally:
            self.status.busy_since = None
            self.status.cost_s = time.thread_time()
        self._governor.paces(self.name, info.rates)
        self._presence = None if info.built_in else Presence()
        # A backend of another package may reuse the same dicts for its next reading.
        self._most = WAITING_MOST if info.lasting else 1
        self._put(partial(self._begun, info))
        return True

    def _begun(self, info: ReaderInfo) -> list[Rows]:
        self._rows.begin(info)
        return []

    def _loop(self) -> None:
        while not self._stopped:
            now = time.monotonic()
            if self._repaced:
                self._repaced = False
                soon = after(now, self.interval_s, self._phase_s)
                self._next |= dict.fromkeys(_PACED, soon)
            if self._asked:
                self._asked = False
                self._next |= dict.fromkeys((*_PACED, RateClass.BUFFERED), now)
            due = self._due(now) | self._besides(now)
            if due:
                self._pass(due, now)
            self._wake.wait(min(self._next.values()) - time.monotonic())

    def _due(self, now: float) -> frozenset[RateClass]:
        """Return the classes whose deadline has come, and set their next one."""
        due = frozenset(rate for rate in ALL_CLASSES if self._next.get(rate, now) <= now)
        for rate in due:
            period = self._governor.period_s(self.name, rate, self.interval_s)
            if rate is RateClass.GAUGES:
                self._awaited_s, self._period_s = self._period_s, period
                self.status.late_s = now - self._next.get(rate, now)
                self.status.missed += int(self.status.late_s / period)
            self._next[rate] = after(now, period, self._phase_s)
        return due

    def _besides(self, now: float) -> frozenset[RateClass]:
        """Return the classes that are read because a cell begins or ends."""
        wished, self._wished = self._wished, False
        if not wished or not self._edges.grants(self.interval_s):
            return frozenset()
        pace = {rate: self._governor.period_s(self.name, rate, self.interval_s) for rate in READ}
        # What is read more rarely than asked has a reason for that.
        classes = [rate for rate in READ if pace[rate] <= self.interval_s]
        for rate in classes:
            if self._next[rate] - now < CLOSE_S:
                self._next[rate] = after(now + CLOSE_S, pace[rate], self._phase_s)
        return frozenset(classes)

    def _pass(self, due: frozenset[RateClass], started: float) -> None:
        cpu = time.thread_time()
        self.status.busy_since = started
        try:
            records = ask(self.backend, due)
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
            self._end_series(self.status.problem)
            return
        self._reading_s += hung
        self._hand_over(records, due)
        self.status.passes += 1
        self.status.tick_s = time.monotonic() - started
        self.status.cost_s = time.thread_time()
        self._governor.spent(self.name, due, self.status.cost_s - cpu)
        if due.issuperset(READ):
            self._edges.read(started, hung, self.status.cost_s - cpu)
        self._judge(records)
        self.tried.set()

    def _judge(self, records: Sequence[RawRecord]) -> None:
        rejections = self._rows.rejections
        self.status.missing = {**self.backend.missing, **rejections.reasons}
        self.status.rejected = rejections.count
        self.status.fare(records, self._rows.refused)

    def _hand_over(self, records: Sequence[RawRecord], due: frozenset[RateClass]) -> None:
        now_us = self._clock.now_us()
        if RateClass.GAUGES in due:
            self._mind_the_gap(now_us)
            self._last_us, self._reading_s = now_us, 0.0
        self._put(Pass(records, now_us, self._clock.offset_us()))
        if self._presence is not None and (gone := self._presence.gone(due, records)):
            self._put(partial(self._rows.gone, gone, now_us))

    def _mind_the_gap(self, now_us: int) -> None:
        """Have missing rows made where the thread could not run for several intervals."""
        silent_us = now_us - self._last_us
        if not self._last_us or silent_us < GAP_FACTOR * self._awaited_s * 1e6 + 500_000:
            return
        why = f"no reading for {silent_us / 1e6:.1f} s: "
        # A reading also takes long when other code holds the interpreter meanwhile.
        if 2e6 * self._reading_s > silent_us:
            why += f"one was under way for {self._reading_s:.1f} s"
        else:
            why += "the interpreter did not run"
        begins_us = self._last_us + round(self._awaited_s * 1e6)
        self._put(partial(self._rows.gap, why, begins_us, now_us))

    def _put(self, item: Pass | Callable[[], list[Rows]]) -> None:
        self._waiting.append(item)
        if len(self._waiting) >= self._most:
            self._make_early()
        self._arrived()

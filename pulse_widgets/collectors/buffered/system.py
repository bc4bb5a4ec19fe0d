"""A collector of how busy the machine and its GPUs are."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pulse_widgets.collectors.base import start_thread
from pulse_widgets.collectors.buffered.collector import Collector
from pulse_widgets.collectors.buffered.door import taker
from pulse_widgets.collectors.buffered.entry import Entry
from pulse_widgets.collectors.buffered.words import say
from pulse_widgets.metrics.entities import is_gpu
from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.contract import ask, open_backend
from pulse_widgets.readers.discover import make_backends
from pulse_widgets.readers.translate import Translator

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psutil

    from pulse_widgets.readers.base import Backend

__all__ = ["SystemMetricCollector"]

MEASUREMENT: Final = "system_metric"
INTERVAL_S: Final = 5.0
PERCENT: Final = 100.0
SOURCES: Final = ("system", "nvml")
STOP_S: Final = 1.0


class SystemMetricCollector(Collector):
    """Reads the machine and some GPUs every few seconds, on a thread of its own.

    Each reading is one entry of the machine and one of each GPU, all of the same time. The
    machine's fields are ``process_cpu_percent`` (of one core: it may exceed 100),
    ``process_mem_percent``, ``device_cpu_percent`` and ``device_mem_percent``. A GPU's are
    ``device_gpu_util_percent``, ``device_gpu_mem_percent`` (the share of time in which its memory
    was read or written) and ``device_gpu_mem_used_percent`` (the share of it that is in use);
    its tag ``component`` is its name and the driver's index plus one, as in ``NVIDIA H100 #1``.
    What cannot be read is absent.

    A session that runs reads and records the same sources from `start` on.

    Parameters
    ----------
    gpu_count : int
        How many GPUs, of those that this process may use, in the order of their index.
    interval : float
        Seconds between readings.
    """

    DROP_THRESHOLD = None
    TAGS: ClassVar[dict[str, str]] = {"type": "local"}

    def __init__(self, gpu_count: int, *, interval: float = INTERVAL_S) -> None:
        super().__init__()
        self.gpu_count = gpu_count
        self.interval = interval
        self.problem = ""
        """Why the GPUs are not read; empty while they are."""
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read now, and then every `interval` seconds."""
        if self._thread is not None and self._thread.is_alive():
            return
        session = taker()
        if session is not None:
            session.watch(SOURCES if self.gpu_count else SOURCES[:1])
        self._end = threading.Event()
        self._thread = start_thread("pulse-system-metrics", self._run)

    def stop(self) -> None:
        """End reading; a driver that hangs is waited for a second."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    # The thread -------------------------------------------------------------------------

    def _run(self) -> None:
        import psutil

        process, end = psutil.Process(), self._end
        psutil.cpu_percent()
        process.cpu_percent()
        gpus = _Gpus(self.gpu_count)
        while True:
            ts = time.time()
            entries = [*_machine(process, ts), *gpus.read(ts)]
            self.problem = gpus.problem
            if end.is_set():
                break
            self.add(entries)
            if end.wait(self.interval):
                break
        gpus.close()


def _machine(process: psutil.Process, ts: float) -> Iterator[Entry]:
    import psutil

    try:
        fields = {
            "process_cpu_percent": process.cpu_percent(),
            "process_mem_percent": process.memory_percent(),
            "device_cpu_percent": psutil.cpu_percent(),
            "device_mem_percent": psutil.virtual_memory().percent,
        }
    except (psutil.Error, OSError, RuntimeError) as error:
        say("The machine could not be read", error=error)
        return
    yield Entry(MEASUREMENT, ts, fields, dict(SystemMetricCollector.TAGS))


class _Gpus:
    """The GPUs that are read; one that fails costs nothing but its own entry."""

    FIELDS: ClassVar[dict[str, str]] = {
        "gpu.utilization": "device_gpu_util_percent",
        "gpu.memory.busy": "device_gpu_mem_percent",
    }

    def __init__(self, count: int) -> None:
        self.problem = ""
        self._count = count
        self._backend: Backend | None = None
        self._translator = Translator()
        self._totals: dict[str, float] = {}
        self._names: dict[str, str] = {}

    def read(self, ts: float) -> list[Entry]:
        """Return an entry a GPU; none of those that cannot be read."""
        if not self._count:
            return []
        try:
            return self._entries(ts)
        except Exception as error:  # noqa: BLE001  the top of a thread: other entries go on
            if not self.problem:
                say("GPUs could not be read: %s", error)
            self.problem = str(error)
            self.close()
            return []

    def close(self) -> None:
        """Let go of the driver."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    def _entries(self, ts: float) -> list[Entry]:
        classes = frozenset({RateClass.GAUGES, RateClass.BUFFERED})
        if self._backend is None:
            (backend,) = make_backends(["nvml"], "mine")
            self._translator = Translator(open_backend(backend))
            self._backend, classes = backend, frozenset(RateClass)
        translation = self._translator.translate(ask(self._backend, classes))
        self.problem = "; ".join(translation.errors.values())
        for (_, entity), labels in translation.labels.items():
            if is_gpu(entity) and "name" in labels:
                self._names[entity] = labels["name"]
        values: dict[str, dict[str, float]] = {}
        for entity, metric, value, *_ in translation.readings:
            if not math.isnan(value):
                values.setdefault(entity, {})[metric] = value
        return [
            Entry(MEASUREMENT, ts, fields, {**SystemMetricCollector.TAGS, "component": component})
            for component, fields in self._told(values)
        ]

    def _told(self, values: dict[str, dict[str, float]]) -> Iterator[tuple[str, dict[str, Any]]]:
        known = sorted(self._names, key=_index)[: self._count]
        for entity in known:
            said = values.get(entity, {})
            if "gpu.memory.total" in said:
                self._totals[entity] = said["gpu.memory.total"]
            fields = {f: said[m] * PERCENT for m, f in self.FIELDS.items() if m in said}
            used, total = said.get("gpu.memory.used"), self._totals.get(entity)
            if used is not None and total:
                fields["device_gpu_mem_used_percent"] = used / total * PERCENT
            if fields:
                yield f"{self._names[entity]} #{_index(entity) + 1}", fields


def _index(entity: str) -> int:
    """Return the driver's index of a GPU."""
    return int(entity.removeprefix("gpu:"))

"""A backend that says what it is told to, and a collector that reads it."""

import threading
import time
from typing import ClassVar

from pulse_widgets.collectors.governor import Governor
from pulse_widgets.collectors.sampling import SamplingCollector
from pulse_widgets.metrics.metric import gauge
from pulse_widgets.readers.base import BackendCaps, BackendKind, RateClass, RawRecord
from pulse_widgets.readers.rule import Rule
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows


class Unreadable(dict):
    """Fields that are well until somebody looks at them."""

    def items(self):
        raise ValueError("no fields today")

    values = __iter__ = items


UNREADABLE = Unreadable()


class Scripted:
    """A backend that gives what a list says, one item a reading, then the last for ever."""

    lasting = True

    def __init__(self, *readings, error=None, name="scripted"):
        self.name = name
        self.caps = BackendCaps(BackendKind.SYSTEM)
        self.missing = {}
        self.due = []
        self.closed = threading.Event()
        self.read_all = threading.Event()
        self._readings = list(readings)
        self._error = error

    def open(self):
        if self._error:
            raise self._error

    def read(self, due):
        self.due.append(due)
        place = min(len(self.due), len(self._readings)) - 1
        if len(self.due) >= len(self._readings) + 1:
            self.read_all.set()
        reading = self._readings[place]
        if isinstance(reading, Exception):
            raise reading
        if callable(reading):
            reading = reading()
        now, wall = time.monotonic(), time.time()
        return [
            RawRecord(now, wall, entity, fields, "system", error=error)
            for entity, (fields, error) in reading.items()
        ]

    def close(self):
        self.closed.set()


TICK = frozenset({RateClass.GAUGES})


def good(**fields):
    return {"host": (fields, None)}


class Run:
    """A collector on a scripted backend, run until the script was read."""

    def __init__(self, backend, interval=0.01):
        self.registry = Registry()
        self.log = Log()
        self.cursor = self.log.cursor()
        self.collector = SamplingCollector(
            backend,
            registry=self.registry,
            clock=Clock(),
            host="h0",
            interval_s=interval,
            governor=Governor(lambda: 1.0),
        )
        self.backend = backend

    def __enter__(self):
        self.collector.start()
        return self

    def __exit__(self, *_):
        self.collector.stop()
        assert self.collector.join(5)
        assert self.backend.closed.is_set()

    def drain(self):
        self.collector.drain(self.log)

    def rows(self):
        self.drain()
        return Rows.concat(self.cursor.peek())

    def values(self, metric):
        rows = self.rows()
        series = self.registry.find("h0", "host", metric)
        return rows.value[rows.series == series].tolist()


class Foreign(Scripted):
    """A reader of another package."""

    title = "My NPU"
    group = "Accelerators"
    metrics = (gauge("npu.load", "1", "Load", ""),)
    rules: ClassVar = {"load": Rule("npu.load", 0.01, highest=100)}

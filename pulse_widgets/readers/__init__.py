"""Readers: what acquires readings from one source each, and what it takes to write one.

A reader is a `Backend`. Give one to ``pw.monitor(sources=[...])``, or name it in a package of
your own under the entry points ``pulse_widgets.readers``; then its name works as a source.
"""

from pulse_widgets.errors import (
    DcgmStreamError,
    ExporterCollisionDetected,
    HostEngineUnavailableError,
    ReaderError,
    ReservationDeniedError,
)
from pulse_widgets.metrics.metric import Metric, counter, gauge, rated, state
from pulse_widgets.readers.base import (
    Backend,
    BackendCaps,
    BackendKind,
    RateClass,
    RawRecord,
    RawSamples,
    ReaderConfig,
)
from pulse_widgets.readers.discover import make_backend
from pulse_widgets.readers.rule import Rule

__all__ = [
    "Backend",
    "BackendCaps",
    "BackendKind",
    "DcgmStreamError",
    "ExporterCollisionDetected",
    "HostEngineUnavailableError",
    "Metric",
    "RateClass",
    "RawRecord",
    "RawSamples",
    "ReaderConfig",
    "ReaderError",
    "ReservationDeniedError",
    "Rule",
    "counter",
    "gauge",
    "make_backend",
    "rated",
    "state",
]

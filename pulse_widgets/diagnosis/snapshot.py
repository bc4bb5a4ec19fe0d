"""The values of this moment, read without a session."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from pulse_widgets.errors import ReaderError, words_of
from pulse_widgets.metrics.catalog import rate_of
from pulse_widgets.readers.base import ALL_CLASSES
from pulse_widgets.readers.contract import ask, open_backend
from pulse_widgets.readers.discover import make_backends
from pulse_widgets.readers.translate import Reading, Translator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice

__all__ = ["take_snapshot"]

T = TypeVar("T")

APART_S: Final = 0.1
"""Time between the two readings from which rates are made."""

_Key = tuple[str, str, str]
"""Host, entity and metric."""
_Row = tuple[str, str, str, float, str]
"""Host, entity, metric, value and unit."""


@dataclass(slots=True)
class _Source:
    """One source while it is read twice."""

    backend: Backend
    translator: Translator
    before: dict[_Key, Reading] = field(default_factory=dict)
    after: dict[_Key, Reading] = field(default_factory=dict)

    def read(self) -> None:
        self.before = self.after
        records = ask(self.backend, ALL_CLASSES)
        self.after = {
            (reading.host, reading.entity, reading.metric): reading
            for reading in self.translator.translate(records).readings
        }

    def rows(self) -> list[_Row]:
        return [row for key in self.after | self.before if (row := self._row(key))]

    def _row(self, key: _Key) -> _Row | None:
        host, entity, metric = key
        reading = self.after.get(key) or self.before[key]
        if reading.text:
            return None
        known = self.translator.metric(metric)
        rate = rate_of(metric, known.kind.stored, known.unit) if known is not None else None
        if rate is None:
            return host, entity, metric, reading.value, known.unit if known else ""
        name, unit = rate
        shown = self.translator.metric(name)
        unit = shown.unit if shown else unit
        return host, entity, name, _rate(self.before.get(key), self.after.get(key)), unit


def take_snapshot(names: Sequence[str | Backend], gpus: GpuChoice) -> pd.DataFrame:
    """Return one row a metric: entity, metric, value (NaN where missing), unit.

    If a source reports other machines, the first column is the host, empty for this one.

    Everything is read twice, a tenth of a second apart, so that counters give rates. States
    that are words are left out. What could not be opened or read is named in
    ``frame.attrs["problems"]``, source to problem and remedy.

    Raises
    ------
    ReaderError
        When none of the sources can be opened and read.
    """
    import pandas as pd

    problems: dict[str, ReaderError] = {}
    backends = make_backends(names, gpus)
    try:
        sources = [s for b in backends if (s := _tried(b.name, problems, partial(_first, b)))]
        time.sleep(APART_S if sources else 0.0)
        for source in sources:
            _tried(source.backend.name, problems, source.read)
    finally:
        for backend in backends:
            _tried(backend.name, {}, backend.close)
    if problems and not sources:
        raise next(iter(problems.values()))
    rows = [
        row
        for source in sources
        for row in _tried(source.backend.name, problems, source.rows) or []
    ]
    frame = pd.DataFrame(rows, columns=["host", "entity", "metric", "value", "unit"])
    if not any(row[0] for row in rows):
        del frame["host"]
    frame.attrs["problems"] = {name: str(error) for name, error in problems.items()}
    return frame


def _first(backend: Backend) -> _Source:
    source = _Source(backend, Translator(open_backend(backend)))
    source.read()
    return source


def _tried(name: str, problems: dict[str, ReaderError], do: Callable[[], T]) -> T | None:
    """Do something with a source; what a reader throws is its problem, and no other's."""
    try:
        return do()
    except ReaderError as error:
        problems[name] = error
    except Exception as error:  # noqa: BLE001  a reader may throw anything
        problems[name] = ReaderError(
            f"The reader {name!r} failed: {words_of(error)}", "Please tell who wrote it."
        )
    return None


def _rate(before: Reading | None, after: Reading | None) -> float:
    if before is None or after is None:
        return math.nan
    seconds, grown = after.timestamp - before.timestamp, after.value - before.value
    # A counter that fell was reset: what passed meanwhile is unknown.
    return grown / seconds if seconds > 0 and grown >= 0 else math.nan

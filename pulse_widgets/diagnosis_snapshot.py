"""The values of this moment, read without a session."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import ReaderError
from pulse_widgets.metrics.catalog import Kind, lookup, rate_of
from pulse_widgets.readers.base import ALL_CLASSES
from pulse_widgets.readers.discover import make_backends
from pulse_widgets.readers.translate import Reading, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuWish

__all__ = ["take_snapshot"]

APART_S: Final = 0.1
"""Time between the two readings from which rates are made."""

_Values = dict[tuple[str, str], Reading]


def take_snapshot(names: Sequence[str | Backend], gpus: GpuWish) -> pd.DataFrame:
    """Return one row a metric: entity, metric, value (NaN where missing), unit.

    Everything is read twice, a tenth of a second apart, so that counters give rates. States
    that are words are left out. What could not be opened is named in ``frame.attrs["problems"]``,
    source to problem and remedy.

    Raises
    ------
    ReaderError
        When none of the sources can be opened.
    """
    import pandas as pd

    backends = make_backends(names, gpus)
    problems: dict[str, ReaderError] = {}
    opened = [backend for backend in backends if _opens(backend, problems)]
    if problems and not opened:
        raise next(iter(problems.values()))
    try:
        before = _read(opened)
        time.sleep(APART_S)
        after = _read(opened)
    finally:
        for backend in opened:
            backend.close()
    frame = pd.DataFrame(
        [row for key in after | before if (row := _row(key, before, after))],
        columns=["entity", "metric", "value", "unit"],
    )
    frame.attrs["problems"] = {name: str(error) for name, error in problems.items()}
    return frame


def _opens(backend: Backend, problems: dict[str, ReaderError]) -> bool:
    try:
        backend.open()
    except ReaderError as error:
        problems[backend.name] = error
        backend.close()
        return False
    return True


def _read(backends: Sequence[Backend]) -> _Values:
    return {
        (reading.entity, reading.metric): reading
        for backend in backends
        for reading in translate(backend.read(ALL_CLASSES)).readings
    }


def _row(
    key: tuple[str, str], before: _Values, after: _Values
) -> tuple[str, str, float, str] | None:
    entity, metric = key
    known = lookup(metric)
    reading = after.get(key) or before[key]
    if reading.text:
        return None
    rate_name = rate_of(metric)
    if known is None or known.kind is not Kind.COUNTER or rate_name is None:
        return entity, metric, reading.value, known.unit if known else ""
    rated = lookup(rate_name)
    return entity, rate_name, _rate(before.get(key), after.get(key)), rated.unit if rated else ""


def _rate(before: Reading | None, after: Reading | None) -> float:
    if before is None or after is None:
        return math.nan
    seconds, grown = after.timestamp - before.timestamp, after.value - before.value
    # A counter that fell was reset: what passed meanwhile is unknown.
    return grown / seconds if seconds > 0 and grown >= 0 else math.nan

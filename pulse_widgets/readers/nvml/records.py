"""From what a GPU said in one pass to records, stamped with the driver's time where it is sane."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from pulse_widgets.readers.base import RateClass, RawRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulse_widgets.readers.nvml.batch import Stamped
    from pulse_widgets.readers.nvml.calls import Fields

__all__ = ["BIT", "NEWEST_US", "OLDEST_US", "SOURCE", "Tick", "mask_of", "record", "records"]

SOURCE: Final = "nvml"

SAME_MOMENT_US: Final = 1000
"""Stamps that differ by less are one moment: recordings keep milliseconds."""

OLDEST_US: Final = 10_000_000
NEWEST_US: Final = 1_000_000
"""A stamp older or newer than this is no time: some drivers give 0, or a clock of their own."""

BIT: Final = {rate: 1 << place for place, rate in enumerate(RateClass)}


@lru_cache
def mask_of(due: frozenset[RateClass]) -> int:
    """Return the classes as bits."""
    return sum(BIT[rate] for rate in due)


class Tick(NamedTuple):
    """What all GPUs share in one pass.

    Attributes
    ----------
    due : int
        The classes to read, as `mask_of` gives them.
    now : float
        Monotonic seconds.
    offset : float
        What turns monotonic seconds into Unix seconds.
    version : str
        Of the driver.
    everything : bool
        No limit on calls: the first look at a GPU.
    spent : int
        Calls that were made of each GPU already, before the reading began.
    """

    due: int
    now: float
    offset: float
    version: str = ""
    everything: bool = False
    spent: int = 0


def record(
    tick: Tick, entity: str, fields: Fields, error: str | None = None, at: float | None = None
) -> RawRecord:
    """Return one record of `entity`, of this tick or of the monotonic second `at`."""
    when = tick.now if at is None else at
    return RawRecord(when, when + tick.offset, entity, fields, SOURCE, tick.version, error)


def records(tick: Tick, entity: str, fields: Fields, stamped: Iterable[Stamped]) -> list[RawRecord]:
    """Return the readings of one GPU: one record for each moment they were taken at."""
    wall_us = int((tick.now + tick.offset) * 1e6)
    first, last = wall_us - SAME_MOMENT_US, wall_us + SAME_MOMENT_US
    oldest, newest = wall_us - OLDEST_US, wall_us + NEWEST_US
    elsewhere: dict[int, Fields] = {}
    for name, value, stamp_us in stamped:
        if first < stamp_us < last or not oldest < stamp_us < newest:
            fields[name] = value
        else:
            elsewhere.setdefault(stamp_us // SAME_MOMENT_US, {})[name] = value
    found = [record(tick, entity, fields)] if fields else []
    for stamp_ms, group in elsewhere.items():
        found.append(record(tick, entity, group, at=stamp_ms / 1e3 - tick.offset))
    return found

"""Counts values of a source that cannot be true, and keeps which they are now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.translate import short_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from pulse_widgets.readers.translate import Translation

__all__ = ["Key", "Rejections"]

Key = tuple[str, str, str]
"""Host, entity and metric."""

FORGET_US: Final = 60_000_000
"""An entity that was not read for so long is gone, and nothing is to be said of it."""


class Rejections:
    """Counts what was rejected, and says why a reading is missing until it has a value again.

    Attributes
    ----------
    count : int
        Values rejected so far.
    reasons : mapping of str to str
        ``"gpu:0 gpu.power"`` (entity, space, metric) to why it is missing now. A new mapping
        after each change: other threads may be reading the one before.
    open : set of int
        The series that these are about.
    """

    def __init__(self) -> None:
        self.count = 0
        self.reasons: Mapping[str, str] = {}
        self.open: frozenset[int] = frozenset()
        self._why: dict[Key, str] = {}
        self._keys: dict[int, Key] = {}
        """Of the open series."""
        self._met_us: dict[tuple[str, str], int] = {}
        """Host and entity of these to when they were read last."""

    def take(self, translation: Translation, series: Mapping[Key, int], now_us: int) -> None:
        """Note what one pass rejected, and which readings have a value again."""
        rejected = translation.rejected
        if not rejected and not self._why:
            return
        self.count += sum(map(len, rejected.values()))
        readings = translation.readings
        good = {
            (reading.host, reading.entity, reading.metric)
            for reading in readings
            if reading.text or not math.isnan(reading.value)
        }
        kept = {key: why for key, why in self._why.items() if key not in good}
        fresh = {key: _reason(values[-1]) for key, values in rejected.items()}
        self._why = kept | fresh
        self._met_us |= {key[:2]: now_us for key in fresh}
        self.meet({(reading.host, reading.entity) for reading in readings}, now_us)
        self._keys = {series[key]: key for key in self._why if key in series}
        self.open = frozenset(self._keys)

    def again(
        self,
        count: int,
        newest: Mapping[int, float | str | None],
        entities: AbstractSet[tuple[str, str]],
        now_us: int,
    ) -> None:
        """Note passes that rejected `count` values, all of open series, and the newest of each."""
        self.count += count
        fresh = {self._keys[number]: _reason(short_text(raw)) for number, raw in newest.items()}
        self._why |= fresh
        self._met_us |= {key[:2]: now_us for key in fresh}
        self.meet(entities, now_us)

    def meet(self, entities: AbstractSet[tuple[str, str]], now_us: int) -> None:
        """Forget what was rejected of entities that have been gone for a while."""
        met = self._met_us
        met |= dict.fromkeys(entities & met.keys(), now_us)
        held = {key[:2] for key in self._why}
        self._met_us = {e: us for e, us in met.items() if e in held and now_us - us < FORGET_US}
        self._why = {key: why for key, why in self._why.items() if key[:2] in self._met_us}
        reasons = {f"{entity} {metric}": why for (_, entity, metric), why in self._why.items()}
        if reasons != self.reasons:
            self.reasons = reasons

    def forget(self) -> None:
        """Begin anew; the count stays."""
        self._why, self._keys, self._met_us = {}, {}, {}
        self.reasons, self.open = {}, frozenset()


def _reason(said: str) -> str:
    return f"the source says {said}, which cannot be true"

"""Counters summed over devices that come and go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.metrics.ranges import range_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["DeviceSums"]

_FASTEST: Final = {"B": 1e13, "count": 1e9}
"""What no device passes in a second."""
_BATCH_S: Final = 5.0
"""Drivers may count late: so much longer than the time between two looks can be in an increase."""
_UNKNOWN: Final = math.inf
"""In the place of a counter that cannot be true: the next one is less, and so is a new start."""


class DeviceSums:
    """Some counters summed over devices that come and go; no sum ever falls.

    The devices of the first look count with all they ever did. One that comes later counts from
    its first reading on: what stood in its counters then may have been counted elsewhere, in
    another namespace or before it was plugged in. What a device did stays counted when it is
    gone; one that comes back is a new one, for another may have its name.

    After a counter that fell, or rose by more than any device can do, nobody knows how much
    passed: the sum is missing for that look and goes on from where it was. A counter that is
    beyond what can be counted is left out for as long as it is.

    Parameters
    ----------
    fields : sequence of str
        The host's metrics, one for each counter of a device.
    omit : callable
        Told what is left out.
    """

    def __init__(self, fields: Sequence[str], omit: Callable[[str, str], None]) -> None:
        metrics = [metric for metric in map(lookup, fields) if metric is not None]
        self._fields = tuple(fields)
        self._omit = omit
        self._most = [range_of(metric)[1] for metric in metrics]
        self._fastest = [_FASTEST[metric.unit] for metric in metrics]
        self._at = -math.inf
        self._last: dict[str, tuple[float, ...]] | None = None
        self._sums = [0.0] * len(metrics)

    def take(self, devices: Mapping[str, tuple[float, ...]], now: float) -> list[float | None]:
        """Return the sums; one that is not known now is None.

        Parameters
        ----------
        devices : mapping of str to tuple of float
            The counters of each device that is there.
        now : float
            Monotonic seconds.
        """
        first, last = self._last is None, self._last or {}
        seconds = now - self._at + _BATCH_S
        limits = [fastest * seconds for fastest in self._fastest]
        self._last, self._at = dict(devices), now
        sums, most = self._sums, self._most
        strange: list[tuple[str, int]] = []
        for name, counts in devices.items():
            before = last.get(name)
            if before is None:
                self._begin(name, counts, strange, counted=first)
            elif counts != before:
                for k, count in enumerate(counts):
                    rise = count - before[k]
                    if 0 <= rise <= limits[k] and count <= most[k]:
                        sums[k] += rise
                    else:
                        strange.append((name, k))
        values: list[float | None] = [*sums]
        if strange:
            self._leave_out(strange, last, values)
        return values

    def _begin(
        self,
        name: str,
        counts: tuple[float, ...],
        strange: list[tuple[str, int]],
        *,
        counted: bool,
    ) -> None:
        """Take in a device that was not there at the last look."""
        for k, count in enumerate(counts):
            if not 0 <= count <= self._most[k]:
                strange.append((name, k))
            elif counted:
                self._sums[k] += count

    def _leave_out(
        self,
        strange: list[tuple[str, int]],
        last: Mapping[str, tuple[float, ...]],
        values: list[float | None],
    ) -> None:
        """Say which counters are wrong, by device and index, and which sums are missing for it."""
        marks = self._last or {}
        for name, k in strange:
            count, before = marks[name][k], last[name][k] if name in last else _UNKNOWN
            lost = True
            if not 0 <= count <= self._most[k]:
                why = f"without {name}, whose counter says {count:g}"
                lost = before != _UNKNOWN
                marks[name] = (*marks[name][:k], _UNKNOWN, *marks[name][k + 1 :])
            elif count < before:
                was = "was beyond what can be counted" if before == _UNKNOWN else "fell"
                why = f"the counter of {name} {was}: how much passed is not known"
            else:
                why = f"the counter of {name} rose by {count - before:g}, which no device can do"
            self._omit(f"host {self._fields[k]}", why)
            if lost or all(counts[k] == _UNKNOWN for counts in marks.values()):
                values[k] = None

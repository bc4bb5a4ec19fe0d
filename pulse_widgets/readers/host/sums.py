"""Counters summed over devices that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DeviceSums"]


class DeviceSums:
    """Some counters summed over devices that come and go; no sum ever falls.

    The devices of the first look count with all they ever did. One that comes later counts from
    its first reading on: what stood in its counters then may have been counted elsewhere, in
    another namespace or before it was plugged in. What a device did stays counted when it is
    gone; one that comes back is a new one, for another may have its name. A counter that falls
    adds nothing: how much passed before it was set back, and after, is not known.

    Parameters
    ----------
    count : int
        Counters of each device.
    """

    def __init__(self, count: int) -> None:
        self._last: dict[str, tuple[float, ...]] | None = None
        self._sums = [0.0] * count

    def take(self, devices: Mapping[str, tuple[float, ...]]) -> list[float]:
        """Return the sums, given the counters of each device that is there."""
        sums, last = self._sums, self._last
        if last is None:
            for counts in devices.values():
                for k, now in enumerate(counts):
                    sums[k] += now
        else:
            for name, counts in devices.items():
                before = last.get(name, counts)
                if counts != before:
                    for k, (now, then) in enumerate(zip(counts, before, strict=True)):
                        if now > then:
                            sums[k] += now - then
        self._last = dict(devices)
        return list(sums)

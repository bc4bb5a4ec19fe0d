"""Ranges and round marks of the axes of a saved picture; the rules of ``js/core/y-range.ts``."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from typing import Final

from pulse_widgets.metrics.catalog import CATALOG

__all__ = ["clock", "moment", "time_ticks", "value_range", "value_ticks"]

_HEADROOM: Final = 1.06
_NEAR_ZERO: Final = 0.6
_LEAST_DEGREES: Final = 12.0
"""A few degrees up and down are not worth a picture; 0 °C means nothing here."""

_AMOUNTS: Final = frozenset({"1", "B", "B/s", "W", "J", "cores", "count", "count/s"})
_LOOSE: Final = ("pressure", "throttled", "iowait", "steal", "disk.busy")
"""Shares that are mostly near zero: their axis follows the data instead of ending at 100 %."""

_DECIMAL: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_BINARY: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_CLOCK: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
)  # fmt: skip
_MINUTE, _DAY = 60, 86_400


def value_range(
    low: float, high: float, *, metric: str, unit: str, limit: float | None
) -> tuple[float, float]:
    """Return bottom and top of the value axis, finite and apart.

    Zero is in view unless the data lies far from it and moves little.
    """
    bottom, top = _wanted(low, high, metric, unit, limit)
    largest = sys.float_info.max
    bottom, top = max(bottom, -largest), min(top, largest)
    # Two numbers that a double cannot tell apart make no axis.
    least = max(abs(bottom), abs(top)) * 1e-9 + 1e-300
    if top - bottom >= least:
        return bottom, top
    return max(bottom - least, -largest), min(top + least, largest)


def _wanted(
    low: float, high: float, metric: str, unit: str, limit: float | None
) -> tuple[float, float]:
    if unit == "1" and metric in CATALOG and not any(word in metric for word in _LOOSE):
        return 0.0, max(1.0, high * _HEADROOM)
    if unit == "degC":
        half = max(high - low, _LEAST_DEGREES) * 0.55
        middle = low / 2 + high / 2
        return middle - half, middle + half
    top = high if limit is None else max(high, limit)
    if low >= 0 and (low <= top * _NEAR_ZERO or unit in _AMOUNTS):
        return 0.0, top * _HEADROOM if top > 0 else 1.0
    pad = max((top - low) * 0.12, abs(top) * 0.005)
    bottom = max(0.0, low - pad) if low >= 0 else low - pad
    return bottom, max(top + pad, 0.0) if high <= 0 else top + pad


def value_ticks(bottom: float, top: float, unit: str, most: int = 4) -> list[float]:
    """Return round values, at most about `most`, in steps natural to the unit."""
    raw = (top - bottom) / most
    if not (math.isfinite(raw) and raw > 1e-300):  # noqa: PLR2004  smaller steps have no logarithm to trust
        return []
    step = _step(raw, unit)
    if unit == "count":
        step = max(step, 1.0)
    first, last = math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _step(raw: float, unit: str) -> float:
    if unit == "s" and raw >= 1:
        return float(next((step for step in _CLOCK if step >= raw), _DAY * math.ceil(raw / _DAY)))
    if unit in {"B", "B/s"} and raw >= 1:
        size = 1024.0 ** math.floor(math.log(raw) / math.log(1024) + 1e-9)
        return size * next((step for step in _BINARY if step * size >= raw), 1024)
    size = 10.0 ** math.floor(math.log10(raw) + 1e-9)
    return size * next((step for step in _DECIMAL if step * size >= raw * (1 - 1e-9)), 10.0)


def time_ticks(start: float, end: float, most: int = 4) -> list[tuple[float, str]]:
    """Return round moments of the UTC clock between two Unix times, each with its text."""
    raw = (end - start) / most
    if not (math.isfinite(raw) and raw > 0):
        return []
    if raw < 1:
        step = _step(raw, "")
    else:
        step = float(next((s for s in _CLOCK if s >= raw), _DAY * math.ceil(raw / _DAY)))
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    times = [number * step for number in range(first, last + 1)]
    return [(time, clock(time, step)) for time in times]


def clock(time: float, step: float) -> str:
    """Return a moment as a clock shows it, exact enough for marks `step` seconds apart."""
    date = _utc(time)
    if date is None:
        return ""
    if step >= _DAY or (step >= _MINUTE and not (date.hour or date.minute or date.second)):
        return f"{date.day} {date:%b}"
    if step >= _MINUTE:
        return f"{date:%H:%M}"
    return f"{date:%H:%M:%S}" if step >= 1 else f"{date:%H:%M:%S.%f}"[:-3]


def moment(time: float) -> str:
    """Return date and time of a Unix time: ``21 Nov 2026, 10:02:03``."""
    date = _utc(time)
    return f"{date.day} {date:%b %Y, %H:%M:%S}" if date else ""


def _utc(time: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(time, UTC)
    except (ValueError, OverflowError, OSError):
        return None  # a clock gone wild is no reason to lose the picture

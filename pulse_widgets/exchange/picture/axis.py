"""Ranges and round marks of the axes, and moments of the UTC clock as text.

A saved picture is read where the clock may be another. ``js/core/vocabulary/y-range.ts`` and
``js/core/vocabulary/utc-text.ts`` have the same rules: their numbers are written from here, and
``tests/data/axis.json`` holds both languages to one set of examples.
"""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.units import format_value

__all__ = ["clock", "is_whole", "stretch", "time_ticks", "value_range", "value_ticks"]

HEADROOM: Final = 1.06
"""Room above the largest value, as a factor."""
NEAR_ZERO: Final = 0.6
"""Data that lies within this share of its distance from zero is drawn with zero in view."""
LEAST_SHARE: Final = 0.02
"""Changes that are small beside the level itself are not blown up to the full height."""
LEAST_DEGREES: Final = 12
"""A few degrees up and down are not worth a picture; 0 °C means nothing here."""

AMOUNTS: Final = ("1", "B", "B/s", "W", "J", "cores", "count", "count/s")
"""Units of amounts: their size against nothing at all is what matters."""
LOOSE: Final = ("pressure", "throttled", "iowait", "steal", "disk.busy")
"""Shares that are mostly near zero: their axis follows the data instead of ending at 100 %."""

DECIMAL_STEPS: Final = (1, 2, 2.5, 5, 10)
BINARY_STEPS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
CLOCK_STEPS: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
)  # fmt: skip
MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
"""In English, whatever language the process has."""
_MINUTE, _DAY = 60, 86_400


def is_whole(metric: str, unit: str) -> bool:
    """Return whether a metric is a share of a whole, whose axis shows 0 to 100 %."""
    return unit == "1" and metric in CATALOG and not any(word in metric for word in LOOSE)


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
    if is_whole(metric, unit):
        return 0.0, high * HEADROOM if high > 1 else 1.0
    if unit == "degC":
        half = max(high - low, LEAST_DEGREES) * 0.55
        middle = low / 2 + high / 2
        return middle - half, middle + half
    top = high if limit is None else max(high, limit)
    if low >= 0 and (low <= top * NEAR_ZERO or unit in AMOUNTS):
        return 0.0, top * HEADROOM if top > 0 else 1.0
    pad = max((top - low) * 0.12, abs(top) * LEAST_SHARE)
    bottom = max(0.0, low - pad) if low >= 0 else low - pad
    return bottom, max(top + pad, 0.0) if high <= 0 else top + pad


def value_ticks(bottom: float, top: float, unit: str, most: float = 4) -> list[float]:
    """Return round values, at most about `most`, in steps natural to the unit."""
    raw = (top - bottom) / max(1, most)
    if not (math.isfinite(raw) and raw > 1e-300):  # noqa: PLR2004  smaller steps have no logarithm to trust
        return []
    step = _step(raw, unit)
    if unit == "count":
        step = max(step, 1.0)
    first, last = math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _step(raw: float, unit: str) -> float:
    if unit == "s" and raw > _DAY:
        return _step(raw / _DAY, "") * _DAY
    if unit == "s" and raw >= 1:
        return float(next(step for step in CLOCK_STEPS if step >= raw))
    if unit in {"B", "B/s"} and raw >= 1:
        size = 1024.0 ** math.floor(math.log(raw) / math.log(1024) + 1e-9)
        return size * next((step for step in BINARY_STEPS if step * size >= raw), 1024)
    size = 10.0 ** math.floor(math.log10(raw) + 1e-9)
    return size * next((step for step in DECIMAL_STEPS if step * size >= raw * (1 - 1e-9)), 10)


def time_ticks(start: float, end: float, most: int = 4) -> list[tuple[float, str]]:
    """Return round moments of the UTC clock between two Unix times, each with its text."""
    raw = (end - start) / most
    if not (math.isfinite(raw) and raw > 0):
        return []
    if raw < 1:
        step = _step(raw, "")
    else:
        step = float(next((s for s in CLOCK_STEPS if s >= raw), _DAY * math.ceil(raw / _DAY)))
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    times = [number * step for number in range(first, last + 1)]
    return [(time, clock(time, step)) for time in times]


def clock(time: float, step: float) -> str:
    """Return a moment as a clock shows it, exact enough for marks `step` seconds apart."""
    date = _utc(time)
    if date is None:
        return ""
    if step >= _DAY or (step >= _MINUTE and not (date.hour or date.minute or date.second)):
        return f"{date.day} {MONTHS[date.month - 1]}"
    if step >= _MINUTE:
        return f"{date:%H:%M}"
    return f"{date:%H:%M:%S}" if step >= 1 else f"{date:%H:%M:%S}.{date.microsecond // 1000:03d}"


def stretch(start: float, end: float) -> str:
    """Return a stretch of time: ``21 Nov 2026, 10:02:03 to 10:14:03 (12 min)``."""
    first, last = _utc(start), _utc(end)
    if first is None or last is None:
        return _moment(first or last)
    begins, ends = _moment(first), _moment(last)
    if begins == ends:
        return begins
    length = f" ({format_value(math.floor(end - start + 0.5), 's')})" if end - start >= 1 else ""
    return f"{begins} to {f'{last:%H:%M:%S}' if first.date() == last.date() else ends}{length}"


def _moment(date: datetime | None) -> str:
    """Return date and time of a moment: ``21 Nov 2026, 10:02:03``; nothing where there is none."""
    if date is None:
        return ""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}, {date:%H:%M:%S}"


def _utc(time: float) -> datetime | None:
    """Return a Unix time to the millisecond, which is what a page has."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            milliseconds=math.floor(time * 1000 + 0.5)
        )
    except (ValueError, OverflowError):
        return None  # a clock gone wild is no reason to lose the picture

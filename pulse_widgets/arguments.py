"""Checks of what users pass; each failure names the value and the remedy."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pulse_widgets.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "INTERVAL_MOST",
    "Captured",
    "checked_capture",
    "checked_interval",
    "checked_metrics",
    "checked_path",
    "checked_record",
    "checked_seconds",
    "checked_span",
    "checked_time",
    "checked_title",
]

Captured: TypeAlias = bool | Literal["fd"]
"""What of the printed text is captured: what Python prints, nothing, or the descriptors as well."""

INTERVAL_LEAST = 0.1
INTERVAL_MOST = 3600.0
NAME_BYTES = 240
"""Of the name of a recording, at most: file systems allow 255, and we add an ending."""
PATH_BYTES = 3900
"""Of a whole path: the system allows 4095, and files lie inside."""
PATH_PARTS = 200
SHOWN_LENGTH = 60
EARLIEST_S = 946_684_800.0
"""The year 2000: an earlier time is that of a clock which counts from another moment."""
AHEAD_MOST_S = 60.0
"""How far the clock that a time comes from may be ahead of this machine's."""


def checked_interval(interval: float) -> float:
    """Return seconds between readings, 0.1 to 3600.

    Raises
    ------
    ArgumentError
    """
    if isinstance(interval, bool) or not isinstance(interval, int | float):
        raise ArgumentError(
            f"interval={interval!r} is not a number", remedy="Pass seconds, such as interval=1.0."
        )
    if not INTERVAL_LEAST <= interval <= INTERVAL_MOST:
        raise ArgumentError(
            f"interval={interval!r} is out of range",
            remedy=f"Pass between {INTERVAL_LEAST} and {INTERVAL_MOST:.0f} seconds.",
        )
    return float(interval)


def checked_seconds(seconds: float) -> float:
    """Return a positive number of seconds.

    Raises
    ------
    ArgumentError
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ArgumentError(
            f"seconds={seconds!r} is not a number", remedy="Pass seconds, such as seconds=10."
        )
    if not 0 < seconds < math.inf:
        raise ArgumentError(f"seconds={seconds!r} is out of range", remedy="Pass a positive time.")
    return float(seconds)


def checked_time(wall_s: float) -> float:
    """Return a Unix time in seconds that lies after 2000 and not in the future.

    Raises
    ------
    ArgumentError
    """
    try:
        seconds = float(wall_s)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not EARLIEST_S <= seconds <= time.time() + AHEAD_MOST_S:
        raise ArgumentError(
            f"time={str(wall_s)[:80]} is not a Unix time between 2000 and now",
            remedy="Pass seconds since 1970, such as time.time(); divide milliseconds by 1000. "
            "time.monotonic() counts from another moment.",
        )
    return seconds


def checked_span(first_s: float, last_s: float) -> None:
    """Refuse Unix times of which the first lies before 2000, or the last in the future.

    Raises
    ------
    ArgumentError
    """
    for wall_s in (first_s, last_s):
        if not EARLIEST_S <= wall_s <= time.time() + AHEAD_MOST_S:
            raise ArgumentError(
                f"times= are not all between 2000 and now: one is {wall_s:.6g} s after 1970",
                remedy="Pass seconds since 1970, or datetime64; divide milliseconds by 1000.",
            )


def checked_record(record: bool | str | Path | None) -> bool | Path | None:  # noqa: FBT001
    """Return where to record: True, False, a path, or None for the default.

    Raises
    ------
    ArgumentError
    """
    if isinstance(record, bool) or record is None:
        return record
    if isinstance(record, str | os.PathLike):
        place = os.fspath(record)
        if isinstance(place, str) and place:
            _require_name(place)
            return Path(place)
    raise ArgumentError(
        f"record={record!r} is not a place to record to",
        remedy="Pass True, False, or a path such as record='runs/today'.",
    )


def _require_name(place: str) -> None:
    """Refuse a name that no file can have, or that no page or table can show."""
    name = Path(place).name.removesuffix(".parquet").removesuffix(".pulse")
    try:
        longer = len(name.encode()) > NAME_BYTES or len(place.encode()) > PATH_BYTES
        longer = longer or len(Path(place).parts) > PATH_PARTS
        why = "it has a zero byte" if "\0" in place else "it is too long" if longer else ""
    except UnicodeEncodeError:
        why = "it has a character that is no text"
    if why:
        shown = place if len(place) <= SHOWN_LENGTH else place[:SHOWN_LENGTH] + "..."
        raise ArgumentError(
            f"record={shown!a} cannot be the name of a recording: {why}",
            remedy="Pass a plain path such as record='runs/today'.",
        )


def checked_path(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Return a path that somebody gave, with ``~`` resolved.

    Raises
    ------
    ArgumentError
    """
    if isinstance(path, str | os.PathLike) and str(path):
        return Path(path).expanduser()
    raise ArgumentError(f"{name}={path!r} is not a path", remedy="Pass a path, such as 'run-17'.")


def checked_capture(capture_output: Captured | None) -> Captured | None:
    """Return what to capture: True, False, ``"fd"``, or None for the default.

    Raises
    ------
    ArgumentError
    """
    if capture_output is None or isinstance(capture_output, bool) or capture_output == "fd":
        return capture_output
    raise ArgumentError(
        f"capture_output={str(capture_output)[:SHOWN_LENGTH]!r} is not what can be captured",
        remedy="Pass True, False, or 'fd' for what C code and subprocesses print as well.",
    )


def checked_metrics(metrics: str | Sequence[str] | None) -> list[str] | None:
    """Return patterns of metric names; a text is one pattern, None is all.

    Raises
    ------
    ArgumentError
    """
    if metrics is None:
        return None
    given = [metrics] if isinstance(metrics, str) else metrics
    if isinstance(given, Iterable):
        patterns = list(given)
        if all(isinstance(pattern, str) and pattern for pattern in patterns):
            return patterns
    raise ArgumentError(
        f"metrics={metrics!r} are not names of metrics",
        remedy="Pass a name, a pattern such as 'gpu.*', or a list of them.",
    )


def checked_title(title: str | None) -> str:
    """Return a heading; empty for None.

    Raises
    ------
    ArgumentError
    """
    if title is None or isinstance(title, str):
        return title or ""
    raise ArgumentError(f"title={title!r} is not text", remedy="Pass title='my run'.")

"""One call of `pulse_widgets.log` while it waits to become rows."""

from __future__ import annotations

from typing import Any, Final

from pulse_widgets.collectors.logged_values import PLAIN

__all__ = ["CALL_BYTES", "VALUE_BYTES", "Entry", "is_ready", "size_of"]

Entry = tuple[int, int | None, dict[str, Any]]
"""Microseconds since the epoch, step, and the values of one call."""

CALL_BYTES: Final = 320
VALUE_BYTES: Final = 96
"""Bytes of a waiting call, and of each of its values besides the name, about."""
_READY: Final = PLAIN | {type(None)}
"""What becomes a row without being read from anywhere."""


def is_ready(entry: Entry) -> bool:
    """Return whether a call becomes rows without anything being read from a device."""
    return _READY.issuperset(map(type, entry[2].values()))


def size_of(entry: Entry) -> int:
    """Return the bytes that a waiting call takes, about."""
    values = entry[2]
    return CALL_BYTES + VALUE_BYTES * len(values) + sum(map(len, values))

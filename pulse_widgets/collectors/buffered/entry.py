"""One thing that was collected, in the form in which it is sent elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Entry", "size_of"]

ENTRY_BYTES: Final = 500
FIELD_BYTES: Final = 100


@dataclass(slots=True)
class Entry:
    """A measurement at one moment.

    Attributes
    ----------
    measurement : str
        What sort of thing it is: ``log``, ``system_metric``, ``experiment_plot_metric``, ``cell``.
    ts : float
        Unix seconds.
    fields : dict
        Names and values. What has no value is absent.
    tags : dict of str to str
        What it is about.
    seq : int or None
        Its place among all entries of its collector, counted from 0; set by `Collector.add`. A
        consumer that gets an entry twice knows it by this number, and a step of more than one
        means that entries between were dropped.
    """

    measurement: str
    ts: float
    fields: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    seq: int | None = None
    _size: int = field(default=0, init=False, repr=False, compare=False)
    """Bytes that it took when it got its place: what its fields hold may change."""

    def numbered(self, seq: int) -> Entry:
        """Return the same entry with a place."""
        made = Entry(self.measurement, self.ts, self.fields, self.tags, seq)
        made._size = _measured(self.fields)
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary, for JSON."""
        return {
            "measurement": self.measurement,
            "ts": self.ts,
            "tags": dict(self.tags),
            "fields": dict(self.fields),
            "seq": self.seq,
        }


def size_of(entry: object) -> int:
    """Return the bytes that an entry takes, about."""
    if isinstance(entry, Entry):
        return entry._size or _measured(entry.fields)  # noqa: SLF001  of this module
    return ENTRY_BYTES + (len(entry) if isinstance(entry, str | bytes) else 0)


def _measured(fields: Mapping[str, Any]) -> int:
    size = ENTRY_BYTES + FIELD_BYTES * len(fields)
    for value in fields.values():
        if type(value) is not float:
            size += _more(value)
    return size


def _more(value: object) -> int:
    """Return what a value takes beyond a number."""
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return FIELD_BYTES * len(value)
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0

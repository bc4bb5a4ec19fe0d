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

    def numbered(self, seq: int) -> Entry:
        """Return the same entry with a place."""
        return Entry(self.measurement, self.ts, self.fields, self.tags, seq)

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
    if not isinstance(entry, Entry):
        return ENTRY_BYTES
    fields: Mapping[str, Any] = entry.fields
    letters = sum(len(value) for value in fields.values() if isinstance(value, str))
    return ENTRY_BYTES + FIELD_BYTES * len(fields) + letters

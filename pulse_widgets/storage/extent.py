"""How much a recording holds of one series."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Extent"]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of a series: rows, and first and last time in microseconds."""

    rows: int
    start: int
    end: int

    def joined(self, other: Extent) -> Extent:
        """Return the extent of both together."""
        return Extent(
            self.rows + other.rows, min(self.start, other.start), max(self.end, other.end)
        )

"""Notices entities that a source no longer reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.readers.translate import entity_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from pulse_widgets.readers.base import RateClass, RawRecord

__all__ = ["Presence"]


class Presence:
    """Finds the entities that a source stopped reporting without saying that they are missing.

    Our own readers report what has gone as missing. Readers of other packages may just leave it
    out, and without this a chart would draw its line on across the gap.
    """

    def __init__(self) -> None:
        self._seen: dict[frozenset[RateClass], set[tuple[str, str]]] = {}

    def gone(
        self, due: frozenset[RateClass], records: Sequence[RawRecord]
    ) -> AbstractSet[tuple[str, str]]:
        """Return host and entity of what was there when the same classes were read last."""
        now = {(record.host, entity_of(record.entity_id)) for record in records}
        before = self._seen.get(due, set())
        self._seen[due] = now
        return before - now

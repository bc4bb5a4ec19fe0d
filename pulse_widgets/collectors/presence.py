"""Which entities a source tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.readers.translate import entity_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from pulse_widgets.readers.base import RateClass, RawRecord

__all__ = ["Presence"]


class Presence:
    """Finds the entities that a source has ceased to tell of, without a word.

    Our own readers say of what has gone that it is missing. Those of other packages may just
    leave it out; a line must not go on over that.
    """

    def __init__(self) -> None:
        self._told: dict[frozenset[RateClass], set[tuple[str, str]]] = {}

    def gone(
        self, due: frozenset[RateClass], records: Sequence[RawRecord]
    ) -> AbstractSet[tuple[str, str]]:
        """Return host and entity of what was there when the same classes were read last."""
        now = {(record.host, entity_of(record.entity_id)) for record in records}
        before = self._told.get(due, set())
        self._told[due] = now
        return before - now

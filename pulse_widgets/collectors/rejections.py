"""Values of a source that cannot be true: how many, and which they are now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulse_widgets.readers.translate import Translation

__all__ = ["Rejections"]


class Rejections:
    """Counts what was rejected, and says why a reading is missing until it has a value again.

    Attributes
    ----------
    count : int
        Values rejected so far.
    reasons : mapping of str to str
        ``"gpu:0 gpu.power"`` (entity, space, metric) to why it is missing now. A new mapping
        after each change: other threads may be reading the one before.
    """

    def __init__(self) -> None:
        self.count = 0
        self.reasons: Mapping[str, str] = {}

    @property
    def open(self) -> bool:
        """Whether a reading is missing now because its newest value was rejected."""
        return bool(self.reasons)

    def take(self, translation: Translation) -> None:
        """Note what one pass rejected, and which readings have a value again."""
        rejected = translation.rejected
        if not rejected and not self.reasons:
            return
        self.count += sum(map(len, rejected.values()))
        good = {
            f"{reading.entity} {reading.metric}"
            for reading in translation.readings
            if reading.text or not math.isnan(reading.value)
        }
        fresh = {
            f"{entity} {metric}": f"the source says {told[-1]}, which cannot be true"
            for (_, entity, metric), told in rejected.items()
        }
        kept = {what: why for what, why in self.reasons.items() if what not in good}
        self.reasons = kept | fresh

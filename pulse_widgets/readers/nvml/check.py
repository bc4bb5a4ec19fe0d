"""Whether a GPU is still the one it was, and which MIG instances it has now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.readers.nvml.identity import look_at

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pulse_widgets.readers.nvml.identity import Instances, MigFacts
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["Check"]


class Check:
    """A look at a GPU that takes many driver calls, made one at a time as there is room.

    Parameters
    ----------
    library : Library
    handle : device handle
    """

    def __init__(self, library: Library, handle: Any) -> None:
        self._library = library
        self._handle = handle
        self._look: Generator[None, None, Instances] | None = None

    def step(self, known: Sequence[MigFacts]) -> Instances | None:
        """Make the next call; return what was found once all are made, None before."""
        if self._look is None:
            self._look = look_at(self._library, self._handle, known)
        try:
            next(self._look)
        except StopIteration as end:
            self._look = None
            found: Instances = end.value
            return found
        return None

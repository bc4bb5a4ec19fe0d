"""Whether a GPU is still the one it was, which MIG instances it has, and what it did not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.readers.nvml.identity import inquire, look_at

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pulse_widgets.readers.nvml.identity import Answers, Instances, MigFacts
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["Check"]


class Check:
    """A look at a GPU that takes many driver calls, made one at a time as there is room.

    Parameters
    ----------
    library : Library
    handle : device handle

    Attributes
    ----------
    known : mapping or None
        What the GPU has said of itself: what is not in it is asked too. None: nothing is.
    """

    def __init__(self, library: Library, handle: Any) -> None:
        self.known: Answers | None = None
        self._library = library
        self._handle = handle
        self._look: Generator[None, None, tuple[Instances, Answers]] | None = None

    def step(self, migs: Sequence[MigFacts]) -> tuple[Instances, Answers] | None:
        """Make the next call; return what was found once all are made, None before."""
        if self._look is None:
            self._look = self._whole(migs)
        try:
            next(self._look)
        except StopIteration as end:
            self._look = None
            found: tuple[Instances, Answers] = end.value
            return found
        return None

    def _whole(self, migs: Sequence[MigFacts]) -> Generator[None, None, tuple[Instances, Answers]]:
        instances = yield from look_at(self._library, self._handle, migs)
        known, self.known = self.known, None
        if known is None:
            return instances, {}
        return instances, (yield from inquire(self._library, self._handle, known))

"""Collects what of a directory cannot be read, and whether trying again may help."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from pulse_widgets.storage.segment import ParquetSegment
from pulse_widgets.storage.untrusted import may_pass

if TYPE_CHECKING:
    from pulse_widgets.storage.segment import Segment

__all__ = ["Damage", "is_damaged"]


@dataclass(slots=True)
class Damage:
    """What reading a directory met.

    Attributes
    ----------
    problems : list of str
        What is missing, in sentences.
    files : list of str
        Files, by their names in the directory, of which not everything could be read. They are
        kept when the rest is finished.
    barred : list of str
        What could not be read just now, and may be another time: no permission, no memory.
    """

    problems: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    barred: list[str] = field(default_factory=list)

    def add(self, name: str, sentence: str, exc: BaseException | None = None) -> None:
        """Take a file that could not be read, and why."""
        self.problems.append(sentence)
        if exc is not None and may_pass(exc):
            self.barred.append(sentence)
        else:
            self.files.append(name)


def is_damaged(segment: Segment) -> TypeGuard[ParquetSegment]:
    """Return whether a segment is a file of which not everything could be read, so far."""
    return isinstance(segment, ParquetSegment) and bool(segment.lost)

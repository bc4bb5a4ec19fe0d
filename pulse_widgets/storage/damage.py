"""What of a directory cannot be read, and whether it may be readable another time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from pulse_widgets.storage.segment import ParquetSegment
from pulse_widgets.storage.untrusted import may_pass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pulse_widgets.storage.segment import Segment

__all__ = ["Damage", "few", "is_damaged", "sentences"]

MOST_PROBLEMS: Final = 200
MOST_LETTERS: Final = 1000


@dataclass(slots=True)
class Damage:
    """What reading a directory met.

    Attributes
    ----------
    problems : list of str
        What is missing, in sentences.
    files : list of Path
        Files of which not everything could be read. They are kept when the rest is finished.
    barred : list of str
        What could not be read just now, and may be another time: no permission, no memory.
    """

    problems: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    barred: list[str] = field(default_factory=list)

    def add(self, path: Path, sentence: str, exc: BaseException | None = None) -> None:
        """Take a file that could not be read, and why."""
        self.problems.append(sentence)
        if exc is not None and may_pass(exc):
            self.barred.append(sentence)
        else:
            self.files.append(path)


def is_damaged(segment: Segment) -> TypeGuard[ParquetSegment]:
    """Return whether a segment is a file of which not everything could be read, so far."""
    return isinstance(segment, ParquetSegment) and bool(segment.lost)


def sentences(content: Any) -> list[str]:
    """Return the sentences of a JSON value that should be a list of them."""
    return [str(x)[:MOST_LETTERS] for x in content] if isinstance(content, list) else []


def few(problems: Sequence[str], what: str = "problems") -> list[str]:
    """Return sentences, each once, cut to a number that can be read."""
    once = list(dict.fromkeys(text[:MOST_LETTERS] for text in problems))
    if len(once) <= MOST_PROBLEMS:
        return once
    return [*once[:MOST_PROBLEMS], f"and {len(once) - MOST_PROBLEMS} more {what}"]

"""What of a directory cannot be read, and whether it may be readable another time."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, RecordingError
from pulse_widgets.storage.segment import ParquetSegment, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pulse_widgets.storage.segment import Segment

__all__ = ["Damage", "few", "may_pass", "sentences", "unsound"]

MOST_PROBLEMS: Final = 200
MOST_LETTERS: Final = 1000

# What the system says of a file that will be no better tomorrow. Anything else it says, such as
# "too many open files" or "permission denied", lies in the machine and not in the file.
_LASTING: Final = frozenset(
    {errno.EIO, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.EINVAL}
)


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


def may_pass(exc: BaseException) -> bool:
    """Return whether a failure to read lies in the machine and may be gone another time."""
    cause = exc.__cause__ if isinstance(exc, PulseError) else exc
    if isinstance(cause, MemoryError):
        return True
    return isinstance(cause, OSError) and bool(cause.errno) and cause.errno not in _LASTING


def unsound(segments: Iterable[Segment]) -> list[tuple[ParquetSegment, RecordingError]]:
    """Return the files that cannot be read to their end, and why, reading all of them."""
    found: list[tuple[ParquetSegment, RecordingError]] = []
    for segment in segments:
        if isinstance(segment, ParquetSegment):
            keys = sorted({entry.key for entry in segment.entries})
            try:
                for _ in segment.read(keys, Want()):
                    pass
            except RecordingError as exc:
                found.append((segment, exc))
    return found


def sentences(content: Any) -> list[str]:
    """Return the sentences of a JSON value that should be a list of them."""
    return [str(x)[:MOST_LETTERS] for x in content] if isinstance(content, list) else []


def few(problems: Sequence[str], what: str = "problems") -> list[str]:
    """Return sentences, each once, cut to a number that can be read."""
    once = list(dict.fromkeys(text[:MOST_LETTERS] for text in problems))
    if len(once) <= MOST_PROBLEMS:
        return once
    return [*once[:MOST_PROBLEMS], f"and {len(once) - MOST_PROBLEMS} more {what}"]

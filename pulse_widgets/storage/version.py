"""The version of the format, and what may be read of another; loads nothing heavy."""

from __future__ import annotations

from typing import Final

from pulse_widgets.errors import FormatVersionError, RecordingError

__all__ = ["FORMAT", "MOST_JSON", "VERSION", "check_version"]

FORMAT: Final = (1, 0)
"""Major and minor version of what this program writes."""

VERSION: Final = f"{FORMAT[0]}.{FORMAT[1]}"

MOST_JSON: Final = 64 << 20
"""Bytes of JSON that are looked at, at most."""


def check_version(text: object, where: str) -> tuple[int, int]:
    """Return major and minor of a version text.

    Raises
    ------
    FormatVersionError
        If the major version is newer than this program's.
    RecordingError
        If the text is not a version.
    """
    head, _, tail = str(text).partition(".")
    if not (head.isdecimal() and tail.isdecimal() and len(str(text)) < 16):  # noqa: PLR2004
        raise RecordingError(
            f"{where} gives {str(text)[:40]!r} as its format version",
            remedy="Check that the file is a pulse recording and was copied whole.",
        )
    if int(head) > FORMAT[0]:
        raise FormatVersionError(
            f"{where} has format {text}; this version reads format {FORMAT[0]}",
            remedy="Upgrade with: pip install --upgrade pulse_widgets",
        )
    return int(head), int(tail)

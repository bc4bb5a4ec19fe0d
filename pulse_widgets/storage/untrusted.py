"""JSON and errors of files that anybody may have written: parsed within bounds, made ours."""

from __future__ import annotations

import errno
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, RecordingError, words_of
from pulse_widgets.storage.version import MOST_JSON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "as_ours",
    "few",
    "is_bounded",
    "may_pass",
    "parse_json",
    "sentences",
]

MOST_VALUES: Final = 4 << 20
"""Values in one JSON text, about: each takes some hundred bytes in memory."""

MOST_DEPTH: Final = 32
MOST_TEXT: Final = 64 << 10
"""Letters of one text in JSON."""

MOST_PROBLEMS: Final = 200
MOST_LETTERS: Final = 1000

_DIGITS: Final = 20


# Errors that come from the file itself, so that trying again is useless. All others, such as
# "too many open files" or "permission denied", come from the machine and may pass.
_LASTING: Final = frozenset(
    {errno.EIO, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.EINVAL}
)


@contextmanager
def as_ours(where: object, *passing: type[Exception]) -> Iterator[None]:
    """Turn whatever goes wrong inside into our error; those of `passing` stay what they are.

    The one border for foreign errors where recordings are read. What a file can make Arrow or
    Python raise is not a list that is ever complete.
    """
    try:
        yield
    except Exception as exc:
        if isinstance(exc, (PulseError, *passing)):
            raise
        raise RecordingError(
            f"{where} cannot be read as a recording: {words_of(exc)[:200]}", remedy=_remedy(exc)
        ) from exc


def _remedy(exc: Exception) -> str:
    if isinstance(exc, MemoryError):
        return "There was not enough memory for it; free some and try again."
    if isinstance(exc, PermissionError):
        return "Have its owner allow you to read it."
    return "It is damaged or not a pulse recording; use another copy of it."


def may_pass(exc: BaseException) -> bool:
    """Return whether a failure to read lies in the machine and may be gone another time."""
    cause = exc.__cause__ if isinstance(exc, PulseError) else exc
    if isinstance(cause, MemoryError):
        return True
    return isinstance(cause, OSError) and bool(cause.errno) and cause.errno not in _LASTING


def parse_json(text: bytes, most: int = MOST_JSON) -> Any:
    """Return the value of a JSON text; what nobody can use is None in it.

    That is a number that is not finite, a whole number beyond 64 bits, and what is nested too
    deep. Long texts are cut, and half a surrogate pair becomes a question mark.

    Raises
    ------
    ValueError
        If it is not JSON, has more than `most` bytes, or more values than memory is for.
    """
    if len(text) > most:
        raise ValueError(f"it has more than {most} bytes")
    if not is_bounded(text, most):
        raise ValueError(f"it has more than {MOST_VALUES} values")
    try:
        content = json.loads(text, parse_float=_float, parse_int=_int, parse_constant=_nothing)
    except RecursionError as exc:
        raise ValueError("it is nested too deep") from exc
    return _tame(content, MOST_DEPTH)


def is_bounded(text: bytes, most: int = MOST_JSON) -> bool:
    """Return whether `parse_json` takes a JSON text of this size and number of values."""
    return len(text) <= most and sum(map(text.count, (b",", b"[", b"{"))) <= MOST_VALUES


def _tame(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(k): _tame(v, depth - 1) for k, v in value.items()} if depth else None
    if isinstance(value, list):
        return [_tame(item, depth - 1) for item in value] if depth else None
    return value


def _text(text: str) -> str:
    cut = text[:MOST_TEXT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def _float(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _int(text: str) -> int | None:
    # Python raises an error of its own for numbers of thousands of digits.
    value = int(text) if len(text) <= _DIGITS else 1 << 64
    return value if -(1 << 63) <= value < 1 << 63 else None


def _nothing(_: str) -> None:
    """Stand for NaN and the infinities, which JSON does not have."""


def sentences(content: Any) -> list[str]:
    """Return the sentences of a JSON value that should be a list of them."""
    return [str(x)[:MOST_LETTERS] for x in content] if isinstance(content, list) else []


def few(problems: Sequence[str], what: str = "problems") -> list[str]:
    """Return sentences, each once, cut to a number that can be read."""
    once = list(dict.fromkeys(text[:MOST_LETTERS] for text in problems))
    if len(once) <= MOST_PROBLEMS:
        return once
    return [*once[:MOST_PROBLEMS], f"and {len(once) - MOST_PROBLEMS} more {what}"]

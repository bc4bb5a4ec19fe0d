"""What a cell raised, as an event: its words, its traceback, and whether memory ran out.

What looks like a secret is masked, as in printed lines: an error of a request holds its address,
and a traceback shows lines of the cell.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.capture.secrets import masked_text
from pulse_widgets.errors import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["event_of_error"]

TRACEBACK_LETTERS: Final = 16 << 10
MESSAGE_LETTERS: Final = 1000
BEYOND: Final = 4096
"""Letters that are looked at beyond these: a secret there may begin before."""
CAUSES_MOST: Final = 8
LEFT_OUT: Final = "\n[... {} letters left out ...]\n"

_NAMES: Final = frozenset({"OutOfMemoryError", "ResourceExhaustedError"})
"""What libraries call it when memory runs out; none of them is loaded for asking."""
_WORDS: Final = (
    "CUDA out of memory",
    "cudaErrorMemoryAllocation",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "RESOURCE_EXHAUSTED",
)
"""How a `RuntimeError` says it."""
_SHELL: Final = "interactiveshell.py"


def event_of_error(error: BaseException, count: int, *, traced: bool = True) -> dict[str, Any]:
    """Return the facts of the event that a cell failed, without what looks like a secret.

    Parameters
    ----------
    error : BaseException
    count : int
        The execution count of the cell.
    traced : bool
        Whether where it was raised is in the user's code.
    """
    words = masked_text(words_of(error)[: MESSAGE_LETTERS + BEYOND])
    if len(words) > MESSAGE_LETTERS:
        words = f"{words[:MESSAGE_LETTERS]}..."
    return {
        "kind": "oom" if any(map(_is_oom, _causes(error))) else "error",
        "message": f"{words} in cell [{count}]",
        "cell": count,
        "traceback": _shortened(masked_text(_shortened(_traceback(error, traced=traced)))),
    }


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    for _ in range(CAUSES_MOST):
        if error is None:
            return
        yield error
        error = error.__cause__


def _is_oom(error: BaseException) -> bool:
    """Return whether an error says that there was no memory left."""
    if isinstance(error, MemoryError):
        return True
    if any(kind.__name__ in _NAMES for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(word in words_of(error) for word in _WORDS)


def _traceback(error: BaseException, *, traced: bool) -> str:
    """Return where an error was raised as plain text, without the frames of IPython itself."""
    trace = _users(error.__traceback__) if traced else None
    try:
        return "".join(traceback.format_exception(type(error), error, trace))
    except Exception:  # noqa: BLE001  an error may be unable to say what it is
        return words_of(error)


def _users(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename.endswith(_SHELL):
        trace = trace.tb_next
    return trace


def _shortened(text: str) -> str:
    """Return a text without secrets, and with its middle left out where it is long."""
    # Room for letters of up to four bytes is not made: a traceback is ASCII but for few of them.
    half = TRACEBACK_LETTERS // 2 - len(LEFT_OUT) - 8
    most = 2 * (half + BEYOND)
    if len(text) <= most:
        start = end = masked_text(text)
        if len(start.encode("utf-8", "replace")) <= TRACEBACK_LETTERS:
            return start
        whole = len(start)
    else:
        start, end = masked_text(text[: half + BEYOND]), masked_text(text[-half - BEYOND :])
        whole = len(text)
    start = start.encode("utf-8", "replace")[:half].decode("utf-8", "ignore")
    end = end.encode("utf-8", "replace")[-half:].decode("utf-8", "ignore")
    return f"{start}{LEFT_OUT.format(whole - len(start) - len(end))}{end}"

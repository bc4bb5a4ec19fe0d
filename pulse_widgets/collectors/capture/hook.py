"""Stands in the place of a stream's ``write``, notes the pieces, and passes them on unchanged."""

from __future__ import annotations

import contextlib
import inspect
import io
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Hook", "Mark", "is_gone", "is_plain", "wrapped"]

STRIDE: Final = 32
"""Of a flood so many pieces share a time; a power of two."""

_ABSENT: Final = object()


class Mark(str):
    """An empty piece that says when those behind it came: texts and times are one list.

    Attributes
    ----------
    time_s : float
        Monotonic seconds.
    """

    __slots__ = ("time_s",)
    time_s: float


class Hook:
    """The hook of one stream; it is used once.

    What the stream gets, what it returns and what it raises stay as they are. Only the
    attribute ``write`` of this very object is set, and it is restored exactly: deleted where
    there was none. When somebody else has hooked the stream after us and calls our hook, that
    one is not ours to remove. Ours then only passes on, and is gone for good when it is
    written to and stands at the top again.

    Parameters
    ----------
    stream : file object
    pieces : list of str
        Where the pieces go, in order. It may be emptied by another thread at any time.
    note : callable
        Puts a piece there together with its time; called for every piece, and in a `flood` for
        one of `STRIDE`.
    """

    def __init__(self, stream: Any, pieces: list[str], note: Callable[[str], None]) -> None:
        self.stream = stream
        self._pieces = pieces
        self._note = note
        self._before: Any = _ABSENT
        self._write: Callable[..., Any] | None = None
        self._silence: Callable[[], None] = lambda: None
        self.flood: Callable[[bool], None] = lambda _: None
        """Says whether a flood comes."""

    def put(self) -> bool:
        """Put the hook onto the stream; return whether it could be."""
        try:
            own = vars(self.stream)
            self._before = own.get("write", _ABSENT)
            write = self._made(self.stream.write)
            self._write = write
            self.stream.write = write
        except (AttributeError, TypeError, ValueError):
            return False
        if own.get("write") is write:
            return True
        # A stand-in, which sets the attribute of something else.
        self._silence()
        if self.stream.write is write:
            del self.stream.write
        return False

    def remove(self) -> None:
        """Note nothing any more, and restore what was there; twice is harmless."""
        self._silence()
        self._restore()

    @property
    def is_above_another(self) -> bool:
        """Whether somebody else had set the ``write`` of the stream before."""
        return self._before is not _ABSENT

    @property
    def write(self) -> Callable[..., Any] | None:
        """What stands on the stream; None before it was put there."""
        return self._write

    def is_displaced(self) -> bool:
        """Return whether the stream has become one without our hook, for certain."""
        now = vars(self.stream).get("write", _ABSENT)
        return now is not self._write and (now is self._before or is_plain(self.stream))

    def _restore(self, _piece: object = None) -> None:
        own = vars(self.stream)
        if self._write is None or own.get("write") is not self._write:
            return
        if self._before is _ABSENT:
            own.pop("write", None)
        else:
            own["write"] = self._before

    def _made(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return what takes the place of `original`.

        A cell may print a hundred thousand lines: every step here counts.
        """
        pieces, note, append, restore = self._pieces, self._note, self._pieces.append, self._restore
        mask = 0

        def write(text: str) -> Any:
            try:
                if len(pieces) & mask:
                    append(text)
                else:
                    note(text)
            except Exception:  # noqa: BLE001, S110  what is ours never reaches print
                pass
            return original(text)

        def write_odd(*given: Any, **named: Any) -> Any:
            with contextlib.suppress(Exception):
                note(given[0] if given else next(iter(named.values())))
            return original(*given, **named)

        def silence() -> None:
            nonlocal mask, note
            mask, note = 0, restore

        def flood(comes: bool) -> None:  # noqa: FBT001  one of two states
            nonlocal mask
            if note is not restore:
                mask = (STRIDE - 1) if comes else 0

        self._silence, self.flood = silence, flood
        name = _name_of_text(original)
        if name is None:
            # Code of its own, as below: by it one hook is told from another on the stack.
            write_odd.__code__ = write_odd.__code__.replace()
            return write_odd
        # Some call it with the name of its argument. Taking any name would double the cost.
        write.__code__ = write.__code__.replace(co_varnames=(name,))
        return write


def wrapped(original: Callable[..., Any], note: Callable[[str], None]) -> Callable[..., Any]:
    """Return a ``write`` like `original` that first tells `note` of each piece."""
    return Hook(None, [], note)._made(original)  # noqa: SLF001  of this module


def _name_of_text(write: Callable[..., Any]) -> str | None:
    """Return what the one argument of a ``write`` is called; None where it has others."""
    try:
        given = list(inspect.signature(write).parameters.values())
    except (TypeError, ValueError):
        return "text"  # made in C
    if len(given) == 1 and given[0].kind in {
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    }:
        return given[0].name
    return None


def is_plain(stream: Any) -> bool:
    """Return whether nobody has hooked a stream: its ``write`` is that of its class."""
    own = vars(stream)
    if "write" not in own:
        return True
    try:
        return bool(own["write"] == type(stream).write.__get__(stream))
    except (AttributeError, TypeError):
        return False


def is_gone(stream: Any) -> bool:
    """Return whether a stream is no place for what a process prints, or not for long.

    That is one that is closed or taken apart, and a text in memory as `redirect_stdout` uses.
    """
    if isinstance(stream, io.StringIO):
        return True
    try:
        return bool(stream.closed)
    except ValueError:
        return True  # its buffer was taken from it
    except AttributeError:
        return False

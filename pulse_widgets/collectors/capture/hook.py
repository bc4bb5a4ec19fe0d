"""Stands in the place of a stream's ``write``, notes the pieces, and passes them on unchanged."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Break", "Hook", "Mark", "is_gone", "leads_to", "wrapped"]

LOOKED_AT: Final = 200
"""So many callables are looked at in search of our hook below those of others."""

_ANY: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_BY_PLACE: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
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


class Break(Mark):
    """A mark at which a line ends that has no end: what comes is shown in another place."""

    __slots__ = ()


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
        Puts a piece there together with its time; called for every piece, unless in a `flood`.
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
    def write(self) -> Callable[..., Any] | None:
        """What stands on the stream; None before it was put there."""
        return self._write

    def is_reached(self) -> bool:
        """Return whether what is written to the stream comes by here, as far as can be seen.

        Whoever hooked the stream before us, and restores what there was, takes us away: IPython
        does so around each cell.
        """
        now = vars(self.stream).get("write")
        return now is not None and leads_to(now, self._write)

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
        note, append, restore = self._note, self._pieces.append, self._restore
        floods = False

        def write(text: str) -> Any:
            try:
                if floods:
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
            nonlocal floods, note
            floods, note = False, restore

        def flood(comes: bool) -> None:  # noqa: FBT001  one of two states
            nonlocal floods
            floods = comes and note is not restore

        self._silence, self.flood = silence, flood
        name = _name_of_text(original)
        if name is None:
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
    # A wrapper that passes on whatever it is given is one of a stream, which takes one argument.
    first = [one for one in given if one.kind not in _ANY]
    return first[0].name if len(first) == 1 and first[0].kind in _BY_PLACE else None


def leads_to(call: object, target: object) -> bool:
    """Return whether `call` is `target`, or holds it: in a closure, or in its object."""
    seen: set[int] = set()
    todo = [call]
    while todo and len(seen) < LOOKED_AT:
        one = todo.pop(0)
        if one is target:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            todo += filter(callable, _held(one))
    return False


def _held(call: Any) -> list[Any]:
    """Return what a callable may call."""
    if isinstance(call, types.FunctionType):
        cells = call.__closure__ or ()
        return [*(_content(cell) for cell in cells), *(call.__defaults__ or ())]
    if isinstance(call, types.MethodType):
        return [*_attributes(call.__self__), call.__func__]
    if isinstance(call, functools.partial):
        return [call.func, *call.args]
    return [] if isinstance(call, type) else _attributes(call)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None  # empty


def _attributes(one: Any) -> list[Any]:
    return list(getattr(one, "__dict__", {}).values())


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

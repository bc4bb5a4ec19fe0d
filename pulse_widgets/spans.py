"""The public functions that give a stretch of the user's code a name."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from pulse_widgets.collectors.plain_values import plain_value
from pulse_widgets.collectors.spans import begin_in, innermost
from pulse_widgets.default_session import default
from pulse_widgets.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from types import TracebackType

    from pulse_widgets.collectors.spans import OpenSpan

__all__ = ["Span", "span", "traced"]

F = TypeVar("F", bound="Callable[..., Any]")

NAME_LENGTH: Final = 200
OURS: Final = frozenset({"id", "name", "parent", "thread", "status", "error"})


class Span:
    """A name for a stretch of code, to be used by ``with`` or ``async with``.

    Made by `pulse_widgets.span`. It may be used again, also inside itself.
    """

    __slots__ = ("_facts", "_name", "_open")

    def __init__(self, name: str, facts: Mapping[str, object]) -> None:
        self._name = name
        self._facts = facts
        self._open: list[OpenSpan | None] = []

    def __enter__(self) -> Self:
        """Begin it."""
        self._open.append(_begin(self._name, self._facts))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it; an exception passes through."""
        span = self._close()
        if span is not None:
            span.end(kind)

    async def __aenter__(self) -> Self:
        """Begin it."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it; an exception passes through."""
        self.__exit__(kind, error, trace)

    def _close(self) -> OpenSpan | None:
        if len(self._open) > 1 and (here := innermost()) in self._open:
            # Entered on several threads or in several tasks: the one of this.
            self._open.remove(here)
            return here
        return self._open.pop() if self._open else None


def span(name: str, /, **facts: Any) -> Span:
    """Return a context manager that records a stretch of code under a name.

    ``with pw.span("validate"):`` is a box on the timeline, and a row at its start and one at its
    end in the recording. Spans nest: what begins while another is open, on the same thread and in
    the same asyncio task or in a task that was made there, names it as its parent. An exception
    passes through; the span then ends with the status ``error`` and the name of its type, or
    ``interrupted``. A span that outlives the session has no end. Costs a few microseconds.

    Parameters
    ----------
    name : str
        Of at most 200 letters; longer ones are cut.
    **facts
        What else is to be known of it, such as ``epoch=3``: anything JSON has, and the `repr` of
        all else. What is called a password, token, API key or secret is stored as ``***``.

    Raises
    ------
    ArgumentError
        If `name` is no text or empty, or a fact has a name that spans have themselves: ``id``,
        ``name``, ``parent``, ``thread``, ``status``, ``error``.
    """
    checked = _checked(name)
    if not facts:
        return Span(checked, {})
    if not OURS.isdisjoint(facts):
        taken = sorted(OURS.intersection(facts))
        raise ArgumentError(
            f"{taken[0]}= is a fact that every span has", remedy="Give yours another name."
        )
    return Span(checked, {key: plain_value(key, value) for key, value in facts.items()})


@overload
def traced(function: F, /) -> F: ...
@overload
def traced(name: str | None = None, /) -> Callable[[F], F]: ...
def traced(function: F | str | None = None, /) -> F | Callable[[F], F]:
    """Return a function each call of which is a span; a decorator.

    ``@pw.traced`` calls it as the function is called (of a method ``Model.fit``),
    ``@pw.traced("load")`` as you say. The types of the function stay. For coroutine functions the
    span ends when the coroutine does. Of a generator, also an asynchronous one, it is its life:
    from the first value that is asked for until the last, the time between included; spans that
    begin inside of it have it as their parent, those of the code that uses it have not.

    Parameters
    ----------
    function : callable, or str
        The function, method, coroutine function or generator function; or the name.

    Raises
    ------
    ArgumentError
        If it is neither a function nor a name.
    """
    if function is None or isinstance(function, str):
        name = None if function is None else _checked(function)
        return lambda given: _traced(given, name)
    made: F = _traced(function, None)
    return made


def _begin(name: str, facts: Mapping[str, object]) -> OpenSpan | None:
    session = default.session
    # Not `session.running`: a property costs, and this is called in loops.
    if session is None or session.stopped_us is not None:
        session = default.for_log("pw.span()", 4)
    while session is not None:
        opened = session.intake.spans.begin(name, facts)
        if opened is not None:
            return opened
        # It ends at this moment; the next one takes it.
        session = default.for_log("pw.span()", 4)
    return None


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ArgumentError(
            f"{name!r} cannot be the name of a span", remedy='Pass text, such as "validate".'
        )
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"


def _traced(function: Any, name: str | None) -> Any:
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_traced(function.__func__, name))
    if not callable(function) or isinstance(function, type):
        raise ArgumentError(
            f"{function!r} is no function", remedy="Put @pw.traced before a def or a method."
        )
    called = name or _checked(_name_of(function))
    if inspect.iscoroutinefunction(function):
        made: Any = _of_coroutine(function, called)
    elif inspect.isasyncgenfunction(function):
        made = _of_async_generator(function, called)
    elif inspect.isgeneratorfunction(function):
        made = _of_generator(function, called)
    else:
        made = _of_function(function, called)
    return functools.wraps(function)(made)


def _name_of(function: Any) -> str:
    inner = function.func if isinstance(function, functools.partial) else function
    name = getattr(inner, "__qualname__", None) or type(inner).__name__
    return str(name).rpartition("<locals>.")[2]


def _of_function(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        with Span(name, {}):
            return function(*args, **options)

    return call


def _of_coroutine(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    async def call(*args: Any, **options: Any) -> Any:
        with Span(name, {}):
            return await function(*args, **options)

    return call


def _of_generator(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def steps(*args: Any, **options: Any) -> Generator[Any, Any, Any]:
        inner, life = function(*args, **options), _Life(name)
        ask, given = inner.send, None
        while True:
            try:
                with life:
                    value = ask(given)
            except StopIteration as done:
                life.end(None)
                return done.value
            except BaseException as error:
                life.end(error)
                raise
            try:
                ask, given = inner.send, (yield value)
            except GeneratorExit as error:
                with life:
                    inner.close()
                life.end(error)
                raise
            except BaseException as error:  # noqa: BLE001  it goes where the user sent it
                ask, given = inner.throw, error

    return steps


def _of_async_generator(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    async def steps(*args: Any, **options: Any) -> AsyncGenerator[Any, Any]:
        inner, life = function(*args, **options), _Life(name)
        ask, given = inner.asend, None
        while True:
            try:
                with life:
                    value = await ask(given)
            except StopAsyncIteration:
                life.end(None)
                return
            except BaseException as error:
                life.end(error)
                raise
            try:
                ask, given = inner.asend, (yield value)
            except GeneratorExit as error:
                with life:
                    await inner.aclose()
                life.end(error)
                raise
            except BaseException as error:  # noqa: BLE001  it goes where the user sent it
                ask, given = inner.athrow, error

    return steps


class _Life:
    """The span of a generator: open all the time, and the innermost only while its code runs."""

    __slots__ = ("_began", "_inside", "_name", "_outside", "_span")

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = False
        self._span: OpenSpan | None = None
        self._inside: OpenSpan | None = None
        self._outside: OpenSpan | None = None

    def __enter__(self) -> None:
        self._outside = innermost()
        if self._began:
            begin_in(self._inside)
        else:
            self._began = True
            self._span = _begin(self._name, {})

    def __exit__(self, *_: object) -> None:
        self._inside = innermost()
        begin_in(self._outside)

    def end(self, error: BaseException | None) -> None:
        """End it."""
        span, self._span = self._span, None
        if span is not None:
            span.end(error)

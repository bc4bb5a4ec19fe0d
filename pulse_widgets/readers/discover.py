"""From what a user names to backends: `sources=` in all its forms, and `make_backend`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import UnknownSourceError
from pulse_widgets.loading import load
from pulse_widgets.readers import sources as folder
from pulse_widgets.readers.base import Backend, BackendKind
from pulse_widgets.readers.contract import lacks
from pulse_widgets.readers.plugins import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.readers.base import ReaderConfig
    from pulse_widgets.readers.select import GpuChoice

__all__ = ["AUTO", "built_in", "make_backend", "make_backends", "source_names"]


AUTO: Final = ("system", "nvml")
"""What ``"auto"`` stands for; a source that is not on this machine says so and costs nothing."""

_SAME: Final = {"nvml_direct": "nvml"}
"""Other words for a source."""


def built_in() -> dict[str, str]:
    """Return the name of each built-in source, those of ``"auto"`` first, to its module."""
    load("pkgutil")  # the user's thread may ask
    from pkgutil import iter_modules

    found = {name for _, name, _ in iter_modules(folder.__path__)}
    return {name: f"{folder.__name__}.{name}" for name in (*AUTO, *sorted(found - {*AUTO}))}


def source_names(sources: str | Backend | Sequence[str | Backend]) -> list[str | Backend]:
    """Return the names and backends that `sources` stands for, each once, in order.

    Raises
    ------
    UnknownSourceError
        For a name that is no source, and for what is no backend.
    """
    given: list[Any] = [sources]
    if isinstance(sources, Iterable) and not isinstance(sources, str | Backend):
        given = list(sources)
    chosen: list[str | Backend] = []
    dropped: set[str] = set()
    for item in given:
        if not isinstance(item, str):
            chosen.append(_backend(item))
            continue
        for name in filter(None, map(str.strip, item.split(","))):
            if name.startswith("-"):
                dropped.add(_known(name[1:]))
            else:
                chosen.extend(AUTO if name == "auto" else [_known(name)])
    if not chosen and dropped:
        chosen = list(AUTO)
    kept = [c for c in chosen if not (isinstance(c, str) and c in dropped)]
    return list(dict.fromkeys(kept))


def make_backends(names: Sequence[str | Backend], gpus: GpuChoice) -> list[Backend]:
    """Return a backend for each name; backends that were given are returned as they are."""
    return [_made(name, gpus) if isinstance(name, str) else name for name in names]


def make_backend(config: ReaderConfig) -> Backend:
    """Return the reader that `config` asks for, not opened yet.

    Raises
    ------
    UnknownSourceError
        Where this version has no reader of that kind.
    """
    name = _SAME.get(config.backend.value, config.backend.value)
    if name not in built_in():
        there = ", ".join(kind.value for kind in _kinds())
        raise UnknownSourceError(_not_yet(config.backend.value), remedy=f"Use one of {there}.")
    return _made(name, "all" if config.all_gpus else list(config.gpu_ids or ("mine",)))


def _not_yet(name: str) -> str:
    return f"This version of pulse_widgets does not have the reader {name!r}"


def _kinds() -> list[BackendKind]:
    there = built_in()
    return [kind for kind in BackendKind if _SAME.get(kind.value, kind.value) in there]


def _made(name: str, gpus: GpuChoice) -> Backend:
    module = built_in().get(name)
    if module is None:
        return plugins()[name].make(gpus)
    load(module)
    made: Backend = import_module(module).make(gpus)
    return made


def _known(given: str) -> str:
    name = _SAME.get(given, given)
    ours = built_in()
    if name in ours:
        return name
    others = plugins()
    if name not in others:
        names = [*ours, *others]
        planned = name in {kind.value for kind in BackendKind}
        what = _not_yet(name) if planned else f"There is no source {given!r}"
        raise _unknown(what, names, difflib.get_close_matches(given, names))
    return name


def _backend(item: Any) -> Backend:
    missing = lacks(item)
    if missing:
        if {"open", "read"} - set(missing):
            raise UnknownSourceError(
                f"{type(item).__name__} is no reader: it has no {', '.join(missing)}",
                remedy="Add what is missing, see pulse_widgets.readers.Backend.",
            )
        raise _unknown(f"There is no source {item!r}", [*built_in(), *plugins()])
    if not isinstance(item.name, str) or not item.name:
        raise UnknownSourceError(
            f"The name of a reader is {item.name!r}",
            remedy="Make its attribute `name` a short text.",
        )
    found: Backend = item
    return found


def _unknown(problem: str, names: Sequence[str], close: Sequence[str] = ()) -> UnknownSourceError:
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return UnknownSourceError(
        problem,
        remedy=f"{hint}Use one or several of {', '.join(['auto', *names])}; a minus sign leaves "
        "one out: 'auto,-nvml'.",
    )

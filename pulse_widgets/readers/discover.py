"""From what a user names to backends: `sources=` in all its forms."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import UnknownSourceError
from pulse_widgets.readers.base import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.readers.select import GpuWish

__all__ = ["AUTO", "READERS", "SOURCES", "make_backends", "source_names"]


def _system(_gpus: GpuWish) -> Backend:
    from pulse_widgets.readers.host.backend import SystemBackend

    return SystemBackend()


def _nvml(gpus: GpuWish) -> Backend:
    from pulse_widgets.readers.nvml.backend import NvmlBackend

    return NvmlBackend(gpus)


SOURCES: Final[dict[str, Callable[[GpuWish], Backend]]] = {"system": _system, "nvml": _nvml}
"""Name of each built-in source to the function that makes its backend."""

READERS: Final = {
    "system": "pulse_widgets.readers.host.backend",
    "nvml": "pulse_widgets.readers.nvml.backend",
}
"""Name of each built-in source to the module that reads it."""

AUTO: Final = ("system", "nvml")
"""What ``"auto"`` stands for; a source that is not on this machine says so and costs nothing."""


def source_names(sources: str | Backend | Sequence[str | Backend]) -> list[str | Backend]:
    """Return the names and backends that `sources` stands for, each once, in order.

    Raises
    ------
    UnknownSourceError
        For a name that is no source.
    """
    given: list[Any] = [sources]
    if isinstance(sources, Iterable) and not isinstance(sources, str):
        given = list(sources)
    chosen: list[str | Backend] = []
    dropped: set[str] = set()
    for item in given:
        if not isinstance(item, str):
            if not isinstance(item, Backend):
                raise _unknown(repr(item))
            chosen.append(item)
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


def make_backends(names: Sequence[str | Backend], gpus: GpuWish) -> list[Backend]:
    """Return a backend for each name; backends that were given are returned as they are."""
    return [SOURCES[name](gpus) if isinstance(name, str) else name for name in names]


def _known(name: str) -> str:
    if name not in SOURCES:
        raise _unknown(repr(name), difflib.get_close_matches(name, SOURCES))
    return name


def _unknown(what: str, close: Sequence[str] = ()) -> UnknownSourceError:
    hint = f"Did you mean {close[0]!r}? " if close else ""
    names = ", ".join(["auto", *SOURCES])
    return UnknownSourceError(
        f"There is no source {what}",
        remedy=f"{hint}Use one or several of {names}; a minus sign leaves one out: 'auto,-nvml'.",
    )

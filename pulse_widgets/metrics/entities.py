"""Entity ids: what they are made of, how they sort, and what area they belong to.

An id is a path of parts joined by ``/``; a part is a word, or a word, ``:`` and a name:
``host``, ``cpu:3``, ``gpu:0/mig:1/ci:0``, ``pid:4711/gpu:0``, ``fs:/data``, ``pulse/log``.
A mount or a pod has slashes in its name, so ``fs``, ``pod``, ``stream``, ``worker``, ``disk`` and
``bar`` (a loop of `pulse_widgets.progress`) take the rest of the id. A label set in braces is one
part.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

__all__ = [
    "GREEDY",
    "ORDER",
    "Part",
    "in_short",
    "is_gpu",
    "is_users",
    "owner_key",
    "parse",
    "sort_key",
    "sorted_entities",
]

_LISTED: Final = 3

GREEDY: Final = ("bar", "disk", "fs", "net", "pod", "stream", "worker")
"""Classes whose names have slashes in them."""
ORDER: Final = ("host", "gpu", "cpu", "disk", "fs", "net", "kernel", "pid", "cell", "user", "rank")
"""The order in which a dashboard lists classes of entities; others follow by name."""
_DIGITS: Final = re.compile(r"([0-9]+)")
_PLACES: Final = {kind: place for place, kind in enumerate(ORDER)}

_Natural: TypeAlias = tuple[tuple[int, int, str], ...]
_Key: TypeAlias = tuple[tuple[int, str, _Natural], ...]


class Part(NamedTuple):
    """One step of an entity id."""

    kind: str
    name: str
    """Empty for an id that is one word."""


def parse(entity: str) -> tuple[Part, ...]:
    """Return the parts of an id, outermost first.

    >>> parse("gpu:0/mig:1")
    (Part(kind='gpu', name='0'), Part(kind='mig', name='1'))
    >>> parse("fs:/data")
    (Part(kind='fs', name='/data'),)
    """
    parts: list[Part] = []
    rest = entity
    while rest:
        kind = rest.partition(":")[0]
        if rest.startswith("{") or kind in GREEDY:
            step, rest = rest, ""
        else:
            step, _, rest = rest.partition("/")
        if step.startswith("{"):
            parts.append(Part("labels", step))
        else:
            head, _, name = step.partition(":")
            parts.append(Part(head, name))
    return tuple(parts)


def is_gpu(entity: str) -> bool:
    """Return whether an id is that of a whole GPU.

    >>> is_gpu("gpu:0"), is_gpu("gpu:0/mig:1"), is_gpu("pid:4711/gpu:0")
    (True, False, False)
    """
    return [part.kind for part in parse(entity)] == ["gpu"]


def is_users(entity: str) -> bool:
    """Return whether an id is that of what a process logs, alone or as one of several ranks.

    >>> is_users("user"), is_users("rank:3"), is_users("rank:3/kernel"), is_users("user:1000")
    (True, True, False, False)
    """
    return entity == "user" or (entity.startswith("rank:") and "/" not in entity)


def sort_key(entity: str) -> _Key:
    """Return a key that sorts ids as people count: ``gpu:2`` before ``gpu:10``."""
    return tuple(
        (_PLACES.get(part.kind, len(ORDER)), part.kind, _natural(part.name))
        for part in parse(entity)
    )


def owner_key(host: str, entity: str) -> tuple[_Natural, _Key]:
    """Return a key that sorts what several hosts have: host by host, then by `sort_key`."""
    return _natural(host), sort_key(entity)


def sorted_entities(entities: list[str]) -> list[str]:
    """Return the ids in the order of `sort_key`."""
    return sorted(entities, key=sort_key)


def in_short(entities: list[str]) -> str:
    """Return several ids as people would write them.

    >>> in_short(["gpu:0", "gpu:2", "gpu:1"])
    'gpu:0 to gpu:2'
    >>> in_short(["gpu:0", "gpu:5"])
    'gpu:0, gpu:5'
    """
    names = sorted_entities(entities)
    if len(names) < _LISTED:
        return ", ".join(names)
    numbers = [name.rpartition(":")[2] for name in names]
    kinds = {name.rpartition(":")[0] for name in names}
    first = int(numbers[0]) if numbers[0].isdecimal() else 0
    if len(kinds) == 1 and numbers == [str(first + i) for i in range(len(names))]:
        return f"{names[0]} to {names[-1]}"
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more else "")


def _natural(name: str) -> _Natural:
    # Text and digits alternate, text first, so equal places always hold equal types.
    return tuple(
        (1, int(piece), piece) if piece.isdecimal() and piece.isascii() else (0, 0, piece)
        for piece in _DIGITS.split(name)
    )

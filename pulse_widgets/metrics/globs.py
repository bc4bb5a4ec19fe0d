"""Patterns of names, as users write them; ``js/core/vocabulary/globs.ts`` has the same rule.

``*`` stands for any run of characters, also none, and ``?`` for exactly one. Everything else is
itself, brackets too: ``layer[0]/norm`` is a name that people log. Upper and lower case differ, and
a pattern names the whole of a name. ``tests/data/globs.json`` holds both languages to it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["matches", "matches_any"]


def matches(name: str, pattern: str) -> bool:
    """Return whether a pattern names something."""
    # The standard library reads "[...]" as a set of characters; "[[]" matches one bracket.
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Return whether one of some patterns names something."""
    return any(matches(name, pattern) for pattern in patterns)

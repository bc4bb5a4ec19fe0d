"""What the user says about a run: its configuration, and what its metrics are.

Both travel as labels of the user's entity (``user``, or ``rank:N``): ``config`` and ``defined``,
each the JSON object of its names.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.globs import matches
from pulse_widgets.series.facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CONFIG",
    "DEFINED",
    "JSON_LABELS",
    "Definitions",
    "facts_in",
    "fitting",
    "is_user",
    "joined",
]

CONFIG: Final = "config"
DEFINED: Final = "defined"
MOST_LETTERS: Final = 32_000
JSON_LABELS: Final = (CONFIG, DEFINED)
_USER: Final = re.compile(r"user|rank:\d{1,9}", re.ASCII)


def is_user(entity: str) -> bool:
    """Return whether an entity is the user of a process, who may say something."""
    return _USER.fullmatch(entity) is not None


def joined(label: str, facts: Mapping[str, object]) -> str:
    """Return a label with more facts; of the same name the later one counts."""
    before = facts_of(label) or {}
    # What is said anew is the newest: it stands at the end.
    kept = {name: value for name, value in before.items() if name not in facts}
    return json.dumps({**kept, **{n: _both(before.get(n), one) for n, one in facts.items()}})


def _both(before: Any, said: Any) -> Any:
    """Return what is said of a metric, where some of it was said before."""
    return {**before, **said} if isinstance(before, dict) and isinstance(said, dict) else said


def fitting(label: str, facts: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return a label with more facts, and the names of those for which there is no room.

    A label travels with every picture of the run, so it is bounded.
    """
    made = joined(label, facts)
    if len(made) <= MOST_LETTERS:
        return made, []
    room, kept, left = MOST_LETTERS - len(label), {}, []
    for name, value in facts.items():
        size = len(json.dumps({name: value})) + 2
        if size <= room:
            room -= size
            kept[name] = value
        else:
            left.append(name)
    return joined(label, kept), left


def facts_in(entities: Mapping[str, Mapping[str, Mapping[str, str]]], label: str) -> dict[str, Any]:
    """Return what the users of all hosts and ranks say under a label.

    Parameters
    ----------
    entities : mapping of host to mapping of entity to labels
    label : str
    """
    said: dict[str, Any] = {}
    for named in entities.values():
        for entity, labels in named.items():
            if is_user(entity):
                said |= facts_of(labels.get(label, "")) or {}
    return said


class Definitions:
    """What metrics are, by their names and by patterns of them.

    Parameters
    ----------
    said : mapping
        Name or pattern to what was said of it, in the order in which it was said.
    """

    def __init__(self, said: Mapping[str, Any]) -> None:
        # A name says more than a pattern; among alike the later one counts.
        both: Iterable[tuple[str, Any]] = said.items()
        self._said = sorted(
            ((name, one) for name, one in both if isinstance(one, dict)),
            key=lambda pair: not re.search(r"[*?]", pair[0]),
        )

    def of(self, metric: str) -> dict[str, str]:
        """Return what is said of a metric: ``unit``, ``x``, ``better``, ``title``, or nothing."""
        found: dict[str, str] = {}
        for pattern, said in self._said:
            if matches(metric, pattern):
                found |= {key: str(value) for key, value in said.items() if value}
        return found

    def __bool__(self) -> bool:
        """Return whether anything was said."""
        return bool(self._said)

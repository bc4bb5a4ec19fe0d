"""Names of entities where there may be several machines; twin of `owners.ts`.

With one host ``gpu:0`` is ``GPU 0``. With several it is ``node17 · GPU 0``: by the name of the
machine where that is known, else by its id.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.exchange.picture.chart import entity_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Owners"]

USER: Final = "user"
OWN_METRICS: Final = "your metrics"
"""What the user logs is of this entity, and beside the name of a machine is called so."""


class Owners:
    """The names of the things of some hosts.

    Parameters
    ----------
    entities : iterable of mapping
        Plain `EntityWire` records.
    hosts : iterable of str
        The hosts of all that is shown together.
    """

    def __init__(self, entities: Iterable[Mapping[str, Any]], hosts: Iterable[str]) -> None:
        self._labels = {(str(e["host"]), str(e["entity"])): e["labels"] for e in entities}
        names = {
            host: str(self._labels.get((host, "host"), {}).get("name") or "").strip() or host
            for host in hosts
        }
        often = Counter(names.values())
        # Two machines with the same name stay two.
        self._hosts = {h: n if often[n] == 1 else f"{n} ({h})" for h, n in names.items()}

    def label(self, host: str, entity: str, labels: Mapping[str, Any]) -> str:
        """Return what a thing is called; `labels` are those of a series of it."""
        name = entity_label(entity, {**self._labels.get((host, entity), {}), **labels})
        if len(self._hosts) <= 1:
            return name
        machine = self._hosts.get(host, host)
        if entity == "host":
            return machine
        return f"{machine} · {OWN_METRICS if entity == USER else name}"

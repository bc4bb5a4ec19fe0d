"""One id for every GPU of a machine: a process that sees but some of them counts from 0 again.

A job whose tasks are given a GPU each, by SLURM or in containers, has a ``gpu:0`` in every task,
and each is another one. They are told apart by their UUIDs.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from pulse_widgets.metrics.entities import is_gpu, parse, sorted_entities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Labels", "entity_called", "name_gpus"]

Labels: TypeAlias = "Mapping[str, Mapping[str, Mapping[str, str]]]"
"""Host to entity to its labels."""


def name_gpus(
    told: Sequence[Labels], hosts: Sequence[Mapping[str, str]]
) -> list[dict[tuple[str, str], str]]:
    """Return for each writer the GPUs to be called otherwise, by its host and its name.

    The first writer's names stay. A GPU that another process has told of is called as there; one
    whose name stands for another GPU already gets a number that nobody uses.

    Parameters
    ----------
    told : sequence of Labels
        What each writer says of its entities.
    hosts : sequence of mapping of str to str
        The hosts of each that are called otherwise.
    """
    named = [
        [
            (hosts.get(host, host), host, entity, entities[entity].get("uuid", ""))
            for host, entities in labels.items()
            for entity in sorted_entities([one for one in entities if is_gpu(one)])
        ]
        for labels, hosts in zip(told, hosts, strict=True)
    ]
    taken = {(machine, entity) for each in named for machine, _, entity, _ in each}
    called: dict[tuple[str, str], str] = {}
    holders: dict[tuple[str, str], str] = {}
    renames: list[dict[tuple[str, str], str]] = []
    numbers: dict[str, count[int]] = {}
    for each in named:
        rename: dict[tuple[str, str], str] = {}
        for machine, host, entity, uuid in each:
            if not uuid:
                continue
            name = called.get((machine, uuid))
            if name is None:
                name = entity
                free = numbers.setdefault(machine, count())
                while holders.get((machine, name), uuid) != uuid or (
                    name != entity and (machine, name) in taken
                ):
                    name = f"gpu:{next(free)}"
                called[machine, uuid], holders[machine, name] = name, uuid
            if name != entity:
                rename[host, entity] = name
        renames.append(rename)
    return renames


def entity_called(entity: str, host: str, gpus: Mapping[tuple[str, str], str]) -> str:
    """Return what an entity is called where some GPUs are called otherwise, parts of them too.

    >>> entity_called("pid:7/gpu:0", "h0", {("h0", "gpu:0"): "gpu:3"})
    'pid:7/gpu:3'
    """
    if not gpus:
        return entity
    part = next((part for part in parse(entity) if part.kind == "gpu"), None)
    name = gpus.get((host, f"gpu:{part.name}")) if part is not None else None
    if part is None or name is None:
        return entity
    own = rf"(^|/)gpu:{re.escape(part.name)}(?=/|$)"
    return re.sub(own, lambda found: found[1] + name, entity, count=1)

"""Reads a recording together with the rows that are not on the disk yet."""

from __future__ import annotations

import uuid
from itertools import count
from typing import TYPE_CHECKING

from pulse_widgets.series.rows import Rows
from pulse_widgets.storage.claim import SENTENCE_LENGTH, this_machine
from pulse_widgets.storage.directory import RunInfo
from pulse_widgets.storage.folder import OWN_HOST
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.journal import columns_of_rows
from pulse_widgets.storage.memory import MemorySegment
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import Stored

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from pulse_widgets.series.registry import Registry

__all__ = ["nothing_stored", "with_unwritten"]


def nothing_stored(path: Path, start_us: int, about: Mapping[str, Any]) -> Stored:
    """Return a recording of which nothing is on the disk."""
    catalog = Catalog(hosts={"h0": this_machine()})
    return Stored(Local(path), RunInfo(uuid.uuid4().hex, start_us, about=dict(about)), catalog, [])


def with_unwritten(
    stored: Stored, blocks: Sequence[Rows], registry: Registry, problems: Sequence[str]
) -> Stored:
    """Return a recording with rows of this process that are not in it, and what to say of them.

    Parameters
    ----------
    stored : Stored
    blocks : sequence of Rows
        Of the writer of this process.
    registry : Registry
        Says what the numbers of the series mean.
    problems : sequence of str
    """
    # The writer may have put the same sentences on the disk.
    there = [p for p in stored.problems if not any(_same(p, problem) for problem in problems)]
    segments = list(stored.segments)
    if blocks:
        rows = Rows.concat(list(blocks))
        columns = columns_of_rows(rows)
        infos = {info.id: info for info in registry.since(0)}
        told = {info.host for info in infos.values()}
        segment = MemorySegment(rows.series, columns, infos, _renames(stored, told))
        stored.catalog.add(segment.catalog.infos.values())
        segments.append(segment)
    return Stored(
        stored.place, stored.run, stored.catalog, segments, (*there, *problems), stored.running
    )


def _same(written: str, problem: str) -> bool:
    """Return whether two sentences say the same; what is in the lock may have been cut."""
    cut = len(written) == SENTENCE_LENGTH and problem.startswith(written)
    return written == problem or cut


def _renames(stored: Stored, told: Collection[str]) -> dict[str, str]:
    """Return what a recording calls the hosts `told` of this process, where that is otherwise.

    A machine that a reader has told of just now may have the id that another writer's got.
    """
    renames = {OWN_HOST: _our_host(stored)}
    taken = {*stored.catalog.hosts, *told, *(key.host for key in stored.extents)}
    free = (f"h{number}" for number in count() if f"h{number}" not in taken)
    clashing = sorted({*told} & stored.catalog.hosts.keys() - {OWN_HOST})
    return renames | {host: next(free) for host in clashing}


def _our_host(stored: Stored) -> str:
    """Return what a recording of several machines calls this one."""
    ours = this_machine()
    return next((host for host, facts in stored.catalog.hosts.items() if facts == ours), OWN_HOST)

"""What each notebook cell cost: which series tell it, and the numbers made of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.insight.cells import (
    Answer,
    Stretches,
    Why,
    averaged,
    grown,
    left,
    peak,
    together,
    total,
)
from pulse_widgets.metrics.entities import is_gpu, sorted_entities
from pulse_widgets.metrics.metric import TOTAL
from pulse_widgets.series.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.library.selection import Chosen
    from pulse_widgets.series.columns import SeriesKey

__all__ = ["COUNTER", "INTEGRAL", "MIXED", "NUMBERS", "Numbers", "numbers_of", "sources_of"]

COUNTER, INTEGRAL, MIXED = "counter", "integral", "mixed"
"""How a sum was made: from a counter, from readings of its rate, or some of each."""

_GPU: Final[Mapping[str, tuple[str, ...]]] = {
    "gpu_busy_s": ("gpu.utilization",),
    "sm_active_s": ("gpu.sm.active",),
    "gpu_memory": ("gpu.memory.used",),
    "energy_j": ("gpu.energy", "gpu.power"),
    "pcie_rx": (f"gpu.pcie.rx{TOTAL}", "gpu.pcie.rx"),
    "pcie_tx": (f"gpu.pcie.tx{TOTAL}", "gpu.pcie.tx"),
}
"""What is told of GPUs, and the metrics that can tell it, the best first."""
_PROCESS: Final[Mapping[str, tuple[str, ...]]] = {
    "rss_peak": ("process.memory.rss",),
    "cpu_s": (f"process.cpu{TOTAL}", "process.cpu"),
}
_REASONS: Final = (
    "power", "thermal", "sync_boost", "board", "reliability", "sw_thermal", "hw_thermal",
    "power_brake",
)  # fmt: skip
"""Of all reasons for lower clocks those that neither the user nor an idle GPU is."""
_FULL: Final = 0.1
"""A growth by less than this a second is told also where it is not greater than its error."""

_STALE_S: Final = 0.1
"""Drivers renew their counters of energy ten to a hundred times a second."""

NUMBERS: Final[Mapping[str, str]] = {
    "gpu_busy_s": "s",
    "sm_active_s": "s",
    "gpu_memory_peak": "B",
    "gpu_memory_left": "B",
    "rss_peak": "B",
    "cpu_s": "s",
    "energy_j": "J",
    "pcie_rx": "B",
    "pcie_tx": "B",
    "throttled": "1",
}
"""Each number of a cell, with its unit."""

_EMPTY: Final = Columns.empty()


@dataclass(slots=True)
class Numbers:
    """The numbers of n cells.

    Attributes
    ----------
    total : dict of str to Answer
        By the names in `NUMBERS`.
    each : dict of str to dict of str to Answer
        The same for each GPU by itself; only where it was asked for.
    method : dict of str to sequence of str
        How those that may be made in two ways were made, for each cell; empty where they are not
        known.
    """

    total: dict[str, Answer]
    each: dict[str, dict[str, Answer]] = field(default_factory=dict)
    method: dict[str, NDArray[np.str_]] = field(default_factory=dict)


def sources_of(chosen: Iterable[Chosen]) -> dict[SeriesKey, tuple[str, Chosen]]:
    """Return the series that tell what cells cost, and what each of them tells.

    Where a counter and its rate are both there, the counter; where a GPU is cut into parts and
    does not tell something itself, its parts.
    """
    by_place: dict[tuple[str, str], dict[str, Chosen]] = defaultdict(dict)
    for one in chosen:
        if one.numeric and not one.rated:
            by_place[one.key.host, one.key.entity][one.key.metric] = one
    found: dict[SeriesKey, tuple[str, Chosen]] = {}
    for (host, entity), there in by_place.items():
        for name, metrics in _asked(entity):
            best = next((there[metric] for metric in metrics if metric in there), None)
            whole = by_place.get((host, entity.partition("/")[0]), {})
            doubled = "/mig:" in entity and any(metric in whole for metric in metrics)
            if best is not None and not doubled:
                found[best.key] = (name, best)
    return found


def _asked(entity: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    if is_gpu(entity) or (entity.startswith("gpu:") and "/mig:" in entity):
        yield from _GPU.items()
        for reason in _REASONS:
            yield "throttled", (f"gpu.throttled.{reason}{TOTAL}", f"gpu.throttled.{reason}")
    else:
        yield from _PROCESS.items()


def numbers_of(
    owners: Sequence[tuple[str, str]],
    cells: Stretches,
    chosen: Iterable[Chosen],
    read: Callable[[Sequence[Chosen]], Iterable[tuple[Chosen, Columns]]],
    *,
    each: bool = False,
) -> Numbers:
    """Return the numbers of cells; a cell's are of the machine on which it ran.

    Parameters
    ----------
    owners : sequence of (str, str)
        Host and entity of each cell.
    cells : Stretches
    chosen : iterable of Chosen
        The series that may be read.
    read : callable
        Gives the rows of some of them as they are stored; those without rows it may leave out.
    each : bool
        Whether numbers of each GPU are wanted, too.
    """
    made = _Making(owners, cells, sources_of(chosen), each=each)
    for one, columns in read([one for _, one in made.sources.values()]):
        made.take(one, columns)
    return made.made()


class _Making:
    """Makes the numbers from one series after the other."""

    def __init__(
        self,
        owners: Sequence[tuple[str, str]],
        cells: Stretches,
        sources: dict[SeriesKey, tuple[str, Chosen]],
        *,
        each: bool,
    ) -> None:
        self.sources = sources
        self._cells = cells
        self._each = each
        self._places: dict[tuple[str, str | None], NDArray[np.int64]] = {}
        hosts = np.array([host for host, _ in owners], object)
        for host in set(hosts.tolist()):
            self._places[host, None] = np.flatnonzero(hosts == host)
        entities = np.array([entity for _, entity in owners], object)
        for host, entity in set(owners):
            self._places[host, entity] = np.flatnonzero((hosts == host) & (entities == entity))
        self._stretches = {key: cells.take(places) for key, places in self._places.items()}
        self._sums: dict[tuple[str, str], Answer] = {}
        """By host and name."""
        self._methods: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._used: dict[str, list[tuple[Chosen, Columns]]] = defaultdict(list)
        self._shares: dict[tuple[str, str], Answer] = {}
        """By host and GPU."""
        self._process: dict[tuple[str, str, str], Answer] = {}
        self._of_gpu: dict[str, dict[str, Answer]] = defaultdict(dict)
        self._missed = {key for key in sources if (key.host, None) in self._places}

    def take(self, one: Chosen, columns: Columns) -> None:
        """Take in the rows of one series."""
        host, entity = one.key.host, one.key.entity
        if (host, None) not in self._places:
            return
        self._missed.discard(one.key)
        name = self.sources[one.key][0]
        if name == "gpu_memory":
            self._used[host].append((one, columns))
        elif name == "throttled":
            self._throttled(one, columns)
        elif name in _PROCESS:
            cells = self._stretches.get((host, entity))
            if cells is not None:
                self._process[host, entity, name] = self._answer(name, one, columns, cells)
        else:
            self._add(name, one, self._answer(name, one, columns, self._stretches[host, None]))

    def _answer(self, name: str, one: Chosen, columns: Columns, cells: Stretches) -> Answer:
        kind, entity = one.info.kind, one.key.entity
        if name == "rss_peak":
            return peak(columns, kind, entity, cells)
        if one.stored_kind.cumulative:
            stale_s = _STALE_S if name == "energy_j" else 0.0
            return grown(columns, cells, _FULL if name == "cpu_s" else 0.0, stale_s)
        return averaged(columns, kind, entity, cells)

    def _add(self, name: str, one: Chosen, answer: Answer) -> None:
        host, entity = one.key.host, one.key.entity
        before = self._sums.get((host, name))
        self._sums[host, name] = answer if before is None else before.plus(answer)
        self._methods[host, name].add(COUNTER if one.stored_kind.cumulative else INTEGRAL)
        if self._each:
            self._of_gpu[entity][name] = answer

    def _throttled(self, one: Chosen, columns: Columns) -> None:
        host, entity = one.key.host, one.key.entity
        cells = self._stretches[host, None]
        counts = one.stored_kind.cumulative
        seconds = (
            grown(columns, cells, _FULL)
            if counts
            else averaged(columns, one.info.kind, entity, cells)
        )
        share = seconds.scaled(1 / np.maximum(cells.seconds, 1e-6))
        before = self._shares.get((host, entity))
        self._shares[host, entity] = share if before is None else before.greatest(share)

    def made(self) -> Numbers:
        """Return the numbers."""
        for key in self._missed:
            # It has no rows where the cells ran.
            self.take(self.sources[key][1], _EMPTY)
        for host, used in self._used.items():
            self._memory(host, used)
        for (host, entity), share in self._shares.items():
            before = self._sums.get((host, "throttled"))
            self._sums[host, "throttled"] = share if before is None else before.greatest(share)
            if self._each:
                self._of_gpu[entity]["throttled"] = share
        count = len(self._cells)
        numbers = Numbers({name: Answer.none(count) for name in NUMBERS})
        for (host, name), answer in self._sums.items():
            numbers.total[name].put(self._places[host, None], answer)
        for (host, entity, name), answer in self._process.items():
            numbers.total[name].put(self._places[host, entity], answer)
        self._put_methods(numbers)
        if self._each:
            numbers.each = {one: self._of_gpu[one] for one in sorted_entities(list(self._of_gpu))}
        return numbers

    def _memory(self, host: str, used: Sequence[tuple[Chosen, Columns]]) -> None:
        cells = self._stretches[host, None]
        kind = used[0][0].info.kind
        parts = []
        for one, columns in used:
            parts.append(left(columns, cells))
            if self._each:
                numbers = self._of_gpu[one.key.entity]
                numbers["gpu_memory_left"] = parts[-1]
                numbers["gpu_memory_peak"] = peak(columns, kind, one.key.entity, cells)
        self._sums[host, "gpu_memory_left"] = total(parts)
        whole = together([columns for _, columns in used])
        self._sums[host, "gpu_memory_peak"] = peak(whole, kind, used[0][0].key.entity, cells)

    def _put_methods(self, numbers: Numbers) -> None:
        for name in ("energy_j", "pcie_rx", "pcie_tx"):
            told = np.full(len(self._cells), "", object)
            for (host, of), methods in self._methods.items():
                if of == name:
                    told[self._places[host, None]] = (
                        next(iter(methods)) if len(methods) == 1 else MIXED
                    )
            known = numbers.total[name].why == Why.KNOWN
            numbers.method[name] = np.where(known, told, "")

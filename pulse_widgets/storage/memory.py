"""Rows in memory as a segment of a recording: those of a journal, or not on the disk yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.series.columns import Columns, SeriesKey
from pulse_widgets.storage.index import Catalog, Entry
from pulse_widgets.storage.segment import NO_GPUS, rehosted, rekeyed, stripped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.registry import SeriesInfo
    from pulse_widgets.storage.segment import Want

__all__ = ["MemorySegment"]


class MemorySegment:
    """Rows in order of arrival, sorted once.

    Parameters
    ----------
    series : (n,) int32
    columns : Columns
    infos : mapping of int to SeriesInfo
        What each number in `series` is.
    hosts : mapping of str to str
        Host ids to be called otherwise.
    """

    problems = ()

    def __init__(
        self,
        series: NDArray[np.int32],
        columns: Columns,
        infos: Mapping[int, SeriesInfo],
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        named = {i: rehosted(info, hosts or {}) for i, info in infos.items()}
        keys = sorted({SeriesKey(x.host, x.entity, x.metric) for x in named.values()})
        place = {key: k for k, key in enumerate(keys)}
        rank = np.zeros(max(named, default=-1) + 1, np.int64)
        for number, x in named.items():
            rank[number] = place[SeriesKey(x.host, x.entity, x.metric)]
        ranks = rank[series]
        order = np.lexsort((columns.time, ranks))
        self._columns = columns.take(order)
        edges = np.searchsorted(ranks[order], np.arange(len(keys) + 1))
        self.catalog = Catalog()
        self.catalog.add(named.values())
        self.entries = [
            self._entry(key, int(first), int(end))
            for key, first, end in zip(keys, edges[:-1], edges[1:], strict=True)
            if end > first
        ]
        self._of = {entry.key: entry for entry in self.entries}

    def rehost(
        self, hosts: Mapping[str, str], gpus: Mapping[tuple[str, str], str] = NO_GPUS
    ) -> None:
        """Call some hosts and GPUs otherwise: no other has the new names. See `rehosted`."""
        renamed = [replace(e, key=rekeyed(e.key, hosts, gpus)) for e in self.entries]
        self.entries = sorted(renamed, key=lambda entry: entry.key)
        self._of = {entry.key: entry for entry in self.entries}
        old, self.catalog = self.catalog, Catalog()
        self.catalog.add(rehosted(info, hosts, gpus) for info in old.infos.values())

    def read(self, keys: Sequence[SeriesKey], want: Want) -> Iterator[tuple[SeriesKey, Columns]]:
        """Yield the rows of the series `keys`."""
        for key in keys:
            entry = self._of.get(key)
            if entry is not None and want.touches(entry):
                cut = self._columns.cut(entry.first_row, entry.first_row + entry.rows)
                yield key, stripped(cut, entry, want)

    def _entry(self, key: SeriesKey, first: int, end: int) -> Entry:
        cut = self._columns.cut(first, end)
        span = (int(cut.time[0]), int(cut.time[-1]))
        return Entry(key, 0, first, end - first, *span, *cut.payload_bytes)

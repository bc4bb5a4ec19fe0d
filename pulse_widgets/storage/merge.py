"""Joins segments into one file, a bounded number of rows at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, islice, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.columns import Columns, join, packed_together
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.pack import Packer, packed_bytes
from pulse_widgets.storage.segment import Want

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pulse_widgets.series.columns import Packed, SeriesKey
    from pulse_widgets.storage.index import Entry
    from pulse_widgets.storage.segment import Segment

__all__ = ["better_split", "extents", "merge_segments", "merged"]

BUDGET_BYTES: Final = 4_000_000 * 24
_ROW_BYTES: Final = 24
_SAMPLED: Final = 24


def extents(segments: Sequence[Segment]) -> dict[SeriesKey, tuple[int, int, int]]:
    """Return rows, text bytes and data bytes of every series, in order of key."""
    sums: dict[SeriesKey, tuple[int, int, int]] = {}
    for segment in segments:
        for e in segment.entries:
            rows, text, data = sums.get(e.key, (0, 0, 0))
            sums[e.key] = (rows + e.rows, text + e.text_bytes, data + e.data_bytes)
    return dict(sorted(sums.items()))


def merged(
    segments: Sequence[Segment],
    keys: Sequence[SeriesKey] | None = None,
    want: Want | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[SeriesKey, Columns]]:
    """Yield every series whole and in order of time; rows of equal time in order of segment.

    Memory is bounded by 4 million rows, or by the largest series when that has more. Of a single
    segment the rows are those it reads, without a copy, and only the series at hand is held. Ends
    early when `stopped` says so.
    """
    sizes = extents(segments)
    limits = want or Want()
    wanted = list(sizes) if keys is None else [k for k in keys if k in sizes]
    if len(segments) == 1 and _in_order(segments[0]):
        yield from _alone(segments[0], wanted, limits, stopped)
        return
    for group in _groups(wanted, sizes):
        block = _Block(group, sizes)
        for segment in segments:
            if stopped():
                return
            for key, columns in segment.read(group, limits):
                block.fill(key, columns)
        for key in group:
            rows = block.rows(key).between(limits.start, limits.end)
            if len(rows):
                yield key, rows


def _in_order(segment: Segment) -> bool:
    """Return whether all rows of each series lie side by side."""
    entries = segment.entries
    return all(a.key <= b.key for a, b in pairwise(entries))


def _alone(
    segment: Segment, keys: Sequence[SeriesKey], want: Want, stopped: Callable[[], bool]
) -> Iterator[tuple[SeriesKey, Columns]]:
    for key, pieces in groupby(segment.read(keys, want), key=lambda piece: piece[0]):
        if stopped():
            return
        rows = join([columns for _, columns in pieces]).between(want.start, want.end)
        if len(rows):
            yield key, rows


class _Block:
    """Room for all rows of some series, which come piece by piece."""

    def __init__(
        self, keys: Sequence[SeriesKey], sizes: Mapping[SeriesKey, tuple[int, int, int]]
    ) -> None:
        ends = np.cumsum([sizes[key][0] for key in keys]).tolist()
        self._begin = dict(zip(keys, [0, *ends[:-1]], strict=True))
        self._end = dict(self._begin)
        self._room = Columns.empty(ends[-1])
        self._texts: dict[SeriesKey, list[tuple[Packed | None, int]]] = {k: [] for k in keys}
        self._blobs: dict[SeriesKey, list[tuple[Packed | None, int]]] = {k: [] for k in keys}

    def fill(self, key: SeriesKey, columns: Columns) -> None:
        """Put rows behind those of the series that are there."""
        first = self._end[key]
        end = self._end[key] = first + len(columns)
        self._room.time[first:end] = columns.time
        self._room.step[first:end] = columns.step
        self._room.value[first:end] = columns.value
        self._texts[key].append((columns.text, len(columns)))
        self._blobs[key].append((columns.data, len(columns)))

    def rows(self, key: SeriesKey) -> Columns:
        """Return the rows of a series, in order of time."""
        numbers = self._room.cut(self._begin[key], self._end[key])
        text, data = (packed_together(held.pop(key)) for held in (self._texts, self._blobs))
        return replace(numbers, text=text, data=data).in_order()


def _groups(
    keys: Sequence[SeriesKey], sizes: Mapping[SeriesKey, tuple[int, int, int]]
) -> Iterator[list[SeriesKey]]:
    group: list[SeriesKey] = []
    held = 0
    for key in keys:
        rows, text, data = sizes[key]
        cost = rows * _ROW_BYTES + text + data
        if group and held + cost > BUDGET_BYTES:
            yield group
            group, held = [], 0
        group.append(key)
        held += cost
    if group:
        yield group


def merge_segments(  # noqa: PLR0913  one call, every part of it named
    segments: Sequence[Segment],
    path: Path,
    marks: Callable[[], Mapping[str, str]],
    *,
    final: bool,
    catalog: Catalog | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Write all segments as one file; return False when `stopped` said so before the end.

    Parameters
    ----------
    segments : sequence of Segment
    path : Path
    marks : callable returning mapping of str to str
        Key-values of the footer, asked for once every row was read.
    final : bool
        A finished file, not a part.
    catalog : Catalog, optional
    stopped : callable returning bool

    Raises
    ------
    StorageError
        If the disk refuses.
    RecordingError
        If a segment is damaged.
    """
    sizes = extents(segments)
    known = catalog if catalog is not None else joint_catalog(segments)
    data = sum(size for _, _, size in sizes.values())
    packer = Packer(path, known, final=final, data_bytes=data, split=better_split(segments, sizes))
    try:
        for key, columns in merged(segments, stopped=stopped):
            if stopped():
                break
            packer.add(key, columns)
        if stopped():
            packer.discard()
            return False
        packer.finish(marks())
    except BaseException:
        packer.discard()
        raise
    return True


def joint_catalog(segments: Sequence[Segment]) -> Catalog:
    """Return what all segments say of their series and entities."""
    catalog = Catalog()
    for segment in segments:
        catalog.add(segment.catalog.infos.values())
        catalog.label(segment.catalog.entities)
    return catalog


def better_split(
    segments: Sequence[Segment], sizes: Mapping[SeriesKey, tuple[int, int, int]]
) -> bool:
    """Return whether split bytes pack better, tried on a few series spread over the rows."""
    keys = list(sizes)
    if not keys:
        return False
    ends = np.cumsum([sizes[k][0] for k in keys])
    places = np.searchsorted(ends, np.linspace(0, ends[-1] - 1, _SAMPLED), "right")
    longest: dict[SeriesKey, tuple[Entry, Segment]] = {}
    sampled = {keys[p] for p in places}
    for segment in segments:
        for entry in segment.entries:
            if entry.key in sampled:
                held = longest.get(entry.key)
                if held is None or entry.rows > held[0].rows:
                    longest[entry.key] = (entry, segment)
    whole = split = 0
    for entry, segment in longest.values():
        want = Want(entry.start, entry.end + 1, payload=False)
        for _, columns in islice(segment.read([entry.key], want), 1):
            a, b = packed_bytes(columns.value)
            whole, split = whole + a, split + b
    return split < whole

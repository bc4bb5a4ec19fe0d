"""Writes parts and finished files: series in order of key, packed into row groups."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.storage.arrow.convert import compressed_bytes
from pulse_widgets.storage.arrow.files import COLUMNS, GroupWriter
from pulse_widgets.storage.disk import refusal, sync
from pulse_widgets.storage.index import Catalog, Entry, encode_index, guess
from pulse_widgets.storage.limits import DATA_BYTES, DATA_GROUPS, GROUP, LONG, TEXT_BYTES
from pulse_widgets.storage.overview import Overview, overview_mark
from pulse_widgets.storage.parquet.seal import marks, seal
from pulse_widgets.storage.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns, SeriesKey

__all__ = ["Packer", "packed_bytes"]

_SAMPLE: Final = 4096


class Packer:
    """Writes one file; series come whole, sorted by time, in order of key.

    Parameters
    ----------
    path : Path
        The file to make; one of that name is replaced.
    catalog : Catalog
        What the series are.
    final : bool
        Write the overview and the page index too.
    data_bytes : int
        All payload bytes there will be; bounds the row groups that hold them.
    split : bool
        Values pack better with their bytes split by place.

    Raises
    ------
    StorageError
        If the file cannot be made.
    """

    def __init__(
        self, path: Path, catalog: Catalog, *, final: bool, data_bytes: int = 0, split: bool = False
    ) -> None:
        self.path = path
        self.rows = 0
        self._catalog = catalog
        self._final = final
        self._data_limit = max(DATA_BYTES, data_bytes // DATA_GROUPS)
        self._overview = Overview()
        self._entries: list[Entry] = []
        self._keys: list[SeriesKey] = []
        self._held: list[tuple[SeriesKey, Columns]] = []
        self._held_rows = 0
        self._held_text = 0
        self._held_data = 0
        try:
            self.path.unlink(missing_ok=True)
            self.path.touch(0o600)
            self._writer = GroupWriter(path, final=final, split=split)
        except OSError as exc:
            raise refusal(exc, path.parent if final else path) from exc

    def add(self, key: SeriesKey, columns: Columns) -> None:
        """Add one series.

        Raises
        ------
        StorageError
            If the disk refuses.
        """
        if not len(columns):
            return
        self._keys.append(key)
        self.rows += len(columns)
        if self._final:
            info = self._catalog.infos.get(key) or guess(key)
            self._overview.add(len(self._keys) - 1, str(info.kind), key.entity, columns)
        long = len(columns) >= LONG
        if long:
            self._flush()
        for first, end in self._stretches(columns):
            self._hold(key, columns.cut(first, end))
            if long:
                self._flush()

    def finish(self, about: Mapping[str, str]) -> None:
        """Write what is left, the overview and the footer with `about`; wait for the disk.

        Raises
        ------
        StorageError
            If the disk refuses.
        """
        self._flush()
        try:
            keys = {
                "pulse.version": VERSION,
                "pulse.catalog": self._catalog.encode(self._keys),
                "pulse.index": encode_index(self._entries),
                **about,
            }
            if self._final:
                keys["pulse.overview"] = self._put_overview()
            self._writer.finish(keys | marks(self._writer.groups, len(COLUMNS)))
            seal(self.path)
            sync(self.path)
        except OSError as exc:
            raise refusal(exc, self.path) from exc

    def discard(self) -> None:
        """Remove the unfinished file."""
        self._writer.discard()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _put_overview(self) -> str:
        blob = self._overview.blob()
        return overview_mark(blob, self._writer.put(blob))

    def _stretches(self, columns: Columns) -> list[tuple[int, int]]:
        """Cut a series so that no row group passes its bounds in rows, text or data."""
        rows = len(columns)
        text, data = columns.payload_bytes
        if rows <= GROUP and text <= TEXT_BYTES and data <= self._data_limit:
            return [(0, rows)]
        share = np.zeros(rows)
        for packed, limit in ((columns.text, TEXT_BYTES), (columns.data, self._data_limit)):
            if packed is not None:
                share = np.maximum(share, np.cumsum(packed.lengths) / limit)
        cuts, first = [], 0
        while first < rows:
            used = share[first - 1] if first else 0.0
            end = int(np.searchsorted(share, used + 1, "right"))
            end = min(max(end, first + 1), first + GROUP, rows)
            cuts.append((first, end))
            first = end
        return cuts

    def _hold(self, key: SeriesKey, columns: Columns) -> None:
        text, data = columns.payload_bytes
        if (self._held_text and self._held_text + text > TEXT_BYTES) or (
            self._held_data and self._held_data + data > self._data_limit
        ):
            self._flush()
        extent = (int(columns.time[0]), int(columns.time[-1]), text, data)
        self._entries.append(
            Entry(key, self._writer.groups, self._held_rows, len(columns), *extent)
        )
        self._held.append((key, columns))
        self._held_rows += len(columns)
        self._held_text += text
        self._held_data += data
        if self._held_rows >= LONG:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        try:
            self._writer.write(self._held)
        except OSError as exc:
            raise refusal(exc, self.path) from exc
        self._held = []
        self._held_rows = self._held_text = self._held_data = 0


def packed_bytes(values: NDArray[np.float64]) -> tuple[int, int]:
    """Return what values take about as they are, and with their bytes split by place."""
    sample = np.ascontiguousarray(values[:_SAMPLE])
    split = np.ascontiguousarray(sample.view(np.uint8).reshape(-1, 8).T)
    return compressed_bytes(sample.tobytes()), compressed_bytes(split.tobytes())

"""Writes parts and finished files: series in order of key, packed into row groups."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.storage.disk import refusal, sync
from pulse_widgets.storage.index import Catalog, Entry, encode_index
from pulse_widgets.storage.overview import Overview
from pulse_widgets.storage.schema import (
    DATA_BYTES,
    DATA_GROUPS,
    GROUP,
    KEYS,
    LONG,
    TEXT_BYTES,
    TIDY,
    TIME,
    Columns,
    blank,
    parquet_options,
    payload_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.storage.schema import SeriesKey
from pulse_widgets.storage.version import VERSION

__all__ = ["Packer", "packed_bytes", "tidy"]

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
        self._groups = 0
        try:
            self.path.unlink(missing_ok=True)
            self.path.touch(0o600)
            self._sink = pa.OSFile(os.fsencode(self.path), "wb")
        except OSError as exc:
            raise refusal(exc, path.parent if final else path) from exc
        options = parquet_options(final=final, split=split)
        self._writer = pq.ParquetWriter(self._sink, TIDY, **options)

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
            info = self._catalog.infos.get(key)
            self._overview.add(len(self._keys) - 1, str(info.kind) if info else "gauge", columns)
        long = len(columns) >= LONG
        if long:
            self._flush()
        for first, end in self._stretches(columns):
            self._hold(key, columns.cut(first, end))
            if long:
                self._flush()

    def finish(self, marks: Mapping[str, str]) -> None:
        """Write what is left, the overview and the footer with `marks`; wait for the disk.

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
                **marks,
            }
            if self._final:
                keys["pulse.overview"] = self._put_overview()
            self._writer.add_key_value_metadata(keys)
            self._writer.close()
            self._sink.close()
            sync(self.path)
        except OSError as exc:
            raise refusal(exc, self.path) from exc

    def discard(self) -> None:
        """Remove the unfinished file."""
        if not self._sink.closed:
            # The writer would otherwise write a footer to a closed file when it is collected.
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
            self._sink.close()
        self.path.unlink(missing_ok=True)

    def _put_overview(self) -> str:
        blob = self._overview.blob()
        mark = {"offset": self._sink.tell(), "length": len(blob), "crc32": zlib.crc32(blob)}
        self._sink.write(blob)
        return json.dumps(mark)

    def _stretches(self, columns: Columns) -> list[tuple[int, int]]:
        """Cut a series so that no row group passes its bounds in rows, text or data."""
        rows = len(columns)
        text, data = payload_bytes(columns.text), payload_bytes(columns.data)
        if rows <= GROUP and text <= TEXT_BYTES and data <= self._data_limit:
            return [(0, rows)]
        share = np.zeros(rows)
        for array, limit in ((columns.text, TEXT_BYTES), (columns.data, self._data_limit)):
            if array is not None:
                lengths = array.value_lengths().to_numpy(zero_copy_only=False)
                share = np.maximum(share, np.cumsum(lengths) / limit)
        cuts, first = [], 0
        while first < rows:
            used = share[first - 1] if first else 0.0
            end = int(np.searchsorted(share, used + 1, "right"))
            end = min(max(end, first + 1), first + GROUP, rows)
            cuts.append((first, end))
            first = end
        return cuts

    def _hold(self, key: SeriesKey, columns: Columns) -> None:
        text, data = payload_bytes(columns.text), payload_bytes(columns.data)
        if (self._held_text and self._held_text + text > TEXT_BYTES) or (
            self._held_data and self._held_data + data > self._data_limit
        ):
            self._flush()
        extent = (int(columns.time[0]), int(columns.time[-1]), text, data)
        self._entries.append(Entry(key, self._groups, self._held_rows, len(columns), *extent))
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
            self._writer.write_table(tidy(self._held), row_group_size=1 << 30)
        except OSError as exc:
            raise refusal(exc, self.path) from exc
        self._held = []
        self._held_rows = self._held_text = self._held_data = 0
        self._groups += 1


def packed_bytes(values: NDArray[np.float64]) -> tuple[int, int]:
    """Return what values take about as they are, and with their bytes split by place."""
    sample = np.ascontiguousarray(values[:_SAMPLE])
    split = np.ascontiguousarray(sample.view(np.uint8).reshape(-1, 8).T)
    as_is, apart = (pa.compress(b.tobytes(), codec="zstd").size for b in (sample, split))
    return as_is, apart


def tidy(held: Sequence[tuple[SeriesKey, Columns]]) -> Any:
    """Return series as one table in the schema of the file."""
    lengths = [len(columns) for _, columns in held]
    words = [_words([key[place] for key, _ in held], lengths) for place in range(len(KEYS))]
    rows = sum(lengths)
    time = np.concatenate([c.time for _, c in held])
    step = np.concatenate([c.step for _, c in held])
    value = np.concatenate([c.value for _, c in held])
    columns = [
        *words,
        pa.Array.from_buffers(TIME, rows, [None, pa.py_buffer(time)]),
        pa.array(step),
        pa.array(value),
        _payload([c.text for _, c in held], lengths, pa.string()),
        _payload([c.data for _, c in held], lengths, pa.binary()),
    ]
    return pa.table(columns, schema=TIDY)


def _words(names: Sequence[str], lengths: Sequence[int]) -> Any:
    distinct = list(dict.fromkeys(names))
    place = {name: k for k, name in enumerate(distinct)}
    codes = np.repeat(np.array([place[name] for name in names], np.int32), lengths)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(distinct, pa.string()))


def _payload(arrays: Sequence[Any], lengths: Sequence[int], kind: Any) -> Any:
    if all(a is None for a in arrays):
        return blank(sum(lengths), kind)
    filled = [blank(n, kind) if a is None else a for a, n in zip(arrays, lengths, strict=True)]
    return pa.concat_arrays(filled)

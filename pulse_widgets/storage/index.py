"""Where in a Parquet file each series lies, and what each series is."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.log import SeriesInfo
from pulse_widgets.storage.schema import KEYS, MOST_TABLE_ROWS, SeriesKey
from pulse_widgets.storage.version import MOST_JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Catalog", "Entry", "decode_index", "encode_index", "guess", "index_of", "index_problem"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Consecutive rows of one series in one row group.

    Attributes
    ----------
    key : SeriesKey
    row_group, first_row, rows : int
    start, end : int
        First and last time, microseconds since the epoch.
    text_bytes, data_bytes : int
        Bytes in these columns; 0 tells a reader that it need not fetch them.
    """

    key: SeriesKey
    row_group: int
    first_row: int
    rows: int
    start: int
    end: int
    text_bytes: int = 0
    data_bytes: int = 0


_NUMBERS: Final = ("row_group", "first_row", "rows", "start", "end", "text_bytes", "data_bytes")
_INDEX: Final = pa.schema(
    [
        *(pa.field(name, pa.dictionary(pa.int32(), pa.string()), nullable=False) for name in KEYS),
        *(pa.field(name, pa.int32(), nullable=False) for name in _NUMBERS[:3]),
        *(pa.field(name, pa.int64(), nullable=False) for name in _NUMBERS[3:]),
    ]
)


def encode_index(entries: Sequence[Entry]) -> str:
    """Return the entries as a base64 Parquet table."""
    words = [pa.array([e.key[k] for e in entries]).dictionary_encode() for k in range(3)]
    numbers = [
        pa.array([getattr(e, name) for e in entries], _INDEX.field(name).type) for name in _NUMBERS
    ]
    table = pa.table([w.cast(_INDEX.field(0).type) for w in words] + numbers, schema=_INDEX)
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=list(KEYS),
        column_encoding=dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED"),
        store_schema=False,
    )
    return base64.b64encode(sink.getvalue()).decode("ascii")


def decode_index(text: bytes) -> list[Entry]:
    """Return the entries of `encode_index`.

    Raises
    ------
    ValueError
        If the text is not such a table; also `pyarrow.ArrowException` and `OSError`.
    """
    if len(text) > MOST_JSON:
        raise ValueError("the index is larger than any index")
    file = pq.ParquetFile(pa.BufferReader(base64.b64decode(text, validate=True)))
    if file.metadata.num_rows > MOST_TABLE_ROWS or unpacked_bytes(file) > 8 * MOST_JSON:
        raise ValueError("the index has more entries than any index")
    table = file.read(columns=[*KEYS, *_NUMBERS], use_threads=False)
    keys = zip(*(table[name].to_pylist() for name in KEYS), strict=True)
    rest = zip(*(table[name].to_pylist() for name in _NUMBERS), strict=True)
    return [Entry(SeriesKey(*k), *n) for k, n in zip(keys, rest, strict=True)]


def unpacked_bytes(file: pq.ParquetFile) -> int:
    """Return the bytes that the row groups of a file say they unpack to."""
    groups = range(file.metadata.num_row_groups)
    return sum(int(file.metadata.row_group(g).total_byte_size) for g in groups)


def index_problem(entries: Sequence[Entry], metadata: Any) -> str:
    """Return why an index cannot be that of the file; empty when it can.

    The entries must cover every row group exactly and in order, and the first and last key
    of a row group must be those of its statistics.
    """
    place, filled = 0, 0
    for entry in entries:
        if filled and filled == _rows(metadata, place):
            place, filled = place + 1, 0
        if entry.row_group != place or entry.first_row != filled or entry.rows < 1:
            return "the index does not cover the rows in order"
        filled += entry.rows
        if filled > _rows(metadata, place):
            return "the index names rows that are not there"
        if not _within(entry.key, metadata.row_group(place)):
            return "the index names other series than the row groups"
    if (place + (filled > 0), sum(e.rows for e in entries)) != (
        metadata.num_row_groups,
        metadata.num_rows,
    ):
        return "the index does not cover the whole file"
    return ""


def _rows(metadata: Any, place: int) -> int:
    inside = 0 <= place < metadata.num_row_groups
    return int(metadata.row_group(place).num_rows) if inside else -1


def _within(key: SeriesKey, group: Any) -> bool:
    for place, word in enumerate(key):
        statistics = group.column(place).statistics
        if statistics is not None and statistics.has_min_max:
            # Long words are cut in statistics; a prefix of the maximum still bounds it.
            most = statistics.max
            if not (statistics.min <= word and (word <= most or word.startswith(most))):
                return False
    return True


def index_of(file: pq.ParquetFile) -> list[Entry]:
    """Return the index of a file that has none, or a wrong one, from its key columns."""
    entries: list[Entry] = []
    for group in range(file.metadata.num_row_groups):
        table = file.read_row_group(group, columns=[*KEYS, "time"], use_threads=False)
        columns = [table[name].combine_chunks().cast(pa.string()) for name in KEYS]
        codes = np.stack([c.dictionary_encode().indices.to_numpy() for c in columns])
        breaks = np.flatnonzero((np.diff(codes) != 0).any(axis=0)) + 1
        time = table["time"].combine_chunks().cast(pa.int64()).to_numpy()
        edges = [0, *breaks.tolist(), table.num_rows]
        for first, end in pairwise(edges):
            key = SeriesKey(*(c[first].as_py() for c in columns))
            span = time[first:end]
            # 1: that there may be text or data is all that is known without reading it.
            extent = (int(span.min()), int(span.max()), 1, 1)
            entries.append(Entry(key, group, first, end - first, *extent))
    return entries


def guess(key: SeriesKey) -> SeriesInfo:
    """Return what the catalog of metrics says of a series whose own description is lost."""
    metric = lookup(key.metric)
    if metric is None:
        return SeriesInfo(-1, *key)
    return SeriesInfo(-1, *key, metric.unit, str(metric.kind))


@dataclass(slots=True)
class Catalog:
    """What the series, entities and hosts of a recording are.

    Attributes
    ----------
    infos : mapping of SeriesKey to SeriesInfo
    entities : mapping of host to mapping of entity to labels
    hosts : mapping of host id to what is known of the machine
    """

    infos: dict[SeriesKey, SeriesInfo] = field(default_factory=dict)
    entities: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, infos: Iterable[SeriesInfo]) -> None:
        """Add series; labels of a series met before are joined, the first unit stays."""
        for info in infos:
            key = SeriesKey(info.host, info.entity, info.metric)
            old = self.infos.get(key)
            if old is None:
                self.infos[key] = info
            elif info.labels.items() - old.labels.items():
                labels = {**info.labels, **old.labels}
                self.infos[key] = SeriesInfo(old.id, *key, old.unit, old.kind, labels)

    def label(self, entities: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """Add labels of entities."""
        for host, named in entities.items():
            held = self.entities.setdefault(host, {})
            for entity, labels in named.items():
                held[entity] = {**held.get(entity, {}), **labels}

    def encode(self, keys: Sequence[SeriesKey]) -> str:
        """Return the ASCII JSON of the series `keys`, numbered in that order.

        Unit and kind stand once a metric; a series that differs from the first of its
        metric, or has labels, stands by its number.
        """
        metrics: dict[str, list[str]] = {}
        series: dict[str, list[Any]] = {}
        for number, key in enumerate(keys):
            info = self.infos.get(key) or guess(key)
            described = [info.unit, str(info.kind)]
            if metrics.setdefault(key.metric, described) != described or info.labels:
                series[str(number)] = [*described, dict(info.labels)]
        kept = {(k.host, k.entity) for k in keys}
        entities = {
            host: {e: labels for e, labels in named.items() if (host, e) in kept}
            for host, named in self.entities.items()
        }
        content = {"hosts": self.hosts, "entities": entities, "metrics": metrics, "series": series}
        return json.dumps(content, ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def decode(cls, text: bytes, keys: Sequence[SeriesKey]) -> Catalog:
        """Return the catalog of `encode`; what is absent or odd is left out.

        Raises
        ------
        ValueError
            If the text is not JSON of an object.
        """
        content = json.loads(text) if len(text) <= MOST_JSON else None
        if not isinstance(content, dict):
            raise ValueError("the catalog is not an object")  # noqa: TRY004  bad content, not a bug
        metrics, series = _object(content.get("metrics")), _object(content.get("series"))
        made = cls(hosts={h: _object(about) for h, about in _object(content.get("hosts")).items()})
        for number, key in enumerate(keys):
            made.infos[key] = _described(key, series.get(str(number)) or metrics.get(key.metric))
        made.label(entity_labels(content.get("entities")))
        return made


def entity_labels(content: Any) -> dict[str, dict[str, dict[str, str]]]:
    """Return host to entity to labels, of JSON that should be that."""
    return {
        host: {entity: _words(labels) for entity, labels in _object(named).items()}
        for host, named in _object(content).items()
    }


def _described(key: SeriesKey, entry: Any) -> SeriesInfo:
    if not (isinstance(entry, list) and len(entry) > 1):
        return guess(key)
    return SeriesInfo(
        -1,
        *key,
        str(entry[0]),
        str(entry[1]),
        _words(entry[2] if len(entry) > 2 else None),  # noqa: PLR2004
    )


def _object(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}


def _words(content: Any) -> dict[str, str]:
    return {k: v for k, v in _object(content).items() if isinstance(v, str)}

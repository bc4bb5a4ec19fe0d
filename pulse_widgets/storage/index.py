"""Where in a Parquet file each series lies, and what each series is."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.columns import SeriesKey
from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.registry import SeriesInfo
from pulse_widgets.series.said import JSON_LABELS, is_user, joined
from pulse_widgets.storage.arrow.convert import KEYS
from pulse_widgets.storage.arrow.tables import read_table, write_table
from pulse_widgets.storage.limits import MOST_TABLE_ROWS
from pulse_widgets.storage.untrusted import is_bounded, parse_json
from pulse_widgets.storage.version import MOST_JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulse_widgets.storage.arrow.files import GroupReader

__all__ = [
    "Catalog",
    "Entry",
    "decode_index",
    "encode_index",
    "group_index",
    "guess",
    "index_of",
    "index_problem",
]


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


_NUMBERS: Final[Mapping[str, type[np.generic]]] = {
    "row_group": np.int32,
    "first_row": np.int32,
    "rows": np.int32,
    "start": np.int64,
    "end": np.int64,
    "text_bytes": np.int64,
    "data_bytes": np.int64,
}


def encode_index(entries: Sequence[Entry]) -> str:
    """Return the entries as a base64 Parquet table."""
    words = {name: [e.key[place] for e in entries] for place, name in enumerate(KEYS)}
    numbers = {
        name: np.array([getattr(e, name) for e in entries], kind) for name, kind in _NUMBERS.items()
    }
    return base64.b64encode(write_table(words, numbers)).decode("ascii")


def decode_index(text: bytes) -> list[Entry]:
    """Return the entries of `encode_index`.

    Raises
    ------
    ValueError
        If the text is not such a table; on damaged bytes also what `DAMAGE` lists.
    """
    if len(text) > MOST_JSON:
        raise ValueError("the index is larger than any index")
    keys_of, numbers = read_table(
        base64.b64decode(text, validate=True),
        KEYS,
        _NUMBERS,
        most_rows=MOST_TABLE_ROWS,
        most_bytes=8 * MOST_JSON,
    )
    names = [[words[code] for code in codes.tolist()] for codes, words in keys_of.values()]
    columns = [numbers[name].tolist() for name in _NUMBERS]
    keys = map(SeriesKey, *names)
    return [Entry(*line) for line in zip(keys, *columns, strict=True)]


def index_problem(entries: Sequence[Entry], reader: GroupReader) -> str:
    """Return why an index cannot be that of the file; empty when it can.

    The entries must cover every row group exactly and in order, and agree with the statistics
    of the row groups: their keys and times lie inside, the first and the last at the ends.
    """
    groups = [list(held) for _, held in groupby(entries, key=lambda e: e.row_group)]
    if [held[0].row_group for held in groups] != list(range(reader.groups)):
        return "the index does not cover the whole file"
    for group, held in enumerate(groups):
        filled = 0
        for entry in held:
            if entry.first_row != filled or entry.rows < 1:
                return "the index does not cover the rows in order"
            filled += entry.rows
        if filled != reader.group_rows(group):
            return "the index names other rows than there are"
        if not _agrees(group, held, reader):
            return "the index names other series or times than the row groups"
    return ""


def _agrees(group: int, held: Sequence[Entry], reader: GroupReader) -> bool:
    low, high = reader.key_bounds(group)
    if low is not None and high is not None:
        for place in range(len(KEYS)):
            words = [entry.key[place] for entry in held]
            # Writers may cut long words in statistics, so only their beginnings are compared.
            least, most = low[place], high[place]
            if not min(words).startswith(least) or not max(words).startswith(most):
                return False
    span = reader.time_bounds(group)
    found = (min(e.start for e in held), max(e.end for e in held))
    return all(e.start <= e.end for e in held) and span in {None, found}


def index_of(reader: GroupReader) -> list[Entry]:
    """Return the index of a file that has none, or a wrong one, from its rows."""
    return [entry for group in range(reader.groups) for entry in group_index(reader, group)]


def group_index(reader: GroupReader, group: int) -> list[Entry]:
    """Return the entries of one row group, from its rows."""
    words, time = reader.read_keys(group)
    if not len(time):
        return []
    codes = np.stack([codes for codes, _ in words])
    breaks = np.flatnonzero((np.diff(codes) != 0).any(axis=0)) + 1
    # 1 stands for "perhaps some": how many bytes there are is known only by reading them.
    sizes = tuple(int(reader.chunk_bytes(group, name) > 0) for name in ("text", "data"))
    entries = []
    for first, end in pairwise([0, *breaks.tolist(), len(time)]):
        key = SeriesKey(*(names[codes[first]] for codes, names in words))
        span = time[first:end]
        extent = (int(span.min()), int(span.max()), *sizes)
        entries.append(Entry(key, group, first, end - first, *extent))
    return entries


def guess(key: SeriesKey) -> SeriesInfo:
    """Return what the catalog of metrics says of a series whose own description is lost."""
    metric = lookup(key.metric)
    if metric is None:
        return SeriesInfo(-1, *key)
    return SeriesInfo(-1, *key, metric.unit, metric.kind.stored)


@dataclass(slots=True)
class Catalog:
    """What the series, entities and hosts of a recording are.

    Attributes
    ----------
    infos : mapping of SeriesKey to SeriesInfo
    entities : mapping of host to mapping of entity to labels
    hosts : mapping of host id to what is known of the machine
    left_out : str
        What was too much to be written.
    """

    infos: dict[SeriesKey, SeriesInfo] = field(default_factory=dict)
    entities: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: str = ""

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

    def describe(self, key: SeriesKey) -> SeriesInfo:
        """Return what is known of a series, or what the catalog of metrics says of it."""
        return self.infos.get(key) or guess(key)

    def appeared(self, metrics: Iterable[str]) -> list[str]:
        """Return metrics in the order in which they first appeared, as far as it is known."""
        place = {m: n for n, m in enumerate(dict.fromkeys(key.metric for key in self.infos))}
        return sorted(dict.fromkeys(metrics), key=lambda m: place.get(m, len(place)))

    def host_name(self, host: str) -> str:
        """Return the name of a machine; its id where the name is not known."""
        return str(self.hosts.get(host, {}).get("name") or host)

    def label(self, entities: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """Add labels of entities."""
        for host, named in entities.items():
            held = self.entities.setdefault(host, {})
            for entity, labels in named.items():
                before = held.get(entity, {})
                held[entity] = {**before, **labels, **_said_by_both(before, labels)}

    def encode(self, keys: Sequence[SeriesKey]) -> str:
        """Return the ASCII JSON of the series `keys`, numbered in that order.

        Unit and kind stand once a metric, in the order in which the metrics appeared; a series
        that differs from the first of its metric, or has labels, stands by its number.
        """
        metrics: dict[str, list[str]] = {}
        series: dict[str, list[Any]] = {}
        for number, key in enumerate(keys):
            info = self.describe(key)
            described = [info.unit, info.kind]
            if metrics.setdefault(key.metric, described) != described or info.labels:
                series[str(number)] = [*described, dict(info.labels)]
        kept = {(k.host, k.entity) for k in keys}
        entities = {
            host: {e: labels for e, labels in named.items() if (host, e) in kept or is_user(e)}
            for host, named in self.entities.items()
        }
        metrics = {m: metrics[m] for m in self.appeared(metrics)}
        content = {"hosts": self.hosts, "entities": entities, "metrics": metrics, "series": series}
        text = _ascii(content)
        if not is_bounded(text.encode()):
            # Readers refuse a file with so long a catalog, so the labels are left out of it.
            units = {
                number: entry[:2]
                for number, entry in series.items()
                if entry[:2] != metrics[keys[int(number)].metric]
            }
            text = _ascii({**content, "entities": {}, "series": units, "left_out": "labels"})
        return text

    @classmethod
    def decode(cls, text: bytes, keys: Sequence[SeriesKey]) -> Catalog:
        """Return the catalog of `encode`; what is absent or odd is left out.

        Raises
        ------
        ValueError
            If the text is not JSON of an object.
        """
        content = parse_json(text)
        if not isinstance(content, dict):
            raise ValueError("the catalog is not an object")  # noqa: TRY004  bad content, not a bug
        metrics, series = _object(content.get("metrics")), _object(content.get("series"))
        made = cls(
            left_out=str(content.get("left_out") or ""),
            hosts={h: _object(about) for h, about in _object(content.get("hosts")).items()},
        )
        place = {metric: number for number, metric in enumerate(metrics)}
        order = sorted(range(len(keys)), key=lambda n: place.get(keys[n].metric, len(place)))
        for number in order:
            key = keys[number]
            made.infos[key] = _described(key, series.get(str(number)) or metrics.get(key.metric))
        made.label(entity_labels(content.get("entities")))
        return made


def _said_by_both(before: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the JSON labels that both have: several writers say something about one run."""
    return {
        name: joined(before[name], facts_of(labels[name]) or {})
        for name in JSON_LABELS
        if name in before and name in labels
    }


def entity_labels(content: Any) -> dict[str, dict[str, dict[str, str]]]:
    """Return host to entity to labels, of JSON that should be that."""
    return {
        host: {entity: _words(labels) for entity, labels in _object(named).items()}
        for host, named in _object(content).items()
    }


def _ascii(content: Any) -> str:
    return json.dumps(content, ensure_ascii=True, separators=(",", ":"))


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

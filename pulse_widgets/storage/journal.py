"""The journal: batches of rows in the order they arrived, each complete or detectably not.

An Arrow IPC stream. Each batch carries its place (`n`), the series it uses first (`series`)
and a checksum of both and of every column (`crc`), because the stream alone would accept
flipped bits, and a tail of zeros left by a power cut, as rows.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pulse_widgets.series.columns import Columns, Packed, side_by_side
from pulse_widgets.series.registry import SeriesInfo
from pulse_widgets.storage.arrow.convert import DAMAGE
from pulse_widgets.storage.arrow.stream import BatchWriter, read_batches
from pulse_widgets.storage.disk import refusal, write_whole
from pulse_widgets.storage.limits import MOST_BATCH, MOST_BATCHES, MOST_JOURNAL
from pulse_widgets.storage.place import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.series.registry import Registry
    from pulse_widgets.series.rows import Rows
    from pulse_widgets.storage.arrow.stream import Batch
    from pulse_widgets.storage.place import Place

__all__ = ["Journal", "JournalContent", "columns_of_rows", "read_journal"]


class Journal:
    """Appends batches to one new file.

    Parameters
    ----------
    path : Path
        Must not exist.
    registry : Registry
        Says what the ids in the rows mean.

    Raises
    ------
    StorageError
        If the file cannot be made.
    """

    def __init__(self, path: Path, registry: Registry) -> None:
        self.path = path
        self.rows = 0
        self.nbytes = 0
        self._registry = registry
        self._batches = 0
        self._announced = np.zeros(0, np.bool_)
        self._stream = BatchWriter()
        try:
            self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        except OSError as exc:
            raise refusal(exc, path) from exc

    def append(self, rows: Rows) -> None:
        """Write one batch, with one call to the system.

        Raises
        ------
        StorageError
            If the batch did not fit. It is then not in the file, and the file takes no more;
            so with whatever else is raised once the journal is `closed`.
        """
        fresh = self._unannounced(rows.series)
        announced = [_announcement(self._registry[i]) for i in fresh]
        series = json.dumps(announced, ensure_ascii=False) if announced else "[]"
        batch = self._stream.add(rows.series, columns_of_rows(rows))
        head = f"{self._batches}{series}".encode()
        marks = {
            "n": str(self._batches),
            "series": series,
            "crc": str(zlib.crc32(head, batch.crc)),
        }
        try:
            self._flush(self._stream.bytes_of(batch, marks))
        except BaseException as exc:
            # After any failure, lack of memory too: nothing may follow half a batch.
            self._undo()
            if isinstance(exc, OSError):
                raise refusal(exc, self.path) from exc
            raise
        self._announced[fresh] = True
        self._batches += 1
        self.rows += len(rows)

    @property
    def closed(self) -> bool:
        """Whether the file takes no more."""
        return self._fd < 0

    def close(self) -> None:
        """Close the file; twice is harmless, and it is closed even where the disk complains."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            # Some file systems report a full disk only here. The descriptor is closed all the
            # same, and the rows stay in memory until their part is made.
            with contextlib.suppress(OSError):
                os.close(fd)

    def _flush(self, content: memoryview) -> None:
        try:
            write_whole(self._fd, content)
            self.nbytes += len(content)
        finally:
            content.release()
            self._stream.clear()

    def _undo(self) -> None:
        # If even this fails, the torn batch stays, and its checksum makes readers drop it.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self.nbytes)
        self.close()

    def _unannounced(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        if len(self._announced) < len(self._registry):
            grown = np.zeros(2 * len(self._registry), np.bool_)
            grown[: len(self._announced)] = self._announced
            self._announced = grown
        # Not `self._announced[ids]`: where memory is short, that ends the process in NumPy 2.4.
        known = self._announced.take(ids)
        if known.all():
            return np.zeros(0, np.int64)
        return np.unique(ids[~known]).astype(np.int64)


@dataclass(slots=True)
class JournalContent:
    """The good beginning of a journal.

    Attributes
    ----------
    series : (n,) int32
        Which of `infos` each row belongs to.
    columns : Columns
        The rows, in order of arrival.
    infos : mapping of int to SeriesInfo
    batches : int
        Whole batches read.
    dropped_bytes : int
        Bytes after the last good batch.
    reason : str
        What was wrong with them; empty when there are none.
    """

    series: NDArray[np.int32]
    columns: Columns
    infos: Mapping[int, SeriesInfo] = field(default_factory=dict)
    batches: int = 0
    dropped_bytes: int = 0
    reason: str = ""


def read_journal(place: Place) -> JournalContent:
    """Return the batches up to the first that is torn, damaged or out of place.

    Raises
    ------
    RecordingError
        If the file is larger than any journal, or no regular file.
    FileNotFoundError
        If there is none; a part may have taken its place meanwhile.
    """
    content = content_of(place, MOST_JOURNAL)
    batches: list[Batch] = []
    infos: dict[int, SeriesInfo] = {}
    good, reason = 0, ""
    try:
        for batch in read_batches(content, MOST_BATCH, MOST_BATCHES):
            reason = _fault(batch, len(batches), infos)
            if reason:
                break
            batches.append(batch)
            good = batch.end
        else:
            good = len(content)
    except DAMAGE as exc:
        reason = str(exc)[:100] or type(exc).__name__
    dropped = len(content) - good if reason else 0
    series = np.concatenate([np.zeros(0, np.int32), *(b.series for b in batches)])
    columns = side_by_side([b.columns for b in batches])
    return JournalContent(series, columns, infos, len(batches), dropped, reason if dropped else "")


def _fault(batch: Batch, place: int, infos: dict[int, SeriesInfo]) -> str:
    """Return what is wrong with a batch; announce its series when nothing is."""
    marks = batch.marks
    if {b"n", b"series", b"crc"} - set(marks):
        return "a batch has no marks"
    number, series = marks[b"n"], marks[b"series"]
    if zlib.crc32(number + series, batch.crc) != int(marks[b"crc"]):
        return "a batch does not match its checksum"
    if int(number) != place:
        return "a batch is missing"
    fresh: dict[int, SeriesInfo] = {}
    for info in map(_announced, json.loads(series)):
        if fresh.setdefault(info.id, info) != info or infos.get(info.id, info) != info:
            return "a batch gives the number of one series to another"
    if not set(np.unique(batch.series).tolist()) <= infos.keys() | fresh.keys():
        return "a batch uses a series that was not announced"
    infos.update(fresh)
    return ""


def columns_of_rows(rows: Rows) -> Columns:
    """Return rows of several series, as they arrived, as columns."""
    text = None if rows.text is None else Packed.of_texts(rows.text)
    data = None if rows.data is None else Packed.of(rows.data)
    return Columns(rows.time, rows.step, rows.value, text, data)


def _announcement(info: SeriesInfo) -> list[Any]:
    named = [info.id, info.host, info.entity, info.metric, info.unit, info.kind]
    return [*named, dict(info.labels)]


def _announced(entry: Any) -> SeriesInfo:
    number, host, entity, metric, unit, kind, labels = entry
    texts = (host, entity, metric, unit, kind, *labels, *labels.values())
    if not (isinstance(number, int) and number >= 0 and all(isinstance(t, str) for t in texts)):
        raise ValueError("not the announcement of a series")
    return SeriesInfo(number, host, entity, metric, unit, kind, labels)

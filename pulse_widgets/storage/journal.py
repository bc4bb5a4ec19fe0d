"""The journal: batches of rows in the order they arrived, each complete or detectably not.

An Arrow IPC stream. Each batch carries its place (`n`), the series it uses first (`series`)
and a checksum of both and of every column (`crc`), because the stream alone would accept
flipped bits, and a tail of zeros left by a power cut, as rows.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pulse_widgets.series.log import SeriesInfo
from pulse_widgets.storage.disk import refusal, write_whole
from pulse_widgets.storage.schema import JOURNAL, MOST_JOURNAL, TIME, Columns, blank, payload_bytes
from pulse_widgets.storage.untrusted import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pulse_widgets.series.log import Registry, Rows

__all__ = ["Journal", "JournalContent", "read_journal", "text_columns"]

_FIXED: Final = (("series", 4), ("time", 8), ("step", 8), ("value", 8))
# Whatever Arrow raises on damaged bytes; MemoryError for lengths that were damaged to be huge.
_DAMAGE: Final = (
    pa.ArrowException,
    OSError,
    MemoryError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)


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
        self._memory = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        self._stream = pa.ipc.new_stream(self._memory, JOURNAL, options=options)
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
        batch = _batch(rows)
        head = f"{self._batches}{series}".encode()
        marks = {
            "n": str(self._batches),
            "series": series,
            "crc": str(zlib.crc32(head, _checksum(_numbers(rows), batch.columns[4:]))),
        }
        try:
            self._stream.write_batch(batch, custom_metadata=marks)
            self._flush()
        except BaseException as exc:
            # Also where memory was short: what is half written there can not be gone on with.
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
            # Some file systems say only here that they have no room. The number of the file is
            # free again all the same, and what was written is in memory until its part is made.
            with contextlib.suppress(OSError):
                os.close(fd)

    def _flush(self) -> None:
        content = self._memory.getbuffer()
        try:
            write_whole(self._fd, content)
            self.nbytes += len(content)
        finally:
            content.release()
            self._memory.seek(0)
            self._memory.truncate()

    def _undo(self) -> None:
        # If even this fails, the torn batch stays and the checksum tells readers so.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self.nbytes)
        self.close()

    def _unannounced(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        if len(self._announced) < len(self._registry):
            grown = np.zeros(2 * len(self._registry), np.bool_)
            grown[: len(self._announced)] = self._announced
            self._announced = grown
        known = self._announced[ids]
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


def read_journal(path: Path) -> JournalContent:
    """Return the batches up to the first that is torn, damaged or out of place.

    Raises
    ------
    RecordingError
        If the file is larger than any journal, or no regular file.
    FileNotFoundError
        If there is none; a part may have taken its place meanwhile.
    """
    content = read_regular(path, MOST_JOURNAL)
    source = pa.BufferReader(content)
    batches: list[Any] = []
    infos: dict[int, SeriesInfo] = {}
    good, decoded, reason = 0, 0, ""
    try:
        stream = pa.ipc.open_stream(source, options=pa.ipc.IpcReadOptions(use_threads=False))
        if not stream.schema.equals(JOURNAL):
            reason = "its columns are not those of a journal"
        while not reason:
            batch, marks = stream.read_next_batch_with_custom_metadata()
            reason = _fault(batch, marks, len(batches), infos)
            decoded += batch.nbytes
            if decoded > 2 * MOST_JOURNAL:
                reason = "it unpacks to more than any journal holds"
            if not reason:
                batches.append(batch)
                good = source.tell()
    except StopIteration:
        good = len(content)
    except _DAMAGE as exc:
        reason = f"it breaks off ({type(exc).__name__})"
    dropped = len(content) - good if reason else 0
    return _content(batches, infos, dropped, reason if dropped else "")


def _fault(batch: Any, marks: Any, place: int, infos: dict[int, SeriesInfo]) -> str:
    """Return what is wrong with a batch; announce its series when nothing is."""
    batch.validate(full=True)
    if marks is None or {b"n", b"series", b"crc"} - set(dict(marks)):
        return "a batch has no marks"
    number, series = marks[b"n"], marks[b"series"]
    numbers = [
        column.buffers()[1][: batch.num_rows * width]
        for column, (_, width) in zip(batch.columns, _FIXED, strict=False)
    ]
    if zlib.crc32(number + series, _checksum(numbers, batch.columns[4:])) != int(marks[b"crc"]):
        return "a batch does not match its checksum"
    if int(number) != place:
        return "a batch is missing"
    fresh = {info.id: info for info in map(_announced, json.loads(series))}
    known = infos.keys() | fresh.keys()
    if not set(np.unique(batch.column(0).to_numpy()).tolist()) <= known:
        return "a batch uses a series that was not announced"
    infos.update(fresh)
    return ""


def _content(
    batches: list[Any], infos: dict[int, SeriesInfo], dropped: int, reason: str
) -> JournalContent:
    table = pa.Table.from_batches(batches, schema=JOURNAL)
    ids, time, step, value = (
        np.concatenate([b.column(k).to_numpy(zero_copy_only=True).view(kind) for b in batches])
        if batches
        else np.zeros(0, kind)
        for k, kind in enumerate((np.int32, np.int64, np.int64, np.float64))
    )
    text, data = (_one(table.column(name)) for name in ("text", "data"))
    columns = Columns(time, step, value, text, data)
    return JournalContent(ids, columns, infos, len(batches), dropped, reason)


def _one(column: Any) -> Any:
    """Return a chunked column as one array; None when it is empty in every row."""
    if not any(payload_bytes(chunk) for chunk in column.chunks):
        return None
    return pa.concat_arrays(column.chunks)


def _batch(rows: Rows) -> Any:
    count = len(rows)
    text, data = text_columns(rows)
    text = blank(count, pa.string()) if text is None else text
    data = blank(count, pa.binary()) if data is None else data
    plain = (pa.int32(), rows.series), (TIME, rows.time), (pa.int64(), rows.step)
    columns = [_plain(*column) for column in (*plain, (pa.float64(), rows.value))]
    return pa.RecordBatch.from_arrays([*columns, text, data], schema=JOURNAL)


def _plain(kind: Any, values: NDArray[Any]) -> Any:
    # pa.array() would import pandas, which takes longer than a session needs to start.
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _packed(kind: Any, pieces: Sequence[bytes]) -> Any:
    offsets = np.zeros(len(pieces) + 1, np.int32)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(pieces))]
    return pa.Array.from_buffers(kind, len(pieces), buffers)


def text_columns(rows: Rows) -> tuple[Any, Any]:
    """Return text and data of rows as Arrow arrays; None where all are empty."""
    text = None if rows.text is None else _texts(rows.text)
    data = None if rows.data is None else _packed(pa.binary(), rows.data)
    return text, data


def _texts(texts: Sequence[str]) -> Any:
    # Half a surrogate pair has no UTF-8; the rest of the text is still worth keeping.
    return _packed(pa.string(), [text.encode("utf-8", "replace") for text in texts])


def _numbers(rows: Rows) -> list[memoryview]:
    columns = (rows.series, rows.time, rows.step, rows.value)
    return [np.ascontiguousarray(column).data for column in columns]


def _checksum(numbers: Iterable[Any], payloads: Iterable[Any]) -> int:
    """CRC-32 of the column buffers, each cut to the rows: numbers, then offsets and bytes."""
    crc = 0
    for column in numbers:
        crc = zlib.crc32(column, crc)
    for array in payloads:
        buffers = array.buffers()
        offsets = buffers[1][: 4 * (len(array) + 1)]
        crc = zlib.crc32(offsets, crc)
        length = int.from_bytes(offsets[-4:].to_pybytes(), "little")
        if length:
            crc = zlib.crc32(buffers[2][:length], crc)
    return crc


def _announcement(info: SeriesInfo) -> list[Any]:
    named = [info.id, info.host, info.entity, info.metric, info.unit, info.kind]
    return [*named, dict(info.labels)]


def _announced(entry: Any) -> SeriesInfo:
    number, host, entity, metric, unit, kind, labels = entry
    texts = (host, entity, metric, unit, kind, *labels, *labels.values())
    if not (isinstance(number, int) and number >= 0 and all(isinstance(t, str) for t in texts)):
        raise ValueError("not the announcement of a series")
    return SeriesInfo(number, host, entity, metric, unit, kind, labels)

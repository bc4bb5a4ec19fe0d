"""The batches of a journal as an Arrow IPC stream."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pulse_widgets.series.columns import Columns
from pulse_widgets.storage.arrow.convert import TIME, numbers_of, packed, packed_of, plain
from pulse_widgets.storage.arrow.framing import sound_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Batch", "BatchWriter", "read_batches"]

_SCHEMA: Final = pa.schema(
    [
        pa.field("series", pa.int32(), nullable=False),
        pa.field("time", TIME, nullable=False),
        pa.field("step", pa.int64(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("data", pa.binary(), nullable=False),
    ]
)
_FIXED: Final[tuple[type[np.generic], ...]] = (np.int32, np.int64, np.int64, np.float64)
_NUMBERS: Final = len(_FIXED)
_BUFFER_BYTES: Final = 1 << 18
_FEW_BYTES: Final = 5 << 10
_MANY_BYTES: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of a journal.

    Attributes
    ----------
    series : (n,) int32
    columns : Columns of n
        In order of arrival.
    marks : mapping of bytes to bytes
        What the writer said of it.
    crc : int
        CRC-32 of its columns, as they were read.
    end : int
        Where in the stream it ends, bytes.
    """

    series: NDArray[np.int32]
    columns: Columns
    marks: Mapping[bytes, bytes]
    crc: int
    end: int


class BatchWriter:
    """Turns rows into the bytes of one stream, batch by batch."""

    def __init__(self) -> None:
        self._memory = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        # Without it, each of some twenty pieces of a batch would wait for the interpreter anew.
        self._buffer = pa.output_stream(self._memory, buffer_size=_BUFFER_BYTES)
        self._stream = pa.ipc.new_stream(self._buffer, _SCHEMA, options=options)

    def add(self, series: NDArray[np.int32], rows: Columns) -> _Added:
        """Return a batch whose checksum is known, to be given its marks."""
        count = len(rows)
        arrays = [
            plain(pa.int32(), series),
            plain(TIME, rows.time),
            plain(pa.int64(), rows.step),
            plain(pa.float64(), rows.value),
            packed(pa.string(), rows.text, count, nullable=False),
            packed(pa.binary(), rows.data, count, nullable=False),
        ]
        return _Added(pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA), series, rows)

    def bytes_of(self, added: _Added, marks: Mapping[str, str]) -> memoryview:
        """Return the bytes that follow those returned before; valid until `clear`."""
        self._stream.write_batch(added.batch, custom_metadata=dict(marks))
        self._buffer.flush()
        return self._memory.getbuffer()

    def clear(self) -> None:
        """Forget the bytes that were returned, once nobody looks at them any more."""
        self._memory.seek(0)
        self._memory.truncate()


class _Added:
    def __init__(self, batch: Any, series: NDArray[np.int32], rows: Columns) -> None:
        self.batch = batch
        numbers = (series, rows.time, rows.step, rows.value)
        self.crc = _crc(
            [np.ascontiguousarray(column).data for column in numbers], batch.columns[_NUMBERS:]
        )


def read_batches(content: bytes, most_batch: int, most_all: int) -> Iterator[Batch]:
    """Yield the batches of a stream, each validated fully, until it ends.

    Parameters
    ----------
    content : bytes
    most_batch, most_all : int
        Bytes one batch, and all of them, may unpack to.

    Raises
    ------
    ValueError
        If its columns are not those of a journal, or it is cut off or too large; on damaged
        bytes also what `DAMAGE` lists.
    """
    sound, problem = sound_bytes(content, most_batch, most_all)
    if sound:
        yield from _read(pa.py_buffer(content).slice(0, sound))
    if problem:
        raise ValueError(problem)


def _read(content: Any) -> Iterator[Batch]:
    source = pa.BufferReader(content)
    stream = pa.ipc.open_stream(source, options=pa.ipc.IpcReadOptions(use_threads=False))
    if not stream.schema.equals(_SCHEMA):
        raise ValueError("its columns are not those of a journal")
    while True:
        try:
            batch, marks = stream.read_next_batch_with_custom_metadata()
        except StopIteration:
            return
        batch.validate(full=True)
        if any(column.null_count for column in batch.columns):
            raise ValueError("a batch has missing values in a column that has none")
        yield _batch(batch, dict(marks or {}), source.tell())


def _batch(batch: Any, marks: dict[bytes, bytes], end: int) -> Batch:
    series, time, step, value = (
        numbers_of(batch.column(place), kind, 0) for place, kind in enumerate(_FIXED)
    )
    crc = _crc([column.data for column in (series, time, step, value)], batch.columns[_NUMBERS:])
    text, data = (packed_of(column) for column in batch.columns[_NUMBERS:])
    texts, blobs = (part if part.nbytes else None for part in (text, data))
    return Batch(series, Columns(time, step, value, texts, blobs), marks, crc, end)


def _crc(numbers: list[memoryview], payloads: list[Any]) -> int:
    """CRC-32 of the column buffers, each cut to the rows: numbers, then offsets and bytes."""
    crc = 0
    for column in numbers:
        crc = _crc_of(column, crc)
    for array in payloads:
        buffers = array.buffers()
        offsets = buffers[1][: 4 * (len(array) + 1)]
        crc = _crc_of(offsets, crc)
        length = int.from_bytes(offsets[-4:].to_pybytes(), "little")
        if length:
            crc = _crc_of(buffers[2][:length], crc)
    return crc


def _crc_of(buffer: Any, crc: int) -> int:
    """Continue a CRC-32; of few bytes without letting other threads go on meanwhile.

    `zlib.crc32` lets them where it has more than 5 KiB to do. Waiting for the interpreter again
    then takes longer than the work: a hundred times as long beside a loop of pure Python.
    """
    view = memoryview(buffer)
    content = view.cast("B") if view.nbytes else b""
    if len(content) > _MANY_BYTES:
        return zlib.crc32(content, crc)
    for first in range(0, len(content), _FEW_BYTES):
        crc = zlib.crc32(content[first : first + _FEW_BYTES], crc)
    return crc


def _rehearse() -> None:
    """Write a batch for nobody.

    Arrow sets itself up with its first batch, under locks that nobody gives back to the child of a
    fork in the middle of it. No fork happens while a module is being loaded.
    """
    stream = BatchWriter()
    stream.bytes_of(stream.add(np.zeros(1, np.int32), Columns.empty(1)), {})


_rehearse()

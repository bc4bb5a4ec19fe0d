"""Utilisation from the driver's own buffer: finer than it is asked for, with the driver's times.

The driver keeps a sample every sixth of a second or so. Asking for all since the last look draws
bursts that a poll once a second would miss, and fills the time in which this process could not
run. A GPU that has no such buffer is asked for its present utilisation instead.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.base import RawRecord, RawSamples
from pulse_widgets.readers.nvml.batch import values_of
from pulse_widgets.readers.nvml.library import GONE, UNSUPPORTED
from pulse_widgets.readers.nvml.records import NEWEST_US, OLDEST_US, SOURCE

if TYPE_CHECKING:
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick

__all__ = ["Samples"]

_KINDS: Final = {1: "utilization.gpu", 2: "utilization.memory"}
_ROOM: Final = 512

_SILENCE_S: Final = 3.0
"""After this long without a sample of a field the GPU is asked for its present value."""

_PATIENCE: Final = 5
"""Looks in a row without a sample after which a buffer is looked at no more."""


class _Answer:
    """What the driver is asked with, and what it writes into."""

    def __init__(self, library: Library) -> None:
        self.type, self.count = ctypes.c_uint(), ctypes.c_uint()
        self.since = ctypes.c_ulonglong()
        buffer = (library.nvml.c_nvmlSample_t * _ROOM)()
        self.words = memoryview(buffer).cast("B").cast("Q")
        """Microsecond and value of each sample, in turn."""
        out = ctypes.byref(self.type), ctypes.byref(self.count), buffer
        self.arguments = {kind: (ctypes.c_uint(kind), self.since, *out) for kind in _KINDS}


@dataclass(slots=True)
class _Buffer:
    """One of the driver's buffers of a GPU: up to when it is read, and when it last had news."""

    kind: int
    name: str
    since_us: int = 0
    news_s: float = float("-inf")
    empty: int = 0
    """Looks in a row that found nothing."""
    trial: bool = False
    """It is looked at again after it had been given up, and has had no sample yet."""


class Samples:
    """The buffered utilisation of one GPU.

    Parameters
    ----------
    library : Library
    handle : device handle
    entity : str
        Of the GPU.
    """

    def __init__(self, library: Library, handle: Any, entity: str) -> None:
        self._function: Any = library.function("nvmlDeviceGetSamples")
        kinds = {} if self._function is None else _KINDS
        self._buffers = [_Buffer(*each) for each in kinds.items()]
        self._entity = entity
        self._answer = library.shared(_Answer, partial(_Answer, library))
        self._handle = handle
        self._first: float | None = None

    @property
    def wanted(self) -> bool:
        """The GPU has such a buffer, as far as is known."""
        return bool(self._buffers)

    @property
    def calls(self) -> int:
        """How many driver calls the next look makes."""
        return 0 if self._first is None else len(self._buffers)

    def coming(self, tick: Tick) -> list[str]:
        """Return the fields that arrive as samples, whose current value must not be read.

        After the first reading only samples are used. They are from the time before the reading
        that returns them, so a current value read in between would be out of order among them.
        """
        if self._first is None or tick.now <= self._first:
            return []
        return [each.name for each in self._buffers if tick.now - each.news_s < _SILENCE_S]

    def probe(self, tick: Tick) -> None:
        """Find out which buffers the GPU has, without a reading."""
        now_us = int((tick.now + tick.offset) * 1e6)
        for buffer in tuple(self._buffers):
            buffer.since_us = now_us
            if self._ask(buffer) in UNSUPPORTED:
                self._buffers.remove(buffer)

    def retry(self, tick: Tick) -> None:
        """Look again at the buffers that were given up."""
        if self._function is None or len(self._buffers) == len(_KINDS):
            return
        # The current value is used until samples come; older ones are not waited for.
        self._first = tick.now if self._first is None else self._first
        wall_us = int((tick.now + tick.offset) * 1e6)
        kept = {buffer.kind: buffer for buffer in self._buffers}
        self._buffers = [
            kept.get(kind) or _Buffer(kind, name, wall_us, trial=True)
            for kind, name in _KINDS.items()
        ]

    def read(self, tick: Tick) -> tuple[list[RawRecord], int]:
        """Return the samples since the last look, and the driver's code.

        It is one record where both utilisations have the same moments, as they mostly do.

        The first look only sets where to begin: what was before is not of this session.
        """
        wall_us = int((tick.now + tick.offset) * 1e6)
        if self._first is None:
            self._first = tick.now
            for buffer in self._buffers:
                buffer.since_us, buffer.news_s = wall_us, tick.now
            return [], 0
        kept: dict[tuple[int, ...], dict[str, list[float | None]]] = {}
        for buffer in tuple(self._buffers):
            code = self._ask(buffer)
            if code in GONE:
                return [], code
            stamps_us, raw = ([], []) if code else self._fresh(buffer, wall_us)
            if stamps_us:
                buffer.since_us, buffer.news_s, buffer.empty = stamps_us[-1], tick.now, 0
                buffer.trial = False
                column = values_of(self._answer.type.value, raw)
                kept.setdefault(tuple(stamps_us), {})[buffer.name] = column
                continue
            buffer.empty += 1
            if buffer.trial:
                # Later samples only: those from before the current value would be out of order.
                buffer.since_us = wall_us
            if code in UNSUPPORTED or buffer.empty >= _PATIENCE:
                self._buffers.remove(buffer)
        return [self._record(tick, *each) for each in kept.items()], 0

    def _ask(self, buffer: _Buffer) -> int:
        answer = self._answer
        answer.count.value = _ROOM
        answer.since.value = buffer.since_us
        code: int = self._function(self._handle, *answer.arguments[buffer.kind])
        return code

    def _fresh(self, buffer: _Buffer, wall_us: int) -> tuple[list[int], list[int]]:
        """Return microseconds and unions of what the driver has just written and is new."""
        answer = self._answer
        words = answer.words[: 2 * min(answer.count.value, _ROOM)].tolist()
        stamps_us, raw = words[::2], words[1::2]
        first, last = max(buffer.since_us, wall_us - OLDEST_US), wall_us + NEWEST_US
        in_order = stamps_us == sorted(set(stamps_us))
        if stamps_us and not (in_order and first < stamps_us[0] and stamps_us[-1] < last):
            # Some drivers return the whole buffer again, or entries that were never filled.
            found = dict(zip(stamps_us, raw, strict=True))
            stamps_us = sorted(stamp_us for stamp_us in found if first < stamp_us < last)
            raw = [found[stamp_us] for stamp_us in stamps_us]
        return stamps_us, raw

    def _record(
        self, tick: Tick, stamps_us: tuple[int, ...], columns: dict[str, list[float | None]]
    ) -> RawRecord:
        walls = [stamp_us / 1e6 for stamp_us in stamps_us]
        newest = {name: column[-1] for name, column in columns.items()}
        samples = RawSamples(walls, columns)
        when, at, version = walls[-1] - tick.offset, walls[-1], tick.version
        return RawRecord(when, at, self._entity, newest, SOURCE, version, samples=samples)

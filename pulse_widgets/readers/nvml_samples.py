"""Utilisation from the driver's own buffer: finer than it is asked for, with the driver's times.

The driver keeps a sample every sixth of a second or so. Asking for all since the last look draws
bursts that a poll once a second would miss, and fills the time in which this process could not
run. A GPU that has no such buffer is asked for its present utilisation instead.
"""

from __future__ import annotations

import ctypes
import struct
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.base import RawRecord
from pulse_widgets.readers.nvml_batch import value_of
from pulse_widgets.readers.nvml_library import GONE, UNSUPPORTED
from pulse_widgets.readers.nvml_records import NEWEST_US, OLDEST_US, SOURCE

if TYPE_CHECKING:
    from pulse_widgets.readers.nvml_calls import Fields
    from pulse_widgets.readers.nvml_library import Library
    from pulse_widgets.readers.nvml_records import Tick

__all__ = ["Samples"]

_KINDS: Final = {1: "utilization.gpu", 2: "utilization.memory"}
_ROOM: Final = 512
_SAMPLE: Final = struct.Struct("=QQ")

_SILENCE_S: Final = 3.0
"""After this long without a sample the GPU is asked for its present utilisation."""

_PATIENCE: Final = 5
"""Looks without any sample after which the buffer is looked at no more."""


class _Answer:
    """What the driver is asked with, and what it writes into."""

    def __init__(self, library: Library) -> None:
        self.type, self.count = ctypes.c_uint(), ctypes.c_uint()
        self.since = ctypes.c_ulonglong()
        buffer = (library.nvml.c_nvmlSample_t * _ROOM)()
        self.view = memoryview(buffer).cast("B")
        out = ctypes.byref(self.type), ctypes.byref(self.count), buffer
        self.arguments = {kind: (ctypes.c_uint(kind), self.since, *out) for kind in _KINDS}


class Samples:
    """The buffered utilisation of one GPU.

    Parameters
    ----------
    library : Library
    handle : device handle
    entity : str
        Of the GPU.

    Attributes
    ----------
    wanted : bool
        The GPU has the buffer, as far as is known.
    """

    def __init__(self, library: Library, handle: Any, entity: str) -> None:
        self._function = library.function("nvmlDeviceGetSamples")
        self.wanted = self._function is not None
        self._entity = entity
        self._answer = library.shared(_Answer, partial(_Answer, library))
        self._handle = handle
        self._since: dict[int, int] = {}
        self._first = self._last = float("-inf")
        self._empty = 0

    @property
    def calls(self) -> int:
        """How many driver calls the next look makes."""
        return len(_KINDS) if self._since else 0

    def fresh(self, tick: Tick) -> bool:
        """Return whether samples are coming: the present utilisation need not be asked for.

        After the first look they are waited for. They tell of the time before the look that
        finds them, and a present value from in between would lie among them, out of order.
        """
        return self.wanted and tick.now > self._first and tick.now - self._last < _SILENCE_S

    def probe(self, tick: Tick) -> None:
        """Find out whether the GPU has the buffer, without a reading."""
        now_us = int((tick.now + tick.offset) * 1e6)
        self.wanted = self.wanted and self._ask(next(iter(_KINDS)), now_us) not in UNSUPPORTED

    def read(self, tick: Tick) -> tuple[list[RawRecord], int]:
        """Return the samples since the last look, one record a moment, and the driver's code.

        The first look only sets where to begin: what was before is not of this session.
        """
        wall_us = int((tick.now + tick.offset) * 1e6)
        if not self._since:
            self._since = dict.fromkeys(_KINDS, wall_us)
            self._first = self._last = tick.now
            return [], 0
        moments: dict[int, Fields] = {}
        for kind, name in _KINDS.items():
            code = self._ask(kind, self._since[kind])
            if code in GONE:
                return [], code
            if code in UNSUPPORTED:
                self.wanted = False
                return [], 0
            if not code:
                self._take(kind, name, wall_us, moments)
        self._judge(tick, moments)
        entity, offset, version = self._entity, tick.offset, tick.version
        return [
            RawRecord(at - offset, at, entity, fields, SOURCE, version)
            for at, fields in [(us / 1e6, moments[us]) for us in sorted(moments)]
        ], 0

    def _ask(self, kind: int, since_us: int) -> int:
        if self._function is None:
            return 0
        answer = self._answer
        answer.count.value = _ROOM
        answer.since.value = since_us
        return self._function(self._handle, *answer.arguments[kind])

    def _take(self, kind: int, name: str, wall_us: int, moments: dict[int, Fields]) -> None:
        answer = self._answer
        held, type_ = min(answer.count.value, _ROOM), answer.type.value
        # Some drivers give the whole buffer again, or places that were never filled.
        first, last = max(self._since[kind], wall_us - OLDEST_US), wall_us + NEWEST_US
        entries = _SAMPLE.iter_unpack(answer.view[: held * _SAMPLE.size])
        fresh = [(stamp_us, raw) for stamp_us, raw in entries if first < stamp_us < last]
        for stamp_us, raw in fresh:
            value = value_of(type_, raw)
            if stamp_us in moments:
                moments[stamp_us][name] = value
            else:
                moments[stamp_us] = {name: value}
        if fresh:
            self._since[kind], _ = max(fresh)

    def _judge(self, tick: Tick, moments: dict[int, Fields]) -> None:
        if moments:
            self._last, self._empty = tick.now, 0
            return
        self._empty += 1
        if self._empty >= _PATIENCE:
            self.wanted = False

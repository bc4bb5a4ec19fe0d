"""Utilisation from the driver's own buffer: finer than it is asked for, with the driver's times.

The driver keeps a sample every sixth of a second or so. Asking for all since the last look draws
bursts that a poll once a second would miss, and fills the time in which this process could not
run. A GPU that has no such buffer is asked for its present utilisation instead.
"""

from __future__ import annotations

import ctypes
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.base import RawRecord, RawSamples
from pulse_widgets.readers.nvml_batch import values_of
from pulse_widgets.readers.nvml_library import GONE, UNSUPPORTED
from pulse_widgets.readers.nvml_records import NEWEST_US, OLDEST_US, SOURCE

if TYPE_CHECKING:
    from pulse_widgets.readers.nvml_library import Library
    from pulse_widgets.readers.nvml_records import Tick

__all__ = ["Samples"]

_KINDS: Final = {1: "utilization.gpu", 2: "utilization.memory"}
_ROOM: Final = 512

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
        self.words = memoryview(buffer).cast("B").cast("Q")
        """Microsecond and value of each sample, in turn."""
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
        """Return the samples since the last look, and the driver's code.

        It is one record where both utilisations have the same moments, as they mostly do.

        The first look only sets where to begin: what was before is not of this session.
        """
        wall_us = int((tick.now + tick.offset) * 1e6)
        if not self._since:
            self._since = dict.fromkeys(_KINDS, wall_us)
            self._first = self._last = tick.now
            return [], 0
        kept: dict[tuple[int, ...], dict[str, list[float | None]]] = {}
        for kind, name in _KINDS.items():
            code = self._ask(kind, self._since[kind])
            if code in GONE:
                return [], code
            if code in UNSUPPORTED:
                self.wanted = False
                return [], 0
            stamps_us, raw = ([], []) if code else self._fresh(kind, wall_us)
            if stamps_us:
                column = values_of(self._answer.type.value, raw)
                kept.setdefault(tuple(stamps_us), {})[name] = column
        if kept:
            self._last, self._empty = tick.now, 0
        else:
            self._empty += 1
            self.wanted = self._empty < _PATIENCE
        return [self._record(tick, *each) for each in kept.items()], 0

    def _ask(self, kind: int, since_us: int) -> int:
        if self._function is None:
            return 0
        answer = self._answer
        answer.count.value = _ROOM
        answer.since.value = since_us
        return self._function(self._handle, *answer.arguments[kind])

    def _fresh(self, kind: int, wall_us: int) -> tuple[list[int], list[int]]:
        """Return microseconds and unions of what the driver has just written and is new."""
        answer = self._answer
        words = answer.words[: 2 * min(answer.count.value, _ROOM)].tolist()
        stamps_us, raw = words[::2], words[1::2]
        first, last = max(self._since[kind], wall_us - OLDEST_US), wall_us + NEWEST_US
        in_order = stamps_us == sorted(stamps_us)
        if stamps_us and not (in_order and first < stamps_us[0] and stamps_us[-1] < last):
            # Some drivers give the whole buffer again, or places that were never filled.
            found = dict(zip(stamps_us, raw, strict=True))
            stamps_us = sorted(stamp_us for stamp_us in found if first < stamp_us < last)
            raw = [found[stamp_us] for stamp_us in stamps_us]
        if stamps_us:
            self._since[kind] = stamps_us[-1]
        return stamps_us, raw

    def _record(
        self, tick: Tick, stamps_us: tuple[int, ...], columns: dict[str, list[float | None]]
    ) -> RawRecord:
        walls = [stamp_us / 1e6 for stamp_us in stamps_us]
        newest = {name: column[-1] for name, column in columns.items()}
        samples = RawSamples(walls, columns)
        when, at, version = walls[-1] - tick.offset, walls[-1], tick.version
        return RawRecord(when, at, self._entity, newest, SOURCE, version, samples=samples)

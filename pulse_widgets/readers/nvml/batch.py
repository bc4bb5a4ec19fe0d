"""One call for everything that has a field id: `nvmlDeviceGetFieldValues`.

Each entry of the answer has its own return code, value type, cost and timestamp, so one
unsupported field hides no other, and a reading carries the driver's own time.
"""

from __future__ import annotations

import ctypes
import math
import struct
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.nvml.library import GONE, UNSUPPORTED, Code, reason_of
from pulse_widgets.readers.nvml.state import TRIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.state import FieldState

__all__ = ["PATIENCE", "Batch", "Stamped", "value_of", "values_of"]

# fieldId, scopeId, timestamp us, latency us, valueType, nvmlReturn, value (a union of 8 bytes)
ENTRY: Final = struct.Struct("=IIqqIiQ")
_WORDS: Final = ENTRY.size // 8
_STAMP, _OUTCOME, _VALUE = 1, 3, 4
"""Which of its words say when, of which type and with which code, and what."""

_DOUBLE, _UINT, _ULONG, _ULL, _SLL, _INT, _USHORT = range(7)
_NARROW: Final = frozenset({_UINT, _INT, _USHORT})

_WRAPPING: Final = "its 32-bit counter wraps between two readings"

PATIENCE: Final = 3
"""Failures in a row after which an older call takes over from one that had values before."""

LINK_TOLERANCE: Final = 1.1

_NO_PART: Final = "a part of the sum has no value now"
_OF_32_BIT: Final = "a counter of 32 bit"

Stamped = tuple[str, "float | None", int]
"""Name, value (None: the driver has none now) and the driver's microseconds since 1970."""


class _Answer:
    """What the driver is asked with, and writes its answer into."""

    def __init__(self, library: Library, ids: Sequence[tuple[int, int]]) -> None:
        buffer = (library.nvml.c_nvmlFieldValue_t * len(ids))()
        for slot, (number, scope) in zip(buffer, ids, strict=True):
            slot.fieldId, slot.scopeId = number, scope
        self.arguments = (ctypes.c_int32(len(ids)), buffer)
        self.view = memoryview(buffer).cast("B")
        self.words = self.view.cast("Q")


class Batch:
    """The fields of one GPU that are read together, with the buffers kept between readings.

    Parameters
    ----------
    library : Library
    function : callable
        ``nvmlDeviceGetFieldValues`` of it.
    handle : device handle
    fields : sequence of FieldState
    link_bytes_s : float
        The fastest that the PCIe link can be; infinite where unknown.
    mig : bool
        The GPU is split into instances.
    """

    def __init__(  # noqa: PLR0913  each comes from another place
        self,
        library: Library,
        function: Callable[..., int],
        handle: Any,
        fields: Sequence[FieldState],
        link_bytes_s: float,
        *,
        mig: bool,
    ) -> None:
        self._function = function
        self._library = library
        # Fields that never settle go last, so that they are together once the others have settled.
        fields = sorted(fields, key=lambda state: state.never_settles)
        ids = tuple(part for state in fields for part in state.parts)
        ends = list(accumulate(len(state.parts) for state in fields))
        self._places = list(zip(fields, [0, *ends], ends, strict=False))
        """Each field, and from which entry to which it has its parts."""
        self._answer = library.shared(ids, partial(_Answer, library, ids))
        self._handle = handle
        self._link_bytes_s = link_bytes_s
        self._mig = mig
        self._outcomes: list[int] = []
        """Type and code of each entry, when the fields that are settled last had values."""
        self._careful: list[tuple[FieldState, int, int]] = []
        self._whole: tuple[tuple[str, int], ...] = ()
        self._converted: tuple[tuple[int, str, int, int], ...] = ()
        self.changed = False
        self.waiting: dict[str, str] = {}

    def read(self) -> tuple[int, list[Stamped]]:
        """Read all of them: the return code, and what each field says.

        A field that turns out to be unsupported or dear sets `changed`: the batch is to be
        made anew. `waiting` says which fields never had a value and have none yet.
        """
        answer = self._answer
        code = self._function(self._handle, *answer.arguments)
        if code:
            readings: list[Stamped] = []
            if code not in GONE:
                for state, _, _ in self._places:
                    self._refused(state, code, 0, readings)
            return code, readings
        words = answer.words.tolist()
        outcomes = words[_OUTCOME::_WORDS]
        careful = self._careful
        if outcomes == self._outcomes:
            stamps, values = words[_STAMP::_WORDS], words[_VALUE::_WORDS]
            readings = [(name, values[at], stamps[at]) for name, at in self._whole]
            for place, name, at, kind in self._converted:
                readings.insert(place, (name, value_of(kind, values[at]), stamps[at]))
        else:
            readings = []
            careful = self._places
        for state, at, following in careful:
            if following == at + 1:
                lost = self._single(
                    state, ENTRY.unpack_from(answer.view, at * ENTRY.size), readings
                )
            else:
                entries = answer.view[at * ENTRY.size : following * ENTRY.size]
                lost = self._sum(state, list(ENTRY.iter_unpack(entries)), readings)
            if lost:
                return lost, readings
        if careful is self._places or any(state.settled for state, _, _ in careful):
            self._settle(outcomes)
        return code, readings

    def _settle(self, outcomes: list[int]) -> None:
        """Note which fields need no look as long as each has a value of the same type as now.

        A tick is mostly like the one before. They keep their order, by which readings are known
        again.
        """
        kinds, codes = zip(
            *(entry[4:6] for entry in ENTRY.iter_unpack(self._answer.view)), strict=True
        )
        settled = [(state.spec.name, at) for state, at, _ in self._places if state.settled]
        self._careful = [place for place in self._places if not place[0].settled]
        whole = tuple((name, at) for name, at in settled if kinds[at] == _ULL)
        converted = tuple(
            (place, name, at, kinds[at])
            for place, (name, at) in enumerate(settled)
            if kinds[at] != _ULL
        )
        usual = [] if any(codes[at] for _, at in settled) else outcomes
        found = whole, converted, usual
        if usual:
            # GPUs are mostly alike: sharing these objects keeps them in the processor's caches.
            found = self._library.shared((whole, converted, tuple(usual)), lambda: found)
        self._whole, self._converted, self._outcomes = found

    def _single(self, state: FieldState, entry: tuple[int, ...], into: list[Stamped]) -> int:
        _, _, stamp_us, latency_us, kind, code, raw = entry
        if code:
            return self._refused(state, code, stamp_us, into)
        value: float = raw
        if kind != _ULL:
            value = value_of(kind, raw)
            if not math.isfinite(value):
                return self._refused(state, Code.NO_DATA, stamp_us, into)
        spec = state.spec
        if spec.wide and kind in _NARROW:
            self._drop(state, _OF_32_BIT, stamp_us, into)
            return 0
        if spec.zero_is_missing and not value:
            self._drop(state, "the GPU has no such sensor", stamp_us, into)
            return 0
        if spec.bytes_counter and not self._plausible(state, kind, value, stamp_us, into):
            return 0
        if len(state.cost_us) < TRIALS:
            self.changed = state.charge(latency_us) or self.changed
        else:
            state.settled = not state.never_settles
        state.delivered = True
        if state.failures:
            state.failures = 0
        into.append((spec.name, value, stamp_us))
        return 0

    def _refused(self, state: FieldState, code: int, stamp_us: int, into: list[Stamped]) -> int:
        if code in GONE:
            return code
        state.failures += 1
        if code in UNSUPPORTED or self._given_up(state):
            self._drop(state, reason_of(code, mig=self._mig), stamp_us, into)
        else:
            self._wait(state, reason_of(code), stamp_us, into)
        return 0

    def _wait(self, state: FieldState, why: str, stamp_us: int, into: list[Stamped]) -> None:
        """Say that there is no value now."""
        self.waiting[state.spec.name] = why
        if state.delivered:
            into.append((state.spec.name, None, stamp_us))

    @staticmethod
    def _given_up(state: FieldState) -> bool:
        """Whether something older takes over now; what had values before gets some patience."""
        return bool(state.spec.fallback) and (not state.delivered or state.failures >= PATIENCE)

    def _drop(self, state: FieldState, reason: str, stamp_us: int, into: list[Stamped]) -> None:
        state.refuse(reason)
        self.changed = True
        if state.delivered:
            state.delivered = False
            into.append((state.spec.name, None, stamp_us))

    def _plausible(
        self, state: FieldState, kind: int, value: float, stamp_us: int, into: list[Stamped]
    ) -> bool:
        """Judge a byte counter: wide enough, not wrapped, not faster than the link.

        The header says "can be wrapped"; a counter of 32 bit wraps every 0.2 s on a busy link,
        and then a difference means nothing.
        """
        last, state.last = state.last, (value, stamp_us)
        narrow = kind in _NARROW
        fallen_from = last[0] if last is not None and value < last[0] else 0
        if narrow or fallen_from or state.wraps:
            verdict = state.judge(value, fallen_from, narrow=narrow)
            if verdict == "wraps":
                self._drop(state, _WRAPPING, stamp_us, into)
            elif verdict == "trial":
                self._wait(state, _WRAPPING, stamp_us, into)
            elif verdict == "gap":
                into.append((state.spec.name, None, stamp_us))
            if verdict:
                return False
        if last is None or stamp_us <= last[1]:
            return True
        if (value - last[0]) * 1e6 / (stamp_us - last[1]) <= self._link_bytes_s * LINK_TOLERANCE:
            return True
        into.append((state.spec.name, None, stamp_us))
        return False

    def _sum(
        self, state: FieldState, entries: Sequence[tuple[int, ...]], into: list[Stamped]
    ) -> int:
        """Add the parts up; parts that the GPU has never had are asked no more."""
        total, why, stamp_us = 0.0, Code.NOT_SUPPORTED.value, 0
        kept, here = [], []
        for number, scope, stamp, _, kind, code, raw in entries:
            if code in GONE:
                return code
            why = code or why
            if code in UNSUPPORTED and (number, scope) not in state.had:
                continue
            kept.append((number, scope))
            stamp_us = max(stamp_us, stamp)
            if not code:
                here.append((number, scope))
                total += value_of(kind, raw)
        if len(kept) < len(entries):
            self.changed = True
            state.parts = kept
        if not kept:
            self._drop(state, reason_of(why, mig=self._mig), stamp_us, into)
            return 0
        # If one part has no value now, the sum is unknown, not smaller.
        known = len(here) == len(kept) and math.isfinite(total)
        lack = _NO_PART if here else reason_of(why, mig=self._mig)
        before = state.delivered
        self._summed(state, total if known else None, lack, stamp_us, into)
        if not state.had.issuperset(here):
            # A sum over more parts than before cannot be compared with the one before.
            if before and known:
                into[-1] = (state.spec.name, None, stamp_us)
            state.had.update(here)
        return 0

    def _summed(
        self,
        state: FieldState,
        total: float | None,
        lack: str,
        stamp_us: int,
        into: list[Stamped],
    ) -> None:
        state.failures = 0 if total is not None else state.failures + 1
        if total is not None:
            state.delivered = True
            into.append((state.spec.name, total, stamp_us))
        elif self._given_up(state):
            self._drop(state, lack, stamp_us, into)
        else:
            self._wait(state, lack, stamp_us, into)


def values_of(kind: int, raw: list[int]) -> list[float | None]:
    """Return what unions of one NVML value type hold."""
    if kind == _UINT:
        return [each & 0xFFFFFFFF for each in raw]
    return [value_of(kind, each) for each in raw]


def value_of(kind: int, raw: int) -> float:
    """Return what the union of a value holds, by its NVML value type."""
    if kind == _DOUBLE:
        (value,) = struct.unpack("=d", struct.pack("=Q", raw))
        return float(value)
    if kind == _UINT:
        return raw & 0xFFFFFFFF
    if kind == _USHORT:
        return raw & 0xFFFF
    if kind == _INT:
        return ctypes.c_int32(raw & 0xFFFFFFFF).value
    if kind == _SLL:
        return ctypes.c_int64(raw).value
    return raw

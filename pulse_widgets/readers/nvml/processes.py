"""Which of the processes on a GPU are ours, and how much memory each of them holds there.

Only this process and its descendants are named; what all others hold is one sum.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.units import format_value
from pulse_widgets.readers.nvml.batch import PATIENCE
from pulse_widgets.readers.nvml.library import GONE, Code, reason_of, text_of
from pulse_widgets.readers.nvml.records import record

if TYPE_CHECKING:
    from pathlib import Path

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick

__all__ = ["Family", "GpuProcesses", "ProcessList"]

FIELD: Final = "process.memory"

_UNKNOWN: Final = 0xFFFF_FFFF_FFFF_FFFF
_ROOM: Final = 128
_MOST: Final = 65536
"""Processes for which there is room at most; no GPU has as many."""
_DEEPEST: Final = 64


class Family:
    """A process and its descendants.

    Parameters
    ----------
    pid : int
        The process whose family it is.
    proc : Path
        Where procfs is mounted.
    """

    def __init__(self, pid: int, proc: Path) -> None:
        self._pid = pid
        self._proc = proc
        self._names: dict[int, str | None] = {}

    def name(self, pid: int) -> str | None:
        """Return the name of a member, None for any other process."""
        if pid not in self._names:
            self._names[pid] = self._comm(pid) if self._descends(pid) else None
        return self._names[pid]

    def exists(self, pid: int) -> bool:
        """Return whether this machine, as seen from here, has such a process."""
        return (self._proc / str(pid)).exists()

    def forget(self, living: set[int]) -> None:
        """Drop the processes that are not in `living`: their numbers may be used again."""
        for pid in [pid for pid in self._names if pid not in living]:
            del self._names[pid]

    def _comm(self, pid: int) -> str:
        try:
            return text_of((self._proc / str(pid) / "comm").read_bytes())
        except OSError:
            return ""

    def _descends(self, pid: int) -> bool:
        for _ in range(_DEEPEST):
            if pid == self._pid:
                return True
            parent = self._parent(pid)
            if parent <= 0:
                return False
            pid = parent
        return False

    def _parent(self, pid: int) -> int:
        try:
            stat = (self._proc / str(pid) / "stat").read_text("ascii", "replace")
        except OSError:
            return 0
        # The name stands in brackets and may hold anything, brackets and spaces included.
        fields = stat.rpartition(")")[2].split()
        return int(fields[1]) if len(fields) > 1 and fields[1].isdecimal() else 0


class _Process(ctypes.Structure):
    """What versions 2 and 3 of the list say of a process."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("usedGpuMemory", ctypes.c_ulonglong),
        ("gpuInstanceId", ctypes.c_uint),
        ("computeInstanceId", ctypes.c_uint),
    )


class _OldProcess(ctypes.Structure):
    """What the list without a version says of a process."""

    _fields_ = (("pid", ctypes.c_uint), ("usedGpuMemory", ctypes.c_ulonglong))


_ANSWERS: Final = GONE | {Code.OK, Code.INSUFFICIENT_SIZE}
"""Codes at which no other version of the list is tried."""

_VERSIONS: Final = (
    ("nvmlDeviceGetComputeRunningProcesses_v3", _Process),
    ("nvmlDeviceGetComputeRunningProcesses_v2", _Process),
    ("nvmlDeviceGetComputeRunningProcesses", _OldProcess),
)


class ProcessList:
    """The compute processes of one GPU, read into a buffer that is kept."""

    def __init__(self, library: Library) -> None:
        found = [(library.function(symbol), info) for symbol, info in _VERSIONS]
        self._versions = [(function, info) for function, info in found if function is not None]
        self._room = _ROOM
        self._slots: Any = None
        self._untried: list[int] = []
        self.failures = 0
        """How often in a row the list gave nothing."""
        self._use(0)

    def retry(self) -> bool:
        """Begin to look for the newest version that gives something; return whether there may be.

        What is in use stays so meanwhile.
        """
        newer = range(len(self._versions) if self.failures else self._version)
        self._untried = [each for each in newer if each != self._version]
        return bool(self._untried)

    def try_next(self, handle: Any) -> bool:
        """Try one version, by one driver call; return whether there are more to be tried."""
        if self._untried:
            before, version = self._version, self._untried.pop(0)
            self._use(version)
            if self.read(handle)[0] in _ANSWERS:
                self._untried = []
            else:
                self._use(before)
        return bool(self._untried)

    def probe(self, handle: Any) -> None:
        """Find the newest version that gives something, whatever it takes."""
        self.read(handle)
        if self.failures and self.retry():
            while self.try_next(handle):
                pass

    def read(self, handle: Any) -> tuple[int, list[tuple[int, float | None]]]:
        """Return the driver's code, and pid and bytes (None: not known) of each process.

        It is one driver call. When there are more processes than the buffer holds, it grows
        for the next reading and the code is ``INSUFFICIENT_SIZE``.
        """
        if not self._versions:
            return Code.FUNCTION_NOT_FOUND, []
        count = ctypes.c_uint(len(self._slots))
        code = self._function(handle, ctypes.byref(count), self._slots)
        if code:
            return self._failed(code, count.value), []
        self.failures = 0
        found: dict[int, float | None] = {}
        for slot in self._slots[: count.value]:
            held = None if slot.usedGpuMemory == _UNKNOWN else float(slot.usedGpuMemory)
            before = found.get(slot.pid, 0.0)
            found[slot.pid] = None if held is None or before is None else before + held
        return 0, list(found.items())

    def _failed(self, code: int, count: int) -> int:
        if code == Code.INSUFFICIENT_SIZE:
            self._room = min(max(2 * len(self._slots), count + _ROOM), _MOST)
            self._slots = (self._info * self._room)()
        elif code not in GONE:
            self.failures += 1
        return code

    def _use(self, version: int) -> None:
        self._version = version
        if self._versions:
            self._function, self._info = self._versions[version]
            self._slots = (self._info * self._room)()


class GpuProcesses:
    """The processes of one GPU as records: our own by name, all others as one.

    Parameters
    ----------
    library : Library
    entity : str
        Of the GPU.
    family : Family
    most_bytes : float
        All memory of the GPU: a process cannot hold more. It may be learned later.
    """

    def __init__(
        self, library: Library, entity: str, family: Family, most_bytes: float = float("inf")
    ) -> None:
        self.missing: dict[str, str] = {}
        self.revision = 0
        self.most_bytes = most_bytes
        self._list = ProcessList(library)
        self._entity = entity
        self._family = family
        self._last: set[str] = set()

    def probe(self, handle: Any) -> None:
        """Find the newest version of the list that gives something."""
        self._list.probe(handle)

    def retry(self) -> bool:
        """Begin to look for a newer version of the list; return whether there may be one."""
        return self._list.retry()

    def try_next(self, handle: Any) -> bool:
        """Try one version of the list; return whether there are more to be tried."""
        return self._list.try_next(handle)

    @property
    def failing(self) -> bool:
        """The version in use has just given nothing for the last time that is waited for."""
        return self._list.failures == PATIENCE

    def read(self, tick: Tick, handle: Any) -> tuple[list[RawRecord], int]:
        """Return the records, a missing reading for each process that has gone, and the code.

        A process has its name in the first of its records.
        """
        code, processes = self._list.read(handle)
        if code == Code.INSUFFICIENT_SIZE:
            return [], code
        if code or self.missing:
            self.missing.clear()
            self.revision += 1
        if code:
            self.missing[f"{self._entity} processes"] = reason_of(code)
            # Nothing is known of the processes that were seen before.
            gone, self._last = self._last, set()
            return [record(tick, name, {FIELD: None}) for name in sorted(gone)], code
        found = self._records(processes, tick)
        names = {each.entity_id for each in found}
        found += [record(tick, name, {FIELD: None}) for name in sorted(self._last - names)]
        self._last = names
        self._family.forget({pid for pid, _ in processes})
        count = record(tick, self._entity, {"processes": float(len(processes))})
        return [count, *found], 0

    def _records(self, processes: list[tuple[int, float | None]], tick: Tick) -> list[RawRecord]:
        found: list[RawRecord] = []
        others: list[float | None] = []
        for pid, said in processes:
            name, held = self._family.name(pid), said
            if held is not None and held > self.most_bytes:
                self._impossible(held)
                held = None
            if name is None:
                others.append(held)
                continue
            entity = f"pid:{pid}/{self._entity}"
            fields: Fields = {FIELD: held}
            if entity not in self._last:
                fields["name"] = name
            found.append(record(tick, entity, fields))
        if others:
            known = [held for held in others if held is not None]
            total = sum(known) if len(known) == len(others) else None
            found.append(record(tick, f"pid:others/{self._entity}", {FIELD: total}))
        if processes and not found[:-1] and not any(self._family.exists(p) for p, _ in processes):
            self.revision += 1
            self.missing[f"{self._entity} process.memory"] = (
                "the driver tells the process numbers of the host, not those of this container"
            )
        return found

    def _impossible(self, held: float) -> None:
        """Have more memory than the GPU has be missing, and say so."""
        self.revision += 1
        said, whole = format_value(held, "B"), format_value(self.most_bytes, "B")
        self.missing[f"{self._entity} process.memory"] = f"the driver says {said} of {whole}"

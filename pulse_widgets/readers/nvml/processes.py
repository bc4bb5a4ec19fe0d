"""Which of the processes on a GPU are ours, and how much memory each of them holds there.

Only this process and its descendants are named; what all others hold is one sum.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.nvml.library import Code, reason_of
from pulse_widgets.readers.nvml.records import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick

__all__ = ["Family", "GpuProcesses", "ProcessList"]

FIELD: Final = "process.memory"

_UNKNOWN: Final = 0xFFFF_FFFF_FFFF_FFFF
_ROOM: Final = 128
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
            return (self._proc / str(pid) / "comm").read_text(errors="replace").strip()
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
            stat = (self._proc / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return 0
        # The name stands in brackets and may hold anything, brackets and spaces included.
        fields = stat.rpartition(")")[2].split()
        return int(fields[1]) if len(fields) > 1 else 0


class ProcessList:
    """The compute processes of one GPU, read into a buffer that is kept."""

    def __init__(self, library: Library) -> None:
        self.function: Callable[..., int] | None = library.function(
            "nvmlDeviceGetComputeRunningProcesses_v3"
        )
        self._info: Any = library.nvml.c_nvmlProcessInfo_v3_t
        self._slots: Any = (self._info * _ROOM)()

    def read(self, handle: Any) -> tuple[int, list[tuple[int, float | None]]]:
        """Return the driver's code, and pid and bytes (None: not known) of each process.

        It is one driver call. When there are more processes than the buffer holds, it grows
        for the next reading and the code is ``INSUFFICIENT_SIZE``.
        """
        if self.function is None:
            return Code.FUNCTION_NOT_FOUND, []
        count = ctypes.c_uint(len(self._slots))
        code = self.function(handle, ctypes.byref(count), self._slots)
        if code == Code.INSUFFICIENT_SIZE:
            self._slots = (self._info * max(2 * len(self._slots), count.value + _ROOM))()
        if code:
            return code, []
        found: dict[int, float | None] = {}
        for slot in self._slots[: count.value]:
            held = None if slot.usedGpuMemory == _UNKNOWN else float(slot.usedGpuMemory)
            before = found.get(slot.pid, 0.0)
            found[slot.pid] = None if held is None or before is None else before + held
        return 0, list(found.items())


class GpuProcesses:
    """The processes of one GPU as records: our own by name, all others as one.

    Parameters
    ----------
    library : Library
    entity : str
        Of the GPU.
    family : Family
    """

    def __init__(self, library: Library, entity: str, family: Family) -> None:
        self.missing: dict[str, str] = {}
        self.revision = 0
        self._list = ProcessList(library)
        self._entity = entity
        self._family = family
        self._last: set[str] = set()

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
        for pid, held in processes:
            name = self._family.name(pid)
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

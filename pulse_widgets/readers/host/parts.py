"""What the system reader asks a machine, part by part: fields, class and how to read it."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.host.cores import CoreSeconds, CpuMeter, rounded
from pulse_widgets.readers.host.memory import MEMORY
from pulse_widgets.readers.host.sums import DeviceSums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.readers.host.protocol import CpuTimes, Host, TreeUsage

__all__ = ["Fields", "HostParts", "Part"]

Fields = dict[str, dict[str, float | str | None]]
"""Entity to field to reading."""

_CPU: Final = ("cpu.user.total", "cpu.system.total", "cpu.iowait.total", "cpu.steal.total")
_DISK: Final = ("disk.read.total", "disk.write.total", "disk.reads.total", "disk.writes.total")
_DISK_BUSY: Final = "disk.busy.total"
_NET: Final = ("net.received.total", "net.sent.total", "net.errors.total", "net.dropped.total")
_PRESSURE: Final = ("cpu", "memory", "disk")
_SPACE: Final = ("disk.used", "disk.free", "disk.total")
_PROCESS: Final = ("process.memory.rss", "process.memory.virtual", "process.threads")
_NO_TIME: Final = "the counters of {} stood still, fell or rose by more than the time that passed"
_PROCESS_IO: Final = ("process.read.total", "process.write.total")


@dataclass(slots=True, eq=False)
class Part:
    """One file or call of the system, and the fields it gives.

    Attributes
    ----------
    entity : str
        Under which its fields are missing when it fails.
    fields : tuple of str
    rate : RateClass
    read : callable returning Fields
        May raise any `Exception`.
    delivered : Fields
        What it said last.
    failures : int
        How often it failed since it last worked.
    retry_at : float
        Monotonic seconds before which it is left alone.
    incomplete : bool
        It left something out when it was asked last.
    """

    entity: str
    fields: tuple[str, ...]
    rate: RateClass
    read: Callable[[], Fields]
    delivered: Fields = field(default_factory=dict)
    failures: int = 0
    retry_at: float = 0.0
    incomplete: bool = False


class HostParts:
    """All parts of one machine.

    Parameters
    ----------
    host : Host
    pid : int
        The process that `host` follows.
    per_device : bool
        Each core, disk and interface besides the host's sums.
    """

    def __init__(self, host: Host, *, pid: int, per_device: bool) -> None:
        self._host = host
        self._omissions = host.omissions
        self._pid = pid
        self._per_device = per_device
        self._meter = CpuMeter()
        self._seconds = CoreSeconds()
        self._core_names: dict[int, str] = {}
        self._disk_sums = DeviceSums(_DISK, host.omissions)
        self._net_sums = DeviceSums(_NET, host.omissions)
        self._cores: Mapping[int, CpuTimes] | None = None
        self._cores_at = 0.0
        self._usage: TreeUsage | None = None
        self._thorough = False

    def begin(self, *, thorough: bool) -> None:
        """Start a pass; what two parts share is read once in it."""
        self._cores = self._usage = None
        self._thorough = thorough

    def close(self) -> None:
        """Close what the host holds open."""
        self._host.close()

    def forget_times(self) -> None:
        """Make the next CPU reading the first one."""
        self._meter = CpuMeter()

    def parts(self) -> tuple[Part, ...]:
        """Return the parts, those that share a file after one another."""
        static, slow = RateClass.STATIC, RateClass.SLOW
        gauges, counters = RateClass.GAUGES, RateClass.COUNTERS
        # These are half of the cost of a pass, and change too slowly to be read ten times a second.
        steady = RateClass.STEADY
        return (
            Part("host", ("os", "cpu"), static, self._labels),
            Part("host", ("cores", "python"), static, self._own_labels),
            Part("host", ("cpu.count",), slow, self._count),
            Part("host", ("cpu.utilization",), gauges, self._utilization),
            Part("host", _CPU, counters, self._cpu_seconds),
            Part("host", (*MEMORY, "memory.utilization"), gauges, self._memory),
            Part("host", _DISK, steady, self._disks),
            Part("host", _NET, counters, self._networks),
            *(
                Part("host", (f"{area}.pressure.total",), steady, partial(self._pressure, area))
                for area in _PRESSURE
            ),
            Part("host", ("cpu.frequency",), slow, self._frequency),
            Part("host", _SPACE, slow, self._spaces),
            Part("kernel", _PROCESS, steady, self._process),
            Part("kernel", ("process.cpu.total",), steady, self._process_seconds),
            Part("kernel", _PROCESS_IO, steady, self._process_io),
            Part("kernel", ("process.children",), slow, self._process_children),
            Part("kernel", ("process.files",), slow, self._process_files),
        )

    # The machine ---------------------------------------------------------------------

    def _labels(self) -> Fields:
        return {"host": {**self._host.labels()}}

    def _own_labels(self) -> Fields:
        own = {"cores": str(os.cpu_count()), "python": platform.python_version()}
        kernel = {"pid": str(self._pid)}
        if self._pid == os.getpid():
            kernel["executable"] = PurePath(sys.executable).name
        return {"host": {**own}, "kernel": {**kernel}}

    def _count(self) -> Fields:
        return {"host": {"cpu.count": float(len(self._times()))}}

    def _times(self) -> Mapping[int, CpuTimes]:
        if self._cores is None:
            self._cores = self._omissions.asked("cores", self._host.cpu_times)
            self._cores_at = time.monotonic()
        return self._cores

    def _counting(self) -> Mapping[int, CpuTimes]:
        """Return the times of each core.

        Raises
        ------
        OSError
            When all of them are 0: some sandboxes have the file without anything in it.
        """
        cores = self._times()
        if not any(map(any, cores.values())):
            raise OSError("the time of no core is counted here: all are 0")
        return cores

    def _utilization(self) -> Fields:
        whole, cores = self._meter.utilization(self._counting(), self._cores_at)
        if not cores:
            return {}
        fields: Fields = {"host": {"cpu.utilization": whole}}
        if self._per_device:
            if cores.keys() != self._core_names.keys():
                self._core_names = {core: f"cpu:{core}" for core in cores}
            names = self._core_names
            for core, share in cores.items():
                fields[names[core]] = {"cpu.utilization": share}
        if whole is None:
            self._omissions("host cpu.utilization", _NO_TIME.format("all cores"))
        elif None in cores.values():
            for core in [core for core, share in cores.items() if share is None]:
                self._omissions(f"cpu:{core} cpu.utilization", _NO_TIME.format("this core"))
        return fields

    def _cpu_seconds(self) -> Fields:
        seconds = self._seconds.take(self._counting(), self._cores_at)
        if seconds is None:
            for name in _CPU:
                self._omissions(
                    f"host {name}", "no core is there that counted right since the last look"
                )
            return {"host": dict.fromkeys(_CPU)}
        user, system, _, iowait, steal = seconds
        # As `rounded` does, written out: the calls would cost as much as all the rest.
        values = [int(each * 1e6 + 0.5) / 1e6 for each in (user, system, iowait, steal)]
        return {"host": dict(zip(_CPU, values, strict=True))}

    def _memory(self) -> Fields:
        memory = self._host.memory()
        fields = _known("host", tuple(memory), tuple(memory.values()))
        for name in MEMORY:
            if name not in memory:
                self._omissions(f"host {name}", "this system does not count it")
        total, used = memory["memory.total"], memory["memory.used"]
        if total and used is not None:
            fields["host"]["memory.utilization"] = rounded(used / total, 1e4)
        return fields

    def _disks(self) -> Fields:
        disks = self._host.disks()
        counted = {name: disk[:4] for name, disk in disks.items() if disk.in_sum}
        fields = self._summed(_DISK, self._disk_sums, counted, "no disk can be read here")
        if self._per_device:
            for name, (*counts, busy_s, _) in disks.items():
                # A device that never did anything is only a placeholder of the kernel.
                if any(counts):
                    each = fields[f"disk:{name}"] = dict(zip(_DISK, counts, strict=True))
                    if busy_s is not None:
                        each[_DISK_BUSY] = busy_s
        return fields

    def _networks(self) -> Fields:
        networks = self._host.networks()
        counted = {name: net[:4] for name, net in networks.items() if net.in_sum}
        why = "no network interface but loopback can be read here"
        fields = self._summed(_NET, self._net_sums, counted, why)
        if self._per_device:
            for name, (*counts, _) in networks.items():
                # A placeholder, as with disks.
                if counts[0] or counts[1]:
                    fields[f"net:{name}"] = dict(zip(_NET, counts, strict=True))
        return fields

    def _summed(
        self,
        names: tuple[str, ...],
        sums: DeviceSums,
        devices: Mapping[str, tuple[float, ...]],
        otherwise: str,
    ) -> Fields:
        """Return the host's fields; none when there is no device to count, which is not 0."""
        values = sums.take(devices, time.monotonic())
        if devices:
            return {"host": dict(zip(names, values, strict=True))}
        for name in names:
            self._omissions(f"host {name}", otherwise)
        return {}

    def _pressure(self, area: str) -> Fields:
        return {"host": {f"{area}.pressure.total": self._host.pressure(area)}}

    def _frequency(self) -> Fields:
        return {"host": {"cpu.frequency": self._host.frequency()}}

    def _spaces(self) -> Fields:
        return {
            f"fs:{mount}": dict(zip(_SPACE, space, strict=True))
            for mount, space in self._host.spaces().items()
        }

    # The kernel process ----------------------------------------------------------------

    def _tree(self) -> TreeUsage:
        if self._usage is None:
            self._usage = self._omissions.asked("tree", self._ask_tree)
        return self._usage

    def _ask_tree(self) -> TreeUsage:
        return self._host.tree(thorough=self._thorough)

    def _process(self) -> Fields:
        tree = self._tree()
        return _known("kernel", _PROCESS, (tree.rss_bytes, tree.virtual_bytes, tree.threads))

    def _process_seconds(self) -> Fields:
        return _known("kernel", ("process.cpu.total",), (self._tree().cpu_s,))

    def _process_io(self) -> Fields:
        self._tree()
        return _known("kernel", _PROCESS_IO, self._host.tree_io())

    def _process_children(self) -> Fields:
        return _known("kernel", ("process.children",), (self._tree().children,))

    def _process_files(self) -> Fields:
        self._tree()
        return {"kernel": {"process.files": float(self._host.tree_files())}}


def _known(entity: str, names: Sequence[str], values: Sequence[float | None]) -> Fields:
    """Return the fields that are known; the reasons for the others were given."""
    fields: dict[str, float | str | None] = dict(zip(names, values, strict=True))
    if None in values:
        fields = {name: value for name, value in fields.items() if value is not None}
    return {entity: fields} if fields else {}

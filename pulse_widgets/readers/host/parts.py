"""What the system reader asks a machine, part by part: fields, class and how to read it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.host.sums import DeviceSums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.readers.host.protocol import CpuTimes, Host, Odd, TreeUsage

__all__ = ["CpuMeter", "Fields", "HostParts", "Part"]

Fields = dict[str, dict[str, float | str | None]]
"""Entity to field to reading."""

_CPU: Final = ("cpu.user.total", "cpu.system.total", "cpu.iowait.total", "cpu.steal.total")
_MEMORY: Final = (
    "memory.used",
    "memory.available",
    "memory.total",
    "memory.utilization",
    "swap.used",
    "swap.total",
)
_DISK: Final = ("disk.read.total", "disk.write.total", "disk.reads.total", "disk.writes.total")
_DISK_BUSY: Final = "disk.busy.total"
_NET: Final = ("net.received.total", "net.sent.total", "net.errors.total", "net.dropped.total")
_PRESSURE: Final = ("cpu.pressure.total", "memory.pressure.total", "disk.pressure.total")
_SPACE: Final = ("disk.used", "disk.free", "disk.total")
_PROCESS: Final = ("process.memory.rss", "process.memory.virtual", "process.threads")
_PROCESS_IO: Final = ("process.read.total", "process.write.total")


@dataclass(slots=True)
class Part:
    """One file or call of the system, and the fields it gives.

    Attributes
    ----------
    entity : str
        Under which its fields are missing when it fails.
    fields : tuple of str
    rate : RateClass
    read : callable returning Fields
        May raise `OSError`, `ValueError` or `LookupError`.
    delivered : Fields
        What it said last.
    failures : int
        How often it failed since it last worked.
    asked_again_at : float
        Monotonic seconds before which it is left alone.
    """

    entity: str
    fields: tuple[str, ...]
    rate: RateClass
    read: Callable[[], Fields]
    delivered: Fields = field(default_factory=dict)
    failures: int = 0
    asked_again_at: float = 0.0


class CpuMeter:
    """Turns the seconds a core has been busy into the share of time since the last look."""

    def __init__(self) -> None:
        self._busy: list[float] = []
        self._idle: list[float] = []

    def utilization(self, cores: Sequence[CpuTimes]) -> tuple[float | None, list[float | None]]:
        """Return the share of all cores together, and of each.

        The list is empty on the first look and when a core was switched on or off. A share
        is None when no time has passed, and when the core's counters fell.
        """
        busy = [core.user + core.system + core.steal for core in cores]
        idle = [core.idle + core.iowait for core in cores]
        busy_before, idle_before = self._busy, self._idle
        self._busy, self._idle = busy, idle
        if len(busy_before) != len(busy):
            return None, []
        shares = [
            _share(b - b0, i - i0)
            for b, b0, i, i0 in zip(busy, busy_before, idle, idle_before, strict=True)
        ]
        return _share(sum(busy) - sum(busy_before), sum(idle) - sum(idle_before)), shares


class HostParts:
    """All parts of one machine.

    Parameters
    ----------
    host : Host
    pid : int
        The process that `host` follows.
    per_device : bool
        Each core, disk and interface besides the host's sums.
    odd : Odd
        Told on each pass what is missing in it.
    """

    def __init__(
        self,
        host: Host,
        *,
        pid: int,
        per_device: bool,
        odd: Odd = lambda _what, _why: None,
    ) -> None:
        self._odd = odd
        self._host = host
        self._pid = pid
        self._per_device = per_device
        self._meter = CpuMeter()
        self._disk_sums = DeviceSums(len(_DISK))
        self._net_sums = DeviceSums(len(_NET))
        self._cores: Sequence[CpuTimes] | None = None
        self._usage: TreeUsage | None = None
        self._thorough = False

    def begin(self, *, thorough: bool) -> None:
        """Start a pass; what two parts share is read once in it."""
        self._cores = self._usage = None
        self._thorough = thorough

    def close(self) -> None:
        """Let go of what the host holds open."""
        self._host.close()

    def forget_times(self) -> None:
        """Make the next CPU reading the first one."""
        self._meter = CpuMeter()

    def parts(self) -> tuple[Part, ...]:
        """Return the parts, those that share a file after one another."""
        static, slow = RateClass.STATIC, RateClass.SLOW
        gauges, counters = RateClass.GAUGES, RateClass.COUNTERS
        return (
            Part("host", ("os", "cpu"), static, self._labels),
            Part("host", ("cpu.count",), static, self._count),
            Part("host", ("cpu.utilization",), gauges, self._utilization),
            Part("host", _CPU, counters, self._cpu_seconds),
            Part("host", _MEMORY, gauges, self._memory),
            Part("host", _DISK, counters, self._disks),
            Part("host", _NET, counters, self._networks),
            Part("host", _PRESSURE, counters, self._pressure),
            Part("host", ("cpu.frequency",), slow, self._frequency),
            Part("host", _SPACE, slow, self._spaces),
            Part("kernel", _PROCESS, gauges, self._process),
            Part("kernel", ("process.cpu.total",), counters, self._process_seconds),
            Part("kernel", _PROCESS_IO, counters, self._process_io),
            Part("kernel", ("process.children",), slow, self._process_children),
            Part("kernel", ("process.files",), slow, self._process_files),
        )

    # The machine ---------------------------------------------------------------------

    def _labels(self) -> Fields:
        own = {"cores": str(os.cpu_count()), "python": platform.python_version()}
        kernel = {"pid": str(self._pid)}
        if self._pid == os.getpid():
            kernel["executable"] = PurePath(sys.executable).name
        return {"host": {**self._host.labels(), **own}, "kernel": {**kernel}}

    def _count(self) -> Fields:
        return {"host": {"cpu.count": float(len(self._times()))}}

    def _times(self) -> Sequence[CpuTimes]:
        if self._cores is None:
            self._cores = self._host.cpu_times()
        return self._cores

    def _utilization(self) -> Fields:
        whole, cores = self._meter.utilization(self._times())
        if not cores:
            return {}
        fields: Fields = {"host": {"cpu.utilization": whole}}
        if self._per_device:
            fields |= {f"cpu:{n}": {"cpu.utilization": share} for n, share in enumerate(cores)}
        return fields

    def _cpu_seconds(self) -> Fields:
        cores = self._times()
        user, system, _, iowait, steal = map(sum, zip(*cores, strict=True))
        # Seconds of the mean core, so that the rate is a share of all cores' time.
        values = [_rounded(seconds / len(cores), 1e6) for seconds in (user, system, iowait, steal)]
        return {"host": dict(zip(_CPU, values, strict=True))}

    def _memory(self) -> Fields:
        memory = self._host.memory()
        used = memory.total - memory.available
        fill = _rounded(used / memory.total, 1e4)
        values = (used, memory.available, memory.total, fill, memory.swap_used, memory.swap_total)
        return {"host": dict(zip(_MEMORY, values, strict=True))}

    def _disks(self) -> Fields:
        disks = self._host.disks()
        counted = {name: disk[:4] for name, disk in disks.items() if disk.in_sum}
        fields = self._summed(_DISK, self._disk_sums, counted, "no disk can be read here")
        if self._per_device:
            for name, (*counts, busy_s, _) in disks.items():
                # A device that never did anything is a placeholder of the kernel.
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
                # As with disks.
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
        values = sums.take(devices)
        if devices:
            return {"host": dict(zip(names, values, strict=True))}
        for name in names:
            self._odd(f"host {name}", otherwise)
        return {}

    def _pressure(self) -> Fields:
        seconds = self._host.pressure()
        return {"host": {f"{area}.pressure.total": s for area, s in seconds.items()}}

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
            self._usage = self._host.tree(thorough=self._thorough)
        return self._usage

    def _process(self) -> Fields:
        tree = self._tree()
        values = (tree.rss_bytes, tree.virtual_bytes, float(tree.threads))
        return {"kernel": dict(zip(_PROCESS, values, strict=True))}

    def _process_seconds(self) -> Fields:
        return {"kernel": {"process.cpu.total": self._tree().cpu_s}}

    def _process_io(self) -> Fields:
        self._tree()
        return {"kernel": dict(zip(_PROCESS_IO, self._host.tree_io(), strict=True))}

    def _process_children(self) -> Fields:
        return {"kernel": {"process.children": float(self._tree().children)}}

    def _process_files(self) -> Fields:
        self._tree()
        return {"kernel": {"process.files": float(self._host.tree_files())}}


def _share(busy: float, idle: float) -> float | None:
    # The kernel corrects idle and waiting time now and then: that is no time running backwards.
    idle = max(idle, 0.0)
    if busy < 0 or busy + idle <= 0:
        return None
    # The counters have ticks of 10 ms: more digits are noise, and cost bytes in a recording.
    return _rounded(busy / (busy + idle), 1e4)


def _rounded(value: float, parts: float) -> float:
    # Of what is not negative. Built-in round() goes through the digits of the number, and costs
    # as much as a file.
    return int(value * parts + 0.5) / parts

"""The machine as psutil shows it, for every system but Linux."""

from __future__ import annotations

import platform
from functools import partial
from typing import Any

import psutil

from pulse_widgets.readers.host.disks import which_disks
from pulse_widgets.readers.host.memory import memory_of
from pulse_widgets.readers.host.networks import which_networks
from pulse_widgets.readers.host.omissions import Omissions
from pulse_widgets.readers.host.portable_tree import PsutilTree, asked
from pulse_widgets.readers.host.protocol import (
    CpuTimes,
    DiskCounts,
    NetCounts,
    Space,
    TreeIo,
    TreeUsage,
)

__all__ = ["PsutilHost"]


class PsutilHost:
    """Asks psutil, question by question: one that fails takes only its own answer away.

    Parameters
    ----------
    pid : int or None
        The process whose tree is summed; None is this one.

    Attributes
    ----------
    omissions : Omissions
        Told what is left out.
    """

    def __init__(self, *, pid: int | None = None) -> None:
        self.omissions = Omissions()
        self._tree = PsutilTree(pid, self.omissions)

    def close(self) -> None:
        """Hold nothing open."""

    def cpu_times(self) -> dict[int, CpuTimes]:
        """Return the times of each core, by its place in psutil's list."""
        cores = {}
        for core, times in enumerate(psutil.cpu_times(percpu=True)):
            answer = asked(partial(_core, times), f"cpu:{core} cpu.utilization", self.omissions)
            if answer is not None:
                cores[core] = answer
        if not cores:
            raise OSError(f"{platform.system()} tells of no core")
        return cores

    def memory(self) -> dict[str, float | None]:
        """Return the machine's memory, by metric."""
        memory = asked(partial(_psutil, "virtual_memory"), "host memory.total", self.omissions)
        swap = asked(partial(_psutil, "swap_memory"), "host swap.total", self.omissions)
        return memory_of(
            getattr(memory, "total", None),
            getattr(memory, "free", None),
            getattr(memory, "available", None),
            (getattr(swap, "total", None), getattr(swap, "free", None)),
            self.omissions,
        )

    def disks(self) -> dict[str, DiskCounts]:
        """Return the counters of each device psutil knows."""
        # nowrap: psutil would otherwise add the old number to a counter that fell.
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        return {
            name: DiskCounts(
                (c := counters[name]).read_bytes,
                c.write_bytes,
                c.read_count,
                c.write_count,
                c.busy_time / 1000 if hasattr(c, "busy_time") else None,
                in_sum,
            )
            for name, in_sum in which_disks(counters).items()
        }

    def networks(self) -> dict[str, NetCounts]:
        """Return the counters of each interface."""
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        in_sum = which_networks(counters)
        return {
            name: NetCounts(
                c.bytes_recv,
                c.bytes_sent,
                c.errin + c.errout,
                c.dropin + c.dropout,
                name in in_sum,
            )
            for name, c in counters.items()
        }

    def pressure(self, area: str) -> float:
        """Raise `OSError`: only Linux counts pressure."""
        raise OSError(f"{platform.system()} does not count pressure on {area}")

    def frequency(self) -> float:
        """Return the mean clock of the cores."""
        clock = psutil.cpu_freq()
        if clock is None or not clock.current > 0:
            raise OSError(f"{platform.system()} does not say at which clock the cores run")
        return float(clock.current) * 1e6

    def spaces(self) -> dict[str, Space]:
        """Return the room on each physical device that is mounted."""
        spaces = {}
        for partition in psutil.disk_partitions(all=False):
            # An empty drive fails, too.
            mount = partition.mountpoint
            name = "fs:{} disk.total".format(mount.replace(" ", r"\040"))
            usage = asked(partial(_psutil, "disk_usage", mount), name, self.omissions)
            if usage is not None and not usage.total > 0:
                self.omissions(name, f"it is said to have {usage.total} bytes")
            elif usage is not None:
                spaces[mount] = Space(usage.used, usage.free, usage.total)
        return spaces

    def labels(self) -> dict[str, str]:
        """Return operating system and processor."""
        model = asked(platform.processor, "host cpu", self.omissions)
        return {
            "os": f"{platform.system()} {platform.release()}",
            "cpu": model or platform.machine(),
        }

    def tree(self, *, thorough: bool) -> TreeUsage:
        """Return what the process and those below it use; new children are found when thorough."""
        return self._tree.usage(thorough=thorough)

    def tree_io(self) -> TreeIo:
        """Return storage traffic of the tree."""
        return self._tree.io()

    def tree_files(self) -> int:
        """Return how many files the tree holds open."""
        return self._tree.files()


def _psutil(name: str, *arguments: Any) -> Any:
    """Return the answer of a function that psutil may lack."""
    return getattr(psutil, name)(*arguments)


def _core(times: Any) -> CpuTimes:
    interrupts = (getattr(times, name, 0.0) for name in ("irq", "softirq", "interrupt", "dpc"))
    return CpuTimes(
        times.user + getattr(times, "nice", 0.0),
        times.system + sum(interrupts),
        times.idle,
        getattr(times, "iowait", 0.0),
        getattr(times, "steal", 0.0),
    )

"""The machine as psutil shows it, for every system but Linux."""

from __future__ import annotations

import platform
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import psutil

from pulse_widgets.readers.host.disks import which_disks
from pulse_widgets.readers.host.networks import which_networks
from pulse_widgets.readers.host.process_tree import Rising
from pulse_widgets.readers.host.protocol import (
    CpuTimes,
    DiskCounts,
    Memory,
    NetCounts,
    Space,
    TreeIo,
    TreeUsage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PsutilHost"]

T = TypeVar("T")

_TIMES = ("user", "system", "children_user", "children_system")


class PsutilHost:
    """Asks psutil; what it does not have on a system raises `OSError`.

    Parameters
    ----------
    pid : int or None
        The process whose tree is summed; None is this one.
    """

    def __init__(self, *, pid: int | None = None) -> None:
        self._process = psutil.Process(pid)
        self._members = [self._process]
        self._cpu, self._read, self._written = Rising(0.05), Rising(), Rising()

    def close(self) -> None:
        """Hold nothing open."""

    def cpu_times(self) -> list[CpuTimes]:
        """Return the times of each core."""
        return [
            CpuTimes(
                times.user + getattr(times, "nice", 0.0),
                times.system
                + sum(getattr(times, name, 0.0) for name in ("irq", "softirq", "interrupt", "dpc")),
                times.idle,
                getattr(times, "iowait", 0.0),
                getattr(times, "steal", 0.0),
            )
            for times in psutil.cpu_times(percpu=True)
        ]

    def memory(self) -> Memory:
        """Return the machine's memory."""
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return Memory(memory.total, memory.available, swap.total, swap.used)

    def disks(self) -> dict[str, DiskCounts]:
        """Return the counters of each device psutil knows."""
        # Where a number falls, psutil would add the old one to the new.
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

    def pressure(self) -> dict[str, float]:
        """Raise `OSError`: only Linux counts pressure."""
        raise OSError(f"{platform.system()} does not count pressure")

    def frequency(self) -> float:
        """Return the mean clock of the cores."""
        clock = psutil.cpu_freq()
        if clock is None:
            raise OSError(f"{platform.system()} does not say at which clock the cores run")
        return float(clock.current) * 1e6

    def spaces(self) -> dict[str, Space]:
        """Return the room on each physical device that is mounted."""
        spaces = {}
        for partition in psutil.disk_partitions(all=False):
            try:
                usage = psutil.disk_usage(partition.mountpoint)
            except OSError:
                continue  # an empty drive
            spaces[partition.mountpoint] = Space(usage.used, usage.free, usage.total)
        return spaces

    def labels(self) -> dict[str, str]:
        """Return operating system and processor."""
        return {
            "os": f"{platform.system()} {platform.release()}",
            "cpu": platform.processor() or platform.machine(),
        }

    def tree(self, *, thorough: bool) -> TreeUsage:
        """Return what the process and those below it use; new children are found when thorough."""
        if thorough:
            self._members = [self._process]
            for children in _asked(partial(self._process.children, recursive=True)):
                self._members += children
        cpu = rss = virtual = 0.0
        threads = found = 0
        for process in self._members:
            try:
                with process.oneshot():
                    times, memory = process.cpu_times(), process.memory_info()
                    threads += process.num_threads()
            except psutil.Error as error:
                if process is self._process:
                    raise OSError(str(error)) from error
                continue  # it ended, or belongs to another user
            cpu += sum(getattr(times, name, 0.0) for name in _TIMES)
            rss += memory.rss
            virtual += memory.vms
            found += 1
        return TreeUsage(self._cpu.take(cpu), rss, virtual, threads, found - 1)

    def tree_io(self) -> TreeIo:
        """Return storage traffic of the tree."""
        if not hasattr(self._process, "io_counters"):
            raise OSError(f"{platform.system()} does not count the traffic of a process")
        counters = [io for process in self._members for io in _asked(process.io_counters)]
        return TreeIo(
            self._read.take(sum(io.read_bytes for io in counters)),
            self._written.take(sum(io.write_bytes for io in counters)),
        )

    def tree_files(self) -> int:
        """Return how many files the tree holds open."""
        name = "num_fds" if hasattr(self._process, "num_fds") else "num_handles"
        return sum(sum(_asked(getattr(process, name))) for process in self._members)


def _asked(question: Callable[[], T]) -> list[T]:
    """Return the one answer; none when the process ended or belongs to another user."""
    try:
        return [question()]
    except psutil.Error:
        return []

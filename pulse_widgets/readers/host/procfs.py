"""The machine as Linux shows it below ``/proc`` and ``/sys``.

Reading the few files directly costs a quarter of the same numbers through psutil, and any captured
tree can stand in for the real one.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.disks import LinuxDisks
from pulse_widgets.readers.host.networks import LinuxNetworks
from pulse_widgets.readers.host.proc_files import ProcFiles
from pulse_widgets.readers.host.process_tree import ProcessTree
from pulse_widgets.readers.host.protocol import (
    CpuTimes,
    Memory,
    Space,
    TreeIo,
    TreeUsage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulse_widgets.readers.host.protocol import DiskCounts, NetCounts, Odd

__all__ = ["LinuxHost"]

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
# A file system on the network is never asked: a dead server would block the thread for good.
_LOCAL: Final = frozenset("ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs reiserfs vfat".split())  # noqa: SIM905
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108  where data loaders put their batches
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_SAMPLED_CORES: Final = 8


class LinuxHost:
    """Reads one ``/proc``.

    Parameters
    ----------
    root, sys_root : str
        Where the two trees are; other directories for captured ones.
    pid : int
        The process whose tree is summed.
    odd : Odd
        Told on each reading what is left out of it.
    """

    def __init__(
        self,
        root: str = "/proc",
        *,
        sys_root: str = "/sys",
        pid: int,
        odd: Odd = lambda _what, _why: None,
    ) -> None:
        self._files = ProcFiles(root)
        self._sys_root = sys_root
        self._tree = ProcessTree(self._files, pid)
        # A captured tree says nothing of the devices of this machine.
        told = None if sys_root == "/sys" and not self._files.is_real else sys_root
        self._disks = LinuxDisks(self._files, told, odd)
        self._networks = LinuxNetworks(self._files, told, odd)

    def cpu_times(self) -> list[CpuTimes]:
        """Return the times of each core that is online."""
        # After the cores comes how often each interrupt happened, which can be very long.
        lines = self._files.keep("stat").partition(b"\nintr")[0].splitlines()
        hz = _TICKS_A_SECOND
        cores = []
        for line in lines[1:]:
            if not line.startswith(b"cpu"):
                break
            # user holds the time of guests already.
            user, nice, system, idle, iowait, irq, softirq, steal = map(int, line.split()[1:9])
            cores.append(
                CpuTimes(
                    (user + nice) / hz,
                    (system + irq + softirq) / hz,
                    idle / hz,
                    iowait / hz,
                    steal / hz,
                )
            )
        return cores

    def memory(self) -> Memory:
        """Return the machine's memory."""
        words = self._files.keep("meminfo").split()
        if b"MemAvailable:" in words:
            available = _bytes_of(words, b"MemAvailable:")
        else:  # kernels before 3.14
            cached = _bytes_of(words, b"Buffers:", 0) + _bytes_of(words, b"Cached:", 0)
            available = _bytes_of(words, b"MemFree:") + cached
        swap = _bytes_of(words, b"SwapTotal:", 0)
        used = swap - _bytes_of(words, b"SwapFree:", 0)
        return Memory(_bytes_of(words, b"MemTotal:"), available, swap, used)

    def disks(self) -> dict[str, DiskCounts]:
        """Return the counters of each device, partitions left out."""
        return self._disks.read()

    def networks(self) -> dict[str, NetCounts]:
        """Return the counters of each interface of this network namespace."""
        return self._networks.read()

    def pressure(self) -> dict[str, float]:
        """Return seconds in which some task waited."""
        seconds = {}
        for ours, theirs in (("cpu", "cpu"), ("memory", "memory"), ("disk", "io")):
            some = self._files.keep(f"pressure/{theirs}").splitlines()[0]
            seconds[ours] = int(some.rpartition(b"total=")[2]) / 1e6
        return seconds

    def frequency(self) -> float:
        """Return the mean clock of at most eight cores, evenly spread."""
        cores = os.cpu_count() or 1
        step = max(1, cores // _SAMPLED_CORES)
        base = Path(self._sys_root, "devices/system/cpu")
        paths = [base / f"cpu{core}/cpufreq/scaling_cur_freq" for core in range(0, cores, step)]
        if paths[0].exists():
            # A core that is offline has no file.
            clocks = [int(path.read_text()) * 1e3 for path in paths if path.exists()]
        else:
            clocks = [float(text) * 1e6 for text in self._cpuinfo("cpu MHz")]
        if not clocks:
            raise OSError("the kernel does not say at which clock the cores run")
        return sum(clocks) / len(clocks)

    def spaces(self) -> dict[str, Space]:
        """Return the room on each local file system; one mounted twice counts once."""
        spaces = {}
        for mount in _shortest_mounts(_lines_of(self._files.read("self/mounts"))):
            try:
                room = os.statvfs(mount)
            except OSError:
                continue  # not ours to read; the others are
            unit = room.f_frsize
            spaces[mount] = Space(
                (room.f_blocks - room.f_bfree) * unit, room.f_bavail * unit, room.f_blocks * unit
            )
        return spaces

    def labels(self) -> dict[str, str]:
        """Return operating system and processor."""
        labels = {"os": f"{platform.system()} {platform.release()}"}
        model = next(self._cpuinfo("model name"), "") or platform.machine()
        if model:
            labels["cpu"] = model
        return labels

    def tree(self, *, thorough: bool) -> TreeUsage:
        """Return what the process and those below it use."""
        return self._tree.usage(thorough=thorough)

    def tree_io(self) -> TreeIo:
        """Return what the tree moved to and from storage."""
        return self._tree.io()

    def tree_files(self) -> int:
        """Return how many files the tree holds open."""
        return self._tree.files()

    def close(self) -> None:
        """Close the files that were kept open."""
        self._files.close()

    def _cpuinfo(self, key: str) -> Iterator[str]:
        for line in _lines_of(self._files.read("cpuinfo")):
            name, _, value = line.partition(":")
            if name.strip() == key:
                yield value.strip()


def _lines_of(content: bytes) -> list[str]:
    # The files of /proc have no encoding; names of devices may hold any byte.
    return content.decode("utf-8", "replace").splitlines()


def _bytes_of(words: list[bytes], name: bytes, otherwise: int | None = None) -> int:
    """Return the number after a name of meminfo, whose unit is KiB, in bytes."""
    if otherwise is not None and name not in words:
        return otherwise
    return int(words[words.index(name) + 1]) * 1024


def _shortest_mounts(lines: list[str]) -> list[str]:
    """Return for each local device its shortest mount point, and the root whatever it is."""
    best: dict[str, str] = {}
    for line in lines:
        device, escaped, kind = line.split()[:3]
        mount = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), escaped)
        if mount == "/":
            best["/"] = best[device] = mount
            continue
        shorter = len(mount) < len(best.get(device, mount + "/"))
        # Containers mount single files, such as /etc/hosts, from the machine's disk.
        if shorter and (kind in _LOCAL or mount == _SHARED_MEMORY) and Path(mount).is_dir():
            best[device] = mount
    return list(dict.fromkeys(best.values()))

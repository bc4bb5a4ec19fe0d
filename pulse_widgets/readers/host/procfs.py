"""The machine as Linux shows it below ``/proc`` and ``/sys``.

Reading the few files directly costs a quarter of the same numbers through psutil, and any captured
tree can stand in for the real one.
"""

from __future__ import annotations

import platform
import re
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.clocks import clocks_of_cpuinfo, clocks_of_governor, model_of
from pulse_widgets.readers.host.cores import cores_of
from pulse_widgets.readers.host.memory import memory_of_meminfo
from pulse_widgets.readers.host.mounts import spaces_of
from pulse_widgets.readers.host.odd import Odd, shown
from pulse_widgets.readers.host.proc_files import ProcFiles
from pulse_widgets.readers.host.process_tree import ProcessTree
from pulse_widgets.readers.host.protocol import (
    CpuTimes,
    DiskCounts,
    Memory,
    NetCounts,
    Space,
    TreeIo,
    TreeUsage,
)
from pulse_widgets.readers.host.words import number

if TYPE_CHECKING:
    from collections.abc import Collection, Container

__all__ = ["LinuxHost"]

_SECTOR_BYTES: Final = 512
# Devices that pass requests on to others, or live in memory: counting them counts twice.
_NOT_PHYSICAL: Final = re.compile(r"(loop|ram|zram|dm-|md|sr|fd|nbd|drbd)\d")
_PRESSURE_FILES: Final = {"cpu": "cpu", "memory": "memory", "disk": "io"}


class LinuxHost:
    """Reads one ``/proc``.

    Parameters
    ----------
    root, sys_root : str
        Where the two trees are; other directories for captured ones.
    pid : int
        The process whose tree is summed.

    Attributes
    ----------
    odd : Odd
        Told what is left out.
    """

    def __init__(self, root: str = "/proc", *, sys_root: str = "/sys", pid: int) -> None:
        self.odd = Odd()
        self._files = ProcFiles(root)
        self._sys_root = sys_root
        self._tree = ProcessTree(self._files, pid, self.odd)
        self._devices: Collection[str] = ()
        self._physical: list[str] = []

    def cpu_times(self) -> dict[int, CpuTimes]:
        """Return the times of each core that is online."""
        return cores_of(self._files.keep("stat"), self.odd)

    def memory(self) -> Memory:
        """Return the machine's memory."""
        return memory_of_meminfo(self._files.keep("meminfo"), self.odd)

    def disks(self) -> dict[str, DiskCounts]:
        """Return the counters of each physical device, partitions left out."""
        rows = {words[2]: words for words in map(str.split, self._lines("diskstats"))}
        if rows.keys() != self._devices:
            self._devices = rows.keys()
            self._physical = [
                n for n in rows if not (_NOT_PHYSICAL.match(n) or _is_partition(n, rows))
            ]
        disks = {}
        for name in self._physical:
            words = rows[name]
            reads, read_sectors, writes, write_sectors, busy_ms = (
                int(words[k]) for k in (3, 5, 7, 9, 12)
            )
            disks[name] = DiskCounts(
                read_sectors * _SECTOR_BYTES,
                write_sectors * _SECTOR_BYTES,
                reads,
                writes,
                busy_ms / 1000,
            )
        return disks

    def networks(self) -> dict[str, NetCounts]:
        """Return the counters of each interface of this network namespace."""
        interfaces = {}
        for line in self._lines("net/dev")[2:]:
            name, _, rest = line.rpartition(":")
            received, _, failed, lost, _, _, _, _, sent, _, unsent, dropped = rest.split()[:12]
            interfaces[name.strip()] = NetCounts(
                int(received), int(sent), int(failed) + int(unsent), int(lost) + int(dropped)
            )
        return interfaces

    def pressure(self, area: str) -> float:
        """Return seconds in which some task waited."""
        content = self._files.keep(f"pressure/{_PRESSURE_FILES[area]}")
        start = (b"\n" + content).find(b"\nsome ")
        if start < 0:
            raise ValueError(f"no line is about some tasks: {shown(content)}")
        return number(content[start:].partition(b"\n")[0].rpartition(b" total=")[2]) / 1e6

    def frequency(self) -> float:
        """Return the mean clock of the cores whose clock is known."""
        clocks = clocks_of_governor(self._sys_root, self.odd)
        if not clocks:
            clocks = clocks_of_cpuinfo(self._files.read("cpuinfo"), self.odd)
        if not clocks:
            raise OSError("the kernel does not say at which clock the cores run")
        return sum(clocks) / len(clocks)

    def spaces(self) -> dict[str, Space]:
        """Return the room on each local file system; one mounted twice counts once."""
        return spaces_of(self._files.read("self/mounts"), self.odd)

    def labels(self) -> dict[str, str]:
        """Return operating system and processor."""
        try:
            model = model_of(self._files.read("cpuinfo"))
        except OSError:
            model = ""  # the kind of machine is a name, too
        labels = {
            "os": f"{platform.system()} {platform.release()}",
            "cpu": model or platform.machine(),
        }
        return {name: text for name, text in labels.items() if text}

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

    def _lines(self, path: str) -> list[str]:
        return _lines_of(self._files.keep(path))


def _lines_of(content: bytes) -> list[str]:
    # The files of /proc have no encoding; names of devices may hold any byte.
    return content.decode("utf-8", "replace").splitlines()


def _is_partition(name: str, devices: Container[str]) -> bool:
    """Return whether ``sda1`` or ``nvme0n1p1`` is a part of another device of the list."""
    stem = name.rstrip("0123456789")
    return stem != name and (stem in devices or stem.removesuffix("p") in devices)

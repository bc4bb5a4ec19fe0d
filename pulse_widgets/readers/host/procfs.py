"""The machine as Linux shows it below ``/proc`` and ``/sys``.

Reading the few files directly costs a quarter of the same numbers through psutil, and any captured
tree can stand in for the real one.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.clocks import clocks_of_cpuinfo, clocks_of_governor, model_of
from pulse_widgets.readers.host.cores import cores_of
from pulse_widgets.readers.host.disks import LinuxDisks
from pulse_widgets.readers.host.kernel_numbers import number
from pulse_widgets.readers.host.memory import memory_of_meminfo
from pulse_widgets.readers.host.mounts import spaces_of
from pulse_widgets.readers.host.networks import LinuxNetworks
from pulse_widgets.readers.host.omissions import Omissions, reason_of, shown
from pulse_widgets.readers.host.proc_files import ProcFiles
from pulse_widgets.readers.host.process_tree import ProcessTree

if TYPE_CHECKING:
    from pulse_widgets.readers.host.protocol import (
        CpuTimes,
        DiskCounts,
        NetCounts,
        Space,
        TreeIo,
        TreeUsage,
    )

__all__ = ["LinuxHost"]

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
    omissions : Omissions
        Told what is left out.
    """

    def __init__(self, root: str = "/proc", *, sys_root: str = "/sys", pid: int) -> None:
        self.omissions = Omissions()
        self._files = ProcFiles(root)
        self._sys_root = sys_root
        self._tree = ProcessTree(self._files, pid, self.omissions)
        # With a captured /proc the devices under /sys are those of another machine.
        sysfs = None if sys_root == "/sys" and not self._files.is_real else sys_root
        self._disks = LinuxDisks(self._files, sysfs, self.omissions)
        self._networks = LinuxNetworks(self._files, sysfs, self.omissions)

    def cpu_times(self) -> dict[int, CpuTimes]:
        """Return the times of each core that is online."""
        return cores_of(self._files.keep("stat"), self.omissions)

    def memory(self) -> dict[str, float | None]:
        """Return the machine's memory, by metric."""
        return memory_of_meminfo(self._files.keep("meminfo"), self.omissions)

    def disks(self) -> dict[str, DiskCounts]:
        """Return the counters of each device, partitions left out."""
        return self._disks.read()

    def networks(self) -> dict[str, NetCounts]:
        """Return the counters of each interface of this network namespace."""
        return self._networks.read()

    def pressure(self, area: str) -> float:
        """Return seconds in which some task waited."""
        content = self._files.keep(f"pressure/{_PRESSURE_FILES[area]}")
        start = (b"\n" + content).find(b"\nsome ")
        if start < 0:
            raise ValueError(f"no line is about some tasks: {shown(content)}")
        return number(content[start:].partition(b"\n")[0].rpartition(b" total=")[2]) / 1e6

    def frequency(self) -> float:
        """Return the mean clock of the cores whose clock is known."""
        clocks = clocks_of_governor(self._sys_root, self.omissions)
        if not clocks:
            clocks = clocks_of_cpuinfo(self._files.read("cpuinfo"), self.omissions)
        if not clocks:
            raise OSError("the kernel does not say at which clock the cores run")
        return sum(clocks) / len(clocks)

    def spaces(self) -> dict[str, Space]:
        """Return the room on each local file system; one mounted twice counts once."""
        return spaces_of(self._files.read("self/mounts"), self.omissions)

    def labels(self) -> dict[str, str]:
        """Return operating system and processor."""
        try:
            model = model_of(self._files.read("cpuinfo"))
        except OSError as error:
            model = ""  # the kind of machine is a name, too
            self.omissions("host cpu", f"only the kind of machine: {reason_of(error)}")
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

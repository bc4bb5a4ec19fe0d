"""What a machine is asked for, whatever its operating system: plain records, base units."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulse_widgets.readers.host.omissions import Omissions

__all__ = [
    "CpuTimes",
    "DiskCounts",
    "Host",
    "NetCounts",
    "Space",
    "TreeIo",
    "TreeUsage",
]


class CpuTimes(NamedTuple):
    """Seconds one core has spent since it was started."""

    user: float
    """In programs, those of low priority and guests included."""
    system: float
    """In the operating system, interrupts included."""
    idle: float
    iowait: float = 0.0
    steal: float = 0.0


class DiskCounts(NamedTuple):
    """What one block device did since the machine was started."""

    read_bytes: float
    write_bytes: float
    reads: float
    writes: float
    busy_s: float | None
    """None where the system does not count it."""
    in_sum: bool = True
    """Its bytes are part of the host's; those of a stacked device are counted below it."""


class NetCounts(NamedTuple):
    """What passed one network interface since it was created."""

    received_bytes: float
    sent_bytes: float
    errors: float
    dropped: float
    in_sum: bool = True
    """As in `DiskCounts`."""


class Space(NamedTuple):
    """Room on a file system, bytes."""

    used: float
    free: float
    """What an ordinary user can still fill."""
    total: float


class TreeIo(NamedTuple):
    """Storage traffic of a process and all processes below it, bytes; never falls.

    None is what cannot be read; also while a process that ended is between its parent's counter
    and its own.
    """

    read_bytes: float | None
    write_bytes: float | None


class TreeUsage(NamedTuple):
    """A process and all processes below it, summed; None is what cannot be read."""

    cpu_s: float | None
    """CPU seconds, those of ended children included; never falls; None also as in `TreeIo`."""
    rss_bytes: float | None
    virtual_bytes: float | None
    threads: int | None
    children: int | None
    """Processes below the first one."""


class Host(Protocol):
    """One machine as one operating system shows it.

    Every method may raise any `Exception`: only what it would have returned is then missing. What
    it leaves out of its answer it adds to `omissions`. (There are more methods than a seam should
    have: each reads a different file of the system, and must be able to fail alone.)
    """

    omissions: Omissions

    def cpu_times(self) -> Mapping[int, CpuTimes]:
        """Return the times of each core that is online, by the system's number of it."""

    def memory(self) -> Mapping[str, float | None]:
        """Return the machine's memory by metric, bytes; None is what it does not tell."""

    def disks(self) -> Mapping[str, DiskCounts]:
        """Return the counters of each device, partitions left out."""

    def networks(self) -> Mapping[str, NetCounts]:
        """Return the counters of each interface, loopback included."""

    def pressure(self, area: str) -> float:
        """Return seconds in which some task waited for ``cpu``, ``memory`` or ``disk``."""

    def frequency(self) -> float:
        """Return the mean clock of the cores, Hz."""

    def spaces(self) -> Mapping[str, Space]:
        """Return the room on each local file system, by its mount point."""

    def labels(self) -> Mapping[str, str]:
        """Return what does not change: operating system, processor."""

    def tree(self, *, thorough: bool) -> TreeUsage:
        """Return what the process and those below it use.

        `thorough` looks for children in every thread of every process, which is dear.
        """

    def tree_io(self) -> TreeIo:
        """Return what the processes found by `tree` moved to and from storage."""

    def tree_files(self) -> int:
        """Return how many files the processes found by `tree` hold open."""

    def close(self) -> None:
        """Close what is held open; may be called twice."""

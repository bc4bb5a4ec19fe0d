"""What a machine is asked for, whatever its operating system: plain records, base units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "CpuTimes",
    "DiskCounts",
    "Host",
    "Memory",
    "NetCounts",
    "Odd",
    "Space",
    "TreeIo",
    "TreeUsage",
]

Odd = Callable[[str, str], None]
"""Is told what could not be read (``disk:sda``), and why."""


class CpuTimes(NamedTuple):
    """Seconds one core has spent since it was started."""

    user: float
    """In programs, those of low priority and guests included."""
    system: float
    """In the operating system, interrupts included."""
    idle: float
    iowait: float = 0.0
    steal: float = 0.0


class Memory(NamedTuple):
    """Memory of the machine, bytes."""

    total: float
    available: float
    swap_total: float
    swap_used: float


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

    None while a process that ended is between its parent's counter and its own.
    """

    read_bytes: float | None
    write_bytes: float | None


class TreeUsage(NamedTuple):
    """A process and all processes below it, summed."""

    cpu_s: float | None
    """CPU seconds, those of ended children included; never falls; None as in `TreeIo`."""
    rss_bytes: float
    virtual_bytes: float
    threads: int
    children: int
    """Processes below the first one."""


class Host(Protocol):
    """One machine as one operating system shows it.

    Every method may raise `OSError` or `ValueError`, and takes away only what it would have
    returned. (More methods than a seam should have: each is a different file of the system, and
    must be able to fail alone.)
    """

    def cpu_times(self) -> Sequence[CpuTimes]:
        """Return the times of each core that is online, by its number."""

    def memory(self) -> Memory:
        """Return the machine's memory."""

    def disks(self) -> Mapping[str, DiskCounts]:
        """Return the counters of each device, partitions left out."""

    def networks(self) -> Mapping[str, NetCounts]:
        """Return the counters of each interface, loopback included."""

    def pressure(self) -> Mapping[str, float]:
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
        """Let go of what is held open; may be called twice."""

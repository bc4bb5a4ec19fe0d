"""Block devices: their counters, and which of them the host's sum is made of.

A byte that a program writes to a volume passes the volume, and then the disk below it. Both are
reported, but the host's sum counts each byte once: where it reaches a device of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.device_lines import BadLineError, DeviceLines, count_of
from pulse_widgets.readers.host.protocol import DiskCounts
from pulse_widgets.readers.host.sysfs import names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pulse_widgets.readers.host.omissions import Omissions
    from pulse_widgets.readers.host.proc_files import ProcFiles

__all__ = ["LinuxDisks", "which_disks"]

_PATH: Final = "/proc/diskstats"
_SECTOR_BYTES: Final = 512
_WORDS_LEAST: Final = 14
"""Kernel 4.18 and 5.5 have added columns at the end; partitions of kernel 2.6.24 had only 7."""

# Not counted as disks: RAM disks, files used as disks, drives for removable media.
_NO_DISK: Final = re.compile(r"(ram|zram|loop|sr|fd)\d+$")
# What passes requests on, the lower first. Network block devices (nbd, rbd) are not among them:
# this machine sees no other device that carries their bytes.
_STACKED: Final = tuple(map(re.compile, (r"md[\d_]", r"bcache\d", r"dm-\d", r"(zd|drbd)\d")))
# One way to a namespace of NVMe (nvme0c1n2), hidden below the device that all ways lead to
# (nvme0n2). Only kernels from 6.4 on count at that device too.
_NVME_PATH: Final = re.compile(r"(nvme\d+)c\d+(n\d+)$")
_DEEPEST: Final = 16
"""Layers of devices below one another; a captured tree may have a circle."""


class LinuxDisks:
    """Reads ``diskstats``.

    Parameters
    ----------
    files : ProcFiles
    sys_root : str or None
        The sys tree of the same machine, where there is one.
    omissions : Omissions
        Told what is left out.
    """

    def __init__(self, files: ProcFiles, sys_root: str | None, omissions: Omissions) -> None:
        self._files = files
        self._sys_root = sys_root
        self._lines = DeviceLines(_PATH, "disk", _parsed, omissions)
        self._names: Collection[str] = ()
        self._in_sum: dict[str, bool] = {}

    def read(self) -> dict[str, DiskCounts]:
        """Return the counters of each device that is no partition."""
        found = self._lines.take(self._files.keep("diskstats").split(b"\n"))
        if found.keys() != self._names:
            self._names = found.keys()
            self._in_sum = which_disks(self._names, self._below())
        return {
            name: DiskCounts._make((*counts, in_sum))
            for name, in_sum in self._in_sum.items()
            if (counts := found[name]) is not None
        }

    def _below(self) -> Callable[[str], list[str]]:
        """Return the function that lists the devices a device is made of."""
        base = f"{self._sys_root}/block"
        listed = names_in(base) if self._sys_root is not None else []

        def below(name: str) -> list[str]:
            there = name.replace("/", "!")
            slaves = names_in(f"{base}/{there}/slaves") if there in listed else []
            return [slave.replace("!", "/") for slave in slaves]

        return below


def which_disks(
    names: Collection[str], below: Callable[[str], list[str]] = lambda _: []
) -> dict[str, bool]:
    """Return the devices worth reporting, and whether the host's sum counts each.

    Parameters
    ----------
    names : collection of str
        All devices, partitions among them.
    below : callable
        Returns the devices that one is made of; an empty list where that is not known.

    Examples
    --------
    >>> which_disks(["sda", "sda1", "dm-0", "zram0"])
    {'sda': True, 'dm-0': False}
    >>> which_disks(["dm-3"])
    {'dm-3': True}
    """
    wholes = [n for n in names if not (_NO_DISK.match(n) or _whole_of(n, names))]
    many_ways = {way[1] + way[2] for way in map(_NVME_PATH.match, wholes) if way}
    levels = {n: 1 if n in many_ways else _level(n, names, below) for n in wholes}
    lowest = min(levels.values(), default=0)
    return {name: level == lowest for name, level in levels.items()}


def _level(name: str, names: Collection[str], below: Callable[[str], list[str]]) -> int:
    """Return 0 for a disk, and the more the further from the disks a stacked device may be."""
    stacked = next((k for k, kind in enumerate(_STACKED, 1) if kind.match(name)), 0)
    parts = below(name)
    if parts:
        # Some containers show the upper devices alone.
        return (stacked or 1) if _is_seen(parts, names, below) else 0
    return stacked


def _is_seen(devices: list[str], names: Collection[str], below: Callable[[str], list[str]]) -> bool:
    """Return whether one of the devices, or one that they are made of, is among the names."""
    for _ in range(_DEEPEST):
        if any(device in names or _whole_of(device, names) for device in devices):
            return True
        devices = list({part for device in devices for part in below(device)})
    return False


def _whole_of(name: str, names: Collection[str]) -> str | None:
    """Return the device that ``sda1`` or ``nvme0n1p1`` is a partition of, when it is there.

    A partition alone is a device: some virtual machines have ``xvda1`` and no ``xvda``.
    """
    stem = name.rstrip("0123456789")
    if stem == name:
        return None
    if stem in names:
        return stem
    whole = stem.removesuffix("p")
    return whole if whole in names and whole[-1:].isdigit() else None


def _parsed(line: bytes) -> tuple[bytes, tuple[float, ...]]:
    words = line.split()
    name = b"".join(words[2:3])
    if len(words) < _WORDS_LEAST:
        raise BadLineError(name, f"its line of {_PATH} has {len(words)} words")
    reads, read_sectors, writes, write_sectors, busy_ms = (
        count_of(words[k], name, _PATH) for k in (3, 5, 7, 9, 12)
    )
    return name, (
        read_sectors * _SECTOR_BYTES,
        write_sectors * _SECTOR_BYTES,
        reads,
        writes,
        busy_ms / 1000,
    )

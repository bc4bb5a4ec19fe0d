"""File systems of this machine, from the kernel's table of mounts."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from pulse_widgets.readers.host.omissions import reason_of, shown
from pulse_widgets.readers.host.protocol import Space

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["spaces_of"]

# A file system on the network is never asked: a dead server would block the thread for good.
_LOCAL: Final = frozenset(b"ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs reiserfs vfat".split())
_SHARED_MEMORY: Final = b"/dev/shm"  # where data loaders put their batches
_ESCAPE: Final = re.compile(rb"\\([0-3][0-7]{2})")
_LEAST_WORDS: Final = 3


class _Mount(NamedTuple):
    device: bytes
    path: bytes
    """May hold any byte but 0."""


def spaces_of(mounts: bytes, omit: Callable[[str, str], None]) -> dict[str, Space]:
    """Return the room on each local file system in ``/proc/self/mounts``, by its mount point.

    Of one that is mounted several times the shortest path counts that can be read; the root
    counts whatever it is. Without a path that can be read, it is told to `omit` and left out. One
    that another was mounted over is not seen: whoever asks for its path would ask the other.
    """
    spaces: dict[str, Space] = {}
    done: set[bytes] = set()
    failed: dict[bytes, tuple[str, str]] = {}
    # Shortest path first, so that the root comes first; equal lengths keep their order.
    for device, path in sorted(_local(mounts, omit), key=lambda mount: len(mount.path)):
        if device in done:
            continue
        try:
            # Containers mount single files, such as /etc/hosts, from the machine's disk.
            if not stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116  a path of bytes
                continue
            spaces[path.decode("utf-8", "replace")] = _space(path)
        except (OSError, ValueError) as error:
            failed.setdefault(device, (_escaped(path), reason_of(error)))
        else:
            done.add(device)
    for device, (name, why) in failed.items():
        if device not in done:
            omit(f"fs:{name} disk.total", why)
    return spaces


def _local(mounts: bytes, omit: Callable[[str, str], None]) -> list[_Mount]:
    """Return those that can be asked, in the order of their paths in the table."""
    seen: dict[bytes, _Mount | None] = {}
    for number, line in enumerate(mounts.splitlines(), 1):
        words = line.split()
        if len(words) < _LEAST_WORDS:
            if words:
                omit(f"fs:{number} disk.total", f"line {number} of the mounts is {shown(line)}")
            continue
        device, escaped, kind = words[:3]
        path = _ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), escaped)
        asked = kind in _LOCAL or path in (b"/", _SHARED_MEMORY)
        # Where several are mounted at one path, the last one hides the others.
        seen[path] = _Mount(device, path) if asked else None
    return [mount for mount in seen.values() if mount is not None]


def _space(path: bytes) -> Space:
    """Return the room below a path.

    Raises
    ------
    OSError, ValueError
        When it cannot be asked, or says what cannot be.
    """
    room = os.statvfs(path)
    if room.f_blocks == 0:
        raise ValueError("it is said to have 0 blocks")
    if not 0 <= room.f_bfree <= room.f_blocks or not 0 <= room.f_bavail <= room.f_blocks:
        raise ValueError(f"{room.f_bfree} of {room.f_blocks} blocks are said to be free")
    unit = room.f_frsize
    return Space((room.f_blocks - room.f_bfree) * unit, room.f_bavail * unit, room.f_blocks * unit)


def _escaped(path: bytes) -> str:
    """Return a path without a space, which ends an entity's name among what is missing."""
    return path.decode("utf-8", "replace").replace(" ", r"\040")

"""Which rows of a process are written: what several could read, only one of them records.

Two processes that watch one machine read the same GPUs. Were both to record, a counter would be
read twice within a millisecond, and its rate would jump between nothing and too much. So each
device belongs to the process that was first to record of it, until that ends; then another goes on.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import struct
import sys
import time
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.metrics.entities import is_users, parse
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.storage.directory import READERS, boot_id

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pulse_widgets.series.registry import Registry, SeriesInfo
    from pulse_widgets.series.rows import Rows

__all__ = ["Shares"]

AGAIN_S: Final = 2.0
"""Seconds before what another process records is asked for again."""
OWN: Final = frozenset({"kernel", "pulse"})
_FLOCK: Final = "hhqqi4x"


class Shares:
    """What this process records of what other writers on its machine could record as well.

    Parameters
    ----------
    directory : Path
        Of the recording.
    registry : Registry
    labels : callable returning mapping
        Host to entity to its labels.
    now : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        directory: Path,
        registry: Registry,
        labels: Callable[[], Mapping[str, Mapping[str, Mapping[str, str]]]] = dict,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = directory / READERS
        self._registry = registry
        self._labels = labels
        self._now = now
        self._fd = -1
        self._known = 0
        """Of so many series it is known whose they are."""
        self._series: dict[str, list[int]] = {}
        """The series of each key that another process holds."""
        self._held: set[str] = set()
        self._ours = np.ones(0, np.bool_)
        self._next = 0.0

    def of(self, rows: Rows) -> Rows:
        """Return the rows that this process is to write."""
        if len(self._registry) > self._known:
            self._learn()
        if not self._series:
            return rows
        if self._now() >= self._next:
            self._take_over()
        chosen = self._ours[rows.series]
        return rows if chosen.all() else rows.take(chosen)

    def close(self) -> None:
        """Leave everything to others; twice is harmless."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                # A forked child may still have the file open, which would keep the locks.
                self._lock(0, 0, fcntl.F_UNLCK)
        self.abandon()

    def abandon(self) -> None:
        """Close the file without unlocking it: the parent of this fork still holds it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _learn(self) -> None:
        """Find out of the series that are new whether they are ours."""
        fresh = self._registry.since(self._known)
        ours = np.ones(self._known + len(fresh), np.bool_)
        ours[: self._known] = self._ours
        labels = self._labels()
        for info in fresh:
            key = _key(info, labels)
            if key and (key in self._series or not self._holds(key)):
                ours[info.id] = False
                self._series.setdefault(key, []).append(info.id)
        self._ours, self._known = ours, len(ours)

    def _take_over(self) -> None:
        """Go on with what the process that recorded it has left."""
        self._next = self._now() + AGAIN_S
        for key in [key for key in self._series if not key.startswith("process ")]:
            if self._holds(key):
                self._ours[self._series.pop(key)] = True

    def _holds(self, key: str) -> bool:
        """Return whether what `key` stands for is ours, as it is where there are no locks."""
        if key in self._held:
            return True
        try:
            if self._fd < 0:
                flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
                self._fd = os.open(self._path, flags, 0o600)
            place = 1 + zlib.crc32(f"{platform.node()} {boot_id()} {key}".encode())
            self._lock(place, 1, fcntl.F_WRLCK)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                return False
        except NameError:
            pass  # another system
        self._held.add(key)
        return True

    def _lock(self, first: int, length: int, kind: int) -> None:
        # A lock of the open file, not of the process: closing another file does not lose it.
        wanted = struct.pack(_FLOCK, kind, os.SEEK_SET, first, length, 0)
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, wanted)


def _key(info: SeriesInfo, labels: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    """Return what a series belongs to, for one process to record; empty where each does.

    A device is one thing; of a machine each area is: ``cpu``, ``memory``, ``disk``.
    """
    entity = info.entity
    if is_users(entity):
        return ""
    first, *rest = parse(entity)
    part = rest[0] if first.kind == "rank" and rest else first
    if part.kind in OWN:
        # Another process of the same name, a forked child say, has other counters.
        sampled = kind_stored_as(info.kind).sampled
        return f"process {entity.partition('/')[0] if first.kind == 'rank' else ''}" * sampled
    device = next((f"gpu:{one.name}" for one in (first, *rest) if one.kind == "gpu"), first.kind)
    uuid = labels.get(info.host, {}).get(device, {}).get("uuid", device)
    return f"{info.host} {uuid} {info.metric.partition('.')[0]}"

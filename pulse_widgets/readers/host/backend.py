"""The machine and the kernel process: CPU, memory, disks, network, file systems.

The fields are called as in the catalog, in its units. Every part of the machine is read on its own:
one that fails takes only its own fields away, says why in `SystemBackend.missing`, and is asked
again after a while.
"""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import ReaderError
from pulse_widgets.readers.base import ALL_CLASSES, BackendCaps, BackendKind, RateClass, RawRecord
from pulse_widgets.readers.host.omissions import Omissions, reason_of
from pulse_widgets.readers.host.parts import HostParts
from pulse_widgets.readers.host.procfs import LinuxHost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.readers.host.parts import Fields, Part
    from pulse_widgets.readers.host.protocol import Host

__all__ = ["SystemBackend"]

_SHARED: Final = frozenset({"host", "kernel"})
"""The entities of which several parts tell."""
RETRY_MOST_S: Final = 60.0
"""A part that fails is asked again at once, then after 1, 2, 4, ... and at most so many seconds."""


class SystemBackend:
    """Reads this machine and one process on it.

    Parameters
    ----------
    pid : int or None
        The process reported as entity ``kernel``, with its children; None is this one.
    root, sys_root : str
        Where Linux's proc and sys trees are; other directories for captured ones.
    per_device : bool
        Report each core, disk and interface besides the host's sums.
    host : Host or None
        Where to read instead of what fits the operating system.
    """

    name = "system"
    title = "This machine"
    lasting = True

    def __init__(
        self,
        pid: int | None = None,
        *,
        root: str = "/proc",
        sys_root: str = "/sys",
        per_device: bool = True,
        host: Host | None = None,
    ) -> None:
        self.caps = BackendCaps(BackendKind.SYSTEM)
        self._omissions = Omissions()
        self._pid = os.getpid() if pid is None else pid
        self._make_host: Callable[[], Host] = lambda: host or _host_of(root, sys_root, self._pid)
        self._per_device = per_device
        self._machine: HostParts | None = None
        self._parts: tuple[Part, ...] = ()
        self._release = platform.release()

    @property
    def missing(self) -> Mapping[str, str]:
        """What is absent, and why; another mapping whenever that changes."""
        return self._omissions.reasons

    def open(self) -> None:
        """Find out what can be read on this machine.

        Raises
        ------
        ReaderError
            When no part of it can be read.
        """
        self.close()
        try:
            host = self._make_host()
        except Exception as error:
            raise _nothing(reason_of(error)) from error
        self._omissions = host.omissions
        self._omissions.forget()
        self._machine = HostParts(host, pid=self._pid, per_device=self._per_device)
        self._parts = self._machine.parts()
        found = self._gather(self._machine, ALL_CLASSES)
        names = {name for fields in found.values() for name in fields if "." in name}
        if not names:
            self.close()
            raise _nothing(next(iter(self.missing.values()), "no part of it answers"))
        if "cpu.user.total" in names:
            names.add("cpu.utilization")
        self.caps = BackendCaps(BackendKind.SYSTEM, frozenset(names))
        # A share of a very short time would be noise.
        self._machine.forget_times()

    def read(self, due: frozenset[RateClass]) -> list[RawRecord]:
        """Read the parts whose class is due; one record an entity.

        Raises
        ------
        ReaderError
            When the backend is not open.
        """
        if self._machine is None:
            raise ReaderError("the system reader is not open", "Call open() before read().")
        now, wall = time.monotonic(), time.time()
        rest = RawRecord(now, wall, "", {}, self.name, self._release)[4:]
        new = tuple.__new__  # half the cost of calling the class, for each of many cores
        return [
            new(RawRecord, (now, wall, entity, fields, *rest))
            for entity, fields in self._gather(self._machine, due).items()
        ]

    def close(self) -> None:
        """Close what is held open."""
        if self._machine is not None:
            self._machine.close()
        self._machine = None
        self._parts = ()

    def _gather(self, machine: HostParts, due: frozenset[RateClass]) -> Fields:
        machine.begin(thorough=RateClass.SLOW in due)
        result: Fields = {}
        now = time.monotonic()
        slow = RateClass.SLOW in due
        for part in self._parts:
            # What never changes is read once, and again only if something of it was missing.
            late = slow and part.incomplete and part.rate is RateClass.STATIC
            if (part.rate in due or late) and now >= part.retry_at:
                for entity, fields in self._ask(part, now).items():
                    if entity not in _SHARED:
                        result[entity] = fields
                    elif entity in result:
                        result[entity].update(fields)
                    else:
                        result[entity] = {**fields}
        return result

    def _ask(self, part: Part, now: float) -> Fields:
        """Return the fields of a part, with None for those it had last time only."""
        try:
            found = part.read()
        except Exception as error:  # noqa: BLE001  of whatever kind, only this part is lost
            found = {}
            reason = reason_of(error)
            for name in part.fields:
                self._omissions(f"{part.entity} {name}", reason)
            if part.failures:
                part.retry_at = now + min(2.0 ** min(part.failures - 1, 9), RETRY_MOST_S)
            part.failures += 1
        else:
            part.failures = 0
        part.incomplete = self._omissions.settle(part)
        before, part.delivered = part.delivered, found
        for entity, fields in before.items():
            there = found.get(entity)
            if there is None or not fields.keys() <= there.keys():
                return _with_gone(found, before)
        return found


def _with_gone(found: Fields, before: Fields) -> Fields:
    """Return the fields found, with None for those that were there before."""
    whole = dict(found)
    for entity, fields in before.items():
        there = found.get(entity, {})
        if not fields.keys() <= there.keys():
            whole[entity] = {**dict.fromkeys(fields), **there}
    return whole


def _host_of(root: str, sys_root: str, pid: int) -> Host:
    if platform.system() == "Linux" or root != "/proc":
        return LinuxHost(root, sys_root=sys_root, pid=pid)
    from pulse_widgets.readers.host.portable import PsutilHost

    return PsutilHost(pid=pid)


def _nothing(why: str) -> ReaderError:
    return ReaderError(
        f"nothing can be read of this machine: {why}",
        "Check that /proc is mounted and that this user may read it.",
    )

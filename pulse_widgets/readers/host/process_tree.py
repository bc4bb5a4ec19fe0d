"""A process and everything below it, summed, from ``/proc``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from pulse_widgets.readers.host.protocol import TreeIo, TreeUsage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulse_widgets.readers.host.proc_files import ProcFiles

__all__ = ["ProcessTree", "Rising"]

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Io(NamedTuple):
    """Storage traffic of one process."""

    read_bytes: float
    write_bytes: float


class _Process(NamedTuple):
    """What ``/proc/PID/stat`` says."""

    started: int
    own_s: float
    ended_s: float
    """CPU time of children that ended and were waited for."""
    threads: int
    virtual_bytes: int
    rss_bytes: int


class Rising:
    """A sum over processes that come and go, kept from falling.

    When a process ends, its counters move to its parent and the sum goes on as before. It falls
    for a moment where that move is seen half done, and for good where the counters are lost (the
    parent had ended first, or never waits). A fall is therefore a missing reading; one
    that lasts is accepted, and the counter goes on from where it was.

    Parameters
    ----------
    tolerance : float
        A fall up to this size is rounding: the counter stands still.
    """

    PATIENCE: Final = 3
    """So many readings in a row below the highest one make a fall a loss."""

    def __init__(self, tolerance: float = 0.0) -> None:
        self._tolerance = tolerance
        self._highest = 0.0
        self._lost = 0.0
        self._below = 0

    def take(self, whole: float) -> float | None:
        """Return the counter for the sum now; None while the sum is known to be incomplete."""
        level = self._lost + whole
        if level >= self._highest - self._tolerance:
            self._highest = max(self._highest, level)
            self._below = 0
            return self._highest
        self._below += 1
        if self._below < self.PATIENCE:
            return None
        self._lost += self._highest - level
        self._below = 0
        return self._highest


class ProcessTree:
    """Follows one process and those below it.

    Children are looked up in the main thread's list on every pass (one small file a process), and
    in the lists of all threads on a thorough one.

    Parameters
    ----------
    files : ProcFiles
        The proc tree.
    pid : int
        The process at the top.
    """

    def __init__(self, files: ProcFiles, pid: int) -> None:
        self._files = files
        self._pid = pid
        # The files of the process at the top last as long as the reader; others come and go. That
        # of its children reads as empty when it has ended, without an error.
        lasting = ["stat", "io", *([f"task/{pid}/children"] if pid == os.getpid() else [])]
        self._lasting = {f"{pid}/{name}" for name in lasting}
        self._members: dict[int, _Process] = {}
        self._io: dict[int, Io] = {}
        # The times of ended children are counted in ticks, those of running ones in nanoseconds.
        self._cpu = Rising(5 / _TICKS_A_SECOND)
        self._read = Rising()
        self._written = Rising()

    def usage(self, *, thorough: bool) -> TreeUsage:
        """Return the sums over the tree.

        Raises
        ------
        OSError
            When the process at the top cannot be read.
        """
        self._members = self._walk(thorough=thorough)
        _, own_s, ended_s, threads, virtual, rss = zip(*self._members.values(), strict=True)
        return TreeUsage(
            cpu_s=self._cpu.take(sum(own_s) + sum(ended_s)),
            rss_bytes=sum(rss),
            virtual_bytes=sum(virtual),
            threads=sum(threads),
            children=len(self._members) - 1,
        )

    def io(self) -> TreeIo:
        """Return storage traffic; the file of a process holds that of its ended children."""
        found = {}
        for pid in self._members:
            try:
                found[pid] = self._process_io(pid)
            except OSError:
                if pid == self._pid:
                    raise
                # It ended and nobody has waited for it yet; or it runs as another user.
                if pid in self._io:
                    found[pid] = self._io[pid]
        self._io = found
        return TreeIo(
            self._read.take(sum(io.read_bytes for io in found.values())),
            self._written.take(sum(io.write_bytes for io in found.values())),
        )

    def _process_io(self, pid: int) -> Io:
        words = self._bytes(pid, "io").split()
        return Io(
            int(words[words.index(b"read_bytes:") + 1]),
            int(words[words.index(b"write_bytes:") + 1]),
        )

    def files(self) -> int:
        """Return the number of open files."""
        count = 0
        for pid in self._members:
            try:
                count += len(os.listdir(f"{self._files.root}/{pid}/fd"))  # noqa: PTH208  only counted
            except OSError:
                if pid == self._pid:
                    raise
        return count

    def _walk(self, *, thorough: bool) -> dict[int, _Process]:
        found = {self._pid: self._process(self._pid)}
        # Children that a thorough pass found stay members until they end.
        waiting = [*self._children(self._pid, thorough=thorough), *self._members]
        while waiting:
            pid = waiting.pop()
            if pid in found:
                continue
            try:
                process = self._process(pid)
            except (OSError, ValueError):
                continue  # ended since it was listed
            known = self._members.get(pid)
            if known is not None and known.started != process.started:
                continue  # the number now belongs to another process
            found[pid] = process
            waiting.extend(self._children(pid, thorough=thorough))
        return found

    def _children(self, pid: int, *, thorough: bool) -> Iterable[int]:
        threads: list[str] = [str(pid)]
        try:
            if thorough:
                threads = os.listdir(f"{self._files.root}/{pid}/task")  # noqa: PTH208  strings are wanted
            return [
                int(child)
                for thread in threads
                for child in self._bytes(pid, f"task/{thread}/children").split()
            ]
        except OSError:
            return ()  # ended meanwhile; or the kernel has no such list

    def _process(self, pid: int) -> _Process:
        # The name, in parentheses, may hold anything.
        words = self._bytes(pid, "stat").rpartition(b") ")[2].split()
        user, system, ended_user, ended_system = (int(w) / _TICKS_A_SECOND for w in words[11:15])
        return _Process(
            started=int(words[19]),
            own_s=self._clock(pid, user + system),
            ended_s=ended_user + ended_system,
            threads=int(words[17]),
            virtual_bytes=int(words[20]),
            rss_bytes=int(words[21]) * _PAGE_BYTES,
        )

    def _clock(self, pid: int, otherwise: float) -> float:
        """Return the CPU time of a process to the nanosecond, where the system has it."""
        if not self._files.is_real:
            return otherwise  # only the real tree has clocks beside it
        try:
            # The clock of a process by number, as clock_getcpuclockid(3) makes it.
            return time.clock_gettime((~pid << 3) | 2)
        except OSError:
            return otherwise

    def _bytes(self, pid: int, name: str) -> bytes:
        path = f"{pid}/{name}"
        return (self._files.keep if path in self._lasting else self._files.read)(path)

"""A process and everything below it, summed, from ``/proc``."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pulse_widgets.readers.host.kernel_numbers import number, numbers
from pulse_widgets.readers.host.omissions import reason_of, shown
from pulse_widgets.readers.host.protocol import TreeIo, TreeUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.readers.host.proc_files import ProcFiles

__all__ = ["ProcessTree", "Rising"]

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


_SUMS: Final = (
    "process.cpu.total",
    "process.memory.rss",
    "process.memory.virtual",
    "process.threads",
)
_IO: Final = {b"read_bytes:": "process.read.total", b"write_bytes:": "process.write.total"}
_MOVING: Final = "the count of a process that ended is on its way to its parent"
_ENDED: Final = (FileNotFoundError, ProcessLookupError)
_USED_WORDS: Final = (11, 12, 13, 14, 17, 19, 20, 21)
"""Of ``/proc/PID/stat``, counted from the state: four times, threads, start, two sizes."""


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
    in the lists of all threads on a thorough one. A process that cannot be read, though it is
    there, is told to `omit`: the sums are those of the others, and what it had counted stays in.

    Parameters
    ----------
    files : ProcFiles
        The proc tree.
    pid : int
        The process at the top.
    omit : callable
        Told what is left out, and why.
    """

    def __init__(self, files: ProcFiles, pid: int, omit: Callable[[str, str], None]) -> None:
        self._files = files
        self._pid = pid
        self._omit = omit
        # The files of the process at the top last as long as the reader; others come and go. That
        # of its children reads as empty when it has ended, without an error.
        lasting = ["stat", "io", *([f"task/{pid}/children"] if pid == os.getpid() else [])]
        self._lasting = {f"{pid}/{name}" for name in lasting}
        self._members: dict[int, _Process | None] = {}
        self._io: dict[int, dict[bytes, int]] = {}
        """What the processes below the first one moved."""
        # The times of ended children are counted in ticks, those of running ones in nanoseconds.
        self._cpu = Rising(5 / _TICKS_A_SECOND)
        self._moved = {name: Rising() for name in _IO}

    def usage(self, *, thorough: bool) -> TreeUsage:
        """Return the sums over the tree; None where the process at the top cannot be read."""
        children_known = self._walk(thorough=thorough)
        children = len(self._members) - 1 if children_known else None
        if self._members[self._pid] is None:
            return TreeUsage(None, None, None, None, children)
        read = [process for process in self._members.values() if process is not None]
        _, own_s, ended_s, threads, virtual, rss = zip(*read, strict=True)
        cpu_s = self._cpu.take(sum(own_s) + sum(ended_s))
        if cpu_s is None:
            self._omit("kernel process.cpu.total", _MOVING)
        return TreeUsage(cpu_s, sum(rss), sum(virtual), sum(threads), children)

    def io(self) -> TreeIo:
        """Return storage traffic; the file of a process holds that of its ended children.

        Raises
        ------
        OSError
            When that of the process at the top cannot be read.
        """
        own = self._process_io(self._pid)
        found = {}
        for pid in self._members:
            if pid != self._pid:
                # It may be a zombie: ended, but its parent has not waited for it yet.
                found[pid] = {**self._io.get(pid, {}), **self._process_io(pid)}
        self._io = found
        return TreeIo(*(self._moved_bytes(name, own) for name in _IO))

    def _moved_bytes(self, name: bytes, own: Mapping[bytes, int]) -> float | None:
        if name not in own:
            return None
        moved = self._moved[name].take(
            own[name] + sum(each.get(name, 0) for each in self._io.values())
        )
        if moved is None:
            self._omit(f"kernel {_IO[name]}", _MOVING)
        return moved

    def _process_io(self, pid: int) -> dict[bytes, int]:
        """Return what can be read of one process: name to bytes."""
        try:
            words = self._bytes(pid, "io").split()
        except OSError as error:
            if pid == self._pid:
                raise
            self._left_out(pid, "process.read.total", error)
            return {}
        found = {}
        for name, field in _IO.items():
            try:
                found[name] = number(words[words.index(name) + 1])
            except (ValueError, IndexError):
                why = f"/proc/{pid}/io has no number after {shown(name)}"
                self._left_out(pid, field, ValueError(why))
        return found

    def files(self) -> int:
        """Return the number of open files.

        Raises
        ------
        OSError
            When those of the process at the top cannot be counted.
        """
        count = 0
        for pid in self._members:
            try:
                count += len(os.listdir(f"{self._files.root}/{pid}/fd"))  # noqa: PTH208  only counted
            except OSError as error:
                if pid == self._pid:
                    raise
                self._left_out(pid, "process.files", error)
        return count

    def _walk(self, *, thorough: bool) -> bool:
        """Find the members, and return whether the children of the one at the top are known."""
        before, found = self._members, {self._pid: self._known(self._pid)}
        children = self._children(self._pid, thorough=thorough)
        # Children that a thorough pass found stay members until they end.
        waiting = [*(children or ()), *before]
        while waiting:
            pid = waiting.pop()
            if pid in found:
                continue
            try:
                process = self._known(pid)
            except _ENDED:
                continue  # since it was listed
            known = before.get(pid)
            if known is not None and process is not None and known.started != process.started:
                continue  # the number now belongs to another process
            found[pid] = process
            waiting.extend(self._children(pid, thorough=thorough) or ())
        self._members = found
        return children is not None

    def _known(self, pid: int) -> _Process | None:
        """Return the counters of a process; once it cannot be read, the last ones known."""
        try:
            return self._process(pid)
        except (OSError, ValueError) as error:
            if pid == self._pid:
                for name in _SUMS:
                    self._left_out(pid, name, error)
                return None
            if isinstance(error, _ENDED):
                raise
            self._left_out(pid, _SUMS[0], error)
            known = self._members.get(pid)
            return known and known._replace(threads=0, virtual_bytes=0, rss_bytes=0)

    def _left_out(self, pid: int, field: str, error: Exception) -> None:
        if pid == self._pid:
            self._omit(f"kernel {field}", reason_of(error))
        elif not isinstance(error, _ENDED):
            self._omit(f"pid:{pid} {field}", reason_of(error))

    def _children(self, pid: int, *, thorough: bool) -> list[int] | None:
        """Return the children that are listed; None where the main thread's list is not there."""
        threads = [str(pid)]
        if thorough:
            with suppress(OSError):
                threads += os.listdir(f"{self._files.root}/{pid}/task")  # noqa: PTH208  strings are wanted
        found: list[int] | None = []
        for thread in dict.fromkeys(threads):
            try:
                words = self._bytes(pid, f"task/{thread}/children").split()
                children = numbers(words) if words else []
            except (OSError, ValueError) as error:
                # The thread has ended meanwhile; or the kernel has no such lists.
                if thread == str(pid):
                    self._left_out(pid, "process.children", error)
                    found = None
            else:
                found = [*(found or ()), *children]
        return found

    def _process(self, pid: int) -> _Process:
        # The name, in parentheses, may hold anything. After it comes the state, a letter.
        line = self._bytes(pid, "stat")
        words = line.rpartition(b") ")[2].split()
        if len(words) <= _USED_WORDS[-1] or not (len(words[0]) == 1 and words[0].isalpha()):
            raise ValueError(f"/proc/{pid}/stat is {shown(line)}")
        times = numbers([words[k] for k in _USED_WORDS])
        user, system, ended_user, ended_system, threads, started, virtual, resident = times
        return _Process(
            started=started,
            own_s=self._clock(pid, (user + system) / _TICKS_A_SECOND),
            ended_s=(ended_user + ended_system) / _TICKS_A_SECOND,
            threads=threads,
            virtual_bytes=virtual,
            rss_bytes=resident * _PAGE_BYTES,
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

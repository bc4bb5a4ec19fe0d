"""A process and everything below it, summed, as psutil shows them."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psutil

from pulse_widgets.readers.host.omissions import reason_of
from pulse_widgets.readers.host.process_tree import Rising
from pulse_widgets.readers.host.protocol import TreeIo, TreeUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PsutilTree", "asked"]

T = TypeVar("T")

_TIMES: Final = ("user", "system", "children_user", "children_system")
_CPU, _READ, _WRITTEN = "process.cpu.total", "process.read.total", "process.write.total"


def asked(question: Callable[[], T], what: str, omit: Callable[[str, str], None]) -> T | None:
    """Return the answer; None if the question fails, which is reported to `omit`."""
    try:
        return question()
    except Exception as error:  # noqa: BLE001  psutil throws what the system's calls throw
        omit(what, reason_of(error))
        return None


class PsutilTree:
    """Follows one process and those below it.

    The sums are those of the processes that answer, and what the others had counted; where the
    first one does not answer, there is none.

    Parameters
    ----------
    pid : int or None
        The process at the top; None is this one.
    omit : callable
        Told what is left out, and why.
    """

    def __init__(self, pid: int | None, omit: Callable[[str, str], None]) -> None:
        self._pid = pid
        self._omit = omit
        self._members: list[psutil.Process] = []
        self._no_children = "they were not looked for yet"
        self._counted: dict[psutil.Process, dict[str, float]] = {}
        self._rising = {_CPU: Rising(0.05), _READ: Rising(), _WRITTEN: Rising()}

    def usage(self, *, thorough: bool) -> TreeUsage:
        """Return the sums over the tree; new children are found when thorough.

        Raises
        ------
        psutil.NoSuchProcess
            When there is no process at the top.
        """
        if not self._members:
            self._members = [psutil.Process(self._pid)]
        if thorough:
            self._find()
        answers = [self._of(process) for process in self._members]
        cpu, rss, virtual, threads = zip(*answers, strict=True)
        children = sum(any(value is not None for value in each) for each in answers[1:])
        if self._no_children:
            self._omit("kernel process.children", self._no_children)
        return TreeUsage(
            self._counter(_CPU, cpu),
            _sum(rss),
            _sum(virtual),
            _sum(threads),
            None if self._no_children else children,
        )

    def io(self) -> TreeIo:
        """Return storage traffic of the tree."""
        if not hasattr(psutil.Process, "io_counters"):
            raise OSError(f"{platform.system()} does not count the traffic of a process")
        moved = [self._ask(process, "io_counters", _READ, _WRITTEN) for process in self._members]
        return TreeIo(
            self._counter(_READ, [io and io.read_bytes for io in moved]),
            self._counter(_WRITTEN, [io and io.write_bytes for io in moved]),
        )

    def files(self) -> int:
        """Return how many files the tree holds open."""
        name = "num_fds" if hasattr(psutil.Process, "num_fds") else "num_handles"
        first, *others = self._members
        count = int(getattr(first, name)())
        return count + sum(self._ask(process, name, "process.files") or 0 for process in others)

    def _find(self) -> None:
        first = self._members[0]
        try:
            self._members = [first, *first.children(recursive=True)]
        except Exception as error:  # noqa: BLE001  those that are known stay
            self._no_children = reason_of(error)
        else:
            self._no_children = ""
            self._counted = {p: c for p, c in self._counted.items() if p in self._members}

    def _of(self, process: psutil.Process) -> tuple[float | None, ...]:
        """Return CPU seconds, resident and virtual bytes, and threads of one process."""
        with process.oneshot():
            times = self._ask(process, "cpu_times", _CPU)
            memory = self._ask(
                process, "memory_info", "process.memory.rss", "process.memory.virtual"
            )
            threads = self._ask(process, "num_threads", "process.threads")
        return (
            times and sum(getattr(times, name, 0.0) for name in _TIMES),
            memory and memory.rss,
            memory and memory.vms,
            threads,
        )

    def _ask(self, process: psutil.Process, question: str, *fields: str) -> Any:
        """Return one answer of one process; None, and why, when it does not give it."""
        first = process is self._members[0]
        try:
            return getattr(process, question)()
        except Exception as error:  # noqa: BLE001  psutil throws what the system's calls throw
            if not first and isinstance(error, psutil.NoSuchProcess):
                self._counted.pop(process, None)  # its parent counts it now
                return None
            entity = "kernel" if first else f"pid:{process.pid}"
            for field in fields:
                self._omit(f"{entity} {field}", reason_of(error))
            return None

    def _counter(self, field: str, values: Sequence[float | None]) -> float | None:
        if values[0] is None:
            return None
        whole = 0.0
        for process, value in zip(self._members, values, strict=True):
            counted = self._counted.setdefault(process, {})
            if value is not None:
                counted[field] = value
            whole += counted.get(field, 0.0)
        risen = self._rising[field].take(whole)
        if risen is None:
            self._omit(f"kernel {field}", "a process has ended, and is not counted elsewhere yet")
        return risen


def _sum(values: Sequence[float | None]) -> Any:
    """Return the sum of those that are known; None where that of the first process is not."""
    return None if values[0] is None else sum(value for value in values if value is not None)

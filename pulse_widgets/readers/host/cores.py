"""Time that the cores of the machine spent: shares of it, and its sum."""

from __future__ import annotations

import math
import os
from itertools import chain
from operator import sub
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.kernel_numbers import MOST, numbers
from pulse_widgets.readers.host.omissions import shown
from pulse_widgets.readers.host.protocol import CpuTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CoreSeconds", "CpuMeter", "cores_of", "rounded"]

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_USED_WORDS: Final = 9
"""Of a core's line: its name and 8 numbers; old kernels have fewer."""
_LEAST_WORDS: Final = 5
_DIGITS: Final = b" 0123456789\n"
_ROUNDING_S: Final = 0.02
"""A tick each of idle and waiting time."""
_FIELDS: Final = len(CpuTimes._fields)
_LATE_S: Final = 5.0
"""A core spends no more than the time that passed, but the kernel may count it a little later."""
_BACK_S: Final = 1.0
"""A step back of more than this is a counter that begins anew."""
_MOST_S: Final = 1e10
"""Some 300 years: no core is so old."""


def cores_of(stat: bytes, omit: Callable[[str, str], None]) -> dict[int, CpuTimes]:
    """Return the times of each core in ``/proc/stat``, by the kernel's number of it.

    Raises
    ------
    ValueError
        When there is none that can be read.
    """
    # The counts of interrupts that follow can be very long, so they are cut off first.
    lines = stat.partition(b"\nintr")[0]
    rows = lines.splitlines()
    # Lines that have nothing but digits are read in half the time.
    names = b"cpu" * len(rows)
    plain = lines.startswith(b"cpu ") and lines.translate(None, _DIGITS) == names
    cores = _plain(rows[1:]) if plain else None
    if cores is None:
        cores = _careful(rows, omit)
    if not cores:
        raise ValueError(f"/proc/stat has no line of a core: it begins with {shown(stat)}")
    return cores


def _plain(lines: list[bytes]) -> dict[int, CpuTimes] | None:
    """Return the times of each core; None where any line is not as it should be."""
    hz = _TICKS_A_SECOND
    cores = {}
    try:
        for line in lines:
            # `user` includes the time of guests already.
            name, user, nice, system, idle, iowait, irq, softirq, steal = line.split(None, 9)[:9]
            if not name.startswith(b"cpu"):
                return None
            cores[int(name[3:])] = CpuTimes(
                (int(user) + int(nice)) / hz,
                (int(system) + int(irq) + int(softirq)) / hz,
                int(idle) / hz,
                int(iowait) / hz,
                int(steal) / hz,
            )
        most = max(map(max, cores.values()))
    except (ValueError, ArithmeticError):
        return None
    return cores if most < MOST / hz and len(cores) == len(lines) else None


def _careful(lines: list[bytes], omit: Callable[[str, str], None]) -> dict[int, CpuTimes]:
    """Return the times of each core whose line can be read."""
    rows = [words for words in map(bytes.split, lines) if words and words[0].startswith(b"cpu")]
    # All lines of one kernel have the same number of words: a shorter one was cut off.
    width = max(_LEAST_WORDS, min(_USED_WORDS, max(map(len, rows), default=0)))
    cores: dict[int, CpuTimes] = {}
    for words in rows:
        name = words[0][3:]
        # The line `cpu`, without a number, is the sum of all cores.
        if not name.isdigit() or len(name) > _USED_WORDS or int(name) in cores:
            continue
        try:
            cores[int(name)] = _times(words, width)
        except ValueError as error:
            omit(f"cpu:{int(name)} cpu.utilization", f"its line of /proc/stat {error}")
    return cores


def _times(words: list[bytes], width: int) -> CpuTimes:
    if len(words) < width:
        raise ValueError(f"has {len(words)} words, others have more")
    values = numbers(words[1:width])
    if width < _USED_WORDS:  # before Linux 2.6.11
        values += [0] * (_USED_WORDS - width)
    # `user` includes the time of guests already.
    user, nice, system, idle, iowait, irq, softirq, steal = values
    hz = _TICKS_A_SECOND
    return CpuTimes(
        (user + nice) / hz, (system + irq + softirq) / hz, idle / hz, iowait / hz, steal / hz
    )


class CpuMeter:
    """Turns the seconds a core has been busy into the share of time since the last look."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, float]] = {}
        self._at = -math.inf

    def utilization(
        self, cores: Mapping[int, CpuTimes], now: float
    ) -> tuple[float | None, dict[int, float | None]]:
        """Return the share of all cores together, and of each that was there last time, too.

        Nothing is known on the first look. A share is None when no time has passed on the core,
        and when its counters fell or rose by more than the time since the last look; the share of
        all is that of the others then. `now` is in monotonic seconds.
        """
        before, seconds = self._before, {}
        shares: dict[int, float | None] = {}
        all_busy = all_idle = 0.0
        limit = now - self._at + _LATE_S
        for core, (user, system, idle, iowait, steal) in cores.items():
            busy, rest = seconds[core] = user + system + steal, idle + iowait
            if core not in before:
                continue
            was_busy, was_rest = before[core]
            busy_s, rest_s = busy - was_busy, rest - was_rest
            if busy_s < 0 or rest_s < -_ROUNDING_S or busy_s + rest_s > limit:
                shares[core] = None
                continue
            # The kernel corrects idle time now and then, so a small fall is no reset.
            rest_s = max(rest_s, 0.0)
            shares[core] = _share(busy_s, rest_s)
            all_busy += busy_s
            all_idle += rest_s
        self._before, self._at = seconds, now
        return _share(all_busy, all_idle), shares


class CoreSeconds:
    """Seconds of the mean core, that never fall: their rate is a share of all cores' time.

    They grow by what the cores grew that were there at this look and the one before. A core that
    goes, comes, begins again from 0 or jumps brings no history of its own along. One whose counter
    steps back a little (time waiting for disks is known to) stands still until it is past where it
    was; after `PATIENCE` looks it counts from where it is.
    """

    PATIENCE: Final = 3

    def __init__(self) -> None:
        self._marks: Mapping[int, CpuTimes] = {}
        self._below: dict[int, int] = {}
        self._order: list[int] = []
        self._flat: list[float] = []
        """The marks, core by core."""
        self._at = -math.inf
        self._seconds: list[float] | None = None

    def take(self, cores: Mapping[int, CpuTimes], now: float) -> list[float] | None:
        """Return the seconds, in the order of `CpuTimes`.

        They are None where no core is known to have counted right since the look before. `now` is
        in monotonic seconds.
        """
        limit = now - self._at + _LATE_S
        self._at = now
        order, flat = list(cores), [*chain.from_iterable(cores.values())]
        if self._seconds is None:
            self._remember(cores, order, flat)
            self._seconds = _mean_of(cores)
            return self._seconds
        steps = list(map(sub, flat, self._flat)) if order == self._order else [-1.0]
        if min(steps) >= 0 and max(steps) <= limit:
            self._remember(cores, order, flat)
            common = len(order)
            self._seconds = [
                was + sum(steps[k::_FIELDS]) / common for k, was in enumerate(self._seconds)
            ]
            if self._below:
                self._below = {}
            return self._seconds
        risen, common = self._one_by_one(cores, limit)
        if not common:
            return None
        self._seconds = [
            was + rise / common for was, rise in zip(self._seconds, risen, strict=True)
        ]
        return self._seconds

    def _remember(self, marks: Mapping[int, CpuTimes], order: list[int], flat: list[float]) -> None:
        self._marks, self._order, self._flat = marks, order, flat

    def _one_by_one(self, cores: Mapping[int, CpuTimes], limit: float) -> tuple[list[float], int]:
        """Return by how much the cores grew that were there before, and how many those are."""
        marks: dict[int, CpuTimes] = {}
        below: dict[int, int] = {}
        risen = [0.0] * _FIELDS
        common = 0
        for core, now in cores.items():
            mark = self._marks.get(core)
            marks[core] = now
            if mark is None:
                continue
            steps = list(map(sub, now, mark))
            if max(steps) > limit or min(steps) < -_BACK_S:
                continue  # counts from where it is
            common += 1
            risen = [was + max(step, 0.0) for was, step in zip(risen, steps, strict=True)]
            if min(steps) < 0:
                below[core] = self._below.get(core, 0) + 1
                if below[core] < self.PATIENCE:
                    marks[core] = CpuTimes(*map(max, now, mark))
                else:
                    del below[core]
        self._below = below
        self._remember(marks, list(marks), [*chain.from_iterable(marks.values())])
        return risen, common


def _mean_of(cores: Mapping[int, CpuTimes]) -> list[float] | None:
    """Return the mean of the cores whose times can be true; None where there is none."""
    known = [times for times in cores.values() if max(times) < _MOST_S]
    return [sum(column) / len(known) for column in zip(*known, strict=True)] or None


def _share(busy: float, idle: float) -> float | None:
    if busy + idle <= 0:
        return None
    # The counters have ticks of 10 ms: more digits are noise, and cost bytes in a recording.
    return rounded(busy / (busy + idle), 1e4)


def rounded(value: float, parts: float) -> float:
    """Return what is not negative, rounded to so many parts of one."""
    # Built-in round() works on decimal digits, and costs as much as reading a file.
    return int(value * parts + 0.5) / parts

"""At which clock the cores run, and what the processor is called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.kernel_numbers import clock_hz

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["clocks_of_cpuinfo", "clocks_of_governor", "model_of"]

_SAMPLED_CORES: Final = 8
_NUMBER_MOST: Final = 64


def clocks_of_governor(sys_root: str, omit: Callable[[str, str], None]) -> list[float]:
    """Return the clocks, Hz, of at most eight cores, evenly spread; none where no file has one."""
    base = f"{sys_root}/devices/system/cpu"
    try:
        names = os.listdir(base)  # noqa: PTH208  strings are wanted
    except OSError:
        return []
    cores = sorted(
        int(n[3:]) for n in names if n.startswith("cpu") and n.isascii() and n[3:].isdigit()
    )
    clocks = []
    for core in cores[:: max(1, len(cores) // _SAMPLED_CORES)]:
        try:
            with open(f"{base}/cpu{core}/cpufreq/scaling_cur_freq", "rb") as file:  # noqa: PTH123
                clocks.append(clock_hz(file.read(_NUMBER_MOST).strip(), 1e3))
        except FileNotFoundError:
            continue  # offline, or without a governor
        except (OSError, ValueError) as error:
            omit(f"cpu:{core} cpu.frequency", f"its scaling_cur_freq: {error}")
    return clocks


def clocks_of_cpuinfo(cpuinfo: bytes, omit: Callable[[str, str], None]) -> list[float]:
    """Return the clocks, Hz, in ``/proc/cpuinfo``; not every processor has them there."""
    clocks = []
    for core, text in enumerate(_values(cpuinfo, b"cpu MHz")):
        try:
            clocks.append(clock_hz(text, 1e6))
        except ValueError as error:
            omit(f"cpu:{core} cpu.frequency", f"cpu MHz of /proc/cpuinfo {error}")
    return clocks


def model_of(cpuinfo: bytes) -> str:
    """Return what ``/proc/cpuinfo`` calls the processor; empty where it does not."""
    names = (name.decode("utf-8", "replace") for name in _values(cpuinfo, b"model name"))
    return next(filter(None, names), "")


def _values(cpuinfo: bytes, key: bytes) -> Iterator[bytes]:
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(b":")
        if name.strip() == key:
            yield value.strip()

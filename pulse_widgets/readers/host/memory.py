"""Memory of the machine, each number on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.kernel_numbers import number
from pulse_widgets.readers.host.omissions import shown

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MEMORY", "memory_of", "memory_of_meminfo"]

MEMORY: Final = ("memory.total", "memory.available", "memory.used", "swap.total", "swap.used")
"""The metrics that are read here; a system that has no such number leaves one out."""


def memory_of_meminfo(content: bytes, omit: Callable[[str, str], None]) -> dict[str, float | None]:
    """Return what ``/proc/meminfo`` says; a line that cannot be read only costs its own numbers.

    See `memory_of`.
    """
    lines = b"\n" + content
    total = _told(lines, b"MemTotal:", "memory.total", omit)
    swap_total = _told(lines, b"SwapTotal:", "swap.total", omit)
    swap_free = _told(lines, b"SwapFree:", "swap.used", omit)
    free = _told(lines, b"MemFree:", "", omit)
    if b"\nMemAvailable:" in lines:
        available = _told(lines, b"MemAvailable:", "memory.available", omit)
    else:  # kernels before 3.14
        parts = [free, *(_told(lines, name, "", omit) for name in (b"Buffers:", b"Cached:"))]
        available = None if free is None else sum(part for part in parts if part is not None)
        if free is None:
            omit("host memory.available", "/proc/meminfo has neither MemAvailable nor MemFree")
    return memory_of(total, free, available, (swap_total, swap_free), omit)


def memory_of(
    total: float | None,
    free: float | None,
    available: float | None,
    swap: tuple[float | None, float | None],
    omit: Callable[[str, str], None],
) -> dict[str, float | None]:
    """Return what follows from the numbers a system gives; None are those it does not give.

    Parameters
    ----------
    total, free, available : float or None
        Bytes.
    swap : tuple of float or None
        All of it, and what is free of it.
    omit : callable
        Told what is left out, if the system's own number is there and cannot be true.
    """
    if total is not None and total <= 0:
        omit("host memory.total", "the system says that there are 0 bytes of memory")
        total = None
    used = None
    if total is None:
        omit("host memory.used", "it is not known how much memory there is")
    elif available is not None and available <= total:
        used = total - available
    elif free is not None and free <= total:
        # A container is shown its own total and the available memory of the machine it is on.
        used = total - free
        why = "no available memory is known" if available is None else "more is available than all"
        omit("host memory.used", f"only as all that is not free, caches included: {why}")
    else:
        omit("host memory.used", "less memory than is free or available")
    if used is None:
        omit("host memory.utilization", "it is not known how much is used")
    if total is not None and available is not None and available > total:
        omit("host memory.available", "more than there is: a container is shown the machine's")
        available = None
    for name, value in (("memory.total", total), ("memory.available", available)):
        if value is None:
            omit(f"host {name}", "the system does not tell it")
    return {
        "memory.total": total,
        "memory.available": available,
        "memory.used": used,
        "swap.total": swap[0],
        "swap.used": _swap_used(*swap, omit),
    }


def _swap_used(
    total: float | None, free: float | None, omit: Callable[[str, str], None]
) -> float | None:
    if total is None or free is None:
        omit("host swap.used", "it is not known how much swap there is, or is free")
        return None
    if free > total:
        omit(
            "host swap.used", "0, as more is free than there is: a container is shown the machine's"
        )
        return 0.0
    return total - free


def _told(lines: bytes, name: bytes, field: str, omit: Callable[[str, str], None]) -> int | None:
    """Return the number after a name of meminfo, whose unit is KiB, in bytes."""
    start = lines.find(b"\n" + name)
    if start >= 0:
        end = lines.find(b"\n", start + 1)
        # The last line may have no end.
        words = lines[start + 1 + len(name) : end if end >= 0 else None].split()
        try:
            return number(words[0]) * 1024
        except (ValueError, IndexError):
            why = f"says {shown(b' '.join(words))}"
    else:
        why = "is not there"
    if field:
        omit(f"host {field}", f"{name.decode()[:-1]} of /proc/meminfo {why}")
    return None

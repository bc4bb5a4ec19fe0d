"""The charts that a saved picture is wished to have, and how much one chart holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "COLUMNS",
    "HEAT_ROWS",
    "LIMIT_OF",
    "MOST_LINES",
    "OWN_ROWS",
    "PREFERRED_CHARTS",
    "RANK_OWN",
    "RANK_REST",
    "SINGLE",
    "WHOLES",
    "PreferredChart",
]

MOST_LINES: Final = 8
"""Beyond so many lines a chart is a tangle; their common envelope tells more."""
HEAT_ROWS: Final = 64
"""Up to so many they are drawn as rows of colours."""
COLUMNS: Final = 3
"""Charts beside one another. Of metrics that only their owner knows there is a row."""
OWN_ROWS: Final = 2
"""Of the user's own there are so many rows before others than the first row of GPU charts."""


@dataclass(frozen=True, slots=True)
class PreferredChart:
    """A chart that is worth having: its metrics, and what each is called beside the others."""

    metrics: tuple[str, ...]
    title: str = ""
    words: tuple[str, ...] = ()
    first: bool = False
    """Comes before the user's own metrics."""


PREFERRED_CHARTS: Final = (
    PreferredChart(("gpu.utilization",), first=True),
    PreferredChart(("gpu.memory.used",), first=True),
    PreferredChart(("gpu.power",), first=True),
    PreferredChart(("gpu.temperature",), first=True),
    PreferredChart(("gpu.sm.active",)),
    PreferredChart(("gpu.tensor.active",)),
    PreferredChart(("gpu.dram.active",)),
    PreferredChart(("gpu.clock.sm",)),
    PreferredChart(("gpu.pcie.rx", "gpu.pcie.tx"), "PCIe", ("received", "sent")),
    PreferredChart(("gpu.nvlink.rx", "gpu.nvlink.tx"), "NVLink", ("received", "sent")),
    PreferredChart(("cpu.utilization",), first=True),
    PreferredChart(("memory.used",), first=True),
    PreferredChart(("process.cpu",), first=True),
    PreferredChart(("cgroup.cpu",)),
    PreferredChart(("cgroup.memory.used",)),
    PreferredChart(("disk.read", "disk.write"), "Disk", ("read", "written"), first=True),
    PreferredChart(("net.received", "net.sent"), "Network", ("received", "sent"), first=True),
    PreferredChart(("process.memory.rss",)),
    PreferredChart(("process.gpu.memory",)),
)

LIMIT_OF: Final[Mapping[str, str]] = {
    "gpu.memory.used": "gpu.memory.total",
    "gpu.power": "gpu.power.limit",
    "memory.used": "memory.total",
    "memory.available": "memory.total",
    "swap.used": "swap.total",
    "disk.used": "disk.total",
    "cgroup.cpu": "cgroup.cpu.limit",
    "cgroup.memory.used": "cgroup.memory.limit",
    "cgroup.memory.working_set": "cgroup.memory.limit",
}
"""The level that gives a reading its meaning, drawn as a line of its own in the same chart."""

# The whole before its parts: a chart of the machine, not of its 128 cores.
WHOLES: Final = ("gpu", "host", "kernel", "mig")
SINGLE: Final = ("host", "kernel")
"""Of these there is one to a machine."""
RANK_OWN: Final = 1
RANK_REST: Final = 3

"""What NVML is asked for: the fields of the batch, and what each name means.

The names are ours, in NVML's units (percent, milliwatts, megahertz ...); `TABLE` takes them to
the catalog. Those that have no field id stand in `calls`, with the call that gives them.

Two fields are never asked for: 185 (mean power; milliseconds a reading) and, because it blocks
for 20 ms, ``nvmlDeviceGetPcieThroughput``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.nvml.calls import CALL_RULES
from pulse_widgets.readers.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELDS", "NVLINK_COUNT", "POWER_DEFAULT", "TABLE", "FieldSpec"]

ALL_LINKS: Final = 0xFFFFFFFF
"""The scope that asks for the sum over a GPU's NVLinks."""

MOST_LINKS: Final = 18

NVLINK_COUNT: Final = 91
POWER_DEFAULT: Final = 189


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One reading of the batch.

    Attributes
    ----------
    name : str
    parts : tuple of (int, int)
        Field id and scope; the reading is the sum of the parts that the GPU has.
    rate : RateClass
    fallback : str
        The field or call that takes over where this one is not supported.
    zero_is_missing : bool
        The driver says 0 where it has no sensor.
    bytes_counter : bool
        A byte counter that is worthless when it is 32 bit wide, and that cannot run faster
        than the PCIe link.
    wide : bool
        What takes over is 64 bit wide: this one is not taken where it is of 32 bit.
    """

    name: str
    parts: tuple[tuple[int, int], ...]
    rate: RateClass
    fallback: str = ""
    zero_is_missing: bool = False
    bytes_counter: bool = False
    wide: bool = False


def _one(number: int, name: str, rate: RateClass, fallback: str = "") -> FieldSpec:
    return FieldSpec(name, ((number, 0),), rate, fallback)


def _nvlink(name: str, number: int, fallback: str = "", *, each: bool) -> FieldSpec:
    scopes = range(MOST_LINKS) if each else (ALL_LINKS,)
    parts = tuple((number, scope) for scope in scopes)
    return FieldSpec(name, parts, RateClass.COUNTERS, fallback)


_THROTTLED: Final = {
    "power": 74,
    "thermal": 75,
    "sync_boost": 76,
    "board": 77,
    "low_utilization": 78,
    "reliability": 79,
    "app_clocks": 80,
    "base_clocks": 81,
    "sw_thermal": 269,
    "hw_thermal": 270,
    "power_brake": 271,
}

FIELDS: Final[tuple[FieldSpec, ...]] = (
    _one(186, "power.instant", RateClass.GAUGES, fallback="power.mean"),
    FieldSpec("energy", ((83, 0),), RateClass.COUNTERS, fallback="energy.call", wide=True),
    *(_one(n, f"throttled.{why}", RateClass.COUNTERS) for why, n in _THROTTLED.items()),
    FieldSpec("pcie.rx", ((198, 0),), RateClass.COUNTERS, bytes_counter=True),
    FieldSpec("pcie.tx", ((197, 0),), RateClass.COUNTERS, bytes_counter=True),
    _nvlink("nvlink.rx", 139, "nvlink.rx.bytes", each=False),
    _nvlink("nvlink.tx", 138, "nvlink.tx.bytes", each=False),
    _nvlink("nvlink.rx.bytes", 204, "nvlink.rx.links", each=True),
    _nvlink("nvlink.tx.bytes", 202, "nvlink.tx.links", each=True),
    _nvlink("nvlink.rx.links", 139, each=True),
    _nvlink("nvlink.tx.links", 138, each=True),
    FieldSpec("temperature.memory", ((82, 0),), RateClass.SLOW, zero_is_missing=True),
    _one(94, "pcie.replays", RateClass.SLOW),
    FieldSpec("nvlink.errors", ((163, 0), (161, 0), (162, 0)), RateClass.SLOW),
    _one(3, "ecc.corrected", RateClass.SLOW),
    _one(4, "ecc.uncorrected", RateClass.SLOW),
    _one(142, "remapped.correctable", RateClass.SLOW),
    _one(143, "remapped.uncorrectable", RateClass.SLOW),
    _one(144, "remapped.pending", RateClass.SLOW),
    _one(145, "remapped.failed", RateClass.SLOW),
)

TABLE: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        **CALL_RULES,
        "power.instant": Rule("gpu.power", 1e-3),
        "power.limit.default": Rule("gpu.power.limit.default", 1e-3),
        "energy": Rule("gpu.energy", 1e-3),
        "temperature.memory": Rule("gpu.memory.temperature"),
        "temperature.slowdown": Rule("gpu.temperature.slowdown"),
        "clock.sm.max": Rule("gpu.clock.sm.max", 1e6),
        **{f"throttled.{why}": Rule(f"gpu.throttled.{why}.total", 1e-9) for why in _THROTTLED},
        "pcie.rx": Rule("gpu.pcie.rx.total"),
        "pcie.tx": Rule("gpu.pcie.tx.total"),
        "pcie.replays": Rule("gpu.pcie.replays.total"),
        # The sum over the links and the older per-link counters are in KiB, the newer in bytes.
        "nvlink.rx": Rule("gpu.nvlink.rx.total", 1024),
        "nvlink.tx": Rule("gpu.nvlink.tx.total", 1024),
        "nvlink.rx.links": Rule("gpu.nvlink.rx.total", 1024),
        "nvlink.tx.links": Rule("gpu.nvlink.tx.total", 1024),
        "nvlink.rx.bytes": Rule("gpu.nvlink.rx.total"),
        "nvlink.tx.bytes": Rule("gpu.nvlink.tx.total"),
        "nvlink.errors": Rule("gpu.nvlink.errors.total"),
        "ecc.corrected": Rule("gpu.ecc.corrected.total"),
        "ecc.uncorrected": Rule("gpu.ecc.uncorrected.total"),
        "remapped.correctable": Rule("gpu.remapped.correctable"),
        "remapped.uncorrectable": Rule("gpu.remapped.uncorrectable"),
        "remapped.pending": Rule("gpu.remapped.pending"),
        "remapped.failed": Rule("gpu.remapped.failed"),
        "xid": Rule("gpu.xid"),
        "xids": Rule("gpu.xids.total"),
        "processes": Rule("gpu.processes"),
        "process.memory": Rule("process.gpu.memory"),
    }
)
"""What each field means."""

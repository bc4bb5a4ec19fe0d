"""What a GPU is, asked once: its names, its limits, its MIG instances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.units import format_value
from pulse_widgets.readers.nvml.fields import NVLINK_COUNT, POWER_DEFAULT
from pulse_widgets.readers.select import Gpu, Mig

if TYPE_CHECKING:
    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["Facts", "MigFacts", "describe", "identify", "instances"]

_SLOWDOWN: Final = 1
_CLOCK_SM: Final = 1

_LANE_BYTES_S: Final = {1: 250e6, 2: 500e6, 3: 984.6e6, 4: 1969.2e6, 5: 3938.5e6, 6: 7563e6}
"""What one PCIe lane carries in one direction, by generation."""


@dataclass(frozen=True, slots=True)
class MigFacts:
    """A MIG instance: how to find it, its handle, its labels."""

    mig: Mig
    handle: Any
    labels: Fields


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change about a GPU.

    Attributes
    ----------
    labels : dict
        Text: name, uuid, bus id and so on.
    statics : dict
        Numbers, in NVML's units.
    link_bytes_s : float
        What its PCIe link carries in one direction; infinite where unknown.
    fans : int
    nvlinks : int or None
        None where the driver does not say.
    split : bool
        The GPU is in MIG mode.
    """

    labels: Fields = field(default_factory=dict)
    statics: Fields = field(default_factory=dict)
    link_bytes_s: float = float("inf")
    fans: int = 0
    nvlinks: int | None = None
    split: bool = False


def identify(library: Library, index: int, handle: Any) -> tuple[Gpu, list[MigFacts]]:
    """Return what choosing a GPU needs to know about it, and its MIG instances."""
    pci = library.ask("nvmlDeviceGetPciInfo", handle)
    found = instances(library, handle)
    gpu = Gpu(
        index=index,
        uuid=str(library.ask("nvmlDeviceGetUUID", handle) or ""),
        bus_id="" if pci is None else _text(pci.busId),
        minor=library.ask("nvmlDeviceGetMinorNumber", handle),
        migs=tuple(facts.mig for facts in found),
    )
    return gpu, found


def instances(library: Library, handle: Any) -> list[MigFacts]:
    """Return the MIG instances of a GPU; none where it is not split."""
    mode = library.ask("nvmlDeviceGetMigMode", handle)
    if not mode or not mode[0]:
        return []
    found = []
    for index in range(library.ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
        instance = library.ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
        if instance is not None:
            found.append(_instance(library, instance))
    return found


def _instance(library: Library, handle: Any) -> MigFacts:
    uuid = str(library.ask("nvmlDeviceGetUUID", handle) or "")
    gi = int(library.ask("nvmlDeviceGetGpuInstanceId", handle) or 0)
    ci = int(library.ask("nvmlDeviceGetComputeInstanceId", handle) or 0)
    name = str(library.ask("nvmlDeviceGetName", handle) or "")
    profile = name.rpartition("MIG ")[2]
    labels: Fields = {"uuid": uuid, "profile": profile, "gi": str(gi), "ci": str(ci)}
    return MigFacts(Mig(uuid, gi, ci), handle, labels)


def describe(library: Library, gpu: Gpu, handle: Any) -> Facts:
    """Ask a GPU for everything that does not change."""
    ask = library.ask
    generation = ask("nvmlDeviceGetMaxPcieLinkGeneration", handle)
    width = ask("nvmlDeviceGetMaxPcieLinkWidth", handle)
    limit = ask("nvmlDeviceGetEnforcedPowerLimit", handle)
    memory = ask("nvmlDeviceGetMemoryInfo", handle)
    capability = ask("nvmlDeviceGetCudaComputeCapability", handle)
    links, power = _fields(library, handle)
    labels = {
        "name": ask("nvmlDeviceGetName", handle),
        "uuid": gpu.uuid,
        "bus_id": gpu.bus_id,
        "minor": gpu.minor,
        "memory": None if memory is None else format_value(float(memory.total), "B"),
        "capability": None if capability is None else f"{capability[0]}.{capability[1]}",
        "pcie_max": f"Gen{generation} x{width}" if generation and width else None,
        "power_limit": None if limit is None else format_value(limit / 1000, "W"),
    }
    statics = {
        "power.limit.default": power,
        "clock.sm.max": ask("nvmlDeviceGetMaxClockInfo", handle, _CLOCK_SM),
        "temperature.slowdown": ask("nvmlDeviceGetTemperatureThreshold", handle, _SLOWDOWN),
    }
    lane = _LANE_BYTES_S.get(generation or 0, float("inf"))
    return Facts(
        labels={key: str(value) for key, value in labels.items() if value not in (None, "")},
        statics={key: float(value) for key, value in statics.items() if value is not None},
        link_bytes_s=lane * (width or 1),
        fans=int(ask("nvmlDeviceGetNumFans", handle) or 0),
        nvlinks=links,
        split=bool((ask("nvmlDeviceGetMigMode", handle) or [0])[0]),
    )


def _fields(library: Library, handle: Any) -> tuple[int | None, int | None]:
    """Return the number of NVLinks and the default power limit (mW)."""
    answer = library.ask("nvmlDeviceGetFieldValues", handle, [NVLINK_COUNT, POWER_DEFAULT])
    if answer is None:
        return None, None
    links, power = (None if slot.nvmlReturn else int(slot.value.uiVal) for slot in answer)
    return links, power


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value

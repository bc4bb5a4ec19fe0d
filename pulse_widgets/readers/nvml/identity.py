"""What a GPU is, asked once: its names, its limits, its MIG instances."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.units import format_value
from pulse_widgets.readers.nvml.calls import MOST_BYTES
from pulse_widgets.readers.nvml.fields import NVLINK_COUNT, POWER_DEFAULT
from pulse_widgets.readers.nvml.library import UNSUPPORTED, Code, reason_of, text_of
from pulse_widgets.readers.select import Gpu, Mig

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["Facts", "Instances", "MigFacts", "describe", "exhaust", "identify", "look_at"]

_SLOWDOWN: Final = 1
_CLOCK_SM: Final = 1

_LANE_BYTES_S: Final = {1: 250e6, 2: 500e6, 3: 984.6e6, 4: 1969.2e6, 5: 3938.5e6, 6: 7563e6}
"""What one PCIe lane carries in one direction, by generation."""


_MOST_FANS: Final = 64
_MOST_INSTANCES: Final = 64
_NO_NUMBER: Final = 0xFFFFFFFF
"""All ones: the driver's word for a number that it does not have."""


@dataclass(frozen=True, slots=True)
class MigFacts:
    """A MIG instance: how to find it, its handle, its labels."""

    mig: Mig
    handle: Any
    labels: Fields


@dataclass(frozen=True, slots=True)
class Instances:
    """What a look at the MIG instances of a GPU found.

    Attributes
    ----------
    uuid : str
        That of the GPU itself.
    split : bool
        The GPU is in MIG mode.
    migs : list of MigFacts
    whole : bool
        Nothing failed: an instance that is not among them is not there.
    refused : str
        Why an instance that is there has no name; empty where each has one.
    """

    uuid: str
    split: bool
    migs: list[MigFacts]
    whole: bool
    refused: str = ""


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
    fans, nvlinks : int or None
        None where the driver does not say.
    split : bool
        The GPU is in MIG mode.
    memory_bytes : float
        All of its memory; infinite where unknown.
    missing : dict of str to str
        Why a number of `statics` is not there.
    """

    labels: Fields = field(default_factory=dict)
    statics: Fields = field(default_factory=dict)
    link_bytes_s: float = float("inf")
    fans: int | None = 0
    nvlinks: int | None = None
    split: bool = False
    memory_bytes: float = float("inf")
    missing: dict[str, str] = field(default_factory=dict)


def identify(library: Library, index: int, handle: Any, uuid: str) -> tuple[Gpu, Instances]:
    """Return what choosing a GPU needs to know about it, and its MIG instances."""
    found = exhaust(look_at(library, handle, ()))
    capability = library.ask("nvmlDeviceGetCudaComputeCapability", handle)
    gpu = Gpu(
        index=index,
        uuid=uuid,
        bus_id=bus_of(library, handle),
        minor=library.ask("nvmlDeviceGetMinorNumber", handle),
        migs=tuple(facts.mig for facts in found.migs),
        model=f"{library.text('nvmlDeviceGetName', handle)} {capability}",
    )
    return gpu, found


def bus_of(library: Library, handle: Any) -> str:
    """Return the PCI bus id, "" where it is unknown."""
    pci = library.ask("nvmlDeviceGetPciInfo", handle)
    # The structures of nvidia-ml-py decode what they give, and raise; the members do not.
    return "" if pci is None else text_of(type(pci).busId.__get__(pci))


def exhaust(look: Generator[None, None, Instances]) -> Instances:
    """Return what a look finds, all its calls made at once."""
    while True:
        try:
            next(look)
        except StopIteration as end:
            found: Instances = end.value
            return found


def look_at(
    library: Library, handle: Any, known: Collection[MigFacts]
) -> Generator[None, None, Instances]:
    """Look whether a GPU is the same and which MIG instances it has, one driver call at a step.

    Those that are known, by their UUIDs, are not asked for more than that.
    """
    uuid = library.text("nvmlDeviceGetUUID", handle)
    yield
    mode, code = library.attempt("nvmlDeviceGetMigMode", handle)
    if code or not mode[0]:
        return Instances(uuid, False, [], not code or code in UNSUPPORTED)
    yield
    places = library.ask("nvmlDeviceGetMaxMigDeviceCount", handle)
    before = {facts.mig.uuid: facts for facts in known if facts.mig.uuid}
    found: dict[tuple[int, int], MigFacts] = {}
    whole, refused = places is not None, ""
    for index in range(min(places or 0, _MOST_INSTANCES)):
        yield
        instance, code = library.attempt("nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
        if instance is None:
            whole = whole and code in {Code.NOT_FOUND, Code.INVALID_ARGUMENT}
            continue
        yield
        name = library.text("nvmlDeviceGetUUID", instance)
        facts = before.get(name)
        if facts is not None:
            facts = replace(facts, handle=instance)
        else:
            facts, code = yield from _instance(library, instance, name)
        if facts is None:
            whole, refused = False, reason_of(code)
        else:
            found.setdefault((facts.mig.gi, facts.mig.ci), facts)
    return Instances(uuid, True, list(found.values()), whole, refused)


def _instance(
    library: Library, handle: Any, uuid: str
) -> Generator[None, None, tuple[MigFacts | None, int]]:
    """Return what a MIG instance is; None and the code where it does not say its numbers."""
    ids: list[int] = []
    for symbol in ("nvmlDeviceGetGpuInstanceId", "nvmlDeviceGetComputeInstanceId"):
        yield
        number, code = library.attempt(symbol, handle)
        if code or number > _MOST_INSTANCES:
            return None, code or Code.NO_DATA
        ids.append(number)
    yield
    profile = library.text("nvmlDeviceGetName", handle).rpartition("MIG ")[2]
    gi, ci = ids
    labels: Fields = {"uuid": uuid, "profile": profile, "gi": str(gi), "ci": str(ci)}
    return MigFacts(Mig(uuid, gi, ci), handle, labels), Code.OK


def describe(library: Library, gpu: Gpu, handle: Any, found: Instances) -> Facts:
    """Ask a GPU for everything that does not change."""
    ask = library.ask
    generation = _number(ask("nvmlDeviceGetMaxPcieLinkGeneration", handle))
    width = _number(ask("nvmlDeviceGetMaxPcieLinkWidth", handle))
    limit = _number(ask("nvmlDeviceGetEnforcedPowerLimit", handle))
    memory = getattr(ask("nvmlDeviceGetMemoryInfo", handle), "total", 0)
    capability = ask("nvmlDeviceGetCudaComputeCapability", handle)
    links, power = _fields(library, handle)
    labels = {
        "name": library.text("nvmlDeviceGetName", handle),
        "uuid": gpu.uuid,
        "bus_id": gpu.bus_id,
        "minor": gpu.minor,
        "memory": format_value(float(memory), "B") if 0 < memory <= MOST_BYTES else None,
        "capability": None if capability is None else f"{capability[0]}.{capability[1]}",
        "pcie_max": f"Gen{generation} x{width}" if generation and width else None,
        "power_limit": None if limit is None else format_value(limit / 1000, "W"),
    }
    clock = library.attempt("nvmlDeviceGetMaxClockInfo", handle, _CLOCK_SM)
    slowdown = library.attempt("nvmlDeviceGetTemperatureThreshold", handle, _SLOWDOWN)
    statics, missing = _statics(
        {"power.limit.default": power, "clock.sm.max": clock, "temperature.slowdown": slowdown}
    )
    fans, code = library.attempt("nvmlDeviceGetNumFans", handle)
    if code == Code.NOT_SUPPORTED:
        fans = 0
    return Facts(
        labels={key: str(value) for key, value in labels.items() if value not in (None, "")},
        statics=statics,
        link_bytes_s=_LANE_BYTES_S.get(generation or 0, float("inf")) * (width or 1),
        fans=fans if fans is None or fans <= _MOST_FANS else None,
        nvlinks=_number(links[0]),
        split=found.split,
        memory_bytes=float(memory) if 0 < memory <= MOST_BYTES else float("inf"),
        missing=missing,
    )


def _number(value: Any) -> int | None:
    """Return a number of 32 bit, None where it is the driver's word for no number."""
    return None if value is None or value == _NO_NUMBER else int(value)


def _statics(answers: dict[str, tuple[Any, int]]) -> tuple[Fields, dict[str, str]]:
    """Return what there is of some answers and their codes, and why the rest is missing."""
    given: Fields = {}
    missing: dict[str, str] = {}
    for name, (value, code) in answers.items():
        number = _number(value)
        if number is None:
            missing[name] = reason_of(code) if code else f"the driver says {value}"
        else:
            given[name] = float(number)
    return given, missing


def _fields(library: Library, handle: Any) -> tuple[tuple[Any, int], tuple[Any, int]]:
    """Return the number of NVLinks and the default power limit (mW), each with its code."""
    wanted = [NVLINK_COUNT, POWER_DEFAULT]
    answer, code = library.attempt("nvmlDeviceGetFieldValues", handle, wanted)
    if answer is None:
        return (None, code), (None, code)
    links, power = (
        (None if slot.nvmlReturn else slot.value.uiVal, slot.nvmlReturn) for slot in answer
    )
    return links, power

"""What a GPU is: its names, its limits, its MIG instances.

It is asked once; what the driver did not say then is asked again now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pulse_widgets.metrics.units import format_value
from pulse_widgets.readers.nvml.calls import MOST_BYTES
from pulse_widgets.readers.nvml.fields import NVLINK_COUNT, POWER_DEFAULT
from pulse_widgets.readers.nvml.library import UNSUPPORTED, Code, reason_of, text_of
from pulse_widgets.readers.select import Gpu, Mig

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping

    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.library import Library

    Answers = Mapping[str, tuple[Any, str]]
    """What the driver said, by question; or None and why it said nothing."""

    Question = Callable[[Library, Any], tuple[Any, str]]

__all__ = [
    "Facts", "Instances", "MigFacts",
    "describe", "exhaust", "facts_of", "identify", "inquire", "look_at",
]  # fmt: skip

T = TypeVar("T")

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
    answers : mapping of str to (value, str)
        What all this was made from.
    """

    labels: Fields = field(default_factory=dict)
    statics: Fields = field(default_factory=dict)
    link_bytes_s: float = float("inf")
    fans: int | None = 0
    nvlinks: int | None = None
    split: bool = False
    memory_bytes: float = float("inf")
    missing: dict[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)


def identify(library: Library, index: int, handle: Any, uuid: str) -> tuple[Gpu, Instances]:
    """Return what choosing a GPU needs to know about it, and its MIG instances."""
    found = exhaust(look_at(library, handle, ()))
    capability = library.ask("nvmlDeviceGetCudaComputeCapability", handle)
    name = library.text("nvmlDeviceGetName", handle)
    gpu = Gpu(
        index=index,
        uuid=uuid,
        bus_id=bus_of(library, handle),
        minor=library.ask("nvmlDeviceGetMinorNumber", handle),
        migs=tuple(facts.mig for facts in found.migs),
        model=f"{name} {capability}" if name and capability else "",
    )
    return gpu, found


def bus_of(library: Library, handle: Any) -> str:
    """Return the PCI bus id, "" where it is unknown."""
    pci = library.ask("nvmlDeviceGetPciInfo", handle)
    # The structures of nvidia-ml-py decode what they give, and raise; the members do not.
    return "" if pci is None else text_of(type(pci).busId.__get__(pci))


def exhaust(look: Generator[None, None, T]) -> T:
    """Return what a look finds, all its calls made at once."""
    while True:
        try:
            next(look)
        except StopIteration as end:
            found: T = end.value
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


def describe(library: Library, gpu: Gpu, handle: Any, found: Instances, index: int) -> Facts:
    """Ask a GPU, which the driver counts as `index`, for everything that does not change."""
    known: dict[str, tuple[Any, str]] = {
        "uuid": (gpu.uuid or None, ""),
        "bus_id": (gpu.bus_id or None, ""),
        "minor": (gpu.minor, ""),
        "index": (None if index == gpu.index else index, ""),
    }
    known.update(exhaust(inquire(library, handle, known)))
    return facts_of(known, split=found.split)


def inquire(
    library: Library, handle: Any, known: Answers
) -> Generator[None, None, dict[str, tuple[Any, str]]]:
    """Ask what is not known yet, one driver call at a step; return what there is now to know."""
    found: dict[str, tuple[Any, str]] = {}
    for name, question in _QUESTIONS.items():
        if known.get(name, (None, ""))[0] is None:
            yield
            found[name] = question(library, handle)
    return found


def _call(
    name: str, *arguments: Any, take: Callable[[Any], Any] = lambda answer: answer
) -> Question:
    """Return what asks by a function of nvidia-ml-py."""

    def ask(library: Library, handle: Any) -> tuple[Any, str]:
        return _answer(*library.attempt(name, handle, *arguments), take)

    return ask


def _answer(
    value: Any, code: int, take: Callable[[Any], Any] = lambda answer: answer
) -> tuple[Any, str]:
    if code:
        return None, reason_of(code)
    if value == _NO_NUMBER:
        return None, f"the driver says {value}"
    return take(value), ""


def _field(number: int) -> Question:
    """Return what asks for the value of a field that is a number of 32 bit."""

    def ask(library: Library, handle: Any) -> tuple[Any, str]:
        slots, code = library.attempt("nvmlDeviceGetFieldValues", handle, [number])
        if code:
            return _answer(None, code)
        return _answer(slots[0].value.uiVal, slots[0].nvmlReturn)

    return ask


def _fans(library: Library, handle: Any) -> tuple[Any, str]:
    fans, code = library.attempt("nvmlDeviceGetNumFans", handle)
    if code == Code.NOT_SUPPORTED:
        return 0, ""
    return _answer(fans, code, lambda count: count if count <= _MOST_FANS else None)


_QUESTIONS: Final[dict[str, Question]] = {
    "name": lambda library, handle: (library.text("nvmlDeviceGetName", handle) or None, ""),
    "uuid": lambda library, handle: (library.text("nvmlDeviceGetUUID", handle) or None, ""),
    "bus_id": lambda library, handle: (bus_of(library, handle) or None, ""),
    "minor": _call("nvmlDeviceGetMinorNumber"),
    "memory": _call(
        "nvmlDeviceGetMemoryInfo",
        take=lambda info: info.total if 0 < getattr(info, "total", 0) <= MOST_BYTES else None,
    ),
    "capability": _call(
        "nvmlDeviceGetCudaComputeCapability", take=lambda pair: f"{pair[0]}.{pair[1]}"
    ),
    "generation": _call("nvmlDeviceGetMaxPcieLinkGeneration"),
    "width": _call("nvmlDeviceGetMaxPcieLinkWidth"),
    "power.limit": _call("nvmlDeviceGetEnforcedPowerLimit"),
    "power.limit.default": _field(POWER_DEFAULT),
    "clock.sm.max": _call("nvmlDeviceGetMaxClockInfo", _CLOCK_SM),
    "temperature.slowdown": _call("nvmlDeviceGetTemperatureThreshold", _SLOWDOWN),
    "fans": _fans,
    "nvlinks": _field(NVLINK_COUNT),
}
"""What a GPU is asked, to the one driver call that says it."""

_STATICS: Final = ("power.limit.default", "clock.sm.max", "temperature.slowdown")


def facts_of(answers: Answers, *, split: bool) -> Facts:
    """Return what answers say of a GPU."""
    said = {name: value for name, (value, _) in answers.items() if value is not None}
    generation, width = said.get("generation"), said.get("width")
    limit, memory = said.get("power.limit"), said.get("memory")
    labels = {
        **{name: said.get(name) for name in ("name", "uuid", "bus_id", "minor", "index")},
        "memory": None if memory is None else format_value(float(memory), "B"),
        "capability": said.get("capability"),
        "pcie_max": f"Gen{generation} x{width}" if generation and width else None,
        "power_limit": None if limit is None else format_value(limit / 1000, "W"),
    }
    return Facts(
        labels={key: str(value) for key, value in labels.items() if value is not None},
        statics={name: float(said[name]) for name in _STATICS if name in said},
        link_bytes_s=_LANE_BYTES_S.get(generation or 0, float("inf")) * (width or 1),
        fans=said.get("fans"),
        nvlinks=said.get("nvlinks"),
        split=split,
        memory_bytes=float("inf") if memory is None else float(memory),
        missing={name: answers[name][1] for name in _STATICS if name not in said},
        answers=answers,
    )

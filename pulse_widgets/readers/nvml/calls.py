"""The readings of a GPU that have no field id: one driver call each, with buffers kept."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.metrics.units import format_value
from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.readers.nvml.library import Library

    Take = Callable[["Fields"], Mapping[str, str] | None]
    """Puts an answer under our names; returns why some of it cannot be true, where some cannot."""

__all__ = [
    "CALLS", "CALL_RULES", "MIG_MEMORY", "MOST_BYTES",
    "Call", "CallSpec", "Fields", "make_call", "unsigned",
]  # fmt: skip

Fields = dict[str, "float | str | None"]

_CLOCK_SM, _CLOCK_MEMORY = 1, 2
_SENSOR_GPU = 0


@dataclass(frozen=True, slots=True)
class CallSpec:
    """One driver call.

    Attributes
    ----------
    name : str
        The field it gives, or what its fields have in common.
    symbol : str
        The function.
    fields : tuple of str
    rate : RateClass
    make : callable
        From nvidia-ml-py to the arguments after the handle, and what takes the answer.
    queued : bool
        Made when there is room among the calls of a tick.
    fallback : str
        The call that takes over where this one gives nothing.
    stand_in : bool
        Only made where the one that names it as fallback gives nothing.
    """

    name: str
    symbol: str
    fields: tuple[str, ...]
    rate: RateClass
    make: Callable[[Any], tuple[tuple[Any, ...], Take]]
    queued: bool = False
    fallback: str = ""
    stand_in: bool = False


class Call:
    """One driver call of one GPU, and what is known of it.

    Attributes
    ----------
    reason : str
        Why it is missing; empty while it is made.
    delivered : bool
        It has had a value.
    failures : int
        How often in a row it has failed.
    more : int
        Not 0: it must be made again before it has its value.
    odd : mapping of str to str, or None
        Why some of the last answer cannot be true, by field.
    flawed : bool
        It failed, or its answer could not be true: the next answer is checked closely.
    """

    __slots__ = (
        "_arguments",
        "_function",
        "_take",
        "delivered",
        "failures",
        "flawed",
        "more",
        "odd",
        "reason",
        "spec",
    )

    def __init__(
        self,
        spec: CallSpec,
        function: Callable[..., int],
        arguments: tuple[Any, ...],
        take: Take,
    ) -> None:
        self.spec = spec
        self.more = self.failures = 0
        self.odd: Mapping[str, str] | None = None
        self.reason = ""
        self.delivered = self.flawed = False
        self._function = function
        self._arguments = arguments
        self._take = take

    def __call__(self, into: Fields) -> int:
        """Make the call; put what it says into `into` and return its code."""
        code = self._function(*self._arguments)
        if not code:
            odd = self._take(into)
            if odd or self.flawed:
                self.odd, self.flawed = odd, True
        return code


def _taking(out: Any, parts: Mapping[str, str]) -> Take:
    """Return what puts members of a structure under our names."""
    # The structures of nvidia-ml-py look at every member they give; the members do not.
    getters = [(name, getattr(type(out), member).__get__) for name, member in parts.items()]

    def take(into: Fields) -> None:
        for name, get in getters:
            into[name] = get(out)

    return take


def unsigned(name: str, *before: Any) -> Callable[[Any], Any]:
    """Return what makes a call that gives one whole number of 32 bit."""
    return _number(name, ctypes.c_uint, *before)


def _number(name: str, kind: Any, *before: Any) -> Callable[[Any], Any]:
    def make(_nvml: Any) -> Any:
        out = kind()

        def take(into: Fields) -> None:
            into[name] = out.value

        return (*before, ctypes.byref(out)), take

    return make


def _engine(name: str) -> Callable[[Any], Any]:
    def make(_nvml: Any) -> Any:
        out, period = ctypes.c_uint(), ctypes.c_uint()

        def take(into: Fields) -> None:
            into[name] = out.value

        return (ctypes.byref(out), ctypes.byref(period)), take

    return make


def _temperature(nvml: Any) -> Any:
    out = nvml.c_nvmlTemperature_v1_t(nvml.nvmlTemperature_v1, _SENSOR_GPU)
    return (ctypes.byref(out),), _taking(out, {"temperature.gpu": "temperature"})


def _margin(nvml: Any) -> Any:
    out = nvml.c_nvmlMarginTemperature_v1_t(nvml.nvmlMarginTemperature_v1)
    return (ctypes.byref(out),), _taking(out, {"temperature.margin": "marginTemperature"})


def _memory(nvml: Any) -> Any:
    out = nvml.c_nvmlMemory_v2_t(nvml.nvmlMemory_v2)
    return (ctypes.byref(out),), _taking_memory(out, _MEMORY)


def _old_memory(nvml: Any) -> Any:
    # This version counts what the driver reserves as used, and does not say how much.
    out = nvml.c_nvmlMemory_t()
    return (ctypes.byref(out),), _taking_memory(out, _OLD_MEMORY)


def _taking_memory(out: Any, names: tuple[str, ...]) -> Take:
    """Return what takes bytes, the total last; no part of it can be larger than the whole."""
    *parts, (_, whole) = [(name, getattr(type(out), name.split(".")[1]).__get__) for name in names]

    def take(into: Fields) -> Mapping[str, str] | None:
        total = whole(out)
        odd = not 0 < total <= MOST_BYTES
        for name, get in parts:
            into[name] = value = get(out)
            if value > total:
                odd = True
        into["memory.total"] = total
        return _impossible(into, names, total) if odd else None

    return take


def _impossible(into: Fields, names: tuple[str, ...], total: int) -> Mapping[str, str]:
    """Have what cannot be be missing; return why, by field."""
    whole = format_value(float(total), "B")
    if not 0 < total <= MOST_BYTES:
        into.update(dict.fromkeys(names))
        return dict.fromkeys(names, f"the driver says that the GPU has {whole}")
    odd: dict[str, str] = {}
    for name in names:
        value = into[name]
        if isinstance(value, int | float) and value > total:
            odd[name] = f"the driver says {format_value(float(value), 'B')} of {whole}"
            into[name] = None
    return odd


def _utilization(nvml: Any) -> Any:
    out = nvml.c_nvmlUtilization_t()
    parts = {f"utilization.{part}": part for part in ("gpu", "memory")}
    return (ctypes.byref(out),), _taking(out, parts)


def _slow(name: str, symbol: str, make: Callable[[Any], Any]) -> CallSpec:
    return CallSpec(name, f"nvmlDevice{symbol}", (name,), RateClass.SLOW, make, queued=True)


_MEMORY = ("memory.used", "memory.free", "memory.reserved", "memory.total")
_OLD_MEMORY = ("memory.used", "memory.free", "memory.total")
MOST_BYTES = 1 << 60
"""No GPU has more memory than this; all ones are the driver's word for "not known"."""

CALLS: Final[tuple[CallSpec, ...]] = (
    CallSpec(
        "memory",
        "nvmlDeviceGetMemoryInfo_v2",
        _MEMORY,
        RateClass.GAUGES,
        _memory,
        fallback="memory.v1",
    ),
    CallSpec(
        "memory.v1",
        "nvmlDeviceGetMemoryInfo",
        _OLD_MEMORY,
        RateClass.GAUGES,
        _old_memory,
        stand_in=True,
    ),
    CallSpec(
        "temperature",
        "nvmlDeviceGetTemperatureV",
        ("temperature.gpu",),
        RateClass.GAUGES,
        _temperature,
        fallback="temperature.old",
    ),
    CallSpec(
        "temperature.old",
        "nvmlDeviceGetTemperature",
        ("temperature.gpu",),
        RateClass.GAUGES,
        unsigned("temperature.gpu", ctypes.c_uint(_SENSOR_GPU)),
        stand_in=True,
    ),
    CallSpec(
        "clock.sm",
        "nvmlDeviceGetClockInfo",
        ("clock.sm",),
        RateClass.GAUGES,
        unsigned("clock.sm", ctypes.c_uint(_CLOCK_SM)),
    ),
    CallSpec(
        "clock.memory",
        "nvmlDeviceGetClockInfo",
        ("clock.memory",),
        RateClass.GAUGES,
        unsigned("clock.memory", ctypes.c_uint(_CLOCK_MEMORY)),
    ),
    CallSpec(
        "power.mean",
        "nvmlDeviceGetPowerUsage",
        ("power.mean",),
        RateClass.GAUGES,
        unsigned("power.mean"),
        stand_in=True,
    ),
    CallSpec(
        "energy.call",
        "nvmlDeviceGetTotalEnergyConsumption",
        ("energy.call",),
        RateClass.COUNTERS,
        _number("energy.call", ctypes.c_ulonglong),
        stand_in=True,
    ),
    CallSpec(
        "utilization",
        "nvmlDeviceGetUtilizationRates",
        ("utilization.gpu", "utilization.memory"),
        RateClass.BUFFERED,
        _utilization,
    ),
    CallSpec(
        "throttle.reasons",
        "nvmlDeviceGetCurrentClocksEventReasons",
        ("throttle.reasons",),
        RateClass.BUFFERED,
        _number("throttle.reasons", ctypes.c_ulonglong),
        queued=True,
        fallback="throttle.reasons.old",
    ),
    CallSpec(
        "throttle.reasons.old",
        "nvmlDeviceGetCurrentClocksThrottleReasons",
        ("throttle.reasons",),
        RateClass.BUFFERED,
        _number("throttle.reasons", ctypes.c_ulonglong),
        queued=True,
        stand_in=True,
    ),
    CallSpec(
        "fan.speed.old",
        "nvmlDeviceGetFanSpeed",
        ("fan.speed",),
        RateClass.SLOW,
        unsigned("fan.speed"),
        queued=True,
        stand_in=True,
    ),
    _slow("power.limit", "GetEnforcedPowerLimit", unsigned("power.limit")),
    _slow("pstate", "GetPerformanceState", unsigned("pstate")),
    _slow("temperature.margin", "GetMarginTemperature", _margin),
    _slow("pcie.generation", "GetCurrPcieLinkGeneration", unsigned("pcie.generation")),
    _slow("pcie.width", "GetCurrPcieLinkWidth", unsigned("pcie.width")),
    _slow("utilization.encoder", "GetEncoderUtilization", _engine("utilization.encoder")),
    _slow("utilization.decoder", "GetDecoderUtilization", _engine("utilization.decoder")),
    _slow("utilization.jpeg", "GetJpgUtilization", _engine("utilization.jpeg")),
    _slow("utilization.ofa", "GetOfaUtilization", _engine("utilization.ofa")),
)

MIG_MEMORY: Final = tuple(spec for spec in CALLS if spec.name in {"memory", "memory.v1"})
"""What a MIG instance is asked, the newer call first."""

_PERCENT: Final = {
    "utilization.gpu": "gpu.utilization",
    "utilization.memory": "gpu.memory.busy",
    "utilization.encoder": "gpu.encoder.utilization",
    "utilization.decoder": "gpu.decoder.utilization",
    "utilization.jpeg": "gpu.jpeg.utilization",
    "utilization.ofa": "gpu.ofa.utilization",
}

CALL_RULES: Final[Mapping[str, Rule]] = {
    # More than 100 % is a known corruption of the driver, not a busy GPU.
    **{name: Rule(metric, 0.01, lowest=0, highest=100) for name, metric in _PERCENT.items()},
    "memory.used": Rule("gpu.memory.used"),
    "memory.free": Rule("gpu.memory.free"),
    "memory.reserved": Rule("gpu.memory.reserved"),
    "memory.total": Rule("gpu.memory.total"),
    "power.mean": Rule("gpu.power", 1e-3),
    "power.limit": Rule("gpu.power.limit", 1e-3),
    "energy.call": Rule("gpu.energy", 1e-3),
    "temperature.gpu": Rule("gpu.temperature"),
    "temperature.margin": Rule("gpu.temperature.margin"),
    "fan.speed": Rule("gpu.fan", 0.01),
    "clock.sm": Rule("gpu.clock.sm", 1e6),
    "clock.memory": Rule("gpu.clock.memory", 1e6),
    "pstate": Rule("gpu.pstate"),
    "throttle.reasons": Rule("gpu.throttled"),
    "pcie.generation": Rule("gpu.pcie.generation"),
    "pcie.width": Rule("gpu.pcie.width"),
}
"""What each field of the calls means."""


def make_call(spec: CallSpec, library: Library, handle: Any) -> Call | None:
    """Return the call on one device, None where driver or nvidia-ml-py are too old to have it."""
    function = library.function(spec.symbol)
    if function is None:
        return None
    try:
        arguments, take = library.shared(spec, partial(spec.make, library.nvml))
    except AttributeError:
        return None
    return Call(spec, function, (handle, *arguments), take)

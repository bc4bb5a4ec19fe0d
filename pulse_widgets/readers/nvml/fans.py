"""The mean speed of all fans of a GPU, and what stands in for it."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.nvml.calls import Call, CallSpec, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["FANS", "make_fans"]

FANS: Final = CallSpec(
    "fan.speed",
    "nvmlDeviceGetFanSpeed_v2",
    ("fan.speed",),
    RateClass.SLOW,
    unsigned("fan.speed"),
    queued=True,
    fallback="fan.speed.old",
)


class _FanCalls(Call):
    """The mean speed of all fans: one driver call a fan, one fan at a time."""

    __slots__ = ("_speeds",)

    def __init__(self, function: Callable[..., int], handle: Any, fans: int) -> None:
        super().__init__(FANS, function, (handle,), lambda _: None)
        self._speeds = [0] * fans

    def __call__(self, into: Fields) -> int:
        speed, fan = ctypes.c_uint(), self.more
        code = self._function(*self._arguments, ctypes.c_uint(fan), ctypes.byref(speed))
        self._speeds[fan] = speed.value
        self.more = 0 if code else (fan + 1) % len(self._speeds)
        if not code and not self.more:
            into["fan.speed"] = sum(self._speeds) / len(self._speeds)
        return code


def make_fans(library: Library, handle: Any, fans: int) -> Call | None:
    """Return the call for the mean speed of all fans, None where the driver is too old."""
    function = library.function(FANS.symbol)
    return None if function is None else _FanCalls(function, handle, fans)

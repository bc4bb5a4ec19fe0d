"""What is known of one field of the batch on one GPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from pulse_widgets.readers.base import RateClass

if TYPE_CHECKING:
    from pulse_widgets.readers.nvml.fields import FieldSpec

__all__ = ["TRIALS", "FieldState"]

DEAR_US: Final = 100
"""A field that needs longer than this each time is read rarely."""

TRIALS: Final = 3

_32_BIT: Final = 1 << 32

_WRAPS: Final = 3
"""Falls from the upper half of 32 bit after which a counter is taken for one that wraps there.

One fall is a reset of the GPU: a gap, and the counter goes on.
"""

_TRIAL: Final = 10
"""Readings without a fall after which a counter that wrapped before is believed again."""


@dataclass(slots=True)
class FieldState:
    """What is known of one field on one GPU.

    Attributes
    ----------
    spec : FieldSpec
    rate : RateClass
        The spec's, until the field turns out to be dear.
    parts : list of (int, int)
        The parts that the GPU answers.
    reason : str
        Why it is missing; empty while it is read.
    for_good : bool
        Asking again is pointless for the rest of the session.
    delivered : bool
        It has had a value.
    settled : bool
        A value of it needs no further look: it is no sum and no byte counter, and its cost is
        known.
    failures : int
        How often in a row it has failed.
    had : set of (int, int)
        The parts that have had a value: without one of them the sum is not known any more.
    last : (float, int) or None
        What a byte counter said last, and when.
    wraps : int
        How often a byte counter has fallen as one of 32 bit does.
    trial : int
        Readings that a byte counter has yet to give before it is believed again.
    """

    spec: FieldSpec
    rate: RateClass
    parts: list[tuple[int, int]]
    reason: str = ""
    for_good: bool = False
    delivered: bool = False
    settled: bool = False
    failures: int = 0
    cost_us: list[int] = field(default_factory=list)
    had: set[tuple[int, int]] = field(default_factory=set)
    last: tuple[float, int] | None = None
    wraps: int = 0
    trial: int = 0

    @classmethod
    def of(cls, spec: FieldSpec) -> FieldState:
        """Return the state before the first reading."""
        return cls(spec, spec.rate, list(spec.parts))

    @property
    def never_settles(self) -> bool:
        """Each value of it needs a look: of a sum, a byte counter, a sensor that may be none."""
        spec = self.spec
        return spec.bytes_counter or spec.zero_is_missing or len(spec.parts) > 1

    @property
    def incomplete(self) -> bool:
        """It is missing, or some of its parts are not asked for."""
        return bool(self.reason) or len(self.parts) < len(self.spec.parts)

    def retry(self) -> None:
        """Be asked once more, all parts of it."""
        if self.reason and self.wraps >= _WRAPS:
            self.trial, self.last = _TRIAL, None
        self.reason, self.parts, self.failures = "", list(self.spec.parts), 0

    def restart(self) -> None:
        """Forget what the last values were: the GPU may have been reset."""
        self.last = None
        self.had.clear()

    def refuse(self, reason: str, *, for_good: bool = False) -> None:
        """Be missing from now on."""
        self.reason, self.for_good = reason, for_good or self.for_good
        self.settled = False

    def judge(
        self, value: float, fallen_from: float, *, narrow: bool
    ) -> Literal["", "gap", "trial", "wraps"]:
        """Say what becomes of a value of a byte counter that deserves a look; "" is a good one.

        Parameters
        ----------
        value : float
        fallen_from : float
            The value before, where that was higher, else 0.
        narrow : bool
            The driver gives it in 32 bits or less.
        """
        if _32_BIT // 2 <= fallen_from < _32_BIT:
            self.wraps += 1
        elif value >= _32_BIT:
            self.wraps = self.trial = 0
        if narrow or (fallen_from and self.wraps >= _WRAPS):
            self.trial = 0
            return "wraps"
        if self.trial:
            self.trial -= 1
            return "trial"
        return "gap" if fallen_from else ""

    def charge(self, latency_us: int) -> bool:
        """Note what a reading cost; return whether the field has just turned out to be dear."""
        self.cost_us.append(latency_us)
        if len(self.cost_us) < TRIALS or min(self.cost_us) <= DEAR_US:
            return False
        if self.spec.fallback:
            self.refuse(f"too dear: {min(self.cost_us)} us a reading", for_good=True)
        self.rate = RateClass.SLOW
        return True

"""The state of a session or replay as views show it in words: one record.

`State.plain` makes of it what goes over the wire and into saved outputs. The page's types,
``js/core/state.gen.ts``, are written from these classes by ``python -m
pulse_widgets.exchange.export``: the texts beside the fields are the comments there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal

from pulse_widgets.series.header import Doc, plain
from pulse_widgets.series.wire import WIRE_VERSION

__all__ = [
    "NO_COST",
    "NO_KERNEL",
    "AlertPhase",
    "AlertState",
    "CostState",
    "KernelState",
    "MissingField",
    "Phase",
    "Readiness",
    "RecordingState",
    "SourceState",
    "State",
    "Versions",
    "package_version",
]

Phase = Literal["running", "stopped", "replay"]
"""Where a session is in its life."""
Readiness = Literal["ok", "starting", "absent", "failed", "stalled", "abandoned", "off"]
"""How a source does."""


@dataclass(frozen=True, slots=True)
class MissingField:
    """A reading that a source does not deliver here."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source does, and what is missing of it."""

    name: str
    title: Annotated[str, Doc("What it is called on screen, where not by its name.", later=True)]
    group: Annotated[str, Doc("The heading its charts stand under.", later=True)]
    state: Readiness
    problem: str
    remedy: str
    missing: tuple[MissingField, ...]
    rejected: Annotated[int, Doc("Values that could not be true, and so are missing.", later=True)]


@dataclass(frozen=True, slots=True)
class RecordingState:
    """Where the recording is, and what is wrong with it."""

    path: str | None
    bytes: int
    problem: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class CostState:
    """What watching costs the process that is watched."""

    cores: float | None
    tick_s: Annotated[float | None, Doc("How long the slowest reading took.")]
    dropped: int
    sent_bytes_per_s: float
    slowed: Annotated[str, Doc("Which readings are made rarer to keep within the budget.")]


@dataclass(frozen=True, slots=True)
class KernelState:
    """What the kernel is doing."""

    busy: bool
    cell: Annotated[int | None, Doc("The number of the cell that runs.")]


AlertPhase = Literal["quiet", "pending", "firing", "no data", "failed"]
"""How an alert does: untrue; true, but not for long enough; true for long enough; unknown."""


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert that the user set, and how it does now."""

    text: Annotated[str, Doc("The condition, as the user wrote it.")]
    phase: AlertPhase
    host: str
    entity: Annotated[str, Doc("Of what it is true; empty where it is of nothing.")]
    value: Annotated[float | None, Doc("The newest value of the left side, in its base unit.")]
    since: Annotated[float | None, Doc("Since when it has been in this phase, Unix seconds.")]
    problem: Annotated[str, Doc("Why it failed, or what it waits for.")]


@dataclass(frozen=True, slots=True)
class Versions:
    """What the kernel's end is."""

    package: str
    wire: tuple[int, int]

    @classmethod
    def here(cls) -> Versions:
        """Return those of this installation."""
        return cls(package_version(), WIRE_VERSION)


NO_COST: Final = CostState(cores=None, tick_s=None, dropped=0, sent_bytes_per_s=0, slowed="")
"""Where nothing is watched."""
NO_KERNEL: Final = KernelState(busy=False, cell=None)


@dataclass(frozen=True, slots=True)
class State:
    """What a session says of itself. Times are Unix seconds; null is "not known" or "not over"."""

    phase: Phase
    title: str
    t0: float
    t1: float | None
    interval: Annotated[float, Doc("Seconds between two readings.")]
    simulated: bool
    sources: tuple[SourceState, ...]
    recording: RecordingState
    cost: CostState
    kernel: KernelState
    versions: Versions
    as_of: Annotated[
        float | None,
        Doc("Of a replay whose session was still running when it was opened: when.", later=True),
    ] = None
    alerts: Annotated[
        tuple[AlertState, ...], Doc("In the order in which they were set.", later=True)
    ] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as values that JSON has: dicts and lists of texts and numbers."""
        made: dict[str, Any] = plain(self)
        return made


@cache
def package_version() -> str:
    """Return the version of the installed package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pulse_widgets")
    except PackageNotFoundError:
        return "0"

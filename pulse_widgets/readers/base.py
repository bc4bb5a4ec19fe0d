"""What every source of readings looks like: records, capabilities, the `Backend` protocol.

A backend is synchronous, owns no thread and coerces nothing: a reading that the source
does not have is `None`, never 0. What its fields mean is said by its `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from pulse_widgets.errors import (
    DcgmStreamError,
    ExporterCollisionDetected,
    HostEngineUnavailableError,
    ReaderError,
    ReservationDeniedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ALL_CLASSES",
    "Backend",
    "BackendCaps",
    "BackendKind",
    "DcgmStreamError",
    "ExporterCollisionDetected",
    "HostEngineUnavailableError",
    "RateClass",
    "RawRecord",
    "RawSamples",
    "ReaderConfig",
    "ReaderError",
    "ReservationDeniedError",
    "alike",
]


class BackendKind(Enum):
    """The sources that the package names, whether or not this version reads them."""

    DCGMI = "dcgmi"
    PROMETHEUS = "prometheus"
    REPLAY = "replay"
    NVML_DIRECT = "nvml_direct"
    GPM = "gpm"
    SYSTEM = "system"
    CGROUP = "cgroup"


class RateClass(Enum):
    """How often a reading is worth taking; the sampler decides which classes are due.

    `GAUGES` and `COUNTERS` follow the session's interval, and so does `STEADY`, though it comes
    at most once a second; the others keep the native rate of what they read.
    """

    STATIC = "static"
    SLOW = "slow"
    COUNTERS = "counters"
    GAUGES = "gauges"
    STEADY = "steady"
    BUFFERED = "buffered"
    GPM = "gpm"
    PROCESSES = "processes"
    EVENTS = "events"

    # The hash of Enum is written in Python, and a pass needs some dozens.
    __hash__ = object.__hash__


ALL_CLASSES: frozenset[RateClass] = frozenset(RateClass)


class RawSamples(NamedTuple):
    """Readings that a source has kept since it was last read, as columns, oldest first.

    Attributes
    ----------
    wallclocks : list of float, (n,)
        Unix seconds at which the source says they were taken.
    fields : mapping of str to list of float or None, (n,)
        Field name to its readings; each field has one at every moment.
    """

    wallclocks: list[float]
    fields: Mapping[str, list[float | None]]


class RawRecord(NamedTuple):
    """One reading of one entity, in the vocabulary and the units of its source.

    Attributes
    ----------
    timestamp : float
        Monotonic seconds (`time.monotonic`) at which the source says the reading was taken.
    wallclock : float
        Unix seconds of the same moment.
    entity_id : str
        The source's name of the entity: ``"0"``, ``"gpu:0"``, ``"mig:0:0"``, ``"host"``.
    fields : mapping of str to float, str or None
        Field name to reading. None: the source has the field and no value now. Text: a label.
    source, source_version : str
        Who says so.
    error : str or None
        Why nothing could be read of this entity.
    host : str
        Id of the machine that the entity belongs to; empty is the machine that reads.
    samples : RawSamples or None
        All readings since the last look, where the source keeps several. They are what is
        recorded; `fields` has the newest of them, for who wants no more.
    """

    timestamp: float
    wallclock: float
    entity_id: str
    fields: Mapping[str, float | str | None]
    source: str
    source_version: str = ""
    error: str | None = None
    host: str = ""
    samples: RawSamples | None = None


@dataclass(frozen=True, slots=True)
class BackendCaps:
    """What a backend can deliver here.

    Attributes
    ----------
    kind : BackendKind or str
        Which reader it is; one of another package gives its own name.
    fields : frozenset of str
        The fields it found; empty where that is not known before they are read.
    """

    kind: BackendKind | str
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """Settings that any reader is made from; each takes what concerns it.

    Attributes
    ----------
    backend : BackendKind
    poll_seconds : float
        Seconds between two readings.
    source : str
        URL or path, for the backends that have one.
    gpu_ids : tuple of str or None
        Which GPUs: indices, UUIDs, bus ids; None is those that the environment makes visible.
    all_gpus : bool
        Every accessible GPU, whatever the environment makes visible.
    timeout : float
        Seconds after which one reading is given up.
    """

    backend: BackendKind = BackendKind.DCGMI
    poll_seconds: float = 0.1
    source: str = "http://localhost:9400/metrics"
    gpu_ids: tuple[str, ...] | None = None
    all_gpus: bool = False
    timeout: float = 5.0


def alike(missing: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """Return what is missing, `Backend.missing`, as field and reason to the entities it holds for.

    The field is empty where a whole entity is missing.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for what, why in missing.items():
        # A backend of another package may return anything here.
        entity, _, field_name = str(what).partition(" ")
        found.setdefault((field_name, str(why)), []).append(entity)
    return found


@runtime_checkable
class Backend(Protocol):
    """Acquires readings from one source.

    Only one thread uses it. Besides what stands here it may have these attributes, which are
    looked at once it is open:

    rules : mapping of str to Rule
        Which metric a field is, and how to get the metric's unit. A field without a rule that is
        called as a metric is that metric, in its unit; any other keeps its name.
    metrics : sequence of Metric
        What its metrics are that the catalog does not have.
    title : str
        What it is called on screen; its name unless given.
    group : str
        The heading under which those metrics stand on screen; its title unless given.
    rates : mapping of RateClass to float
        Seconds in which a class has something new; it is not read more often.
    lasting : bool
        Each `read` returns new records with new fields, at which the caller may look later.
        Otherwise they are looked at before the next `read`.
    """

    @property
    def name(self) -> str:
        """Short name, the one `sources=` uses."""

    @property
    def caps(self) -> BackendCaps:
        """What it can deliver; complete once `open` has returned."""

    @property
    def missing(self) -> Mapping[str, str]:
        """What is absent, and why: ``"gpu:0 fan.speed"`` (entity, space, field) to reason.

        Grows as fields are probed.
        """

    def open(self) -> None:
        """Get ready to read. Raises `ReaderError` with a remedy when that is impossible.

        Called again after it failed, and after `close`.
        """

    def read(self, due: frozenset[RateClass]) -> Sequence[RawRecord]:
        """Read every entity once, the fields of the classes in `due` only.

        Raises `ReaderError` when nothing can be read any more; it is then closed, and opened
        again after a minute.
        """

    def close(self) -> None:
        """Release everything; may be called twice, and after a failed `open`."""

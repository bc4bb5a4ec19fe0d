"""What the catalog says of one metric, and short constructors for its tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.kinds import COUNTER, GAUGE, STATE

if TYPE_CHECKING:
    from pulse_widgets.metrics.kinds import Kind

__all__ = [
    "TOTAL", "Group", "Metric", "Pace", "Shown",
    "counter", "gauge", "grouped", "main", "of_kind", "rated", "silent", "state",
]  # fmt: skip


TOTAL: Final = ".total"
"""How the name of the counter of a rated metric ends."""


class Pace(StrEnum):
    """How often a metric is worth reading, where that is not every tick."""

    TICK = "tick"
    SLOW = "slow"
    STATIC = "static"


class Shown(StrEnum):
    """Whether a dashboard draws a metric that nobody asked for."""

    MAIN = "main"
    """Always."""
    MORE = "more"
    """Once its heading is unfolded."""
    SILENT = "silent"
    """Never. It is a constant: it serves as the limit of another, or says nothing as a curve."""


class Group(StrEnum):
    """The chart groups, in the order in which a dashboard shows them."""

    GPU = "GPU"
    GPU_MEMORY = "GPU memory"
    POWER = "Power and thermal"
    INTERCONNECT = "Interconnect"
    HEALTH = "GPU health"
    CPU = "CPU"
    MEMORY = "Memory"
    IO = "Disk and network"
    PROCESS = "Kernel process"
    CONTAINER = "Container"
    PULSE = "Pulse itself"
    EVENTS = "Text and events"


@dataclass(frozen=True, slots=True)
class Metric:
    """One name of the catalog.

    Attributes
    ----------
    name : str
        ``<area>.<part>.<quantity>``; never carries a unit, a source or a device number.
    unit : str
        ``1`` (fraction), ``B``, ``B/s``, ``W``, ``J``, ``s``, ``Hz``, ``degC``, ``cores``,
        ``count``, ``count/s`` or empty.
    kind : Kind
    title : str
        A few words in sentence case, for chart headings.
    area : str
        The first part of the name.
    help : str
        One line that says what the number means.
    rated : bool
        The metric is a rate that also has a counter, called `name` + ``.total``.
    total_unit : str
        The unit of that counter; empty when there is none.
    group : Group
        The chart group it belongs to.
    pace : Pace
        How often it is worth reading.
    shown : Shown
        Whether a dashboard draws it unasked.
    """

    name: str
    unit: str
    kind: Kind
    title: str
    area: str
    help: str
    rated: bool = False
    total_unit: str = ""
    group: Group = Group.EVENTS
    pace: Pace = Pace.TICK
    shown: Shown = Shown.MORE

    def forms(self) -> tuple[Metric, ...]:
        """Return the metric and, where it is a rate that has one, its counter."""
        return (self, self.counter()) if self.rated else (self,)

    def counter(self) -> Metric:
        """Return the counter of a rated metric."""
        return replace(
            self,
            name=self.name + TOTAL,
            unit=self.total_unit,
            kind=COUNTER,
            title=f"{self.title}, total",
            rated=False,
            total_unit="",
        )


def of_kind(kind: Kind, name: str, unit: str, title: str, text: str) -> Metric:
    """Return a metric whose area is the first part of its name."""
    return Metric(name, unit, kind, title, name.partition(".")[0], text)


def gauge(name: str, unit: str, title: str, text: str, *, pace: Pace = Pace.TICK) -> Metric:
    """Return a metric that is a level at a moment."""
    return replace(of_kind(GAUGE, name, unit, title, text), pace=pace)


def state(name: str, title: str, text: str) -> Metric:
    """Return a metric that is a small whole number or a word, which is never averaged."""
    return of_kind(STATE, name, "", title, text)


def counter(name: str, unit: str, title: str, text: str) -> Metric:
    """Return a counter that has no rate of its own name."""
    return of_kind(COUNTER, name, unit, title, text)


def rated(name: str, unit: str, title: str, text: str) -> Metric:
    """Return a rate that has a counter too; the counter's unit follows from the rate's.

    ``B/s`` counts ``B``, ``count/s`` counts ``count``; a share of time and a number of cores
    both count seconds, a power counts joules.
    """
    total = {"1": "s", "cores": "s", "W": "J"}.get(unit, unit.removesuffix("/s"))
    return replace(of_kind(GAUGE, name, unit, title, text), rated=True, total_unit=total)


def grouped(group: Group, *metrics: Metric) -> tuple[Metric, ...]:
    """Return the metrics, all put into `group`."""
    return tuple(replace(m, group=group) for m in metrics)


def main(metric: Metric) -> Metric:
    """Return the metric as one that a dashboard draws unasked."""
    return replace(metric, shown=Shown.MAIN)


def silent(metric: Metric) -> Metric:
    """Return the metric as a constant, which is no chart of its own."""
    return replace(metric, shown=Shown.SILENT)

"""Which GPUs a saved picture warns of: lost, nearly out of memory, hot.

As far as the newest readings tell; ``js/core/still/alarms.ts`` is the twin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulse_widgets.exchange.picture.chart import Trace

__all__ = ["WATCHED", "Alarm", "alarm_words", "alarms_of"]

SIGNS: Final = ("gpu.utilization", "gpu.memory.used", "gpu.power", "gpu.temperature")
"""A GPU without any of these has no readings to show."""
WATCHED: Final = (*SIGNS, "gpu.memory.total", "gpu.temperature.slowdown")
"""What alarms are made of."""
FULL: Final = 0.95
"""Memory fuller than this is about to run out."""
NEAR: Final = 3
"""Degrees below the slowdown temperature."""
HOT: Final = 87
"""Data-centre GPUs slow down from here on, where the driver does not say."""
MOST_NAMED: Final = 2
"""So many GPUs are named with the same trouble; more are counted."""
ALARMS: Final[Mapping[str, str]] = {"lost": "lost", "memory": "low on memory", "heat": "hot"}
"""What is said of several GPUs, the gravest first."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is alarming of one GPU.

    Attributes
    ----------
    owner : str
        What the GPU is called.
    kind : str
        One of `ALARMS`.
    metric : str
        The reading that is alarming; empty where all are missing.
    word : str
        What is said behind the name.
    """

    owner: str
    kind: str
    metric: str
    word: str


def alarms_of(gpus: Mapping[str, Mapping[str, Trace]]) -> tuple[Alarm, ...]:
    """Return the alarms of some GPUs, by what each is called and then by metric."""
    found = [alarm for name, traces in gpus.items() for alarm in _of_one(name, traces)]
    return tuple(sorted(found, key=lambda alarm: list(ALARMS).index(alarm.kind)))


def _of_one(name: str, traces: Mapping[str, Trace]) -> list[Alarm]:
    signs = [traces[sign] for sign in SIGNS if sign in traces]
    silent = all(trace.newest is None for trace in signs)
    if silent and any(trace.lost and len(trace) for trace in signs):
        return [Alarm(name, "lost", "", "lost")]
    value = {metric: trace.newest[1] for metric, trace in traces.items() if trace.newest}
    alarms = []
    used, total = value.get("gpu.memory.used", 0.0), value.get("gpu.memory.total", 0.0)
    if total > 0 and used / total > FULL:
        word = f"memory {math.floor(used / total * 100)} % full"
        alarms.append(Alarm(name, "memory", "gpu.memory.used", word))
    slowdown = value.get("gpu.temperature.slowdown", float(HOT + NEAR))
    heat = value.get("gpu.temperature", -math.inf)
    if heat >= slowdown - NEAR:
        word = f"{format_value(math.floor(heat + 0.5), 'degC')} hot"
        alarms.append(Alarm(name, "heat", "gpu.temperature", word))
    return alarms


def alarm_words(alarms: Sequence[Alarm]) -> list[str]:
    """Return what is alarming: one of one or two GPUs by their names, of more their number."""
    words = []
    for kind, several in ALARMS.items():
        alike = [alarm for alarm in alarms if alarm.kind == kind]
        if len(alike) > MOST_NAMED:
            words.append(f"{len(alike)} GPUs {several}")
        else:
            words += [f"{alarm.owner} {alarm.word}" for alarm in alike]
    return words

"""From the words and units of a source to names and units of the catalog.

Each source has one table, from field to `Rule`. A field that no table names keeps its name: as a
reading when it is a number (a plug-in that speaks the catalog's language, or a newer program), as
a label of the entity when it is text.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pulse_widgets.metrics.catalog import Kind, lookup
from pulse_widgets.readers.nvml.fields import TABLE as NVML
from pulse_widgets.readers.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulse_widgets.readers.base import RawRecord

__all__ = [
    "Plan", "Reading", "Rule", "Translation", "entity_of", "plan_of", "rule_of", "translate",
]  # fmt: skip

TABLES: Final[dict[str, Mapping[str, Rule]]] = {"nvml": NVML}
"""Source to its table. A source without one, such as ``system``, speaks the catalog's language."""

_MIG: Final = re.compile(r"mig:(\d+):(\d+)(?::(\d+))?", re.ASCII)
_SIGNED_UNITS: Final = frozenset({"degC", "s"})
_WORDS: Final = frozenset({Kind.STATE, Kind.TEXT, Kind.SPAN, Kind.MEDIA})


class Reading(NamedTuple):
    """One value of one metric of one entity, in the catalog's unit."""

    entity: str
    metric: str
    value: float
    """NaN where the reading is missing, and where it is a word."""
    text: str
    """The word of a state; empty otherwise."""
    timestamp: float
    """Monotonic seconds."""
    wallclock: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What a pass over a source said.

    Attributes
    ----------
    readings : list of Reading
        In the order of the records and their fields.
    labels : dict of str to dict of str to str
        Entity to its labels.
    errors : dict of str to str
        Entity to the reason why nothing could be read of it.
    rejected : dict of str to int
        Metric to how many of its values cannot be true and became missing.
    """

    readings: list[Reading] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)


class Plan(NamedTuple):
    """A rule made ready for use on every tick: ``raw * multiply / divide``, or missing."""

    metric: str
    multiply: float
    divide: float
    lowest: float
    highest: float
    takes_words: bool


def rule_of(source: str, name: str) -> Rule | None:
    """Return what a field of a source means.

    A field called as a metric of the catalog is that metric, in its unit, whatever the
    source. None: nothing is known of the field.
    """
    rule = TABLES.get(source, {}).get(name)
    if rule is None and lookup(name) is not None:
        return Rule(name)
    return rule


def entity_of(entity_id: str) -> str:
    """Return the catalog's id of what a source calls `entity_id`.

    ``"0"`` is ``gpu:0``, ``"mig:0:1"`` is ``gpu:0/mig:1``, ``"mig:0:1:0"`` is
    ``gpu:0/mig:1/ci:0``; anything else is already an id.
    """
    if entity_id.isdecimal():
        return f"gpu:{entity_id}"
    instance = _MIG.fullmatch(entity_id)
    if instance is None:
        return entity_id
    gpu, gpu_instance, compute_instance = instance.groups()
    suffix = "" if compute_instance is None else f"/ci:{compute_instance}"
    return f"gpu:{gpu}/mig:{gpu_instance}{suffix}"


def translate(records: Iterable[RawRecord]) -> Translation:
    """Return readings, labels and errors of one pass over a source.

    A field without a value is a reading that is missing (NaN). So is a number outside the
    range of its rule, a negative number of anything but degrees and offsets, an infinite one,
    and a text where the metric is a number; those are counted in `Translation.rejected`.
    """
    result = Translation()
    for record in records:
        entity = entity_of(record.entity_id)
        if record.error is not None:
            result.errors[entity] = record.error
        for each in _moments(record):
            _take(each, entity, result)
    return result


def _moments(record: RawRecord) -> Sequence[RawRecord]:
    """Return a record for each reading of one that has several, field by field."""
    samples = record.samples
    if samples is None:
        return (record,)
    since = record.timestamp - record.wallclock
    return [
        record._replace(timestamp=wall + since, wallclock=wall, fields={name: raw}, samples=None)
        for name, readings in samples.fields.items()
        for wall, raw in zip(samples.wallclocks, readings, strict=True)
    ]


def _take(record: RawRecord, entity: str, result: Translation) -> None:
    plans = _plans(record.source)
    readings, when, wall = result.readings, record.timestamp, record.wallclock
    new = tuple.__new__  # half the cost of calling the class, hundreds of times a tick
    for name, raw in record.fields.items():
        plan = plans.get(name) or plan_of(record.source, name)
        if isinstance(raw, str):
            if plan is None:
                result.labels.setdefault(entity, {})[name] = raw
                continue
            value, text = math.nan, raw if plan.takes_words else ""
            rejected = not plan.takes_words
        else:
            if plan is None:
                if raw is None:
                    continue
                plan = plans[name] = Plan(
                    name, 1.0, 1.0, -sys.float_info.max, sys.float_info.max, False
                )
            text = ""
            value = math.nan if raw is None else raw * plan.multiply / plan.divide
            rejected = raw is not None and (raw < plan.lowest or raw > plan.highest)
        if rejected:
            value = math.nan
            result.rejected[plan.metric] = result.rejected.get(plan.metric, 0) + 1
        readings.append(new(Reading, (entity, plan.metric, value, text, when, wall)))


_made: dict[str, dict[str, Plan]] = {}


def _plans(source: str) -> dict[str, Plan]:
    return _made.setdefault(source, {})


def plan_of(source: str, name: str) -> Plan | None:
    """Return the plan of a field; None when nothing is known of the field.

    A field without a rule has one, too, once it was seen with a number.
    """
    plans = _plans(source)
    if name in plans:
        return plans[name]
    rule = rule_of(source, name)
    if rule is None:
        return None
    metric = lookup(rule.metric)
    signed = metric is None or (metric.unit in _SIGNED_UNITS and metric.kind is Kind.GAUGE)
    plan = plans[name] = Plan(
        metric=rule.metric,
        multiply=1.0 if rule.scale < 1 else rule.scale,
        divide=round(1 / rule.scale) if rule.scale < 1 else 1.0,
        lowest=-sys.float_info.max if signed else 0.0,
        highest=sys.float_info.max if rule.highest is None else rule.highest,
        takes_words=metric is not None and metric.kind in _WORDS,
    )
    return plan

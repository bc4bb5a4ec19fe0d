"""From the words and units of a source to names and units of the catalog.

What a field means is said by the rules of its backend. A field that no rule names keeps its name:
as a reading when it is a number (a plug-in that speaks the catalog's language, or a newer program),
as a label of the entity when it is text. What another backend says changes none of this.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.metrics.masked import is_masked
from pulse_widgets.metrics.ranges import ANYTHING, range_of
from pulse_widgets.readers.contract import NO_INFO
from pulse_widgets.readers.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulse_widgets.metrics.metric import Metric
    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.contract import ReaderInfo

__all__ = ["Plan", "Reading", "Translation", "Translator", "entity_of", "translate"]

_MIG: Final = re.compile(r"mig:(\d+):(\d+)(?::(\d+))?", re.ASCII)
_SAID_MOST: Final = 40
_LONG: Final = 10**24


class Reading(NamedTuple):
    """One value of one metric of one entity, in the metric's unit."""

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
    host: str = ""
    """Id of the machine it is of; empty is the machine that reads."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What a pass over a source said.

    Attributes
    ----------
    readings : list of Reading
        In the order of the records and their fields.
    labels : dict of (str, str) to dict of str to str
        Host and entity to its labels.
    errors : dict of (str, str) to str
        Host and entity to the reason why nothing could be read of it.
    rejected : dict of (str, str, str) to list of str
        Host, entity and metric to what the source said of it that cannot be true and became
        missing.
    """

    readings: list[Reading] = field(default_factory=list)
    labels: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    errors: dict[tuple[str, str], str] = field(default_factory=dict)
    rejected: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)


class Plan(NamedTuple):
    """A rule made ready for use on every tick: ``raw * multiply / divide``, or missing."""

    metric: str
    multiply: float
    divide: float
    lowest: float
    highest: float
    takes_words: bool
    known: bool = True
    """False of a field that no rule and no metric names: a text in it is a label."""


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


class Translator:
    """Translates what one backend says.

    Parameters
    ----------
    info : ReaderInfo
        Its rules and metrics.
    """

    def __init__(self, info: ReaderInfo = NO_INFO) -> None:
        self.info = info
        self._plans: dict[str, Plan] = {}
        self._numbers: set[tuple[str, str, str]] = set()
        """Host, entity and name of unknown fields that had a number, and so can be missing."""

    def metric(self, name: str) -> Metric | None:
        """Return what is known of a metric: by the catalog, or by the backend itself."""
        return lookup(name) or self.info.metrics.get(name)

    def plan_of(self, name: str) -> Plan:
        """Return what is done with the numbers of a field."""
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._plan(name)
        return plan

    def translate(self, records: Iterable[RawRecord]) -> Translation:
        """Return readings, labels and errors of one pass over the source.

        A field without a value is a reading that is missing (NaN). So is what cannot be true: a
        number outside the range of its rule, an infinite one, a text where the metric is a
        number, a value of any other type; those are told in `Translation.rejected`.
        """
        result = Translation()
        for record in records:
            entity = entity_of(record.entity_id)
            if record.error is not None:
                result.errors[record.host, entity] = record.error
            for each in _moments(record):
                self._take(each, entity, result)
        return result

    def _is_number(self, key: tuple[str, str, str], value: float) -> bool:
        """Return whether a field of which nothing is known has a number, or had one before."""
        if not math.isnan(value):
            self._numbers.add(key)
        return key in self._numbers

    def _plan(self, name: str) -> Plan:
        rule = self.info.rules.get(name)
        known = rule is not None or self.metric(name) is not None
        rule = rule or Rule(name)
        metric = self.metric(rule.metric)
        multiply, divide = _factors(rule.scale)
        lowest, highest = ANYTHING if metric is None else range_of(metric)
        least, most = ANYTHING
        return Plan(
            rule.metric,
            multiply,
            divide,
            max(lowest * divide / multiply, least) if rule.lowest is None else rule.lowest,
            min(highest * divide / multiply, most) if rule.highest is None else rule.highest,
            takes_words=metric is not None and metric.kind.takes_words,
            known=known,
        )

    def _take(self, record: RawRecord, entity: str, result: Translation) -> None:
        plans, host = self._plans, record.host
        readings, when, wall = result.readings, record.timestamp, record.wallclock
        new = tuple.__new__  # half the cost of calling the class, hundreds of times a tick
        for name, raw in record.fields.items():
            plan = plans.get(name) or self.plan_of(name)
            value, text, rejected = math.nan, "", False
            if isinstance(raw, str):
                if not plan.known:
                    result.labels.setdefault((host, entity), {})[name] = raw
                    continue
                text, rejected = (raw, False) if plan.takes_words else ("", True)
            elif raw is not None:
                number = _number(raw)
                if number is None or not plan.lowest <= number <= plan.highest:
                    # numpy and pandas write a missing value as NaN.
                    rejected = number is None or not math.isnan(number)
                else:
                    value = number * plan.multiply / plan.divide
            if rejected:
                values = result.rejected.setdefault((host, entity, plan.metric), [])
                values.append(short_text(raw))
            if not plan.known and not self._is_number((host, entity, name), value):
                continue
            readings.append(new(Reading, (entity, plan.metric, value, text, when, wall, host)))


def _factors(scale: float) -> tuple[float, float]:
    """Return what a number is multiplied with and divided by: 37 at 0.01 is exactly 0.37."""
    inverse = 1 / scale
    whole = round(inverse)
    if scale < 1 and math.isclose(inverse, whole, rel_tol=1e-12):
        return 1.0, float(whole)
    return scale, 1.0


def translate(records: Iterable[RawRecord], info: ReaderInfo = NO_INFO) -> Translation:
    """Return what one pass over a source says, see `Translator`."""
    return Translator(info).translate(records)


def _number(raw: Any) -> float | None:
    """Return a number as float, NaN where it is a way to say missing, None where it is none."""
    if isinstance(raw, bytes | bytearray):
        return None  # float() would read it
    if type(raw).__name__ == "NAType" or is_masked(raw):
        return math.nan
    try:
        return float(raw)
    except Exception:  # noqa: BLE001  an object of another package may throw anything
        return None


def short_text(raw: object) -> str:
    """Return a value as a few letters; an object may not be able to say what it is."""
    if isinstance(raw, str):
        return repr(str(raw)[:_SAID_MOST])
    if isinstance(raw, int) and not -_LONG < raw < _LONG:
        return f"a whole number of {raw.bit_length()} bits"
    if isinstance(raw, int | float):
        return f"{raw:.6g}" if isinstance(raw, float) else str(raw)
    return f"a value of type {type(raw).__name__}"


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

"""What the rest needs to know of a backend, and whether it is one.

A backend may come from another package. What is wrong with its shape is found when it is opened,
and told in a sentence that says what to change; its source then fails, and no other.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import ReaderError
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.metrics.kinds import Kind
from pulse_widgets.metrics.metric import Metric
from pulse_widgets.readers.base import BackendCaps, BackendKind, RateClass, RawRecord, RawSamples
from pulse_widgets.readers.rule import Rule

if TYPE_CHECKING:
    from pulse_widgets.readers.base import Backend

__all__ = ["NO_INFO", "ReaderInfo", "ask", "check", "introduced", "lacks", "open_backend"]

_MEMBERS: Final = ("name", "caps", "missing", "open", "read", "close")
_SHORTEST_S: Final = 0.1
_LATEST_S: Final = 1e11
"""Unix seconds of the year 5138: beyond, it is milliseconds, or no time."""
_OLDEST_S: Final = 10 * 365 * 86400.0
"""A reading older than 10 years is none: its time is counted from something else."""
_FORM: Final = (
    "entity_id and host are texts, timestamp is time.monotonic(), wallclock is time.time(), fields "
    "is a dict, and each column of samples is as long as its wallclocks."
)
_RATED: Final = frozenset({"1", "cores", "W"})
"""Units of rates that are not called something by the second."""


@dataclass(frozen=True, slots=True)
class ReaderInfo:
    """What a backend says of itself, see `Backend`."""

    title: str = ""
    group: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    """Name to metric, counters of rated metrics included."""
    rates: Mapping[RateClass, float] = field(default_factory=dict)
    lasting: bool = False
    built_in: bool = True
    """It is one of ours, which say of what has gone that it is missing."""


NO_INFO: Final = ReaderInfo()


def introduced(backend: Backend) -> ReaderInfo:
    """Return what a backend is called, open or not, whatever else is wrong with it."""
    texts = [getattr(backend, name, "") for name in ("title", "group", "name")]
    title, group, name = (text if isinstance(text, str) else "" for text in texts)
    return ReaderInfo(title=title or name, group=group or title or name)


def open_backend(backend: Backend) -> ReaderInfo:
    """Check a backend, open it, and return what it says of itself.

    Raises
    ------
    ReaderError
        Where it cannot be opened, or is not what `Backend` asks for.
    """
    check(backend)
    backend.open()
    return _info(backend)


def ask(backend: Backend, due: frozenset[RateClass]) -> Sequence[RawRecord]:
    """Return what a backend reads.

    Raises
    ------
    ReaderError
        Where nothing can be read, or what it returns is no list of records.
    """
    records: Any = backend.read(due)
    if not isinstance(records, list | tuple):
        raise _broken(
            backend, f"read() returned {_kind(records)}", "Return a list of RawRecord, or []."
        )
    oldest = time.time() - _OLDEST_S
    for record in records:
        if not isinstance(record, RawRecord):
            raise _broken(
                backend,
                f"read() returned a list with {_kind(record)} in it",
                "Make each entry a pulse_widgets.readers.RawRecord.",
            )
        if fault := _fault(record, oldest):
            raise _broken(backend, f"read() returned a record with {fault}", _FORM)
    return records


def _fault(record: Any, oldest: float) -> str:
    """Return what is wrong with a record; nothing, mostly."""
    if not isinstance(record.entity_id, str) or not isinstance(record.host, str):
        return f"entity_id={record.entity_id!r} and host={record.host!r}"
    if not isinstance(record.fields, dict | Mapping):
        return f"fields {_kind(record.fields)}"
    if not _is_time(record.wallclock, oldest):
        return f"wallclock={record.wallclock!r}"
    if not (isinstance(record.timestamp, int | float) and math.isfinite(record.timestamp)):
        return f"timestamp={record.timestamp!r}"
    return "" if record.samples is None else _fault_of_samples(record.samples, oldest)


def _fault_of_samples(samples: Any, oldest: float) -> str:
    if not isinstance(samples, RawSamples):
        return f"samples {_kind(samples)}"
    walls = samples.wallclocks
    if not all(_is_time(wall, oldest) for wall in walls):
        return f"samples at wallclocks={walls[:3]!r}"
    if any(len(column) != len(walls) for column in samples.fields.values()):
        return f"samples of other lengths than their {len(walls)} wallclocks"
    return ""


def _is_time(wall: object, oldest: float) -> bool:
    """Return whether it is Unix seconds, not milliseconds and not seconds since a start."""
    return isinstance(wall, int | float) and oldest < wall < _LATEST_S


def lacks(thing: object) -> list[str]:
    """Return the members of a backend that `thing` does not have."""
    return [name for name in _MEMBERS if not hasattr(thing, name)]


def check(backend: Backend) -> None:
    """Raise a `ReaderError` where the shape of a backend is not what `Backend` asks for."""
    if missing := lacks(backend):
        raise _broken(backend, f"it has no {', '.join(missing)}", "Add what is missing.")
    if not isinstance(backend.name, str) or not backend.name.isprintable() or not backend.name:
        raise _broken(backend, f"its name is {backend.name!r}", "Make the name a short text.")
    _takes(backend, "open", ())
    _takes(backend, "read", (frozenset[RateClass](),))
    _takes(backend, "close", ())


def _takes(backend: Backend, name: str, arguments: tuple[object, ...]) -> None:
    method: Any = getattr(backend, name)
    wanted = f"def {name}(self{', due' if arguments else ''})"
    remedy = f"Define it as `{wanted}`, see pulse_widgets.readers.Backend."
    if not callable(method):
        raise _broken(backend, f"{name} is no method but {_kind(method)}", remedy)
    if inspect.iscoroutinefunction(method):
        raise _broken(backend, f"{name}() is a coroutine, and it is not awaited", remedy)
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return  # written in C, say: it shows when it is called
    try:
        signature.bind(*arguments)
    except TypeError as error:
        given = "one argument, `due`" if arguments else "no argument"
        raise _broken(
            backend, f"{name}{signature} cannot be called with {given} ({error})", remedy
        ) from error


def _info(backend: Backend) -> ReaderInfo:
    """Return what an open backend says of itself; most say little."""
    caps: Any = backend.caps
    if not isinstance(caps, BackendCaps):
        remedy = "Set it to BackendCaps(name), with the fields it found where they are known."
        raise _broken(backend, f"caps is {_kind(caps)}", remedy)
    _of_type(backend, "missing", backend.missing, Mapping)
    own = _metrics(backend)
    title = str(_said(backend, "title", str, "")) or backend.name
    return ReaderInfo(
        title=title,
        group=str(_said(backend, "group", str, "")) or title,
        rules=_rules(backend, own),
        metrics=own,
        rates=_rates(backend),
        lasting=bool(getattr(backend, "lasting", False)),
        built_in=isinstance(caps.kind, BackendKind),
    )


def _metrics(backend: Backend) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for metric in _said(backend, "metrics", Sequence, ()):
        _of_type(backend, "an entry of metrics", metric, Metric)
        what = f"its metric {metric.name!r}"
        if lookup(metric.name) is not None:
            raise _broken(
                backend,
                f"{what} is in the catalog already",
                "Leave it out of metrics, or give it another name.",
            )
        if not isinstance(metric.kind, Kind) or not isinstance(metric.unit, str):
            raise _broken(
                backend,
                f"{what} is of kind {metric.kind!r} and unit {metric.unit!r}",
                "Make it with gauge, counter, rated or state.",
            )
        if metric.rated and not (metric.unit in _RATED or metric.unit.endswith("/s")):
            raise _broken(
                backend,
                f"{what} is rated, and {metric.unit!r} is no unit of a rate",
                "Use a unit by the second, such as 'B/s', or '1', 'cores' or 'W'; else gauge.",
            )
        found |= {each.name: each for each in metric.forms()}
    return found


def _rules(backend: Backend, own: Mapping[str, Metric]) -> Mapping[str, Rule]:
    rules: Mapping[str, Rule] = _said(backend, "rules", Mapping, {})
    for name, rule in rules.items():
        _of_type(backend, f"rules[{name!r}]", rule, Rule)
        if lookup(rule.metric) is None and rule.metric not in own:
            raise _broken(
                backend,
                f"rules[{name!r}] names the metric {rule.metric!r}, of which nothing is known",
                "Use a name of docs/metrics.md, or describe it in metrics.",
            )
        if not (math.isfinite(rule.scale) and rule.scale > 0):
            raise _broken(
                backend, f"rules[{name!r}] has the scale {rule.scale!r}", "Use a number above 0."
            )
        lowest, highest = rule.lowest, rule.highest
        ends = (-math.inf if lowest is None else lowest, math.inf if highest is None else highest)
        if not ends[0] <= ends[1]:
            what = f"rules[{name!r}] allows from {lowest!r} to {highest!r}, which is nothing"
            raise _broken(backend, what, "Use two numbers, the smaller first, or None.")
    return rules


def _rates(backend: Backend) -> Mapping[RateClass, float]:
    rates: Mapping[RateClass, float] = _said(backend, "rates", Mapping, {})
    for rate, seconds in rates.items():
        _of_type(backend, "a key of rates", rate, RateClass)
        if not isinstance(seconds, int | float) or not seconds >= _SHORTEST_S:
            raise _broken(
                backend, f"rates[{rate}] is {seconds!r}", f"Use seconds, {_SHORTEST_S} or more."
            )
    return rates


def _said(backend: Backend, name: str, kind: type, otherwise: Any) -> Any:
    value = getattr(backend, name, otherwise)
    _of_type(backend, name, value, kind)
    return value


def _of_type(backend: Backend, what: str, value: object, kind: type) -> None:
    if not isinstance(value, kind) or (kind is Sequence and isinstance(value, str)):
        raise _broken(backend, f"{what} is {_kind(value)}", f"Make it a {kind.__name__}.")


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _broken(backend: Backend, what: str, remedy: str) -> ReaderError:
    name = getattr(backend, "name", type(backend).__name__)
    return ReaderError(f"The reader {name!r} is not as readers are: {what}.", remedy)

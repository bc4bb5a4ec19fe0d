"""Finds the series and the time window of a recording that a selection names."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.errors import ArgumentError, UnknownMetricError
from pulse_widgets.loading import PANDAS, load
from pulse_widgets.metrics.catalog import kind_of, rate_of
from pulse_widgets.metrics.globs import matches_any
from pulse_widgets.metrics.kinds import GAUGE, kind_stored_as
from pulse_widgets.series.rates import rates_of
from pulse_widgets.series.said import DEFINED, Definitions, facts_in, is_user
from pulse_widgets.storage.index import guess

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pulse_widgets.metrics.kinds import Kind
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.registry import SeriesInfo
    from pulse_widgets.storage.reader import Stored

__all__ = ["Chosen", "Window", "chosen_of", "narrow", "narrow_steps", "time_us"]

_TIME_OF_DAY: Final = re.compile(r"\s*\d{1,2}:\d\d")
_UUID: Final = 4
"""Letters from which the beginning of a UUID names a device."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A series, and in which of its forms it is wanted.

    Attributes
    ----------
    info : SeriesInfo
        As stored.
    rated : bool
        A counter asked for by the name of its rate.
    """

    key: SeriesKey
    info: SeriesInfo
    rated: bool = False

    @property
    def metric(self) -> str:
        """The name it is shown under."""
        return self._form[0]

    @property
    def unit(self) -> str:
        """The unit of what is shown."""
        return self._form[1]

    @property
    def rate(self) -> tuple[str, str] | None:
        """Name and unit of the rate that it can be shown as."""
        return rate_of(self.key.metric, self.info.kind, self.info.unit, self.info.labels)

    @property
    def _form(self) -> tuple[str, str]:
        return (self.rate if self.rated else None) or (self.key.metric, self.info.unit)

    @property
    def kind(self) -> str:
        """The kind of what is shown."""
        return GAUGE.stored if self.rated else self.info.kind

    @property
    def numeric(self) -> bool:
        """Whether it has numbers to summarise and draw."""
        return kind_stored_as(self.kind).numeric

    @property
    def stored_kind(self) -> Kind:
        """What its rows are, as stored."""
        return kind_of(self.key.metric, self.info.kind)

    def shown(self, columns: Columns) -> Columns:
        """Return whole columns in the form that is wanted."""
        if not self.rated:
            return columns
        return replace(columns, value=rates_of(columns))


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a recording.

    Attributes
    ----------
    start, end : int or None
        Microseconds; start <= time < end.
    steps : (int, int) or None
        First and last step, both inside.
    """

    start: int | None = None
    end: int | None = None
    steps: tuple[int, int] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self.start is None and self.end is None and self.steps is None

    def cut(self, columns: Columns) -> Columns:
        """Return the rows inside."""
        inside = columns.between(self.start, self.end)
        if self.steps is None:
            return inside
        first, last = self.steps
        return inside.take((inside.step >= first) & (inside.step <= last))

    def within(self, start: int | None, end: int | None, steps: tuple[int, int] | None) -> Window:
        """Return the stretch that both leave."""
        both = steps or self.steps
        if steps and self.steps:
            both = (max(steps[0], self.steps[0]), min(steps[1], self.steps[1]))
        return Window(_tighter(max, self.start, start), _tighter(min, self.end, end), both)


def _tighter(choose: Any, a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else int(choose(a, b))


def chosen_of(stored: Stored) -> tuple[Chosen, ...]:
    """Return every series of a recording as it is stored."""
    infos = stored.catalog.infos
    defined = Definitions(facts_in(stored.catalog.entities, DEFINED))
    chosen = (Chosen(key, infos.get(key) or guess(key)) for key in stored.extents)
    return tuple(_as_defined(c, defined) for c in chosen) if defined else tuple(chosen)


def _as_defined(chosen: Chosen, defined: Definitions) -> Chosen:
    """Return a series in the unit that its user said; readings have one of their own."""
    info = chosen.info
    if info.unit or not is_user(info.entity):
        return chosen
    unit = defined.of(info.metric).get("unit")
    return replace(chosen, info=replace(info, unit=unit)) if unit else chosen


def narrow(
    chosen: Sequence[Chosen],
    stored: Stored,
    *,
    metric: str | Sequence[str] | None,
    wanted: Mapping[str, str | Sequence[str] | None],
    labels: Mapping[str, str] | None,
) -> tuple[Chosen, ...]:
    """Return the series that match all that is given.

    Parameters
    ----------
    wanted : mapping
        Patterns for ``entity`` and ``host``; None matches all.

    Raises
    ------
    UnknownMetricError
        If nothing matches one of them.
    """
    left = tuple(chosen)
    if metric is not None:
        left = _by_metric(left, _patterns(metric, "metric"))
    for what, pattern in wanted.items():
        if pattern is None:
            continue
        patterns = _patterns(pattern, what)
        hits = tuple(c for c in left if _names_it(c, what, patterns, stored))
        vain = [p for p in patterns if not any(_names_it(c, what, [p], stored) for c in hits)]
        there = {getattr(c.key, what) for c in left}
        left = hits if hits and not vain else _nothing(what, vain, there)
    if labels is not None and not isinstance(labels, Mapping):
        raise ArgumentError(
            f"labels={labels!r} are no labels", remedy="Give a mapping, such as {'role': 'train'}."
        )
    if labels:
        hits = tuple(c for c in left if _has(c, labels, stored))
        wanted_labels = [f"{k}={v}" for k, v in labels.items()]
        left = hits or _nothing("label", wanted_labels, _all_labels(left, stored))
    return left


def _by_metric(chosen: Sequence[Chosen], patterns: Sequence[str]) -> tuple[Chosen, ...]:
    hits: list[Chosen] = []
    for c in chosen:
        if matches_any(c.metric, patterns):
            hits.append(replace(c, rated=c.rated or _rate_matches(c, patterns)))
        elif _rate_matches(c, patterns):
            hits.append(replace(c, rated=True))
    rates = {c.rate[0] for c in chosen if c.rate is not None}
    there = {c.metric for c in chosen} | rates
    # Each pattern must match something, or a misspelt one among others would go unnoticed.
    vain = [p for p in patterns if not any(_has_name(c, p) for c in hits)]
    return tuple(hits) if hits and not vain else _nothing("metric", vain, there)


def _has_name(c: Chosen, pattern: str) -> bool:
    return matches_any(c.metric, [pattern]) or _rate_matches(c, [pattern])


def _rate_matches(c: Chosen, patterns: Sequence[str]) -> bool:
    return c.rate is not None and matches_any(c.rate[0], patterns)


def _patterns(pattern: Any, what: str) -> list[str]:
    alone = isinstance(pattern, (str, int)) or not isinstance(pattern, Iterable)
    given = [pattern] if alone else list(pattern)
    if not all(isinstance(p, (str, int)) for p in given):
        raise ArgumentError(
            f"{what}={pattern!r} is not a name",
            remedy="Give a name, a pattern such as 'gpu.*', or a list of them.",
        )
    return [str(p) for p in given]


def _names_it(c: Chosen, what: str, patterns: Sequence[str], stored: Stored) -> bool:
    name = getattr(c.key, what)
    if matches_any(name, patterns):
        return True
    if what == "host":
        return matches_any(str(stored.catalog.hosts.get(name, {}).get("name", "")), patterns)
    labels = _labels(c, stored)
    return any(
        name == f"gpu:{p}"
        or labels.get("bus_id") == p
        or (len(p) >= _UUID and labels.get("uuid", "").startswith(p))
        for p in patterns
    )


def _labels(c: Chosen, stored: Stored) -> dict[str, str]:
    of_entity = stored.catalog.entities.get(c.key.host, {}).get(c.key.entity, {})
    return {**of_entity, **c.info.labels}


def _has(c: Chosen, labels: Mapping[str, str], stored: Stored) -> bool:
    there = _labels(c, stored)
    return all(k in there and matches_any(str(there[k]), [str(v)]) for k, v in labels.items())


def _all_labels(chosen: Sequence[Chosen], stored: Stored) -> set[str]:
    return {f"{k}={v}" for c in chosen for k, v in _labels(c, stored).items()}


def _nothing(what: str, patterns: Sequence[str], there: Collection[str]) -> tuple[Chosen, ...]:
    names = ", ".join(map(repr, patterns))
    close = [n for p in patterns for n in difflib.get_close_matches(p, sorted(there), 3, 0.5)]
    some = close or sorted(there)[:8]
    hint = f"Did you mean {', '.join(some)}?" if close else f"There is {', '.join(some)}."
    raise UnknownMetricError(
        f"No series here has {what} {names}",
        remedy=hint if some else "The recording, or what is selected of it, is empty.",
    )


def narrow_steps(step: Any) -> tuple[int, int] | None:
    """Return the first and last step of an int, a pair or a slice.

    Raises
    ------
    ArgumentError
        If it is none of these.
    """
    if step is None:
        return None
    pair = (step.start, step.stop) if isinstance(step, slice) else step
    try:
        first, last = pair if isinstance(pair, (tuple, list)) else (pair, pair)
        low = 0 if first is None else int(first)
        high = 2**63 - 1 if last is None else int(last)
    except (TypeError, ValueError) as exc:
        raise ArgumentError(
            f"step={step!r} is not a step",
            remedy="Give a number, or a pair (first, last); None leaves an end open.",
        ) from exc
    return low, high


def time_us(time: Any, start_us: int, name: str) -> int | None:
    """Return a time in microseconds since the epoch.

    Parameters
    ----------
    time : Timestamp, datetime, datetime64, ISO text, number, timedelta or None
        A number or a timedelta counts from `start_us`; a time without a zone is UTC, and a
        time of day is of the day on which the recording began.

    Raises
    ------
    ArgumentError
        If it is none of these.
    """
    if time is None:
        return None
    try:
        if isinstance(time, dt.timedelta):
            return start_us + round(time.total_seconds() * 1e6)
        if isinstance(time, (int, float, np.integer, np.floating)) and not isinstance(time, bool):
            return start_us + round(float(time) * 1e6)
        load(*PANDAS)
        import pandas as pd

        if isinstance(time, str) and _TIME_OF_DAY.match(time):
            time = f"{pd.Timestamp(start_us, unit='us').date()}T{time.strip()}"
        stamp = pd.Timestamp(time)
        zoned = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
        return int(zoned.value) // 1000  # nanoseconds, whatever the unit
    except (ValueError, TypeError, OverflowError) as exc:
        raise ArgumentError(
            f"{name}={time!r} is not a time",
            remedy="Give a Timestamp, ISO text such as '2026-01-31T12:00', or seconds from start.",
        ) from exc

"""From the records of one source to rows: series ids, session time, what is missing.

Sources say the same fields of the same entities on every tick. Such a pass is turned into rows
by a few operations on whole columns; one with anything new in it goes through `translate`, value
by value.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.errors import PulseError
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.readers.translate import entity_of, plan_of, translate
from pulse_widgets.series.grid import extended
from pulse_widgets.series.log import NO_STEP, Registry, Rows

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.translate import Reading, Translation

__all__ = ["Pass", "RowMaker"]

_NUMBERS: Final = frozenset({float, int, bool, NoneType})
MOLDS_KEPT: Final = 4096
"""Shapes of records remembered; processes come and go, and each is an entity."""
FUTURE_US: Final = 60_000_000
"""A reading of so much later than now is taken to be of now."""
SHAPES_KEPT: Final = 64
"""Shapes of passes remembered; a source has a handful, and bursts of samples make more."""
STEADY_US: Final = 1000
"""Passes between which the wall clock was set by more are not taken together."""


class Pass(NamedTuple):
    """What one look at a source gave.

    Attributes
    ----------
    records : sequence of RawRecord
    now_us : int
        Session time at its end.
    offset_us : int
        The wall clock minus the session time then, as in `Clock.offset_us`.
    """

    records: Sequence[RawRecord]
    now_us: int
    offset_us: int


class _Molds:
    """What the readings of each shape of record become; every field is a known number.

    A mold is a run of places in columns that all molds share, so that those of a pass are had by
    taking places, however many records it has. Molds go by their numbers.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[Hashable, ...], int] = {}
        self._runs: list[NDArray[np.intp]] = []
        self._used = 0
        self._ids = np.zeros(0, np.int32)
        self._factors = np.zeros((0, 4))
        self._shapes: dict[tuple[int, ...], _Shape] = {}
        self.find = self._numbers.get

    def learn(
        self, key: tuple[Hashable, ...], ids: list[int], factors: NDArray[np.float64]
    ) -> int | None:
        """Remember the series of each field of a record, and what it is to be multiplied with.

        Returns the mold; None when there were too many, and all are forgotten.
        """
        if len(self._runs) >= MOLDS_KEPT:
            self._numbers.clear()
            self._runs.clear()
            self._shapes.clear()
            self._used = 0
            return None
        begin, self._used = self._used, self._used + len(ids)
        self._ids = extended(self._ids, self._used, 0)
        self._factors = extended(self._factors, self._used, 0)
        self._ids[begin : self._used] = ids
        self._factors[begin : self._used] = factors
        mold = self._numbers[key] = len(self._runs)
        self._runs.append(np.arange(begin, self._used))
        return mold

    def shape(self, sizes: tuple[int, ...]) -> _Shape:
        """Return the columns of a pass: of each record the mold, and how many moments it has."""
        shape = self._shapes.get(sizes)
        if shape is None:
            if len(self._shapes) >= SHAPES_KEPT:
                self._shapes.clear()
            shape = self._shapes[sizes] = self._make(sizes)
        return shape

    def _make(self, sizes: tuple[int, ...]) -> _Shape:
        runs: list[NDArray[np.intp]] = []
        moments: list[int] = []
        seen = 0
        for mold, count in zip(sizes[::2], sizes[1::2], strict=True):
            run = self._runs[mold]
            runs.append(run.repeat(count))
            # Field by field, each at all moments of its record.
            moments += list(range(seen, seen + count)) * len(run)
            seen += count
        places = np.concatenate(runs)
        factors = self._factors[places].T
        shape = _Shape(
            self._ids[places],
            np.full(len(places), NO_STEP, np.int64),
            np.array(moments),
            factors,
            plain=bool((factors[:2] == 1).all()),
        )
        # Ids and steps go into the rows of many ticks.
        shape.ids.flags.writeable = shape.step.flags.writeable = False
        return shape


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A pass as columns: each reading's series and plan.

    Attributes
    ----------
    ids : (n,) int32
    step : (n,) int64
    moments : (n,) int64
        Which of the moments of all records it is of.
    factors : (4, n) float64
        Multiply, divide, lowest, highest.
    plain : bool
        Nothing is to be multiplied or divided.
    """

    ids: NDArray[np.int32]
    step: NDArray[np.int64]
    moments: NDArray[np.int64]
    factors: NDArray[np.float64]
    plain: bool


class RowMaker:
    """Makes the rows of one source.

    Parameters
    ----------
    source : str
        Name of the source, for its events.
    registry : Registry
        Gives series their ids.
    host : str
        The recording's id of this machine.

    Attributes
    ----------
    labels : dict of str to dict of str to str
        Entity to its labels, as far as they were told.
    labelled : int
        How often `labels` has changed.
    refused : PulseError or None
        Why the newest series that was refused was refused.
    """

    def __init__(self, source: str, registry: Registry, host: str) -> None:
        self.labels: dict[str, dict[str, str]] = {}
        self.labelled = 0
        self.refused: PulseError | None = None
        self._source = source
        self._registry = registry
        self._host = host
        self._series: dict[tuple[str, str], int] = {}
        self._absent: set[int] = set()
        self._molds = _Molds()
        self._plans: dict[tuple[str, tuple[str, ...]], tuple[list[str], NDArray[np.float64]]] = {}

    def together(self, passes: Sequence[Pass]) -> Rows | None:
        """Return the rows of passes that followed one another and of which every series is known.

        A few at once cost little more than one. None where they are to be taken one by one.
        """
        rows = self._alike(passes)
        return None if rows is None else self._news(rows)

    def rows(self, one: Pass) -> list[Rows]:
        """Return the rows of one pass; a missing reading is one row, where it begins."""
        rows = self.together([one])
        if rows is not None:
            return [rows]
        translation = translate(one.records)
        for entity, labels in translation.labels.items():
            held = self.labels.setdefault(entity, {})
            if not labels.items() <= held.items():
                held.update(labels)
                self.labelled += 1
        blocks = [self._news(self._one_by_one(translation.readings, one))]
        return blocks + self._lost(translation, one.now_us)

    def end(self, why: str, now_us: int) -> list[Rows]:
        """Return rows that say of every series that it is missing from now on, and why."""
        live = self._live()
        if not live:
            return []
        self._absent.update(live)
        return [_missing(live, now_us), self._trouble(why, now_us)]

    def gap(self, why: str, begins_us: int, now_us: int) -> list[Rows]:
        """Return rows that say that nothing was read for a while."""
        event = self._event("gap", why, now_us)
        return [_missing(self._live(), begins_us), event]

    # Passes of known series --------------------------------------------------------------

    def _alike(self, passes: Sequence[Pass]) -> Rows | None:
        """Return the rows of passes of which every series is known; None of others."""
        *before, last = passes
        if any(abs(each.offset_us - last.offset_us) > STEADY_US for each in before):
            return None
        sizes: list[int] = []
        walls: list[float] = []
        readings: list[float | str | None] = []
        find = self._molds.find
        for record in [record for each in passes for record in each.records]:
            samples = record.samples
            fields = record.fields if samples is None else samples.fields
            key = (record.source, record.entity_id, *fields)
            mold = find(key)
            if mold is None:
                mold = self._learn(key, record, tuple(fields))
            if mold is None or record.error is not None:
                return None
            if samples is None:
                sizes += (mold, 1)
                walls.append(record.wallclock)
                readings += record.fields.values()
            else:
                sizes += (mold, len(samples.wallclocks))
                walls += samples.wallclocks
                for column in samples.fields.values():
                    readings += column
        if not readings or not _NUMBERS.issuperset(map(type, readings)):
            return None
        shape = self._molds.shape(tuple(sizes))
        moments = np.array(walls)
        ahead_us = passes[0].now_us + FUTURE_US + last.offset_us
        if len(readings) != len(shape.ids) or (before and (moments * 1e6 > ahead_us).any()):
            return None
        raw = np.array(readings, np.float64)
        multiply, divide, lowest, highest = shape.factors
        value = raw if shape.plain else raw * multiply / divide
        value[(raw < lowest) | (raw > highest)] = np.nan
        times = _stamps(moments, last)
        return Rows(shape.ids, times[shape.moments], shape.step, value)

    def _learn(
        self, key: tuple[Hashable, ...], record: RawRecord, names: tuple[str, ...]
    ) -> int | None:
        """Return the mold of a record of a new shape, None where not all of it is known."""
        if record.error is not None or not names:
            return None
        planned = self._plan(record.source, names)
        if planned is None:
            return None
        metrics, factors = planned
        entity, known = entity_of(record.entity_id), self._series
        ids = [known.get((entity, metric), -1) for metric in metrics]
        return None if -1 in ids else self._molds.learn(key, ids, factors)

    def _plan(
        self, source: str, names: tuple[str, ...]
    ) -> tuple[list[str], NDArray[np.float64]] | None:
        """Return the metrics of some fields and the numbers of their plans; None of any other."""
        planned = self._plans.get((source, names))
        if planned is None:
            plans = [plan for name in names if (plan := plan_of(source, name)) is not None]
            if len(plans) < len(names):
                return None  # until it was seen with a number
            if len(self._plans) >= SHAPES_KEPT:
                self._plans.clear()
            numbers = [(plan.multiply, plan.divide, plan.lowest, plan.highest) for plan in plans]
            planned = [plan.metric for plan in plans], np.array(numbers)
            self._plans[source, names] = planned
        return planned

    # Any other pass ------------------------------------------------------------------------

    def _one_by_one(self, readings: Sequence[Reading], one: Pass) -> Rows:
        known = self._series
        ids, walls, values, texts = [], [], [], []
        for entity, metric, value, text, _, wallclock in readings:
            series = known.get((entity, metric))
            if series is None and (series := self._id(entity, metric)) is None:
                continue
            ids.append(series)
            walls.append(wallclock)
            values.append(value)
            texts.append(text)
        times = _stamps(np.array(walls, np.float64), one)
        return Rows.of(ids, times, values, text=texts if any(texts) else None)

    def _id(self, entity: str, metric: str) -> int | None:
        known = lookup(metric)
        try:
            series = self._registry.add(
                self._host,
                entity,
                metric,
                unit=known.unit if known else "",
                kind=known.kind.value if known else "gauge",
                limited=True,
            )
        except PulseError as error:
            self.refused = error
            return None
        self._series[entity, metric] = series
        return series

    # What is missing -----------------------------------------------------------------------

    def _news(self, rows: Rows) -> Rows:
        """Leave out what was missing before and still is."""
        missing = np.isnan(rows.value)
        absent = self._absent
        if not missing.any() and absent.isdisjoint(rows.series.tolist()):
            return rows
        keep = []
        texts = rows.text
        for place, (series, gone) in enumerate(
            zip(rows.series.tolist(), missing.tolist(), strict=True)
        ):
            if not gone or (texts is not None and texts[place]):
                absent.discard(series)
            elif series in absent:
                continue
            else:
                absent.add(series)
            keep.append(place)
        if len(keep) == len(rows):
            return rows
        return Rows(
            rows.series[keep],
            rows.time[keep],
            rows.step[keep],
            rows.value[keep],
            None if texts is None else [texts[place] for place in keep],
        )

    def _live(self) -> list[int]:
        return [series for series in self._series.values() if series not in self._absent]

    def _lost(self, translation: Translation, now_us: int) -> list[Rows]:
        """Return one missing row for each series of an entity that could not be read, and why."""
        gone = [
            series
            for (entity, _), series in self._series.items()
            if entity in translation.errors and series not in self._absent
        ]
        if not gone:
            return []
        self._absent.update(gone)
        said = [f"{entity}: {why}" for entity, why in translation.errors.items()]
        return [_missing(gone, now_us), *(self._trouble(why, now_us) for why in said)]

    def _trouble(self, message: str, now_us: int) -> Rows:
        return self._event("reader", message, now_us)

    def _event(self, kind: str, message: str, now_us: int) -> Rows:
        series = self._registry.add(self._host, f"pulse/{self._source}", "event", kind="text")
        content = {"kind": kind, "source": self._source, "message": message}
        return Rows.of([series], [now_us], [math.nan], [NO_STEP], [json.dumps(content)])


def _stamps(walls_s: NDArray[np.float64], one: Pass) -> NDArray[np.int64]:
    """Return session times of Unix seconds, to the millisecond: finer is noise, and costs bytes."""
    time_ms = walls_s * 1e3 - one.offset_us / 1e3
    # A clock that is that wrong says nothing; all charts would have to make room for it.
    time_ms[time_ms > (one.now_us + FUTURE_US) / 1e3] = one.now_us / 1e3
    return np.rint(time_ms).astype(np.int64) * 1000


def _missing(series: list[int], time_us: int) -> Rows:
    return Rows.of(series, [time_us] * len(series), [math.nan] * len(series))

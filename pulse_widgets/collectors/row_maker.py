"""Makes rows of the records of one source: series ids, session time, missing readings.

A source mostly delivers the same fields of the same entities on every tick. Such a pass becomes
rows by a few operations on whole columns. A pass with anything new in it goes through
`translate`, value by value.
"""

from __future__ import annotations

import math
from types import NoneType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pulse_widgets.collectors.layouts import PASS_LAYOUTS_KEPT, RecordLayouts
from pulse_widgets.collectors.rejections import Rejections
from pulse_widgets.errors import PulseError
from pulse_widgets.metrics.catalog import rate_of
from pulse_widgets.metrics.kinds import GAUGE, MOMENT
from pulse_widgets.readers.contract import NO_INFO
from pulse_widgets.readers.translate import Translator, entity_of
from pulse_widgets.series.facts import row_of_facts
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from pulse_widgets.metrics.metric import Metric
    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.contract import ReaderInfo
    from pulse_widgets.readers.translate import Reading, Translation
    from pulse_widgets.series.registry import Registry

__all__ = ["Pass", "RowMaker"]

_NUMBERS: Final = frozenset({float, int, bool, NoneType})
FUTURE_US: Final = 60_000_000
"""A reading of so much later than now is taken to be of now."""
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


class _Gathered(NamedTuple):
    """What records say, as columns.

    Attributes
    ----------
    sizes : tuple of int
        The layout of each record, and how many moments it has.
    walls : (m,) float64
        Unix seconds of all moments.
    said : list
        The readings as they were told.
    raw : (n,) float64
        The same as numbers.
    """

    sizes: tuple[int, ...]
    walls: NDArray[np.float64]
    said: list[float | str | None]
    raw: NDArray[np.float64]


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
    labels : dict of str to dict of str to dict of str to str
        Host to entity to the labels that are known.
    labelled : int
        How often `labels` has changed.
    rejections : Rejections
        The values that cannot be true.
    refused : PulseError or None
        Why the newest series that was refused was refused.
    """

    def __init__(self, source: str, registry: Registry, host: str) -> None:
        self.labels: dict[str, dict[str, dict[str, str]]] = {}
        self.labelled = 0
        self.refused: PulseError | None = None
        self._source = source
        self._registry = registry
        self._host = host
        self.rejections = Rejections()
        self._translator = Translator()
        self._series: dict[tuple[str, str, str], int] = {}
        self._absent: set[int] = set()
        self._layouts = RecordLayouts()
        self._plans: dict[tuple[str, ...], tuple[list[str], NDArray[np.float64]]] = {}

    def begin(self, info: ReaderInfo = NO_INFO) -> None:
        """Begin with a backend that has just been opened, perhaps again."""
        self._translator = Translator(info)
        self._layouts = RecordLayouts()
        self._plans = {}
        self.rejections.forget()

    def together(self, passes: Sequence[Pass]) -> Rows | None:
        """Return the rows of consecutive passes all of whose series are known.

        A few at once cost little more than one. None where they are to be taken one by one.
        """
        rows = self._alike(passes)
        return None if rows is None else self._news(rows)

    def rows(self, one: Pass) -> list[Rows]:
        """Return the rows of one pass; a missing reading is one row, where it begins."""
        rows = self.together([one])
        if rows is not None:
            return [rows]
        translation = self._translator.translate(one.records)
        for (host, entity), labels in translation.labels.items():
            held = self.labels.setdefault(host or self._host, {}).setdefault(entity, {})
            if not labels.items() <= held.items():
                held.update(labels)
                self.labelled += 1
        blocks = [self._news(self._one_by_one(translation.readings, one))]
        self.rejections.take(translation, self._series, one.now_us)
        return blocks + self._lost(translation, one.now_us)

    def gone(self, entities: AbstractSet[tuple[str, str]], now_us: int) -> list[Rows]:
        """Return missing rows for entities that the source no longer reports."""
        ended = [
            series
            for (host, entity, _), series in self._series.items()
            if (host, entity) in entities and series not in self._absent
        ]
        self._absent.update(ended)
        return [_missing(ended, now_us)]

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
        """Return the rows of passes of which every series is known; None of others.

        None also where a new value cannot be true: such values are reported one by one.
        """
        *before, last = passes
        if any(abs(each.offset_us - last.offset_us) > STEADY_US for each in before):
            return None
        gathered = self._gathered([record for each in passes for record in each.records])
        if gathered is None:
            return None
        sizes, walls, said, raw = gathered
        columns = self._layouts.of_pass(sizes)
        ahead_us = passes[0].now_us + FUTURE_US + last.offset_us
        if len(raw) != len(columns.ids) or (before and (walls * 1e6 > ahead_us).any()):
            return None
        multiply, divide, lowest, highest = columns.factors
        value = raw if columns.plain else raw * multiply / divide
        odd = (raw < lowest) | (raw > highest)
        if odd.any() or self.rejections.open:
            if not self._is_open(columns.ids, odd, raw):
                return None
            value = np.where(odd, np.nan, value)
            entities = {(r.host, entity_of(r.entity_id)) for each in passes for r in each.records}
            places = np.flatnonzero(odd).tolist()
            newest = {int(columns.ids[place]): said[place] for place in places}
            self.rejections.again(len(places), newest, entities, last.now_us)
        times = _stamps(walls, last)
        return Rows(columns.ids, times[columns.moments], columns.step, value)

    def _is_open(
        self, ids: NDArray[np.int32], odd: NDArray[np.bool_], raw: NDArray[np.float64]
    ) -> bool:
        """Return whether the same readings are rejected as before, among those in this pass."""
        known = self.rejections.open
        good = ids[~odd & ~np.isnan(raw)].tolist()
        return known.issuperset(ids[odd].tolist()) and known.isdisjoint(good)

    def _gathered(self, records: Sequence[RawRecord]) -> _Gathered | None:
        """Return what some records say, as columns.

        None where one of them has something that is not known yet, or is no number.
        """
        sizes: list[int] = []
        walls: list[float] = []
        readings: list[float | str | None] = []
        find = self._layouts.find
        for record in records:
            samples = record.samples
            fields = record.fields if samples is None else samples.fields
            key = (record.host, record.entity_id, *fields)
            layout = find(key)
            if layout is None:
                layout = self._learn(key, record, tuple(fields))
            if layout is None or record.error is not None:
                return None
            if samples is None:
                sizes += (layout, 1)
                walls.append(record.wallclock)
                readings += record.fields.values()
            else:
                sizes += (layout, len(samples.wallclocks))
                walls += samples.wallclocks
                for column in samples.fields.values():
                    readings += column
        if not readings or not _NUMBERS.issuperset(map(type, readings)):
            return None
        try:
            raw = np.array(readings, np.float64)
            return _Gathered(tuple(sizes), np.array(walls), readings, raw)
        except OverflowError:  # an integer beyond what a float can be
            return None

    def _learn(
        self, key: tuple[Hashable, ...], record: RawRecord, names: tuple[str, ...]
    ) -> int | None:
        """Return the layout of a record of a new shape, None where not all of it is known."""
        if record.error is not None or not names:
            return None
        metrics, factors = self._plan(names)
        host, entity, known = record.host, entity_of(record.entity_id), self._series
        ids = [known.get((host, entity, metric), -1) for metric in metrics]
        return None if -1 in ids else self._layouts.learn(key, ids, factors)

    def _plan(self, names: tuple[str, ...]) -> tuple[list[str], NDArray[np.float64]]:
        """Return the metrics of some fields and the numbers of their plans."""
        planned = self._plans.get(names)
        if planned is None:
            plans = [self._translator.plan_of(name) for name in names]
            if len(self._plans) >= PASS_LAYOUTS_KEPT:
                self._plans.clear()
            numbers = [(plan.multiply, plan.divide, plan.lowest, plan.highest) for plan in plans]
            planned = self._plans[names] = [plan.metric for plan in plans], np.array(numbers)
        return planned

    # Any other pass ------------------------------------------------------------------------

    def _one_by_one(self, readings: Sequence[Reading], one: Pass) -> Rows:
        known = self._series
        ids, walls, values, texts = [], [], [], []
        for entity, metric, value, text, _, wallclock, host in readings:
            series = known.get((host, entity, metric))
            if series is None and (series := self._id(host, entity, metric)) is None:
                continue
            ids.append(series)
            walls.append(wallclock)
            values.append(value)
            texts.append(text)
        times = _stamps(np.array(walls, np.float64), one)
        return Rows.of(ids, times, values, text=texts if any(texts) else None)

    def _id(self, host: str, entity: str, metric: str) -> int | None:
        known = self._translator.metric(metric)
        try:
            series = self._registry.add(
                host or self._host,
                entity,
                metric,
                unit=known.unit if known else "",
                kind=(known.kind if known else GAUGE).stored,
                labels=self._unknown_to_catalog(metric, known),
                owner=self._source,
            )
        except PulseError as error:
            self.refused = error
            return None
        self._series[host, entity, metric] = series
        return series

    def _unknown_to_catalog(self, metric: str, known: Metric | None) -> dict[str, str]:
        """Return what the reader says of a metric of its own; it travels with the series."""
        info = self._translator.info
        if not info.group or (known is not None and metric not in info.metrics):
            return {}
        if known is None:
            return {"group": info.group}
        labels = {"group": info.group, "title": known.title, "help": known.help}
        form = rate_of(metric, known.kind.stored, known.unit)
        shown = info.metrics.get(form[0]) if form else None
        if form and shown is not None:
            labels |= {"title": shown.title, "help": shown.help}
            if shown.unit != form[1]:
                labels["rate_unit"] = shown.unit
        return labels

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
        return rows.take(keep)

    def _live(self) -> list[int]:
        return [series for series in self._series.values() if series not in self._absent]

    def _lost(self, translation: Translation, now_us: int) -> list[Rows]:
        """Return one missing row for each series of an entity that could not be read, and why."""
        gone = [
            series
            for (host, entity, _), series in self._series.items()
            if (host, entity) in translation.errors and series not in self._absent
        ]
        if not gone:
            return []
        self._absent.update(gone)
        said = [f"{entity}: {why}" for (_, entity), why in translation.errors.items()]
        return [_missing(gone, now_us), *(self._trouble(why, now_us) for why in said)]

    def _trouble(self, message: str, now_us: int) -> Rows:
        return self._event("reader", message, now_us)

    def _event(self, kind: str, message: str, now_us: int) -> Rows:
        entity = f"pulse/{self._source}"
        series = self._registry.add(self._host, entity, "event", kind=MOMENT.stored)
        content = {"kind": kind, "source": self._source, "message": message}
        return row_of_facts(series, now_us, content)


def _stamps(walls_s: NDArray[np.float64], one: Pass) -> NDArray[np.int64]:
    """Return session times of Unix seconds, to the millisecond: finer is noise, and costs bytes."""
    time_ms = walls_s * 1e3 - one.offset_us / 1e3
    # So wrong a clock says nothing, and one such time would stretch every chart.
    time_ms[time_ms > (one.now_us + FUTURE_US) / 1e3] = one.now_us / 1e3
    return np.rint(time_ms).astype(np.int64) * 1000


def _missing(series: list[int], time_us: int) -> Rows:
    return Rows.of(series, [time_us] * len(series), [math.nan] * len(series))

"""Which readings a saved picture draws and lists, and what is known of each.

The dashboard has room for everything; a picture has room for a dozen charts and some forty
rows. What decides what people look for first: how the GPUs did, then the machine, then the
kernel and the user's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.exchange.picture.alarms import WATCHED, Alarm, alarms_of
from pulse_widgets.exchange.picture.chart import PLURALS, Chart, Line, Trace
from pulse_widgets.exchange.picture.owners import Owners
from pulse_widgets.exchange.picture.pairs import Measured, paired
from pulse_widgets.exchange.picture.traces import trace_of
from pulse_widgets.exchange.picture.wishes import (
    COLUMNS,
    HEAT_ROWS,
    LIMIT_OF,
    MOST_LINES,
    OWN_ROWS,
    PREFERRED_CHARTS,
    RANK_OWN,
    RANK_REST,
    SINGLE,
    WHOLES,
    PreferredChart,
)
from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.entities import owner_key, parse
from pulse_widgets.metrics.headings import USER, heading_of, headings_with, title_of
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.said import DEFINED, Definitions, is_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulse_widgets.series.history import Screen

__all__ = ["Picked", "pick", "ranked"]


USER_KIND: Final = "user"
"""The class of what was logged by no rank or other part."""


@dataclass(frozen=True, slots=True)
class Picked:
    """What there is to show.

    Attributes
    ----------
    charts : tuple of Chart
        In the order of the picture.
    lines : tuple of Line
        Every series stands in one of them; the most wanted come first.
    headings : tuple of str
        What the lines stand under, in order.
    alarms : tuple of Alarm
        What is alarming of the GPUs, the gravest first.
    """

    charts: tuple[Chart, ...]
    lines: tuple[Line, ...]
    headings: tuple[str, ...]
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class _One:
    """A series as the choice sees it."""

    id: int
    host: str
    entity: str
    metric: str
    unit: str
    title: str
    heading: str
    labels: Mapping[str, Any]
    stored: str
    """Its kind, as it is stored."""
    said: str = ""
    """What its user wants its chart to be called."""

    @property
    def kind(self) -> str:
        """The class of its entity: ``gpu``, ``host``, ``cpu``."""
        return _kind_of(self.entity)

    @property
    def own(self) -> bool:
        """Whether it is a number of the user's, whatever its key is called."""
        return self.logged or self.metric not in CATALOG

    @property
    def logged(self) -> bool:
        """Whether the user logged it: such a number can be found nowhere else."""
        return self.heading == USER


def pick(
    screen: Screen,
    series: Sequence[Mapping[str, Any]],
    entities: Sequence[Mapping[str, Any]],
    most: int,
    rows: int,
) -> Picked:
    """Return what a picture with at most `most` charts shows of a screen.

    Parameters
    ----------
    screen : Screen
    series : sequence of mapping
        In wire form; series that carry text are left out.
    entities : sequence of mapping
        In wire form, with ``host``, ``entity`` and ``labels``.
    most : int
    rows : int
        Lines that are wanted: so that every chart has some of them, the lines of some charts
        are put together as one.
    """
    return _Picker(screen, _defined(_numeric(series), entities), entities).pick(most, rows)


def ranked(series: Sequence[Mapping[str, Any]]) -> list[tuple[int, list[int]]]:
    """Return the ids of all series, those a saved view cannot do without first, and their rank.

    What stands together is of one metric and one class of entities: a mean over some of the
    GPUs is no mean of the GPUs. First the machine and the kernel, which take few series, and the
    user's own numbers, which are nowhere else; then how the GPUs did; then the rest, the smallest
    groups first.
    """
    wanted = {metric: place for place, one in enumerate(PREFERRED_CHARTS) for metric in one.metrics}
    limits = {LIMIT_OF[metric]: place for metric, place in wanted.items() if metric in LIMIT_OF}
    wanted |= limits
    catalog = {metric: place for place, metric in enumerate(CATALOG)}
    bundles: dict[tuple[str, str, bool], list[_One]] = {}
    for one in map(_one, series):
        bundles.setdefault((one.metric, one.kind, one.logged), []).append(one)

    def rank(bundle: list[_One]) -> tuple[int, int, int, int]:
        one = bundle[0]
        whole = one.kind in WHOLES
        if one.logged:
            return (RANK_OWN, 0, 0, 0)
        if one.metric in wanted and whole:
            return (0 if one.kind in SINGLE else 2, wanted[one.metric], 0, 0)
        return (RANK_REST, len(bundle), 0 if whole else 1, catalog.get(one.metric, -1))

    placed = sorted(((rank(bundle), bundle) for bundle in bundles.values()), key=lambda one: one[0])
    return [(place[0], [one.id for one in bundle]) for place, bundle in placed]


class _Picker:
    """Finds charts and lines in one screen."""

    def __init__(
        self, screen: Screen, series: list[_One], entities: Sequence[Mapping[str, Any]]
    ) -> None:
        self._screen = screen
        self._row = {int(number): row for row, number in enumerate(screen.ids)}
        self._owners = Owners(entities, {one.host: None for one in series})
        self._bundles: dict[tuple[str, str], list[_One]] = {}
        for one in sorted(series, key=lambda s: owner_key(s.host, s.entity)):
            self._bundles.setdefault((one.metric, one.kind), []).append(one)
        self._headings = headings_with(one.heading for one in series)
        self._order = list(dict.fromkeys((s.metric, s.kind) for s in series))
        # Also those of which nothing is chosen: GPU 3 keeps its colour.
        owners = {(one.host, one.entity) for one in series}
        owners |= {(str(one["host"]), str(one["entity"])) for one in entities}
        self._place: dict[tuple[str, str], int] = {}
        counts: dict[str, int] = {}
        for owner in sorted(owners, key=lambda owner: owner_key(*owner)):
            kind = _kind_of(owner[1])
            self._place[owner] = counts.get(kind, 0)
            counts[kind] = counts.get(kind, 0) + 1

    def pick(self, most: int, rows: int) -> Picked:
        """Choose the charts, and order all lines by how much they are wanted."""
        charts = [(wish, self._chart(wish)) for wish in PREFERRED_CHARTS]
        own = [c for c in self._own() if not c.empty]
        wished = [c for wish, c in charts if c is not None and wish.first]
        logged = [c for c in own if c.lines[0].heading == USER]
        # The user's own leave the GPUs a row, what other readers measure leaves all but one.
        across = most // COLUMNS
        reserved = max(min(len(logged), across * OWN_ROWS), min(len(own), across))
        first = wished[: most - reserved]
        own = own[: most - len(first)]
        room = most - len(first) - len(own)
        rest = [c for wish, c in charts if c is not None and not wish.first and not c.empty][:room]
        machine = [c for _, c in charts if c in first or c in rest]
        logged = [c for c in own if c in logged]
        chosen = [*logged, *machine, *(c for c in own if c not in logged)]
        if all(chart.empty for chart in chosen):
            chosen = list(islice(self._others(), most))
        lines = tuple(self._all(chosen, rows))
        return Picked(tuple(chosen), lines, self._headings, alarms_of(self._watched()))

    def _watched(self) -> dict[str, dict[str, Trace]]:
        """Return what alarms are made of, by what each GPU is called and then by metric."""
        found: dict[str, dict[str, Trace]] = {}
        ones = [one for metric in WATCHED for one in self._bundles.get((metric, "gpu"), ())]
        for one in sorted(ones, key=lambda one: owner_key(one.host, one.entity)):
            if not one.own:
                found.setdefault(self._label(one), {})[one.metric] = self._trace((one.id,))
        return found

    def _own(self) -> Iterable[Chart]:
        """Yield the charts of metrics that only their owner knows, the user's own first.

        Under one heading the machine comes before its parts, else they come in the order of their
        first use.
        """
        own = [one for one in map(self._bundles.__getitem__, self._order) if one[0].own]
        own.sort(key=self._place_of)
        logged = [bundle for bundle in own if bundle[0].logged]
        yield from self._pairs(logged)
        yield from map(self._plain_chart, own[len(logged) :])

    def _pairs(self, logged: list[list[_One]]) -> Iterable[Chart]:
        """Yield a chart for each quantity that the user logged, whatever it was measured of."""
        measured = []
        for bundle in logged:
            one, single = bundle[0], len(bundle) == 1
            owner = (one.host, one.entity) if single else one.kind
            measured.append(Measured(one.metric, (owner, one.unit, one.stored), single=single))
        for group in paired(measured):
            bundles = [logged[member.place] for member in group.members]
            if not group.title:
                yield self._plain_chart(bundles[0])
                continue
            one = bundles[0][0]
            lines = tuple(
                self._line(bundle, member.label, member.color)
                for bundle, member in zip(bundles, group.members, strict=True)
            )
            # Ranks are told apart, as on the dashboard.
            said = {bundle[0].said for bundle in bundles}
            title = (said.pop() if len(said) == 1 else "") or group.title
            title = title if one.kind == USER_KIND else f"{title}, {self._label(one)}"
            yield Chart(title, one.unit, lines)

    def _place_of(self, bundle: list[_One]) -> tuple[bool, int, bool]:
        one = bundle[0]
        return not one.logged, self._headings.index(one.heading), one.kind != "host"

    def _others(self) -> Iterable[Chart]:
        """Yield a chart for each bundle there is, the first of the catalog first."""
        place = {metric: number for number, metric in enumerate(CATALOG)}
        for key in sorted(self._order, key=lambda key: place.get(key[0], -1)):
            chart = self._plain_chart(self._bundles[key])
            if not chart.empty:
                yield chart

    def _plain_chart(self, bundle: list[_One]) -> Chart:
        lines = self._lines(bundle)
        whole = self._line(bundle, _plural(bundle), 0) if len(bundle) > 1 else None
        title = bundle[0].said or lines[0].title
        return Chart(title, lines[0].unit, tuple(lines), None, whole, self._rows(bundle))

    def _rows(self, bundle: list[_One]) -> tuple[Line, ...]:
        if not MOST_LINES < len(bundle) <= HEAT_ROWS:
            return ()
        return tuple(self._line([one], self._label(one), 0) for one in bundle)

    def _chart(self, wish: PreferredChart) -> Chart | None:
        kinds = {
            kind
            for (metric, kind), bundle in self._bundles.items()
            if metric in wish.metrics and not bundle[0].own
        }
        kind = next((k for k in WHOLES if k in kinds), None)
        if kind is None:
            return None
        bundles = [self._bundles[m, kind] for m in wish.metrics if (m, kind) in self._bundles]
        lines = (
            self._lines(bundles[0])
            if len(wish.metrics) == 1
            else self._word_lines(bundles, dict(zip(wish.metrics, wish.words, strict=True)))
        )
        title = wish.title or lines[0].title
        limit = self._limit(wish.metrics[0], kind)
        one = bundles[0] if len(wish.metrics) == 1 and len(bundles[0]) > 1 else None
        whole = self._line(one, _plural(one), 0) if one else None
        rows = self._rows(one) if one else ()
        return Chart(title, lines[0].unit, tuple(lines), limit, whole, rows)

    def _lines(self, bundle: list[_One]) -> list[Line]:
        if len(bundle) > MOST_LINES:
            return [self._line(bundle, _plural(bundle), 0)]
        # GPU 3 has its colour also where it is the only line.
        return [
            self._line([one], self._label(one), self._place[one.host, one.entity]) for one in bundle
        ]

    def _word_lines(self, bundles: list[list[_One]], words: Mapping[str, str]) -> list[Line]:
        """Return the lines of metrics that share a chart: one each, or one each and owner."""
        if sum(map(len, bundles)) > MOST_LINES or all(len(bundle) == 1 for bundle in bundles):
            return [
                self._line(bundle, words[bundle[0].metric], place)
                for place, bundle in enumerate(bundles)
            ]
        ones = [one for bundle in bundles for one in bundle]
        return [
            self._line([one], f"{self._label(one)} {words[one.metric]}", place)
            for place, one in enumerate(ones)
        ]

    def _line(self, bundle: list[_One], label: str, place: int) -> Line:
        ids = tuple(one.id for one in bundle)
        owner = self._label(bundle[0]) if len(bundle) == 1 else _plural(bundle)
        first = bundle[0]
        trace = self._trace(ids)
        said = (first.title, first.heading)
        return Line(first.metric, first.unit, label, owner, place, ids, trace, *said)

    def _trace(self, ids: tuple[int, ...]) -> Trace:
        return trace_of(self._screen, [self._row[number] for number in ids if number in self._row])

    def _limit(self, metric: str, kind: str) -> float | None:
        name = LIMIT_OF.get(metric)
        bundle = self._bundles.get((name, kind), []) if name else []
        extent = self._trace(tuple(one.id for one in bundle)).extent
        return extent[1] if extent else None

    def _all(self, charts: list[Chart], rows: int) -> Iterable[Line]:
        """Yield a line for every series: those of the charts, then the others."""
        drawn: set[int] = set()
        for line in _within(charts, rows - rows // 5):
            drawn.update(line.ids)
            yield line
        rest: list[Line] = []
        for bundle in self._bundles.values():
            left = [one for one in bundle if one.id not in drawn]
            if left:
                rest.extend(self._lines(left))
        place = {metric: number for number, metric in enumerate(CATALOG)}
        silent = frozenset(LIMIT_OF.values())
        # The user's own stand as in their charts.
        order = {line.ids: n for n, line in enumerate(_lines_of(self._own()))}
        yield from sorted(
            rest,
            key=lambda line: (
                len(line.trace) == 0,
                line.metric in silent,
                place.get(line.metric, -1),
                order.get(line.ids, -1),
            ),
        )

    def _label(self, one: _One) -> str:
        return self._owners.label(one.host, one.entity, one.labels)


def _lines_of(charts: Iterable[Chart]) -> Iterable[Line]:
    return (line for chart in charts for line in chart.lines)


def _within(charts: list[Chart], rows: int) -> list[Line]:
    """Return the lines of the charts; the last charts' as one each until there is room."""
    parts = [list(chart.lines) for chart in charts]
    for place in reversed(range(len(charts))):
        whole = charts[place].whole
        if whole is not None and sum(map(len, parts)) > rows:
            parts[place] = [whole]
    return [line for lines in parts for line in lines]


def _plural(bundle: list[_One]) -> str:
    return f"{len(bundle)} {PLURALS.get(bundle[0].kind, 'series')}"


def _kind_of(entity: str) -> str:
    """Return the class of an entity: ``gpu``, ``host``, ``cpu``."""
    parts = parse(entity)
    if not parts:
        return ""
    return parts[0].kind if parts[0].kind == "pid" else parts[-1].kind


def _one(series: Mapping[str, Any]) -> _One:
    labels = series.get("labels") or {}
    entity, metric = str(series["entity"]), str(series["metric"])
    return _One(
        int(series["id"]),
        str(series["host"]),
        entity,
        metric,
        str(series["unit"]),
        title_of(metric, entity, labels),
        heading_of(metric, entity, labels),
        labels,
        str(series["kind"]),
    )


def _numeric(series: Sequence[Mapping[str, Any]]) -> list[_One]:
    return [_one(s) for s in series if kind_stored_as(s["kind"]).numeric]


def _defined(ones: list[_One], entities: Sequence[Mapping[str, Any]]) -> list[_One]:
    """Return the series with the units and titles that their user said."""
    said: dict[str, Any] = {}
    for each in entities:
        if is_user(str(each["entity"])):
            said |= facts_of(str(each["labels"].get(DEFINED, ""))) or {}
    defined = Definitions(said)
    return [_as_defined(one, defined) for one in ones] if defined else ones


def _as_defined(one: _One, defined: Definitions) -> _One:
    if not is_user(one.entity):
        return one
    told = defined.of(one.metric)
    title = told.get("title", "")
    return replace(one, unit=one.unit or told.get("unit", ""), said=title)

"""When an alert fires: the engine beside a plain reading of its rules."""

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pulse_widgets.insight.alerts.subject as subject_module
from pulse_widgets.insight.alerts.parser import parse
from pulse_widgets.insight.alerts.subject import Subject
from pulse_widgets.insight.alerts.track import FOREVER, Point, Points, Track, Windowed
from pulse_widgets.insight.alerts.tree import Missing, Window, readings
from pulse_widgets.series.columns import LOGGED_NAN, missing

CONDITIONS = (
    '"a" > 5',
    '"a" > 5 for 3s',
    '"a" != 5 for 2s',
    'not "a" > 5 for 1s',
    '"a" > "b" for 2s',
    '"a" > 5 or "b" > 5',
    '"a" > 5 and not "b" > 5 for 2s',
    '"a" / "b" >= 1 for 1s',
    'missing("a", 4s)',
    'missing("a", 7s) and "b" > 5 for 2s',
    'mean("a", 2s) > 5',
    'max("a", 3s) > "b" for 1s',
    'min("a", 1s) < 5 or abs(-"a") < 1',
)


@dataclass
class Slow:
    """What the rules say, one reading after the other, looking back at everything each time."""

    condition: object
    first: int
    rows: dict = field(default_factory=lambda: {"a": [], "b": []})
    """Name to time, value and whether it is known."""
    log: list = field(default_factory=list)
    since: int | None = None
    fired: bool = False
    latest: int = -1
    phase: str = "no data"
    told: list = field(default_factory=list)

    def fresh_us(self, rows):
        spacings = [b[0] - a[0] for a, b in pairwise(rows)][-7:]
        if not spacings:
            return self.first
        return max(5_000_000, 3 * sorted(spacings)[len(spacings) // 2])

    def gap(self, name):
        *before, last = self.rows[name]
        return bool(before) and last[0] - before[-1][0] > self.fresh_us(before)

    def held(self, name, now):
        rows = self.rows[name]
        if not rows or not rows[-1][2] or now - rows[-1][0] > self.fresh_us(rows):
            return None
        return rows[-1][1]

    def window(self, leaf, now):
        if self.held(leaf.metric, now) is None:
            return None
        length = round(leaf.length.value * 1e6)
        step = length // 500
        rows, kept = self.rows[leaf.metric], []
        for place in range(len(rows) - 1, -1, -1):
            if not rows[place][2]:
                break
            kept.append(rows[place])
            if place and rows[place][0] - rows[place - 1][0] > self.fresh_us(rows[:place]):
                break
        newest = rows[-1][0]
        if newest - kept[-1][0] < length:
            return None
        inside = [value for time, value, _ in kept if time // step > newest // step - 500]
        if leaf.function == "mean":
            return sum(inside) / len(inside)
        if any(map(math.isnan, inside)):
            return math.nan
        return max(inside) if leaf.function == "max" else min(inside)

    def value(self, leaf, now):
        if isinstance(leaf, Missing):
            good = [time for time, _, known in self.rows[leaf.metric] if known]
            return float(now - good[-1] >= leaf.length.value * 1e6) if good else None
        return self.window(leaf, now) if isinstance(leaf, Window) else self.held(leaf.metric, now)

    def look(self, now, *, broke=False, tick=False):
        leaves = list(readings(self.condition.test))
        true = evaluated(self.condition.test, {leaf: self.value(leaf, now) for leaf in leaves})
        if tick and not any(isinstance(leaf, Missing) for leaf in leaves):
            if true is None:
                self.phase, self.since = "no data", None
            return
        self.latest = now = max(now, self.latest)
        if not true:
            self.since = None
            self.phase = "no data" if true is None else "quiet"
            if true is False and self.fired:
                self.fired = False
                self.told.append(("quiet", now))
            return
        if self.since is None or broke:
            self.since = now
        if now - self.since < self.condition.lasting_us:
            self.phase = "pending"
            return
        self.phase = "firing"
        if not self.fired:
            self.fired = True
            self.told.append(("firing", now))

    def take(self, rows):
        steps = {}
        for name, own in rows.items():
            seen = Counter()
            for time, value in own:
                steps[time, seen[time], name] = value
                seen[time] += 1
        uses = {leaf.metric for leaf in readings(self.condition.test)}
        fresh = {r.metric for r in readings(self.condition.test) if not isinstance(r, Missing)}
        for moment in sorted({key[:2] for key in steps}):
            broke, mine = False, False
            for name in ("a", "b"):
                if (*moment, name) in steps:
                    value = steps[*moment, name]
                    self.rows[name].append((moment[0], value, not is_missing(value)))
                    broke |= name in fresh and self.gap(name)
                    mine |= name in uses
            if mine:
                self.look(moment[0], broke=broke)


def is_missing(value):
    return bool(missing(np.array([value]))[0])


def evaluated(tree, leaves):  # noqa: PLR0911  one a sort of tree
    """Evaluate a tree by the words of its rules."""
    kind = type(tree).__name__
    if kind == "Number":
        return tree.value
    if kind in {"Reading", "Window"}:
        return leaves[tree]
    if kind == "Missing":
        return None if leaves[tree] is None else bool(leaves[tree])
    if kind in {"Negated", "Magnitude", "Not"}:
        of = evaluated(tree.of, leaves)
        if of is None:
            return None
        return {"Negated": lambda: -of, "Magnitude": lambda: abs(of), "Not": lambda: not of}[kind]()
    left, right = evaluated(tree.left, leaves), evaluated(tree.right, leaves)
    if kind == "Both":
        decides = tree.operator == "or"
        if decides in (left, right):
            return decides
        return None if None in (left, right) else not decides
    if left is None or right is None:
        return None
    with np.errstate(all="ignore"):
        one, other = np.float64(left), np.float64(right)
        if kind == "Comparison" and (np.isnan(one) or np.isnan(other)):
            return False
        signs = {
            ">": one > other, ">=": one >= other, "<": one < other, "<=": one <= other,
            "==": one == other, "!=": one != other,
            "+": one + other, "-": one - other, "*": one * other, "/": one / other,
        }  # fmt: skip
    made = signs[tree.operator]
    return bool(made) if kind == "Comparison" else float(made)


values = st.sampled_from([0.0, 1.0, 4.0, 6.0, 9.0, math.nan, LOGGED_NAN, math.inf])
spacings = st.sampled_from([0, 1, 300_000, 1_000_000, 1_000_000, 2_500_000, 5_000_001, 20_000_000])
series = st.lists(st.tuples(spacings, values), max_size=25)
batches = st.lists(st.tuples(series, series, st.booleans()), min_size=1, max_size=4)


def engine(news, tracks, series_of, *, columns):
    """Return what the engine makes of rows: by columns, or one by one."""
    made = {}
    for name, own in news.items():
        time = np.array([time for time, _ in own], np.int64)
        value = np.array([value for _, value in own], np.float64)
        track = tracks[series_of[name]]
        if columns:
            made[series_of[name]] = track.many(time, value)
        else:
            points = [track.one(at, number, known=not is_missing(number)) for at, number in own]
            made[series_of[name]] = [point for point in points if point is not None]
    return made


@pytest.mark.parametrize("columns", [False, True])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_an_alert_fires_as_its_rules_say(columns, data):
    condition = parse(data.draw(st.sampled_from(CONDITIONS)))
    first = data.draw(st.sampled_from([5_000_000, FOREVER]))

    follow(condition, first, data.draw(batches), columns=columns)


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("text", CONDITIONS)
def test_an_alert_fires_as_its_rules_say_in_long_steady_series(text, columns):
    for seed in range(3):
        random = np.random.default_rng(seed)
        parts = []
        for _ in range(6):
            rows = []
            for _ in "ab":
                spacing = random.choice([200_000, 700_000, 1_000_000, 6_000_000], 20, p=SHARES)
                value = random.choice([1.0, 6.0, 9.0, np.nan], 20, p=[0.05, 0.4, 0.54, 0.01])
                rows.append(list(zip(spacing.tolist(), value.tolist(), strict=True)))
            parts.append((*rows, bool(random.integers(2))))
        follow(parse(text), FOREVER, parts, columns=columns)


SHARES = (0.4, 0.3, 0.29, 0.01)


def follow(condition, first, parts, *, columns):
    """Give rows to the engine and to the plain reading of the rules, and compare them."""
    series_of = {"a": 0, "b": 1}
    tracks = {one: Track(first) for one in series_of.values()}
    leaves = {leaf: series_of[leaf.metric] for leaf in readings(condition.test)}
    subject = Subject(condition, leaves, {one: t.last for one, t in tracks.items()})
    slow = Slow(condition, first)
    told = []
    now = {"a": 1_000_000, "b": 1_000_000}
    before, subject_module.MANY = subject_module.MANY, 0 if columns else 10**9
    try:
        for a, b, tick in parts:
            news = {"a": [], "b": []}
            for name, rows in (("a", a), ("b", b)):
                for spacing, value in rows:
                    now[name] += spacing
                    news[name].append((now[name], value))
            told += subject.take(engine(news, tracks, series_of, columns=columns))
            slow.take(news)
            if tick:
                at = max(now.values()) + 6_000_000
                told += subject.tick(at)
                slow.look(at, tick=True)
            assert [(change.phase, change.time) for change in told] == slow.told
            assert subject.phase == slow.phase
    finally:
        subject_module.MANY = before


@given(series)
def test_rows_in_columns_are_known_for_as_long_as_one_by_one(rows):
    at, time, value = 1, [], []
    for spacing, number in rows:
        at += spacing
        time.append(at)
        value.append(number)
    one_by_one, in_columns = Track(FOREVER), Track(FOREVER)

    points = [
        one_by_one.one(t, v, known=not is_missing(v)) for t, v in zip(time, value, strict=True)
    ]
    half = len(time) // 2
    for part in (slice(half), slice(half, None)):
        made = in_columns.many(np.array(time[part], np.int64), np.array(value[part]))
        assert repr(made.points()) == repr(points[part])


@pytest.mark.parametrize("function", ["mean", "max", "min"])
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 900, 40_000]), values), max_size=60),
    st.integers(0, 2**31),
)
def test_a_window_over_rows_in_columns_is_what_it_is_over_one_by_one(function, rows, seed):
    random = np.random.default_rng(seed)
    dense = random.integers(1, 300, 400)
    spacing = np.append([at for at, _ in rows], dense).astype(np.int64)
    value = np.append([value for _, value in rows], random.normal(5, 3, len(dense)))
    value[~np.isfinite(value) & (random.random(len(value)) < 0.8)] = 5.0
    points = Track(FOREVER).many(1_000_000 + np.cumsum(spacing), value)
    one_by_one, in_columns = Windowed(function, 50_000), Windowed(function, 50_000)

    expected = [one_by_one.one(point) for point in points.points()]

    half = len(value) // 2
    made = [cut(points, part) for part in (slice(half), slice(half, None))]
    found = [point for part in made for point in in_columns.many(part).points()]
    assert repr(found) == repr(expected)
    assert any(point.known for point in expected)


def cut(points, part):
    return Points(*(getattr(points, name)[part] for name in Point._fields))


def test_a_row_that_is_older_than_the_newest_changes_nothing():
    track = Track(FOREVER)
    track.one(10, 1.0, known=True)
    assert track.one(9, 2.0, known=True) is None
    assert track.many(np.array([8, 11, 10]), np.array([3.0, 4.0, 5.0])).points()[0].value == 4.0
    assert track.last.time == 11


@given(st.lists(st.lists(values, min_size=1, max_size=200), min_size=1, max_size=4), st.booleans())
def test_swings_that_are_not_told_are_counted_as_they_are_one_by_one(parts, swings):
    condition = parse('"a" > 5')
    [leaf] = readings(condition.test)
    few, many = (Subject(condition, {leaf: 0}, {0: Track(FOREVER).last}) for _ in range(2))
    track, at = Track(FOREVER), 1_000_000
    if swings:
        parts = [[9.0, 1.0] * 80, *parts]
    for part in parts:
        points = track.many(at + np.arange(len(part)), np.array(part))
        at += len(part)
        expected = few._take_few({0: points.points()})
        assert repr(many._take_columns({0: points})) == repr(expected)
        assert (many.untold, many.phase, many._fired) == (few.untold, few.phase, few._fired)


def test_firings_of_a_value_that_swings_are_counted_beyond_sixty_a_minute():
    condition = parse('"a" > 5')
    track = Track(FOREVER)
    [leaf] = readings(condition.test)
    subject = Subject(condition, {leaf: 0}, {0: track.last})
    count = 10_000
    time = 1_000_000 + 1000 * np.arange(count)

    told = subject.take({0: track.many(time, np.where(np.arange(count) % 2, 9.0, 1.0))})

    assert [change.phase for change in told] == ["firing", "quiet"] * 60
    assert subject.untold == count // 2 - 60
    assert subject.phase == "firing"

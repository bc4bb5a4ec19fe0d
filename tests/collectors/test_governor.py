"""Sources that are read as the sampler reads them, at prices a test sets, under a governor."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.collectors.governor import NATIVE_S, Governor
from pulse_widgets.readers.base import ALL_CLASSES, RateClass

GAUGES, BUFFERED, SLOW = RateClass.GAUGES, RateClass.BUFFERED, RateClass.SLOW
SETTLED_S = 50


class Readings:
    """Prices are CPU seconds a reading, by source and class."""

    def __init__(self, prices, *, interval=1.0, budget=0.01, carried=0.0, noise=0.0):
        self.noise = noise
        self._random = random.Random(1)
        self.prices = prices
        self.interval = interval
        self.carried = carried
        self.now = 0.0
        self.spent = self._waiting = 0.0
        self._next = {}
        self.governor = Governor(lambda: budget, self._carry, lambda: self.now)
        self.governor.begin(interval)

    def _carry(self):
        waiting, self._waiting = self._waiting, 0.0
        return waiting

    def go_on(self, seconds):
        """Return what it costs, in cores, from here on."""
        spent, began = self.spent, self.now
        for _ in range(round(seconds * 10)):
            self.now = round(self.now + 0.1, 1)
            for source in self.prices:
                self._read(source)
        return (self.spent - spent) / (self.now - began)

    def _read(self, source):
        due = frozenset(c for c in ALL_CLASSES if self._next.get((source, c), 0.0) <= self.now)
        for rate in due:
            period = self.governor.period_s(source, rate, self.interval)
            # On a grid that all share.
            self._next[source, rate] = (
                (self.now + 1e-6) // period * period + period if period < 1e9 else 1e9
            )
        if due:
            cpu = sum(self.prices[source].get(rate, 0.0) for rate in due)
            cpu *= max(0.0, self._random.gauss(1.0, self.noise))
            self.spent += cpu * (1 + self.carried)
            self._waiting += cpu * self.carried
            self.governor.spent(source, due, cpu)

    def factors(self):
        return {
            (source, rate.value): self.governor.factor(source, rate)
            for source in self.prices
            for rate in ALL_CLASSES
            if self.governor.factor(source, rate) > 1 and rate in self.prices[source]
        }


def test_the_dearest_source_is_slowed_and_it_is_said():
    readings = Readings({"nvml": {GAUGES: 0.012}, "system": {GAUGES: 0.002}})

    readings.go_on(SETTLED_S + 5)

    assert readings.factors() == {("nvml", "gauges"): 2}
    assert readings.governor.factor("nvml", RateClass.COUNTERS) == 2
    assert readings.governor.says("nvml") == "gauges read 2x rarer"
    assert readings.governor.says("system") == ""


def test_of_a_source_the_part_that_is_dear_is_slowed():
    readings = Readings({"system": {GAUGES: 0.001, SLOW: 0.2}})

    readings.go_on(150)

    assert readings.factors() == {("system", "slow"): 4}
    assert readings.governor.says("system") == "slow read 4x rarer"


@pytest.mark.parametrize("interval", [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0])
def test_dear_gauges_are_found_at_every_interval(interval):
    prices = {"nvml": {GAUGES: 0.03 * interval, SLOW: 0.001}, "system": {GAUGES: 0.0001}}
    readings = Readings(prices, interval=interval)

    readings.go_on(max(180, 15 * interval))

    assert readings.factors()["nvml", "gauges"] == 4
    assert readings.go_on(40 * max(interval, 1)) <= 0.01


def test_what_is_done_with_readings_counts_as_well():
    readings = Readings({"nvml": {GAUGES: 0.006}}, carried=1.0)

    readings.go_on(SETTLED_S + 5)

    assert readings.factors() == {("nvml", "gauges"): 2}


def test_what_stays_within_the_budget_is_left_alone():
    readings = Readings({"nvml": {GAUGES: 0.007, BUFFERED: 0.002, SLOW: 0.005}})

    readings.go_on(600)

    assert readings.governor.says("nvml") == ""


@pytest.mark.parametrize("again", [False, True], ids=["at-first", "at-another-pace"])
def test_starting_may_cost_more(again):
    readings = Readings({"nvml": {GAUGES: 0.009}})
    if again:
        readings.go_on(60)
        readings.governor.begin(1.0)
    readings.prices = {"nvml": {GAUGES: 1.0}}
    readings.go_on(9)

    readings.prices = {"nvml": {GAUGES: 0.009}}
    readings.go_on(60)

    assert readings.factors() == {}


def test_what_is_read_once_is_not_looked_at():
    readings = Readings({"nvml": {GAUGES: 0.001, RateClass.STATIC: 5.0}})
    readings.go_on(SETTLED_S - 5)

    # It came back after it was lost.
    readings._next.clear()
    readings.go_on(60)

    assert readings.factors() == {}


def test_a_slow_minute_is_over_when_it_is_over():
    readings = Readings({"nvml": {GAUGES: 0.012}})
    readings.go_on(3600)
    assert readings.factors() == {("nvml", "gauges"): 2}

    readings.prices = {"nvml": {GAUGES: 0.008}}
    readings.go_on(100)

    assert readings.factors() == {}


@pytest.mark.parametrize("carried", [0.0, 1.0, 6.0])
def test_nothing_goes_to_and_fro(carried):
    prices = {"nvml": {GAUGES: 0.012, SLOW: 0.3}, "system": {GAUGES: 0.004}}
    readings = Readings(prices, carried=carried)
    readings.go_on(900)

    seen = set()
    for _ in range(100):
        readings.go_on(10)
        seen.add(tuple(sorted(readings.factors().items())))

    assert len(seen) == 1


def test_a_reading_that_is_rare_anyway_is_judged_by_its_mean():
    """A dear one each minute is no dear minute."""
    readings = Readings({"nvml": {GAUGES: 0.25}}, interval=60.0)

    readings.go_on(3600)

    assert readings.factors() == {}


def test_one_source_that_hangs_keeps_no_other_slow():
    readings = Readings({"a": {GAUGES: 0.03}, "b": {GAUGES: 0.012}})
    readings.go_on(200)
    assert len(readings.factors()) == 2

    readings.prices = {"b": {GAUGES: 0.002}}
    readings.go_on(200)

    assert readings.factors() == {}
    assert readings.governor.says("a") == ""


def test_a_part_that_cannot_be_slowed_more_keeps_no_other_slow():
    readings = Readings({"a": {GAUGES: 2.0}, "b": {GAUGES: 0.004}})
    readings.go_on(400)
    assert readings.governor.factor("a", GAUGES) == 64
    assert readings.governor.factor("b", GAUGES) > 1

    readings.prices = {"a": {GAUGES: 0.2}, "b": {GAUGES: 0.001}}
    readings.go_on(400)

    assert readings.governor.factor("b", GAUGES) == 1


@pytest.mark.parametrize("dear", [GAUGES, RateClass.PROCESSES, SLOW])
@pytest.mark.parametrize("cores", [0.008, 0.013, 0.019])
def test_noise_slows_little_without_need_and_seldom_goes_to_and_fro(dear, cores):
    price = cores * NATIVE_S.get(dear, 1.0)
    readings = Readings({"nvml": {dear: price}, "system": {GAUGES: 0.0005}}, noise=0.2)
    readings.go_on(300)

    changes, before = 0, readings.factors()
    for _ in range(360):
        readings.go_on(10)
        changes += readings.factors() != before
        before = readings.factors()

    # In an hour.
    assert changes <= 12


def test_a_process_that_stood_still_forgets_nothing():
    readings = Readings({"nvml": {GAUGES: 0.15}, "system": {SLOW: 0.8}})
    readings.go_on(600)
    before = readings.factors()
    assert len(before) == 2

    readings.now += 500.0
    readings.go_on(120)

    assert readings.factors() == before


def test_what_cannot_be_made_rarer_counts_and_is_no_reason_to_starve_the_rest():
    """Looking for events alone costs more than is promised."""
    prices = {"nvml": {RateClass.EVENTS: 0.02, GAUGES: 0.004}, "system": {GAUGES: 0.0001}}
    readings = Readings(prices, interval=5.0)

    readings.go_on(900)

    assert readings.governor.factor("nvml", GAUGES) > 1
    assert readings.governor.factor("system", GAUGES) == 1


prices = st.dictionaries(
    st.sampled_from([*sorted(set(NATIVE_S) - {RateClass.STATIC}, key=str), GAUGES]),
    st.floats(0.0, 0.05),
    min_size=1,
)


@settings(max_examples=25, deadline=None)
@given(one=prices, other=prices, interval=st.sampled_from([0.5, 1.0, 2.0, 5.0]))
def test_whatever_is_dear_it_costs_what_it_may_in_the_end(one, other, interval):
    prices = {name: {**p, RateClass.EVENTS: 0.0} for name, p in (("a", one), ("b", other))}
    readings = Readings(prices, interval=interval)

    readings.go_on(1600)

    # What is not worth slowing may add to it.
    assert readings.go_on(640) <= 0.012
    before = readings.factors()
    readings.go_on(200)
    assert readings.factors() == before

from pulse_widgets.collectors.governor import Governor
from pulse_widgets.readers.base import RateClass

GAUGES = frozenset({RateClass.GAUGES})
SLOW = frozenset({RateClass.GAUGES, RateClass.SLOW})


class Readings:
    """Sources that are read once a second, each at a price, under a governor."""

    def __init__(self, budget, share=1.0):
        self.now = 0.0
        self.prices = {}
        self._waiting = self._spent = 0.0
        self.share = share
        self.governor = Governor(lambda: budget, self._costs, lambda: self.now)

    def _costs(self):
        spent, self._spent = self._spent, 0.0
        return spent / self.share

    def go_on(self, seconds):
        for _ in range(seconds):
            self.now += 1.0
            for (source, due), price in self.prices.items():
                slowest = RateClass.SLOW if RateClass.SLOW in due else RateClass.GAUGES
                if self.now % self.governor.factor(source, slowest) == 0:
                    self._spent += price
                    self.governor.spent(source, due, price)

    def factor(self, source, rate=RateClass.GAUGES):
        return self.governor.factor(source, rate)


def test_the_dearest_class_is_slowed_and_it_is_said():
    readings = Readings(budget=0.01)
    readings.prices = {("nvml", GAUGES): 0.012, ("nvml", SLOW): 0.001, ("system", GAUGES): 0.002}

    readings.go_on(60)

    assert readings.factor("nvml") == 2
    assert readings.factor("nvml", RateClass.COUNTERS) == 2
    assert readings.factor("nvml", RateClass.SLOW) == 1
    assert readings.factor("system") == 1
    assert readings.governor.says("nvml") == "gauges read 2x rarer"
    assert readings.governor.says("system") == ""


def test_what_comes_after_a_reading_counts():
    readings = Readings(budget=0.01, share=0.5)
    readings.prices = {("nvml", GAUGES): 0.006}

    readings.go_on(60)

    assert readings.factor("nvml") == 2


def test_what_stays_within_the_budget_is_left_alone():
    readings = Readings(budget=0.01)
    readings.prices = {("nvml", GAUGES): 0.0095}

    readings.go_on(600)

    assert readings.governor.says("nvml") == ""


def test_starting_may_cost_more():
    readings = Readings(budget=0.01)
    readings.prices = {("nvml", GAUGES): 1.0}
    readings.go_on(9)
    readings.prices = {("nvml", GAUGES): 0.009}
    readings.go_on(60)
    assert readings.factor("nvml") == 1

    readings.governor.begin()
    readings.prices = {("nvml", GAUGES): 1.0}
    readings.go_on(9)
    readings.prices = {("nvml", GAUGES): 0.009}
    readings.go_on(60)
    assert readings.factor("nvml") == 1


def test_a_slow_minute_is_over_when_it_is_over():
    readings = Readings(budget=0.01)
    readings.prices = {("nvml", GAUGES): 0.012}
    readings.go_on(60)
    assert readings.factor("nvml") == 2

    readings.prices = {("nvml", GAUGES): 0.008}
    readings.go_on(30)

    assert readings.factor("nvml") == 1
    assert readings.governor.says("nvml") == ""


def test_what_would_pass_the_budget_again_stays_rare():
    readings = Readings(budget=0.01)
    readings.prices = {("nvml", GAUGES): 0.012}

    readings.go_on(60)
    factors = set()
    for _ in range(100):
        readings.go_on(10)
        factors.add(readings.factor("nvml"))

    assert factors == {2}


def test_a_rare_and_dear_reading_is_judged_by_its_mean():
    readings = Readings(budget=0.01)
    readings.prices = {("system", SLOW): 0.3}
    readings.go_on(300)
    rare = readings.factor("system", RateClass.SLOW)
    assert rare >= 32

    # Windows without any such reading say nothing of what it costs.
    factors = set()
    for _ in range(100):
        readings.go_on(20)
        factors.add(readings.factor("system", RateClass.SLOW))

    assert min(factors) >= rare // 2

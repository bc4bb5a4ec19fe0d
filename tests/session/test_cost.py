import time

import pytest

from pulse_widgets.readers.base import BackendCaps, BackendKind, RateClass, RawRecord
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.session.cost import Cost, promised
from pulse_widgets.session.session import Session, Settings
from tests.waiting import until


class Threads:
    """CPU seconds and rows of threads that exist on paper."""

    def __init__(self):
        self.reading = self.carrying = 0.0
        self.readings = self.rows = 0
        self.cost = Cost(
            lambda: self.reading, lambda: self.carrying, lambda: self.readings, lambda: self.rows
        )

    def spend(self, *, reading, carrying, readings, logged):
        self.reading += reading
        self.carrying += carrying
        self.readings += readings
        self.rows += readings + logged


@pytest.mark.parametrize(
    ("interval_s", "gpus", "cores"),
    [(1.0, 0, 0.01), (1.0, 8, 0.01), (60.0, 8, 0.01), (0.1, 8, 0.03), (0.5, 2, 0.03),
     (1.0, 64, 0.08), (0.1, 16, 0.06)],
)  # fmt: skip
def test_what_is_promised_for_eight_gpus_grows_with_more(interval_s, gpus, cores):
    assert promised(interval_s, gpus) == pytest.approx(cores)


def test_readings_are_charged_what_carries_them_but_not_what_the_user_logs():
    threads = Threads()
    threads.spend(reading=0.2, carrying=0.1, readings=100, logged=0)
    assert threads.cost.of_carrying_readings() == pytest.approx(0.1)

    threads.spend(reading=0.2, carrying=5.0, readings=100, logged=99_900)
    assert threads.cost.of_carrying_readings() == pytest.approx(0.005)

    threads.spend(reading=0.0, carrying=0.01, readings=0, logged=0)
    assert threads.cost.of_carrying_readings() == pytest.approx(0.01)
    assert threads.cost.cpu_s() == pytest.approx(5.51)


def test_what_starting_costs_is_not_what_it_costs_now():
    cost = Threads().cost

    cost.look(0.0, 1.0, settled=False)
    cost.look(1.0, 3.0, settled=True)
    assert cost.cores is None
    for second in range(2, 40):
        cost.look(float(second), 3.0 + 0.01 * (second - 1), settled=True)

    assert cost.cores == pytest.approx(0.01)


class Gpus:
    """Sixteen GPUs and a part of one."""

    caps = BackendCaps(BackendKind.NVML_DIRECT)

    def __init__(self, name="gpus"):
        self.name = name
        self.missing = {}

    def open(self):
        pass

    def read(self, due):
        entities = [*(f"gpu:{i}" for i in range(16)), "gpu:0/mig:1"]
        now, wall = time.monotonic(), time.time()
        return [
            RawRecord(now, wall, e, {"gpu.power": 300.0, "name": "H100"}, "nvml") for e in entities
        ]

    def close(self):
        pass


@pytest.fixture
def session():
    made = Session(Settings(interval_s=0.1), registry=Registry(), clock=Clock())
    made.start()
    made.add_sources([Gpus()])
    yield made
    made.stop()


def test_a_session_governs_its_readings_by_what_they_cost_it_in_all(session):
    until(lambda: session._readings() and session._flusher.cpu_s)
    assert session.governor._budget() == pytest.approx(0.06)
    assert 0 < session.governor._carried() <= session._flusher.cpu_s

    session.set_interval(1.0)
    assert session.governor._budget() == pytest.approx(0.02)
    session.burst(5.0, 0.1)
    assert session.governor._budget() == pytest.approx(0.06)


@pytest.mark.parametrize(
    "change",
    [lambda s: s.set_interval(0.5), lambda s: s.burst(5.0, 0.1), lambda s: s.add_sources([Gpus("more")])],
    ids=["interval", "burst", "source"],
)  # fmt: skip
def test_another_pace_is_judged_anew(session, change):
    session.governor._factors = {("gpus", RateClass.GAUGES): 2}

    change(session)

    assert session.governor.factor("gpus", RateClass.GAUGES) == 1


def test_what_is_read_less_often_is_said_and_is_no_fault(session):
    assert session.state()["cost"]["slowed"] == ""

    session.governor._factors = {("gpus", RateClass.GAUGES): 2}
    until(lambda: session.state()["cost"]["slowed"])

    state = session.state()
    assert state["cost"]["slowed"] == "gpus: gauges read 2x rarer"
    (source,) = state["sources"]
    assert source["state"] == "ok"
    assert source["problem"].startswith("gauges read 2x rarer")
    assert source["remedy"]
    assert source["missing"] == []

"""A backend is read at its deadlines, and what it says becomes rows."""

import math
from typing import ClassVar

import numpy as np
import pytest

from pulse_widgets.collectors import base, sampling
from pulse_widgets.collectors.edges import CLOSE_S, Edges
from pulse_widgets.errors import DeviceLostError
from pulse_widgets.readers.base import Backend, BackendCaps, RateClass
from pulse_widgets.series.rows import Rows
from tests.collectors.scripted import TICK, Foreign, Run, Scripted, good
from tests.waiting import until


def test_readings_arrive_under_their_catalog_names_and_units():
    with Run(Scripted(good(**{"memory.used": 100.0, "memory.total": 200.0}))) as run:
        assert run.backend.read_all.wait(5)

    assert set(run.values("memory.used")) == {100.0}
    assert run.registry[run.registry.find("h0", "host", "memory.used")].unit == "B"


def test_a_missing_reading_is_one_row_where_it_begins():
    some, none = good(**{"memory.used": 1.0}), good(**{"memory.used": None})

    with Run(Scripted(some, none, none, none, some)) as run:
        assert run.backend.read_all.wait(5)

    values = run.values("memory.used")
    np.testing.assert_array_equal(values[:3], [1.0, math.nan, 1.0])
    assert np.isnan(values).sum() == 1


def test_static_readings_are_taken_once_and_slow_ones_rarely():
    with Run(Scripted(*[good()] * 20)) as run:
        assert run.backend.read_all.wait(5)

    due = run.backend.due
    assert sum(RateClass.STATIC in d for d in due) == 1
    # At the start, and once more where the shared grid of ten seconds happens to lie.
    assert 1 <= sum(RateClass.SLOW in d for d in due) <= 2
    assert sum(RateClass.GAUGES in d for d in due) >= 20


def test_what_nobody_drains_becomes_rows_by_itself_before_it_is_too_much(monkeypatch):
    monkeypatch.setattr(sampling, "WAITING_MOST", 3)

    with Run(Scripted(good(**{"memory.used": 1.0}))) as run:
        until(lambda: len(Rows.concat(run.collector._cursor.peek())) >= 6)

    assert len(run.collector._waiting) < 3


def test_rows_that_nobody_takes_are_bounded_in_bytes_and_the_oldest_are_dropped_and_counted(
    monkeypatch,
):
    monkeypatch.setattr(sampling, "WAITING_MOST", 1)
    monkeypatch.setattr(base, "KEPT_BYTES", 100)
    run = Run(Scripted(good(**{"memory.used": 1.0}), good(**{"memory.used": 2.0})))
    for number in range(10):
        record = run.backend.read(TICK)[0]._replace(fields={"memory.used": float(number)})
        run.collector._hand_over([record], TICK)

    assert run.values("memory.used") == [7.0, 8.0, 9.0]
    assert run.collector.dropped == 7


def test_readings_that_cannot_be_taken_are_counted_and_told(monkeypatch):
    run = Run(Scripted(good(**{"memory.used": 1.0})))
    run.collector._hand_over(run.backend.read(TICK), TICK)

    class Short:
        def append(self, rows):
            raise MemoryError

    with pytest.raises(MemoryError):
        run.collector.drain(Short())

    (said,) = run.collector.missing(at_end=False)
    assert "lost: MemoryError" in said
    assert run.collector.dropped > 0


def test_used_alone_it_gives_its_rows_to_who_collects_them():
    run = Run(Scripted(good(**{"memory.used": 1.0})))
    alone = run.collector
    with run:
        assert run.backend.read_all.wait(5)
        first = alone.collect()

    alone.truncate(len(first))
    assert first[0].value.tolist()[0] == 1.0
    assert len(Rows.concat([*first, *alone.collect()])) == alone.status.passes


def test_a_backend_that_fills_the_same_fields_again_is_recorded_as_it_was():
    class Again(Scripted):
        lasting = False
        fields: ClassVar = {"memory.used": 0.0}

        def read(self, due):
            (record,) = super().read(due)
            self.fields["memory.used"] += 1.0
            return [record._replace(fields=self.fields)]

    with Run(Again(good())) as run:
        until(lambda: len(run.backend.due) >= 5)

    values = run.values("memory.used")
    assert values == [float(n) for n in range(1, len(values) + 1)]


def test_labels_are_kept_beside_the_series():
    with Run(Scripted(good(os="Linux", **{"memory.used": 1.0}))) as run:
        assert run.backend.read_all.wait(5)

    run.drain()
    assert run.collector.labels == {"h0": {"host": {"os": "Linux"}}}


def test_a_scripted_backend_is_a_backend():
    assert isinstance(Scripted(), Backend)


def test_what_is_read_once_is_read_again_after_a_source_came_back(monkeypatch):
    monkeypatch.setattr(sampling, "RETRY_S", 0.01)
    whole = good(**{"memory.used": 1.0})

    with Run(Scripted(whole, DeviceLostError("gone", "Wait."), whole, whole)) as run:
        assert run.backend.read_all.wait(5)

    assert [RateClass.STATIC in due for due in run.backend.due[:4]] == [True, False, True, False]


def test_a_shorter_interval_holds_at_once_whatever_the_thread_is_doing():
    with Run(Scripted(good(**{"memory.used": 1.0})), interval=3600.0) as run:
        assert run.collector.tried.wait(5)
        run.collector.set_interval(0.01)
        assert run.backend.read_all.wait(5)

    assert len(run.backend.due) >= 2


def test_a_class_is_not_read_more_often_than_it_has_something_new():
    class Slow(Foreign):
        rates: ClassVar = {RateClass.COUNTERS: 60.0, RateClass.SLOW: 0.1}

    with Run(Slow(*[good(load=1)] * 20)) as run:
        assert run.backend.read_all.wait(5)

    first, *rest = run.backend.due
    assert RateClass.COUNTERS in first
    assert [due for due in rest if RateClass.COUNTERS in due] == []
    assert [due for due in rest if RateClass.SLOW in due]


def test_what_is_steady_is_not_read_with_every_fast_pass():
    with Run(Scripted(*[good(load=1)] * 20)) as run:
        assert run.backend.read_all.wait(5)

    first, *rest = run.backend.due
    assert RateClass.STEADY in first
    fast = [due for due in rest if RateClass.GAUGES in due]
    # One a second, and twenty passes of a hundredth take less than many seconds.
    assert sum(RateClass.STEADY in due for due in fast) < len(fast) / 2


def test_an_entity_that_is_told_of_no_more_is_missing():
    class Jobs(Foreign):
        caps = None

        def __init__(self, *readings):
            super().__init__(*readings)
            self.caps = BackendCaps("jobs")

    there, gone = good(load=50) | {"job:1": ({"load": 20}, None)}, good(load=50)
    with Run(Jobs(there, there, gone, gone, there)) as run:
        assert run.backend.read_all.wait(5)

    rows = run.rows()
    job = rows.value[rows.series == run.registry.find("h0", "job:1", "npu.load")]
    np.testing.assert_array_equal(job[:4], [0.2, 0.2, math.nan, 0.2])
    assert not np.isnan(run.values("npu.load")).any()


def test_a_cell_that_begins_or_ends_has_one_more_reading_but_not_many():
    with Run(Scripted(good(**{"memory.used": 1.0})), interval=3600.0) as run:
        assert run.collector.tried.wait(5)
        run.collector._edges = Granting(2)
        for count in (2, 3):
            run.collector.read_edge()
            until(lambda count=count: len(run.backend.due) == count)
        run.collector.read_edge()
        until(lambda: not run.collector._wished)

    # What is read so is what the numbers of cells are made of; no more was granted.
    assert run.backend.due[1:] == [frozenset({RateClass.GAUGES, RateClass.COUNTERS})] * 2


class Granting:
    """Grants so many readings."""

    def __init__(self, count):
        self.left = count

    def grants(self, interval_s):
        self.left -= 1
        return self.left >= 0

    def read(self, started_s, took_s, cpu_s):
        pass


@pytest.mark.parametrize(
    ("cpu_s", "took_s", "interval_s", "most"),
    [
        (0.001, 0.002, 1.0, 60 / 0.5 + 4),
        # A share of a core: a dear reading comes more rarely.
        (0.004, 0.01, 1.0, 60 / 2 + 4),
        (0.001, 0.2, 1.0, 0),
        (0.001, 0.002, 0.2, 0),
        (0.001, 0.002, 5.0, 60 / 0.5 + 4),
    ],
)
def test_readings_at_the_ends_of_cells_keep_to_a_budget(cpu_s, took_s, interval_s, most):
    now = 1000.0
    edges = Edges(lambda: now)
    edges.read(now, took_s, cpu_s)
    taken = []
    for _ in range(6000):
        now += 0.01
        if edges.grants(interval_s):
            taken.append(now)
            edges.read(now, took_s, cpu_s)

    assert most * 0.95 <= len(taken) + (1 if most else 0) <= most + 1
    assert np.all(np.diff(taken) >= CLOSE_S - 1e-6)


def test_before_the_first_reading_none_is_taken_besides():
    assert not Edges().grants(1.0)

"""The protocol of collectors whose entries are delivered by the program: collect, send, truncate."""

import logging
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets import collectors
from pulse_widgets.collectors import Collector, Entry, UserMetricCollector


class Unbounded(Collector):
    DROP_THRESHOLD = None


def warned(caplog):
    return [record.getMessage() for record in caplog.records]


def test_every_public_name_is_there_and_no_other():
    assert all(getattr(collectors, name).__name__ == name for name in collectors.__all__)
    assert dir(collectors) == sorted(collectors.__all__)
    with pytest.raises(AttributeError, match="NothingSuch"):
        _ = collectors.NothingSuch


def test_of_too_many_entries_the_newest_are_collected_and_a_send_lets_go_of_what_it_sent(caplog):
    collector = Collector()
    collector.add([{"i": i} for i in range(365)])

    with caplog.at_level(logging.WARNING):
        found = collector.collect()
    assert (len(found), found[0], found[-1]) == (360, {"i": 5}, {"i": 364})
    assert warned(caplog) == ["5 collector entries dropped"]
    assert collector.dropped == 5

    collector.add([{"i": "new"}])
    collector.truncate(360)
    assert collector.collect() == [{"i": "new"}]
    assert warned(caplog) == ["5 collector entries dropped"]


def test_what_is_dropped_is_missing_in_the_numbers_of_the_entries():
    collector = Collector()
    collector.add([Entry("m", 0.0, {"i": i}) for i in range(400)])
    numbers = [entry.seq for entry in collector.collect()]
    collector.truncate(len(numbers))
    collector.add([Entry("m", 0.0, {}) for _ in range(1000)])
    later = [entry.seq for entry in collector.collect()]

    assert numbers == list(range(40, 400))
    assert later == list(range(1040, 1400))
    assert collector.dropped == 40 + 640


def test_a_collector_of_which_nobody_collects_stays_small():
    collector = Collector()
    for i in range(100_000):
        collector.add([i])
    assert len(collector) < 2000
    assert collector.collect() == list(range(100_000 - 360, 100_000))
    assert collector.dropped == 100_000 - 360


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 9)),
            st.tuples(st.just("collect"), st.sampled_from(["default", "other"])),
            st.tuples(st.just("sent"), st.sampled_from(["default", "other"])),
        ),
        max_size=60,
    )
)
def test_each_consumer_gets_every_entry_at_least_once_in_order(actions):
    collector, added = Unbounded(), 0
    got, held = {"default": [], "other": []}, {"default": None, "other": None}
    for what, which in actions:
        if what == "add":
            collector.add([Entry("m", 0.0, {"i": added + i}) for i in range(which)])
            added += which
        elif what == "collect":
            held[which] = collector.collect(which)
        elif held[which] is not None:
            got[which] += held[which]
            collector.truncate(len(held[which]), which)
            held[which] = None
    for consumer, arrived in got.items():
        arrived.extend(collector.collect(consumer))
        numbers = list(dict.fromkeys(entry.seq for entry in arrived))
        first = numbers[0] if numbers else added
        # A consumer that comes late gets what is still held for another.
        assert numbers == list(range(first, added))
        assert first == 0 or consumer == "other"
        assert all(entry.fields["i"] == entry.seq for entry in arrived)


def test_two_consumers_do_not_take_from_one_another():
    collector = Unbounded()
    collector.add(["a", "b"])
    assert collector.collect("one") == collector.collect("two") == ["a", "b"]
    collector.truncate(2, "one")
    assert collector.collect("one") == []
    assert collector.collect("two") == ["a", "b"]


def test_a_collect_between_a_collect_and_its_truncate_loses_nothing():
    collector = Collector()
    collector.add(list(range(360)))
    sent = collector.collect()
    collector.add(list(range(360, 365)))
    collector.collect()  # drops the oldest five
    collector.truncate(len(sent))
    assert collector.collect() == [360, 361, 362, 363, 364]


@pytest.mark.slow
def test_four_producers_lose_nothing_of_a_million_entries_each():
    collector, each = UserMetricCollector(), 1_000_000
    done = threading.Event()

    def produce(producer):
        payload = collector.build_metric_payload({"producer": producer}, 1.7e9)
        for _ in range(each):
            collector.log_metrics([payload])

    producers = [threading.Thread(target=produce, args=(number,)) for number in range(4)]
    for thread in producers:
        thread.start()
    threading.Thread(
        target=lambda: [thread.join() for thread in producers] and done.set(), daemon=True
    ).start()
    seen, twice, counts, failing = bytearray(4 * each), 0, [0] * 4, 0
    while not done.is_set() or len(collector):
        batch = collector.collect()
        for entry in batch:
            twice += seen[entry.seq]
            if not seen[entry.seq]:
                seen[entry.seq] = 1
                counts[entry.fields["producer"]] += 1
        failing += 1
        if failing % 3:  # every third delivery is said to have failed
            collector.truncate(len(batch))

    assert counts == [each] * 4
    assert twice > 0
    assert collector.dropped == 0


def test_beyond_the_budget_the_oldest_entries_of_which_nobody_collects_are_dropped(monkeypatch):
    monkeypatch.setattr(Unbounded, "BUDGET", 100_000)
    collector = Unbounded()
    for i in range(5000):
        collector.add([Entry("m", 0.0, {"i": i})])
    kept = collector.collect()
    assert 50 < len(kept) < 300
    assert [entry.seq for entry in kept] == list(range(5000 - len(kept), 5000))
    assert collector.dropped == 5000 - len(kept)


def test_beyond_the_budget_a_producer_waits_for_a_consumer(monkeypatch):
    monkeypatch.setattr(Unbounded, "BUDGET", 100_000)
    collector, got = Unbounded(), []
    collector.collect("slow")

    def consume():
        while len(got) < 5000:
            batch = collector.collect("slow")
            got.extend(batch)
            collector.truncate(len(batch), "slow")

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    for i in range(5000):
        collector.add([Entry("m", 0.0, {"i": i})])
    consumer.join(30)
    assert [entry.fields["i"] for entry in got] == list(range(5000))


def test_a_truncate_that_comes_twice_lets_go_of_nothing_that_was_not_returned():
    collector = Unbounded()
    collector.truncate(5)
    collector.add(range(10))
    collector.truncate(5)
    assert collector.collect() == list(range(10))
    collector.add(range(10, 15))
    collector.truncate(10)
    collector.truncate(10)
    assert collector.collect() == list(range(10, 15))


def test_entries_that_are_changed_while_they_wait_do_not_change_the_budget(monkeypatch):
    monkeypatch.setattr(Unbounded, "BUDGET", 100_000)
    collector = Unbounded()
    for _ in range(50):
        shrinks, grows = {"text": "x" * 50_000}, {"text": ""}
        collector.add([Entry("m", 0.0, shrinks), Entry("m", 0.0, grows)])
        shrinks["text"], grows["text"] = "", "x" * 200_000
        collector.truncate(len(collector.collect()))
        assert collector._bytes == 0
    assert collector.dropped == 0


BIG = {
    "a text": "x" * 40_000,
    "bytes": b"x" * 40_000,
    "an array": np.zeros(5000),
    "a list": [0.0] * 400,
}


@pytest.mark.parametrize("what", BIG)
def test_whatever_a_field_holds_counts_towards_the_budget(monkeypatch, what):
    monkeypatch.setattr(Unbounded, "BUDGET", 400_000)
    collector = Unbounded()
    for _ in range(100):
        collector.add([Entry("m", 0.0, {"x": BIG[what]})])
    assert 5 < len(collector.collect()) < 20
    assert collector.dropped > 80


# The user's metrics ------------------------------------------------------------------------

STEPS = [(None, 1), (None, 2), (5, 5), (5, 5), (3, 3), (None, 4), (0, 0), (-2, -2)]


def test_a_step_is_the_next_or_the_given_one_and_one_that_goes_back_is_said(caplog):
    collector = UserMetricCollector()
    assert collector.step == 0
    with caplog.at_level(logging.WARNING):
        for given_step, applied in STEPS:
            collector.handle_step(given_step)
            assert collector.step == applied
    assert len(warned(caplog)) == 3
    assert all("Step should not go backwards" in line for line in warned(caplog))


ENVIRONMENTS = [
    ({}, {}, {}),
    ({"VESSL_DISTRIBUTED_NUMBER": "3"}, {"distributed_number": "3"}, {}),
    ({"VESSL_WORKLOAD_ID": "77"}, {}, {"workload_id": 77}),
    (
        {"VESSL_DISTRIBUTED_NUMBER": "3", "VESSL_WORKLOAD_ID": "77"},
        {"distributed_number": "3"},
        {},
    ),
    ({"VESSL_DISTRIBUTED_NUMBER": "three", "VESSL_WORKLOAD_ID": "77"}, {}, {"workload_id": 77}),
    ({"VESSL_DISTRIBUTED_NUMBER": "", "VESSL_WORKLOAD_ID": "x"}, {}, {}),
]


@pytest.mark.parametrize(("environment", "tags", "fields"), ENVIRONMENTS)
@pytest.mark.parametrize(
    ("build", "measurement"),
    [
        ("build_metric_payload", "experiment_plot_metric"),
        ("build_media_payload", "experiment_plot_file"),
    ],
)
def test_a_payload_tells_its_step_and_rank_and_leaves_the_given_one_alone(  # noqa: PLR0917
    monkeypatch, environment, tags, fields, build, measurement
):
    for name in ("VESSL_DISTRIBUTED_NUMBER", "VESSL_WORKLOAD_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    collector, values = UserMetricCollector(), {"loss": 0.5}
    collector.handle_step(7)
    payload = getattr(collector, build)(values, 12.5)

    assert (payload.measurement, payload.ts) == (measurement, 12.5)
    assert payload.tags == {"step": "7", **tags}
    assert payload.fields == {"loss": 0.5, **fields}
    assert values == {"loss": 0.5}


KEYS = {
    "loss": True,
    "train/loss": True,
    "a/b/c": True,
    "A-b_0": True,
    "0": True,
    "": False,
    "/loss": False,
    "loss/": False,
    "/": False,
    "a//b": False,
    "train loss": False,
    "loss\n": False,
    "lr%": False,
    "größe": False,
    "损失": False,
    "a.b": False,
    7: False,
}


@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_a_name_that_servers_reject_is_kept_and_said_once(caplog, key):
    collector = UserMetricCollector()
    with caplog.at_level(logging.WARNING):
        for value in range(3):
            payload = collector.build_metric_payload({"good": 1.0, key: value}, 1.0)
            assert payload.fields == {"good": 1.0, key: value}
    assert [line.startswith("Servers may reject the metric") for line in warned(caplog)] == (
        [] if KEYS[key] else [True]
    )


def test_what_is_logged_waits_and_the_step_is_returned():
    collector = UserMetricCollector()
    collector.handle_step(7)
    payload = collector.build_metric_payload({"loss": 1.0}, 1.0)
    assert collector.log_metrics([payload]) == 7
    assert collector.log_media([collector.build_media_payload({"image": {}}, 2.0)]) == 7
    waiting = collector.collect()
    assert [(entry.seq, entry.measurement) for entry in waiting] == [
        (0, "experiment_plot_metric"),
        (1, "experiment_plot_file"),
    ]
    assert payload.seq is None

"""What collectors hold arrives, whatever fails on the way."""

import os
import threading

import pytest

from pulse_widgets.collectors import Collector, Entry, Sender
from tests.programs import run

SOON = 0.001


class Held(Collector):
    DROP_THRESHOLD = None
    running = False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class Sink:
    """Takes entries, after some failures."""

    def __init__(self, failures=0, refused=()):
        self.failures = failures
        self.refused = refused
        self.got = []
        self.arrived = threading.Semaphore(0)

    def __call__(self, entries):
        if self.failures:
            self.failures -= 1
            raise OSError("the network is gone")
        if any(entry.fields["i"] in self.refused for entry in entries):
            raise ValueError("it cannot be sent")
        self.got += entries
        for _ in entries:
            self.arrived.release()

    def once(self):
        """Each entry once, by its number."""
        return list(
            {(entry.measurement, entry.seq): entry.fields["i"] for entry in self.got}.values()
        )


def entries(*numbers, name="m"):
    return [Entry(name, 0.0, {"i": number}) for number in numbers]


@pytest.mark.parametrize("failures", [0, 1, 3, 7])
def test_after_failures_every_entry_arrives_in_order(failures):
    collector, sink = Held(), Sink(failures)
    sender = Sender([collector], sink, interval=SOON)
    collector.add(entries(0, 1, 2))
    sender.start()
    collector.add(entries(3, 4))
    for _ in range(5):
        assert sink.arrived.acquire(timeout=20)
    assert sender.stop()

    assert sink.once() == [0, 1, 2, 3, 4]
    assert sender.failures == failures
    assert sender.problem == ""
    assert len(collector) == 0


def test_entries_that_come_while_others_are_sent_are_sent_next():
    collector = Held()
    sink = Sink()

    def send(batch):
        if not sink.got:
            collector.add(entries("while"))
        sink(batch)

    sender = Sender([collector], send, interval=1e6)
    collector.add(entries("before"))
    assert sender.flush()
    assert sink.once() == ["before"]
    assert sender.flush()
    assert sink.once() == ["before", "while"]


def test_one_that_cannot_be_delivered_or_read_holds_up_no_other():
    class Broken(Held):
        def collect(self, consumer="default"):
            raise RuntimeError("broken")

    good, poisoned, sink = Held(), Held(), Sink(refused={"bad"})
    sender = Sender([Broken(), poisoned, good], sink)
    good.add(entries(1, 2, name="good"))
    poisoned.add(entries("bad", name="poisoned"))

    assert not sender.flush()
    assert sink.once() == [1, 2]
    assert (len(good), len(poisoned)) == (0, 1)
    assert sender.problem == "it cannot be sent"
    sink.refused = ()
    assert not sender.flush()  # what the broken one holds nobody knows
    assert sink.once() == [1, 2, "bad"]
    assert sender.problem == "Broken could not be read"


def test_the_end_delivers_what_is_left_and_waits_no_longer_than_asked():
    collector, sink = Held(), Sink()
    sender = Sender([collector], sink, interval=1e6)
    sender.start()
    sender.start()
    assert collector.running
    collector.add(entries(1))
    assert sender.stop()
    assert sink.once() == [1]
    assert not collector.running

    hangs, begun = threading.Event(), threading.Event()
    late = Held()
    late.add(entries(2))
    sender = Sender([late], lambda _: (begun.set(), hangs.wait(60)), interval=1e6)
    sender.start()
    assert begun.wait(20)
    assert not sender.stop(timeout=0.01)
    assert len(late) == 1
    hangs.set()


def test_a_sender_that_was_never_started_ends_at_once():
    assert Sender([], lambda _: None).stop()


@pytest.mark.parametrize("method", ["start", "stop", "collect", "truncate"])
def test_whatever_method_of_one_fails_the_others_are_started_delivered_and_stopped(method):
    class Broken(Held):
        pass

    def fail(self, *given):
        raise RuntimeError("broken")

    setattr(Broken, method, fail)
    broken, good, sink = Broken(), Held(), Sink()
    good.add(entries(1))
    broken.add(entries("broken", name="b"))
    sender = Sender([broken, good], sink, interval=1e6)
    sender.start()
    arrived = sender.stop()

    assert 1 in sink.once()
    assert not good.running
    assert arrived == (method != "collect")


def test_a_collector_that_hangs_at_its_stop_keeps_no_other_from_stopping_and_delivering():
    hangs = threading.Event()

    class Hanging(Held):
        def stop(self):
            hangs.wait(60)

    good, sink = Held(), Sink()
    sender = Sender([Hanging(), good], sink, interval=1e6)
    sender.start()
    good.add(entries(1))
    sender.stop(timeout=0.5)
    hangs.set()
    assert sink.arrived.acquire(timeout=20)
    assert sink.once() == [1]
    assert not good.running


def test_after_a_delivery_that_failed_together_and_not_apart_all_has_arrived():
    one, two, sink = Held(), Held(), Sink(failures=1)
    one.add(entries(1, name="one"))
    two.add(entries(2, name="two"))
    sender = Sender([one, two], sink)
    assert sender.flush()
    assert (sender.failures, sender.problem) == (1, "")
    assert sink.once() == [1, 2]


def test_two_deliveries_at_once_let_go_of_nothing_that_neither_has_sent():
    collector, sink, threads = Held(), Sink(), []

    def send(batch):
        if not threads:
            # Meanwhile more comes, and somebody else delivers.
            collector.add(entries(2, 3, 4, 5))
            threads.append(threading.Thread(target=sender.flush))
            threads[0].start()
        sink(batch)

    sender = Sender([collector], send)
    collector.add(entries(0, 1))
    sender.flush()
    threads[0].join(20)
    collector.add(entries(6))
    sender.flush()
    assert sink.once() == [0, 1, 2, 3, 4, 5, 6]


def test_a_delivery_that_ends_its_thread_is_a_failure_and_the_next_comes():
    collector, sink = Held(), Sink()

    def send(batch):
        if sender.failures < 2:
            raise SystemExit("no more")
        sink(batch)

    sender = Sender([collector], send, interval=SOON)
    collector.add(entries(1))
    sender.start()
    assert sink.arrived.acquire(timeout=20)
    assert sender.stop()
    assert sink.once() == [1]
    assert sender.failures == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_in_a_forked_child_nothing_is_delivered_and_nothing_waited_for(tmp_path):
    printed, _ = run(
        """
from pulse_widgets.collectors import Collector, Sender
collector = Collector()
collector.add(["of the parent"])
sender = Sender([collector], print, interval=1e6)
sender.start()
sender.stop()
again = Sender([collector], print, interval=1e6)
collector.add(["later"])
sys.stdout.flush()
child = os.fork()
if not child:
    ended = again.stop(60), again.flush(), sender.stop(60)
    again.start()
    os._exit(0 if ended == (True, False, False) and not again._started else 1)
print(os.waitpid(child, 0)[1])
""",
        tmp_path,
    )
    assert printed.splitlines() == ["['of the parent']", "0"]


@pytest.mark.parametrize("failures", [1, 2, 4])
def test_a_last_delivery_that_fails_is_tried_again_until_the_time_is_over(failures):
    collector, sink = Held(), Sink(failures)
    sender = Sender([collector], sink, interval=1e6)
    collector.add(entries(1, 2))
    sender.start()
    assert sender.stop(timeout=30)
    assert sink.once() == [1, 2]
    assert sender.failures == failures

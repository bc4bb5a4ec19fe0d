"""What collectors hold arrives, whatever fails on the way."""

import threading

import pytest

from pulse_widgets.collectors import Collector, Entry, Sender

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
    assert sender.flush()
    assert sink.once() == [1, 2, "bad"]


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

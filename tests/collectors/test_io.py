"""What the process prints, as entries to be delivered."""

import io
import logging
import sys
import threading
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors import Collector, IOCollector, Sender
from pulse_widgets.collectors.capture.watch import watch


class Stream:
    """A stream in memory that keeps each piece as it came."""

    def __init__(self):
        self.pieces = []

    def write(self, text):
        self.pieces.append(text)
        return len(text)

    def flush(self):
        """Do nothing."""


@pytest.fixture
def put_streams(monkeypatch):
    """Put two streams in place; pytest itself does so again when the test begins."""

    def put():
        streams = Stream(), Stream()
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        return streams

    return put


def told(collector):
    return [entry.fields for entry in collector.collect()]


def out(*lines):
    return [{"stdout": line} for line in lines]


# Beside each the entries that the collector of the same name in vessl 0.1.150 makes.
WRITES = {
    "a line is one entry": (["a", "\n"], ["a"], ["a"]),
    "pieces of a line are joined, not an entry each": (["a", " ", "b", "\n"], ["a b"], ["a", "b"]),
    "an empty line is none": (["\n"], [], []),
    "blank lines are none": (["  \t", "\n"], [], []),
    "a text of two lines is two entries, not one": (["x\ny", "\n"], ["x", "y"], ["x\ny"]),
    "an end of a line in the piece is no part of the line": (["x\n"], ["x"], ["x\n"]),
    "a progress bar is its last state, not an entry each": (
        ["\r1%", "\r50%", "\r100%", "\n"],
        ["100%"],
        ["\r1%", "\r50%", "\r100%"],
    ),
    "colours are kept": (["\x1b[31mred\x1b[0m", "\n"], ["\x1b[31mred\x1b[0m"], None),
    "a secret is masked": (["token=ghp_" + "x" * 36, "\n"], ["token=[masked]"], None),
    "an unfinished line comes with the stop": (["no end"], ["no end"], ["no end"]),
}


def put_by_start(collector, pieces):
    collector.start()
    collector.start()
    for piece in pieces:
        assert sys.stdout.write(piece) == len(piece)
    collector.stop()


def put_by_hook(collector, pieces):
    write = collector.create_write_hook(sys.stdout.write, "stdout")
    for piece in pieces:
        assert write(piece) == len(piece)
    collector.stop()


@pytest.mark.parametrize("put", [put_by_start, put_by_hook])
@pytest.mark.parametrize("case", WRITES)
def test_an_entry_a_line(put_streams, case, put):
    streams = put_streams()
    pieces, lines, _ = WRITES[case]
    collector = IOCollector()
    put(collector, pieces)

    entries = collector.collect()
    assert [entry.fields for entry in entries] == out(*lines)
    assert [entry.seq for entry in entries] == list(range(len(lines)))
    assert all((e.measurement, e.tags) == ("log", {}) for e in entries)
    assert streams[0].pieces == pieces


def test_each_stream_has_its_field_and_each_line_its_time(put_streams):
    put_streams()
    collector = IOCollector()
    collector.start()
    print("to out")
    print("to err", file=sys.stderr)
    collector.stop()
    found = sorted(collector.collect(), key=lambda entry: entry.ts)
    assert [entry.fields for entry in found] == [{"stdout": "to out"}, {"stderr": "to err"}]
    assert found[0].ts < found[1].ts


@given(st.lists(st.text(st.sampled_from("ab \n\r"), max_size=6), max_size=12))
def test_a_hook_and_the_watch_make_the_same_entries_and_the_stream_gets_the_same(pieces):
    by_start, by_hook, other = IOCollector(), IOCollector(), Stream()
    before = sys.stdout
    sys.stdout = stream = Stream()
    try:
        put_by_start(by_start, pieces)
    finally:
        sys.stdout = before
    write = by_hook.create_write_hook(other.write, "stdout")
    for piece in pieces:
        write(piece)
    by_hook.stop()
    assert told(by_start) == told(by_hook)
    assert stream.pieces == other.pieces == pieces


def test_a_line_is_at_most_64_kib(put_streams):
    put_streams()
    collector = IOCollector()
    put_by_start(collector, ["é" * 100_000, "\n"])
    (line,) = told(collector)
    assert len(line["stdout"].encode()) <= 64 << 10
    assert line["stdout"].endswith("more characters left out]")


# Start and stop ------------------------------------------------------------------------------


def test_stop_restores_exactly_and_twice_is_harmless(put_streams):
    streams = put_streams()
    before = dict(vars(streams[0]))
    collector = IOCollector()
    collector.stop()
    for _ in range(2):
        collector.start()
        collector.start()
        assert "write" in vars(streams[0])
        print("x")
        collector.stop()
        collector.stop()
        assert vars(streams[0]) == before
    assert told(collector) == out("x", "x")


def test_two_collectors_hear_what_was_printed_from_their_start_to_their_stop(put_streams):
    put_streams()
    one, two = IOCollector(), IOCollector()
    print("before")
    one.start()
    print("one")
    two.start()
    print("both")
    one.stop()
    print("two", end="")
    two.stop()
    print("after")
    assert told(one) == out("one", "both")
    assert told(two) == out("both", "two")


def test_the_unfinished_line_is_given_out_at_the_stop_also_while_others_listen(put_streams):
    put_streams()
    one, other = IOCollector(), IOCollector()
    other.start()
    one.start()
    print("half", end="")
    one.stop()
    print(" and more")
    other.stop()
    assert told(one) == out("half")
    assert told(other) == out("half", " and more")


def test_a_stream_that_is_replaced_meanwhile_is_left_alone(put_streams):
    streams = put_streams()
    collector = IOCollector()
    collector.start()
    with redirect_stdout(io.StringIO()) as inner:
        print("inner")
    print("outer")
    collector.stop()
    assert inner.getvalue() == "inner\n"
    assert told(collector) == out("outer")
    assert "write" not in vars(streams[0])


# Hooks and readers of others --------------------------------------------------------------------

ORDERS = {
    "the hook above the watch": ["start", "hook"],
    "the watch above the hook": ["hook", "start"],
    "the hook alone": ["hook"],
    "two watches and a hook": ["start", "other", "hook"],
}


@pytest.mark.parametrize("order", ORDERS)
def test_on_a_stream_that_is_watched_already_nothing_is_taken_in_twice(put_streams, order):
    streams = put_streams()
    collector, other = IOCollector(), IOCollector()
    for step in ORDERS[order]:
        if step == "hook":
            sys.stdout.write = collector.create_write_hook(sys.stdout.write, "stdout")
        else:
            {"start": collector, "other": other}[step].start()
    print("a", "b")
    print("c")
    collector.stop()
    other.stop()
    assert told(collector) == out("a b", "c")
    assert told(other) == (out("a b", "c") if "other" in ORDERS[order] else [])
    assert "".join(streams[0].pieces) == "a b\nc\n"


def test_a_hook_of_another_stream_is_heard_beside_the_watch(put_streams):
    put_streams()
    collector, other = IOCollector(), Stream()
    collector.start()
    write = collector.create_write_hook(other.write, "stdout")
    write("of a program\n")
    print("of ours")
    collector.stop()
    assert sorted(map(str, told(collector))) == sorted(map(str, out("of a program", "of ours")))


def test_a_hook_has_the_signature_and_the_errors_of_the_original():
    collector = IOCollector()
    stream = io.StringIO()
    write = collector.create_write_hook(stream.write, "stdout")
    assert write("four") == 4
    with pytest.raises(TypeError):
        write(5)
    with pytest.raises(TypeError):
        write()
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        write("closed")

    def odd(text, *, loud=False):
        return (text, loud)

    assert collector.create_write_hook(odd, "stdout")("x", loud=True) == ("x", True)


CONTENTS = [
    ("line", ["line"]),
    ("line\n", ["line"]),
    ("", [""]),
    ("   ", ["   "]),
    ("a\nb\n", ["a", "b"]),
    ("password=hunter2", ["password=[masked]"]),
]


@pytest.mark.parametrize(("content", "lines"), CONTENTS)
@pytest.mark.parametrize("name", ["stdout", "stderr", "container"])
def test_a_reader_of_other_logs_hands_in_lines_with_their_time_blank_or_not(content, lines, name):
    collector = IOCollector()
    collector.create_callback(name)(1234.5678901, content)
    assert [(e.measurement, e.ts, e.fields) for e in collector.collect()] == [
        ("log", 1234.5678901, {name: line}) for line in lines
    ]


def test_readers_on_many_threads_lose_nothing():
    collector = IOCollector()
    write = collector.create_write_hook(Stream().write, "stdout")
    hand_in = collector.create_callback("stderr")

    def work(number):
        for i in range(300):
            write(f"{number}:{i}\n")
            hand_in(float(i), f"{number}:{i}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = told(collector)
    for name in ("stdout", "stderr"):
        lines = [line[name] for line in found if name in line]
        assert sorted(lines) == sorted(f"{n}:{i}" for n in range(4) for i in range(300))
        for number in range(4):
            mine = [line for line in lines if line.startswith(f"{number}:")]
            assert mine == [f"{number}:{i}" for i in range(300)]


# Nothing of ours --------------------------------------------------------------------------------


def test_warnings_of_ours_are_no_lines_though_the_log_is_printed(put_streams):
    streams = put_streams()

    class Failing(Collector):
        def collect(self, consumer="default"):
            raise RuntimeError("broken")

    logger, handler = logging.getLogger("pulse_widgets"), logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    collector, crowded = IOCollector(), Collector()
    try:
        collector.start()
        crowded.add(range(1000))
        sender = Sender([Failing(), crowded, collector], print)
        assert not sender.flush()
        logging.getLogger("pulse_widgets").warning("of somebody else")
        collector.stop()
    finally:
        logger.removeHandler(handler)
    printed = "".join(streams[1].pieces)
    assert "The collector Failing failed" in printed
    assert "640 collector entries dropped" in printed
    assert [line for line in told(collector) if "stderr" in line] == [
        {"stderr": "of somebody else"}
    ]


def test_a_warning_in_the_middle_of_a_flood_is_no_line(put_streams):
    streams = put_streams()
    collector, crowded = IOCollector(), Collector()
    logger, handler = logging.getLogger("pulse_widgets"), logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    try:
        collector.start()
        for i in range(2000):
            print(i)
        crowded.add(range(1000))
        crowded.collect()
        for i in range(2000, 4000):
            print(i)
        collector.stop()
    finally:
        logger.removeHandler(handler)
    assert "640 collector entries dropped" in "".join(streams[0].pieces)
    assert told(collector) == out(*map(str, range(4000)))


def test_lines_beyond_the_rate_are_said_in_the_data(put_streams):
    put_streams()
    collector = IOCollector()
    collector.start()
    total = 250_000
    sys.stdout.write("line\n" * total)
    collector.stop()
    found = collector.collect()
    said = [entry for entry in found if "left_out" in entry.fields]
    left_out, lines = sum(e.fields["left_out"] for e in said), len(found) - len(said)
    assert left_out + collector.dropped + lines == total
    assert lines > 50_000
    assert said[0].tags == {"io": "stdout"}


def test_a_consumer_that_takes_nothing_never_holds_up_what_is_printed(monkeypatch):
    monkeypatch.setattr(IOCollector, "BUDGET", 50_000)
    collector = IOCollector()
    collector.collect()
    hand_in = collector.create_callback("stdout")
    for i in range(1000):
        hand_in(1.0, str(i))  # ten seconds each, where it waited
    found = collector.collect()
    assert found[-1].fields == {"stdout": "999"}
    assert collector.dropped == 1000 - len(found) == found[0].seq


@pytest.fixture(autouse=True)
def _nobody_is_left():
    yield
    assert not watch.is_heard

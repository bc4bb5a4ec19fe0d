"""What a process prints is in its recording and on its pages, and what it prints is not changed."""

import io
import json
import sys

import numpy as np
import pytest

import pulse_widgets as pw
from pulse_widgets.arguments import checked_capture
from pulse_widgets.collectors.capture import channel
from pulse_widgets.collectors.capture import watch as watching
from pulse_widgets.collectors.output import OutputCollector
from pulse_widgets.errors import ArgumentError
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series import text_lines
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.stream import Stream
from pulse_widgets.series.wire import decode
from pulse_widgets.session.sender import LiveSender
from pulse_widgets.session.session import HOST
from tests.programs import run
from tests.transports import Listed
from tests.waiting import until

PRINTS = """
if sys.argv[1] == "with":
    mon = pw.monitor(sources="system", record=sys.argv[2])
print("a", "b")
print("two\\nlines", end="\\n\\n")
print("to stderr", file=sys.stderr)
print("\\x1b[31mred\\x1b[0m ü€", sys.stdout.write("12345\\n"))
for percent in range(0, 101, 10):
    print(f"\\r{percent}%", end="", file=sys.stderr)
print(file=sys.stderr)
print("token=abcdef1234 ghp_" + "x" * 36)
print("no end", end="")
assert sys.stdout.write("") == 0
if sys.argv[1] == "with":
    mon.stop()
assert "write" not in vars(sys.stdout) and "write" not in vars(sys.stderr)
"""

LINES = [
    ("stdout", "a b"),
    ("stdout", "two"),
    ("stdout", "lines"),
    ("stdout", ""),
    ("stderr", "to stderr"),
    ("stdout", "12345"),
    ("stdout", "\x1b[31mred\x1b[0m ü€ 6"),
    ("stderr", "100%"),
    ("stdout", "token=[masked] ghp_[masked]"),
    ("stdout", "no end"),
]


def test_a_program_prints_the_same_with_us_and_its_lines_are_recorded(tmp_path):
    place = tmp_path / "run"
    with_us = run(PRINTS, tmp_path, "with", place)
    without = run(PRINTS, tmp_path, "without", place)
    rec = Recording.open(tmp_path / "run.pulse.parquet")

    assert with_us == without
    table = rec.output
    assert list(table.columns) == ["time", "host", "entity", "stream", "text"]
    assert list(zip(table["stream"], table["text"], strict=True)) == LINES
    assert set(table["host"]) == {"h0"}
    assert set(table["entity"]) == {"kernel"}
    assert table["time"].is_monotonic_increasing
    assert str(table["time"].dt.tz) == "UTC"
    assert table["time"].between(rec.start, rec.end).all()
    assert rec.problems == ()
    assert rec.events.empty
    first, last = table["time"][2], table["time"][6]
    part = rec.select(start=first, end=last).output
    inside = table[(table["time"] >= first) & (table["time"] < last)]
    assert 0 < len(inside) < len(table)
    assert part["text"].tolist() == inside["text"].tolist()
    assert rec.select("log.stderr").output["text"].tolist() == ["to stderr", "100%"]
    assert rec.select("cpu.*").output.empty
    saved = Recording.open(rec.save(tmp_path / "copy"))
    assert saved.output.empty
    assert list(saved.output.columns) == list(table.columns)
    assert "12345" not in (tmp_path / "copy.pulse.parquet").read_bytes().decode("latin-1")
    kept = Recording.open(rec.save(tmp_path / "kept", include=("output",)))
    assert kept.output["text"].tolist() == [text for _, text in LINES]


RULES = """
import warnings
warnings.simplefilter("ignore")
from pulse_widgets.default_session import default
said = []
def tried(**how):
    try:
        pw.monitor(sources="system", **how)
    except pw.errors.SessionRunningError as error:
        return str(error)
def captured():
    return default.session.captured, "write" in vars(sys.stdout)
off = tried(capture_output=False), captured()
joined = tried(), captured()
on = tried(capture_output=True), captured()
refused = tried(capture_output=False), captured()
pw.stop()
ended = captured()[1]
pw.log({"x": 1.0})
user_only = captured()
watched = tried(), captured()
pw.stop()
pw.log({"x": 1.0})
kept_off = tried(capture_output=False), captured()
pw.stop()
print(repr([off, joined, on, refused, ended, user_only, watched, kept_off]))
"""


def test_who_says_what_is_captured(tmp_path):
    out, _ = run(RULES, tmp_path)
    off, joined, on, refused, ended, user_only, watched, kept_off = eval(out)

    assert off == (None, (False, False))
    assert joined == (None, (False, False))
    assert on == (None, (True, True))
    assert refused[0].startswith("A session is running with capture_output=True, not False")
    assert "pw.stop()" in refused[0]
    assert refused[1] == (True, True)
    assert ended is False
    assert user_only == (False, False)
    assert watched == (None, (True, True))
    assert kept_off == (None, (False, False))


@pytest.mark.parametrize("value", ["yes", 1.5, "FD", ["fd"], {}])
def test_what_cannot_be_captured_is_refused_by_name(value):
    with pytest.raises(ArgumentError, match="capture_output") as error:
        pw.monitor(capture_output=value)
    assert "'fd'" in error.value.remedy


@pytest.mark.parametrize("value", [True, False, "fd", None])
def test_what_can_be_captured_is_taken_as_it_is(value):
    assert checked_capture(value) is value


def printed(session, text):
    """Print in the name of the test, whose own streams stay as they are."""
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", io.StringIO())
        session.capture(True)
        sys.stdout.write(text)
        session.intake.output.stop()
        session.intake.output.finish()
        assert out.getvalue() == text
        assert "write" not in vars(out)


class Page(Listed):
    """A page beside a session, which asks as pages do."""

    def __init__(self, session):
        super().__init__()
        self.sender = LiveSender(session)
        self.stream = self.sender.stream
        self.stream.attach(self)
        self.sender.start()

    def headers(self, kind):
        headers = [decode(packet).header for packet in list(self.delivered)]
        return [header for header in headers if header["kind"] == kind]

    def lines(self):
        return [line for header in self.headers("frame") for line in header.get("lines", [])]


def ask(stream, t0=0.0, t1=4e9, most=100, request=7):
    packet = decode(
        stream.answer({"kind": "printed", "request": request, "t0": t0, "t1": t1, "most": most})
    )
    assert packet.body == b""
    assert packet.header["kind"] == "lines"
    assert packet.header["request"] == request
    assert (packet.header["t0"], packet.header["t1"]) == (t0, t1)
    return packet.header


def texts(header):
    return [line["text"] for line in header["lines"]]


def test_pages_that_asked_get_lines_as_they_come_and_those_of_the_past_on_request(session):
    page = Page(session)
    page.stream.answer({"kind": "lines", "on": True})
    printed(session, "one\ntwo\nthree\n")
    until(lambda: len(page.lines()) == 3)
    page.stream.answer({"kind": "lines", "on": False})
    series = session.registry.find(HOST, "kernel", "log.stdout")

    assert [line["text"] for line in page.lines()] == ["one", "two", "three"]
    assert {line["series"] for line in page.lines()} == {series}
    assert all(isinstance(line["time"], float) for line in page.lines())
    past = ask(page.stream)
    assert past["lines"] == page.lines()
    assert past["more"] is False
    newest = ask(page.stream, most=2)
    assert texts(newest) == ["two", "three"]
    assert newest["more"] is True
    second = past["lines"][1]["time"]
    assert texts(ask(page.stream, t1=second)) == ["one", "two"]
    assert texts(ask(page.stream, t0=second)) == ["two", "three"]
    assert texts(ask(page.stream, t0=second, t1=second)) == ["two"]
    assert ask(page.stream, t0=0, t1=1)["lines"] == []
    assert not any("lines" in header for header in page.headers("keyframe"))
    assert not any(b'"two"' in packet for packet in page.kept)


def test_lines_come_until_no_page_wants_them(session):
    page = Page(session)
    here, there, older = {"page": "a"}, {"page": "b"}, {}
    wants = page.sender._subscription

    def say(who, on):
        page.stream.answer({"kind": "lines", "on": on, **who})
        return wants.lines

    assert say(here, on=True)
    assert say(there, on=True)
    assert say(there, on=True)  # as pages do now and then
    assert say(there, on=False)
    assert say(there, on=False)
    assert say(older, on=True)
    assert say(here, on=False)
    assert not say(older, on=False)
    for number in range(5000):
        assert say({"page": f"gone {number}"}, on=True)
    assert len(page.stream._wanting) < 1000


@pytest.mark.parametrize("at_once", [True, False])
def test_an_answer_says_that_there_were_older_lines_which_are_not_kept(
    session, monkeypatch, at_once
):
    monkeypatch.setattr(text_lines, "KEPT_LINES", 10)
    stream = LiveSender(session).stream
    said = [f"line {number}" for number in range(25)]
    for part in [said] if at_once else [said[:5], said[5:12], said[12:]]:
        say(session, part)
        session.drain()

    newest = ask(stream)
    assert texts(newest) == said[-len(newest["lines"]) :]
    assert 0 < len(newest["lines"]) < 25
    assert newest["more"] is True
    first = newest["lines"][0]["time"]
    older = ask(stream, t1=first - 1e-6)
    assert older["lines"] == []
    assert older["more"] is True
    assert ask(stream, t0=first)["more"] is False


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"request": 1},
        {"request": "x", "t0": 0, "t1": 1, "most": 1},
        {"request": 1, "t0": "nan", "t1": 1, "most": 1},
        {"request": 1, "t0": 0, "t1": 1e300, "most": 1},
        {"request": 1, "t0": 0, "t1": 1, "most": []},
        {"request": float("inf"), "t0": 0, "t1": 1, "most": 1},
    ],
)
def test_a_request_for_lines_that_cannot_be_understood_is_not_answered(session, request_):
    stream = LiveSender(session).stream

    assert stream.answer({"kind": "printed", **request_}) == b""


def say(session, lines):
    series = session.registry.add(HOST, "kernel", "log.stdout", kind="text")
    start = session.clock.now_us()
    count = len(lines)
    session.stage.show(
        Rows.of([series] * count, [start + n for n in range(count)], [np.nan] * count, text=lines)
    )


def test_a_flood_is_bounded_in_frames_in_answers_and_in_memory(session, monkeypatch):
    monkeypatch.setattr(text_lines, "KEPT_LINES", 6000)
    monkeypatch.setattr(text_lines, "ANSWER_LETTERS", 1000)
    page = Page(session)
    page.stream.answer({"kind": "lines", "on": True})
    for _ in range(3):
        say(session, [f"{number:06}" for number in range(5000)])

    def told():
        frames = page.headers("frame")
        left_out = sum(header.get("lines_left_out", 0) for header in frames)
        return left_out + len(page.lines())

    until(lambda: told() == 15_000)
    assert page.lines()[-1]["text"] == "004999"
    frames = [header for header in page.headers("frame") if "lines" in header]
    assert all(len(header["lines"]) <= text_lines.FRAME_LINES for header in frames)
    answer = ask(page.stream, most=10**9)
    assert len(answer["lines"]) == 1000 // 6
    assert answer["more"] is True
    assert session.stage._lines._lines <= 6000
    say(session, ["x" * 60_000])
    assert texts(ask(page.stream, most=5)) == ["x" * 60_000]


def recorded(tmp_path, *batches):
    """Record lines in several parts; give the recording."""
    from tests.storage.bench import START_US, Bench

    bench = Bench(tmp_path / "run.pulse")
    out, err = (bench.series("kernel", f"log.{name}", kind="text") for name in ("stdout", "stderr"))
    at = 0
    for batch in batches:
        rows = []
        for text in batch:
            series = err if text.startswith("!") else out
            rows.append((series, START_US + at * 1_000_000, -(2**63), np.nan, text, b""))
            at += 1
        bench.put(rows)
        bench.minute()
    return Recording.open(tmp_path / "run.pulse"), START_US / 1e6


def test_a_replay_answers_for_lines_as_the_session_did(tmp_path):
    batches = [[f"{'!' * (n % 3 == 0)}line {n}" for n in range(at, at + 10)] for at in (0, 10, 20)]
    rec, start = recorded(tmp_path, *batches)
    every = [text for batch in batches for text in batch]
    provider = RecordingProvider(rec)
    stream = Stream(provider, redact=dict)
    names = {one["id"]: one["metric"] for one in provider.series()}

    whole = ask(stream)
    assert texts(whole) == every
    assert whole["more"] is False
    assert {names[line["series"]] for line in whole["lines"]} == {"log.stdout", "log.stderr"}
    for most in (1, 5, 29, 30, 31):
        answer = ask(stream, most=most)
        assert texts(answer) == every[-most:]
        assert answer["more"] is (most < 30)
    part = ask(stream, t0=start + 5, t1=start + 15, most=4)
    assert texts(part) == every[12:16]
    assert part["more"] is True
    assert texts(ask(stream, t0=start + 5, t1=start + 15)) == every[5:16]
    assert ask(stream, t0=start + 40, t1=start + 50)["lines"] == []


def test_a_window_with_many_lines_is_not_read_whole_for_its_end(tmp_path, monkeypatch):
    rec, _ = recorded(tmp_path, *([f"line {n}"] * 50 for n in range(20)))
    provider, read = RecordingProvider(rec), []
    columns = rec.stored.columns

    def counted(*args, **named):
        found = columns(*args, **named)
        read.append(len(found))
        return found

    monkeypatch.setattr(type(rec.stored), "columns", lambda _, *a, **n: counted(*a, **n))
    found = provider.lines(0.0, 4e9, 10)

    assert len(found.lines) == 10
    assert sum(read) < 500


def test_left_out_lines_are_counted_and_said_in_the_recording(monkeypatch):
    monkeypatch.setattr(channel, "LINES_A_SECOND", 10)
    monkeypatch.setattr(channel, "BURST_S", 1.0)
    monkeypatch.setattr("pulse_widgets.collectors.output.watch", watching.Watch())
    registry = Registry()
    made = OutputCollector(registry, Clock(), HOST, lambda: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        made.capture(True)
        sys.stdout.write("x\n" * 1001)
        made.stop()
        made.finish()
    log = Log()
    cursor = log.cursor()
    made.drain(log)
    rows = cursor.take()

    kept = [t for s, t in zip(rows.series, rows.text, strict=True) if registry[s].metric != "event"]
    events = [json.loads(text) for text in rows.text if text.startswith("{")]
    assert kept == ["x"] * 11
    assert made.dropped == 990
    assert sum(one["lines"] for one in events) == 990
    assert events[0]["kind"] == "drop"
    assert "lines of stdout were left out" in events[0]["message"]
    assert made.missing(at_end=True) == [
        "990 printed lines were lost: more came than 20 000 lines or 4 MiB a second."
    ]


def test_lines_become_rows_of_the_entity_of_the_process():
    registry, log = Registry(), Log()
    cursor = log.cursor()
    made = OutputCollector(registry, Clock(), HOST, lambda: None, "rank:3/kernel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        made.capture(True)
        made.capture(True)
        print("words")
        made.stop()
        print("not heard")
        made.capture(True)
        made.finish()
    made.drain(log)
    rows = cursor.take()

    assert list(rows.text) == ["words"]
    info = registry[int(rows.series[0])]
    assert (info.entity, info.metric, info.kind) == ("rank:3/kernel", "log.stdout", "text")

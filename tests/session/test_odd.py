"""An infinity or NaN that is logged reaches a page, a page that comes late, and a replay."""

import math
import time

import numpy as np

from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.columns import LOGGED_NAN
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.stream import Stream
from pulse_widgets.series.wire import decode
from pulse_widgets.session.sender import LiveSender, redacted
from pulse_widgets.session.session import Session, Settings
from tests.storage.bench import START_US, Bench
from tests.transports import Listed
from tests.waiting import until

LOGGED = {"a": math.inf, "b": -math.inf, "c": math.nan, "d": None, "e": 1.0}
WORDS = {"a": "inf", "b": "-inf", "c": "nan"}


def told(packet):
    """The names of series and what a packet says of them; every value in it is finite or NaN."""
    decoded = decode(packet)
    return {one["series"]: one["what"] for one in decoded.header.get("odd", [])}


def named(provider, odd):
    names = {one["id"]: one["metric"] for one in provider.series()}
    return {names[number]: what for number, what in odd.items()}


def whole(number, since):
    return {
        "kind": "range",
        "request": 1,
        "ids": list(range(number)),
        "t0": since - 60,
        "t1": since + 600,
        "points": 100,
    }


def test_what_is_logged_is_in_a_frame_a_keyframe_an_answer_and_a_saved_output():
    session = Session(Settings(), registry=Registry(), clock=Clock())
    sender, page, since = LiveSender(session), Listed(), time.time()
    sender.stream.attach(page)
    session.start()
    sender.start()
    try:
        session.user.log(LOGGED, 7)
        until(
            lambda: any(
                decode(one).header["kind"] == "frame" and told(one) for one in page.delivered
            )
        )
    finally:
        session.stop()
        session.leave()
    assert sender.ended.wait(5)

    (framed,) = (
        told(one) for one in page.delivered if decode(one).header["kind"] == "frame" and told(one)
    )
    asked = whole(len(session.registry.since(0)), since)
    for odd in (
        framed,
        told(sender.stream.keyframe()),
        told(sender.stream.answer(asked)),
        told(page.kept[-1]),
    ):
        assert named(sender.provider, odd) == WORDS


def test_a_replay_tells_what_was_logged(tmp_path):
    bench = Bench(tmp_path / "run.pulse")
    for at, (metric, value) in enumerate(LOGGED.items()):
        number = bench.series("user", metric)
        stored = {None: math.nan, "c": LOGGED_NAN}.get(metric if metric == "c" else value, value)
        bench.numbers(number, START_US + np.arange(3) * 1_000_000 + at, [1.0, stored, 2.0])
    bench.writer.close()
    rec = Recording.open(bench.directory)
    provider = RecordingProvider(rec)
    stream = Stream(provider, redact=redacted)
    asked = whole(len(LOGGED), START_US / 1e6)

    for packet in (stream.keyframe(), stream.snapshot(), stream.answer(asked)):
        assert named(provider, told(packet)) == WORDS
    # Only what was asked for.
    assert told(stream.answer({**asked, "t1": START_US / 1e6 + 0.5})) == {}
    assert named(provider, told(stream.answer({**asked, "ids": [0]}))) == {"a": "inf"}
    # What a program gets is what was logged.
    assert math.isinf(rec.select("a").values()[1][1])


def test_pw_log_and_its_replay_agree(python):
    said = python(
        """
import tempfile, json
from pulse_widgets.library.replay_provider import RecordingProvider
pw.monitor(sources="system", gpus="none", record=tempfile.mkdtemp() + "/r")
pw.log({"x": float("inf"), "y": float("-inf"), "z": float("nan"), "u": 1.0})
rec = pw.stop()
replay = RecordingProvider(rec)
names = {one["id"]: one["metric"] for one in replay.series()}
odd = replay.events(200).odd
print(json.dumps(sorted([names[one.series], one.what] for one in odd)))
"""
    )

    assert said.splitlines()[-1] == '[["x", "inf"], ["y", "-inf"], ["z", "nan"]]'

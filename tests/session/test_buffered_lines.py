"""What collectors of the user's own take in is in the recording of the session that runs, once."""

import logging
import math
import time

import numpy as np
import pytest

import pulse_widgets as pw
from pulse_widgets.collectors import IOCollector, UserMetricCollector
from tests.programs import run
from tests.sessions import fresh

LINES = """
import logging, io
from pulse_widgets.collectors import IOCollector
collector = IOCollector()
def begin():
    if {how!r} == "monitor":
        pw.monitor(sources="system")
    elif {how!r} == "monitor, descriptors":
        pw.monitor(sources="system", capture_output="fd")
    elif {how!r} == "monitor, no output":
        pw.monitor(sources="system", capture_output=False)
    else:
        pw.log({{"x": 1.0}})
steps = {{"session": begin, "start": collector.start}}
for name in {order!r}:
    steps[name]()
print("a", "b")
print("to err", file=sys.stderr)
collector.create_callback("stderr")(time.time(), "of a reader")
other = io.StringIO()
collector.create_write_hook(other.write, "stdout")("of a hook\\n")
before = sys.stdout.write
sys.stdout.write = collector.create_write_hook(before, "stdout")
print("through both")
sys.stdout.write = before
collector.create_callback("container")(time.time(), "of no stream")
collector.stop()
print("after")
rec = pw.stop()
told = sorted((name, line) for e in collector.collect() for name, line in e.fields.items())
rows = sorted(zip(rec.output["stream"], rec.output["text"]))
print(repr((told, rows, "pulse" in str(getattr(sys.stdout.write, "__module__", "")), sorted(set(rec.output["entity"])))))
"""

PRINTED = [
    ("stderr", "of a reader"),
    ("stderr", "to err"),
    ("stdout", "a b"),
    ("stdout", "of a hook"),
    ("stdout", "through both"),
]


@pytest.mark.parametrize(
    ("how", "order"),
    [
        ("monitor", ("session", "start")),
        ("monitor", ("start", "session")),
        ("log", ("session", "start")),
        ("log", ("start", "session")),
        # Who asks for no output after the collector has started gets none.
        ("monitor, no output", ("session", "start")),
        ("monitor, descriptors", ("session", "start")),
        ("monitor, descriptors", ("start", "session")),
    ],
)
def test_lines_are_entries_and_in_the_recording_once_each(tmp_path, how, order):
    out, _ = run(LINES.format(how=how, order=order), tmp_path)
    told, rows, hooked, entities = eval(out.splitlines()[-1])

    assert told == sorted([*PRINTED, ("container", "of no stream")])
    after = [("stdout", "after")]  # the session goes on to take it
    assert rows == sorted(PRINTED + after)
    assert entities == ["kernel"]
    assert not hooked


def test_a_reader_whose_times_cannot_be_is_heard_all_the_same_and_that_is_said_once(
    tmp_path, caplog
):
    pw.monitor(sources="system", record=tmp_path / "run")
    collector = IOCollector()
    hand_in = collector.create_callback("stdout")
    with caplog.at_level(logging.WARNING):
        hand_in(12.0, "in 1970")
        hand_in(12.0, "again")
    rec = fresh()
    assert [entry.ts for entry in collector.collect()] == [12.0, 12.0]
    assert len([r for r in caplog.records if "in no recording" in r.getMessage()]) == 1
    assert "in 1970" not in rec.output["text"].tolist()


# Values --------------------------------------------------------------------------------------

VALUES = {
    "a float": (0.5, 0.5),
    "a whole number": (3, 3.0),
    "a truth": (True, 1.0),
    "NaN": (math.nan, math.nan),
    "infinity": (math.inf, math.inf),
    "minus infinity": (-math.inf, -math.inf),
    "a number of numpy": (np.float32(0.25), 0.25),
    "an array of no dimension": (np.array(7), 7.0),
    "a text": ("0.5", None),
    "a list": ([1.0], None),
    "an array of one dimension": (np.array([1.0]), None),
    "a thing": (object(), None),
    "nothing": (None, None),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_consumer_gets_each_value_as_it_was_given_and_the_recording_the_numbers(tmp_path):
    pw.monitor(sources="system", record=tmp_path / "run")
    collector = UserMetricCollector()
    given = {name.replace(" ", "_"): value for name, (value, _) in VALUES.items()}
    collector.handle_step(7)
    payload = collector.build_metric_payload(given, time.time())
    assert collector.log_metrics([payload]) == 7
    rec = fresh()
    (entry,) = collector.collect()

    assert all(entry.fields[name] is value for name, value in given.items())
    there = set(rec.series["metric"])
    for name, (_, number) in VALUES.items():
        metric = name.replace(" ", "_")
        if number is None and metric not in there:
            continue
        (found,) = rec.select(metric).values()[1].tolist()
        assert found == number or math.isnan(found), name
        assert math.isnan(found) == (number is None or math.isnan(number)), name
    texts = {name.replace(" ", "_") for name in ("a text", "a list", "a thing")}
    assert not texts & there

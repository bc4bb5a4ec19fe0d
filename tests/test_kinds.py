"""Everything that reads rows goes by the record of their kind, and by nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from pulse_widgets.exchange.bundle import redact
from pulse_widgets.exchange.fitting import matching
from pulse_widgets.exchange.picture.choice import pick
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.metrics import kinds
from pulse_widgets.metrics.kinds import GAUGE, KINDS, STATE, Drawing, Kind
from pulse_widgets.series.display_form import DisplayForm, display_series
from pulse_widgets.series.gaps import is_sampled
from pulse_widgets.series.history import History
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.stage import Stage
from tests.storage.bench import START_US, Bench

NEW = "of tomorrow"
DRAWINGS = {
    drawing: Kind(
        name=drawing,
        help="",
        stored=NEW,
        drawn_as=drawing,
        carries=("value", "text", "data"),
        facts=True,
        in_keyframes=True,
        listed=drawing is Drawing.MOMENT,
    )
    for drawing in Drawing
}
TIMES = START_US + np.arange(3) * 1_000_000


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "run.pulse")
    yield made
    made.writer.close()


@pytest.fixture(
    params=[*DRAWINGS.values(), None], ids=lambda kind: kind.drawn_as if kind else "not known"
)
def new(request, monkeypatch):
    """A kind that no other module has heard of; the last is one of a newer version."""
    if request.param is None:
        return kinds.UNKNOWN
    monkeypatch.setitem(kinds._STORED, NEW, request.param)
    return request.param


def rows_of(registry, metric, kind, text=""):
    number = registry.add("h0", "user", metric, kind=kind)
    return Rows.of([number] * 3, TIMES, [1.0, 2.0, 3.0], text=[text] * 3 if text else None)


def test_a_live_view_gets_what_its_kind_says(new):
    registry = Registry()
    stage = Stage(registry, 1.0)
    follower = stage.subscribe()

    stage.show(rows_of(registry, "x", NEW, '{"label": "a"}'))
    rows, events = follower.take()

    assert len(rows) == (3 if new.numeric else 0)
    told = [one.facts["label"] for one in (*events.moments, *events.spans)]
    assert told == (["a"] * 3 if new.on_timeline else [])
    assert list(stage.screen().ids) == ([0] if new.numeric else [])


def test_a_recording_and_its_replay_give_what_its_kind_says(bench, new):
    series = bench.series("user", "x", kind=NEW)
    text = json.dumps({"label": "/home/ada/x"})
    bench.put([(series, t, NO_STEP, 1.0, text, b"") for t in TIMES.tolist()])
    bench.settle()
    rec = Recording.open(bench.directory)
    src = RecordingProvider(rec)

    assert rec.series["kind"].tolist() == [NEW]
    assert len(rec.to_pandas()) == 3
    assert len(rec.summary()) == new.numeric
    assert len(rec.events) == (3 if new.listed else 0)
    assert list(src.screen().ids) == ([0] if new.numeric else [])
    assert len(src.detail([0], 0.0, 4e9, 100)[0]) == (3 if new.numeric else 0)
    assert len(src.events(10)) == (3 if new.on_timeline else 0)
    saved = Recording.open(rec.save(bench.directory.parent / "copy"))
    assert set(saved.to_pandas()["text"]) == {'{"label": "<path>"}'}
    assert len(saved._stored.levels(next(iter(saved._stored.extents)))) == new.numeric


def test_a_picture_and_a_view_of_some_metrics_draw_what_its_kind_says(new):
    registry = Registry()
    history = History(1.0)
    history.add(rows_of(registry, "x", NEW))
    header = {"series": [display_series(info) for info in registry.since(0)]}
    screen = history.screen([0])

    picked = pick(screen, header["series"], [], most=4, rows=10)
    # What is not drawn is not chosen by its name.
    _, told = matching(screen, header, ["y*"])

    assert len(picked.charts) == new.numeric
    assert len(told["series"]) == (not new.numeric)


@pytest.mark.parametrize("flags", [GAUGE, STATE], ids=lambda kind: kind.name)
def test_a_new_kind_is_summed_up_by_its_flags(bench, monkeypatch, flags):
    kind = Kind(name="level", help="", stored=NEW, drawn_as=Drawing.STEP, carries=flags.carries,
                sampled=flags.sampled, averaged=flags.averaged)  # fmt: skip
    monkeypatch.setitem(kinds._STORED, NEW, kind)
    bench.numbers(bench.series("user", "x", kind=NEW), TIMES, [1.0, 2.0, 6.0])
    bench.settle()

    mean = Recording.open(bench.directory).summary()["mean"].tolist()

    assert mean == [3.0] if flags.averaged else np.isnan(mean).all()
    assert is_sampled(NEW, "gpu:0") == flags.sampled


def test_a_new_kind_that_counts_has_rates_everywhere(bench, monkeypatch):
    kind = Kind(name="tally", help="", stored=NEW, drawn_as=Drawing.LINE, carries=("value",),
                cumulative=True, averaged=True)  # fmt: skip
    monkeypatch.setitem(kinds._STORED, NEW, kind)
    bench.numbers(bench.series("user", "x.total", kind=NEW), TIMES, [1.0, 3.0, 5.0])
    bench.settle()
    rec = Recording.open(bench.directory)
    registry = Registry()
    rows = rows_of(registry, "x.total", NEW)

    assert rec.select("x").summary()["mean"].tolist() == [2.0]
    assert DisplayForm(registry).take(rows)[0].value.tolist() == [1.0, 1.0]


# What was decided by the name of a metric ------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "kind", "told"),
    [
        ("log.stdout", "text", False),
        ("log.stderr", "text", False),
        ("sample", "media", False),
        ("event", "text", True),
        ("finding", "text", True),
        ("notes", "text", True),
        ("task", "span", True),
    ],
)
def test_live_and_replay_tell_the_same_events(bench, metric, kind, told):
    series = bench.series("kernel", metric, kind=kind)
    bench.put([(series, START_US, NO_STEP, math.nan, "a line", b"")])
    bench.settle()
    shown = DisplayForm(bench.registry)

    live = shown.take(Rows.of([series], [START_US], [math.nan], text=["a line"]))[1]

    assert live == RecordingProvider(Recording.open(bench.directory)).events(10)
    shown = [one.facts["label"] for one in (*live.moments, *live.spans)]
    assert shown == (["a line"] if told else [])


def test_what_a_user_logs_under_a_name_of_ours_is_a_number_and_stays(bench):
    names = ["event", "cell", "log.stdout"]
    for name in names:
        bench.numbers(bench.series("user", name), TIMES, [1.0, 2.0, 3.0])
    bench.settle()
    rec = Recording.open(bench.directory)
    saved = Recording.open(rec.save(bench.directory.parent / "copy"))

    for each in (rec, saved):
        assert len(each.events) == 0
        assert len(each.cells()) == 0
        assert sorted(each.summary()["metric"]) == sorted(names)


def test_a_moment_of_any_metric_is_an_event(bench):
    series = bench.series("user", "notes", kind="text")
    bench.put([(series, START_US, NO_STEP, math.nan, '{"message": "warm"}', b"")])
    bench.settle()

    events = Recording.open(bench.directory).events

    assert events[["metric", "message"]].to_numpy().tolist() == [["notes", "warm"]]


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.facts], ids=lambda k: k.name)
def test_no_copy_tells_a_path_in_a_text_of_any_metric(bench, kind):
    series = bench.series("user", "notes", kind=kind.stored)
    bench.put([(series, START_US, NO_STEP, math.nan, '{"caption": "/home/ada/x"}', b"")])
    bench.settle()

    saved = Recording.open(bench.directory).save(bench.directory.parent / "copy")

    assert Recording.open(saved).to_pandas()["text"].tolist() == ['{"caption": "<path>"}']


def test_a_saved_picture_has_no_private_event():
    about = {"time": 1.0, "host": "h0", "entity": "kernel"}
    moments = [
        {**about, "metric": metric, "facts": {"label": metric}}
        for metric in ("log.stdout", "mark", "log.stderr", "notes")
    ]

    told = redact({"series": [], "entities": [], "state": {}, "moments": moments})["moments"]

    assert [event["metric"] for event in told] == ["mark", "notes"]


def test_a_kind_with_a_start_and_an_end_is_one_event_where_it_is_listed(bench, monkeypatch):
    kind = Kind(name="alert", help="", stored=NEW, drawn_as=Drawing.SPAN, carries=("value", "text"),
                paired=True, facts=True, in_keyframes=True, listed=True)  # fmt: skip
    monkeypatch.setitem(kinds._STORED, NEW, kind)
    series = bench.series("host", "heat", kind=NEW)
    rows = [(0, math.nan, "a"), (1, math.nan, "b"), (2, 2.0, "a")]
    bench.put(
        [
            (
                series,
                START_US + s * 1_000_000,
                NO_STEP,
                passed,
                json.dumps({"id": name, "label": name}),
                b"",
            )
            for s, passed, name in rows
        ]
    )
    bench.settle()

    events = Recording.open(bench.directory).events

    assert events["message"].tolist() == ["a", "b"]
    assert events["metric"].tolist() == ["heat", "heat"]
    assert (events["time"].astype("int64") - START_US).tolist() == [0, 1_000_000]


@pytest.mark.parametrize("drawing", [Drawing.MOMENT, Drawing.SPAN])
@pytest.mark.parametrize("told", [True, False])
def test_who_comes_late_is_told_of_what_its_kind_says_live_and_in_a_replay(
    bench, monkeypatch, drawing, told
):
    monkeypatch.setitem(kinds._STORED, NEW, replace(DRAWINGS[drawing], in_keyframes=told))
    registry = Registry()
    stage = Stage(registry, 1.0)
    follower = stage.subscribe()
    series = bench.series("user", "x", kind=NEW)
    bench.put([(series, START_US, NO_STEP, math.nan, '{"label": "a"}', b"")])
    bench.settle()

    stage.show(rows_of(registry, "x", NEW, '{"label": "a"}'))

    assert len(follower.take()[1]) == 3
    assert (len(stage.events(10)) > 0) == told
    assert len(RecordingProvider(Recording.open(bench.directory)).events(10)) == told

"""What an alert is about, among the series that there are, and what it says."""

import pytest

from pulse_widgets.insight.alerts import watch
from pulse_widgets.insight.alerts.parser import parse
from pulse_widgets.insight.alerts.sentences import sentence
from pulse_widgets.insight.alerts.subject import Change
from pulse_widgets.insight.alerts.track import NOTHING
from pulse_widgets.insight.alerts.watch import Watch

THINGS = {
    "gpu.power": ["gpu:0", "gpu:1"],
    "gpu.memory.used": ["gpu:0", "gpu:1", "gpu:1/mig:1"],
    "gpu.memory.total": ["gpu:0", "gpu:1"],
    "process.gpu.memory": ["pid:7/gpu:1"],
    "cpu.utilization": ["host", "cpu:0", "cpu:1"],
    "memory.used": ["host"],
    "net.sent": ["net:eth0", "net:eth1"],
    "train/loss": ["user"],
    "rank/loss": ["rank:0", "rank:1"],
    "fan": ["gpu:0"],
}


def known(hosts=("h0",)):
    """Return the series of some machines, by metric and owner."""
    pairs = [(m, (h, e)) for h in hosts for m, entities in THINGS.items() for e in entities]
    found = {}
    for number, (metric, owner) in enumerate(pairs):
        found.setdefault(metric, {})[owner] = number
    return found


def names(found):
    """Return of each series what it is of what."""
    return {
        number: f"{metric} of {e}"
        for metric, all_ in found.items()
        for (_, e), number in all_.items()
    }


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("gpu.power > 1", ["gpu:0", "gpu:1"]),
        ("gpu.power > 1 on gpu:1", ["gpu:1"]),
        ("gpu.power > 1 on gpu:*", ["gpu:0", "gpu:1"]),
        ("gpu.power > 1 on gpu:7", []),
        ("cpu.utilization > 1", ["host"]),
        ("cpu.utilization > 1 on cpu:*", ["cpu:0", "cpu:1"]),
        ("net.sent > 1", ["net:eth0", "net:eth1"]),
        ('"train/loss" > 1', ["user"]),
        ('"rank/loss" > 1', ["rank:0", "rank:1"]),
        ('"train/loss" > 1 and gpu.power > 1', ["gpu:0", "gpu:1"]),
        ('"train/loss" > 1 and "fan" > 1', ["gpu:0"]),
        ('memory.used > 1 and "train/loss" > 1', ["host"]),
        ("gpu.power > 1 and memory.used > 1 on gpu:1", ["gpu:1"]),
        ("nothing.here > 1", []),
    ],
)
def test_a_condition_is_about_each_thing_that_has_what_it_reads(text, things):
    watch = Watch(parse(text))

    watch.resolve(known(), {})

    assert [entity for _, entity in watch.subjects] == things
    assert bool(watch.waits_for(known())) == (not things)


@pytest.mark.parametrize(
    ("text", "thing", "reads"),
    [
        (
            "gpu.memory.used > gpu.memory.total",
            "gpu:1",
            {"gpu.memory.used of gpu:1", "gpu.memory.total of gpu:1"},
        ),
        (
            "gpu.memory.used > gpu.memory.total",
            "gpu:1/mig:1",
            {"gpu.memory.used of gpu:1/mig:1", "gpu.memory.total of gpu:1"},
        ),
        (
            "process.gpu.memory > gpu.memory.total on pid:*",
            "pid:7/gpu:1",
            {"process.gpu.memory of pid:7/gpu:1"},
        ),
        (
            '"train/loss" > 1 and memory.used > 1 and gpu.power > 1',
            "gpu:0",
            {"train/loss of user", "memory.used of host", "gpu.power of gpu:0"},
        ),
        ("gpu.power > 1 and cpu.utilization > 1", "gpu:0", {"gpu.power of gpu:0", "cpu.utilization of host"}),
    ],
)  # fmt: skip
def test_what_a_thing_does_not_have_itself_is_of_what_it_is_in(text, thing, reads):
    watch, found = Watch(parse(text)), known()

    watch.resolve(found, dict.fromkeys(names(found), NOTHING))

    subject = watch.subjects["h0", thing]
    assert {names(found)[number] for number in subject.ids} == reads


def test_machines_are_apart_and_a_thing_keeps_what_is_known_of_it_when_others_come():
    watch = Watch(parse("gpu.memory.total > memory.used"))
    watch.resolve(known(), {})
    before = dict(watch.subjects)

    both = known(["h0", "h1"])
    watch.resolve(both, {})

    assert list(watch.subjects) == [(h, f"gpu:{i}") for h in ("h0", "h1") for i in (0, 1)]
    assert all(watch.subjects[owner] is subject for owner, subject in before.items())
    assert set(watch.subjects["h1", "gpu:1"].ids) == {
        both["gpu.memory.total"]["h1", "gpu:1"],
        both["memory.used"]["h1", "host"],
    }


def test_an_alert_is_about_so_many_things_at_most_and_says_how_many_it_leaves_out():
    watch = Watch(parse("gpu.power > 1"))
    watch.resolve({"gpu.power": {("h0", f"gpu:{i}"): i for i in range(300)}}, {})
    assert (len(watch.subjects), watch.left_out) == (256, 44)


def test_a_name_that_is_like_one_of_the_catalog_is_asked_about():
    watch = Watch(parse('gpu.memory.usd > 1 and "train/loss" > 2'))
    assert watch.waits_for({}) == (
        "there is no reading of 'gpu.memory.usd' yet (is it gpu.memory.used?); "
        "there is no reading of 'train/loss' yet"
    )


@pytest.mark.parametrize(
    ("text", "entity", "phase", "says"),
    [
        ("gpu.power > 1 W for 30s", "gpu:0", "firing", "gpu:0 gpu.power is 2 W, above 1 W for 30 s"),
        ("gpu.power > 1 W", "gpu:0", "quiet", "gpu:0 gpu.power is 2 W, no longer above 1 W"),
        ("gpu.fan <= 90%", "gpu:0", "firing", "gpu:0 gpu.fan is 200 %, at or below 100 %"),
        ('"train/loss" != 3', "user", "firing", "train/loss is 2, other than 1"),
        ('"rank/loss" < 3', "rank:1", "firing", "rank:1 rank/loss is 2, below 1"),
        ("mean(gpu.power, 60s) > 1", "gpu:0", "firing", "gpu:0 mean(gpu.power, 60 s) is 2 W, above 1 W"),
        ("missing(gpu.power, 9s)", "gpu:0", "firing", "gpu:0: missing(gpu.power, 9 s)"),
        ("not gpu.power > 1 for 2 min", "gpu:0", "firing", "gpu:0: not gpu.power > 1 for 2 min"),
        ("not gpu.power > 1 for 2 min", "gpu:0", "quiet", "gpu:0: gpu.power > 1"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_a_sentence(text, entity, phase, says):
    change = Change(phase, 0, 2.0, 1.0)
    assert sentence(parse(text), entity, change).replace("\N{NARROW NO-BREAK SPACE}", " ") == says


def test_what_a_name_may_have_meant_is_looked_for_once(monkeypatch):
    looked = []
    monkeypatch.setattr(
        watch, "get_close_matches", lambda name, *_: looked.append(name) or ["gpu.power"]
    )
    watch.misspelt.cache_clear()

    assert [watch.misspelt("gpu.pwoer") for _ in range(3)] == [" (is it gpu.power?)"] * 3
    assert looked == ["gpu.pwoer"]
    watch.misspelt.cache_clear()

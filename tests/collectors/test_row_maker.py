"""Records become the same rows whether a pass is like one before or not."""

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pulse_widgets.collectors import layouts
from pulse_widgets.collectors.layouts import PASS_LAYOUTS_KEPT
from pulse_widgets.collectors.row_maker import Pass, RowMaker
from pulse_widgets.errors import ArgumentError
from pulse_widgets.metrics.metric import gauge, rated
from pulse_widgets.readers.base import RawRecord, RawSamples
from pulse_widgets.readers.contract import ReaderInfo
from pulse_widgets.readers.nvml.backend import NvmlBackend
from pulse_widgets.series.display_form import display_series
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows

INFO = ReaderInfo(group="Flux", rules=NvmlBackend.rules)


class ValueByValue(RowMaker):
    """Never takes the short way."""

    def _alike(self, passes):
        return None


def maker(kind=RowMaker, registry=None):
    made = kind("nvml", Registry() if registry is None else registry, "h0")
    made.begin(INFO)
    return made


def looked(records, now_us=5_000_000, offset_us=0):
    return Pass(records, now_us, offset_us)


def taken(made, passes):
    """The rows of some passes, as a collector makes them."""
    rows = made.together(passes)
    return [rows] if rows is not None else [block for each in passes for block in made.rows(each)]


FIELDS = (
    "utilization.gpu", "power.instant", "temperature.gpu", "pstate", "uuid", "energy", "of.a.plug-in",
)  # fmt: skip
READING = st.one_of(
    st.none(),
    st.floats(width=32),
    st.integers(-5, 200),
    st.integers(2**63, 2**70),
    st.booleans(),
    st.sampled_from(["word", "7"]),
)
# Few shapes and many passes, so that most are like one before.
SHAPE = st.lists(
    st.tuples(
        st.sampled_from(["0", "1", "host"]),
        st.lists(st.sampled_from(FIELDS), unique=True, max_size=4),
    ),
    max_size=4,
)


@st.composite
def samples(draw, moment):
    """What a source has kept of some fields, the newest of which is of `moment`; mostly nothing."""
    count = draw(st.sampled_from([0, 0, 1, 2, 3]))
    names = draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=3))
    if not count:
        return None
    number = READING.filter(lambda reading: not isinstance(reading, str))
    columns = {name: draw(st.lists(number, min_size=count, max_size=count)) for name in names}
    return RawSamples([moment - (count - 1 - n) / 8 for n in range(count)], columns)


@st.composite
def passes(draw):
    shapes = draw(st.lists(SHAPE, min_size=1, max_size=2))
    found = []
    for number in range(draw(st.integers(1, 6))):
        shape = draw(st.sampled_from(shapes))
        records = []
        for entity, names in shape:
            fields = {name: draw(READING) for name in names}
            error = draw(st.sampled_from([None, None, None, "GPU is lost"]))
            moment = 1_790_000_000.0 + number + draw(st.sampled_from([0.0, 0.25]))
            # What `fields` says beside samples is not looked at, whatever a source puts there.
            kept = draw(samples(moment)) if error is None else None
            records.append(RawRecord(0.0, moment, entity, fields, "nvml", "", error, "", kept))
        found.append(records)
    return found


def columns(blocks):
    rows = Rows.concat(blocks)
    text = rows.text if rows.text is not None else [""] * len(rows)
    return rows.series, rows.time, rows.step, rows.value, list(text)


def said_in_turn(*values):
    """Passes in which one GPU tells one value after the other."""
    return [
        [RawRecord(0.0, 1_790_000_000.0 + number, "0", {"utilization.gpu": value}, "nvml")]
        for number, value in enumerate(values)
    ]


@example(said_in_turn(2**63, None, 101.0), [1] * 6)
@example(said_in_turn(2**63, 101, 102.5, 103), [1, 2, 1, 1, 1, 1])
@given(passes(), st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_the_short_way_gives_the_same_rows_and_so_do_passes_taken_together(found, sizes):
    begin = 1_790_000_000_000_000
    looks = [Pass(records, begin + n * 1_000_000, 40 * n) for n, records in enumerate(found)]
    places = np.cumsum([0, *sizes])
    groups = [looks[a:b] for a, b in pairwise(places) if looks[a:b]]

    takings = (ValueByValue, [[look] for look in looks]), (RowMaker, [[look] for look in looks])
    results, makers = [], []
    for kind, parts in (*takings, (RowMaker, groups)):
        made = maker(kind)
        results.append(columns([rows for part in parts for rows in taken(made, part)]))
        makers.append(made)

    for ours in results[1:]:
        for one, other in zip(ours[:4], results[0][:4], strict=True):
            np.testing.assert_array_equal(one, other)
        assert ours[4] == results[0][4]
    for made in makers[1:]:
        assert made.labels == makers[0].labels
        assert made.rejections.reasons == makers[0].rejections.reasons
        assert made.rejections.count == makers[0].rejections.count
        assert made._registry.since(0) == makers[0]._registry.since(0)


def record(at=1.0, **fields):
    return RawRecord(0.0, at, "0", fields, "nvml")


def test_a_pass_like_the_one_before_looks_nothing_up():
    short = maker()
    short.rows(looked([record(1.0, **{"power.instant": 250_000})]))
    # Whatever is known of names is gone: only what was learnt of the pass is left.
    short._series.clear()

    (rows,) = short.rows(looked([record(2.0, **{"power.instant": 300_000})]))

    assert rows.value.tolist() == [300.0]
    assert rows.time.tolist() == [2_000_000]
    assert rows.step.tolist() == [NO_STEP]


def test_many_shapes_are_not_kept_for_ever():
    short = maker()
    one = record(1.0, **{"power.instant": 1})
    short.rows(looked([one]))

    for count in range(1, 3 * PASS_LAYOUTS_KEPT):
        (rows,) = short.rows(looked([one] * count))
        assert len(rows) == count

    assert len(short._layouts._passes) <= PASS_LAYOUTS_KEPT


def test_entities_that_came_and_went_are_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(layouts, "LAYOUTS_KEPT", 10)
    short = maker()

    for number in range(100):
        one = RawRecord(0.0, 1.0, f"pid:{number}", {"energy": 1}, "nvml")
        for _ in range(2):
            short.rows(looked([one]))

    assert 0 < len(short._layouts._runs) <= 10


def test_a_pass_in_which_too_many_shapes_are_learned_is_still_right(monkeypatch):
    monkeypatch.setattr(layouts, "LAYOUTS_KEPT", 10)
    short = maker()
    names = [f"pid:{number}" for number in range(16)]

    for _ in range(5):
        records = [RawRecord(0.0, 1.0, name, {"energy": float(name[4:])}, "nvml") for name in names]
        rows = Rows.concat(short.rows(looked(records)))

        entities = [short._registry[series].entity for series in rows.series.tolist()]
        assert entities == names
        assert rows.value.tolist() == [number / 1000 for number in range(16)]


def test_a_series_that_is_refused_is_named():
    class Full(Registry):
        def add(self, *key, **rest):
            raise ArgumentError("there is no room", remedy="Make some.")

    short = maker(registry=Full())

    rows = Rows.concat(short.rows(looked([record(**{"power.instant": 1})])))

    assert len(rows) == 0
    assert short.refused.problem == "there is no room"


def test_a_reading_of_a_clock_far_ahead_is_of_now():
    short = maker()
    for at in (1.0, 2.0):
        short.rows(looked([record(at, **{"power.instant": 1})], 2_000_000))

    (soon,) = short.rows(looked([record(60.0, **{"power.instant": 1})], 2_000_000))
    (wild,) = short.rows(looked([record(1e7, **{"power.instant": 1})], 2_000_000))

    assert soon.time.tolist() == [60_000_000]
    assert wild.time.tolist() == [2_000_000]


def test_passes_between_which_the_clock_was_set_keep_their_times():
    short = maker()
    first = Pass([record(1.0, **{"power.instant": 1})], 1_000_000, 0)
    short.rows(first)

    before = first._replace(records=[record(2.0, **{"power.instant": 2})], now_us=2_000_000)
    # Somebody sets the clock an hour ahead; the session's time goes on.
    after = Pass([record(3603.0, **{"power.instant": 3})], 3_000_000, 3_600_000_000)
    rows = Rows.concat(taken(short, [before, after]))

    assert rows.time.tolist() == [2_000_000, 3_000_000]


def test_readings_of_a_clock_far_ahead_are_each_of_their_own_look():
    short = maker()
    looks = [looked([record(1e7 + n, **{"power.instant": n})], n * 100_000) for n in range(1, 5)]
    short.rows(looks[0])

    rows = Rows.concat(taken(short, looks[1:]))

    assert rows.time.tolist() == [200_000, 300_000, 400_000]


def test_samples_that_are_too_many_for_their_moments_spoil_no_other_reading():
    short = maker()
    good = looked([record(1.0, **{"power.instant": 1})])
    odd = record(2.0)._replace(samples=RawSamples([2.0], {"power.instant": [1, 2, 3]}))
    short.rows(good)

    assert short.together([good, looked([odd])]) is None


def test_names_that_were_unknown_at_first_take_the_short_way_once_they_are_known():
    one = looked([RawRecord(0.0, 1.0, "0", {"a.field.of.mine": 1.0}, "plug-in")])
    short = maker()
    assert short.together([one]) is None

    short.rows(one)

    assert short.together([one]).value.tolist() == [1.0]


def test_a_name_that_no_file_can_hold_is_refused_and_the_others_go_on():
    short = maker()
    found = [
        RawRecord(0.0, 1.0, "disk:\udcff", {"energy": 1.0}, "mine"),
        RawRecord(0.0, 1.0, "gpu:0", {7: 1.0, "energy": 2.0}, "mine"),
    ]
    values = [rows.value.tolist() for _ in range(2) for rows in short.rows(looked(found))]

    assert values == [[0.002], [0.002]]
    assert "cannot be a name" in short.refused.problem


def test_what_cannot_be_true_is_counted_and_named_until_there_is_a_value_again():
    short = maker()
    says = [250_000, 2**32 - 1, 2**32 - 1, 250_000]
    heard = []
    for number, watts in enumerate(says):
        look = looked([record(number, **{"power.instant": watts, "temperature.gpu": 40})])
        heard.append((dict(short.rejections.reasons), short.rejections.count))
        short.rows(look)
    heard.append((dict(short.rejections.reasons), short.rejections.count))

    reason = {"gpu:0 gpu.power": "the source says 4294967295, which cannot be true"}
    assert heard == [({}, 0), ({}, 0), (reason, 1), (reason, 2), ({}, 2)]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_rejections_are_counted_alike_on_the_short_way(oddities):
    short, long = maker(), maker(ValueByValue)
    for number, odd in enumerate([(False, False), *oddities]):
        fields = {
            name: bad if is_odd else good
            for is_odd, (name, good, bad) in zip(
                odd, [("power.instant", 1, 2**40), ("clock.sm", 1, 2**40)], strict=True
            )
        }
        look = looked([record(number, **fields, **{"temperature.gpu": 40})], number * 1_000_000)
        rows = [columns(taken(each, [look])) for each in (short, long)]
        for one, other in zip(*(r[:4] for r in rows), strict=True):
            np.testing.assert_array_equal(one, other)
        assert short.rejections.count == long.rejections.count
        assert short.rejections.reasons == long.rejections.reasons


def test_what_was_rejected_for_long_takes_the_short_way():
    short = maker()
    look = looked([record(1.0, **{"power.instant": 2**40, "temperature.gpu": 40})])
    short.rows(look)

    assert short.together([look]) is not None
    assert short.rejections.count == 2


def test_what_was_rejected_of_an_entity_that_is_gone_is_forgotten():
    short = maker()
    job = record(1.0, **{"power.instant": -1})._replace(entity_id="job:1")
    stays = record(1.0, **{"power.instant": -1})
    short.rows(looked([job, stays], 0))

    heard = []
    for second, told in [(30, [stays]), (61, [stays]), (200, [stays]), (201, [job, stays])]:
        short.rows(looked(told, second * 1_000_000))
        heard.append(sorted(short.rejections.reasons))

    both = ["gpu:0 gpu.power", "job:1 gpu.power"]
    # Until it is back, and says the same.
    assert heard == [both, both[:1], both[:1], both]


def test_two_sources_do_not_fill_one_series():
    registry = Registry()
    ours, theirs = maker(registry=registry), RowMaker("amd", registry, "h0")
    ours.rows(looked([record(1.0, **{"power.instant": 1000})]))

    blocks = theirs.rows(looked([record(1.0, **{"gpu.power": 2.0, "gpu.fan": 0.5})]))

    names = [registry[series].metric for rows in blocks for series in rows.series.tolist()]
    assert names == ["gpu.fan"]
    assert "'gpu.power' of 'gpu:0' comes from nvml already" in theirs.refused.problem
    assert theirs.refused.remedy


def test_seconds_that_count_cores_say_so():
    mine = rated("job.cpu", "cores", "Job CPU", "")
    short = maker()
    short.begin(ReaderInfo(group="Jobs", metrics={m.name: m for m in mine.forms()}))

    short.rows(looked([record(**{"job.cpu.total": 7})]))

    (info,) = short._registry.since(0)
    assert display_series(info)["metric"] == "job.cpu"
    assert display_series(info)["unit"] == "cores"


def test_one_value_that_cannot_be_true_takes_no_other_away():
    short = maker()
    good = {"power.instant": 250_000, "temperature.gpu": 40}
    short.rows(looked([record(1.0, **good)]))

    (rows,) = short.rows(looked([record(2.0, **good | {"power.instant": 2**32 - 1})]))

    assert np.isnan(rows.value[0]) and rows.value[1] == 40


def test_series_of_two_hosts_stay_two():
    short = maker()
    here = record(1.0, **{"power.instant": 1000, "uuid": "A"})
    there = record(1.0, **{"power.instant": 2000, "uuid": "B"})._replace(host="h1")
    for _ in range(2):
        blocks = short.rows(looked([here, there]))

    rows = Rows.concat(blocks)
    hosts = [short._registry[series].host for series in rows.series.tolist()]
    assert (hosts, rows.value.tolist()) == (["h0", "h1"], [1.0, 2.0])
    assert short.labels == {"h0": {"gpu:0": {"uuid": "A"}}, "h1": {"gpu:0": {"uuid": "B"}}}


def test_the_own_metrics_of_a_reader_carry_what_the_catalog_does_not_say():
    mine = (
        gauge("npu.load", "1", "NPU load", "Share of time."),
        rated("npu.done", "count/s", "Done", ""),
    )
    info = ReaderInfo(
        group="NPU", metrics={m.name: m for each in mine for m in each.forms()}, title="My NPU"
    )
    short = maker()
    short.begin(info)

    short.rows(looked([record(**{"npu.load": 0.5, "npu.done.total": 7, "gpu.power": 3, "x": 1})]))

    told = {
        info.metric: (info.unit, info.kind, dict(info.labels)) for info in short._registry.since(0)
    }
    assert told == {
        "npu.load": ("1", "gauge", {"group": "NPU", "title": "NPU load", "help": "Share of time."}),
        "npu.done.total": ("count", "counter", {"group": "NPU", "title": "Done", "help": ""}),
        "gpu.power": ("W", "gauge", {}),
        "x": ("", "gauge", {"group": "NPU"}),
    }

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.metrics.catalog import CATALOG, lookup
from pulse_widgets.metrics.ranges import range_of
from pulse_widgets.readers.base import RawRecord, RawSamples
from pulse_widgets.readers.contract import ReaderInfo
from pulse_widgets.readers.nvml.backend import NvmlBackend
from pulse_widgets.readers.rule import Rule
from pulse_widgets.readers.translate import Translator, entity_of
from pulse_widgets.readers.translate import translate as plainly

TABLE = {
    "utilization.gpu": Rule("gpu.utilization", 0.01, highest=100),
    "memory.used": Rule("gpu.memory.used", 1024**2),
    "temperature.gpu": Rule("gpu.temperature"),
    "power.mw": Rule("gpu.power", 1e-3),
    "pstate": Rule("gpu.pstate"),
}


NVML = ReaderInfo(rules=NvmlBackend.rules)


TABLED = ReaderInfo(rules=TABLE)


def translate(records, info=TABLED):
    return plainly(records, info)


def _record(fields, entity="0", source="tabled", error=None):
    return RawRecord(12.5, 1_700_000_000.0, entity, fields, source, error=error)


def _only(fields, **rest):
    (reading,) = translate([_record(fields, **rest)]).readings
    return reading


def test_a_reading_has_the_catalogs_entity_name_and_unit():
    reading = _only({"memory.used": 80})

    assert reading == ("gpu:0", "gpu.memory.used", 80 * 1024**2, "", 12.5, 1_700_000_000.0, "")


@given(st.integers(0, 100))
def test_a_percentage_becomes_the_nearest_fraction(percent):
    assert _only({"utilization.gpu": percent}).value == float(Fraction(percent, 100))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=100.001))
def test_a_value_beyond_the_highest_is_missing_and_counted(percent):
    result = translate([_record({"utilization.gpu": percent, "temperature.gpu": 40})])

    assert [math.isnan(r.value) for r in result.readings] == [True, False]
    assert list(result.rejected) == [("", "gpu:0", "gpu.utilization")]
    assert result.rejected["", "gpu:0", "gpu.utilization"] == [f"{percent:.6g}"]


def test_a_negative_amount_is_missing_but_a_negative_temperature_is_not():
    result = translate([_record({"power.mw": -1, "temperature.gpu": -5})])

    assert math.isnan(result.readings[0].value)
    assert result.readings[1].value == -5
    assert result.rejected == {("", "gpu:0", "gpu.power"): ["-1"]}


def test_an_infinite_value_is_missing():
    assert math.isnan(_only({"power.mw": math.inf}).value)


def test_a_field_without_a_value_is_missing_and_not_counted():
    result = translate([_record({"power.mw": None, "temperature.gpu": math.nan})])

    assert all(math.isnan(r.value) for r in result.readings)
    assert [r.metric for r in result.readings] == ["gpu.power", "gpu.temperature"]
    assert result.rejected == {}


def test_a_text_where_a_number_belongs_is_missing():
    reading = _only({"power.mw": "[N/A]"})

    assert math.isnan(reading.value)
    assert reading.text == ""


def test_a_state_may_be_a_word():
    reading = _only({"pstate": "P0"})

    assert reading.text == "P0"
    assert math.isnan(reading.value)


def test_a_state_may_be_a_number():
    assert _only({"pstate": 8})[2:4] == (8.0, "")


def test_a_text_that_no_table_names_is_a_label():
    result = translate([_record({"uuid": "GPU-1", "name": "H200", "power.mw": 1})])

    assert result.labels == {("", "gpu:0"): {"uuid": "GPU-1", "name": "H200"}}
    assert len(result.readings) == 1


def test_a_source_that_speaks_the_catalogs_language_needs_no_table():
    reading = _only({"cpu.user.total": 3.5}, entity="host", source="system")

    assert reading[:3] == ("host", "cpu.user.total", 3.5)


def test_a_number_that_nothing_names_keeps_its_name():
    first, second = plainly([_record({"vendor.flux": value}) for value in (-2.0, 3.0)]).readings

    assert (first.metric, first.value, second.value) == ("vendor.flux", -2.0, 3.0)


def test_an_entity_that_could_not_be_read_says_why_and_takes_no_other_away():
    result = translate([_record({}, error="GPU is lost"), _record({"power.mw": 5000}, entity="1")])

    assert result.errors == {("", "gpu:0"): "GPU is lost"}
    assert [(r.entity, r.value) for r in result.readings] == [("gpu:1", 5.0)]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("0", "gpu:0"),
        ("12", "gpu:12"),
        ("gpu:3", "gpu:3"),
        ("mig:0:1", "gpu:0/mig:1"),
        ("mig:2:1:0", "gpu:2/mig:1/ci:0"),
        ("host", "host"),
        ("fs:/data", "fs:/data"),
        ("mig:x", "mig:x"),
    ],
)
def test_entities_get_the_catalogs_ids(theirs, ours):
    assert entity_of(theirs) == ours


def test_a_rule_wins_over_the_catalogs_own_name():
    record = _record({"gpu.power": 5})
    rules = {"gpu.power": Rule("gpu.power.limit")}

    (ruled,), (plain,) = (
        translate([record], ReaderInfo(rules=table)).readings for table in (rules, {})
    )

    assert (ruled.metric, plain.metric) == ("gpu.power.limit", "gpu.power")


def test_what_a_field_means_does_not_depend_on_what_was_read_before():
    text, number = _record({"model": "A100"}), _record({"model": 3.0})
    ours = Translator()

    for _ in range(2):
        assert ours.translate([text]).labels == {("", "gpu:0"): {"model": "A100"}}
        assert [r.value for r in ours.translate([number]).readings] == [3.0]
    assert plainly([text]).readings == []


def test_a_field_nobody_knows_is_missing_only_where_it_had_a_number():
    nothing, ours = _record({"flux": None}), Translator()

    assert ours.translate([nothing]).readings == []
    ours.translate([_record({"flux": 1})])
    (reading,) = ours.translate([nothing]).readings

    assert math.isnan(reading.value)


class Odd:
    def __float__(self):
        raise ValueError

    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize("raw", [[1], b"1", {}, Odd(), 10**400, 1j, object(), "word"])
@pytest.mark.parametrize("field", ["power.mw", "gpu.clock.sm"])
def test_what_is_no_number_is_missing_and_takes_no_other_field_away(field, raw):
    result = translate([_record({field: raw, "temperature.gpu": 40})])

    assert math.isnan(result.readings[0].value)
    assert result.readings[1].value == 40
    assert sum(map(len, result.rejected.values())) == 1


def test_what_is_no_number_and_has_no_meaning_makes_no_series():
    result = translate([_record({"flux": [1], "temperature.gpu": 40})])

    assert [r.metric for r in result.readings] == ["gpu.temperature"]
    assert result.rejected == {("", "gpu:0", "flux"): ["a value of type list"]}


# All bits set, the largest signed numbers, what DCGM gives for "blank".
SENTINELS = (2**32 - 1, 2**64 - 1, 2**63 - 1, 9223372036854775792.0, math.inf, -1e300)
TAKES_32_BIT = {"B", "count", "J", "s"}


@pytest.mark.parametrize("name", sorted(NvmlBackend.rules))
def test_no_field_of_a_gpu_takes_what_drivers_say_for_nothing(name):
    rule = NvmlBackend.rules[name]
    unit = lookup(rule.metric).unit
    for raw in SENTINELS:
        if raw == SENTINELS[0] and unit in TAKES_32_BIT:
            continue  # so many bytes can be; a counter may have just that value
        result = translate([_record({name: raw})], NVML)
        assert [math.isnan(r.value) for r in result.readings] == [True], raw
        assert list(result.rejected) == [("", "gpu:0", rule.metric)]


@given(st.sampled_from(sorted(CATALOG)), st.floats(allow_nan=False))
def test_the_range_of_every_metric_holds_for_a_source_of_the_catalogs_language(name, value):
    lowest, highest = range_of(CATALOG[name])
    if not CATALOG[name].kind.numeric:
        return

    (reading,) = plainly([_record({name: value})]).readings

    assert (reading.value == value) == (lowest <= value <= highest)


def test_a_record_of_another_host_keeps_its_host():
    there = _record({"gpu.power": 5, "model": "A100"})._replace(host="h1")
    lost = _record({}, error="gone")._replace(host="h1")

    result = plainly([_record({"gpu.power": 7}), there, lost])

    assert [(r.host, r.value) for r in result.readings] == [("", 7.0), ("h1", 5.0)]
    assert result.labels == {("h1", "gpu:0"): {"model": "A100"}}
    assert result.errors == {("h1", "gpu:0"): "gone"}


def test_every_rule_of_every_table_names_a_metric_of_the_catalog():
    unknown = {n for n, rule in NvmlBackend.rules.items() if lookup(rule.metric) is None}

    assert unknown == set()


def test_nvml_readings_come_out_in_base_units():
    fields = {"utilization.gpu": 37, "power.instant": 312_500, "clock.sm": 1980, "energy": 1500}

    readings = translate([_record(fields, source="nvml")], NVML).readings

    assert {r.metric: r.value for r in readings} == {
        "gpu.utilization": 0.37,
        "gpu.power": 312.5,
        "gpu.clock.sm": 1.98e9,
        "gpu.energy": 1.5,
    }


@pytest.mark.parametrize("field", ["temperature.gpu", "of.a.plug-in"])
@pytest.mark.parametrize("raw", [-math.inf, math.inf])
def test_nothing_is_infinite(field, raw):
    result = translate([_record({field: raw})])

    assert [r.value for r in result.readings if not math.isnan(r.value)] == []
    assert sum(map(len, result.rejected.values())) == 1


def test_readings_that_a_source_has_kept_have_their_own_times():
    kept = RawSamples([100.5, 101.0], {"utilization.gpu": [25, None], "power.mw": [5000, 7000]})
    newest = {"utilization.gpu": None, "power.mw": 7000}

    result = translate([RawRecord(11.0, 101.0, "0", newest, "tabled", samples=kept)])

    assert [(r.metric, r.timestamp, r.wallclock) for r in result.readings] == [
        ("gpu.utilization", 10.5, 100.5),
        ("gpu.utilization", 11.0, 101.0),
        ("gpu.power", 10.5, 100.5),
        ("gpu.power", 11.0, 101.0),
    ]
    assert result.readings[0].value == 0.25
    assert math.isnan(result.readings[1].value)
    assert [r.value for r in result.readings][2:] == [5.0, 7.0]

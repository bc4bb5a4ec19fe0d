from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.readers import translate as module
from pulse_widgets.readers.base import RawRecord, RawSamples
from pulse_widgets.readers.translate import Rule, entity_of, rule_of, translate

TABLE = {
    "utilization.gpu": Rule("gpu.utilization", 0.01, highest=100),
    "memory.used": Rule("gpu.memory.used", 1024**2),
    "temperature.gpu": Rule("gpu.temperature"),
    "power.mw": Rule("gpu.power", 1e-3),
    "pstate": Rule("gpu.pstate"),
}


@pytest.fixture(autouse=True)
def _a_source_with_a_table(monkeypatch):
    # A table is data, not a part of ours that could behave differently.
    monkeypatch.setitem(module.TABLES, "tabled", TABLE)


def _record(fields, entity="0", source="tabled", error=None):
    return RawRecord(12.5, 1_700_000_000.0, entity, fields, source, error=error)


def _only(fields, **rest):
    (reading,) = translate([_record(fields, **rest)]).readings
    return reading


def test_a_reading_has_the_catalogs_entity_name_and_unit():
    reading = _only({"memory.used": 80})

    assert reading == ("gpu:0", "gpu.memory.used", 80 * 1024**2, "", 12.5, 1_700_000_000.0)


@given(st.integers(0, 100))
def test_a_percentage_becomes_the_nearest_fraction(percent):
    assert _only({"utilization.gpu": percent}).value == float(Fraction(percent, 100))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=100.001))
def test_a_value_beyond_the_highest_is_missing_and_counted(percent):
    result = translate([_record({"utilization.gpu": percent, "temperature.gpu": 40})])

    assert [math.isnan(r.value) for r in result.readings] == [True, False]
    assert result.rejected == {"gpu.utilization": 1}


def test_a_negative_amount_is_missing_but_a_negative_temperature_is_not():
    result = translate([_record({"power.mw": -1, "temperature.gpu": -5})])

    assert math.isnan(result.readings[0].value)
    assert result.readings[1].value == -5
    assert result.rejected == {"gpu.power": 1}


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

    assert result.labels == {"gpu:0": {"uuid": "GPU-1", "name": "H200"}}
    assert len(result.readings) == 1


def test_a_source_that_speaks_the_catalogs_language_needs_no_table():
    reading = _only({"cpu.user.total": 3.5}, entity="host", source="system")

    assert reading[:3] == ("host", "cpu.user.total", 3.5)


def test_a_number_that_nothing_names_keeps_its_name():
    first, second = translate(
        [_record({"vendor.flux": value}, source="plugin") for value in (-2.0, 3.0)]
    ).readings

    assert (first.metric, first.value, second.value) == ("vendor.flux", -2.0, 3.0)


def test_an_entity_that_could_not_be_read_says_why_and_takes_no_other_away():
    result = translate([_record({}, error="GPU is lost"), _record({"power.mw": 5000}, entity="1")])

    assert result.errors == {"gpu:0": "GPU is lost"}
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


def test_a_table_wins_over_the_catalogs_own_name(monkeypatch):
    monkeypatch.setitem(TABLE, "gpu.power", Rule("gpu.power.limit"))

    assert rule_of("tabled", "gpu.power") == Rule("gpu.power.limit")
    assert rule_of("other", "gpu.power") == Rule("gpu.power")
    assert rule_of("other", "nothing") is None


def test_every_rule_of_every_table_names_a_metric_of_the_catalog():
    unknown = {
        (source, name)
        for source, table in module.TABLES.items()
        for name, rule in table.items()
        if lookup(rule.metric) is None
    }

    assert unknown == set()


def test_nvml_readings_come_out_in_base_units():
    fields = {"utilization.gpu": 37, "power.instant": 312_500, "clock.sm": 1980, "energy": 1500}

    readings = translate([_record(fields, source="nvml")]).readings

    assert {r.metric: r.value for r in readings} == {
        "gpu.utilization": 0.37,
        "gpu.power": 312.5,
        "gpu.clock.sm": 1.98e9,
        "gpu.energy": 1.5,
    }


@pytest.mark.parametrize("field", ["temperature.gpu", "of.a.plug-in"])
def test_nothing_is_infinitely_low(field):
    (reading,) = translate([_record({field: -math.inf})]).readings

    assert math.isnan(reading.value)


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

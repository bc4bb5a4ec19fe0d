from __future__ import annotations

import re

import pytest

from pulse_widgets.metrics.catalog import (
    AREAS,
    CATALOG,
    Group,
    lookup,
    rate_of,
)
from pulse_widgets.metrics.kinds import COUNTER, GAUGE, MOMENT, OUTPUT, SPAN, STATE

UNITS = {"1", "B", "B/s", "W", "J", "s", "Hz", "degC", "cores", "count", "count/s", ""}
METRICS = list(CATALOG.values())
RATED = [m for m in METRICS if m.rated]


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_a_metric_keeps_the_rules_of_names_and_units(metric):
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", metric.name)
    assert metric.unit in UNITS
    assert metric.total_unit in UNITS
    assert metric.area == metric.name.split(".")[0]
    assert metric.area in AREAS
    assert metric.title[0].isupper()
    assert metric.help.endswith(".")
    assert "\n" not in metric.help


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_a_kind_without_numbers_has_no_unit(metric):
    if metric.kind in {STATE, MOMENT, OUTPUT}:
        assert metric.unit == ""
    elif metric.kind in {GAUGE, COUNTER, SPAN}:
        assert metric.unit != ""


def test_titles_tell_metrics_of_a_group_apart():
    for group in Group:
        titles = [m.title for m in METRICS if m.group is group]

        assert titles
        assert len(titles) == len(set(titles))


@pytest.mark.parametrize("metric", RATED, ids=lambda m: m.name)
def test_a_rated_metric_and_its_counter_find_each_other(metric):
    total = f"{metric.name}.total"
    found = lookup(total)

    assert found is not None
    assert metric.forms() == (metric, found)
    assert rate_of(total, "counter", found.unit) == (metric.name, metric.unit)
    assert found.kind is COUNTER
    assert found.unit == metric.total_unit
    per_second = {"1": "s", "cores": "s", "B/s": "B", "count/s": "count"}
    assert found.unit == per_second[metric.unit]


@pytest.mark.parametrize("name", ["gpu.memory.total", "memory.total", "swap.total", "disk.total"])
def test_a_size_that_ends_in_total_is_not_a_counter(name):
    assert lookup(name).kind is GAUGE
    assert rate_of(name, "counter", "B") is None


def test_a_total_with_the_name_of_a_size_would_be_ambiguous():
    assert not {f"{m.name}.total" for m in RATED} & set(CATALOG)


def test_energy_is_a_counter_of_its_own():
    assert lookup("gpu.energy").kind is COUNTER
    assert rate_of("gpu.energy", "counter", "J") is None


@pytest.mark.parametrize("name", ["train/loss", "gpu.power.total", "cpu.user.total.total", ""])
def test_a_name_outside_the_catalog_is_unknown(name):
    assert lookup(name) is None
    assert rate_of(name, "gauge", "") is None


@pytest.mark.parametrize(
    ("unit", "rate_unit"), [("B", "B/s"), ("count", "count/s"), ("s", "1"), ("J", "W")]
)
def test_a_counter_of_a_plug_in_has_a_rate(unit, rate_unit):
    assert rate_of("npu.done.total", "counter", unit) == ("npu.done", rate_unit)
    assert rate_of("npu.done", "counter", unit) is None

"""A reader of another package that is not as readers are ends alone, in words that help."""

import json
import math
import os
import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pulse_widgets as pw
from pulse_widgets import readers
from pulse_widgets.diagnosis.snapshot import take_snapshot
from pulse_widgets.diagnosis.sources import examine_backend
from pulse_widgets.errors import PulseError, ReaderError, UnknownSourceError
from pulse_widgets.readers import (
    Backend,
    BackendCaps,
    BackendKind,
    Metric,
    RateClass,
    RawRecord,
    RawSamples,
    ReaderConfig,
    Rule,
    gauge,
    make_backend,
    plugins,
    rated,
    state,
)
from pulse_widgets.readers.base import ALL_CLASSES
from pulse_widgets.readers.contract import ask, open_backend
from pulse_widgets.readers.discover import built_in, make_backends, source_names
from pulse_widgets.readers.translate import Translator


def record(**rest):
    return RawRecord(1.0, 1_790_000_000.0, "npu:0", {"npu.load": 0.5}, "mine")._replace(**rest)


T = 1_790_000_000.0


def uneven(walls, **columns):
    return record(samples=RawSamples(walls, columns))


class Good:
    """As a reader is, and each class below breaks one thing of it."""

    name = "mine"
    caps = BackendCaps("mine")
    missing = {}

    def open(self):
        pass

    def read(self, due):
        return [record()]

    def close(self):
        pass


def returning(value):
    return lambda self, due: value


async def _coroutine(self, due):
    return []


BROKEN = {
    "read takes nothing": ({"read": lambda self: []}, "`due`"),
    "read takes two": ({"read": lambda self, due, more: []}, "`due`"),
    "read is no method": ({"read": 7}, "read is no method"),
    "read is a coroutine": ({"read": _coroutine}, "coroutine"),
    "open takes one": ({"open": lambda self, how: None}, "open"),
    "close takes one": ({"close": lambda self, how: None}, "close"),
    "caps is None": ({"caps": None}, "caps is None"),
    "missing is a list": ({"missing": []}, "missing is of type list"),
    "rules is a list": ({"rules": [Rule("gpu.power")]}, "rules is of type list"),
    "a rule is a text": ({"rules": {"a": "gpu.power"}}, "rules['a'] is of type str"),
    "a rule of nothing": ({"rules": {"a": Rule("npu.heat")}}, "'npu.heat'"),
    "a scale of zero": ({"rules": {"a": Rule("gpu.power", 0.0)}}, "scale 0.0"),
    "an empty range": ({"rules": {"a": Rule("gpu.power", 1.0, 5, 4)}}, "from 5 to 4"),
    "a range from NaN": ({"rules": {"a": Rule("gpu.power", 1.0, math.nan)}}, "from nan"),
    "a kind as text": ({"metrics": [Metric("m", "", "state", "", "m", "")]}, "kind 'state'"),
    "a rated clock": ({"metrics": [rated("m", "Hz", "", "")]}, "'Hz' is no unit of a rate"),
    "a rated nothing": ({"metrics": [rated("m", "", "", "")]}, "'' is no unit of a rate"),
    "a scale of NaN": ({"rules": {"a": Rule("gpu.power", math.nan)}}, "scale nan"),
    "metrics is a text": ({"metrics": "npu.load"}, "metrics is of type str"),
    "a metric is a text": ({"metrics": ["npu.load"]}, "entry of metrics is of type str"),
    "a metric of the catalog": ({"metrics": [gauge("gpu.power", "W", "", "")]}, "in the catalog"),
    "rates by text": ({"rates": {"gauges": 1.0}}, "key of rates"),
    "a rate of zero": ({"rates": {RateClass.GAUGES: 0}}, "rates[RateClass.GAUGES] is 0"),
    "title is a number": ({"title": 5}, "title is of type int"),
    "group is None": ({"group": None}, "group is None"),
    "read returns None": ({"read": returning(None)}, "read() returned None"),
    "read returns a dict": ({"read": returning({})}, "read() returned of type dict"),
    "a generator": ({"read": returning(iter(()))}, "read() returned"),
    "a record is a dict": ({"read": returning([{}])}, "of type dict in it"),
    "no time": ({"read": returning([record(wallclock=None)])}, "wallclock=None"),
    "milliseconds": ({"read": returning([record(wallclock=1.79e12)])}, "wallclock"),
    "time is NaN": ({"read": returning([record(wallclock=math.nan)])}, "wallclock=nan"),
    "no moment": ({"read": returning([record(timestamp=None)])}, "timestamp=None"),
    "times swapped": ({"read": returning([record(wallclock=5e4, timestamp=1.79e9)])}, "wallclock"),
    "a host by number": ({"read": returning([record(host=1)])}, "host=1"),
    "samples are a list": ({"read": returning([record(samples=[1.0])])}, "samples of type list"),
    "samples too long": (
        {"read": returning([uneven([T, T], a=[1, 1, 1], b=[2])])},
        "other lengths",
    ),
    "samples too early": ({"read": returning([uneven([math.nan], a=[1])])}, "wallclocks=[nan]"),
    "no fields": ({"read": returning([record(fields=None)])}, "fields None"),
    "a numbered entity": ({"read": returning([record(entity_id=0)])}, "entity_id=0"),
}


def opened_and_read(backend):
    open_backend(backend)
    return ask(backend, ALL_CLASSES)


def broken(which):
    return type("Broken", (Good,), BROKEN[which][0])()


def test_a_good_reader_is_one():
    backend = Good()

    info = open_backend(backend)

    assert isinstance(backend, Backend)
    assert (info.title, info.group, info.lasting) == ("mine", "mine", False)
    assert ask(backend, ALL_CLASSES) == [record()]


@pytest.mark.parametrize("which", BROKEN)
def test_what_breaks_the_contract_is_named_with_what_to_change(which):
    backend = broken(which)

    with pytest.raises(ReaderError) as found:
        opened_and_read(backend)

    assert "'mine'" in found.value.problem
    assert BROKEN[which][1] in found.value.problem
    assert found.value.remedy


@pytest.mark.parametrize("which", BROKEN)
def test_it_takes_nothing_away_from_snapshot_and_doctor(which):
    frame = take_snapshot(
        [Good(), type("Other", (type(broken(which)),), {"name": "other"})()], "mine"
    )

    assert frame["value"].tolist() == [0.5]
    assert BROKEN[which][1] in frame.attrs["problems"]["other"]
    (check,) = examine_backend(broken(which))
    assert BROKEN[which][1] in check.detail


class Raises(Good):
    """Throws what its `error` is, from the method `where`."""

    def __init__(self, where, error):
        self.where, self.error = where, error

    def _maybe(self, where):
        if where == self.where:
            raise self.error

    def open(self):
        self._maybe("open")

    def read(self, due):
        self._maybe("read")
        return [record()]

    def close(self):
        self._maybe("close")


@pytest.mark.parametrize("where", ["open", "read", "close"])
@pytest.mark.parametrize("error", [RuntimeError("why"), KeyError("why"), NotImplementedError()])
def test_whatever_a_reader_throws_snapshot_and_doctor_go_on(where, error):
    frame = take_snapshot(
        [Good(), type("Other", (Raises,), {"name": "other"})(where, error)], "mine"
    )

    assert 0.5 in frame["value"].tolist()
    assert ("other" in frame.attrs["problems"]) == (where != "close")
    assert examine_backend(Raises(where, error))


MONITOR = """
import json, time
import pulse_widgets as pw
from tests.readers.test_contract import BROKEN, Raises, broken

backends = [broken(which) for which in BROKEN]
backends += [Raises("open", RuntimeError("why")), Raises("read", RuntimeError("why"))]
for number, backend in enumerate(backends):
    backend.name = f"b{number}"
mon = pw.monitor(sources=["system", *backends], record=False)
ends = time.monotonic() + 20
while time.monotonic() < ends:
    told = {row["source"]: row for row in mon.status.reset_index().to_dict("records")}
    if sum(row["state"] == "failed" for row in told.values()) == len(backends):
        break
    time.sleep(0.05)
print(json.dumps(told, default=str))
mon.stop()
"""


def test_in_a_monitor_each_ends_in_a_named_state_and_the_machine_goes_on(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MONITOR],
        env={**os.environ, "PULSE_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    told = json.loads(done.stdout)
    assert told["system"]["state"] == "ok"
    for number, which in enumerate(BROKEN):
        row = told[f"b{number}"]
        assert (row["state"], BROKEN[which][1] in row["problem"]) == ("failed", True), row
        assert row["remedy"]
    assert all("why" in told[f"b{len(BROKEN) + n}"]["problem"] for n in range(2))


# What the package exports --------------------------------------------------------------


def test_the_contract_is_exported_and_nothing_that_does_nothing():
    wanted = [
        "Backend",
        "BackendCaps",
        "BackendKind",
        "RawRecord",
        "RawSamples",
        "RateClass",
        "ReaderConfig",
        "ReaderError",
        "HostEngineUnavailableError",
        "ExporterCollisionDetected",
        "ReservationDeniedError",
        "DcgmStreamError",
        "Rule",
        "make_backend",
    ]

    assert set(wanted) <= set(readers.__all__)
    assert all(hasattr(readers, name) for name in readers.__all__)


def test_the_kinds_of_readers_have_their_names_and_values():
    assert {kind.name: kind.value for kind in BackendKind} == {
        "DCGMI": "dcgmi",
        "PROMETHEUS": "prometheus",
        "REPLAY": "replay",
        "NVML_DIRECT": "nvml_direct",
        "GPM": "gpm",
        "SYSTEM": "system",
        "CGROUP": "cgroup",
    }


def test_a_record_has_the_fields_of_the_contract_and_is_not_changed():
    one = RawRecord(1.0, 2.0, "0", {"a": 1.0, "b": None}, "dcgmi")

    assert one._fields[:8] == (
        "timestamp", "wallclock", "entity_id", "fields", "source", "source_version", "error", "host",
    )  # fmt: skip
    assert (one.source_version, one.error, one.host) == ("", None, "")
    with pytest.raises(AttributeError):
        one.error = "no"


def test_the_settings_have_the_defaults_of_the_contract():
    config = ReaderConfig()

    assert (config.backend, config.poll_seconds, config.source) == (
        BackendKind.DCGMI, 0.1, "http://localhost:9400/metrics",
    )  # fmt: skip
    assert (config.gpu_ids, config.all_gpus, config.timeout) == (None, False, 5.0)


@pytest.mark.parametrize("name", [n for n in readers.__all__ if n.endswith(("Error", "Detected"))])
def test_an_error_of_a_reader_says_what_to_try(name):
    error = getattr(readers, name)("it failed", "try this")

    assert isinstance(error, RuntimeError)
    assert isinstance(error, PulseError)
    assert str(error) == "it failed\ntry this"
    assert error.remediation == "try this"
    assert getattr(readers, name)("it failed").remediation == ""


@pytest.mark.parametrize(
    ("kind", "name"), [(BackendKind.NVML_DIRECT, "nvml"), (BackendKind.SYSTEM, "system")]
)
def test_a_reader_is_made_from_its_settings(kind, name):
    assert make_backend(ReaderConfig(kind)).name == name


@pytest.mark.parametrize(
    "kind", [k for k in BackendKind if k not in {BackendKind.NVML_DIRECT, BackendKind.SYSTEM}]
)
def test_a_reader_that_is_not_there_yet_is_named(kind):
    with pytest.raises(UnknownSourceError) as found:
        make_backend(ReaderConfig(kind))

    assert f"does not have the reader {kind.value!r}" in found.value.problem
    with pytest.raises(UnknownSourceError, match=f"does not have the reader '{kind.value}'"):
        source_names(kind.value)
    assert "nvml_direct, system" in found.value.remedy
    assert isinstance(found.value, ValueError)


def test_settings_say_which_gpus():
    assert make_backend(ReaderConfig(BackendKind.NVML_DIRECT, gpu_ids=("1", "3")))._gpus == [
        "1",
        "3",
    ]
    assert make_backend(ReaderConfig(BackendKind.NVML_DIRECT, all_gpus=True))._gpus == "all"
    assert make_backend(ReaderConfig(BackendKind.NVML_DIRECT))._gpus == ["mine"]


@pytest.mark.parametrize("name", [5, None, ""])
def test_a_name_is_a_text(name):
    backend = type("Numbered", (Good,), {"name": name})()

    with pytest.raises(ReaderError, match="name"):
        open_backend(backend)
    with pytest.raises(UnknownSourceError, match="name"):
        source_names(["system", backend])


@pytest.mark.parametrize("scale", [0.8, 0.75, 1 / 3.6, 0.3048, 0.45359, 0.01, 1e-9, 1.0, 1024.0])
def test_a_scale_is_what_numbers_are_multiplied_by(scale):
    class Scaled(Good):
        rules = {"raw": Rule("gpu.memory.used", scale)}

    info = open_backend(Scaled())

    (reading,) = Translator(info).translate([record(fields={"raw": 100})]).readings
    assert reading.value == pytest.approx(100 * scale, rel=1e-15)


class Measuring(Good):
    """Metrics of its own with values that the catalog's would not take."""

    metrics = (
        gauge("battery.power", "W", "", ""),
        gauge("site.power", "W", "", ""),
        gauge("fs.files", "count", "", ""),
        gauge("clock.off", "Hz", "", ""),
        state("ups.mode", "Mode", ""),
        rated("job.cpu", "cores", "Job CPU", ""),
        rated("job.energy", "W", "Job power", ""),
    )

    def read(self, due):
        fields = {
            "battery.power": -35.2, "site.power": 21e6, "fs.files": 3.2e12, "clock.off": -12,
            "ups.mode": "on line", "job.cpu.total": 12.5 * time.monotonic(),
            "job.energy.total": 7 * time.monotonic(), "gpu.utilization": 1.0004,
        }  # fmt: skip
        return [RawRecord(time.monotonic(), time.time(), "host", fields, self.name)]


def test_what_a_reader_measures_is_taken_in_its_own_units():
    frame = pw.snapshot(sources=Measuring()).set_index("metric")

    assert {name: frame["value"][name] for name in ("battery.power", "site.power", "fs.files")} == {
        "battery.power": -35.2, "site.power": 21e6, "fs.files": 3.2e12,
    }  # fmt: skip
    assert frame["value"]["gpu.utilization"] == 1.0004
    assert frame["unit"][["job.cpu", "job.energy"]].tolist() == ["cores", "W"]
    assert frame["value"]["job.cpu"] == pytest.approx(12.5, rel=0.01)
    assert frame["value"]["job.energy"] == pytest.approx(7, rel=0.01)


@pytest.mark.parametrize(
    "missing", [np.ma.masked, np.ma.array([1.0], mask=[True])[0], pd.NA, np.float32("nan")]
)
def test_ways_to_say_missing_are_missing_and_not_rejected(missing):
    result = Translator().translate([record(fields={"gpu.power": missing})])

    assert math.isnan(result.readings[0].value)
    assert result.rejected == {}


def test_snapshot_tells_hosts_apart_and_outlives_what_a_reader_says():
    class Two(Good):
        def read(self, due):
            return [record(fields={"gpu.power": 100}), record(fields={"gpu.power": 200}, host="h1")]

    frame = take_snapshot(
        [Two(), type("Odd", (Good,), {"name": "odd", "missing": property(fails)})()], "mine"
    )

    assert frame[["host", "value"]].to_numpy().tolist() == [["", 100.0], ["h1", 200.0]]
    assert "no licence" in frame.attrs["problems"]["odd"]


def test_a_source_has_both_of_its_names():
    assert source_names("nvml_direct") == source_names("nvml") == ["nvml"]
    assert source_names("auto,-nvml_direct") == ["system"]


def test_what_is_nearly_a_reader_is_told_what_it_lacks():
    class Nearly:
        name = "nearly"

        def open(self):
            pass

        def read(self, due):
            return []

    with pytest.raises(UnknownSourceError) as found:
        pw.snapshot(sources=Nearly())

    assert "Nearly is no reader: it has no caps, missing, close" in found.value.problem
    with pytest.raises(UnknownSourceError, match="There is no source 7"):
        pw.snapshot(sources=7)


# Readers of other packages --------------------------------------------------------------


class Asking(Good):
    def __init__(self, config):
        self.config = config


def fails(*_):
    raise OSError("no licence")


def unlike():
    return object()


@pytest.fixture
def installed(monkeypatch):
    """Packages that bring readers; `entry_points` is asked for nothing else."""

    def install(**entries):
        monkeypatch.setattr(
            "importlib.metadata.entry_points",
            lambda group: [EntryPoint(n, f"{__name__}:{v}", group) for n, v in entries.items()],
        )
        monkeypatch.setitem(sys.modules, __name__, sys.modules[Good.__module__])

    return install


def test_a_reader_of_another_package_is_made_when_it_is_opened(installed):
    installed(mine="Good", asking="Asking")

    found = make_backends(source_names("mine,asking"), "0,GPU-1")
    for backend in found:
        open_backend(backend)

    assert [backend.name for backend in found] == ["mine", "asking"]
    assert ask(found[0], ALL_CLASSES) == [record()]
    assert found[1].config.gpu_ids == ("0", "GPU-1")
    assert "mine" not in source_names("auto")


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("fails", "no licence"),
        ("Missing", "Missing"),
        ("unlike", "it has no name"),
        ("BROKEN", "dict"),
    ],
)
def test_a_package_that_is_broken_is_named(installed, target, word):
    installed(mine=target)
    (backend,) = make_backends(source_names("mine"), "mine")

    with pytest.raises(ReaderError) as found:
        open_backend(backend)

    assert word in str(found.value)
    backend.close()
    assert backend.missing == {}
    with pytest.raises(ReaderError):
        backend.read(ALL_CLASSES)


def test_a_name_that_nobody_has_lists_the_readers_there_are(installed):
    installed(scheduler="Good")

    with pytest.raises(UnknownSourceError) as found:
        source_names("schedular")

    assert "Did you mean 'scheduler'?" in found.value.remedy
    assert ", ".join(["auto", *built_in(), "scheduler"]) in found.value.remedy


def test_a_reader_cannot_take_the_name_of_one_of_ours(installed):
    installed(system="Good")

    (backend,) = make_backends(source_names("system"), "mine")

    assert type(backend).__name__ == "SystemBackend"


def test_the_first_of_two_packages_with_one_name_is_taken(monkeypatch):
    entries = [EntryPoint("mine", f"first:{n}", plugins.GROUP) for n in ("A", "B")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: entries)

    assert plugins.plugins()["mine"].entry.value == "first:A"


def test_a_rated_metric_of_a_reader_brings_its_counter():
    class Counting(Good):
        metrics = (rated("npu.done", "count/s", "Done", "Tasks."),)
        rules = {"done": Rule("npu.done.total")}

    info = open_backend(Counting())

    assert {name: metric.unit for name, metric in info.metrics.items()} == {
        "npu.done": "count/s",
        "npu.done.total": "count",
    }
    assert all(isinstance(metric, Metric) for metric in info.metrics.values())

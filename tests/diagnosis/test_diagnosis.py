"""What doctor and snapshot say, on machines that have much, little, and something broken."""

import json
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import pulse_widgets as pw
from pulse_widgets.diagnosis import install
from pulse_widgets.diagnosis.machine import limits, place_checks, profiler_check, switch_checks
from pulse_widgets.diagnosis.report import Check, Report, State, examine
from pulse_widgets.diagnosis.snapshot import take_snapshot
from pulse_widgets.diagnosis.sources import examine_backend
from pulse_widgets.errors import DriverError, LibraryNotFoundError
from pulse_widgets.readers.base import BackendCaps, BackendKind, RawRecord
from tests.fakes import nvml
from tests.kernels import kernels


class Readings:
    """A source that says what it is given, one pass after another."""

    name = "scripted"
    caps = BackendCaps(BackendKind.SYSTEM)

    def __init__(self, *passes, refuses=None, missing=None):
        self.passes = list(passes)
        self.refuses = refuses
        self.missing = missing or {}
        self.closed = False

    def open(self):
        if self.refuses is not None:
            raise self.refuses

    def read(self, due):
        when, fields = self.passes.pop(0)
        return [
            RawRecord(when, 1.79e9 + when, entity, values, self.name)
            for entity, values in fields.items()
        ]

    def close(self):
        self.closed = True


def in_process(code, tmp_path, **environ):
    """Run code in a fresh interpreter and return the JSON it printed last."""
    done = subprocess.run(
        [sys.executable, "-c", "import json, pulse_widgets as pw\n" + code],
        env={**os.environ, "PULSE_HOME": str(tmp_path / "home"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def doctor_of(tmp_path, **environ):
    report = in_process("print(json.dumps(pw.doctor().as_dicts()))", tmp_path, **environ)
    return {line["name"]: line for line in report}


# doctor -------------------------------------------------------------------------------


def test_doctor_says_of_every_part_what_it_found():
    report = pw.doctor()

    names = set(report.checks["name"])
    assert {
        "Python", "platform", "packages", "dashboard scripts", "Jupyter", "lab extension",
        "kernel", "source system", "source nvml", "recordings", "limits", "GPU profilers",
    } <= names  # fmt: skip
    assert list(report.checks.columns) == ["name", "state", "detail", "remedy"]
    assert set(report.checks["state"]) <= {"ok", "warn", "fail", "info"}
    assert (report.checks["detail"].str.len() > 0).all()


def test_whatever_is_wrong_comes_with_something_to_try():
    report = pw.doctor()

    wrong = report.checks[report.checks["state"].isin(["warn", "fail"])]
    assert (wrong["remedy"].str.len() > 0).all()


def test_doctor_starts_nothing_that_stays_and_writes_nothing(tmp_path):
    before = set(threading.enumerate())

    pw.doctor()

    assert set(threading.enumerate()) == before
    assert not (tmp_path / "pulse-home").exists()


def test_the_text_has_a_line_a_check_and_the_remedy_under_it():
    report = Report(
        (Check("first", State.OK, "good"), Check("the second", State.FAIL, "bad", "mend"))
    )

    assert str(report).splitlines() == [
        "ok    first       good",
        "fail  the second  bad",
        "                  -> mend",
    ]
    assert repr(report) == str(report)
    assert report.failed


def test_the_table_shows_markup_as_text():
    report = Report((Check("<b>", State.INFO, "<script>x</script>", 'a "quote"'),))

    shown = report._repr_html_()

    assert "<script>" not in shown
    assert "&lt;script&gt;x&lt;/script&gt;" in shown
    assert "<b>" not in shown


def test_a_check_that_breaks_is_a_line_and_the_others_are_made(monkeypatch):
    from pulse_widgets.diagnosis import report

    def broken_checks():
        yield Check("before", State.OK, "made")
        raise ZeroDivisionError("oh")

    # The order of the groups is data of the module; each is called by `examine` alone.
    monkeypatch.setattr(report, "_GROUPS", (broken_checks, lambda: [Check("x", State.OK, "y")]))

    lines = {check.name: check for check in examine().entries}

    assert lines.keys() == {"before", "broken checks", "x"}
    assert "ZeroDivisionError: oh" in lines["broken checks"].detail


def test_gpus_are_named_with_their_driver(tmp_path):
    lines = doctor_of(tmp_path, **nvml.environment(tmp_path / "nvml", gpus=2, latency_us=0))

    assert lines["source nvml"]["state"] == "ok"
    assert " metrics of 2 \N{MULTIPLICATION SIGN} NVIDIA" in lines["source nvml"]["detail"]
    assert "(gpu:0, gpu:1)" in lines["source nvml"]["detail"]
    assert lines["GPU driver"]["detail"].startswith("driver ")


def test_a_driver_that_is_not_loaded_is_named_with_what_to_try(tmp_path):
    environ = nvml.environment(tmp_path / "nvml", script="init driver_not_loaded")

    line = doctor_of(tmp_path, **environ)["source nvml"]

    assert line["state"] == "warn"
    assert "not loaded" in line["detail"]
    assert "modprobe" in line["remedy"]


def test_a_driver_that_does_not_answer_is_left_behind_and_named(tmp_path):
    environ = nvml.environment(tmp_path / "nvml", script="latency nvmlDeviceGetCount_v2 4000000")

    line = doctor_of(tmp_path, **environ)["source nvml"]

    assert line["state"] == "warn"
    assert "has not answered" in line["detail"]


@pytest.mark.filterwarnings("default")
def test_in_a_notebook_doctor_is_a_table_that_knows_its_kernel(tmp_path):
    with kernels(tmp_path) as start:
        running = start()
        running.run("import pulse_widgets as pw\npw.doctor()")

    (shown,) = running.of("execute_result")
    assert "running inside a Jupyter kernel" in shown["content"]["data"]["text/html"]
    assert "ok    kernel" in shown["content"]["data"]["text/plain"]


def test_a_machine_without_gpus_is_no_fault():
    checks = examine_backend(Readings(refuses=LibraryNotFoundError("no library", "get one")))

    assert checks == [Check("source scripted", State.INFO, "no library", "get one")]


def test_a_source_that_fails_is_closed_and_warned_of():
    source = Readings(refuses=DriverError("no driver", "reboot"))

    (check,) = examine_backend(source)

    assert (check.state, check.detail, check.remedy) == (State.WARN, "no driver", "reboot")
    assert source.closed


def test_what_is_missing_is_told_once_a_reason():
    source = Readings(
        (1.0, {"host": {"memory.used": 5.0}}),
        missing={
            "gpu:0 fan": "not supported",
            "gpu:1 fan": "not supported",
            "gpu:0 power": "denied",
        },
    )

    told = [check.detail for check in examine_backend(source)]

    assert told[0] == "1 metrics of this machine"
    assert told[1:] == ["fan (2 devices): not supported", "power of gpu:0: denied"]


def test_a_directory_that_is_not_one_cannot_take_recordings(tmp_path):
    (tmp_path / "file").write_text("in the way")

    (check, *_) = place_checks(tmp_path / "file" / "below")

    assert check.state is State.FAIL
    assert "PULSE_HOME" in check.remedy


def test_limits_of_a_container_are_the_tightest_on_the_way_up(tmp_path):
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self/cgroup").write_text("0::/a/b\n")
    (cgroups / "a/b").mkdir(parents=True)
    (cgroups / "a/b/cpu.max").write_text("max 100000\n")
    (cgroups / "a/cpu.max").write_text("150000 100000\n")
    (cgroups / "a/b/memory.max").write_text(f"{2 * 2**30}\n")
    (cgroups / "a/memory.max").write_text("max\n")

    check = limits(proc, cgroups)

    assert "1.5 of " in check.detail
    assert "2.0 GiB of memory" in check.detail


def test_limits_of_the_older_hierarchy_are_read_too(tmp_path):
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self/cgroup").write_text("5:cpu,cpuacct:/x\n4:memory:/x\n")
    for part in ("cpu/x", "memory/x"):
        (cgroups / part).mkdir(parents=True)
    (cgroups / "cpu/x/cpu.cfs_quota_us").write_text("400000\n")
    (cgroups / "cpu/x/cpu.cfs_period_us").write_text("100000\n")
    (cgroups / "memory/x/memory.limit_in_bytes").write_text("9223372036854771712\n")

    check = limits(proc, cgroups)

    assert "4 of " in check.detail
    assert "GiB" not in check.detail


def test_without_limits_nothing_is_made_up(tmp_path):
    assert limits(tmp_path, tmp_path).state is State.OK


@pytest.mark.parametrize(
    ("name", "told"),
    [("nv-hostengine", "DCGM host engine"), ("nsys", "Nsight Systems"), ("bash", "")],
)
def test_programs_that_hold_the_profiling_counters_are_named(tmp_path, name, told):
    (tmp_path / "17").mkdir()
    (tmp_path / "17/comm").write_text(f"{name}\n")

    check = profiler_check(tmp_path)

    assert (check.state is State.INFO) == bool(told)
    assert told in check.detail


def test_switches_of_ours_are_told_and_those_of_others_are_not():
    told = list(
        switch_checks({"PULSE_HOME": "/x", "PULSE_SERVER": "unix:secret", "PULSE_DISABLED": "1"})
    )

    assert [check.state for check in told] == [State.WARN, State.INFO]
    assert "PULSE_HOME=/x" in told[1].detail
    assert not any("secret" in check.detail for check in told)


@pytest.mark.parametrize(
    ("package", "state", "said"),
    [(None, "warn", "does not find"), ('{"version": "0.0.1"}', "warn", "0.0.1"),
     ("torn", "warn", "cannot be read"), ('{"version": "9.9.9"}', "ok", "9.9.9")],
)  # fmt: skip
def test_the_lab_extension_is_looked_for_and_its_version_compared(
    tmp_path, monkeypatch, package, state, said
):
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    if package is not None:
        (tmp_path / "pulse-widgets").mkdir()
        (tmp_path / "pulse-widgets/package.json").write_text(package)

    check = install.extension_check([tmp_path], "9.9.9")

    assert check.state == state
    assert said in check.detail


def test_a_disabled_lab_extension_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "pulse-widgets").mkdir()
    (tmp_path / "pulse-widgets/package.json").write_text('{"version": "9.9.9"}')
    config = tmp_path / "config/labconfig"
    config.mkdir(parents=True)
    (config / "page_config.json").write_text('{"disabledExtensions": {"pulse-widgets": true}}')
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))

    check = install.extension_check([tmp_path], "9.9.9")

    assert check.state is State.WARN
    assert "labextension enable" in check.remedy


# snapshot -----------------------------------------------------------------------------


def test_a_snapshot_has_the_machine_and_rates_instead_of_counters():
    frame = pw.snapshot("system")

    assert list(frame.columns) == ["entity", "metric", "value", "unit"]
    values = frame.set_index(["entity", "metric"])["value"]
    assert values["host", "memory.total"] > 1e8
    assert 0 <= values["host", "cpu.utilization"] <= 1
    assert ("host", "cpu.user") in values.index
    assert not frame["metric"].str.endswith("user.total").any()


def test_the_rate_in_a_snapshot_is_the_growth_over_the_time_between():
    source = Readings(
        (10.0, {"host": {"net.sent.total": 1000.0, "memory.used": 1.0, "disk.read.total": 500.0}}),
        (10.5, {"host": {"net.sent.total": 1600.0, "memory.used": 2.0, "disk.read.total": 400.0}}),
    )

    rows = take_snapshot([source], "mine").set_index("metric")

    assert rows.loc["net.sent", "value"] == pytest.approx(1200.0)
    assert rows.loc["net.sent", "unit"] == "B/s"
    assert rows.loc["memory.used", "value"] == 2.0
    assert math.isnan(rows.loc["disk.read", "value"])
    assert source.closed


def test_a_missing_reading_is_missing_in_a_snapshot():
    source = Readings((1.0, {"gpu:0": {"gpu.power": None}}), (1.1, {"gpu:0": {"gpu.power": None}}))

    (row,) = take_snapshot([source], "mine").itertuples()

    assert (row.entity, row.metric, row.unit) == ("gpu:0", "gpu.power", "W")
    assert np.isnan(row.value)


def test_a_source_that_is_absent_is_named_beside_what_the_others_say():
    there = Readings(*[(t, {"host": {"memory.used": 1.0}}) for t in (1.0, 1.1)])
    absent = Readings(refuses=LibraryNotFoundError("no library", "get one"))
    absent.name = "absent"

    frame = take_snapshot([there, absent], "mine")

    assert frame["metric"].tolist() == ["memory.used"]
    assert frame.attrs["problems"] == {"absent": "no library\nget one"}


def test_a_snapshot_of_nothing_but_absent_sources_is_an_error():
    with pytest.raises(LibraryNotFoundError, match="no library"):
        take_snapshot([Readings(refuses=LibraryNotFoundError("no library", "get one"))], "mine")


def test_a_snapshot_of_gpus_has_a_row_for_each(tmp_path):
    found = in_process(
        "frame = pw.snapshot('nvml', gpus='all')\n"
        "power = frame[frame.metric == 'gpu.power']\n"
        "print(json.dumps(power.set_index('entity')['value'].to_dict()))",
        tmp_path,
        **nvml.environment(tmp_path / "nvml", gpus=3, latency_us=0),
    )

    assert found.keys() == {"gpu:0", "gpu:1", "gpu:2"}
    assert all(value > 0 for value in found.values())


def test_a_device_that_cannot_be_opened_is_a_warning_with_a_remedy():
    source = Readings(
        (1.0, {"host": {"memory.used": 5.0}}),
        missing={"gpu:3": "the GPU is lost", "gpu:0 fan": "not supported"},
    )

    _, lost, other = examine_backend(source)

    assert (lost.state, lost.name, lost.detail) == (
        State.WARN,
        "source scripted: gpu:3",
        "the GPU is lost",
    )
    assert "dmesg" in lost.remedy
    assert other.state is State.INFO

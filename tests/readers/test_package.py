"""A reader of a stranger's package: installed, it is a source like ours."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import pulse_widgets as pw
from pulse_widgets.readers.base import ALL_CLASSES
from pulse_widgets.readers.contract import open_backend
from tests.data.reader_package.scheduler_reader import SchedulerBackend

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests/data/reader_package"

USE = """
import json, time
import pulse_widgets as pw

frame = pw.snapshot("scheduler").set_index("metric")
report = pw.doctor()
mon = pw.monitor(sources="auto,scheduler", interval=0.1)
time.sleep(1.0)
status = mon.status.loc["scheduler"].to_dict()
rec = mon.stop()
switches = rec.select("scheduler.switches").values()[1]
print(json.dumps({
    "snapshot": {name: [row.value, row.unit] for name, row in frame.iterrows()},
    "doctor": str(report),
    "status": [status["state"], status["problem"]],
    "rates": [float(x) for x in switches],
    "file": str(rec.path),
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment that has the package, besides what the tests run in."""
    place = tmp_path_factory.mktemp("environment")
    # Without pip of its own, which takes longer to install than all the rest: ours installs there.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin/python"
    # A copy: building writes beside the source.
    copy = shutil.copytree(PACKAGE, place / "package")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", copy]
    subprocess.run(pip, check=True, timeout=150)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    library = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    ours = sysconfig.get_path("purelib")
    (library / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    return python


@pytest.mark.slow
def test_an_installed_reader_is_read_recorded_and_listed(environment, tmp_path):
    done = subprocess.run(
        [environment, "-c", USE],
        env={**os.environ, "PULSE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])

    load, switches = (told["snapshot"][f"scheduler.{name}"] for name in ("load", "switches"))
    assert load[1] == ""
    assert load[0] >= 0
    assert switches[1] == "count/s"
    assert switches[0] > 0
    assert "scheduler-reader 1.0" in told["doctor"]
    assert told["status"] == ["ok", ""]
    assert len(told["rates"]) > 3
    assert all(rate > 0 for rate in told["rates"][1:])

    # The package is not in this process: all that a recording needs of it is in the recording.
    rec = pw.Recording.open(told["file"])
    labels = rec.series.set_index("metric").loc["scheduler.switches.total"]
    assert labels["unit"] == "count"
    assert set(rec.select("scheduler.*").series["metric"]) == {
        "scheduler.load",
        "scheduler.switches",
    }


def test_the_example_of_the_manual_is_as_readers_are_and_short():
    info = open_backend(SchedulerBackend())

    assert set(info.metrics) == {"scheduler.load", "scheduler.switches", "scheduler.switches.total"}
    assert len((PACKAGE / "scheduler_reader.py").read_text().splitlines()) <= 40


def test_what_the_kernel_does_not_count_is_missing_with_its_reason(monkeypatch):
    texts = {"/proc/loadavg": "0.5 0 0 1/1 1", "/proc/stat": "cpu 1\n"}
    monkeypatch.setattr(Path, "read_text", lambda self: texts[str(self)])
    backend = SchedulerBackend()

    (record,) = backend.read(ALL_CLASSES)

    assert record.fields == {"loadavg": 0.5, "ctxt": None}
    assert backend.missing == {"host ctxt": "the kernel does not count them"}

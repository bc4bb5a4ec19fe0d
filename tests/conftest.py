"""What every test shares: a private place for recordings, and no skip where all is required."""

import os
import shutil
from pathlib import Path

import pytest

REQUIRE_ALL = os.environ.get("PULSE_REQUIRE_ALL") == "1"


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "pulse-home"))
    for name in ("PULSE_DISABLED", "PULSE_RECORDING"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(config, items):
    """Without a GPU, GPU tests are not part of the run."""
    if shutil.which("nvidia-smi") is None and not Path("/proc/driver/nvidia").exists():
        gpu = [item for item in items if item.get_closest_marker("gpu")]
        if gpu:
            config.hook.pytest_deselected(items=gpu)
            items[:] = [item for item in items if item not in gpu]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"

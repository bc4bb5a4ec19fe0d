"""The same eight GPUs, read by us and by a well-known monitor: counts are gated, times printed."""

import json
import os
import subprocess
import sys

import pytest

from tests.fakes import nvml

pytestmark = [pytest.mark.slow]

HEAD = """
import json, time
def measure(read, passes=10):
    read(); read()
    before, cpu, wall = counted(), time.process_time(), time.perf_counter()
    for _ in range(passes): read()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps([(counted() - before) / passes, 1e3 * wall / passes, 1e3 * cpu / passes]))
from pathlib import Path
from tests.fakes import nvml
import sys
counted = lambda: nvml.counts(Path(sys.argv[1])).of_gpu(0)
"""
OURS = """
from pulse_widgets.readers.base import RateClass
from pulse_widgets.readers.nvml.backend import NvmlBackend
backend = NvmlBackend("all")
backend.open()
backend.read(frozenset(RateClass))
tick = frozenset({RateClass.GAUGES, RateClass.COUNTERS, RateClass.BUFFERED})
measure(lambda: backend.read(tick))
"""
NVITOP = """
from nvitop import Device
devices = Device.all()
measure(lambda: [device.as_snapshot() for device in devices])
"""


def measured(directory, code):
    environ = nvml.environment(
        directory, gpus=8, latency_us=50, script="latency nvmlDeviceGetPcieThroughput 20000"
    )
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code, str(directory)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_tick_asks_the_driver_for_less_than_nvitop_does(tmp_path, capsys):
    pytest.importorskip("nvitop", reason="the peer is not installed: pip install '.[bench]'")
    calls, wall, cpu = measured(tmp_path / "ours", OURS)
    their_calls, their_wall, their_cpu = measured(tmp_path / "theirs", NVITOP)

    with capsys.disabled():
        print(
            f"\n8 GPUs, 50 us a driver call, 20 ms for PCIe throughput: a tick makes {calls:.1f} "
            f"calls a GPU and takes {wall:.1f} ms; nvitop's snapshot {their_calls:.1f} calls and "
            f"{their_wall:.0f} ms ({their_wall / wall:.0f} times as long, "
            f"{their_cpu / cpu:.0f} times the CPU time)"
        )

    assert 1 < calls < their_calls

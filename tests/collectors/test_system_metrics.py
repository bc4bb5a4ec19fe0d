"""The collector of the machine and its GPUs, on a library that follows a script."""

import json
import os
import subprocess
import sys

import pytest

from tests.fakes import nvml

CODE = """
import json, sys, time
import pulse_widgets as pw
from pulse_widgets.collectors import SystemMetricCollector
{before}
collector = SystemMetricCollector({gpus}, interval=0.05)
collector.start()
collector.start()
ends = time.monotonic() + 20
while len({{entry.ts for entry in collector.collect()}}) < 3 and time.monotonic() < ends:
    time.sleep(0.01)
collector.stop()
collector.stop()
told = [entry.to_dict() for entry in collector.collect()]
print(json.dumps([told, collector.problem, {after}]))
"""


def collected(directory, count, *, before="", after="None", **fake):
    environ = nvml.environment(directory, latency_us=0, **fake)
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(gpus=count, before=before, after=after)],
        env={**os.environ, **environ, "PULSE_HOME": str(directory / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_reading_is_an_entry_of_the_machine_and_one_a_gpu(tmp_path):
    told, problem, _ = collected(tmp_path, 2, gpus=4)
    ticks = {}
    for entry in told:
        assert entry["measurement"] == "system_metric"
        ticks.setdefault(entry["ts"], []).append(entry)
    assert problem == ""
    assert len(ticks) >= 3
    assert [entry["seq"] for entry in told] == list(range(len(told)))
    machine, *gpus = ticks[min(ticks)]
    assert machine["tags"] == {"type": "local"}
    assert set(machine["fields"]) == {
        "process_cpu_percent", "process_mem_percent", "device_cpu_percent", "device_mem_percent",
    }  # fmt: skip
    assert [gpu["tags"]["component"].rpartition(" #")[2] for gpu in gpus] == ["1", "2"]
    for gpu in gpus:
        assert gpu["tags"]["type"] == "local"
        assert set(gpu["fields"]) == {
            "device_gpu_util_percent", "device_gpu_mem_percent", "device_gpu_mem_used_percent",
        }  # fmt: skip
        assert 0 <= gpu["fields"]["device_gpu_mem_used_percent"] <= 100


def test_a_gpu_that_is_lost_costs_its_own_entries_alone(tmp_path):
    told, problem, _ = collected(tmp_path, 3, gpus=3, script="gpu 1 lost at 0")
    named = {entry["tags"].get("component", "machine").rpartition(" #")[2] for entry in told}
    assert named == {"machine", "1", "3"}
    assert problem == ""  # of one that was lost before there is nothing to say


def test_without_gpus_the_machine_is_read_alone_and_the_reason_is_told(tmp_path):
    told, problem, _ = collected(tmp_path, 2, gpus=0)
    assert {tuple(entry["tags"]) for entry in told} == {("type",)}
    assert problem


@pytest.mark.slow
def test_what_it_reads_is_in_the_recording_of_a_session_that_runs(tmp_path):
    _, _, metrics = collected(
        tmp_path, 1, gpus=1,
        before="pw.log({'loss': 1.0})",
        after="sorted(set(pw.stop().series.metric))",
    )  # fmt: skip
    assert {"loss", "gpu.utilization", "memory.used", "process.cpu.total"} <= set(metrics)

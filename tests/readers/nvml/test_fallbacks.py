"""Where a newer call gives nothing, whatever the reason, the older one is read."""

import pytest

from tests.fakes import nvml
from tests.fakes.nvml.scenario import run

# Each runs a process of its own, and together they take long.
pytestmark = pytest.mark.slow

OPEN = "b = backend()\nb.open()\n"
CODES = ("not_supported", "invalid_argument", "not_found", "timeout", "function_not_found",
         "memory", "no_data", "vgpu_ecc", "version_mismatch", "deprecated", "unknown")  # fmt: skip

NEWER = {
    "call nvmlDeviceGetMemoryInfo_v2": "gpu.memory.used",
    "call nvmlDeviceGetTemperatureV": "gpu.temperature",
    "call nvmlDeviceGetCurrentClocksEventReasons": "gpu.throttled",
    "call nvmlDeviceGetFanSpeed_v2": "gpu.fan",
    "call nvmlDeviceGetNumFans": "gpu.fan",
    "call nvmlDeviceGetComputeRunningProcesses_v3": "gpu.processes",
    "call nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses_v2": "gpu.processes",
    "field 186": "gpu.power",
    "field 83": "gpu.energy",
    "call nvmlDeviceGetFieldValues": "gpu.power gpu.energy",
    "call nvmlDeviceGetSamples": "gpu.utilization",
    "field 139": "gpu.nvlink.rx.total",
}
"""What fails, to what is read all the same."""

SCRIPT = (
    "clock 5\ngpu * fans 2\ngpu * fan 30\ngpu * util 40\ngpu * process 4194301 1e9\n"
    "gpu * field 204 integral nvlink_rx\n"
)


def failing(what: str, code: str, gpu: str = "0") -> str:
    kind, *rest = what.split()
    return (
        f"gpu {gpu} field {rest[0]} {code}"
        if kind == "field"
        else f"gpu {gpu} call {code} {' '.join(rest)}"
    )


def test_any_failure_of_a_newer_call_leaves_its_reading_to_the_older(tmp_path):
    body = f"""
for what, metrics, fail, heal in {[(w, m.split(), [failing(w, c) for c in CODES], failing(w, "ok")) for w, m in NEWER.items()]!r}:
    for text in fail:
        line(text)
        b = backend()
        b.open()
        seen = read(b)["gpu:0"]
        for _ in range(3):
            clock.now += 1
            seen.update(read(b)["gpu:0"])
        out[text] = [metric for metric in metrics if seen.get(metric) is None]
        b.close()
    line(heal)
"""
    out = run(tmp_path, body, gpus=1, latency_us=0, script=SCRIPT)
    # Without fans of its own a GPU says so, and that is no failure.
    out.pop("gpu 0 call not_supported nvmlDeviceGetNumFans")
    assert len(out) == len(NEWER) * len(CODES) - 1
    assert {text: lost for text, lost in out.items() if lost} == {}


def test_what_worked_and_then_fails_for_good_is_left_to_the_older_call_too(tmp_path):
    body = (
        OPEN
        + """
read(b)
line("gpu 0 call unknown nvmlDeviceGetMemoryInfo_v2 nvmlDeviceGetComputeRunningProcesses_v3",
     "gpu 0 field 186 timeout", "gpu 0 field 83 no_data")
for tick in range(40):
    clock.now += 1
    out[tick] = read(b)["gpu:0"]
"""
    )
    out = run(tmp_path, body, script=SCRIPT)
    wanted = ("gpu.memory.used", "gpu.power", "gpu.energy", "gpu.processes")
    assert all(out["0"].get(metric) is None for metric in wanted), "one failure is a gap"
    assert all(out["39"][metric] is not None for metric in wanted)


def test_the_newer_call_is_tried_again_after_a_minute_without_a_gap(tmp_path):
    body = (
        OPEN
        + """
def look():
    clock.now += 1
    return {k: v for k, v in read(b)["gpu:0"].items() if k in WANTED}
WANTED = ("gpu.memory.used", "gpu.power", "gpu.energy", "gpu.temperature", "gpu.processes")
out["before"] = look()
clock.now += 60
out["asked"] = [look() for _ in range(4)]
line("gpu 0 call ok nvmlDeviceGetMemoryInfo_v2 nvmlDeviceGetTemperatureV nvmlDeviceGetComputeRunningProcesses_v3",
     "gpu 0 field 186 ok", "gpu 0 field 83 ok")
clock.now += 60
for _ in range(9):
    look()
from tests.fakes import nvml
before = nvml.counts(HERE)
out["after"] = look()
after = nvml.counts(HERE)
out["calls"] = {name: after.of(name, 0) - before.of(name, 0) for name in NAMES}
out["missing"] = [what for what in b.missing if what.startswith("gpu:0 memory")]
"""
    )
    newer = (
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetTemperatureV",
        "nvmlDeviceGetComputeRunningProcesses_v3",
    )
    older = (
        "nvmlDeviceGetMemoryInfo",
        "nvmlDeviceGetTemperature",
        "nvmlDeviceGetPowerUsage",
        "nvmlDeviceGetTotalEnergyConsumption",
        "nvmlDeviceGetComputeRunningProcesses_v2",
    )
    script = SCRIPT + "\n".join(
        [
            f"gpu 0 call unknown {' '.join(newer)}",
            "gpu 0 field 186 timeout",
            "gpu 0 field 83 no_data",
        ]
    )
    out = run(tmp_path, f"NAMES = {newer + older!r}\n{body}", script=script)
    wanted = {"gpu.memory.used", "gpu.power", "gpu.energy", "gpu.temperature", "gpu.processes"}
    for seen in (out["before"], *out["asked"], out["after"]):
        assert {metric for metric, value in seen.items() if value is not None} == wanted
    assert out["calls"] == {**dict.fromkeys(newer, 1), **dict.fromkeys(older, 0)}
    assert out["missing"] == []


def test_memory_of_a_mig_instance_falls_back_too(tmp_path):
    body = (
        OPEN
        + """
out["first"] = read(b, "GAUGES")["gpu:0/mig:1"]
line("gpu 0 call ok nvmlDeviceGetMemoryInfo_v2")
clock.now += 61
out["again"] = read(b)["gpu:0/mig:1"]
"""
    )
    script = "gpu 0 mig 1 0 2e10 3e9 2g.20gb\ngpu 0 call unknown nvmlDeviceGetMemoryInfo_v2"
    out = run(tmp_path, body, script=script)
    assert out["first"]["gpu.memory.used"] == 3e9
    assert "gpu.memory.reserved" not in out["first"]
    assert out["again"]["gpu.memory.reserved"] == 0


@pytest.mark.parametrize("newest", ["_v3", "_v2", ""])
def test_each_version_of_the_process_list_says_pids_and_bytes(tmp_path, newest):
    versions = [f"nvmlDeviceGetComputeRunningProcesses{v}" for v in ("_v3", "_v2", "")]
    missing = tuple(versions[: versions.index(f"nvmlDeviceGetComputeRunningProcesses{newest}")])
    body = OPEN + "out['seen'] = read(b, 'PROCESSES')"
    script = "gpu 0 process self 1e9\ngpu 0 process 1 2e9\ngpu 0 process 1 3e9"
    seen = run(tmp_path, body, script=script, missing=missing)["seen"]
    assert seen["gpu:0"]["gpu.processes"] == 2
    mine = [v for k, v in seen.items() if k.startswith("pid:") and "others" not in k]
    assert mine == [{"process.gpu.memory": 1e9}]
    assert seen["pid:others/gpu:0"] == {"process.gpu.memory": 5e9}


def test_failing_newer_calls_cost_no_more_calls_a_tick(tmp_path):
    body = (
        OPEN
        + """
from tests.fakes import nvml
before, most = nvml.counts(HERE), 0
for tick in range(150):
    clock.now += 1
    due = {RateClass.GAUGES, RateClass.COUNTERS, RateClass.BUFFERED, RateClass.PROCESSES}
    if tick % 10 == 0:
        due |= {RateClass.SLOW, RateClass.STATIC, RateClass.EVENTS}
    b.read(frozenset(due))
    after = nvml.counts(HERE)
    most = max(most, *(after.of_gpu(gpu) - before.of_gpu(gpu) for gpu in range(3)))
    before = after
out["most"] = most
"""
    )
    every = " ".join(w.removeprefix("call ") for w in NEWER if w.startswith("call "))
    script = f"{SCRIPT}gpu 0 call unknown {every}\ngpu 1 mig 1 0 1e10 1e9 1g.10gb\n"
    assert run(tmp_path, body, gpus=3, latency_us=0, script=script)["most"] <= 10
    assert nvml.counts(tmp_path).of("nvmlDeviceGetFieldValues", 0) > 0

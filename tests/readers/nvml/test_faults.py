"""Every way in which the driver refuses ends in a named state with a cause and a next step."""

import pytest

from tests.fakes import nvml
from tests.fakes.nvml.scenario import run

# Each starts a process of its own, and together they take long.
pytestmark = pytest.mark.slow


def test_a_machine_without_the_library_is_told_how_to_get_it(tmp_path):
    # A library that cannot be loaded stands before any real one.
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / nvml.LIBRARY).write_bytes(b"")
    body = "out['error'] = refusal(backend().open)"
    out = run(tmp_path, body, environ={"LD_LIBRARY_PATH": str(broken)})
    kind, problem, remedy = out["error"]
    assert kind == "LibraryNotFoundError"
    assert "libnvidia-ml.so.1" in problem
    assert "--gpus all" in remedy and "-nvml" in remedy


def test_each_refusal_of_the_driver_names_its_cause_and_the_next_step(tmp_path):
    version = tmp_path / "proc/driver/nvidia/version"
    version.parent.mkdir(parents=True)
    version.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.104.05  Release Build\n"
    )
    body = """
for word in ("driver_not_loaded", "mismatch", "no_permission", "operating_system", "not_found"):
    line(f"init {word}")
    out[word] = refusal(backend().open)
line("init ok", "gpus 0")
out["zero"] = refusal(backend().open)
line("gpus 2", "code no_permission nvmlDeviceGetHandleByIndex_v2")
out["closed"] = refusal(backend().open)
line("code lost nvmlDeviceGetHandleByIndex_v2")
out["lost"] = refusal(backend().open)
"""
    out = run(tmp_path, body)
    expected = {
        "driver_not_loaded": ("DriverError", "not loaded", "modprobe"),
        "mismatch": ("DriverError", "535.104.05", "reboot"),
        "no_permission": ("PermissionDeniedError", "may not open", "/dev/nvidia"),
        "operating_system": ("DriverError", "operating system has blocked", "dmesg"),
        "not_found": ("NoDeviceError", "no GPU", "nvidia-smi -L"),
        "zero": ("NoDeviceError", "no GPU", "nvidia-smi -L"),
        "closed": ("PermissionDeniedError", "may not open", "/dev/nvidia"),
        "lost": ("NoDeviceError", "lost", "dmesg"),
    }
    for word, (kind, cause, step) in expected.items():
        assert out[word][0] == kind, word
        assert cause in out[word][1], word
        assert step in out[word][2], word
    assert "580.65.06" in out["mismatch"][1], "the version of the library is named too"


def test_a_library_without_the_newer_functions_is_read_through_the_older_ones(tmp_path):
    missing = (
        "nvmlDeviceGetFieldValues",
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetTemperatureV",
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetMarginTemperature",
    )
    body = """
b = backend()
b.open()
out["gpu"] = read(b)["gpu:0"]
out["missing"] = dict(b.missing)
"""
    script = "clock 10\ngpu * power 321000\ngpu * memory_used 2e9\ngpu * memory_reserved 5e8"
    out = run(tmp_path, body, missing=missing, script=script)
    gpu = out["gpu"]
    assert gpu["gpu.power"] == 321.0
    assert gpu["gpu.energy"] == pytest.approx(5e6 + 3210)
    assert gpu["gpu.temperature"] == 61
    assert gpu["gpu.throttled"] == 0
    assert gpu["gpu.memory.used"] == 2.5e9, "the old call counts what is reserved as used"
    assert "gpu.memory.reserved" not in gpu
    assert "too old" in out["missing"]["gpu:0 memory.reserved"]
    assert "too old" in out["missing"]["gpu:0 pcie.rx"]
    assert "too old" in out["missing"]["gpu:0 temperature.margin"]
    assert not [what for what in out["missing"] if what.endswith((" energy", " memory.used"))]


def test_a_library_too_old_to_start_is_named(tmp_path):
    out = run(tmp_path, "out['error'] = refusal(backend().open)", missing=("nvmlInitWithFlags",))
    assert out["error"][0] == "DriverError"
    assert "too old" in out["error"][1]


def test_a_gpu_that_may_not_be_opened_leaves_the_others(tmp_path):
    body = """
b = backend()
b.open()
out["entities"] = sorted(read(b))
out["missing"] = b.missing["gpu:0"]
"""
    script = "gpu 0 call no_permission nvmlDeviceGetHandleByIndex_v2"
    out = run(tmp_path, body, script=script)
    assert "gpu:1" in out["entities"] and "gpu:0" not in out["entities"]
    assert "may not" in out["missing"]


def test_gpus_that_cuda_was_told_to_hide_are_no_blank_screen(tmp_path):
    body = """
out["mine"] = refusal(backend("mine", {"CUDA_VISIBLE_DEVICES": ""}).open)
b = backend("all", {"CUDA_VISIBLE_DEVICES": ""})
b.open()
out["all"] = sorted(read(b, "GAUGES"))
none = backend("none")
none.open()
out["none"] = none.read(ALL_CLASSES)
out["wrong"] = refusal(backend("GPU-ffff").open)
"""
    out = run(tmp_path, body)
    assert out["mine"][0] == "NoDeviceError"
    assert "CUDA_VISIBLE_DEVICES=''" in out["mine"][1]
    assert "gpus='all'" in out["mine"][2]
    assert out["all"] == ["gpu:0", "gpu:1"]
    assert out["none"] == []
    assert out["wrong"][0] == "NoDeviceError"
    assert "GPU-a000fa4e" in out["wrong"][2], "the GPUs that are here are named"


def test_a_value_in_which_cuda_finds_no_gpu_is_named_with_what_is_wrong_and_a_way_out(tmp_path):
    body = """
for value in ("9", "none", "GPU-doesnotexist", "0,0", "x" * 5000):
    out[value[:20]] = refusal(backend("mine", {"CUDA_VISIBLE_DEVICES": value}).open)
b = backend("mine", {"CUDA_VISIBLE_DEVICES": "1,foo"})
b.open()
out["note"] = b.missing["host CUDA_VISIBLE_DEVICES"]
"""
    out = run(tmp_path, body)
    assert "'foo' is no GPU here" in out.pop("note")
    for value, (kind, problem, remedy) in out.items():
        assert kind == "NoDeviceError", value
        assert f"CUDA_VISIBLE_DEVICES={value}" in problem and len(problem) < 300
        assert "CUDA gives this process none of them" in problem
        assert "gpus='all'" in remedy and "unset CUDA_VISIBLE_DEVICES" in remedy
    assert "named before" in out["0,0"][1] and "first entry is no GPU" in out["9"][1]


def test_a_gpu_lost_while_running_says_so_and_comes_back(tmp_path):
    body = """
b = backend(reprobe_s=60)
b.open()
def look(key):
    records = b.read(ALL_CLASSES)
    out[key] = {"errors": translate(records).errors, "gpus": sorted(tidy(records))}
look("before")
line("gpu 1 lost")
look("lost")
look("still")
line("gpu 1 back")
look("soon")
clock.now += 61
look("back")
"""
    out = run(tmp_path, body, gpus=3, script="clock 5")
    assert out["before"]["errors"] == {}
    for key in ("lost", "still", "soon"):
        assert list(out[key]["errors"]) == ["gpu:1"]
        assert "lost" in out[key]["errors"]["gpu:1"]
        assert out[key]["gpus"] == ["gpu:0", "gpu:2"]
    assert out["back"] == {"errors": {}, "gpus": ["gpu:0", "gpu:1", "gpu:2"]}


def test_a_lost_gpu_is_not_asked_again_on_every_tick(tmp_path):
    body = """
b = backend()
b.open()
line("gpu 0 lost calls 0")
for _ in range(50):
    clock.now += 1
    b.read(ALL_CLASSES)
"""
    run(tmp_path, body, gpus=1)
    asked = nvml.counts(tmp_path)
    assert asked.of("nvmlDeviceGetFieldValues", 0) <= 4


def test_other_code_that_shuts_the_library_down_is_survived(tmp_path):
    body = """
import pynvml
b = backend()
b.open()
pynvml.nvmlShutdown()
out["shut"] = translate(b.read(ALL_CLASSES)).errors
clock.now += 61
out["again"] = sorted(read(b))
"""
    out = run(tmp_path, body)
    assert "shut down" in out["shut"]["gpu:0"]
    assert "gpu:0" in out["again"] and "gpu:1" in out["again"]


def test_a_forked_child_neither_reads_nor_shuts_down_what_its_parent_opened(tmp_path):
    body = """
import os
b = backend()
b.open()
receiving, sending = os.pipe()
child = os.fork()
if not child:
    error = refusal(lambda: b.read(ALL_CLASSES))
    b.close()
    os.write(sending, json.dumps(error).encode())
    os._exit(0)
os.waitpid(child, 0)
out["child"] = json.loads(os.read(receiving, 65536))
out["parent"] = sorted(read(b, "GAUGES"))
"""
    out = run(tmp_path, body)
    assert out["child"][0] == "ReaderError"
    assert "spawn" in out["child"][2]
    assert out["parent"] == ["gpu:0", "gpu:1"]
    assert nvml.counts(tmp_path).of("nvmlShutdown") == 0


def test_closing_twice_and_after_a_failure_is_fine_and_opening_again_works(tmp_path):
    body = """
b = backend()
line("init driver_not_loaded")
out["error"] = refusal(b.open)
b.close()
b.close()
line("init ok")
b.open()
out["gpus"] = sorted(read(b, "GAUGES"))
b.close()
out["after"] = b.read(ALL_CLASSES)
"""
    out = run(tmp_path, body)
    assert out["error"][0] == "DriverError"
    assert out["gpus"] == ["gpu:0", "gpu:1"]
    assert out["after"] == []


def test_a_reading_that_never_came_says_why_until_it_comes(tmp_path):
    body = """
b = backend()
b.open()
out["first"] = read(b)["gpu:0"]
out["why"] = {what: b.missing.get(f"gpu:0 {what}") for what in ("throttled.power", "clock.sm")}
line("gpu 0 field 74 ok", "gpu 0 call ok nvmlDeviceGetClockInfo")
out["then"] = read(b)["gpu:0"]
out["missing"] = sorted(b.missing)
"""
    script = "gpu 0 field 74 no_data\ngpu 0 call timeout nvmlDeviceGetClockInfo"
    out = run(tmp_path, body, script=script)
    assert "gpu.throttled.power.total" not in out["first"]
    assert out["why"]["throttled.power"] == "the driver has no value of it now"
    assert out["why"]["clock.sm"] == "the driver did not answer in time"
    assert out["then"]["gpu.throttled.power.total"] > 0 and out["then"]["gpu.clock.sm"] > 0
    assert not {"gpu:0 throttled.power", "gpu:0 clock.sm"} & set(out["missing"])


def test_a_script_that_is_rewritten_changes_a_running_process(tmp_path):
    body = """
import time
from tests.fakes import nvml
b = backend()
b.open()
out["before"] = read(b, "GAUGES")["gpu:0"]["gpu.temperature"]
nvml.rewrite(HERE, "gpu * temperature 88", gpus=2)
end = time.monotonic() + 10
while time.monotonic() < end and read(b, "GAUGES")["gpu:0"]["gpu.temperature"] != 88:
    pass
out["after"] = read(b, "GAUGES")["gpu:0"]["gpu.temperature"]
"""
    out = run(tmp_path, body, script="gpu * temperature 44")
    assert (out["before"], out["after"]) == (44, 88)

"""One odd answer of the driver, or of nvidia-ml-py, takes away itself alone."""

import pytest

from tests.fakes.nvml.scenario import run

# Each runs a process of its own, and together they take long.
pytestmark = pytest.mark.slow

OPEN = "b = backend()\nb.open()\n"
ODD = "\udcf8\udc95\udcc2\udcff"
"""Bytes that are no UTF-8."""


@pytest.mark.parametrize(
    ("directive", "entity", "label"),
    [
        (f"gpu 0 name {ODD}", "gpu:0", "name"),
        (f"gpu 0 uuid GPU-{ODD}", "gpu:0", "uuid"),
        (f"gpu 0 bus {ODD}", "gpu:0", "bus_id"),
        (f"driver {ODD}", "host", "driver"),
        (f"gpu 0 mig 1 0 1e10 1e9 {ODD}", "gpu:0/mig:1", "profile"),
        (f"gpu 0 mig 1 0 1e10 1e9 1g.10gb MIG-{ODD}", "gpu:0/mig:1", "uuid"),
    ],
)
def test_a_text_that_is_no_utf_8_is_shown_with_replacement_characters(
    tmp_path, directive, entity, label
):
    body = OPEN + "r = b.read(ALL_CLASSES)\nout['labels'] = translate(r).labels\nout['r'] = tidy(r)"
    out = run(tmp_path, body, script=directive)
    assert "\ufffd" in out["labels"][entity][label]
    assert out["r"]["gpu:0"]["gpu.power"] > 0 and out["r"]["gpu:1"]["gpu.power"] > 0


def test_a_version_or_an_error_text_that_is_no_utf_8_is_told_all_the_same(tmp_path):
    body = """
import pynvml
line("init mismatch")
out["mismatch"] = refusal(backend().open)
"""
    out = run(tmp_path, body, script=f"nvml 13.{ODD}")
    assert out["mismatch"][0] == "DriverError"
    assert "\ufffd" in out["mismatch"][1]


def test_the_name_of_a_process_may_be_any_bytes(tmp_path):
    body = (
        """
import os
me = os.getpid()
(HERE / "proc" / str(me)).mkdir(parents=True)
(HERE / "proc" / str(me) / "comm").write_bytes(b"a\\xff\\xc2b\\n")
(HERE / "proc/7").mkdir()
(HERE / "proc/7/stat").write_bytes(b"7 (\\xff) x\\xb2 1\\xb2 ) S \\xb2 9")
PROC = HERE / "proc"
"""
        + OPEN
        + """
line(f"gpu 0 process {me} 1e9", "gpu 0 process 7 1e9")
out["labels"] = list(translate(b.read(classes("PROCESSES"))).labels.values())
"""
    )
    assert run(tmp_path, body)["labels"] == [{"name": "a\ufffd\ufffdb"}]


RAISING = ("nvmlDeviceGetPciInfo", "nvmlDeviceGetMigMode", "nvmlDeviceGetMaxClockInfo",
           "nvmlDeviceGetNumFans", "nvmlDeviceGetMemoryInfo", "nvmlSystemGetCudaDriverVersion",
           "nvmlDeviceGetFieldValues", "nvmlEventSetCreate", "nvmlDeviceGetMinorNumber",
           "nvmlDeviceGetCudaComputeCapability", "nvmlDeviceRegisterEvents")  # fmt: skip


def test_whatever_a_function_of_nvidia_ml_py_raises_is_that_functions_affair(tmp_path):
    body = f"""
import ctypes, pynvml
errors = [UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"), AttributeError("c_nvmlNew_t"), TypeError(),
          ValueError(), ctypes.ArgumentError(), OSError(5, "odd"), OverflowError()]
for number, name in enumerate({RAISING!r}):
    plain = getattr(pynvml, name)
    def raising(*_, error=errors[number % len(errors)]):
        raise error
    setattr(pynvml, name, raising)
    b = backend()
    b.open()
    out[name] = read(b)["gpu:1"]["gpu.memory.used"]
    b.close()
    setattr(pynvml, name, plain)
for name in ("nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"):
    plain = getattr(pynvml, name)
    def raising(*_, error=UnicodeDecodeError("utf-8", b"x", 0, 1, "odd")):
        raise error
    setattr(pynvml, name, raising)
    out["refused " + name] = refusal(backend().open)
    setattr(pynvml, name, plain)
"""
    out = run(tmp_path, body)
    assert all(out[name] > 0 for name in RAISING)
    for name in ("nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"):
        kind, problem, remedy = out[f"refused {name}"]
        assert kind in {"DriverError", "NoDeviceError"} and problem and remedy


@pytest.mark.parametrize(
    "structure",
    ["c_nvmlMemory_v2_t", "c_nvmlTemperature_v1_t", "c_nvmlMarginTemperature_v1_t",
     "nvmlMemory_v2", "c_nvmlUtilization_t", "c_nvmlProcessInfo_v3_t"],
)  # fmt: skip
def test_a_structure_that_this_nvidia_ml_py_lacks_is_done_without(tmp_path, structure):
    body = f"import pynvml\ndelattr(pynvml, {structure!r})\n{OPEN}out['gpu'] = read(b)['gpu:0']\n"
    gpu = run(tmp_path, body, script="gpu 0 process self 1e9")["gpu"]
    wanted = {"gpu.memory.used", "gpu.temperature", "gpu.power", "gpu.processes"}
    assert all(gpu[metric] is not None for metric in wanted)


def test_an_answer_that_breaks_the_reader_loses_one_gpu_with_the_reason_until_it_is_asked_again(
    tmp_path,
):
    body = (
        OPEN
        + """
from pulse_widgets.readers.nvml import device
plain = device.Device._collect
def breaking(self, tick):
    if self.entity == "gpu:0":
        raise ZeroDivisionError("odd")
    return plain(self, tick)
device.Device._collect = breaking
records = b.read(ALL_CLASSES)
out["errors"], out["seen"] = translate(records).errors, sorted(tidy(records))
device.Device._collect = plain
clock.now += 61
out["again"] = sorted(read(b))
"""
    )
    out = run(tmp_path, body)
    assert list(out["errors"]) == ["gpu:0"] and "ZeroDivisionError" in out["errors"]["gpu:0"]
    assert out["seen"] == ["gpu:1"]
    assert out["again"] == ["gpu:0", "gpu:1"]


@pytest.mark.parametrize(
    ("script", "field", "words"),
    [
        ("gpu 0 memory_used 9e10", "memory.used", "of 80 GiB"),
        ("gpu 0 memory_reserved 2e11", "memory.reserved", "of 80 GiB"),
        ("gpu 0 memory 0", "memory.total", "has 0 B"),
        ("gpu 0 memory 1.8446744073709550e19", "memory.total", "PiB"),
        ("gpu 0 process self 9e10", "process.memory", "of 80 GiB"),
        ("gpu 0 mig 1 0 1e10 3e10 1g.10gb", "memory.used", "of 9.31 GiB"),
    ],
)
def test_more_memory_than_there_is_is_missing_with_what_the_driver_says(
    tmp_path, script, field, words
):
    body = (
        OPEN
        + """
out["seen"], out["missing"] = read(b), dict(b.missing)
line("gpu 0 memory_used 1e9", "gpu 0 memory_reserved 1e9", "gpu 0 memory 85899345920")
out["revision"] = b._revision
read(b)
out["after"] = [what for what in b.missing if what.startswith("gpu:0 memory")]
"""
    )
    out = run(tmp_path, body, script=script)
    told = {
        w: why for w, why in out["missing"].items() if w.endswith(field) and "driver says" in why
    }
    (what,) = told
    assert words in told[what]
    entity = next((e for e in out["seen"] if e.startswith("pid")), what.split()[0])
    metric = {"process.memory": "process.gpu.memory"}.get(field, f"gpu.{field}")
    assert out["seen"][entity].get(metric) is None
    assert out["seen"]["gpu:1"]["gpu.memory.used"] > 0
    assert out["after"] == []


def test_numbers_that_are_no_numbers_are_not_shown_as_what_a_gpu_is(tmp_path):
    script = "gpu 0 pcie 4294967295 4294967295\ngpu 0 power_limit 4294967295\ngpu 0 field 189 4294967295\ngpu 0 field 189 type uint\ngpu 0 fans 100000\ngpu 0 fan 30"
    body = OPEN + (
        "r = b.read(ALL_CLASSES)\nout['labels'] = translate(r).labels['gpu:0']\nout['r'] = tidy(r)\n"
        "for _ in range(4): out['r']['gpu:0'].update(read(b, 'SLOW')['gpu:0'])\n"
        "out['why'] = dict(b.missing)"
    )
    out = run(tmp_path, body, script=script)
    assert not {"pcie_max", "power_limit"} & set(out["labels"])
    assert "gpu.power.limit.default" not in out["r"]["gpu:0"]
    assert "4294967295" in out["why"]["gpu:0 power.limit.default"]
    assert out["r"]["gpu:0"]["gpu.fan"] == 0.3, "a count that cannot be leaves the older call"

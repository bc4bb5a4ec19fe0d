"""MIG instances, processes and events of a GPU."""

from tests.fakes.nvml.scenario import run

OPEN = "b = backend()\nb.open()\n"


def test_a_split_gpu_shows_its_instances_and_says_what_they_do_not_have(tmp_path):
    script = """
gpu 0 mig 1 0 2e10 3e9 2g.20gb
gpu 0 mig 5 0 1e10 1e9 1g.10gb
gpu 0 mig 5 1 1e10 2e9 1c.1g.10gb
"""
    body = (
        OPEN
        + """
records = b.read(ALL_CLASSES)
out["seen"], out["labels"] = tidy(records), translate(records).labels
for entity, values in read(b, "GAUGES").items():
    out["seen"].setdefault(entity, {}).update(values)
out["missing"] = dict(b.missing)
line("gpu 0 call not_found nvmlDeviceGetMemoryInfo_v2")
out["gone"] = translate(b.read(classes("GAUGES"))).errors
"""
    )
    out = run(tmp_path, body, script=script)
    seen = out["seen"]
    assert seen["gpu:0/mig:1"]["gpu.memory.used"] == 3e9
    assert seen["gpu:0/mig:1"]["gpu.memory.total"] == 2e10
    assert seen["gpu:0/mig:5/ci:1"]["gpu.memory.used"] == 2e9
    labels = out["labels"]["gpu:0/mig:1"]
    assert labels["uuid"].startswith("MIG-")
    assert (labels["profile"], labels["gi"]) == ("2g.20gb", "1")
    assert "gpu.utilization" not in seen["gpu:0"]
    assert seen["gpu:0"]["gpu.power"] > 0
    assert out["missing"]["gpu:0 utilization.gpu"] == "n/a (MIG)"
    assert out["missing"]["gpu:0/mig:1 utilization.gpu"] == "n/a (MIG)"
    assert "gpu.utilization" in seen["gpu:1"]
    assert "not there any more" in out["gone"]["gpu:0/mig:1"]


def test_memory_that_a_container_may_not_see_is_missing_with_the_reason(tmp_path):
    script = "gpu 0 mig 1 0 1e10 1e9 1g.10gb\ngpu 0 call no_permission nvmlDeviceGetMemoryInfo_v2 nvmlDeviceGetMemoryInfo"
    body = OPEN + "out['seen'] = read(b)\nout['missing'] = dict(b.missing)"
    out = run(tmp_path, body, script=script)
    assert "gpu:0/mig:1" not in out["seen"]
    assert out["missing"]["gpu:0/mig:1 memory.used"] == "this user may not read it"


def test_a_mig_uuid_in_the_environment_shows_that_instance_alone(tmp_path):
    script = "gpu 1 mig 1 0 1e10 1e9 1g.10gb MIG-aaaa\ngpu 1 mig 2 0 1e10 2e9 1g.10gb MIG-bbbb"
    body = """
b = backend("mine", {"CUDA_VISIBLE_DEVICES": "MIG-bbbb"})
b.open()
out["entities"] = sorted(read(b, "GAUGES"))
"""
    assert run(tmp_path, body, script=script)["entities"] == ["gpu:1", "gpu:1/mig:2"]


def test_only_our_own_processes_are_named_and_the_others_are_one_sum(tmp_path):
    body = (
        """
import os, subprocess
child = subprocess.Popen(["sleep", "30"])
me = os.getpid()
"""
        + OPEN
        + """
line(f"gpu 0 process {me} 1e9", f"gpu 0 process {child.pid} 2e9", "gpu 0 process 1 3e9",
     f"gpu 0 process {os.getppid()} 4e9", f"gpu 1 process {me} na")
records = b.read(classes("PROCESSES"))
names = {me: "me", child.pid: "child"}
def named(entity):
    pid = entity[4:].split("/")[0]
    return entity.replace(pid, names.get(int(pid), pid) if pid.isdigit() else pid)
out["seen"] = {named(e): v for e, v in tidy(records).items()}
out["labels"] = {named(e): v for e, v in translate(records).labels.items()}
out["again"] = translate(b.read(classes("PROCESSES"))).labels
child.kill()
"""
    )
    out = run(tmp_path, body)
    assert out["seen"] == {
        "gpu:0": {"gpu.processes": 4},
        "pid:me/gpu:0": {"process.gpu.memory": 1e9},
        "pid:child/gpu:0": {"process.gpu.memory": 2e9},
        "pid:others/gpu:0": {"process.gpu.memory": 7e9},
        "gpu:1": {"gpu.processes": 1},
        "pid:me/gpu:1": {"process.gpu.memory": None},
    }
    assert out["labels"]["pid:child/gpu:0"] == {"name": "sleep"}
    assert "pid:others/gpu:0" not in out["labels"]
    assert out["again"] == {}, "a name is told once"


def test_a_process_that_ends_ends_with_a_missing_value_and_many_fit(tmp_path):
    script = "clock 0\n" + "\n".join(
        f"gpu 0 process {pid} 1e6 -1 -1 {0 if pid % 2 else 1} 1e9" for pid in range(90001, 90201)
    )
    script += "\ngpu 0 process self 5e6 -1 -1 0 2"
    body = (
        OPEN
        + """
import os
me = f"pid:{os.getpid()}/gpu:0"
for second in (0, 1, 3, 4):
    line(f"clock {second}")
    seen = read(b, "PROCESSES") or read(b, "PROCESSES")
    out[second] = [seen["gpu:0"]["gpu.processes"],
                   seen["pid:others/gpu:0"]["process.gpu.memory"],
                   seen[me]["process.gpu.memory"] if me in seen else "absent"]
"""
    )
    out = run(tmp_path, body, gpus=1, script=script)
    assert out["0"] == [101, 100e6, 5e6]
    assert out["1"] == [201, 200e6, 5e6]
    assert out["3"] == [200, 200e6, None]
    assert out["4"] == [200, 200e6, "absent"]


def test_process_numbers_of_another_namespace_are_said_to_be_so(tmp_path):
    script = "gpu 0 process 4194303 1e9\ngpu 0 process 4194302 1e9"
    body = OPEN + "read(b, 'PROCESSES')\nout.update(b.missing)"
    out = run(tmp_path, body, script=script)
    assert "container" in out["gpu:0 process.memory"]


def test_an_xid_is_told_once_with_its_code_and_counted(tmp_path):
    script = "clock 0\ngpu 1 xid 79 at 1\ngpu 1 xid 31 at 2\ngpu 0 call not_supported nvmlDeviceRegisterEvents"
    body = (
        OPEN
        + """
for second in (0, 1, 2, 3):
    line(f"clock {second}")
    out[second] = read(b, "EVENTS")
out["missing"] = dict(b.missing)
"""
    )
    out = run(tmp_path, body, script=script)
    assert out["0"] == {} and out["3"] == {}
    assert out["1"] == {"gpu:1": {"gpu.xid": 79, "gpu.xids.total": 1}}
    assert out["2"] == {"gpu:1": {"gpu.xid": 31, "gpu.xids.total": 2}}
    assert "events" in out["missing"]["gpu:0 xid"]

"""GPUs and MIG instances that come later are found; those that go end with a reason."""

import pytest

from tests.fakes import nvml
from tests.fakes.nvml.scenario import run

# Each runs a process of its own, and together they take long.
pytestmark = pytest.mark.slow

OPEN = "b = backend()\nb.open()\n"
LOOK = """
def look(key, seconds=61):
    clock.now += seconds
    records = b.read(ALL_CLASSES)
    told = translate(records)
    out[key] = {"labels": told.labels, "errors": told.errors, "seen": tidy(records)}
    return out[key]
"""


def test_a_gpu_that_comes_later_is_found_with_its_labels_readings_and_fields(tmp_path):
    body = (
        OPEN
        + LOOK
        + """
look("one")
out["caps"] = sorted(b.caps.fields)
line("gpus 2")
look("soon", 30)
look("two", 31)
out["all"] = sorted(b.caps.fields)
line("gpu 1 xid 79 at 0")
out["xid"] = read(b, "EVENTS")
"""
    )
    script = "gpu 0 call not_supported nvmlDeviceGetJpgUtilization\ngpu 1 power 123000"
    out = run(tmp_path, body, gpus=1, script=script)
    assert "gpu:1" not in out["one"]["seen"] and "gpu:1" not in out["soon"]["seen"]
    assert out["two"]["seen"]["gpu:1"]["gpu.power"] == 123
    assert out["two"]["labels"]["gpu:1"]["uuid"].startswith("GPU-a101")
    assert set(out["all"]) - set(out["caps"]) == {"utilization.jpeg"}
    assert (out["xid"]["gpu:1"]["gpu.xid"], out["xid"]["gpu:1"]["gpu.xids.total"]) == (79, 1)


def test_a_gpu_keeps_its_number_and_a_new_one_never_takes_it(tmp_path):
    body = (
        OPEN
        + LOOK
        + """
look("start")
# The first vanishes: the driver counts the second from 0 now.
line("gpus 1", f"gpu 0 uuid {SECOND}", "gpu 0 power 222000", "gpu 0 bus 00000000:0A:00.0")
look("gone")
# Another comes, which the driver calls 1.
line("gpus 2", "gpu 1 uuid GPU-cccccccc", "gpu 1 power 333000")
look("new")
b.close()
b.open()
look("opened again", 0)
"""
    )
    second = "GPU-a101fa4e-5eed-4000-8000-00005eed0001"
    script = "gpu 0 power 111000\ngpu 1 power 222000"
    out = run(tmp_path, f"SECOND = {second!r}\n{body}", script=script)
    powers = {
        key: {e: v.get("gpu.power") for e, v in each["seen"].items() if "gpu.power" in v}
        for key, each in out.items()
    }
    assert powers["start"] == {"gpu:0": 111, "gpu:1": 222}
    assert powers["gone"] == {"gpu:1": 222}
    assert out["gone"]["errors"] == {"gpu:0": "the GPU is not there any more"}
    assert powers["new"] == {"gpu:1": 222, "gpu:2": 333}
    assert out["new"]["labels"]["gpu:2"]["index"] == "1"
    assert powers["opened again"] == {"gpu:1": 222, "gpu:2": 333}


def test_a_gpu_that_comes_back_goes_on_under_its_number(tmp_path):
    body = (
        OPEN + LOOK + 'line("gpus 1")\nlook("gone")\nline("gpus 2")\nlook("back")\nlook("on", 1)\n'
    )
    out = run(tmp_path, body)
    assert out["gone"]["errors"] == {"gpu:1": "the GPU is not there any more"}
    assert out["back"]["errors"] == {}
    assert out["back"]["labels"]["gpu:1"]["uuid"].startswith("GPU-a101")
    assert out["on"]["seen"]["gpu:1"]["gpu.power"] > 0


def test_a_gpu_that_is_told_of_only_anew_is_found_where_the_kernel_module_lists_it(tmp_path):
    gpus = tmp_path / "proc/driver/nvidia/gpus"
    (gpus / "0000:07:00.0").mkdir(parents=True)
    body = (
        OPEN
        + LOOK
        + """
line("gpus 2")
look("before")
(HERE / "proc/driver/nvidia/gpus/0000:0a:00.0").mkdir()
look("after")
look("on", 1)
"""
    )
    out = run(tmp_path, body, gpus=1, script="listed init")
    assert sorted(out["before"]["seen"]) == ["gpu:0"]
    assert sorted(out["after"]["seen"]) == ["gpu:0", "gpu:1"]
    assert out["on"]["seen"]["gpu:0"]["gpu.energy"] > 0


def test_where_no_gpu_is_left_the_source_says_so_and_can_be_opened_again(tmp_path):
    body = (
        OPEN
        + """
line("gpu * lost")
out["errors"] = translate(b.read(ALL_CLASSES)).errors
clock.now += 61
out["refusal"] = refusal(lambda: b.read(ALL_CLASSES))
b.close()
out["closed"] = refusal(b.open)
line("gpu * back")
b.open()
out["again"] = sorted(read(b))
"""
    )
    out = run(tmp_path, body)
    assert sorted(out["errors"]) == ["gpu:0", "gpu:1"]
    kind, problem, remedy = out["refusal"]
    assert kind == "NoDeviceError" and "gpu:1: the GPU is lost" in problem and "dmesg" in remedy
    assert out["closed"] is None or out["closed"][0] == "NoDeviceError"
    assert out["again"] == ["gpu:0", "gpu:1"]


def test_a_driver_that_is_loaded_anew_is_read_on_without_being_opened_again(tmp_path):
    body = (
        OPEN
        + LOOK
        + """
line("code driver_not_loaded nvmlDeviceGetFieldValues")
look("unloaded", 1)
line("code ok nvmlDeviceGetFieldValues")
look("loaded")
"""
    )
    out = run(tmp_path, body)
    assert set(out["unloaded"]["errors"]) == {"gpu:0", "gpu:1"}
    assert out["loaded"]["errors"] == {}
    assert out["loaded"]["seen"]["gpu:1"]["gpu.power"] > 0
    assert nvml.counts(tmp_path).of("nvmlShutdown") == 1


@pytest.mark.parametrize(
    ("gpus", "environ", "found"),
    [
        ("all", {}, ["gpu:0", "gpu:1", "gpu:2"]),
        ("mine", {}, ["gpu:0", "gpu:1", "gpu:2"]),
        ("mine", {"CUDA_VISIBLE_DEVICES": "1"}, ["gpu:1"]),
        ("mine", {"CUDA_VISIBLE_DEVICES": "0,2"}, ["gpu:0", "gpu:2"]),
        ("mine", {"CUDA_VISIBLE_DEVICES": "GPU-a000,GPU-a202"}, ["gpu:0", "gpu:2"]),
        ("0", {}, ["gpu:0"]),
        (["GPU-a101"], {}, ["gpu:1"]),
    ],
)
def test_a_gpu_that_comes_later_is_read_only_where_it_is_asked_for(tmp_path, gpus, environ, found):
    body = f"b = backend({gpus!r}, {environ!r})\nb.open()\n{LOOK}line('gpus 3')\nlook('later')\n"
    seen = run(tmp_path, body)["later"]["seen"]
    assert sorted(entity for entity in seen if entity != "host") == found


def test_a_gpu_that_could_not_be_opened_is_tried_again(tmp_path):
    body = (
        OPEN
        + LOOK
        + """
out["missing"] = b.missing["gpu:1"]
line("gpu 1 call ok nvmlDeviceGetHandleByIndex_v2")
look("later")
out["still"] = "gpu:1" in b.missing
"""
    )
    out = run(tmp_path, body, script="gpu 1 call no_permission nvmlDeviceGetHandleByIndex_v2")
    assert "may not" in out["missing"]
    assert sorted(out["later"]["seen"]) == ["gpu:0", "gpu:1"]
    assert not out["still"]


def test_gpus_that_say_no_uuid_or_the_same_one_stay_two(tmp_path):
    body = LOOK + (
        "b = backend()\nb.open()\nlook('first', 1)\nlook('later')\n"
        "line('gpu 0 lost')\nlook('lost', 1)\nline('gpu 0 back')\nlook('back')\n"
    )
    script = "gpu 0 power 111000\ngpu 1 power 222000\n"
    same = "gpu * uuid GPU-aaaa"
    for number, each in enumerate((same, "gpu * call unknown nvmlDeviceGetUUID")):
        out = run(tmp_path / str(number), body, script=script + each)
        for key in ("first", "later", "back"):
            powers = {e: v["gpu.power"] for e, v in out[key]["seen"].items() if "gpu.power" in v}
            assert powers == {"gpu:0": 111, "gpu:1": 222}, (each, key)


def test_mig_instances_that_come_are_found_and_those_that_go_end_with_a_reason(tmp_path):
    body = (
        OPEN
        + LOOK
        + """
def settle(key):
    look(key)
    for _ in range(30):
        clock.now += 0.1
        records = b.read(ALL_CLASSES)
        for entity, about in translate(records).labels.items():
            out[key]["labels"].setdefault(entity, {}).update(about)
        out[key]["seen"].update(tidy(records))
        out[key]["errors"] = translate(records).errors
settle("plain")
line("gpu 0 mig 1 0 2e10 3e9 2g.20gb MIG-a", "gpu 0 mig 5 0 1e10 1e9 1g.10gb MIG-b")
settle("split")
out["why"] = b.missing["gpu:0 utilization.gpu"]
line("gpu 0 mig off", "gpu 0 mig 5 0 1e10 2e9 1g.10gb MIG-b", "gpu 0 mig 7 0 1e10 4e9 1g.10gb MIG-c")
settle("other")
line("gpu 0 mig off")
settle("off")
"""
    )
    out = run(tmp_path, body, gpus=2, latency_us=0)
    assert not [entity for entity in out["plain"]["seen"] if "mig" in entity]
    assert out["split"]["seen"]["gpu:0/mig:1"]["gpu.memory.used"] == 3e9
    assert out["split"]["seen"]["gpu:0/mig:5"]["gpu.memory.used"] == 1e9
    assert out["split"]["labels"]["gpu:0/mig:1"]["profile"] == "2g.20gb"
    assert out["why"] == "n/a (MIG)"
    assert out["other"]["seen"]["gpu:0/mig:5"]["gpu.memory.used"] == 2e9
    assert out["other"]["seen"]["gpu:0/mig:7"]["gpu.memory.used"] == 4e9
    ended = "the MIG instance is not there any more"
    assert out["other"]["errors"] == {"gpu:0/mig:1": ended}
    assert out["off"]["errors"] == {f"gpu:0/mig:{gi}": ended for gi in (1, 5, 7)}
    assert out["off"]["seen"]["gpu:0"]["gpu.power"] > 0


def test_only_the_instances_asked_for_are_taken_when_others_come(tmp_path):
    body = """
b = backend("mine", {"CUDA_VISIBLE_DEVICES": "MIG-b"})
b.open()
line("gpu 0 mig 7 0 1e10 4e9 1g.10gb MIG-c")
clock.now += 61
seen = set()
for _ in range(30):
    clock.now += 0.1
    seen |= set(read(b))
out["seen"] = sorted(seen)
"""
    script = "gpu 0 mig 1 0 2e10 3e9 2g.20gb MIG-a\ngpu 0 mig 5 0 1e10 1e9 1g.10gb MIG-b"
    assert run(tmp_path, body, script=script)["seen"] == ["gpu:0", "gpu:0/mig:5"]


def test_looking_again_is_rare_and_keeps_to_the_calls_of_a_tick(tmp_path):
    body = (
        OPEN
        + """
from tests.fakes import nvml
before, most = nvml.counts(HERE), [0] * 3
begin = before
for tick in range(200):
    clock.now += 1
    if tick == 100:
        line("gpus 4")
    due = {RateClass.GAUGES, RateClass.COUNTERS, RateClass.BUFFERED, RateClass.PROCESSES}
    if tick % 10 == 0:
        due |= {RateClass.SLOW, RateClass.STATIC, RateClass.EVENTS}
    b.read(frozenset(due))
    after = nvml.counts(HERE)
    most = [max(m, after.of_gpu(g) - before.of_gpu(g)) for g, m in enumerate(most)]
    before = after
out["most"] = most
out["counts"] = before.of("nvmlDeviceGetCount_v2") - begin.of("nvmlDeviceGetCount_v2")
out["uuids"] = before.of("nvmlDeviceGetUUID", 2) - begin.of("nvmlDeviceGetUUID", 2)
"""
    )
    script = "gpu * fans 2\n" + "\n".join(f"gpu 1 mig {gi} 0 1e10 1e9 1g.10gb" for gi in range(7))
    out = run(tmp_path, body, gpus=3, latency_us=0, script=script)
    assert max(out["most"]) <= 10
    assert out["counts"] == 3
    assert out["uuids"] <= 8


REFUSED = "gpu 0 call lost nvmlDeviceGetHandleByIndex_v2"
UUID_0, UUID_1 = (f"GPU-a{n}0{n}fa4e-5eed-4000-8000-00005eed000{n}" for n in (0, 1))


@pytest.mark.parametrize(
    ("gpus", "variables", "count"),
    [
        ("mine", {"CUDA_VISIBLE_DEVICES": "0,1"}, 2),
        ("mine", {"CUDA_VISIBLE_DEVICES": "0,1,2,3"}, 4),
        ("mine", {"CUDA_VISIBLE_DEVICES": f"{UUID_0},{UUID_1}"}, 2),
        ("mine", {"CUDA_VISIBLE_DEVICES": "GPU-a0,GPU-a1"}, 2),
        ("mine", {"NVIDIA_VISIBLE_DEVICES": "0,1"}, 2),
        ("mine", {"SLURM_JOB_GPUS": "0,1"}, 2),
        ("mine", {}, 2),
        ("all", {}, 3),
        ([0, 1], {}, 2),
        ("0,1", {}, 2),
        ([UUID_0, UUID_1], {}, 2),
        (["00000000:07:00.0", 1], {}, 2),
    ],
)
def test_a_gpu_that_cannot_be_opened_leaves_the_others_whatever_they_are_called(
    tmp_path, gpus, variables, count
):
    body = (
        f"b = backend({gpus!r}, {variables!r})\nb.open()\n{LOOK}"
        """
out["seen"] = sorted(each for each in read(b) if each != "host")
out["missing"] = b.missing.get("gpu:0")
line("gpu 0 call ok nvmlDeviceGetHandleByIndex_v2")
out["back"] = sorted(look("back")["seen"])
out["still"] = "gpu:0" in b.missing
"""
    )
    out = run(tmp_path, body, gpus=count, script=REFUSED)
    assert out["seen"] == [f"gpu:{number}" for number in range(1, count)]
    assert "the GPU is lost" in out["missing"]
    assert out["back"] == [f"gpu:{number}" for number in range(count)]
    assert not out["still"]


def test_a_gpu_that_is_not_asked_for_and_cannot_be_opened_is_not_told_of(tmp_path):
    body = """
b = backend("mine", {"CUDA_VISIBLE_DEVICES": "1"})
b.open()
out["seen"], out["missing"] = sorted(read(b)), "gpu:0" in b.missing
alone = backend("mine", {"CUDA_VISIBLE_DEVICES": "0"})
out["alone"] = refusal(alone.open)
"""
    out = run(tmp_path, body, script=REFUSED)
    assert (out["seen"], out["missing"]) == (["gpu:1"], False)
    kind, problem, remedy = out["alone"]
    assert kind == "NoDeviceError" and "gpu:0: the GPU is lost" in problem and "dmesg" in remedy


@pytest.mark.parametrize(
    ("gpus", "variables"),
    [([0, 1], {}), ([UUID_0, 1], {}), ("mine", {"CUDA_VISIBLE_DEVICES": "0,1"}), ("all", {})],
)
@pytest.mark.parametrize("first", [REFUSED, f"gpus 1; gpu 0 uuid {UUID_1}"])
def test_of_gpus_that_were_all_lost_those_that_return_keep_their_numbers(
    tmp_path, gpus, variables, first
):
    body = f"""
b = backend({gpus!r}, {variables!r})
b.open()
read(b)
line("gpu 0 lost", "gpu 1 lost")
clock.now += 1
b.read(ALL_CLASSES)
clock.now += 61
out["lost"] = refusal(lambda: b.read(ALL_CLASSES))
b.close()
line("gpu 0 back", "gpu 1 back", *{first!r}.split("; "))
b.open()
out["seen"], out["missing"] = sorted(read(b)), b.missing.get("gpu:0")
"""
    out = run(tmp_path, body)
    assert out["lost"][0] == "NoDeviceError"
    assert out["seen"] == ["gpu:1"]
    assert "lost" in out["missing"] or "not there any more" in out["missing"]


def test_whatever_comes_goes_or_cannot_be_opened_a_number_is_always_the_same_gpu(tmp_path):
    body = """
import random
from pulse_widgets.errors import NoDeviceError
def put(alive, refused):
    line(f"gpus {len(alive)}")
    for index, gpu in enumerate(alive):
        # A GPU is told by its power.
        line(f"gpu {index} uuid GPU-0000000{gpu}", f"gpu {index} power {(gpu + 1) * 1000}",
             f"gpu {index} bus 00000000:0{gpu}:00.0",
             f"gpu {index} call {'lost' if gpu in refused else 'ok'} nvmlDeviceGetHandleByIndex_v2")
out["wrong"], out["shown"] = [], 0
for seed in range(20):
    rng = random.Random(seed)
    alive = sorted(rng.sample(range(5), 3))
    put(alive, [])
    b = backend(rng.choice(["all", "mine"]), rng.choice([{}, {"SLURM_JOB_GPUS": "7"}]))
    b.open()
    number, is_open = {}, True
    for step in range(10):
        # One comes or goes: the driver counts them anew, from 0.
        gpu = rng.randrange(5)
        alive = sorted({*alive} ^ {gpu}) or [gpu, (gpu + 1) % 5]
        refused = [each for each in alive if rng.random() < 0.3]
        put(alive, refused)
        clock.now += 61
        try:
            if not is_open:
                b.open()
                is_open = True
            seen = read(b)
        except NoDeviceError:
            b.close()
            is_open = False
            continue
        powers = {e: v["gpu.power"] for e, v in seen.items() if "gpu.power" in v}
        out["shown"] += len(powers)
        told = {e for e in b.missing if " " not in e}
        if (any(number.setdefault(power, e) != e for e, power in powers.items())
                or len(set(powers.values())) != len(powers) or told & set(powers)
                or {gpu + 1 for gpu in alive if gpu not in refused} - set(powers.values())):
            out["wrong"].append([seed, step, alive, refused, powers, number, sorted(told)])
    b.close()
"""
    out = run(tmp_path, body, gpus=5, latency_us=0)
    assert out["wrong"] == []
    assert out["shown"] > 100

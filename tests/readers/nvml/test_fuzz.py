"""Random failures and random answers of the driver: nothing raises, and other GPUs are as they are."""

import pytest

from tests.fakes.nvml.scenario import run

SCRIPT = """
clock 0.01
gpu * fans 2
gpu * memory_used 3e9
gpu * util 40
gpu * power 100000
gpu 0 call not_supported nvmlDeviceGetSamples
gpu 1 mig 1 0 2e10 3e9 2g.20gb
gpu 1 mig 5 0 1e10 1e9 1g.10gb
gpu 0 process 4194301 1e9
gpu 1 process 4194302 2e9
gpu 1 process self 2e9
gpu 1 xid 79 at 1.0
"""

BODY = """
GPU_0 = ("gpu:0", "host", "pid:others/gpu:0")

def of_gpu_0(records):
    return {k: v for k, v in tidy(records).items() if k in GPU_0}

def told(seen):
    # What each tick says where every tick says it, and all values of what is read rarely.
    gpus = [each.get("gpu:0", {}) for each in seen]
    steady = set.intersection(*map(set, gpus)) if all(gpus) else set()
    rare = {name: sorted({g[name] for g in gpus if name in g}, key=str)
            for g in gpus for name in g if name not in steady}
    others = [each.get("pid:others/gpu:0") for each in seen]
    return [[{name: g[name] for name in sorted(steady)} for g in gpus], rare, others]

def passes(seed):
    line("clock 0.01", f"gpu 1 fuzz {seed}")
    clock.now = 1000.0
    b = backend(reprobe_s=4)
    seen = []
    b.open()
    for second in range(1, 41):
        line(f"clock {second}")
        clock.now += 1
        records = b.read(ALL_CLASSES)
        translate(records)
        json.dumps([[r.entity_id, r.error, dict(r.fields)] for r in records])
        seen.append(of_gpu_0(records))
        gave.update(f"{r.entity_id}: {r.error}" for r in records if not r.entity_id.startswith("pid"))
    missing = {k: v for k, v in b.missing.items() if k.startswith("gpu:0 ")}
    json.dumps([dict(b.missing), sorted(b.caps.fields)])
    b.close()
    return [told(seen), missing]

gave = set()
plain = passes(0)
out["read"] = [len(plain[0][0][0]), len(plain[0][1]), len(plain[0][2])]
out["differ"] = [seed for seed in SEEDS if passes(seed) != plain]
out["gave"] = sorted(gave)
"""


def test_what_one_gpu_answers_never_raises_and_changes_nothing_of_another(tmp_path):
    body = f"SEEDS = range(1, 16){BODY}"
    out = run(tmp_path, body, latency_us=0, script=SCRIPT)
    steady, rare, passes = out["read"]
    assert steady > 20 and rare > 5 and passes == 40
    assert out["differ"] == []
    assert "gpu:1: None" in out["gave"]
    assert any("gpu:1/mig" in each and "not there" in each for each in out["gave"])


@pytest.mark.slow
def test_the_same_with_many_seeds(tmp_path):
    body = f"SEEDS = range(1000, 1600){BODY}"
    out = run(tmp_path, body, latency_us=0, script=SCRIPT)
    assert out["differ"] == []


SYSTEM = """
from pulse_widgets.errors import ReaderError
out["opened"], out["refused"] = 0, []
for seed in range(1, 41):
    line(f"fuzz {seed}", f"gpu * fuzz {seed}")
    b = backend("mine", {"CUDA_VISIBLE_DEVICES": "0"} if seed % 2 else {}, reprobe_s=1)
    try:
        b.open()
        out["opened"] += 1
        for _ in range(4):
            clock.now += 1
            translate(b.read(ALL_CLASSES))
    except ReaderError as error:
        assert error.problem and error.remedy
        out["refused"].append(type(error).__name__)
    b.close()
"""


def test_whatever_the_whole_library_answers_is_a_reading_or_a_refusal_with_a_remedy(tmp_path):
    out = run(tmp_path, SYSTEM, latency_us=0, script=SCRIPT)
    assert out["opened"] > 5 and out["refused"]

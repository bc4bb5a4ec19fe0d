"""What the GPUs say arrives in base units, with the driver's time, and missing is missing."""

import pytest

from tests.fakes import nvml
from tests.fakes.nvml.scenario import run

OPEN = "b = backend()\nb.open()\n"


def test_readings_equal_the_script_in_base_units(tmp_path):
    script = """
clock 10
gpu 0 util 63
gpu 0 util_memory 21
gpu 0 memory_used 3e9
gpu 0 memory_reserved 5e8
gpu 0 power 412000
gpu 0 temperature 57
gpu 0 clock_sm 1755
gpu 0 clock_memory 2619
gpu 0 power_limit 650000
gpu 0 throttled 0.25
gpu 0 pcie_rx 3e9
gpu 0 nvlink_tx 1.024e9
gpu 0 field 82 66
gpu 0 field 142 3
gpu 0 fans 2
gpu 0 fan 30
gpu 1 util steps 0:5 8:95 20:1
"""
    body = (
        OPEN
        + """
records = b.read(ALL_CLASSES)
out["labels"] = translate(records).labels
out["seen"] = seen = tidy(records)
for _ in range(3):
    for entity, values in read(b, "SLOW").items():
        seen.setdefault(entity, {}).update(values)
line("clock 14")
out["later"] = read(b, "GAUGES", "COUNTERS")["gpu:0"]
"""
    )
    out = run(tmp_path, body, script=script)
    gpu = out["seen"]["gpu:0"]
    expected = {
        "gpu.utilization": 0.63,
        "gpu.memory.busy": 0.21,
        "gpu.memory.used": 3e9,
        "gpu.memory.reserved": 5e8,
        "gpu.memory.total": 80 * 2**30,
        "gpu.memory.free": 80 * 2**30 - 3.5e9,
        "gpu.power": 412.0,
        "gpu.power.limit": 650.0,
        "gpu.power.limit.default": 700.0,
        "gpu.energy": 5e6 + 4120,
        "gpu.temperature": 57,
        "gpu.memory.temperature": 66,
        "gpu.clock.sm": 1.755e9,
        "gpu.clock.memory": 2.619e9,
        "gpu.clock.sm.max": 1.98e9,
        "gpu.throttled.power.total": 1000 + 2.5,
        "gpu.throttled.thermal.total": 0,
        "gpu.pcie.rx.total": 1e12 + 3e10,
        "gpu.nvlink.tx.total": 1.024e10,
        "gpu.remapped.correctable": 3,
        "gpu.fan": 0.35,
        "gpu.pstate": 0,
    }
    for metric, value in expected.items():
        assert gpu[metric] == pytest.approx(value), metric
    assert out["seen"]["gpu:1"]["gpu.utilization"] == 0.95
    labels = out["labels"]["gpu:0"]
    assert labels["uuid"].startswith("GPU-a000fa4e")
    assert labels["bus_id"] == "00000000:07:00.0"
    assert labels["memory"] == "80 GiB"
    assert labels["pcie_max"] == "Gen5 x16"
    assert len(labels) <= 16
    assert out["labels"]["host"] == {"driver": "580.65.06", "cuda": "13.0"}
    later = out["later"]
    assert later["gpu.energy"] - gpu["gpu.energy"] == pytest.approx(4 * 412)
    assert later["gpu.throttled.power.total"] == pytest.approx(1003.5)


def test_every_metric_it_gives_is_in_the_catalog_with_a_counter_where_it_is_one(tmp_path):
    from pulse_widgets.metrics.catalog import lookup
    from pulse_widgets.readers.nvml.fields import TABLE

    for field, rule in TABLE.items():
        assert lookup(rule.metric) is not None, field
    out = run(tmp_path, OPEN + "out['metrics'] = sorted(read(b)['gpu:0'])")
    assert not [metric for metric in out["metrics"] if lookup(metric) is None]


def test_a_tick_makes_at_most_ten_calls_a_gpu_and_never_a_dear_one(tmp_path):
    body = (
        OPEN
        + """
from tests.fakes import nvml
def made():
    now = nvml.counts(HERE)
    return [now.of_gpu(gpu) for gpu in range(8)]
before, most, seen = made(), 0, set()
for tick in range(40):
    clock.now += 1
    due = {RateClass.GAUGES, RateClass.COUNTERS, RateClass.BUFFERED, RateClass.PROCESSES}
    if tick % 10 == 0:
        due |= {RateClass.SLOW, RateClass.STATIC, RateClass.EVENTS}
    seen.update(tidy(b.read(frozenset(due)))["gpu:0"])
    after = made()
    most = max(most, *(a - b for a, b in zip(after, before)))
    before = after
out["most"], out["seen"] = most, sorted(seen)
"""
    )
    script = "gpu * fans 3\ngpu 0 mig 1 0 1e10 1e9 1g.10gb\ngpu 0 mig 2 0 1e10 1e9 1g.10gb"
    out = run(tmp_path, body, gpus=8, latency_us=0, script=script)
    assert out["most"] <= 10
    assert {"gpu.fan", "gpu.pstate", "gpu.pcie.width", "gpu.power.limit"} <= set(out["seen"])
    asked = nvml.counts(tmp_path)
    assert asked.of("nvmlDeviceGetPcieThroughput") == 0
    assert asked.fields[185] == 0


def test_one_batch_a_gpu_reads_all_that_has_a_field_id(tmp_path):
    body = OPEN + "for _ in range(10): b.read(classes('GAUGES', 'COUNTERS'))"
    before = run(tmp_path / "open", OPEN, gpus=4, latency_us=0)
    run(tmp_path / "read", body, gpus=4, latency_us=0)
    assert before == {}
    opened, done = nvml.counts(tmp_path / "open"), nvml.counts(tmp_path / "read")
    batches = done.of("nvmlDeviceGetFieldValues", 2) - opened.of("nvmlDeviceGetFieldValues", 2)
    assert batches == 10
    assert done.of_gpu(2) - opened.of_gpu(2) == 10 * 5


def test_fields_keep_their_order_once_they_are_known(tmp_path):
    body = (
        OPEN
        + """
classes = {RateClass.GAUGES, RateClass.COUNTERS, RateClass.SLOW}
passes = [b.read(frozenset(classes)) for _ in range(6)]
out["orders"] = [list(max((r.fields for r in each), key=len)) for each in passes]
"""
    )
    orders = run(tmp_path, body, gpus=1)["orders"]

    assert {"pcie.rx", "energy", "ecc.corrected"} <= set(orders[0])
    # Who makes rows of them knows a record by the names of its fields, one after another.
    assert orders[1:] == [orders[1]] * 5


def test_sixty_four_gpus_are_read(tmp_path):
    body = OPEN + "out['used'] = {e: v['gpu.memory.used'] for e, v in read(b, 'GAUGES').items()}"
    script = "\n".join(f"gpu {gpu} memory_used {gpu + 1}e9" for gpu in range(64))
    out = run(tmp_path, body, gpus=64, latency_us=0, script=script)
    assert out["used"] == {f"gpu:{gpu}": (gpu + 1) * 1e9 for gpu in range(64)}


def test_one_unsupported_reading_hides_no_other_and_is_not_zero(tmp_path):
    script = """
gpu 0 field 83 not_supported
gpu 0 field 74 no_permission
gpu 0 field 186 not_supported
gpu 0 call not_supported nvmlDeviceGetTotalEnergyConsumption nvmlDeviceGetClockInfo
gpu 0 call version_mismatch nvmlDeviceGetTemperatureV
gpu 0 power 222000
gpu 1 field 82 0
gpu 1 nvlinks 0
"""
    body = (
        OPEN
        + """
out["seen"] = read(b)
out["again"] = read(b)
out["missing"] = dict(b.missing)
out["fields"] = sorted(b.caps.fields)
"""
    )
    out = run(tmp_path, body, script=script)
    gpu, missing = out["seen"]["gpu:0"], out["missing"]
    for absent in ("gpu.energy", "gpu.throttled.power.total", "gpu.clock.sm", "gpu.fan"):
        assert absent not in gpu and absent not in out["again"]["gpu:0"]
    assert gpu["gpu.power"] == 222.0, "the mean takes over"
    assert gpu["gpu.temperature"] == 61
    assert "gpu.throttled.thermal.total" in gpu and "gpu.pcie.rx.total" in gpu
    assert "mean" in missing["gpu:0 power.instant"]
    assert missing["gpu:0 energy"] == "not supported by this GPU"
    assert missing["gpu:0 throttled.power"] == "this user may not read it"
    assert "gpu:0 temperature.gpu" not in missing
    assert "sensor" in missing["gpu:1 temperature.memory"]
    assert "NVLink" in missing["gpu:1 nvlink.rx"]
    assert "gpu.nvlink.rx.total" not in out["seen"]["gpu:1"]
    assert "gpu.energy" in out["seen"]["gpu:1"]
    assert "energy" in out["fields"] and "energy.call" not in out["fields"]


def test_a_reading_that_fails_for_a_moment_is_a_gap_and_comes_back(tmp_path):
    body = (
        OPEN
        + """
out["first"] = read(b)["gpu:0"]
line("gpu 0 field 186 no_data", "gpu 0 call unknown nvmlDeviceGetMemoryInfo_v2")
out["gap"] = read(b, "GAUGES")["gpu:0"]
line("gpu 0 field 186 ok", "gpu 0 call ok nvmlDeviceGetMemoryInfo_v2")
out["back"] = read(b, "GAUGES")["gpu:0"]
line("gpu 0 call timeout nvmlDeviceGetFieldValues")
out["batch"] = read(b, "GAUGES")["gpu:0"]
out["missing"] = sorted(b.missing)
"""
    )
    out = run(tmp_path, body)
    assert out["gap"]["gpu.power"] is None
    assert out["gap"]["gpu.memory.used"] is None
    assert out["gap"]["gpu.temperature"] == 61
    assert out["back"]["gpu.power"] > 0 and out["back"]["gpu.memory.used"] > 0
    assert out["batch"]["gpu.power"] is None and out["batch"]["gpu.temperature"] == 61


def test_what_is_missing_is_asked_again_after_a_minute(tmp_path):
    body = (
        OPEN
        + """
out["before"] = read(b)["gpu:0"]
line("gpu 0 field 83 ok", "gpu 0 call ok nvmlDeviceGetUtilizationRates")
clock.now += 30
out["soon"] = read(b)["gpu:0"]
clock.now += 31
for _ in range(8):
    read(b)
out["later"] = read(b)["gpu:0"]
out["missing"] = sorted(b.missing)
"""
    )
    script = (
        "gpu 0 field 83 not_supported\n"
        "gpu 0 call not_supported nvmlDeviceGetUtilizationRates nvmlDeviceGetTotalEnergyConsumption"
    )
    out = run(tmp_path, body, script=script)
    for metric in ("gpu.energy", "gpu.utilization"):
        assert metric not in out["before"] and metric not in out["soon"]
        assert out["later"][metric] > 0
    assert "gpu:0 energy" not in out["missing"]


def test_a_reading_that_ceases_ends_with_one_missing_value(tmp_path):
    body = (
        OPEN
        + """
read(b)
line("gpu 0 field 83 not_supported", "gpu 0 call not_supported nvmlDeviceGetEnforcedPowerLimit",
     "gpu 0 call not_supported nvmlDeviceGetUtilizationRates")
out["end"] = read(b)["gpu:0"]
out["after"] = read(b)["gpu:0"]
out["missing"] = sorted(b.missing)
"""
    )
    out = run(tmp_path, body)
    assert out["end"]["gpu.utilization"] is None
    assert "gpu.utilization" not in out["after"]
    assert "gpu:0 utilization.gpu" in out["missing"]
    assert out["end"]["gpu.energy"] is None
    assert out["after"]["gpu.energy"] > 0, "the older call takes over"


def test_more_than_all_of_the_time_is_no_utilization(tmp_path):
    out = run(tmp_path, OPEN + "out['gpu'] = read(b)['gpu:0']", script="gpu 0 util 4294967295")
    assert out["gpu"]["gpu.utilization"] is None
    assert out["gpu"]["gpu.memory.busy"] > 0


def test_a_narrow_or_impossible_pcie_counter_gives_no_rate(tmp_path):
    script = """
clock 1
gpu 0 field 198 type uint
gpu 2 field 198 integral pcie_rx 1 1e12
"""
    body = (
        OPEN
        + """
out["first"] = read(b, "COUNTERS")
line("clock 2", "gpu 2 pcie_rx 9e11")
out["second"] = read(b, "COUNTERS")
line("clock 3")
out["third"] = read(b, "COUNTERS")
out["missing"] = dict(b.missing)
"""
    )
    out = run(tmp_path, body, gpus=3, script=script)
    metric = "gpu.pcie.rx.total"
    assert metric not in out["first"]["gpu:0"]
    assert "32-bit" in out["missing"]["gpu:0 pcie.rx"]
    assert out["first"]["gpu:2"][metric] > 0
    assert out["second"]["gpu:2"][metric] is None, "faster than the link can be"
    assert "gpu.pcie.tx.total" in out["third"]["gpu:0"]


def test_a_counter_that_was_reset_is_passed_on_as_it_is(tmp_path):
    body = OPEN + (
        "line('clock 1')\nout['a'] = read(b, 'COUNTERS')\n"
        "line('clock 2')\nout['b'] = read(b, 'COUNTERS')"
    )
    out = run(tmp_path, body, script="clock 0\ngpu 0 field 83 reset 2")
    assert out["a"]["gpu:0"]["gpu.energy"] > 5e6
    assert out["b"]["gpu:0"]["gpu.energy"] == 0


def test_dear_fields_are_read_rarely_or_replaced(tmp_path):
    script = "gpu 0 field 186 latency 300\ngpu 0 field 74 latency 300\ngpu 0 power 100000"
    body = (
        OPEN
        + """
for _ in range(3):
    read(b, "GAUGES", "COUNTERS")
out["fast"] = read(b, "GAUGES", "COUNTERS")["gpu:0"]
out["slow"] = read(b, "SLOW")["gpu:0"]
out["missing"] = b.missing["gpu:0 power.instant"]
"""
    )
    out = run(tmp_path, body, script=script)
    assert out["fast"]["gpu.power"] == 100
    assert "too dear: 300 us" in out["missing"] and "mean" in out["missing"]
    assert "gpu.throttled.power.total" not in out["fast"]
    assert "gpu.throttled.power.total" in out["slow"]


def test_readings_carry_the_drivers_time_where_it_is_sane(tmp_path):
    body = (
        OPEN
        + """
import time
def stamps(shift):
    line(f"stamp {shift}")
    records = b.read(classes("GAUGES"))
    mine = [r for r in records if r.entity_id == "gpu:0"]
    power = next(r for r in mine if "power.instant" in r.fields)
    memory = next(r for r in mine if "memory.used" in r.fields)
    return [power.timestamp - memory.timestamp, power.wallclock - time.time(),
            memory.timestamp - clock.now]
out["late"], out["wrong"] = stamps(-0.25), stamps(-1e6)
"""
    )
    out = run(tmp_path, body)
    assert out["late"][0] == pytest.approx(-0.25, abs=0.1)
    assert out["late"][1] == pytest.approx(-0.25, abs=0.1)
    assert out["late"][2] == 0
    assert out["wrong"][0] == 0, "a stamp of another age is no time"


def test_nvlink_counters_are_summed_over_the_links_where_the_gpu_gives_no_sum(tmp_path):
    script = """
clock 10
gpu * nvlink_rx 1.8e9
gpu * nvlinks 6
gpu 1 field 139 not_supported
gpu 1 field 138 not_supported
gpu 1 field 204 integral nvlink_rx
gpu 1 field 202 integral nvlink_tx
"""
    out = run(tmp_path, OPEN + "out.update(read(b))", script=script)
    for gpu in ("gpu:0", "gpu:1"):
        assert out[gpu]["gpu.nvlink.rx.total"] == pytest.approx(1.8e10, rel=1e-6), gpu


def test_utilization_comes_from_the_drivers_buffer_with_every_burst_in_it(tmp_path):
    script = "clock 0.01\ngpu 0 util steps 0:10 0.5:90 0.6:10\ngpu 1 call not_supported nvmlDeviceGetSamples"
    body = (
        OPEN
        + """
out["first"] = read(b)["gpu:0"]
clock.now += 0.1
soon = b.read(classes("BUFFERED"))
out["soon"] = [r.entity_id for r in soon if "utilization.gpu" in r.fields]
line("clock 0.9")
clock.now += 0.8
records = [r for r in b.read(classes("BUFFERED")) if "utilization.gpu" in r.fields]
(record,) = [r for r in records if r.entity_id == "gpu:0"]
out["values"] = record.samples.fields["utilization.gpu"]
out["newest"] = [record.wallclock, record.fields]
out["kept"] = [record.samples.wallclocks[-1], {k: v[-1] for k, v in record.samples.fields.items()}]
out["read"] = [[e.metric, e.value] for e in translate([record]).readings]
stamps = record.samples.wallclocks
out["steps"] = [b - a for a, b in zip(stamps, stamps[1:])]
out["other"] = [r.fields["utilization.gpu"] for r in records if r.entity_id == "gpu:1"]
again = b.read(classes("BUFFERED"))
out["again"] = [r for r in again if r.entity_id == "gpu:0" and "utilization.gpu" in r.fields]
from tests.fakes import nvml
out["asked"] = nvml.counts(HERE).of("nvmlDeviceGetUtilizationRates", 0)
clock.now += 4
out["silent"] = read(b, "BUFFERED")["gpu:0"]["gpu.utilization"]
for _ in range(9):
    read(b, "BUFFERED")
out["tries"] = nvml.counts(HERE).of("nvmlDeviceGetSamples", 0)
"""
    )
    out = run(tmp_path, body, script=script)
    assert out["first"]["gpu.utilization"] == 0.1
    assert out["soon"] == ["gpu:1"], "a present value would lie among the samples still to come"
    assert 90 in out["values"] and set(out["values"]) == {10, 90}, "the burst of 0.1 s is seen"
    assert out["newest"] == out["kept"], "who does not look at the samples has the newest"
    names = ["gpu.utilization", "gpu.memory.utilization"]
    read = [each for each in out["read"] if each[0] == names[0]]
    assert read == [[names[0], value / 100] for value in out["values"]]
    assert len(out["read"]) == 2 * len(read)
    assert out["steps"] == pytest.approx([1 / 6] * len(out["steps"]), abs=0.01)
    assert len(out["other"]) == 1, "a GPU without the buffer is asked for the present value"
    assert out["again"] == [], "no sample comes twice"
    assert out["asked"] == 2, "once to find out, once before the first sample"
    assert out["silent"] == 0.1
    assert out["tries"] <= 16, "a buffer that stays empty is looked at no more"


def test_a_driver_that_gives_samples_again_is_read_like_any_other(tmp_path):
    script = (
        "clock 0.01\ngpu * util steps 0:10 0.3:90 0.4:10\ngpu 1 samples whole\ngpu 2 samples twice"
    )
    body = (
        OPEN
        + """
read(b)
for seconds in (0.55, 0.95):
    line(f"clock {seconds}")
    clock.now += 0.4
    for r in b.read(classes("BUFFERED")):
        if r.samples:
            out.setdefault(r.entity_id, []).append([r.samples.wallclocks, r.samples.fields])
"""
    )
    out = run(tmp_path, body, script=script, gpus=3)
    for gpu in ("gpu:0", "gpu:1", "gpu:2"):
        (early, first), (late, second) = out[gpu]
        assert early + late == sorted(set(early + late)), gpu
        assert first["utilization.gpu"][-2:] == [90, 10], gpu
        assert second["utilization.gpu"] == [10, 10], gpu


@pytest.mark.parametrize("code", ["not_found", "not_supported"])
def test_a_buffer_that_gives_nothing_leaves_its_field_to_the_present_value(tmp_path, code):
    script = f"clock 0.01\ngpu 0 util 40\ngpu 0 util_memory 20\ngpu 0 samples 2 {code}"
    body = (
        OPEN
        + """
read(b)
out["names"] = []
for second in range(1, 9):
    line(f"clock {0.01 + 0.1 * second}")
    clock.now += 1
    for r in b.read(classes("BUFFERED")):
        if r.entity_id != "gpu:0":
            continue
        given = {each.metric: each.value for each in translate([r]).readings}
        if "gpu.utilization" in given:
            assert r.samples and set(given) == {"gpu.utilization"}, r
        if "gpu.memory.busy" in given:
            out["names"].append([second, given["gpu.memory.busy"]])
from tests.fakes import nvml
out["samples"] = nvml.counts(HERE).of("nvmlDeviceGetSamples", 0)
"""
    )
    out = run(tmp_path, body, script=script)
    asked = [second for second, _ in out["names"]]
    assert {busy for _, busy in out["names"]} == {0.2}
    assert asked == list(range(1 if code == "not_supported" else 3, 9))
    assert out["samples"] <= 16, "a buffer that gives nothing is looked at no more"

"""What the driver says wrongly, or not at all, for a while is read again afterwards."""

import pytest

from tests.fakes.nvml.scenario import run

# Each runs a process of its own, and together they take long.
pytestmark = pytest.mark.slow

OPEN = """
b = backend()
b.open()
def look(seconds=1.0, entity="gpu:0"):
    clock.now += seconds
    line(f"clock {clock.now - 1000}")
    return read(b).get(entity, {})
def value(metric, *lines, seconds=1.0):
    line(*lines)
    return look(seconds).get(metric, "absent")
"""
RX = "gpu.pcie.rx.total"
ERRORS = "gpu.nvlink.errors.total"


@pytest.mark.parametrize("fallen", [5000, 0])
@pytest.mark.parametrize("before", [3_000_000_000, 5000, 9_000_000_000_000])
def test_a_byte_counter_that_is_reset_has_one_gap_and_goes_on(tmp_path, before, fallen):
    body = OPEN + (
        f"out['seen'] = [value({RX!r}), value({RX!r}, 'gpu 0 field 198 {fallen}'),"
        f" value({RX!r}), value({RX!r}, 'gpu 0 field 198 {fallen + 9}')]\n"
        "out['missing'] = b.missing.get('gpu:0 pcie.rx')\n"
    )
    out = run(tmp_path, body, script=f"clock 0\ngpu 0 field 198 {before}")
    gap = None if fallen < before else fallen
    assert out["seen"] == [before, gap, fallen, fallen + 9]
    assert out["missing"] is None


def test_a_byte_counter_of_a_gpu_that_was_lost_and_reset_goes_on(tmp_path):
    body = OPEN + (
        f"out['seen'] = [value({RX!r}), value({RX!r}, 'gpu 0 lost'),"
        f" value({RX!r}, 'gpu 0 back', 'gpu 0 field 198 5000', seconds=61), value({RX!r})]\n"
    )
    out = run(tmp_path, body, script="clock 0\ngpu 0 field 198 3000000000")
    assert out["seen"] == [3e9, "absent", 5000, 5000]


WRAPPING = (
    OPEN
    + f"""
high, low = "gpu 0 field 198 4200000000", "gpu 0 field 198 1000"
def told():
    return "32-bit" in b.missing.get("gpu:0 pcie.rx", "")
out["falls"] = []
for _ in range(3):
    value({RX!r}, high)
    out["falls"].append([value({RX!r}, low), told()])
line(low)
"""
)


def test_a_byte_counter_that_falls_again_and_again_from_near_32_bit_wraps(tmp_path):
    body = (
        WRAPPING
        + f"""
out["then"] = [value({RX!r}), told()]
# Asked again, it is not believed until it has not fallen for a while: here it falls.
out["trial"] = [value({RX!r}, high, seconds=61), value({RX!r}, low), value({RX!r}, high)]
out["told"] = told()
"""
    )
    out = run(tmp_path, body, script="clock 0\ngpu 0 field 198 1")
    assert out["falls"] == [[None, False], [None, False], [None, True]]
    assert out["then"] == ["absent", True]
    assert out["trial"] == ["absent"] * 3 and out["told"]


@pytest.mark.parametrize(("rises", "ticks"), [(1, 12), (5_000_000_000, 3)])
def test_a_byte_counter_that_was_taken_for_one_that_wraps_is_believed_again(tmp_path, rises, ticks):
    body = (
        WRAPPING
        + f"""
look(61)
out["waiting"] = [told(), look().get({RX!r}, "absent")]
for tick in range({ticks}):
    line(f"gpu 0 field 198 {{1000 + {rises} * (tick + 1)}}")
    out["last"] = look(100).get({RX!r}, "absent")
out["told"] = told()
"""
    )
    out = run(tmp_path, body, script="clock 0\ngpu 0 field 198 1")
    assert out["waiting"] == [True, "absent"]
    assert out["last"] == 1000 + rises * ticks
    assert not out["told"]


def test_a_counter_that_is_of_32_bit_for_a_while_is_read_again(tmp_path):
    body = OPEN + (
        f"out['seen'] = [value({RX!r}), value({RX!r}, 'gpu 0 field 198 type ull', seconds=61)]\n"
        "out['energy'] = [value('gpu.energy'), value('gpu.energy', 'gpu 0 field 83 type uint')]\n"
        "out['energy'] += [value('gpu.energy'), value('gpu.energy')]\n"
    )
    script = "clock 0\ngpu 0 field 198 7\ngpu 0 field 198 type uint\ngpu 0 field 83 9000000000"
    out = run(tmp_path, body, script=script)
    assert out["seen"] == ["absent", 7]
    whole, gap, call, _ = out["energy"]
    assert (whole, gap) == (9e6, None)
    assert call > 0, "the older call says it in 64 bits"


SUM = "gpu 0 field 163 10\ngpu 0 field 161 20\ngpu 0 field 162 30\nclock 0"


@pytest.mark.parametrize("code", ["not_supported", "no_data", "unknown", "no_permission"])
@pytest.mark.parametrize("part", [161, 162, 163])
def test_a_sum_without_one_of_its_parts_is_missing_with_the_reason(tmp_path, code, part):
    value = {163: 10, 161: 20, 162: 30}[part]
    body = OPEN + (
        "def both(*lines):\n"
        f"    return [value({ERRORS!r}, *lines), b.missing.get('gpu:0 nvlink.errors')]\n"
        f"out['seen'] = [both(), both('gpu 0 field {part} {code}'), both(),"
        f" both('gpu 0 field {part} {value}'), both()]\n"
    )
    seen = run(tmp_path, body, script=SUM)["seen"]
    why = "a part of the sum has no value now"
    assert seen == [[60, None], [None, why], [None, why], [60, None], [60, None]]


def test_a_part_that_never_was_there_stays_out_and_one_that_comes_is_no_growth(tmp_path):
    body = OPEN + (
        f"out['seen'] = [value({ERRORS!r}), value({ERRORS!r})]\n"
        "line('gpu 0 field 161 20')\n"
        f"out['come'] = [value({ERRORS!r}), value({ERRORS!r}, seconds=61), value({ERRORS!r})]\n"
    )
    out = run(tmp_path, body, script=f"{SUM}\ngpu 0 field 161 not_supported")
    assert out["seen"] == [40, 40]
    assert out["come"] == [40, None, 60]


def test_a_sum_whose_parts_come_one_after_the_other_begins_with_the_whole(tmp_path):
    body = OPEN + (
        f"out['seen'] = [value({ERRORS!r}), value({ERRORS!r}, 'gpu 0 field 161 20'), value({ERRORS!r})]\n"
    )
    assert run(tmp_path, body, script=f"{SUM}\ngpu 0 field 161 no_data")["seen"] == [
        "absent",
        60,
        60,
    ]


def test_a_sum_over_links_goes_on_with_the_links_there_are(tmp_path):
    metric = "gpu.nvlink.rx.total"
    body = OPEN + f"out['seen'] = [value({metric!r}, seconds=s) for s in (1, 1, 61, 1)]\n"
    script = "clock 0\ngpu 0 nvlinks 4\ngpu 0 field 139 not_supported\ngpu 0 field 204 8000\n"
    seen = run(tmp_path, body, script=script)["seen"]
    # The newer fields are tried in the third: their stand-in may have a gap there.
    assert [seen[0], seen[1], seen[3]] == [8000, 8000, 8000]


UNSAID = {
    "nvmlDeviceGetMaxClockInfo": "gpu.clock.sm.max",
    "nvmlDeviceGetTemperatureThreshold": "gpu.temperature.slowdown",
    "nvmlDeviceGetName": "name",
    "nvmlDeviceGetUUID": "uuid",
    "nvmlDeviceGetPciInfo": "bus_id",
    "nvmlDeviceGetMinorNumber": "minor",
    "nvmlDeviceGetCudaComputeCapability": "capability",
    "nvmlDeviceGetMaxPcieLinkWidth": "pcie_max",
    "nvmlDeviceGetMemoryInfo": "memory",
    "nvmlDeviceGetNumFans": "gpu.fan",
}
"""What is asked once, to what it gives."""


def test_what_a_gpu_did_not_say_of_itself_when_it_was_opened_is_asked_again(tmp_path):
    body = """
from tests.fakes import nvml
SLOW = frozenset({RateClass.SLOW})
FAST = frozenset({RateClass.GAUGES, RateClass.COUNTERS, RateClass.BUFFERED, RateClass.PROCESSES})
def passes(b, ticks):
    seen = set()
    for tick in range(ticks):
        clock.now += 1
        before = nvml.counts(HERE).of_gpu(0)
        records = b.read(FAST | SLOW if tick % 10 == 0 else FAST)
        out["most"] = max(out.get("most", 0), nvml.counts(HERE).of_gpu(0) - before)
        told = translate(records)
        seen |= {*told.labels.get("gpu:0", {})}
        seen |= {one.metric for one in told.readings if one.entity == "gpu:0"}
    return sorted(seen & set(UNSAID.values()))
line(f"gpu 0 call unknown {' '.join(UNSAID)}", "gpu 0 call unknown nvmlDeviceGetFanSpeed")
b = backend()
b.open()
out["first"] = passes(b, 59)
out["missing"] = [what for what in b.missing if what in WHAT]
line(f"gpu 0 call ok {' '.join(UNSAID)}")
passes(b, 2)
out["later"] = passes(b, 30)
out["again"] = passes(b, 70)
out["still"] = [what for what in b.missing if what in WHAT]
"""
    what = ("gpu:0 clock.sm.max", "gpu:0 temperature.slowdown", "gpu:0 fan.speed")
    out = run(
        tmp_path,
        f"UNSAID, WHAT = {UNSAID!r}, {what!r}\n{body}",
        latency_us=0,
        script="gpu * fans 2",
    )
    assert out["first"] == []
    assert len(out["missing"]) >= 2
    assert out["later"] == sorted(UNSAID.values())
    assert out["again"] == ["gpu.fan"], "it is told once"
    assert out["still"] == []
    assert out["most"] <= 10


@pytest.mark.parametrize("unsaid", ["nvmlDeviceGetUUID", "nvmlDeviceGetUUID nvmlDeviceGetPciInfo"])
def test_a_gpu_that_says_its_uuid_only_later_keeps_its_number(tmp_path, unsaid):
    body = (
        OPEN
        + f"""
def powers(seconds=61.0):
    clock.now += seconds
    records = b.read(ALL_CLASSES)
    errors = list(translate(records).errors)
    return [errors, {{e: v["gpu.power"] for e, v in tidy(records).items() if "gpu.power" in v}}]
out["first"] = powers()
line("gpu 0 call ok {unsaid}", "gpus 2")
out["two"] = powers()
out["then"] = powers(1)
b.close()
b.open()
out["again"] = powers(0)
"""
    )
    script = f"gpu 0 power 111000\ngpu 1 power 222000\ngpu 0 call unknown {unsaid}"
    out = run(tmp_path, body, gpus=1, script=script)
    assert out["first"] == [[], {"gpu:0": 111}]
    assert out["two"] == out["then"] == out["again"] == [[], {"gpu:0": 111, "gpu:1": 222}]


SAMPLES = (
    """
import time
began = time.time()
time.time = lambda: began + clock.now - 1000
"""
    + OPEN
    + """
def passes(ticks):
    most, values = 0, 0
    for _ in range(ticks):
        clock.now += 1
        line(f"clock {clock.now - 1000}")
        before = nvml.counts(HERE).of_gpu(0)
        records = b.read(ALL_CLASSES)
        most = max(most, nvml.counts(HERE).of_gpu(0) - before)
        for one in translate(records).readings:
            if (one.entity, one.metric) == ("gpu:0", "gpu.utilization"):
                values += not math.isnan(one.value)
    return [most, values]
from tests.fakes import nvml
asked = lambda: nvml.counts(HERE).of("nvmlDeviceGetSamples", 0)
"""
)


@pytest.mark.parametrize("code", ["not_found", "not_supported"])
def test_sample_buffers_that_were_given_up_are_looked_at_again(tmp_path, code):
    body = (
        SAMPLES
        + """
passes(5)
out["without"] = passes(50)
given_up = asked()
out["idle"] = [passes(3), asked() - given_up]
line("gpu 0 samples 1 ok", "gpu 0 samples 2 ok")
passes(9)
before = asked()
out["with"] = [passes(20), asked() - before]
"""
    )
    script = f"gpu 0 samples 1 {code}\ngpu 0 samples 2 {code}"
    out = run(tmp_path, body, gpus=1, latency_us=0, script=script)
    assert out["without"][1] == 50, "the present value is read all the while"
    assert out["idle"] == [[out["idle"][0][0], 3], 0]
    assert out["with"][0][1] > 20 * 5, "finer than it is asked for"
    assert out["with"][1] == 40, "both buffers are asked in each pass"
    assert max(out["without"][0], out["with"][0][0]) <= 10


def test_buffers_that_stay_empty_leave_no_gap_and_are_looked_at_rarely(tmp_path):
    body = SAMPLES + "passes(20)\nbefore = asked()\nout['seen'] = [passes(200), asked() - before]\n"
    script = "gpu 0 samples 1 not_found\ngpu 0 samples 2 not_found"
    (most, values), looks = run(tmp_path, body, gpus=1, latency_us=0, script=script)["seen"]
    assert values == 200
    assert most <= 10
    assert 0 < looks <= 4 * 5 * 2


@pytest.mark.parametrize(
    ("code", "split"), [("unknown", True), ("timeout", True), ("not_supported", False)]
)
def test_a_gpu_that_cannot_say_whether_it_is_split_is_what_it_was(tmp_path, code, split):
    body = (
        OPEN
        + f"""
def why():
    for _ in range(20):
        look()
    return b.missing.get("gpu:0 utilization.gpu")
out["before"] = why()
line("gpu 0 call {code} nvmlDeviceGetMigMode")
clock.now += 31
out["failing"] = [why(), "gpu:0/mig:1" in read(b, "GAUGES")]
"""
    )
    script = (
        "gpu 0 mig 1 0 1e10 1e9 1g.10gb\ngpu 0 call not_supported nvmlDeviceGetUtilizationRates\n"
    )
    out = run(tmp_path, body, latency_us=0, script=script)
    assert out["before"] == "n/a (MIG)"
    assert (out["failing"] == ["n/a (MIG)", True]) is split


def test_what_is_missing_for_a_while_says_why_for_as_long_as_it_is(tmp_path):
    body = OPEN + (
        "def both(*lines):\n"
        "    return [value('gpu.throttled.power.total', *lines), b.missing.get('gpu:0 throttled.power')]\n"
        "out['seen'] = [both(), both('gpu 0 field 74 no_data'), both('gpu 0 field 74 5e9')]\n"
    )
    seen = run(tmp_path, body, script="gpu 0 field 74 3e9")["seen"]
    assert seen == [[3, None], [None, "the driver has no value of it now"], [5, None]]

"""What watching costs the kernel. Times are printed; counts are what a test fails on."""

import json
import statistics
import time
from contextlib import suppress
from itertools import pairwise
from queue import Empty

import psutil
import pytest

from tests.fakes import nvml

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

SPENT = """
import time, json
time.sleep({settle})
cpu, wall = time.process_time(), time.perf_counter()
time.sleep({seconds})
print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]))
"""


def cores(kernel, seconds=8.0, settle=3.0):
    spent, wall = json.loads(kernel.run(SPENT.format(seconds=seconds, settle=settle)))
    return spent / wall


TICKS = """
sampler = mon._hub.sender._session.samplers['nvml']
def timed(call, taken):
    def timing(*arguments):
        begun = time.thread_time()
        given = call(*arguments)
        taken.append(time.thread_time() - begun)
        return given
    return timing
ticks, drains = [], []
sampler._pass, sampler.drain = timed(sampler._pass, ticks), timed(sampler.drain, drains)
"""


def reading(kernel):
    """CPU seconds of the thread that reads the GPUs, how many ticks it made, those of each, and
    those of making rows of what was read, which the flusher does."""
    said = "[sampler.status.cost_s, sampler.status.passes, ticks, drains]"
    return json.loads(kernel.run(f"print({said})"))


@pytest.mark.parametrize(
    ("interval", "budget", "settle", "seconds"), [(1.0, 0.01, 12.0, 20.0), (0.1, 0.03, 2.0, 8.0)]
)
def test_watching_eight_gpus_costs_little_and_asks_the_driver_little(  # noqa: PLR0917
    kernel, interval, budget, settle, seconds, tmp_path, capsys
):
    running = kernel(gpus=8, latency_us=0)
    without = cores(running, seconds=4.0, settle=1.0)
    running.run(f"import pulse_widgets as pw; mon = pw.monitor(interval={interval}); display(mon)")
    # What is read rarely comes up the first time, and fields are tried, within some readings.
    cores(running, seconds=0.1, settle=settle)
    running.run(TICKS)
    # In this order: a reading between two looks counts as one that asked nothing.
    began = reading(running)
    before, sent = nvml.counts(tmp_path / "nvml"), len(running.of("comm_msg"))

    with_it = cores(running, seconds, settle=0.0)

    after = nvml.counts(tmp_path / "nvml")
    state = json.loads(running.run("import json; print(json.dumps(mon._hub._provider.state()))"))
    ended = reading(running)
    thread, passes = (b - a for a, b in zip(began[:2], ended[:2], strict=True))
    ticks, drains = (b[len(a) :] for a, b in zip(began[2:], ended[2:], strict=True))
    spent, made = sum(ticks), sum(drains)
    middle = statistics.median(ticks) + made / passes
    calls = (after.of_gpu(0) - before.of_gpu(0)) / passes
    driver = after.spent_s - before.spent_s
    messages = (len(running.of("comm_msg")) - sent) / seconds
    with capsys.disabled():
        print(
            f"\n{interval} s, 8 GPUs: {100 * (with_it - without):.2f} % of a core "
            f"(budget {100 * budget:.0f} %), says itself {100 * (state['cost']['cores'] or 0):.2f} %, "
            f"{calls:.1f} driver calls a GPU a tick, {messages:.1f} messages a second, "
            f"a tick of the GPUs {1000 * (spent + made - driver) / passes:.2f} ms of our own on "
            f"average (budget 1 ms; the median tick {1000 * (middle - driver / passes):.2f}), of "
            f"which {1000 * made / passes:.2f} make rows; {1000 * driver / passes:.2f} in the driver, "
            f"{1000 * (thread - spent) / passes:.2f} to wake"
        )
    assert calls <= 10
    assert messages <= 20
    assert after.of("nvmlDeviceGetPcieThroughput", 0) == 0
    assert state["cost"]["dropped"] == 0


def sent_bytes(kernel):
    """Return the bytes of all that was sent to a page so far."""
    return sum(len(buffer) for message in kernel.of("comm_msg") for buffer in message["buffers"])


def at_rest(kernel, seconds):
    """Return the cores that a kernel takes while no cell runs."""
    process = psutil.Process(kernel.manager.provisioner.pid)
    began, before = time.monotonic(), process.cpu_times()
    while (left := began + seconds - time.monotonic()) > 0:
        with suppress(Empty):
            kernel.next(min(left, 1.0))
    after, wall = process.cpu_times(), time.monotonic() - began
    return (after.user + after.system - before.user - before.system) / wall


@pytest.mark.parametrize(("interval", "seconds"), [(1.0, 20.0), (0.1, 16.0)])
def test_a_kernel_at_rest_sends_less_than_one_that_runs_a_cell(kernel, interval, seconds, capsys):
    running = kernel(gpus=8, latency_us=0)
    running.run(f"import pulse_widgets as pw; mon = pw.monitor(interval={interval}); display(mon)")
    cores(running, seconds=0.1, settle=10.0)

    def told():
        return len(running.packets("keyframe")), sent_bytes(running)

    counted = [told()]
    busy = cores(running, seconds, settle=0.0)
    counted.append(told())
    rest = at_rest(running, seconds)
    counted.append(told())

    (in_cell, in_cell_bytes), (resting, resting_bytes) = (
        tuple(b - a for a, b in zip(*pair, strict=True)) for pair in pairwise(counted)
    )
    with capsys.disabled():
        print(
            f"\n{interval} s, 8 GPUs: in a cell {100 * busy:.2f} % of a core, {in_cell} keyframes, "
            f"{in_cell_bytes / seconds / 1e3:.1f} kB/s; at rest {100 * rest:.2f} %, {resting} keyframes, "
            f"{resting_bytes / seconds / 1e3:.1f} kB/s"
        )
    assert resting < in_cell
    # Ten times a second the frames are nearly all, and no two stretches have the same readings.
    assert interval < 1 or resting_bytes < in_cell_bytes


def test_more_views_cost_no_driver_call_and_no_message(kernel, tmp_path):
    running = kernel(gpus=2, latency_us=0)
    running.run("import pulse_widgets as pw; mon = pw.monitor(interval=0.5); display(mon)")
    counted = []
    for _ in range(2):
        cores(running, seconds=0.1, settle=1.0)
        before, sent = nvml.counts(tmp_path / "nvml").total, len(running.of("comm_msg"))
        cores(running, seconds=6.0, settle=0.0)
        counted.append(
            (nvml.counts(tmp_path / "nvml").total - before, len(running.of("comm_msg")) - sent)
        )
        running.run("views = [mon.view('strip') for _ in range(5)]; [display(v) for v in views]")

    (calls, messages), (calls_of_six, messages_of_six) = counted
    assert calls > 0
    assert messages > 0
    assert calls_of_six <= calls * 1.5
    assert messages_of_six <= messages * 1.5


def test_logging_costs_about_a_microsecond_and_a_million_values_arrive(kernel, capsys):
    running = kernel()
    out = running.run(
        "import pulse_widgets as pw, time, json\n"
        "from pulse_widgets import log\n"
        "pw.log({'loss': 0.5}, step=0)\n"
        "time.sleep(1)\n"
        "values, clock, taken = {'loss': 0.5}, time.perf_counter_ns, []\n"
        "for i in range(100_000):\n"
        "    a = clock(); log(values, step=i); taken.append(clock() - a)\n"
        "taken.sort()\n"
        "def nothing(values, step=None): pass\n"
        "empty = []\n"
        "for i in range(100_000):\n"
        "    a = clock(); nothing(values, step=i); empty.append(clock() - a)\n"
        "empty.sort()\n"
        "began = time.perf_counter()\n"
        "for i in range(1_000_000): log(values, step=i)\n"
        "burst = time.perf_counter() - began\n"
        "rec = pw.stop()\n"
        "rows = int(rec.series.query(\"metric == 'loss'\")['rows'].iloc[0])\n"
        "print(json.dumps([taken[50_000], taken[99_000], empty[50_000], burst, rows]))"
    )
    median, rare, empty, burst, rows = json.loads(out)
    with capsys.disabled():
        print(
            f"\npw.log: median {median} ns, {median / empty:.1f} times a call that does nothing, "
            f"99th percentile {rare} ns, "
            f"a million in {burst:.2f} s, {rows} rows recorded"
        )

    assert rows == 1_100_001


@pytest.mark.parametrize("loaded", ["math", "numpy"], ids=["a-bare-kernel", "numpy-is-loaded"])
def test_the_first_reading_is_taken_at_once(kernel, capsys, loaded):
    running = kernel()
    running.run(f"import {loaded}")
    delay, made = json.loads(
        running.run(
            "import pulse_widgets as pw, time, json\n"
            "called = time.time()\n"
            "mon = pw.monitor('system')\n"
            "made = time.time() - called\n"
            "time.sleep(2)\n"
            "first = mon.stop().select('memory.used').values()[0][0]\n"
            "print(json.dumps([first.astype(int) / 1e6 - called, made]))"
        )
    )
    peer = kernel().run("import time; a = time.time(); import pandas; print(time.time() - a)")
    pandas = float(peer)
    with capsys.disabled():
        print(
            f"\nfirst reading {1000 * delay:.0f} ms after the first call of a process that has "
            f"loaded {loaded} (budget 150 ms); the call itself, imports included, "
            f"{1000 * made:.0f} ms, {made / pandas:.2f} times what importing pandas takes"
        )

    assert 0 <= delay < 2

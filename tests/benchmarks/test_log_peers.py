"""`pw.log` beside well-known loggers of metrics: counts are gated, times are printed.

Each in a process of its own, offline, one after the other in one run. Each gets its quickest way to
log a number, without its own readings of the machine.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.fakes import nvml

pytestmark = [pytest.mark.slow]

HEAD = """
import gc, glob, json, os, sqlite3, struct, sys, time
clock, values, place = time.perf_counter_ns, {'loss': 0.5}, sys.argv[1]
CALLS, PACED, FLOOD = 10_000, 1_000, 20_000
def middle(taken): return sorted(taken)[len(taken) // 2]
def rare(taken): return sorted(taken)[-1 - len(taken) // 1000]
"""
TIMED = """
taken, paced = [], []
for i in range(CALLS):
    begun = clock(); {call}; taken.append(clock() - begun)
for i in range(CALLS, CALLS + PACED):
    time.sleep(0.001)
    begun = clock(); {call}; paced.append(clock() - begun)
begun = clock()
for i in range(CALLS + PACED, CALLS + PACED + FLOOD): {call}
flood = (clock() - begun) / FLOOD
"""
SAY = "print('\\n' + json.dumps([middle(taken), rare(paced), flood, rows]))"
WHOLE = 10_000 + 1_000 + 20_000

OURS = (
    """
import pulse_widgets as pw
{watch}
from pulse_widgets import log
log(values); time.sleep(1)
"""
    + TIMED.replace("{call}", "log(values, step=i)")
    + """
def nothing(data, step=None, *, time=None): pass
empty = []
for i in range(CALLS):
    begun = clock(); nothing(values, step=i); empty.append(clock() - begun)
rec = pw.stop()
rows = int(rec.series.set_index('metric')['rows']['loss']) - 1
print('\\n' + json.dumps([middle(taken), rare(paced), flood, rows, middle(empty)]))
"""
)
PEERS = {
    "trackio": (
        "import trackio\n"
        "run = trackio.init(project='p', embed=False, auto_log_gpu=False, auto_log_cpu=False)\n"
        "log = run.log\n" + TIMED.replace("{call}", "log(values, step=i)") + "trackio.finish()\n"
        "(name,) = glob.glob(place + '/*.db')\n"
        "rows = sqlite3.connect(name).execute('select count(*) from metrics').fetchone()[0]\n"
    ),
    "tensorboardX": (
        "import tensorboardX\n"
        "writer = tensorboardX.SummaryWriter(place)\n"
        "log = writer.add_scalar\n"
        + TIMED.replace("{call}", "log('loss', 0.5, i)")
        + "writer.close()\n"
        "(name,) = glob.glob(place + '/events*')\n"
        "content, at, rows = open(name, 'rb').read(), 0, -1\n"  # the first says the version
        "while at < len(content):\n"
        "    at += 16 + struct.unpack_from('<Q', content, at)[0]; rows += 1\n"
    ),
    "wandb": (
        "import wandb\n"
        "settings = wandb.Settings(x_disable_stats=True, x_disable_meta=True, console='off')\n"
        "run = wandb.init(project='p', mode='offline', dir=place, settings=settings)\n"
        "log = run.log\n" + TIMED.replace("{call}", "log(values, step=i)") + "run.finish()\n"
        "rows = None\n"
    ),
}
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_ERROR_REPORTING": "false",
}


def measured(code, place, **environ):
    """Return the last line that a program prints."""
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code, str(place)],
        env={
            **os.environ,
            **OFFLINE,
            "PULSE_HOME": str(place),
            "TRACKIO_DIR": str(place),
            **environ,
        },
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_logging_a_number_beside_other_loggers(tmp_path, capsys):
    for name in PEERS:
        pytest.importorskip(name, reason="a peer is not installed: pip install '.[bench]'")
    fakes = nvml.environment(tmp_path / "nvml", gpus=8, latency_us=50)
    ours = measured(OURS.replace("{watch}", ""), tmp_path / "ours")
    watched = measured(OURS.replace("{watch}", "pw.monitor()"), tmp_path / "watched", **fakes)
    found = {name: measured(code + SAY, tmp_path / name) for name, code in PEERS.items()}

    lines = [told("pw.log", ours), told("with a monitor of 8 GPUs", watched)]
    lines += [told(name, one) for name, one in found.items()]
    fastest = min(one[0] for one in found.values())
    with capsys.disabled():
        print("\n" + "\n".join(lines))
        print(
            f"pw.log takes 1/{fastest / ours[0]:.0f} of the fastest of them, "
            f"1/{fastest / watched[0]:.0f} with a monitor; {ours[0] / ours[4]:.1f} times an empty "
            f"function, {watched[0] / watched[4]:.1f} with a monitor"
        )

    assert ours[3] == watched[3] == found["trackio"][3] == found["tensorboardX"][3] == WHOLE


def told(name, one):
    return (
        f"{name}: median {one[0] / 1000:.2f} us, rare (1 in 1000, idle) {one[1] / 1000:.0f} us, "
        f"mean of a flood {one[2] / 1000:.2f} us"
    )


FLOODS = """
import pulse_widgets as pw
from pulse_widgets import log, log_batch
import numpy as np
{watch}
ten = {{f'm{{i}}': 0.5 for i in range(10)}}
log(values, step=0); log(ten, step=0); time.sleep(1)
found = {{}}
def flood(name, given, calls):
    begun = time.perf_counter()
    for i in range(calls): log(given, step=i)
    found[name] = (time.perf_counter() - begun) / calls * 1e6
flood('one', values, 1_000_000)
flood('ten', ten, 300_000)
batch = {{f'b{{i}}': np.random.rand(100_000) for i in range(10)}}
begun = time.perf_counter()
for i in range(10): log_batch(batch, steps=np.arange(100_000))
found['batch'] = 10e6 / (time.perf_counter() - begun) / 1e6
work = list(range(20_000))
def steps(count, then):
    begun = time.perf_counter()
    for i in range(count): sum(work); then(values, step=i)
    return time.perf_counter() - begun
def nothing(values, step): pass
pairs = [(steps(1_000, nothing), steps(1_000, log)) for _ in range(11)]
found['step'] = 1e3 * middle([a for a, _ in pairs])
found['slower'] = 100 * (middle([b / a for a, b in pairs]) - 1)
rec = pw.stop()
rows = rec.series.set_index('metric')['rows']
print('\\n' + json.dumps([found, [int(rows[name]) for name in ('loss', 'm0', 'm9', 'b0', 'b9')]]))
"""


@pytest.mark.parametrize(
    "watch", ["", "pw.monitor('system', gpus='none')"], ids=["alone", "watched"]
)
def test_a_flood_is_recorded_whole(watch, tmp_path, capsys):
    found, rows = measured(FLOODS.format(watch=watch), tmp_path / "flood")

    with capsys.disabled():
        print(
            f"\nfloods{' with a monitor' if watch else ''}: {found['one']:.2f} us each with "
            f"one metric, {found['ten']:.2f} with ten; log_batch {found['batch']:.1f} million values "
            f"a second; a loop with a step of {found['step']:.0f} us and one call a step is "
            f"{found['slower']:.2f} % slower"
        )
    assert rows == [1_000_001 + 11_000, 300_001, 300_001, 1_000_000, 1_000_000]

"""A saved view of any machine, after any time, shows first what is seen first, in full detail."""

import base64

import numpy as np
import pytest

from pulse_widgets.exchange.bundle import OUTPUT_BYTES
from pulse_widgets.exchange.fitting import FIGURES, SHOWN_FIRST, fit
from pulse_widgets.series.wire import keyframe
from tests.exchange.scene import Scene
from tests.exchange.test_bundle import header_of

HTML_BYTES = 60_000
GPU = (
    "utilization", "memory.used", "memory.total", "power", "power.limit", "temperature",
    "temperature.slowdown", "sm.active", "tensor.active", "dram.active", "clock.sm", "clock.memory",
    "pcie.rx", "pcie.tx", "nvlink.rx", "nvlink.tx", "fan.speed", "memory.activity",
)  # fmt: skip
HOST = (
    "cpu.utilization", "cpu.user", "cpu.system", "memory.used", "memory.total", "memory.available",
    "disk.read", "disk.write", "net.received", "net.sent",
)  # fmt: skip
STEADY = {"memory.total", "power.limit", "temperature.slowdown", "clock.memory"}


def reading(rng: np.random.Generator, name: str, samples: int) -> np.ndarray:
    """Busy in the way GPUs are: readings are whole percents, watts to a tenth, whole degrees."""
    if name in STEADY:
        return np.full(samples, 80e9)
    if name.endswith("temperature"):
        return 60.0 + np.cumsum(rng.integers(-1, 2, samples)) % 9
    if name.endswith("memory.used"):
        return 2e6 * np.round(2e4 + 50 * np.cumsum(rng.random(samples) < 0.1))
    if name.endswith("power"):
        return np.round(rng.normal(500, 40, samples), 1)
    return rng.integers(0, 100, samples) / 100


def machine(gpus: int, samples: int, interval_s: float) -> Scene:
    rng, made = np.random.default_rng(gpus), Scene(interval_s)

    for gpu in range(gpus):
        made.label(f"gpu:{gpu}", name="NVIDIA H200", uuid=f"GPU-{gpu:036}")
        for name in GPU:
            made.add(f"gpu:{gpu}", f"gpu.{name}", reading(rng, name, samples))
    for name in HOST:
        made.add("host", name, reading(rng, name, samples))
    for core in range(32):
        made.add(f"cpu:{core}", "cpu.utilization", rng.integers(0, 100, samples) / 100)
    for name in ("process.cpu", "process.memory.rss"):
        made.add("kernel", name, reading(rng, name, samples))
    for name in ("train/loss", "val/loss", "lr"):
        made.add("user", name, rng.random(samples))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("gpus", [0, 1, 8, 64])
@pytest.mark.parametrize(
    ("samples", "interval_s"),
    [(10, 1.0), (46, 1.0), (60, 1.0), (3600, 1.0), (100, 0.1), (600, 0.1)],
)
def test_what_is_seen_first_has_two_hundred_buckets_or_one_a_sample(gpus, samples, interval_s):
    made = machine(gpus, samples, interval_s)

    screen, header = fit(made.screen(), header_of(made), OUTPUT_BYTES - HTML_BYTES)

    packet = keyframe(0, screen, **header)
    assert len(base64.b64encode(packet)) <= OUTPUT_BYTES - HTML_BYTES
    first = {
        s["id"]
        for s in made.series
        if (s["metric"] in FIGURES or s["metric"] in SHOWN_FIRST or s["entity"] == "user")
        and not s["entity"].startswith("cpu:")
    }
    assert first <= {s["id"] for s in header["series"]}
    seen = (screen.low <= screen.high)[np.isin(screen.ids, [*first])]
    assert seen.sum(axis=1).min() >= min(samples, 200) * 0.95
    left = len(made.series) - len(header["series"])
    told = [source["name"] for source in header["state"]["sources"]]
    assert (left > 0) == ("saved output" in told)

"""The job that the pictures show: what it does, and what eight GPUs do meanwhile."""

from __future__ import annotations

import numpy as np

GPUS, HOT_GPU = 8, 5
LASTS_S, STEP_S = 48.0, 0.8
"""How long the job is described, and how finely; a line of the script takes 61 steps."""
READY_S, VALIDATES, HOT_S = 6, (24, 28), 14
FAR_S = 44
"""Second of the job at which the pictures are taken."""

JOB = f"""
import math, time
import pulse_widgets as pw

def load():
    # More readings than one a second: the pictures are of a short time.
    pw.monitor(interval=0.5)
    time.sleep({READY_S})

def train():
    pw.monitor().mark("training")
    for step in range(1000):
        loss = 2 * math.exp(-step / 180) + 0.12 * math.sin(step * step)
        noise = math.sin(step * 12.9898) * 43758.5453 % 1
        norm, speed = 0.8 + 0.5 * noise, 36000 + 400 * noise
        pw.log({{"train/loss": loss + 0.4, "grad_norm": norm, "tokens/s": speed}}, step=step)
        if step % 20 == 0:
            pw.log({{"val/loss": 2 * math.exp(-step / 210) + 0.6}}, step=step)
        time.sleep(0.05)

def evaluate():
    time.sleep(5)
"""


def script() -> str:
    """Return what the GPUs do, second by second, as the stand-in is told it."""
    random = np.random.default_rng(5)
    time = np.arange(0, LASTS_S, STEP_S)
    busy = np.where(time < READY_S, 0.0, 0.95)
    busy[(time >= VALIDATES[0]) & (time < VALIDATES[1])] = 0.6
    lines = []
    for gpu in range(GPUS):
        hot = (time >= HOT_S) & (gpu == HOT_GPU)
        use = np.clip(busy + random.normal(0, 0.015, len(time)) * (busy > 0), 0, 1)
        watts = 90 + use * (540 - 8 * gpu) + random.normal(0, 7, len(time)) * (use > 0)
        watts -= np.where(hot, 170, 0) * use
        heat = _lag(np.where(busy > 0, 62 + 0.8 * gpu, 34) + np.where(hot, 24 - 0.2 * gpu, 0), 0.12)
        throttled = hot & (heat > 84)
        told = {
            "util": use * 100,
            "power": watts * 1000,
            "temperature": heat,
            "clock_sm": np.where(use > 0, 1950 - np.where(throttled, 600, 0), 345),
            "throttled": np.where(throttled, 0.6, 0),
            "memory_used": _lag(np.where(busy > 0, 63 + gpu / 2, 3), 0.3) * 2**30,
        }
        for name, values in told.items():
            pairs = (f"{at:g}:{value:.6g}" for at, value in zip(time, values, strict=True))
            lines.append(f"gpu {gpu} {name} steps {' '.join(pairs)}")
        lines.append(f"gpu {gpu} process self 6e10")
    return "\n".join(lines)


def _lag(target: np.ndarray, share: float) -> np.ndarray:
    """Return values that go towards `target` by a share of what is left, each time."""
    values, now = [], float(target[0])
    for one in target:
        now += share * (float(one) - now)
        values.append(now)
    return np.array(values)

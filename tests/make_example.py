"""Makes the recording that ships with the package: ``python -m tests.make_example``.

Six minutes of a training job on eight GPUs, all of it simulated. The same rows every time:
warming up, training, two validations, a checkpoint, a GPU that becomes too hot and holds the
others up, a driver that is silent for a while, and one sample that stands out.
"""

from __future__ import annotations

import json
import math
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from pulse_widgets.library.recording import Recording
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.directory import RUN, RunInfo
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.writer import Writer

EXAMPLE = Path(__file__).parents[1] / "pulse_widgets/examples/simulated-8gpu.pulse.parquet"
TITLE = "Simulated: training on 8 GPUs"
START_US = 1_790_000_000_000_000
GPUS, CORES, SECONDS = 8, 16, 360
STEP_S = 0.75
MEMORY = 80 * 2**30
READY, CHECKPOINT, HOT = 34, 190, 250
VALIDATIONS = ((140, 152), (300, 312))
SILENT_GPU, SILENT = 3, (96, 118)
SPIKE_GPU, SPIKE = 6, 221
HOT_GPU = 5


class Job:
    """What each part of the machine does in each second."""

    def __init__(self, seed: int = 8) -> None:
        self.random = np.random.default_rng(seed)
        self.time = np.arange(SECONDS)

    def noise(self, scale: float) -> np.ndarray:
        return self.random.normal(0.0, scale, SECONDS)

    def between(self, first: float, last: float) -> np.ndarray:
        return (self.time >= first) & (self.time < last)

    @cached_property
    def training(self) -> np.ndarray:
        busy = self.time >= READY
        for first, last in (*VALIDATIONS, (CHECKPOINT, CHECKPOINT + 7)):
            busy &= ~self.between(first, last)
        return busy

    @cached_property
    def validating(self) -> np.ndarray:
        return self.between(*VALIDATIONS[0]) | self.between(*VALIDATIONS[1])

    @cached_property
    def load(self) -> np.ndarray:
        """How hard the GPUs work together, 0 to 1."""
        level = np.where(self.training, 0.96, np.where(self.validating, 0.62, 0.0))
        return np.where((self.time >= HOT) & self.training, level * 0.86, level)

    def gpu(self, index: int) -> dict[str, np.ndarray]:
        hot = (self.time >= HOT) & (index == HOT_GPU)
        use = np.clip(self.load + np.where(hot, 0.13, 0) * self.training + self.noise(0.012), 0, 1)
        use[self.load == 0] = 0
        power = 92 + use * (560 - 9 * index) + self.noise(6) * (use > 0) + self.noise(0.4)
        power = np.where(hot & self.training, power - 150, power)
        if index == SPIKE_GPU:
            power[SPIKE] = 698.0
        # Its cooling gives way a little before it slows itself down.
        worse = np.clip((self.time - HOT + 40) / 30, 0, 1) * (index == HOT_GPU)
        heat = self.heat(power, 31 + index * 0.6, 0.068 + 0.058 * worse)
        clock = np.where(use > 0, 1965 - 15 * np.round(use * 2), 345.0)
        clock = np.where(hot & (use > 0), 1125 + 15 * np.round(self.noise(2)), clock)
        held = np.where(self.time < 12, 0.6, np.where(self.time < READY, 31.0, 66.5))
        held = held + self.training * (1.5 * np.sin(self.time / 3 + index)) + index * 0.02
        return {
            "gpu.utilization": np.round(use, 2),
            "gpu.memory.used": np.round(held * 2**30 / 2**21) * 2**21,
            "gpu.memory.busy": np.round(
                np.clip(use * 0.58 + self.noise(0.02) * (use > 0), 0, 1), 2
            ),
            "gpu.power": np.round(np.clip(power, 60, 700)),
            "gpu.temperature": np.round(heat),
            "gpu.clock.sm": clock * 1e6,
            "gpu.pcie.rx.total": self.total(use * 2.6e9 + 4e6),
            "gpu.pcie.tx.total": self.total(use * 0.9e9 + 1e6),
            "gpu.nvlink.rx.total": self.total(self.training * use * 139e9),
            "gpu.nvlink.tx.total": self.total(self.training * use * 141e9),
            "gpu.energy": np.round(np.cumsum(np.clip(power, 60, 700)) + 5e6 + index * 1e5, 1),
            "gpu.throttled.thermal.total": np.cumsum(np.where(hot & self.training, 0.55, 0.0)),
        }

    def heat(self, power: np.ndarray, rest: float, degrees_a_watt: np.ndarray) -> np.ndarray:
        heat = np.empty(SECONDS)
        now = rest + power[0] * 0.05
        for second, degrees in enumerate(power * degrees_a_watt):
            now += (rest + degrees - now) / 25
            heat[second] = now
        return heat

    def total(self, rate: np.ndarray, grain: int = 2**20) -> np.ndarray:
        """Return a counter that grows at a rate, in steps a driver would show."""
        wobble = 1 + 0.05 * self.random.standard_normal(SECONDS)
        return np.round(np.cumsum(rate * wobble) / grain) * grain

    def host(self) -> dict[tuple[str, str], np.ndarray]:
        reading = np.where(self.time < READY, 1.9e9, np.where(self.training, 2.4e8, 6e8))
        writing = np.where(self.between(CHECKPOINT, CHECKPOINT + 7), 3.1e9, 2e5)
        busy = np.where(self.training, 5.2, np.where(self.time < READY, 13.4, 7.1)) + self.noise(
            0.3
        )
        used = np.where(self.time < READY, 30 + self.time * 1.9, 96.0) * 2**30
        found = {
            ("host", "cpu.user.total"): np.round(np.cumsum(busy * 0.9) / CORES, 2),
            ("host", "cpu.system.total"): np.round(np.cumsum(busy * 0.1) / CORES, 2),
            ("host", "cpu.utilization"): np.round(busy / CORES, 4),
            ("host", "memory.used"): np.round((used + self.noise(0.05) * 2**30) / 2**20) * 2**20,
            ("host", "disk.read.total"): self.total(reading),
            ("host", "disk.write.total"): self.total(writing, 2**12),
            ("host", "net.received.total"): self.total(np.full(SECONDS, 3.2e5), 2**10),
            ("host", "net.sent.total"): self.total(self.training * 1.1e6 + 5e4, 2**10),
            ("kernel", "process.cpu.total"): np.round(np.cumsum(busy * 0.93), 2),
            ("kernel", "process.memory.rss"): np.round(used * 0.55 / 2**20) * 2**20,
        }
        for core in range(CORES):
            turn = 0.5 + 0.5 * np.sin(self.time / 17 + core)
            share = np.clip(busy / CORES * (0.6 + 0.8 * turn) + self.noise(0.03), 0, 1)
            found[f"cpu:{core}", "cpu.utilization"] = np.round(share, 2)
        return found


class Maker:
    """Writes the job with the writer that a session uses."""

    def __init__(self, directory: Path) -> None:
        self.registry = Registry()
        directory.mkdir()
        run = RunInfo(
            "51" * 16, START_US, about={"title": TITLE, "simulated": True, "interval": 1.0}
        )
        (directory / RUN).write_text(run.encode())
        self.writer = Writer(
            directory, self.registry, host_name="h0", start_us=START_US, reserve=Reserve(0, 0.0)
        )
        self.blocks: list[Rows] = []

    def series(self, entity: str, metric: str, kind: str = "", unit: str = "") -> int:
        known = lookup(metric)
        if known is not None:
            kind, unit = known.kind.stored, known.unit
        return self.registry.add("h0", entity, metric, unit=unit, kind=kind or "gauge")

    def add(self, entity: str, metric: str, seconds, values, steps=None) -> None:
        times = START_US + np.round(np.asarray(seconds) * 1e3).astype(np.int64) * 1000
        ids = [self.series(entity, metric)] * len(times)
        self.blocks.append(Rows.of(ids, times, values, steps))

    def say(
        self, entity: str, metric: str, kind: str, said: list[tuple[float, float, dict]]
    ) -> None:
        ids = [self.series(entity, metric, kind)] * len(said)
        times = [START_US + round(second * 1e6) for second, _, _ in said]
        texts = [json.dumps(content) for _, _, content in said]
        self.blocks.append(
            Rows.of(ids, times, [value for _, value, _ in said], [NO_STEP] * len(said), texts)
        )

    def finish(self) -> None:
        rows = Rows.concat(self.blocks)
        order = np.argsort(rows.time, kind="stable")
        texts = [rows.text[k] for k in order] if rows.text is not None else None
        self.writer.append(
            Rows(rows.series[order], rows.time[order], rows.step[order], rows.value[order], texts)
        )
        self.writer.describe({"h0": labels()})
        self.writer.close()


def labels() -> dict[str, dict[str, str]]:
    """Return what is known of each part of the simulated machine."""
    found = {
        f"gpu:{k}": {"name": "Simulated GPU 80 GB", "uuid": f"GPU-simulated-{k}"}
        for k in range(GPUS)
    }
    found["host"] = {"os": "simulated", "cpu": "Simulated CPU", "cores": str(CORES)}
    return found


def machine(job: Job, maker: Maker) -> None:
    """Write the readings of the machine, one a second, each GPU a little after the other."""
    for index in range(GPUS):
        silent = job.between(*SILENT) if index == SILENT_GPU else np.zeros(SECONDS, bool)
        # A reading that is missing is one row where it begins, and then none.
        kept = ~silent | (job.time == SILENT[0])
        for metric, values in job.gpu(index).items():
            read = np.where(silent, math.nan, values)[kept]
            maker.add(f"gpu:{index}", metric, job.time[kept] + 0.002 * index, read)
        for metric, value in (("gpu.memory.total", MEMORY), ("gpu.power.limit", 700.0)):
            maker.add(f"gpu:{index}", metric, [0.0], [float(value)])
    for (entity, metric), values in job.host().items():
        maker.add(entity, metric, job.time, values)
    maker.add("host", "memory.total", [0.0], [256 * 2.0**30])
    maker.add("host", "cpu.count", [0.0], [float(CORES)])


def training(job: Job, maker: Maker) -> None:
    """Write what the training itself logs, with its steps."""
    seconds = np.arange(READY, SECONDS - 4, STEP_S)
    seconds = seconds[job.training[seconds.astype(int)]]
    steps = np.arange(len(seconds))
    wobble = job.random.normal(0, 0.03, len(steps))
    loss = 2.1 + 8.6 * np.exp(-steps / 70) + wobble * (1 + 2 * np.exp(-steps / 40))
    tokens = np.where(seconds >= HOT, 354_000, 412_000) * job.random.normal(1, 0.004, len(steps))
    rate = np.minimum(1, (steps + 1) / 60) * 3e-4 * (0.55 + 0.45 * np.cos(steps / 420 * math.pi))
    maker.add("user", "train/loss", seconds, np.round(loss, 3), steps)
    maker.add("user", "train/tokens per second", seconds, np.round(tokens, -2), steps)
    maker.add("user", "train/learning rate", seconds[::10], np.round(rate[::10], 7), steps[::10])
    ends = [last for _, last in VALIDATIONS]
    at = [int(np.searchsorted(seconds, end)) for end in ends]
    maker.add("user", "validation/loss", ends, [3.981, 2.412], at)


def story(maker: Maker) -> None:
    """Write marks, cells and what the sources said."""
    maker.say("kernel", "mark", "text", [
        (READY, math.nan, {"label": "training starts"}),
        (CHECKPOINT, math.nan, {"label": "checkpoint"}),
    ])  # fmt: skip
    silent = f"gpu:{SILENT_GPU}: the driver did not answer in time"
    maker.say("pulse/nvml", "event", "text", [
        (SILENT[0] + 0.1, math.nan, {"kind": "reader", "source": "nvml", "message": silent}),
    ])  # fmt: skip
    cells = [
        (0.3, 6.2, "import torch"),
        (7.0, 31.5, "data = load_shards()"),
        (33.1, 357.0, "train(model, data)"),
    ]
    for count, (start, end, line) in enumerate(cells, 1):
        about = {"id": f"{count}@{START_US + round(start * 1e6)}"}
        maker.say(f"cell:{count}", "cell", "span", [
            (start, math.nan, {**about, "count": count, "line": line}),
            (end, round(end - start, 3), {**about, "status": "ok"}),
        ])  # fmt: skip


def make(path: Path) -> Path:
    """Write the example to a path and return it."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place, "simulated-8gpu.pulse")
        job, maker = Job(), Maker(directory)
        machine(job, maker)
        training(job, maker)
        story(maker)
        maker.finish()
        path.unlink(missing_ok=True)
        return Recording.open(directory).save(path, include=("code",))


if __name__ == "__main__":
    EXAMPLE.parent.mkdir(exist_ok=True)
    made = make(EXAMPLE)
    print(f"{made}: {made.stat().st_size / 1e3:.0f} kB")

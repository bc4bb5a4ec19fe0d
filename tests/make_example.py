"""Makes the recording that ships with the package: ``python -m tests.make_example``.

Six minutes of a training job on eight GPUs, all of it simulated. The same rows every time:
loading, three epochs of the same cell, each with a validation, a checkpoint, a cell for which the
memory does not suffice, a GPU that becomes too hot in the last epoch and holds the others up, a
driver that is silent for a while, and one sample that stands out.
"""

from __future__ import annotations

import json
import math
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from pulse_widgets.insight.alerts.parser import parse
from pulse_widgets.insight.alerts.sentences import sentence
from pulse_widgets.insight.alerts.subject import Change
from pulse_widgets.library.recording import Recording
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.said import CONFIG, DEFINED
from pulse_widgets.storage.directory import RUN, RunInfo
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.writer import Writer

EXAMPLE = Path(__file__).parents[1] / "pulse_widgets/examples/simulated-8gpu.pulse.parquet"
TITLE = "Simulated: training on 8 GPUs"
START_US = 1_790_000_000_000_000
GPUS, CORES, SECONDS = 8, 16, 360
STEP_S, HOT_STEP_S = 0.75, 0.875
EPOCH_STEPS = 112
MEMORY = 80 * 2**30
READY, HOT = 46, 257
EPOCHS = ((46, 130), (149, 233), (252, 350))
VALIDATIONS = ((130, 139), (233, 243), (350, 360))
# The last reading is of a second in which the GPUs still worked.
VALIDATED = [min(last, SECONDS - 1) - 0.3 for _, last in VALIDATIONS]
CHECKPOINT = (141, 148)
FULL_GPU, FULL = 0, (245, 251)
SILENT_GPU, SILENT = 3, (100, 116)
SPIKE_GPU, SPIKE = 6, 190
HOT_GPU = 5
VALIDATION_LOSS = [4.281, 2.812, 2.412]
NO_MEMORY = "OutOfMemoryError: CUDA out of memory"


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
        return np.logical_or.reduce([self.between(*epoch) for epoch in EPOCHS])

    @cached_property
    def validating(self) -> np.ndarray:
        return np.logical_or.reduce([self.between(*stretch) for stretch in VALIDATIONS])

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
        if index == FULL_GPU:
            held = held + self.between(*FULL) * (self.time - FULL[0] + 1) * 2.2
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
        writing = np.where(self.between(*CHECKPOINT), 3.1e9, 2e5)
        busy = np.where(self.training, 5.2, np.where(self.time < READY, 13.4, 7.1)) + self.noise(
            0.3
        )
        used = np.where(self.time < READY, 30 + self.time * 1.4, 96.0) * 2**30
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
        self, entity: str, metric: str, kind: str, said: list[tuple[float, float, dict | str]]
    ) -> None:
        ids = [self.series(entity, metric, kind)] * len(said)
        times = [START_US + round(second * 1e6) for second, _, _ in said]
        texts = [
            content if isinstance(content, str) else json.dumps(content) for _, _, content in said
        ]
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
    found["user"] = {
        DEFINED: json.dumps({
            "*/loss": {"x": "epoch", "better": "min"},
            "train/tokens per second": {"unit": "tokens/s", "title": "Tokens a second"},
        }),
        CONFIG: json.dumps({"model/layers": 32, "model/width": 4096, "lr": 3e-4, "batch": 512}),
    }  # fmt: skip
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


def steps_of(epoch: int) -> np.ndarray:
    """Return the second at which each step of an epoch ends."""
    seconds = EPOCHS[epoch][0] + np.arange(1, EPOCH_STEPS + 1) * STEP_S
    late = np.maximum(0.0, seconds - HOT)
    return np.minimum(seconds + late * (HOT_STEP_S / STEP_S - 1), EPOCHS[epoch][1])


def training(job: Job, maker: Maker) -> None:
    """Write what the training itself logs, with its steps."""
    seconds = np.concatenate([steps_of(epoch) for epoch in range(len(EPOCHS))])
    steps = np.arange(len(seconds))
    wobble = job.random.normal(0, 0.03, len(steps))
    loss = 2.1 + 8.6 * np.exp(-steps / 70) + wobble * (1 + 2 * np.exp(-steps / 40))
    tokens = np.where(seconds >= HOT, 354_000, 412_000) * job.random.normal(1, 0.004, len(steps))
    rate = np.minimum(1, (steps + 1) / 60) * 3e-4 * (0.55 + 0.45 * np.cos(steps / 340 * math.pi))
    maker.add("user", "train/loss", seconds, np.round(loss, 3), steps)
    maker.add("user", "epoch", seconds, np.round((steps + 1) / EPOCH_STEPS, 3), steps)
    maker.add("user", "train/tokens per second", seconds, np.round(tokens, -2), steps)
    maker.add("user", "train/learning rate", seconds[::10], np.round(rate[::10], 7), steps[::10])
    at = [EPOCH_STEPS * (epoch + 1) - 1 for epoch in range(len(EPOCHS))]
    maker.add("user", "validation/loss", VALIDATED, VALIDATION_LOSS, at)
    maker.add("user", "epoch", VALIDATED, [1.0, 2.0, 3.0], at)


def cells(maker: Maker) -> None:
    """Write the cells: the one that trains is run three times, another one fails."""
    epoch = ("train_epoch(model, data)", "epoch")
    ran = [
        (0.3, 6.2, "import torch", "import"),
        (7.0, 44.1, "data = load_shards()", "load"),
        (45.3, 139.4, *epoch),
        (140.7, 148.2, "save(model)", "save"),
        (148.8, 243.4, *epoch),
        (244.6, 251.1, "long = model.generate(prompt, 65_536)", "generate"),
        (251.8, 358.95, *epoch),
    ]
    for count, (start, end, line, cell_id) in enumerate(ran, 1):
        about = {"id": f"{count}@{START_US + round(start * 1e6)}"}
        ended = {"status": "ok"}
        if line.startswith("long"):
            ended = {"status": "error", "error": "OutOfMemoryError"}
            failed = {"kind": "oom", "message": f"{NO_MEMORY} in cell [{count}]", "cell": count}
            maker.say("kernel", "event", "text", [(end, math.nan, failed)])
        maker.say("kernel", "cell", "span", [
            (start, math.nan, {**about, "count": count, "line": line, "cell_id": cell_id}),
            (end, round(end - start, 3), {**about, **ended}),
        ])  # fmt: skip


def spans(maker: Maker) -> None:
    """Write the spans inside the cells."""
    for epoch, (first, last) in enumerate(EPOCHS, 1):
        stretches = (("train", first, last - 0.3), ("validate", last, VALIDATED[epoch - 1]))
        for name, start, end in stretches:
            about = {"id": f"{name}-{epoch}@{START_US + start * 1_000_000}"}
            maker.say("kernel", "span", "span", [
                (start, math.nan, {**about, "name": name, "epoch": epoch}),
                (end, round(end - start, 3), {**about, "status": "ok"}),
            ])  # fmt: skip


def printed(maker: Maker) -> None:
    """Write what the cells printed."""
    lines = [(44.0, "1024 shards, 2.1 TB")]
    for epoch, (start, _) in enumerate(EPOCHS, 1):
        lines += [(start - 0.1, f"epoch {epoch}")]
        lines += [
            (second, f"step {EPOCH_STEPS * (epoch - 1) + k + 1}")
            for k, second in enumerate(steps_of(epoch - 1))
            if k % 20 == 19
        ]
        loss = VALIDATION_LOSS[epoch - 1]
        lines += [(VALIDATED[epoch - 1] + 0.1, f"validation loss {loss}")]
    lines += [(CHECKPOINT[1] + 0.1, "saved step-112.pt, 21.4 GB")]
    maker.say("kernel", "log.stdout", "text", [(at, math.nan, text) for at, text in sorted(lines)])


def alert(job: Job, maker: Maker) -> None:
    """Write what an alert said when a GPU was full."""
    condition = parse("gpu.memory.used > 0.95 * gpu.memory.total")
    used, limit = job.gpu(FULL_GPU)["gpu.memory.used"], 0.95 * MEMORY
    gpu, first = f"gpu:{FULL_GPU}", int(np.flatnonzero(used > limit)[0])
    said = []
    for phase, at in (("firing", first), ("quiet", FULL[1])):
        change = Change(phase, START_US + at * 1_000_000, used[at], limit)
        words = sentence(condition, gpu, change)
        about = {"label": words, "phase": phase, "text": str(condition), "entity": gpu}
        about |= {"metric": "gpu.memory.used", "value": used[at], "limit": limit, "message": words}
        said.append((at, math.nan, about))
    maker.say(gpu, "alert", "text", said)


def story(maker: Maker) -> None:
    """Write marks and what the sources said."""
    maker.say("kernel", "mark", "text", [
        (READY, math.nan, {"label": "training starts"}),
        (CHECKPOINT[0], math.nan, {"label": "checkpoint"}),
    ])  # fmt: skip
    silent = f"gpu:{SILENT_GPU}: the driver did not answer in time"
    maker.say("pulse/nvml", "event", "text", [
        (SILENT[0] + 0.1, math.nan, {"kind": "reader", "source": "nvml", "message": silent}),
    ])  # fmt: skip


def make(path: Path) -> Path:
    """Write the example to a path and return it."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place, "simulated-8gpu.pulse")
        job, maker = Job(), Maker(directory)
        machine(job, maker)
        training(job, maker)
        story(maker)
        cells(maker)
        spans(maker)
        printed(maker)
        alert(job, maker)
        maker.finish()
        path.unlink(missing_ok=True)
        return Recording.open(directory).save(path, include=("code", "output"))


if __name__ == "__main__":
    EXAMPLE.parent.mkdir(exist_ok=True)
    made = make(EXAMPLE)
    print(f"{made}: {made.stat().st_size / 1e3:.0f} kB")

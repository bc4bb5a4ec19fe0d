/** The situations a dashboard must look right in. */

import type { SourceState, State } from "../core/state.gen";
import type { Scenario } from "./fake-source";
import { alertsOf, manyCells, nestedSpans, troubledRun } from "./run-events";

const PLAIN: Scenario = {
  hosts: 1,
  gpus: 1,
  cores: 8,
  seconds: 240,
  hz: 1,
  user: true,
  own: {},
  processes: 0,
  jump: null,
  restart: null,
  events: true,
  migs: 0,
  shapes: {},
  only: null,
  most: 100_000,
  state: {},
  hole: null,
  lost: 0,
};

const SYSTEM_OK: SourceState = {
  name: "system",
  state: "ok",
  problem: "",
  remedy: "",
  missing: [{ what: "cpu.frequency", why: "the kernel of this machine does not report it" }],
};

const NO_GPU: Partial<State> = {
  sources: [
    {
      name: "nvml",
      state: "absent",
      problem: "The NVIDIA driver library libnvidia-ml.so.1 was not found.",
      remedy: "Install the NVIDIA driver, or start the container with --gpus all.",
      missing: [],
    },
    {
      name: "gpm",
      state: "absent",
      problem: "GPU profiling needs the NVIDIA driver.",
      remedy: "",
      missing: [],
    },
    SYSTEM_OK,
  ],
};

const FAULTS: Partial<State> = {
  sources: [
    {
      name: "nvml",
      state: "failed",
      problem: "GPU 0 is lost: the driver no longer answers for it (NVML error 15).",
      remedy: "Look for Xid messages in dmesg; the GPU comes back after a reset or a reboot.",
      missing: [],
    },
    {
      name: "gpm",
      state: "stalled",
      problem: "No answer for 12 s.",
      remedy: "Another profiler may hold the counters: stop Nsight or DCGM.",
      missing: [],
    },
    SYSTEM_OK,
  ],
  recording: {
    path: "/home/ada/run.pulse",
    bytes: 812_000,
    problem: "The disk is full: 3 400 entries wait in memory.",
    remedy: "Free some space; recording goes on by itself.",
  },
  cost: { cores: 0.012, tick_s: 0.002, dropped: 14, sent_bytes_per_s: 9000, slowed: "" },
};

const STARTING: Partial<State> = {
  sources: [
    { name: "nvml", state: "starting", problem: "", remedy: "", missing: [] },
    { name: "system", state: "starting", problem: "", remedy: "", missing: [] },
  ],
};

/** As the metrics of a training run are called. */
const TRAINING = [
  "train/loss",
  "val/loss",
  "train/accuracy",
  "val/accuracy",
  "train/grad_norm",
  "train/learning_rate",
  "optimizer/momentum",
  "optimizer/weight_decay",
];

function layers(count: number): Record<string, number> {
  const names = [
    ...TRAINING,
    ...Array.from({ length: count }, (_, i) => `layer${i >> 2}/w${i % 4}`),
  ];
  return Object.fromEntries(names.slice(0, count).map((name, i) => [name, 1 + i / 10]));
}

/** One GPU that is hot, one that is lost, one that is full, one with an error. */
const TROUBLE: Scenario["shapes"] = {
  "gpu:5 gpu.temperature": (t) => (t > 150 ? 89 : 66 + t / 20),
  "gpu:5 gpu.utilization": (t) => (t > 150 ? 0.97 : 0.86),
  "gpu:5 gpu.throttled.thermal": (t) => (t > 150 ? 0.12 : 0),
  "gpu:5 gpu.power": (t) => (t > 150 ? 438 : 530),
  ...Object.fromEntries(
    ["utilization", "memory.used", "power", "temperature"].map((name) => [
      `gpu:2 gpu.${name}`,
      (t: number) => (t > 120 ? Number.NaN : name === "utilization" ? 0.8 : 60),
    ]),
  ),
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  one: { ...PLAIN, hole: [110, 70] },
  eight: { ...PLAIN, gpus: 8, cores: 64, hole: [110, 70] },
  /** One of eight runs hot: it must catch the eye. */
  hot: {
    ...PLAIN,
    gpus: 8,
    cores: 16,
    shapes: Object.fromEntries(
      Object.entries(TROUBLE).filter(([series]) => series.startsWith("gpu:5")),
    ),
  },
  trouble: { ...PLAIN, gpus: 8, cores: 16, shapes: TROUBLE },
  two: { ...PLAIN, gpus: 2, migs: 3 },
  four: { ...PLAIN, gpus: 4, cores: 32 },
  sixteen: { ...PLAIN, gpus: 16, cores: 64, shapes: TROUBLE },
  calm: { ...PLAIN, user: false, events: false },
  silent: { ...PLAIN, gpus: 8, user: false, events: false },
  many: { ...PLAIN, gpus: 64, cores: 128, hole: [110, 70] },
  hosts: { ...PLAIN, hosts: 2, gpus: 2 },
  nogpu: { ...PLAIN, gpus: 0, state: NO_GPU },
  empty: { ...PLAIN, gpus: 0, seconds: 0, only: [], state: STARTING },
  begun: { ...PLAIN, gpus: 1, seconds: 6 },
  faults: { ...PLAIN, state: FAULTS, hole: [70, -1], lost: 12 },
  replay: {
    ...PLAIN,
    gpus: 8,
    seconds: 1800,
    state: {
      phase: "replay",
      simulated: true,
      title: "eight-gpus",
      cost: { cores: null, tick_s: null, dropped: 0, sent_bytes_per_s: 0, slowed: "" },
      kernel: { busy: false, cell: null },
    },
  },
  /** What was printed: in colours, of one kernel, of two, very much, and nothing. */
  output: { ...PLAIN, printed: 400 },
  output2: { ...PLAIN, hosts: 2, gpus: 2, printed: 400 },
  output8: { ...PLAIN, gpus: 8, cores: 64, printed: 400 },
  printed: { ...PLAIN, gpus: 0, seconds: 1800, printed: 100_000 },
  unprinted: { ...PLAIN, gpus: 0, printed: 0 },
  slowed: {
    ...PLAIN,
    state: {
      cost: {
        cores: 0.028,
        tick_s: 0.002,
        dropped: 0,
        sent_bytes_per_s: 9000,
        slowed: "nvml: gauges read 2x rarer",
      },
    },
  },
  stopped: { ...PLAIN, state: { phase: "stopped", kernel: { busy: false, cell: null } } },
  /** Some cells, many, and more than there is room for; spans in one another; alerts and failures. */
  cells60: { ...PLAIN, told: manyCells(60, 235) },
  cells1000: { ...PLAIN, gpus: 8, told: manyCells(1000, 235) },
  cells100000: { ...PLAIN, told: manyCells(100_000, 235) },
  nested: { ...PLAIN, told: nestedSpans },
  alerts: { ...PLAIN, told: troubledRun, alerts: alertsOf },
  /** Nothing of the user's yet; five metrics, 200 and 5000. */
  own0: { ...PLAIN, user: false, processes: 1 },
  own5: { ...PLAIN, own: { "train/accuracy": 0.7, "val/accuracy": 0.6 }, processes: 3 },
  own200: { ...PLAIN, gpus: 2, user: false, own: layers(200), processes: 8 },
  own5000: { ...PLAIN, seconds: 60, user: false, own: layers(5000) },
  /** Two parts of the data beside one another, with values of some digits. */
  pairs: {
    ...PLAIN,
    gpus: 0,
    user: false,
    own: {
      "train/loss": 2.16,
      "validation/loss": 2.412,
      "train/accuracy": 0.81,
      "validation/accuracy": 0.79,
    },
  },
  /** Values below zero, which a logarithmic axis has no place for: many, and a few. */
  signs: {
    ...PLAIN,
    gpus: 0,
    user: false,
    own: { noise: 0, "train/few": 0, "validation/few": 1 },
    shapes: {
      "user noise": (t) => Math.sin(t * 12.9) * 3,
      "user train/few": (t) => (t % 40 < 3 ? 0 : 2 + Math.sin(t / 9)),
    },
  },
  /** Many samples a pixel: noise, waves under noise, short bursts. */
  dense: {
    ...PLAIN,
    cores: 0,
    seconds: 5400,
    hz: 5,
    hole: [2000, 1700],
    only: ["gpu.utilization", "gpu.pcie", "gpu.power", "cpu.utilization", "net", "pulse", "train"],
    state: { phase: "replay", title: "dense", kernel: { busy: false, cell: null } },
  },
  /** Numbers far from zero, beside some that are near it. */
  levels: { ...PLAIN, gpus: 0, events: false, own: { far: 3, wide: 347_000 } },
  /** Steps that go on far beyond where they paused. */
  jump: { ...PLAIN, gpus: 0, events: false, jump: [199, 5200] },
  /** The same steps three times over. */
  restart: { ...PLAIN, gpus: 0, events: false, restart: 900 },
  /** More metrics of the user's than anyone looks at at once. */
  flood: {
    ...PLAIN,
    gpus: 0,
    own: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`layer${i}/norm`, i])),
  },
  /** Names that leave no room, values that need it. */
  names: {
    ...PLAIN,
    gpus: 0,
    own: {
      [`a/very/long/metric/name/${"x".repeat(120)}`]: 399,
      [`b/${"y".repeat(90)}`]: 12345.678,
    },
  },
  /** 96 series in 12 charts, for measuring. */
  load: {
    ...PLAIN,
    gpus: 8,
    cores: 0,
    hz: 10,
    seconds: 60,
    user: false,
    events: false,
    only: [
      "gpu.utilization",
      "gpu.sm",
      "gpu.tensor",
      "gpu.dram",
      "gpu.memory.used",
      "gpu.power",
      "gpu.temperature",
      "gpu.clock",
      "gpu.pcie",
      "gpu.nvlink",
      "gpu.throttled.power",
    ],
  },
};

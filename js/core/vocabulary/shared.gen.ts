// Written by `python -m pulse_widgets.exchange.export`; do not edit.

// Axes: `picture/axis.py` says what each is.

export const HEADROOM = 1.06;
export const NEAR_ZERO = 0.6;
export const LEAST_SHARE = 0.02;
export const LEAST_DEGREES = 12;
export const AMOUNTS: readonly string[] = ["1", "B", "B/s", "W", "J", "cores", "count", "count/s"];
export const LOOSE: readonly string[] = ["pressure", "throttled", "iowait", "steal", "disk.busy"];
export const DECIMAL_STEPS: readonly number[] = [1, 2, 2.5, 5, 10];
export const BINARY_STEPS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
export const CLOCK_STEPS: readonly number[] = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
];
export const MONTHS: readonly string[] = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];

// A saved picture: the modules of `picture`, and `fitting.py`.

export const MOST_BYTES = 60000;
export const MOST_CHARTS = 9;
export const MOST_ROWS = 40;
export const MOST_POINTS = 300;
export const LEAST_POINTS = 24;
export const MOST_SENTENCES = 8;
export const OPEN_SENTENCES = 2;
export const PHASE_WORDS: Readonly<Record<string, string>> = {
  running: "Live when this was saved",
  stopped: "Finished",
  replay: "Replay of a recording",
};
export const LEAST_BUCKETS = 30;
export const DETAILS: readonly number[] = [
  300, 1, 300, 1, 300, 13, 150, 71, 200, 13, 100, 71, 200, 71, 60, 71, 200, 71, 30, 923, 200, 923,
  30, 923, 100, 923, 30, 923, 30, 923, 30, 923,
];
export const ALL_WITH = 5;
export const OWN_FIRST = 24;
export const STRIP_METRICS: readonly string[] = [
  "gpu.utilization",
  "gpu.memory.used",
  "gpu.memory.total",
  "gpu.power",
  "gpu.temperature",
  "cpu.utilization",
  "cpu.count",
  "memory.used",
  "memory.total",
  "process.cpu",
  "process.memory.rss",
];
export const FIGURES: readonly string[] = [
  "gpu.utilization",
  "gpu.memory.used",
  "gpu.memory.total",
  "gpu.power",
  "gpu.temperature",
  "cpu.utilization",
  "cpu.count",
  "memory.used",
  "memory.total",
  "process.cpu",
  "process.memory.rss",
  "gpu.power.limit",
  "gpu.temperature.slowdown",
];
export const CORE = "cpu:";
export const CORE_COUNT = "cpu.count";
export const STRIP_BYTES = 60000;
export const WIDTH = 960;
export const GAP = 8;
export const HEADER = 54;
export const LEFT = 62;
export const RIGHT = 10;
export const TOP = 32;
export const BOTTOM = 10;
export const PLOT = 76;
export const TALL_PLOT = 120;
export const FLAT_ROWS = 16;
export const AXIS = 14;
export const LEGEND_COLUMNS = 4;
export const LEGEND_ROW = 18;
export const LONG = 60;
export const RAISED = " ▲";
export const MOST_BANDS = 3;
export const COLORS: readonly string[] = [
  "#0065b3",
  "#cc7c4f",
  "#004313",
  "#d62a7a",
  "#009ccc",
  "#a68805",
  "#1b2dad",
  "#4e323a",
];
export const INK = "#1c2733";
export const SOFT = "#586674";
export const GRID = "#e8ecf1";
export const EDGE = "#dfe5eb";
export const PAPER = "#f4f6f9";
export const WARN = "#a8480a";
export const IDLE = "#f1f3f7";
export const FONT = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";
export const PX = 2;
export const AROUND = 16;
export const SPIKE = 3;
export const LONE = 2;
export const LEAST_SPIKE = 3;
export const UNDER_LINE = 2;
export const RAMP: readonly string[] = [
  "#e9f0f6",
  "#b0d0e2",
  "#5ea5c8",
  "#2170a8",
  "#14427e",
  "#0c1c4a",
];
export const LEVELS = 15;
export const HEAT_BYTES = 4500;
export const HEAT_COLUMNS = 120;
export const SIGNS: readonly string[] = [
  "gpu.utilization",
  "gpu.memory.used",
  "gpu.power",
  "gpu.temperature",
];
export const WATCHED: readonly string[] = [
  "gpu.utilization",
  "gpu.memory.used",
  "gpu.power",
  "gpu.temperature",
  "gpu.memory.total",
  "gpu.temperature.slowdown",
];
export const FULL = 0.95;
export const NEAR = 3;
export const HOT = 87;
export const MOST_NAMED = 2;
export const ALARMS: Readonly<Record<string, string>> = {
  lost: "lost",
  memory: "low on memory",
  heat: "hot",
};
export const CELL = "cell";
export const MARK = "mark";
export const LEAST_IDLE = 4;
export const LEAST_MARKS = 24;
export const MOST_MARKS = 12;
export const MOST_FIGURES = 40;
export const FIGURE_COLUMNS = 4;
export const FIGURE_ROW = 20;
export const HEADS: readonly string[] = ["Reading", "Of", "Min", "Mean", "Max", "Last known"];

// What a saved picture shows: `picture/wishes.py`.

/** A chart that is worth having. */
export interface PreferredChart {
  readonly metrics: readonly string[];
  /** Comes before the user's own metrics. */
  readonly first: boolean;
  /** Of several metrics in one chart: what it is called, and what each is called in it. */
  readonly title?: string;
  readonly words?: readonly string[];
}

export const PREFERRED_CHARTS: readonly PreferredChart[] = [
  { metrics: ["gpu.utilization"], first: true },
  { metrics: ["gpu.memory.used"], first: true },
  { metrics: ["gpu.power"], first: true },
  { metrics: ["gpu.temperature"], first: true },
  { metrics: ["gpu.sm.active"], first: false },
  { metrics: ["gpu.tensor.active"], first: false },
  { metrics: ["gpu.dram.active"], first: false },
  { metrics: ["gpu.clock.sm"], first: false },
  {
    metrics: ["gpu.pcie.rx", "gpu.pcie.tx"],
    first: false,
    title: "PCIe",
    words: ["received", "sent"],
  },
  {
    metrics: ["gpu.nvlink.rx", "gpu.nvlink.tx"],
    first: false,
    title: "NVLink",
    words: ["received", "sent"],
  },
  { metrics: ["cpu.utilization"], first: true },
  { metrics: ["memory.used"], first: true },
  { metrics: ["process.cpu"], first: true },
  { metrics: ["cgroup.cpu"], first: false },
  { metrics: ["cgroup.memory.used"], first: false },
  { metrics: ["disk.read", "disk.write"], first: true, title: "Disk", words: ["read", "written"] },
  {
    metrics: ["net.received", "net.sent"],
    first: true,
    title: "Network",
    words: ["received", "sent"],
  },
  { metrics: ["process.memory.rss"], first: false },
  { metrics: ["process.gpu.memory"], first: false },
];
export const MOST_LINES = 8;
export const HEAT_ROWS = 64;
export const COLUMNS = 3;
export const OWN_ROWS = 2;
export const WHOLES: readonly string[] = ["gpu", "host", "kernel", "mig"];
export const SINGLE: readonly string[] = ["host", "kernel"];
export const RANK_OWN = 1;
export const RANK_REST = 3;
export const LIMIT_OF: Readonly<Record<string, string>> = {
  "gpu.memory.used": "gpu.memory.total",
  "gpu.power": "gpu.power.limit",
  "memory.used": "memory.total",
  "memory.available": "memory.total",
  "swap.used": "swap.total",
  "disk.used": "disk.total",
  "cgroup.cpu": "cgroup.cpu.limit",
  "cgroup.memory.used": "cgroup.memory.limit",
  "cgroup.memory.working_set": "cgroup.memory.limit",
};
export const PARTS: Readonly<Record<string, number>> = {
  train: 0,
  training: 0,
  val: 1,
  valid: 1,
  validation: 1,
  dev: 1,
  test: 2,
  testing: 2,
  eval: 3,
  evaluation: 3,
  holdout: 3,
};
export const OTHER_COLORS = 4;
export const MANNERS =
  "all avg average chosen count delta epoch fps hist id index iter iteration last max mean med median min n norm num p1 p5 p10 p25 p50 p75 p90 p95 p99 q25 q50 q75 rate ratio rejected rms running scale size std step steps sum time total value values var variance x y z";

// Entities: `metrics/entities.py`, `picture/chart.py`.

export const GREEDY: readonly string[] = ["bar", "disk", "fs", "net", "pod", "stream", "worker"];
export const ORDER: readonly string[] = [
  "host",
  "gpu",
  "cpu",
  "disk",
  "fs",
  "net",
  "kernel",
  "pid",
  "cell",
  "user",
  "rank",
];
export const KNOWN: readonly string[] = [
  "host",
  "gpu",
  "mig",
  "ci",
  "link",
  "cpu",
  "disk",
  "fs",
  "net",
  "kernel",
  "pid",
  "cell",
  "user",
  "rank",
  "pulse",
  "worker",
  "pod",
  "stream",
  "labels",
];
export const NAMES: Readonly<Record<string, string>> = {
  gpu: "GPU",
  mig: "MIG",
  ci: "CI",
  cpu: "core",
  rank: "rank",
  link: "link",
};
export const PLURALS: Readonly<Record<string, string>> = {
  gpu: "GPUs",
  mig: "MIG instances",
  cpu: "cores",
  disk: "disks",
  net: "interfaces",
  fs: "file systems",
  pid: "processes",
  rank: "ranks",
  host: "hosts",
};

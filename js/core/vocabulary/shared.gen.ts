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

// A saved picture: `picture/document.py`, `picture/svg.py`, `fitting.py`.

export const MOST_BYTES = 60000;
export const MOST_CHARTS = 12;
export const MOST_ROWS = 40;
export const MOST_POINTS = 300;
export const LEAST_POINTS = 24;
export const MOST_SENTENCES = 8;
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
export const PX = 2;
export const CARD = 158;
export const GAP = 10;
export const HEADER = 56;
export const LEFT = 64;
export const RIGHT = 12;
export const TOP = 46;
export const BOTTOM = 24;
export const COLORS: readonly string[] = [
  "#0b62b5",
  "#d1570a",
  "#00886a",
  "#b0428c",
  "#2f93c9",
  "#8f6c00",
  "#6b4fc0",
  "#58626d",
];
export const INK = "#1c2733";
export const SOFT = "#586674";
export const GRID = "#e8ecf1";
export const EDGE = "#dfe5eb";
export const PAPER = "#f4f6f9";
export const WARN = "#a8480a";

// What a saved picture shows: `picture/choice.py`.

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
  { metrics: ["cgroup.cpu"], first: false },
  { metrics: ["memory.used"], first: true },
  { metrics: ["cgroup.memory.used"], first: false },
  { metrics: ["disk.read", "disk.write"], first: true, title: "Disk", words: ["read", "written"] },
  {
    metrics: ["net.received", "net.sent"],
    first: true,
    title: "Network",
    words: ["received", "sent"],
  },
  { metrics: ["process.cpu"], first: true },
  { metrics: ["process.memory.rss"], first: false },
  { metrics: ["process.gpu.memory"], first: false },
];
export const MOST_LINES = 8;
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

// Entities: `metrics/entities.py`, `picture/chart.py`.

export const GREEDY: readonly string[] = ["disk", "fs", "net", "pod", "stream", "worker"];
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

/** What the dashboard adds to the catalog: which metrics share a chart, and where a series stands. */

import type { SeriesWire } from "../source";
import { CATALOG, HEADING_OF, HEADINGS } from "../vocabulary/catalog.gen";
import { LIMIT_OF, LOOSE } from "../vocabulary/shared.gen";

export const GPU_GROUP = "GPU";
export const CPU_GROUP = "CPU";
export const USER_GROUP = "Your metrics";
export const OTHER_GROUP = "Other metrics";
const MEMORY_GROUP = "Memory";
const IO_GROUP = "Disk and network";

/** Metrics drawn in one chart while a single entity has them, in charts of their own beyond. */
export interface CombinedChart {
  readonly title: string;
  readonly metrics: readonly string[];
  readonly words: readonly string[];
}

export const COMBINED_CHARTS: readonly CombinedChart[] = [
  {
    title: "Throttled",
    metrics: ["gpu.throttled.power", "gpu.throttled.thermal"],
    words: ["by power", "by heat"],
  },
  {
    title: "Video engines",
    metrics: [
      "gpu.encoder.utilization",
      "gpu.decoder.utilization",
      "gpu.jpeg.utilization",
      "gpu.ofa.utilization",
    ],
    words: ["encoder", "decoder", "JPEG", "optical flow"],
  },
  {
    title: "Arithmetic pipes",
    metrics: ["gpu.fp64.active", "gpu.fp32.active", "gpu.fp16.active", "gpu.int.active"],
    words: ["FP64", "FP32", "FP16", "integer"],
  },
  { title: "PCIe", metrics: ["gpu.pcie.rx", "gpu.pcie.tx"], words: ["received", "sent"] },
  { title: "NVLink", metrics: ["gpu.nvlink.rx", "gpu.nvlink.tx"], words: ["received", "sent"] },
  { title: "C2C", metrics: ["gpu.c2c.rx", "gpu.c2c.tx"], words: ["received", "sent"] },
  {
    title: "CPU time",
    metrics: ["cpu.user", "cpu.system", "cpu.iowait", "cpu.steal"],
    words: ["user", "system", "disk wait", "stolen"],
  },
  { title: "Disk", metrics: ["disk.read", "disk.write"], words: ["read", "written"] },
  { title: "Disk requests", metrics: ["disk.reads", "disk.writes"], words: ["reads", "writes"] },
  { title: "Network", metrics: ["net.received", "net.sent"], words: ["received", "sent"] },
  { title: "Network faults", metrics: ["net.errors", "net.dropped"], words: ["errors", "dropped"] },
  { title: "Storage", metrics: ["process.read", "process.write"], words: ["read", "written"] },
  {
    title: "Container storage",
    metrics: ["cgroup.read", "cgroup.write"],
    words: ["read", "written"],
  },
  {
    title: "Ticks",
    metrics: ["pulse.tick.duration", "pulse.tick.late"],
    words: ["length", "lateness"],
  },
];

/** The fields of a series that say what it measures. */
export type Named = Pick<SeriesWire, "metric" | "entity" | "labels">;

export function isMain(one: Named, group: string): boolean {
  return (
    CATALOG[one.metric]?.shown === "main" ||
    group === USER_GROUP ||
    group === OTHER_GROUP ||
    isForeign(one)
  );
}

export function limitOf(metric: string): string | undefined {
  return LIMIT_OF[metric];
}

export function isSilent(metric: string): boolean {
  return CATALOG[metric]?.shown === "silent";
}

export function isWhole(metric: string, unit: string): boolean {
  return unit === "1" && metric in CATALOG && !LOOSE.some((word) => metric.includes(word));
}

/** The heading a series stands under. */
export function groupOf(one: Named): string {
  const { metric } = one;
  if (isLogged(one)) return USER_GROUP;
  if (isForeign(one)) return ownGroup(one);
  if (/^(cgroup|k8s)\.(memory|oom)/.test(metric)) return MEMORY_GROUP;
  if (/^cgroup\.(read|write)$/.test(metric)) return IO_GROUP;
  const group = CATALOG[metric]?.group;
  if (group) return HEADING_OF[group];
  return one.entity.startsWith("user:") ? USER_GROUP : OTHER_GROUP;
}

/** The catalog's title; a metric outside the catalog is called what its owner called it. */
export function titleOf(one: Named): string {
  return CATALOG[one.metric]?.title ?? (labelOf(one, "title") || one.metric);
}

/** One line that says what the number means; empty where nobody says it. */
export function helpOf(one: Named): string {
  return CATALOG[one.metric]?.help ?? labelOf(one, "help");
}

/** A metric that only its reader knows: the labels say its heading, its title and its help. */
export function isForeign(one: Named): boolean {
  return !(one.metric in CATALOG) && ownGroup(one) !== "" && !isLogged(one);
}

const LOGGED = /^(?:user(?:\/|$)|rank(?:[:/]|$))/;
const PART_OF_RANK = /^rank(?::[^/]*)?\/./;

/**
 * Whether the user logged it; `user:1000` may be an entity of a reader. Of the parts of a rank,
 * such as `rank:3/kernel`, it is what the catalog does not know.
 */
function isLogged({ metric, entity }: Named): boolean {
  if (metric in CATALOG && PART_OF_RANK.test(entity)) return metric === "progress";
  return LOGGED.test(entity) || metric === "progress";
}

function ownGroup({ labels }: Named): string {
  return labels["group"]?.trim() ?? "";
}

function labelOf(one: Named, name: "title" | "help"): string {
  return isForeign(one) ? (one.labels[name]?.trim() ?? "") : "";
}

/**
 * All headings in order. Those in `found` that are not ours come before the other metrics, by the
 * alphabet: a recording finds its series in another order than the session that made it.
 */
export function headingsWith(found: Iterable<string>): string[] {
  const place = HEADINGS.indexOf(OTHER_GROUP);
  const more = new Set([...found].filter((heading) => !HEADINGS.includes(heading)));
  // By code unit, as Python does.
  return [...HEADINGS.slice(0, place), ...[...more].sort(), ...HEADINGS.slice(place)];
}

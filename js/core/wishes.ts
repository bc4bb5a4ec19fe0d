/**
 * Which readings a saved picture cannot do without. The dashboard has room for everything; a
 * picture has room for a dozen charts. The twin of `pulse_widgets/exchange/picture_choice.py`.
 */

import { CATALOG } from "./catalog.gen";
import { entityClass } from "./entities";
import { groupOf, limitOf, USER_GROUP } from "./panel-table";
import type { SeriesWire } from "./source";

export interface Wish {
  readonly metrics: readonly string[];
  /** Comes before the user's own metrics. */
  readonly first: boolean;
}

const first = (...metrics: string[]): Wish => ({ metrics, first: true });
const later = (...metrics: string[]): Wish => ({ metrics, first: false });

/** What people look for first: how the GPUs did, then the machine, then the kernel. */
export const WISHES: readonly Wish[] = [
  first("gpu.utilization"),
  first("gpu.memory.used"),
  first("gpu.power"),
  first("gpu.temperature"),
  later("gpu.sm.active"),
  later("gpu.tensor.active"),
  later("gpu.dram.active"),
  later("gpu.clock.sm"),
  later("gpu.pcie.rx", "gpu.pcie.tx"),
  later("gpu.nvlink.rx", "gpu.nvlink.tx"),
  first("cpu.utilization"),
  later("cgroup.cpu"),
  first("memory.used"),
  later("cgroup.memory.used"),
  first("disk.read", "disk.write"),
  first("net.received", "net.sent"),
  first("process.cpu"),
  later("process.memory.rss"),
  later("process.gpu.memory"),
];

/** The whole before its parts: a chart of the machine, not of its 128 cores. */
export const WHOLES: readonly string[] = ["gpu", "host", "kernel", "mig"];

const WISHED = new Map(WISHES.flatMap(({ metrics }, place) => metrics.map((m) => [m, place])));
for (const [metric, place] of [...WISHED]) {
  const limit = limitOf(metric);
  if (limit) WISHED.set(limit, place);
}
const PLACES = new Map(Object.keys(CATALOG).map((metric, place) => [metric, place]));

/** A number of the user's, whatever its key is called. */
export function isOwn({ metric, entity }: Pick<SeriesWire, "metric" | "entity">): boolean {
  return groupOf(metric, entity) === USER_GROUP || !(metric in CATALOG);
}

/** The same series, those a picture cannot do without first. */
export function ranked<T extends Pick<SeriesWire, "metric" | "entity">>(series: readonly T[]): T[] {
  const all = series.map((one) => ({ one, rank: rankOf(one) }));
  all.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1]);
  return all.map(({ one }) => one);
}

function rankOf(one: Pick<SeriesWire, "metric" | "entity">): readonly [number, number] {
  if (isOwn(one)) return [1, 0];
  const whole = WHOLES.includes(entityClass(one.entity));
  const wished = WISHED.get(one.metric);
  if (whole && wished !== undefined) return [0, wished];
  return [whole ? 2 : 3, PLACES.get(one.metric) ?? 0];
}

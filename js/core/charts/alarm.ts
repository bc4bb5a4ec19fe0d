/** From which level on a panel is in alarm. Pure, but for looking up the limits of a source. */

import type { SeriesWire, Source } from "../source";
import { ownerKey } from "../vocabulary/owners";
import { FULL, NEAR } from "../vocabulary/shared.gen";
import { limitOf } from "./panel-table";

const SLOWDOWN = "gpu.temperature.slowdown";
const THROTTLED = /^gpu\.throttled/;

export interface Alarm {
  /** Values at or beyond it are an alarm; above it where it is zero. */
  readonly level: number;
  readonly words: string;
}

/** The metric whose value decides about an alarm of another one; null for none. */
function basisOf(metric: string): string | null {
  if (metric === "gpu.temperature") return SLOWDOWN;
  if (metric !== "gpu.memory.used" && metric !== "disk.used") return null;
  return limitOf(metric) ?? null;
}

/** When a metric is in alarm, with what its basis is now (NaN: not known); null for never. */
export function alarmOf(metric: string, basis: number): Alarm | null {
  if (THROTTLED.test(metric)) return { level: 0, words: "throttled" };
  if (!(basis > 0) || basisOf(metric) === null) return null;
  if (metric === "gpu.temperature") {
    return { level: basis - NEAR, words: "near slowdown" };
  }
  return { level: FULL * basis, words: "nearly full" };
}

export function isAlarm({ level }: Alarm, value: number): boolean {
  return level === 0 ? value > 0 : value >= level;
}

/** Finds the alarms of lines; remembers where their basis stands as long as nothing is added. */
export class Alarms {
  #catalog: readonly SeriesWire[] | null = null;
  #basis = new Map<number, number>();

  of(lines: readonly { readonly series: SeriesWire }[], source: Source): (Alarm | null)[] {
    const catalog = source.catalog();
    if (catalog !== this.#catalog) this.#find(lines, catalog);
    return lines.map(({ series }) => {
      const id = this.#basis.get(series.id);
      const basis = id === undefined ? null : source.last(id);
      return alarmOf(series.metric, basis?.value ?? Number.NaN);
    });
  }

  #find(lines: readonly { readonly series: SeriesWire }[], catalog: readonly SeriesWire[]): void {
    this.#catalog = catalog;
    this.#basis = new Map();
    for (const { series } of lines) {
      const metric = basisOf(series.metric);
      const owner = metric && ownerKey(series);
      const found = catalog.find((one) => one.metric === metric && ownerKey(one) === owner);
      if (found) this.#basis.set(series.id, found.id);
    }
  }
}

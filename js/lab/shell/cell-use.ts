/** What a stretch of time used of the GPUs: how long they were busy, and the most of their memory. */

import { Readings } from "../../core/dashboard/readings";
import { type Columns, columns, type Source, valueAt } from "../../core/source";
import { entityLabel } from "../../core/vocabulary/entities";

/** Why a number is missing; "" where it is not. */
export type Why = "" | "gap" | "not covered" | "too short" | "no such reading";

export interface GpuUse {
  readonly gpus: number;
  /** Seconds in which a GPU was busy, of all GPUs together: shares of time. */
  readonly busy: number | null;
  readonly whyNotBusy: Why;
  /** The most that was used on one GPU. */
  readonly peak: { readonly bytes: number; readonly label: string } | null;
  readonly whyNoPeak: Why;
  /** The GPU of which something is missing; "" for none. */
  readonly lacking: string;
}

/** At the ends the nearest reading holds for so many intervals, and for no more of the stretch. */
const HELD_INTERVALS = 2.5;
const HELD_SHARE = 0.1;
const POINTS = 1000;

const METRICS = ["gpu.utilization", "gpu.memory.used"] as const;

/** Null where the source knows no GPU. */
export function gpuUse(source: Source, start: number, end: number): GpuUse | null {
  const readings = new Readings(source);
  const { gpus } = readings;
  if (gpus.length === 0) return null;
  const usual = HELD_INTERVALS * source.state().interval;
  const out = columns();
  const each = (metric: (typeof METRICS)[number]) =>
    gpus.map((gpu) => {
      const id = readings.id(gpu, metric);
      if (id === null) return { gpu, found: NONE };
      source.range(id, start, end, POINTS, out);
      const held = Math.min(Math.max(usual, distance(out)), HELD_SHARE * (end - start));
      const found = integrate(out, start, end, held);
      // Of so short a run it is no news that readings do not cover it.
      const isBrief = found.why === "not covered" && end - start < usual;
      return { gpu, found: isBrief ? missing("too short") : found };
    });
  const [loads, memories] = [each("gpu.utilization"), each("gpu.memory.used")];
  const lackOf = (all: typeof loads) => all.find(({ found }) => found.why !== "");
  const [noLoad, noMemory] = [lackOf(loads), lackOf(memories)];
  const whyNotBusy = noLoad?.found.why ?? "";
  const whyNoPeak = noMemory?.found.why ?? "";
  const lack = noLoad ?? noMemory;
  const busy = loads.reduce((sum, { found }) => sum + found.integral, 0);
  const most = memories.reduce((a, b) => (b.found.max > a.found.max ? b : a));
  const label = entityLabel(most.gpu.entity);
  return {
    gpus: gpus.length,
    busy: whyNotBusy === "" ? busy : null,
    whyNotBusy,
    peak: whyNoPeak === "" ? { bytes: most.found.max, label } : null,
    whyNoPeak,
    lacking: lack ? entityLabel(lack.gpu.entity) : "",
  };
}

/** Between two items, on average: of the distant past only wide buckets are known. */
function distance({ time, length }: Columns): number {
  const [first = 0, last = 0] = [time[0], time[length - 1]];
  return length > 1 ? (last - first) / (length - 1) : 0;
}

/** Whether the readings of all GPUs have come as far as `time`: some come later than others. */
export function reaches(source: Source, time: number): boolean {
  const readings = new Readings(source);
  const times = readings.gpus.flatMap((gpu) =>
    METRICS.map((metric) => readings.reading(gpu, metric)?.time ?? time),
  );
  return times.every((last) => last >= time);
}

interface Stretch {
  readonly integral: number;
  readonly max: number;
  readonly why: Why;
}

const missing = (why: Why): Stretch => ({ integral: Number.NaN, max: Number.NaN, why });
const NONE = missing("no such reading");

interface Point {
  readonly time: number;
  readonly value: number;
}

/**
 * The integral of a series from `start` to `end`, and its largest value: readings are joined by
 * straight lines, and nothing is made up for a stretch without readings. Before the first and
 * after the last one its value holds for at most `held` seconds.
 */
export function integrate(all: Columns, start: number, end: number, held: number): Stretch {
  let before: Point | null = null;
  let gap = false;
  let [integral, max, inside] = [0, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < all.length; i++) {
    const time = all.time[i] as number;
    const value = valueAt(all, i);
    if (Number.isNaN(value)) {
      // Readings are missing from here to the next one.
      if (time >= end) break;
      gap = true;
      continue;
    }
    const point = { time, value };
    if (before === null) {
      if (gap && time > start) return missing("gap");
      if (time - start > held) return missing("not covered");
      if (time > start) integral += value * (Math.min(time, end) - start);
    } else {
      if (gap && before.time < end && time > start) return missing("gap");
      integral += between(before, point, start, end);
    }
    if (time >= start && time <= end) {
      inside++;
      max = Math.max(max, all.max[i] as number);
    }
    [before, gap] = [point, false];
  }
  if (before === null) return missing(gap ? "gap" : "not covered");
  if (before.time < end) {
    if (gap) return missing("gap");
    if (end - before.time > held) return missing("not covered");
    integral += before.value * (end - Math.max(before.time, start));
  }
  return inside > 0 ? { integral, max, why: "" } : missing("too short");
}

/** The area under the line from `a` to `b`, as far as it lies in the stretch. */
function between(a: Point, b: Point, start: number, end: number): number {
  const [from, to] = [Math.max(a.time, start), Math.min(b.time, end)];
  if (to <= from) return 0;
  const at = (time: number) =>
    a.value + ((b.value - a.value) * (time - a.time)) / (b.time - a.time);
  return ((at(from) + at(to)) / 2) * (to - from);
}

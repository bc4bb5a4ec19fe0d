/** A value axis that ends at a tick, so that its top is labelled: for charts of little height. */

import type { AxisRange } from "./axis-range";
import { tickStep } from "./y-range";

export interface YAxis {
  readonly range: AxisRange;
  readonly ticks: readonly number[];
}

/** Pixels between two labels, at least; and the most parts of an axis. */
const LEAST_ROOM = 22;
const MOST_PARTS = 5;
/** Pixels between the label of a limit and the one below it. */
const LIMIT_ROOM = 17;

/**
 * The axis for what is to be seen, `wanted`, on so many pixels.
 *
 * Its ends lie on round steps, as near to what is wanted as the room for labels allows. A `limit`
 * that is the top of what is wanted is the top of the axis, however uneven, and labelled.
 */
export function yAxis(
  wanted: AxisRange,
  unit: string,
  pixels: number,
  limit: number | null = null,
): YAxis {
  const most = Math.max(1, Math.min(MOST_PARTS, Math.floor(pixels / LEAST_ROOM)));
  if (limit !== null && wanted[0] === 0) return toLimit(limit, unit, pixels, most);
  const [bottom, top] = wanted;
  let best: YAxis | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let parts = 1; parts <= most; parts++) {
    const axis = inSteps(bottom, top, stepOf((top - bottom) / parts, unit));
    if (!axis || axis.ticks.length > most + 1) continue;
    // Two labels alone hardly tell how far apart things are.
    const cost = (axis.range[1] - axis.range[0]) * (axis.ticks.length > 2 ? 1 : 2);
    if (cost > least * (1 + 1e-9)) continue;
    least = cost;
    best = axis;
  }
  return best ?? { range: wanted, ticks: [] };
}

/** Ticks on powers of ten, and beside them where there are few of those. */
export function logAxis(low: number, high: number, pixels: number): YAxis {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const [from, to] = [first, Math.max(last, first + 1)];
  const every = Math.max(1, Math.ceil((to - from) / Math.max(1, Math.floor(pixels / LEAST_ROOM))));
  const ticks: number[] = [];
  for (let power = to; power >= from; power -= every) ticks.unshift(10 ** power);
  return { range: [10 ** from, 10 ** to], ticks };
}

function stepOf(raw: number, unit: string): number {
  // Smaller steps have no logarithm to trust.
  if (!(raw > 1e-300) || !Number.isFinite(raw)) return 0;
  return Math.max(tickStep(raw, unit), unit === "count" ? 1 : 0);
}

function inSteps(bottom: number, top: number, step: number): YAxis | null {
  if (!(step > 0)) return null;
  const first = Math.floor(bottom / step + 1e-6);
  const last = Math.ceil(top / step - 1e-6);
  if (!(last > first) || last - first > MOST_PARTS) return null;
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step + 0);
  return { range: [ticks[0] as number, ticks[ticks.length - 1] as number], ticks };
}

function toLimit(limit: number, unit: string, pixels: number, most: number): YAxis {
  const step = stepOf(limit / most, unit);
  const ticks = [0];
  const room = (LIMIT_ROOM / pixels) * limit;
  for (let tick = step; step > 0 && tick <= limit - room; tick += step) ticks.push(tick);
  return { range: [0, limit], ticks: [...ticks, limit] };
}

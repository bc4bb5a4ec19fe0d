/** The logarithmic axis of the user's metrics, and what has no place on it. Pure. */

import type { Grid } from "../history/grid";
import { formatValue } from "../vocabulary/format";
import { logAxis, type YAxis } from "../vocabulary/y-axis";

/** Beyond this share of values without a logarithm an axis stays linear. */
const MOST = 0.4;

/** Values in view that have no logarithm. */
export interface Unplaced {
  /** Buckets with such a value, of all with values. */
  readonly count: number;
  readonly of: number;
  /** Some bucket has several values, of which it is not known how many have none. */
  readonly atLeast: boolean;
}

type Strips = Pick<Grid, "buckets" | "bucketCount">;

export function unplaced(grid: Strips, lines: number): Unplaced {
  let [count, of, atLeast] = [0, 0, false];
  for (let line = 0; line < lines; line++) {
    const { low, high } = grid.buckets(line) ?? {};
    for (let i = 0; low && high && i < grid.bucketCount; i++) {
      const [from, to] = [low[i] as number, high[i] as number];
      if (Number.isNaN(from)) continue;
      of++;
      if (from > 0) continue;
      count++;
      atLeast ||= from < to;
    }
  }
  return { count, of, atLeast };
}

/** Whether an axis can be logarithmic: most values have a place on it. */
export function fitsLog({ count, of }: Unplaced): boolean {
  return count <= of * MOST;
}

/** What is said of it beside the title; empty where nothing is left out. */
export function logNote(found: Unplaced): string {
  const { count, of, atLeast } = found;
  if (count === 0) return "";
  const values = `${formatValue(count, "count")} ${count === 1 ? "value" : "values"} \u2264 0`;
  if (!fitsLog(found)) return `linear: ${count === of ? "all" : "many"} values \u2264 0`;
  return `${atLeast ? "at least " : ""}${values} not shown`;
}

/** From the least value that has a place to the highest. */
export function logAxisOf(grid: Strips, lines: number, high: number | null, pixels: number): YAxis {
  let least = Number.POSITIVE_INFINITY;
  for (let line = 0; line < lines; line++) {
    const { low, mean } = grid.buckets(line) ?? {};
    for (let i = 0; low && mean && i < grid.bucketCount; i++) {
      for (const value of [low[i] as number, mean[i] as number]) {
        if (value > 0 && value < least) least = value;
      }
    }
  }
  return least <= (high ?? 0) ? logAxis(least, high as number, pixels) : logAxis(0.1, 1, pixels);
}

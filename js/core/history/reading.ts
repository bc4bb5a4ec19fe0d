/** The last reading of a series at or before a moment, by binary search. */

import { type Coarse, middle, readingOf } from "./coarse";
import type { Exact } from "./exact";

export interface Reading {
  readonly time: number;
  /** NaN where the reading was missing then. */
  readonly value: number;
}

/**
 * The reading at or before `time`; null before the first. A bucket is read at its middle or, before
 * that, at the moment asked for: where within it the samples lie is not known.
 */
export function readingAt(exact: Exact, coarse: Coarse, time: number): Reading | null {
  const bucket = coarse.buckets[coarse.startedBy(time)];
  const row = exact.upperBound(time) - 1;
  const read = bucket ? Math.min(middle(bucket), time) : Number.NEGATIVE_INFINITY;
  if (row >= 0 && (exact.time[row] as number) >= read) {
    return { time: exact.time[row] as number, value: exact.value[row] as number };
  }
  return bucket ? { time: read, value: readingOf(bucket) } : null;
}

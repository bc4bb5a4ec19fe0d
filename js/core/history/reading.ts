/** The last reading of a series at or before a moment, by binary search. */

import type { Gap } from "../source";
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

/** The beginning of the stretch without readings that `time` lies in; null where there is a reading. */
export function gapAt(exact: Exact, coarse: Coarse, time: number): Gap | null {
  let [row, at] = [exact.upperBound(time) - 1, coarse.startedBy(time)];
  let gap: Gap | null = null;
  for (;;) {
    const bucket = coarse.buckets[at];
    const start = bucket?.start ?? Number.NEGATIVE_INFINITY;
    const read = bucket ? Math.min(middle(bucket), time) : Number.NEGATIVE_INFINITY;
    const when = row >= 0 ? (exact.time[row] as number) : Number.NEGATIVE_INFINITY;
    if (row >= 0 && when >= read) {
      if (!Number.isNaN(exact.value[row])) return gap && { ...gap, earliest: when };
      gap = { since: when, earliest: when, latest: when };
      row--;
    } else if (bucket) {
      if (!Number.isNaN(bucket.min)) return gap && { ...gap, earliest: start };
      gap = { since: start, earliest: start, latest: Math.min(bucket.end, time) };
      at--;
    } else return gap;
  }
}

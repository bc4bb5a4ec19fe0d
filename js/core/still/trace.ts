/** The points of one line of a still picture. */

/** A point for each bucket that has a value. */
export interface Trace {
  readonly time: readonly number[];
  /** Seconds of the bucket. */
  readonly width: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Of several series the mean of their means; NaN where it is not known. */
  readonly mean: readonly number[];
  /** Rises where readings were missing in between. */
  readonly segment: readonly number[];
  /** Readings were missing at the end. */
  readonly lost: boolean;
  /** The last value known, as the range it lies in; null for none. */
  readonly last: readonly [number, number] | null;
}

/** The mean over time; null without a value, or where one of the means is not known. */
export function average({ width, mean }: Trace): number | null {
  const whole = width.reduce((sum, one) => sum + one, 0);
  // Shares first: the sum of large numbers may be too large for a number.
  const value = mean.reduce((sum, one, i) => sum + one * ((width[i] as number) / whole), 0);
  return mean.length === 0 || Number.isNaN(value) ? null : value;
}

/** The last value, as the range it lies in; null where the newest reading is missing. */
export function newest({ lost, last }: Trace): readonly [number, number] | null {
  return lost ? null : last;
}

/** Smallest and largest value of some traces; null without any. */
export function extent(traces: readonly Trace[]): readonly [number, number] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const trace of traces) {
    for (const value of trace.low) low = Math.min(low, value);
    for (const value of trace.high) high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}

/**
 * The buckets of one series of which only extremes and mean are known: from a keyframe, or of rows
 * that were dropped to save memory. A bucket whose minimum is NaN is a gap: the reading was missing,
 * or a message was lost.
 */

import { limited, weighted } from "./mean";

export interface Bucket {
  readonly start: number;
  readonly end: number;
  /** NaN in both is a gap. */
  readonly min: number;
  readonly max: number;
  /** NaN in a gap, and where it is not known. */
  readonly mean: number;
  /** The number of finite values that the mean is of; NaN where that is not known. */
  readonly rows: number;
  /** The last step in the bucket; NaN for none. */
  readonly step: number;
}

/** Beyond this many, the older half is merged in pairs. */
const MOST = 32_768;

const BUCKET_BYTES = 80;

/** Buckets in order of time, none overlapping another. */
export class Coarse {
  #buckets: Bucket[] = [];
  #changed = Number.POSITIVE_INFINITY;

  get buckets(): readonly Bucket[] {
    return this.#buckets;
  }

  get bytes(): number {
    return this.#buckets.length * BUCKET_BYTES;
  }

  /**
   * The first bucket that changed since this was last asked, other than in where it ends or by
   * another one at the end; Infinity for none.
   */
  takeChanged(): number {
    const changed = this.#changed;
    this.#changed = Number.POSITIVE_INFINITY;
    return changed;
  }

  /** Put `buckets`, in order and within [t0, t1], in the place of all that lies there. */
  replace(t0: number, t1: number, buckets: readonly Bucket[]): void {
    const before: Bucket[] = [];
    const after: Bucket[] = [];
    for (const bucket of this.#buckets) {
      if (bucket.start < t0)
        before.push(bucket.end > t0 ? { ...bucket, end: t0, rows: NaN } : bucket);
      if (bucket.end > t1)
        after.push(bucket.start < t1 ? { ...bucket, start: t1, rows: NaN } : bucket);
      else if (bucket.start > t1) after.push(bucket);
    }
    this.#changed = Math.min(this.#changed, before.length);
    this.#buckets = [...before, ...buckets, ...after];
    if (this.#buckets.length > MOST) this.#merge();
  }

  /** Drop all outside [t0, t1]; a bucket across an end becomes shorter. */
  clip(t0: number, t1: number): void {
    const [first, last] = [this.#buckets[0], this.#buckets[this.#buckets.length - 1]];
    if (!first || !last || (first.start >= t0 && last.end <= t1)) return;
    this.#changed = 0;
    this.#buckets = this.#buckets
      .filter((bucket) => bucket.end > t0 && bucket.start <= t1)
      .map((bucket) => ({
        ...bucket,
        start: Math.max(bucket.start, t0),
        end: Math.min(bucket.end, t1),
      }));
  }

  /** Add a bucket that begins where all others have ended. */
  push(bucket: Bucket): void {
    this.#buckets.push(bucket);
    if (this.#buckets.length > MOST) this.#merge();
  }

  /** Index of the first bucket whose middle is at or after `time`. */
  at(time: number): number {
    let [low, high] = [0, this.#buckets.length];
    while (low < high) {
      const half = (low + high) >>> 1;
      if (middle(this.#buckets[half] as Bucket) < time) low = half + 1;
      else high = half;
    }
    return low;
  }

  /** Index of the last bucket that starts at or before `time`; -1 for none. */
  startedBy(time: number): number {
    let [low, high] = [0, this.#buckets.length];
    while (low < high) {
      const half = (low + high) >>> 1;
      if ((this.#buckets[half] as Bucket).start <= time) low = half + 1;
      else high = half;
    }
    return low - 1;
  }

  /** Whether there is any bucket between the two times. */
  touches(t0: number, t1: number): boolean {
    return this.over(t0, t1).length > 0;
  }

  /** The buckets that overlap the time between the two. */
  over(t0: number, t1: number): Bucket[] {
    const near = this.at(t0);
    const buckets = this.#buckets.slice(Math.max(0, near - 1), this.at(t1) + 1);
    return buckets.filter((bucket) => bucket.start < t1 && bucket.end > t0);
  }

  #merge(): void {
    this.#changed = 0;
    const half = this.#buckets.length >> 1;
    const merged: Bucket[] = [];
    for (let i = 0; i < half; i += 2) {
      const [one, two] = [this.#buckets[i] as Bucket, this.#buckets[i + 1] as Bucket];
      if (i + 1 < half && Number.isNaN(one.min) === Number.isNaN(two.min)) {
        merged.push(merge(one, two));
      } else {
        merged.push(one);
        if (i + 1 < half) merged.push(two);
      }
    }
    this.#buckets = [...merged, ...this.#buckets.slice(half)];
  }
}

export function middle(bucket: Bucket): number {
  return (bucket.start + bucket.end) / 2;
}

function merge(one: Bucket, two: Bucket): Bucket {
  const [min, max] = [Math.min(one.min, two.min), Math.max(one.max, two.max)];
  const rows = one.rows + two.rows;
  const weight = (bucket: Bucket) => {
    if (bucket.rows === 0) return 0;
    return Number.isNaN(rows) ? bucket.end - bucket.start : bucket.rows;
  };
  const mean = limited(weighted(one.mean, weight(one), two.mean, weight(two)), min, max);
  const step = Number.isNaN(two.step) ? one.step : two.step;
  return { start: one.start, end: two.end, min, max, mean, rows, step };
}

/** What a reading in a bucket was, as far as is known: its mean, else its middle. */
export function readingOf({ min, max, mean }: Bucket): number {
  return Number.isNaN(mean) ? min / 2 + max / 2 : mean;
}

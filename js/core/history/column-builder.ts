/** Gathers extremes and mean of one series in the buckets of the visible range. */

import { type Columns, reserve } from "../source";
import { joined, limited } from "./mean";
import type { Pyramid } from "./pyramid";

/** What a stored bucket says at one moment. */
export interface Told {
  readonly min: number;
  readonly max: number;
  /** NaN when it is not known, and in a gap. */
  readonly mean: number;
  /** The number of its finite values; NaN when that is not known. */
  readonly rows: number;
}

type Neighbour = readonly [time: number, min: number, max: number, mean: number];

/** Columns that begin anew with each picture, and what they begin with. */
const EMPTY = {
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  /** Time of the newest thing seen in a bucket; NaN for nothing. */
  last: Number.NaN,
  /** 1 where the newest thing in a bucket says that the reading is missing. */
  missing: 0,
  /** 1 where a bucket has seen one moment only. */
  single: 0,
  /** 1 where a bucket has seen nothing but the stretch that the bucket before it saw. */
  same: 0,
  /** Of the finite values of rows. */
  sum: 0,
  count: 0,
  /** Length that those rows cover. */
  span: 0,
  /** Of the means of stretches, each times its length. */
  stretched: 0,
  /** Length of those stretches. */
  covered: 0,
} as const;

type Name = keyof typeof EMPTY;

const NAMES = Object.keys(EMPTY) as Name[];

/** Used for one series after another; its arrays are kept. */
export class ColumnBuilder {
  width = 1;
  firstBucket = 0;
  lastBucket = 0;
  #length = 0;
  #all = emptied(0);
  #before: Neighbour | null = null;
  #after: Neighbour | null = null;

  begin(firstBucket: number, lastBucket: number, width: number): void {
    this.firstBucket = firstBucket;
    this.lastBucket = lastBucket;
    this.width = width;
    this.#length = lastBucket - firstBucket + 1;
    if (this.#all.min.length < this.#length) this.#all = emptied(this.#length * 2);
    for (const name of NAMES) this.#all[name].fill(EMPTY[name], 0, this.#length);
    this.#before = null;
    this.#after = null;
  }

  /** Left edge of the first bucket. */
  get from(): number {
    return this.firstBucket * this.width;
  }

  /** One row; `span` is how much of the axis it stands for. */
  row(at: number, value: number, span: number): void {
    const bucket = this.#see(at, at, value, value, Number.isNaN(value), 0);
    if (bucket >= 0 && Number.isFinite(value)) this.#count(bucket, value, 1, span);
  }

  /** Rows from `first` to `last`, all in one bucket; `missing` tells of the last of them. */
  rows(first: number, last: number, all: Pyramid, missing: boolean, span: number): void {
    const bucket = this.#see(first, last, all.lowest, all.highest, missing, 0);
    if (bucket >= 0 && all.count > 0) this.#count(bucket, all.sum, all.count, span);
  }

  /** Only some of the rows at `at` are here, so the mean is not known. */
  thin(at: number): void {
    const bucket = Math.floor(at / this.width) - this.firstBucket;
    if (bucket >= 0 && bucket < this.#length) this.#count(bucket, Number.NaN, 1, 0);
  }

  /** A stored bucket of a `length`, in one of the drawn ones that it covers: `share` is its part. */
  stretch(at: number, told: Told, length: number, share: number, same: boolean): void {
    const bucket = this.extremes(at, told, same);
    if (bucket < 0 || Number.isNaN(told.min) || told.rows === 0) return;
    const rows = told.rows * share;
    if (rows > 0) this.#count(bucket, told.mean * rows, rows, length * share);
    else {
      const { stretched, covered } = this.#all;
      stretched[bucket] = (stretched[bucket] as number) + told.mean * length * share;
      covered[bucket] = (covered[bucket] as number) + length * share;
    }
  }

  /** A stored bucket in another drawn one: only that its extremes may lie there is known. */
  extremes(at: number, { min, max }: Told, same: boolean): number {
    return this.#see(at, at, min, max, Number.isNaN(min), same ? 1 : 0);
  }

  before(time: number, min: number, max: number, mean: number): void {
    this.#before = [time, min, max, mean];
  }

  after(time: number, min: number, max: number, mean: number): void {
    this.#after = [time, min, max, mean];
  }

  write(out: Columns): void {
    reserve(out, 2 * this.#length + 2);
    out.length = 0;
    if (this.#before) put(out, ...this.#before, 0);
    for (let i = 0; i < this.#length; i++) this.#bucket(out, i);
    if (this.#after) put(out, ...this.#after, 0);
  }

  /** Returns the bucket, or -1 for one out of sight. */
  #see(
    first: number,
    last: number,
    min: number,
    max: number,
    missing: boolean,
    same: number,
  ): number {
    const all = this.#all;
    const bucket = Math.floor(last / this.width) - this.firstBucket;
    if (bucket < 0 || bucket >= this.#length) return -1;
    const before = all.last[bucket] as number;
    all.single[bucket] = Number.isNaN(before) && first === last ? 1 : 0;
    all.same[bucket] = Number.isNaN(before) ? same : 0;
    if (min < (all.min[bucket] as number)) all.min[bucket] = min;
    if (max > (all.max[bucket] as number)) all.max[bucket] = max;
    if (before > last) return bucket;
    all.last[bucket] = last;
    all.missing[bucket] = missing ? 1 : 0;
    return bucket;
  }

  #count(bucket: number, sum: number, count: number, span: number): void {
    const all = this.#all;
    all.span[bucket] = (all.span[bucket] as number) + span;
    all.sum[bucket] = (all.sum[bucket] as number) + sum;
    all.count[bucket] = (all.count[bucket] as number) + count;
  }

  #bucket(out: Columns, i: number): void {
    const all = this.#all;
    const last = all.last[i] as number;
    if (Number.isNaN(last)) return;
    const [min, max] = [all.min[i] as number, all.max[i] as number];
    const time = all.single[i] ? last : (this.firstBucket + i + 0.5) * this.width;
    if (min <= max)
      put(out, time, min, max, limited(this.#mean(i), min, max), all.same[i] as number);
    if (all.missing[i]) put(out, time, Number.NaN, Number.NaN, Number.NaN, 0);
  }

  #mean(i: number): number {
    const all = this.#all;
    const covered = all.covered[i] as number;
    const span = Math.min(all.span[i] as number, Math.max(this.width - covered, 0));
    return joined(
      all.sum[i] as number,
      all.count[i] as number,
      span,
      all.stretched[i] as number,
      covered,
    );
  }
}

function emptied(length: number): Record<Name, Float64Array> {
  const column = () => new Float64Array(length);
  // Written out: property access to an object made from a list of names is slower.
  return {
    min: column(),
    max: column(),
    last: column(),
    missing: column(),
    single: column(),
    same: column(),
    sum: column(),
    count: column(),
    span: column(),
    stretched: column(),
    covered: column(),
  };
}

function put(
  out: Columns,
  time: number,
  min: number,
  max: number,
  mean: number,
  same: number,
): void {
  out.time[out.length] = time;
  out.min[out.length] = min;
  out.max[out.length] = max;
  out.mean[out.length] = mean;
  out.same[out.length] = same;
  out.length++;
}

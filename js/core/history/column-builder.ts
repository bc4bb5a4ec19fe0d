/** Gathers the minima and maxima of one series in the buckets of the visible range. */

import type { Columns } from "../source";

/** Used for one series after another; its arrays are kept. */
export class ColumnBuilder {
  width = 1;
  firstBucket = 0;
  lastBucket = 0;
  #length = 0;
  #min = new Float64Array(0);
  #max = new Float64Array(0);
  /** Time of the newest thing seen in a bucket; NaN for nothing. */
  #last = new Float64Array(0);
  /** 1 where the newest thing in a bucket says that the reading is missing. */
  #missing = new Uint8Array(0);
  /** 1 where a bucket has seen one moment only. */
  #single = new Uint8Array(0);
  /** 1 where a bucket has seen nothing but the stretch that the bucket before it saw. */
  #same = new Uint8Array(0);
  #before: readonly [number, number, number] | null = null;
  #after: readonly [number, number, number] | null = null;

  begin(firstBucket: number, lastBucket: number, width: number): void {
    this.firstBucket = firstBucket;
    this.lastBucket = lastBucket;
    this.width = width;
    this.#length = lastBucket - firstBucket + 1;
    if (this.#min.length < this.#length) this.#grow(this.#length * 2);
    this.#min.fill(Number.POSITIVE_INFINITY, 0, this.#length);
    this.#max.fill(Number.NEGATIVE_INFINITY, 0, this.#length);
    this.#last.fill(Number.NaN, 0, this.#length);
    this.#missing.fill(0, 0, this.#length);
    this.#single.fill(0, 0, this.#length);
    this.#same.fill(0, 0, this.#length);
    this.#before = null;
    this.#after = null;
  }

  /** Left edge of the first bucket. */
  get from(): number {
    return this.firstBucket * this.width;
  }

  /**
   * Samples from `first` to `last`, all in one bucket; `missing` tells of the last of them, `same`
   * that they go on with what the bucket before has seen.
   */
  see(first: number, last: number, min: number, max: number, missing: boolean, same = false): void {
    const bucket = Math.floor(last / this.width) - this.firstBucket;
    if (bucket < 0 || bucket >= this.#length) return;
    const before = this.#last[bucket] as number;
    this.#single[bucket] = Number.isNaN(before) && first === last ? 1 : 0;
    this.#same[bucket] = Number.isNaN(before) && same ? 1 : 0;
    if (min < (this.#min[bucket] as number)) this.#min[bucket] = min;
    if (max > (this.#max[bucket] as number)) this.#max[bucket] = max;
    if (before > last) return;
    this.#last[bucket] = last;
    this.#missing[bucket] = missing ? 1 : 0;
  }

  before(time: number, min: number, max: number): void {
    this.#before = [time, min, max];
  }

  after(time: number, min: number, max: number): void {
    this.#after = [time, min, max];
  }

  write(out: Columns): void {
    reserve(out, 2 * this.#length + 2);
    out.length = 0;
    if (this.#before) put(out, ...this.#before);
    for (let i = 0; i < this.#length; i++) this.#bucket(out, i);
    if (this.#after) put(out, ...this.#after);
  }

  #bucket(out: Columns, i: number): void {
    const last = this.#last[i] as number;
    if (Number.isNaN(last)) return;
    const [min, max] = [this.#min[i] as number, this.#max[i] as number];
    const time = this.#single[i] ? last : (this.firstBucket + i + 0.5) * this.width;
    if (min <= max) put(out, time, min, max, this.#same[i]);
    if (this.#missing[i]) put(out, time, Number.NaN, Number.NaN);
  }

  #grow(length: number): void {
    this.#min = new Float64Array(length);
    this.#max = new Float64Array(length);
    this.#last = new Float64Array(length);
    this.#missing = new Uint8Array(length);
    this.#single = new Uint8Array(length);
    this.#same = new Uint8Array(length);
  }
}

function put(out: Columns, time: number, min: number, max: number, same = 0): void {
  out.time[out.length] = time;
  out.min[out.length] = min;
  out.max[out.length] = max;
  out.mean[out.length] = (min + max) / 2;
  out.same[out.length] = same;
  out.length++;
}

function reserve(out: Columns, length: number): void {
  if (out.time.length >= length) return;
  out.time = new Float64Array(length * 2);
  out.min = new Float64Array(length * 2);
  out.max = new Float64Array(length * 2);
  out.mean = new Float64Array(length * 2);
  out.same = new Uint8Array(length * 2);
}

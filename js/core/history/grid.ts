/**
 * One x axis for all lines of a chart, made of buckets of equal width, each at most a pixel wide.
 * A line runs through the means of its buckets; the extremes of each are a band around it, so that
 * a spike of one sample shows at every zoom. A stretch of several buckets of which only the extremes
 * are known is one band with one point of the line.
 */

import { columns } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { widthWithin } from "./buckets";
import type { Fetch } from "./fetch";

import { GAP, NOTHING, stretchMiddle, widenGaps } from "./places";

export { byStep, byTime, type Fetch } from "./fetch";
export { GAP, NOTHING, nearestPlace } from "./places";

/** What a line says at one moment; null limits mean that the reading is missing there. */
export interface Reading {
  readonly time: number;
  readonly min: number | null;
  readonly max: number | null;
  /** Null also where only the extremes are known. */
  readonly mean: number | null;
}

/** The value of a series at a moment; NaN where it is not known. */
export type ValueAt = (id: number, x: number) => number;

/** There is nothing but a gap in the bucket, or one after its values. */
export const GAP_AFTER = 1;
/** There is a gap before the values of the bucket. */
export const GAP_BEFORE = 2;

/** The buckets of one line. Only the first `Grid.bucketCount` of each count. */
export interface Strip {
  /** NaN without values. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** NaN where it is not known. */
  readonly mean: Float64Array;
  /** `GAP_AFTER`, `GAP_BEFORE`, both or none. */
  readonly gap: Uint8Array;
  /** 1 where a bucket goes on with the stretch of the one before. */
  readonly same: Uint8Array;
}

const scratch = columns();
/** How many means a bucket got. */
let counts = new Float64Array(0);

export class Grid {
  /** Shared x values, rising. The first and the last lie just outside the visible range. */
  xs = new Float64Array(0);
  /** Values of each line, `NOTHING` or `GAP`. Numbers alone: boxes for others would be garbage. */
  ys: Float64Array[] = [];
  #xs = new Float64Array(0);
  readonly #ys: Float64Array[] = [];
  /** On which sides of its values some line has a gap in each bucket. */
  #sides = new Uint8Array(0);
  #range: AxisRange = [0, 1];
  #width = 1;
  #first = 0;
  #count = 0;
  #stepped = false;
  #edges: Edges[] = [];
  /** Place of the value of every bucket in `xs`. */
  #places = new Int32Array(0);
  readonly #strips: Strip[] = [];

  /**
   * Read all lines over `range` into buckets that are never wider than a `pixels`th of it. A line
   * with id null is hidden and stays empty.
   *
   * `stepped` lines hold their value until the next sample, others run straight to it. `valueAt`
   * tells what a stepped line holds after a bucket of several samples.
   */
  fill(
    fetch: Fetch,
    ids: readonly (number | null)[],
    range: AxisRange,
    pixels: number,
    stepped: boolean,
    valueAt?: ValueAt,
  ): void {
    this.#range = range;
    this.#width = widthWithin((range[1] - range[0]) / Math.max(pixels, 2));
    this.#first = Math.floor(range[0] / this.#width);
    this.#count = Math.floor(range[1] / this.#width) - this.#first + 1;
    this.#reserve(ids.length);
    this.#stepped = stepped;
    this.#edges = ids.map((id, line) => this.#gather(fetch, id, line));
    this.#place();
    for (const [line, edges] of this.#edges.entries()) {
      const id = ids[line];
      const known = valueAt && typeof id === "number" ? (x: number) => valueAt(id, x) : undefined;
      this.#write(line, edges, stepped, known);
    }
  }

  /**
   * The reading of a line at `x`, or the nearest one that the line there runs from or to; in steps
   * always the one it runs from. Null where there is no line: before the first sample and beyond
   * the last nothing is known, so nothing is said.
   */
  at(line: number, x: number): Reading | null {
    const bucket = Math.floor(x / this.#width) - this.#first;
    if (bucket < 0 || bucket >= this.#count || line >= this.ys.length) return null;
    const left = this.#seek(line, bucket, -1);
    if (left === bucket) return this.#reading(line, left);
    const right = this.#seek(line, bucket, 1);
    const edges = this.#edges[line] as Edges;
    const before = left >= 0 ? this.#reading(line, left) : edges.left;
    const after = right < this.#count ? this.#reading(line, right) : edges.right;
    if (!before || !after) return null;
    const ended = left >= 0 && ((this.#strips[line] as Strip).gap[left] as number) & GAP_AFTER;
    if (ended) return { time: before.time, min: null, max: null, mean: null };
    if (before.min === null || this.#stepped) return before;
    return after.time - x < x - before.time ? after : before;
  }

  /** The first bucket from `bucket` on that has anything; beyond the visible range without any. */
  #seek(line: number, bucket: number, by: 1 | -1): number {
    const { low, gap } = this.#strips[line] as Strip;
    let at = bucket;
    while (at >= 0 && at < this.#count && Number.isNaN(low[at] as number) && !gap[at]) at += by;
    return at;
  }

  #reading(line: number, bucket: number): Reading {
    const { low, high, mean } = this.#strips[line] as Strip;
    const time = (this.#first + bucket + 0.5) * this.#width;
    return reading(time, low[bucket] as number, high[bucket] as number, mean[bucket] as number);
  }

  /** Buckets of one line, for painting. */
  buckets(line: number): Strip | null {
    return line < this.ys.length ? (this.#strips[line] ?? null) : null;
  }

  get bucketCount(): number {
    return this.#count;
  }

  /** Left edge of the first bucket, and the width of every bucket. */
  get origin(): readonly [number, number] {
    return [this.#first * this.#width, this.#width];
  }

  /** Smallest and largest value of a line in the visible range, or null without any. */
  extremes(line: number): readonly [number, number] | null {
    const strip = this.buckets(line);
    if (!strip) return null;
    const { low, high } = strip;
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < this.#count; i++) {
      const [from, to] = [low[i] as number, high[i] as number];
      if (from < min) min = from;
      if (to > max) max = to;
    }
    return min <= max ? [min, max] : null;
  }

  /** What is drawn of all lines in the visible range, also on the way to samples outside it. */
  reach(): readonly [number, number] | null {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let line = 0; line < this.ys.length; line++) {
      const ys = this.ys[line] as Float64Array;
      const [low, high] = this.extremes(line) ?? [];
      for (const value of [low, high, ys[0], ys[ys.length - 1]]) {
        if (typeof value !== "number" || !Number.isFinite(value)) continue;
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
    return min <= max ? [min, max] : null;
  }

  #reserve(lines: number): void {
    const count = this.#count;
    if (this.#places.length < count) {
      this.#places = new Int32Array(count * 2);
      this.#sides = new Uint8Array(count * 2);
      this.#xs = new Float64Array(count * 6 + 2);
    }
    if (counts.length < count) counts = new Float64Array(count * 2);
    this.#sides.fill(0, 0, count);
    this.ys.length = lines;
    for (let line = 0; line < lines; line++) {
      const strip = this.#strips[line];
      if (!strip || strip.low.length < count) this.#strips[line] = emptyStrip(count * 2);
      if ((this.#ys[line]?.length ?? 0) < this.#xs.length) {
        this.#ys[line] = new Float64Array(this.#xs.length);
      }
      const { low, high, mean, gap, same } = this.#strips[line] as Strip;
      low.fill(Number.NaN, 0, count);
      high.fill(Number.NaN, 0, count);
      mean.fill(Number.NaN, 0, count);
      gap.fill(0, 0, count);
      same.fill(0, 0, count);
    }
  }

  /** Put a line's samples into buckets; returns its neighbours just outside the visible range. */
  #gather(fetch: Fetch, id: number | null, line: number): Edges {
    const edges = new Edges();
    if (id === null) return edges;
    const [t0, t1] = this.#range;
    fetch(id, t0, t1, (t1 - t0) / this.#width, scratch);
    counts.fill(0, 0, this.#count);
    const strip = this.#strips[line] as Strip;
    let broken = false;
    for (let i = 0; i < scratch.length; i++) {
      const time = scratch.time[i] as number;
      const bucket = Math.floor(time / this.#width) - this.#first;
      if (bucket >= 0 && bucket < this.#count) {
        see(strip, bucket, i);
        broken ||= strip.gap[bucket] !== 0;
        continue;
      }
      const [low, high] = [scratch.min[i] as number, scratch.max[i] as number];
      const outside = reading(time, low, high, meanOf(low, high, scratch.mean[i]));
      if (bucket < 0) edges.left = outside;
      else {
        edges.right = outside;
        break;
      }
    }
    if (broken) this.#note(strip);
    return edges;
  }

  /** Remember where values of a line stand beside a gap. */
  #note({ low, gap }: Strip): void {
    for (let bucket = 0; bucket < this.#count; bucket++) {
      if (Number.isNaN(low[bucket] as number)) continue;
      this.#sides[bucket] = (this.#sides[bucket] as number) | (gap[bucket] as number);
    }
  }

  /** Lay out the x values: one a bucket, others beside it where some line has values and a gap. */
  #place(): void {
    const xs = this.#xs;
    const width = this.#width;
    let next = 1;
    xs[0] = (this.#first - 0.5) * width;
    for (let bucket = 0; bucket < this.#count; bucket++) {
      const left = (this.#first + bucket) * width;
      const sides = this.#sides[bucket] as number;
      if (sides & GAP_BEFORE) xs[next++] = left + width * 0.125;
      this.#places[bucket] = next;
      xs[next++] = left + width * 0.5;
      if (sides & GAP_AFTER) xs[next++] = left + width * 0.875;
    }
    xs[next++] = (this.#first + this.#count + 0.5) * width;
    this.xs = xs.subarray(0, next);
    for (let line = 0; line < this.ys.length; line++) {
      this.ys[line] = (this.#ys[line] as Float64Array).subarray(0, next);
    }
  }

  #write(line: number, edges: Edges, stepped: boolean, valueAt?: (x: number) => number): void {
    const ys = this.ys[line] as Float64Array;
    const { low, high, mean, gap, same } = this.#strips[line] as Strip;
    ys.fill(NOTHING);
    let previous = edges.left?.mean ?? Number.NaN;
    for (let bucket = 0; bucket < this.#count; bucket++) {
      const at = this.#places[bucket] as number;
      const broken = gap[bucket] as number;
      if (Number.isNaN(low[bucket] as number)) {
        if (broken) ys[at] = GAP;
        continue;
      }
      if (broken & GAP_BEFORE) ys[at - 1] = GAP;
      if (broken & GAP_AFTER) ys[at + 1] = GAP;
      if (same[bucket]) continue;
      let value = mean[bucket] as number;
      if (stepped && low[bucket] !== high[bucket]) {
        // The mean of two states is none. It ends in the one that holds, or the one it was not in.
        const held = valueAt?.((this.#first + bucket + 1) * this.#width) ?? Number.NaN;
        value = Number.isNaN(held) ? farEnd(previous, low[bucket], high[bucket]) : held;
      }
      previous = value;
      const middle = stepped ? bucket : stretchMiddle(same, bucket, this.#count);
      ys[this.#places[middle] as number] = Number.isFinite(value) ? value : GAP;
    }
    this.#continue(ys, edges, stepped);
    widenGaps(ys);
  }

  /** Let a line run off the visible range towards its neighbours outside. */
  #continue(ys: Float64Array, edges: Edges, stepped: boolean): void {
    const end = ys.length - 1;
    let [first, last] = [0, end];
    while (first <= end && Number.isNaN(ys[first] as number)) first++;
    while (last >= 0 && Number.isNaN(ys[last] as number)) last--;
    const inside = (at: number): Point | null => {
      const y = ys[at] as number;
      return Number.isFinite(y) ? [this.xs[at] as number, y] : null;
    };
    const [left, right] = [pointOf(edges.left), pointOf(edges.right)];
    const [start, stop] = [this.xs[0] as number, this.xs[end] as number];
    ys[0] = between(left, first > end ? right : inside(first), start, stepped);
    ys[end] = between(first > end ? left : inside(last), right, stop, stepped);
  }
}

type Point = readonly [x: number, y: number];

/** The nearest samples on either side of the visible range. */
class Edges {
  left: Reading | null = null;
  right: Reading | null = null;
}

function emptyStrip(length: number): Strip {
  const numbers = () => new Float64Array(length);
  const flags = () => new Uint8Array(length);
  return { low: numbers(), high: numbers(), mean: numbers(), gap: flags(), same: flags() };
}

/** Let item `i` of what was fetched count in a bucket. */
function see({ low, high, mean, gap, same }: Strip, bucket: number, i: number): void {
  const [min, max] = [scratch.min[i] as number, scratch.max[i] as number];
  const empty = Number.isNaN(low[bucket] as number);
  if (Number.isNaN(min)) {
    gap[bucket] = (gap[bucket] as number) | GAP_AFTER;
    return;
  }
  if (empty) {
    same[bucket] = scratch.same[i] as number;
    gap[bucket] = gap[bucket] ? GAP_BEFORE : 0;
  } else {
    same[bucket] = (same[bucket] as number) & (scratch.same[i] as number);
    gap[bucket] = (gap[bucket] as number) & ~GAP_AFTER;
  }
  if (!((low[bucket] as number) <= min)) low[bucket] = min;
  if (!((high[bucket] as number) >= max)) high[bucket] = max;
  const own = meanOf(min, max, scratch.mean[i]);
  if (Number.isNaN(own)) return;
  const count = (counts[bucket] as number) + 1;
  counts[bucket] = count;
  const known = count > 1 ? (mean[bucket] as number) : 0;
  mean[bucket] = known + (own - known) / count;
}

/** The mean of an item; where all its values are the same, that is known without being told. */
function meanOf(min: number, max: number, told: number | undefined): number {
  return min === max ? min : (told ?? Number.NaN);
}

function farEnd(previous: number, low = Number.NaN, high = Number.NaN): number {
  return Math.abs(previous - high) < Math.abs(previous - low) ? low : high;
}

function reading(time: number, min: number, max: number, mean: number): Reading {
  if (Number.isNaN(min)) return { time, min: null, max: null, mean: null };
  return { time, min, max, mean: Number.isNaN(mean) ? null : mean };
}

function pointOf(one: Reading | null): Point | null {
  return one && one.mean !== null ? [one.time, one.mean] : null;
}

/** The value at `x` of the line from `a` to `b`, if both are there. */
function between(a: Point | null, b: Point | null, x: number, stepped: boolean): number {
  if (!a || !b) return NOTHING;
  if (stepped || b[0] <= a[0]) return a[1];
  return a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0]);
}

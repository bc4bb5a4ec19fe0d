/**
 * One x axis for all lines of a chart, made of buckets of equal width with two places each: a line
 * runs through the smallest and the largest value of its bucket, so a spike of one sample shows at
 * every zoom. `null` is a gap (a missing reading); `undefined` is a bucket without samples, which
 * the line crosses. A stretch of several buckets of which only the extremes are known is crossed
 * once, from the one to the other.
 */

import { type Columns, columns, type Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { bucketWidth } from "./buckets";

export type Value = number | null | undefined;

/** What a line says at one moment; null limits mean that the reading is missing there. */
export interface Reading {
  readonly time: number;
  readonly min: number | null;
  readonly max: number | null;
}

/** Where values come from: `Source.range`, by time or by step. */
export type Fetch = (id: number, from: number, to: number, points: number, out: Columns) => void;

/** How far beyond the visible range to look for the sample that a line comes from, in seconds. */
const REACH = 60;

const scratch = columns();

export class Grid {
  /** Shared x values, rising. The first and the last lie just outside the visible range. */
  xs: number[] = [];
  ys: Value[][] = [];
  #range: AxisRange = [0, 1];
  #width = 1;
  #first = 0;
  #count = 0;
  #stepped = false;
  #edges: Edges[] = [];
  /** Place of the first value of every bucket in `xs`. */
  #starts = new Int32Array(0);
  #low: Float64Array[] = [];
  #high: Float64Array[] = [];
  #gap: Uint8Array[] = [];
  /** 1 where a bucket goes on with the stretch of the one before. */
  #same: Uint8Array[] = [];

  /**
   * Read all lines over `range`. A line with id null is hidden and stays empty.
   *
   * `stepped` lines hold their value until the next sample, others run straight to it.
   */
  fill(
    fetch: Fetch,
    ids: readonly (number | null)[],
    range: AxisRange,
    points: number,
    stepped: boolean,
  ): void {
    this.#range = range;
    this.#width = bucketWidth((range[1] - range[0]) / Math.max(points, 2));
    this.#first = Math.floor(range[0] / this.#width);
    this.#count = Math.floor(range[1] / this.#width) - this.#first + 1;
    this.#reserve(ids.length);
    this.#stepped = stepped;
    this.#edges = ids.map((id, line) => this.#gather(fetch, id, line));
    this.#place();
    for (const [line, edge] of this.#edges.entries()) this.#write(line, edge, stepped);
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
    const before = left >= 0 ? this.#reading(line, left) : readingOf(edges.left);
    const after = right < this.#count ? this.#reading(line, right) : readingOf(edges.right);
    if (!before || !after) return null;
    if (left >= 0 && this.#gap[line]?.[left]) return { ...before, min: null, max: null };
    if (before.min === null || this.#stepped) return before;
    return after.time - x < x - before.time ? after : before;
  }

  /** The first bucket from `bucket` on that has anything; beyond the visible range without any. */
  #seek(line: number, bucket: number, by: 1 | -1): number {
    const low = this.#low[line] as Float64Array;
    const gap = this.#gap[line] as Uint8Array;
    let at = bucket;
    while (at >= 0 && at < this.#count && Number.isNaN(low[at] as number) && !gap[at]) at += by;
    return at;
  }

  #reading(line: number, bucket: number): Reading | null {
    const time = (this.#first + bucket + 0.5) * this.#width;
    return readingOf([
      time,
      this.#high[line]?.[bucket] as number,
      this.#low[line]?.[bucket] as number,
    ]);
  }

  /** Buckets of one line, for drawing rows instead of curves. */
  buckets(line: number): { low: Float64Array; high: Float64Array; gap: Uint8Array } | null {
    const [low, high, gap] = [this.#low[line], this.#high[line], this.#gap[line]];
    return low && high && gap ? { low, high, gap } : null;
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
    const [low, high] = [this.#low[line], this.#high[line]];
    if (!low || !high) return null;
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < this.#count; i++) {
      if ((low[i] as number) < min) min = low[i] as number;
      if ((high[i] as number) > max) max = high[i] as number;
    }
    return min <= max ? [min, max] : null;
  }

  #reserve(lines: number): void {
    if (this.#starts.length <= this.#count) this.#starts = new Int32Array(this.#count * 2 + 1);
    while (this.ys.length < lines) this.ys.push([]);
    this.ys.length = lines;
    for (let line = 0; line < lines; line++) {
      if ((this.#low[line]?.length ?? 0) < this.#count) {
        this.#low[line] = new Float64Array(this.#count * 2);
        this.#high[line] = new Float64Array(this.#count * 2);
        this.#gap[line] = new Uint8Array(this.#count * 2);
        this.#same[line] = new Uint8Array(this.#count * 2);
      }
      (this.#low[line] as Float64Array).fill(Number.NaN, 0, this.#count);
      (this.#high[line] as Float64Array).fill(Number.NaN, 0, this.#count);
      (this.#gap[line] as Uint8Array).fill(0, 0, this.#count);
      (this.#same[line] as Uint8Array).fill(0, 0, this.#count);
    }
  }

  /** Put a line's samples into buckets; returns its neighbours just outside the visible range. */
  #gather(fetch: Fetch, id: number | null, line: number): Edges {
    const edges = new Edges();
    if (id === null) return edges;
    const [t0, t1] = this.#range;
    const reach = Math.min(REACH, (t1 - t0) * 10);
    const points = Math.ceil((t1 - t0 + 2 * reach) / this.#width);
    fetch(id, t0 - reach, t1 + reach, points, scratch);
    const low = this.#low[line] as Float64Array;
    const high = this.#high[line] as Float64Array;
    const gap = this.#gap[line] as Uint8Array;
    const same = this.#same[line] as Uint8Array;
    for (let i = 0; i < scratch.length; i++) {
      const time = scratch.time[i] as number;
      const [min, max] = [scratch.min[i] as number, scratch.max[i] as number];
      const bucket = Math.floor(time / this.#width) - this.#first;
      if (bucket < 0) edges.before(time, max, min);
      else if (bucket >= this.#count) {
        edges.after(time, max, min);
        break;
      } else if (Number.isNaN(min)) gap[bucket] = 1;
      else {
        same[bucket] = Number.isNaN(low[bucket] as number) ? (scratch.same[i] as number) : 0;
        if (!((low[bucket] as number) <= min)) low[bucket] = min;
        if (!((high[bucket] as number) >= max)) high[bucket] = max;
      }
    }
    return edges;
  }

  /** Lay out the x values: two to a bucket, a third where some line has values and a gap. */
  #place(): void {
    const xs = this.xs;
    const width = this.#width;
    let next = 1;
    xs[0] = (this.#first - 0.25) * width;
    for (let bucket = 0; bucket < this.#count; bucket++) {
      const left = (this.#first + bucket) * width;
      this.#starts[bucket] = next;
      xs[next++] = left + width * 0.25;
      xs[next++] = left + width * 0.75;
      const broken = this.#gap.some((gap, line) => {
        return line < this.ys.length && gap[bucket] && !Number.isNaN(this.#low[line]?.[bucket]);
      });
      if (broken) xs[next++] = left + width * 0.875;
    }
    xs[next] = (this.#first + this.#count + 0.25) * width;
    this.#starts[this.#count] = next;
    xs.length = next + 1;
  }

  #write(line: number, edges: Edges, stepped: boolean): void {
    const ys = this.ys[line] as Value[];
    const low = this.#low[line] as Float64Array;
    const high = this.#high[line] as Float64Array;
    const gap = this.#gap[line] as Uint8Array;
    const same = this.#same[line] as Uint8Array;
    ys.length = this.xs.length;
    ys.fill(undefined);
    let previous = edges.beforeValue;
    for (let bucket = 0; bucket < this.#count; bucket++) {
      const at = this.#starts[bucket] as number;
      const min = low[bucket] as number;
      if (Number.isNaN(min)) {
        if (gap[bucket]) ys[at] = null;
        continue;
      }
      const max = high[bucket] as number;
      if (bucket > 0 && same[bucket] && ys[at - 1] === previous && !gap[bucket]) {
        // The far end of the stretch moves on to the end of this bucket.
        ys[at - 1] = undefined;
        ys[at + 1] = previous;
        continue;
      }
      // Enter the bucket at the nearer end: the line then jumps less from bucket to bucket.
      const rising = Number.isNaN(previous)
        ? !this.#fallsAfter(bucket, low, high)
        : !(Math.abs(previous - max) < Math.abs(previous - min));
      ys[at] = rising ? min : max;
      previous = rising ? max : min;
      ys[at + 1] = previous;
      if (gap[bucket]) ys[(this.#starts[bucket + 1] as number) - 1] = null;
    }
    this.#continue(ys, edges, stepped);
    widenGaps(ys);
  }

  /** Whether a line that begins in `bucket` is lower in the next stretch. */
  #fallsAfter(bucket: number, low: Float64Array, high: Float64Array): boolean {
    const own = (low[bucket] as number) + (high[bucket] as number);
    for (let next = bucket + 1; next < this.#count; next++) {
      const sum = (low[next] as number) + (high[next] as number);
      if (!Number.isNaN(sum) && sum !== own) return sum < own;
    }
    return false;
  }

  /** Let a line run off the visible range towards its neighbours outside. */
  #continue(ys: Value[], edges: Edges, stepped: boolean): void {
    const end = ys.length - 1;
    const first = ys.findIndex((y) => y !== undefined);
    const last = ys.findLastIndex((y) => y !== undefined);
    const inside = (at: number): Point | null => {
      const y = ys[at];
      return at > 0 && y !== null && y !== undefined ? [this.xs[at] as number, y] : null;
    };
    const left = edges.left;
    const right = edges.right;
    const start = this.xs[0] as number;
    const stop = this.xs[end] as number;
    ys[0] = between(left, first < 0 ? right : inside(first), start, stepped);
    ys[end] = between(first < 0 ? left : inside(last), right, stop, stepped);
  }
}

type Point = readonly [x: number, y: number];
/** A bucket as one; of one outside the visible range the line takes the upper end. */
type Ends = readonly [x: number, high: number, low: number];

function readingOf(bucket: Ends | null): Reading | null {
  if (!bucket) return null;
  const [time, max, min] = bucket;
  return Number.isNaN(min) ? { time, min: null, max: null } : { time, min, max };
}

/** The value at `x` of the line from `a` to `b`; undefined unless both are there. */
function between(
  a: Point | Ends | null,
  b: Point | Ends | null,
  x: number,
  stepped: boolean,
): Value {
  if (!a || !b || Number.isNaN(a[1]) || Number.isNaN(b[1])) return undefined;
  if (stepped || b[0] <= a[0]) return a[1];
  return a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0]);
}

/** The nearest samples on either side of the visible range. */
class Edges {
  left: Ends | null = null;
  right: Ends | null = null;

  before(time: number, high: number, low: number): void {
    this.left = [time, high, low];
  }

  after(time: number, high: number, low: number): void {
    this.right ??= [time, high, low];
  }

  get beforeValue(): number {
    return this.left?.[1] ?? Number.NaN;
  }
}

/** A gap reaches from the value before it to the value after it. */
function widenGaps(ys: Value[]): void {
  for (let i = 0; i < ys.length; i++) {
    if (ys[i] !== null) continue;
    for (let k = i - 1; k >= 0 && ys[k] === undefined; k--) ys[k] = null;
    for (; i + 1 < ys.length && ys[i + 1] === undefined; i++) ys[i + 1] = null;
  }
}

/** The place nearest to `index` that the line there runs from or to; in steps the one before it. */
export function nearestPlace(ys: ArrayLike<Value>, index: number, stepped: boolean): number {
  let [before, after] = [index, index];
  while (after < ys.length && ys[after] === undefined) after++;
  if (after === ys.length) return index;
  while (before > 0 && ys[before] === undefined) before--;
  const known = ys[before] !== undefined;
  return known && !stepped && after - index < index - before ? after : before;
}

/** Values by wall time. */
export function byTime(source: Source): Fetch {
  return (id, from, to, points, out) => source.range(id, from, to, points, out);
}

/** Values by step; only series that carry steps have any. */
export function byStep(source: Source): Fetch {
  return (id, from, to, points, out) => {
    out.length = 0;
    source.rangeByStep?.(id, from, to, points, out);
  };
}

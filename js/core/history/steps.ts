/**
 * The runs of steps of one series. A step that is smaller than the one before it begins another
 * run, so within a run steps never fall and any of them is found by binary search. Rows that are
 * appended are looked at once; after another change, what comes from shortly before it on. Where
 * they lie is kept of the newest runs only: of others nothing is drawn, they are counted.
 */

import type { Columns, Stepped } from "../source";
import type { Answers } from "./answers";
import { bucketWidth } from "./buckets";
import type { Bucket, Coarse } from "./coarse";
import { ColumnBuilder } from "./column-builder";
import { finite } from "./drawing";
import type { Exact } from "./exact";
import { spanOf } from "./mean";

/** Runs that can be drawn: steps that jump about at random begin one with every other row. */
export const KEPT_RUNS = 48;
/** Rows and buckets from one place to go back to, to the next. */
const APART = 1024;

/** Neighbouring rows, or neighbouring buckets, of one run. */
interface Part {
  readonly rows: boolean;
  readonly from: number;
  to: number;
  /** The largest step. */
  last: number;
  /** Every one of them has a step. */
  whole: boolean;
}

/** What was found up to one moment, to go on from there. */
interface Place {
  /** The latest time of what had been looked at. */
  readonly until: number;
  readonly rows: number;
  readonly buckets: number;
  readonly forgotten: number;
  readonly runs: readonly Part[][];
  /** Of the newest run: its parts, of which the last may have grown since then. */
  readonly parts: number;
  readonly last: Part | null;
  readonly extent: readonly [number, number] | null;
}

const BEGINNING: Place = {
  until: Number.NEGATIVE_INFINITY,
  rows: 0,
  buckets: 0,
  forgotten: 0,
  runs: [],
  parts: 0,
  last: null,
  extent: null,
};

const builder = new ColumnBuilder();

/** Rows and buckets with the places where they are drawn, in the form of steps. */
export type StepRows = Pick<Exact, "length" | "time" | "value" | "step" | "scan" | "takeChanged">;
export type StepBuckets = Pick<Coarse, "buckets" | "takeChanged">;

export class Steps implements Stepped {
  readonly #exact: StepRows;
  readonly #coarse: StepBuckets;
  readonly #answers: Answers;
  /** The newest runs, and how many there were before them. */
  #runs: Part[][] = [];
  #forgotten = 0;
  #extent: [number, number] | null = null;
  /** Rows and buckets that have been looked at. */
  #rows = 0;
  #buckets = 0;
  #places: Place[] = [];

  constructor(exact: StepRows, coarse: StepBuckets, answers: Answers) {
    this.#exact = exact;
    this.#coarse = coarse;
    this.#answers = answers;
  }

  runs(): number {
    this.#look();
    return this.#forgotten + this.#runs.length;
  }

  extent(): [number, number] | null {
    this.#look();
    return this.#extent && [...this.#extent];
  }

  /** Fills `out` as `Source.rangeByStep` promises. */
  draw([from, to]: readonly [number, number], points: number, out: Columns, run?: number): void {
    this.#look();
    const width = bucketWidth((to - from) / Math.max(points, 1));
    builder.begin(Math.floor(from / width), Math.floor(to / width), width);
    const at = run === undefined ? this.#runs.length - 1 : run - this.#forgotten;
    this.#gather(this.#runs[at] ?? []);
    builder.write(out);
  }

  /** Look at what came since the last time. */
  #look(): void {
    const exact = this.#exact;
    this.#goBack();
    const { buckets } = this.#coarse;
    while (this.#rows < exact.length) {
      const time = exact.time[this.#rows] as number;
      while ((buckets[this.#buckets]?.start ?? time) < time) this.#see(false, this.#buckets++);
      this.#see(true, this.#rows++);
      const next = buckets[this.#buckets]?.start ?? Number.POSITIVE_INFINITY;
      this.#rows = this.#goOn(this.#rows, next);
      this.#remember();
    }
    while (this.#buckets < buckets.length) this.#see(false, this.#buckets++);
  }

  /** Forget what lies at or after the last that stayed before a change. */
  #goBack(): void {
    const [row, bucket] = [this.#exact.takeChanged(), this.#coarse.takeChanged()];
    if (row === Number.POSITIVE_INFINITY && bucket === Number.POSITIVE_INFINITY) return;
    const before = (at: number, timeAt: (at: number) => number) => {
      if (at === Number.POSITIVE_INFINITY) return at;
      return at > 0 ? timeAt(at - 1) : Number.NEGATIVE_INFINITY;
    };
    // Something new may lie right behind that one, at the same time even.
    const stayed = Math.min(
      before(row, (at) => this.#exact.time[at] as number),
      before(bucket, (at) => (this.#coarse.buckets[at] as Bucket).start),
    );
    this.#places.length = this.#places.findLastIndex(({ until }) => until < stayed) + 1;
    const place = this.#places.at(-1) ?? BEGINNING;
    [this.#rows, this.#buckets, this.#forgotten] = [place.rows, place.buckets, place.forgotten];
    this.#runs = [...place.runs];
    this.#extent = place.extent && [...place.extent];
    const newest = this.#runs.at(-1);
    if (newest && place.last) newest.splice(place.parts - 1, newest.length, { ...place.last });
  }

  /** Now and then, note what has been found. */
  #remember(): void {
    const [rows, buckets] = [this.#rows, this.#buckets];
    const near = this.#places.at(-1) ?? BEGINNING;
    if (rows + buckets < near.rows + near.buckets + APART) return;
    const parts = this.#runs.at(-1);
    const last = parts?.at(-1);
    const start = this.#coarse.buckets[buckets - 1]?.start ?? Number.NEGATIVE_INFINITY;
    this.#places.push({
      until: Math.max(this.#exact.time[rows - 1] as number, start),
      rows,
      buckets,
      forgotten: this.#forgotten,
      runs: [...this.#runs],
      parts: parts?.length ?? 0,
      last: last ? { ...last } : null,
      extent: this.#extent && [...this.#extent],
    });
  }

  /** Let the newest part take all rows from `at` on that go on with it and come before `next`. */
  #goOn(at: number, next: number): number {
    const { length, time, step } = this.#exact;
    const most = Math.min(length, at + APART);
    const part = this.#runs[this.#runs.length - 1]?.at(-1);
    if (!step || !part?.rows || part.to !== at) return at;
    let [end, last] = [at, part.last];
    while (end < most && (step[end] as number) >= last && (time[end] as number) <= next) {
      last = step[end++] as number;
    }
    part.to = end;
    part.last = last;
    if (this.#extent) this.#extent[1] = Math.max(this.#extent[1], last);
    return end;
  }

  #see(rows: boolean, at: number): void {
    const run = this.#runs[this.#runs.length - 1];
    const part = run?.[run.length - 1];
    const goesOn = part?.rows === rows && part.to === at;
    const step = this.#stepAt(rows, at);
    if (Number.isNaN(step)) {
      if (!goesOn) return;
      part.to++;
      part.whole = false;
      return;
    }
    const [least, most] = this.#extent ?? [step, step];
    this.#extent = [Math.min(least, step), Math.max(most, step)];
    const begun = { rows, from: at, to: at + 1, last: step, whole: true };
    if (run === undefined || step < (part as Part).last) this.#begin(begun);
    else if (!goesOn) run.push(begun);
    else {
      part.to++;
      part.last = step;
    }
  }

  #begin(part: Part): void {
    this.#runs.push([part]);
    if (this.#runs.length <= KEPT_RUNS) return;
    this.#runs.shift();
    this.#forgotten++;
  }

  #stepAt(rows: boolean, at: number): number {
    if (!rows) return (this.#coarse.buckets[at] as Bucket).step;
    return this.#exact.step?.[at] ?? Number.NaN;
  }

  #gather(parts: readonly Part[]): void {
    let known = Number.NaN;
    for (const part of parts) {
      const visible = this.#indexOf(part, part.from, builder.firstBucket);
      for (let left = visible - 1; left >= part.from; left--) {
        if (this.#neighbour(part, left, "before")) break;
      }
      const end = this.#indexOf(part, visible, builder.lastBucket + 1);
      if (part.rows) this.#gatherRows(part, visible, end);
      else this.#gatherBuckets(part, visible, end, known);
      if (end < part.to) {
        this.#neighbour(part, end, "after");
        return;
      }
      known = part.last;
    }
  }

  #gatherRows(part: Part, from: number, end: number): void {
    const { time, value, step } = this.#exact;
    for (let to = from; from < end; from = to) {
      const first = this.#stepAt(true, from);
      to = this.#indexOf(part, from, Math.floor(first / builder.width) + 1);
      const [t0, t1] = [time[from] as number, time[to - 1] as number];
      const thinned = to - from > 1 && this.#answers.thinned(t0, t1);
      if (thinned) builder.thin(first);
      if (!part.whole) {
        for (let at = from; at < to; at++) this.#row(at);
        continue;
      }
      const last = this.#stepAt(true, to - 1);
      const span = spanOf(step ?? [], from, to, part.to);
      builder.rows(
        first,
        last,
        this.#exact.scan(from, to),
        Number.isNaN(value[to - 1] as number),
        span,
      );
    }
  }

  #row(at: number): void {
    const step = this.#stepAt(true, at);
    if (!Number.isNaN(step)) builder.row(step, this.#exact.value[at] as number, 1);
  }

  /** A bucket stands at its last step, for the steps since the bucket before; `known` is that one's. */
  #gatherBuckets(part: Part, from: number, end: number, known: number): void {
    let before = known;
    for (let at = from - 1; at >= part.from; at--) {
      const step = this.#stepAt(false, at);
      if (Number.isNaN(step)) continue;
      before = step;
      break;
    }
    for (let at = from; at < end; at++) {
      const bucket = this.#coarse.buckets[at] as Bucket;
      if (Number.isNaN(bucket.step)) continue;
      builder.stretch(
        bucket.step,
        bucket,
        bucket.step > before ? bucket.step - before : 1,
        1,
        false,
      );
      before = bucket.step;
    }
  }

  /** The first of a part, from `from` on, whose drawn bucket is `wanted` or later. */
  #indexOf(part: Part, from: number, wanted: number): number {
    // Few rows lie between two buckets on screen, so look near `from` first.
    let [low, high] = [from, from];
    for (let by = 1; high < part.to && this.#isEarly(part, high, wanted); by *= 2) {
      low = high + 1;
      high += by;
    }
    high = Math.min(high, part.to);
    while (low < high) {
      const half = (low + high) >>> 1;
      if (this.#isEarly(part, half, wanted)) low = half + 1;
      else high = half;
    }
    while (low < part.to && Number.isNaN(this.#stepAt(part.rows, low))) low++;
    return low;
  }

  /** Whether what is at `at`, or the last before it that has a step, is in a bucket before `wanted`. */
  #isEarly(part: Part, at: number, wanted: number): boolean {
    let near = at;
    while (Number.isNaN(this.#stepAt(part.rows, near)) && near > part.from) near--;
    return Math.floor(this.#stepAt(part.rows, near) / builder.width) < wanted;
  }

  /** Let the line come from, or go to, what lies just out of sight, if that has a step. */
  #neighbour(part: Part, at: number, side: "before" | "after"): boolean {
    const step = this.#stepAt(part.rows, at);
    if (Number.isNaN(step)) return false;
    const value = this.#exact.value[at] as number;
    if (part.rows) builder[side](step, value, value, finite(value));
    else {
      const { min, max, mean } = this.#coarse.buckets[at] as Bucket;
      builder[side](step, min, max, mean);
    }
    return true;
  }
}

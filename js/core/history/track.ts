/** What the page knows of one series: exact rows, and buckets where only extremes are known. */

import type { Columns } from "../source";
import type { Envelope } from "../wire/parts";
import { Answers } from "./answers";
import { bucketWidth } from "./buckets";
import { type Bucket, Coarse, middle } from "./coarse";
import { ColumnBuilder } from "./column-builder";
import { type Batch, Exact } from "./exact";
import { MissingRanges } from "./missing-ranges";

/** Rows per bucket when exact rows are given up. */
const GIVEN_UP = 64;

const builder = new ColumnBuilder();

export class Track {
  readonly exact = new Exact();
  readonly coarse = new Coarse();
  #slack = 0;
  /** What a keyframe said to be the last value, until a newer row comes. */
  #keyframeLast: { readonly time: number; readonly value: number | null } | null = null;
  readonly #answers = new Answers();
  readonly #missed: MissingRanges;
  /** Some of what was missed is known from a kept keyframe alone. */
  #fromKept = false;

  /** `whole`: nothing of the series can have been missed yet. */
  constructor(whole = true) {
    this.#missed = new MissingRanges(whole);
  }

  get bytes(): number {
    return this.exact.bytes + this.coarse.bytes;
  }

  /** First moment of which anything is known; Infinity when nothing is. */
  get start(): number {
    return Math.min(this.exact.first, this.coarse.buckets[0]?.start ?? Number.POSITIVE_INFINITY);
  }

  get end(): number {
    const buckets = this.coarse.buckets;
    return Math.max(this.exact.last, buckets[buckets.length - 1]?.end ?? Number.NEGATIVE_INFINITY);
  }

  /** Rows were missed since the newest that is here; when `lost`, that is shown as a gap. */
  miss(lost: boolean): void {
    const { buckets } = this.coarse;
    const tail = buckets[buckets.length - 1];
    // The last bucket of a keyframe ends in the future: what was missed may have begun within it.
    const start = tail && tail.end > this.exact.last ? tail.start : Number.NEGATIVE_INFINITY;
    this.#missed.begin(Math.max(start, this.exact.last), lost ? this.end : null);
  }

  /**
   * Fill what was missed from a keyframe that ends at `end`, and say whether anything was. What
   * came after `known` is not in it, and stays open. One that was `kept` may be coarse, to be small:
   * the next that was sent tells all of it anew.
   */
  heal(envelope: () => Envelope, end: number, known: number, kept = false): boolean {
    if (!kept && this.#fromKept) {
      this.#missed.again();
      this.#fromKept = false;
    }
    const holes = this.#missed.until(end);
    if (holes.length > 0) {
      const filler = envelope();
      for (const { t0, t1 } of holes) this.fill(t0, t1, filler);
      this.#fromKept ||= kept;
    }
    this.#missed.filled(known, end);
    return holes.length > 0;
  }

  /** Fill [t0, t1] from an envelope; exact rows there stay, and buckets there are replaced. */
  fill(t0: number, t1: number, envelope: Envelope): void {
    this.#slack = Math.max(this.#slack, envelope.slack);
    const { edges } = envelope;
    const buckets: Bucket[] = [];
    for (let i = 0; i + 1 < edges.length; i++) {
      const start = Math.max(edges[i] as number, t0);
      const end = Math.min(edges[i + 1] as number, t1);
      if (start < end) this.#bucket(buckets, i, start, end, envelope);
    }
    this.coarse.replace(t0, t1, buckets);
  }

  #bucket(buckets: Bucket[], i: number, start: number, end: number, envelope: Envelope): void {
    const min = envelope.min[i] as number;
    const max = envelope.max[i] as number;
    if (Number.isNaN(min) && !envelope.missing[i]) return;
    const [from, to] = [envelope.edges[i] as number, envelope.edges[i + 1] as number];
    const step = envelope.step?.[i] ?? Number.NaN;
    const rest = this.#rest({ start: from, end: to, min, max, step }, start, end);
    if (rest) buckets.push(rest);
  }

  /**
   * What a bucket tells of [start, end], the part of it that is not known. An end that the known
   * parts reach need not come from here, and drawing it again would show a spike where there was
   * none: the other end stays alone, and nothing does when both are reached, but that to ask there
   * may bring more.
   */
  #rest(bucket: Bucket, start: number, end: number): Bucket | null {
    const rest = { ...bucket, start, end, step: this.#stepIn(bucket, end) };
    const known = this.#known(bucket, start, end);
    if (!known) return rest;
    if (Number.isNaN(bucket.min)) return null;
    const low = known.min <= bucket.min + this.#slack;
    const high = known.max >= bucket.max - this.#slack;
    if (low && high) {
      this.#answers.open(start, end);
      return null;
    }
    return { ...rest, min: low ? bucket.max : bucket.min, max: high ? bucket.min : bucket.max };
  }

  /** The extremes of what is known of a bucket outside [start, end]; null for nothing. */
  #known(bucket: Bucket, start: number, end: number): { min: number; max: number } | null {
    const { exact, coarse } = this;
    const [from, to] = [exact.lowerBound(bucket.start), exact.lowerBound(bucket.end)];
    exact.scan(from, to);
    let { lowest: min, highest: max } = exact;
    for (const other of coarse.over(bucket.start, bucket.end)) {
      if ((other.end > start && other.start < end) || Number.isNaN(other.min)) continue;
      min = Math.min(min, other.min);
      max = Math.max(max, other.max);
    }
    return from < to || min <= max ? { min, max } : null;
  }

  /** The last step of a bucket before `end`: where exact rows go on, just before theirs. */
  #stepIn(bucket: Bucket, end: number): number {
    const { step, time, length } = this.exact;
    if (!step) return bucket.step;
    for (let i = this.exact.lowerBound(end); i < length && (time[i] as number) < bucket.end; i++) {
      const first = step[i] as number;
      // No step lies before the first one.
      if (!Number.isNaN(first)) return Math.max(first - 1, Math.min(first, 0));
    }
    return bucket.step;
  }

  /** Add an exact row. */
  add(time: number, value: number, step: number): void {
    const gap = this.#missed.found(time);
    if (gap) {
      const { t0: start, t1: end } = gap;
      this.coarse.replace(start, end, [{ start, end, min: NaN, max: NaN, step: NaN }]);
    }
    if (time > this.exact.last) this.#endBucket(time);
    if (time >= this.exact.last) this.#keyframeLast = null;
    this.exact.add(time, value, step);
  }

  /** The last bucket of a keyframe ends in the future, and so may a gap: where the next row comes. */
  #endBucket(time: number): void {
    const { buckets } = this.coarse;
    let at = buckets.length - 1;
    while (at >= 0 && (buckets[at] as Bucket).start >= time) at--;
    const end = buckets[at]?.end ?? time;
    if (end > time) this.coarse.replace(time, end, []);
    this.#answers.close(time, Number.POSITIVE_INFINITY);
  }

  /** Take `value` for the last one as of `time`; null says that there is none now. */
  tell(time: number, value: number | null): void {
    this.#keyframeLast = { time, value };
  }

  /** The newest value known: exact where a row or a keyframe told it, else of the last bucket. */
  last(): { time: number; value: number } | null {
    const newest = this.#newest();
    if (this.#keyframeLast === null) return newest;
    const { time, value } = this.#keyframeLast;
    if (value === null) return newest && { ...newest, value: Number.NaN };
    return { time: newest?.time ?? time, value };
  }

  /** The newest thing known; a bucket answers with its middle. */
  #newest(): { time: number; value: number } | null {
    const { exact } = this;
    const bucket = this.coarse.buckets[this.coarse.buckets.length - 1];
    if (bucket && !(middle(bucket) <= exact.last)) {
      return { time: middle(bucket), value: (bucket.min + bucket.max) / 2 };
    }
    if (exact.length === 0) return null;
    return { time: exact.last, value: exact.value[exact.length - 1] as number };
  }

  /**
   * Take in the answer to a request for [t0, t1]. What is known of a time before the first row of
   * the answer stays: the kernel may have forgotten those rows before we did.
   */
  answer(t0: number, t1: number, batch: Batch, density: number): void {
    const from = Math.max(t0, batch.length > 0 ? (batch.time[0] as number) : t1);
    this.#answers.add({ t0, t1: from, density: Number.POSITIVE_INFINITY });
    if (batch.length === 0) return;
    this.#answers.add({ t0: from, t1, density });
    this.#answers.close(from, t1);
    this.exact.replace(from, t1, batch);
    const across = (time: number) =>
      this.coarse.buckets.find((bucket) => bucket.start < time && bucket.end > time);
    const [first, last] = [across(from), across(t1)];
    this.coarse.replace(first?.start ?? from, last?.end ?? t1, []);
    // Both before either is put back: two parts of one bucket tell nothing of each other.
    const before = first && this.#rest(first, first.start, from);
    const after = last && this.#rest(last, t1, last.end);
    if (before) this.coarse.replace(before.start, before.end, [before]);
    if (after) this.coarse.replace(after.start, after.end, [after]);
  }

  /** Of the newest rows, those in [t0, t1], only the extremes of `density` buckets a second came. */
  thin(t0: number, t1: number, density: number): void {
    this.#answers.thin({ t0, t1, density });
  }

  /** Whether asking for `density` buckets a second of [t0, t1] could bring anything new. */
  incomplete(t0: number, t1: number, density: number): boolean {
    return this.#answers.incomplete(t0, t1, density, this.coarse.touches(t0, t1));
  }

  /** Give up the older quarter of the exact rows and keep their extremes. */
  giveUp(): void {
    const rows = Math.floor(this.exact.length / 4 / GIVEN_UP) * GIVEN_UP;
    if (rows === 0) return;
    const { exact } = this;
    const buckets: Bucket[] = [];
    for (let from = 0; from < rows; from += GIVEN_UP) {
      const start = exact.time[from] as number;
      const end = exact.time[from + GIVEN_UP] as number;
      const last = exact.time[from + GIVEN_UP - 1] as number;
      exact.scan(from, from + GIVEN_UP);
      const { lowest: min, highest: max } = exact;
      const step = exact.step?.[from + GIVEN_UP - 1] ?? Number.NaN;
      const ended = Number.isNaN(exact.value[from + GIVEN_UP - 1] as number);
      if (min <= max) buckets.push({ start, end: ended ? last : end, min, max, step });
      if (ended) buckets.push({ start: last, end, min: Number.NaN, max: Number.NaN, step });
    }
    const [t0, t1] = [exact.first, exact.time[rows] as number];
    // Buckets between the rows are holes that a keyframe filled; the new buckets cover them.
    this.coarse.replace(t0, t1, buckets);
    this.#answers.forget(t0, t1);
    exact.dropFirst(rows);
  }

  /** Fills `out` as `Source.range` promises. */
  columns(t0: number, t1: number, points: number, out: Columns): void {
    const width = bucketWidth((t1 - t0) / Math.max(points, 1));
    builder.begin(Math.floor(t0 / width), Math.floor(t1 / width), width);
    this.#before(builder);
    this.#gatherBuckets(builder);
    this.#gatherRows(builder);
    this.#after(builder);
    builder.write(out);
  }

  /** As `columns`, with steps in the place of times. */
  columnsByStep(from: number, to: number, points: number, out: Columns): void {
    const width = bucketWidth((to - from) / Math.max(points, 1));
    builder.begin(Math.floor(from / width), Math.floor(to / width), width);
    const edges = new Neighbours(from, to);
    this.#eachStep((step, min, max) => {
      builder.see(step, step, min, max, Number.isNaN(min));
      edges.see(step, min, max);
    });
    edges.tell(builder);
    builder.write(out);
  }

  stepExtent(): [number, number] | null {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    this.#eachStep((step) => {
      least = Math.min(least, step);
      most = Math.max(most, step);
    });
    return least <= most ? [least, most] : null;
  }

  #eachStep(see: (step: number, min: number, max: number) => void): void {
    for (const { step, min, max } of this.coarse.buckets) {
      if (!Number.isNaN(step)) see(step, min, max);
    }
    const { exact } = this;
    if (!exact.step) return;
    for (let i = 0; i < exact.length; i++) {
      const step = exact.step[i] as number;
      const value = exact.value[i] as number;
      if (!Number.isNaN(step)) see(step, value, value);
    }
  }

  /** A stored bucket counts in every drawn one whose middle it covers: its extremes may be there. */
  #gatherBuckets(into: ColumnBuilder): void {
    const { buckets } = this.coarse;
    let i = this.coarse.at(into.from);
    while (i > 0 && (buckets[i - 1] as Bucket).end > into.from) i--;
    for (; i < buckets.length; i++) {
      const bucket = buckets[i] as Bucket;
      const own = Math.floor(middle(bucket) / into.width);
      const first = Math.min(own, Math.ceil(bucket.start / into.width - 0.5));
      const last = Math.max(own, Math.ceil(bucket.end / into.width - 0.5) - 1);
      if (first > into.lastBucket) return;
      const missing = Number.isNaN(bucket.min);
      const to = Math.min(last, into.lastBucket);
      const from = Math.max(first, into.firstBucket);
      for (let at = from; at <= to; at++) {
        const time = at === own ? middle(bucket) : (at + 0.5) * into.width;
        into.see(time, time, bucket.min, bucket.max, missing, at > from);
      }
    }
  }

  #gatherRows(into: ColumnBuilder): void {
    const { exact } = this;
    let from = exact.bucketStart(into.firstBucket, into.width, 0);
    while (from < exact.length) {
      const bucket = Math.floor((exact.time[from] as number) / into.width);
      if (bucket > into.lastBucket) return;
      const to = exact.bucketStart(bucket + 1, into.width, from + 1);
      const value = exact.value[to - 1] as number;
      const [first, last] = [exact.time[from] as number, exact.time[to - 1] as number];
      if (to - from === 1) into.see(first, last, value, value, Number.isNaN(value));
      else {
        exact.scan(from, to);
        into.see(first, last, exact.lowest, exact.highest, Number.isNaN(value));
      }
      from = to;
    }
  }

  /** The newest thing before the visible range, from which the line comes in. */
  #before(into: ColumnBuilder): void {
    const { exact, coarse } = this;
    const row = exact.bucketStart(into.firstBucket, into.width, 0) - 1;
    let near = coarse.at(into.from) - 1;
    while (near >= 0 && drawnBucketOf(coarse.buckets[near], into.width) >= into.firstBucket) near--;
    const bucket = coarse.buckets[near];
    const time = row >= 0 ? (exact.time[row] as number) : Number.NEGATIVE_INFINITY;
    if (bucket && middle(bucket) > time) into.before(middle(bucket), bucket.min, bucket.max);
    else if (row >= 0) into.before(time, exact.value[row] as number, exact.value[row] as number);
  }

  /** The oldest thing after the visible range, to which the line goes. */
  #after(into: ColumnBuilder): void {
    const { exact, coarse } = this;
    const row = exact.bucketStart(into.lastBucket + 1, into.width, 0);
    let near = coarse.at(into.lastBucket * into.width);
    while (drawnBucketOf(coarse.buckets[near], into.width) <= into.lastBucket) near++;
    const bucket = coarse.buckets[near];
    const time = row < exact.length ? (exact.time[row] as number) : Number.POSITIVE_INFINITY;
    if (bucket && middle(bucket) < time) into.after(middle(bucket), bucket.min, bucket.max);
    else if (row < exact.length) {
      into.after(time, exact.value[row] as number, exact.value[row] as number);
    }
  }
}

function drawnBucketOf(bucket: Bucket | undefined, width: number): number {
  return bucket ? Math.floor(middle(bucket) / width) : Number.POSITIVE_INFINITY;
}

/** The things nearest to the visible range on either side, where they come in no order. */
class Neighbours {
  #left: readonly [number, number, number] | null = null;
  #right: readonly [number, number, number] | null = null;

  constructor(
    readonly from: number,
    readonly to: number,
  ) {}

  see(at: number, min: number, max: number): void {
    if (at < this.from && at >= (this.#left?.[0] ?? at)) this.#left = [at, min, max];
    if (at > this.to && at <= (this.#right?.[0] ?? at)) this.#right = [at, min, max];
  }

  tell(builder: ColumnBuilder): void {
    if (this.#left) builder.before(...this.#left);
    if (this.#right) builder.after(...this.#right);
  }
}

/** What the page knows of one series: exact rows, and buckets where only extremes are known. */

import type { Best, Columns, Gap } from "../source";
import type { Envelope } from "../wire/parts";
import { Along } from "./along";
import { Answers, united, within } from "./answers";
import { BestValue } from "./best";
import { type Bucket, Coarse } from "./coarse";
import { drawByTime } from "./drawing";
import { type Batch, Exact } from "./exact";
import { joined, limited, spanOf } from "./mean";
import { MissingRanges } from "./missing-ranges";
import { gapAt, type Reading, readingAt } from "./reading";
import { Steps } from "./steps";

/** Rows per bucket when exact rows are given up. */
const GIVEN_UP = 64;

interface Known {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Seconds that are known. */
  readonly length: number;
}

export class Track {
  readonly exact = new Exact();
  readonly coarse = new Coarse();
  #slack = 0;
  /** What a keyframe said to be the last value, until a newer row comes. */
  #keyframeLast: { readonly time: number; readonly value: number | null } | null = null;
  readonly #answers = new Answers();
  readonly #steps = new Steps(this.exact, this.coarse, this.#answers);
  readonly #best = new BestValue(this.exact, this.coarse);
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

  /**
   * Fill [t0, t1] from an envelope; exact rows there stay, and buckets there are replaced, but for
   * the finer ones of an answer.
   */
  fill(t0: number, t1: number, envelope: Envelope): void {
    this.#slack = Math.max(this.#slack, envelope.slack);
    const parts = this.#answers.coarser(t0, t1, densityOf(envelope));
    for (const part of parts) this.#fill(part.t0, part.t1, envelope);
  }

  #fill(t0: number, t1: number, envelope: Envelope): void {
    const { edges } = envelope;
    const buckets: Bucket[] = [];
    for (let i = 0; i + 1 < edges.length; i++) {
      const start = Math.max(edges[i] as number, t0);
      const end = Math.min(edges[i + 1] as number, t1);
      if (start < end) this.#bucket(buckets, i, start, end, envelope);
    }
    this.coarse.replace(t0, t1, buckets);
  }

  /**
   * Take in an envelope that answers a request for `asked` buckets a second of [t0, t1]. The exact
   * rows that are known stay; of those of which only extremes came, the envelope tells more. What
   * is known of a time before the first that it tells stays, as in `answer`.
   */
  refine(t0: number, t1: number, envelope: Envelope, asked: number): void {
    const from = Math.min(Math.max(t0, startOf(envelope)), t1);
    this.#answers.exhaust(t0, from);
    const density = densityOf(envelope);
    const thinned = this.#answers.thinnedBelow(from, t1, density);
    for (const part of thinned) this.exact.remove(part.t0, part.t1);
    const wide = (one: Bucket) => Number.isNaN(one.min) || (one.end - one.start) * density > 1;
    const coarser = this.coarse.over(from, t1).filter(wide);
    const buckets = coarser.map(({ start, end }) => ({ t0: start, t1: end }));
    const before = { t0: from, t1: this.start };
    const unseen = [...this.#missed.until(t1), ...this.#answers.opened(from, t1), before];
    const parts = united(within([...buckets, ...thinned, ...unseen], from, t1));
    this.#answers.close(from, t1);
    for (const part of parts) this.fill(part.t0, part.t1, envelope);
    const across = coarser.find((one) => one.start < from && !Number.isNaN(one.min));
    if (across && from > t0) this.#shorten(across, from);
    this.#answers.refine(from, t1, Math.max(density, asked));
  }

  /** Of a bucket only what lies before `end` is left, as what comes after is known now. */
  #shorten(bucket: Bucket, end: number): void {
    const rest = this.#rest(bucket, bucket.start, end);
    this.coarse.replace(bucket.start, end, rest ? [rest] : []);
  }

  #bucket(buckets: Bucket[], i: number, start: number, end: number, envelope: Envelope): void {
    const min = envelope.min[i] as number;
    const max = envelope.max[i] as number;
    if (Number.isNaN(min) && !envelope.missing[i]) return;
    const [from, to] = [envelope.edges[i] as number, envelope.edges[i + 1] as number];
    const mean = limited(envelope.mean[i] as number, min, max);
    const step = envelope.step?.[i] ?? Number.NaN;
    const whole = { start: from, end: to, min, max, mean, rows: Number.NaN, step };
    const rest = this.#rest(whole, start, end);
    if (rest) buckets.push(rest);
  }

  /**
   * What a bucket tells of [start, end], the part of it that is not known. An end that the known
   * parts reach need not come from here, and drawing it again would show a spike where there was
   * none: the other end stays alone, and nothing does when both are reached, but that to ask there
   * may bring more.
   */
  #rest(bucket: Bucket, start: number, end: number): Bucket | null {
    const whole = start <= bucket.start && end >= bucket.end;
    const rows = whole ? bucket.rows : Number.NaN;
    const rest = { ...bucket, start, end, rows, step: this.#stepIn(bucket, end) };
    const known = this.#known(bucket, start, end);
    if (!known) return rest;
    if (Number.isNaN(bucket.min)) return null;
    const low = known.min <= bucket.min + this.#slack;
    const high = known.max >= bucket.max - this.#slack;
    if (low && high) {
      this.#answers.open(start, end);
      return null;
    }
    const [min, max] = [low ? bucket.max : bucket.min, high ? bucket.min : bucket.max];
    // Known and unknown parts together have the mean of the whole.
    const length = bucket.end - bucket.start;
    const left = (bucket.mean * length - known.mean * known.length) / (length - known.length);
    return { ...rest, min, max, mean: limited(Number.isNaN(left) ? bucket.mean : left, min, max) };
  }

  /** What is known of a bucket outside [start, end]; null for nothing. */
  #known(bucket: Bucket, start: number, end: number): Known | null {
    const { exact, coarse } = this;
    const [from, to] = [exact.lowerBound(bucket.start), exact.lowerBound(bucket.end)];
    const { lowest, highest, sum, count } = exact.scan(from, to);
    let [min, max, stretched, covered] = [lowest, highest, 0, 0];
    for (const other of coarse.over(bucket.start, bucket.end)) {
      if ((other.end > start && other.start < end) || Number.isNaN(other.min)) continue;
      min = Math.min(min, other.min);
      max = Math.max(max, other.max);
      stretched += other.mean * (other.end - other.start);
      covered += other.end - other.start;
    }
    if (from === to && !(min <= max)) return null;
    const most = bucket.end - bucket.start - (end - start) - covered;
    const span = from < to ? Math.min(spanOf(exact.time, from, to, exact.length), most) : 0;
    const mean = joined(sum, count, span, stretched, covered);
    return { min, max, mean, length: span + covered };
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
      this.coarse.replace(start, end, [missing(start, end, Number.NaN)]);
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
  last(): Reading | null {
    return this.at(Number.POSITIVE_INFINITY);
  }

  /** The last value known at or before `time`; null before the first. */
  at(time: number): Reading | null {
    const told = this.#keyframeLast;
    if (told === null) return readingAt(this.exact, this.coarse, time);
    const newest = readingAt(this.exact, this.coarse, Number.POSITIVE_INFINITY);
    if (time < (newest ?? told).time) return readingAt(this.exact, this.coarse, time);
    if (told.value === null) return newest && { ...newest, value: Number.NaN };
    return { time: (newest ?? told).time, value: told.value };
  }

  /** Since when the reading that is missing at `time` has been; null where it is not missing then. */
  missingSince(time: number): Gap | null {
    const gap = gapAt(this.exact, this.coarse, time);
    const [now, told] = [this.at(time), this.#keyframeLast];
    if (gap || now === null || !Number.isNaN(now.value) || told === null) return gap;
    // Only the end of a keyframe says so: after its last bucket with values, or within it.
    const last = this.coarse.buckets.at(-1);
    const since = Math.min(last?.end ?? now.time, told.time);
    return { since, earliest: Math.min(last?.start ?? since, since), latest: told.time };
  }

  /**
   * Take in the answer to a request for [t0, t1]. What is known of a time before the first row of
   * the answer stays: the kernel may have forgotten those rows before we did.
   */
  answer(t0: number, t1: number, batch: Batch, density: number): void {
    const from = Math.max(t0, batch.length > 0 ? (batch.time[0] as number) : t1);
    this.#answers.exhaust(t0, from);
    if (batch.length === 0) return;
    this.#answers.add({ t0: from, t1, density, thinned: Number.isFinite(density) });
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
      const { lowest: min, highest: max, sum, count } = exact.scan(from, from + GIVEN_UP);
      const thinned = this.#answers.thinned(start, last);
      const mean = limited(thinned ? Number.NaN : sum / count, min, max);
      const step = exact.step?.[from + GIVEN_UP - 1] ?? Number.NaN;
      const ended = Number.isNaN(exact.value[from + GIVEN_UP - 1] as number);
      const all = { start, end: ended ? last : end, min, max, mean, rows: count, step };
      if (min <= max) buckets.push(all);
      if (ended) buckets.push(missing(last, end, step));
    }
    const [t0, t1] = [exact.first, exact.time[rows] as number];
    // Buckets between the rows are holes that a keyframe filled; the new buckets cover them.
    this.coarse.replace(t0, t1, buckets);
    this.#answers.forget(t0, t1);
    exact.dropFirst(rows);
  }

  /** Fills `out` as `Source.range` promises. */
  columns(t0: number, t1: number, points: number, out: Columns): void {
    drawByTime(this, this.#answers, [t0, t1], points, out);
  }

  /** As `columns`, with steps in the place of times, of one run; without `run` the newest. */
  columnsByStep(from: number, to: number, points: number, out: Columns, run?: number): void {
    this.#steps.draw([from, to], points, out, run);
  }

  /** The same over the values of another series. */
  along(x: Track): Along {
    return new Along(this, x, this.#answers);
  }

  best(better: "min" | "max"): Best | null {
    return this.#best.of(better);
  }

  stepExtent(): [number, number] | null {
    return this.#steps.extent();
  }

  stepRuns(): number {
    return this.#steps.runs();
  }
}

/** Let the largest tracks give up rows until all keep to `budget` bytes; returns what they hold. */
export function shrink(tracks: readonly Track[], budget: number): number {
  let bytes = tracks.reduce((sum, track) => sum + track.bytes, 0);
  while (bytes > budget) {
    const largest = tracks.reduce((a, b) => (b.exact.bytes > a.exact.bytes ? b : a));
    const before = largest.bytes;
    largest.giveUp();
    bytes += largest.bytes - before;
    if (largest.bytes >= before) break;
  }
  return bytes;
}

function missing(start: number, end: number, step: number): Bucket {
  const [min, max, mean] = [Number.NaN, Number.NaN, Number.NaN];
  return { start, end, min, max, mean, rows: 0, step };
}

/** The first moment of which an envelope tells anything; Infinity for none. */
function startOf({ edges, min, missing }: Envelope): number {
  const first = min.findIndex((low, i) => !Number.isNaN(low) || missing[i] === 1);
  return first < 0 ? Number.POSITIVE_INFINITY : (edges[first] as number);
}

/** Buckets a second. */
function densityOf({ edges }: Envelope): number {
  const [first, last] = [edges[0] as number, edges[edges.length - 1] as number];
  return (edges.length - 1) / (last - first);
}

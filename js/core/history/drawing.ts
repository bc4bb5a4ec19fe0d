/** Draws the rows and buckets of a series into the columns of a picture. */

import type { Columns } from "../source";
import type { Answers } from "./answers";
import { bucketWidth } from "./buckets";
import { type Bucket, type Coarse, middle } from "./coarse";
import { ColumnBuilder } from "./column-builder";
import type { Exact } from "./exact";
import { spanOf } from "./mean";

/** What is known of one series. */
export interface Known {
  readonly exact: Exact;
  readonly coarse: Coarse;
}

type Span = readonly [from: number, to: number];

const builder = new ColumnBuilder();

/** Fills `out` as `Source.range` promises. */
export function drawByTime(
  known: Known,
  answers: Answers,
  [t0, t1]: Span,
  points: number,
  out: Columns,
): void {
  const width = bucketWidth((t1 - t0) / Math.max(points, 1));
  builder.begin(Math.floor(t0 / width), Math.floor(t1 / width), width);
  before(known, builder);
  gatherBuckets(known.coarse, builder);
  gatherRows(known.exact, answers, builder);
  after(known, builder);
  builder.write(out);
}

/**
 * A stored bucket counts in every drawn one whose middle it covers: its extremes may be there, and
 * each has an equal part of what its mean is of.
 */
function gatherBuckets(coarse: Coarse, into: ColumnBuilder): void {
  const { buckets } = coarse;
  let i = coarse.at(into.from);
  while (i > 0 && (buckets[i - 1] as Bucket).end > into.from) i--;
  for (; i < buckets.length; i++) {
    const bucket = buckets[i] as Bucket;
    const own = Math.floor(middle(bucket) / into.width);
    const first = Math.min(own, Math.ceil(bucket.start / into.width - 0.5));
    const last = Math.max(own, Math.ceil(bucket.end / into.width - 0.5) - 1);
    if (first > into.lastBucket) return;
    const to = Math.min(last, into.lastBucket);
    const from = Math.max(first, into.firstBucket);
    for (let at = from; at <= to; at++) {
      const time = at === own ? middle(bucket) : (at + 0.5) * into.width;
      into.stretch(time, bucket, bucket.end - bucket.start, 1 / (last - first + 1), at > from);
    }
  }
}

function gatherRows(exact: Exact, answers: Answers, into: ColumnBuilder): void {
  let from = exact.bucketStart(into.firstBucket, into.width, 0);
  while (from < exact.length) {
    const bucket = Math.floor((exact.time[from] as number) / into.width);
    if (bucket > into.lastBucket) return;
    const to = exact.bucketStart(bucket + 1, into.width, from + 1);
    const value = exact.value[to - 1] as number;
    const [first, last] = [exact.time[from] as number, exact.time[to - 1] as number];
    const span = spanOf(exact.time, from, to, exact.length);
    if (to - from === 1) into.row(last, value, span);
    else {
      into.rows(first, last, exact.scan(from, to), Number.isNaN(value), span);
      if (answers.thinned(first, last)) into.thin(last);
    }
    from = to;
  }
}

/** The newest thing before the visible range, from which the line comes in. */
function before({ exact, coarse }: Known, into: ColumnBuilder): void {
  const row = exact.bucketStart(into.firstBucket, into.width, 0) - 1;
  let near = coarse.at(into.from) - 1;
  while (near >= 0 && drawnBucketOf(coarse.buckets[near], into.width) >= into.firstBucket) near--;
  const bucket = coarse.buckets[near];
  const time = row >= 0 ? (exact.time[row] as number) : Number.NEGATIVE_INFINITY;
  if (bucket && middle(bucket) > time) {
    into.before(middle(bucket), bucket.min, bucket.max, bucket.mean);
  } else if (row >= 0) {
    const value = exact.value[row] as number;
    into.before(time, value, value, finite(value));
  }
}

/** The oldest thing after the visible range, to which the line goes. */
function after({ exact, coarse }: Known, into: ColumnBuilder): void {
  const row = exact.bucketStart(into.lastBucket + 1, into.width, 0);
  let near = coarse.at(into.lastBucket * into.width);
  while (drawnBucketOf(coarse.buckets[near], into.width) <= into.lastBucket) near++;
  const bucket = coarse.buckets[near];
  const time = row < exact.length ? (exact.time[row] as number) : Number.POSITIVE_INFINITY;
  if (bucket && middle(bucket) < time) {
    into.after(middle(bucket), bucket.min, bucket.max, bucket.mean);
  } else if (row < exact.length) {
    const value = exact.value[row] as number;
    into.after(time, value, value, finite(value));
  }
}

function drawnBucketOf(bucket: Bucket | undefined, width: number): number {
  return bucket ? Math.floor(middle(bucket) / width) : Number.POSITIVE_INFINITY;
}

/** What a single value is a mean of. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

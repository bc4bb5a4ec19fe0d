/** Samples of one series, and how they reach a page. */

import type { Batch } from "../core/history/exact";
import type { Envelope } from "../core/wire/parts";

export interface Sample {
  readonly time: number;
  readonly value: number;
}

/** What a keyframe says of samples in buckets of `width` seconds; the step of a sample is its index. */
export function envelope(samples: readonly Sample[], width: number): Envelope {
  const count = Math.floor((samples[samples.length - 1]?.time ?? 0) / width) + 1;
  const within = (i: number) => samples.filter(({ time }) => Math.floor(time / width) === i);
  const buckets = Array.from({ length: count }, (_, i) => within(i));
  const values = buckets.map((bucket) => bucket.map(({ value }) => value));
  const last = buckets.map((bucket) => samples.indexOf(bucket[bucket.length - 1] as Sample));
  return {
    edges: Float64Array.from({ length: count + 1 }, (_, i) => i * width),
    min: Float64Array.from(values, (v) => (v.length > 0 ? Math.min(...v) : Number.NaN)),
    max: Float64Array.from(values, (v) => (v.length > 0 ? Math.max(...v) : Number.NaN)),
    mean: Float64Array.from(values, (v) => v.reduce((sum, one) => sum + one, 0) / v.length),
    missing: new Uint8Array(count),
    step: Float64Array.from(last, (i) => (i < 0 ? Number.NaN : i)),
    slack: 0,
  };
}

/** What an answer brings of samples without steps. */
export function batchOf(samples: readonly Sample[]): Batch {
  const [time, value] = [samples.map((one) => one.time), samples.map((one) => one.value)];
  return { length: samples.length, time, value, step: null };
}

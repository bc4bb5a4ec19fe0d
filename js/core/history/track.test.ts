import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchOf, envelope, type Sample } from "../../dev/samples";
import { columns } from "../source";
import { bucketWidth } from "./buckets";
import { Track } from "./track";

const { NaN: NAN } = Number;

/** Samples with repeats, gaps, single spikes and pauses, in the order of their arrival. */
const arrivals = fc
  .array(
    fc.record({
      wait: fc.constantFrom(0, 0.1, 0.1, 0.1, 0.25, 3, 100),
      value: fc.oneof(
        { weight: 9, arbitrary: fc.double({ min: -1e6, max: 1e6 }) },
        fc.constant(NAN),
      ),
      late: fc.constantFrom(0, 0, 0, 0, 0, 1, 40),
    }),
    { maxLength: 2000, size: "max" },
  )
  .map((steps) => {
    let time = 1.7e9;
    return steps.map(({ wait, value, late }) => {
      time += wait;
      return { time: time - late, value };
    });
  });

function trackOf(samples: readonly Sample[]): Track {
  const track = new Track();
  for (const { time, value } of samples) track.add(time, value, NAN);
  return track;
}

interface Bucket {
  min: number;
  max: number;
  missing: boolean;
}

/** What every bucket must show, found by looking at every sample. */
function bruteForce(samples: readonly Sample[], width: number): Map<number, Bucket> {
  const sorted = samples.map((sample, i) => ({ ...sample, i }));
  sorted.sort((a, b) => a.time - b.time || a.i - b.i);
  const buckets = new Map<number, Bucket>();
  for (const { time, value } of sorted) {
    const key = Math.floor(time / width);
    const bucket = buckets.get(key) ?? { min: Infinity, max: -Infinity, missing: false };
    if (value < bucket.min) bucket.min = value;
    if (value > bucket.max) bucket.max = value;
    bucket.missing = Number.isNaN(value);
    buckets.set(key, bucket);
  }
  return buckets;
}

function shown(track: Track, t0: number, t1: number, points: number): Map<number, Bucket> {
  const out = columns(1);
  track.columns(t0, t1, points, out);
  const width = bucketWidth((t1 - t0) / points);
  const buckets = new Map<number, Bucket>();
  for (let i = 0; i < out.length; i++) {
    const key = Math.floor((out.time[i] as number) / width);
    const bucket = buckets.get(key) ?? { min: Infinity, max: -Infinity, missing: false };
    const min = out.min[i] as number;
    if (Number.isNaN(min)) bucket.missing = true;
    else Object.assign(bucket, { min, max: out.max[i] as number, missing: false });
    buckets.set(key, bucket);
  }
  return buckets;
}

describe("Track.columns", () => {
  test("shows the exact extremes and gaps of every bucket, at every zoom", () => {
    fc.assert(
      fc.property(
        arrivals,
        fc.double({ min: -10, max: 5000, noNaN: true }),
        fc.double({ min: 1e-3, max: 10_000, noNaN: true }),
        fc.integer({ min: 1, max: 300 }),
        (samples, offset, span, points) => {
          const [t0, t1] = [1.7e9 + offset, 1.7e9 + offset + span];
          const width = bucketWidth((t1 - t0) / points);

          const seen = shown(trackOf(samples), t0, t1, points);

          const inside = (key: number) =>
            key >= Math.floor(t0 / width) && key <= Math.floor(t1 / width);
          const picked = (map: Map<number, Bucket>) =>
            [...map].filter(([key]) => inside(key)).sort(([a], [b]) => a - b);
          expect(picked(seen)).toEqual(picked(bruteForce(dedupe(samples), width)));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("finds the one spike among a hundred thousand rows, and keeps it in its bucket on a pan", () => {
    const track = new Track();
    for (let i = 0; i < 100_000; i++) track.add(i * 0.1, i === 54_321 ? 99 : 1, NAN);
    const out = columns();

    for (const offset of [0, 1.7, 33.3, 412.9]) {
      track.columns(offset, offset + 9000, 300, out);
      const at = out.max.subarray(0, out.length).indexOf(99);

      expect(out.time[at]).toBe(5424);
    }
  });

  test("has the nearest sample on either side of an empty picture", () => {
    const out = columns();
    const samples = [1, 2, 90, 95].map((time) => ({ time, value: time }));

    trackOf(samples).columns(10, 20, 50, out);

    expect(out.length).toBe(2);
    expect([...out.time.subarray(0, 2)]).toEqual([2, 90]);
  });

  test("ends a bucket in a gap when its last reading is missing", () => {
    const out = columns();
    const samples = [
      { time: 0.2, value: 5 },
      { time: 0.4, value: NAN },
      { time: 7.5, value: 6 },
    ];

    trackOf(samples).columns(0, 10, 10, out);

    expect([...out.min.subarray(0, out.length)]).toEqual([5, NAN, 6]);
  });
});

describe("Track", () => {
  test("shows the extremes of an envelope all along it, and a gap in one as a gap", () => {
    const track = new Track();
    const edges = Float64Array.of(0, 10, 20, 30, 31);
    const min = Float64Array.of(1, NAN, NAN, 5);
    const max = Float64Array.of(3, NAN, NAN, 5);
    const missing = Uint8Array.of(0, 0, 1, 0);
    track.fill(0, 40, { edges, min, max, mean: min, missing, step: null, slack: 0 });
    const out = columns();

    track.columns(6, 36, 15, out);

    const places = Array.from({ length: out.length }, (_, i) => [out.time[i], out.max[i]]);
    expect(places).toEqual([
      [5, 3],
      [7, 3],
      [9, 3],
      [21, NAN],
      [23, NAN],
      [25, NAN],
      [27, NAN],
      [29, NAN],
      [30.5, 5],
    ]);
  });

  test("keeps the extremes of rows it gives up", () => {
    const track = new Track();
    for (let i = 0; i < 10_000; i++) track.add(i, i === 777 ? -50 : i === 778 ? NAN : 3, NAN);
    const before = track.bytes;

    track.giveUp();
    const out = columns();
    track.columns(0, 10_000, 100, out);

    expect(track.bytes).toBeLessThan(before);
    expect(Math.min(...out.min.subarray(0, out.length))).toBe(-50);
    expect(track.exact.length).toBeLessThan(10_000);
    expect(track.start).toBe(0);
  });

  test("puts a late row in its place and forgets one that comes twice", () => {
    const track = trackOf([1, 2, 3].map((time) => ({ time, value: time })));

    track.add(1.5, 9, NAN);
    track.add(1.5, 9, NAN);

    expect([...track.exact.value.subarray(0, track.exact.length)]).toEqual([1, 9, 2, 3]);
  });

  test("answers by step what it was given by step", () => {
    const track = new Track();
    for (let i = 0; i < 100; i++) track.add(i, i * 2, i);
    const out = columns();

    track.columnsByStep(10, 19, 9, out);

    expect(track.stepExtent()).toEqual([0, 99]);
    expect([...out.time.subarray(0, out.length)]).toEqual([
      9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
    ]);
    expect(out.min[1]).toBe(20);
  });
});

/** A page that has the samples from `from` to `to` exactly, and of all others an envelope. */
function joined(samples: readonly Sample[], from: number, to: number, width: number): Track {
  const track = new Track();
  for (let i = from; i < to; i++) {
    const { time, value } = samples[i] as Sample;
    track.add(time, value, i);
  }
  const told = envelope(samples, width);
  const [first, last] = [samples[from]?.time ?? 0, samples[to - 1]?.time ?? 0];
  track.fill(Number.NEGATIVE_INFINITY, first, told);
  if (to < samples.length) track.fill(last, samples.length, told);
  return track;
}

describe("a bucket that reaches over the first or the last exact row", () => {
  const falling = Array.from({ length: 40 }, (_, step) => ({
    time: step * 0.015,
    value: Math.exp(-step / 50),
  }));

  test("leaves falling values falling, by time and by step", () => {
    for (const [from, to] of [
      [7, 40],
      [0, 7],
      [7, 14],
    ] as const) {
      const track = joined(falling, from, to, 0.16);
      const out = columns();
      for (const byStep of [false, true]) {
        if (byStep) track.columnsByStep(0, 39, 1000, out);
        else track.columns(0, 0.6, 1000, out);
        for (let i = 1; i < out.length; i++) {
          expect(out.max[i]).toBeLessThanOrEqual(out.max[i - 1] as number);
        }
        expect(Math.max(...out.max.subarray(0, out.length))).toBe(1);
      }
    }
  });

  test("is one moment before the first exact step, where what is left of it ends", () => {
    const [bucket] = joined(falling, 7, 40, 0.16).coarse.buckets;

    expect(bucket).toMatchObject({ start: 0, end: 7 * 0.015, min: 1, max: 1, step: 6 });
  });

  test("keeps a spike and a dip that only its unseen part has", () => {
    const samples = [1, 9, -9, 1, 2, 1].map((value, i) => ({ time: i, value }));

    const [bucket] = joined(samples, 3, 6, 6).coarse.buckets;

    expect(bucket).toMatchObject({ start: 0, end: 3, min: -9, max: 9 });
  });

  // Of a bucket unseen on both sides of the exact rows, an extreme may lie on either.
  test("tells nothing but values of its unseen rows, and loses no extreme of all", () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 60 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, share, share, fc.integer({ min: 1, max: 20 }), (all, a, b, width) => {
        const samples = all.map((value, time) => ({ time, value }));
        const from = Math.floor(Math.min(a, b) * (all.length - 1));
        const to = Math.floor(Math.max(a, b) * (all.length - 1)) + 1;
        const track = joined(samples, from, to, width);
        for (const { start, min, max } of track.coarse.buckets) {
          const bucket = Math.floor(start / width);
          const unseen = all.filter(
            (_, t) => Math.floor(t / width) === bucket && (t < from || t >= to),
          );
          expect(unseen).toContain(min);
          expect(unseen).toContain(max);
        }
        const out = columns();
        track.columns(0, all.length, 7, out);
        expect(Math.min(...out.min.subarray(0, out.length)) + 0).toBe(Math.min(...all) + 0);
        expect(Math.max(...out.max.subarray(0, out.length)) + 0).toBe(Math.max(...all) + 0);
      }),
    );
  });

  test("is narrowed, too, by the rows of an answer that begin within it", () => {
    const track = new Track();
    track.fill(0, 1, envelope(falling, 0.16));
    const time = falling.slice(7).map((sample) => sample.time);
    const value = falling.slice(7).map((sample) => sample.value);
    const step = falling.slice(7).map((_, i) => i + 7);

    track.answer(0, 1, { length: time.length, time, value, step }, Infinity);

    expect(track.coarse.buckets).toMatchObject([{ start: 0, end: 0.105, min: 1, max: 1, step: 6 }]);
  });

  test("goes when an answer that ends within it tells both of its ends", () => {
    const track = new Track();
    track.fill(0, 1, envelope(falling, 0.16));

    track.answer(0, falling[39]?.time ?? NAN, batchOf(falling), Infinity);

    expect(track.coarse.buckets).toEqual([]);
  });

  test("keeps, after an answer that ends within it, the end that the answer does not tell", () => {
    const track = new Track();
    track.fill(0, 1, envelope(falling, 0.16));

    track.answer(0, falling[1]?.time ?? NAN, batchOf(falling.slice(0, 2)), Infinity);

    const low = Math.min(...falling.filter(({ time }) => time < 0.16).map((one) => one.value));
    expect(track.coarse.buckets[0]).toMatchObject({ min: low, max: low });
  });
});

/** A row that comes again late is the same row. */
function dedupe(samples: readonly Sample[]): Sample[] {
  const kept: Sample[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const sample of samples) {
    const again =
      sample.time < end &&
      kept.some((k) => k.time === sample.time && Object.is(k.value, sample.value));
    if (!again) kept.push(sample);
    end = Math.max(end, sample.time);
  }
  return kept;
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchOf, envelope, type Sample } from "../../dev/samples";
import { type Columns, columns } from "../source";
import { bucketWidth } from "./buckets";
import { type Bucket, Coarse } from "./coarse";
import { Track } from "./track";

const { NaN: NAN } = Number;

const VALUE = fc.oneof(
  { weight: 12, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  fc.constantFrom(NAN, Infinity, -Infinity),
);

const SAMPLES = fc
  .array(fc.record({ wait: fc.constantFrom(0, 0.1, 0.1, 0.25, 3), value: VALUE }), {
    maxLength: 1500,
    size: "max",
  })
  .map((all) => {
    let time = 0;
    return all.map(({ wait, value }) => {
      time += wait;
      return { time, value };
    });
  });

function trackOf(samples: readonly Sample[]): Track {
  const track = new Track();
  for (const { time, value } of samples) track.add(time, value, NAN);
  return track;
}

/** Rows evenly in time, one a second, from 0. */
function every(values: readonly number[]): Sample[] {
  return values.map((value, time) => ({ time: time + 0.5, value }));
}

function drawn(track: Track, t0: number, t1: number, points: number): Columns {
  const out = columns(1);
  track.columns(t0, t1, points, out);
  return out;
}

function mean(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((a, b) => a + b, 0) / finite.length;
}

function expectWithin(out: Columns): void {
  for (let i = 0; i < out.length; i++) {
    if (Number.isNaN(out.mean[i])) continue;
    expect(out.mean[i]).toBeGreaterThanOrEqual(out.min[i] as number);
    expect(out.mean[i]).toBeLessThanOrEqual(out.max[i] as number);
  }
}

describe("the mean of a drawn bucket", () => {
  test("is that of all its samples, by time and by step, at every zoom", () => {
    fc.assert(
      fc.property(SAMPLES, fc.integer({ min: 1, max: 200 }), (samples, points) => {
        const track = new Track();
        for (const [step, { time, value }] of samples.entries()) track.add(time, value, step);
        const out = columns(1);
        for (const byStep of [false, true]) {
          const end = byStep ? samples.length + 1 : (samples[samples.length - 1]?.time ?? 0) + 1;
          if (byStep) track.columnsByStep(0, end, points, out);
          else track.columns(0, end, points, out);
          const width = bucketWidth(end / points);
          const at = (i: number) => (byStep ? i : (samples[i]?.time ?? 0));
          for (let i = 0; i < out.length; i++) {
            if (Number.isNaN(out.min[i])) continue;
            const bucket = Math.floor((out.time[i] as number) / width);
            const inside = samples.filter((_, k) => Math.floor(at(k) / width) === bucket);
            const exact = mean(inside.map(({ value }) => value));
            if (Number.isNaN(exact)) expect(out.mean[i]).toBeNaN();
            else expect(Math.abs((out.mean[i] as number) - exact)).toBeLessThan(1e-6);
          }
          expectWithin(out);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("stays what it was when rows are given up, and lies within the extremes", () => {
    fc.assert(
      fc.property(fc.array(VALUE, { minLength: 512, maxLength: 1200 }), (values) => {
        const track = trackOf(every(values));
        track.giveUp();
        const whole = drawn(track, 0, 1e4, 1);
        const exact = mean(values);
        const known = whole.mean.subarray(0, whole.length).find((one) => !Number.isNaN(one));
        expect(Math.abs((known ?? NAN) - exact)).toBeLessThan(1e-6);
        expectWithin(drawn(track, 0, values.length, 77));
      }),
      { numRuns: 30 },
    );
  });

  test("is that of all where a keyframe tells what the exact rows do not", () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 40, maxLength: 200 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, share, share, fc.constantFrom(1, 5, 7, 20), (all, a, b, width) => {
        const samples = every(all.slice(0, Math.floor(all.length / width) * width));
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((one) =>
          Math.floor(one * samples.length),
        ) as [number, number];
        const track = new Track();
        for (const { time, value } of samples.slice(low, high)) track.add(time, value, NAN);
        track.fill(0, low, envelope(samples, width));
        track.fill(high, samples.length, envelope(samples, width));

        const out = drawn(track, 0, samples.length - 0.1, 50);

        expectWithin(out);
        // Where no bucket is parted, nothing had to be estimated.
        // Of a lone row it is not known how long it stands for.
        if (low % width > 0 || high % width > 0 || high - low === 1) return;
        const whole = drawn(track, 0, 999, 1);
        expect(whole.mean[0]).toBeCloseTo(mean(samples.map(({ value }) => value)), 6);
      }),
    );
  });

  test("stays that of the whole when an answer parts a bucket", () => {
    const all = every(Array.from({ length: 20 }, (_, i) => (i === 3 ? 100 : i)));
    const track = new Track(false);
    track.fill(0, 20, envelope(all, 20));

    track.answer(8, 12, batchOf(all.slice(8, 12)), Infinity);

    expect(drawn(track, 0, 99, 1).mean[0]).toBeCloseTo(mean(all.map(({ value }) => value)), 0);
  });

  test("is that of the stored bucket in all the drawn ones that it covers", () => {
    const track = new Track();
    track.fill(0, 10, envelope(every([0, 9, 0, 9, 0, 9, 0, 9, 0, 2]), 10));

    const out = drawn(track, 0, 9.9, 10);

    expect([...out.max.subarray(0, out.length)]).toEqual(Array(10).fill(9));
    for (const mean of out.mean.subarray(0, out.length)) expect(mean).toBeCloseTo(3.8, 12);
    expect([...out.same.subarray(0, out.length)]).toEqual([0, ...Array(9).fill(1)]);
  });

  test("is not known where only the extremes of rows, or of an old keyframe, came", () => {
    const thin = trackOf(every([1, 2, 9, 1]));
    thin.thin(0, 4, 1);
    const older = new Track();
    older.fill(0, 4, { ...envelope(every([1, 2, 9, 1]), 4), mean: Float64Array.of(NAN) });

    for (const track of [thin, older]) {
      const out = drawn(track, 0, 9, 1);
      expect([out.min[0], out.max[0], out.mean[0]]).toEqual([1, 9, NAN]);
    }
  });
});

describe("Coarse", () => {
  const part = fc.record({
    length: fc.integer({ min: 1, max: 9 }),
    mean: fc.integer({ min: -20, max: 20 }),
    rows: fc.integer({ min: 0, max: 30 }),
  });

  test("keeps sums and lengths when it merges buckets", () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 4, maxLength: 40 }),
        fc.boolean(),
        (parts, counted) => {
          const coarse = new Coarse();
          let end = 0;
          let total = 0;
          const weight = ({ rows, start, end: to }: Bucket) => (counted ? rows : to - start);
          // One more than it holds.
          for (let i = 0; i <= 32_768; i++) {
            const { length, mean: own, rows } = parts[i % parts.length] as (typeof parts)[number];
            const some = counted ? rows : NAN;
            const known = some === 0 ? NAN : own;
            const [min, max] = [own - 1, own + 1];
            const bucket = { start: end, end: end + length, min, max, mean: known, rows: some };
            coarse.push({ ...bucket, step: NAN });
            total += some === 0 ? 0 : own * weight({ ...bucket, step: NAN });
            end += length;
          }
          const { buckets } = coarse;
          const sum = buckets.reduce((a, one) => a + (weight(one) && one.mean * weight(one)), 0);
          expect(buckets.length).toBeLessThan(32_768);
          expect(sum).toBeCloseTo(total, 3);
          for (const one of buckets) {
            if (Number.isNaN(one.mean)) continue;
            expect(one.mean).toBeGreaterThanOrEqual(one.min);
            expect(one.mean).toBeLessThanOrEqual(one.max);
          }
        },
      ),
      { numRuns: 3 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchOf, envelope } from "../../dev/samples";
import { columns } from "../source";
import { Track } from "./track";

const { NaN: NAN } = Number;

test("whatever was looked at before, a stretch that is asked for when incomplete is whole", () => {
  const value = fc.integer({ min: 0, max: 20 });
  const look = fc.tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 1, max: 20 }));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 60, maxLength: 60 }),
      fc.constantFrom(5, 7, 20),
      fc.integer({ min: 0, max: 60 }),
      fc.array(look, { minLength: 1, maxLength: 12 }),
      (values, width, live, looks) => {
        const samples = values.map((v, i) => ({ time: i + 0.5, value: v, step: NAN }));
        // The page began late: it has the newest rows, and of those before what a keyframe tells.
        const track = new Track(false);
        for (const one of samples.slice(live)) track.add(one.time, one.value, NAN);
        track.fill(0, samples[live]?.time ?? Infinity, envelope(samples, width));

        for (const [from, length] of looks) {
          const [t0, t1] = [from, Math.min(from + length, 60)];
          const there = samples.filter(({ time }) => time >= t0 && time <= t1);
          if (track.incomplete(t0, t1, 1000)) track.answer(t0, t1, batchOf(there), Infinity);
          const [first, end] = [track.exact.lowerBound(t0), track.exact.upperBound(t1)];
          const shown = [...track.exact.value.subarray(first, end)];
          expect(shown).toEqual(there.map((one) => one.value));
        }
      },
    ),
  );
});

test("is asked for again when a thinner answer took the place of its rows, or they were given up", () => {
  const samples = Array.from({ length: 640 }, (_, i) => ({ time: i + 0.5, value: i, step: NAN }));
  const track = new Track(false);
  track.fill(0, 640, envelope(samples, 64));
  track.answer(100, 200, batchOf(samples.slice(100, 200)), Infinity);
  expect(track.incomplete(120, 180, 1)).toBe(false);

  track.answer(0, 640, batchOf(samples.filter((_, i) => i % 10 === 0)), 0.1);
  expect(track.incomplete(120, 180, 1)).toBe(true);

  track.answer(0, 640, batchOf(samples), Infinity);
  expect(track.incomplete(120, 180, 1)).toBe(false);
  track.giveUp();
  expect(track.incomplete(20, 100, 1)).toBe(true);
  expect(track.incomplete(200, 640, 1)).toBe(false);
});

test("two answers side by side are as good as one", () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({ time: i, value: i, step: NAN }));
  const track = new Track(false);
  track.fill(0, 100, envelope(samples, 10));

  track.answer(0, 50, batchOf(samples.slice(0, 51)), Infinity);
  track.answer(50, 99, batchOf(samples.slice(50)), Infinity);

  expect(track.incomplete(10, 90, 1000)).toBe(false);
});

test("the two ends of a bucket that an answer parts are both asked for", () => {
  const track = new Track(false);
  const told = { min: 1, max: 5, missing: 0 };
  track.fill(0, 10, {
    edges: Float64Array.of(0, 10),
    min: Float64Array.of(told.min),
    max: Float64Array.of(told.max),
    mean: Float64Array.of(Number.NaN),
    missing: Uint8Array.of(told.missing),
    step: null,
    slack: 0,
  });

  track.answer(4, 6, { length: 2, time: [4, 6], value: [2, 3], step: null }, Infinity);

  expect(track.coarse.buckets.map(({ start, end, min, max }) => [start, end, min, max])).toEqual([
    [0, 4, 1, 5],
    [6, 10, 1, 5],
  ]);
  expect(track.incomplete(1, 3, 100)).toBe(true);
  expect(track.incomplete(7, 9, 100)).toBe(true);
});

const level = fc.integer({ min: -50, max: 50 });
const looks = fc.array(
  fc.record({
    from: fc.integer({ min: 0, max: 110 }),
    length: fc.integer({ min: 4, max: 120 }),
    width: fc.constantFrom(1, 2, 5, 10),
    exact: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

function extremes(track: Track): [number, number] {
  const out = columns();
  track.columns(0, 1000, 100, out);
  const known = (column: Float64Array) =>
    [...column.subarray(0, out.length)].filter((one) => one <= one + 1);
  return [Math.min(...known(out.min)), Math.max(...known(out.max))];
}

describe("an envelope that answers a request", () => {
  test("leaves exact rows alone, keeps every extreme, and is not asked for twice", () => {
    const live = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(
        fc.array(level, { minLength: 120, maxLength: 120 }),
        live,
        looks,
        (values, start, all) => {
          const samples = values.map((value, i) => ({ time: i + 0.5, value }));
          const track = new Track(false);
          for (const { time, value } of samples.slice(start)) track.add(time, value, NAN);
          const told = envelope(samples, 20);
          track.heal(() => told, 120, Infinity, true);
          for (const { from, length, width, exact } of all) {
            const [t0, t1] = [from, Math.min(from + length, 120)];
            const there = samples.filter(({ time }) => time >= t0 && time <= t1);
            const rows = track.exact.length;
            if (!track.incomplete(t0, t1, 1 / width)) continue;
            if (exact) track.answer(t0, t1, batchOf(there), Infinity);
            else track.refine(t0, t1, envelope(samples, width), 1 / width);

            expect(track.exact.length).toBeGreaterThanOrEqual(rows);
            expect(track.incomplete(t0, t1, 1 / width)).toBe(false);
            expect(extremes(track)).toEqual([Math.min(...values), Math.max(...values)]);
          }

          // A whole keyframe tells anew what a kept one told, and nothing of what is known better.
          track.heal(() => told, 120, Infinity);

          expect(extremes(track)).toEqual([Math.min(...values), Math.max(...values)]);
          const out = columns();
          track.columns(0, 120, 60, out);
          for (let i = 0; i < out.length; i++) {
            if (!Number.isNaN(out.mean[i])) {
              expect(out.mean[i]).toBeGreaterThanOrEqual(out.min[i] as number);
              expect(out.mean[i]).toBeLessThanOrEqual(out.max[i] as number);
            }
          }
        },
      ),
    );
  });

  const wave = Array.from({ length: 120 }, (_, i) => ({ time: i + 0.5, value: i % 7 }));
  const widths = (track: Track) => track.coarse.buckets.map(({ start, end }) => end - start);

  test("takes the place of coarser buckets, and of no finer ones", () => {
    const track = new Track(false);
    track.fill(0, 120, envelope(wave, 20));

    track.refine(0, 120, envelope(wave, 5), 0.2);
    expect(widths(track)).toEqual(Array(24).fill(5));

    track.refine(0, 40, envelope(wave, 2), 0.5);
    track.refine(0, 120, envelope(wave, 10), 0.1);
    expect(widths(track)).toEqual([...Array(20).fill(2), ...Array(16).fill(5)]);
  });

  test("stays when a keyframe comes that is coarser", () => {
    const track = new Track(false);
    track.heal(() => envelope(wave, 20), 120, Infinity, true);
    track.refine(0, 60, envelope(wave, 5), 0.2);

    track.heal(() => envelope(wave, 10), 120, Infinity);

    expect(widths(track)).toEqual([...Array(12).fill(5), ...Array(6).fill(10)]);
  });

  test("stands where only the extremes of rows had come, and there the mean is known", () => {
    const track = new Track();
    for (const { time, value } of wave) track.add(time, value, NAN);
    track.thin(40.5, 80.5, 0.1);

    track.refine(0, 120, envelope(wave, 5), 0.2);

    const out = columns();
    track.columns(0, 119, 12, out);
    expect([...out.mean.subarray(0, out.length)].some(Number.isNaN)).toBe(false);
    expect(track.exact.length).toBe(80);
  });

  test("fills a gap of lost messages", () => {
    const track = new Track();
    for (const { time, value } of wave.slice(0, 40)) track.add(time, value, NAN);
    track.miss(true);
    for (const { time, value } of wave.slice(80)) track.add(time, value, NAN);
    expect(track.at(60)?.value).toBeNaN();

    track.refine(0, 120, envelope(wave, 5), 0.2);

    expect(track.at(60)?.value).toBeLessThan(7);
    expect(track.exact.length).toBe(80);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { batchOf, envelope } from "../../dev/samples";
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

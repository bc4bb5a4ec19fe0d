import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DOWN, spikesOf, UP } from "./spikes";

type Bucket = readonly [low: number, mean: number, high: number];

function spikes(buckets: readonly Bucket[], same = new Uint8Array(buckets.length)): number[] {
  const [low, mean, high] = [0, 1, 2].map((k) => Float64Array.from(buckets, (one) => one[k] ?? 0));
  const out = new Uint8Array(buckets.length);
  if (low && mean && high) spikesOf({ low, mean, high, same }, buckets.length, out);
  return [...out];
}

const found = (buckets: readonly Bucket[]) =>
  spikes(buckets).flatMap((side, i) => (side ? [i] : []));
/** Uniform noise in [0, 1): the same for every run. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Buckets of so many samples each. */
function bucketsOf(samples: readonly number[], each: number): Bucket[] {
  return Array.from({ length: Math.floor(samples.length / each) }, (_, i) => {
    const own = samples.slice(i * each, (i + 1) * each);
    return [Math.min(...own), own.reduce((a, b) => a + b, 0) / each, Math.max(...own)];
  });
}

describe("a bucket sticks out", () => {
  const EACH = [1, 2, 5, 40];
  const level = fc.constantFrom(-5, 0, 3);
  const place = fc.integer({ min: 3, max: 196 });

  test.each(EACH)("where one sample of %d is unlike all others", (each) => {
    fc.assert(
      fc.property(level, place, fc.constantFrom(0, 0.1), fc.boolean(), (base, at, wide, up) => {
        const random = noise(at);
        const samples = Array.from({ length: 200 * each }, () => base + wide * random());
        samples[at * each] = base + (up ? 20 : -20);
        expect(found(bucketsOf(samples, each))).toEqual([at]);
        expect(spikes(bucketsOf(samples, each))[at]).toBe(up ? UP : DOWN);
      }),
    );
  });

  test.each(EACH)("hardly ever in even noise of %d samples each", (each) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const random = noise(seed);
        const samples = Array.from({ length: 200 * each }, random);
        expect(found(bucketsOf(samples, each)).length).toBeLessThan(2);
      }),
    );
  });

  test("also where several do so near one another", () => {
    const buckets = Array.from(
      { length: 80 },
      (_, i): Bucket => [0, 0.01, i % 12 === 5 ? 1 : 0.02],
    );
    expect(found(buckets)).toEqual([5, 17, 29, 41, 53, 65, 77]);
  });

  test("not where a level changes to another", () => {
    expect(found(Array.from({ length: 60 }, (_, i) => (i < 30 ? [1, 1, 1] : [9, 9, 9])))).toEqual(
      [],
    );
  });

  test("once, however wide what is stored of it is", () => {
    const buckets = Array.from({ length: 90 }, (): Bucket => [0, 0.1, 0.2]);
    const wide = buckets.map((one, i): Bucket => (i >= 30 && i < 45 ? [0, 0.2, 5] : one));
    const same = Uint8Array.from(wide, (_, i) => Number(i > 30 && i < 45));
    expect(spikes(wide, same).flatMap((side, i) => (side ? [i] : []))).toEqual([30]);
  });

  test("not where its mean is not known, nor because of one that is infinite", () => {
    const odd: Bucket[] = [
      [0, Number.NaN, 5],
      [0, 0.5, Number.POSITIVE_INFINITY],
    ];
    const even = Array.from({ length: 10 }, (): Bucket => [0.4, 0.5, 0.6]);
    expect(found([...even, ...odd, ...even])).toEqual([]);
  });
});

/** A long recording of noise, as it reaches a page: row by row, or in the buckets of a picture. */

import { describe, expect, test } from "vitest";
import { type Columns, columns } from "../source";
import { decodedFrame, keyframeOf } from "../testing/packets";
import { CODE_TOP } from "../wire/packet";
import { bucketWidth } from "./buckets";
import { Store } from "./store";

const COUNT = 100_000;
/** One sample with its neighbours far away. */
const SPIKE = 54_321;
const SECONDS = 10_000;

/** Uniform between 0 and 1, the same in every run. */
function noise(i: number): number {
  const x = Math.sin(i * 127.1 + 311.7) * 43758.5453;
  return x - Math.floor(x);
}

const VALUES = Array.from({ length: COUNT }, (_, i) => (i === SPIKE ? 5 : noise(i)));
const TIMES = VALUES.map((_, i) => (i * SECONDS) / COUNT);

function byRows(): Store {
  const store = new Store();
  for (let at = 0; at < COUNT; at += 10_000) {
    const part = VALUES.slice(at, at + 10_000);
    store.take(
      decodedFrame(
        at / 10_000,
        part.map((v, i) => [0, TIMES[at + i] as number, v]),
      ),
    );
  }
  return store;
}

interface Bucket {
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** An exact drawing of all samples. */
function exactly(width: number): Map<number, Bucket> {
  const buckets = new Map<number, Bucket>();
  for (const [i, value] of VALUES.entries()) {
    const at = Math.floor((TIMES[i] as number) / width);
    const one = buckets.get(at) ?? { min: Infinity, max: -Infinity, sum: 0, count: 0 };
    one.min = Math.min(one.min, value);
    one.max = Math.max(one.max, value);
    one.sum += value;
    one.count++;
    buckets.set(at, one);
  }
  return buckets;
}

function byPicture(width: number): Store {
  const store = new Store();
  const top = 5;
  const code = (value: number) => Math.round((value / top) * CODE_TOP);
  const codes = [...exactly(width).values()].map(
    ({ min, max, sum, count }) => [code(min), code(max), code(sum / count)] as const,
  );
  const edges = Array.from({ length: codes.length + 1 }, (_, i) => i * width);
  store.take(keyframeOf(0, edges, [{ id: 0, lo: 0, hi: top, codes }]));
  return store;
}

function drawn(store: Store, t0: number, t1: number, points: number): Columns {
  const out = columns();
  store.range(0, t0, t1, points, out);
  return out;
}

describe.each([
  ["row by row", byRows(), 0],
  ["as 200 buckets", byPicture(50), 1e-4],
  ["as 1000 buckets", byPicture(10), 1e-4],
] as const)("noise that came %s", (_, store, rounding) => {
  test.each([50, 100, 200])("is drawn in %d buckets with true extremes and means", (points) => {
    const width = bucketWidth(SECONDS / points);
    const out = drawn(store, 0, SECONDS - 0.01, points);

    const exact = [...exactly(width).values()];
    expect(out.length).toBe(exact.length);
    for (const [i, { min, max, sum, count }] of exact.entries()) {
      expect(Math.abs((out.min[i] as number) - min)).toBeLessThanOrEqual(rounding);
      expect(Math.abs((out.max[i] as number) - max)).toBeLessThanOrEqual(rounding);
      expect(Math.abs((out.mean[i] as number) - sum / count)).toBeLessThanOrEqual(rounding + 1e-12);
    }
  });

  test("has the line of its means in the middle of the noise, and the spike in the band alone", () => {
    for (const points of [100, 400, 1000]) {
      const out = drawn(store, 0, SECONDS - 0.01, points);
      const means = [...out.mean.subarray(0, out.length)].filter((one) => !Number.isNaN(one));
      expect(means.length).toBeGreaterThanOrEqual(Math.min(points, 200));
      // Of a hundred samples or more, means lie near one half; extremes lie near 0 and 1.
      for (const mean of means) expect(Math.abs(mean - 0.5)).toBeLessThan(0.2);
      expect(Math.max(...out.max.subarray(0, out.length))).toBeCloseTo(5, 3);
    }
  });
});

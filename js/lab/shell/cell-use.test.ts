import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columns } from "../../core/source";
import { gpuUse, integrate } from "./cell-use";
import { FakeFeed, seriesOf } from "./testing";

type Sample = readonly [time: number, value: number];

/** As a source fills them; NaN is a gap. */
function columnsOf(samples: readonly Sample[]) {
  const out = columns(Math.max(samples.length, 1));
  out.length = samples.length;
  for (const [i, [time, value]] of samples.entries()) {
    out.time[i] = time;
    for (const column of [out.min, out.max, out.mean]) column[i] = value;
  }
  return out;
}

/** Readings each second from 0 to 100. */
const shares = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 101, maxLength: 101 })
  .map((values) => values.map((value, i): Sample => [i, value]));
const moments = fc.tuple(
  fc.double({ min: 0, max: 48, noNaN: true }),
  fc.double({ min: 50, max: 100, noNaN: true }),
);

describe("the integral of a series", () => {
  test("of a constant it is the constant times the time", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), moments, (share, [start, end]) => {
        const all = columnsOf(Array.from({ length: 101 }, (_, i): Sample => [i, share]));
        const { integral, why } = integrate(all, start, end, 2.5);
        expect(why).toBe("");
        expect(integral).toBeCloseTo(share * (end - start), 9);
      }),
    );
  });

  test("lies between the least and the most there could be", () => {
    fc.assert(
      fc.property(shares, moments, (samples, [start, end]) => {
        const { integral, max } = integrate(columnsOf(samples), start, end, 2.5);
        expect(integral).toBeGreaterThanOrEqual(0);
        expect(integral).toBeLessThanOrEqual(end - start + 1e-9);
        expect(max).toBe(
          Math.max(...samples.filter(([t]) => t >= start && t <= end).map(([, v]) => v)),
        );
      }),
    );
  });

  test("of two stretches that meet it is that of both together", () => {
    const part = fc.double({ min: 10, max: 90, noNaN: true });
    fc.assert(
      fc.property(shares, part, (samples, middle) => {
        const of = (a: number, b: number) => integrate(columnsOf(samples), a, b, 2.5).integral;
        expect(of(2, middle) + of(middle, 98)).toBeCloseTo(of(2, 98), 9);
      }),
    );
  });

  test("is missing exactly where a gap lies in the stretch", () => {
    const place = fc.integer({ min: 1, max: 99 });
    fc.assert(
      fc.property(shares, moments, place, (samples, [start, end], at) => {
        // The reading of that second is missing: nothing is known until the next one.
        const holed = samples.map(([t, v]): Sample => [t, t === at ? Number.NaN : v]);
        const { integral, why } = integrate(columnsOf(holed), start, end, 2.5);
        const touches = at < end && at + 1 > start;
        expect(why).toBe(touches ? "gap" : "");
        expect(Number.isNaN(integral)).toBe(touches);
      }),
    );
  });
});

const NAN = Number.NaN;

test.each<[string, readonly Sample[], string]>([
  ["no reading at all", [], "not covered"],
  ["only a gap", [[10, NAN]], "gap"],
  [
    "readings that begin too late",
    [
      [15, 1],
      [20, 1],
    ],
    "not covered",
  ],
  [
    "readings that begin soon",
    [
      [12, 1],
      [20, 1],
    ],
    "",
  ],
  [
    "readings that end too early",
    [
      [10, 1],
      [15, 1],
    ],
    "not covered",
  ],
  [
    "readings that end just before",
    [
      [10, 1],
      [18, 1],
    ],
    "",
  ],
  [
    "a gap until after the end",
    [
      [9, 1],
      [15, 1],
      [16, NAN],
    ],
    "gap",
  ],
  [
    "a gap that begins at the end",
    [
      [9, 1],
      [19, 1],
      [20, NAN],
    ],
    "",
  ],
  [
    "a gap before, which ends inside",
    [
      [5, 1],
      [6, NAN],
      [11, 1],
      [20, 1],
    ],
    "gap",
  ],
  [
    "a gap alone before, which ends inside",
    [
      [6, NAN],
      [10.5, 1],
      [20, 1],
    ],
    "gap",
  ],
  [
    "a gap before, which is over",
    [
      [5, 1],
      [6, NAN],
      [9, 1],
      [20, 1],
    ],
    "",
  ],
  [
    "readings around it alone",
    [
      [9.9, 1],
      [20.1, 1],
    ],
    "too short",
  ],
])("from 10 to 20, %s: %s", (_, samples, why) => {
  const found = integrate(columnsOf(samples), 10, 20, 2.5);

  expect(found.why).toBe(why);
  expect(Number.isNaN(found.integral)).toBe(why !== "");
});

test("the most is the most of each bucket, not of their means", () => {
  const all = columnsOf([
    [9, 1],
    [15, 1],
    [21, 1],
  ]);
  all.max[1] = 7;
  all.max[0] = all.max[2] = 99;

  expect(integrate(all, 10, 20, 2.5)).toMatchObject({ max: 7, integral: 10 });
});

/** Two GPUs, readings each second: busy 50 and 100 %, memory rising. */
function twoGpus(lost: number | null = null): FakeFeed {
  const feed = new FakeFeed();
  const series = seriesOf([
    ["gpu:0", "gpu.utilization"],
    ["gpu:0", "gpu.memory.used"],
    ["gpu:1", "gpu.utilization"],
    ["gpu:1", "gpu.memory.used"],
  ]);
  for (let t = 0; t <= 60; t++) {
    const second = lost !== null && t >= lost ? NAN : 1;
    const rows = [
      [0, t, 0.5],
      [1, t, 1e9 + t],
      [2, t, second],
      [3, t, second * 2e9 + t],
    ] as const;
    // A missing reading is one row where it begins.
    const told = lost !== null && t > lost ? rows.slice(0, 2) : rows;
    feed.frame(told, { ...(t === 0 ? { series } : {}), state: { phase: "running", interval: 1 } });
  }
  return feed;
}

test("what a run used of two GPUs", () => {
  const use = gpuUse(twoGpus().store, 10, 30);

  expect(use?.busy).toBeCloseTo(20 * 0.5 + 20, 6);
  expect(use?.peak?.label).toBe("GPU 1");
  expect(use?.peak?.bytes).toBeCloseTo(2e9 + 30, 0);
});

test("a GPU that was lost meanwhile leaves its numbers unknown, never smaller", () => {
  const { store } = twoGpus(20);

  expect(gpuUse(store, 10, 30)).toMatchObject({
    ...{ busy: null, peak: null, whyNotBusy: "gap", whyNoPeak: "gap", lacking: "GPU 1" },
  });
  expect(gpuUse(store, 5, 15)?.busy).toBeCloseTo(15, 6);
});

test.each([
  [-20, 20, "not covered"],
  [-0.5, 20, ""],
  [-1.5, 0.5, "too short"],
  [50, 100, "not covered"],
  [10.2, 10.8, "too short"],
  [10.2, 11.1, ""],
])("readings come from 0 to 60: of the run from %d to %d they are %j", (start, end, why) => {
  expect(gpuUse(twoGpus().store, start, end)).toMatchObject({ whyNotBusy: why, whyNoPeak: why });
});

test("without GPUs nothing is said of them", () => {
  const feed = new FakeFeed();
  feed.frame([[0, 1, 0.5]], { series: seriesOf([["host", "cpu.utilization"]]) });

  expect(gpuUse(feed.store, 0, 1)).toBeNull();
});

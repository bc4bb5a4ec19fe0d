import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fetchOf, filled, gridOf, type Item, numbers, put, type Sample } from "../testing/grids";
import { type Fetch, GAP, Grid, NOTHING } from "./grid";
import { Track } from "./track";

const everySecond = (value: (t: number) => number): Sample[] =>
  Array.from({ length: 101 }, (_, t) => [t, value(t)] as const);

describe("a bucket", () => {
  const value = fc.double({ noNaN: true, min: -1e6, max: 1e6 });

  test("is at most a pixel wide, and hardly less", () => {
    const width = fc.double({ noNaN: true, min: 0.01, max: 1e8 });
    fc.assert(
      fc.property(width, fc.integer({ min: 40, max: 2000 }), (range, pixels) => {
        const grid = new Grid();
        grid.fill(fetchOf([]), [], [0, range], pixels, false);
        const share = grid.origin[1] / (range / pixels);
        expect(share).toBeLessThanOrEqual(1 + 1e-9);
        expect(share).toBeGreaterThan(0.78);
      }),
    );
  });

  test("has the extremes and the mean of its samples, and the line has that mean", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const grid = filled([values.map((v, i) => [i / 3, v] as const)], [0, 99.9], 40);
        const [, width] = grid.origin;
        for (let i = 0; i < grid.bucketCount; i++) {
          const own = values.filter((_, k) => Math.floor(k / 3 / width) === i);
          const { low, high, mean } = grid.buckets(0) ?? {};
          if (own.length === 0) {
            expect(low?.[i]).toBeNaN();
            continue;
          }
          expect((low?.[i] ?? NOTHING) + 0).toBe(Math.min(...own) + 0);
          expect((high?.[i] ?? NOTHING) + 0).toBe(Math.max(...own) + 0);
          const wanted = own.reduce((sum, one) => sum + one, 0) / own.length;
          expect(Math.abs((mean?.[i] ?? NOTHING) - wanted)).toBeLessThan(1e-6);
          expect(grid.ys[0]?.[i + 1]).toBe(mean?.[i]);
        }
      }),
    );
  });

  test("of a stored one that is wider has a line without a gap, at every width", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 400 }), fc.integer({ min: 40, max: 900 }), (n, px) => {
        const track = new Track();
        const edges = Float64Array.from({ length: n + 1 }, (_, i) => (i * 360) / n);
        const mean = Float64Array.from({ length: n }, (_, i) => Math.sin(i / 9));
        const [min, max] = [mean.map((one) => one - 0.1), mean.map((one) => one + 0.1)];
        const missing = new Uint8Array(n);
        track.fill(0, 360, { edges, min, max, mean, missing, step: null, slack: 0 });
        const grid = new Grid();
        const fetch: Fetch = (_id, from, to, points, out) => track.columns(from, to, points, out);
        grid.fill(fetch, [0], [0, 360], px, false);
        const line = [...(grid.ys[0] ?? [])];
        expect(line.filter((y) => y === GAP)).toEqual([]);
        const points = line.filter((y) => Number.isFinite(y) && y !== NOTHING);
        expect(points.length).toBeGreaterThanOrEqual(Math.min(n, px / 2) * 0.9);
      }),
    );
  });

  test("that goes on with the one before has a band and no point of the line", () => {
    const grid = gridOf(
      [
        [10, 1, 2, 3],
        [12, 1, 2, 3, 1],
        [14, 1, 2, 3, 1],
        [16, 4, 5, 6],
      ],
      [0, 100],
    );
    const ys = grid.ys[0] ?? new Float64Array();
    expect(numbers(ys)).toEqual([2, 5]);
    // It is in the middle of what it is the mean of.
    expect(grid.xs[ys.indexOf(2)]).toBe(grid.xs[7]);
    expect([...(grid.buckets(0)?.high ?? [])].filter((one) => one === 3)).toHaveLength(3);
  });

  test("whose mean is not known has a band, and no line passes it", () => {
    const grid = gridOf(
      [
        [10, 1, 1, 1],
        [20, 0, NOTHING, 9],
        [30, 2, 2, 2],
      ],
      [0, 100],
    );
    const ys = grid.ys[0] ?? new Float64Array();
    expect(numbers(ys)).toEqual([1, 2]);
    expect(ys.subarray(ys.indexOf(1), ys.indexOf(2))).toContain(GAP);
    expect(grid.extremes(0)).toEqual([0, 9]);
    expect(grid.at(0, 20)).toMatchObject({ min: 0, max: 9, mean: null });
  });

  test("that begins after a gap within it is not joined to the one before", () => {
    const grid = gridOf(
      [
        [10, 1, 1, 1],
        [12, NOTHING, NOTHING, NOTHING],
        [12, 2, 2, 2],
        [14, 3, 3, 3],
      ],
      [0, 100],
    );
    const ys = grid.ys[0] ?? new Float64Array();
    expect(ys.subarray(ys.indexOf(1), ys.indexOf(2))).toContain(GAP);
    expect(ys.subarray(ys.indexOf(2), ys.indexOf(3))).not.toContain(GAP);
  });
});

test("what is drawn reaches to where the line leaves the window", () => {
  const line: Sample[] = [
    [0, 100],
    [50, 0],
    [100, 200],
  ];
  const [low, high] = filled([line], [40, 60], 20).reach() ?? [];
  expect(low).toBe(0);
  expect(high).toBeGreaterThan(40);
  expect(high).toBeLessThan(50);
});

describe("a line in steps", () => {
  const flips: Item[] = [
    [10, 0, 0, 0],
    [20, 0, 0.5, 1],
    [90, 1, 1, 1],
  ];

  test("goes on with the state that holds after a bucket of several", () => {
    for (const state of [0, 1]) {
      const grid = new Grid();
      const fetch: Fetch = (_id, _from, _to, _points, out) => put(out, flips);
      grid.fill(fetch, [0], [0, 100], 50, true, () => state);
      expect(numbers(grid.ys[0])).toEqual([0, state, 1]);
    }
  });

  test("has never a value that is no state", () => {
    expect(numbers(gridOf(flips, [0, 100], true).ys[0])).toEqual([0, 1, 1]);
  });
});

describe("a line", () => {
  test("crosses buckets without samples", () => {
    const grid = filled([
      [
        [10, 1],
        [90, 2],
      ],
    ]);
    expect(grid.ys[0]).not.toContain(GAP);
  });

  test("is broken where a reading is missing, all the way between its neighbours", () => {
    const grid = filled([
      [
        [10, 1],
        [50, Number.NaN],
        [90, 2],
      ],
    ]);
    const ys = grid.ys[0] ?? new Float64Array();
    const [from, to] = [ys.lastIndexOf(1), ys.indexOf(2)];
    expect(to).toBeGreaterThan(from + 1);
    expect(ys.slice(from + 1, to).every((y) => y === GAP)).toBe(true);
  });

  test("is broken also where the gap shares a bucket with values", () => {
    const grid = filled(
      [
        [
          [10.1, 1],
          [10.2, 5],
          [10.3, Number.NaN],
          [12.1, 2],
        ],
      ],
      [0, 100],
      50,
    );
    const ys = grid.ys[0] ?? new Float64Array();
    expect(numbers(ys)).toEqual([3, 2]);
    expect(ys.slice(ys.indexOf(3), ys.indexOf(2))).toContain(GAP);
  });

  test("comes from the sample before the visible range and goes to the one after it", () => {
    const grid = filled(
      [
        [
          [0, 0],
          [100, 100],
        ],
      ],
      [40, 60],
      20,
    );
    const [first, last] = [grid.ys[0]?.[0], grid.ys[0]?.at(-1)];
    expect(first).toBeCloseTo(grid.xs[0] ?? Number.NaN);
    expect(last).toBeCloseTo(grid.xs.at(-1) ?? Number.NaN);
  });

  test("in steps holds its value instead", () => {
    const line: Sample[] = [
      [0, 3],
      [100, 7],
    ];
    expect(filled([line], [40, 60], 20, true).ys[0]?.at(-1)).toBe(3);
  });

  test("does not go on after its last sample", () => {
    const ys = filled([[[10, 1]]]).ys[0] ?? new Float64Array();
    expect(ys.at(-1)).toBeNaN();
    expect(ys.slice(ys.lastIndexOf(1) + 1).every(Number.isNaN)).toBe(true);
  });

  test("that is hidden has no values, and shares the axis all the same", () => {
    const grid = new Grid();
    grid.fill(
      fetchOf([everySecond(() => 1), everySecond(() => 2)]),
      [0, null],
      [0, 100],
      50,
      false,
    );
    expect(numbers(grid.ys[1])).toEqual([]);
    expect(grid.ys[1]?.length).toBe(grid.xs.length);
  });
});

test("x values rise, whatever the lines hold", () => {
  const time = fc.double({ noNaN: true, min: -20, max: 120 });
  const value = fc.oneof(fc.constant(Number.NaN), fc.double({ noNaN: true, min: -9, max: 9 }));
  const line = fc.array(fc.tuple(time, value), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
      const sorted = lines.map((samples) => samples.sort((a, b) => a[0] - b[0]));
      const { xs, ys } = filled(sorted);
      for (let i = 1; i < xs.length; i++) expect(xs[i]).toBeGreaterThan(xs[i - 1] as number);
      for (const y of ys) expect(y.length).toBe(xs.length);
    }),
  );
});

test("a window that moves by part of a bucket draws the same buckets", () => {
  const samples = everySecond((t) => Math.sin(t));
  const a = filled([samples], [10, 60], 10);
  const b = filled([samples], [11, 61], 10);
  const shared = a.xs.slice(1, -1).filter((x) => b.xs.includes(x));
  expect(shared.length).toBeGreaterThan(8);
  for (const x of shared.slice(1, -1)) {
    expect(b.ys[0]?.[b.xs.indexOf(x)]).toBe(a.ys[0]?.[a.xs.indexOf(x)]);
  }
});

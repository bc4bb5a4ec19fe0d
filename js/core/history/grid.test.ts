import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Fetch, Grid, nearestPlace, type Value } from "./grid";
import { Track } from "./track";

type Sample = readonly [time: number, value: number];

/** Every sample as a place of its own; the grid has to put them into buckets. */
function fetchOf(lines: readonly (readonly Sample[])[]): Fetch {
  return (id, from, to, _points, out) => {
    const inside = (lines[id] ?? []).filter(([time]) => time >= from && time <= to);
    out.length = inside.length;
    out.time = Float64Array.from(inside, ([time]) => time);
    out.min = Float64Array.from(inside, ([, value]) => value);
    out.max = Float64Array.from(inside, ([, value]) => value);
    out.same = new Uint8Array(inside.length);
  };
}

function filled(
  lines: readonly (readonly Sample[])[],
  range: readonly [number, number] = [0, 100],
  points = 50,
  stepped = false,
): Grid {
  const grid = new Grid();
  const ids = lines.map((_, id) => id);
  grid.fill(fetchOf(lines), ids, range, points, stepped);
  return grid;
}

function numbers(ys: readonly Value[] | undefined): number[] {
  return (ys ?? []).filter((y): y is number => typeof y === "number");
}

const everySecond = (value: (t: number) => number): Sample[] =>
  Array.from({ length: 101 }, (_, t) => [t, value(t)] as const);

describe("a line", () => {
  test("shows a spike of one sample, however many share its bucket", () => {
    const grid = filled([everySecond((t) => (t === 41 ? 9 : 1))], [0, 100], 4);
    expect(Math.max(...numbers(grid.ys[0]))).toBe(9);
    expect(Math.min(...numbers(grid.ys[0]))).toBe(1);
  });

  test("always reaches the extremes of its samples and never beyond", () => {
    const value = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const samples = values.map((v, i) => [i / 3, v] as const);
        const grid = filled([samples]);
        const drawn = numbers(grid.ys[0]?.slice(1, -1));
        expect(Math.max(...drawn)).toBe(Math.max(...values.slice(0, 301)));
        expect(Math.min(...drawn)).toBe(Math.min(...values.slice(0, 301)));
      }),
    );
  });

  test("crosses a stretch of which only the extremes are known once, not in every bucket", () => {
    const drawn = (low: number[], high: number[]) => {
      const track = new Track();
      const edges = Float64Array.of(0, 20, 40);
      const [min, max] = [Float64Array.from(low), Float64Array.from(high)];
      track.fill(0, 40, {
        edges,
        min,
        max,
        mean: min,
        missing: new Uint8Array(2),
        step: null,
        slack: 0,
      });
      const grid = new Grid();
      const fetch: Fetch = (_id, from, to, points, out) => track.columns(from, to, points, out);
      grid.fill(fetch, [0], [0, 40], 40, false);
      return numbers(grid.ys[0]?.slice(1, -1));
    };

    expect(drawn([1, 3], [3, 5])).toEqual([1, 3, 3, 5]);
    expect(drawn([3, 1], [5, 3])).toEqual([5, 3, 3, 1]);
  });

  test("crosses buckets without samples", () => {
    const grid = filled([
      [
        [10, 1],
        [90, 2],
      ],
    ]);
    expect(grid.ys[0]).not.toContain(null);
  });

  test("is broken where a reading is missing, all the way between its neighbours", () => {
    const grid = filled([
      [
        [10, 1],
        [50, Number.NaN],
        [90, 2],
      ],
    ]);
    const ys = grid.ys[0] ?? [];
    const [from, to] = [ys.lastIndexOf(1), ys.indexOf(2)];
    expect(ys.slice(from + 1, to).every((y) => y === null)).toBe(true);
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
    const ys = grid.ys[0] ?? [];
    expect(numbers(ys)).toEqual(expect.arrayContaining([1, 5, 2]));
    expect(ys.slice(ys.indexOf(5), ys.indexOf(2))).toContain(null);
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
    const ys = filled([[[10, 1]]]).ys[0] ?? [];
    expect(ys.at(-1)).toBeUndefined();
    expect(ys.slice(ys.lastIndexOf(1) + 1).every((y) => y === undefined)).toBe(true);
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
  expect(shared.length).toBeGreaterThan(15);
  for (const x of shared.slice(2, -2)) {
    expect(b.ys[0]?.[b.xs.indexOf(x)]).toBe(a.ys[0]?.[a.xs.indexOf(x)]);
  }
});

describe("the value under the cursor", () => {
  const grid = filled([
    [
      [10, 1],
      [11, 4],
      [50, Number.NaN],
      [90, 2],
    ],
  ]);

  test("is both ends of its bucket", () => {
    expect(grid.at(0, 10.5)).toMatchObject({ min: 1, max: 4 });
  });

  test("is the nearest one, on either side, where the line runs on", () => {
    const line = filled([
      [
        [10, 92],
        [50, 78],
      ],
    ]);

    expect(line.at(0, 25)).toMatchObject({ min: 92, max: 92 });
    expect(line.at(0, 35)).toMatchObject({ min: 78, max: 78 });
  });

  test("is the last one before it of a line in steps, on which that value still is", () => {
    const line: Sample[] = [
      [10, 1],
      [50, 0],
    ];

    expect(filled([line], [0, 100], 50, true).at(0, 49)).toMatchObject({ min: 1 });
    expect(filled([line], [40, 49], 50, true).at(0, 48)).toMatchObject({ min: 1 });
  });

  test("is the nearest one outside the visible range, where the line only runs through", () => {
    const line: Sample[] = [
      [10, 3],
      [50, 7],
    ];
    const through = filled([line], [20, 45]);

    expect(through.at(0, 21)).toMatchObject({ min: 3, max: 3 });
    expect(through.at(0, 44)).toMatchObject({ min: 7, max: 7 });
    expect(filled([line], [20, 60]).at(0, 28)).toMatchObject({ min: 3 });
    expect(filled([line], [60, 80]).at(0, 70)).toBeNull();
  });

  test("has both ends of a bucket outside the visible range", () => {
    const grid = new Grid();
    const fetch: Fetch = (_id, _from, _to, _points, out) => {
      const all = { time: [10, 50], min: [1, 5], max: [2, 6] };
      out.length = 2;
      out.time = Float64Array.from(all.time);
      out.min = Float64Array.from(all.min);
      out.max = Float64Array.from(all.max);
      out.same = new Uint8Array(2);
    };
    grid.fill(fetch, [0], [20, 45], 50, false);

    expect(grid.at(0, 22)).toMatchObject({ min: 1, max: 2 });
    expect(grid.at(0, 43)).toMatchObject({ min: 5, max: 6 });
  });

  test("comes from before a gap, never across it, whatever is nearer", () => {
    expect(grid.at(0, 25)).toMatchObject({ min: 1, max: 4 });
    expect(grid.at(0, 88)).toMatchObject({ min: null, max: null });
    const after = filled(
      [
        [
          [10, Number.NaN],
          [50, 7],
        ],
      ],
      [20, 60],
    );
    expect(after.at(0, 48)).toMatchObject({ min: null, max: null });
  });

  test("is missing after a bucket that ends in a gap", () => {
    const line = filled([
      [
        [10.1, 5],
        [10.2, Number.NaN],
        [50, 6],
      ],
    ]);

    expect(line.at(0, 10.5)).toMatchObject({ min: 5 });
    expect(line.at(0, 14)).toMatchObject({ min: null, max: null });
  });

  test("is where the dot of the line sits", () => {
    const [value, none] = [1, undefined];
    const ys = [none, value, none, none, none, value, none];

    expect([1, 2, 3, 4, 5].map((i) => nearestPlace(ys, i, false))).toEqual([1, 1, 1, 5, 5]);
    expect([1, 2, 3, 4, 5].map((i) => nearestPlace(ys, i, true))).toEqual([1, 1, 1, 1, 5]);
    expect(ys[nearestPlace(ys, 0, false)]).toBeUndefined();
    expect(ys[nearestPlace(ys, 6, false)]).toBeUndefined();
  });

  test("is not carried on beyond the last sample", () => {
    expect(grid.at(0, 90.5)).toMatchObject({ min: 2 });
    expect(grid.at(0, 95)).toBeNull();
  });

  test("is missing inside a gap, and absent before the first sample", () => {
    expect(grid.at(0, 70)).toMatchObject({ min: null, max: null });
    expect(grid.at(0, 3)).toBeNull();
  });
});

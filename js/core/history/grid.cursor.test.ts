import { describe, expect, test } from "vitest";
import { filled, gridOf, type Sample } from "../testing/grids";
import { NOTHING, nearestPlace } from "./grid";

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
    const grid = gridOf(
      [
        [10, 1, 1.5, 2],
        [50, 5, 5.5, 6],
      ],
      [20, 45],
    );

    expect(grid.at(0, 22)).toMatchObject({ min: 1, mean: 1.5, max: 2 });
    expect(grid.at(0, 43)).toMatchObject({ min: 5, mean: 5.5, max: 6 });
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
    const [value, none] = [1, NOTHING];
    const ys = [none, value, none, none, none, value, none];

    expect([1, 2, 3, 4, 5].map((i) => nearestPlace(ys, i, false))).toEqual([1, 1, 1, 5, 5]);
    expect([1, 2, 3, 4, 5].map((i) => nearestPlace(ys, i, true))).toEqual([1, 1, 1, 1, 5]);
    expect(ys[nearestPlace(ys, 0, false)]).toBeNaN();
    expect(ys[nearestPlace(ys, 6, false)]).toBeNaN();
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

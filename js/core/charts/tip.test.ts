import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Line } from "./groups";
import { fitsTitle, sharedStart } from "./legend";
import { besidePointer, shownLines, type TipLine } from "./tip";

const lineOf = (value: number): TipLine => ({ name: `${value}`, text: "", color: "", value });

describe("the tooltip", () => {
  test("has the largest values first, missing ones last, and counts what it leaves out", () => {
    const values = [3, Number.NaN, 7, Number.POSITIVE_INFINITY, -1];
    const order = shownLines(values.map(lineOf)).shown.map(({ value }) => value);
    expect(order).toEqual([Number.POSITIVE_INFINITY, 7, 3, -1, Number.NaN]);
    const many = shownLines(Array.from({ length: 20 }, (_, i) => lineOf(i)));
    expect(many.shown.map(({ value }) => value)).toEqual([
      19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8,
    ]);
    expect(many.more).toBe(8);
  });

  test.each([
    ["a wide dashboard", 900, 700, 200, 150],
    ["a panel of 240 px", 240, 500, 232, 200],
    ["a low panel of 300 px", 300, 200, 280, 60],
  ])("in %s never leaves what is seen, nor covers the pointer", (_, across, down, most, tall) => {
    const pixels = (last: number) => fc.integer({ min: 0, max: last });
    const at = fc.tuple(pixels(across), pixels(down), pixels(400), pixels(400));
    fc.assert(
      fc.property(at, pixels(most), pixels(tall), ([x, y, from, under], wide, high) => {
        const box = [from, under, from + across, under + down] as const;
        const [left, top] = besidePointer([from + x, under + y], [wide, high], box);
        expect(left).toBeGreaterThanOrEqual(box[0] + 4);
        expect(top).toBeGreaterThanOrEqual(box[1] + 4);
        expect(left + wide).toBeLessThanOrEqual(box[2] - 4);
        expect(top + high).toBeLessThanOrEqual(box[3] - 4);
        const beside = left > from + x || left + wide < from + x;
        expect(beside || top > under + y || top + high < under + y).toBe(true);
      }),
    );
  });

  test("that is larger than what is seen shows its beginning", () => {
    expect(besidePointer([50, 50], [400, 300], [10, 20, 210, 120])).toEqual([14, 24]);
  });
});

describe("names of lines", () => {
  test.each([
    [["core 0", "core 12"], "core "],
    [["GPU 0", "GPU 1"], "GPU "],
    [["read", "written"], ""],
    [["by power", "by heat"], "by "],
    [["core 0"], ""],
    [["node-1 \u00b7 GPU 0", "node-2 \u00b7 GPU 0"], ""],
  ])("%j all begin with %j", (names, start) => {
    expect(sharedStart(names)).toBe(start);
  });

  test("stand in the title where they are few and short", () => {
    const lines = (...labels: string[]) => labels.map((label) => ({ label }) as Line);
    expect(fitsTitle(lines("received", "sent"))).toBe(true);
    expect(fitsTitle(lines("alone"))).toBe(false);
    expect(fitsTitle(lines("user", "system", "disk wait", "stolen"))).toBe(false);
    expect(fitsTitle(lines("a rather long name of a line", "another"))).toBe(false);
  });
});

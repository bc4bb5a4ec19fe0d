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

  test("never leaves the dashboard, nor covers the pointer where there is room beside it", () => {
    const pixels = (most: number) => fc.integer({ min: 0, max: most });
    fc.assert(
      fc.property(pixels(900), pixels(700), pixels(200), pixels(150), (x, y, wide, high) => {
        const [left, top] = besidePointer([x, y], [wide, high], [900, 700]);
        expect(left).toBeGreaterThanOrEqual(4);
        expect(top).toBeGreaterThanOrEqual(4);
        expect(left + wide).toBeLessThanOrEqual(900);
        expect(top + high).toBeLessThanOrEqual(700);
        expect(left > x || left + wide < x).toBe(true);
      }),
    );
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

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { yRange, yTicks } from "./y-range";

const plain = { unit: "", whole: false, limit: null };
const share = { unit: "1", whole: true, limit: null };
const GIB = 1024 ** 3;

describe("the range of values", () => {
  test("of a share is 0 to 100 %, also without data", () => {
    expect(yRange(0.4, 0.5, share)).toEqual([0, 1]);
    expect(yRange(null, null, share)).toEqual([0, 1]);
  });

  test("of a share that exceeds the whole still holds it", () => {
    expect(yRange(0, 1.2, share)[1]).toBeGreaterThan(1.2);
  });

  test("holds the limit, so that the room left can be seen", () => {
    const [low, high] = yRange(GIB, 2 * GIB, { unit: "B", whole: false, limit: 80 * GIB });
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(80 * GIB);
  });

  test("starts at zero for amounts, however little they move", () => {
    expect(yRange(99, 100, { ...plain, unit: "W" })[0]).toBe(0);
  });

  test("closes in on a level that is far from zero and hardly moves", () => {
    const [low] = yRange(1.8e9, 1.9e9, { ...plain, unit: "Hz" });
    expect(low).toBeGreaterThan(1.7e9);
  });

  test("of temperatures does not blow up half a degree", () => {
    const [low, high] = yRange(60, 60.5, { ...plain, unit: "degC" });
    expect(high - low).toBeGreaterThan(10);
  });

  test("always holds the data and is never empty", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 });
    const unit = fc.constantFrom("", "B", "W", "Hz", "degC", "s", "1", "count");
    fc.assert(
      fc.property(value, value, unit, fc.boolean(), (a, b, of, whole) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(!whole || min >= 0);
        const [low, high] = yRange(min, max, { unit: of, whole, limit: null });
        expect(low).toBeLessThanOrEqual(min);
        expect(high).toBeGreaterThanOrEqual(max);
        expect(high).toBeGreaterThan(low);
      }),
    );
  });
});

describe("ticks", () => {
  test("of bytes fall on powers of two of their unit", () => {
    expect(yTicks([0, 85 * GIB], "B", 4)).toEqual([0, 32 * GIB, 64 * GIB]);
  });

  test("of shares fall on round percents", () => {
    expect(yTicks([0, 1], "1", 4)).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });

  test("of counts are whole", () => {
    expect(yTicks([0, 2], "count", 8)).toEqual([0, 1, 2]);
  });

  test("lie within the range, rise evenly, and are about as many as asked for", () => {
    const edge = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
    const width = fc.double({ noNaN: true, min: 1e-3, max: 1e9 });
    const unit = fc.constantFrom("", "B", "s", "1", "Hz");
    fc.assert(
      fc.property(edge, width, unit, fc.integer({ min: 2, max: 8 }), (low, wide, of, count) => {
        const ticks = yTicks([low, low + wide], of, count);
        expect(ticks.length).toBeLessThanOrEqual(count + 1);
        const slack = wide * 1e-6 + (Math.abs(low) + wide) * Number.EPSILON * 4;
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low - slack);
          expect(tick).toBeLessThanOrEqual(low + wide + slack);
        }
      }),
    );
  });
});

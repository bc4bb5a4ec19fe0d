import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logAxis, yAxis } from "./y-axis";

const GIB = 1024 ** 3;
const PIXELS = 74;

describe("the axis of a chart of little height", () => {
  test.each([
    [[0, 1], "1", [0, 0.5, 1]],
    [[0, 3.2], "", [0, 2, 4]],
    [[0, 130 * GIB], "B/s", [0, 64 * GIB, 128 * GIB, 192 * GIB]],
    [[0, 1], "count", [0, 1]],
    [[1.75e9, 1.96e9], "Hz", [1.7e9, 1.8e9, 1.9e9, 2e9]],
  ] as const)("of %j in %j has ticks at %j", (wanted, unit, ticks) => {
    const axis = yAxis(wanted, unit, PIXELS);
    expect(axis.ticks.map((tick) => Number(tick.toPrecision(12)))).toEqual(ticks);
  });

  test("ends at its lowest and its highest tick, holds what is wanted and has room for labels", () => {
    const bound = fc.double({ noNaN: true, min: -1e12, max: 1e12 });
    const size = fc.double({ noNaN: true, min: 1e-6, max: 1e12 });
    const unit = fc.constantFrom("", "1", "B", "B/s", "W", "s", "count", "degC");
    fc.assert(
      fc.property(bound, size, unit, (low, wide, of) => {
        fc.pre(wide > Math.abs(low) * 1e-6);
        const { range, ticks } = yAxis([low, low + wide], of, PIXELS);
        fc.pre(ticks.length > 0);
        const slack = (range[1] - range[0]) * 1e-5;
        expect(range[0]).toBeLessThanOrEqual(low + slack);
        expect(range[1]).toBeGreaterThanOrEqual(low + wide - slack);
        expect([ticks[0], ticks[ticks.length - 1]]).toEqual([...range]);
        expect(ticks.length).toBeGreaterThan(1);
        expect(PIXELS / (ticks.length - 1)).toBeGreaterThanOrEqual(22);
      }),
    );
  });

  test.each([
    [80 * GIB, "B", [0, 32 * GIB, 80 * GIB]],
    [700, "W", [0, 250, 500, 700]],
    [79.2 * GIB, "B", [0, 32 * GIB, 79.2 * GIB]],
  ])("up to a limit of %d %s ends in it", (limit, unit, ticks) => {
    expect(yAxis([0, limit], unit, PIXELS, limit)).toEqual({ range: [0, limit], ticks });
  });
});

describe("a logarithmic axis", () => {
  test("goes from a power of ten to another, around what is wanted", () => {
    const power = fc.double({ noNaN: true, min: -12, max: 12 });
    fc.assert(
      fc.property(power, power, (a, b) => {
        const [low, high] = [10 ** Math.min(a, b), 10 ** Math.max(a, b)];
        const { range, ticks } = logAxis(low, high, PIXELS);
        expect(range[0]).toBeLessThanOrEqual(low * (1 + 1e-9));
        expect(range[1]).toBeGreaterThanOrEqual(high * (1 - 1e-9));
        expect(range[1]).toBeGreaterThan(range[0]);
        expect(ticks.at(-1)).toBe(range[1]);
        expect(ticks.length).toBeLessThanOrEqual(5);
        for (const tick of ticks)
          expect(Math.log10(tick)).toBeCloseTo(Math.round(Math.log10(tick)));
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Grid } from "../history/grid";
import { fitsLog, logAxisOf, logNote, unplaced } from "./log-scale";

/** A grid of one line, with a value each second. */
function gridOf(values: readonly number[], pixels = 4000): Grid {
  const grid = new Grid();
  const fetch: Parameters<Grid["fill"]>[0] = (_id, _from, _to, _points, out) => {
    out.length = values.length;
    out.time = Float64Array.from(values, (_, i) => i + 0.5);
    for (const name of ["min", "max", "mean"] as const) out[name] = Float64Array.from(values);
    out.same = new Uint8Array(values.length);
  };
  grid.fill(fetch, [0], [0, Math.max(values.length, 1)], pixels, false);
  return grid;
}

const note = (values: readonly number[], pixels?: number) =>
  logNote(unplaced(gridOf(values, pixels), 1));

describe("on a logarithmic axis", () => {
  test.each([
    [[1, 2, 3], ""],
    [[1, 2, 3, 0], "1 value \u2264 0 not shown"],
    [[1, 2, 3, 4, -1, 0], "2 values \u2264 0 not shown"],
    [[1, -2, 3, -4], "linear: many values \u2264 0"],
    [[-1, -2], "linear: all values \u2264 0"],
    [[], ""],
  ])("%j says %j", (values, text) => {
    expect(note(values)).toBe(text);
  });

  test("a bucket of many values has at least one", () => {
    const values = Array.from({ length: 400 }, (_, i) => (i === 7 ? -1 : 1 + i));
    expect(note(values, 20)).toBe("at least 1 value \u2264 0 not shown");
  });

  test("each value is in reach or told, or the axis is linear", () => {
    const value = fc.double({ min: -5, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), (values) => {
        const grid = gridOf(values);
        const found = unplaced(grid, 1);
        const none = values.filter((one) => one <= 0).length;
        expect(found).toMatchObject({ count: none, of: values.length, atLeast: false });
        expect(logNote(found) === "").toBe(none === 0);
        if (!fitsLog(found)) return;
        const [from, to] = logAxisOf(grid, 1, Math.max(...values), 74).range;
        for (const one of values.filter((each) => each > 0)) {
          expect(one).toBeGreaterThanOrEqual(from * (1 - 1e-9));
          expect(one).toBeLessThanOrEqual(to * (1 + 1e-9));
        }
      }),
    );
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { GAP, NOTHING } from "./grid";
import { smoothed } from "./smoothed";

/** The rule as TensorBoard writes it. */
function asTensorBoard(values: readonly number[], weight: number): number[] {
  let last = 0;
  return values.map((value, i) => {
    last = last * weight + (1 - weight) * value;
    return last / (1 - weight ** (i + 1));
  });
}

const value = fc.double({ noNaN: true, min: -1e6, max: 1e6 });
const weight = fc.double({ noNaN: true, min: 0.01, max: 0.99 });

test("a smoothed line is the one that TensorBoard draws", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), weight, (values, by) => {
      const wanted = asTensorBoard(values, by);
      smoothed(Float64Array.from(values), by).forEach((one, i) => {
        expect(Math.abs(one - (wanted[i] ?? 0))).toBeLessThan(1e-3);
      });
    }),
  );
});

test("it begins at the first value, stays on a level, and keeps gaps", () => {
  const ys = Float64Array.of(NOTHING, 5, 5, GAP, NOTHING, 5);
  expect([...smoothed(ys, 0.9)].map((one) => Math.round(one * 1e9) / 1e9)).toEqual([...ys]);
});

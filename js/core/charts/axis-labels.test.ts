import fc from "fast-check";
import { expect, test } from "vitest";
import { axisTimes } from "../vocabulary/time-text";
import { clearLabels } from "./axis-labels";

test("a label at the left end of the axis does not stand under those of the y axis", () => {
  expect(clearLabels(["16:34:10", "16:34:20"], [0, 80], 260)).toEqual(["", "16:34:20"]);
  expect(clearLabels(["16:34", "16:40"], [30, 240], 260)).toEqual(["16:34", "16:40"]);
});

test("what is left is whole, clear of both sides, and all there is room for", () => {
  const places = fc.array(fc.double({ min: -80, max: 400, noNaN: true }), { maxLength: 9 });
  fc.assert(
    fc.property(places, fc.constantFrom(0.1, 1, 60, 3600), (at, step) => {
      const texts = axisTimes(
        at.map((_, i) => 1.8e9 + i * step),
        step,
      );
      const left = clearLabels(texts, at, 300);
      left.forEach((text, i) => {
        const half = (texts[i] as string).length * 3.2;
        const [from, to] = [(at[i] as number) - half, (at[i] as number) + half];
        expect(text).toBe(from < -4 || to > 300 ? "" : texts[i]);
      });
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitsBeside } from "./legend";

describe("names in the title row", () => {
  test.each([
    [264, "loss", ["train", "validation"], false],
    [310, "loss", ["train", "validation"], true],
    [264, "loss", ["train", "val"], true],
    [264, "accuracy of the top five", ["train", "val"], false],
  ])("at %d px of %s: %j", (width, title, names, fits) => {
    expect(fitsBeside(width, title, names)).toBe(fits);
  });

  test("fit where there is more room, or less to say, if they fit at all", () => {
    const names = fc.array(fc.string({ maxLength: 12 }), { minLength: 2, maxLength: 3 });
    const width = fc.integer({ min: 80, max: 900 });
    fc.assert(
      fc.property(width, fc.string({ maxLength: 30 }), names, (room, title, all) => {
        if (!fitsBeside(room, title, all)) return;
        expect(fitsBeside(room + 50, title, all)).toBe(true);
        expect(fitsBeside(room, title.slice(1), all)).toBe(true);
        expect(fitsBeside(room, title, all.slice(1))).toBe(true);
      }),
    );
  });
});

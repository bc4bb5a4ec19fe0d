import { expect, test } from "vitest";
import type { Line } from "./groups";
import { inksOf } from "./inks";
import type { Theme } from "./theme";

const theme = { ground: "light" } as Theme;
const lines = ["a", "b", "c", "d"].map((key, color) => ({ key, color }) as Line);
const inks = (lifted: string | null, ...hidden: string[]) =>
  inksOf(lines, { lifted, hidden: new Set(hidden), theme }, false);

test("bands over one another are paler the more there are", () => {
  const band = (count: number) =>
    inksOf(lines.slice(0, count), { lifted: null, hidden: new Set(), theme }, false)[0]?.band ?? 0;
  expect(band(1)).toBeGreaterThan(band(2));
  expect(band(2)).toBeGreaterThan(band(4));
  expect(inks(null, "b", "c", "d")[0]?.band).toBe(band(1));
});

test("a lifted line is wide, and the others are pale", () => {
  const [a, b] = inks("a");
  expect([a?.width, a?.line]).toEqual([2, 1]);
  expect(b?.width).toBe(1);
  expect(b?.line).toBeLessThan(0.5);
  expect(b?.band).toBeLessThan(inks(null)[1]?.band ?? 0);
});

test.each([null, "elsewhere", "c"])(
  "no line is pale because of %j, which is not to be seen",
  (lifted) => {
    expect(inks(lifted, "c").map(({ line }) => line)).toEqual([1, 1, 1, 1]);
  },
);

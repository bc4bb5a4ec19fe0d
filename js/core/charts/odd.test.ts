import { expect, test } from "vitest";
import type { Odd } from "../source";
import { oddText } from "./odd";
import { tipText } from "./reading-text";

const ODD: readonly Odd[] = [
  { time: 1, step: 10, what: "inf" },
  { time: 2, step: null, what: "-inf" },
  { time: 2, step: 11, what: "nan" },
];
const missing = { time: 2, min: null, max: null, mean: null };
const known = { time: 2, min: 3, max: 3, mean: 3 };

test.each([
  ["under the pointer", oddText(ODD, 1.4, 0.5, false), "\u221e"],
  ["several, in their order", oddText(ODD, 1.5, 0.5, false), "\u221e, -\u221e, NaN"],
  ["by step, without those that have none", oddText(ODD, 11, 0.5, true), "NaN"],
  ["where the reading that holds is one", oddText(ODD, 9, 0.5, false, 2), "-\u221e, NaN"],
  ["nowhere near", oddText(ODD, 9, 0.5, false, 4), ""],
])("the words for what was logged: %s", (_, said, words) => {
  expect(said).toBe(words);
});

test("missing is said only where nothing was logged", () => {
  expect(tipText(missing, "W", "NaN")).toBe("NaN");
  expect(tipText(missing, "W", "")).toBe("missing");
  expect(tipText(known, "W", "")).toBe("3 W");
  expect(tipText(known, "W", "\u221e")).toBe("3 W, \u221e");
});

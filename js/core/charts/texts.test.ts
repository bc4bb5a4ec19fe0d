import { expect, test } from "vitest";
import { entityClass } from "../vocabulary/entities";
import { axisTimes, elapsedText } from "../vocabulary/time-text";
import { readingText, spanText } from "./reading-text";

test("entities of a kind are drawn together", () => {
  expect(
    ["gpu:0", "gpu:0/mig:1", "fs:/data/a", "pid:7/gpu:0", '{a="1/2"}'].map(entityClass),
  ).toEqual(["gpu", "mig", "fs", "pid", "labels"]);
});

test("a bucket with two values says both, with one unit where they share it", () => {
  expect(spanText(0.12, 0.97, "1")).toBe("12–97 %");
  expect(spanText(900 * 1024 ** 2, 1.2 * 1024 ** 3, "B")).toBe("900 MiB – 1.2 GiB");
  expect(spanText(0.5, 0.5, "1")).toBe("50 %");
  expect(spanText(-3, -1, "degC")).toBe("-3 °C – -1 °C");
});

test("a missing reading is a dash, never a number", () => {
  expect(readingText(null, "W")).toBe("–");
  expect(readingText({ time: 0, min: null, max: null, mean: null }, "W")).toBe("–");
});

test("running times grow from seconds to hours", () => {
  expect([7, 754, 10_929].map(elapsedText)).toEqual(["0:07", "12:34", "3:02:09"]);
});

test("axis labels are as fine as their step", () => {
  const noon = new Date(2026, 4, 12, 12, 30, 5, 250).getTime() / 1000;
  expect(axisTimes([noon], 0.05)[0]).toMatch(/^12:30:05[.,]250$/);
  expect(axisTimes([noon], 5)).toEqual(["12:30:05"]);
  expect(axisTimes([noon], 600)).toEqual(["12:30"]);
});

/** Axes and times as text, by the examples that `tests/exchange/axis.py` wrote. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { utcStretch, utcTicks } from "../vocabulary/utc-text";
import { yRange, yTicks } from "../vocabulary/y-range";
import { isWhole } from "./panel-table";

type Range = readonly [number, number, string, string, number | null, number, number];
type Ticks = readonly [number, number, string, number, readonly number[]];
type Times = readonly [number, number, number, readonly (readonly [number, string])[]];

const examples: {
  readonly ranges: readonly Range[];
  readonly ticks: readonly Ticks[];
  readonly times: readonly Times[];
  readonly stretches: readonly (readonly [number, number, string])[];
} = JSON.parse(readFileSync(new URL("../../../tests/data/axis.json", import.meta.url), "utf8"));

/** Powers may differ in their last digit. */
function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  const least = Math.max(...wanted.map(Math.abs)) * 1e-12;
  for (const [i, one] of wanted.entries()) {
    expect(Math.abs((got[i] as number) - one)).toBeLessThanOrEqual(least);
  }
}

describe("as in the kernel", () => {
  test.each(examples.ranges)(
    "%d to %d of %s in %j up to %j",
    (low, high, metric, unit, limit, ...ends) => {
      expectClose(yRange(low, high, { unit, whole: isWhole(metric, unit), limit }), ends);
    },
  );

  test.each(examples.ticks)(
    "marks from %d to %d in %j, %d of them",
    (low, high, unit, most, ticks) => {
      expectClose(yTicks([low, high], unit, most), ticks);
    },
  );

  test.each(examples.times)("moments from %d to %d, %d of them", (from, to, most, times) => {
    const found = utcTicks(from, to, most);
    expect(found.map(({ text }) => text)).toEqual(times.map(([, text]) => text));
    expectClose(
      found.map(({ time }) => time),
      times.map(([time]) => time),
    );
  });

  test.each(examples.stretches)("from %d to %d", (from, to, text) => {
    expect(utcStretch(from, to)).toBe(text);
  });
});

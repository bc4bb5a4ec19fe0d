import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formatValue, MISSING } from "./format";

type Example = readonly [value: number | string | null, unit: string, text: string];

const examples: readonly Example[] = JSON.parse(
  readFileSync(new URL("../../../tests/data/format.json", import.meta.url), "utf8"),
);

function value(written: number | string | null): number | null {
  return typeof written === "string" ? Number(written.replace(/inf$/i, "Infinity")) : written;
}

test.each(examples)("writes %s of unit %j as %j", (written, unit, text) => {
  expect(formatValue(value(written), unit)).toBe(text);
});

test("knows no number where there is none", () => {
  expect(formatValue(undefined, "W")).toBe(MISSING);
});

/** tests/exchange/test_texts.py asks the kernel the same. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { shorten, sizeOf } from "./text";

interface Examples {
  readonly short: readonly (readonly [text: string, most: number, short: string])[];
  readonly size: readonly (readonly [part: unknown, size: number])[];
}

const EXAMPLES: Examples = JSON.parse(
  readFileSync(new URL("../../../tests/data/texts.json", import.meta.url), "utf8"),
);

test.each(EXAMPLES.short)("%j is shortened to %d characters", (text, most, short) => {
  expect(shorten(text, most)).toBe(short);
});

test.each(EXAMPLES.size)("%j counts as its letters are written", (part, size) => {
  expect(sizeOf(part)).toBe(size);
});

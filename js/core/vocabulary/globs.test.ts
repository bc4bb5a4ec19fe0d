/** One rule for patterns of names; `tests/metrics/test_globs.py` runs the same examples. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { globTest } from "./globs";

type Example = readonly [pattern: string, name: string, named: boolean];

const examples: readonly Example[] = JSON.parse(
  readFileSync(new URL("../../../tests/data/globs.json", import.meta.url), "utf8"),
);

test.each(examples)("%j names %j: %j", (pattern, name, named) => {
  expect(globTest([pattern])(name)).toBe(named);
});

test("every name names itself, and a star any run of characters", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab[]!-?*") });
  fc.assert(
    fc.property(text, text, (name, run) => {
      expect(globTest([name])(name)).toBe(true);
      expect(globTest([`${name}*`])(name + run)).toBe(true);
    }),
  );
});

test("one of several patterns is enough, and without any all names are meant", () => {
  expect(globTest(["cpu.*", "gpu.*"])("gpu.power")).toBe(true);
  expect(globTest(["cpu.*", "gpu"])("gpu.power")).toBe(false);
  expect([globTest([])("gpu.power"), globTest(null)("gpu.power")]).toEqual([true, true]);
});

/** What metrics and entities are called, by the examples of `tests/exchange/names.py`. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entityLabel } from "../vocabulary/entities";
import { groupOf, titleOf } from "./panel-table";

type Labels = Readonly<Record<string, string>>;

const examples: {
  readonly metrics: readonly (readonly [string, string, Labels, string, string])[];
  readonly entities: readonly (readonly [string, Labels, string])[];
} = JSON.parse(readFileSync(new URL("../../../tests/data/names.json", import.meta.url), "utf8"));

test.each(examples.metrics)("%s of %s with %o", (metric, entity, labels, heading, title) => {
  const one = { metric, entity, labels };
  expect([groupOf(one), titleOf(one)]).toEqual([heading, title]);
});

test.each(examples.entities)("%s with %o", (entity, labels, said) => {
  expect(entityLabel(entity, labels)).toBe(said);
});

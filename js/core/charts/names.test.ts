/** What metrics and entities are called, by the examples of `tests/exchange/names.py`. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entityLabel, isGpu } from "../vocabulary/entities";
import { compareOwners, Owners } from "../vocabulary/owners";
import { groupOf, titleOf } from "./panel-table";

type Labels = Readonly<Record<string, string>>;
type Told = readonly [host: string, entity: string, labels: Labels];

const examples: {
  readonly metrics: readonly (readonly [string, string, Labels, string, string])[];
  readonly entities: readonly (readonly [string, Labels, string, boolean])[];
  /** What is known of machines, the machines, a thing of one of them, and what it is called. */
  readonly owners: readonly (readonly [readonly Told[], readonly string[], Told, string])[];
  /** Host and entity, the first first. */
  readonly order: readonly (readonly [string, string])[];
} = JSON.parse(readFileSync(new URL("../../../tests/data/names.json", import.meta.url), "utf8"));

test.each(examples.metrics)("%s of %s with %o", (metric, entity, labels, heading, title) => {
  const one = { metric, entity, labels };
  expect([groupOf(one), titleOf(one)]).toEqual([heading, title]);
});

test.each(examples.entities)("%s with %o", (entity, labels, said, gpu) => {
  expect(entityLabel(entity, labels)).toBe(said);
  expect(isGpu(entity)).toBe(gpu);
});

function known([host, entity, labels]: Told) {
  return { host, entity, labels };
}

test.each(examples.owners)("with %j of %j, %j is %s", (entities, hosts, one, said) => {
  expect(new Owners(entities.map(known), hosts).label(known(one))).toBe(said);
});

test("things stand in one order", () => {
  const owners = examples.order.map(([host, entity]) => ({ host, entity }));
  for (let shift = 0; shift < owners.length; shift++) {
    const turned = [...owners.slice(shift), ...owners.slice(0, shift)].reverse();
    expect(turned.sort(compareOwners)).toEqual(owners);
  }
});

import { expect, test } from "vitest";
import { FakeSource } from "../../dev/fake-source";
import { storeOf } from "../../dev/fake-store";
import { SCENARIOS } from "../../dev/scenarios";
import { columns } from "../source";

const scenario = SCENARIOS["jump"] ?? SCENARIOS["training"];

test.each([
  ["on", [199, 5200] as const, 1],
  ["back", [199, 40] as const, 2],
])("steps that jump %s are as many runs in a store as in what it was made of", (_, jump, runs) => {
  if (!scenario) throw new Error("there is no such scenario");
  const fake = new FakeSource({ ...scenario, jump });
  const store = storeOf(fake);
  const { id } = fake.catalog().find(({ entity }) => entity === "user") ?? { id: -1 };

  expect(fake.stepRuns(id)).toBe(runs);
  expect(store.stepRuns(id)).toBe(runs);
  expect(store.stepExtent(id)).toEqual(fake.stepExtent(id));
  for (let run = 0; run < runs; run++) {
    const [told, drawn] = [columns(), columns()];
    fake.rangeByStep(id, 0, 9000, 9000, told, run);
    store.rangeByStep(id, 0, 9000, 9000, drawn, run);
    expect([...drawn.mean.subarray(0, drawn.length)]).toEqual([
      ...told.mean.subarray(0, told.length),
    ]);
  }
  const moment = fake.extent()[0] + 17.3;
  expect(store.at(id, moment)).toEqual(fake.at(id, moment));
});

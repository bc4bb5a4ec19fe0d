import { expect, test } from "vitest";
import { FakeSource } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { readState } from "./header";

const PLACES = Object.entries(SCENARIOS);

test.each(PLACES)("of the state of %s every field arrives", (_, scenario) => {
  const state = new FakeSource(scenario).state();
  // What was left out is there, with nothing in it.
  const { as_of = null, alerts = [], ...rest } = state;
  const sources = rest.sources.map((one) => ({ title: "", group: "", ...one }));
  const sent: unknown = JSON.parse(JSON.stringify(state));
  expect(readState(sent)).toEqual({ ...rest, sources, as_of, alerts });
});

test("some scenario has alerts", () => {
  const all = PLACES.flatMap(([, scenario]) => new FakeSource(scenario).state().alerts ?? []);
  expect(all.length).toBeGreaterThan(1);
});

test.each([[null], [[]], [7], [{}], [{ alerts: {} }]])("of %j there are no alerts", (state) => {
  expect(readState(state).alerts).toEqual([]);
});

test("an alert of another version is waiting for data", () => {
  expect(readState({ alerts: [{ phase: "asleep", value: "high", since: {} }, 3] }).alerts).toEqual(
    Array(2).fill({
      ...{ text: "", phase: "no data", host: "", entity: "" },
      ...{ value: null, since: null, problem: "" },
    }),
  );
});

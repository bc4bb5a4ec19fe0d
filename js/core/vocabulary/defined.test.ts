import { expect, test } from "vitest";
import { asDefined, definitions, parsed, saidBy } from "./defined";

const entity = (name: string, labels: Record<string, string>) => ({
  host: "h0",
  entity: name,
  labels,
});

test("a name counts more than a pattern, and the last word more than one before", () => {
  const of = definitions({
    loss: { unit: "a", x: "epoch" },
    "*": { unit: "b", title: "all" },
    "lo*": { title: "lo" },
    odd: 3,
    none: { unit: 4, x: "" },
  });
  expect(of("loss")).toEqual({ unit: "a", x: "epoch", title: "lo" });
  expect(of("acc")).toEqual({ unit: "b", title: "all" });
  expect(of("none")).toEqual({ unit: "b", title: "all" });
});

test.each(["", "3", "[1]", "null", "{", '"x"', "nonsense"])("%j says nothing", (label) => {
  expect(parsed(label)).toEqual({});
  expect(saidBy([entity("user", { config: label })], "config")).toEqual({});
});

test("users of all ranks are heard, and nobody else", () => {
  const said = saidBy(
    [
      entity("user", { config: '{"a": 1, "b": 1}' }),
      entity("rank:3", { config: '{"b": 2, "__proto__": 5}' }),
      entity("gpu:0", { config: '{"c": 3}' }),
      entity("rank:x", { config: '{"c": 3}' }),
    ],
    "config",
  );
  expect(Object.entries(said)).toEqual([
    ["a", 1],
    ["b", 2],
    ["__proto__", 5],
  ]);
});

test("series of the user alone are what he says; a unit that is known stays", () => {
  const series = (id: number, name: string, metric: string, unit = "") => {
    return { id, host: "h0", entity: name, metric, unit, kind: "gauge", labels: { title: "own" } };
  };
  const all = [series(0, "user", "loss"), series(1, "user", "t", "s"), series(2, "gpu:0", "loss")];
  const told = asDefined(all, [
    entity("user", { defined: '{"*": {"unit": "nats", "x": "epoch", "better": "min"}}' }),
  ]);
  expect(told.map(({ unit }) => unit)).toEqual(["nats", "s", ""]);
  expect(told[0]?.labels).toEqual({
    title: "own",
    "defined.x": "epoch",
    "defined.better": "min",
  });
  expect(told[2]).toBe(all[2]);
  expect(asDefined(all, [])).toBe(all);
});

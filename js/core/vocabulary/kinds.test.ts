import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { buildGroups } from "../charts/groups";
import { CATALOG, KINDS, UNKNOWN } from "./catalog.gen";
import { isDrawn, kindOf, kindOfEvent, kindStoredAs } from "./kinds";

test.each(Object.values(KINDS))("$name is found by what the wire calls it", (kind) => {
  const found = kindStoredAs(kind.stored);

  expect(found.stored).toBe(kind.stored);
  // Of several it is one and the same, of one it is that.
  const same = Object.values(KINDS).filter(({ stored }) => stored === kind.stored);
  expect(found).toBe(same[0]);
});

test.each(["", "histogram", "constructor", "moment"])("%j is of a newer version", (stored) => {
  expect(kindStoredAs(stored)).toBe(UNKNOWN);
  expect(isDrawn({ kind: stored })).toBe(false);
});

test("what is stored decides, and the metric tells apart what is stored alike", () => {
  expect(kindOf({ metric: "log.stdout", kind: "text" })).toBe(KINDS.output);
  expect(kindOf({ metric: "event", kind: "text" })).toBe(KINDS.moment);
  expect(kindOf({ metric: "notes", kind: "text" })).toBe(KINDS.moment);
  // A user's key may be called like a metric of the catalog.
  expect(kindOf({ metric: "event", kind: "gauge" })).toBe(KINDS.gauge);
});

test.each(Object.entries(CATALOG))(
  "an event of %s is of the catalog's kind",
  (metric, { kind }) => {
    expect(kindOfEvent(metric)).toBe(KINDS[kind]);
  },
);

test.each(Object.values(KINDS))("$name has a chart where it is drawn as a line", (kind) => {
  const series = { id: 0, host: "h0", entity: "user", metric: "x", unit: "", labels: {} };
  const groups = buildGroups([{ ...series, kind: kind.stored }], [], null);

  expect(groups.length > 0).toBe(kind.drawnAs === "line" || kind.drawnAs === "step");
});

/** Comparisons with, and lists of, names of kinds: `kind === "state"`, `["gauge", "state"]`. */
function namesIn(text: string): string[] {
  const kinds = [...Object.values(KINDS).flatMap(({ name, stored }) => [name, stored])];
  const told = Object.keys(CATALOG).filter((metric) => {
    const { drawnAs } = kindOfEvent(metric);
    return drawnAs !== "line" && drawnAs !== "step";
  });
  const one = (names: string[]) =>
    `"(?:${names.map((name) => name.replace(".", "\\.")).join("|")})"`;
  const compared = new RegExp(`\\bkind\\b"?\\]?\\)? *[!=]==? *${one(kinds)}`, "g");
  const listed = [kinds, told].map(
    (names) => new RegExp(`\\[\\s*${one(names)},\\s*${one(names)}`, "g"),
  );
  return [compared, ...listed].flatMap((pattern) => text.match(pattern) ?? []);
}

test.each([
  ['if (mark.kind === "span") draw();', 1],
  ['if (one["kind"] !== "text") draw();', 1],
  ['new Set(["gauge", "counter", "state"])', 1],
  ['const EVENTS = [\n  "event",\n  "mark",\n];', 1],
  ['const FIELDS = ["metric", "kind", "state"];', 0],
  ['if (packet.kind === "keyframe") take();', 0],
])("the search for names of kinds reads %j", (text, found) => {
  expect(namesIn(text)).toHaveLength(found);
});

/** What an old format had, which does not change any more. */
const FROZEN: ReadonlySet<string> = new Set(["wire/older.ts"]);

test("no other module lists kinds", () => {
  const here = new URL("../", import.meta.url);
  const names = readdirSync(here, { recursive: true, encoding: "utf-8" });
  const modules = names.filter((name) => /(?<!\.test|\.gen)\.ts$/.test(name) && !FROZEN.has(name));
  const found = modules.map((name) => [name, namesIn(readFileSync(new URL(name, here), "utf-8"))]);

  expect(modules.length).toBeGreaterThan(50);
  expect(found.filter(([, lines]) => (lines as string[]).length > 0)).toEqual([]);
});

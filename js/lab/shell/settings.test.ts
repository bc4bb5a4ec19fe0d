import { readdirSync, readFileSync } from "node:fs";
import { Signal } from "@lumino/signaling";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SHOWS } from "../shared/settings";
import { COMMANDS } from "./commands";
import { DEFAULTS, readValues, Settings } from "./settings";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../schema/plugin.json", import.meta.url), "utf8"),
) as {
  properties: Record<string, { default: unknown; oneOf?: { const: string }[] }>;
  "jupyter.lab.shortcuts": { command: string; keys: string[] }[];
  "jupyter.lab.menus": object;
};
const NAMES = Object.keys(SCHEMA.properties);

function sources(): string {
  const here = new URL(".", import.meta.url);
  const files = readdirSync(here).filter((name) => !/^settings\.|\.test\.ts$|^testing/.test(name));
  return files.map((name) => readFileSync(new URL(name, here), "utf8")).join("\n");
}

test("what the schema offers is what is read, with the same defaults", () => {
  const defaults = NAMES.map((name) => [name, SCHEMA.properties[name]?.default]);

  expect(Object.fromEntries(defaults)).toEqual(DEFAULTS);
  expect(SCHEMA.properties["statusShows"]?.oneOf?.map((one) => one.const)).toEqual(SHOWS);
});

test.each(NAMES)("the setting %s is used somewhere", (name) => {
  const uses = new RegExp(
    `values\\.${name}\\b|values\\[name\\][\\s\\S]*"${name}"|\\{[^}]*\\b${name}\\b[^}]*\\} = settings\\.values`,
  );

  expect(sources()).toMatch(uses);
});

test.each([
  [{ statusLine: false }, { statusLine: false }],
  [{ cellMarks: true }, { cellMarks: true }],
  [{ statusShows: "both" }, { statusShows: "both" }],
  [{ interval: 0.5 }, { interval: 0.5 }],
  [{ interval: 0 }, {}],
  [{ interval: Number.NaN }, {}],
  [{ interval: "1" }, {}],
  [{ statusLine: "no" }, {}],
  [{ statusShows: "everything" }, {}],
])("%j is read as %j besides the defaults", (stored, read) => {
  expect(readValues(stored)).toEqual({ ...DEFAULTS, ...read });
});

test("whatever is stored, every setting has a value that the schema allows", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES), fc.anything()), (stored) => {
      const { statusLine, statusShows, cellMarks, interval } = readValues(stored);
      expect([typeof statusLine, typeof cellMarks]).toEqual(["boolean", "boolean"]);
      expect(SHOWS).toContain(statusShows);
      expect(interval >= 0.1 && interval <= 3600).toBe(true);
    }),
  );
});

test("every shortcut and every menu item of the schema is of a command of ours", () => {
  const shortcuts = SCHEMA["jupyter.lab.shortcuts"].map(({ command }) => command);
  const inMenus = JSON.stringify(SCHEMA["jupyter.lab.menus"]);
  const menus: string[] = inMenus.match(/pulse-widgets:[a-z-]+/g) ?? [];
  const ours: string[] = Object.values(COMMANDS);

  expect([...shortcuts, ...menus].filter((id) => !ours.includes(id))).toEqual([]);
  // The launcher offers what is missing here: it knows a folder for a new notebook.
  expect(ours.filter((id) => !menus.includes(id))).toEqual([COMMANDS.newNotebook]);
});

test("without a registry a change holds for the page, and is told", async () => {
  const settings = new Settings();
  const told: boolean[] = [];
  settings.changed.connect(() => told.push(settings.values.cellMarks));

  await settings.set("cellMarks", true);

  expect(told).toEqual([true]);
});

test("what is stored is followed, and a change is stored", async () => {
  const composite: Record<string, unknown> = { cellMarks: true };
  const changed = new Signal<unknown, void>({});
  const written: unknown[] = [];
  const set = async (...all: unknown[]) => void written.push(all);
  const settings = new Settings();
  settings.follow({ composite, changed, set } as never);
  expect(settings.values).toEqual({ ...DEFAULTS, cellMarks: true });

  composite["interval"] = 5;
  changed.emit();
  expect(settings.values.interval).toBe(5);

  await settings.set("statusShows", "both");
  expect(written).toEqual([["statusShows", "both"]]);
  expect(settings.values.statusShows).toBe("gpus");
});

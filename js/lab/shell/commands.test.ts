import fc from "fast-check";
import { expect, test } from "vitest";
import type { Condition } from "../shared/monitors";
import { COMMANDS, canIn, cellCode, isRecording, type Name, wordsOf } from "./commands";
import { toldOf } from "./messages-text";
import { TRANS } from "./testing";

/** In which conditions start, stop, mark and save can be used. */
const TABLE: Readonly<Record<Condition, readonly [boolean, boolean, boolean, boolean]>> = {
  "no kernel": [false, false, false, false],
  foreign: [false, false, false, false],
  starting: [false, false, false, false],
  busy: [false, false, false, false],
  unloaded: [false, false, false, false],
  absent: [false, false, false, false],
  mismatch: [false, false, false, false],
  unasked: [true, false, false, false],
  idle: [true, false, false, false],
  running: [false, true, true, true],
  ended: [true, false, false, true],
  dead: [false, false, false, false],
  failed: [false, false, false, false],
};

test.each(Object.entries(TABLE))("in the condition %j", (condition, can) => {
  const names = ["start", "stop", "mark", "save"] as const;

  expect(names.map((name) => canIn(name, condition as Condition))).toEqual(can);
  expect(canIn("openPanel", condition as Condition)).toBe(true);
});

test("every command has words of its own", () => {
  const names = Object.keys(COMMANDS) as Name[];
  const labels = names.map((name) => wordsOf(name, TRANS).label);

  expect(new Set(labels).size).toBe(names.length);
  expect(names.filter((name) => wordsOf(name, TRANS).caption.length < 10)).toEqual([]);
});

test.each([
  ["a.pulse.parquet", false, true],
  ["a.pulse", true, true],
  ["run.pulse.json", false, true],
  ["a.parquet", false, false],
  ["a.pulse", false, false],
  ["a.pulse.parquet", true, false],
  [".pulse", true, false],
  [".pulse.parquet", false, false],
  ["pulse.parquet", false, false],
  ["my-run.pulse.json", false, false],
  ["a.pulse.parquet.txt", false, false],
])("%j, a folder: %j, is a recording: %j", (name, isFolder, is) => {
  expect(isRecording(name, isFolder)).toBe(is);
});

test.each([
  [1, "import pulse_widgets as pw\npw.monitor()"],
  [0.5, "import pulse_widgets as pw\npw.monitor(interval=0.5)"],
  [3600, "import pulse_widgets as pw\npw.monitor(interval=3600)"],
])("a monitor cell with %d s between readings", (interval, code) => {
  expect(cellCode(interval)).toBe(code);
});

test("a notification is never longer than JupyterLab shows, and keeps both ends of a path", () => {
  const text = (place: string) => `Saved 12 MiB as ${place}`;
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 400 }), (path) => {
      const told = toldOf(text, path);
      expect(told.length).toBeLessThanOrEqual(140);
      expect(told.at(-1)).toBe(path.at(-1));
      expect(text(path).startsWith(told.slice(0, 20).split("\u2026")[0] ?? "")).toBe(true);
      if (text(path).length <= 140) expect(told).toBe(text(path));
    }),
  );
});

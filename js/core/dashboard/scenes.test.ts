import { expect, test } from "vitest";
import { FakeSource, type Scenario } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { buildGroups } from "../charts/groups";
import { marksOf } from "../charts/marks";
import { momentOf } from "../charts/moment";
import type { Theme } from "../charts/theme";
import { columns } from "../source";
import { ownerKey } from "../vocabulary/owners";
import { isHidden, linesOfGpus, toggled } from "./legend-keys";
import { NOTHING } from "./remembered";
import { isYoung, scenesOf } from "./scenes";
import { type Action, initialState, reduce } from "./view-state";

function scene(source: FakeSource, actions: readonly Action[]) {
  const state = actions.reduce(reduce, initialState(300));
  const marks = marksOf(source);
  const [theme, record] = [{ ground: "light" } as Theme, NOTHING];
  return scenesOf({ source, state, theme, marks, shown: [], lifted: "x", record }).time;
}

test("the picture of a pause has nothing of what came after it, however young the session", () => {
  const source = new FakeSource(SCENARIOS["begun"] as Scenario);
  const at = source.extent()[1];
  source.advance(5);
  const paused = scene(source, [{ type: "pause", at }]);
  const out = columns();
  paused.fetch(0, paused.range[0], paused.range[1], 500, out);
  expect(out.length).toBeGreaterThan(3);
  expect(Math.max(...out.time.subarray(0, out.length))).toBeLessThanOrEqual(at);
  expect(paused.now).toBe(at);
  expect(paused.marks.every(({ start }) => start <= at)).toBe(true);
  const live = scene(source, []);
  live.fetch(0, live.range[0], live.range[1], 500, out);
  expect(Math.max(...out.time.subarray(0, out.length))).toBeGreaterThan(at);
});

test("without a cursor values are of now, of the pause, or of the end of what is zoomed to", () => {
  const source = new FakeSource(SCENARIOS["one"] as Scenario);
  const [first, last] = source.extent();
  const at = (...actions: Action[]) => momentOf(null, scene(source, actions), false);
  expect(at()).toBeNull();
  expect(at({ type: "pause", at: last - 9 })).toBe(last - 9);
  expect(at({ type: "range", range: [first, first + 20] })).toBe(first + 20);
  expect(at({ type: "range", range: [first, last + 50] })).toBe(last);
});

test("a session is young for its first seconds, a recording never", () => {
  const young = (name: string) => isYoung(new FakeSource(SCENARIOS[name] as Scenario));
  expect(["empty", "one", "replay"].map(young)).toEqual([true, false, false]);
});

test.each(["one", "eight", "two"])(
  "a card of %s hides every line of its GPU and of its parts, and no other",
  (name) => {
    const source = new FakeSource(SCENARIOS[name] as Scenario);
    const groups = buildGroups(source.catalog(), source.entities(), null);
    const gpu = { host: "h0", entity: "gpu:0" };
    const count = (SCENARIOS[name] as Scenario).gpus;
    const gpus = Array.from({ length: count }, (_, i) => ({ host: "h0", entity: `gpu:${i}` }));
    const lines = linesOfGpus(groups, gpus);
    const key = ownerKey(gpu);
    const hide = (hidden: ReadonlySet<string>, only = false) =>
      reduce({ ...initialState(300), hidden }, toggled(key, only, hidden, lines)).hidden;

    const hidden = hide(new Set());
    const all = groups.flatMap(({ panels }) => panels.flatMap((panel) => panel.lines));
    for (const line of all) {
      const own = /^gpu:0(\/|$)/.test(line.series.entity);
      expect(hidden.has(line.key)).toBe(own);
    }
    expect(isHidden({ key }, hidden, lines)).toBe(true);
    expect(hide(hidden).size).toBe(0);

    const alone = hide(new Set(), true);
    expect(isHidden({ key }, alone, lines)).toBe(false);
    expect(gpus.filter((one) => isHidden({ key: ownerKey(one) }, alone, lines)).length).toBe(
      count - 1,
    );
    expect(hide(alone, true).size).toBe(0);
  },
);

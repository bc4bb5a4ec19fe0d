// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Grid } from "../history/grid";
import { Store } from "../history/store";
import { frameOf, type Row } from "../testing/packets";
import { buildGroups, type Panel } from "./groups";
import { twinOf } from "./moment";
import { emptyText, type Scene } from "./panel-view";

const POWER = { id: 0, host: "h", entity: "gpu:0", metric: "gpu.power", unit: "W", kind: "gauge" };

function chart(phase: string, rows: readonly Row[]): { panel: Panel; scene: Scene } {
  const store = new Store();
  const series = [{ ...POWER, labels: {} }];
  store.take(frameOf(1, rows, { series, state: { phase } }));
  const panel = buildGroups(store.catalog(), [], null)[0]?.panels[0] as Panel;
  const time = { range: [0, 100], now: 100, still: false, hidden: new Set<string>() };
  return { panel, scene: { source: store, ...time } as unknown as Scene };
}

test.each([
  ["running", [], false, ""],
  ["replay", [], false, "no readings"],
  ["stopped", [], false, "no readings"],
  ["replay", [[0, 500, 1]], false, "no readings in view"],
  ["running", [[0, 500, 1]], false, ""],
  ["replay", [[0, 50, 1]], true, ""],
] as const)("a chart of a session that is %s with %j (drawn: %s) says %j", (...row) => {
  const [phase, rows, any, text] = row;
  const { panel, scene } = chart(phase, rows);
  expect(emptyText(panel, scene, any)).toBe(text);
});

test("a chart whose lines the viewer hid does not say that there are none", () => {
  const { panel, scene } = chart("replay", []);
  const hidden = new Set(panel.lines.map(({ key }) => key));
  expect(emptyText(panel, { ...scene, hidden }, false)).toBe("");
});

test("the table beside a chart says which moment it is of", () => {
  const { panel, scene } = chart("running", [[0, 50, 1]]);
  const said = (of: Partial<Scene>) => twinOf(panel, new Grid(), { ...scene, ...of }).caption;
  expect(said({})).toMatch(/^Power, values in view as of .*\d\d:\d\d:\d\d$/);
  expect(said({ now: 140 })).not.toBe(said({}));
  // Of a picture that stands still its end.
  expect(said({ still: true, range: [0, 60] })).toBe(said({ now: 60 }));
});

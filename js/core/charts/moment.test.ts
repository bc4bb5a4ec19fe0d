// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { FakeSource, type Scenario } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { NOTHING } from "../dashboard/remembered";
import { scenesOf } from "../dashboard/scenes";
import { type Action, initialState, reduce } from "../dashboard/view-state";
import { chartKindOf } from "./chart-kinds";
import { buildGroups, type Panel } from "./groups";
import { marksOf } from "./marks";
import { momentOf } from "./moment";
import type { ChartEvents, Scene } from "./panel-view";
import { readingText } from "./reading-text";
import type { Theme } from "./theme";

const EVENTS = { step: {} } as ChartEvents;
const theme = { ground: "light" } as Theme;

/** A session that is a few seconds old, what a view of it shows, and what went on after `acts`. */
function session(acts: (now: number) => Action[], crowded: boolean) {
  const source = new FakeSource({ ...(SCENARIOS["begun"] as Scenario), gpus: crowded ? 16 : 1 });
  const at = source.extent()[1];
  const state = acts(at).reduce(reduce, initialState(300));
  source.advance(7);
  const scene = scenesOf({
    ...{ source, state, theme, marks: marksOf(source), shown: [], lifted: null, record: NOTHING },
  }).time;
  const panels = buildGroups(source.catalog(), source.entities(), null).flatMap((g) => g.panels);
  const panel = panels.find((one) => one.lines[0]?.series.metric === "gpu.power") as Panel;
  const view = chartKindOf({ ...panel, crowded }).make({ ...panel, crowded }, EVENTS, {
    byStep: false,
    axis: true,
  });
  return { source, at, state, scene, panel, view };
}

function wanted(source: FakeSource, { lines, unit }: Panel, at: number): string[] {
  return lines.map(({ id }) => {
    const value = source.at?.(id, at)?.value ?? null;
    return readingText({ time: at, min: value, max: value, mean: value }, unit);
  });
}

function shown(view: { el: HTMLElement; point(x: number | null, scene: Scene): void }): string {
  return view.el.querySelector(".pulse-now")?.textContent ?? "";
}

test.each([false, true])(
  "a young session that is paused has the values of the pause, in words too (rows: %s)",
  (crowded) => {
    const { source, at, scene, panel, view } = session(
      (now) => [{ type: "pause", at: now }],
      crowded,
    );
    const values = wanted(source, panel, at);
    expect(wanted(source, panel, source.extent()[1])).not.toEqual(values);
    view.point(null, scene);
    view.describe(scene);
    const twin = [...view.el.querySelectorAll("tbody tr td:nth-child(2)")];
    expect(twin.map((cell) => cell.textContent)).toEqual(values);
    if (!crowded) expect(shown(view)).toBe(values[0]);
  },
);

test.each([false, true])("right of now there is nothing to point at (paused: %s)", (paused) => {
  const { source, at, scene, panel, view } = session(
    (now) => (paused ? [{ type: "pause", at: now }] : []),
    false,
  );
  const now = paused ? at : source.extent()[1];
  for (const x of [now + 0.01, now + 3, scene.range[1] + 60]) {
    view.point(x, scene);
    expect(shown(view)).toBe(wanted(source, panel, now)[0]);
    expect(momentOf(x, scene, false)).toBe(paused ? at : null);
  }
  expect(momentOf(now - 1, scene, false)).toBe(now - 1);
});

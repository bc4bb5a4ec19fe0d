// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { Mark } from "../charts/mark";
import { CellSteps, stepsOf, stepTo, stretchOf } from "./cell-steps";

function span(start: number, end: number | null, metric = "cell"): Mark {
  const names = { text: `${metric} ${start}`, label: `${metric} ${start}` };
  const how = { drawnAs: "span", open: end === null, failed: false } as const;
  return { host: "h0", machine: "h0", entity: "kernel", metric, start, end, ...names, ...how };
}

test.each<[string, number, number | null]>([
  ["ArrowLeft", -1, 3],
  ["ArrowRight", -1, 3],
  ["ArrowLeft", 2, 1],
  ["ArrowUp", 2, 1],
  ["ArrowRight", 2, 3],
  ["ArrowDown", 3, 3],
  ["ArrowLeft", 0, 0],
  ["Home", 3, 0],
  ["End", -1, 3],
  ["p", 2, null],
])("%s from %d of four leads to %j", (key, place, to) => {
  expect(stepTo(key, place, 4)).toBe(to);
});

test("the keyboard steps through the cells, through spans only where there are none", () => {
  const starts = (marks: readonly Mark[]) => stepsOf(marks).map(({ start }) => start);
  const cells = [span(0, 5), span(1, 2, "span"), span(3, 4), span(6, null)];
  // Two cells at once stand in two rows.
  expect(starts(cells)).toEqual([0, 3, 6]);
  expect(starts([span(0, 5, "span"), span(1, 2, "span")])).toEqual([0, 1]);
  expect(starts([])).toEqual([]);
});

test("a cell that runs is shown up to now", () => {
  expect(stretchOf(span(3, null), 9)).toEqual([3, 9]);
  expect(stretchOf(span(3, 4), 9)).toEqual([3, 4]);
});

function listed(marks: readonly Mark[]) {
  const seen: string[] = [];
  const steps = new CellSteps({
    look: (mark) => seen.push(mark ? `look ${mark.start}` : "away"),
    choose: (mark) => seen.push(`choose ${mark.start}`),
  });
  steps.update(marks);
  document.body.append(steps.el);
  const outer: string[] = [];
  document.body.addEventListener("keydown", ({ key }) => outer.push(key));
  const press = (...keys: string[]) => {
    for (const key of keys) {
      steps.el.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }
  };
  const option = () => steps.el.querySelector("[role=option]");
  const said = () => [option()?.textContent, option()?.getAttribute("aria-posinset")];
  return { steps, seen, outer, press, said };
}

test("keys look at cells one by one and choose one; others go on to the dashboard", () => {
  const { steps, seen, outer, press, said } = listed([span(0, 5), span(6, 8), span(9, 10)]);
  expect(said()).toEqual(["3 cells", null]);
  press("Enter", "ArrowLeft", "ArrowLeft", "Enter", "p");
  expect(seen).toEqual(["look 9", "look 6", "choose 6"]);
  expect(said()).toEqual(["cell 6, 2 s", "2"]);
  expect(outer).toEqual(["p"]);
  steps.el.dispatchEvent(new Event("blur"));
  expect(seen.at(-1)).toBe("away");
});

test("the same cell stays the one that is looked at when others come", () => {
  const { steps, press, said } = listed([span(0, 5), span(6, null)]);
  press("End");
  steps.update([span(0, 5), span(6, 7), span(8, null)]);
  expect(said()).toEqual(["cell 6, 1 s", "2"]);
});

test("its parts have roles and names, and without cells it is no stop of the keyboard", () => {
  const { steps } = listed([]);
  expect(steps.el.hidden).toBe(true);
  steps.update([span(0, 1)]);
  expect(steps.el.hidden).toBe(false);
  const { role, tabIndex } = { role: steps.el.getAttribute("role"), tabIndex: steps.el.tabIndex };
  expect([role, tabIndex]).toEqual(["listbox", 0]);
  const active = steps.el.getAttribute("aria-activedescendant") ?? "";
  expect(document.getElementById(active)?.getAttribute("role")).toBe("option");
});

// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { FakeSource } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import type { AlertState } from "../state.gen";
import { AlertList, alertText, firingWords, unitOfAlert } from "./alert-list";
import { newsOf } from "./news";
import { Readings } from "./readings";
import { stripParts } from "./strip";

const source = new FakeSource(SCENARIOS["alerts"] as (typeof SCENARIOS)[string]);
const [T0, NOW] = source.extent();
const CONDITION = "gpu.memory.used > 0.95 * gpu.memory.total for 30s";

function alert(more: Partial<AlertState>): AlertState {
  const plain = { host: "h0", entity: "", value: null, since: null, problem: "" };
  return { text: "gpu.power > 600", phase: "quiet", ...plain, ...more };
}

test.each([
  ["gpu.power > 600", "W"],
  ["gpu.memory.used >= 0.9 * gpu.memory.total for 3s", "B"],
  ['"train/loss" > 5', ""],
  ["gpu.memory.used / gpu.memory.total > 0.9", ""],
  ["nobody.knows.this < 3", ""],
  ["> 3", ""],
])("what %s compares has the unit %j", (text, unit) => {
  expect(unitOfAlert(text, source)).toBe(unit);
});

test.each<[Partial<AlertState>, string]>([
  [{ phase: "quiet", value: 512, since: 90 }, "quiet for 10 s \u00b7 now 512 W"],
  [{ phase: "firing", value: 700, since: 58 }, "\u25b2 firing for 42 s \u00b7 now 700 W"],
  [{ phase: "pending", since: 98.5 }, "not yet long enough: true for 1 s"],
  [{ phase: "no data", problem: "no reading yet" }, "waiting for data \u00b7 no reading yet"],
  [{ phase: "failed", problem: "NameError: x" }, "failed \u00b7 NameError: x"],
])("%j is told in words", (more, words) => {
  expect(alertText(alert(more), source, 100)).toBe(words);
});

describe("what fires", () => {
  const texts = (moment: number | null) =>
    firingWords(new Readings(source).at(moment)).map(({ text }) => text);

  test("now is what the state says", () => {
    const length = `${Math.floor(NOW - T0 - 190)} s`;
    expect(texts(null)).toEqual([`${CONDITION} on GPU 0, firing for ${length}`]);
  });

  test.each([
    [39, 0],
    [41, 1],
    [69, 1],
    [71, 0],
    [191, 1],
  ])("%d s after the beginning is what its moments say: %d", (after, count) => {
    expect(texts(T0 + after)).toHaveLength(count);
  });

  test("comes first in the line of events, with a sign", () => {
    const [first] = newsOf(new Readings(source), []);
    expect([first?.alarm, first?.text.startsWith(CONDITION)]).toEqual([true, true]);
    const told = newsOf(new Readings(source).at(T0 + 100), []);
    expect(told[0]).toMatchObject({ alarm: false, text: `${CONDITION} is over` });
  });
});

test("a strip says how many fire, and its title what", () => {
  const last = stripParts(new Readings(source)).at(-1);
  expect(last).toMatchObject({ text: "\u25b2 1 alert", alarm: true });
  expect(last?.title).toContain(CONDITION);
  const before = stripParts(new Readings(source).at(T0 + 20));
  expect(before.filter(({ key }) => key === "alerts")).toEqual([]);
});

test("the list says how many there are, how many need a look, and keeps open", () => {
  const list = new AlertList();
  list.update(source);
  const rows = () => [...list.el.querySelectorAll("b")].map(({ textContent }) => textContent);
  expect(list.el.hidden).toBe(false);
  expect(list.el.querySelector("summary")?.textContent).toBe("Alerts (4), \u25b2 2 need a look");
  expect(rows()).toEqual([
    `${CONDITION} on GPU 0`,
    '"train/loss" > 5',
    '"val/loss" > 9',
    "gpu.power > 700",
  ]);
  list.el.open = true;
  const calm = { ...source.state(), alerts: [alert({})] };
  list.update(Object.assign(Object.create(source), { ...bound(), state: () => calm }));
  expect(list.el.open).toBe(true);
  expect(list.el.querySelector("summary")?.textContent).toBe("Alerts (1)");
  list.update(
    Object.assign(Object.create(source), { ...bound(), state: () => ({ ...calm, alerts: [] }) }),
  );
  expect(list.el.hidden).toBe(true);
});

test.each([
  ["running", 1, "Alerts (1), \u25b2 1 needs a look", true],
  ["running", 2, "Alerts (2), \u25b2 2 need a look", true],
  ["replay", 2, "Alerts (2)", false],
  ["stopped", 1, "Alerts (1)", false],
] as const)("while it is %s %i that fire are said", (phase, count, words, isLoud) => {
  const list = new AlertList();
  const one = alert({ phase: "firing", entity: "host" });
  const state = { ...source.state(), phase, alerts: Array(count).fill(one) };
  list.update(Object.assign(Object.create(source), { ...bound(), state: () => state }));
  expect(list.el.querySelector("summary")?.textContent).toBe(words);
  expect(list.el.classList.contains("pulse-loud")).toBe(isLoud);
  // Of a machine that is alone nothing else is said.
  expect(list.el.querySelector("b")?.textContent).toBe("gpu.power > 600");
});

function bound() {
  return {
    entities: () => source.entities(),
    catalog: () => source.catalog(),
    extent: () => source.extent(),
  };
}

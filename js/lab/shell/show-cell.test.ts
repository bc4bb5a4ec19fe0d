// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SHOW_STRETCH, type StretchDetail } from "../../core/dashboard/cell-links";
import type { CellTimes } from "./cell-times";
import { showCell } from "./show-cell";
import { FakeMonitors, TRANS } from "./testing";

const told: string[] = [];
vi.mock("./messages", () => ({ tellProblem: (why: string) => told.push(why) }));

const heard: StretchDetail[] = [];
/** Whether a dashboard in sight shows it. */
let isShown = () => true;
const hear = (event: Event) => {
  heard.push((event as CustomEvent<StretchDetail>).detail);
  if (isShown()) event.preventDefault();
};

beforeEach(() => {
  vi.useFakeTimers();
  told.length = heard.length = 0;
  isShown = () => true;
  document.body.replaceChildren();
  document.addEventListener(SHOW_STRETCH, hear);
});

afterEach(() => {
  document.removeEventListener(SHOW_STRETCH, hear);
  vi.useRealTimers();
});

type Ran = { start: number; end: number | null } | null;

/** Asks for a cell that ran then, in a page with a panel; the notebook's session is `s1`. */
async function ask(ran: Ran, { session = "s1", panel = true } = {}) {
  const node = document.body.appendChild(document.createElement("div"));
  const board = document.body.appendChild(document.createElement("div"));
  board.className = "pulse-panel";
  const monitors = new FakeMonitors();
  monitors.say("running", { session });
  const chosen: unknown[] = [];
  const opened: string[] = [];
  const notebook = { node, sessionContext: { session: { id: "s1", kernel: { id: "k1" } } } };
  const running = [
    { id: "s1", kernel: { id: "k1" } },
    { id: "s2", kernel: { id: "k2" } },
  ];
  const around = {
    app: { serviceManager: { sessions: { running: () => running.values() } } },
    notebooks: { forEach: (visit: (panel: unknown) => void) => visit(notebook) },
    monitors: Object.assign(monitors.asMonitors, { choose: (one: unknown) => chosen.push(one) }),
    panel: panel ? { reveal: () => opened.push("panel") } : null,
    trans: TRANS,
  };
  const times = { of: () => ran } as unknown as CellTimes;
  const done = showCell(around as never, times, notebook as never, { model: { id: "b" } } as never);
  await vi.advanceTimersByTimeAsync(20_000);
  await done;
  const kernels = [node, board].map(({ dataset }) => dataset["pulseKernel"]);
  return { chosen, opened, kernels };
}

test("dashboards are told when the cell ran, and in which kernel; which is whose stands around them", async () => {
  const { opened, kernels } = await ask({ start: 10, end: 12 });
  expect(heard).toEqual([{ t0: 10, t1: 12, kernel: "k1", cell: "b" }]);
  expect([opened, told, kernels]).toEqual([[], [], ["k1", "k1"]]);
});

test("a cell that runs is shown up to now", async () => {
  const now = Date.now() / 1000;
  await ask({ start: now - 5, end: null });
  expect(heard[0]?.t1).toBeCloseTo(now, 0);
});

test("where none is in sight the panel opens, follows the notebook, and is asked until it draws", async () => {
  isShown = () => heard.length >= 4;
  const { opened, chosen } = await ask({ start: 10, end: 12 }, { session: "s2" });
  expect([opened, chosen, heard.length, told]).toEqual([["panel"], ["s1"], 4, []]);
});

test.each<[string, Ran, boolean, string, number]>([
  ["of a cell that did not run", null, true, "It is not known when this cell ran.", 0],
  ["of a time without a monitor", { start: 1, end: 2 }, true, "Pulse knows nothing of", 2],
  ["without a panel", { start: 1, end: 2 }, false, "Pulse knows nothing of", 1],
])("%s it is said that there is nothing to show", async (_, ran, panel, sentence, least) => {
  isShown = () => false;
  await ask(ran, { panel });
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(sentence);
  expect(heard.length).toBeGreaterThanOrEqual(least);
  expect(heard.length).toBeLessThan(100);
});

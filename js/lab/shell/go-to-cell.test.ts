// @vitest-environment happy-dom
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { beforeEach, expect, test, vi } from "vitest";
import type { CellDetail } from "../../core/dashboard/cell-links";
import { findCell, followCells } from "./go-to-cell";
import { FakeMonitors, TRANS } from "./testing";

const told: string[] = [];
vi.mock("./messages", () => ({ tellProblem: (why: string) => told.push(why) }));

type CellOf = readonly [id: string, count: number | null];

function notebook(id: string, session: string, ...cells: CellOf[]) {
  const node = document.body.appendChild(document.createElement("div"));
  const widgets = cells.map(([cell, executionCount]) => ({
    model: { id: cell, executionCount },
    node: node.appendChild(document.createElement("div")),
  }));
  const scrolled: number[] = [];
  const content = {
    ...{ widgets, activeCellIndex: -1, deselectAll: () => undefined },
    scrollToItem: async (place: number) => void scrolled.push(place),
  };
  return { id, node, content, scrolled, sessionContext: { session: { id: session } } };
}

const train = notebook("train", "s1", ["a", 1], ["b", 2], ["c", null]);
const other = notebook("other", "s2", ["d", 2], ["b", 5]);
const panels = [other, train] as unknown as NotebookPanel[];

const of = (cell: string | null, count: number | null = null): CellDetail => ({
  ...{ cell, count, time: 0 },
});

test.each<[string, CellDetail, string | null, string | null, string | null]>([
  ["by its id, in the notebook around it", of("b"), "train", null, "train 1"],
  ["by its id, in the notebook that is followed", of("b"), null, "train", "train 1"],
  ["by its id, in any notebook that is open", of("d"), "train", null, "other 0"],
  ["by its count in the notebook around it", of(null, 2), "train", null, "train 1"],
  ["by its count in the notebook that is followed", of(null, 2), null, "other", "other 0"],
  ["by no count where it is not known in which notebook", of(null, 2), null, null, null],
  ["by no count where it has an id", of("gone", 2), "train", "train", null],
  ["not at all without either", of(null), "train", "train", null],
])("a cell is found %s", (_, detail, around, followed, expected) => {
  const found = findCell(panels, detail, {
    around: ({ id }) => id === around,
    followed: ({ id }) => id === followed,
  });
  expect(found && `${found[0].id} ${found[1]}`).toBe(expected);
});

const activated: string[] = [];
const monitors = new FakeMonitors();
const app = { shell: { activateById: (id: string) => activated.push(id) } };
const tracker = { forEach: (visit: (panel: unknown) => void) => panels.forEach(visit) };
followCells(
  app as unknown as JupyterFrontEnd,
  tracker as unknown as INotebookTracker,
  monitors.asMonitors,
  TRANS,
);

beforeEach(() => {
  told.length = activated.length = train.scrolled.length = 0;
});

function ask(from: Element, detail: CellDetail | null): void {
  from.dispatchEvent(new CustomEvent("pulse:cell", { bubbles: true, composed: true, detail }));
}

test("a dashboard in a notebook leads to its cell, which flashes for a while", async () => {
  vi.useFakeTimers();
  const output = train.node.appendChild(document.createElement("div"));
  ask(output, of(null, 2));
  await vi.advanceTimersByTimeAsync(0);
  expect([activated, train.scrolled, train.content.activeCellIndex]).toEqual([["train"], [1], 1]);
  expect(document.querySelectorAll(".pulse-shell-flash")).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(document.querySelectorAll(".pulse-shell-flash")).toHaveLength(0);
  vi.useRealTimers();
});

test("one in the panel leads to the notebook that the panel follows", () => {
  const panel = document.body.appendChild(document.createElement("div"));
  panel.className = "pulse-panel";
  const dashboard = panel.appendChild(document.createElement("div"));
  ask(dashboard, of(null, 2));
  expect(activated).toEqual(["train"]);
});

test("where its notebook is not open that is said, and nothing is asked of nobody", () => {
  ask(document.body, of("gone", 2));
  ask(document.body, null);
  expect([activated, told]).toEqual([[], ["The notebook of this cell is not open."]]);
});

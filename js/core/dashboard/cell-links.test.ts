// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { FakeSource } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { marksOf } from "../charts/marks";
import {
  cellOf,
  concerns,
  goToCell,
  hearStretches,
  SHOW_STRETCH,
  type StretchDetail,
} from "./cell-links";

const source = new FakeSource(SCENARIOS["alerts"] as (typeof SCENARIOS)[string]);
const known = { source, marks: marksOf(source) };
const [T0] = source.extent();
const [fit] = known.marks.filter(({ facts }) => facts?.["count"] === 4);

function cellWith(facts: object, metric = "cell") {
  if (!fit) throw new Error("no cell");
  return { ...fit, metric, facts: { ...facts } };
}

test.each<[object, string, object | null]>([
  [{ count: 4, cell_id: "id-4" }, "cell", { cell: "id-4", count: 4 }],
  [{ count: 4 }, "cell", { cell: null, count: 4 }],
  [{ count: 4, cell_id: "" }, "cell", { cell: null, count: 4 }],
  [{ cell_id: "id-4" }, "cell", { cell: "id-4", count: null }],
  [{}, "cell", null],
  [{ count: 4, cell_id: "id-4" }, "span", null],
])("with the facts %j a %s is found by %j", (facts, metric, found) => {
  expect(cellOf(cellWith(facts, metric))).toEqual(found && { ...found, time: fit?.start });
});

test("a notebook hears of the cell, out of a shadow root too", () => {
  const heard: unknown[] = [];
  const hear = (event: Event) => heard.push((event as CustomEvent).detail);
  document.addEventListener("pulse:cell", hear);
  const host = document.body.appendChild(document.createElement("div"));
  const root = document.createElement("div");
  host.attachShadow({ mode: "open" }).append(root);
  goToCell(root, cellWith({ count: 4, cell_id: "id-4" }));
  goToCell(root, cellWith({ name: "epoch" }, "span"));
  document.removeEventListener("pulse:cell", hear);
  expect(heard).toEqual([{ cell: "id-4", count: 4, time: fit?.start }]);
});

test.each<[string, Partial<StretchDetail>, string | null, boolean]>([
  ["of nobody in particular", {}, null, true],
  ["of its kernel", { kernel: "k1" }, "k1", true],
  ["of another kernel", { kernel: "k2", cell: "id-4" }, "k1", false],
  [
    "of a cell that it knows, of a kernel it cannot tell",
    { kernel: "k1", cell: "id-4" },
    null,
    true,
  ],
  ["of a cell that it does not know", { kernel: "k1", cell: "id-99" }, null, false],
  ["before it began", { t0: T0 - 90, t1: T0 - 50 }, null, false],
  ["after its end", { t0: T0 + 9000, t1: T0 + 9001 }, null, false],
  ["that ends before it begins", { t0: T0 + 30, t1: T0 + 20 }, null, false],
  ["without a beginning", { t0: Number.NaN }, null, false],
])("a stretch %s", (_, detail, kernel, expected) => {
  expect(concerns({ t0: T0 + 20, t1: T0 + 30, ...detail }, kernel, known)).toBe(expected);
});

let leave = (): void => {};
afterEach(() => leave());

test("a dashboard shows what is asked of its kernel, until it leaves", () => {
  const around = document.body.appendChild(document.createElement("div"));
  around.dataset["pulseKernel"] = "k1";
  const root = around.appendChild(document.createElement("div"));
  const shown: unknown[] = [];
  leave = hearStretches(
    root,
    () => known,
    (stretch) => shown.push(stretch),
  );
  const ask = (kernel: string, detail: object = {}) => {
    const all = { t0: T0 + 20, t1: T0 + 30, kernel, ...detail };
    document.dispatchEvent(new CustomEvent(SHOW_STRETCH, { detail: all, cancelable: true }));
  };
  ask("k2");
  ask("k1");
  document.dispatchEvent(new CustomEvent(SHOW_STRETCH));
  leave();
  ask("k1");
  expect(shown).toEqual([[T0 + 20, T0 + 30]]);
});

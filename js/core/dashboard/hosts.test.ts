// @vitest-environment happy-dom
/** Two machines with a GPU each: on the page what is the one's is never taken for the other's. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildGroups } from "../charts/groups";
import { Legend } from "../charts/legend";
import { marksOf } from "../charts/marks";
import { Store } from "../history/store";
import { stubIntersections } from "../testing/observers";
import { frameOf, keyframeOf } from "../testing/packets";
import { mountDashboard } from "./dashboard";
import { deviceSummaries } from "./device-summary";
import { gpuFacts } from "./gpu-facts";
import { machineFacts } from "./machine";
import { Readings } from "./readings";

const METRICS = [
  ["gpu:0", "gpu.utilization", "1"],
  ["gpu:0", "gpu.power", "W"],
  ["host", "cpu.utilization", "1"],
] as const;

/** The series of both, those of the second machine first. */
function seriesOf(hosts: readonly string[]) {
  const all = hosts.flatMap((host) => METRICS.map((one) => [host, ...one] as const));
  return all.map(([host, entity, metric, unit], id) => {
    return { id, host, entity, metric, unit, kind: "gauge", labels: {} };
  });
}

const NAMED = [
  { host: "h0", entity: "host", labels: { name: "node17", cpu: "EPYC" } },
  { host: "h1", entity: "host", labels: { name: "node18", cpu: "EPYC" } },
  { host: "h0", entity: "gpu:0", labels: { name: "A100" } },
  { host: "h1", entity: "gpu:0", labels: { name: "H100" } },
];

const LOADS = [0.25, 300, 0.1, 0.75, 600, 0.9];

function storeOf(hosts: readonly string[] = ["h1", "h0"]): Store {
  const store = new Store();
  const series = seriesOf(hosts);
  const about = { metric: "mark", entity: "kernel", time: 1 };
  const moments = hosts.map((host) => ({ ...about, host, facts: { label: "begin" } }));
  const entities = NAMED.filter(({ host }) => hosts.includes(host));
  const rows = series.map(({ id }) => [id, 1, LOADS[id] as number] as const);
  store.take(frameOf(1, rows, { series, entities, moments, state: { phase: "running" } }));
  return store;
}

let leave = (): void => {};

function shown(store: Store): HTMLElement {
  const el = document.body.appendChild(document.createElement("div"));
  leave = mountDashboard(el, store, { layout: "dashboard", metrics: null, title: "" });
  vi.advanceTimersByTime(400);
  return el;
}

function textsOf(el: HTMLElement, wanted: string): string[] {
  return [...el.querySelectorAll(wanted)].map(({ textContent }) => textContent ?? "");
}

beforeEach(() => {
  vi.useFakeTimers();
  stubIntersections();
});

afterEach(() => {
  leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("there are two cards, host by host, each with its own number", () => {
  const el = shown(storeOf());
  const rows = [...el.querySelectorAll<HTMLElement>(".pulse-host")].map((row) => [
    row.dataset["host"],
    ...textsOf(row, ".pulse-host-head > *, .pulse-gpu-name, .pulse-card-value"),
  ]);
  expect(rows).toEqual([
    ["h0", "node17", "CPU 90 %", "GPU 0", "75 %"],
    ["h1", "node18", "CPU 10 %", "GPU 0", "25 %"],
  ]);
  const tiles = [...el.querySelectorAll<HTMLElement>(".pulse-gpu")];
  expect(tiles.map(({ dataset }) => [dataset["gpu"], dataset["host"]])).toEqual([
    ["gpu:0", "h0"],
    ["gpu:0", "h1"],
  ]);
});

test("a card hides its own GPU and not the other machine's", () => {
  const el = shown(storeOf());
  const cards = [...el.querySelectorAll<HTMLElement>(".pulse-gpu")];
  const pressed = () => cards.map((card) => card.getAttribute("aria-pressed"));
  expect(pressed()).toEqual(["true", "true"]);
  cards[1]?.click();
  vi.advanceTimersByTime(400);
  expect(pressed()).toEqual(["true", "false"]);
  cards[1]?.dispatchEvent(new MouseEvent("click", { altKey: true }));
  vi.advanceTimersByTime(400);
  expect(pressed()).toEqual(["false", "true"]);
});

test("a chart has two entries in its legend, of two colours, and one hides one", () => {
  const store = storeOf();
  const power = shown(store).querySelector<HTMLElement>('[aria-label="Power"]');
  const entries = ["node17 · GPU 0", "node18 · GPU 0"];
  expect(textsOf(power as HTMLElement, ".pulse-name")).toEqual(entries);

  const groups = buildGroups(store.catalog(), store.entities(), ["gpu.power"]);
  const lines = groups[0]?.panels[0]?.lines ?? [];
  const legend = new Legend(lines, () => {});
  legend.setHidden(new Set([lines[0]?.key as string]), "light");
  const strokes = [...legend.el.querySelectorAll("line")].map((one) => one.getAttribute("stroke"));
  const pressed = [...legend.el.querySelectorAll("button")].map((one) =>
    one.getAttribute("aria-pressed"),
  );
  expect(new Set(strokes).size).toBe(2);
  expect(pressed).toEqual(["false", "true"]);
});

test("the colour of a GPU is that of the same GPU on every chart", () => {
  const store = storeOf();
  const panels = buildGroups(store.catalog(), store.entities(), ["gpu.*"]).flatMap((g) => g.panels);
  expect(panels.map(({ lines }) => lines.map(({ color }) => color))).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test("the heading of the GPUs tells both models, and marks whose they are", () => {
  const store = storeOf();
  expect([...deviceSummaries(store)]).toEqual([
    ["GPU", "A100, H100"],
    ["CPU", "2 × EPYC"],
  ]);
  const labels = marksOf(store).map(({ label }) => label);
  expect(labels.sort()).toEqual(["node17 · begin", "node18 · begin"]);
  expect(marksOf(store).map(({ text }) => text)).toEqual(["begin", "begin"]);
});

test("with one machine nothing says which", () => {
  const store = storeOf(["h0"]);
  const readings = new Readings(store);
  expect(gpuFacts(readings).map(({ label }) => label)).toEqual(["GPU 0"]);
  expect(machineFacts("h0", readings).map(({ line }) => line)).toEqual(["CPU *10 %*"]);
  expect(marksOf(store).map(({ label }) => label)).toEqual(["begin"]);
  expect(textsOf(shown(store), ".pulse-host-head > b")).toEqual([""]);
});

test("a machine of which nothing is known is called by its id", () => {
  const store = new Store();
  store.take(keyframeOf(1, [0, 1], [], { series: seriesOf(["h0", "h1"]) }));
  expect(textsOf(shown(store), ".pulse-host-head > b")).toEqual(["h0", "h1"]);
});

test("a name that comes later is taken", () => {
  const store = new Store();
  store.take(
    frameOf(1, [[0, 1, 0.5]], { series: seriesOf(["h0", "h1"]), state: { phase: "running" } }),
  );
  const el = shown(store);
  expect(textsOf(el, ".pulse-host-head > b")[0]).toBe("h0");
  store.take(frameOf(2, [[0, 2, 0.5]], { entities: NAMED }));
  vi.advanceTimersByTime(2000);
  expect(textsOf(el, ".pulse-host-head > b")[0]).toBe("node17");
  expect(textsOf(el, ".pulse-name")).toContain("node18 \u00b7 GPU 0");
});

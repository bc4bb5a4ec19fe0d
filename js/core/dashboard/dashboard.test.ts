// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LineChart } from "../charts/line-chart";
import type { View } from "../charts/panel-view";
import { Store } from "../history/store";
import type { Source } from "../source";
import { frameOf } from "../testing/packets";
import { mountDashboard } from "./dashboard";
import { Timeline } from "./timeline";

/** Tells what is on screen only when a test says so. */
class Sight {
  static all: Sight[] = [];
  readonly targets = new Set<Element>();
  constructor(readonly told: (entries: unknown[]) => void) {
    Sight.all.push(this);
  }
  observe(el: Element): void {
    this.targets.add(el);
  }
  unobserve(el: Element): void {
    this.targets.delete(el);
  }
  disconnect(): void {
    this.targets.clear();
  }
  static show(isIntersecting: boolean): void {
    for (const { targets, told } of Sight.all) {
      told([...targets].map((target) => ({ target, isIntersecting })));
    }
  }
}

const LOAD = { id: 0, host: "h", entity: "host", metric: "cpu.utilization", unit: "1" };
const news = { series: [{ ...LOAD, kind: "gauge", labels: {} }], state: { phase: "running" } };

let leave = (): void => {};

/** What a view of `store` says: its status, and the window that is pressed. */
function shown(store: Store): { text: () => string; status: () => string; window: () => string } {
  const el = document.body.appendChild(document.createElement("div"));
  leave = mountDashboard(el, store, { layout: "dashboard", metrics: null, title: "" });
  const textOf = (query: string) => el.querySelector(query)?.textContent ?? "";
  return {
    text: () =>
      [...el.querySelectorAll(".pulse > :not(style, .pulse-help)")]
        .map((e) => e.textContent)
        .join(" "),
    status: () => textOf(".pulse-status"),
    window: () => textOf('[aria-label="Time window"] [aria-pressed=true]'),
  };
}

/** A dashboard of one chart, and how often chart and timeline were drawn. */
function mounted(): {
  store: Store;
  drawn: () => number[];
  settle: () => void;
  press: (key: string) => void;
} {
  const draws = [LineChart, Timeline].map((kind) =>
    vi.spyOn(kind.prototype, "draw").mockImplementation(function (this: View) {
      this.stale = false;
    }),
  );
  const store = new Store();
  store.take(frameOf(1, [[0, 1, 0.5]], news));
  const options = { layout: "dashboard", metrics: null, title: "" } as const;
  const el = document.body.appendChild(document.createElement("div"));
  leave = mountDashboard(el, store, options);
  const settle = () => vi.advanceTimersByTime(400);
  settle();
  const press = (key: string) =>
    el.firstElementChild?.dispatchEvent(new KeyboardEvent("keydown", { key }));
  return { store, press, drawn: () => draws.map((draw) => draw.mock.calls.length), settle };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("IntersectionObserver", Sight);
});

afterEach(() => {
  leave();
  Sight.all = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test.each([
  ["the last samples", (store: Store) => store.take(frameOf(2, [[0, 2, 0.9]]))],
  ["the end of its kernel", (store: Store) => store.end("died")],
])("a chart out of sight is not drawn for %s, and is once it is back", (_, happen) => {
  const { store, drawn, settle } = mounted();
  Sight.show(true);
  settle();
  Sight.show(false);
  const before = drawn();

  happen(store);
  settle();

  expect(Math.min(...before)).toBeGreaterThan(0);
  expect(drawn()).toEqual(before);

  Sight.show(true);
  settle();

  expect(drawn()).toEqual(before.map((times) => times + 1));
});

test("a chart of which nothing has changed is not drawn again when it is back", () => {
  const { drawn, settle } = mounted();
  Sight.show(true);
  settle();
  const before = drawn();

  Sight.show(false);
  settle();
  Sight.show(true);
  settle();

  expect(drawn()).toEqual(before);
});

test("headings of other packages stand in their order, come and go", () => {
  const { store, settle } = mounted();
  const board = document.querySelector(".pulse-board");
  const told = () =>
    [...(board?.querySelectorAll(".pulse-group") ?? [])].map((section) =>
      section.getAttribute("aria-label"),
    );
  const cards = () =>
    [...(board?.querySelectorAll(".pulse-notices strong") ?? [])].map((one) => one.textContent);
  const one = (id: number, entity: string, metric: string, labels = {}) => {
    return { ...LOAD, id, entity, metric, kind: "gauge", labels };
  };
  const npu = { name: "npu", state: "failed", title: "My NPU", group: "NPU" };
  const news = { series: [one(1, "host", "x")], state: { phase: "running", sources: [npu] } };
  store.take(frameOf(2, [[1, 1, 1]], news));
  settle();
  expect(told()).toEqual(["Your metrics", "CPU", "Other metrics"]);
  expect(cards()).toEqual(["My NPU: stopped with an error"]);

  const series = [
    one(2, "ups:1", "ups.load", { group: "UPS" }),
    one(3, "user", "loss"),
    one(4, "npu:0", "npu.load", { group: "NPU" }),
  ];
  const rows = [
    [2, 1, 1],
    [3, 1, 1],
    [4, 1, 1],
  ] as const;
  store.take(frameOf(3, rows, { series, state: { phase: "running", sources: [] } }));
  settle();
  expect(told()).toEqual(["Your metrics", "CPU", "NPU", "UPS", "Other metrics"]);
  expect(cards()).toEqual([]);

  const gone = { ...npu, state: "absent" };
  store.take(frameOf(4, [], { state: { phase: "running", sources: [gone] } }));
  settle();
  expect(cards()).toEqual([]);
  expect(document.querySelector(".pulse-absent b")?.textContent).toBe("My NPU");
});

test("what was not true is told by the title of its reading", () => {
  const { store, settle } = mounted();
  const labels = { group: "NPU", title: "NPU power" };
  const series = [{ ...LOAD, id: 1, entity: "npu:0", metric: "npu.power", kind: "gauge", labels }];
  const why = "the source says 4294967295, which cannot be true";
  const npu = {
    name: "npu",
    state: "ok",
    group: "NPU",
    missing: [{ what: "npu:0 npu.power", why }],
  };
  store.take(frameOf(2, [[1, 1, 1]], { series, state: { phase: "running", sources: [npu] } }));
  settle();
  expect(document.querySelector(".pulse-absent .pulse-pairs")?.textContent).toBe(
    `NPU power, NPU 0${why}`,
  );
});

test("exact rows are asked for once, of the stretch at which zooming came to rest", () => {
  const { store, settle, press } = mounted();
  store.take(frameOf(2, [[0, 101, 0.5]]));
  const request = vi.fn();
  (store as Source).request = request;
  press("4");
  press("+");
  press("+");
  expect(request).not.toHaveBeenCalled();
  settle();

  expect(request).toHaveBeenCalledTimes(1);
  const [ids, t0, t1] = request.mock.calls[0] as [number[], number, number];
  expect(ids).toEqual([0]);
  expect(t1 - t0).toBeCloseTo(25, 0);
});

test("a view that has heard nothing is connecting: neither a replay nor without a recording", () => {
  const store = new Store();
  const view = shown(store);

  expect(view.status()).toBe("Connecting");
  expect(view.text()).not.toMatch(/recording|readings|replay/i);

  store.take(frameOf(1, [[0, 1, 0.5]], news));
  vi.advanceTimersByTime(1000);
  expect(view.status()).toBe("Live");
  expect(view.text()).toMatch(/not recorded/);
});

test.each([
  ["at once", "running", true, "5 min"],
  ["later", "running", false, "5 min"],
  ["at once", "replay", true, "All"],
  ["later", "replay", false, "All"],
  ["later", "stopped", false, "All"],
])("what is heard %s of a session that is %s (%s) decides the first window: %s", (...row) => {
  const [, phase, early, window] = row;
  const store = new Store();
  const hear = () => store.take(frameOf(1, [[0, 1, 0.5]], { ...news, state: { phase } }));
  if (early) hear();
  const view = shown(store);
  if (!early) hear();
  vi.advanceTimersByTime(1000);

  expect(view.window()).toBe(window);
});

test("a picture that goes live shows the last minutes, unless its viewer chose another window", () => {
  for (const [key, expected] of [
    ["", "5 min"],
    ["1", "30 s"],
    ["4", "All"],
  ]) {
    const store = new Store();
    store.take(frameOf(1, [[0, 1, 0.5]], { ...news, state: { phase: "replay" } }));
    const view = shown(store);
    const root = document.body.lastElementChild?.firstElementChild;
    if (key) root?.dispatchEvent(new KeyboardEvent("keydown", { key }));
    store.take(frameOf(2, [[0, 2, 0.5]], news));
    vi.advanceTimersByTime(1000);

    expect(view.window()).toBe(expected);
    leave();
  }
});

test("a folded line and the card beside it tell the same moment, however often they are read", () => {
  const { store, settle } = mounted();
  const one = (id: number, entity: string, metric: string, unit: string) => {
    return { ...LOAD, id, entity, metric, unit, kind: "gauge", labels: {} };
  };
  const series = [
    one(1, "host", "memory.used", "B"),
    one(2, "host", "memory.total", "B"),
    // The first section stands open: these are for it.
    one(3, "gpu:0", "gpu.utilization", "1"),
    one(4, "gpu:1", "gpu.utilization", "1"),
  ];
  store.take(frameOf(2, [[2, 1, 64 * 2 ** 30]], { series }));
  settle();
  const fold = (title: string) =>
    document.querySelector(`.pulse-group[aria-label="${title}"] .pulse-fold-value`)?.textContent;
  const said = Array.from({ length: 12 }, (_, i) => {
    const [time, load] = [2 + i / 2, (i + 1) / 20];
    const rows = [0, 1, 3, 4].map((id) => [id, time, id === 1 ? load * 2 ** 35 : load] as const);
    store.take(frameOf(3 + i, rows));
    // Not a multiple of a second.
    vi.advanceTimersByTime(430);
    const line = document.querySelector(".pulse-line .pulse-machine")?.textContent ?? "";
    return [line, `CPU ${fold("CPU")} · memory ${fold("Memory")}`];
  });
  expect(said.map(([, folds]) => folds)).toEqual(said.map(([line]) => line));
  expect(new Set(said.map(([line]) => line)).size).toBeGreaterThan(10);
});

test("nothing in it is a landmark of the page: it stands within a region", () => {
  const { store, press, settle } = mounted();
  store.end("died");
  press("?");
  settle();
  const root = document.body.lastElementChild?.firstElementChild;
  const outside = [...(root?.querySelectorAll("header, footer") ?? [])].filter(
    (el) => !el.parentElement?.closest("section, article"),
  );
  expect(root?.querySelector(".pulse-foot")).not.toBeNull();
  expect(root?.querySelector(".pulse-help")).not.toBeNull();
  expect(outside).toEqual([]);
});

describe("room for cells and marks", () => {
  const lane = (phase: string, settled: boolean, seconds: number, marked: boolean) => {
    const store = new Store();
    const rows = [
      [0, 1, 0.5],
      [0, 1 + seconds, 0.5],
    ] as const;
    const mark = { time: 1, host: "h", entity: "user", metric: "mark", facts: { label: "a" } };
    const state = { phase, t0: 1 };
    store.take(frameOf(1, rows, { ...news, state, moments: marked ? [mark] : [] }));
    const el = document.body.appendChild(document.createElement("div"));
    const manner = { layout: "dashboard", metrics: null, title: "", settled } as const;
    leave = mountDashboard(el, store, manner);
    vi.advanceTimersByTime(1000);
    return !el.querySelector<HTMLElement>(".pulse-timeline")?.hidden;
  };

  test.each([
    ["in a cell, at first", "running", true, 1, false, true],
    ["in a cell, later", "running", true, 60, false, false],
    ["in a cell, with a mark", "running", true, 60, true, true],
    ["in a cell, once it is over", "stopped", true, 1, false, false],
    ["elsewhere, at first", "running", false, 1, false, false],
    ["elsewhere, later", "running", false, 60, false, false],
    ["elsewhere, with a mark", "running", false, 1, true, true],
    ["in a replay", "replay", false, 60, false, false],
    ["in a replay with a mark", "replay", false, 60, true, true],
  ] as const)("%s (%s, settled: %s, %s s, marked: %s): %s", (...row) => {
    const [, phase, settled, seconds, marked, expected] = row;
    expect(lane(phase, settled, seconds, marked)).toBe(expected);
    leave();
  });
});

test.each([
  [undefined, true],
  [true, true],
  [false, false],
])("a host may tell of the end itself (endings: %s): there is a card: %s", (...row) => {
  const [endings, said] = row;
  const store = new Store();
  store.take(frameOf(1, [[0, 1, 0.5]], news));
  const el = document.body.appendChild(document.createElement("div"));
  const manner = { layout: "dashboard", metrics: null, title: "" } as const;
  leave = mountDashboard(el, store, endings === undefined ? manner : { ...manner, endings });
  store.end("died");
  vi.advanceTimersByTime(2000);
  const card = el.querySelector(".pulse-ending")?.textContent ?? "";
  expect(card.includes("The kernel died")).toBe(said);
  expect(card.includes("Run the cell again")).toBe(said);
});

test("a stretch that a notebook asks for is zoomed to, and Escape goes back", () => {
  const store = new Store();
  const state = { phase: "running", interval: 1, t0: 1 };
  store.take(frameOf(1, [[0, 1, 0.5]], { ...news, state } as never));
  store.take(frameOf(2, [[0, 60, 0.5]]));
  const { status } = shown(store);
  vi.advanceTimersByTime(1000);
  const before = status();
  const ask = (t0: number, t1: number) => {
    const event = new CustomEvent("pulse:show", { detail: { t0, t1 } });
    document.dispatchEvent(event);
    vi.advanceTimersByTime(1000);
  };
  ask(900, 901);
  expect(status()).toBe(before);
  ask(20, 30);
  expect(status()).toBe("Zoomed");
  const key = new KeyboardEvent("keydown", { key: "Escape", cancelable: true });
  document.querySelector(".pulse")?.dispatchEvent(key);
  vi.advanceTimersByTime(1000);
  expect([status(), key.defaultPrevented]).toEqual([before, true]);
  // Where there is nothing to go back from, the key is the host's.
  const again = new KeyboardEvent("keydown", { key: "Escape", cancelable: true });
  document.querySelector(".pulse")?.dispatchEvent(again);
  expect(again.defaultPrevented).toBe(false);
});

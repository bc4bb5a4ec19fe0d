// @vitest-environment happy-dom
/** The tools of the user's own metrics on the page, and what many metrics cost. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as groups from "../charts/groups";
import { LINES, LineChart } from "../charts/line-chart";
import { Store } from "../history/store";
import type { SeriesWire } from "../source";
import { stubIntersections } from "../testing/observers";
import { frameOf, type Row } from "../testing/packets";
import { mountDashboard } from "./dashboard";

const GROUP = '.pulse-group[aria-label="Your metrics"]';

function series(id: number, metric: string): SeriesWire {
  return { id, host: "h0", entity: "user", metric, unit: "", kind: "gauge", labels: {} };
}

let leave = (): void => {};
let seq = 0;

/** A view of a session that has logged `names`, one row each. */
function mounted(names: readonly string[], phase = "running") {
  const store = new Store();
  const log = (from: number, logged: readonly string[], step?: number) => {
    const rows = logged.map((_, i): Row => [from + i, 1, i + 1, ...(step ? [step] : [])] as never);
    const all = logged.map((name, i) => series(from + i, name));
    store.take(frameOf(seq++, rows, { series: all, state: { phase } }));
  };
  log(0, names);
  const el = document.body.appendChild(document.createElement("div"));
  leave = mountDashboard(el, store, { layout: "dashboard", metrics: null, title: "" });
  const settle = () => vi.advanceTimersByTime(400);
  settle();
  const own = () => el.querySelector<HTMLElement>(GROUP);
  const find = <T extends HTMLElement>(query: string) => own()?.querySelector<T>(query) as T;
  return {
    el,
    store,
    log,
    settle,
    own,
    find,
    search: find<HTMLInputElement>(".pulse-search"),
    slider: find<HTMLInputElement>("input[type=range]"),
    titles: () =>
      [...(own()?.querySelectorAll(".pulse-grid h4:not(.pulse-prefix)") ?? [])].map(
        (e) => e.textContent,
      ),
    headings: () => [...(own()?.querySelectorAll(".pulse-prefix") ?? [])].map((e) => e.textContent),
    button: (text: string) =>
      [...(own()?.querySelectorAll("button") ?? [])].find(
        (one) => !one.hidden && one.textContent?.includes(text),
      ) as HTMLButtonElement,
    press: (key: string, on?: HTMLElement) => {
      const target = on ?? (el.firstElementChild as HTMLElement);
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      target.dispatchEvent(event);
      settle();
      return event;
    },
    type: (text: string) => {
      const input = own()?.querySelector<HTMLInputElement>(".pulse-search") as HTMLInputElement;
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      settle();
    },
  };
}

const many = (count: number) => Array.from({ length: count }, (_, i) => `layer${i >> 2}/w${i % 4}`);

beforeEach(() => {
  vi.useFakeTimers();
  stubIntersections();
});

afterEach(() => {
  leave();
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("a first row is shown, more on request, a page at a time", () => {
  const view = mounted(many(200));
  expect(view.titles()).toEqual(["layer0/w0", "layer0/w1", "layer0/w2"]);
  expect(view.headings()).toEqual([]);

  view.button("197 more").click();
  view.settle();
  expect(view.titles()).toHaveLength(24);
  expect(view.headings().slice(0, 2)).toEqual(["layer0", "layer1"]);

  view.button("Show 24 more of 176").click();
  view.settle();
  expect(view.titles()).toHaveLength(48);

  view.button("Fewer").click();
  view.settle();
  expect(view.titles()).toHaveLength(3);
  expect(view.headings()).toEqual([]);
});

test("a search says how many it found; Escape forgets it, then leaves the box", () => {
  const view = mounted(many(200));
  view.search.focus();
  view.type("layer1*/w0");
  expect(view.titles()).toHaveLength(11);
  expect(view.find('[role="status"]').textContent).toBe("11 of 200");

  view.type("nothing");
  expect(view.titles()).toEqual([]);
  expect(view.own()?.textContent).toContain("No name matches.");

  view.press("Escape", view.search);
  expect(view.search.value).toBe("");
  expect(view.titles()).toHaveLength(3);
  expect(view.find('[role="status"]').textContent).toBe("");
  view.press("Escape", view.search);
  expect(document.activeElement).toBe(view.el.firstElementChild);
});

test("a search counts metrics, not charts", () => {
  const view = mounted(["train/loss", "val/loss", "lr"]);
  view.type("loss");
  expect(view.find('[role="status"]').textContent).toBe("2 of 3");
});

test("what is typed into the box is no command, and / leads into it", () => {
  const view = mounted(["loss"]);
  const paused = () => view.el.querySelector(".pulse-status")?.textContent;
  expect(view.press("/").defaultPrevented).toBe(true);
  expect(document.activeElement).toBe(view.search);
  for (const key of ["p", "1", "?", "ArrowLeft", "a", "x", "/"]) {
    expect(view.press(key, view.search).defaultPrevented).toBe(false);
  }
  expect(paused()).toBe("Live");
  view.press("p");
  expect(paused()).not.toBe("Live");
});

test("the slider keeps its keys, other keys stay commands", () => {
  const view = mounted(["loss"]);
  for (const key of ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp"]) {
    expect(view.press(key, view.slider).defaultPrevented).toBe(false);
  }
  expect(view.press("p", view.slider).defaultPrevented).toBe(true);
});

test("smoothing and log scale reach the charts, and are said", () => {
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      readonly told: (entries: unknown[]) => void;
      constructor(told: (entries: unknown[]) => void) {
        this.told = told;
      }
      observe(target: Element): void {
        queueMicrotask(() => this.told([{ target, isIntersecting: true }]));
      }
      unobserve(): void {}
      disconnect(): void {}
    },
  );
  const draw = vi.spyOn(LineChart.prototype, "draw").mockImplementation(() => {});
  return vi.waitFor(async () => {
    const view = mounted(["loss"]);
    await Promise.resolve();
    view.settle();
    const scene = () => draw.mock.calls.at(-1)?.[0];
    expect(scene()).toMatchObject({ smooth: 0, log: false });

    view.slider.value = "0.6";
    view.slider.dispatchEvent(new Event("input"));
    view.button("log").click();
    view.settle();
    expect(scene()).toMatchObject({ smooth: 0.6, log: true });
    expect(view.slider.getAttribute("aria-valuetext")).toBe("0.60");
    expect(view.find(".pulse-smooth").textContent).toContain("0.60");
    expect(view.button("log").getAttribute("aria-pressed")).toBe("true");
    expect(view.slider.max).toBe("0.99");
  });
});

test("a pin brings a chart to the front, and says so", () => {
  const view = mounted(["a", "b", "c", "d/x", "train/loss", "val/loss"]);
  view.button("2 more").click();
  view.settle();
  const pin = (name: string) => view.find<HTMLButtonElement>(`[aria-label="Pin ${name}"]`);
  expect(pin("loss").getAttribute("aria-pressed")).toBe("false");

  pin("loss").click();
  view.settle();
  expect(view.titles()[0]).toBe("loss");
  expect(view.headings()).toEqual(["Pinned", "Others"]);
  expect(pin("loss").getAttribute("aria-pressed")).toBe("true");
  view.button("Fewer").click();
  view.settle();
  expect(view.titles()).toEqual(["loss", "a", "b"]);

  // By the keyboard: a click of the pointer counts itself in its detail.
  pin("loss").focus();
  pin("loss").dispatchEvent(new MouseEvent("click", { detail: 0 }));
  view.settle();
  expect(view.titles()).toEqual(["a", "b", "c"]);
  expect(document.activeElement).toBe(view.search);

  pin("c").dispatchEvent(new MouseEvent("click", { detail: 0 }));
  view.settle();
  expect(view.titles()).toEqual(["c", "a", "b"]);
  expect(document.activeElement).toBe(pin("c"));
});

test("under each heading the lowest charts have the labels of the time axis", () => {
  const made = vi.spyOn(LINES, "make");
  const view = mounted(["a/x", "a/y", "a/z", "a/w", "b/x1", "b/y1"]);
  const axes = () => made.mock.calls.map(([{ title }, , { axis }]) => `${title} ${axis}`);
  expect(axes()).toEqual(["a/x true", "a/y true", "a/z true"]);
  made.mockClear();
  view.button("more").click();
  view.settle();
  const told = Object.fromEntries(axes().map((one) => one.split(" ")));
  // Three stand beside one another: below "a/x" is "a/w", below the two others nothing of theirs.
  expect(told).toEqual({ "a/x": "false", "a/w": "true", "b/x1": "true", "b/y1": "true" });
});

test("time or step is a question only where there are steps", () => {
  const view = mounted(["loss"]);
  const axis = () => view.find('[aria-label="X axis of your metrics"]');
  expect(axis().hidden).toBe(true);
  view.log(1, ["acc"], 10);
  view.settle();
  expect(axis().hidden).toBe(false);
  view.button("Step").click();
  view.settle();
  expect(view.button("Step").getAttribute("aria-pressed")).toBe("true");
  expect(view.button("Time").getAttribute("aria-pressed")).toBe("false");
});

test("every tool has a name", () => {
  const view = mounted(["a", "b/c"]);
  view.log(2, ["d"], 3);
  view.settle();
  const tools = [...(view.own()?.querySelectorAll<HTMLElement>("button, input") ?? [])];
  expect(tools.length).toBeGreaterThan(6);
  for (const tool of tools) {
    const named = tool.getAttribute("aria-label") ?? tool.closest("label, button")?.textContent;
    expect(named).toMatch(/\w/);
  }
});

test.each([
  ["running", true],
  ["stopped", false],
  ["replay", false],
])("without a metric a session that is %s has a line to copy: %s", (phase, hinted) => {
  const view = mounted([], phase);
  expect(view.find("code")?.textContent).toBe(hinted ? 'pw.log({"loss": 0.3}, step=1)' : undefined);
});

test("the line goes when the first metric comes, and its section stays where it is", () => {
  const view = mounted([]);
  const section = view.own();
  view.log(0, ["loss"]);
  view.settle();
  expect(view.own()).toBe(section);
  expect(view.find("code")?.closest("[hidden]") ?? "gone").toBeTruthy();
  expect(view.titles()).toEqual(["loss"]);
});

test.each([
  ["written", () => Promise.resolve(), "copied"],
  ["refused", () => Promise.reject(new Error("no")), "Ctrl+C"],
  ["missing", undefined, "Ctrl+C"],
])("the line is copied where the clipboard is %s, else selected", async (_, writeText, said) => {
  vi.stubGlobal("navigator", { ...navigator, clipboard: writeText && { writeText } });
  const view = mounted([]);
  view.button("Copy").click();
  for (let i = 0; i < 5; i++) await Promise.resolve();
  expect(view.find('.pulse-own-hint [role="status"]').textContent).toContain(said);
  if (said !== "copied") expect(String(getSelection())).toContain("pw.log(");
});

test("of 5000 metrics only those are built, asked and drawn that are shown", () => {
  const made = vi.spyOn(groups, "buildGroups");
  const names = many(5000);
  const view = mounted(names);
  const nodes = () => view.el.querySelectorAll("*").length;
  const few = nodes();
  expect(view.titles()).toHaveLength(3);
  expect(few).toBeLessThan(600);

  const steps = vi.spyOn(view.store, "stepExtent");
  const last = vi.spyOn(view.store, "last");
  const catalog = vi.spyOn(view.store, "catalog");
  const before = made.mock.calls.length;
  for (let tick = 2; tick < 12; tick++) {
    const rows = names.map((_, i): Row => [i, tick, i]);
    view.store.take(frameOf(seq++, rows, { state: { phase: "running" } }));
    view.settle();
  }
  expect(before).toBeGreaterThan(0);
  expect(made.mock.calls.length).toBe(before);
  expect(catalog).not.toHaveBeenCalled();
  expect(steps.mock.calls.length).toBeLessThan(200);
  expect(last.mock.calls.length).toBeLessThan(200);

  view.type("layer77");
  expect(view.find('[role="status"]').textContent).toBe("44 of 5000");
  expect(view.titles()).toHaveLength(24);
  view.type("w");
  expect(view.find('[role="status"]').textContent).toBe("5000 of 5000");
  expect(view.titles()).toHaveLength(24);
  expect(nodes()).toBeLessThan(few + 24 * 30);
  expect(made.mock.calls.length).toBe(before);

  const ask = vi.fn();
  Object.assign(view.store, { request: ask });
  view.press("+");
  view.settle();
  expect(ask.mock.calls[0]?.[0]).toHaveLength(24);
});

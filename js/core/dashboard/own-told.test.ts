// @vitest-environment happy-dom
/** What the user says of a run on the page: axes, configuration, progress, the best value. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bestText } from "../charts/best";
import type { Panel } from "../charts/groups";
import type { Scene } from "../charts/panel-view";
import { userPanels } from "../charts/user-panels";
import { Store } from "../history/store";
import { columns, type SeriesWire } from "../source";
import { stubIntersections } from "../testing/observers";
import { frameOf, type Row } from "../testing/packets";
import { Owners } from "../vocabulary/owners";
import { mountDashboard } from "./dashboard";
import { configText } from "./own-config";
import { timeLeft } from "./own-progress";

function series(id: number, metric: string, entity = "user"): SeriesWire {
  return { id, host: "h0", entity, metric, unit: "", kind: "gauge", labels: {} };
}

function said(labels: Record<string, unknown>) {
  const texts = Object.entries(labels).map(([key, value]) => [key, JSON.stringify(value)]);
  return [{ host: "h0", entity: "user", labels: Object.fromEntries(texts) }];
}

let leave = (): void => {};

function mounted(rows: readonly Row[], news: Record<string, unknown>) {
  const store = new Store();
  store.take(frameOf(0, rows, { state: { phase: "running" }, ...news }));
  const el = document.body.appendChild(document.createElement("div"));
  leave = mountDashboard(el, store, { layout: "dashboard", metrics: null, title: "" });
  const settle = () => vi.advanceTimersByTime(1100);
  settle();
  const own = () => el.querySelector<HTMLElement>('.pulse-group[aria-label="Your metrics"]');
  const press = (key: string) => {
    (el.firstElementChild as HTMLElement).dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
    );
    settle();
  };
  return { store, el, own, settle, press };
}

beforeEach(() => {
  vi.useFakeTimers();
  stubIntersections();
});

afterEach(() => {
  leave();
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a metric that was said to be an axis can be chosen, by a click and by the key", () => {
  const names = ["loss", "epoch", "tokens"].map((metric, id) => series(id, metric));
  const rows: Row[] = [
    [0, 1, 1, 1],
    [1, 1, 1, 1],
    [0, 2, 1, 2],
    [1, 2, 2, 2],
  ];
  const view = mounted(rows, {
    series: names,
    entities: said({ defined: { loss: { x: "epoch" }, "l*": { x: "gone" } } }),
  });
  const axes = () => [
    ...(view.own()?.querySelectorAll<HTMLElement>(".pulse-own-tools .pulse-segments button") ?? []),
  ];
  const now = () => axes().find((el) => el.getAttribute("aria-pressed") === "true")?.textContent;
  expect(axes().map((el) => el.textContent)).toEqual(["Time", "Step", "epoch"]);
  expect(now()).toBe("Time");
  axes()[2]?.click();
  view.settle();
  expect(now()).toBe("epoch");
  for (const wanted of ["Time", "Step", "epoch", "Time"]) {
    view.press("x");
    expect(now()).toBe(wanted);
  }
  // Another one, once it is defined.
  view.store.take(
    frameOf(1, [], {
      entities: said({ defined: { loss: { x: "tokens" }, epoch: { x: "epoch" } } }),
    }),
  );
  view.settle();
  expect(axes().map((el) => el.textContent)).toEqual(["Time", "Step", "epoch", "tokens"]);
});

test("without steps and a defined axis there is nothing to choose", () => {
  const view = mounted([[0, 1, 1]], { series: [series(0, "loss")] });
  expect(view.own()?.querySelector<HTMLElement>(".pulse-own-tools .pulse-segments")?.hidden).toBe(
    true,
  );
});

test("the configuration is a table that folds, also before anything is logged", () => {
  const config = { lr: 0.0003, "model/name": "<b>net</b>", betas: [0.9, 1], amp: true, none: null };
  const view = mounted([[0, 1, 1]], {
    series: [series(0, "gpu.power", "gpu:0")],
    entities: said({ config }),
  });
  const fold = view.own()?.querySelector<HTMLElement>(".pulse-config");
  const toggle = view.own()?.querySelector<HTMLElement>(".pulse-config-toggle");
  expect(toggle?.closest<HTMLElement>("[hidden]")).toBeNull();
  expect(toggle?.textContent).toBe("Config (5)");
  expect(toggle?.closest(".pulse-group-head")).not.toBeNull();
  const below = () => [...(view.own()?.querySelector(".pulse-own-below")?.children ?? [])];
  expect(below().filter((el) => !(el as HTMLElement).hidden)).toEqual([]);
  expect(toggle?.getAttribute("aria-expanded")).toBe("false");
  expect(fold?.hidden).toBe(true);
  toggle?.click();
  expect(toggle?.getAttribute("aria-expanded")).toBe("true");
  expect(fold?.closest<HTMLElement>("[hidden]")).toBeNull();
  const cells = () => [...(fold?.querySelectorAll("tr") ?? [])].map((row) => row.textContent);
  expect(cells()).toEqual([
    "lr0.0003",
    "model/name<b>net</b>",
    "betas[0.9,1]",
    "amptrue",
    "nonenull",
  ]);
  view.store.take(frameOf(1, [], { entities: said({ config: { lr: 1 } }) }));
  view.settle();
  expect(cells()).toEqual(["lr1"]);
});

test("a recording that holds a configuration alone shows it", () => {
  const view = mounted([[0, 1, 1]], {
    series: [series(0, "gpu.power", "gpu:0")],
    entities: said({ config: { lr: 1 } }),
    state: { phase: "replay" },
  });
  const toggle = view.own()?.querySelector<HTMLElement>(".pulse-config-toggle");
  expect(toggle?.closest<HTMLElement>("[hidden]")).toBeNull();
  toggle?.click();
  const fold = view.own()?.querySelector<HTMLElement>(".pulse-config");
  expect(fold?.closest<HTMLElement>("[hidden]")).toBeNull();
  expect(fold?.textContent).toContain("lr1");
});

test("the configuration takes no line of its own where charts have tools, nor where it is empty", () => {
  const view = mounted([[0, 1, 1]], {
    series: [series(0, "loss")],
    entities: said({ config: {} }),
  });
  const toggle = view.own()?.querySelector<HTMLElement>(".pulse-config-toggle");
  expect(toggle?.hidden).toBe(true);
  view.store.take(frameOf(1, [], { entities: said({ config: { lr: 1 } }) }));
  view.settle();
  expect(toggle?.hidden).toBe(false);
  expect(toggle?.closest(".pulse-group-head")).not.toBeNull();
  const below = view.own()?.querySelector(".pulse-own-below")?.children ?? [];
  expect([...below].filter((el) => !(el as HTMLElement).hidden)).toEqual([]);
});

test("of a very long configuration the first rows are shown, and how many are not", () => {
  const config = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`k${i}`, i]));
  const view = mounted([[0, 1, 1]], { series: [series(0, "loss")], entities: said({ config }) });
  const rows = view.own()?.querySelectorAll(".pulse-config tr") ?? [];
  expect(rows).toHaveLength(201);
  expect(rows[200]?.textContent).toBe("and 50 more");
});

test.each([
  [1, "1"],
  ["text", "text"],
  [{}, "{}"],
  [[1, "a"], '[1,"a"]'],
  [null, "null"],
])("%j is written as %j", (value, text) => expect(configText(value)).toBe(text));

test("loops that run have a bar with what is left; ended and left ones have none", () => {
  const bars = ["kernel/bar:train", "kernel", "kernel/bar:left", "kernel/bar:done"];
  const all = [...bars.map((entity, id) => series(id, "progress", entity)), series(4, "loss")];
  const rows: Row[] = [
    [2, 0, 0.5],
    [3, 0, 1],
    [0, 90, 0],
    [1, 90, 1.2],
    [0, 100, 0.25],
    [4, 100, 1],
  ];
  const view = mounted(
    [...rows].sort((a, b) => a[1] - b[1]),
    { series: all },
  );
  const bar = () => [...(view.own()?.querySelectorAll(".pulse-progress-bar") ?? [])];
  expect(bar().map((el) => el.textContent)).toEqual(["train25 %, 30 s left", "Progress120 %"]);
  expect(bar()[0]?.getAttribute("aria-valuenow")).toBe("25");
  view.store.take(
    frameOf(1, [
      [0, 110, 0.999],
      [4, 110, 1],
    ]),
  );
  view.settle();
  expect(bar().map((el) => el.textContent?.split(",")[0])).toEqual(["train99 %"]);
  view.store.take(frameOf(2, [], { state: { phase: "stopped" } }));
  view.settle();
  expect(bar()).toEqual([]);
});

test.each<[string, [number, number][], number | null]>([
  [
    "at the pace so far",
    [
      [0, 0],
      [10, 0.5],
    ],
    10,
  ],
  [
    "since the loop began anew",
    [
      [0, 0],
      [10, 0.9],
      [11, 0],
      [12, 0.1],
    ],
    9,
  ],
  ["of nothing is known", [[10, 0.5]], null],
  [
    "of what stands still neither",
    [
      [0, 0.5],
      [10, 0.5],
    ],
    null,
  ],
  [
    "of what is done neither",
    [
      [0, 0],
      [10, 1],
    ],
    null,
  ],
  [
    "after a gap as if the loop began there",
    [
      [0, 0],
      [5, Number.NaN],
      [6, 0.5],
      [8, 0.75],
    ],
    2,
  ],
])("the time that is left, %s", (_, points, left) => {
  const out = columns();
  out.length = points.length;
  for (const [i, [time, value]] of points.entries()) {
    out.time[i] = time;
    for (const key of ["min", "max", "mean"] as const) out[key][i] = value;
  }
  const [time, share] = points.at(-1) as [number, number];
  const found = timeLeft(out, share, time);
  if (left === null) expect(found).toBeNull();
  else expect(found).toBeCloseTo(left, 9);
});

function panelsOf(store: Store): Panel[] {
  return userPanels(store.catalog(), {
    catalog: store.catalog(),
    classes: () => new Map(),
    asked: false,
    still: false,
    owners: new Owners(store.entities(), ["h0"]),
    colors: new Map(),
    crowds: new Map(),
  });
}

test("the best value is told with its step or time, of several lines with their names", () => {
  const store = new Store();
  const names = ["train/loss", "val/loss", "speed", "plain"].map((metric, id) =>
    series(id, metric),
  );
  const rows: Row[] = [
    [0, 1, 3, 100],
    [1, 1, 0.31, 1200],
    [0, 2, 5, 1300],
    [1, 2, 0.5, 1300],
    [2, 2, 7],
    [3, 2, 1],
  ];
  const defined = {
    "*/loss": { better: "min", unit: "nats", title: "Loss" },
    speed: { better: "max", unit: "B/s" },
    plain: { better: "wrong" },
  };
  store.take(frameOf(0, rows, { series: names, entities: said({ defined }) }));
  const [loss, speed, plain] = panelsOf(store) as [Panel, Panel, Panel];
  const scene = { source: store, hidden: new Set<string>(), range: [0, 10] } as unknown as Scene;
  expect(loss.title).toBe("Loss");
  expect(bestText(loss, scene)).toBe("best train 3 at step 100, val 0.31 at step 1200");
  const hidden = new Set([loss.lines[0]?.key as string]);
  expect(bestText(loss, { ...scene, hidden })).toBe("best val 0.31 at step 1200");
  expect(bestText(speed, scene)).toMatch(/^best 7 B\/s at .*\d\d:\d\d:\d\d/);
  expect(bestText(plain, scene)).toBe("");
});

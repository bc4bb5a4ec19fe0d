// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StatusItem } from "./status-item";
import { FakeFeed, FakeMonitors, seriesOf, settingsOf, TRANS } from "./testing";

vi.mock("../shared/icon", () => ({
  pulseIcon: { element: () => document.createElement("span") },
}));

beforeEach(() => {
  vi.useFakeTimers({ now: 100_000 });
  show("visible");
});
const made: StatusItem[] = [];
afterEach(() => {
  for (const item of made.splice(0)) item.dispose();
  vi.useRealTimers();
});

function show(state: "visible" | "hidden"): void {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

function itemOf(statusLine = true) {
  const monitors = new FakeMonitors();
  const settings = settingsOf({ statusLine });
  const open = vi.fn();
  const item = new StatusItem(monitors.asMonitors, settings, TRANS, open);
  made.push(item);
  const feed = new FakeFeed();
  let second = 0;
  const tick = (busy = 0.5) => {
    second++;
    const state = { phase: "running", t0: 0, interval: 1 };
    const series = second === 1 ? seriesOf([["gpu:0", "gpu.utilization"]]) : [];
    feed.frame([[0, second, busy]], { series, state });
  };
  const button = item.node.querySelector("button") as HTMLButtonElement;
  const text = () => button.textContent;
  return { monitors, settings, open, item, feed, tick, button, text };
}

test("it is there while a monitor runs, and looks only then", () => {
  const { monitors, item, feed, tick, text } = itemOf();
  const active: boolean[] = [];
  item.activeChanged.connect(() => active.push(item.isActive));
  expect([item.isActive, monitors.watchers]).toEqual([false, 0]);

  tick();
  monitors.say("running", { store: feed.store });
  expect(text()).toBe("GPU 50 %");
  expect(monitors.watchers).toBe(1);

  monitors.say("idle", { store: null });
  expect([item.isActive, monitors.watchers]).toEqual([false, 0]);
  expect(active).toEqual([true, false]);
});

test("it changes once a second, however much comes", () => {
  const { monitors, feed, tick, button, text } = itemOf();
  tick();
  monitors.say("running", { store: feed.store });
  const seen = new Set<string | null>();

  for (let i = 0; i < 100; i++) {
    tick(i / 100);
    vi.advanceTimersByTime(100);
    seen.add(text());
  }

  expect(seen.size).toBeGreaterThanOrEqual(10);
  expect(seen.size).toBeLessThanOrEqual(11);
  expect(button.title).toContain("Click to open the Pulse panel");
});

test("a page that is hidden, and a line that is switched off, look at nothing", async () => {
  const { monitors, settings, item, feed, tick } = itemOf();
  tick();
  monitors.say("running", { store: feed.store });

  show("hidden");
  expect([item.isActive, monitors.watchers, vi.getTimerCount()]).toEqual([false, 0, 0]);
  show("visible");
  expect([item.isActive, monitors.watchers]).toEqual([true, 1]);

  await settings.set("statusLine", false);
  expect([item.isActive, monitors.watchers, vi.getTimerCount()]).toEqual([false, 0, 0]);
});

test("while an answer is awaited the line stays", () => {
  const { monitors, feed, tick, text, item } = itemOf();
  tick();
  monitors.say("running", { store: feed.store });

  monitors.say("starting");

  expect([item.isActive, text()]).toEqual([true, "GPU 50 %"]);
});

test("an alarm has a sign and words, and its name says them", () => {
  const { monitors, feed, tick, text, button } = itemOf();
  tick();
  tick(Number.NaN);

  monitors.say("running", { store: feed.store });

  expect(text()).toBe("\u25b2 1 GPU lostGPU \u2013");
  expect(button.title).toContain("1 GPU lost");
});

test("what comes later is shown as well", () => {
  const { monitors, feed, tick, text } = itemOf();
  tick();
  monitors.say("running", { store: feed.store });

  const [, second] = seriesOf([
    ["gpu:0", "gpu.utilization"],
    ["gpu:1", "gpu.utilization"],
  ]);
  feed.frame([[1, 2, 0.9]], { series: [second] });
  vi.advanceTimersByTime(1000);

  expect(text()).toBe("2 GPUs 70 %");
});

test("it is a button that opens the panel", () => {
  const { open, button } = itemOf();

  button.click();

  expect(button.type).toBe("button");
  expect(open).toHaveBeenCalledTimes(1);
});

test("of 200 that came and went nothing is left", () => {
  const { monitors, feed } = itemOf();
  let open = 0;
  const inner = feed.store.subscribe.bind(feed.store);
  vi.spyOn(feed.store, "subscribe").mockImplementation((listener) => {
    open++;
    const leave = inner(listener);
    return () => {
      open--;
      leave();
    };
  });
  monitors.say("running", { store: feed.store });
  const before = [open, monitors.watchers, vi.getTimerCount()];

  for (let i = 0; i < 200; i++) {
    new StatusItem(monitors.asMonitors, settingsOf(), TRANS, () => undefined).dispose();
  }

  expect([open, monitors.watchers, vi.getTimerCount()]).toEqual(before);
});

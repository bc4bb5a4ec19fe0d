import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { arrivalOf } from "../history/channel";
import { Store } from "../history/store";
import type { Ending } from "../source";
import { SavedStore } from "../still/saved";
import { encodeFrame, frameOf, keyframeOf } from "../testing/packets";
import { endingCards } from "./cards";
import { statusOf } from "./status";
import { initialState } from "./view-state";

const running = { phase: "running", t0: 0, recording: { path: "x.pulse" } };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function heard(state: Record<string, unknown> = running, store = new Store()): Store {
  store.take(keyframeOf(0, [0, 10], [{ id: 0, lo: 0, hi: 1, codes: [[0, 0]] }], { state }));
  return store;
}

function wordOf(store: Store): string {
  return statusOf(store, initialState(300), 60, "").word;
}

test("a session whose kernel went is over, and the view says how and what to do", () => {
  const store = heard();
  const changes = vi.fn();
  store.subscribe(changes);

  store.end("restarted");
  store.end("died");

  expect(store.state().phase).toBe("stopped");
  expect(wordOf(store)).toBe("Kernel died");
  expect(changes).toHaveBeenCalledTimes(2);
  const [card] = endingCards(store);
  expect(card?.title).toBe("The kernel died");
  expect(card?.remedy).toBe(
    "Run the cell again for a new session. `pw.recordings()` finds the recording of this one; at a `record=` path, `pulse-widgets repair` finishes it.",
  );
});

test("a session that was not recorded promises no recording", () => {
  const store = heard({ ...running, recording: { path: null } });

  store.end("shut down");

  expect(endingCards(store)[0]?.remedy).toMatch(/was not recorded/);
});

test("of several signs the first counts, unless a later one knows better", () => {
  const ends = (...signs: Ending[]) => {
    const store = heard();
    for (const sign of signs) store.end(sign);
    return store.ended();
  };

  expect(ends("restarted", "died", "restarted")).toBe("died");
  expect(ends("shut down", "died", "shut down")).toBe("shut down");
  expect(ends("shut down", "replaced")).toBe("replaced");

  const store = heard();
  store.end("restarted");
  vi.advanceTimersByTime(60_000);
  store.end("died");
  expect(store.ended()).toBe("restarted");
});

test("a session that stopped because its kernel went says so, whichever is heard first", () => {
  const [before, after] = [heard(), heard()];
  const last = encodeFrame(1, [], { state: { ...running, phase: "stopped" } });

  before.end("restarted");
  before.take(arrivalOf(last));
  after.take(arrivalOf(last));
  vi.advanceTimersByTime(1_000);
  after.end("restarted");

  expect([wordOf(before), wordOf(after)]).toEqual(["Kernel restarted", "Kernel restarted"]);
});

test("a session that had stopped before has no other end", () => {
  const store = heard({ ...running, phase: "stopped" });

  vi.advanceTimersByTime(60_000);
  store.end("restarted");

  expect(store.ended()).toBeNull();
  expect(wordOf(store)).toBe("Stopped");
  expect(endingCards(store)).toEqual([]);
});

test("last words change nothing, and a kernel that goes on talking has not gone", () => {
  const store = heard();
  store.end("restarted");

  vi.advanceTimersByTime(2_000);
  store.take(frameOf(1, [[0, 11, 1]]));
  expect(wordOf(store)).toBe("Kernel restarted");

  vi.advanceTimersByTime(20_000);
  store.take(frameOf(2, [[0, 31, 1]]));
  expect(store.ended()).toBeNull();
  expect(store.state().phase).toBe("running");
});

test("a picture of a session that was cut off says so, too", () => {
  const store = heard(running, new SavedStore());

  store.end("died");

  expect(wordOf(store)).toBe("Kernel died");
  expect(store.state().phase).toBe("stopped");
});

test("a session that somebody stopped in a cell stays stopped, however soon the kernel goes", () => {
  const store = heard({ ...running, kernel: { busy: true, cell: 4 } });
  const stopped = { ...running, phase: "stopped", kernel: { busy: true, cell: 4 } };
  store.take(frameOf(1, [], { state: stopped }));
  // Every keyframe says it again.
  vi.advanceTimersByTime(1_000);
  store.take(frameOf(2, [], { state: { ...stopped, kernel: { busy: false, cell: null } } }));

  vi.advanceTimersByTime(1_000);
  store.end("restarted");

  expect(store.ended()).toBeNull();
  expect(wordOf(store)).toBe("Stopped");
});

test("a kernel that went while a cell ran is told, though its session says that it stopped", () => {
  const store = heard({ ...running, kernel: { busy: true, cell: 4 } });
  const stopped = { ...running, phase: "stopped", kernel: { busy: true, cell: 4 } };

  store.end("restarted");
  store.take(frameOf(1, [], { state: stopped }));

  expect(wordOf(store)).toBe("Kernel restarted");
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { panned, scaled, selected } from "../vocabulary/axis-range";
import { initialState, reduce, type ViewState, visibleRange } from "./view-state";

const start = initialState(300);

function following(...actions: Parameters<typeof reduce>[1][]): ViewState {
  return actions.reduce(reduce, start);
}

describe("the stretch of time in view", () => {
  test("follows the newest sample, as wide as the window", () => {
    expect(visibleRange(start, [0, 1000], true)).toEqual([700, 1000]);
    expect(visibleRange(start, [0, 1001], true)).toEqual([701, 1001]);
  });

  test("of a run that has just begun is 30 s wide and starts at its first sample", () => {
    expect(visibleRange(start, [100, 104], true)).toEqual([100, 130]);
  });

  test("grows with the data until it is as wide as the window", () => {
    expect(visibleRange(start, [100, 220], true)).toEqual([100, 220]);
  });

  test("of a short recording is all of it, no more", () => {
    expect(visibleRange(initialState("all"), [100, 104], false)).toEqual([100, 104]);
  });

  test("stands still while paused, however much data comes", () => {
    const held = following({ type: "pause", at: 1000 });
    expect(visibleRange(held, [0, 5000], true)).toEqual([700, 1000]);
  });

  test("is what the viewer zoomed to, paused or not", () => {
    const zoomed = following({ type: "range", range: [10, 20] }, { type: "pause", at: 1000 });
    expect(visibleRange(zoomed, [0, 5000], true)).toEqual([10, 20]);
  });

  test("is live again after resuming", () => {
    const live = following(
      { type: "pause", at: 1000 },
      { type: "range", range: [10, 20] },
      { type: "resume" },
    );
    expect(visibleRange(live, [0, 5000], true)).toEqual([4700, 5000]);
  });

  test("forgets the zoom when a window is chosen or the zoom is reset", () => {
    const zoomed = following({ type: "range", range: [10, 20] });
    const chosen = reduce(zoomed, { type: "window", window: 30 });
    expect(visibleRange(chosen, [0, 5000], true)).toEqual([4970, 5000]);
    expect(reduce(zoomed, { type: "reset" }).range).toBeNull();
  });
});

describe("moving and scaling a range", () => {
  test("panning keeps the width", () => {
    expect(panned([100, 200], -0.2, [0, 1000])).toEqual([80, 180]);
  });

  test("nothing pans to before the data, and a range that began there does not go further", () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const width = fc.double({ min: 0.01, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(number, width, number, width, number, (from, wide, first, long, by) => {
        const [start, end] = panned([from, from + wide], by, [first, first + long]);
        expect(start).toBeGreaterThanOrEqual(Math.min(first, from));
        expect(end - start).toBeCloseTo(wide, 3);
      }),
    );
  });

  test("panning never loses touch with the data", () => {
    expect(panned([100, 200], -50, [0, 1000])).toEqual([0, 100]);
    expect(panned([100, 200], 50, [0, 1000])).toEqual([990, 1090]);
  });

  test("scaling leaves the anchor where it is on screen", () => {
    const [from, to] = scaled([100, 200], 0.5, 125, [0, 1000]);
    expect(to - from).toBeCloseTo(50);
    expect((125 - from) / (to - from)).toBeCloseTo(0.25);
  });

  test("zooming out stops a little beyond all there is", () => {
    const [from, to] = scaled([0, 1000], 1000, 500, [0, 1000]);
    expect(to - from).toBe(1500);
  });

  test("a selection counts in either direction, a twitch does not count", () => {
    expect(selected(20, 10)).toEqual([10, 20]);
    expect(selected(10, 10.001)).toBeNull();
  });
});

describe("hiding lines", () => {
  test("one at a time, and back", () => {
    const hidden = following({ type: "hide", key: "gpu:1" });
    expect([...hidden.hidden]).toEqual(["gpu:1"]);
    expect(reduce(hidden, { type: "hide", key: "gpu:1" }).hidden.size).toBe(0);
  });

  test("all but one, then all again", () => {
    const only = { type: "only", key: "b", keys: ["a", "b", "c"] } as const;
    const alone = following({ type: "hide", key: "b" }, only);
    expect([...alone.hidden].sort()).toEqual(["a", "c"]);
    expect(reduce(alone, only).hidden.size).toBe(0);
  });

  test("showing one line alone leaves other charts' lines as they were", () => {
    const other = following({ type: "hide", key: "x" });
    const alone = reduce(other, { type: "only", key: "a", keys: ["a", "b"] });
    expect([...alone.hidden].sort()).toEqual(["b", "x"]);
  });
});

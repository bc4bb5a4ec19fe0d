import { describe, expect, test } from "vitest";
import { type Columns, columns } from "../source";
import { encodeKeyframe, frameOf, keyframeOf, type Row } from "../testing/packets";
import { arrivalOf } from "./channel";
import { Store } from "./store";

function picture(store: Store, t0: number, t1: number, points: number): Columns {
  const out = columns();
  store.range(0, t0, t1, points, out);
  return out;
}

function minima(out: Columns): number[] {
  return [...out.min.subarray(0, out.length)];
}

describe("the ends of what a Store has", () => {
  test("knows the exact last value that a keyframe tells, until a newer row comes", () => {
    const store = new Store();
    store.take(arrivalOf(told(9, [342])));
    expect(store.last(0)?.value).toBe(342);

    store.take(frameOf(10, [[0, 6, 7]]));
    expect(store.last(0)).toEqual({ time: 6, value: 7 });

    store.take(arrivalOf(told(9, [342])));
    expect(store.last(0)?.value).toBe(7);
    store.take(arrivalOf(told(12, [8])));
    expect(store.last(0)?.value).toBe(8);
  });

  test("knows of a keyframe that a reading is missing now", () => {
    const store = new Store();
    store.take(arrivalOf(told(9, [null])));

    expect(store.last(0)?.value).toBeNaN();
  });

  test("takes the middle of the last bucket where a keyframe tells no last value", () => {
    const store = new Store();
    store.take(arrivalOf(told(9)));

    expect(store.last(0)?.value).toBe(300);
  });

  test("knows nothing of a time before the session began or after it had stopped", () => {
    const store = new Store();
    const state = { phase: "stopped", t0: 9, t1: 21 };
    const codes = [[1, 1] as const, [2, 2] as const, [3, 3] as const];

    store.take(keyframeOf(9, [0, 10, 20, 30], [{ id: 0, lo: 0, hi: 65533, codes }], { state }));

    expect(store.extent()).toEqual([9, 21]);
    const out = picture(store, 0, 30, 300);
    expect(out.time[0]).toBeGreaterThanOrEqual(9);
    expect(out.time[out.length - 1]).toBeLessThanOrEqual(21);
    expect(minima(out)).toContain(1);
    expect(minima(out)).toContain(3);
  });

  test("ends what it has where the session stops", () => {
    const store = new Store();
    const running = { phase: "running", t0: 0, t1: null };
    const codes = [[1, 1] as const, [2, 2] as const];
    const envelopes = [{ id: 0, lo: 0, hi: 65533, codes }];
    store.take(keyframeOf(9, [0, 10, 20], envelopes, { state: running }));
    expect(store.extent()).toEqual([0, 20]);

    store.take(frameOf(10, [], { state: { phase: "stopped", t0: 0, t1: 13 } }));

    expect(store.extent()).toEqual([0, 13]);
  });

  const mark = (time: number) => {
    return { time, host: "h", entity: "user", metric: "mark", facts: { label: "here" } };
  };
  const cell = (start: number, end: number | null) => {
    return { host: "h", entity: "cell:1", metric: "cell", start, end, facts: {} };
  };

  test.each([
    ["a mark after the last sample", { moments: [mark(10.4)] }, [8, 10.4]],
    ["a mark before the first one", { moments: [mark(7.5)] }, [7.5, 10]],
    ["a mark among them", { moments: [mark(9)] }, [8, 10]],
    ["marks beyond what is called its ends", { moments: [mark(6.5), mark(11.5)] }, [6.5, 11.5]],
    ["marks of another clock", { moments: [mark(-1e6), mark(1e9)] }, [8, 10]],
    ["a cell that ends after them", { spans: [cell(9, 10.7)] }, [8, 10.7]],
    ["a cell that begins after them", { spans: [cell(10.2, null)] }, [8, 10.2]],
    ["the cell that began the session", { spans: [cell(1, 9)] }, [8, 10]],
  ] as const)("has within its ends %s", (_, events, expected) => {
    const store = new Store();
    const rows = [8, 9, 10].map((time): Row => [0, time, time]);
    const state = { phase: "stopped", t0: 7, t1: 11 };
    store.take(frameOf(1, rows, { state, ...events }));
    expect(store.extent()).toEqual(expected);
  });

  test("has a mark of a session without a known end within its ends, but not of another clock", () => {
    const store = new Store();
    const rows = [8, 9, 10].map((time): Row => [0, time, time]);
    store.take(frameOf(1, rows, { state: { phase: "replay" }, moments: [mark(10.4), mark(900)] }));
    expect(store.extent()[1]).toBe(10.4);
  });

  test("shows samples that were taken before the session began no more than it has to", () => {
    const store = new Store();
    const rows = [7, 8, 9, 10].map((time): Row => [0, time, time]);
    store.take(frameOf(1, rows, { state: { phase: "running", t0: 8.5, t1: null } }));
    expect(store.extent()).toEqual([8.5, 10]);

    // A clock that was set is no reason to show nothing.
    store.take(frameOf(2, [], { state: { phase: "stopped", t0: 1e9, t1: 1e9 + 1 } }));
    expect(store.extent()).toEqual([7, 10]);
  });
});

/** A keyframe with one bucket, from 100 to 500, and the last values, if given. */
function told(seq: number, last?: readonly (number | null)[]): Uint8Array {
  const codes = [[100, 500] as const];
  return encodeKeyframe(seq, [0, 5], [{ id: 0, lo: 0, hi: 65533, codes }], last ? { last } : {});
}

/** The kernel may have forgotten the older past before the page does: what the page has of it stays. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columns } from "../source";
import { encodePacket, frameOf, keyframeOf, type Row } from "../testing/packets";
import { arrivalOf } from "./channel";
import { Store } from "./store";

const END = 400;
/** Buckets of the keyframe. */
const WIDE = 10;
const value = (time: number) => 100 + ((7 * time) % 90);
const moments = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** A page that knows of the past what a keyframe told, and rows of the last 50 seconds. */
function opened(begin = 0): Store {
  const store = new Store();
  const past = END - 50;
  const edges = moments(0, past / WIDE + 1).map((i) => i * WIDE);
  const codes = edges.slice(0, -1).map((edge) => {
    const values = moments(edge, edge + WIDE).filter((time) => time >= begin);
    if (values.length === 0) return null;
    return [Math.min(...values.map(value)), Math.max(...values.map(value))] as const;
  });
  store.take(keyframeOf(1, edges, [{ id: 0, lo: 0, hi: 65533, codes }]));
  const rows = moments(past, END).map((time): Row => [0, time + 0.5, value(time)]);
  store.take(frameOf(2, rows));
  return store;
}

/** An answer in buckets of one second: they begin at `edge`, and tell something from `first` on. */
function reply(store: Store, [t0, t1]: readonly [number, number], edge: number, first: number) {
  const edges = moments(edge, Math.max(t1, edge + 1) + 1);
  const told = edges.slice(0, -1).map((time) => (time < first ? Number.NaN : value(time)));
  const envelopes = { ids: [0], buckets: told.length, stepped: [] };
  const header = { request: 1, ids: [0], t0, t1, n: 0, steps: false, reduced: [0], envelopes };
  const column = Float64Array.from(told);
  const body = [Float64Array.from(edges), column, column, column, new Uint8Array(told.length)];
  store.take(arrivalOf(encodePacket({ kind: "rows", ...header }, body)));
}

const wants = (store: Store, t0: number, t1: number, points: number) =>
  store.incomplete([0], t0, t1, points).length > 0;

function extremes(store: Store, t0: number, t1: number): [number, number] {
  const out = columns();
  store.range(0, t0, t1, 1, out);
  const known = (column: Float64Array) =>
    [...column.subarray(0, out.length)].filter((one) => !Number.isNaN(one));
  return [Math.min(...known(out.min)), Math.max(...known(out.max))];
}

function seen(store: Store, t0: number, t1: number): unknown[] {
  const out = columns();
  store.range(0, t0, t1, t1 - t0, out);
  return Array.from({ length: out.length }, (_, i) => [out.time[i], out.min[i], out.max[i]]);
}

describe("an answer in envelopes that starts later than it was asked for", () => {
  test.each([
    ["its edges", 200],
    ["what it tells of this series", 0],
  ])("leaves the older past, where %s begin later", (_, edge) => {
    const store = opened();
    const before = seen(store, 0, 190);

    reply(store, [0, 300], edge, 200);

    expect(before.length).toBeGreaterThan(10);
    expect(seen(store, 0, 190)).toEqual(before);
    // From there on it is as fine as it was told.
    const fine = seen(store, 220, 280);
    expect(fine.length).toBeGreaterThan(50);
  });

  test("is not asked for twice, and what it told may be asked for more finely", () => {
    const store = opened();
    expect(wants(store, 0, 190, 190)).toBe(true);

    reply(store, [0, 300], 200, 200);

    expect(wants(store, 0, 190, 190)).toBe(false);
    expect(wants(store, 0, 190, 1e6)).toBe(false);
    expect(wants(store, 200, 300, 100)).toBe(false);
    expect(wants(store, 200, 300, 1000)).toBe(true);
  });

  test("loses no value of the past, whatever was looked at before", () => {
    const look = fc.record({
      from: fc.integer({ min: 0, max: END - 60 }),
      length: fc.integer({ min: 2, max: END }),
      forgotten: fc.integer({ min: 0, max: END - 60 }),
    });
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 6 }), (looks) => {
        const store = opened();
        let forgotten = 0;
        for (const one of looks) {
          forgotten = Math.max(forgotten, one.forgotten);
          const t1 = Math.min(one.from + one.length, END - 50);
          reply(store, [one.from, t1], Math.max(one.from, forgotten), forgotten);
          for (const time of moments(0, END - 50 - WIDE)) {
            const [low, high] = extremes(store, time, time + 2 * WIDE);
            const there = moments(time, time + WIDE).map(value);
            expect(low).toBeLessThanOrEqual(Math.min(...there));
            expect(high).toBeGreaterThanOrEqual(Math.max(...there));
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("shows nothing before a series begins, within a coarse bucket", () => {
    const store = opened(205);

    reply(store, [100, 300], 205, 205);

    const times = seen(store, 100, 260).map((one) => (one as number[])[0] as number);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(205);
  });
});

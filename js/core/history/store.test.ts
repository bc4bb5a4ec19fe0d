import { describe, expect, test, vi } from "vitest";
import { type Columns, columns } from "../source";
import {
  answerOf,
  encodeFrame,
  encodeKeyframe,
  encodePacket,
  frameOf,
  keyframeOf,
  type Row,
} from "../testing/packets";
import { WireError } from "../wire/header";
import { arrivalOf } from "./channel";
import { Store } from "./store";

const { NaN: NAN } = Number;

/** Frames of one series, ten rows a second: row k at time k / 10 with value k. */
function frame(seq: number, from: number, to: number): Uint8Array {
  const rows: Row[] = [];
  for (let k = from; k < to; k++) rows.push([0, k / 10, k]);
  return encodeFrame(seq, rows);
}

/** A keyframe of the same series with one bucket a second; code is value. */
function keyframe(seq: number, from: number, to: number): Uint8Array {
  const edges = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const codes = edges.slice(0, -1).map((edge) => [edge * 10, edge * 10 + 9] as const);
  return encodeKeyframe(seq, edges, [{ id: 0, lo: 0, hi: 65533, codes }]);
}

function picture(store: Store, t0: number, t1: number, points: number): Columns {
  const out = columns();
  store.range(0, t0, t1, points, out);
  return out;
}

function minima(out: Columns): number[] {
  return [...out.min.subarray(0, out.length)];
}

const CORE = { host: "h0", entity: "cpu:0", labels: { name: "x" } };

describe("Store", () => {
  test("appends frames and knows its extent and newest value", () => {
    const store = new Store();

    store.take(arrivalOf(frame(1, 0, 10)));
    store.take(arrivalOf(frame(2, 10, 20)));

    expect(store.extent()).toEqual([0, 1.9]);
    expect(store.last(0)).toEqual({ time: 1.9, value: 19 });
    expect(store.last(7)).toBeNull();
    expect(minima(picture(store, 0, 1.99, 2))).toEqual([0, 10]);
    expect(store.lost()).toBe(0);
  });

  test("tells each subscriber once a packet what it changed, until it leaves", () => {
    const store = new Store();
    const listener = vi.fn();
    const leave = store.subscribe(listener);

    store.take(frameOf(1, [[0, 1, 1]], { entities: [CORE] }));
    leave();
    store.take(arrivalOf(frame(2, 10, 20)));

    expect(listener.mock.calls).toEqual([
      [{ series: false, entities: true, state: false, events: false, lines: false, samples: true }],
    ]);
  });

  test("goes on when one of its views fails", () => {
    const store = new Store();
    const listener = vi.fn();
    const complain = vi.spyOn(console, "error").mockImplementation(() => {});
    store.subscribe(() => {
      throw new Error("broken view");
    });
    store.subscribe(listener);

    store.take(arrivalOf(frame(1, 0, 10)));

    expect(listener).toHaveBeenCalledOnce();
    expect(complain).toHaveBeenCalledOnce();
    complain.mockRestore();
  });

  test("counts lost frames and shows a gap where they were", () => {
    const store = new Store();

    store.take(arrivalOf(frame(1, 0, 10)));
    store.take(arrivalOf(frame(4, 30, 40)));

    expect(store.lost()).toBe(2);
    expect(minima(picture(store, 0, 3.99, 4))).toEqual([0, NAN, NAN, 30]);
  });

  test("repairs what was lost from the next keyframe, and leaves exact rows alone", () => {
    const store = new Store();
    store.take(arrivalOf(frame(1, 0, 10)));
    store.take(arrivalOf(frame(4, 30, 40)));

    store.take(arrivalOf(keyframe(4, 0, 4)));

    expect(minima(picture(store, 0, 3.99, 4))).toEqual([0, 10, 20, 30]);
    expect(minima(picture(store, 0.05, 0.85, 1000)).slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(store.lost()).toBe(2);
  });

  test("leaves the gap of frames lost after the keyframe was made, for the next one to fill", () => {
    const store = new Store();
    store.take(arrivalOf(frame(1, 0, 10)));
    store.take(arrivalOf(frame(4, 30, 40)));

    store.take(arrivalOf(keyframe(1, 0, 1)));

    expect(minima(picture(store, 0, 3.99, 4))).toEqual([0, NAN, NAN, 30]);

    store.take(arrivalOf(keyframe(4, 0, 4)));

    expect(minima(picture(store, 0, 3.99, 4))).toEqual([0, 10, 20, 30]);
  });

  test("takes the past from a keyframe that comes after the first frame", () => {
    const store = new Store();
    store.take(arrivalOf(frame(9, 50, 60)));

    store.take(arrivalOf(keyframe(9, 0, 6)));

    expect(store.extent()[0]).toBe(0);
    expect(minima(picture(store, 0, 5.99, 6))).toEqual([0, 10, 20, 30, 40, 50]);
    expect(store.lost()).toBe(0);
  });

  test("finds what was missed within the last bucket of an old snapshot", () => {
    const store = new Store();
    const wide = { id: 0, lo: 0, hi: 65533, codes: [[1, 1] as const, [1, 1] as const] };
    store.take(keyframeOf(10, [0, 30, 60], [wide]));
    store.take(frameOf(50, [[0, 50, 1]]));

    const edges = Array.from({ length: 52 }, (_, i) => i);
    const codes = edges.slice(1).map((_, i) => (i === 40 ? ([9, 9] as const) : ([1, 1] as const)));
    store.take(keyframeOf(50, edges, [{ id: 0, lo: 0, hi: 65533, codes }]));

    const out = picture(store, 0, 55, 55);
    const top = [...out.max.subarray(0, out.length)].indexOf(9);
    expect(out.time[top]).toBeCloseTo(40.5);
  });

  test("shows no gap where a row follows within the last bucket of an old snapshot", () => {
    const store = new Store();
    const wide = { id: 0, lo: 0, hi: 65533, codes: [[1, 1] as const, [1, 1] as const] };
    store.take(keyframeOf(10, [0, 30, 60], [wide]));

    for (let time = 40; time < 70; time++) store.take(frameOf(time, [[0, time, 1]]));

    expect(minima(picture(store, 0, 70, 70)).some(Number.isNaN)).toBe(false);
  });

  test("calls a silence no loss because a frame was lost and found before it", () => {
    const store = new Store();
    store.take(keyframeOf(0, [0], []));
    store.take(
      frameOf(1, [
        [0, 1, 5],
        [1, 1, 5],
      ]),
    );
    store.take(frameOf(3, [[0, 3, 5]]));
    const codes = [[5, 5] as const, null, null];
    const envelopes = [0, 1].map((id) => ({ id, lo: 0, hi: 65533, codes }));
    store.take(keyframeOf(3, [1, 2, 3, 4], envelopes));

    store.take(frameOf(4, [[1, 15, 5]]));

    const out = columns();
    store.range(1, 0, 16, 16, out);
    expect(minima(out).some(Number.isNaN)).toBe(false);
  });

  test("goes on without a gap after the keyframe that the next frame follows", () => {
    const store = new Store();
    store.take(arrivalOf(keyframe(9, 0, 6)));

    store.take(arrivalOf(frame(10, 60, 70)));

    expect(minima(picture(store, 4, 6.99, 3))).toEqual([30, 40, 50, 60]);
    expect(store.lost()).toBe(0);
  });

  test("shows a gap between an old snapshot and the first frame, but calls nothing lost", () => {
    const store = new Store();
    store.take(arrivalOf(keyframe(9, 0, 6)));

    store.take(arrivalOf(frame(40, 80, 90)));
    expect(minima(picture(store, 0, 8.99, 9)).filter(Number.isNaN)).toHaveLength(2);
    expect(store.lost()).toBe(0);

    store.take(arrivalOf(keyframe(40, 0, 9)));
    expect(minima(picture(store, 0, 8.99, 9))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80]);
  });

  test("fills a silence of the feed without calling it lost", () => {
    const store = new Store();
    store.take(arrivalOf(frame(1, 0, 10)));
    store.take(arrivalOf(frame(2, 80, 90)));

    expect(store.lost()).toBe(0);
    expect(minima(picture(store, 0, 8.99, 9))).toEqual([0, 80]);

    store.take(arrivalOf(keyframe(2, 0, 9)));
    expect(minima(picture(store, 0, 8.99, 9))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80]);
  });

  test("ignores a frame that comes twice", () => {
    const store = new Store();
    store.take(arrivalOf(frame(1, 0, 10)));
    store.take(arrivalOf(frame(1, 0, 10)));

    expect(picture(store, 0, 0.9, 100).length).toBe(10);
  });

  test("does not show a spike a second time in a hole beside it", () => {
    const store = new Store();
    store.take(
      frameOf(1, [
        [0, 1.0, 5],
        [0, 1.1, 900],
        [0, 1.2, 5],
      ]),
    );
    store.take(
      frameOf(3, [
        [0, 1.8, 5],
        [0, 1.9, 5],
      ]),
    );

    const codes = [[5, 900] as const];
    store.take(keyframeOf(3, [1, 2], [{ id: 0, lo: 0, hi: 65533, codes }]));

    const out = picture(store, 1, 2, 20);
    expect([...out.max.subarray(0, out.length)].filter((value) => value > 5)).toEqual([900]);
    expect(minima(out).some(Number.isNaN)).toBe(false);
  });

  test("shows a missing reading of a keyframe as a gap and an empty bucket as none", () => {
    const store = new Store();
    const codes = [
      [7, 7] as const,
      null,
      [8, 8] as const,
      [65534, 65534] as const,
      [9, 9] as const,
    ];

    store.take(keyframeOf(1, [0, 1, 2, 3, 4, 5], [{ id: 0, lo: 0, hi: 65533, codes }]));

    expect(minima(picture(store, 0, 4.99, 5))).toEqual([7, 8, NAN, 9]);
  });

  test("puts exact rows in the place of an envelope, and asks no more for them", () => {
    const store = new Store();
    store.take(arrivalOf(keyframe(0, 0, 4)));
    expect(store.incomplete([0], 1, 3, 100)).toEqual([0]);

    const rows = Array.from({ length: 20 }, (_, i): Row => [0, (i + 10) / 10, i + 10]);
    store.take(answerOf({ ids: [0], t0: 1, t1: 2.99, reduced: [] }, rows));

    expect(minima(picture(store, 1.05, 2.85, 1000)).slice(0, 4)).toEqual([10, 11, 12, 13]);
    expect(minima(picture(store, 0, 3.99, 4))).toEqual([0, 10, 20, 30]);
    expect(store.incomplete([0], 1, 2.9, 1e6)).toEqual([]);
  });

  test("asks again for more detail than a thinned answer had", () => {
    const store = new Store();
    store.take(arrivalOf(keyframe(0, 0, 4)));

    store.take(
      answerOf({ ids: [0], t0: 0, t1: 4, reduced: [0] }, [
        [0, 0.1, 1],
        [0, 3.9, 39],
      ]),
    );

    expect(store.incomplete([0], 1, 2, 100)).toEqual([0]);
  });

  test("asks for the rest where a frame had only the extremes, and only there", () => {
    const store = new Store();
    store.take(arrivalOf(frame(1, 0, 20)));
    const thin = { reduced: [0] };
    store.take(
      frameOf(
        2,
        [2, 2.5, 3].map((time): Row => [0, time, 1]),
        thin,
      ),
    );
    store.take(
      frameOf(
        3,
        [3, 3.5, 4].map((time): Row => [0, time, 1]),
        thin,
      ),
    );
    store.take(arrivalOf(frame(4, 50, 60)));

    expect(store.incomplete([0], 0, 1.8, 1000)).toEqual([]);
    expect(store.incomplete([0], 2.2, 2.4, 100)).toEqual([0]);
    expect(store.incomplete([0], 3.2, 3.4, 100)).toEqual([0]);
    // What came is as fine as that picture needs.
    expect(store.incomplete([0], 2, 4, 1)).toEqual([]);
    expect(store.incomplete([0], 5.1, 5.8, 1000)).toEqual([]);

    const rest = Array.from({ length: 100 }, (_, i): Row => [0, 2 + i / 100, i]);
    store.take(answerOf({ ids: [0], t0: 2, t1: 3, reduced: [] }, rest));

    expect(store.incomplete([0], 2.2, 2.4, 100)).toEqual([]);
    expect(store.incomplete([0], 3.2, 3.4, 100)).toEqual([0]);
  });

  test("keeps an envelope of which the kernel has no rows any more", () => {
    const store = new Store();
    store.take(arrivalOf(keyframe(0, 0, 4)));

    store.take(
      answerOf({ ids: [0], t0: 0, t1: 4, reduced: [] }, [
        [0, 3, 30],
        [0, 3.9, 39],
      ]),
    );

    expect(minima(picture(store, 0, 3.99, 4))).toEqual([0, 10, 20, 30]);
    expect(store.incomplete([0], 0, 4, 100)).toEqual([]);
  });

  test("stays within its budget and keeps every extreme", () => {
    const store = new Store({ budgetBytes: 400_000 });
    for (let seq = 0; seq < 200; seq++) {
      const at = (i: number) => seq * 500 + i;
      const rows = Array.from({ length: 500 }, (_, i): Row => [0, at(i), at(i) === 1234 ? -9 : 1]);
      store.take(frameOf(seq + 1, rows));
    }

    expect(store.bytes).toBeLessThanOrEqual(400_000);
    expect(Math.min(...minima(picture(store, 0, 100_000, 100)))).toBe(-9);
    expect(store.extent()).toEqual([0, 99_999]);
  });

  test("is unchanged by bytes that are no packet", () => {
    const store = new Store();
    store.take(arrivalOf(frame(1, 0, 10)));

    expect(() => store.take(arrivalOf(encodePacket({ kind: "frame", seq: 2, n: 9 })))).toThrow(
      WireError,
    );

    expect(store.extent()).toEqual([0, 0.9]);
  });
});

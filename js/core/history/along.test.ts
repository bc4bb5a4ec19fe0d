import { describe, expect, test } from "vitest";
import { columns, valueAt } from "../source";
import { frameOf, keyframeOf, type Row } from "../testing/packets";
import { Places } from "./along";
import { steppedSource } from "./along-source";
import { Store } from "./store";
import { Track } from "./track";

type XRow = readonly [time: number, value: number, step?: number];

function track(rows: readonly XRow[]): Track {
  const made = new Track();
  for (const [time, value, step] of rows) made.add(time, value, step ?? Number.NaN);
  return made;
}

function placesOf(rows: readonly XRow[]): Places {
  const places = new Places(track(rows));
  places.look();
  return places;
}

/** What a brute force search says: the same step next in time in two runs, else the time before. */
function slow(rows: readonly XRow[], time: number, step: number): number {
  const latest = rows.findLastIndex(([at]) => at <= time);
  const runs: number[] = [];
  let [run, before] = [0, Number.NEGATIVE_INFINITY];
  const steps = rows.map(([, , own], i) => {
    if (own !== undefined && own < before) run++;
    before = own ?? before;
    runs[i] = run;
    return before;
  });
  if (!Number.isNaN(step)) {
    if (steps[latest] === step) return rows[latest]?.[1] ?? Number.NaN;
    const here = runs[Math.max(latest, 0)] as number;
    const alike = [here, here + 1].flatMap((wanted) => {
      const at = rows.findLastIndex((_, i) => runs[i] === wanted && steps[i] === step);
      return at < 0 ? [] : [rows[at] as XRow];
    });
    const far = ([at]: XRow) => Math.abs(at - time);
    const best = alike.sort((a, b) => far(a) - far(b))[0];
    if (best) return best[1];
  }
  return rows[latest]?.[1] ?? Number.NaN;
}

describe("where a value stands", () => {
  test.each<[string, XRow[], number, number, number]>([
    ["at the value of the same step, logged with it", [[1, 10, 5]], 1, 5, 10],
    [
      "at that of the same step, logged after it",
      [
        [1, 10, 4],
        [3, 20, 5],
      ],
      2,
      5,
      20,
    ],
    [
      "at that of the same step, logged long before",
      [
        [1, 10, 1],
        [2, 20, 2],
        [3, 30, 3],
      ],
      4,
      1,
      10,
    ],
    [
      "at the latest before it, without that step",
      [
        [1, 10, 1],
        [2, 20, 2],
      ],
      3,
      9,
      20,
    ],
    [
      "at the latest before it, without steps",
      [
        [1, 10],
        [2, 20],
      ],
      2.5,
      Number.NaN,
      20,
    ],
    ["nowhere, before the first", [[5, 10]], 1, Number.NaN, Number.NaN],
    [
      "in the run of its time",
      [
        [1, 10, 1],
        [2, 20, 2],
        [3, 90, 1],
        [4, 80, 2],
      ],
      4.5,
      2,
      80,
    ],
    [
      "in an earlier run, at its time",
      [
        [1, 10, 1],
        [2, 20, 2],
        [3, 90, 1],
      ],
      1.5,
      1,
      10,
    ],
    [
      "at the next run's, logged right after",
      [
        [1, 10, 1],
        [9, 20, 2],
        [21, 90, 1],
      ],
      20,
      1,
      90,
    ],
  ])("%s", (_, rows, time, step, wanted) => {
    expect(placesOf(rows).of(time, step)).toEqual(wanted);
    expect(slow(rows, time, step)).toEqual(wanted);
  });

  test("of a thousand random ones, as a search of all rows says", () => {
    let seed = 7;
    const random = (most: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed % most;
    };
    for (let round = 0; round < 100; round++) {
      let [time, step] = [0, 0];
      const rows = Array.from({ length: random(20) }, (_, i): XRow => {
        time += random(3);
        step = random(6) === 0 ? 0 : step + random(3);
        return random(5) === 0 ? [time, i] : [time, i, step];
      });
      const places = placesOf(rows);
      for (let i = 0; i < 10; i++) {
        const [at, own] = [random(30), random(8)];
        expect(places.of(at, own)).toEqual(slow(rows, at, own));
      }
    }
  });
});

const USER = { host: "h0", entity: "user", kind: "gauge", unit: "", labels: {} };
const SERIES = ["loss", "epoch", "gpu"].map((metric, id) => ({ ...USER, id, metric }));
const [LOSS, EPOCH] = [0, 1];

/** A store of the rows of two metrics, and what is drawn over the second. */
function drawn(frames: readonly (readonly Row[])[], points = 100) {
  const store = new Store();
  for (const [seq, rows] of frames.entries()) {
    store.take(frameOf(seq, rows, seq === 0 ? { series: SERIES } : {}));
  }
  const out = columns();
  const read = (range: readonly [number, number], run?: number) => {
    const source = steppedSource(store, "x:epoch");
    source.rangeByStep?.(LOSS, range[0], range[1], points, out, run);
    return Array.from({ length: out.length }, (_, i) => [out.time[i], valueAt(out, i)]);
  };
  return { store, source: () => steppedSource(store, "x:epoch"), read };
}

test("rows that come one by one are drawn as if all came at once", () => {
  const all: Row[] = [];
  for (let i = 0; i < 60; i++) {
    all.push([LOSS, i, 100 - i, i]);
    if (i % 2 === 0) all.push([EPOCH, i + 0.5, i / 10, i]);
  }
  const once = drawn([all]);
  const singly = drawn([[]]);
  for (const [i, row] of all.entries()) {
    singly.store.take(frameOf(i + 1, [row]));
    singly.read([0, 6]);
  }
  expect(singly.read([0, 6])).toEqual(once.read([0, 6]));
  expect(singly.source().stepExtent?.(LOSS)).toEqual([0, 5.8]);
  // Each of the same step is there, also where the epoch was logged after the loss.
  expect(once.read([0, 6])[0]).toEqual([0, 99.5]);
});

test("what falls back begins another run, the newest of which is drawn", () => {
  const rows: Row[] = [];
  for (let i = 0; i < 10; i++) rows.push([EPOCH, i, i % 5, i], [LOSS, i, i, i]);
  const { read, source } = drawn([rows]);
  expect(source().stepRuns?.(LOSS)).toBe(2);
  expect(read([0, 5])).toEqual([
    [0, 5],
    [1, 6],
    [2, 7],
    [3, 8],
    [4, 9],
  ]);
  expect(read([0, 5], 0)).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ]);
});

test("of another host or rank nothing is taken, and what has no such metric has no place", () => {
  const store = new Store();
  const other = { ...USER, id: 3, entity: "rank:1", metric: "loss" };
  const gpu = { ...USER, id: 4, entity: "gpu:0", metric: "gpu.power" };
  store.take(
    frameOf(
      0,
      [
        [0, 1, 1, 1],
        [1, 1, 1, 1],
        [3, 1, 1, 1],
        [4, 1, 1],
      ],
      { series: [...SERIES, other, gpu] },
    ),
  );
  const source = steppedSource(store, "x:epoch");
  expect(source.stepExtent?.(0)).toEqual([1, 1]);
  expect(source.stepExtent?.(3)).toBeNull();
  expect(source.stepExtent?.(4)).toBeNull();
  expect(store.stepExtent(3)).toEqual([1, 1]);
  expect(source.catalog()).toBe(store.catalog());
});

test("what only a keyframe told is drawn over what it told of the other metric", () => {
  const store = new Store();
  const edges = Array.from({ length: 11 }, (_, i) => i);
  const codes = (of: (i: number) => number) =>
    Array.from({ length: 10 }, (_, i) => [of(i), of(i), of(i)] as const);
  store.take(
    keyframeOf(
      1,
      edges,
      [
        { id: LOSS, lo: 0, hi: 65534, codes: codes((i) => 1000 - i) },
        { id: EPOCH, lo: 0, hi: 65534, codes: codes((i) => i * 10) },
      ],
      { series: SERIES },
    ),
  );
  const out = columns();
  const source = steppedSource(store, "x:epoch");
  expect(source.stepExtent?.(LOSS)?.map(Math.round)).toEqual([0, 90]);
  source.rangeByStep?.(LOSS, 0, 100, 200, out);
  expect(out.length).toBe(10);
  expect(valueAt(out, 9)).toBeCloseTo(991, 0);
});

test("of a hundred thousand rows only those that came are looked at anew", () => {
  const rows: Row[] = [];
  for (let i = 0; i < 100_000; i++) rows.push([LOSS, i, i, i], [EPOCH, i, i / 1000, i]);
  const { store, read, source } = drawn([rows], 300);
  expect(read([0, 100]).length).toBeGreaterThan(150);
  const along = store.along(LOSS, EPOCH);
  const exact = Object.getOwnPropertyDescriptor(Places.prototype, "of")?.value;
  let asked = 0;
  Places.prototype.of = function of(time, step) {
    asked++;
    return exact.call(this, time, step);
  };
  for (let i = 0; i < 20; i++) {
    const at = 100_000 + i;
    store.take(
      frameOf(i + 1, [
        [LOSS, at, 1, at],
        [EPOCH, at, at / 1000, at],
      ]),
    );
    read([0, 101]);
  }
  Places.prototype.of = exact;
  expect(asked).toBeLessThan(100);
  expect(store.along(LOSS, EPOCH)).toBe(along);
  expect(source().stepExtent?.(LOSS)).toEqual([0, 100.019]);
});

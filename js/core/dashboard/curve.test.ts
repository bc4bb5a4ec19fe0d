import { expect, test } from "vitest";
import { Store } from "../history/store";
import { frameOf, type Row } from "../testing/packets";
import { curve } from "./curve";

const SPAN = 90;
const WIDTHS = [4, 9, 20, 35, 45, 58, 90, 161, 400];
const DISTANCES = [0.1, 0.5, 1, 2, 3.7, 10];
const SPEEDS: readonly (readonly number[])[] = [
  [1, 1, 1],
  [1, 3, 7],
];

/** Series that are read every so many seconds; in [from, to] of `gaps` they cannot be. */
function storeOf(
  distances: readonly number[],
  gaps: readonly (readonly [number, number])[],
  value: (time: number) => number = () => 1,
): Store {
  const rows = distances.flatMap((distance, id) => {
    const count = Math.floor(SPAN / distance) + 1;
    return Array.from({ length: count }, (_, i): Row => {
      const time = Math.min((i + id / 10) * distance, SPAN);
      const missing = gaps.some(([from, to]) => time >= from && time <= to);
      return [id, time, missing ? Number.NaN : value(time)];
    });
  });
  const store = new Store();
  rows.sort((a, b) => a[1] - b[1]);
  store.take(frameOf(1, rows, { state: { phase: "replay" } }));
  return store;
}

/** Stretches of slots without a value between the first and the last that has one. */
function holes(values: Float64Array): [from: number, to: number][] {
  const found: [number, number][] = [];
  let before = -1;
  for (const [at, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    if (before >= 0 && at > before + 1) found.push([before + 1, at]);
    before = at;
  }
  return found;
}

test.each(WIDTHS)("in %s slots readings of every distance are one line", (count) => {
  for (const distance of DISTANCES) {
    for (const speeds of SPEEDS) {
      for (const fold of ["sum", "max", "mean"] as const) {
        const distances = speeds.map((speed) => speed * distance).filter((one) => one < SPAN / 3);
        const store = storeOf(distances, []);
        const ids = distances.map((_, id) => id);
        const values = curve(store, ids, [0, SPAN], count, fold);
        expect(holes(values)).toEqual([]);
        const slot = SPAN / count;
        const reach = Math.ceil(Math.max(...distances) / slot) + 1;
        expect(Number.isNaN(values[Math.min(reach, count - 1)] as number)).toBe(false);
        expect(Number.isNaN(values[Math.max(count - 1 - reach, 0)] as number)).toBe(false);
      }
    }
  }
});

test.each(WIDTHS)("in %s slots each gap of the readings is one of the curve", (count) => {
  const slot = SPAN / count;
  for (const distance of DISTANCES) {
    const long = Math.max(3 * slot, 2.5 * distance);
    if (10 + long + 2 * distance > 40) continue;
    const gaps = [
      [10, 10 + long],
      [50, 50 + long],
    ] as const;
    if (50 + long + 2 * distance > SPAN) continue;
    const found = holes(curve(storeOf([distance], gaps), [0], [0, SPAN], count, "sum"));
    expect(found.length).toBe(2);
    for (const [i, [from, to]] of found.entries()) {
      const [start, end] = gaps[i] as readonly [number, number];
      expect(Math.abs(from * slot - start)).toBeLessThanOrEqual(distance + 2 * slot);
      expect(Math.abs(to * slot - end)).toBeLessThanOrEqual(distance + 2 * slot);
    }
  }
});

test("a line goes straight from one reading to the next, also to those beyond the range", () => {
  const store = storeOf([10], [], (time) => time);
  const values = curve(store, [0], [25, 55], 30, "sum");
  for (const [at, value] of values.entries()) expect(value).toBeCloseTo(25 + at, 0);
});

test("a sum does not fall where one series is read a little later than another", () => {
  for (const count of WIDTHS) {
    const store = storeOf([3, 3, 3, 3], []);
    const values = curve(store, [0, 1, 2, 3], [0, SPAN], count, "sum");
    expect(new Set(values.filter((value) => !Number.isNaN(value)))).toEqual(new Set([4]));
  }
});

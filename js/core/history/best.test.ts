import { expect, test } from "vitest";
import { frameOf, keyframeOf, type Row } from "../testing/packets";
import { Store } from "./store";

const SERIES = {
  id: 0,
  host: "h0",
  entity: "user",
  kind: "gauge",
  unit: "",
  metric: "loss",
  labels: {},
};

test("the best value is the first of the least or of the largest, with its step and time", () => {
  const store = new Store();
  const values = [3, 1, Number.NaN, Number.POSITIVE_INFINITY, 1, 9, Number.NEGATIVE_INFINITY, 9];
  const rows = values.map((value, i): Row => [0, 10 + i, value, i * 100]);
  expect(store.best(0, "min")).toBeNull();
  store.take(frameOf(0, rows, { series: [SERIES] }));
  expect(store.best(0, "min")).toEqual({ value: 1, time: 11, step: 100 });
  expect(store.best(0, "max")).toEqual({ value: 9, time: 15, step: 500 });
  store.take(frameOf(1, [[0, 30, 0.5]]));
  expect(store.best(0, "min")).toEqual({ value: 0.5, time: 30, step: Number.NaN });
  expect(store.best(0, "max")?.value).toBe(9);
  // An older row, that an answer brought, goes to its place in time.
  store.take(frameOf(2, [[0, 12.5, -4, 250]]));
  expect(store.best(0, "min")).toEqual({ value: -4, time: 12.5, step: 250 });
});

test("what only a keyframe told may be the best", () => {
  const store = new Store();
  store.take(
    keyframeOf(1, [0, 1, 2], [{ id: 0, lo: 0, hi: 65534, codes: [[7, 90, 50], null] }], {
      series: [SERIES],
    }),
  );
  expect(store.best(0, "min")?.value).toBeCloseTo(7, 0);
  expect(store.best(0, "max")?.value).toBeCloseTo(90, 0);
});

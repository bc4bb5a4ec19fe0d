import { describe, expect, test } from "vitest";
import { type Fetch, Grid } from "../history/grid";
import type { SeriesWire, Source } from "../source";
import { Alarms, alarmOf, isAlarm } from "./alarm";
import { alarmStretches } from "./over-lines";

const GIB = 1024 ** 3;

describe("an alarm", () => {
  test.each([
    ["gpu.memory.used", 80 * GIB, 76 * GIB, 75.9 * GIB],
    ["gpu.temperature", 90, 87, 86.9],
    ["gpu.throttled.power", Number.NaN, 0.001, 0],
    ["gpu.throttled", Number.NaN, 1, 0],
    ["disk.used", 100, 95, 94.9],
  ])("of %s with a basis of %d begins at %d, not at %d", (metric, basis, from, below) => {
    const alarm = alarmOf(metric, basis);
    expect(alarm && isAlarm(alarm, from)).toBe(true);
    expect(alarm && isAlarm(alarm, below)).toBe(false);
    expect(alarm && isAlarm(alarm, Number.NaN)).toBe(false);
  });

  test.each([
    ["gpu.memory.used", Number.NaN],
    ["gpu.memory.used", 0],
    ["gpu.temperature", Number.NaN],
    ["memory.used", 64 * GIB],
    ["gpu.power", 700],
    ["train/loss", 1],
  ])("of %s with a basis of %d is none", (metric, basis) => {
    expect(alarmOf(metric, basis)).toBeNull();
  });

  test("of each line has the basis of its own thing", () => {
    const one = (id: number, metric: string, entity: string): SeriesWire => {
      return { id, host: "h0", entity, metric, unit: "B", kind: "gauge", labels: {} };
    };
    const catalog = [
      one(0, "gpu.memory.used", "gpu:0"),
      one(1, "gpu.memory.used", "gpu:1"),
      one(2, "gpu.memory.total", "gpu:1"),
      one(3, "gpu.memory.total", "gpu:0"),
    ];
    const last = (id: number) => ({ time: 0, value: id === 2 ? 1000 : 200 });
    const source = { catalog: () => catalog, last } as unknown as Source;
    const lines = catalog.slice(0, 2).map((series) => ({ series }));
    expect(new Alarms().of(lines, source).map((alarm) => alarm?.level)).toEqual([190, 950]);
  });
});

/** A grid of one sample a second. */
function gridOf(lines: readonly (readonly number[])[]): Grid {
  const grid = new Grid();
  const fetch: Fetch = (id, _from, _to, _points, out) => {
    const values = Float64Array.from(lines[id] ?? []);
    out.length = values.length;
    out.time = Float64Array.from(values, (_, i) => i + 0.5);
    [out.min, out.mean, out.max] = [values, values, values];
    out.same = new Uint8Array(values.length);
  };
  grid.fill(fetch, [...lines.keys()], [0, 100], 100, false);
  return grid;
}

test("stretches of alarm are those in which any line is", () => {
  const alarm = { level: 9, words: "hot" };
  const quiet = Array.from({ length: 100 }, () => 1);
  const [a, b] = [quiet.with(10, 9).with(11, 20), quiet.with(12, 9).with(50, 10)];
  const found = (...alarms: Parameters<typeof alarmStretches>[1]) =>
    alarmStretches(gridOf([a, b]), alarms);
  expect(found(alarm, alarm)).toEqual([
    [10, 13],
    [50, 51],
  ]);
  expect(found(alarm, null)).toEqual([[10, 12]]);
  expect(found(null, null)).toEqual([]);
});

test("an alarm of rare readings lasts until the next reading", () => {
  const line = Array.from({ length: 100 }, (_, i) => (i % 20 === 0 ? 1 : Number.NaN)).with(40, 9);
  const grid = new Grid();
  const fetch: Fetch = (_id, _from, _to, _points, out) => {
    const at = [...line.keys()].filter((i) => !Number.isNaN(line[i]));
    const values = Float64Array.from(at, (i) => line[i] as number);
    out.length = at.length;
    out.time = Float64Array.from(at, (i) => i + 0.5);
    [out.min, out.mean, out.max] = [values, values, values];
    out.same = new Uint8Array(at.length);
  };
  grid.fill(fetch, [0], [0, 100], 100, false);
  expect(alarmStretches(grid, [{ level: 9, words: "hot" }])).toEqual([[40, 60]]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Columns, columns } from "../source";
import { bucketWidth } from "./buckets";
import { KEPT_RUNS } from "./steps";
import { Track } from "./track";

const { NaN: NAN } = Number;

interface Logged {
  readonly step: number;
  readonly value: number;
}

function trackOf(rows: readonly Logged[]): Track {
  const track = new Track();
  for (const [time, { step, value }] of rows.entries()) track.add(time, value, step);
  return track;
}

/** Steps that mostly rise, sometimes stay, sometimes fall; some rows have none. */
const LOG: fc.Arbitrary<Logged[]> = fc
  .array(
    fc.record({
      by: fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom(0, 1, 1, 3, 40) },
        fc.constantFrom(-1, -30, -1000),
      ),
      value: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: -99, max: 99 }) },
        fc.constant(NAN),
      ),
      stepless: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
    { maxLength: 400, size: "max" },
  )
  .map((all) => {
    let step = 0;
    return all.map(({ by, value, stepless }) => {
      step += by;
      return { step: stepless ? NAN : step, value };
    });
  });

function runsOf(rows: readonly Logged[]): Logged[][] {
  const runs: Logged[][] = [];
  let last = Number.POSITIVE_INFINITY;
  for (const row of rows.filter(({ step }) => !Number.isNaN(step))) {
    if (row.step < last) runs.push([]);
    runs[runs.length - 1]?.push(row);
    last = row.step;
  }
  return runs;
}

function told(out: Columns, width: number): unknown[] {
  return Array.from({ length: out.length }, (_, i) => [
    Math.floor((out.time[i] as number) / width),
    out.min[i],
    out.max[i],
    Math.round((out.mean[i] as number) * 1e6),
  ]);
}

/** What a picture of one run must show, found by looking at all of it. */
function bruteForce(run: readonly Logged[], from: number, to: number, width: number): unknown[] {
  const [first, last] = [Math.floor(from / width), Math.floor(to / width)];
  const buckets = new Map<number, number[]>();
  for (const { step, value } of run) {
    const at = Math.floor(step / width);
    buckets.set(at, [...(buckets.get(at) ?? []), value]);
  }
  const items: unknown[] = [];
  const before = run.findLast(({ step }) => Math.floor(step / width) < first);
  const after = run.find(({ step }) => Math.floor(step / width) > last);
  const single = ({ step, value }: Logged) => [
    Math.floor(step / width),
    value,
    value,
    Math.round(value * 1e6),
  ];
  if (before) items.push(single(before));
  for (const [at, all] of buckets) {
    if (at < first || at > last) continue;
    const values = all.filter((value) => !Number.isNaN(value));
    const mean = Math.round((values.reduce((a, b) => a + b, 0) / values.length) * 1e6);
    if (values.length > 0) items.push([at, Math.min(...values), Math.max(...values), mean]);
    if (Number.isNaN(all[all.length - 1])) items.push([at, NAN, NAN, NAN]);
  }
  if (after) items.push(single(after));
  return items;
}

describe("runs of steps", () => {
  test("a step that falls begins another run, and each is drawn as all its rows say", () => {
    const span = fc.record({
      from: fc.integer({ min: -200, max: 900 }),
      length: fc.integer({ min: 1, max: 2000 }),
      points: fc.integer({ min: 1, max: 300 }),
      pick: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(LOG, fc.array(span, { minLength: 1, maxLength: 5 }), (rows, spans) => {
        const track = trackOf(rows);
        const runs = runsOf(rows);
        expect(track.stepRuns()).toBe(runs.length);
        const steps = runs.flat().map(({ step }) => step);
        const extent = steps.length > 0 ? [Math.min(...steps), Math.max(...steps)] : null;
        expect(track.stepExtent()).toEqual(extent);
        const out = columns(1);
        for (const { from, length, points, pick } of spans) {
          const width = bucketWidth(length / points);
          const run = Math.floor(pick * runs.length);
          track.columnsByStep(from, from + length, points, out, run);
          const drawn = run < runs.length - KEPT_RUNS ? [] : (runs[run] ?? []);
          expect(told(out, width)).toEqual(bruteForce(drawn, from, from + length, width));
        }
        track.columnsByStep(0, 100, 50, out);
        const newest = runs[runs.length - 1] ?? [];
        expect(told(out, 2)).toEqual(bruteForce(newest, 0, 100, 2));
      }),
      { numRuns: 200 },
    );
  });

  test("are the same however the rows came: one by one between drawings, late, in an answer", () => {
    fc.assert(
      fc.property(LOG, fc.integer({ min: 1, max: 50 }), (rows, late) => {
        const times = rows.map((_, i) => i);
        // Some come late, and a drawing lies between any two.
        const order = times
          .filter((i) => i % late !== 1)
          .concat(times.filter((i) => i % late === 1));
        const track = new Track();
        for (const i of order) {
          track.add(i, (rows[i] as Logged).value, (rows[i] as Logged).step);
          track.stepRuns();
        }
        const answered = new Track();
        answered.add(0, 5, 1000);
        answered.stepRuns();
        const [value, step] = [rows.map((row) => row.value), rows.map((row) => row.step)];
        const batch = { length: rows.length, time: times, value, step };
        answered.answer(-1, rows.length, batch, Infinity);

        const expected = runsOf(rows).length;
        expect(track.stepRuns()).toBe(expected);
        if (rows.length > 0) expect(answered.stepRuns()).toBe(expected);
      }),
    );
  });

  test("outlive the rows that are given up", () => {
    const rows = Array.from({ length: 2560 }, (_, i) => ({ step: i % 1280, value: i }));
    const track = trackOf(rows);
    const out = columns();

    track.giveUp();

    expect(track.stepRuns()).toBe(2);
    track.columnsByStep(0, 1279, 10, out, 0);
    expect(Math.max(...out.max.subarray(0, out.length))).toBe(1279);
    // A bucket stands at its last step.
    expect(Math.min(...out.min.subarray(0, out.length))).toBe(0);
  });

  test("one more row costs a drawing no second look at those before", () => {
    const track = trackOf(Array.from({ length: 100_000 }, (_, i) => ({ step: i, value: i % 7 })));
    const out = columns();
    track.columnsByStep(0, 100_000, 300, out);
    const column = track.exact.step;
    let looks = 0;
    Object.defineProperty(track.exact, "step", {
      get: () => {
        looks++;
        return column;
      },
    });

    track.add(100_000, 1, 100_000);
    track.columnsByStep(0, 100_000, 300, out);

    expect(track.stepExtent()).toEqual([0, 100_000]);
    // Two searches in each of some hundred buckets.
    expect(looks).toBeLessThan(500 * 2 * 20);
  });

  test("are after any change what they are when all is looked at anew", () => {
    const step = fc.integer({ min: 0, max: 9 });
    const change = fc.oneof(
      fc.record({ late: fc.integer({ min: 0, max: 3999 }), step }),
      fc.record({ from: fc.integer({ min: 0, max: 3999 }), rows: fc.array(step) }),
      fc.record({ hole: fc.integer({ min: 0, max: 3999 }), step }),
    );
    fc.assert(
      fc.property(fc.infiniteStream(step), fc.array(change, { maxLength: 6 }), (steps, all) => {
        const rows = [...steps.take(4000)].map((one, i) => ({
          step: i % 900 > 600 ? one : i,
          value: 1,
        }));
        const [track, anew] = [trackOf(rows), trackOf(rows)];
        for (const one of all) {
          for (const each of [track, anew]) {
            if ("late" in one) each.add(one.late + 0.5, 2, one.step);
            else if ("hole" in one) {
              const [start, end] = [one.hole + 0.2, one.hole + 0.4];
              const bucket = { start, end, min: 1, max: 2, mean: NAN, rows: 1, step: one.step };
              each.coarse.replace(start, end, [bucket]);
            } else {
              const time = one.rows.map((_, i) => one.from + i / 8);
              const value = one.rows.map(() => 3);
              each.exact.replace(one.from, one.from + 9, {
                length: time.length,
                time,
                value,
                step: one.rows,
              });
            }
          }
          // One is looked at between the changes, the other after all of them.
          track.stepRuns();
        }
        expect(track.stepRuns()).toBe(anew.stepRuns());
        expect(track.stepExtent()).toEqual(anew.stepExtent());
        const [ours, theirs] = [columns(), columns()];
        for (let back = 1; back <= Math.min(5, anew.stepRuns()); back++) {
          track.columnsByStep(0, 4000, 4000, ours, track.stepRuns() - back);
          anew.columnsByStep(0, 4000, 4000, theirs, anew.stepRuns() - back);
          expect(told(ours, 1)).toEqual(told(theirs, 1));
        }
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ["rise", (i: number) => i],
    ["jump about", (i: number) => (7919 * i) % 10_007],
  ])("a late row costs no second look at all rows, where steps %s", (_, stepOf) => {
    const rows = Array.from({ length: 50_000 }, (_, i) => ({ step: stepOf(i), value: i % 7 }));
    const track = trackOf(rows);
    const runs = track.stepRuns();
    const column = track.exact.step as Float64Array;
    let looks = 0;
    const counted = new Proxy(column, {
      get: (of, name) => {
        looks++;
        const found = Reflect.get(of, name);
        return typeof found === "function" ? found.bind(of) : found;
      },
    });

    track.add(49_900.5, 1, stepOf(49_900));
    track.exact.step = counted;

    expect(track.stepRuns()).toBeGreaterThanOrEqual(runs);
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThan(10_000);
  });
});

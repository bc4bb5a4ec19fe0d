import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Coarse } from "./coarse";
import { Exact } from "./exact";
import { gapAt, readingAt } from "./reading";
import { Track } from "./track";

const { NaN: NAN } = Number;

function exactOf(rows: readonly (readonly [time: number, value: number])[]): Exact {
  const exact = new Exact();
  for (const [time, value] of rows) exact.add(time, value, NAN);
  return exact;
}

function coarseOf(...buckets: readonly (readonly [number, number, number, number, number])[]) {
  const coarse = new Coarse();
  for (const [start, end, min, max, mean] of buckets) {
    coarse.push({ start, end, min, max, mean, rows: NAN, step: NAN });
  }
  return coarse;
}

const PLAIN = [10, 20, 40, 2, 5] as const;
const OLD = [10, 20, 2, 5, NAN] as const;

test.each([
  ["nothing known", exactOf([]), coarseOf(), 5, null],
  ["before the first row", exactOf([[6, 1]]), coarseOf(), 5, null],
  ["on a row", exactOf([[5, 1]]), coarseOf(), 5, [5, 1]],
  [
    "between rows",
    exactOf([
      [5, 1],
      [9, 2],
    ]),
    coarseOf(),
    8.9,
    [5, 1],
  ],
  [
    "of two rows at once the later",
    exactOf([
      [5, 1],
      [5, 2],
    ]),
    coarseOf(),
    6,
    [5, 2],
  ],
  [
    "after a missing reading",
    exactOf([
      [5, 1],
      [6, NAN],
      [9, 2],
    ]),
    coarseOf(),
    8,
    [6, NAN],
  ],
  ["long after the last row", exactOf([[5, 1]]), coarseOf(), 500, [5, 1]],
  ["before the first bucket", exactOf([]), coarseOf(PLAIN), 9, null],
  ["early in a bucket", exactOf([]), coarseOf(PLAIN), 11, [11, 5]],
  ["late in a bucket", exactOf([]), coarseOf(PLAIN), 19, [15, 5]],
  ["after a bucket", exactOf([]), coarseOf(PLAIN), 30, [15, 5]],
  ["in a bucket without a mean", exactOf([]), coarseOf(OLD), 19, [15, 3.5]],
  [
    "in a gap",
    exactOf([
      [5, 1],
      [9, 2],
    ]),
    coarseOf([5, 9, NAN, NAN, NAN]),
    6,
    [6, NAN],
  ],
  ["on the row before a gap", exactOf([[5, 1]]), coarseOf([5, 9, NAN, NAN, NAN]), 5, [5, 1]],
  [
    "on the row after a gap",
    exactOf([
      [5, 1],
      [9, 2],
    ]),
    coarseOf([5, 9, NAN, NAN, NAN]),
    9,
    [9, 2],
  ],
  ["after a gap that nothing ended", exactOf([]), coarseOf([5, 9, NAN, NAN, NAN]), 20, [7, NAN]],
  ["on a row after a bucket", exactOf([[20, 3]]), coarseOf(PLAIN), 20, [20, 3]],
  ["in a bucket after a row", exactOf([[9, 3]]), coarseOf(PLAIN), 12, [12, 5]],
] as const)("the last reading: %s", (_, exact, coarse, time, expected) => {
  const reading = readingAt(exact, coarse, time);

  expect(reading && [reading.time, reading.value]).toEqual(expected);
});

/** What may happen to a series: a row, a loss of rows, a keyframe for what was lost. */
const happening = fc.record({
  kind: fc.constantFrom(
    "row" as const,
    "row" as const,
    "row" as const,
    "lost" as const,
    "heal" as const,
  ),
  wait: fc.constantFrom(0.5, 1, 7),
  value: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 99 }) }, fc.constant(NAN)),
});

function trackOf(happenings: readonly { kind: string; wait: number; value: number }[]): Track {
  const track = new Track();
  let time = 0;
  for (const { kind, wait, value } of happenings) {
    time += wait;
    if (kind === "row") track.add(time, value, NAN);
    else if (kind === "lost") track.miss(true);
    else {
      const edges = Float64Array.of(0, time / 2, time);
      const [min, max] = [Float64Array.of(value, 1), Float64Array.of(value, 3)];
      const mean = Float64Array.of(value, NAN);
      const missing = Uint8Array.of(Number.isNaN(value) ? 1 : 0, 0);
      track.heal(() => ({ edges, min, max, mean, missing, step: null, slack: 0 }), time, Infinity);
    }
  }
  return track;
}

describe("the last reading at or before a moment", () => {
  const moments = fc.array(fc.double({ min: -1, max: 400, noNaN: true }), { maxLength: 40 });

  test("is the exact row, found by looking at all of them", () => {
    const rows = fc.array(happening, { maxLength: 80 });
    fc.assert(
      fc.property(rows, moments, (all, times) => {
        const plain = all.filter(({ kind }) => kind === "row");
        const track = trackOf(plain);
        const samples: { time: number; value: number }[] = [];
        for (const { wait, value } of plain) {
          samples.push({ time: (samples[samples.length - 1]?.time ?? 0) + wait, value });
        }
        for (const moment of times) {
          const last = samples.findLast((one) => one.time <= moment) ?? null;
          expect(track.at(moment)).toEqual(last);
        }
      }),
    );
  });

  test("is none of later, is the newest in the end, and is missing where a gap is drawn", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), moments, (all, times) => {
        const track = trackOf(all);
        expect(track.at(Infinity)).toEqual(track.last());
        for (const time of times) {
          const reading = track.at(time);
          if (reading) expect(reading.time).toBeLessThanOrEqual(time);
          else expect(time).toBeLessThan(track.start);
          const { buckets } = track.coarse;
          const gap = buckets.find(
            ({ start, end, min }) => Number.isNaN(min) && start < time && time < end,
          );
          const row = track.exact.time[track.exact.upperBound(time) - 1] ?? -Infinity;
          if (gap && row <= gap.start) expect(reading?.value).toBeNaN();
        }
      }),
    );
  });
});

describe("a stretch without readings", () => {
  const GAP = [NAN, NAN, NAN] as const;
  const began = (since: number, earliest = since, latest = since) => ({ since, earliest, latest });

  test.each([
    [
      "rows",
      exactOf([
        [5, 1],
        [6, NAN],
        [7, NAN],
      ]),
      coarseOf(),
      9,
      began(6, 5, 6),
    ],
    [
      "a reading is no gap",
      exactOf([
        [5, NAN],
        [6, 1],
      ]),
      coarseOf(),
      9,
      null,
    ],
    [
      "the newest of two",
      exactOf([
        [1, NAN],
        [2, 1],
        [3, NAN],
      ]),
      coarseOf(),
      3,
      began(3, 2, 3),
    ],
    [
      "never a reading",
      exactOf([
        [5, NAN],
        [6, NAN],
      ]),
      coarseOf(),
      9,
      began(5),
    ],
    [
      "buckets",
      exactOf([]),
      coarseOf([0, 10, 1, 2, 1], [10, 20, ...GAP], [20, 30, ...GAP]),
      100,
      began(10, 0, 20),
    ],
    [
      "rows after buckets",
      exactOf([
        [21, NAN],
        [22, NAN],
      ]),
      coarseOf([0, 10, 1, 2, 1], [10, 20, ...GAP]),
      30,
      began(10, 0, 20),
    ],
    ["rows after a value", exactOf([[21, NAN]]), coarseOf([0, 10, 1, 2, 1]), 30, began(21, 0, 21)],
  ])("begins where the values end: %s", (_, exact, coarse, time, expected) => {
    expect(gapAt(exact, coarse, time)).toEqual(expected);
  });

  test("is found only where the reading is missing, and lies before it", () => {
    const moments = fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), moments, (all, times) => {
        const track = trackOf(all);
        for (const time of times) {
          const gap = track.missingSince(time);
          expect(gap !== null).toBe(Number.isNaN(track.at(time)?.value ?? 0));
          if (!gap) continue;
          expect(gap.earliest).toBeLessThanOrEqual(gap.since);
          expect(gap.since).toBeLessThanOrEqual(gap.latest);
          expect(gap.latest).toBeLessThanOrEqual(time);
        }
      }),
    );
  });
});

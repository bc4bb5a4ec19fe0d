import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellEdges, idleStretches } from "./bands";
import type { Mark } from "./mark";
import {
  type Box,
  begunBy,
  boxesOf,
  countOf,
  endOf,
  failedIn,
  indexOf,
  MOST_ROWS,
  type Spans,
  type Track,
} from "./mark-index";
import { marksAt, marksWithin } from "./marks";

const HERE = { host: "h0", machine: "h0", entity: "kernel" };

function span(start: number, end: number | null, facts: object = {}, more: object = {}): Mark {
  const how = { drawnAs: "span", open: end === null, failed: false, facts: { ...facts } } as const;
  return { ...HERE, metric: "span", start, end, ...how, text: "s", label: "s", ...more };
}

function moment(start: number): Mark {
  const how = { drawnAs: "moment", open: false, failed: false, end: null } as const;
  return { ...HERE, metric: "mark", start, ...how, text: "m", label: "m" };
}

const sorted = (marks: readonly Mark[]) => [...marks].sort((a, b) => a.start - b.start);

/** Spans of whole seconds, some in others, some at once, some that have not ended. */
const someSpans = fc
  .array(
    fc.record({
      start: fc.integer({ min: 0, max: 60 }),
      length: fc.option(fc.integer({ min: 0, max: 30 }), { freq: 8 }),
      failed: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((all) =>
    sorted(
      all.map(({ start, length, failed }) =>
        span(start, length === null ? null : start + length, {}, { failed }),
      ),
    ),
  );

const rangeOf = fc
  .tuple(fc.integer({ min: -5, max: 95 }), fc.integer({ min: 1, max: 60 }))
  .map(([from, length]) => [from, from + length] as const);

function onlyTrack(marks: readonly Mark[]): Track {
  const [track] = indexOf(marks).tracks;
  if (!track) throw new Error("no track");
  return track;
}

describe("rows of spans", () => {
  test("none lies over another, none is lost, and there are never more than four", () => {
    fc.assert(
      fc.property(someSpans, (marks) => {
        const { tracks } = indexOf(marks);
        const all = tracks.flatMap(({ rows, deeper }) => [...rows, deeper]);
        expect(all.flatMap((row) => row.marks)).toHaveLength(marks.length);
        for (const { rows } of tracks) {
          expect(rows.length).toBeLessThanOrEqual(MOST_ROWS);
          for (const { marks: row } of rows) {
            row.slice(1).forEach((one, i) => {
              expect(one.start).toBeGreaterThanOrEqual(endOf(row[i] as Mark));
            });
          }
        }
      }),
    );
  });

  const names = ({ rows, deeper }: Track) => [
    rows.map(({ marks }) => marks.map(({ facts }) => facts?.["id"]).join("")),
    deeper.marks.map(({ facts }) => facts?.["id"]).join(""),
  ];

  test.each<[string, readonly Mark[], readonly string[], string]>([
    ["one after the other", [span(0, 2, { id: "a" }), span(2, 4, { id: "b" })], ["ab"], ""],
    ["one in the other", [span(0, 9, { id: "a" }), span(2, 4, { id: "b" })], ["a", "b"], ""],
    [
      "that begin at once: the longer one is above",
      [span(0, 2, { id: "b", parent: "a" }), span(0, 9, { id: "a" })],
      ["a", "b"],
      "",
    ],
    [
      "of two threads: each below its own parent",
      [span(0, 3, { id: "a" }), span(1, 9, { id: "x" }), span(4, 5, { id: "b", parent: "x" })],
      ["a", "x", "b"],
      "",
    ],
    [
      "whose parent is not known",
      [span(0, 3, { id: "a", parent: "lost" }), span(4, 5, { id: "b", parent: null })],
      ["ab"],
      "",
    ],
    [
      "deeper than there are rows",
      [..."abcdef"].map((id, i) =>
        span(i, 20 - i, { id, ...(i > 0 ? { parent: "abcdef"[i - 1] } : {}) }),
      ),
      ["a", "b", "c", "d"],
      "ef",
    ],
  ])("%s", (_, marks, rows, deeper) => {
    expect(names(onlyTrack(marks))).toEqual([rows, deeper]);
  });
});

describe("what is looked up", () => {
  const reach = (mark: Mark) => (mark.open ? Number.POSITIVE_INFINITY : (mark.end ?? mark.start));

  test("is what looking at all of them would find", () => {
    const moments = fc.array(fc.integer({ min: 0, max: 90 }).map(moment), { maxLength: 20 });
    fc.assert(
      fc.property(someSpans, moments, rangeOf, (spans, others, range) => {
        const marks = sorted([...spans, ...others]);
        const within = marks.filter((one) => reach(one) >= range[0] && one.start <= range[1]);
        expect(new Set(marksWithin(marks, range))).toEqual(new Set(within));
        const now = 70;
        const at = marks.filter((one) =>
          one.drawnAs === "moment"
            ? Math.abs(one.start - range[0]) <= 2
            : one.start <= range[0] && (one.end ?? now) >= range[0],
        );
        expect(new Set(marksAt(marks, range[0], 2, now))).toEqual(new Set(at));
      }),
    );
  });

  test("of many are the newest", () => {
    const marks = Array.from({ length: 50 }, (_, i) => span(i, i + 0.5));
    expect(marksWithin(marks, [0, 40], 3).map(({ start }) => start)).toEqual([38, 39, 40]);
  });

  test("while paused is what had begun; the same for the same moment", () => {
    const marks = [span(0, 5), span(3, 9), span(7, 8)];
    expect(begunBy(marks, 3)).toEqual(marks.slice(0, 2));
    expect(begunBy(marks, 3)).toBe(begunBy(marks, 3));
    expect(begunBy(marks, 8)).toEqual(marks);
  });
});

describe("boxes", () => {
  const rowsOf = (marks: readonly Mark[]) => indexOf(marks).tracks.flatMap(({ rows }) => rows);
  const now = 75;

  test("show every span in view once, in order, and no more of them than there is room", () => {
    fc.assert(
      fc.property(someSpans, rangeOf, fc.double({ min: 0.05, max: 4, noNaN: true }), (...all) => {
        const [marks, range, pixel] = all;
        for (const row of rowsOf(marks)) {
          const boxes = boxesOf(row, range, now, pixel);
          const shown = boxes.flatMap((one) => row.marks.slice(one.first, one.last + 1));
          const seen = row.marks.filter((one) => endOf(one) >= range[0] && one.start <= range[1]);
          expect(shown.slice(0, seen.length)).toEqual(seen);
          boxes.slice(1).forEach((one, i) => {
            expect(one.first).toBe((boxes[i] as Box).last + 1);
            expect(one.start).toBeGreaterThanOrEqual((boxes[i] as Box).end);
          });
          // What stands for several is nowhere narrower than its spans and what parts them.
          for (const one of boxes.filter((box) => countOf(box) > 1)) {
            for (let i = one.first; i <= one.last; i++) {
              expect(Math.min(row.ends[i] as number, now) - (row.starts[i] as number)).toBeLessThan(
                3 * pixel + 1e-9,
              );
            }
          }
        }
      }),
    );
  });

  test("say how many of them failed", () => {
    fc.assert(
      fc.property(someSpans, (marks) => {
        for (const row of rowsOf(marks)) {
          for (const one of boxesOf(row, [0, 100], now, 1)) {
            const failed = row.marks.slice(one.first, one.last + 1).filter((mark) => mark.failed);
            expect(failedIn(row, one)).toBe(failed.length);
          }
        }
      }),
    );
  });

  /** A row of which it is counted how often it is looked at. */
  function counted(row: Spans) {
    let reads = 0;
    const count = (numbers: Float64Array) =>
      new Proxy(numbers, {
        get: (target, key) => {
          reads++;
          const value = Reflect.get(target, key);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    return {
      row: { ...row, starts: count(row.starts), ends: count(row.ends) },
      reads: () => reads,
    };
  }

  const many = rowsOf(
    Array.from({ length: 100_000 }, (_, i) => span(i, i + (i % 7 === 0 ? 0.1 : 0.9))),
  )[0] as Spans;

  test.each([
    ["all in view", [0, 100_000]],
    ["a hundredth in view", [50_000, 51_000]],
    ["a few in view", [99_990, 100_000]],
  ] as const)("of 100 000 spans, %s, cost what the picture is wide", (_, range) => {
    const { row, reads } = counted(many);
    const pixels = 1000;
    const boxes = boxesOf(row, range, 1e9, (range[1] - range[0]) / pixels);
    expect(boxes.length).toBeGreaterThan(0);
    expect(boxes.length).toBeLessThanOrEqual(pixels);
    expect(reads()).toBeLessThan(pixels * 60);
    expect(boxes.reduce((sum, one) => sum + countOf(one), 0)).toBeGreaterThanOrEqual(
      Math.min(range[1], 99_999) - range[0],
    );
  });
});

describe("idle times and edges in a picture of some pixels", () => {
  test("no time of a span is idle, and idle times that can be seen are shaded", () => {
    fc.assert(
      fc.property(someSpans, rangeOf, fc.double({ min: 0.01, max: 3, noNaN: true }), (...all) => {
        const [marks, range, pixel] = all;
        const idle = idleStretches(marks, range, 75, pixel);
        const exact = idleStretches(marks, range, 75);
        const busy = (time: number) => exact.every(([from, to]) => time <= from || time >= to);
        for (const [from, to] of idle) {
          expect(to - from).toBeGreaterThan(0);
          expect(busy((from + to) / 2)).toBe(false);
        }
        const sum = (all: readonly (readonly [number, number])[]) =>
          all.reduce((total, [from, to]) => total + to - from, 0);
        const lost = sum(exact) - sum(idle);
        expect(lost).toBeGreaterThanOrEqual(-1e-9);
        expect(lost).toBeLessThanOrEqual((exact.length + 1) * 2 * pixel);
      }),
    );
  });

  test.each([
    [3, 3],
    [60, 60],
    // Of one box that stands for all only its beginning.
    [1000, 1],
    [10_000, 1],
  ])("of %d cells side by side %d have an edge", (count, edges) => {
    const cells = Array.from({ length: count }, (_, i) =>
      span((i * 900) / count, ((i + 0.99) * 900) / count, {}, { metric: "cell" }),
    );
    expect(cellEdges(cells, [-1, 900], 900, 1)).toHaveLength(edges);
  });

  test("spans that are no cells have no edges", () => {
    expect(cellEdges([span(0, 100)], [-1, 900], 900, 1)).toEqual([]);
  });
});

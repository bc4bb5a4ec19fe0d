import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Stretch, TextLineWire } from "../source";
import { isLine, nextOf, type Row, rowAt, rowsIn, Search } from "./printed-rows";

const line = (time: number, text = `${time}`): TextLineWire => ({ series: 1, time, text });
const shown = (rows: readonly Row[]) =>
  rows.map((row) => (isLine(row) ? row.time : `${row.t0}..${row.t1}`));
const ALL = [-Infinity, Infinity] as const;

describe("rows", () => {
  const lines = [1, 2, 2, 5, 9].map((time) => line(time));

  test.each<[string, readonly Stretch[], readonly [number, number], (number | string)[]]>([
    ["all is known", [{ t0: 0, t1: Infinity }], [0, 20], [1, 2, 2, 5, 9]],
    ["a part of it", [{ t0: 0, t1: Infinity }], [2, 5], [2, 2, 5]],
    ["nothing is known", [], [2, 5], [2, 2, "2..5", 5]],
    ["older ones are not", [{ t0: 2, t1: Infinity }], ALL, ["-Infinity..2", 1, 2, 2, 5, 9]],
    ["newer ones are not", [{ t0: -Infinity, t1: 5 }], ALL, [1, 2, 2, 5, "5..Infinity", 9]],
    [
      "those between are not",
      [
        { t0: -Infinity, t1: 2 },
        { t0: 5, t1: Infinity },
      ],
      ALL,
      [1, 2, 2, "2..5", 5, 9],
    ],
    ["what is known lies elsewhere", [{ t0: 30, t1: 40 }], [2, 5], [2, 2, "2..5", 5]],
    ["there are none", [{ t0: 0, t1: 50 }], [20, 30], []],
  ])("%s", (_, known, range, rows) => {
    expect(shown(rowsIn(lines, known, range))).toEqual(rows);
  });

  test("are in order, and at any time lead to the last one at or before it", () => {
    const times = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 });
    const ends = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 6 });
    fc.assert(
      fc.property(times, ends, fc.integer({ min: -2, max: 32 }), (some, cuts, time) => {
        const sorted = cuts.sort((a, b) => a - b);
        const known = sorted.flatMap((t0, i) =>
          i % 2 === 0 ? [{ t0, t1: sorted[i + 1] ?? Infinity }] : [],
        );
        const all = some.sort((a, b) => a - b).map((at) => line(at));
        const rows = rowsIn(all, known, ALL);
        const starts = rows.map((row) => (isLine(row) ? row.time : row.t0));
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
        expect(rows.filter(isLine)).toEqual(all);
        const isBefore = (row: Row) => (isLine(row) ? row.time <= time : row.t0 < time);
        expect(rowAt(rows, time)).toBe(rows.findLastIndex(isBefore));
      }),
    );
  });
});

describe("the search", () => {
  test.each<[string, string, [number, number][]]>([
    [
      "loss",
      "Loss: the loss",
      [
        [0, 4],
        [10, 14],
      ],
    ],
    [".*", "a.*b", [[1, 3]]],
    ["[a", "x[A", [[1, 3]]],
    ["\\", "a\\b", [[1, 2]]],
    ["É", "café", [[3, 4]]],
    [
      "aa",
      "aaaa",
      [
        [0, 2],
        [2, 4],
      ],
    ],
    ["", "abc", []],
    ["zz", "abc", []],
    ["(?", "(?:x)", [[0, 2]]],
    ["\u{1F388}", "a\u{1F388}b", [[1, 3]]],
  ])("for %j in %j", (wanted, text, found) => {
    expect(new Search(wanted).in(text)).toEqual(found);
  });

  test("takes any text for what it is", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (wanted, around) => {
        expect(new Search(wanted).in(around + wanted).length).toBeGreaterThan(0);
      }),
    );
  });

  test("looks at what is seen, not at its colours, and at lines alone", () => {
    const rows: Row[] = [
      line(1, "\u001b[31mer\u001b[1mror\u001b[0m"),
      { t0: 1, t1: 2 },
      line(2, "\u001b[31mfine"),
      line(3, "ERROR"),
    ];
    expect(new Search("error").places(rows)).toEqual([0, 3]);
    expect(new Search("31").places(rows)).toEqual([]);
    expect(new Search("").places(rows)).toEqual([]);
  });

  test.each([
    [[2, 5, 9], 5, false, 9],
    [[2, 5, 9], 9, false, 2],
    [[2, 5, 9], 5, true, 2],
    [[2, 5, 9], 2, true, 9],
    [[2, 5, 9], 3, false, 5],
    [[2, 5, 9], 3, true, 2],
    [[2, 5, 9], -1, false, 2],
    [[], 3, false, null],
  ])("of %j after %d, back: %s, goes to %s", (places, from, back, next) => {
    expect(nextOf(places, from, back)).toBe(next);
  });
});

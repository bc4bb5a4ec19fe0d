import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TextLineWire } from "../source";
import type { LinesPacket } from "../wire/packet";
import { ENDLESS, TextLog } from "./text-log";

const line = (time: number, text = `${time}`, series = 4): TextLineWire => ({ series, time, text });
const textsOf = (log: TextLog) => log.lines.map(({ text }) => text).join("");

function answer(t0: number, t1: number, lines: readonly TextLineWire[], more = false): LinesPacket {
  return { kind: "lines", request: 1, t0, t1, lines, more };
}

describe("a line that comes twice is kept once", () => {
  test.each<[string, TextLineWire[], TextLineWire[], string]>([
    ["later lines", [line(1), line(2)], [line(3)], "123"],
    ["earlier lines", [line(3)], [line(1), line(2)], "123"],
    ["lines between", [line(1), line(4)], [line(2), line(3)], "1234"],
    ["the same", [line(1), line(2)], [line(1), line(2)], "12"],
    ["some of them", [line(1), line(3)], [line(1), line(2), line(3)], "123"],
    ["two that look alike", [line(1, "a"), line(1, "a")], [line(1, "a"), line(1, "a")], "aa"],
    ["one more that looks alike", [line(1, "a")], [line(1, "a"), line(1, "a")], "aa"],
    ["one moment in another order", [line(1, "b")], [line(1, "a"), line(1, "b")], "ab"],
    ["the end of one moment", [line(1, "a"), line(1, "b")], [line(1, "b"), line(1, "c")], "abc"],
    ["of two streams", [line(1, "a", 4)], [line(1, "a", 5)], "aa"],
    ["lines in no order", [line(5)], [line(9), line(7)], "579"],
  ])("%s", (_, first, second, all) => {
    const log = new TextLog();
    log.add(first);
    log.add(second);
    expect(textsOf(log)).toBe(all);
  });

  test("whatever came in frames and in answers, in whatever order", () => {
    const times = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 30 });
    const cuts = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 12 });
    fc.assert(
      fc.property(times, cuts, (some, parts) => {
        const all = some.sort((a, b) => a - b).map((time, i) => line(time, `${i} `));
        const log = new TextLog();
        for (const [a, b] of [...parts, [0, all.length] as const]) {
          log.add(all.slice(Math.min(a, b), Math.max(a, b)));
        }
        expect(log.lines).toEqual(all);
      }),
    );
  });

  test("and stays the same object, so that its row stays, too", () => {
    const log = new TextLog();
    log.add([line(1), line(2)]);
    const [first] = log.lines;
    log.add([line(0), line(1)]);
    expect(log.lines[1]).toBe(first);
  });
});

describe("of which stretches every line is here", () => {
  test.each<[string, (log: TextLog) => void, [number, number][]]>([
    ["nothing was asked", (log) => log.add([line(5)]), []],
    ["an answer", (log) => log.answer(answer(1, 9, [line(5)]), false), [[1, 9]]],
    ["an answer without lines", (log) => log.answer(answer(1, 9, []), false), [[1, 9]]],
    [
      "an answer that goes on before",
      (log) => log.answer(answer(1, 9, [line(5)], true), false),
      [[5, 9]],
    ],
    [
      "two that touch",
      (log) => {
        log.answer(answer(1, 9, [line(5)], true), false);
        log.answer(answer(1, 5, [line(2), line(5)]), false);
      },
      [[1, 9]],
    ],
    [
      "two apart",
      (log) => {
        log.answer(answer(6, 9, []), false);
        log.answer(answer(1, 5, []), false);
      },
      [
        [1, 5],
        [6, 9],
      ],
    ],
    [
      "up to now, while new ones come",
      (log) => log.answer(answer(1, ENDLESS, [line(5)]), true),
      [[1, Infinity]],
    ],
    [
      "up to now, while none come",
      (log) => log.answer(answer(1, ENDLESS, [line(5)]), false),
      [[1, 5]],
    ],
    ["and nothing was printed", (log) => log.answer(answer(1, ENDLESS, []), false), []],
    [
      "up to now, until some were lost",
      (log) => {
        log.answer(answer(1, ENDLESS, [line(5)]), true);
        log.add([line(7)]);
        log.cut();
        log.add([line(9)]);
      },
      [[1, 7]],
    ],
    [
      "up to now, with some left out of a flood",
      (log) => {
        log.answer(answer(1, ENDLESS, [line(5)]), true);
        log.add([line(7)]);
        log.add([line(20), line(21)], 900);
      },
      [
        [1, 7],
        [20, Infinity],
      ],
    ],
    ["some left out while nothing was known", (log) => log.add([line(20), line(21)], 900), []],
    [
      "an answer that says more, and has none",
      (log) => log.answer(answer(1, 9, [], true), false),
      [[1, 9]],
    ],
  ])("%s", (_, does, known) => {
    const log = new TextLog();
    does(log);
    expect(log.known.map(({ t0, t1 }) => [t0, t1])).toEqual(known);
  });

  test("asking again and again comes to an end, though very many are of one moment", () => {
    const log = new TextLog();
    const all = Array.from({ length: 50 }, () => line(5, "x"));
    let asked = 0;
    for (let end = 9; end > 1 && asked < 10; asked++) {
      const inside = all.filter(({ time }) => time <= end);
      log.answer(answer(1, end, inside.slice(-10), inside.length > 10), false);
      end = log.known[0]?.t0 ?? 1;
    }
    expect(asked).toBeLessThan(10);
    expect(log.known[0]?.t0).toBe(1);
  });
});

describe("of too many lines", () => {
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => line(from + i, "x"));

  test("the oldest go while the viewer looks at the newest", () => {
    const log = new TextLog();
    log.answer(answer(0, ENDLESS, many(1, 50_000)), true);
    log.add(many(50_001, 1));
    expect(log.lines.length).toBe(45_000);
    expect(log.lines.at(-1)?.time).toBe(50_001);
    expect(log.known).toEqual([{ t0: log.lines[0]?.time, t1: Infinity }]);
  });

  test("the newest go while the viewer looks at the oldest", () => {
    const log = new TextLog();
    log.focus = 10;
    log.answer(answer(0, ENDLESS, many(1, 50_001)), true);
    expect(log.lines[0]?.time).toBe(1);
    expect(log.known).toEqual([{ t0: 0, t1: log.lines.at(-1)?.time }]);
  });

  test.each([
    ["long", 2 ** 16, 200],
    ["too long to keep two", 2 ** 23 + 1, 3],
  ])("those that are %s are counted by their letters, and one always stays", (_, length, count) => {
    const log = new TextLog();
    for (let i = 0; i < count; i++) log.add([line(i, "x".repeat(length))]);
    const letters = log.lines.reduce((sum, { text }) => sum + text.length, 0);
    expect(log.lines.at(-1)?.time).toBe(count - 1);
    expect(log.lines.length < 2 || letters <= 2 ** 23).toBe(true);
  });
});

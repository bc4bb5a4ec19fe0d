import fc from "fast-check";
import { expect, test } from "vitest";
import { answerOf, frameOf, keyframeOf } from "../testing/packets";
import { ODD_KEPT, OddLog } from "./odd-log";
import { Store } from "./store";

const odd = (series: number, time: number, what = "inf", step: number | null = null) => ({
  series,
  time,
  step,
  what,
});

test("what packets tell is kept by series, once, in order of time, and bounded", () => {
  const one = fc.record({
    series: fc.integer({ min: 0, max: 1 }),
    time: fc.integer({ min: 0, max: 2 * ODD_KEPT }),
    step: fc.constant(null),
    what: fc.constantFrom("inf", "-inf", "nan", "a word of tomorrow"),
  });
  const packets = fc.array(fc.array(one, { maxLength: 900 }), { maxLength: 9 });
  fc.assert(
    fc.property(packets, (told) => {
      const log = new OddLog();
      for (const each of told) log.add(each);
      for (const series of [0, 1]) {
        const known = told.flat().filter((o) => o.series === series && o.what.length <= 4);
        const distinct = new Set(known.map(({ time, what }) => `${time} ${what}`));
        const kept = log.of(series);
        expect(kept).toHaveLength(Math.min(distinct.size, ODD_KEPT));
        expect(kept.map(({ time }) => time)).toEqual(
          [...distinct]
            .map((key) => Number.parseInt(key, 10))
            .sort((a, b) => a - b)
            .slice(-ODD_KEPT),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test("a frame, a keyframe and an answer tell of them, and the samples stay missing", () => {
  const store = new Store();
  store.take(frameOf(1, [[0, 5, Number.NaN]], { odd: [odd(0, 5, "inf", 7)] }));
  store.take(keyframeOf(1, [0, 10], [], { odd: [odd(0, 5, "inf", 7), odd(0, 3, "-inf")] }));
  const header = { ids: [0], t0: 0, t1: 4, reduced: [], odd: [odd(0, 4, "nan")] };
  store.take(answerOf(header, [[0, 4, Number.NaN]]));

  expect(store.odd(0)).toEqual([
    { time: 3, step: null, what: "-inf" },
    { time: 4, step: null, what: "nan" },
    { time: 5, step: 7, what: "inf" },
  ]);
  expect(store.odd(1)).toEqual([]);
  expect(store.last(0)).toEqual({ time: 5, value: Number.NaN });
});

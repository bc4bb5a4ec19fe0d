import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Store } from "../history/store";
import { frameOf, keyframeOf, type Row } from "../testing/packets";
import { gpuFacts } from "./gpu-facts";
import { newsOf } from "./news";
import { Readings } from "./readings";
import { sinceOf } from "./since";

const GPU = { host: "h0", entity: "gpu:5" };
const of = (id: number, metric: string) => {
  return { id, ...GPU, metric, unit: "", kind: "gauge", labels: {} };
};
const STATE = { phase: "running", t0: 0 };
const NAN = Number.NaN;

/** A series that has these values, one a second from second 0. */
function storeOf(values: readonly number[], metric = "gpu.temperature", state: object = STATE) {
  const store = new Store();
  const rows = values.map((value, time): Row => [0, time, value]);
  store.take(frameOf(1, rows, { series: [of(0, metric)], state }));
  return store;
}

describe("an alarm", () => {
  const HOT = [60, 60, 88, 88, 70, 88, 88, 88];

  test.each([
    ["begins where the level was crossed last", HOT, 7, -100, { time: 5, before: false }],
    ["of an earlier moment too", HOT, 3, -100, { time: 2, before: false }],
    ["began before what is in view", HOT, 7, 6, { time: 6, before: true }],
    ["goes on over a missing reading", [60, 88, NAN, 88], 3, -100, { time: 1, before: false }],
    ["was there from the first", [88, 88, 88], 2, -100, { time: 0, before: true }],
  ])("%s", (_, values, time, from, expected) => {
    const readings = new Readings(storeOf(values), time);
    const one = { id: 0, holds: (value: number) => value >= 87 };
    expect(sinceOf("heat", one, readings, from)).toMatchObject(expected);
  });

  test("begins where a walk over all of its readings finds it", () => {
    const before = fc.array(fc.boolean(), { maxLength: 50 });
    const [cold, hot] = [
      fc.integer({ min: 1, max: 3000 }),
      fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 3000 })),
    ];
    fc.assert(
      fc.property(before, cold, hot, (noise, off, on) => {
        const held = [...noise.map(Number), ...Array(off).fill(0), ...Array(on).fill(1)];
        const readings = new Readings(storeOf(held), held.length - 1);
        const found = sinceOf("x", { id: 0, holds: (v) => v === 1 }, readings, 0);
        expect(found).toMatchObject({ time: noise.length + off, before: false });
      }),
      { numRuns: 40 },
    );
  });

  test("is looked for once while it goes on", () => {
    const store = storeOf([60, 88]);
    let looked = 0;
    const range = store.range.bind(store);
    store.range = (...args) => {
      looked++;
      range(...args);
    };
    const one = { id: 0, holds: (value: number) => value >= 87 };
    const times = Array.from({ length: 50 }, (_, second) => {
      store.take(frameOf(2 + second, [[0, 2 + second, 88]]));
      return sinceOf("heat", one, new Readings(store), second - 30).time;
    });
    expect(new Set(times)).toEqual(new Set([1]));
    expect(looked).toBeLessThanOrEqual(2);
  });
});

describe("the line of news", () => {
  const clock = (time: number) => {
    const shown = {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    } as const;
    return new Intl.DateTimeFormat(undefined, shown).format(new Date(time * 1000));
  };

  test("says since when, and the pointed-at moment does not change that", () => {
    const store = storeOf([60, 60, 88, 88, 88, 88]);
    const said = [3, 4, null].map((moment) => {
      const readings = new Readings(store, moment);
      return newsOf(readings, gpuFacts(readings))[0];
    });
    expect(new Set(said.map((one) => one?.text))).toEqual(
      new Set([`GPU 5: 88 °C, since ${clock(2)}`]),
    );
    expect(said.map((one) => one?.time)).toEqual([2, 2, 2]);
  });

  test("says so where it began before what is in view", () => {
    const readings = new Readings(storeOf([88, 88, 88, 88]));
    const [first] = newsOf(readings, gpuFacts(readings, 2));
    expect(first?.text).toBe(`GPU 5: 88 °C, since before ${clock(2)}`);
  });

  test("says of throttling when it began, shorter pauses left out", () => {
    const store = storeOf([0, 0, 0.5, 0, 0, 0.5, 0, 0.1], "gpu.throttled.thermal");
    const readings = new Readings(store);
    expect(gpuFacts(readings)[0]?.alarms).toMatchObject([{ kind: "throttled", time: 2 }]);
  });
});

describe("a GPU is lost since", () => {
  const told = (time: number, message: string) => {
    return { host: "h0", entity: "pulse/nvml", metric: "event", time, facts: { message } };
  };
  const values = (...codes: number[]) => ({
    id: 0,
    lo: 0,
    hi: 100,
    codes: codes.map((code) => [code, code] as const),
  });
  const MISSING = 65534;
  const news = (moments: object[]) => {
    return { series: [of(0, "gpu.temperature")], state: { ...STATE, phase: "replay" }, moments };
  };
  const coarse = (...moments: object[]) => {
    const codes = values(50, 50, MISSING, MISSING);
    const store = new Store();
    store.take(keyframeOf(1, [0, 100, 200, 300, 400], [codes], news(moments)));
    return store;
  };
  const lost = (store: Store, moment: number | null = null) => {
    const [gpu] = gpuFacts(new Readings(store, moment));
    return gpu?.alarms.map(({ kind, time }) => [kind, time]);
  };

  test.each([
    ["the first missing reading", storeOf([60, 60, NAN, NAN]), 2],
    ["the end of the last bucket with values", coarse(), 200],
    ["the event that told it", coarse(told(217, "gpu:5: the GPU is lost")), 217],
    ["not an event of another GPU", coarse(told(217, "gpu:50: the GPU is lost")), 200],
    ["not an event of another time", coarse(told(20, "gpu:5: it did not answer")), 200],
  ])("%s", (_, store, time) => {
    expect(lost(store)).toEqual([["lost", time]]);
  });

  test("the same moment wherever one points", () => {
    const store = coarse();
    expect([260, 310, 390].map((moment) => lost(store, moment))).toEqual(
      [260, 310, 390].map(() => [["lost", 200]]),
    );
  });
});

import { describe, expect, test } from "vitest";
import { Store } from "../history/store";
import { frameOf } from "../testing/packets";
import { readingsOf } from "../testing/readings";
import { fleetFacts } from "./fleet";
import { noteOf } from "./gpu-cards";
import { gpuFacts } from "./gpu-facts";
import { newsOf } from "./news";
import { Readings } from "./readings";

const GIB = 1024 ** 3;
const HEALTHY: Readonly<Record<string, number>> = {
  "gpu.utilization": 0.8,
  "gpu.memory.used": 40 * GIB,
  "gpu.memory.total": 80 * GIB,
  "gpu.power": 500,
  "gpu.temperature": 60,
  "gpu.temperature.slowdown": 90,
};

describe("what is alarming of a GPU", () => {
  test.each([
    ["nothing while it is well", {}, []],
    ["memory over 95 %", { "gpu.memory.used": 78 * GIB }, ["memory 97 % full"]],
    ["not memory at 95 %", { "gpu.memory.used": 76 * GIB }, []],
    ["three degrees below slowdown", { "gpu.temperature": 87 }, ["87 °C hot"]],
    ["not four degrees below", { "gpu.temperature": 86 }, []],
    ["a reported error", { "gpu.xid": 79 }, ["Xid 79"]],
    ["no error so far", { "gpu.xid": 0 }, []],
    ["throttling by heat", { "gpu.throttled.thermal": 0.12 }, ["throttled 12 %"]],
    ["not the limit of its power", { "gpu.throttled.power": 0.5 }, []],
    [
      "the gravest first",
      { "gpu.xid": 31, "gpu.temperature": 95, "gpu.memory.used": 80 * GIB },
      ["memory 100 % full", "95 °C hot", "Xid 31"],
    ],
  ])("is %s", (_, change, expected) => {
    const [gpu] = gpuFacts(readingsOf({ ...HEALTHY, ...change }));
    expect(gpu?.alarms.map(({ word }) => word)).toEqual(expected);
    expect(gpu?.lost).toBe(false);
  });

  test("is heat where the driver does not say when it slows down", () => {
    const { "gpu.temperature.slowdown": _, ...others } = HEALTHY;
    const hot = (degrees: number) =>
      gpuFacts(readingsOf({ ...others, "gpu.temperature": degrees }))[0]?.alarms.length;
    expect([hot(80), hot(89)]).toEqual([0, 1]);
  });

  test("is that it is lost: all of its readings are missing, and nothing else is said", () => {
    const gone = Object.fromEntries(Object.keys(HEALTHY).map((metric) => [metric, Number.NaN]));
    const [gpu, other] = gpuFacts(readingsOf(gone, HEALTHY));
    expect(gpu).toMatchObject({ lost: true, busy: null });
    expect(gpu?.alarms).toMatchObject([{ kind: "lost", time: 100 }]);
    expect(noteOf(gpu as NonNullable<typeof gpu>)).toMatchObject([{ alarm: true }]);
    expect(other?.lost).toBe(false);
  });

  test("is not that a GPU has not been read yet", () => {
    const store = new Store();
    const one = { id: 0, host: "h0", entity: "gpu:0", metric: "gpu.utilization", unit: "1" };
    const series = [{ ...one, kind: "gauge", labels: {} }];
    store.take(frameOf(1, [], { series, state: { phase: "running" } }));
    const [gpu] = gpuFacts(new Readings(store));
    expect(gpu).toMatchObject({ lost: false, alarms: [] });
  });

  test.each([
    ["running", "no readings yet"],
    ["stopped", "no readings"],
    ["replay", "no readings"],
  ])("is not that it has none in a session that is %s: %s", (phase, text) => {
    const store = new Store();
    const one = { id: 0, host: "h0", entity: "gpu:0", metric: "gpu.utilization", unit: "1" };
    const series = [{ ...one, kind: "gauge", labels: {} }];
    store.take(frameOf(1, [], { series, state: { phase } }));
    const [gpu] = gpuFacts(new Readings(store));
    expect(noteOf(gpu as NonNullable<typeof gpu>)).toEqual([{ text, alarm: false }]);
  });

  test("stands first, and instead of what it is about", () => {
    const [gpu] = gpuFacts(readingsOf({ ...HEALTHY, "gpu.temperature": 89 }));
    expect(noteOf(gpu as NonNullable<typeof gpu>)).toEqual([
      { text: "89 °C hot", alarm: true },
      { text: "40/80 GiB", alarm: false },
      { text: "500 W", alarm: false },
    ]);
  });
});

test("of many GPUs one card says how many are lost, the sums, and the hottest by name", () => {
  const gone = Object.fromEntries(Object.keys(HEALTHY).map((metric) => [metric, Number.NaN]));
  const many = Array.from({ length: 15 }, () => HEALTHY);
  const hot = { ...HEALTHY, "gpu.temperature": 89, "gpu.utilization": 0.02 };
  expect(fleetFacts(gpuFacts(readingsOf(...many, gone, hot)))).toMatchObject({
    count: "16 of 17 GPUs",
    lost: 1,
    parts: ["640 GiB of 1.25 TiB", "8 kW", "hottest GPU 16, 89 °C", "1 idle"],
    alarmed: "GPU 16 89 °C hot",
  });
});

test("the line of news has alarms before what was told, each GPU once", () => {
  const readings = readingsOf(HEALTHY, { ...HEALTHY, "gpu.temperature": 89, "gpu.xid": 79 });
  const store = readings.source as Store;
  const about = { host: "h0", entity: "pulse/nvml", metric: "event" };
  const told = [
    { ...about, time: 10, facts: { message: "gpu:3: the driver did not answer in time" } },
    { ...about, time: 20, entity: "kernel", metric: "mark", facts: { label: "epoch 1" } },
  ];
  store.take(frameOf(2, [], { moments: told }));
  const said = (moment: number | null) =>
    newsOf(readings.at(moment), moment === null ? gpuFacts(readings) : []).map(
      ({ text, alarm }) => [text.replaceAll(/[\d:]{8}/g, "TIME"), alarm] as const,
    );
  expect(said(null)).toEqual([
    [
      "GPU 1: 89 °C, 1 °C below slowdown, since before TIME; Xid 79, see the driver's log, at TIME",
      true,
    ],
    ["epoch 1", false],
    ["GPU 3: the driver did not answer in time", false],
  ]);
  expect(said(15).map(([text]) => text)).toEqual(["GPU 3: the driver did not answer in time"]);
});

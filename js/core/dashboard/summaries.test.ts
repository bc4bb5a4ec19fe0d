import { describe, expect, test } from "vitest";
import type { Store } from "../history/store";
import { frameOf } from "../testing/packets";
import { readingsOf } from "../testing/readings";
import { leftOutSource } from "../vocabulary/left-out";
import { costPart } from "./footer";
import { gpuFacts } from "./gpu-facts";
import { summaryOf } from "./summaries";

const GIB = 1024 ** 3;

function lineOf(title: string, ...gpus: Readonly<Record<string, number>>[]): string {
  return summaryOf({ title, panels: [] }, readingsOf(...gpus)).text;
}

const WARM = { "gpu.temperature": 60 };

test.each([
  ["thermal", "throttled 40 %"],
  ["hw_thermal", "throttled 40 %"],
  ["sw_thermal", "throttled 40 %"],
  ["power_brake", "throttled 40 %"],
  ["power", "power cap 40 %"],
  ["sync_boost", "60 °C"],
  ["app_clocks", "60 °C"],
  ["low_utilization", "60 °C"],
])(
  "a GPU held back by %s for 40 %% of a minute is called the same in the line and on its card",
  (reason, said) => {
    const gpu = { ...WARM, [`gpu.throttled.${reason}`]: 0.4 };
    expect(lineOf("Power and thermal", gpu)).toBe(said);
    const alarms = gpuFacts(readingsOf(gpu)).flatMap((one) => one.alarms.map(({ word }) => word));
    expect(alarms).toEqual(said.startsWith("throttled") ? [said] : []);
  },
);

test.each([
  ["the worst of several", [{ hw_thermal: 0.1 }, { thermal: 0.3 }], "throttled 30 %"],
  ["trouble before a longer cap", [{ power: 0.9 }, { power_brake: 0.05 }], "throttled 5 %"],
  ["the hottest, where neither lasts", [{ thermal: 0.004, power: 0.09 }, {}], "60 °C"],
  ["the hottest, where neither is read", [{}, {}], "60 °C"],
  ["the hottest, where both are missing", [{ thermal: Number.NaN, power: Number.NaN }], "60 °C"],
] as const)("the line of heat says %s", (_, gpus, said) => {
  const all = gpus.map((reasons) => ({
    ...WARM,
    ...Object.fromEntries(Object.entries(reasons).map(([r, v]) => [`gpu.throttled.${r}`, v])),
  }));
  expect(lineOf("Power and thermal", ...all)).toBe(said);
});

test("of a hot GPU the line says the temperature and not its power cap", () => {
  const capped = { "gpu.temperature": 95, "gpu.throttled.power": 0.4 };
  expect(lineOf("Power and thermal", capped, WARM)).toBe("95 °C");
});

test.each([
  ["GPU", { "gpu.utilization": 0.5 }, "50 % busy"],
  ["GPU memory", { "gpu.memory.used": 20 * GIB, "gpu.memory.total": 80 * GIB }, "20/80 GiB"],
  ["Power and thermal", { "gpu.power": 300 }, "300 W"],
  ["Power and thermal", { "gpu.temperature": Number.NaN }, "–"],
  ["CPU", {}, ""],
])("the line of %s with %o says %s", (title, gpu, said) => {
  expect(lineOf(title, gpu)).toBe(said);
});

describe("where a saved view left series out", () => {
  const BUSY = { "gpu.utilization": 0.5, "gpu.temperature": 60 };
  const MEMORY = { "gpu.memory.used": 20 * GIB, "gpu.memory.total": 80 * GIB };
  const LINK = { "gpu.nvlink.rx": GIB };
  const bare = { "gpu.memory.total": 80 * GIB };
  const cut = [
    { ...BUSY, ...MEMORY, ...LINK },
    { ...BUSY, ...MEMORY, ...LINK },
    { ...BUSY, ...bare },
  ];
  /** What is said of three of four GPUs; the fourth is known by name alone. */
  function said(title: string, sources: readonly object[]): [string, string] {
    const readings = readingsOf(...cut);
    const entities = [0, 1, 2, 3].map((i) => ({ host: "h0", entity: `gpu:${i}`, labels: {} }));
    const state = { ...readings.source.state(), sources };
    (readings.source as Store).take(frameOf(2, [], { entities, state }));
    const { text, part } = summaryOf({ title, panels: [] }, readings);
    return [text, part];
  }

  test.each([
    ["Interconnect", "2 GiB/s in", "of 2 of 4 GPUs"],
    ["GPU memory", "40/160 GiB", "of 2 of 4 GPUs"],
    ["GPU", "50 % busy", "of 3 of 4 GPUs"],
    ["Power and thermal", "60 °C", "of 3 of 4 GPUs"],
    ["CPU", "", ""],
  ])("the line of %s says of how many GPUs it is", (title, text, part) => {
    expect(said(title, [leftOutSource(9, true)])).toEqual([text, part]);
    // Of other views a metric that some GPUs do not have is whole without them.
    expect(said(title, [])).toEqual([text, ""]);
  });
});

test.each([
  ["running", null, "4.5 % core"],
  ["running", 100, "1.6 % core"],
  ["replay", null, "1.6 % core"],
] as const)("of a session that is %s, at %s, the monitor itself takes %s", (phase, at, text) => {
  const readings = readingsOf({ "pulse.cpu": 0.016 });
  const store = readings.source as Store;
  const state = { ...store.state(), phase, cost: { ...store.state().cost, cores: 0.045 } };
  store.take(frameOf(2, [], { state }));
  const shown = readings.at(at);
  expect(summaryOf({ title: "The monitor itself", panels: [] }, shown).text).toBe(text);
  const footer = costPart(store)?.text ?? "";
  expect(footer.includes(text.replace(" core", " of a core"))).toBe(
    phase === "running" && at === null,
  );
});

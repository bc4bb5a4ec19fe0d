import { expect, test } from "vitest";
import { readingsOf } from "../testing/readings";
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
  ["the hottest, where neither lasts", [{ thermal: 0.004, power: 0.009 }, {}], "60 °C"],
  ["the hottest, where neither is read", [{}, {}], "60 °C"],
  ["the hottest, where both are missing", [{ thermal: Number.NaN, power: Number.NaN }], "60 °C"],
] as const)("the line of heat says %s", (_, gpus, said) => {
  const all = gpus.map((reasons) => ({
    ...WARM,
    ...Object.fromEntries(Object.entries(reasons).map(([r, v]) => [`gpu.throttled.${r}`, v])),
  }));
  expect(lineOf("Power and thermal", ...all)).toBe(said);
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

import { describe, expect, test } from "vitest";
import { CHART_KINDS, chartKindOf } from "./chart-kinds";
import type { Panel } from "./groups";

const PANEL: Panel = {
  key: "GPU/Power/gpu",
  group: "GPU",
  title: "Power",
  help: "",
  unit: "W",
  kind: "gauge",
  entityClass: "gpu",
  crowded: false,
  whole: false,
  main: true,
  lines: [],
  limits: [],
};

describe("kinds of charts", () => {
  test("have names of their own", () => {
    expect(new Set(CHART_KINDS.map(({ name }) => name)).size).toBe(CHART_KINDS.length);
  });

  test("end with one that draws what no other does", () => {
    expect(CHART_KINDS.at(-1)?.fits(PANEL)).toBe(true);
    expect(chartKindOf(PANEL).name).toBe("lines");
  });

  test("are asked in order: lines that cannot be told apart are a heat strip", () => {
    expect(chartKindOf({ ...PANEL, crowded: true }).name).toBe("heat");
  });
});

import { describe, expect, test } from "vitest";
import { FakeSource } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { stripSeries } from "../still/fit";
import { figuresOf, Newest } from "./figures";

function figures(name: string) {
  const source = new FakeSource(SCENARIOS[name] as NonNullable<(typeof SCENARIOS)[string]>);
  return figuresOf(source, new Newest(source));
}

describe("the summary strip", () => {
  test("has a figure a GPU up to eight, and one for all beyond", () => {
    const keys = (name: string) => figures(name).map((figure) => figure.key);
    expect(keys("eight").filter((key) => key.startsWith("gpu"))).toHaveLength(8);
    expect(keys("many").filter((key) => key.startsWith("gpu"))).toEqual(["gpus"]);
    expect(keys("nogpu").filter((key) => key.startsWith("gpu"))).toEqual([]);
  });

  test("says that a reading is missing, and draws no bar for it", () => {
    const [gpu] = figures("faults");
    expect(gpu).toMatchObject({ label: "GPU 0", value: "–", bars: [null, null] });
    expect(gpu).toMatchObject({ note: "gives no readings", warn: true });
  });

  test("sums up the memory and the power of many GPUs", () => {
    const [all] = figures("many");
    expect(all?.label).toBe("64 GPUs, mean");
    expect(all?.note).toMatch(/^2\.\d+\/5 TiB · 1\d(\.\d)? kW · hottest \d\d(\.\d)? °C$/);
  });

  test.each(Object.keys(SCENARIOS))("of %s needs no metric that a saved strip lacks", (name) => {
    const source = new FakeSource(SCENARIOS[name] as NonNullable<(typeof SCENARIOS)[string]>);
    const whole = figuresOf(source, new Newest(source));
    const kept = stripSeries(source.catalog());
    source.catalog = () => kept;
    expect(figuresOf(source, new Newest(source))).toEqual(whole);
  });

  test("warns when the recording cannot be written, and when ticks were lost", () => {
    const warned = figures("faults").filter((figure) => figure.warn);
    expect(warned.map((figure) => figure.key)).toEqual(["gpu:0", "recording", "cost"]);
    expect(warned[1]?.title).toContain("Free some space");
    expect(warned[2]?.note).toBe("12 ticks lost · 14 dropped");
  });

  test("of a recording that has ended does not say that it is not being saved", () => {
    const source = new FakeSource(SCENARIOS.faults as NonNullable<(typeof SCENARIOS)[string]>);
    const state = source.state();
    source.state = () => ({ ...state, phase: "replay" });
    const shown = figuresOf(source, new Newest(source)).find((f) => f.key === "recording");
    expect(shown).toMatchObject({ value: "partial", warn: true });
  });

  test("says what is read less often so that watching stays cheap", () => {
    const cost = figures("slowed").find((figure) => figure.key === "cost");
    expect(cost).toMatchObject({ note: "read less often", warn: false });
    expect(cost?.title).toMatch(/uses .* of a core; to keep it low, nvml: gauges read 2x rarer$/);
  });
});

// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { FakeSource, type Scenario } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { stripSeries } from "../still/fit";
import { clockText } from "../vocabulary/time-text";
import { curve } from "./curve";
import { costPart, Footer, lossPart, recordingPart } from "./footer";
import { Readings } from "./readings";
import { stripParts } from "./strip";
import { summaryOf } from "./summaries";
import { windowText } from "./toolbar";

function sourceOf(name: string): FakeSource {
  return new FakeSource(SCENARIOS[name] as Scenario);
}

describe("the strip", () => {
  const texts = (name: string) => stripParts(new Readings(sourceOf(name))).map(({ text }) => text);

  test("says of eight GPUs the mean, the spread, and the hottest", () => {
    expect(texts("hot").join(" ")).toMatch(
      /^8 GPUs \*\d+ %\* \(\d+–97\) mem \*\d+\/80 GiB\* \d+ W 89 °C CPU \*\d+ %\* mem \*20\/64 GiB\* kernel/,
    );
  });

  test("says how many are lost", () => {
    expect(texts("trouble")).toContain("▲ 1 lost");
    expect(texts("hot").join()).not.toContain("lost");
  });

  test.each(Object.keys(SCENARIOS))("of %s needs no metric that a saved one lacks", (name) => {
    const source = sourceOf(name);
    const whole = stripParts(new Readings(source));
    const kept = stripSeries(source.catalog());
    source.catalog = () => kept;
    expect(stripParts(new Readings(source))).toEqual(whole);
  });
});

describe("the footer", () => {
  test("warns when the recording cannot be written, and when something was lost", () => {
    const source = sourceOf("faults");
    expect(recordingPart(source)).toMatchObject({ text: "recording not being saved", warn: true });
    expect(recordingPart(source)?.title).toContain("Free some space");
    expect(lossPart(source)).toMatchObject({ text: "12 ticks lost · 14 dropped", warn: true });
    expect(lossPart(sourceOf("one"))).toBeNull();
  });

  test("says what watching costs, and what is read less often for that", () => {
    expect(costPart(sourceOf("one"))?.text).toBe("own cost 0.4 % of a core");
    expect(costPart(sourceOf("slowed"))).toMatchObject({
      text: "own cost 2.8 % of a core, read less often",
      title: "To keep it low, nvml: gauges read 2x rarer.",
    });
    expect(costPart(sourceOf("replay"))).toBeNull();
  });

  test.each([
    [0, "recording 2 KiB \u00b7 run"],
    [4, "recording 2 KiB \u00b7 run"],
    [17, "recorded 2 KiB, nothing new since AT \u00b7 run"],
    [3600, "recorded 2 KiB, nothing new since AT \u00b7 run"],
  ])("of a session silent for %d s says so instead of that it records", (silent, text) => {
    const source = sourceOf("one");
    source.setState({
      interval: 1,
      recording: { path: "/data/run.pulse", bytes: 2048, problem: null, remedy: null },
    });
    const footer = new Footer();
    footer.update(source, silent);
    const said = text.replace("AT", clockText(source.extent()[1]));
    expect(footer.el.querySelector(".pulse-foot-part")?.textContent).toBe(said);
    const parts = footer.el.querySelector<HTMLElement>(".pulse-foot-parts");
    expect(parts?.dataset["rec"]).toBe(String(silent < 5));
  });

  test("names the recording, whatever it has become", () => {
    const source = sourceOf("stopped");
    const { state } = source;
    const path = "/data/run.pulse.parquet";
    source.state = () => {
      const now = state.call(source);
      return { ...now, recording: { ...now.recording, path, bytes: 2048 } };
    };
    expect(recordingPart(source)).toEqual({
      text: "recorded 2 KiB · run",
      title: path,
      warn: false,
    });
  });

  test.each([
    ["running", "/data/run.pulse", null, "recording 2 KiB · run"],
    ["stopped", "/data/run.pulse", null, "recorded · run"],
    ["stopped", "/data/run.pulse.parquet", null, "recorded 2 KiB · run"],
    ["replay", "/data/run.pulse.parquet", null, "recorded 2 KiB · run"],
    ["replay", "/data/run.pulse", 100, "recorded · run"],
    ["replay", "/data/run.pulse.parquet", 100, "recorded · run"],
  ] as const)("%s at %s, as of %s: the size of a directory is none of its file", (...row) => {
    const [phase, path, as_of, text] = row;
    const source = sourceOf("stopped");
    const now = source.state();
    const recording = { ...now.recording, path, bytes: 2048, problem: null };
    source.state = () => ({ ...now, phase, as_of, recording });
    expect(recordingPart(source)?.text).toBe(text);
  });
});

test.each([
  [30, 130, "30 s", "30 s"],
  [300, 130, "5 min (2:10 so far)", "5 min (2:10 in all)"],
  [3600, 130, "1 h (2:10 so far)", "1 h (2:10 in all)"],
  [300, 300, "5 min", "5 min"],
  ["all", 130, "All (2:10)", "All (2:10)"],
  [300, Number.NaN, "5 min", "5 min"],
] as const)(
  "a window of %s in a session of %s s is called %s, and %s once it is over",
  (...row) => {
    const [window, length, running, over] = row;
    expect(windowText(window, length, true)).toBe(running);
    expect(windowText(window, length, false)).toBe(over);
  },
);

describe("the line of a folded section", () => {
  test.each([
    ["Power and thermal", "hot", "throttled 12 %"],
    ["Memory", "hot", "20/64 GiB"],
    ["The monitor itself", "hot", / core$/],
    ["Interconnect", "hot", /B\/s in$/],
    ["Kernel process", "hot", / cores$/],
  ])("%s of %s says %s", (title, name, text) => {
    const { text: said, ids } = summaryOf({ title, panels: [] }, new Readings(sourceOf(name)));
    if (typeof text === "string") expect(said).toBe(text);
    else expect(said).toMatch(text);
    expect(ids.length).toBeGreaterThan(0);
  });

  test("has a curve of the sum, the mean or the largest, with a gap where readings are missing", () => {
    const source = sourceOf("one");
    const [from] = source.extent();
    const id = (metric: string, entity: string) =>
      source.catalog().find((one) => one.metric === metric && one.entity === entity)?.id as number;
    const power = id("gpu.power", "gpu:0");
    const size = id("gpu.memory.total", "gpu:0");
    const range = [from, from + 240] as const;
    const missing = (at: number) => Number.isNaN(curve(source, [power], range, 24, "sum")[at]);
    expect([5, 14, 20].map(missing)).toEqual([false, true, false]);
    const folded = (["sum", "mean", "max"] as const).map(
      (fold) => (curve(source, [size, size], range, 4, fold)[0] as number) / 1024 ** 3,
    );
    expect(folded).toEqual([160, 80, 80]);
  });
});

import { describe, expect, test } from "vitest";
import { firingsAbout, firingsOf, marksOfChart } from "./alerts";
import { notesAt } from "./bands";
import { labelsAt, marksOf, mergedMoments, momentColor } from "./marks";
import type { Theme } from "./theme";

const TEXT = "gpu.power > 600";

/** Moments of a session as marks: alerts by their phase, anything else by its metric. */
function told(...rows: [time: number, what: string, facts?: object][]) {
  const moments = rows.map(([time, what, facts]) => {
    const isAlert = ["firing", "quiet", "failed"].includes(what);
    const about = { text: TEXT, metric: "gpu.power", entity: "gpu:3", label: `${TEXT} ${what}` };
    return {
      ...{ host: "h0", entity: "user", time, metric: isAlert ? "alert" : what },
      facts: { ...(isAlert ? { ...about, phase: what } : {}), ...facts },
    };
  });
  return marksOf({
    moments: () => moments,
    spans: () => [],
    catalog: () => [],
    entities: () => [],
  });
}

const line = (metric: string, entity = "gpu:3", host = "h0") => ({
  series: { host, entity, metric, id: 0, unit: "W", kind: "gauge", labels: {} },
});

describe("the stretches in which an alert fired", () => {
  test.each<[string, Parameters<typeof told>, [number, number | null][]]>([
    [
      "end when it is quiet",
      [
        [1, "firing"],
        [5, "quiet"],
      ],
      [[1, 5]],
    ],
    [
      "end when it failed",
      [
        [1, "firing"],
        [5, "failed"],
      ],
      [[1, 5]],
    ],
    ["go on while nothing else is said", [[1, "firing"]], [[1, null]]],
    [
      "come again",
      [
        [1, "firing"],
        [2, "quiet"],
        [4, "firing"],
      ],
      [
        [1, 2],
        [4, null],
      ],
    ],
    [
      "begin once, however often that is said",
      [
        [1, "firing"],
        [2, "firing"],
        [3, "quiet"],
      ],
      [[1, 3]],
    ],
    [
      "are none without firing",
      [
        [1, "quiet"],
        [2, "mark"],
      ],
      [],
    ],
  ])("%s", (_, rows, stretches) => {
    expect(firingsOf(told(...rows)).map(({ start, end }) => [start, end])).toEqual(stretches);
  });

  test("of two things under one condition are two", () => {
    const marks = told([1, "firing"], [2, "firing", { entity: "gpu:4" }], [3, "quiet"]);
    expect(firingsOf(marks).map(({ entity, end }) => [entity, end])).toEqual([
      ["gpu:3", 3],
      ["gpu:4", null],
    ]);
  });

  test("stand on the chart of what they are about, and on no other", () => {
    const firings = firingsOf(told([1, "firing"]));
    const count = (...lines: ReturnType<typeof line>[]) => firingsAbout(firings, lines).length;
    expect(count(line("gpu.power"))).toBe(1);
    expect(count(line("gpu.power", "gpu:4"), line("gpu.power"))).toBe(1);
    expect([count(line("gpu.power", "gpu:4")), count(line("gpu.clock"))]).toEqual([0, 0]);
    expect(count(line("gpu.power", "gpu:3", "h1"))).toBe(0);
    const anywhere = firingsOf(told([1, "firing", { entity: "" }]));
    expect(firingsAbout(anywhere, [line("gpu.power", "gpu:7")])).toHaveLength(1);
  });
});

describe("marks of a chart", () => {
  const marks = told([1, "firing"], [2, "mark", { label: "epoch" }], [3, "quiet"]);

  test("are all but the alerts about something else", () => {
    const metrics = (all: readonly { metric: string }[]) => all.map(({ metric }) => metric);
    expect(metrics(marksOfChart(marks, [line("gpu.power")]))).toEqual(["alert", "mark", "alert"]);
    expect(metrics(marksOfChart(marks, [line("gpu.clock")]))).toEqual(["mark"]);
    expect(marksOfChart(marks, [line("gpu.clock")])).toBe(marksOfChart(marks, [line("gpu.clock")]));
    const plain = told([1, "mark"]);
    expect(marksOfChart(plain, [line("gpu.clock")])).toBe(plain);
  });

  test("and a tooltip says what fires at its moment", () => {
    const scene = { marks, range: [0, 10], theme: {} as Theme, now: 10 } as const;
    expect(notesAt(scene, [line("gpu.power")], 2.5, 0.01)).toEqual([`\u25b2 ${TEXT}`]);
    expect(notesAt(scene, [line("gpu.power")], 5, 0.01)).toEqual([]);
    expect(notesAt(scene, [line("gpu.clock")], 2.5, 0.01)).toEqual([]);
  });
});

test.each([
  ["an alert that fires", told([1, "firing"]), `\u25b2 ${TEXT} firing`, "warn", false],
  [
    "an error",
    told([1, "event", { kind: "error", message: "ValueError: no\nand more" }]),
    "\u2715 ValueError: no",
    "warn",
    true,
  ],
  [
    "a lack of memory",
    told([1, "event", { kind: "oom", message: "CUDA out of memory" }]),
    "\u25b2 CUDA out of memory",
    "warn",
    true,
  ],
  ["any other event", told([1, "event", { message: "Xid 31" }]), "Xid 31", "warn", false],
])("%s is told by a sign, words and a colour", (_, marks, label, color, failed) => {
  const theme = { warn: "warn", axis: "axis", accent: "accent" } as Theme;
  const [mark] = marks;
  if (!mark) throw new Error("no mark");
  expect([mark.label, momentColor(mark, theme), mark.failed]).toEqual([label, color, failed]);
});

test.each([
  ["one that ends soon", told([1, "firing"], [2, "quiet"]), [`\u25b2 ${TEXT} firing`]],
  ["one that ends late", told([1, "firing"], [90, "quiet"]), [`\u25b2 ${TEXT} firing`]],
  ["an end alone", told([1, "quiet"]), []],
  ["an end beside a mark", told([1, "quiet"], [2, "mark", { label: "epoch" }]), ["epoch"]],
  ["two at once", told([1, "firing"], [2, "quiet"], [3, "firing"]), ["2 events"]],
])("of %s the lines are those of what began", (_, marks, labels) => {
  expect(mergedMoments(marks, (time) => time, 24).map(({ label }) => label)).toEqual(labels);
});

test("the end of an alert is told where it is pointed at", () => {
  expect(labelsAt(told([1, "firing"], [50, "quiet"]), 50, 1, 60)).toEqual([`${TEXT} quiet`]);
});

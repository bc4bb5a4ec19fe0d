import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntityWire, MomentWire, SeriesWire, SpanWire } from "../source";
import { idleStretches } from "./bands";
import type { PlotArea } from "./chart";
import {
  countsOnly,
  labelSpots,
  labelsAt,
  type Mark,
  marksAt,
  marksOf,
  marksWithin,
  mergedMoments,
  paintMoments,
} from "./marks";
import type { Theme } from "./theme";

interface Told {
  readonly moments?: readonly MomentWire[];
  readonly spans?: readonly SpanWire[];
  readonly catalog?: readonly SeriesWire[];
  readonly entities?: readonly EntityWire[];
}

function marked({ moments = [], spans = [], catalog = [], entities = [] }: Told) {
  return marksOf({
    moments: () => moments,
    spans: () => spans,
    catalog: () => catalog,
    entities: () => entities,
  });
}

const HOME = { host: "h0", entity: "kernel" };

function mark(time: number, facts: object = {}, more: object = {}): MomentWire {
  return { ...HOME, metric: "mark", time, facts: { ...facts }, ...more };
}

function span(start: number, end: number | null, facts: object = {}, more: object = {}): SpanWire {
  return { ...HOME, metric: "cell", id: `${start}`, start, end, facts: { ...facts }, ...more };
}

const cell = span(10, 25, { count: 3, line: "train()", status: "ok" });

describe("cells and spans", () => {
  test("reach from their start to their end", () => {
    expect(marked({ spans: [cell] })).toEqual([
      {
        ...{
          ...HOME,
          metric: "cell",
          drawnAs: "span",
          start: 10,
          end: 25,
          open: false,
          failed: false,
        },
        machine: HOME.host,
        text: "cell [3] train()",
        label: "cell [3] train()",
        facts: cell.facts,
      },
    ]);
  });

  test("that still run are open", () => {
    expect(marked({ spans: [span(10, null)] })).toMatchObject([
      { start: 10, end: null, open: true },
    ]);
  });

  test("say how they failed", () => {
    const failed = span(10, 25, { ...cell.facts, status: "error" });
    expect(marked({ spans: [failed] })[0]?.label).toBe("cell [3] train() (error)");
  });

  test("are called by their name, whatever their metric", () => {
    const task = span(10, 12, { name: "join" }, { metric: "task" });
    expect(marked({ spans: [task] })[0]).toMatchObject({ metric: "task", label: "join" });
  });

  test("and marks say whose they are where there are several hosts", () => {
    const catalog = ["h0", "h1"].map((host, id) => {
      return {
        id,
        host,
        entity: "gpu:0",
        metric: "gpu.power",
        unit: "W",
        kind: "gauge",
        labels: {},
      };
    });
    const entities = [{ host: "h1", entity: "host", labels: { name: "node17" } }];
    const [spans, moments] = [[cell], [mark(30, { label: "epoch 1" }, { host: "h1" })]];
    const labels = marked({ spans, moments, catalog, entities }).map(({ label }) => label);
    expect(labels).toEqual(["h0 · cell [3] train()", "node17 · epoch 1"]);
  });
});

describe("moments", () => {
  test.each([
    [{ label: "epoch 1", message: "no" }, "epoch 1"],
    [{ message: "Xid 31" }, "Xid 31"],
    [{ label: 7 }, "7"],
    [{}, "mark"],
  ])("with %j are called %s", (facts, label) => {
    expect(marked({ moments: [mark(1, facts)] })[0]?.label).toBe(label);
  });
});

describe("finding marks", () => {
  const marks = marked({ spans: [cell], moments: [mark(40, { label: "epoch 1" })] });

  test("a stretch is found anywhere inside it, a moment only near it", () => {
    expect(marksAt(marks, 17, 1, 50).map((mark) => mark.metric)).toEqual(["cell"]);
    expect(marksAt(marks, 39.5, 1, 50).map((mark) => mark.label)).toEqual(["epoch 1"]);
    expect(marksAt(marks, 35, 1, 50)).toEqual([]);
  });

  test("an open stretch reaches into every later picture", () => {
    const open = marked({ spans: [span(10, null)] });
    expect(marksWithin(open, [1000, 2000])).toHaveLength(1);
    expect(marksWithin(open, [0, 5])).toHaveLength(0);
    expect(marksAt(open, 40, 1, 50)).toHaveLength(1);
    expect(marksAt(open, 60, 1, 50)).toEqual([]);
  });
});

describe("labels of moments", () => {
  /** A letter is 10 wide, and so is a second. */
  const spots = (...moments: [time: number, label: string][]) => {
    const marks = marked({ moments: moments.map(([time, label]) => mark(time, { label })) });
    const row = { left: 0, right: 400, gap: 5, least: 20 };
    const found = labelSpots(
      marks,
      row,
      (time) => time * 10,
      (text) => text.length * 10,
    );
    return found.map(({ mark, from, room }) => [mark.label, from, room]);
  };

  test("stand on the right of their line, as wide as they are", () => {
    expect(spots([10, "epoch 1"])).toEqual([["epoch 1", 105, 70]]);
  });

  test("end before the next line", () => {
    expect(spots([2, "a long label"], [10, "b"])).toEqual([
      ["a long label", 25, 70],
      ["b", 105, 10],
    ]);
  });

  test("stand on the left where there is more room", () => {
    expect(spots([38, "newest"])).toEqual([["newest", 315, 60]]);
    expect(spots([30, "one"], [38, "newest"])).toEqual([
      ["one", 305, 30],
      ["newest", 340, 35],
    ]);
  });

  test("are left out where there is no room, and outside of the picture", () => {
    expect(spots([10, "first"], [10.5, "second"], [50, "later"], [-3, "before"])).toEqual([
      ["first", 45, 50],
      ["second", 110, 60],
    ]);
    expect(spots([10, "x"], [11, "first"], [12, "second"])).toEqual([
      ["x", 85, 10],
      ["second", 125, 60],
    ]);
  });
});

describe("moments close to one another", () => {
  const at = (time: number) => time;

  test("are one with a count, and say what they are", () => {
    const metrics = ["mark", "mark", "event", "mark"];
    const moments = metrics.map((metric, i) => mark(i, { label: `m${i}` }, { metric }));
    const words = (from: number, to: number) =>
      mergedMoments(marked({ moments: moments.slice(from, to) }), at, 5).map(({ label }) => label);
    expect(words(0, 2)).toEqual(["2 marks"]);
    expect(words(0, 4)).toEqual(["4 marks and events"]);
    expect(words(2, 3)).toEqual(["m2"]);
  });

  test("never stand nearer than that, and none is lost", () => {
    const times = fc.array(fc.double({ noNaN: true, min: 0, max: 100 }), { maxLength: 60 });
    fc.assert(
      fc.property(times, (all) => {
        const marks = marked({ moments: all.map((time) => mark(time, { label: "x" })) });
        const merged = mergedMoments(marks, at, 5);
        const starts = merged.map(({ start }) => start);
        starts.slice(1).forEach((start, i) => {
          expect(start - (starts[i] ?? 0)).toBeGreaterThan(5);
        });
        const counts = merged.map(({ label }) => (label === "x" ? 1 : Number.parseInt(label, 10)));
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
      }),
    );
  });
});

test("lines side by side that stand for many have their counts as labels", () => {
  const moments = Array.from({ length: 60 }, (_, i) => mark(i * 5, { label: "x" }));
  const [at, width] = [(time: number) => time, (text: string) => text.length * 6];
  const merged = mergedMoments(marked({ moments }), at, 24);
  const row = { left: 0, right: 400, gap: 4, least: 24 };
  const labels = labelSpots(countsOnly(merged, row.gap, at, width), row, at, width);
  expect(labels.map(({ mark: { label } }) => label)).toEqual([
    ...merged.slice(0, -1).map(({ count }) => `${count}`),
    `${merged.at(-1)?.count} marks`,
  ]);
});

describe("the lines of marks", () => {
  const theme = { font: "11px sans-serif", accent: "blue", warn: "red" } as Theme;

  /** Where lines are drawn, and what is written, on a plot of 600 pixels from 64 on. */
  function painted(times: readonly number[], ratio: number, from = 0) {
    const [lines, texts]: [number[], string[]] = [[], []];
    const context = {
      ...{ save() {}, restore() {}, setLineDash() {}, beginPath() {}, lineTo() {}, stroke() {} },
      moveTo: (x: number) => lines.push(x),
      measureText: (text: string) => ({ width: text.length * 6 }),
      fillText: (text: string) => texts.push(text),
    };
    const left = 64 * ratio;
    const area = {
      ...{ context, left, top: 7, width: 600 * ratio, height: 74, ratio, y: () => 0 },
      x: (time: number) => left + (time - from) * 10 * ratio,
    } as unknown as PlotArea;
    const marks = marked({ moments: times.map((time) => mark(time, { label: "x" })) });
    paintMoments(area, marks, theme);
    return { lines, texts, edge: left };
  }

  test("a hundred within twelve seconds are a few, which say how many they are", () => {
    const { lines, texts } = painted(
      Array.from({ length: 100 }, (_, i) => 20 + i * 0.12),
      1,
    );
    expect(lines.length).toBeLessThanOrEqual(6);
    expect(texts).toHaveLength(lines.length);
    expect(texts.reduce((sum, text) => sum + Number(text), 0)).toBe(100);
  });

  test("are nowhere nearer than 24 pixels, and each mark in view is one of them", () => {
    const times = fc.array(fc.double({ noNaN: true, min: -10, max: 60 }), { maxLength: 80 });
    fc.assert(
      fc.property(times, fc.constantFrom(1, 1.5, 2), fc.integer({ min: 0, max: 40 }), (...all) => {
        const [given, ratio, from] = all;
        const { lines, texts, edge } = painted(given, ratio, from);
        lines.slice(1).forEach((line, i) => {
          expect(line - (lines[i] as number)).toBeGreaterThanOrEqual(24 * ratio - 1);
        });
        for (const time of given) {
          const at = edge + (time - from) * 10 * ratio;
          if (at < edge || at > edge + 600 * ratio) continue;
          // Either its own line or that of those before it, which is at most one further.
          const near = lines.some((line) => at - line > -2 && at - line <= 48 * ratio + 2);
          expect(near).toBe(true);
        }
        expect(texts.every((text) => Number(text) > 1)).toBe(true);
      }),
    );
  });

  test("of many that are touched the tooltip has the count and the newest", () => {
    const many = Array.from({ length: 9 }, (_, i) => mark(10 + i / 10, { label: `m${i}` }));
    expect(labelsAt(marked({ moments: many }), 10.4, 1, 50)).toEqual([
      "9 marks",
      ...["m5", "m6", "m7", "m8"],
    ]);
    expect(labelsAt(marked({ moments: many.slice(0, 2) }), 10, 1, 50)).toEqual(["m0", "m1"]);
  });
});

describe("idle time", () => {
  const idle = (spans: SpanWire[], range: [number, number] = [0, 100], now = 100) =>
    idleStretches(marked({ spans }), range, now);

  test.each([
    [
      [span(10, 25)],
      [
        [0, 10],
        [25, 100],
      ],
    ],
    [
      [span(10, 50), span(20, 30), span(45, 60)],
      [
        [0, 10],
        [60, 100],
      ],
    ],
    [[span(10, null)], [[0, 10]]],
    [[span(-50, -20)], [[0, 100]]],
    [[], []],
  ])("beside %j is %j", (spans, stretches) => {
    expect(idle(spans)).toEqual(stretches);
  });

  test("ends now", () => {
    expect(idle([span(10, 25)], [0, 100], 40)).toEqual([
      [0, 10],
      [25, 40],
    ]);
  });

  test("is not idle where a cell fails, which is known of the cell", () => {
    const [failed] = marked({ spans: [span(1, 2, { status: "error" })] });
    expect(failed?.failed).toBe(true);
    expect(marked({ spans: [cell] })[0]?.failed).toBe(false);
  });
});

describe("the things that marks are about are called as everywhere", () => {
  test.each([
    ["gpu:3: the driver did not answer in time", "GPU 3: the driver did not answer in time"],
    ["swap gpu:0/mig:1 and gpu:10", "swap GPU 0 \u00b7 MIG 1 and GPU 10"],
    ["mynpu:3 and gpu: stay", "mynpu:3 and gpu: stay"],
  ])("%s is %s", (message, text) => {
    const about = { host: "h0", entity: "pulse/nvml", metric: "event", time: 1 };
    const all = marked({
      moments: [{ ...about, facts: { message } }, mark(2, { label: message })],
    });
    expect(all.map((one) => [one.text, one.label])).toEqual([
      [text, text],
      [text, text],
    ]);
  });
});

test("what stands at the very end of the axis is drawn, however it is rounded", () => {
  const lost: number[] = [];
  for (let i = 1; i <= 2000; i++) {
    const [from, length] = [1_790_000_000 + i * 0.7, 9 + i * 0.013];
    const to = from + length;
    const [left, width] = [64, 100 + (i % 700)];
    const x = (value: number) => left + ((value - from) * width) / (to - from) + 1e-9;
    const mark = { drawnAs: "moment", label: "mid", start: to } as Mark;
    const row = { left, right: left + width, gap: 4, least: 24 };
    if (labelSpots([mark], row, x, () => 20).length !== 1) lost.push(i);
  }
  expect(lost).toEqual([]);
});

test("what a rank did names it, and stays the same mark", () => {
  const [entity, other] = ["rank:3/kernel", "rank:12/kernel"];
  const moments = [mark(1, { label: "saved" }, { entity })];
  const spans = [span(1, 2, { name: "step" }, { entity: other, metric: "span" })];
  const marks = marked({ moments, spans });
  expect(marks.map(({ label }) => label)).toEqual(["rank 3 \u00b7 saved", "rank 12 \u00b7 step"]);
  expect(marks.map(({ text }) => text)).toEqual(["saved", "step"]);
  marked({ moments, spans }).forEach((one, i) => {
    expect(one).toBe(marks[i]);
  });
});

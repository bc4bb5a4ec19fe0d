import { describe, expect, test } from "vitest";
import type { PulseEvent, SeriesWire } from "../source";
import { labelSpots, marksAt, marksOf, marksWithin } from "./marks";

/** What a source without series for its events tells of them. */
const NOTHING: readonly SeriesWire[] = [];

function event(metric: string, time: number, more: object = {}): PulseEvent {
  return { metric, time, entity: "cell:3", value: null, ...more };
}

const cell = [
  event("cell", 10, { id: "a", count: 3, line: "train()" }),
  event("cell", 25, { id: "a", value: 15, status: "ok" }),
];

describe("cells", () => {
  test("reach from their start row to their end row", () => {
    expect(marksOf(cell, NOTHING)).toEqual([
      { metric: "cell", look: "span", start: 10, end: 25, open: false, label: "cell [3] train()" },
    ]);
  });

  test("that still run are open", () => {
    expect(marksOf(cell.slice(0, 1), NOTHING)).toMatchObject([
      { start: 10, end: null, open: true },
    ]);
  });

  test("whose start was forgotten begin their duration before their end", () => {
    expect(marksOf(cell.slice(1), NOTHING)).toMatchObject([{ start: 10, end: 25 }]);
  });

  test("say how they failed", () => {
    const failed = [
      cell[0] as PulseEvent,
      event("cell", 25, { id: "a", value: 15, status: "error" }),
    ];
    expect(marksOf(failed, NOTHING)[0]?.label).toBe("cell [3] train() (error)");
  });

  test("of equal ids on two entities are two cells", () => {
    const other = event("cell", 30, { id: "a", entity: "cell:4" });
    expect(marksOf([...cell, other], NOTHING)).toHaveLength(2);
  });
});

describe("what an event is", () => {
  const rows = (metric: string) => [
    event(metric, 10, { id: 7, name: "join" }),
    event(metric, 12, { id: 7, value: 2 }),
  ];
  const series = (metric: string, kind: string): SeriesWire => {
    return { id: 0, host: "h0", entity: "cell:3", metric, unit: "", kind, labels: {} };
  };

  test.each([
    ["span", "span", ["span"]],
    ["task", "span", ["span"]],
    ["task", "text", ["moment", "moment"]],
    ["alert", "text", ["moment", "moment"]],
    ["log.stdout", "text", []],
    ["sample", "media", []],
    ["task", "of a newer version", []],
  ])("%s that is stored as %s", (metric, kind, looks) => {
    expect(marksOf(rows(metric), [series(metric, kind)]).map(({ look }) => look)).toEqual(looks);
  });

  test.each([
    ["span", ["span"]],
    ["finding", ["moment", "moment"]],
    ["log.stderr", []],
    ["task", ["moment", "moment"]],
    ["constructor", ["moment", "moment"]],
  ])("%s whose series was left out", (metric, looks) => {
    expect(marksOf(rows(metric), NOTHING).map(({ look }) => look)).toEqual(looks);
  });

  test("a span is called by its name, whatever its metric", () => {
    expect(marksOf(rows("task"), [series("task", "span")])[0]).toMatchObject({
      ...{ metric: "task", label: "join", start: 10, end: 12 },
    });
  });
});

describe("finding marks", () => {
  const marks = marksOf([...cell, event("mark", 40, { label: "epoch 1" })], NOTHING);

  test("a stretch is found anywhere inside it, a moment only near it", () => {
    expect(marksAt(marks, 17, 1, 50).map((mark) => mark.metric)).toEqual(["cell"]);
    expect(marksAt(marks, 39.5, 1, 50).map((mark) => mark.label)).toEqual(["epoch 1"]);
    expect(marksAt(marks, 35, 1, 50)).toEqual([]);
  });

  test("an open stretch reaches into every later picture", () => {
    const open = marksOf(cell.slice(0, 1), NOTHING);
    expect(marksWithin(open, [1000, 2000])).toHaveLength(1);
    expect(marksWithin(open, [0, 5])).toHaveLength(0);
    expect(marksAt(open, 40, 1, 50)).toHaveLength(1);
    expect(marksAt(open, 60, 1, 50)).toEqual([]);
  });
});

describe("labels of moments", () => {
  /** A letter is 10 wide, and so is a second. */
  const spots = (...moments: [time: number, label: string][]) => {
    const marks = marksOf(
      moments.map(([time, label]) => event("mark", time, { label })),
      NOTHING,
    );
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

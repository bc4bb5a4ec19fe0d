import { describe, expect, test } from "vitest";
import type { PlotArea } from "../charts/chart";
import type { Mark } from "../charts/marks";
import { momentsRow, rowsOf } from "./timeline-rows";

/** Spans among the metrics; all others are moments. */
const SPANS = new Set(["cell", "span", "task"]);
const HERE = { machine: "h0", entity: "kernel", start: 1, end: null, open: false, failed: false };

function mark(metric: string, host = "h0", machine = host): Mark {
  const drawnAs = SPANS.has(metric) ? "span" : "moment";
  return { ...HERE, host, machine, metric, drawnAs, text: metric, label: metric };
}

function names(...marks: Mark[]): string[] {
  return rowsOf(marks).map(({ name }) => name);
}

test.each([
  [
    ["mark", "span", "cell"],
    ["cells", "spans", "marks"],
  ],
  [["event", "alert", "notes"], ["marks"]],
  // A metric that the catalog does not know shares the row of named spans.
  [["task"], ["spans"]],
  // What runs at the same time does not lie over one another.
  [
    ["task", "span"],
    ["spans", ""],
  ],
  [[], []],
])("%j stand in the rows %j", (metrics, expected) => {
  expect(names(...metrics.map((metric) => mark(metric)))).toEqual(expected);
});

describe("with several hosts", () => {
  const [first, second] = [["h2", "node17"] as const, ["h10", "node18.cluster.org"] as const];

  test("spans of each have their own row with its name, in order of the hosts", () => {
    const marks = [mark("mark", ...second), mark("cell", ...second), mark("cell", ...first)];
    expect(names(...marks, mark("mark", ...first))).toEqual(["node17", "node18", "marks"]);
    const all = [...marks, mark("span", ...second)];
    expect(names(...all)).toEqual(["node17", "node18", "node18", "marks"]);
    expect(new Set(rowsOf(all).map(({ key }) => key)).size).toBe(4);
    expect(rowsOf(all).map(({ named }) => named)).toEqual([true, true, true, false]);
  });

  test("of which one alone has spans, these need no name", () => {
    expect(names(mark("cell", ...first), mark("mark", ...second))).toEqual(["cells", "marks"]);
  });

  test("a long name keeps its end, where machines of one kind differ", () => {
    const marks = [17, 18].map((n) => mark("cell", `h${n}`, `gpu-server-${n}`));
    expect(names(...marks)).toEqual(["\u2026erver-17", "\u2026erver-18"]);
  });
});

describe("with several ranks", () => {
  const of = (rank: number, more: Partial<Mark> = {}) => {
    return { ...mark("span"), end: 5, entity: `rank:${rank}/kernel`, ...more };
  };
  const ranks = (count: number) => Array.from({ length: count }, (_, rank) => of(rank));

  test.each([
    [1, ["spans"]],
    [3, ["rank 0", "rank 1", "rank 2"]],
    [4, ["rank 0", "rank 1", "rank 2", "rank 3"]],
    // Of more, rows of their own would fill the page.
    [64, ["spans", "", "", ""]],
  ])("%i of them stand in few rows", (count, rows) => {
    expect(names(...ranks(count))).toEqual(rows);
    expect(rowsOf(ranks(count)).every(({ named }) => named === (count > 1 && count < 5))).toBe(
      true,
    );
  });

  test("each process counts its spans for itself", () => {
    const outer = { start: 1, end: 9, facts: { id: 1 } };
    const inner = { start: 2, end: 3, facts: { id: 2, parent: 1 } };
    const marks = [of(0, outer), of(1, { ...outer, start: 1.5 }), of(0, inner), of(1, inner)];
    expect(names(...marks)).toEqual(["rank 0", "", "rank 1", ""]);
    const many = Array.from({ length: 8 }, (_, rank) => [
      of(rank, { start: rank * 10, end: rank * 10 + 5, facts: { id: 1 } }),
      of(rank, { start: rank * 10 + 1, end: rank * 10 + 2, facts: { id: 2, parent: 1 } }),
    ]).flat();
    expect(names(...many)).toEqual(["spans", ""]);
  });
});

test.each([
  ["of cells above it", [mark("cell", "h0"), mark("mark", "h0")]],
  ["of cells of several hosts", [mark("cell", "h0"), mark("cell", "h1"), mark("mark", "h0")]],
  ["alone", [mark("mark", "h0")]],
])("lines of moments stand in their own row, with rows %s", (_, marks) => {
  const rows = rowsOf(marks);
  const area = { top: 7, height: rows.length * 17, left: 64 } as PlotArea;
  const row = momentsRow(area, rows);
  expect([row.top, row.height, row.left]).toEqual([7 + (rows.length - 1) * 17, 17, 64]);
});

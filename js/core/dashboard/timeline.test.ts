import { expect, test } from "vitest";
import type { Mark } from "../charts/marks";
import { rowsOf } from "./timeline";

/** Spans among the metrics; all others are moments. */
const SPANS = new Set(["cell", "span", "task"]);

function rows(...metrics: string[]): string[] {
  return rowsOf(
    metrics.map((metric): Mark => {
      const drawnAs = SPANS.has(metric) ? "span" : "moment";
      return { ...HERE, metric, drawnAs, label: metric };
    }),
  );
}

const HERE = { host: "h0", entity: "kernel", start: 1, end: null, open: false };

test.each([
  [
    ["mark", "span", "cell"],
    ["cells", "spans", "marks"],
  ],
  [["event", "alert", "notes"], ["marks"]],
  // A metric that the catalog does not know shares the row of named spans.
  [["task"], ["spans"]],
  [[], []],
])("%j stand in the rows %j", (metrics, expected) => {
  expect(rows(...metrics)).toEqual(expected);
});

import { expect, test } from "vitest";
import { marksOf } from "../charts/marks";
import { rowsOf } from "./timeline";

/** The kind of each event's series, by its metric. */
const KIND: Readonly<Record<string, string>> = { cell: "span", span: "span", task: "span" };

function rows(...metrics: string[]): string[] {
  const events = metrics.map((metric) => ({ metric, time: 1, entity: "kernel", value: null }));
  const catalog = metrics.map((metric, id) => {
    const series = { id, host: "h0", entity: "kernel", metric, unit: "", labels: {} };
    return { ...series, kind: KIND[metric] ?? "text" };
  });
  return rowsOf(marksOf(events, catalog));
}

test.each([
  [
    ["mark", "span", "cell"],
    ["cells", "spans", "marks"],
  ],
  [["event", "alert", "notes"], ["marks"]],
  // A metric that the catalog does not know shares the row of named spans.
  [["task"], ["spans"]],
  [["log.stdout"], []],
  [[], []],
])("%j stand in the rows %j", (metrics, expected) => {
  expect(rows(...metrics)).toEqual(expected);
});
